// SPDX-License-Identifier: BSL-1.0
// Words that are no compute shader of their launch, one thing wrong at a time.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/random.hpp>
#include <hone/tune/vulkan/spirv_check.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr launch of_64{.lanes = 64, .buffers = 3};

std::string wrong(const std::vector<std::uint32_t>& words, const launch& l = of_64)
{
    return tune::wrong_spirv(words, l).value_or("");
}
// With one word changed.
std::string wrong_with(std::size_t at, std::uint32_t word)
{
    auto words = empty_shader(64);
    words.at(at) = word;
    return wrong(words);
}

} // namespace

TEST_CASE("a shader that does nothing fits its launch")
{
    CHECK(wrong(empty_shader(64)) == "");
    CHECK(wrong(empty_shader(64), {.lanes = 32, .buffers = 3}).find("64 x 1 x 1 lanes") != std::string::npos);
}

TEST_CASE("what is no shader is named")
{
    CHECK(wrong({}) != "");
    CHECK(wrong({0x07230203}) != "");
    CHECK(wrong({0x07230203, 0x00010300, 0, 5, 0}).find("0 entry points") != std::string::npos);
    CHECK(wrong_with(0, 0x03022307).find("number") != std::string::npos);
    CHECK(wrong_with(1, 0x00020000).find("no version") != std::string::npos);
    CHECK(wrong_with(3, 0).find("bound") != std::string::npos);
    CHECK(wrong_with(3, 0xffffffff).find("bound") != std::string::npos);
    CHECK(wrong_with(5, 0).find("0 words long") != std::string::npos);
    CHECK(wrong_with(5, 0xffff0011).find("65535 words long") != std::string::npos);
    CHECK(wrong_with(11, 0).find("compute shader") != std::string::npos);
    auto cut = empty_shader(64);
    cut.pop_back();
    CHECK(wrong(cut).find("functions do not end") != std::string::npos);
    auto bound = empty_shader(64);
    // OpDecorate %1 Binding 3, and DescriptorSet 1
    for (const auto& decoration : {std::vector<std::uint32_t>{4u << 16 | 71, 1, 33, 3}, {4u << 16 | 71, 1, 34, 1}}) {
        auto words = bound;
        words.insert(words.begin() + 21, decoration.begin(), decoration.end());
        CHECK(wrong(words) != "");
    }
}

TEST_CASE("a shader that lost a bit is no shader, or one that says the same of its launch")
{
    tune::xoshiro256 bits(1);
    for (int i = 0; i < 20'000; ++i) {
        auto words = empty_shader(64);
        for (std::uint64_t flips = bits.below(4) + 1; flips > 0; --flips)
            words[bits.below(words.size())] ^= std::uint32_t{1} << bits.below(32);
        if (bits.below(8) == 0) words.resize(bits.below(words.size()));
        CHECK(wrong(words).size() < 400);
    }
}
