// SPDX-License-Identifier: BSL-1.0
// Each activation that hone ships alone, behind a product of one term, which is its input: what it computes in double,
// and how far floats may lie from that.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

#include "reference.hpp"

namespace hone::test {

inline constexpr float prelu_slope = 0.2f;

inline double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
inline double hard_sigmoid_of(double x) { return std::isnan(x) ? x : std::fmin(std::fmax(x / 6 + 0.5, 0.0), 1.0); }

// What E is of a number, and the error that its words and their roundings add up to: so many 2^-24 of the result, and
// of the input.
struct expected_activation {
    double (*of)(double);
    double of_result;
    double of_input;
};
template <class E>
inline constexpr expected_activation activation{nullptr, 0, 0};
template <>
inline constexpr expected_activation activation<sigmoid>{sigmoid_of, 7, 0};
template <>
inline constexpr expected_activation activation<tanh_activation>{[](double x) { return std::tanh(x); }, 6, 0};
template <>
inline constexpr expected_activation activation<silu>{[](double x) { return x * sigmoid_of(x); }, 8, 0};
template <>
inline constexpr expected_activation activation<gelu>{
    [](double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }, 2, 4};
template <>
inline constexpr expected_activation activation<gelu_tanh>{
    [](double x) {
        const double pi = std::acos(-1.0);
        return x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * x * x * x))) / 2;
    },
    2, 6};
template <>
inline constexpr expected_activation activation<hard_sigmoid>{hard_sigmoid_of, 1, 2};
template <>
inline constexpr expected_activation activation<hard_swish>{[](double x) { return x * hard_sigmoid_of(x); }, 2, 3};
template <>
inline constexpr expected_activation activation<leaky_relu<0.1>>{[](double x) { return x < 0 ? x * 0.1 : x; }, 2, 0};
template <>
inline constexpr expected_activation activation<leaky_relu<-1.5>>{[](double x) { return x < 0 ? x * -1.5 : x; }, 1, 0};
template <>
inline constexpr expected_activation activation<prelu>{
    [](double x) { return x < 0 ? x * static_cast<double>(prelu_slope) : x; }, 1, 0};
template <>
inline constexpr expected_activation activation<elu<1>>{[](double x) { return x > 0 ? x : std::expm1(x); }, 9, 0};
template <>
inline constexpr expected_activation activation<elu<1.75f>>{[](double x) { return x > 0 ? x : 1.75 * std::expm1(x); },
                                                            9, 0};
template <>
inline constexpr expected_activation activation<clip<-1, 2.5>>{
    [](double x) { return std::isnan(x) ? x : std::fmin(std::fmax(x, -1.0), 2.5); }, 0, 0};

// f.operator()<E>() for each of them.
template <class F>
void for_each_activation(F&& f)
{
    [&]<class... E>() {
        (f.template operator()<E>(), ...);
    }.template operator()<sigmoid, tanh_activation, silu, gelu, gelu_tanh, hard_sigmoid, hard_swish, leaky_relu<0.1>,
                          leaky_relu<-1.5>, prelu, elu<1>, elu<1.75f>, clip<-1, 2.5>>();
}

// y[i][j] = E(x[i]); no multiple of a vector.
inline constexpr gemm_shape activation_shape{.m = 181, .n = 21, .k = 1};
template <class E>
using activation_product = gemm<activation_shape, f32, E>;

struct activation_data {
    floats x, weights = floats(static_cast<std::size_t>(activation_shape.n), 1.0f),
              slopes = floats(weights.size(), prelu_slope);
    activation_data()
    {
        constexpr float infinity = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
        for (float size :
             {0.0f,  1e-30f, 3e-6f, 0.01f, 0.3f,  0.5f,  1.0f,   2.5f,   2.9999f, 3.0f,  3.0001f, 6.0f,    9.0f,
              10.5f, 17.0f,  45.0f, 80.0f, 88.0f, 90.0f, 104.0f, 150.0f, 1e4f,    1e30f, most,    infinity})
            for (float sign : {1.0f, -1.0f}) x.push_back(sign * size);
        x.push_back(std::numeric_limits<float>::quiet_NaN());
        random_numbers random{7};
        while (x.size() < static_cast<std::size_t>(activation_shape.m.value))
            x.push_back(static_cast<float>(random.between(-10'000'000, 10'000'000)) * 1e-6f);
    }
};

// The first result that is too far from the exact one. `from_device`: quotients are 2.5 units off, which small numbers
// and infinities are left out for.
template <class E>
std::string wrong_activation(const floats& y, bool from_device = false)
{
    constexpr expected_activation expected = activation<E>;
    const activation_data d;
    for (std::size_t i = 0; i < y.size(); ++i) {
        const float input = d.x[i / d.weights.size()];
        const auto x = static_cast<double>(input);
        if (from_device && (std::fabs(x) > 80 || std::fabs(x) < 1e-20)) continue;
        const double exact = expected.of(x), found = static_cast<double>(y[i]);
        constexpr double unit = 0x1p-24;
        // Denormals are 2^-149 apart, and a factor may be one.
        const double allowed = (expected.of_result + (from_device ? 10 : 0)) * unit * std::fabs(exact) +
                               (expected.of_input > 0 ? expected.of_input * unit * std::fabs(x) : 0) +
                               8 * 0x1p-149 * std::fmax(1.0, std::fmin(std::fabs(x), 1e3));
        const bool is_right = std::isnan(exact)            ? std::isnan(found)
                              : std::isinf(exact)          ? found == exact
                              : std::fabs(exact) > 0x1p128 ? std::isinf(found)
                                                           : std::fabs(found - exact) <= allowed;
        if (!is_right) {
            std::ostringstream text;
            text.precision(9);
            text << E::name << " of " << input << " is " << y[i] << " in place of " << exact;
            return text.str();
        }
    }
    return {};
}

} // namespace hone::test
