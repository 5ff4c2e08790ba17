// SPDX-License-Identifier: BSL-1.0
// Pipelines on the device of the test run: what nests compute, which launches and calls are refused, barriers,
// and how long they take.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>

#include "vulkan_nests.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

// What a nest does by ir/interpret.hpp. The workspaces, which the interpreter keeps to itself, come back unchanged.
std::vector<std::vector<float>> interpreted(const nest& n, std::vector<std::vector<float>> buffers,
                                            const std::vector<std::int64_t>& parameters = {})
{
    std::vector<argument> arguments;
    for (auto& b : buffers) arguments.push_back({b.data(), static_cast<std::int64_t>(b.size())});
    const status s = interpret(n, arguments, parameters);
    CHECK_MESSAGE(s.ok(), std::string(s.message()), " [", std::string(s.subject), "] ", s.found);
    return buffers;
}

std::vector<float> reference_matmul(const product_shape& s, const std::vector<float>& x,
                                    const std::vector<float>& weights)
{
    std::vector<float> y(static_cast<std::size_t>(s.m * s.n));
    for (int m = 0; m < s.m; ++m)
        for (int n = 0; n < s.n; ++n) {
            double sum = 0;
            for (int k = 0; k < s.k; ++k)
                sum += static_cast<double>(x[static_cast<std::size_t>(m * s.k + k)]) *
                       static_cast<double>(weights[static_cast<std::size_t>(k * s.n + n)]);
            y[static_cast<std::size_t>(m * s.n + n)] = static_cast<float>(sum < 0 ? 0 : sum);
        }
    return y;
}

void check_matmul(const nest& n, const product_shape& s)
{
    CAPTURE(s.m);
    CAPTURE(s.n);
    CAPTURE(s.k);
    const auto x = random_floats(static_cast<std::size_t>(s.m * s.k), 1);
    const auto weights = random_floats(static_cast<std::size_t>(s.k * s.n), 2);
    const std::vector<float> y(static_cast<std::size_t>(s.m * s.n), poison);
    const auto after = run_on(test_device(), n, {x, weights, y});
    CHECK(after[0] == x);
    CHECK(after[1] == weights);
    CHECK(difference(after[2], reference_matmul(s, x, weights)) < 1e-4f);
    CHECK(difference(interpreted(n, {x, weights, y})[2], after[2]) < 1e-4f);
}

} // namespace

TEST_CASE("one output for each lane")
{
    for (const product_shape s : {product_shape{16, 16, 16}, product_shape{13, 11, 7}, product_shape{1, 1, 1}})
        check_matmul(naive_matmul(s), s);
}

TEST_CASE("a register tile of vectors")
{
    for (const product_shape s : {product_shape{32, 48, 16}, product_shape{21, 28, 17}, product_shape{1, 4, 3}})
        check_matmul(register_matmul(s), s);
}

TEST_CASE("tiles staged in workgroup memory between barriers")
{
    for (const product_shape s : {product_shape{32, 32, 16}, product_shape{45, 37, 29}, product_shape{1, 3, 1}})
        check_matmul(staged_matmul(s), s);
}

TEST_CASE("reads outside their conditions are 0 and touch nothing")
{
    const int height = 5, width = 7;
    const nest n = padded_depthwise(height, width);
    const auto x = random_floats(height * width * 8, 3);
    const auto weights = random_floats(9 * 8, 4);
    const auto bias = random_floats(8, 5);
    const std::vector<std::vector<float>> before{x, weights, bias, std::vector<float>(x.size(), poison)};
    const auto after = run_on(test_device(), n, before);

    std::vector<float> y(x.size());
    for (int h = 0; h < height; ++h)
        for (int w = 0; w < width; ++w)
            for (int c = 0; c < 8; ++c) {
                double sum = static_cast<double>(bias[static_cast<std::size_t>(c)]);
                for (int r = 0; r < 3; ++r)
                    for (int s = 0; s < 3; ++s) {
                        const int ih = h + r - 1, iw = w + s - 1;
                        if (ih < 0 || ih >= height || iw < 0 || iw >= width) continue;
                        sum += static_cast<double>(x[static_cast<std::size_t>((ih * width + iw) * 8 + c)]) *
                               static_cast<double>(weights[static_cast<std::size_t>((r * 3 + s) * 8 + c)]);
                    }
                y[static_cast<std::size_t>((h * width + w) * 8 + c)] = static_cast<float>(sum);
            }
    CHECK(difference(after[3], y) < 1e-5f);
    CHECK(difference(interpreted(n, before)[3], y) < 1e-5f);
}

