// SPDX-License-Identifier: BSL-1.0
// hone's side of a run: its threads, its kernels as contenders, and the loops of the peaks, which take turns with all
// others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <hone/cpu/entry.hpp>
#include <hone/measure/cache_mode.hpp>
#include <hone/run/thread_pool.hpp>
#include <hone/tune/cpu/variant.hpp>

#include "kernels.hpp"
#include "operands.hpp"

namespace bench::layers {

struct session {
    kernel_maker& maker;
    int threads = 1;
    hone::tune::cache_mode cache = hone::tune::cache_mode::hot;
    int rounds = 31;
    hone::thread_pool pool;

    // Its threads, as those of all peers, stay on the processors that this process was started on.
    session(kernel_maker& with, int thread_count, hone::tune::cache_mode weights, int round_count)
        : maker(with), threads(thread_count), cache(weights), rounds(round_count), pool(thread_count)
    {
    }

    void run(std::vector<contender>& all) const
    {
        run_rounds(all, rounds, cache, 2, std::chrono::milliseconds(threads > 1 ? 5 : 0));
    }
};

// One of hone's kernels with its buffers. Not added where it refuses the call; the reason is returned then.
inline std::string add_kernel(field& to, session& s, const std::string& name, const hone::tune::variant& v,
                              const operands& in, algorithm how)
{
    struct state {
        const hone::tune::variant* kernel;
        hone::executor_ref executor;
        floats packed, workspace, y;
        hone::arguments call{};
    };
    const hone::executor_ref executor = reference_to(s.pool);
    const auto floats_of = [](std::size_t bytes) { return floats((bytes + sizeof(float) - 1) / sizeof(float)); };
    const auto st = std::make_shared<state>(state{&v, executor, floats_of(v.packed_bytes),
                                                  floats_of(v.workspace_bytes(executor.slots())),
                                                  floats(static_cast<std::size_t>(in.outputs))});
    st->packed.poison();
    st->workspace.poison();
    st->y.poison();
    if (const hone::status packed = v.pack(in.weights.data(), st->packed.data()); !packed.ok()) return packed.message();
    st->call.x = in.x.data();
    st->call.weights = st->packed.data();
    if (in.of.bias) st->call.bias = in.bias.data();
    st->call.y = st->y.data();
    st->call.workspace = st->workspace.data();
    if (const hone::status ran = v.run(st->executor, st->call); !ran.ok()) return ran.message();
    contender c{.name = name,
                .call = [st] { benchmark::DoNotOptimize(st->kernel->run(st->executor, st->call)); },
                .weights = st->packed.data(),
                .weight_count = st->packed.size(),
                .take_weights = [st](const float* copy) { st->call.weights = copy; },
                .error = in.expected.error(st->y)};
    to.add(std::move(c), side::hone, how);
    return "";
}

// Of a config by its template's name.
inline algorithm algorithm_of(const std::string& template_name)
{
    return template_name == "winograd" ? algorithm::winograd : algorithm::direct;
}

// The loops behind the peaks, as contenders that no table shows.
class peaks {
public:
    explicit peaks(session& s) : session_(s)
    {
        void* const library = s.maker.opened(
            {"layers/loops.hpp"},
            {"extern \"C\" [[gnu::visibility(\"default\")]] void loop_of_fma(long steps, float* numbers)\n"
             "{ bench::layers::multiply_and_add(steps, numbers); }\n"
             "extern \"C\" [[gnu::visibility(\"default\")]] int loop_of_loads(const float* from, long count)\n"
             "{ return bench::layers::load_all(from, count); }\n"
             "extern \"C\" [[gnu::visibility(\"default\")]] long multiply_adds_of_step()\n"
             "{ return bench::layers::multiply_adds_of_step; }\n",
             "hone::tune::variant{}"});
        fma_ = symbol_of<void(long, float*)>(library, "loop_of_fma");
        load_ = symbol_of<int(const float*, long)>(library, "loop_of_loads");
        multiply_adds_ = symbol_of<long()>(library, "multiply_adds_of_step")();
    }

    void add(std::vector<contender>& to, const operands& in)
    {
        auto* const pool = &session_.pool;
        const int threads = session_.threads;
        to.push_back({.name = "peak of fma",
                      .call =
                          [pool, threads, fma = fma_] {
                              pool->run(threads, [&](std::int64_t, int) {
                                  float numbers[16] = {0.5f};
                                  fma(fma_steps, numbers);
                                  benchmark::DoNotOptimize(numbers[0]);
                              });
                          },
                      .take_weights = [](const float*) {}});
        // The call of a loop over little takes longer than the loop: that has the rate of the nearest cache, as a loop
        // over several thousand numbers finds it. And waking threads for it takes longer than a peer that wakes none.
        const double bytes = in.work.x_bytes + in.work.weight_bytes;
        is_little_ = bytes < 4 * little;
        const int loading = bytes < 16 * little ? 1 : threads;
        // As much of x as is read, hot as it is for all, and the weights, of which copies take turns where they are
        // cold.
        struct state {
            floats near;
            const float *x, *weights;
        };
        const auto st = std::make_shared<state>(
            state{floats(is_little_ ? static_cast<std::size_t>(little) : 0), in.x.data(), in.weights.data()});
        contender loads{.name = "peak of loads",
                        .call = {},
                        .weights = in.weights.data(),
                        .weight_count = in.weights.size(),
                        .take_weights = [st](const float* copy) { st->weights = copy; }};
        if (is_little_)
            loads.call = [load = load_, st] {
                for (int i = 0; i < passes; ++i) benchmark::DoNotOptimize(load(st->near.data(), little));
            };
        else
            loads.call = [pool, loading, load = load_, st, x_count = static_cast<std::int64_t>(in.work.x_bytes / 4),
                          weight_count = static_cast<std::int64_t>(in.work.weight_bytes / 4)] {
                pool->run(loading, [&](std::int64_t i, int) {
                    const auto part = [&](const float* of, std::int64_t count) {
                        const std::int64_t first = count * i / loading;
                        benchmark::DoNotOptimize(load(of + first, count * (i + 1) / loading - first));
                    };
                    part(st->x, x_count);
                    part(st->weights, weight_count);
                });
            };
        to.push_back(std::move(loads));
    }

    // The last two contenders, after the rounds. The best peak of multiply-adds of all shapes so far counts, since it
    // does not depend on them.
    limits of(const std::vector<contender>& all, const operands& in)
    {
        const double ms = all[all.size() - 2].least();
        const double rate = static_cast<double>(fma_steps * multiply_adds_ * session_.threads) / ms;
        fma_per_ms_ = std::max(fma_per_ms_, rate);
        const double bytes = in.work.x_bytes + in.work.weight_bytes;
        return {.fma_ms = in.work.products / fma_per_ms_,
                .load_ms = all.back().least() * (is_little_ ? bytes / (4 * little * passes) : 1),
                .winograd_saving = in.work.winograd_saving};
    }
    double gflops() const { return 2e-6 * fma_per_ms_; }

private:
    static constexpr long fma_steps = 10'000, little = 4096;
    static constexpr int passes = 4;

    session& session_;
    void (*fma_)(long, float*) = nullptr;
    int (*load_)(const float*, long) = nullptr;
    std::int64_t multiply_adds_ = 0;
    double fma_per_ms_ = 0;
    bool is_little_ = false; // what the shape loads that was added last
};

} // namespace bench::layers
