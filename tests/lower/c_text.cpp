// SPDX-License-Identifier: BSL-1.0
// Declarations stand before the statements of their scope, each value once, and a scope that does nothing is dropped.
#include <string>

#include <doctest/doctest.h>

#include <hone/lower/c_text.hpp>

using namespace hone::codegen;

TEST_CASE("a value is declared once, in the scope that it is asked for, before its statements")
{
    c_text out;
    out.line("y[0] = 0;");
    out.open("for (int i = 0; i < 4; ++i)");
    CHECK(out.depth() == 1);
    CHECK(out.at_start());
    const std::string row = out.hoisted(0, "int", 'i', "n * 8"), here = out.hoisted(1, "int", 'i', "i * 8");
    CHECK(out.hoisted(0, "int", 'i', "n * 8") == row);
    CHECK(row != here);
    out.line("y[" + row + " + " + here + "] = 1;");
    out.close();
    CHECK(out.main_body() == "    int i0 = n * 8;\n"
                             "    y[0] = 0;\n"
                             "    for (int i = 0; i < 4; ++i) {\n"
                             "        int i1 = i * 8;\n"
                             "        y[i0 + i1] = 1;\n"
                             "    }\n");
}

TEST_CASE("a scope without statements is dropped with its declarations")
{
    c_text out;
    out.open("if (i < n)");
    out.declare_int("k", "3");
    CHECK(out.is_declared("k"));
    out.close();
    CHECK(out.main_body() == "");
}

TEST_CASE("what was loaded is known until its buffer is written, and in inner scopes where it never is")
{
    c_text out;
    const std::string x = out.loaded(0, true, "float", "x[0]"), y = out.loaded(1, false, "float", "y[0]");
    CHECK(out.loaded(1, false, "float", "y[0]") == y);
    out.open("");
    CHECK(out.loaded(0, true, "float", "x[0]") == x);
    CHECK(out.loaded(1, false, "float", "y[0]") != y);
    out.close();
    out.forget_loads(1);
    CHECK(out.loaded(1, false, "float", "y[0]") != y);
    CHECK(out.loaded(0, true, "float", "x[0]") == x);
}

TEST_CASE("names hold letters, digits and single underscores, and none that the language keeps for itself")
{
    CHECK(c_identifier("x tile", "gl_") == "x_tile");
    CHECK(c_identifier("a__b_", "gl_") == "a_b");
    CHECK(c_identifier("3d", "gl_") == "v3d");
    CHECK(c_identifier("", "gl_") == "v");
    CHECK(c_identifier("gl_x", "gl_") == "vgl_x");
    CHECK(c_identifier("gl_x", "cu_") == "gl_x");
    CHECK(joined("a", 3, '-', std::string("b")) == "a3-b");
}
