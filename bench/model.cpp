// SPDX-License-Identifier: BSL-1.0
// What learning costs between two batches of measurements, on one core: fitting the trees, scoring candidates with
// them, and a whole round of annealing over the schedules of a convolution. Tuning spends about a second on each
// measurement; a round of 64 may cost six.
//
//     model --benchmark_min_time=0.3
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <hone/model/cost_model.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/search/annealing.hpp>
#include <hone/tune/cpu/space.hpp>

#include "pretended_ms.hpp"

namespace {

using namespace hone;
using namespace hone::tune;

// Layer 2 of ResNet-18, as the paper numbers them.
using c2 = conv2d<conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1}, f32>;

struct candidates {
    std::vector<feature_vector> features{};
    std::vector<tune::feature_row> rows{};
    std::vector<float> labels{};

    explicit candidates(std::size_t count)
    {
        const tune::cpu_space space(c2::definition(), isa::avx512);
        tune::xoshiro256 bits(1);
        features.reserve(count);
        while (features.size() < count) {
            feature_vector f;
            if (space.features(space.random(bits), f)) features.push_back(f);
        }
        double best = bench::pretended_ms(features[0]);
        for (const feature_vector& f : features) best = std::min(best, bench::pretended_ms(f));
        for (const feature_vector& f : features) {
            rows.emplace_back(f.values);
            labels.push_back(static_cast<float>(best / bench::pretended_ms(f)));
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
        tune::annealer<tune::cpu_space> search({c2::definition(), isa::avx512}, 1);
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
