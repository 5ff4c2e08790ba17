// SPDX-License-Identifier: BSL-1.0
// A space of programs whose best point and speeds are known, to search in.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include <hone/search/annealing.hpp>

namespace hone::test {

using namespace hone::tune;

// Six knobs of `values` values. A sixth of the points are illegal, and the last knob means nothing where the first is
// zero, so that those points are one program.
struct knob_space {
    using point = std::array<std::uint8_t, 6>;
    std::uint8_t values = 10;
    std::shared_ptr<int> asked = std::make_shared<int>(0);

    std::uint64_t size() const
    {
        std::uint64_t product = 1;
        for (std::size_t k = 0; k < std::tuple_size_v<point>; ++k) product *= values;
        return product;
    }
    point at(std::uint64_t index) const
    {
        point p{};
        for (std::uint8_t& v : p) {
            v = static_cast<std::uint8_t>(index % values);
            index /= values;
        }
        return p;
    }
    point random(xoshiro256& bits) const
    {
        point p{};
        for (std::uint8_t& v : p) v = static_cast<std::uint8_t>(bits.below(values));
        return p;
    }
    point neighbour(point p, xoshiro256& bits) const
    {
        std::uint8_t& v = p[bits.below(p.size())];
        v = static_cast<std::uint8_t>((v + 1 + bits.below(static_cast<std::size_t>(values) - 1)) % values);
        return p;
    }
    std::uint64_t key(const point& p) const
    {
        std::uint64_t k = 0;
        for (std::uint8_t v : p) k = 256 * k + v;
        return k;
    }
    const point& knob_values(const point& p) const { return p; }
    bool legal(const point& p) const { return (p[0] + 2 * p[1] + p[4]) % 6 != 5; }
    std::uint64_t program(point p) const
    {
        if (p[0] == 0) p[5] = 0;
        return mixed(key(p));
    }
    std::optional<std::uint64_t> features(const point& p, feature_vector& out) const
    {
        ++*asked;
        if (!legal(p)) return std::nullopt;
        for (std::size_t k = 0; k < p.size(); ++k) out.values[k] = p[k];
        if (p[0] == 0) out.values[5] = 0;
        return program(p);
    }
};
static_assert(search_space<knob_space>);

// Largest at {7, 3, 5, 8, 1, 6}, with valleys between the values of two knobs that go together.
inline double speed_of(std::span<const float> x)
{
    const auto distance = [&](int k, double best) { return std::fabs(static_cast<double>(x[k]) - best); };
    const double together = std::fabs(static_cast<double>(x[0] - x[3]) + 1);
    return std::exp(-0.1 * (distance(0, 7) + distance(1, 3) + 2 * distance(2, 5) + distance(3, 8) + distance(4, 1) +
                            distance(5, 6) + 2 * together));
}
inline constexpr knob_space::point best_point{7, 3, 5, 8, 1, 6};
inline double speed_of(const knob_space::point& p)
{
    std::array<float, 6> x{};
    for (std::size_t k = 0; k < p.size(); ++k) x[k] = p[0] == 0 && k == 5 ? 0 : p[k];
    return speed_of(x);
}

using proposals = std::vector<proposal<knob_space::point>>;

inline std::set<std::uint64_t> programs_of(const proposals& all)
{
    std::set<std::uint64_t> r;
    for (const auto& p : all) r.insert(p.program);
    return r;
}
inline std::ptrdiff_t by_chance(const proposals& all)
{
    return std::count_if(all.begin(), all.end(), [](const auto& p) { return p.origin == proposed_by::chance; });
}

} // namespace hone::test
