// SPDX-License-Identifier: BSL-1.0
// The words that hone computes by polynomials: their largest errors over all floats, against the C library in double
// and in the distances of floats there, and how long a vector of them takes. The errors take minutes; an argument of n
// leaves all but each n-th float out.
//
//     word_errors 1
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <hone/cpu/simd.hpp>

namespace {

using namespace hone;
using namespace hone::codegen;

constexpr isa set = compiled_isa();
using vectors = simd<set, float>;
constexpr std::size_t block = 4096;

template <expr_op Op>
HONE_FLATTEN void evaluate(const float* x, float* y)
{
    for (std::size_t i = 0; i < block; i += vectors::lanes) {
        const auto v = vectors::load(x + i);
        if constexpr (arity(Op) == 1)
            vectors::store(y + i, apply<vectors, Op>(v));
        else
            vectors::store(y + i, apply<vectors, Op>(v, v));
    }
}

double distance_between(float y, double exact)
{
    if (std::isnan(y) || std::isnan(exact)) return std::isnan(y) == std::isnan(exact) ? 0 : HUGE_VAL;
    if (std::signbit(y) != std::signbit(exact)) return HUGE_VAL;
    // What is too large for a float counts as the number behind the largest.
    const double found = std::isinf(y) ? std::copysign(0x1p128, exact) : static_cast<double>(y);
    const double limited = std::fmax(std::fmin(exact, 0x1p128), -0x1p128);
    if (found == limited) return 0;
    return std::fabs(found - limited) / std::ldexp(1.0, std::clamp(std::ilogb(limited) - 23, -149, 104));
}

template <expr_op Op>
void report(std::uint64_t step)
{
    std::vector<float> x(block), y(block);
    for (std::size_t i = 0; i < block; ++i) x[i] = static_cast<float>(i) / 512 - 4;
    double ns = HUGE_VAL;
    for (int round = 0; round < 200; ++round) {
        const auto start = std::chrono::steady_clock::now();
        evaluate<Op>(x.data(), y.data());
        benchmark::ClobberMemory();
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        ns = std::min(ns, took.count() / (block / vectors::lanes));
    }
    std::printf("%-6s %6.2f ns a vector of %d", name_of(Op), ns, vectors::lanes);
    if (word_of(Op).ulp > 0.5) {
        double worst = 0;
        float where = 0;
        for (std::uint64_t first = 0; first <= UINT32_MAX; first += block * step) {
            for (std::size_t i = 0; i < block; ++i)
                x[i] = std::bit_cast<float>(
                    static_cast<std::uint32_t>(std::min<std::uint64_t>(first + i * step, UINT32_MAX)));
            evaluate<Op>(x.data(), y.data());
            for (std::size_t i = 0; i < block; ++i) {
                const double exact = word_of(Op).value(static_cast<double>(x[i]), 0, 0);
                // The nearest float, as most are.
                if (worst >= 0.5 && static_cast<float>(exact) == y[i] && y[i] != 0) continue;
                const double distance = distance_between(y[i], exact);
                if (distance > worst) worst = distance, where = x[i];
            }
        }
        std::printf("; error %.3f at %a, stated %.1f", worst, static_cast<double>(where), word_of(Op).ulp);
    }
    std::printf("\n");
}

} // namespace

int main(int count, char** arguments)
{
    const auto step = static_cast<std::uint64_t>(count > 1 ? std::max(std::atoi(arguments[1]), 1) : 1);
    report<expr_op::add>(step);
    report<expr_op::div>(step);
    report<expr_op::round>(step);
    report<expr_op::floor>(step);
    report<expr_op::less>(step);
    report<expr_op::exp>(step);
    report<expr_op::log>(step);
    report<expr_op::tanh>(step);
    report<expr_op::erf>(step);
}
