// SPDX-License-Identifier: BSL-1.0
// The pool of threads: each index once, no slot in two running calls, and kernels on several pools and levels.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

static_assert(executor<thread_pool>);

namespace {

// What the calls of one region did to a pool's rules. Relaxed throughout, so that it orders nothing for the pool.
class watched_region {
public:
    watched_region(std::int64_t indices, int slots)
        : slots_{slots}, calls_(static_cast<std::size_t>(indices)), running_(static_cast<std::size_t>(slots))
    {
    }
    void enter(std::int64_t i, int slot)
    {
        if (i < 0 || i >= static_cast<std::int64_t>(calls_.size()) || slot < 0 || slot >= slots_) {
            is_outside_.store(true, std::memory_order_relaxed);
            return;
        }
        calls_[static_cast<std::size_t>(i)].fetch_add(1, std::memory_order_relaxed);
        std::atomic<int>& running = running_[static_cast<std::size_t>(slot)];
        if (running.fetch_add(1, std::memory_order_relaxed) != 0) is_shared_.store(true, std::memory_order_relaxed);
        std::this_thread::yield(); // long enough for another call to meet this one
        running.fetch_sub(1, std::memory_order_relaxed);
    }
    // Empty where all is as it should be.
    std::string wrong() const
    {
        if (is_outside_) return "an index or a slot out of range";
        if (is_shared_) return "two running calls share a slot";
        for (std::size_t i = 0; i < calls_.size(); ++i)
            if (calls_[i] != 1) return "index " + std::to_string(i) + ": calls: " + std::to_string(calls_[i]);
        return {};
    }

private:
    int slots_;
    std::vector<std::atomic<int>> calls_;
    std::vector<std::atomic<int>> running_;
    std::atomic<bool> is_outside_{false};
    std::atomic<bool> is_shared_{false};
};

constexpr conv2d_shape small{.n = 2, .h = 6, .w = 7, .ic = 5, .oc = 67, .kh = 3, .kw = 3, .pad = 1};
constexpr gemm_shape product{.batch = 3, .m = 21, .n = 70, .k = 9};

// Parallel loops of a nest that lie inside one another.
template <class Nest>
constexpr int parallel_levels(const Nest& n)
{
    int most = 0;
    for (std::size_t at = 0; at < n.nodes.size(); ++at) {
        int levels = 0;
        for (int x = static_cast<int>(at); x >= 0; x = n.nodes[static_cast<std::size_t>(x)].parent) {
            const node& above = n.nodes[static_cast<std::size_t>(x)];
            if (above.kind == node_kind::loop && above.bind == binding::parallel) ++levels;
        }
        most = levels > most ? levels : most;
    }
    return most;
}

// An executor that counts the regions asked of another, and those asked for before the last was done.
struct counting_executor {
    static constexpr std::int64_t least_region_ns = 0;
    thread_pool& pool;
    std::atomic<int> regions{0};
    std::atomic<int> open{0};
    std::atomic<int> nested{0};

    int slots() const { return pool.slots(); }
    template <class F>
    void run(std::int64_t n, F&& f)
    {
        ++regions;
        if (open.fetch_add(1) != 0) ++nested;
        pool.run(n, f);
        --open;
    }
};

// Weights packed once, a workspace and an output for each caller.
std::string wrong_call(const entry& kernel, const executor_ref& executor, const call_data& d, const floats& packed,
                       const doubles& expected)
{
    guarded workspace(kernel.workspace_bytes(executor.slots()));
    guarded y(d.y.size() * sizeof(float));
    const status found = kernel.run(executor, {.x = d.x.data(),
                                               .weights = packed.data(),
                                               .bias = d.bias.data(),
                                               .y = y.data(),
                                               .workspace = workspace.data()});
    if (!found.ok()) return found.message();
    if (!y.is_intact() || !workspace.is_intact()) return "run() writes beside its buffers";
    return difference(y.values(), expected);
}
floats packed_for(const entry& kernel, const call_data& d)
{
    floats packed(kernel.packed_bytes / sizeof(float));
    kernel.pack(d.weights.data(), packed.data());
    return packed;
}

using conv = conv2d<small, f32, bias, relu>;
using gemm3 = gemm<product, f32, bias>;
// A padded copy of x, which is computed in parallel, too.
using copied = tuned<conv, direct_knobs{.rows = 3, .vectors = 1, .pad = padding::copy, .order = walk::rows_outer}>;
using blocked = tuned<gemm3, direct_knobs{.rows = 4, .vectors = 1, .row_block = 8}>;

} // namespace

TEST_CASE("a pool calls each index once, and never two at a time on one slot")
{
    for (const int threads : {1, 2, 3, 8}) {
        thread_pool pool(threads);
        CHECK(pool.slots() == threads);
        for (const std::int64_t n : {0, 1, 2, 7, 64, 500}) {
            for (int again = 0; again < 5; ++again) {
                watched_region watched(n, pool.slots());
                pool.run(n, [&](std::int64_t i, int slot) { watched.enter(i, slot); });
                CAPTURE(threads);
                CAPTURE(n);
                CHECK(watched.wrong() == "");
            }
        }
    }
}

TEST_CASE("a pool of no threads has the calling one")
{
    thread_pool pool(0);
    CHECK(pool.slots() == 1);
    std::int64_t sum = 0;
    pool.run(5, [&](std::int64_t i, int) { sum += i; });
    CHECK(sum == 10);
}

