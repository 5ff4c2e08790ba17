// SPDX-License-Identifier: BSL-1.0
// Whether the closed-form default of a shape is near the best of some random programs of its space, each timed in turns
// with it; and shapes that nobody has chosen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include <fmt/core.h>

#include <hone/model/random.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/search/any_space.hpp>

#include "kernels.hpp"
#include "operands.hpp"
#include "session.hpp"

namespace bench::layers {

// Of a draw, always the same ones: convolutions, depthwise ones and products of extents that networks have and of
// others, none larger than a hundredth of a second.
inline std::vector<shape> drawn_shapes(std::uint64_t seed, int count)
{
    hone::tune::xoshiro256 bits(seed);
    const auto between = [&](std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(bits.below(static_cast<std::uint64_t>(most - least + 1)));
    };
    const auto one_of = [&](std::initializer_list<std::int64_t> all) {
        return *(all.begin() + bits.below(all.size()));
    };
    // Half of them round.
    const auto channels = [&](std::int64_t most) {
        return bits.below(2) == 0 ? 16 * between(1, most / 16) : between(1, most);
    };
    std::vector<shape> all;
    while (static_cast<int>(all.size()) < count) {
        const std::uint64_t kind = bits.below(3);
        const std::int64_t kernel = one_of({1, 3, 3, 5, 7}), stride = one_of({1, 1, 2}), h = between(kernel, 80),
                           w = bits.below(2) == 0 ? h : between(kernel, 80);
        const std::string window = fmt::format("{0}x{0} /{1} pad {2}", kernel, stride, kernel / 2);
        std::string text;
        if (kind == 0)
            text = fmt::format("gemm {}x{}x{}", between(1, 600), channels(1024), channels(1024));
        else if (kind == 1)
            text = fmt::format("depthwise {}x{}x{} {} bias relu", h, w, channels(512), window);
        else
            text = fmt::format("conv2d {}x{}x{} -> {} {} bias relu", h, w, channels(256), channels(256), window);
        shape s = parse_shape(text);
        if (const auto* const c = s.conv2d();
            c != nullptr && c->oh() * c->ow() * c->oc * c->kh * c->kw * (c->ic / c->groups) > 500'000'000)
            continue;
        s.name = fmt::format("drawn{}", all.size() + 1);
        s.group = "drawn";
        all.push_back(std::move(s));
    }
    return all;
}

// Distinct legal programs as exact as the default; fewer where the space has no more.
inline std::vector<hone::tune::named_config> random_programs(const hone::tune::any_space& space, int count,
                                                             std::uint64_t seed)
{
    hone::tune::xoshiro256 bits(seed);
    std::vector<hone::tune::named_config> all;
    std::unordered_set<std::uint64_t> programs;
    hone::status why;
    if (const auto known = space.nest_of(space.standard(), why)) programs.insert(*known);
    for (int draw = 0; draw < 2000 * count && static_cast<int>(all.size()) < count; ++draw) {
        const auto config = space.config_of(space.random(bits));
        const auto program = space.nest_of(config, why);
        if (program && space.proof_of(config).ok() && programs.insert(*program).second) all.push_back(config);
    }
    return all;
}

inline constexpr double most_default_over_best = 1.25;

struct default_check {
    double over_best = 1; // the default's time over that of the best, from the least of the rounds
    int programs = 0;     // that were timed
    std::string best{};   // its config; empty where it is the default
};

// What exceeds the bar is timed again, the default and the best alone, since the least of many that are timed is least
// by chance, too.
inline default_check check_default(session& s, shape_kernels& kernels, const operands& in, int count,
                                   std::uint64_t seed)
{
    const auto worst =
        hone::operators::worst_of(hone::operators::accuracy_in(kernels.signature().c_str(), hone::accuracy::standard));
    const auto space = hone::tune::any_space_of(kernels.space(worst));
    field all;
    default_check found;
    if (const std::string why = add_kernel(all, s, "default", kernels.standard(), in, algorithm::direct); !why.empty())
        throw library_error(fmt::format("the default refuses the call: {}", why));
    for (const auto& config : random_programs(*space, count, seed)) {
        try {
            add_kernel(all, s, text_of(config), kernels.of(config), in, algorithm_of(config.name));
        } catch (const library_error& e) {
            fmt::print("  {}: {}\n", text_of(config), e.what());
        }
    }
    for (const contestant& c : all.said)
        if (!(c.error <= most_error_direct))
            throw library_error(fmt::format("wrong result of '{}': error {}", c.name, c.error));
    found.programs = static_cast<int>(all.contenders.size()) - 1;
    s.run(all.contenders);
    const auto faster = [](const contender& a, const contender& b) { return a.least() < b.least(); };
    const auto best = std::min_element(all.contenders.begin(), all.contenders.end(), faster);
    if (best == all.contenders.begin()) return found;
    found.best = best->name;
    found.over_best = all.contenders.front().least() / best->least();
    if (found.over_best <= most_default_over_best) return found;
    std::vector<contender> again{std::move(all.contenders.front()), std::move(*best)};
    s.run(again);
    found.over_best = again[0].least() / again[1].least();
    return found;
}

} // namespace bench::layers
