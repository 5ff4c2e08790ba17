// SPDX-License-Identifier: BSL-1.0
// The hash that names a nest in records: what it covers and what it leaves out, and that it is the number that records
// of before hold.
#include <hone/ir/hash.hpp>

#include <cstdint>
#include <set>

#include <doctest/doctest.h>

#include "nests.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

constexpr nest renamed()
{
    nest n = matmul();
    for (variable& v : n.variables) v = {.name = "q", .level = 7, .stage = 3, .reduction = v.reduction};
    for (buffer& b : n.buffers) b.name = "q";
    return n;
}
constexpr nest small = matmul();

static_assert(nest_hash(small) == nest_hash(renamed()));
static_assert(nest_hash(small) == nest_hash(resized<small.sizes()>(small)));

template <class Change>
constexpr bool is_another(Change change)
{
    nest n = matmul();
    change(n);
    return nest_hash(n) != nest_hash(matmul());
}
static_assert(is_another([](nest& n) { n.vector_length = 8; }));
static_assert(is_another([](nest& n) { n.set = isa::avx2; }));
static_assert(is_another([](nest& n) { n.lanes = 2; }));
static_assert(is_another([](nest& n) { n.nodes[0].bind = binding::serial; }));
static_assert(is_another([](nest& n) { n.nodes[0].radix_stride = 2; }));
static_assert(is_another([](nest& n) { n.nodes[0].outermost = true; }));
static_assert(is_another([](nest& n) { n.terms[0].coefficient += 1; }));
static_assert(is_another([](nest& n) { n.terms[0].coefficient += std::int64_t{1} << 40; }));
static_assert(is_another([](nest& n) { n.bounds[1].divisor = 2; }));
static_assert(is_another([](nest& n) { n.buffers[0].elements.constant += 1; }));
static_assert(is_another([](nest& n) { n.statements[1].reduce = reduction::max; }));
static_assert(is_another([](nest& n) { n.exprs[0].value = -0.0f; }));
static_assert(is_another([](nest& n) { n.parameters.push_back({}); }));
static_assert(is_another([](nest& n) { n.table_values.push_back(0); }));
constexpr nest with_share(std::int16_t groups)
{
    nest n = matmul();
    n.parameters.push_back({.name = "ic", .least = 1, .most = 8});
    n.parameters.push_back({.name = "groups", .least = 1, .most = 8});
    n.parameters.push_back({.least = 1, .most = 8, .dividend = 0, .groups = groups});
    return n;
}
static_assert(nest_hash(with_share(1)) != nest_hash(with_share(-1)));

// One leaf y[i] = value, of loads of x[i].
template <class Value>
constexpr nest leaf_of(Value value)
{
    nest_builder b;
    const form i = b.axis("i");
    const int x = b.access(b.buffer("x", memory::argument, 4, role::input), i);
    const int y = b.access(b.buffer("y", memory::argument, 4, role::output), i);
    b.loop(binding::serial, i, 4).store(y, value(ex::load(x)));
    return b.n;
}
constexpr nest with_word(expr_op op)
{
    return leaf_of([op](const expr& x) {
        return arity(op) == 1   ? expr::unary(op, x)
               : arity(op) == 2 ? expr::binary(op, x, expr{2.0f})
                                : expr::ternary(op, x, expr{2.0f}, expr{3.0f});
    });
}

// Order matters where it is the third operand's, too.
constexpr nest choice(float yes, float no)
{
    return leaf_of([=](const expr& x) { return ex::select(x, expr{yes}, expr{no}); });
}
static_assert(nest_hash(choice(1, 2)) != nest_hash(choice(2, 1)));

// Of a node with fewer operands the others say nothing.
static_assert(!is_another([](nest& n) { n.exprs[0].c = 7; }));
static_assert(is_another([](nest& n) { n.accesses[0].outside = 1; }));
static_assert(!is_another([](nest& n) { n.accesses[0].outside = 0; }));
static_assert(is_another([](nest& n) { n.table_accesses.push_back({}); }));
static_assert(is_another([](nest& n) { n.conditions.push_back({}); }));
static_assert(is_another([](nest& n) { n.buffers[0].type = dtype::f16; }));
static_assert(is_another([](nest& n) { n.variables[0].reduction = true; }));

// A parameter that is a product of others, and one of the same bounds that a call gives.
constexpr nest with_parameters(bool is_product)
{
    nest n = copy();
    n.parameters.push_back({.name = "m", .least = 1, .most = 4});
    n.parameters.push_back({.name = "n", .least = 1, .most = 4});
    n.parameters.push_back(product_of(n.parameters, "mn", 0, 1));
    if (!is_product) n.parameters[2].first_factor = n.parameters[2].second_factor = -1;
    return n;
}
static_assert(nest_hash(with_parameters(true)) != nest_hash(with_parameters(false)));

// One that is a quotient, of the same bounds whatever is added or divides.
constexpr nest with_quotient(std::int64_t added, std::int64_t divisor, std::int64_t times = 1)
{
    nest n = copy();
    n.parameters.push_back({.name = "h", .least = 1, .most = 4});
    n.parameters.push_back(
        {.name = "oh", .least = 1, .most = 4, .dividend = 0, .added = added, .divisor = divisor, .times = times});
    return n;
}
static_assert(nest_hash(with_quotient(1, 1)) != nest_hash(with_quotient(2, 1)));
static_assert(nest_hash(with_quotient(1, 1)) != nest_hash(with_quotient(1, 2)));
static_assert(nest_hash(with_quotient(1, 1)) != nest_hash(with_quotient(1, 1, 2)));

