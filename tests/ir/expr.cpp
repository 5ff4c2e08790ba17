// SPDX-License-Identifier: BSL-1.0
// Expressions as values: where the operands of a node stand, in what is built and in what is substituted.
#include <hone/ir/expr.hpp>

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/hash.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/direct.hpp>

using namespace hone;
using namespace hone::codegen;

namespace {

constexpr expr x = ex::acc(), y = ex::load(1);

constexpr expr chosen = ex::select(ex::less(x, 2.0f), x* y, ex::floor(y) + 1.0f);
// acc 2 less, acc load mul, load floor 1 add, select
static_assert(chosen.nodes.size() == 11);
static_assert(chosen.nodes[10].a == 2 && chosen.nodes[10].b == 5 && chosen.nodes[10].c == 9);
static_assert(chosen.nodes[9].a == 7 && chosen.nodes[9].b == 8 && chosen.nodes[9].c == -1);
static_assert(chosen.nodes[7].op == expr_op::floor && chosen.nodes[7].a == 6);

// The accumulator becomes a sum of three nodes, once, however often it is read.
constexpr expr inside = chosen.with_accumulator(y + 3.0f);
static_assert(inside.nodes.size() == 3 + 9);
static_assert(inside.nodes[11].op == expr_op::select && inside.nodes[11].a == 4 && inside.nodes[11].b == 6 &&
              inside.nodes[11].c == 10);
static_assert(inside.nodes[4].op == expr_op::less && inside.nodes[4].a == 2 && inside.nodes[4].b == 3);

// What does not fit is known.
static_assert([] {
    expr e = chosen;
    for (int i = 0; i < 3; ++i) e = ex::select(e, e, e);
    return e.nodes.overflowed();
}());

// Of a nest whose epilogue is this.
template <int Which>
struct choice {
    static constexpr const char* name = "choice";
    static constexpr expr apply(const expr& acc)
    {
        // Two that differ in nothing but the order of the last two operands, which are leaves that stand in one order.
        expr e = ex::select(ex::less(acc, 0.5f), ex::exp(acc), ex::tanh(acc));
        if (Which == 1) std::swap(e.nodes.back().b, e.nodes.back().c);
        return e;
    }
};
template <int Which>
nest lowered()
{
    const definition d = gemm<gemm_shape{.m = 4, .n = 8, .k = 4}, f32, choice<Which>>::definition();
    return lower(direct_schedule(d, default_direct(d, isa::avx2), isa::avx2));
}

} // namespace

TEST_CASE("a word of three operands is printed, and tells nests and epilogues apart")
{
    const nest one = lowered<0>(), other = lowered<1>();
    REQUIRE(one.ok());
    const std::string text = print(one);
    INFO(text);
    CHECK(text.find("select(less(") != std::string::npos);
    CHECK(text.find(", 0.5), exp(") != std::string::npos);
    CHECK(text.find("), tanh(") != std::string::npos);
    CHECK(nest_hash(one) != nest_hash(other));
    CHECK(std::string(signature_word<choice<0>>()) != signature_word<choice<1>>());
}
