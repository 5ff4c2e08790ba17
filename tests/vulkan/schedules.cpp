// SPDX-License-Identifier: BSL-1.0
// Operators through the Vulkan template: lowered, interpreted, printed, compiled and run on the device under
// validation, all against the reference, on odd sizes, padding and strides, with and without shared memory.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/vulkan/entry.hpp>

#include "../../examples/custom_operator/conv1d.hpp"
#include "reference.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

using buffers = std::vector<floats>;

std::vector<argument> as_arguments(buffers& b)
{
    std::vector<argument> r;
    for (auto& v : b) r.push_back({v.data(), static_cast<std::int64_t>(v.size())});
    return r;
}

// Packs the weights (argument 1), runs the kernel by the interpreter and, where the device has its turn, there too;
// each must give `expected`.
void run_both(const definition& d, const vulkan_knobs& knobs, bool on_device, buffers given, const doubles& expected,
              const std::vector<std::int64_t>& parameters = {}, double tolerance = 0)
{
    CAPTURE(knobs.rows);
    CAPTURE(knobs.vectors);
    CAPTURE(knobs.components);
    CAPTURE(knobs.lane_rows);
    CAPTURE(knobs.lane_vectors);
    CAPTURE(knobs.reduce_block);
    CAPTURE(knobs.reduce_unroll);
    CAPTURE(std::string(name_of(knobs.stage)));
    CAPTURE(static_cast<int>(knobs.order));
    CAPTURE(std::string(name_of(knobs.edge)));

    const tensor packed_layout = at_call(vulkan_weights(d, knobs)[0], parameters.data());
    const tensor source = at_call(weights_of(d)[0], parameters.data());
    const nest pack = lower(packing_schedule(source, packed_layout, isa::baseline));
    REQUIRE(pack.ok());
    buffers pack_buffers{given[1], floats(static_cast<std::size_t>(packed_layout.elements()), poison)};
    auto pack_arguments = as_arguments(pack_buffers);
    REQUIRE(interpret(pack, pack_arguments).ok());
    floats packed(pack_buffers[1].size(), poison);
    pack_into(d.tensors[d.tensor_of(role::weights)], vulkan_weights(d, knobs)[0], given[1].data(), packed.data(),
              parameters.data());
    CHECK(packed == pack_buffers[1]);
    given[1] = packed;

    const nest n = lower(vulkan_schedule(d, knobs));
    INFO(print(n));
    REQUIRE_MESSAGE(n.ok(), std::string(n.found.message()));
    const status legal = check(n, vulkan_target(test_device().limits()));
    REQUIRE_MESSAGE(legal.ok(), std::string(legal.message()));

    buffers meaning = given;
    auto arguments = as_arguments(meaning);
    const status found = interpret(n, arguments, parameters);
    REQUIRE_MESSAGE(found.ok(), std::string(found.message()), " [", std::string(found.subject), "]");
    CHECK(difference(meaning.back(), expected, tolerance) == "");

    if (!on_device) return;
    const buffers after = run_on(test_device(), n, given, parameters);
    CHECK(difference(after.back(), expected, tolerance) == "");
    for (std::size_t i = 0; i + 1 < given.size(); ++i) CHECK(after[i] == given[i]);
}

// The arguments of a definition, in its order.
buffers arguments_of(const definition& d, const call_data& data)
{
    buffers r;
    for (const tensor& t : d.tensors)
        r.push_back(t.role == role::input      ? data.x
                    : t.role == role::weights  ? data.weights
                    : t.role == role::bias     ? data.bias
                    : t.role == role::residual ? data.residual
                                               : data.y);
    return r;
}