// One that is how far apart parts of another are.
constexpr nest with_ratio(std::int16_t over, std::int16_t under, std::int64_t added, std::int64_t divisor,
                          std::int64_t scale)
{
    nest n = copy();
    n.parameters.push_back({.name = "h", .least = 1, .most = 4});
    n.parameters.push_back({.name = "oh", .least = 1, .most = 4});
    n.parameters.push_back({.name = "step",
                            .least = 1,
                            .most = 4,
                            .over = over,
                            .under = under,
                            .added = added,
                            .divisor = divisor,
                            .scale = scale});
    return n;
}
constexpr bool is_other_ratio(const nest& n) { return nest_hash(n) != nest_hash(with_ratio(0, 1, -1, 1, 8)); }
static_assert(is_other_ratio(with_ratio(1, 0, -1, 1, 8)) && is_other_ratio(with_ratio(0, -1, -1, 1, 8)) &&
              is_other_ratio(with_ratio(-1, 1, -1, 1, 8)) && is_other_ratio(with_ratio(0, 1, 0, 1, 8)) &&
              is_other_ratio(with_ratio(0, 1, -1, 2, 8)) && is_other_ratio(with_ratio(0, 1, -1, 1, 4)));

// One that counts the windows that these say.
constexpr nest with_windows(const window_numbers& w)
{
    nest n = copy();
    for (const char* name : {"h", "before", "behind", "taps", "dilation", "stride"})
        n.parameters.push_back({.name = name, .least = 1, .most = 4});
    n.parameters.push_back({.name = "oh", .least = 1, .most = 4, .window = w});
    return n;
}
constexpr bool are_other_windows(const window_numbers& w)
{
    return nest_hash(with_windows(w)) != nest_hash(with_windows({0, 1, 2, 3, 4, 5}));
}
static_assert(are_other_windows({}));
static_assert(are_other_windows({5, 1, 2, 3, 4, 5}) && are_other_windows({0, 5, 2, 3, 4, 5}) &&
              are_other_windows({0, 1, 5, 3, 4, 5}) && are_other_windows({0, 1, 2, 5, 4, 5}) &&
              are_other_windows({0, 1, 2, 3, 5, 5}) && are_other_windows({0, 1, 2, 3, 4, 4}) &&
              are_other_windows({0, 1, 2, 3, 4, 5, 2}));

} // namespace

// The numbers of nests that together have each kind of node, binding, memory and reduction. A record holds as long as
// its nest has the same number: one that changes here makes the records of all users stale, so a word that is added to
// an enumeration takes a value of its own, behind the others.
TEST_CASE("nests have the numbers that records hold")
{
    CHECK(nest_hash(copy()) == 8743221431016194002u);
    CHECK(nest_hash(matmul()) == 11391333552970345026u);
    CHECK(nest_hash(matmul({.m = 6, .n = 32, .k = 3, .tile_n = 2}, isa::avx512, 16)) == 6945456851501845390u);
    CHECK(nest_hash(matmul({}, isa::neon)) == 17295118364212896318u);
    CHECK(nest_hash(matmul({}, isa::avx2)) == 7645788714305997976u);
    CHECK(nest_hash(padded(edge::guarded)) == 3178593170156562263u);
    CHECK(nest_hash(padded(edge::selected)) == 8929743633044424057u);
    CHECK(nest_hash(reversed()) == 10472156701456738350u);
    CHECK(nest_hash(through_scratch(memory::slot)) == 10393588172075777331u);
    CHECK(nest_hash(through_scratch(memory::workspace)) == 16927318696706381565u);
    CHECK(nest_hash(with_parameters(true)) == 945812500309488704u);
    CHECK(nest_hash(with_quotient(1, 2)) == 17173216721673342175u);
    CHECK(nest_hash(with_windows({0, 1, 2, 3, 4, 5})) == 14059707507352224244u);
    CHECK(nest_hash(with_ratio(0, 1, -1, 1, 8)) == 17884162487887738663u);
    nest n = copy();
    n.statements[0].reduce = reduction::max;
    CHECK(nest_hash(n) == 15880454035691867158u);
    n.statements[0].reduce = reduction::min;
    CHECK(nest_hash(n) == 7546233342937968335u);
}

TEST_CASE("words have the numbers that records hold, and differ")
{
    std::set<std::uint64_t> all;
    std::uint64_t folded = 0;
    for (const expr_word& w : expr_words) {
        if (w.arity == 0) continue;
        const std::uint64_t h = nest_hash(with_word(w.op));
        CAPTURE(w.name);
        CHECK(all.insert(h).second);
        if (w.number <= 21) folded += h * static_cast<std::uint64_t>(w.number); // in whatever order they stand
    }
    CHECK(folded == 15423237215800193042u);
}

TEST_CASE("the hash is the same at run time")
{
    nest n = matmul();
    CHECK(nest_hash(n) == nest_hash(small));
    n.terms[3].coefficient += 1;
    CHECK(nest_hash(n) != nest_hash(small));
}
