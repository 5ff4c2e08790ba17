// SPDX-License-Identifier: BSL-1.0
// The text of a shader: what it tests and holds, what is refused, and that it is valid SPIR-V.
#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <spirv-tools/libspirv.hpp>

#include <hone/tune/vulkan/spirv.hpp>
#include <hone/vulkan/codegen.hpp>

#include "vulkan_nests.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

namespace {

int count(std::string_view text, std::string_view part)
{
    int r = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++r;
    return r;
}

std::string without_spaces_at_ends(const std::string& text)
{
    std::string r;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::size_t first = std::min(text.find_first_not_of(' ', at), end);
        r += text.substr(first, end - first) + '\n';
        at = end + 1;
    }
    return r;
}

const std::pair<const char*, nest> all_nests[] = {
    {"naive", naive_matmul({13, 11, 7})},
    {"registers", register_matmul({21, 28, 17})},
    {"staged", staged_matmul({45, 37, 29})},
    {"padded", padded_depthwise(5, 7)},
    {"clipped", clipped_pool(9, 21)},
    {"table", table_transform()},
    {"dynamic", dynamic_transpose(12, 40)},
    {"workspace", shared_workspace()},
    {"nan", nan_rules()},
};

} // namespace

TEST_CASE("every nest gives one text, and valid SPIR-V 1.3, the smallest where it is asked for")
{
    const spvtools::SpirvTools tools(SPV_ENV_VULKAN_1_1);
    for (const auto& [name, n] : all_nests) {
        CAPTURE(name);
        const std::string text = glsl_of(n);
        INFO(text);
        CHECK(glsl_of(n) == text);
        const spirv_result plain = spirv_of(text, optimize::none);
        const spirv_result light = spirv_of(text);
        INFO(plain.log << light.log);
        REQUIRE(plain.ok());
        REQUIRE(light.ok());
        const spirv_result small = spirv_of(text, optimize::small);
        REQUIRE(small.ok());
        CHECK(small.words.size() < light.words.size());
        CHECK(small.words.size() < plain.words.size());
        CHECK(tools.Validate(small.words));
        CHECK(light.words[0] == 0x07230203);
        CHECK(light.words[1] == 0x00010300);
        CHECK(tools.Validate(plain.words));
        CHECK(tools.Validate(light.words));
        CHECK(spirv_of(text).words == light.words);
    }
}

TEST_CASE("the text of a small kernel")
{
    CHECK(without_spaces_at_ends(glsl_of(naive_matmul({13, 11, 7}))) ==
          R"(#version 450
#extension GL_EXT_control_flow_attributes : require
layout(local_size_x = 32) in;
layout(set = 0, binding = 0, std430) readonly buffer block_b_x { float b_x[]; };
layout(set = 0, binding = 1, std430) readonly buffer block_b_weights { float b_weights[]; };
layout(set = 0, binding = 2, std430) writeonly buffer block_b_y { float b_y[]; };
float greater_of(float a, float b) { return (floatBitsToUint(a) & 0x7fffffffu) > 0x7f800000u ? a : a < b ? b : a; }
void main()
{
int m_0 = int(gl_WorkGroupID.x / 2u);
int n_0 = int(gl_WorkGroupID.x % 2u);
int m_1 = int(gl_LocalInvocationIndex / 8u);
int n_1 = int(gl_LocalInvocationIndex % 8u);
int i0 = 4 * m_0 + m_1;
int i1 = 8 * n_0 + n_1;
int i2 = 28 * m_0 + 7 * m_1;
int i7 = 44 * m_0 + 11 * m_1 + 8 * n_0 + n_1;
if (i0 <= 12 && i1 <= 10) {
{
float r_acc_0;
r_acc_0 = 0.0;
[[dont_unroll]] for (int k_0 = 0; k_0 < 7; ++k_0) {
int i3 = i2 + k_0;
int i5 = i1 + 11 * k_0;
float t4 = b_x[i3];
float t6 = b_weights[i5];
r_acc_0 = fma(t4, t6, r_acc_0);
}
b_y[i7] = greater_of(r_acc_0, 0.0);
}
}
}
)");
}