TEST_CASE("loops clipped at a border, and lanes past an edge")
{
    for (const auto& [height, width] : {std::pair{9, 21}, std::pair{4, 32}, std::pair{1, 1}}) {
        const nest n = clipped_pool(height, width);
        const auto outputs = static_cast<std::size_t>(((height - 1) / 2 + 1) * ((width - 1) / 2 + 1));
        const std::vector<std::vector<float>> before{random_floats(static_cast<std::size_t>(height * width), 6),
                                                     std::vector<float>(outputs, poison)};
        CHECK(run_on(test_device(), n, before)[1] == interpreted(n, before)[1]);
    }
}

TEST_CASE("constant tables, folded and indexed")
{
    const nest n = table_transform();
    const std::vector<std::vector<float>> before{random_floats(16, 7), std::vector<float>(32, poison)};
    auto found = run_on(test_device(), n, before)[1];
    auto expected = interpreted(n, before)[1];
    // The last lane divides by infinity and multiplies with it.
    for (std::size_t i = 28; i < 32; ++i) CHECK(std::isinf(expected[i]) == std::isinf(found[i]));
    found.resize(28);
    expected.resize(28);
    CHECK(difference(found, expected) < 1e-5f);
}

TEST_CASE("run-time extents and strides")
{
    const int columns = 12, most = 40;
    const nest n = dynamic_transpose(columns, most);
    for (const auto& [rows, leading] : {std::pair{40, 12}, std::pair{17, 15}, std::pair{1, 24}}) {
        const std::vector<std::vector<float>> before{
            random_floats(static_cast<std::size_t>(leading * most), 8),
            std::vector<float>(static_cast<std::size_t>(rows * columns), poison)};
        const auto found = run_on(test_device(), n, before, {rows, leading});
        for (int m = 0; m < rows; ++m)
            for (int c = 0; c < columns; ++c)
                CHECK(found[1][static_cast<std::size_t>(c * rows + m)] ==
                      before[0][static_cast<std::size_t>(m * leading + c)]);
        CHECK(interpreted(n, before, {rows, leading})[1] == found[1]);
    }
}

TEST_CASE("one buffer by vectors and by scalars, and a workspace across a barrier")
{
    const nest n = shared_workspace();
    const auto x = random_floats(16, 9);
    const auto found = run_on(test_device(), n, {x, std::vector<float>(16, poison), std::vector<float>(16, poison)});
    for (std::size_t i = 0; i < 16; ++i) CHECK(found[1][i] == (i % 4 < 3 ? x[i] + (x[15 - i] + 1.0f) : x[i]));
    CHECK(interpreted(n, {x, std::vector<float>(16, poison)})[1] == found[1]);
}

TEST_CASE("NaN in min and max")
{
    const nest n = nan_rules();
    const float infinity = identity_of(reduction::min);
    const std::vector<float> x{poison, -1, 2, -infinity, poison, infinity, -0.5f, 3};
    const std::vector<std::vector<float>> before{x, std::vector<float>(16, poison)};
    const auto expected = interpreted(n, before)[1];
    const auto found = run_on(test_device(), n, before)[1];
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        if (std::isnan(expected[i]))
            CHECK(std::isnan(found[i]));
        else
            CHECK(found[i] == expected[i]);
    }
}

TEST_CASE("the limits of the device, and 65535 iterations on the software one")
{
    const vulkan_limits l = test_device().limits();
    const vulkan_limits least;
    CHECK(l.max_workgroup_invocations >= least.max_workgroup_invocations);
    CHECK(l.max_workgroup_size_x >= least.max_workgroup_size_x);
    CHECK(l.max_workgroup_count_x >= least.max_workgroup_count_x);
    CHECK(l.max_shared_bytes >= least.max_shared_bytes);
    CHECK(l.max_storage_buffers >= least.max_storage_buffers);
    CHECK(l.max_push_constant_bytes >= least.max_push_constant_bytes);
    const bool is_llvmpipe = std::string(test_device().properties().deviceName).find("llvmpipe") != std::string::npos;
    CHECK(l.max_loop_iterations == (is_llvmpipe ? 65535u : 0u));
}

