// SPDX-License-Identifier: BSL-1.0
// The matrices of Winograd's transforms for 3x3 convolutions (Lavin and Gray, arXiv 1509.09308).
#pragma once

#include <hone/core/inline_vector.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// Transform matrices of F(m, 3), row by row.
struct winograd_matrices {
    inline_vector<float, 36> bt{}; // (m + 2, m + 2)
    inline_vector<float, 18> g{};  // (m + 2, 3)
    inline_vector<float, 24> at{}; // (m, m + 2)
};
// Precondition: m is 2 or 4.
constexpr winograd_matrices winograd_matrices_of(int m)
{
    winograd_matrices w;
    const auto fill = [](auto& to, auto... values) { (to.push_back(static_cast<float>(values)), ...); };
    if (m == 2) {
        fill(w.bt, 1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1);
        fill(w.g, 1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1);
        fill(w.at, 1, 1, 1, 0, 0, 1, -1, -1);
    } else {
        fill(w.bt, 4, 0, -5, 0, 1, 0, 0, -4, -4, 1, 1, 0, 0, 4, -4, -1, 1, 0, 0, -2, -1, 2, 1, 0, 0, 2, -1, -2, 1, 0, 0,
             4, 0, -5, 0, 1);
        fill(w.g, 1.0 / 4, 0, 0, -1.0 / 6, -1.0 / 6, -1.0 / 6, -1.0 / 6, 1.0 / 6, -1.0 / 6, 1.0 / 24, 1.0 / 12, 1.0 / 6,
             1.0 / 24, -1.0 / 12, 1.0 / 6, 0, 0, 1);
        fill(w.at, 1, 1, 1, 1, 1, 0, 0, 1, -1, 2, -2, 0, 0, 1, 1, 4, 4, 0, 0, 1, -1, 8, -8, 1);
    }
    return w;
}

} // namespace hone::schedules
