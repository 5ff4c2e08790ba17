// SPDX-License-Identifier: BSL-1.0
// The words of the expression language on a Vulkan device, and the activations that are made of them.
#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "activations.hpp"
#include "vulkan_rig.hpp"
#include "words.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

// What a product whose terms are 1 in all places but x makes of the tensors in front of its output.
std::vector<float> results(const definition& of, std::vector<std::vector<float>> tensors)
{
    const nest n = lower(vulkan_schedule(of, default_vulkan(of)));
    REQUIRE(n.ok());
    tensors.emplace_back(static_cast<std::size_t>(of.tensors.back().elements()), 77.0f);
    REQUIRE(launch_of(n).buffers == static_cast<int>(tensors.size()));
    // Weights stand in blocks.
    for (const buffer& b : n.buffers)
        if (b.memory == memory::argument && b.role == role::weights)
            tensors[1].assign(static_cast<std::size_t>(b.elements.constant), 1.0f);
    return run_on(test_device(), n, std::move(tensors)).back();
}
reader this_device() { return test_device().is_software() ? reader::software_device : reader::device; }

constexpr gemm_shape sweep_shape{.m = 16384, .n = 4, .k = 1};
template <expr_op Op>
struct alone {
    static constexpr const char* name = name_of(Op);
    static constexpr expr apply(const expr& acc) { return expr::unary(Op, acc); }
};

} // namespace

TEST_CASE("each word of the language is that of IEEE 754 in shaders, but for what Vulkan leaves open")
{
    const word_data d;
    for_each_word([&](auto op) {
        const auto y = results(word_product<op()>::definition(), {d.x, d.weights, d.bias, d.residual});
        const std::string wrong = wrong_word(op(), y, this_device());
        CHECK_MESSAGE(wrong.empty(), wrong);
    });
}

TEST_CASE("exp, log, tanh and erf in shaders are as near as the table of words says")
{
    std::vector<float> x;
    for (std::uint64_t i = 0; i < 16384; ++i)
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(i * 262'147)));
    for_each_word([&](auto op) {
        if constexpr (is_approximate(op())) {
            CAPTURE(std::string(name_of(op())));
            const auto y = results(gemm<sweep_shape, f32, alone<op()>>::definition(), {x, {1.0f}});
            double worst = 0;
            float where = 0;
            for (std::size_t i = 0; i < y.size(); ++i) {
                if (this_device() == reader::device && is_open(op(), x[i / 4], 0, y[i])) continue;
                const double distance = distance_of(op(), x[i / 4], y[i]);
                if (!(distance > worst)) continue;
                worst = distance;
                where = x[i / 4];
            }
            CAPTURE(where);
            CHECK(worst <= word_of(op()).ulp);
        }
    });
}

TEST_CASE("each activation in a shader, against its formula in double")
{
    const activation_data d;
    for_each_activation([&]<class E>() {
        std::vector<std::vector<float>> tensors{d.x, d.weights};
        if (operand_epilogue<E>) tensors.push_back(d.slopes);
        const auto y = results(activation_product<E>::definition(), std::move(tensors));
        const std::string wrong = wrong_activation<E>(y, this_device() == reader::device);
        CHECK_MESSAGE(wrong.empty(), wrong);
    });
}
