// SPDX-License-Identifier: BSL-1.0
// Element-wise operators as plain loops in double: chains of words, each with an operand that has an element for each
// of x, for each channel, or for all. Data are small integers and divisors powers of two, so that results are exact.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <hone/op/elementwise.hpp>

#include "reference.hpp"

namespace hone::test {

using namespace core;

// One word of a chain, as it is written on paper.
struct written_word {
    double (*value)(double x, double other);
    per reach = per::element;
    bool divides = false;
    bool reads = true;
};
inline double larger_or_nan(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b); }
inline double smaller_or_nan(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b); }
inline written_word adds(per p)
{
    return {[](double x, double o) { return x + o; }, p};
}
inline written_word subtracts(per p)
{
    return {[](double x, double o) { return x - o; }, p};
}
inline written_word multiplies(per p)
{
    return {[](double x, double o) { return x * o; }, p};
}
inline written_word divides(per p)
{
    return {[](double x, double o) { return x / o; }, p, true};
}
inline written_word takes_larger(per p) { return {larger_or_nan, p}; }
inline written_word takes_smaller(per p) { return {smaller_or_nan, p}; }
inline written_word clamps()
{
    return {[](double x, double) { return x < 0 ? 0 : x; }, per::element, false, false};
}
using chain = std::vector<written_word>;

// Chains that tests share, and how they are written.
template <image_shape S>
using scaled_sum = elementwise<S, f32, multiply<per::channel>, add<per::element>, maximum<per::tensor>, relu>;
inline chain scaled_sum_words()
{
    return {multiplies(per::channel), adds(per::element), takes_larger(per::tensor), clamps()};
}
template <image_shape S>
using quotient = elementwise<S, f32, subtract<per::element>, divide<per::tensor>, minimum<per::element>>;
inline chain quotient_words() { return {subtracts(per::element), divides(per::tensor), takes_smaller(per::element)}; }

struct elementwise_data {
    floats x;
    std::vector<floats> operands{}; // of the words that read one
};
inline elementwise_data data_of(const image_shape& s, const chain& words, std::uint64_t seed)
{
    const std::int64_t elements = s.n * s.h * s.w * s.c;
    elementwise_data d{small_integers(elements, seed)};
    for (const written_word& w : words) {
        if (!w.reads) continue;
        d.operands.push_back(small_integers(w.reach == per::element   ? elements
                                            : w.reach == per::channel ? s.c.value
                                                                      : 1,
                                            ++seed));
        if (w.divides)
            for (float& f : d.operands.back()) f = f < 0 ? -0.5f : 4.0f;
    }
    return d;
}
inline doubles reference(const image_shape& s, const chain& words, const elementwise_data& d)
{
    doubles y;
    const std::int64_t pixels = s.h * s.w;
    for (std::int64_t i = 0; i < s.n * pixels * s.c; ++i) {
        const std::int64_t channel = s.layout == layout::nhwc ? i % s.c : i / pixels % s.c;
        double v = static_cast<double>(d.x[static_cast<std::size_t>(i)]);
        std::size_t next = 0;
        for (const written_word& w : words) {
            double other = 0;
            if (w.reads) {
                const floats& o = d.operands[next++];
                other = static_cast<double>(o[static_cast<std::size_t>(w.reach == per::element   ? i
                                                                       : w.reach == per::channel ? channel
                                                                                                 : 0)]);
            }
            v = w.value(v, other);
        }
        y.push_back(v);
    }
    return y;
}

} // namespace hone::test
