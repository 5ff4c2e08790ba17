// SPDX-License-Identifier: BSL-1.0
// Epilogues by value: what each computes, that they are applied in the order in which they are written, and that each
// operand of a chain is its own tensor in front of the output.
#include <hone/lower/lower.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/direct.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "definition_laws.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

// The meaning of an expression, operand by operand.
float value(const expr& e, int at, float accumulator, const std::vector<float>& operands)
{
    const expr_node& n = e.nodes[at];
    const auto a = [&] { return value(e, n.a, accumulator, operands); };
    const auto b = [&] { return value(e, n.b, accumulator, operands); };
    switch (n.op) {
    case expr_op::constant: return n.value;
    case expr_op::load: return operands[static_cast<std::size_t>(n.ref)];
    case expr_op::accumulator: return accumulator;
    case expr_op::table:
    case expr_op::position: break;
    case expr_op::neg: return -a();
    case expr_op::abs: return std::fabs(a());
    case expr_op::sqrt: return std::sqrt(a());
    case expr_op::add: return a() + b();
    case expr_op::sub: return a() - b();
    case expr_op::mul: return a() * b();
    case expr_op::div: return a() / b();
    case expr_op::min: return a() < b() ? a() : b();
    case expr_op::max: return a() < b() ? b() : a();
    case expr_op::exp: return std::exp(a());
    case expr_op::log: return std::log(a());
    case expr_op::tanh: return std::tanh(a());
    case expr_op::erf: return std::erf(a());
    case expr_op::round: return std::nearbyint(a());
    case expr_op::floor: return std::floor(a());
    case expr_op::less: return a() < b() ? 1.0f : 0.0f;
    case expr_op::less_or_equal: return a() <= b() ? 1.0f : 0.0f;
    case expr_op::equal: return a() == b() ? 1.0f : 0.0f;
    case expr_op::select: return a() != 0 ? b() : value(e, n.c, accumulator, operands);
    }
    FAIL("no table and no position stand in an epilogue");
    return 0;
}

template <epilogue... E>
definition chain()
{
    return gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, E...>::definition();
}
// Of a chain; operands 0 and 1 are the product's own.
template <epilogue... E>
float result(float accumulator, const std::vector<float>& operands = {})
{
    const expr e = chain<E...>().stages[0].epilogue;
    std::vector<float> all{1e30f, 1e30f};
    all.insert(all.end(), operands.begin(), operands.end());
    return value(e, e.root(), accumulator, all);
}

// One of a user's, which reads its accumulator twice, by a name that hone has, too.
namespace own {
struct hard_swish {
    static constexpr const char* name = "hard_swish";
    static constexpr expr apply(const expr& acc) { return acc * relu6::apply(acc + 3.0f) / 6.0f; }
};
} // namespace own
struct scale {
    static constexpr const char* name = "scale";
    static constexpr role operand_role = role::operand;
    static constexpr expr apply(const expr& acc, const expr& s) { return acc * s; }
};
struct no_apply {
    static constexpr const char* name = "none";
};
static_assert(pointwise_epilogue<relu> && !operand_epilogue<relu>);
static_assert(operand_epilogue<bias> && !pointwise_epilogue<bias>);
static_assert(epilogue<own::hard_swish> && epilogue<scale>);
static_assert(!epilogue<no_apply> && !epilogue<int>);

} // namespace

TEST_CASE("each epilogue by value")
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (float x : {-7.0f, -0.5f, 0.0f, 2.0f, 6.0f, 9.0f}) {
        CAPTURE(x);
        CHECK(result<>(x) == x);
        CHECK(result<relu>(x) == std::fmax(x, 0.0f));
        CHECK(result<relu6>(x) == std::fmin(std::fmax(x, 0.0f), 6.0f));
        CHECK(result<bias>(x, {10.0f}) == x + 10);
        CHECK(result<residual>(x, {10.0f}) == x + 10);
        CHECK(result<own::hard_swish>(x) == doctest::Approx(x * std::fmin(std::fmax(x + 3, 0.0f), 6.0f) / 6));
    }
    CHECK(std::isnan(result<relu>(nan)));
    CHECK(std::isnan(result<relu6>(nan)));
}

TEST_CASE("a chain is applied in the order in which it is written")
{
    CHECK(result<bias, relu>(-3.0f, {2.0f}) == 0);
    CHECK(result<relu, bias>(-3.0f, {2.0f}) == 2);
    CHECK(result<bias, scale, residual, relu6>(1.0f, {2.0f, 10.0f, -27.0f}) == 3);
    CHECK(result<scale, bias>(1.0f, {10.0f, 2.0f}) == 12);
    CHECK(result<own::hard_swish, own::hard_swish>(3.0f) == 3);
    CHECK(result<relu, scale, scale>(2.0f, {3.0f, 5.0f}) == 30);
}

