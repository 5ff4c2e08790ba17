// SPDX-License-Identifier: BSL-1.0
// Shader text to SPIR-V: what each way of optimizing leaves, and that text that is no shader comes back with the
// compiler's log. The texts of nests are compiled in vulkan/codegen.cpp.
#include <hone/tune/vulkan/spirv.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/spirv_check.hpp>

using namespace hone;
using namespace hone::tune;

namespace {

const std::string doubling = R"(#version 450
layout(local_size_x = 32) in;
layout(set = 0, binding = 0) buffer memory_of_y { float y[]; };
float twice(float x) { return x * 2.0; }
void main() { y[gl_GlobalInvocationID.x] = twice(y[gl_GlobalInvocationID.x]); }
)";

constexpr std::uint32_t op_function = 54, op_name = 5;
// Instructions of a kind.
int count_of(const std::vector<std::uint32_t>& words, std::uint32_t op)
{
    int count = 0;
    for (std::size_t at = 5; at < words.size(); at += std::max(words[at] >> 16, 1u))
        count += (words[at] & 0xffff) == op;
    return count;
}

} // namespace

TEST_CASE("a shader is words of SPIR-V 1.3 that fit its launch, and the process knows that it compiled one")
{
    for (const auto how : {optimize::none, optimize::light, optimize::small}) {
        const spirv_result r = spirv_of(doubling, how);
        REQUIRE_MESSAGE(r.ok(), r.log);
        CHECK(r.words[0] == 0x07230203);
        CHECK(r.words[1] == 0x00010300);
        CHECK_FALSE(tune::wrong_spirv(r.words, {.lanes = 32, .buffers = 1}).has_value());
        CHECK(tune::wrong_spirv(r.words, {.lanes = 64, .buffers = 1}).has_value());
        CHECK(spirv_of(doubling, how).words == r.words);
    }
    CHECK(glslang_started);
}

TEST_CASE("names go and functions are inlined, unless nothing is to be optimized")
{
    const spirv_result none = spirv_of(doubling, optimize::none), light = spirv_of(doubling);
    CHECK(count_of(none.words, op_function) == 2);
    CHECK(count_of(none.words, op_name) > 0);
    CHECK(count_of(light.words, op_function) == 1);
    CHECK(count_of(light.words, op_name) == 0);
    CHECK(light.words.size() < none.words.size());
    CHECK(spirv_of(doubling, optimize::small).words.size() <= light.words.size());
}

TEST_CASE("text that is no shader is refused with the place, and one that follows is compiled")
{
    const spirv_result wrong = spirv_of("#version 450\nvoid main() { y = 1.0; }\n");
    CHECK(wrong.found.what == fault::shader_rejected);
    CHECK(std::string{wrong.found.subject} == "parse");
    CHECK(wrong.words.empty());
    CHECK(wrong.log.find(":2: 'y' : undeclared identifier") != std::string::npos);
    const spirv_result no_main = spirv_of("#version 450\nlayout(local_size_x = 1) in;\nfloat f() { return 1.0; }\n");
    CHECK(no_main.found.what == fault::shader_rejected);
    CHECK(std::string{no_main.found.subject} == "link");
    CHECK(spirv_of("").found.what == fault::shader_rejected);
    CHECK(spirv_of(doubling).ok());
}
