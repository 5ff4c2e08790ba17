// SPDX-License-Identifier: BSL-1.0
// A searcher that hone does not ship: legal programs in a random order, each once. In the place of the cost model it is
// built with
//
//     SEARCHER audio::shuffled SEARCH_HEADER shuffled.hpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hone/search/own_search.hpp>

namespace audio {

class shuffled {
public:
    using point = hone::tune::space_point;

    shuffled(hone::tune::shared_space space, std::uint64_t seed) : space_(std::move(space)), bits_(seed) {}

    // Fewer than count where chance finds no more; with none the search of the workload ends.
    std::vector<hone::tune::proposal<point>> propose(std::size_t count)
    {
        std::vector<hone::tune::proposal<point>> all;
        for (int draw = 0; draw < 4096 && all.size() < count; ++draw) {
            const point p = space_.random(bits_);
            hone::tune::feature_vector features;
            const auto program = space_.features(p, features); // nothing where the point is illegal
            if (program && known_.insert(*program).second) all.push_back({.point = p, .program = *program});
        }
        return all;
    }
    void tell(const point&, std::uint64_t program, double /*ms*/) { known_.insert(program); }
    void exclude(std::uint64_t program) { known_.insert(program); }

private:
    hone::tune::shared_space space_;
    hone::tune::xoshiro256 bits_;
    std::unordered_set<std::uint64_t> known_{};
};

} // namespace audio
