// SPDX-License-Identifier: BSL-1.0
// Kernels compute by IEEE 754 whatever the flags of the engine: every word of the language as libm has it, sums in the
// order of the definition, NaN through ReLU. The interpreter, which stands for the meaning of a nest, is held to the
// same laws.
#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/direct.hpp>

#include "library.hpp"

namespace hone::test {

#define DECLARE(Set)                                                                                                   \
    template <>                                                                                                        \
    const entry ieee_library<Set, 0>::kernels[kernels_of_library];                                                     \
    template <>                                                                                                        \
    const entry ieee_library<Set, 1>::kernels[kernels_of_library];
DECLARE(isa::baseline)
#ifdef HONE_TEST_X86
DECLARE(isa::avx2)
DECLARE(isa::avx512)
#endif
#undef DECLARE

} // namespace hone::test

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

struct library_here {
    const char* flags;
    isa set;
    const entry* kernels;
};
#define LIBRARIES(Set)                                                                                                 \
    {"no flags", Set, ieee_library<Set, 0>::kernels}, { "-Ofast", Set, ieee_library<Set, 1>::kernels }
const library_here libraries[] = {
#ifdef HONE_TEST_X86
    LIBRARIES(isa::avx2), LIBRARIES(isa::avx512),
#endif
    LIBRARIES(isa::baseline)};
#undef LIBRARIES

std::vector<float> results(const entry& kernel, const std::vector<float>& x, const std::vector<float>& weights,
                           const std::vector<float>& bias, const std::vector<float>& residual, std::size_t elements)
{
    std::vector<float> packed(kernel.packed_bytes / sizeof(float)), y(elements, 77.0f);
    kernel.pack(weights.data(), packed.data());
    serial_executor serial;
    const status s = kernel.run(
        reference_to(serial),
        {.x = x.data(), .weights = packed.data(), .bias = bias.data(), .residual = residual.data(), .y = y.data()});
    CHECK(s.ok());
    return y;
}

template <class F>
void for_each_library(F&& f)
{
    for (const library_here& l : libraries) {
        if (!runs_here(l.set)) continue;
        INFO((std::string(name_of(l.set)) + ", " + l.flags));
        f(l);
    }
}

// Of large terms that cancel and small ones that vanish beside them.
struct sums_data {
    std::vector<float> x, weights;
    sums_data()
    {
        const float terms[] = {1e8f, 1.0f, -1e8f, 0x1.000002p0f, 3e-5f, -7.3f, 2.5e7f, -2.5e7f};
        for (std::int64_t i = 0; i < sums_shape.m.value * sums_shape.k; ++i) x.push_back(terms[i * 5 % 7]);
        for (std::int64_t i = 0; i < sums_shape.k * sums_shape.n; ++i)
            weights.push_back(static_cast<float>(i * 11 % 23 - 11) * 0.37f);
    }
};

} // namespace

TEST_CASE("each word of the language is that of IEEE 754, with any flags")
{
    const word_data d;
    for_each_library([&](const library_here& l) {
        std::size_t place = 0;
        for_each_word([&](auto op) {
            const std::string wrong =
                wrong_word(op(), results(l.kernels[place++], d.x, d.weights, d.bias, d.residual, d.residual.size()));
            CHECK_MESSAGE(wrong.empty(), wrong);
        });
    });
}

TEST_CASE("sums are formed in the order of the definition, with any flags")
{
    const sums_data d;
    for_each_library([&](const library_here& l) {
        const auto y = results(l.kernels[plain_sums], d.x, d.weights, {}, {}, 7 * 35);
        // Multiplication and addition are one rounding or two: a compiler's choice, but the same one for every sum.
        std::size_t fused = 0, apart = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            float sum_fused = 0, sum_apart = 0;
            for (std::size_t k = 0; k < 24; ++k) {
                const float a = d.x[i / 35 * 24 + k], b = d.weights[k * 35 + i % 35];
                // Not in one expression, which a compiler may fuse here.
                volatile float product = a * b;
                sum_fused = std::fma(a, b, sum_fused);
                sum_apart += product;
            }
            fused += y[i] == sum_fused;
            apart += y[i] == sum_apart;
        }
        CHECK((apart == y.size() || (fused == y.size() && l.set != isa::baseline)));
    });
}

TEST_CASE("a NaN comes through ReLU, with any flags")
{
    sums_data d;
    d.x[24 + 7] = std::numeric_limits<float>::quiet_NaN();
    for_each_library([&](const library_here& l) {
        for (const std::size_t which : {relu_sums, relu6_sums}) {
            const auto y = results(l.kernels[which], d.x, d.weights, {}, {}, 7 * 35);
            int nans = 0;
            for (std::size_t i = 0; i < y.size(); ++i) nans += std::isnan(y[i]) == (i / 35 == 1);
            CHECK(nans == 7 * 35);
        }
    });
}

TEST_CASE("the interpreter's words are those of IEEE 754")
{
    word_data d;
    for_each_word([&](auto op) {
        const definition of = word_product<op()>::definition();
        const direct_knobs knobs = default_direct(of, isa::avx2);
        const nest n = lower(direct_schedule(of, knobs, isa::avx2));
        REQUIRE(n.ok());
        std::vector<float> y(d.residual.size());
        std::vector<float> packed(static_cast<std::size_t>(packed_weights(of, knobs, isa::avx2)[0].elements()), 1.0f);
        std::vector<argument> arguments;
        for (auto* t : {&d.x, &packed, &d.bias, &d.residual, &y})
            arguments.push_back({t->data(), static_cast<std::int64_t>(t->size())});
        REQUIRE(interpret(n, arguments).ok());
        const std::string wrong = wrong_word(op(), y);
        CHECK_MESSAGE(wrong.empty(), wrong);
    });
}