TEST_CASE("create names the limit that a launch exceeds, and words that are no kernel")
{
    const vulkan::context c = test_device().context();
    const vulkan_limits limits = test_device().limits();
    const nest n = naive_matmul({13, 11, 7});
    const spirv_result compiled = spirv_of(glsl_of(n));
    REQUIRE(compiled.ok());
    const launch fitting = launch_of(n);
    const auto create = [&](const launch& l) { return vulkan::pipeline::create(c, compiled.words, l).found; };
    CHECK(create(fitting).ok());

    launch l = fitting;
    l.shared_bytes = limits.max_shared_bytes + 4;
    status s = create(l);
    CHECK(s.what == fault::shared_memory_exceeded);
    CHECK(s.expected == limits.max_shared_bytes);
    CHECK(s.found == l.shared_bytes);

    l = fitting;
    l.lanes = limits.max_workgroup_invocations + 1;
    s = create(l);
    CHECK(s.what == fault::workgroup_too_large);
    CHECK(s.expected == limits.max_workgroup_invocations);
    CHECK(s.found == l.lanes);

    l = fitting;
    l.buffers = limits.max_storage_buffers + 1;
    CHECK(create(l).what == fault::too_many_buffers);

    if (limits.max_loop_iterations != 0) {
        l = fitting;
        l.loop_iterations = std::int64_t{limits.max_loop_iterations} + 1;
        CHECK(create(l).what == fault::too_many_loop_iterations);
    }

    const auto create_of = [&](std::vector<std::uint32_t> words) {
        return vulkan::pipeline::create(c, words, fitting).found;
    };
    CHECK(create_of({}).what == fault::shader_rejected);
    CHECK(create_of({1, 2, 3, 4, 5, 6}).what == fault::shader_rejected);
    auto cut = compiled.words;
    cut.pop_back();
    CHECK(create_of(cut).what == fault::shader_rejected);
    l = fitting;
    l.lanes = 16; // the words say 32
    s = create(l);
    CHECK(s.what == fault::shader_rejected);
    CHECK(s.expected == 16);
    CHECK(s.found == 32);

    vulkan::context no_functions = c;
    no_functions.get_instance_proc_addr = nullptr;
    CHECK(vulkan::pipeline::create(no_functions, compiled.words, fitting).found.what == fault::vulkan_feature_missing);
    CHECK_MESSAGE(test_device().validation_messages() == 0, test_device().first_validation_message());
}