// Every strategy, with tiles that divide the extents and tiles that do not.
const std::vector<vulkan_knobs> all_knobs = {
    naive_vulkan(),
    {},
    {.rows = 3, .vectors = 1, .components = 2, .lane_rows = 4, .lane_vectors = 3},
    {.rows = 3, .vectors = 2, .components = 1, .lane_rows = 4, .lane_vectors = 3},
    {.rows = 4, .vectors = 1, .lane_rows = 4, .lane_vectors = 4, .reduce_unroll = 2},
    {.rows = 4, .vectors = 1, .components = 2, .lane_rows = 8, .lane_vectors = 8, .reduce_unroll = 2},
    {.rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 1, .order = walk::weights_outer},
    {.rows = 2, .vectors = 2, .lane_rows = 4, .lane_vectors = 2, .order = walk::weights_outer},
    {.rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 4, .reduce_block = 4, .stage = staging::shared},
    {.rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 4, .reduce_block = 8, .stage = staging::shared},
    {.rows = 4,
     .vectors = 2,
     .lane_rows = 4,
     .lane_vectors = 8,
     .reduce_block = 4,
     .reduce_unroll = 2,
     .stage = staging::shared},
    {.rows = 3,
     .vectors = 2,
     .components = 2,
     .lane_rows = 4,
     .lane_vectors = 3,
     .reduce_block = 5,
     .stage = staging::shared},
    {.rows = 2,
     .vectors = 2,
     .components = 1,
     .lane_rows = 8,
     .lane_vectors = 4,
     .reduce_block = 3,
     .stage = staging::shared},
    {.rows = 1,
     .vectors = 1,
     .components = 1,
     .lane_rows = 8,
     .lane_vectors = 8,
     .reduce_block = 4,
     .reduce_unroll = 2,
     .stage = staging::shared},
    {.rows = 3,
     .vectors = 1,
     .components = 2,
     .lane_rows = 2,
     .lane_vectors = 2,
     .reduce_block = 4,
     .stage = staging::x,
     .order = walk::weights_outer},
    {.rows = 4,
     .vectors = 1,
     .components = 2,
     .lane_rows = 2,
     .lane_vectors = 4,
     .reduce_block = 8,
     .reduce_unroll = 4,
     .stage = staging::x,
     .order = walk::weights_outer},
    {.rows = 2,
     .vectors = 1,
     .lane_rows = 2,
     .lane_vectors = 2,
     .reduce_block = 4,
     .reduce_unroll = 2,
     .stage = staging::weights},
    {.rows = 3, .vectors = 2, .lane_rows = 4, .lane_vectors = 2, .reduce_block = 6, .stage = staging::weights},
};

// All of them with both ways of meeting edges where the operator has some, and the default of the operator. A device
// without a GPU takes a tenth of a second to compile one: it has the default of each operator, and of the others half,
// in turns from operator to operator.
template <class Check>
void for_all_knobs(const definition& d, Check&& check)
{
    static unsigned turn = 0;
    ++turn;
    for (std::size_t i = 0; i < all_knobs.size(); ++i) {
        vulkan_knobs k = all_knobs[i];
        const bool on_device = (i + turn) % 2 == 0;
        check(k, on_device);
        k.edge = edge::clip;
        if (fitted(d, k).edge == edge::clip) check(k, !on_device);
    }
    check(default_vulkan(d), true);
}

// What a call gives where the shape leaves it open; 0: the largest.
struct sizes_of_call {
    std::int64_t m = 0, n = 0, k = 0;
};
template <gemm_shape S, epilogue... E>
void test_gemm(const sizes_of_call& sizes = {})
{
    CAPTURE(sizes.m);
    CAPTURE(sizes.n);
    CAPTURE(sizes.k);
    const definition d = gemm<S, f32, E...>::definition();
    const auto call_with = [&](std::int64_t m) { return call_of(S, m, 0, 0, 0, sizes.n, sizes.k); };
    const gemm_call call = call_with(sizes.m == 0 ? S.m.value : sizes.m);
    // All rows are there where they may be; those past the rows of the call must stay as they were.
    const bool has_all_rows = S.batch == 1 && S.x == transposed::no;
    const call_data data = data_of(S, has_all_rows ? call_with(S.m.value) : call, 1);
    const std::vector<std::int64_t> parameters = parameters_of(S, call, true);
    const doubles expected = reference(S, call, data, {step_of<E>()...});
    for_all_knobs(d, [&](const vulkan_knobs& k, bool on_device) {
        run_both(d, k, on_device, arguments_of(d, data), expected, parameters);
    });
}

// `images` and `outputs`: of the call, where the shape leaves them open.
template <conv2d_shape S, epilogue... E>
void test_conv(std::int64_t images = S.n, std::int64_t outputs = S.oc)
{
    const definition d = conv2d<S, f32, E...>::definition();
    conv2d_shape called = S;
    called.n = images;
    called.oc = outputs;
    const call_data data = data_of(called, 1);
    const doubles expected = reference(called, data, {step_of<E>()...});
    std::vector<std::int64_t> parameters;
    if (S.n.at_call) parameters.push_back(images);
    if (S.oc.at_call) parameters.push_back(outputs);
    for_all_knobs(d, [&](const vulkan_knobs& k, bool on_device) {
        run_both(d, k, on_device, arguments_of(d, data), expected, parameters);
    });
}

} // namespace

