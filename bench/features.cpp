// SPDX-License-Identifier: BSL-1.0
// What it costs to price one candidate on one core: making its schedule, lowering it, reading its features. The search
// asks for tens of thousands of these between two batches of measurements; 10 us each is the aim.
//
//     features --benchmark_min_time=0.3
#include <benchmark/benchmark.h>

#include <hone/lower/lower.hpp>
#include <hone/model/features.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/winograd.hpp>

namespace {

using namespace hone;
using namespace hone::tune;

// Layers 2 and 9 of ResNet-18, as the paper numbers them.
using c2 = conv2d<conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1}, f32>;
using c9 = conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 256, .oc = 256, .kh = 3, .kw = 3, .pad = 1}, f32>;
using square = gemm<gemm_shape{.m = 512, .n = 512, .k = 512}, f32>;

struct direct_default {
    static schedule of(const definition& d) { return direct_schedule(d, default_direct(d, isa::avx512), isa::avx512); }
};
struct winograd_default {
    static schedule of(const definition& d) { return winograd_schedule(d, {}, isa::avx512); }
};

template <class Op, class Template>
void lower_only(benchmark::State& state)
{
    const schedule s = Template::of(Op::definition());
    nest n;
    for (auto _ : state) {
        lower(s, n);
        benchmark::DoNotOptimize(n.nodes.size());
    }
}

template <class Op, class Template>
void lower_and_features(benchmark::State& state)
{
    const schedule s = Template::of(Op::definition());
    nest n;
    feature_vector f;
    for (auto _ : state) {
        lower(s, n);
        features_of(n, f);
        benchmark::DoNotOptimize(f.values.data());
        benchmark::ClobberMemory();
    }
}

template <class Op, class Template>
void schedule_lower_and_features(benchmark::State& state)
{
    const definition d = Op::definition();
    nest n;
    feature_vector f;
    for (auto _ : state) {
        lower(Template::of(d), n);
        features_of(n, f);
        benchmark::DoNotOptimize(f.values.data());
        benchmark::ClobberMemory();
    }
}

} // namespace

BENCHMARK(lower_only<c2, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(lower_and_features<c2, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(schedule_lower_and_features<c2, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(lower_only<c9, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(lower_and_features<c9, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(schedule_lower_and_features<c9, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(lower_only<square, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(lower_and_features<square, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(schedule_lower_and_features<square, direct_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(lower_only<c2, winograd_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(lower_and_features<c2, winograd_default>)->Unit(benchmark::kMicrosecond);
BENCHMARK(schedule_lower_and_features<c2, winograd_default>)->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
