// SPDX-License-Identifier: BSL-1.0
// A small pool of threads as an executor, for engines that have none of their own. Chunks are taken from one counter;
// idle threads spin briefly, then sleep. One region at a time; run() may be called from one thread at a time.
//
// Whoever is awake takes the chunks: a region waits for the threads that have entered it, never for one that still
// sleeps or has lost its processor.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

class thread_pool {
public:
    // `threads` workers, the calling thread among them; at least 1.
    explicit thread_pool(int threads) : thread_pool(threads, [](int) {}) {}
    // Calls begin(slot) first on each thread, on the calling one for slot 0: to pin it to a processor, or to name it.
    template <class Begin>
    thread_pool(int threads, Begin begin)
    {
        begin(0);
        for (int slot = 1; slot < threads; ++slot)
            workers_.emplace_back([this, slot, begin] {
                begin(slot);
                work(slot);
            });
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool()
    {
        stop_ = true;
        generation_.fetch_add(1);
        generation_.notify_all();
        for (std::thread& t : workers_) t.join();
    }

    int slots() const { return static_cast<int>(workers_.size()) + 1; }

    // Calls f(i, slot) once for each i in [0, n), and returns when all are done.
    template <class F>
    void run(std::int64_t n, F&& f)
    {
        if (n <= 0) return;
        if (workers_.empty() || n == 1) {
            for (std::int64_t i = 0; i < n; ++i) f(i, 0);
            return;
        }
        call_ = [](void* data, std::int64_t i, int slot) {
            (*static_cast<std::remove_reference_t<F>*>(data))(i, slot);
        };
        data_ = const_cast<void*>(static_cast<const void*>(&f));
        count_ = n;
        next_.store(0, std::memory_order_relaxed);
        inside_.store(0, std::memory_order_release); // open
        generation_.fetch_add(1);
        generation_.notify_all();
        take(0);
        // Every chunk is taken: nobody enters any more, and those inside finish theirs.
        inside_.fetch_or(closed, std::memory_order_relaxed);
        for (int spins = 0; inside_.load(std::memory_order_acquire) != closed;)
            if (++spins > 4000) std::this_thread::yield();
    }

private:
    void take(int slot)
    {
        for (std::int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) call_(data_, i, slot);
    }

    void work(int slot)
    {
        for (std::uint32_t seen = 0;;) {
            for (int spins = 0; spins < 4000 && generation_.load(std::memory_order_relaxed) == seen; ++spins)
                __builtin_ia32_pause();
            generation_.wait(seen);
            seen = generation_.load(std::memory_order_acquire);
            if (stop_) return;
            if (!enter()) continue;
            take(slot);
            inside_.fetch_sub(1, std::memory_order_release);
        }
    }

    // False where the region has ended meanwhile.
    bool enter()
    {
        for (std::uint32_t now = inside_.load(std::memory_order_relaxed); (now & closed) == 0;)
            if (inside_.compare_exchange_weak(now, now + 1, std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }

    std::vector<std::thread> workers_;
    std::atomic<std::uint32_t> generation_{0};
    std::atomic<std::int64_t> next_{0};
    static constexpr std::uint32_t closed = std::uint32_t{1} << 31;
    std::atomic<std::uint32_t> inside_{closed}; // workers in the region, and whether it is closed
    std::atomic<bool> stop_{false};
    void (*call_)(void*, std::int64_t, int) = nullptr;
    void* data_ = nullptr;
    std::int64_t count_ = 0;
};

} // namespace hone