TEST_CASE("a pool begins once on each of its threads, before that has a chunk")
{
    constexpr int threads = 4;
    std::atomic<int> begun[threads]{};
    std::thread::id of[threads];
    thread_pool pool(threads, [&](int slot) {
        of[slot] = std::this_thread::get_id();
        ++begun[slot];
    });
    CHECK(of[0] == std::this_thread::get_id());
    std::atomic<int> wrong{0}, in{0};
    // Each chunk waits for all others, so that each thread has one.
    pool.run(threads, [&](std::int64_t, int slot) {
        if (begun[slot] != 1 || of[slot] != std::this_thread::get_id()) ++wrong;
        ++in;
        while (in < threads) std::this_thread::yield();
    });
    CHECK(wrong == 0);
}

TEST_CASE("a region does not wait for a thread that has not come")
{
    std::atomic<bool> comes{false};
    thread_pool pool(2, [&](int slot) {
        while (slot == 1 && !comes) std::this_thread::yield();
    });
    for (int region = 0; region < 3; ++region) {
        watched_region watched(20, pool.slots());
        pool.run(20, [&](std::int64_t i, int slot) { watched.enter(i, slot); });
        CHECK(watched.wrong() == "");
    }
    comes = true;
    // Once it comes, it takes its part.
    std::atomic<int> in{0};
    pool.run(2, [&](std::int64_t, int) {
        ++in;
        while (in < 2) std::this_thread::yield();
    });
    CHECK(in == 2);
}

TEST_CASE("what chunks write is there when run() returns, and chunks see what was written before")
{
    thread_pool pool(4);
    std::vector<int> data(300, 0);
    const std::int64_t n = static_cast<std::int64_t>(data.size());
    for (int round = 1; round <= 200; ++round) {
        pool.run(n, [&](std::int64_t i, int) { data[static_cast<std::size_t>(n - 1 - i)] += 1; });
        int wrong = 0;
        for (const int d : data) wrong += d != round;
        REQUIRE(wrong == 0);
    }
}

TEST_CASE("idle workers sleep, wake and stop")
{
    auto pool = std::make_unique<thread_pool>(3);
    for (int round = 0; round < 3; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        watched_region watched(40, pool->slots());
        pool->run(40, [&](std::int64_t i, int slot) { watched.enter(i, slot); });
        CHECK(watched.wrong() == "");
    }
    pool.reset();
    // Pools that never ran.
    for (int i = 0; i < 50; ++i) thread_pool unused(3);
}

TEST_CASE("a kernel with several parallel levels, on pools of many sizes")
{
    static_assert(parallel_levels(kernel<conv, copied>::compute::nest) >= 2);
    static_assert(parallel_levels(kernel<gemm3, blocked>::compute::nest) >= 2);
    const call_data of_conv = data_of(small, 71);
    const gemm_call call = call_of(product, product.m.value, 0, 0);
    const call_data of_gemm = data_of(product, call, 72);
    const doubles conv_expected = reference(small, of_conv, {test::step::bias, test::step::relu});
    const doubles gemm_expected = reference(product, call, of_gemm, {test::step::bias});
    const entry kernels[] = {entry_of<kernel<conv>>(), entry_of<kernel<conv, copied>>(), entry_of<kernel<gemm3>>(),
                             entry_of<kernel<gemm3, blocked>>()};
    for (const int threads : {1, 2, 5, 16}) {
        thread_pool pool(threads);
        counting_executor counting{pool};
        for (const entry& k : kernels) {
            const bool is_conv = &k < kernels + 2;
            const call_data& d = is_conv ? of_conv : of_gemm;
            CAPTURE(threads);
            CAPTURE(k.signature);
            CHECK(wrong_call(k, reference_to(counting), d, packed_for(k, d), is_conv ? conv_expected : gemm_expected) ==
                  "");
        }
        CHECK(counting.regions >= 4);
        // Inner levels run on the worker that has the chunk: a pool runs one region at a time.
        CHECK(counting.nested == 0);
    }
}

TEST_CASE("two pools run kernels at the same time, from two threads")
{
    const call_data of_conv = data_of(small, 73);
    const gemm_call call = call_of(product, product.m.value, 0, 0);
    const call_data of_gemm = data_of(product, call, 74);
    const doubles conv_expected = reference(small, of_conv, {test::step::bias, test::step::relu});
    const doubles gemm_expected = reference(product, call, of_gemm, {test::step::bias});
    const entry a = entry_of<kernel<conv, copied>>();
    const entry b = entry_of<kernel<gemm3, blocked>>();
    const floats packed_a = packed_for(a, of_conv);
    const floats packed_b = packed_for(b, of_gemm);

    // Both threads run both kernels, from the same x and weights.
    const auto engine = [&](std::string& wrong) {
        eager_pool pool(3);
        for (int round = 0; round < 40 && wrong.empty(); ++round) {
            wrong = wrong_call(a, reference_to(pool), of_conv, packed_a, conv_expected);
            if (wrong.empty()) wrong = wrong_call(b, reference_to(pool), of_gemm, packed_b, gemm_expected);
        }
    };
    std::string one;
    std::string other;
    std::thread second([&] { engine(other); });
    engine(one);
    second.join();
    CHECK(one == "");
    CHECK(other == "");
}
