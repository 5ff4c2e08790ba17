// SPDX-License-Identifier: BSL-1.0
// Compilers that work in the background while the calling thread measures: batches of candidates go in, built ones come
// out in the order in which they are done. While something is timed, a pause stops the compilers.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <hone/process/process_control.hpp>
#include <hone/tune/candidate_builder.hpp>

namespace hone::tune {

// Used by one thread; the builder outlives it. A compiler that crashes, hangs or fills the memory costs what it costs
// the builder: the variant that makes it do so.
class build_pool {
public:
    using ticket = std::uint64_t; // of a batch; never given twice

    struct finished {
        build_pool::ticket ticket = 0;
        std::vector<built_variant> variants{}; // in the order of the batch
    };

    // While one lives, the compilers are stopped and their deadlines stand still. It costs microseconds, and what the
    // compilers hold in memory stays there.
    class pause {
    public:
        explicit pause(build_pool& pool) : control_(pool.control_) { control_.pause(); }
        pause(const pause&) = delete;
        pause& operator=(const pause&) = delete;
        ~pause() { control_.resume(); }

    private:
        process_control& control_;
    };

    // `workers` compilers run at a time; at least 1. Those that run at the end are killed, and none starts after it.
    build_pool(candidate_builder& with, int workers,
               process_control::clock::time_point end = process_control::clock::time_point::max())
        : builder_(with)
    {
        control_.end_at(end);
        for (int i = 0; i < std::max(workers, 1); ++i) workers_.emplace_back([this] { work(); });
    }
    build_pool(const build_pool&) = delete;
    build_pool& operator=(const build_pool&) = delete;
    // Kills the compilers that run; what was not waited for is lost.
    ~build_pool()
    {
        {
            const std::lock_guard lock(mutex_);
            waiting_.clear();
            stopped_ = true;
        }
        control_.cancel();
        changed_.notify_all();
        for (std::thread& t : workers_) t.join();
    }

    ticket submit(std::vector<variant_source> variants)
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({++last_ticket_, std::move(variants)});
        ++pending_;
        changed_.notify_all();
        return last_ticket_;
    }

    // Batches that wait() has not given back.
    std::size_t pending() const { return pending_; }

    // Blocks for the next batch that is done; in no pause, or it may block for ever. After an interrupt each pending
    // batch comes at once, with the verdict `interrupted` for what was not built. Throws where nothing is pending, and
    // what the builder has thrown.
    finished wait() { return *wait_until(process_control::clock::time_point::max()); }
    // Nothing where none is done by then.
    std::optional<finished> wait_until(process_control::clock::time_point end)
    {
        std::unique_lock lock(mutex_);
        if (pending_ == 0)
            throw std::logic_error("hone::tune::build_pool: no batch is pending; submit one before waiting");
        const auto is_done = [&] { return !done_.empty(); };
        if (end == process_control::clock::time_point::max())
            changed_.wait(lock, is_done);
        else if (!changed_.wait_until(lock, end, is_done))
            return std::nullopt;
        outcome next = std::move(done_.front());
        done_.pop_front();
        --pending_;
        if (next.thrown) std::rethrow_exception(next.thrown);
        return std::optional(std::move(next.batch));
    }

private:
    struct submitted {
        build_pool::ticket ticket = 0;
        std::vector<variant_source> variants{};
    };
    struct outcome {
        finished batch{};
        std::exception_ptr thrown{};
    };

    void work()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
            if (stopped_) return;
            const submitted batch = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            outcome o{.batch = {.ticket = batch.ticket}};
            try {
                o.batch.variants = builder_.build(batch.variants, control_);
            } catch (...) {
                o.thrown = std::current_exception();
            }
            lock.lock();
            done_.push_back(std::move(o));
            changed_.notify_all();
        }
    }

    candidate_builder& builder_;
    process_control control_{};
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::deque<submitted> waiting_{};
    std::deque<outcome> done_{};
    bool stopped_ = false;
    ticket last_ticket_ = 0;
    std::size_t pending_ = 0; // of the calling thread
    std::vector<std::thread> workers_{};
};

} // namespace hone::tune
