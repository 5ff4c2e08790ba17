// SPDX-License-Identifier: BSL-1.0
// What the times of one workload say: which contender is right and within what the machine can do, which peer is best,
// and how far each is from the peaks that were measured beside it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/core.h>

namespace bench::layers {

enum class side : std::uint8_t { hone, peer };
// Winograd multiplies less than the formula does, and errs more.
enum class algorithm : std::uint8_t { direct, winograd };

struct contestant {
    std::string name{};
    side of = side::peer;
    algorithm how = algorithm::direct;
    double error = 0;         // the largest over the largest value; NaN where an element was not written
    std::vector<double> ms{}; // of one call, a sample for each round

    double least() const { return *std::min_element(ms.begin(), ms.end()); }
    double median() const
    {
        std::vector<double> sorted = ms;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

// The time that the workload takes at least, by what was measured in the same rounds.
struct limits {
    double fma_ms = 0;  // of its multiply-adds, those with padding left out
    double load_ms = 0; // of a plain loop over what it must load
    // By what factor Winograd may multiply less: that of its largest tile.
    double winograd_saving = 1;

    double fma_ms_of(algorithm a) const { return a == algorithm::winograd ? fma_ms / winograd_saving : fma_ms; }
};

// F(6, r) takes 6 + r - 1 products where the formula takes 6 * r, along each axis of the window; larger tiles lose
// their digits. A window of one tap saves nothing.
inline double winograd_saving(std::int64_t kh, std::int64_t kw)
{
    const auto along = [](std::int64_t taps) {
        return 6.0 * static_cast<double>(taps) / (5.0 + static_cast<double>(taps));
    };
    return along(kh) * along(kw);
}

enum class verdict : std::uint8_t { ok, wrong_result, beats_multiplications, beats_loads };

// A clock may rise between two samples by a few percent; a loop in another order than the plain one finds more of what
// it loads in a near cache.
inline constexpr double clock_slack = 0.97, cache_slack = 0.8;
inline constexpr double most_error_direct = 1e-4, most_error_winograd = 1e-3;

inline verdict judged(const contestant& c, const limits& of)
{
    if (!(c.error <= (c.how == algorithm::winograd ? most_error_winograd : most_error_direct)))
        return verdict::wrong_result;
    if (c.least() < clock_slack * of.fma_ms_of(c.how)) return verdict::beats_multiplications;
    if (c.least() < cache_slack * of.load_ms) return verdict::beats_loads;
    return verdict::ok;
}

inline const char* text_of(verdict v)
{
    switch (v) {
    case verdict::ok: return "";
    case verdict::wrong_result: return "broken: its result is wrong";
    case verdict::beats_multiplications: return "broken: less than its multiply-adds take at the peak";
    case verdict::beats_loads: return "broken: less than a loop over its operands takes";
    }
    return "";
}

// The fastest peer that is not broken; null where there is none.
enum class among : std::uint8_t { all, direct };
inline const contestant* best_peer(const std::vector<contestant>& all, const limits& of, among which = among::all)
{
    const contestant* best = nullptr;
    for (const contestant& c : all) {
        if (c.of != side::peer || judged(c, of) != verdict::ok) continue;
        if (which == among::direct && c.how != algorithm::direct) continue;
        if (best == nullptr || c.least() < best->least()) best = &c;
    }
    return best;
}

// Times over times: of the least ones, and the median over the rounds.
struct ratio {
    double of_least = 0, of_rounds = 0;
};
inline ratio ratio_of(const contestant& a, const contestant& b)
{
    contestant rounds;
    for (std::size_t i = 0; i < std::min(a.ms.size(), b.ms.size()); ++i) rounds.ms.push_back(a.ms[i] / b.ms[i]);
    return {a.least() / b.least(), rounds.median()};
}

// Of the peak that is nearer; of direct multiply-adds, so that Winograd may have more than all.
struct share {
    double of_peak = 0;
    const char* which = "";
};
inline share share_of(const contestant& c, const limits& of)
{
    return of.fma_ms >= of.load_ms ? share{of.fma_ms / c.least(), "fma"} : share{of.load_ms / c.least(), "load"};
}

// A line a contender, hone's first, in which best peer / hone stands: of the least times and (of the rounds); where the
// best peer is Winograd and hone's kernel is not, also that of the best direct one.
inline std::string table_of(const std::string& heading, const std::vector<contestant>& all, const limits& of)
{
    const contestant* const best = best_peer(all, of);
    const contestant* const best_direct = best_peer(all, of, among::direct);
    std::string text = fmt::format("{}\n  {:<26}{:>10}{:>10}{:>9}{:>12}  {}\n", heading, "", "min ms", "median",
                                   "error", "of peak", best == nullptr ? "" : "best peer / this, least (of rounds)");
    for (const side which : {side::hone, side::peer})
        for (const contestant& c : all) {
            if (c.of != which) continue;
            const share s = share_of(c, of);
            text += fmt::format("  {:<26}{:>10.4f}{:>10.4f}{:>9.0e}{:>7.2f} {:<4}  ", c.name, c.least(), c.median(),
                                c.error, s.of_peak, s.which);
            if (const verdict v = judged(c, of); v != verdict::ok) {
                text += text_of(v);
            } else if (&c == best) {
                text += "the best peer";
            } else if (c.of == side::hone && best != nullptr) {
                const ratio r = ratio_of(*best, c);
                text += fmt::format("{:.3f} ({:.3f})", r.of_least, r.of_rounds);
                if (best != best_direct && best_direct != nullptr && c.how == algorithm::direct)
                    text += fmt::format(", direct {:.3f}", ratio_of(*best_direct, c).of_least);
            }
            text.erase(text.find_last_not_of(' ') + 1);
            text += "\n";
        }
    return text;
}

// Of a group of workloads: best peer / hone, its geometric mean, and how many are above 1.03, between, below 0.97.
struct group_line {
    std::string name{};
    std::vector<double> ratios{};

    std::string text() const
    {
        double logarithms = 0;
        std::size_t wins = 0, losses = 0;
        for (const double r : ratios) {
            logarithms += std::log(r);
            wins += r > 1.03;
            losses += r < 0.97;
        }
        const double mean = std::exp(logarithms / static_cast<double>(ratios.size()));
        return fmt::format("{:<16}{:>7.3f}{:>6} wins,{:>3} ties,{:>3} losses, worst {:.2f}", name, mean, wins,
                           ratios.size() - wins - losses, losses, *std::min_element(ratios.begin(), ratios.end()));
    }
};

} // namespace bench::layers
