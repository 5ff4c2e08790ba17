// SPDX-License-Identifier: BSL-1.0
// One tuner at a time on this machine: two that measure at once time each other's compilers. The lock is a file in a
// folder where only this user writes, so that nobody else can hold it; it ends with the process. Tuners of other users
// are not waited for, as that would let them stop this one, but they are seen and said: each holds an abstract socket.
// What runs in another container is not seen.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/core.h>

#include <hone/process/process.hpp>

namespace hone::tune {

// Where a lock is had.
struct lock_place {
    std::filesystem::path file{};
    std::string socket{}; // abstract name; empty: none
    std::string wrong{};  // why there is no file
};

// Below the user's run-time folder, else in one of its own in /tmp.
inline lock_place usual_lock_place(const std::filesystem::path& temporary = "/tmp")
{
    lock_place p{.socket = "hone-tuner"};
    // Not one that another user made beforehand, or may write to.
    const auto is_own = [](const std::filesystem::path& folder) {
        struct stat found {};
        return ::lstat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() &&
               (found.st_mode & 0077) == 0;
    };
    const char* const run = std::getenv("XDG_RUNTIME_DIR");
    if (run != nullptr && *run == '/' && is_own(run)) {
        p.file = std::filesystem::path(run) / "hone-tuner.lock";
        return p;
    }
    const auto own = temporary / fmt::format("hone-{}", ::geteuid());
    const bool made = ::mkdir(own.c_str(), 0700) == 0;
    const int why = errno;
    if (made || is_own(own))
        p.file = own / "tuner.lock";
    else if (why == EEXIST)
        p.wrong = fmt::format("{} is not a folder of this user alone; remove it", own.string());
    else
        p.wrong = fmt::format("cannot make {}: {}", own.string(), std::generic_category().message(why));
    return p;
}

class machine_lock {
public:
    // Waits for the lock until a signal asks to stop or the patience ends. What the user should know goes to
    // say(sentence): that it waits, and whatever means that another may measure at the same time.
    template <class Say>
    machine_lock(std::chrono::duration<double> patience, Say&& say, const lock_place& place = usual_lock_place())
    {
        const std::string wrong = open(place);
        if (!wrong.empty())
            say(fmt::format("there is no lock against other tuners on this machine, so one may spoil these timings: {}",
                            wrong));
        if (file_.get() >= 0 && !is_taken()) {
            say(fmt::format("waiting for another tuner on this machine{} to end, {:.0f} s at most", holder(),
                            patience.count()));
            const auto begin = std::chrono::steady_clock::now();
            bool taken = false;
            while (!interrupt_requested.load() && !taken && std::chrono::steady_clock::now() - begin < patience) {
                std::this_thread::sleep_for(std::chrono::milliseconds{50});
                taken = is_taken();
            }
            beside_ = !taken;
            if (!taken && !interrupt_requested.load())
                say(fmt::format("another tuner{} still measures: going on beside it, so the timings of both may be "
                                "wrong; measure again when it has ended",
                                holder()));
        }
        if (!place.socket.empty()) announce(place.socket, say);
    }
    machine_lock(const machine_lock&) = delete;
    machine_lock& operator=(const machine_lock&) = delete;

private:
    // Why there is no lock; empty where there is a file for it.
    std::string open(const lock_place& place)
    {
        if (!place.wrong.empty()) return place.wrong;
        // Nothing waits at a FIFO, and no link leads elsewhere.
        process::descriptor file(
            ::open(place.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
        const int why = errno;
        struct stat found {};
        if (file.get() < 0)
            return fmt::format("cannot open {}: {}", place.file.string(), std::generic_category().message(why));
        if (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_uid != ::geteuid())
            return fmt::format("{} is no regular file of this user; remove it", place.file.string());
        file_ = std::move(file);
        return "";
    }
    // By this process, or there is no taking it at all, as on some network file systems.
    bool is_taken() const
    {
        if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
        const std::string number = fmt::format("{}\n", ::getpid());
        if (::ftruncate(file_.get(), 0) == 0) (void)!::pwrite(file_.get(), number.data(), number.size(), 0);
        return true;
    }
    // " (process 123)" as far as it is known.
    std::string holder() const
    {
        char text[16]{};
        const ssize_t size = ::pread(file_.get(), text, sizeof text - 1, 0);
        std::string_view number(text, size > 0 ? static_cast<std::size_t>(size) : 0);
        number = number.substr(0, number.find_first_not_of("0123456789"));
        return number.empty() ? "" : fmt::format(" (process {})", number);
    }

    // Holds the name, or says who does.
    template <class Say>
    void announce(const std::string& name, Say&& say)
    {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        std::memcpy(at.sun_path + 1, name.data(), std::min(name.size(), sizeof at.sun_path - 1));
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        const auto* const address = reinterpret_cast<const sockaddr*>(&at);
        socket_ = process::descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (::bind(socket_.get(), address, size) == 0) {
            (void)::listen(socket_.get(), 8); // who looks sees this process without being accepted
            return;
        }
        if (errno != EADDRINUSE) return;
        ucred peer{};
        socklen_t bytes = sizeof peer;
        if (::connect(socket_.get(), address, size) != 0 ||
            ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0)
            say("another tuner measures on this machine: going on beside it, so the timings of both may be wrong");
        else if (!beside_) // else it has been said
            say(fmt::format("a tuner of user {} (process {}) measures on this machine: going on beside it, so the "
                            "timings of both may be wrong",
                            peer.uid, peer.pid));
        socket_.close();
    }

    process::descriptor file_{}, socket_{};
    bool beside_ = false; // another one of this user
};

} // namespace hone::tune
