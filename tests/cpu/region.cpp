// SPDX-License-Identifier: BSL-1.0
// Which parallel regions an executor is asked for: those whose work is worth waking its threads.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include <hone/op/resize.hpp>

#include "kernel_trial.hpp"
#include "nest_builder.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// Counts what it is asked for, and has as much as it is given to do before it is worth asking.
struct counting_executor {
    std::int64_t least_region_ns = default_least_region_ns;
    int regions = 0;
    std::int64_t chunks = 0;

    static constexpr int slots() { return 2; }
    template <class F>
    void run(std::int64_t n, F&& f)
    {
        ++regions;
        chunks += n;
        for (std::int64_t i = 0; i < n; ++i) f(i, static_cast<int>(i % 2));
    }
};
struct silent_executor {
    int regions = 0;
    static constexpr int slots() { return 1; }
    template <class F>
    void run(std::int64_t n, F&& f)
    {
        ++regions;
        for (std::int64_t i = 0; i < n; ++i) f(i, 0);
    }
};

// What an entry asks an executor for, and why its result is wrong.
template <class Executor>
std::string wrong_with(const entry& kernel, Executor& executor, const call_data& d, const doubles& expected,
                       const std::int64_t* parameters = nullptr)
{
    return wrong_run(kernel, reference_to(executor), d, expected, parameters, 0);
}

constexpr gemm_shape little{.m = 12, .n = 16, .k = 8};
constexpr gemm_shape larger{.m = 96, .n = 96, .k = 96}; // 885 thousand multiply-adds, 55 us on vectors of four
constexpr gemm_shape few_rows{.m = extent::up_to(8), .n = 8, .k = 10'000};
constexpr gemm_shape open{.m = extent::up_to(96), .n = 96, .k = 96};

using little_gemm = gemm<little, f32>;
using larger_gemm = gemm<larger, f32>;
using open_gemm = gemm<open, f32>;

// Nanoseconds of the first region of a kernel.
template <class Kernel>
std::int64_t first_region_ns(std::int64_t chunks, const std::int64_t* parameters = nullptr)
{
    using K = typename Kernel::compute;
    constexpr int node = [] {
        int at = 0;
        while (K::nest.nodes[at].kind != node_kind::loop || K::nest.nodes[at].bind != binding::parallel) ++at;
        return at;
    }();
    return codegen::cpu::region_ns<K, node>(chunks, parameters);
}

} // namespace

