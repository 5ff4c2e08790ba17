// SPDX-License-Identifier: BSL-1.0
// Operators through the Vulkan template: lowered, interpreted, printed, compiled and run on the device under
// validation, all against the reference, on odd sizes, padding and strides, with and without shared memory.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan.hpp>

#include "../../examples/custom_operator/conv1d.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

using buffers = std::vector<std::vector<float>>;

std::vector<argument> as_arguments(buffers& b)
{
    std::vector<argument> r;
    for (auto& v : b) r.push_back({v.data(), static_cast<std::int64_t>(v.size())});
    return r;
}

// Packs the weights (argument 1), runs the kernel by the interpreter and on the device; both must give `expected`.
void run_both(const definition& d, const vulkan_knobs& knobs, buffers given, const std::vector<float>& expected,
              const std::vector<std::int64_t>& parameters = {})
{
    const schedule packing = vulkan_packing(d, knobs);
    const nest pack = lower(packing);
    REQUIRE(pack.ok());
    std::vector<float> packed(static_cast<std::size_t>(packing.definition.tensors[1].elements()), poison);
    buffers pack_buffers{given[1], packed};
    auto pack_arguments = as_arguments(pack_buffers);
    REQUIRE(interpret(pack, pack_arguments).ok());
    given[1] = pack_buffers[1];

    const nest n = lower(vulkan_schedule(d, knobs));
    INFO(print(n));
    REQUIRE_MESSAGE(n.ok(), std::string(n.found.message()));
    const status legal = check(n, vulkan_target(test_device().limits()));
    REQUIRE_MESSAGE(legal.ok(), std::string(legal.message()));

    buffers meaning = given;
    auto arguments = as_arguments(meaning);
    const status found = interpret(n, arguments, parameters);
    REQUIRE_MESSAGE(found.ok(), std::string(found.message()), " [", std::string(found.subject), "]");
    CHECK(difference(meaning.back(), expected) < 1e-4f);

    const buffers after = run_on(test_device(), n, given, parameters);
    CHECK(difference(after.back(), expected) < 1e-4f);
    for (std::size_t i = 0; i + 1 < given.size(); ++i) CHECK(after[i] == given[i]);
}

const std::vector<vulkan_knobs> all_knobs = {
    naive_vulkan(),
    {},
    {.rows = 3, .vectors = 1, .components = 2, .lane_rows = 4, .lane_vectors = 3},
    {.rows = 4, .vectors = 1, .lane_rows = 4, .lane_vectors = 4, .reduce_unroll = 2},
    {.rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 4, .reduce_block = 8, .stage = staging::shared},
    {.rows = 4,
     .vectors = 2,
     .lane_rows = 4,
     .lane_vectors = 8,
     .reduce_block = 4,
     .reduce_unroll = 2,
     .stage = staging::shared},
    {.rows = 2,
     .vectors = 2,
     .components = 1,
     .lane_rows = 8,
     .lane_vectors = 4,
     .reduce_block = 3,
     .stage = staging::shared},
    {.rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 1, .order = walk::weights_outer},
    {.rows = 3,
     .vectors = 1,
     .components = 2,
     .lane_rows = 2,
     .lane_vectors = 2,
     .reduce_block = 4,
     .stage = staging::x,
     .order = walk::weights_outer},
    {.rows = 2,
     .vectors = 1,
     .lane_rows = 2,
     .lane_vectors = 2,
     .reduce_block = 4,
     .reduce_unroll = 2,
     .stage = staging::weights},
};

template <gemm_shape S, epilogue... E>
void test_gemm(const std::vector<std::int64_t>& parameters = {}, std::int64_t rows = S.m.value)
{
    const auto m = S.m.value;
    const auto x = random_floats(static_cast<std::size_t>(m * S.k), 1);
    const auto w = random_floats(static_cast<std::size_t>(S.k * S.n), 2);
    // Rows past those of the call keep what they held.
    std::vector<float> expected(static_cast<std::size_t>(m * S.n), 7.0f);
    std::vector<float> y = expected;
    std::fill_n(y.begin(), rows * S.n, poison);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < S.n; ++j) {
            double sum = 0;
            for (std::int64_t k = 0; k < S.k; ++k)
                sum += static_cast<double>(x[static_cast<std::size_t>(i * S.k + k)]) *
                       static_cast<double>(w[static_cast<std::size_t>(k * S.n + j)]);
            expected[static_cast<std::size_t>(i * S.n + j)] = static_cast<float>(sum);
        }
    for (const vulkan_knobs& k : all_knobs) {
        CAPTURE(static_cast<int>(&k - all_knobs.data()));
        run_both(gemm<S, f32, E...>::definition(), k, {x, w, y}, expected, parameters);
    }
}

