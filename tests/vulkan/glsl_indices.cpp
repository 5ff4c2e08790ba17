// SPDX-License-Identifier: BSL-1.0
// Indices as GLSL text: constants folded, what intervals prove left out, partial sums declared where their last
// variable is.
#include <hone/vulkan/glsl_indices.hpp>

#include <string>

#include <doctest/doctest.h>

#include "nest_builder.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// For o below 6, i below 8 and rows of the call: 12 o + rows i + 2 v - 5, and conditions and bounds of each kind.
nest some_indices()
{
    nest_builder b{isa::none};
    const form rows = b.extent("rows of x", 1, 20);
    const form o = b.axis("o"), i = b.axis("i__x", 1), v = b.axis("v", 2);
    const int x =
        b.access(b.buffer("x", memory::argument, 4096), o * 12 + nest_builder::product(i, rows) + v * 2 - form{5});
    b.access(0, o * 8 + v); // a whole vector where v is one
    b.loop(binding::serial, o, {quotient{0}, quotient{rows - form{30}, 4}}, {quotient{6}, quotient{rows, 2}});
    b.loop(binding::serial, i, 8).loop(binding::vectorize, v, 4);
    b.guard({o + form{1}, form{-1} - i, rows - o * 2 - form{3}}).store(x, 1.0f);
    return b.n;
}

// What printers derive from it, opened.
struct indices : codegen::glsl_indices {
    static const nest& of()
    {
        static const nest n = some_indices();
        return n;
    }
    explicit indices(bool is_vector = false) : codegen::glsl_indices{of()}
    {
        values_[0] = {0, 5};
        values_[1] = {0, 7};
        values_[2] = {0, 3};
        for (int depth = 1; depth <= 2; ++depth) {
            out_.open("for (;;)");
            places_[static_cast<std::size_t>(depth - 1)].scope = depth;
        }
        if (is_vector) vector_ = 2;
        if (is_vector) width_ = 4;
    }
    using codegen::glsl_indices::base_of;
    using codegen::glsl_indices::bound_text;
    using codegen::glsl_indices::decide;
    using codegen::glsl_indices::folded;
    using codegen::glsl_indices::is_aligned_vector;
    using codegen::glsl_indices::is_uniform;
    using codegen::glsl_indices::linear;
    using codegen::glsl_indices::nest_;
    using codegen::glsl_indices::offset;
    using codegen::glsl_indices::places_;
    using codegen::glsl_indices::scope_of;
    using codegen::glsl_indices::sum;
    using codegen::glsl_indices::text_of;
    using codegen::glsl_indices::values_;

    const affine& index(int access) const { return nest_.accesses[static_cast<std::size_t>(access)].index; }
    range guard() const
    {
        for (const node& x : nest_.nodes)
            if (x.kind == node_kind::guard) return x.conditions;
        return {};
    }
    std::string finished()
    {
        out_.line("use;");
        out_.close();
        out_.line("use;");
        out_.close();
        return out_.main_body();
    }
};

} // namespace

TEST_CASE("variables are letters, digits and their level; parameters have a prefix and their number")
{
    indices p;
    CHECK(p.places_[0].name == "o_0");
    CHECK(p.places_[1].name == "ix_1");
    const std::string text = p.text_of(p.index(0));
    CHECK(p.finished().find("p_rows_of_x_0") != std::string::npos);
    CHECK(text.ends_with(" - 5"));
}

TEST_CASE("each partial sum stands in the scope of its last variable")
{
    indices p;
    p.values_[2] = {3, 3}; // written out: 2 v is 6
    CHECK(p.text_of(p.index(0)) == "i1 + 1");
    CHECK(p.finished() == "    for (;;) {\n"
                          "        int i0 = 12 * o_0;\n"
                          "        for (;;) {\n"
                          "            int i1 = i0 + ix_1 * p_rows_of_x_0;\n"
                          "            use;\n"
                          "        }\n"
                          "        use;\n"
                          "    }\n");
}

TEST_CASE("what has one value is a number, and a sum of nothing is 0")
{
    indices p;
    p.values_[0] = {2, 2};
    p.values_[1] = {0, 0};
    p.values_[2] = {1, 1};
    CHECK(p.text_of(p.index(0)) == "21");
    CHECK(indices::offset("", -3) == "-3");
    CHECK(indices::offset("i0", 0) == "i0");
    CHECK(indices::offset("i0", -3) == "i0 - 3");
    CHECK(indices::sum("", {{"a", -1, 0}, {"b", 3, 0}, {"c", -4, 0}}) == "-a + 3 * b - 4 * c");
}

TEST_CASE("conditions are decided by intervals where they suffice, and else compared")
{
    indices p;
    const range all = p.guard();
    CHECK(p.decide(p.nest_.conditions[static_cast<std::size_t>(all.first)]).always);
    CHECK(p.decide(p.nest_.conditions[static_cast<std::size_t>(all.first + 1)]).never);
    CHECK(p.decide(all).never);
    const affine& open = p.nest_.conditions[static_cast<std::size_t>(all.first + 2)];
    const auto verdict = p.decide(open);
    CHECK_FALSE(verdict.always);
    CHECK_FALSE(verdict.never);
    CHECK(verdict.text.find(">= 3") != std::string::npos);
    // Constant in the loop of o, not outside.
    CHECK(p.scope_of({all.first, 1}) == 0);
    CHECK(p.scope_of({static_cast<std::int16_t>(all.first + 2), 1}) == 1);
}

TEST_CASE("of bounds those are written that another does not hide")
{
    indices p;
    const node& loop = p.nest_.nodes[static_cast<std::size_t>(p.nest_.root)];
    CHECK(p.bound_text(loop.lower, true) == "0"); // floor((rows - 30) / 4) is below
    CHECK(p.bound_text(loop.upper, false) == "min(6, (p_rows_of_x_0) / 2)");
    CHECK(p.bound_text({}, true) == "0");
}

TEST_CASE("an element is the begin of an aligned vector where all that moves it does so by whole ones")
{
    indices p(true);
    const indices::linear spread = p.folded(p.index(0), 2), side = p.folded(p.index(1), 2);
    CHECK(spread.vector_coefficient == 2);
    CHECK(side.vector_coefficient == 1);
    CHECK_FALSE(indices::is_aligned_vector(spread, 0, 4));
    CHECK(indices::is_aligned_vector(side, 0, 4));
    CHECK(indices::is_aligned_vector(side, 4, 4));
    CHECK_FALSE(indices::is_aligned_vector(side, 2, 4));
    CHECK(indices::is_aligned_vector(side, 2, 2));
    // 8 o + v >= 0 has one answer for lanes 0 to 3, 8 o + v - 2 >= 0 has not; by enumeration.
    for (std::int64_t constant = -9; constant <= 9; ++constant) {
        indices::linear f = side;
        f.constant = constant;
        bool one_answer = true;
        for (std::int64_t o = -3; o <= 3; ++o)
            for (std::int64_t lane = 1; lane < 4; ++lane)
                one_answer = one_answer && (8 * o + constant >= 0) == (8 * o + constant + lane >= 0);
        if (indices::is_uniform(f, 0, 4)) CHECK(one_answer);
        CHECK(indices::is_uniform(f, 0, 4) == (constant % 4 == 0));
    }
}