TEST_CASE("a region with little work stays in the calling thread, a larger one does not")
{
    const auto asked = [](const entry& kernel, const gemm_shape& s, std::int64_t least) {
        const gemm_call call = call_of(s, s.m.value, 0, 0);
        const call_data d = data_of(s, call, 91);
        counting_executor executor{.least_region_ns = least};
        CHECK(wrong_with(kernel, executor, d, reference(s, call, d, {})) == "");
        return executor.regions;
    };
    const entry small = entry_of<kernel<little_gemm>>(), large = entry_of<kernel<larger_gemm>>();
    CHECK(asked(small, little, default_least_region_ns) == 0);
    CHECK(asked(large, larger, default_least_region_ns) > 0);
    // An executor may say otherwise.
    CHECK(asked(small, little, 0) > 0);
    CHECK(asked(large, larger, 1'000'000'000) == 0);
}

TEST_CASE("an executor that says nothing gets what the default says, by reference or not")
{
    const gemm_call call = call_of(larger, larger.m.value, 0, 0);
    const call_data d = data_of(larger, call, 92);
    floats packed(kernel<larger_gemm>::packed_bytes / sizeof(float)), y(d.y.size());
    kernel<larger_gemm>::pack(d.weights.data(), packed.data());
    const arguments a{.x = d.x.data(), .weights = packed.data(), .y = y.data()};
    silent_executor direct;
    CHECK(kernel<larger_gemm>::run(direct, a).ok());
    CHECK(direct.regions > 0);
    silent_executor referred;
    CHECK(reference_to(referred).least_region_ns == default_least_region_ns);
    CHECK(entry_of<kernel<larger_gemm>>().run(reference_to(referred), a).ok());
    CHECK(referred.regions == direct.regions);
    serial_executor serial;
    CHECK(reference_to(serial).least_region_ns == 0);
}

TEST_CASE("one chunk is run in the calling thread, however long it takes")
{
    using op = gemm<few_rows, f32>;
    using k = kernel<op, tuned<op, direct_knobs{.rows = 4, .vectors = 2, .row_block = 4, .order = walk::rows_outer}>>;
    for (const std::int64_t m : {4, 8}) {
        CHECK(first_region_ns<k>(1, &m) > default_least_region_ns);
        const gemm_call call = call_of(few_rows, m, 0, 0);
        const call_data d = data_of(few_rows, call, 93);
        counting_executor executor;
        CHECK(wrong_with(entry_of<k>(), executor, d, reference(few_rows, call, d, {}), &m) == "");
        CHECK(executor.regions == (m == 4 ? 0 : 3)); // of three calls
        CHECK(executor.chunks == (m == 4 ? 0 : 6));
    }
}

TEST_CASE("with a run-time extent each call decides for itself")
{
    const entry k = entry_of<kernel<open_gemm>>();
    for (const std::int64_t m : {1, 2, 96}) {
        const gemm_call call = call_of(open, m, 0, 0);
        const call_data d = data_of(open, call, 94);
        counting_executor executor;
        CAPTURE(m);
        CHECK(wrong_with(k, executor, d, reference(open, call, d, {}), &m) == "");
        CHECK((executor.regions > 0) == (m == 96));
    }
}

TEST_CASE("the time of a region is that of its multiply-adds, and grows with its chunks")
{
    using square = tuned<larger_gemm, direct_knobs{.rows = 4, .vectors = 2}>;
    using k = kernel<larger_gemm, square>;
    // All tiles are whole: 12 x 24 of 4 x 8.
    constexpr std::int64_t multiply_adds = 96 * 96 * 96 / lanes_of(k::set, dtype::f32);
    constexpr std::int64_t least = multiply_adds * codegen::reduction_picoseconds / 1000;
    counting_executor executor{.least_region_ns = 0};
    const gemm_call call = call_of(larger, 96, 0, 0);
    const call_data d = data_of(larger, call, 95);
    CHECK(wrong_with(entry_of<k>(), executor, d, reference(larger, call, d, {})) == "");
    const std::int64_t chunks = executor.chunks / executor.regions;
    CHECK(first_region_ns<k>(chunks) >= least);
    CHECK(first_region_ns<k>(chunks) < least + least / 4); // results are stored, too
    CHECK(first_region_ns<k>(10 * chunks) / 10 == first_region_ns<k>(chunks));
}

// Its windows are counted once, though loops end with them and with the image.
TEST_CASE("the time of a region is in proportion to the windows of an image that the call gives")
{
    using layer =
        conv2d<conv2d_shape{
                   .h = extent::up_to(32), .w = extent::up_to(32), .ic = 8, .oc = 16, .kh = 3, .kw = 3, .pad = 1},
               f32>;
    // h, w, oh, ow and the products, which bound no loop.
    const std::int64_t whole[] = {32, 32, 32, 32, 1024, 1024}, half[] = {32, 16, 32, 16, 512, 512};
    const std::int64_t of_whole = first_region_ns<kernel<layer>>(32, whole),
                       of_half = first_region_ns<kernel<layer>>(32, half);
    CHECK(of_whole > 0);
    CHECK(2 * of_half <= of_whole);
    CHECK(2 * of_half >= of_whole - 2);
}

TEST_CASE("the time of a region is in proportion to the outputs of an image, whatever pixels they are between")
{
    using layer =
        resize<resize_shape{.h = extent::up_to(64), .w = extent::up_to(64), .c = 16, .oh = 8, .ow = extent::up_to(32)},
               f32>;
    const auto ns = [](std::int64_t h, std::int64_t w, std::int64_t ow) {
        constexpr auto parameters = kernel<layer>::compute::nest.parameters;
        const std::int64_t given[] = {h, w, ow};
        std::int64_t values[parameters.size()];
        complete(parameters, given, values);
        return first_region_ns<kernel<layer>>(8, values);
    };
    // Four pixels for each output, of a vector and more.
    CHECK(ns(64, 64, 32) >= 8 * 32 * 4 * codegen::reduction_picoseconds / 1000);
    CHECK(ns(1, 5, 32) == ns(64, 64, 32));
    CHECK(2 * ns(64, 64, 16) <= ns(64, 64, 32));
    CHECK(2 * ns(64, 64, 16) >= ns(64, 64, 32) - 2);
}

namespace {

// In each of 8 chunks: 5 steps where o < 4, `others` where it is not, and 7 where `last` - o >= 0.
constexpr hone::ir::nest choice(std::int64_t others, std::int64_t last)
{
    nest_builder b;
    const form o = b.axis("o"), i = b.axis("i");
    const int y = b.access(b.buffer("y", memory::argument, 160, role::output), o * 20 + i);
    b.loop(binding::parallel, o, 8);
    b.guard({form{3} - o}).loop(binding::serial, i, 5).store(y, 1.0f).end(2);
    b.guard({o - form{4}}).loop(binding::serial, i, others).store(y, 2.0f).end(2);
    b.guard({form{last} - o}).loop(binding::serial, i, 7).store(y, 3.0f);
    return b.n;
}
constexpr std::int64_t steps_of_chunk(std::int64_t others, std::int64_t last)
{
    const hone::ir::nest n = choice(others, last);
    return codegen::chunk_picoseconds(n, n.root) / codegen::copy_picoseconds;
}

} // namespace

TEST_CASE("of guards of opposite conditions the longer one takes time, and of others each")
{
    CHECK(steps_of_chunk(2, 6) == 5 + 7);
    CHECK(steps_of_chunk(5, 6) == 5 + 7);
    CHECK(steps_of_chunk(20, 6) == 20 + 7);
    CHECK(steps_of_chunk(2, 4) == 5 + 7);
}