template <conv2d_shape S>
void test_conv()
{
    const auto x = random_floats(static_cast<std::size_t>(S.n * S.h * S.w * S.ic), 1);
    const auto w = random_floats(static_cast<std::size_t>(S.oc * S.kh * S.kw * S.ic / S.groups), 2);
    const auto b = random_floats(static_cast<std::size_t>(S.oc), 3);
    const auto r = random_floats(static_cast<std::size_t>(S.n * S.oh() * S.ow() * S.oc), 4);
    const auto icg = S.ic / S.groups;
    const auto ocg = S.oc / S.groups;
    std::vector<float> expected(r.size());
    for (std::int64_t n = 0; n < S.n; ++n)
        for (std::int64_t i = 0; i < S.oh(); ++i)
            for (std::int64_t j = 0; j < S.ow(); ++j)
                for (std::int64_t o = 0; o < S.oc; ++o) {
                    double sum = static_cast<double>(b[static_cast<std::size_t>(o)]);
                    for (std::int64_t kh = 0; kh < S.kh; ++kh)
                        for (std::int64_t kw = 0; kw < S.kw; ++kw) {
                            const auto h = i * S.stride + kh * S.dilation - S.pad;
                            const auto c = j * S.stride + kw * S.dilation - S.pad;
                            if (h < 0 || h >= S.h || c < 0 || c >= S.w) continue;
                            for (std::int64_t k = 0; k < icg; ++k)
                                sum += static_cast<double>(x[static_cast<std::size_t>(((n * S.h + h) * S.w + c) * S.ic +
                                                                                      o / ocg * icg + k)]) *
                                       static_cast<double>(
                                           w[static_cast<std::size_t>(((o * S.kh + kh) * S.kw + kw) * icg + k)]);
                        }
                    const auto at = static_cast<std::size_t>(((n * S.oh() + i) * S.ow() + j) * S.oc + o);
                    sum += static_cast<double>(r[at]);
                    expected[at] = static_cast<float>(sum < 0 ? 0 : sum > 6 ? 6 : sum);
                }
    for (const vulkan_knobs& k : all_knobs) {
        CAPTURE(static_cast<int>(&k - all_knobs.data()));
        run_both(conv2d<S, f32, bias, residual, relu6>::definition(), k,
                 {x, w, b, r, std::vector<float>(expected.size(), poison)}, expected);
    }
}

} // namespace

TEST_CASE("matrix products on odd sizes")
{
    test_gemm<gemm_shape{.m = 29, .n = 23, .k = 19}>();
    test_gemm<gemm_shape{.m = 64, .n = 32, .k = 16}>();
    test_gemm<gemm_shape{.m = 1, .n = 5, .k = 7}>();
}

TEST_CASE("rows known at the call")
{
    for (std::int64_t m : {1, 7, 21}) test_gemm<gemm_shape{.m = extent::up_to(21), .n = 10, .k = 9}>({m}, m);
}

TEST_CASE("convolutions with padding, stride, dilation and groups")
{
    test_conv<conv2d_shape{.h = 9, .w = 10, .ic = 4, .oc = 6, .kh = 3, .kw = 3, .pad = 1}>();
    test_conv<conv2d_shape{
        .n = 2, .h = 7, .w = 8, .ic = 3, .oc = 5, .kh = 3, .kw = 2, .stride = 2, .pad = 1, .dilation = 2}>();
    test_conv<conv2d_shape{.h = 6, .w = 6, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1, .groups = 2}>();
    test_conv<conv2d_shape{.h = 7, .w = 5, .ic = 6, .oc = 6, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .groups = 6}>();
    test_conv<conv2d_shape{.h = 8, .w = 8, .ic = 16, .oc = 8}>();
}

TEST_CASE("an operator and an epilogue of the user")
{
    using op = audio::conv1d<audio::conv1d_shape{.length = 31, .ic = 4, .oc = 9, .taps = 5, .stride = 2, .pad = 2},
                             bias, audio::hard_swish>;
    constexpr auto s = op::shape;
    const auto x = random_floats(static_cast<std::size_t>(s.length * s.ic), 1);
    const auto w = random_floats(static_cast<std::size_t>(s.taps * s.ic * s.oc), 2);
    const auto b = random_floats(static_cast<std::size_t>(s.oc), 3);
    std::vector<float> expected(static_cast<std::size_t>(s.out() * s.oc));
    for (std::int64_t t = 0; t < s.out(); ++t)
        for (std::int64_t o = 0; o < s.oc; ++o) {
            double sum = static_cast<double>(b[static_cast<std::size_t>(o)]);
            for (std::int64_t tap = 0; tap < s.taps; ++tap) {
                const auto at = t * s.stride + tap - s.pad;
                if (at < 0 || at >= s.length) continue;
                for (std::int64_t i = 0; i < s.ic; ++i)
                    sum += static_cast<double>(x[static_cast<std::size_t>(at * s.ic + i)]) *
                           static_cast<double>(w[static_cast<std::size_t>((tap * s.ic + i) * s.oc + o)]);
            }
            const double clamped = sum + 3 < 0 ? 0 : sum + 3 > 6 ? 6 : sum + 3;
            expected[static_cast<std::size_t>(t * s.oc + o)] = static_cast<float>(sum * clamped / 6);
        }
    for (const vulkan_knobs& k : all_knobs)
        run_both(op::definition(), k, {x, w, b, std::vector<float>(expected.size(), poison)}, expected);
}

TEST_CASE("a staged tile without its barrier is a race, and the interpreter says so")
{
    const vulkan_knobs knobs = all_knobs[4];
    const definition d = gemm<gemm_shape{.m = 16, .n = 16, .k = 16}, f32>::definition();
    nest n = lower(vulkan_schedule(d, knobs));
    buffers b{random_floats(256, 1),
              random_floats(static_cast<std::size_t>(vulkan_packing(d, knobs).definition.tensors[1].elements()), 2),
              std::vector<float>(256, poison)};
    auto arguments = as_arguments(b);
    CHECK(interpret(n, arguments).ok());
    int removed = 0;
    for (node& x : n.nodes)
        if (x.kind == node_kind::barrier) {
            nest broken = n;
            node& gone = broken.nodes[static_cast<std::size_t>(&x - n.nodes.begin())];
            gone.kind = node_kind::guard; // a guard without conditions and children does nothing
            CHECK(interpret(broken, arguments).what == fault::barrier_missing);
            ++removed;
        }
    CHECK(removed == 2);
}
