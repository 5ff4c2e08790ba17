// SPDX-License-Identifier: BSL-1.0
// What a search makes of its time. How many candidates one core prices in a second, from a point of the space to the
// model's score: annealing asks for thousands between two measurements. How long a search thinks beside what it
// measures. And, given records, how soon it finds what was measured, beside chance at equal trials:
//
//     tuning [--trials=128] [--seeds=10] [records.jsonl ...]
//
// A replay measures nothing: programs that are not in the records are outside of its space. The more of the space was
// measured, the more it says.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>
#include <hone/record/record.hpp>
#include <hone/search/search.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/record_backends.hpp>
#include <hone/tune/vulkan/space.hpp>

#include "pretended_ms.hpp"

namespace {

using namespace hone;
using namespace hone::tune;

template <std::int64_t Size, std::int64_t Ic, std::int64_t Oc, std::int64_t Kernel, std::int64_t Stride>
using layer = conv2d<
    conv2d_shape{
        .h = Size, .w = Size, .ic = Ic, .oc = Oc, .kh = Kernel, .kw = Kernel, .stride = Stride, .pad = Kernel / 2},
    f32, bias, relu>;
template <std::int64_t Size>
using square = gemm<gemm_shape{.m = Size, .n = Size, .k = Size}, f32>;

template <std::int64_t Size, std::int64_t Channels>
using depthwise =
    conv2d<conv2d_shape{
               .h = Size, .w = Size, .ic = Channels, .oc = Channels, .kh = 3, .kw = 3, .pad = 1, .groups = Channels},
           f32, bias, relu>;

// What records may be of: Table 1 of the paper (arXiv 1805.08166), depthwise layers of MobileNet, and products.
using known =
    workloads<depthwise<112, 32>, depthwise<56, 128>, depthwise<28, 256>, depthwise<14, 512>, depthwise<7, 1024>,
              layer<224, 3, 64, 7, 2>, layer<56, 64, 64, 3, 1>, layer<56, 64, 64, 1, 1>, layer<56, 64, 128, 3, 2>,
              layer<56, 64, 128, 1, 2>, layer<28, 128, 128, 3, 1>, layer<28, 128, 256, 3, 2>, layer<28, 128, 256, 1, 2>,
              layer<14, 256, 256, 3, 1>, layer<14, 256, 512, 3, 2>, layer<14, 256, 512, 1, 2>, layer<7, 512, 512, 3, 1>,
              square<128>, square<256>, square<512>, square<1024>>;

std::optional<definition> definition_of(const std::string& signature)
{
    std::optional<definition> found;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const auto look_at = [&]<class Op>(const Op*) {
            if (signature == Op::signature().c_str()) found = Op::definition();
        };
        (look_at(static_cast<const workload<known, I>*>(nullptr)), ...);
    }(std::make_index_sequence<known::size>{});
    return found;
}

// What no recorded program exceeds.
constexpr vulkan_limits any_device{.max_workgroup_invocations = 1024,
                                   .max_workgroup_size_x = 1024,
                                   .max_shared_bytes = 49152,
                                   .max_storage_buffers = 16,
                                   .max_loop_iterations = 0};

// ---- candidates in a second ----

// Distinct programs of the space, in a random order.
template <class Space>
std::vector<typename Space::point> distinct_points(const Space& space, std::size_t count, std::uint64_t seed)
{
    std::vector<typename Space::point> points;
    std::unordered_set<std::uint64_t> programs;
    tune::xoshiro256 bits(seed);
    while (points.size() < count) {
        const auto p = space.random(bits);
        status why;
        const auto program = space.nest_of(p, why);
        if (program && programs.insert(*program).second) points.push_back(p);
    }
    return points;
}

template <class Space>
tune::gbt_model fitted_model(const Space& space, std::size_t rows)
{
    tune::measured_set measured;
    for (const auto& p : distinct_points(space, rows, 1)) {
        feature_vector f;
        if (space.features(p, f)) measured.add(f, bench::pretended_ms(f));
    }
    tune::gbt_model model;
    model.fit(measured.rows(), measured.labels());
    return model;
}