TEST_CASE("operands of a chain are arguments in their order, the output behind them")
{
    const definition d = chain<bias, scale, relu, residual>();
    check_laws(d);
    REQUIRE(d.tensors.size() == 6);
    const char* names[] = {"x", "weights", "bias", "scale", "residual", "y"};
    const role roles[] = {role::input, role::weights, role::bias, role::operand, role::residual, role::output};
    for (std::size_t t = 0; t < 6; ++t) {
        CHECK(std::string{d.tensors[t].name} == names[t]);
        CHECK(d.tensors[t].role == roles[t]);
    }
    const stage& s = d.stages[0];
    REQUIRE(s.operands.size() == 5);
    for (int o = 0; o < 5; ++o) CHECK(s.operands[o].tensor == o);
    CHECK(s.output.tensor == 5);
    // A bias has one element per column, what is like the output has its shape.
    CHECK(s.operands[2].index.size() == 1);
    CHECK(s.operands[3].index.size() == s.output.index.size());
    CHECK(d.tensors[3].elements() == d.tensors[5].elements());
}

namespace {

template <int Percent>
struct leaky {
    static constexpr const char* name = "leaky";
    static constexpr expr apply(const expr& acc) { return ex::max(acc, acc * (Percent / 100.0f)); }
};
// The same words in another order, and of another tensor.
struct late {
    static constexpr const char* name = "scale";
    static constexpr role operand_role = role::operand;
    static constexpr expr apply(const expr& acc, const expr& s) { return s * acc; }
};
struct of_residual : scale {
    static constexpr role operand_role = role::residual;
};
template <epilogue... E>
std::string signature()
{
    return gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, E...>::signature().c_str();
}

} // namespace

TEST_CASE("a signature names all that changes the result")
{
    const std::string shape = "gemm b1 m8 n16 k4 ldx0 ldw0 ldy0 f32";
    CHECK(signature<bias, relu, residual, relu6>() == shape + " bias relu residual relu6");
    CHECK(signature<leaky<10>>() != signature<leaky<20>>());
    CHECK(signature<scale>() != signature<late>());
    CHECK(signature<scale>() != signature<of_residual>());
    CHECK(signature<bias, leaky<10>>() == signature<bias, leaky<10>>());
    // For shapes that are known when a model is loaded, by the same words. Records hold them: they never change.
    CHECK(signature_of(gemm_shape{.m = 8, .n = 16, .k = 4}, dtype::f32, {"bias", signature_word<leaky<10>>()}) ==
          gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, bias, leaky<10>>::signature());
    CHECK(std::string(signature_word<own::hard_swish>()) == "hard_swish:ec50331d");
    CHECK(std::string(signature_word<relu>()) == "relu");
}

namespace {

struct twice {
    static constexpr const char* name = "keep";
    static constexpr expr output(const expr& acc) { return acc + acc; }
};
// The same expression, but what follows goes on from it.
struct doubled {
    static constexpr const char* name = "keep";
    static constexpr expr apply(const expr& acc) { return acc + acc; }
};

} // namespace

TEST_CASE("what is kept is one more output, and changes nothing of what follows")
{
    static_assert(output_epilogue<keep> && epilogue<keep> && !pointwise_epilogue<keep> && !operand_epilogue<keep>);
    const definition d = chain<bias, keep, scale, twice, relu>();
    check_laws(d);
    const char* names[] = {"x", "weights", "bias", "keep", "scale", "keep", "y"};
    REQUIRE(d.tensors.size() == 7);
    for (std::size_t t = 0; t < 7; ++t) CHECK(std::string{d.tensors[t].name} == names[t]);
    const stage& s = d.stages[0];
    CHECK(s.epilogue == chain<bias, scale, relu>().stages[0].epilogue);
    REQUIRE(s.further.size() == 2);
    CHECK(s.further[0].value == chain<bias>().stages[0].epilogue);
    CHECK(s.further[0].to.tensor == 3);
    CHECK(s.further[1].to.tensor == 5);
    CHECK(value(s.further[1].value, s.further[1].value.root(), 1.0f, {0, 0, 2, 10}) == 60);
    for (const further_output& f : s.further) {
        const tensor &kept = d.tensors[f.to.tensor], &y = d.tensors[s.output.tensor];
        CHECK(kept.role == role::output);
        CHECK(kept.elements() == y.elements());
        CHECK(f.to.index.size() == s.output.index.size());
    }
    CHECK(signature<bias, keep, relu>() == "gemm b1 m8 n16 k4 ldx0 ldw0 ldy0 f32 bias keep relu");
    CHECK(signature<twice>() != signature<keep>());
    CHECK(signature<twice>() != signature<doubled>());
}

// What does not fit a table of the definition must not be left out without a word.
TEST_CASE("a chain that is too long is a fault")
{
    const auto found = [](const definition& d) {
        return lower(direct_schedule(d, default_direct(d, isa::avx2), isa::avx2)).found.what;
    };
    CHECK(found(chain<relu6, relu6, relu6, relu6, relu6, relu6, relu6>()) == fault::none);
    CHECK(found(chain<relu6, relu6, relu6, relu6, relu6, relu6, relu6, relu6>()) == fault::expression_too_long);
    CHECK(found(chain<residual, residual, residual, residual>()) == fault::none);
    CHECK(found(chain<residual, residual, residual, residual, residual>()) == fault::definition_too_large);
}
