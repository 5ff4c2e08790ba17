// SPDX-License-Identifier: BSL-1.0
// Affine forms, conditions and bounds as text: what is constant is folded, what intervals prove is left out, and sums
// stand in the scope of their last variable.
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/nest.hpp>
#include <hone/lower/c_indices.hpp>

#include "nest_builder.hpp"

using namespace hone;
using namespace hone::schedules;
using hone::test::nest_builder;

namespace {

// The printer of a language, with two loops open: over i in the scope of main, over j in one of its own.
class printer : codegen::c_indices {
public:
    printer(const nest& n, interval i, interval j) : c_indices(n, {.printer = "test::text_of", .reserved = "own_"})
    {
        values_[0] = i;
        values_[1] = j;
        out_.open("for (;;)");
        places_[1].scope = 1;
    }

    std::string index(int access) { return text_of(nest_.accesses[c_indices::index(access)].index); }
    std::string conditions(int access)
    {
        const verdict v = decide(nest_.accesses[c_indices::index(access)].conditions);
        return v.always ? "always" : v.never ? "never" : v.text;
    }
    std::string upper(int node) { return bound_text(nest_.nodes[c_indices::index(node)].upper, false); }
    std::string rejected()
    {
        reject("no");
        reject("no");
        return errors_;
    }
    // All text, with the statement that closes the inner scope.
    std::string body()
    {
        out_.line("done;");
        out_.close();
        return out_.main_body();
    }
};

} // namespace

TEST_CASE("an index is a sum of names, each partial sum where its last variable is")
{
    nest_builder b;
    const auto i = b.axis("i"), j = b.axis("own_j", 1);
    const auto p = b.extent("rows", 1, 100);
    const int x = b.buffer("x", memory::argument, 1000);
    const int both = b.access(x, i * 8 + j * -1 + 3), strided = b.access(x, nest_builder::product(i, p) + j);
    printer text(b.n, {0, 9}, {0, 4});
    CHECK(text.index(both) == "i1 + 3");
    CHECK(text.index(strided) == "i3");
    CHECK(text.body() == "    int i0 = 8 * i_0;\n"
                         "    int i2 = i_0 * p_rows_0;\n"
                         "    for (;;) {\n"
                         "        int i1 = i0 - vownj_1;\n"
                         "        int i3 = i2 + vownj_1;\n"
                         "        done;\n"
                         "    }\n");
    // One value: a literal.
    printer folded(b.n, {2, 2}, {1, 1});
    CHECK(folded.index(both) == "18");
}

TEST_CASE("conditions that intervals decide are no text")
{
    nest_builder b;
    const auto i = b.axis("i"), j = b.axis("j", 1);
    const int x = b.buffer("x", memory::argument, 100);
    const int inside = b.access(x, i, {i - j}), above = b.access(x, i, {i + 1}), below = b.access(x, i, {i * -1 - 1}),
              part = b.access(x, i, {i + 1, i - 3, j * -1 + 2});
    printer text(b.n, {0, 9}, {0, 4});
    CHECK(text.conditions(inside) == "i0 >= 0");
    CHECK(text.conditions(above) == "always");
    CHECK(text.conditions(below) == "never");
    CHECK(text.conditions(part) == "i_0 >= 3 && j_1 <= 2");
}

TEST_CASE("of several bounds those remain that no other one hides")
{
    nest_builder b;
    const auto i = b.axis("i"), j = b.axis("j", 1), k = b.axis("k", 2);
    b.loop(binding::serial, k, {0}, {4, test::quotient(i + 1, 2), test::quotient(j + 100)}).end();
    printer text(b.n, {0, 9}, {0, 4});
    CHECK(text.upper(0) == "min(4, (i_0 + 1) / 2)");
}

TEST_CASE("what a printer cannot print is said once, in its name")
{
    nest_builder b;
    b.axis("i");
    b.axis("j");
    printer text(b.n, {0, 0}, {0, 0});
    CHECK(text.rejected() == "#error test::text_of: no\n");
}