TEST_CASE("record refuses calls that do not fit, and reuses the bindings of equal buffers")
{
    vulkan::device& d = test_device();
    const nest n = dynamic_transpose(12, 40);
    const spirv_result compiled = spirv_of(glsl_of(n));
    REQUIRE(compiled.ok());
    auto made = vulkan::pipeline::create(d.context(), compiled.words, launch_of(n), 2);
    REQUIRE(made.ok());
    vulkan::pipeline kernel = std::move(made.value);
    CHECK(!made.value);
    CHECK(kernel);

    vulkan::failure why;
    const vulkan::device_buffer x = d.make_buffer(4000 * sizeof(float), why);
    REQUIRE(why.ok());
    const vulkan::device_buffer y = d.make_buffer(4000 * sizeof(float), why);
    REQUIRE(why.ok());
    const auto record = [&](std::vector<vulkan::buffer_range> buffers, std::vector<std::int64_t> parameters) {
        return d.run([&](VkCommandBuffer to) { return kernel.record(to, buffers, parameters); }).found;
    };
    const auto from = [&](VkDeviceSize offset) {
        return vulkan::buffer_range{x.range().buffer, offset, VK_WHOLE_SIZE};
    };

    CHECK(record({x.range()}, {40, 12}).what == fault::vulkan_call_mismatch);
    CHECK(record({x.range(), y.range()}, {40}).what == fault::vulkan_call_mismatch);
    CHECK(record({from(4), y.range()}, {40, 12}).what == fault::vulkan_call_mismatch);
    const status s = record({x.range(), y.range()}, {41, 12});
    CHECK(s.what == fault::parameter_out_of_range);
    CHECK(s.expected == 5);
    CHECK(s.found == 6);

    CHECK(record({x.range(), y.range()}, {40, 12}).ok());
    CHECK(record({x.range(), y.range()}, {39, 12}).ok());
    CHECK(record({from(256), y.range()}, {40, 12}).ok());
    CHECK(record({x.range(), y.range()}, {38, 12}).ok());
    CHECK(record({from(512), y.range()}, {40, 12}).what == fault::vulkan_bindings_exhausted);
    kernel.recycle();
    CHECK(record({from(512), y.range()}, {40, 12}).ok());
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

TEST_CASE("push descriptors")
{
    vulkan::failure why;
    const auto d =
        vulkan::device::open({.validation = vulkan::validation::on, .descriptors = vulkan::descriptors::push}, why);
    if (d == nullptr && why.found.what == fault::vulkan_feature_missing) {
        MESSAGE("skipped: ", why.text());
        return;
    }
    REQUIRE_MESSAGE(why.ok(), why.text());
    const product_shape s{13, 11, 7};
    const auto x = random_floats(13 * 7, 1), weights = random_floats(7 * 11, 2);
    const auto after = run_on(*d, naive_matmul(s), {x, weights, std::vector<float>(13 * 11, poison)});
    CHECK(difference(after[2], reference_matmul(s, x, weights)) < 1e-4f);
}

TEST_CASE("two dispatches with a barrier between")
{
    vulkan::device& d = test_device();
    const product_shape s{16, 16, 16};
    const nest n = naive_matmul(s);
    const spirv_result compiled = spirv_of(glsl_of(n));
    auto made = vulkan::pipeline::create(d.context(), compiled.words, launch_of(n));
    REQUIRE(made.ok());
    vulkan::failure why;
    std::vector<vulkan::device_buffer> memory;
    for (unsigned i = 0; i < 4; ++i) {
        memory.push_back(d.make_buffer(256 * sizeof(float), why));
        REQUIRE(why.ok());
        const auto values = random_floats(256, i);
        std::copy(values.begin(), values.end(), memory.back().floats().begin());
    }
    const auto copied = [&](std::size_t i) {
        return std::vector<float>(memory[i].floats().begin(), memory[i].floats().end());
    };
    const std::vector<vulkan::buffer_range> first{memory[0].range(), memory[1].range(), memory[2].range()};
    const std::vector<vulkan::buffer_range> second{memory[2].range(), memory[1].range(), memory[3].range()};
    const auto ran = d.run([&](VkCommandBuffer to) {
        if (const status f = made.value.record(to, first); !f.ok()) return f;
        made.value.barrier(to);
        return made.value.record(to, second);
    });
    CHECK_MESSAGE(ran.ok(), ran.text());
    CHECK(difference(copied(3), reference_matmul(s, reference_matmul(s, copied(0), copied(1)), copied(1))) < 1e-3f);
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

TEST_CASE("timing")
{
    vulkan::device& d = test_device();
    const nest n = register_matmul({64, 96, 64});
    const spirv_result compiled = spirv_of(glsl_of(n));
    auto made = vulkan::pipeline::create(d.context(), compiled.words, launch_of(n));
    REQUIRE(made.ok());
    vulkan::failure why;
    const vulkan::device_buffer x = d.make_buffer(64 * 64 * sizeof(float), why);
    const vulkan::device_buffer weights = d.make_buffer(64 * 96 * sizeof(float), why);
    const vulkan::device_buffer y = d.make_buffer(64 * 96 * sizeof(float), why);
    const vulkan::buffer_range buffers[] = {x.range(), weights.range(), y.range()};
    vulkan::timing found;
    int recorded = 0;
    const auto timed = d.time(found,
                              [&](VkCommandBuffer to, int) {
                                  ++recorded;
                                  return made.value.record(to, buffers);
                              },
                              {.repeats = 3});
    REQUIRE_MESSAGE(timed.ok(), timed.text());
    CHECK(found.minimum.count() > 0);
    CHECK(found.median >= found.minimum);
    CHECK(found.dispatches >= 1);
    CHECK(recorded == 2 * 2 + 3 * (found.dispatches + 1));
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

TEST_CASE("a missed deadline loses the device")
{
    // Of its own, as nothing can be run on it afterwards; without the layer, which complains at exit of what is left.
    vulkan::failure why;
    const auto d = vulkan::device::open({}, why);
    REQUIRE_MESSAGE(why.ok(), why.text());
    const nest n = naive_matmul({256, 256, 256});
    const spirv_result compiled = spirv_of(glsl_of(n));
    auto made = vulkan::pipeline::create(d->context(), compiled.words, launch_of(n));
    REQUIRE(made.ok());
    std::vector<vulkan::device_buffer> memory;
    for (int i = 0; i < 3; ++i) memory.push_back(d->make_buffer(256 * 256 * sizeof(float), why));
    const std::vector<vulkan::buffer_range> buffers{memory[0].range(), memory[1].range(), memory[2].range()};
    const auto record = [&](VkCommandBuffer to) { return made.value.record(to, buffers); };
    const auto late = d->run(record, std::chrono::microseconds{1});
    CHECK(late.found.what == fault::vulkan_call_failed);
    CHECK(late.found.found == VK_TIMEOUT);
    CHECK(d->is_lost());
    CHECK(d->run(record).found.found == VK_ERROR_DEVICE_LOST);
    made.value.abandon();
    // This process goes on to exit, where a software driver must not be running still.
    const auto get = vulkan::instance_function<PFN_vkGetDeviceProcAddr>(d->context(), "vkGetDeviceProcAddr");
    reinterpret_cast<PFN_vkDeviceWaitIdle>(get(d->context().device, "vkDeviceWaitIdle"))(d->context().device);
}
