// SPDX-License-Identifier: BSL-1.0
// A small pool of threads as an executor, for engines that have none of their own. Chunks are taken from one counter;
// idle threads spin briefly, then sleep.
//
// Whoever is awake takes the chunks: a region waits for the threads that have entered it, never for one that still
// sleeps or has lost its processor. One region at a time has the threads. What is asked for meanwhile, by a chunk or by
// another thread, runs where it is asked for, one chunk after another on slot 0.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

// Threads of POSIX: a std::thread that cannot be started throws, which engines without exceptions cannot catch, and it
// knows nothing of fork().
#include <pthread.h>
#include <sched.h>

#include <hone/run/processor.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

class thread_pool {
public:
    // `threads` workers, the calling thread among them; at least 1. Where the system gives fewer, slots() says so.
    explicit thread_pool(int threads) : thread_pool(threads, [](int) {}) {}
    // Calls begin(slot) first on each thread, on the calling one for slot 0: to pin it to a processor, or to name it.
    // On the others it must not throw.
    template <class Begin>
    thread_pool(int threads, Begin begin) : thread_pool()
    {
        begin(0);
        if (threads <= 1) return;
        workers_.reset(new (std::nothrow) pthread_t[static_cast<std::size_t>(threads - 1)]);
        for (int slot = 1; slot < threads && workers_ != nullptr; ++slot) {
            std::unique_ptr<start_of<Begin>> start{new (std::nothrow) start_of<Begin>{*this, slot, begin}};
            if (start == nullptr ||
                pthread_create(&workers_[worker_count_], nullptr, begin_work<Begin>, start.get()) != 0)
                break;
            start.release();
            ++worker_count_;
        }
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool()
    {
        if (is_forked()) return;
        stop_ = true;
        generation_.fetch_add(1);
        generation_.notify_all();
        for (std::size_t i = 0; i < worker_count_; ++i) pthread_join(workers_[i], nullptr);
    }

    // 1 in a child that was forked: the threads stayed with its parent.
    int slots() const { return is_forked() ? 1 : static_cast<int>(worker_count_) + 1; }

    // Calls f(i, slot) once for each i in [0, n), and returns when all are done. Each slot rounds, and treats
    // denormals, as the caller does. The first exception of a chunk ends the region and is thrown here; later chunks
    // may not run.
    template <class F>
    void run(std::int64_t n, F&& f)
    {
        if (n <= 1 || worker_count_ == 0 || is_forked() || is_busy_.exchange(true, std::memory_order_acquire)) {
            for (std::int64_t i = 0; i < n; ++i) f(i, 0);
            return;
        }
        using function = std::remove_reference_t<F>;
        take_ = [](thread_pool& pool, int slot) { pool.take<function>(slot); };
        data_ = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
        chunks_ = n;
        control_ = float_control();
        next_.store(0, std::memory_order_relaxed);
        inside_.store(0, std::memory_order_release); // open
        generation_.fetch_add(1);
        generation_.notify_all();
        take<function>(0);
        // Every chunk is taken: nobody enters any more, and those inside finish theirs.
        inside_.fetch_or(closed, std::memory_order_relaxed);
        for (int spins = 0; inside_.load(std::memory_order_acquire) != closed;)
            if (++spins > 4000) sched_yield();
        if (has_thrown_.load(std::memory_order_relaxed)) [[unlikely]]
            end_by_exception();
        is_busy_.store(false, std::memory_order_release);
    }

private:
    // Complete before the first thread starts: where starting them throws, the destructor ends those that run.
    thread_pool()
    {
#if defined(__unix__) || defined(__APPLE__)
        [[maybe_unused]] static const int once =
            pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
        made_after_ = forks.load(std::memory_order_relaxed);
#endif
    }

    // How many forks lie between the first process with a pool and this one.
    static inline std::atomic<std::uint32_t> forks{0};
    bool is_forked() const { return forks.load(std::memory_order_relaxed) != made_after_; }

    template <class Begin>
    struct start_of {
        thread_pool& pool;
        int slot;
        Begin begin;
    };
    template <class Begin>
    static void* begin_work(void* data) noexcept
    {
        std::unique_ptr<start_of<Begin>> start{static_cast<start_of<Begin>*>(data)};
        start->begin(start->slot);
        start->pool.work(start->slot);
        return nullptr;
    }

    // One function for each F, so that what it does with exceptions is up to the flags of the unit that F comes from.
    template <class F>
    void take(int slot)
    {
        F& f = *static_cast<F*>(data_);
        const std::int64_t n = chunks_;
#if defined(__cpp_exceptions)
        try {
            for (std::int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < n;) f(i, slot);
        } catch (...) {
            next_.store(n, std::memory_order_relaxed); // no more of them
            if (!has_thrown_.exchange(true, std::memory_order_relaxed)) thrown_ = std::current_exception();
        }
#else
        for (std::int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < n;) f(i, slot);
#endif
    }

    [[noreturn, gnu::noinline]] void end_by_exception()
    {
        const std::exception_ptr thrown = std::exchange(thrown_, nullptr);
        has_thrown_.store(false, std::memory_order_relaxed);
        is_busy_.store(false, std::memory_order_release);
        std::rethrow_exception(thrown);
    }

    void work(int slot)
    {
        for (std::uint32_t seen = 0;;) {
            for (int spins = 0; spins < 4000 && generation_.load(std::memory_order_relaxed) == seen; ++spins)
                spin_pause();
            generation_.wait(seen);
            seen = generation_.load(std::memory_order_acquire);
            if (stop_) return;
            if (!enter()) continue;
            if (float_control() != control_) set_float_control(control_);
            take_(*this, slot);
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

    std::unique_ptr<pthread_t[]> workers_;
    std::size_t worker_count_ = 0;
    std::uint32_t made_after_ = 0; // forks
    std::atomic<bool> stop_{false};
    std::atomic<bool> is_busy_{false}; // a region has the threads
    std::atomic<std::uint32_t> generation_{0};
    std::atomic<std::int64_t> next_{0};
    static constexpr std::uint32_t closed = std::uint32_t{1} << 31;
    std::atomic<std::uint32_t> inside_{closed}; // workers in the region, and whether it is closed

    // Of the region that has the threads.
    void (*take_)(thread_pool&, int) = nullptr;
    void* data_ = nullptr;
    std::int64_t chunks_ = 0;
    std::uint64_t control_ = 0;
    std::atomic<bool> has_thrown_{false};
    std::exception_ptr thrown_;
};

} // namespace hone::calls

namespace hone { // API
using calls::thread_pool;
} // namespace hone
