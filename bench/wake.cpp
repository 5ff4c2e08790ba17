// SPDX-License-Identifier: BSL-1.0
// What it costs to give work to other threads: a region of hone::thread_pool with as many empty chunks as slots, asked
// for when its workers still spin and when they sleep. core/executor.hpp says which regions are not worth it.
//
//     wake --threads 2 --rounds 400
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <hone/run/thread_pool.hpp>

#include "rounds.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

double microseconds_since(clock_type::time_point begin)
{
    return std::chrono::duration<double, std::micro>(clock_type::now() - begin).count();
}

// The calling thread works alone for so long before each region.
void report(hone::thread_pool& pool, const char* workers, double alone_us, int rounds)
{
    std::vector<double> whole, begin;
    for (int i = 0; i < rounds; ++i) {
        for (const auto from = clock_type::now(); microseconds_since(from) < alone_us;) {
        }
        // Until each slot has its chunk, which is what a region waits for where the work is worth it.
        std::atomic<int> begun{0};
        auto from = clock_type::now();
        pool.run(pool.slots(), [&](std::int64_t, int) {
            ++begun;
            while (begun.load() < pool.slots()) hone::calls::spin_pause();
        });
        begin.push_back(microseconds_since(from));
        for (const auto then = clock_type::now(); microseconds_since(then) < alone_us;) {
        }
        from = clock_type::now();
        pool.run(pool.slots(), [](std::int64_t, int) {});
        whole.push_back(microseconds_since(from));
    }
    for (auto* v : {&begin, &whole}) std::sort(v->begin(), v->end());
    const auto at = [](const std::vector<double>& v, double part) {
        return v[static_cast<std::size_t>(part * static_cast<double>(v.size() - 1))];
    };
    std::printf("%-28s %8.2f %8.2f %8.2f   %8.2f %8.2f %8.2f\n", workers, at(whole, 0), at(whole, 0.5), at(whole, 0.9),
                at(begin, 0), at(begin, 0.5), at(begin, 0.9));
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--threads", "2"}, {"--rounds", "400"}});
    hone::thread_pool pool(o.number("--threads"));
    std::printf("%-28s %26s   %26s\n%-28s %8s %8s %8s   %8s %8s %8s\n", "microseconds of a region", "empty chunks",
                "each slot has begun", "workers", "least", "median", "9 of 10", "least", "median", "9 of 10");
    report(pool, "spin (0 us alone)", 0, o.number("--rounds"));
    report(pool, "spin (20 us alone)", 20, o.number("--rounds"));
    report(pool, "sleep (2 ms alone)", 2000, o.number("--rounds"));
}
