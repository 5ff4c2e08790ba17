// SPDX-License-Identifier: BSL-1.0
// What learning costs between two batches of measurements, on one core: fitting the trees, scoring candidates with
// them, and a whole round of annealing over the schedules of a convolution. Tuning spends about a second on each
// measurement; a round of 64 may cost six.
//
//     model --benchmark_min_time=0.3
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/schedule/cpu.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/tune/annealing.hpp>
#include <hone/tune/cost_model.hpp>
#include <hone/tune/features.hpp>

namespace {

using namespace hone;

// Layer 2 of ResNet-18, as the paper numbers them.
using c2 = conv2d<conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1}, f32>;

// Its direct schedules: a place in the values of each knob.
class direct_space {
public:
    static constexpr std::size_t knobs = std::size(direct_knob_table);
    using point = std::array<std::uint8_t, knobs>;

    double size() const
    {
        double product = 1;
        for (const auto& k : direct_knob_table) product *= static_cast<double>(k.values.size());
        return product;
    }
    point random(tune::xoshiro256& bits) const
    {
        point p{};
        for (std::size_t k = 0; k < knobs; ++k)
            p[k] = static_cast<std::uint8_t>(bits.below(direct_knob_table[k].values.size()));
        return p;
    }
    point neighbour(point p, tune::xoshiro256& bits) const
    {
        const std::size_t k = bits.below(knobs);
        const std::size_t others = direct_knob_table[k].values.size() - 1;
        p[k] = static_cast<std::uint8_t>((p[k] + 1 + bits.below(others)) % (others + 1));
        return p;
    }
    std::uint64_t key(const point& p) const
    {
        std::uint64_t key = 0;
        for (std::size_t k = 0; k < knobs; ++k) key = key << 8 | p[k];
        return key;
    }
    const point& knob_values(const point& p) const { return p; }
    std::optional<std::uint64_t> features(const point& p, feature_vector& out) const
    {
        direct_knobs knobs_of_point;
        for (std::size_t k = 0; k < knobs; ++k)
            direct_knob_table[k].set(knobs_of_point, direct_knob_table[k].values[p[k]]);
        lower(direct_schedule(definition_, knobs_of_point, isa::avx512), nest_);
        if (!nest_.ok() || !check(nest_, cpu_target(isa::avx512)).ok()) return std::nullopt;
        features_of(nest_, out);
        return nest_hash(nest_);
    }

private:
    definition definition_ = c2::definition();
    mutable nest nest_{};
};

// Milliseconds that loads, traffic and idle lanes might cost; not what they do cost.
double pretended_ms(const feature_vector& f)
{
    const auto count = [&](nest_feature at) { return std::exp2(static_cast<double>(f(at))); };
    const double loads = static_cast<double>(f(nest_feature::loads_per_mac));
    const double spilled = std::max(0.0, count(nest_feature::live_registers) - 33);
    const double idle = static_cast<double>(f(nest_feature::idle_output_share));
    return count(nest_feature::operations) * (1 + loads + 0.1 * spilled) / (1 - 0.5 * idle) * 1e-7 +
           count(nest_feature::l1_traffic) * 2e-8 + count(nest_feature::l2_traffic) * 1e-7;
}

struct candidates {
    std::vector<feature_vector> features{};
    std::vector<tune::feature_row> rows{};
    std::vector<float> labels{};

    explicit candidates(std::size_t count)
    {
        const direct_space space;
        tune::xoshiro256 bits(1);
        features.reserve(count);
        while (features.size() < count) {
            feature_vector f;
            if (space.features(space.random(bits), f)) features.push_back(f);
        }
        double best = pretended_ms(features[0]);
        for (const feature_vector& f : features) best = std::min(best, pretended_ms(f));
        for (const feature_vector& f : features) {
            rows.emplace_back(f.values);
            labels.push_back(static_cast<float>(best / pretended_ms(f)));
        }
    }
};

template <tune::objective Objective>
void fit(benchmark::State& state)
{
    const candidates measured(static_cast<std::size_t>(state.range(0)));
    tune::gbt_model model({.objective = Objective});
    for (auto _ : state) model.fit(measured.rows, measured.labels);
    state.counters["trees"] = static_cast<double>(model.trees().trees());
    state.counters["columns"] = static_cast<double>(tune::column_bins(measured.rows).columns());
    const candidates others(2048);
    std::vector<float> scores(2048);
    model.score(others.rows, scores);
    state.counters["pairs_in_order"] = tune::pair_accuracy(others.labels, scores);
}

void score(benchmark::State& state)
{
    const candidates measured(1024), others(1024);
    tune::gbt_model model;
    model.fit(measured.rows, measured.labels);
    std::vector<float> scores(others.rows.size());
    for (auto _ : state) {
        model.score(others.rows, scores);
        benchmark::DoNotOptimize(scores.data());
        benchmark::ClobberMemory();
    }
    state.counters["candidates"] =
        benchmark::Counter(static_cast<double>(scores.size()), benchmark::Counter::kIsIterationInvariantRate);
    state.counters["trees"] = static_cast<double>(model.trees().trees());
}

// Features are read anew in the first round; later rounds meet many points again.
void round_of_annealing(benchmark::State& state)
{
    const candidates measured(1024);
    tune::gbt_model model;
    model.fit(measured.rows, measured.labels);
    const auto rounds = state.range(0);
    double proposed = 0;
    for (auto _ : state) {
        tune::annealer<direct_space> search({}, 1);
        for (int i = 0; i < rounds; ++i) proposed += static_cast<double>(search.propose(model, 64).size());
    }
    state.counters["proposed"] = benchmark::Counter(proposed, benchmark::Counter::kAvgIterations);
}

} // namespace

BENCHMARK(fit<tune::objective::rank>)->RangeMultiplier(2)->Range(64, 1024)->Unit(benchmark::kMillisecond);
BENCHMARK(fit<tune::objective::regression>)->RangeMultiplier(4)->Range(64, 1024)->Unit(benchmark::kMillisecond);
BENCHMARK(score)->Unit(benchmark::kMicrosecond);
BENCHMARK(round_of_annealing)->Arg(1)->Arg(8)->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
