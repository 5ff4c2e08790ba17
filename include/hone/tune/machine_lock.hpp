// SPDX-License-Identifier: BSL-1.0
// One tuner at a time on this machine: two that measure at once time each other's compilers. The lock is a file in the
// folder of temporary files, and ends with the process that holds it.
#pragma once

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <hone/tune/process.hpp>

namespace hone::tune {

class machine_lock {
public:
    static constexpr const char* usual_path = "/tmp/hone-tuner.lock";

    // Waits for the lock, until a signal asks to stop or the patience ends; calls say() before it waits. Where it has
    // no lock then, or no such file can be made, tuning goes on without.
    template <class Say>
    machine_lock(std::chrono::duration<double> patience, Say&& say, const std::filesystem::path& path = usual_path)
    {
        // Of other users too, so it is never written to and only the first one creates it.
        constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
        file_ = ::open(path.c_str(), flags);
        if (file_ < 0) file_ = ::open(path.c_str(), flags | O_CREAT, 0644);
        if (file_ < 0 || is_taken()) return;
        say();
        const auto begin = std::chrono::steady_clock::now();
        while (!interrupt_requested.load() && std::chrono::steady_clock::now() - begin < patience && !is_taken())
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    machine_lock(const machine_lock&) = delete;
    machine_lock& operator=(const machine_lock&) = delete;
    ~machine_lock()
    {
        if (file_ >= 0) ::close(file_);
    }

private:
    // By this process, or there is no taking it at all.
    bool is_taken() const { return ::flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

    int file_ = -1;
};

} // namespace hone::tune
