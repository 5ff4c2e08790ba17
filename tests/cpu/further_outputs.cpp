// SPDX-License-Identifier: BSL-1.0
// Kernels of operators that write several tensors: each is right in its own layout, between guards, whatever the
// schedule, and a call that lacks one is refused by its name.
#include <hone/run/call.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>

#include "further_outputs.hpp"
#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

// ---- which part of a call gives which ----

constexpr bool are(const call_parts& parts, std::initializer_list<call_part> expected)
{
    if (parts.size() != expected.size()) return false;
    const call_part* p = parts.begin();
    for (const call_part& e : expected)
        if (!(*p++ == e)) return false;
    return true;
}
constexpr call_part input{call_member::x}, its_weights{call_member::weights}, its_bias{call_member::bias},
    its_residual{call_member::residual}, its_y{call_member::y};
constexpr call_part output_number(int i) { return {call_member::outputs, i}; }

static_assert(are(parts_of(further::kept::definition()), {input, its_weights, its_bias, output_number(0), its_y}));
static_assert(are(parts_of(further::thrice::definition()),
                  {input, its_weights, output_number(0), its_bias, its_residual, output_number(1), its_y}));
static_assert(are(parts_of(further::planes::definition()), {input, output_number(0), its_y}));
// Without a name that says so, y is what the stage's own expression gives.
constexpr definition renamed()
{
    definition d = further::planes::definition();
    d.tensors[2].name = "pixels";
    return d;
}
static_assert(are(parts_of(renamed()), {input, output_number(0), its_y}));
static_assert(call_part{call_member::operands, 1} != output_number(1));

// ---- products ----

// Empty where all outputs are as they should be, for one executor.
template <class Kernel, class Op = further::thrice>
std::string wrong_product(bool in_place = false)
{
    constexpr bool is_kept = std::is_same_v<Op, further::kept>;
    const std::int64_t m = further::shape.m.value, n = further::shape.n, k = further::shape.k;
    const floats x = small_integers(m * k, 1), w = small_integers(k * n, 2), b = small_integers(n, 3),
                 residual = small_integers(m * n, 4);
    const further::results expected = further::expected_product(is_kept, x, w, b, residual);
    eager_pool two(2);
    floats packed(Kernel::packed_bytes / sizeof(float)), workspace(Kernel::workspace_bytes(2) / sizeof(float) + 1);
    if (!Kernel::pack(w.data(), packed.data()).ok()) return "not packed";
    const std::size_t bytes = static_cast<std::size_t>(m * n) * sizeof(float);
    guarded y(bytes), first(bytes), second(bytes);
    if (in_place) std::copy(residual.begin(), residual.end(), y.data());
    float* const outputs[] = {first.data(), second.data()};
    const status found = Kernel::run(two, {.x = x.data(),
                                           .weights = packed.data(),
                                           .bias = b.data(),
                                           .residual = in_place ? y.data() : residual.data(),
                                           .y = y.data(),
                                           .outputs = outputs,
                                           .workspace = workspace.data()});
    if (!found.ok()) return found.message();
    if (!y.is_intact() || !first.is_intact() || !second.is_intact()) return "it wrote beside an output";
    std::string wrong = difference(y.values(), expected.y);
    if (wrong.empty()) wrong = difference(first.values(), expected.first);
    if (wrong.empty() && !is_kept) wrong = difference(second.values(), expected.second);
    return wrong;
}

template <class Op, direct_knobs Knobs>
using with_knobs = kernel<Op, tuned<Op, Knobs>>;

} // namespace

TEST_CASE("a product that keeps what it had before relu")
{
    using further::kept;
    CHECK(std::string(kept::signature().c_str()) == "gemm b1 m13 n40 k24 ldx0 ldw0 ldy0 f32 bias keep relu");
    CHECK(wrong_product<kernel<kept>, kept>() == "");
    CHECK(wrong_product<with_knobs<kept, direct_knobs{.rows = 3, .vectors = 3, .order = walk::rows_outer}>, kept>() ==
          "");
    // The sums of a part of the reduction wait in y.
    CHECK(wrong_product<with_knobs<kept, direct_knobs{.rows = 4, .vectors = 1, .reduce_unroll = 2, .reduce_block = 16}>,
                        kept>() == "");
}

TEST_CASE("a product of three outputs, and y in the place of the residual that one of them reads")
{
    using further::thrice;
    CHECK(wrong_product<kernel<thrice>>() == "");
    CHECK(wrong_product<kernel<thrice>>(true) == "");
    using blocked =
        with_knobs<thrice, direct_knobs{.rows = 3, .vectors = 2, .reduce_block = 16, .order = walk::rows_outer}>;
    CHECK(wrong_product<blocked>() == "");
    CHECK(wrong_product<blocked>(true) == "");
}

TEST_CASE("an output that is not given is named")
{
    using k = kernel<further::thrice>;
    floats all(2000), to(2000);
    floats packed(k::packed_bytes / sizeof(float));
    float* outputs[] = {to.data(), nullptr};
    arguments a{.x = all.data(),
                .weights = packed.data(),
                .bias = all.data(),
                .residual = all.data(),
                .y = to.data(),
                .outputs = outputs};
    CHECK(k::run(a).what == fault::tensor_missing);
    CHECK(std::string(k::run(a).subject) == "keep");
    a.outputs = nullptr;
    CHECK(std::string(k::run(a).subject) == "half");
}

