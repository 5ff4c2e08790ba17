// SPDX-License-Identifier: BSL-1.0
// Legal, distinct configs of an operator in a random order that a seed fixes: the baseline that every other search has
// to beat. Two configs with the same nest are one; what lowering or the target rejects is counted, never built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <utility>

#include <hone/core/fault.hpp>
#include <hone/tune/cpu_space.hpp>
#include <hone/tune/random.hpp>

namespace hone::tune {

template <class Space>
class random_search {
public:
    using config = typename Space::config;
    struct candidate {
        typename Space::config config;
        std::uint64_t nest;
    };

    random_search(Space space, std::uint64_t seed) : space_(std::move(space)), bits_(seed) {}

    const Space& space() const { return space_; }

    // A config that was not given before; nothing where `most_draws` draws find no new one.
    std::optional<candidate> next(int most_draws = 4096)
    {
        for (int i = 0; i < most_draws; ++i) {
            const auto p = space_.random(bits_);
            status why;
            const auto hash = space_.nest_of(p, why);
            if (auto c = admitted(space_.config_of(p), hash)) return c;
        }
        return std::nullopt;
    }
    // The config, if it is legal and new: defaults and other known configs go first this way.
    std::optional<candidate> admit(const config& c)
    {
        status why;
        return admitted(c, space_.nest_of(c, why));
    }
    std::size_t illegal() const { return illegal_; }

private:
    std::optional<candidate> admitted(const config& c, std::optional<std::uint64_t> nest)
    {
        if (!nest) ++illegal_;
        if (!nest || !known_.insert(*nest).second) return std::nullopt;
        return candidate{c, *nest};
    }

    Space space_;
    xoshiro256 bits_;
    std::unordered_set<std::uint64_t> known_{};
    std::size_t illegal_ = 0;
};

} // namespace hone::tune