TEST_CASE("matrix products on odd sizes")
{
    test_gemm<gemm_shape{.m = 29, .n = 23, .k = 19}>();
    test_gemm<gemm_shape{.m = 64, .n = 32, .k = 16}>();
    test_gemm<gemm_shape{.m = 32, .n = 64, .k = 16}>();
    test_gemm<gemm_shape{.m = 37, .n = 45, .k = 29}, bias, relu>();
    test_gemm<gemm_shape{.m = 1, .n = 5, .k = 7}>();
    test_gemm<gemm_shape{.m = 1, .n = 20, .k = 7}, bias>();
    test_gemm<gemm_shape{.batch = 3, .m = 5, .n = 8, .k = 9, .x = transposed::yes}>();
}

TEST_CASE("rows known at the call")
{
    for (std::int64_t m : {1, 7, 21}) test_gemm<gemm_shape{.m = extent::up_to(21), .n = 10, .k = 9}>({.m = m});
    for (std::int64_t m : {1, 7})
        test_gemm<gemm_shape{.batch = 3, .m = extent::up_to(21), .n = 10, .k = 9}, residual>({.m = m});
}

TEST_CASE("a reduction as long as the call says")
{
    for (std::int64_t k : {1, 6, 19}) test_gemm<gemm_shape{.m = 9, .n = 10, .k = extent::up_to(19)}>({.k = k});
    test_gemm<gemm_shape{.batch = 2, .m = 9, .n = 10, .k = extent::up_to(19), .weights = transposed::yes}, bias>(
        {.k = 11});
}

TEST_CASE("columns known at the call")
{
    for (std::int64_t n : {1, 8, 17, 45}) test_gemm<gemm_shape{.m = 9, .n = extent::up_to(45), .k = 7}, bias>({.n = n});
    test_gemm<gemm_shape{.batch = 2, .m = 9, .n = extent::up_to(40), .k = 7, .weights = transposed::yes}, residual>(
        {.n = 23});
}

TEST_CASE("all extents known at the call")
{
    constexpr extent any = extent::up_to(40);
    for (const sizes_of_call& s : {sizes_of_call{1, 1, 1}, {5, 33, 12}, {40, 40, 40}, {17, 16, 3}})
        test_gemm<gemm_shape{.m = any, .n = any, .k = any}, bias, residual, relu>(s);
    test_gemm<gemm_shape{.batch = 2, .m = any, .n = any, .k = any, .x = transposed::yes}>({13, 22, 9});
}

TEST_CASE("images known at the call")
{
    constexpr conv2d_shape s{.n = extent::up_to(3), .h = 6, .w = 7, .ic = 4, .oc = 6, .kh = 3, .kw = 3, .pad = 1};
    for (std::int64_t n : {1, 2}) test_conv<s, bias, residual>(n);
}

TEST_CASE("output channels known at the call")
{
    constexpr conv2d_shape s{.h = 6, .w = 7, .ic = 4, .oc = extent::up_to(20), .kh = 3, .kw = 3, .pad = 1};
    for (std::int64_t oc : {1, 11, 20}) test_conv<s, bias, residual>(1, oc);
}

TEST_CASE("convolutions with padding, stride, dilation and groups")
{
    test_conv<conv2d_shape{.h = 9, .w = 10, .ic = 4, .oc = 6, .kh = 3, .kw = 3, .pad = 1}, bias, residual, relu6>();
    test_conv<conv2d_shape{.h = 9, .w = 7, .ic = 8, .oc = 12, .kh = 3, .kw = 3, .pad = 1}, bias, relu>();
    test_conv<conv2d_shape{.h = 10, .w = 9, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .stride = 2, .pad = 1}>();
    test_conv<conv2d_shape{
                  .n = 2, .h = 7, .w = 8, .ic = 3, .oc = 5, .kh = 3, .kw = 2, .stride = 2, .pad = 1, .dilation = 2},
              bias, residual, relu6>();
    test_conv<conv2d_shape{.h = 6, .w = 6, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1, .groups = 2}, bias, residual,
              relu6>();
    test_conv<conv2d_shape{.h = 8, .w = 8, .ic = 16, .oc = 8}, bias, residual, relu6>();
    test_conv<conv2d_shape{.h = 8,
                           .w = 9,
                           .ic = 4,
                           .oc = 8,
                           .kh = 3,
                           .kw = 3,
                           .stride_h = 2,
                           .stride_w = 3,
                           .pad_top = 0,
                           .pad_left = 2,
                           .pad_bottom = 1,
                           .pad_right = 0,
                           .dilation_w = 2},
              bias>();
    test_conv<conv2d_shape{.h = 5, .w = 6, .ic = 4, .oc = 16}, residual, relu6>();
}

