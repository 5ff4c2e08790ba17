// SPDX-License-Identifier: BSL-1.0
// Words as functions of GLSL: the text of one, line by line, the same from every compiler, and what calls them.
#include <hone/vulkan/glsl_functions.hpp>

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/vulkan/codegen.hpp>

using namespace hone;
using namespace hone::codegen;

namespace {

int occurrences(std::string_view text, std::string_view part)
{
    int r = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++r;
    return r;
}

template <class... E>
std::string shader()
{
    const definition d = gemm<gemm_shape{.m = 32, .n = 64, .k = 16}, f32, E...>::definition();
    const nest n = lower(vulkan_schedule(d, default_vulkan(d)));
    REQUIRE(n.ok());
    return glsl_of(n);
}

} // namespace

TEST_CASE("a function is the lines that its numbers write")
{
    CHECK(glsl_function(expr_op::less, 1) == R"(float less_of(float a, float b)
{
    float v0 = a < b ? 1.0 : 0.0;
    return v0;
}
)");
    CHECK(glsl_function(expr_op::select, 4) == R"(vec4 select_of(vec4 a, vec4 b, vec4 c)
{
    vec4 v0 = mix(b, c, equal(a, vec4(0.0)));
    return v0;
}
)");
    CHECK(glsl_function(expr_op::tanh, 1) == R"(float tanh_of(float a)
{
    float v0 = abs(a);
    float v1 = v0 + v0;
    float v2 = v1 > 20.0 ? 20.0 : v1;
    float v3 = v2 * 1.442695;
    float v4 = roundEven(v3);
    float v5 = intBitsToFloat((int(v4) + 127) << 23);
    float v6 = v5 - 1.0;
    float v7 = v4 * 0.6933594;
    float v8 = v2 - v7;
    float v9 = v4 * (-0.00021219444);
    float v10 = v8 - v9;
    float v11 = v10 * 0.0013837861;
    float v12 = v11 + 0.008367319;
    float v13 = v12 * v10;
    float v14 = v13 + 0.04166774;
    float v15 = v14 * v10;
    float v16 = v15 + 0.16666538;
    float v17 = v16 * v10;
    float v18 = v17 + 0.49999997;
    float v19 = v10 * v10;
    float v20 = v19 * v18;
    float v21 = v20 + v10;
    float v22 = v21 * v5;
    float v23 = v22 + v6;
    float v24 = v23 + 2.0;
    float v25 = v23 / v24;
    float v26 = uintBitsToFloat(floatBitsToUint(v25) | (floatBitsToUint(a) & 0x80000000u));
    return (floatBitsToUint(a) & 0x7fffffffu) > 0x7f800000u ? a : v26;
}
)");
    // Lanes and numbers change, the lines do not.
    CHECK(occurrences(glsl_function(expr_op::exp, 2), "\n") == occurrences(glsl_function(expr_op::exp, 1), "\n"));
    CHECK(occurrences(glsl_function(expr_op::erf, 4), "vec4 v") ==
          occurrences(glsl_function(expr_op::erf, 1), "float v"));
}

TEST_CASE("a shader defines the functions that it calls, and none else")
{
    const std::string plain = shader<bias, relu>();
    CHECK(occurrences(plain, "greater_of(") > 1);
    for (const expr_word& w : expr_words)
        if (is_glsl_function(w.op) && w.op != expr_op::max) CHECK(occurrences(plain, glsl_function_name(w.op)) == 0);
    const std::string smooth = shader<bias, gelu>();
    INFO(smooth);
    CHECK(occurrences(smooth, "erf_of(vec4 a)") == 1);
    CHECK(occurrences(smooth, "exp_of") == 0);
}

// sigmoid names e^-|x| twice.
TEST_CASE("what an expression repeats is computed once")
{
    const std::string text = shader<bias, silu>();
    INFO(text);
    const int calls = occurrences(text, " = exp_of("), results = occurrences(text, "select_of(") - 1;
    CHECK(results > 0);
    CHECK(calls == results);
    CHECK(occurrences(text, "exp_of(") == calls + 1);
}
