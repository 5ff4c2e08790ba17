// SPDX-License-Identifier: BSL-1.0
// A cost model that hone does not ship: a kernel takes as long as its instructions do, or as what it fetches into the
// first cache, whichever is more (Williams, Waterman, Patterson, "Roofline", 2009). It has nothing to learn.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <hone/model/cost_model.hpp>
#include <hone/model/feature_vector.hpp>

namespace audio {

struct roofline {
    void fit(std::span<const hone::tune::feature_row>, std::span<const float>) {}
    bool ready() const { return true; } // from the first candidate on
    void score(std::span<const hone::tune::feature_row> rows, std::span<float> scores) const
    {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            // Logarithms: two vector instructions a cycle, and 32 bytes.
            const float cycles_of_instructions = of(rows[i], hone::tune::nest_feature::operations) - 1;
            const float cycles_of_fetching = of(rows[i], hone::tune::nest_feature::l1_traffic) - 5;
            scores[i] = -std::max(cycles_of_instructions, cycles_of_fetching); // a higher score is a faster kernel
        }
    }

private:
    static float of(hone::tune::feature_row row, hone::tune::nest_feature f)
    {
        return row[static_cast<std::size_t>(hone::tune::feature_vector::index(f))];
    }
};

} // namespace audio
