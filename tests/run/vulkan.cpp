// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>

#include "vulkan_nests.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// What a nest does by ir/interpret.hpp. The workspaces, which the interpreter keeps to itself, come back unchanged.
std::vector<std::vector<float>> interpreted(const nest& n, std::vector<std::vector<float>> buffers,
                                            const std::vector<std::int64_t>& parameters = {})
{
    std::vector<argument> arguments;
    for (auto& b : buffers) arguments.push_back({b.data(), static_cast<std::int64_t>(b.size())});
    const status s = interpret(n, arguments, parameters);
    CHECK_MESSAGE(s.ok(), s.message(), " [", s.subject, "] ", s.found);
    return buffers;
}

std::vector<float> reference_matmul(const matmul_shape& s, const std::vector<float>& x,
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

void check_matmul(const nest& n, const matmul_shape& s)
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

TEST_CASE("a missing loader, device or driver is named")
{
    vulkan::failure why;
    CHECK(vulkan::device::open({.library = "libhone-has-no-such-loader.so"}, why) == nullptr);
    CHECK(why.found.what == fault::vulkan_loader_missing);
    CHECK(why.text().starts_with(message_of(fault::vulkan_loader_missing)));
    CHECK(why.detail.find("libhone-has-no-such-loader.so") != std::string::npos);

    const std::string name = test_device().properties().deviceName;
    CHECK(vulkan::device::open({.device_name = "no such device"}, why) == nullptr);
    CHECK(why.found.what == fault::vulkan_device_missing);
    CHECK(why.detail == "no device is named like 'no such device'; found: " + name);
}

TEST_CASE("one output for each lane")
{
    for (const matmul_shape s : {matmul_shape{16, 16, 16}, matmul_shape{13, 11, 7}, matmul_shape{1, 1, 1}})
        check_matmul(naive_matmul(s), s);
}

TEST_CASE("a register tile of vectors")
{
    for (const matmul_shape s : {matmul_shape{32, 48, 16}, matmul_shape{21, 28, 17}, matmul_shape{1, 4, 3}})
        check_matmul(register_matmul(s), s);
}

TEST_CASE("tiles staged in workgroup memory between barriers")
{
    for (const matmul_shape s : {matmul_shape{32, 32, 16}, matmul_shape{45, 37, 29}, matmul_shape{1, 3, 1}})
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
