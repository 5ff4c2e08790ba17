// SPDX-License-Identifier: BSL-1.0
// The words that hone computes itself, and the activations made of them, in vectors of each instruction set: within
// their bounds, and with the same bits whatever the vector length.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/entry.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/cpu/simd.hpp>

#include "activations.hpp"
#include "words.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr isa set = compiled_isa();
constexpr int longest = lanes_of(set, dtype::f32);

// In vectors of N; of 1: as code without vectors has it.
template <expr_op Op, int N>
HONE_FLATTEN void evaluate(const float* x, float* y, std::size_t count)
{
    for (std::size_t i = 0; i < count; i += N)
        simd<set, float, N>::store(y + i, apply<simd<set, float, N>, Op>(simd<set, float, N>::load(x + i)));
}
// The bits of a float, of NaN those of a quiet one: where an operation does no more than make it quiet, clang leaves it
// out for some lengths.
std::uint32_t quiet_bits(float x)
{
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return x != x ? bits | 0x00400000u : bits;
}
template <expr_op Op, int N>
bool is_same(const std::vector<float>& x, const std::vector<float>& y)
{
    if constexpr (N > longest) {
        return true;
    } else {
        std::vector<float> other(x.size());
        evaluate<Op, N>(x.data(), other.data(), x.size());
        return std::equal(y.begin(), y.end(), other.begin(),
                          [](float a, float b) { return quiet_bits(a) == quiet_bits(b); });
    }
}

// One float of 16,381, of both signs, and all next to the ends of where a result is neither 0 nor infinite nor 1.
std::vector<float> inputs()
{
    std::vector<float> x;
    for (std::uint64_t bits = 0; bits <= UINT32_MAX; bits += 16'381)
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    for (const float end : {0.0f, 0.5f, 0.70710677f, 1.0f, 1.4142135f, 4.0f, 9.01f, 10.0f, 87.33655f, 88.72284f, 89.0f,
                            103.97208f, 104.0f})
        for (std::uint32_t i = 0; i < 128; ++i) {
            const float at = std::bit_cast<float>(std::bit_cast<std::uint32_t>(end) + i - (end > 0 ? 64 : 0));
            x.push_back(at);
            x.push_back(-at);
        }
    for (float special : special_values) x.push_back(special);
    while (x.size() % 16 != 0) x.push_back(1.0f);
    return x;
}

} // namespace

TEST_CASE("exp, log, tanh and erf are as near as the table of words says, the same for all vector lengths")
{
    const std::vector<float> x = inputs();
    for_each_word([&](auto op) {
        if constexpr (arity(op()) == 1 && op() != expr_op::neg) {
            CAPTURE(std::string(name_of(op())));
            std::vector<float> y(x.size());
            evaluate<op(), longest>(x.data(), y.data(), x.size());
            CHECK(is_same<op(), 1>(x, y));
            CHECK(is_same<op(), 4>(x, y));
            CHECK(is_same<op(), 8>(x, y));
            double worst = 0;
            float where = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double distance = is_approximate(op())
                                            ? distance_of(op(), x[i], y[i])
                                            : distance_of(y[i], static_cast<double>(by_libm(op(), x[i], 0)));
                if (!(distance > worst)) continue;
                worst = distance;
                where = x[i];
            }
            CAPTURE(where);
            CHECK(worst <= (is_approximate(op()) ? word_of(op()).ulp : 0.0));
            // The bound is no idle one.
            if (is_approximate(op())) CHECK(worst > 0.3 * word_of(op()).ulp);
        }
    });
}

TEST_CASE("each activation in vectors, against its formula in double")
{
    const activation_data d;
    for_each_activation([&]<class E>() {
        const entry k = entry_of<kernel<activation_product<E>>>();
        std::vector<float> packed(k.packed_bytes / sizeof(float)), y(d.x.size() * d.weights.size(), 77.0f);
        k.pack(d.weights.data(), packed.data());
        serial_executor serial;
        REQUIRE(k.run(reference_to(serial),
                      {.x = d.x.data(), .weights = packed.data(), .bias = d.slopes.data(), .y = y.data()})
                    .ok());
        const std::string wrong = wrong_activation<E>(y);
        CHECK_MESSAGE(wrong.empty(), wrong);
    });
}
