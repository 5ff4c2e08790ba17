// SPDX-License-Identifier: BSL-1.0
// GLSL text under construction: literals, names, and scopes with their declarations before their statements.
#include <hone/vulkan/glsl.hpp>

#include <cstdlib>
#include <limits>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using codegen::glsl_text;

TEST_CASE("literals read back as the same float")
{
    for (const float x : {0.1f, 1.0f, 0.0f, 1e-45f, 3.4028235e38f, 16777216.0f, 1.17549435e-38f, 1.0f / 3.0f, 1e10f}) {
        CAPTURE(x);
        const std::string text = codegen::glsl_literal(x);
        CHECK(std::strtof(text.c_str(), nullptr) == x);
        CHECK(text.find_first_of(".e") != std::string::npos);
        const std::string negative = codegen::glsl_literal(-x);
        CHECK(negative == "(-" + text + ")");
    }
    // No words of GLSL: quotients, see codegen.cpp.
    CHECK(codegen::glsl_literal(std::numeric_limits<float>::infinity()) == "(1.0 / 0.0)");
    CHECK(codegen::glsl_literal(-std::numeric_limits<float>::infinity()) == "(-1.0 / 0.0)");
    CHECK(codegen::glsl_literal(std::numeric_limits<float>::quiet_NaN()) == "(0.0 / 0.0)");
}

TEST_CASE("names of any spelling become identifiers")
{
    CHECK(codegen::glsl_identifier("x tile") == "x_tile");
    CHECK(codegen::glsl_identifier("a__b") == "a_b");
    CHECK(codegen::glsl_identifier("_") == "v");
    CHECK(codegen::glsl_identifier("3d") == "v3d");
    CHECK(codegen::glsl_identifier("") == "v");
}

TEST_CASE("types of values and of memory")
{
    CHECK(codegen::glsl_type(1) == "float");
    CHECK(codegen::glsl_type(4) == "vec4");
    CHECK(codegen::glsl_storage_type(dtype::f32, 2) == "vec2");
    CHECK(codegen::glsl_storage_type(dtype::f16, 1) == "float16_t");
    CHECK(codegen::glsl_storage_type(dtype::f16, 4) == "f16vec4");
    CHECK(codegen::joined("a", 'b', 3, std::string("c"), -4) == "ab3c-4");
}

TEST_CASE("a scope has its registers and declarations before its statements, whenever they came")
{
    glsl_text text;
    text.line("first;");
    text.open("if (a)");
    CHECK(text.depth() == 1);
    CHECK(text.at_start());
    text.line("second;");
    CHECK_FALSE(text.at_start());
    text.declare_int("n", "4");
    CHECK(text.is_declared("n"));
    text.declare_register(1, "float r;");
    text.declare_register(0, "float s;");
    text.close();
    CHECK_FALSE(text.is_declared("n")); // in that scope only
    CHECK(text.main_body() == "    float s;\n"
                              "    first;\n"
                              "    if (a) {\n"
                              "        float r;\n"
                              "        int n = 4;\n"
                              "        second;\n"
                              "    }\n");
    // Declarations without a statement have no effect.
    text.open("for (;;)");
    text.declare_int("m", "5");
    text.close();
    CHECK(text.main_body().find("for") == std::string::npos);
}

TEST_CASE("a value is declared once in its scope, and read again where it may have changed")
{
    glsl_text text;
    CHECK(text.hoisted(0, "int", 'i', "a + b") == "i0");
    text.open("");
    CHECK(text.hoisted(0, "int", 'i', "a + b") == "i0");
    CHECK(text.hoisted(1, "int", 'i', "a + b") == "i1");
    text.close();

    const std::string x = text.loaded(0, true, "float", "b_x[0]"), y = text.loaded(1, false, "float", "b_y[0]");
    CHECK(text.loaded(0, true, "float", "b_x[0]") == x);
    CHECK(text.loaded(1, false, "float", "b_y[0]") == y);
    text.open("for (;;)");
    CHECK(text.loaded(0, true, "float", "b_x[0]") == x);
    CHECK(text.loaded(1, false, "float", "b_y[0]") != y);
    text.close();
    text.forget_loads(1);
    CHECK(text.loaded(1, false, "float", "b_y[0]") != y);
    CHECK(text.loaded(0, true, "float", "b_x[0]") == x);
}
