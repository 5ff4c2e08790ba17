// SPDX-License-Identifier: BSL-1.0
// How far a kernel may stray from its definition: the classes of error that schedules fall into, and what a workload
// allows. By default a tuned kernel is as right as the default one; Winograd is for those who ask for it:
//
//     struct c2 : hone::conv2d<shape, hone::f32, hone::fast, hone::bias, hone::relu> {};
//
// The signature then says "fast". ACCURACY fast of hone_add_tuned_library is for workloads that say nothing.
#pragma once

#include <cstdint>

#include <hone/core/traits.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Strictest first. u is 2^-24; s is the sum of |x w| over the k terms of an output, and its bias.
enum class error_class : std::uint8_t {
    // One chain of multiply-adds for each output, its terms in the order of the definition: all kernels of this class
    // give the same bits on one instruction set (one with fused multiply-adds rounds once a term, others twice) where
    // the compiler contracts a * b + c, as g++ does at -O2 and clang at -O1, and g++ at -O1 not in all places. The
    // error is at most 2 k u s (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). Maxima and
    // minima round nothing and are of this class in any order; of zeros of both signs they give one or the other.
    exact_order,
    // The same terms in another order: the same bound, other bits. Outputs that are not finite are the same. In both
    // classes one thing is open: whether padding times a weight that is not finite is a term.
    reassociated,
    // Winograd's F(2, 3), F(4, 3) and larger tiles: differences of the (m + 2)^2 pixels of a tile meet in its outputs.
    // So the error is in proportion to the largest |x| of the tile and not to s: to k max|x| max|w|, times up to
    // (8 / 3)^2 = 7 and 16^2 = 256, which is what |A^T| (|B^T| 1) (|G| 1) makes of 3^2 products of 1 (Barabasz et al.,
    // Error Analysis and Improving the Accuracy of Winograd Convolution, 2020, section 3). On data that is alike it is
    // 0.4 and 4.4 times that of a direct kernel (k = 576; tests/schedule/accuracy.cpp). What sees an infinite pixel may
    // be NaN; from F(4, 3) on, outputs of a tile that do not see a pixel of 1e30 or infinity are noise or NaN, too.
    winograd_2,
    winograd_4,
    winograd_6,
};
constexpr const char* name_of(error_class c)
{
    constexpr const char* names[] = {"exact order", "reassociated", "Winograd 2", "Winograd 4", "Winograd 6"};
    return names[static_cast<int>(c)];
}

// What an engine asks for.
enum class accuracy : std::uint8_t {
    exact,    // the same bits, whatever is tuned
    standard, // as right as the closed-form default: sums in any order
    fast,     // Winograd up to F(4, 3), too
};
constexpr const char* name_of(accuracy a)
{
    constexpr const char* names[] = {"exact", "default", "fast"};
    return names[static_cast<int>(a)];
}
// The worst class that it allows.
constexpr error_class worst_of(accuracy a)
{
    switch (a) {
    case accuracy::exact: return error_class::exact_order;
    case accuracy::standard: return error_class::reassociated;
    case accuracy::fast: return error_class::winograd_4;
    }
    return error_class::exact_order;
}

// Words for the parameter list of a workload, beside its epilogues; they become part of its signature, since what is
// computed hangs on them. A user's operator puts one into its signature: signature.word(hone::exact::name).
struct exact {
    static constexpr const char* name = name_of(accuracy::exact);
};
struct fast {
    static constexpr const char* name = name_of(accuracy::fast);
};
template <class T>
concept accuracy_word = same_as<T, exact> || same_as<T, fast>;

// What the workload of this signature allows; `otherwise` where it says nothing.
constexpr accuracy accuracy_in(const char* signature, accuracy otherwise)
{
    const auto is_word = [](const char* text, const char* word) {
        for (; *word != '\0'; ++text, ++word)
            if (*text != *word) return false;
        return *text == '\0' || *text == ' ';
    };
    for (const char* at = signature; *at != '\0'; ++at) {
        if (at != signature && at[-1] != ' ') continue;
        if (is_word(at, exact::name)) return accuracy::exact;
        if (is_word(at, fast::name)) return accuracy::fast;
    }
    return otherwise;
}

} // namespace hone::operators

namespace hone { // API
using operators::accuracy, operators::error_class, operators::exact, operators::fast, operators::name_of;
} // namespace hone
