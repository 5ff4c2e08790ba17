// SPDX-License-Identifier: BSL-1.0
// A hold on running commands from another thread: stops them for a while, with all processes of their groups and with
// the clock of their deadlines, or ends them.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <vector>

#include <sys/types.h>

namespace hone::tune {

class process_control {
public:
    using clock = std::chrono::steady_clock;

    process_control() = default;
    process_control(const process_control&) = delete;
    process_control& operator=(const process_control&) = delete;

    // Commands that start in a pause are stopped at once. As many calls of resume() end it.
    void pause()
    {
        const std::lock_guard lock(mutex_);
        if (pauses_++ > 0) return;
        paused_at_ = clock::now();
        signal_all(SIGSTOP);
    }
    void resume()
    {
        const std::lock_guard lock(mutex_);
        if (--pauses_ > 0) return;
        paused_for_ += clock::now() - paused_at_;
        signal_all(SIGCONT);
    }
    // Commands that run are killed, paused or not, and none starts any more.
    void cancel() { cancelled_.store(true); }
    // The same from then on, pauses or not.
    void end_at(clock::time_point end) { end_.store(end); }
    bool cancelled() const { return cancelled_.load() || clock::now() >= end_.load(); }

    // ---- for who runs a command ----

    // The time without that of pauses.
    clock::time_point now() const
    {
        const std::lock_guard lock(mutex_);
        return (pauses_ > 0 ? paused_at_ : clock::now()) - paused_for_;
    }
    void add(pid_t group)
    {
        const std::lock_guard lock(mutex_);
        groups_.push_back(group);
        if (pauses_ > 0) kill(-group, SIGSTOP);
    }
    // Before its first process is reaped: afterwards the number may be another's.
    void remove(pid_t group)
    {
        const std::lock_guard lock(mutex_);
        std::erase(groups_, group);
    }

private:
    void signal_all(int signal) const
    {
        for (pid_t group : groups_) kill(-group, signal);
    }

    mutable std::mutex mutex_{};
    std::vector<pid_t> groups_{};
    int pauses_ = 0;
    clock::time_point paused_at_{};
    clock::duration paused_for_{};
    std::atomic<bool> cancelled_{false};
    std::atomic<clock::time_point> end_{clock::time_point::max()};
};

} // namespace hone::tune