TEST_CASE("rows, and the distance between them, that a call gives")
{
    static constexpr gemm_shape shape{.m = extent::up_to(24), .n = 19, .k = 7, .ldy = leading::at_call()};
    using op = gemm<shape, f32, bias, keep, relu>;
    using k = kernel<op>;
    const floats w = small_integers(shape.k * shape.n, 2), b = small_integers(shape.n, 3);
    floats packed(k::packed_bytes / sizeof(float)), workspace(k::workspace_bytes(1) / sizeof(float) + 1);
    REQUIRE(k::pack(w.data(), packed.data()).ok());
    for (const std::int64_t m : {1, 5, 8, 13, 23, 24})
        for (const std::int64_t ldy : {19, 22}) {
            CAPTURE(m);
            CAPTURE(ldy);
            const gemm_call call = call_of(shape, m, 0, ldy);
            call_data d = data_of(shape, call, static_cast<std::uint64_t>(m));
            d.weights = w;
            d.bias = b;
            const std::vector<std::int64_t> parameters = parameters_of(shape, call);
            floats kept = d.y;
            float* const outputs[] = {kept.data()};
            CHECK(k::run({.x = d.x.data(),
                          .weights = packed.data(),
                          .bias = b.data(),
                          .y = d.y.data(),
                          .outputs = outputs,
                          .workspace = workspace.data(),
                          .parameters = parameters.data()})
                      .ok());
            CHECK(difference(d.y, reference(shape, call, d, {step::bias, step::relu})) == "");
            CHECK(difference(kept, reference(shape, call, d, {step::bias})) == "");
        }
    // Of no rows nothing is computed, and no tensor is looked for.
    const std::int64_t none[] = {0, 19};
    CHECK(k::run({.parameters = none}).ok());
}

TEST_CASE("layers keep what they had before relu, at every border")
{
    const auto check = []<class Op>(hone::core::type_identity<Op>, auto... kernels) {
        call_data d = data_of(Op::shape, 3);
        const doubles expected = reference(Op::shape, d, {step::bias, step::relu}),
                      before = reference(Op::shape, d, {step::bias});
        const auto run = [&]<class Kernel>(Kernel) {
            eager_pool two(2);
            guarded packed(Kernel::packed_bytes), workspace(Kernel::workspace_bytes(2)), y(d.y.size() * sizeof(float)),
                kept(d.y.size() * sizeof(float));
            REQUIRE(Kernel::pack(d.weights.data(), packed.data()).ok());
            float* const outputs[] = {kept.data()};
            CHECK(Kernel::run(two, {.x = d.x.data(),
                                    .weights = packed.data(),
                                    .bias = d.bias.data(),
                                    .y = y.data(),
                                    .outputs = outputs,
                                    .workspace = workspace.data()})
                      .ok());
            CHECK(difference(y.values(), expected) == "");
            CHECK(difference(kept.values(), before) == "");
            CHECK((y.is_intact() && kept.is_intact() && workspace.is_intact()));
        };
        (run(kernels), ...);
    };
    using further::layer;
    // Winograd has one output; without it no other template is lost.
    static_assert(!winograd_applies(layer::definition()));
    static_assert(kernel<layer>::config.is<direct>());
    check(hone::core::type_identity<layer>{}, kernel<layer>{},
          with_knobs<layer, direct_knobs{.rows = 4, .vectors = 1, .pad = padding::copy}>{},
          with_knobs<layer, direct_knobs{.rows = 2, .vectors = 2, .reduce_unroll = 2, .order = walk::rows_outer}>{});
    // Of an image in planes the rows of the tile lie side by side, and vectors are stored element by element.
    using planar =
        conv2d<conv2d_shape{
                   .h = 6, .w = 5, .ic = 3, .oc = 11, .kh = 3, .kw = 2, .stride = 2, .pad = 1, .layout = layout::nchw},
               f32, bias, keep, relu>;
    check(hone::core::type_identity<planar>{}, kernel<planar>{});
}

TEST_CASE("an operator without weights in two layouts")
{
    using op = further::planes;
    const floats x = small_integers(op::h * op::w * op::c, 5);
    const further::results expected = further::expected_planes(x);
    const auto check = [&]<class Kernel>(Kernel) {
        eager_pool two(2);
        guarded y(x.size() * sizeof(float)), planes(x.size() * sizeof(float));
        float* const outputs[] = {planes.data()};
        CHECK(Kernel::run(two, {.x = x.data(), .y = y.data(), .outputs = outputs}).ok());
        CHECK(difference(y.values(), expected.y) == "");
        CHECK(difference(planes.values(), expected.first) == "");
        CHECK((y.is_intact() && planes.is_intact()));
    };
    check(kernel<op>{});
    check(with_knobs<op, direct_knobs{.rows = 3, .vectors = 2, .order = walk::rows_outer}>{});
}
