// SPDX-License-Identifier: BSL-1.0
// Words of GLSL: types, literals and names.
#include <hone/vulkan/glsl.hpp>

#include <cstdlib>
#include <limits>
#include <string>

#include <doctest/doctest.h>

using namespace hone;

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