TEST_CASE("padding that differs from side to side")
{
    // 3 x 2 taps; before and behind the rows and the columns.
    constexpr std::int64_t h = 6, w = 9, ic = 3, oc = 5, kh = 3, kw = 2;
    using op = conv2d<conv2d_shape{.h = h, .w = w, .ic = ic, .oc = oc, .kh = kh, .kw = kw, .pad = 1}, f32>;
    struct sides {
        std::int64_t before, behind;
    };
    constexpr std::pair<sides, sides> all_sides[] = {
        {{0, 2}, {1, 0}}, {{2, 0}, {0, 1}}, {{1, 1}, {0, 4}}, {{0, 0}, {3, 0}}};
    for (const auto& [rows, columns] : all_sides) {
        const std::int64_t oh = h + rows.before + rows.behind - kh + 1,
                           ow = w + columns.before + columns.behind - kw + 1;
        CAPTURE(oh);
        CAPTURE(ow);
        definition d = op::definition();
        stage& s = d.stages[0];
        s.axes[conv_axis::oh].extent = oh;
        s.axes[conv_axis::ow].extent = ow;
        s.operands[0].index[1].offset = static_cast<decltype(dim_index::offset)>(-rows.before);
        s.operands[0].index[2].offset = static_cast<decltype(dim_index::offset)>(-columns.before);
        tensor& y = d.tensors[2];
        y.dims[1].extent = oh;
        y.dims[2].extent = ow;
        set_dense(y);
        const floats xs = random_floats(static_cast<std::size_t>(h * w * ic), 1);
        const floats ws = random_floats(static_cast<std::size_t>(oc * kh * kw * ic), 2);
        doubles expected(static_cast<std::size_t>(oh * ow * oc));
        for (std::int64_t i = 0; i < oh * ow * oc; ++i) {
            double sum = 0;
            for (std::int64_t r = 0; r < kh; ++r)
                for (std::int64_t q = 0; q < kw; ++q) {
                    const std::int64_t row = i / oc / ow + r - rows.before, column = i / oc % ow + q - columns.before;
                    if (row < 0 || row >= h || column < 0 || column >= w) continue;
                    for (std::int64_t c = 0; c < ic; ++c)
                        sum += static_cast<double>(xs[static_cast<std::size_t>((row * w + column) * ic + c)]) *
                               static_cast<double>(ws[static_cast<std::size_t>(((i % oc * kh + r) * kw + q) * ic + c)]);
                }
            expected[static_cast<std::size_t>(i)] = sum;
        }
        for_all_knobs(d, [&](const vulkan_knobs& k, bool on_device) {
            run_both(d, k, on_device, {xs, ws, poisoned(oh * ow * oc)}, expected, {}, 1e-4);
        });
    }
}

TEST_CASE("depthwise convolutions")
{
    test_conv<conv2d_shape{.h = 7, .w = 5, .ic = 6, .oc = 6, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .groups = 6},
              bias, residual, relu6>();
    test_conv<conv2d_shape{.h = 9, .w = 11, .ic = 8, .oc = 8, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .groups = 8},
              bias>();
}

TEST_CASE("an operator and an epilogue of the user")
{
    using op = audio::conv1d<audio::conv1d_shape{.length = 31, .ic = 4, .oc = 9, .taps = 5, .stride = 2, .pad = 2},
                             bias, audio::hard_swish>;
    constexpr auto s = op::shape;
    const auto x = random_floats(static_cast<std::size_t>(s.length * s.ic), 1);
    const auto w = random_floats(static_cast<std::size_t>(s.taps * s.ic * s.oc), 2);
    const auto b = random_floats(static_cast<std::size_t>(s.oc), 3);
    doubles expected(static_cast<std::size_t>(s.out() * s.oc));
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
            expected[static_cast<std::size_t>(t * s.oc + o)] = sum * clamped / 6;
        }
    for_all_knobs(op::definition(), [&](const vulkan_knobs& k, bool on_device) {
        run_both(op::definition(), k, on_device, {x, w, b, poisoned(s.out() * s.oc)}, expected, {}, 1e-4);
    });
}

TEST_CASE("a staged tile without its barrier is a race, and the interpreter says so")
{
    const vulkan_knobs knobs{
        .rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 4, .reduce_block = 8, .stage = staging::shared};
    const definition d = gemm<gemm_shape{.m = 16, .n = 16, .k = 16}, f32>::definition();
    nest n = lower(vulkan_schedule(d, knobs));
    buffers b{random_floats(256, 1),
              random_floats(static_cast<std::size_t>(vulkan_packing(d, knobs).definition.tensors[1].elements()), 2),
              poisoned(256)};
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