template <class Space>
void price(const char* name, const Space& space)
{
    constexpr std::size_t rows = 1024, count = 8192;
    const auto model = fitted_model(space, rows);
    const auto points = distinct_points(space, count, 2);
    double least = std::numeric_limits<double>::infinity(); // the least disturbed of five passes
    float sum = 0;
    for (int pass = 0; pass < 5; ++pass) {
        const std::clock_t start = std::clock(); // of this process
        for (const auto& p : points) {
            feature_vector f;
            space.features(p, f);
            const tune::feature_row row(f.values);
            float score = 0;
            model.score({&row, 1}, {&score, 1});
            sum += score;
        }
        least = std::min(least, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    fmt::print("{:<24}{:>10.0f} candidates/s of a core{:>8.2f} us each{:>6} trees{}\n", name, count / least,
               least / count * 1e6, model.trees().trees(), std::isfinite(sum) ? "" : " (scores overflow)");
}

// ---- what a search thinks ----

constexpr std::size_t batch = 8;

// Fitting and annealing for 256 trials, while the machine might do two and a half a second.
template <class Space>
void think(const char* name, const Space& space)
{
    tune::learned_searcher<Space> search(space, 1);
    double longest = 0;
    for (std::size_t trial = 0; trial < 256; trial += batch) {
        const double before = search.seconds_thinking();
        const auto proposed = search.propose(batch);
        longest = std::max(longest, search.seconds_thinking() - before);
        for (const auto& p : proposed) {
            feature_vector f;
            if (space.features(p.point, f)) search.tell(p.point, p.program, bench::pretended_ms(f));
        }
    }
    const double seconds = search.seconds_thinking();
    fmt::print(
        "{:<24}{:>8.2f} s for 256 trials, {:.1f} % of tuning at 2.5 trials/s; the longest proposal of {} {:.2f} s\n",
        name, seconds, 100 * seconds / (seconds + 256 / 2.5), batch, longest);
}

// ---- replay ----

// The part of a space that was measured. Its points are those of the records; a neighbour is one in the space, where
// such a one was measured.
template <class Space>
class recorded_space {
public:
    using point = typename Space::point;

    explicit recorded_space(Space space) : space_(std::move(space)) {}

    // Whether the record's config has a point, which gives the program of the record.
    bool add(const typename Space::config& c, std::uint64_t program, double ms)
    {
        const auto p = space_.point_of(c);
        status why;
        if (!p || space_.nest_of(*p, why) != program) return false;
        if (ms_.try_emplace(program, ms).second) {
            points_.push_back(*p);
            keys_.insert(space_.key(*p));
        } else {
            ms_[program] = std::min(ms_[program], ms);
        }
        return true;
    }
    double ms(std::uint64_t program) const { return ms_.at(program); }
    double least_ms() const
    {
        double least = std::numeric_limits<double>::infinity();
        for (const auto& [program, ms] : ms_) least = std::min(least, ms);
        return least;
    }

    std::uint64_t size() const { return points_.size(); }
    point at(std::uint64_t index) const { return points_[index]; }
    point random(tune::xoshiro256& bits) const { return points_[bits.below(points_.size())]; }
    point neighbour(const point& p, tune::xoshiro256& bits) const
    {
        for (int draw = 0; draw < 64; ++draw) {
            const point q = space_.neighbour(p, bits);
            if (keys_.contains(space_.key(q))) return q;
        }
        return random(bits);
    }
    std::uint64_t key(const point& p) const { return space_.key(p); }
    auto knob_values(const point& p) const { return space_.knob_values(p); }
    std::optional<std::uint64_t> features(const point& p, feature_vector& out) const { return space_.features(p, out); }

private:
    Space space_;
    std::vector<point> points_{};
    std::unordered_set<std::uint64_t> keys_{};
    std::unordered_map<std::uint64_t, double> ms_{}; // by program; infinity: it failed
};

struct replay_options {
    int trials = 128;
    int seeds = 10;
};

// The best time so far after each trial, as a multiple of the best in the records.
template <tune::searcher Search, class Space>
std::vector<double> best_so_far(Search search, const Space& space, int trials)
{
    std::vector<double> curve;
    double best = std::numeric_limits<double>::infinity();
    while (static_cast<int>(curve.size()) < trials) {
        const auto proposed = search.propose(batch);
        if (proposed.empty()) break;
        for (const auto& p : proposed) {
            best = std::min(best, space.ms(p.program));
            search.tell(p.point, p.program, space.ms(p.program));
            curve.push_back(best / space.least_ms());
        }
    }
    curve.resize(static_cast<std::size_t>(trials), best / space.least_ms());
    return curve;
}

template <class Space>
void replay(const recorded_space<Space>& space, const replay_options& options)
{
    using recorded = recorded_space<Space>;
    const auto mean = [&](auto search_of) {
        std::vector<double> sum(static_cast<std::size_t>(options.trials), 0);
        for (int seed = 1; seed <= options.seeds; ++seed) {
            const auto curve = best_so_far(search_of(static_cast<std::uint64_t>(seed)), space, options.trials);
            for (std::size_t i = 0; i < curve.size(); ++i) sum[i] += curve[i] / options.seeds;
        }
        return sum;
    };
    const auto chance = mean([&](std::uint64_t seed) { return tune::random_searcher<recorded>(space, seed); });
    const auto model = mean([&](std::uint64_t seed) { return tune::learned_searcher<recorded>(space, seed); });
    fmt::print("    {:>8}{:>10}{:>10}\n", "trials", "chance", "model");
    const auto most = std::min<std::uint64_t>(static_cast<std::uint64_t>(options.trials), space.size());
    for (int trials = 16; static_cast<std::uint64_t>(trials) <= most; trials *= 2) {
        const auto at = static_cast<std::size_t>(trials) - 1;
        fmt::print("    {:>8}{:>10.3f}{:>10.3f}\n", trials, chance[at], model[at]);
    }
}

template <class Space, class ConfigOf>
void replay(const std::vector<tune::record>& records, Space of_all, ConfigOf config_of, const replay_options& options)
{
    recorded_space<Space> space(std::move(of_all));
    std::size_t passed_over = 0;
    for (const tune::record& r : records) {
        const double ms = r.found == tune::verdict::ok ? r.least() : std::numeric_limits<double>::infinity();
        passed_over += !space.add(config_of(r), std::stoull(r.nest, nullptr, 16), ms);
    }
    fmt::print("    {} programs, the best {:.4f} ms; {} records off the grid or of another hone\n", space.size(),
               space.least_ms(), passed_over);
    if (space.size() < 4 * batch || !std::isfinite(space.least_ms()))
        fmt::print("    too few to search in\n");
    else
        replay(space, options);
}

std::optional<isa> isa_named(std::string_view name)
{
    for (isa set : {isa::baseline, isa::avx2, isa::avx512})
        if (name == name_of(set)) return set;
    return std::nullopt;
}

void replay(const std::vector<std::string>& files, const replay_options& options)
{
    // Times of one key can be compared.
    std::map<std::string, std::vector<tune::record>> groups;
    for (const std::string& file : files) {
        auto read = tune::read_records(file);
        for (const auto* complaints : {&read.warnings, &read.rejected})
            for (const std::string& complaint : *complaints) fmt::print(stderr, "{}\n", complaint);
        for (tune::record& r : read.records)
            if (r.phase == "search" && r.template_name != tune::naive_template && !r.errors)
                groups[fmt::format("{}, {} {} {}, {} threads, {}, {} {}", r.signature, r.backend->name(), r.device,
                                   r.isa, r.threads, r.cache, r.compiler, r.flags)]
                    .push_back(std::move(r));
    }
    fmt::print("\nmean of the best time after so many trials, over the best in the records; {} seeds\n", options.seeds);
    for (const auto& [key, records] : groups) {
        fmt::print("{}\n", key);
        const auto d = definition_of(records[0].signature);
        const auto set = isa_named(records[0].isa);
        if (!d)
            fmt::print("    not a workload that this benchmark knows\n");
        else if (records[0].backend == tune::on_vulkan)
            replay(
                records, tune::vulkan_space(*d, any_device),
                [](const tune::record& r) {
                    return tune::config_of<hone::schedules::vulkan_family>(r.template_name, r.knobs);
                },
                options);
        else if (set)
            replay(
                records, tune::cpu_space(*d, *set),
                [](const tune::record& r) {
                    return tune::config_of<hone::schedules::cpu_family>(r.template_name, r.knobs);
                },
                options);
    }
}

} // namespace

int main(int count, char** arguments)
{
    replay_options options;
    std::vector<std::string> files;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument(arguments[i]);
        const auto number = [&](std::string_view name, int& to) {
            if (!argument.starts_with(name)) return false;
            to = std::atoi(arguments[i] + name.size());
            return true;
        };
        if (!number("--trials=", options.trials) && !number("--seeds=", options.seeds)) files.emplace_back(argument);
    }
    if (options.trials < 1 || options.seeds < 1) {
        fmt::print(stderr, "usage: tuning [--trials=128] [--seeds=10] [records.jsonl ...]\n");
        return 1;
    }
    const auto each = [](const char* name, const auto& space) {
        price(name, space);
        think(name, space);
    };
    each("C2, AVX-512", tune::cpu_space(layer<56, 64, 64, 3, 1>::definition(), isa::avx512));
    each("gemm 256, AVX-512", tune::cpu_space(square<256>::definition(), isa::avx512));
    each("C2, Vulkan", tune::vulkan_space(layer<56, 64, 64, 3, 1>::definition(), any_device));
    each("gemm 256, Vulkan", tune::vulkan_space(square<256>::definition(), any_device));
    if (!files.empty()) replay(files, options);
}
