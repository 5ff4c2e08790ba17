// SPDX-License-Identifier: BSL-1.0
// GLSL text under construction: literals, names, and scopes with their declarations before their statements.
#include <hone/vulkan/glsl.hpp>

#include <cstdlib>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/spirv.hpp>
#include <hone/vulkan/codegen.hpp>

#include "nest_builder.hpp"

using namespace hone;
using namespace hone::test;
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
    for (const float x : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
        const std::string text = codegen::glsl_literal(x);
        CAPTURE(text);
        CHECK(spirv_of("#version 450\nconst float t[1] = float[1](" + text +
                       ");\nlayout(set = 0, binding = 0) buffer b { float x; };\nvoid main() { x = t[0]; }\n")
                  .ok());
    }
}

TEST_CASE("names of any spelling become identifiers")
{
    CHECK(codegen::glsl_identifier("x tile") == "x_tile");
    CHECK(codegen::glsl_identifier("a__b") == "a_b");
    CHECK(codegen::glsl_identifier("_") == "v");
    CHECK(codegen::glsl_identifier("3d") == "v3d");
    CHECK(codegen::glsl_identifier("") == "v");

    nest_builder w(isa::none, 1, 4);
    // Names of others: of the second "input", of the buffers, of registers, tables and parameters.
    const form a = w.axis("input"), b = w.axis("input"), c = w.axis("b_x", 1), d = w.axis("c_table");
    const form e = w.axis("r_acc"), f = w.axis("p_rows"), g = w.axis("gl_main"), rows = w.extent("rows", 1, 2);
    const int x = w.buffer("x_1", memory::argument, 256);
    const int y = w.buffer("x", memory::argument, 256);
    const int z = w.buffer("x", memory::argument, 256);
    const int acc = w.access(w.buffer("acc", memory::registers, 1), 0);
    const form at = a * 64 + b * 32 + c * 16 + d * 8 + e * 4 + f * 2 + g;
    w.bound_loop(binding::lane, a, 4).loop(binding::serial, b, 2).loop(binding::serial, c, 2);
    w.loop(binding::serial, d, 2).loop(binding::serial, e, 2).loop(binding::serial, f, rows);
    w.loop(binding::serial, g, 2).tile();
    w.store(acc, ex::load(w.access(x, at)) * ex::table(w.table({1, 2, 3, 4}, a)));
    w.store(w.access(y, at), ex::load(acc)).store(w.access(z, at), ex::load(acc));
    const std::string text = glsl_of(w.n);
    INFO(text);
    CHECK(spirv_of(text).ok());
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
