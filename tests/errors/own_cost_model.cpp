// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: a cost model has fit(rows, labels), a const ready() and a const score(rows, scores), and is made of nothing or of a seed; add what the type lacks of hone/model/cost_model.hpp
// clang-format on
// forbid: model_as_any
// with: -fexceptions
// A cost model that never says whether it is ready.
#include <span>

#include <hone/search/own_search.hpp>

struct by_size {
    void fit(std::span<const hone::tune::feature_row>, std::span<const float>) {}
#ifndef FORBIDDEN
    bool ready() const { return true; }
#endif
    void score(std::span<const hone::tune::feature_row>, std::span<float>) const {}
};
hone::tune::own_search search() { return hone::tune::own_cost_model<by_size>(); }