TEST_CASE("a register tile holds whole vectors, and its loop only base + literal")
{
    const std::string text = glsl_of(register_matmul({32, 48, 16}));
    INFO(text);
    CHECK(count(text, "vec4 r_acc_") == 8);
    CHECK(count(text, "fma(") == 8);
    CHECK(count(text, "vec4 b4_weights[]") == 1);
    CHECK(count(text, "float b_weights[]") == 0);
    CHECK(count(text, "float b_x[]") == 1);
    // Each element of a row and each vector of columns is read once.
    const std::string inner = text.substr(text.find("for ("), text.find("r_acc_0 = greater_of") - text.find("for ("));
    CHECK(count(inner, "= b_x[") == 4);
    CHECK(count(inner, "= b4_weights[") == 2);
    CHECK(count(inner, " * ") == 1); // the row of weights, where the loop begins
    // 32 and 48 are multiples of the tile: nothing is tested.
    CHECK(count(text, "if (") == 0);
    CHECK(count(text, "?") == 0);
}

TEST_CASE("only what cannot be excluded is tested")
{
    const std::string text = glsl_of(staged_matmul({32, 32, 16}));
    INFO(text);
    CHECK(count(text, "if (") == 0);
    CHECK(count(text, "?") == 0);
    CHECK(count(text, "barrier();") == 2);
    CHECK(count(text, "shared vec2 s2_weights_tile[64]") == 1);
}

TEST_CASE("products with the zeros and ones of tables cost nothing")
{
    const std::string text = glsl_of(table_transform());
    INFO(text);
    CHECK(count(text, "fma(") == 3);
    CHECK(count(text, "c_table_0") == 0);
    CHECK(count(text, "const float c_table_1[4]") == 1);
    CHECK(count(text, " += ") == 4);
    CHECK(count(text, " -= ") == 2);
}

TEST_CASE("constants that are no numbers are compiled, in tables too")
{
    for (const float x : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
        const std::string text = codegen::glsl_literal(x);
        CAPTURE(text);
        CHECK(spirv_of("#version 450\nconst float t[1] = float[1](" + text +
                       ");\nlayout(set = 0, binding = 0) buffer b { float x; };\nvoid main() { x = t[0]; }\n")
                  .ok());
    }
}

TEST_CASE("names that others have, or the language, become names of their own")
{
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

TEST_CASE("what has no meaning on a device is refused with its reason")
{
    const auto refused = [](const nest& n, std::string_view reason) {
        const spirv_result r = spirv_of(glsl_of(n));
        CHECK(!r.ok());
        CHECK(r.found.what == fault::shader_rejected);
        CHECK_MESSAGE(r.log.find(reason) != std::string::npos, r.log);
    };
    {
        nest_builder w(isa::none);
        const form i = w.axis("i");
        const int y = w.buffer("y", memory::argument, 4);
        w.loop(binding::parallel, i, 4).store(w.access(y, i), 1.0f);
        refused(w.n, "parallel loops have no meaning in a workgroup");
    }
    {
        nest_builder w(isa::none);
        const form i = w.axis("i");
        const int r = w.buffer("acc", memory::registers, 4);
        w.tile().loop(binding::serial, i, 4).store(w.access(r, i), 1.0f);
        refused(w.n, "registers are indexed by unrolled and vectorized loops only");
    }
    {
        nest_builder w(isa::none);
        const int s = w.buffer("scratch", memory::slot, 4);
        w.store(w.access(s, 0), 1.0f);
        refused(w.n, "memory of a worker slot does not exist on a device");
    }
    const spirv_result r = spirv_of("#version 450\nvoid main() { x = 1; }\n");
    CHECK(r.found.what == fault::shader_rejected);
    CHECK(r.log.find("'x' : undeclared identifier") != std::string::npos);
    CHECK(spirv_of("").found.what == fault::shader_rejected);
}
