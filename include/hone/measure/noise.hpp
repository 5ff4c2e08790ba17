// SPDX-License-Identifier: BSL-1.0
// How far apart timings of the same work lie on this machine, and what that says of a search: differences below it are
// noise. The work is a loop of multiply-adds in the first-level cache, as inner loops of kernels are.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>
#include <time.h>

#include <fmt/core.h>

#include <hone/measure/machine.hpp>
#include <hone/measure/measure.hpp>
#include <hone/process/process.hpp>

namespace hone::tune {

// The smallest value that this share of the values does not exceed; 0 where there is none.
inline double quantile(std::vector<double> values, double share)
{
    if (values.empty()) return 0;
    const auto last = static_cast<double>(values.size() - 1);
    const auto at = static_cast<std::ptrdiff_t>(std::clamp(share * last + 0.5, 0.0, last));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

// Shares of the shortest time: 0.02 is 2 % above it.
struct noise_figures {
    double least_ms = 0;
    double median = 0;
    double p95 = 0;
    // The same of minima of so many samples as a candidate gets: what a search compares.
    double p95_of_minima = 0;
};

inline noise_figures noise_of(const std::vector<double>& ms, std::size_t samples_of_a_minimum)
{
    if (ms.empty()) return {};
    std::vector<double> minima;
    for (std::size_t i = 0; i + samples_of_a_minimum <= ms.size(); i += samples_of_a_minimum)
        minima.push_back(*std::min_element(ms.begin() + static_cast<std::ptrdiff_t>(i),
                                           ms.begin() + static_cast<std::ptrdiff_t>(i + samples_of_a_minimum)));
    const double least = *std::min_element(ms.begin(), ms.end());
    const auto above = [&](double time) { return least > 0 && time > 0 ? time / least - 1 : 0; };
    const double p95 = above(quantile(ms, 0.95));
    // One minimum has nothing to differ from.
    return {least, above(quantile(ms, 0.5)), p95, minima.size() < 2 ? p95 : above(quantile(minima, 0.95))};
}

// Work of about as long as one sample of a candidate.
class calibrated_loop {
public:
    explicit calibrated_loop(double sample_ms = timing_rules{}.sample_ms)
    {
        std::fill(std::begin(a_), std::end(a_), 0.5f);
        std::fill(std::begin(b_), std::end(b_), 0.25f);
        // The shortest of several, so that a disturbed pilot does not make all samples short.
        rounds_ = 64;
        double pilot = milliseconds();
        for (int i = 0; i < 20; ++i) pilot = std::min(pilot, milliseconds());
        rounds_ = static_cast<int>(std::clamp(64 * sample_ms / std::max(pilot, 1e-6), 1.0, 1e8));
    }
    double milliseconds()
    {
        const auto begin = std::chrono::steady_clock::now();
        for (int r = 0; r < rounds_; ++r) {
            // Sixteen sums hide the latency of an addition, so that throughput counts, which neighbours share.
            float sum[lanes]{};
            for (std::size_t i = 0; i < values; i += lanes)
                for (std::size_t l = 0; l < lanes; ++l) sum[l] += a_[i + l] * b_[i + l];
            for (float s : sum) sink_ = sink_ + s;
        }
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    }

private:
    static constexpr std::size_t lanes = 16;
    static constexpr std::size_t values = 2048; // 8 KiB an array
    float a_[values];
    float b_[values];
    volatile float sink_ = 0;
    int rounds_ = 1;
};

struct noise_report {
    int cpu = -1; // the measuring one
    noise_figures figures{};
    double taken = 0;  // share of its time that other processes had
    double stolen = 0; // share that the hypervisor gave to another machine
    // The shortest time on each allowed processor, in turns with the others.
    std::vector<std::pair<int, double>> least_ms{};

    // How much longer the slowest processor takes than the fastest one.
    double slowest() const
    {
        if (least_ms.empty()) return 0;
        const auto [least, most] = std::minmax_element(
            least_ms.begin(), least_ms.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        return least->second > 0 ? most->second / least->second - 1 : 0;
    }
};

// A second on the measuring processor, then a second in turns on all. Ends early where an interrupt is requested.
inline noise_report measure_noise(std::chrono::duration<double> each = std::chrono::seconds{1})
{
    using clock = std::chrono::steady_clock;
    const auto pin = [](int cpu) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        return sched_setaffinity(0, sizeof set, &set) == 0;
    };
    const auto of_thread = [] {
        timespec t{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    const auto seconds_since = [](clock::time_point begin) {
        return std::chrono::duration<double>(clock::now() - begin).count();
    };
    cpu_set_t before;
    const bool known = sched_getaffinity(0, sizeof before, &before) == 0;
    const std::vector<int> cpus = usable_cpus();

    noise_report report;
    report.cpu = timing_cpu();
    if (report.cpu >= 0) pin(report.cpu);
    calibrated_loop loop;
    std::vector<double> ms;
    const cpu_ticks ticks = ticks_of(report.cpu);
    const double own = of_thread();
    const auto begin = clock::now();
    while (seconds_since(begin) < each.count() && !interrupt_requested.load()) ms.push_back(loop.milliseconds());
    const double wall = seconds_since(begin), used = of_thread() - own;
    const cpu_ticks after = ticks_of(report.cpu);
    report.figures = noise_of(ms, static_cast<std::size_t>(timing_rules{}.most_samples));
    if (after.all > ticks.all)
        report.stolen = static_cast<double>(after.stolen - ticks.stolen) / static_cast<double>(after.all - ticks.all);
    if (wall > 0) report.taken = std::max(0.0, 1 - used / wall - report.stolen);

    constexpr int samples = 10;
    constexpr int least_rounds = 3;
    for (int c : cpus) report.least_ms.emplace_back(c, 0);
    const auto turns = clock::now();
    for (int round = 0; round < least_rounds || seconds_since(turns) < each.count(); ++round)
        for (auto& [cpu, least] : report.least_ms) {
            if (interrupt_requested.load() || !pin(cpu)) break;
            loop.milliseconds(); // warms the caches
            for (int i = 0; i < samples; ++i) {
                const double t = loop.milliseconds();
                least = least > 0 ? std::min(least, t) : t;
            }
        }
    if (known) sched_setaffinity(0, sizeof before, &before);
    return report;
}

// What a search on this machine can tell apart.
struct trust {
    double share = 0; // differences below it are noise
    bool given = false;
    std::string sentence{}; // where not given, with the cause and its mend
};

// Above this, tuning picks winners by chance: few configs near the best lie further apart.
inline constexpr double tolerated_noise = 0.05;
// Of the processor's time. Minima of short kernels escape the others; kernels longer than a time slice do not.
inline constexpr double tolerated_others = 0.1;

inline trust trust_of(const noise_report& noise, const std::optional<std::string>& governor,
                      std::optional<double> quota)
{
    trust t;
    t.share = noise.figures.p95_of_minima;
    const bool varies = t.share > tolerated_noise;
    t.given = !varies && noise.taken <= tolerated_others && noise.stolen <= tolerated_others;
    if (t.given) {
        t.sentence = fmt::format("timings can be trusted to about {:.1f} %", std::max(100 * t.share, 0.1));
        return t;
    }
    t.sentence = "timings cannot be trusted: ";
    if (varies) t.sentence += fmt::format("the same loop varies by {:.0f} %, and ", 100 * t.share);
    constexpr double noticed = 0.02;
    if (quota && *quota < 1)
        t.sentence +=
            fmt::format("this process is granted {:.2f} processors; raise the CPU quota of its container", *quota);
    else if (noise.taken > noticed)
        t.sentence += fmt::format("other processes have {:.0f} % of processor {}; end them, or choose a free processor "
                                  "with taskset",
                                  100 * noise.taken, noise.cpu);
    else if (noise.stolen > noticed)
        t.sentence += fmt::format("the hypervisor gives {:.0f} % of processor {} to other machines; use a host without "
                                  "others",
                                  100 * noise.stolen, noise.cpu);
    else if (governor && *governor != "performance")
        t.sentence += fmt::format("the frequency governor is '{}'; choose 'performance' (cpupower frequency-set -g "
                                  "performance)",
                                  *governor);
    else
        t.sentence += "nothing here says why: a neighbour may share the core, or its clock change; wait, or use "
                      "another machine";
    return t;
}

} // namespace hone::tune
