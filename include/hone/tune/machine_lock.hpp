// SPDX-License-Identifier: BSL-1.0
// One tuner at a time on this machine: two that measure at once time each other's compilers. The lock is a file in the
// folder of temporary files, and ends with the process that holds it.
#pragma once

#include <cerrno>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <hone/tune/process.hpp>

namespace hone::tune {

class machine_lock {
public:
    // Waits for the lock, until a signal asks to stop; calls say() before it waits. Where no such file can be made
    // there is no lock, and tuning goes on.
    template <class Say>
    explicit machine_lock(Say&& say, const std::filesystem::path& path = "/tmp/hone-tuner.lock")
    {
        // Of other users too, so it is never written to and only the first one creates it.
        constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
        file_ = ::open(path.c_str(), flags);
        if (file_ < 0) file_ = ::open(path.c_str(), flags | O_CREAT, 0644);
        if (file_ < 0) return;
        if (::flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
        say();
        while (!interrupt_requested.load() && ::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
        }
    }
    machine_lock(const machine_lock&) = delete;
    machine_lock& operator=(const machine_lock&) = delete;
    ~machine_lock()
    {
        if (file_ >= 0) ::close(file_);
    }

private:
    int file_ = -1;
};

} // namespace hone::tune
