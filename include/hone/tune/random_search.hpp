// SPDX-License-Identifier: BSL-1.0
// Legal, distinct configs of an operator in a random order that a seed fixes: the baseline that every other search has
// to beat. Two configs with the same nest are one; what lowering or the target rejects is counted, never built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <unordered_set>
#include <utility>

#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/run/kernel.hpp>
#include <hone/schedule/knob.hpp>

namespace hone::tune {

// The same index on every standard library.
inline std::size_t draw(std::mt19937_64& bits, std::size_t count) { return static_cast<std::size_t>(bits() % count); }

template <class Knobs>
Knobs random_knobs(std::mt19937_64& bits)
{
    Knobs r;
    for (const auto& k : knobs_of(r)) k.set(r, k.values[draw(bits, k.values.size())]);
    return r;
}

// The configs of the CPU for an operator.
class cpu_space {
public:
    using config = cpu_config;

    cpu_space(const definition& d, isa set) : definition_(d), set_(set) {}

    cpu_config random(std::mt19937_64& bits) const
    {
        // As many configs of each template, since the larger product need not hold the faster kernels.
        cpu_config c;
        if (winograd_applies(definition_) && draw(bits, 2) == 1) {
            c.algorithm = cpu_template::winograd;
            c.winograd = random_knobs<winograd_knobs>(bits);
        } else {
            c.direct = random_knobs<direct_knobs>(bits);
        }
        return c;
    }
    cpu_config standard() const { return {.direct = default_direct(definition_, set_)}; }

    // The hash of its nest; nothing where the config is illegal, and the fault is then in `why`.
    std::optional<std::uint64_t> nest_of(const cpu_config& c, status& why) const
    {
        const nest compute = lower(cpu_schedule(definition_, c, set_));
        why = compute.ok() ? check(compute, cpu_target(set_)) : compute.found;
        if (!why.ok()) return std::nullopt;
        const nest packing = lower(cpu_packing(definition_, c, set_));
        why = packing.ok() ? check(packing, cpu_target(set_)) : packing.found;
        if (!why.ok()) return std::nullopt;
        return nest_hash(compute);
    }

private:
    definition definition_;
    isa set_;
};

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
        for (int i = 0; i < most_draws; ++i)
            if (auto c = admit(space_.random(bits_))) return c;
        return std::nullopt;
    }
    // The config, if it is legal and new: defaults and other known configs go first this way.
    std::optional<candidate> admit(const config& c)
    {
        status why;
        const auto hash = space_.nest_of(c, why);
        if (!hash) {
            ++illegal_;
            return std::nullopt;
        }
        if (!known_.insert(*hash).second) return std::nullopt;
        return candidate{c, *hash};
    }
    std::size_t illegal() const { return illegal_; }

private:
    Space space_;
    std::mt19937_64 bits_;
    std::unordered_set<std::uint64_t> known_{};
    std::size_t illegal_ = 0;
};

} // namespace hone::tune
