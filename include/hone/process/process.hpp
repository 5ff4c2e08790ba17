// SPDX-License-Identifier: BSL-1.0
// A command in a process group of its own, with a deadline and a limit on its output: how compilers and candidates are
// run, from several threads at once. Whatever it leaves behind in its group is killed when it ends, or this process
// does.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hone/process/process_control.hpp>
#include <hone/process/process_guard.hpp>

namespace hone::tune {

// Set by a signal handler: commands are killed, and searches end with what they have.
inline std::atomic<bool> interrupt_requested{false};

struct process_limits {
    // Of the whole run; where lines are listened to, of each silence.
    std::chrono::duration<double> deadline{30.0};
    std::size_t output_bytes = 64 * 1024; // of each of stdout and stderr; what is beyond is dropped
    std::uint64_t memory_bytes = 0;       // of address space; 0: no limit
    std::string temporary_directory{};    // where it is to keep what a kill may leave behind; empty: as this process
};

struct process_result {
    bool started = false;
    int exit_status = -1; // where it ended by itself
    int signal = 0;       // where a signal ended it
    bool timed_out = false;
    bool interrupted = false;
    std::string out{};
    std::string err{};

    bool ok() const { return started && exit_status == 0; }
};

namespace process {

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() { close(); }
    int get() const { return fd_; }
    void close()
    {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_ = -1;
};

struct pipe_ends {
    descriptor read, write;
};
inline pipe_ends open_pipe()
{
    int fds[2] = {-1, -1};
    if (pipe2(fds, O_CLOEXEC) != 0) return {};
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return {descriptor(fds[0]), descriptor(fds[1])};
}

// The environment of this process, with messages in English, since they are searched for words, and with another
// directory for temporary files where one is given.
class command_environment {
public:
    explicit command_environment(const std::string& temporary_directory)
    {
        if (!temporary_directory.empty()) temporary_ = "TMPDIR=" + temporary_directory;
        for (char** variable = environ; *variable != nullptr; ++variable)
            if (const std::string_view v = *variable; !v.starts_with("LC_ALL=") && !v.starts_with("LANGUAGE=") &&
                                                      (temporary_.empty() || !v.starts_with("TMPDIR=")))
                pointers_.push_back(*variable);
        pointers_.push_back(language_);
        if (!temporary_.empty()) pointers_.push_back(temporary_.data());
        pointers_.push_back(nullptr);
    }
    command_environment(const command_environment&) = delete;
    command_environment& operator=(const command_environment&) = delete;
    char* const* data() const { return pointers_.data(); }

private:
    char language_[9] = "LC_ALL=C";
    std::string temporary_{};
    std::vector<char*> pointers_{};
};

// The text as a file, so that a command that never reads it cannot block its writer.
inline descriptor file_of(std::string_view text)
{
    descriptor file(memfd_create("hone", MFD_CLOEXEC));
    while (!text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written <= 0) break;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    lseek(file.get(), 0, SEEK_SET);
    return file;
}

// Reads what is there; false at the end of the stream.
template <class Take>
bool read_some(int fd, Take&& take)
{
    char chunk[4096];
    for (;;) {
        const ssize_t count = ::read(fd, chunk, sizeof chunk);
        if (count > 0)
            take(std::string_view(chunk, static_cast<std::size_t>(count)));
        else if (count < 0 && errno == EINTR)
            continue;
        else
            return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
}

} // namespace process

using line_listener = std::function<void(std::string_view line)>;

// Runs argv[0], looked for in PATH, with `input` as stdin. Each line of its stdout goes to `on_line` when it comes.
// `control` pauses it or ends it, as an interrupt does, from another thread.
inline process_result run_process(std::vector<std::string> argv, std::string_view input, const process_limits& limits,
                                  const line_listener& on_line, process_control& control)
{
    process_result r;
    if (limits.memory_bytes != 0) {
        const std::string limit = "ulimit -v " + std::to_string(limits.memory_bytes / 1024) + "; exec \"$@\"";
        argv.insert(argv.begin(), {"/bin/sh", "-c", limit, "sh"});
    }
    std::vector<char*> arguments;
    for (std::string& a : argv) arguments.push_back(a.data());
    arguments.push_back(nullptr);

    process::pipe_ends out = process::open_pipe(), err = process::open_pipe();
    const process::descriptor in = process::file_of(input);
    if (out.read.get() < 0 || err.read.get() < 0 || in.get() < 0) {
        r.err = std::strerror(errno);
        return r;
    }
    const process::command_environment environment(limits.temporary_directory);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.get(), 0);
    posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (int s : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) sigaddset(&signals, s);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    pid_t child = -1;
    const int spawned = posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (spawned != 0) {
        r.err = std::strerror(spawned);
        return r;
    }
    process_guard::of_this_process().watch(child);
    control.add(child);
    r.started = true;
    out.write.close();
    err.write.close();

    auto last_line = control.now();
    std::string line;
    const auto take_out = [&](std::string_view text) {
        r.out.append(text.substr(0, limits.output_bytes - std::min(limits.output_bytes, r.out.size())));
        if (!on_line) return;
        for (char c : text) {
            if (c != '\n') {
                if (line.size() < limits.output_bytes) line += c;
                continue;
            }
            last_line = control.now();
            on_line(line);
            line.clear();
        }
    };
    const auto take_err = [&](std::string_view text) {
        r.err.append(text.substr(0, limits.output_bytes - std::min(limits.output_bytes, r.err.size())));
    };

    bool out_open = true, err_open = true;
    siginfo_t ended{};
    for (;;) {
        pollfd fds[2] = {{out_open ? out.read.get() : -1, POLLIN, 0}, {err_open ? err.read.get() : -1, POLLIN, 0}};
        poll(fds, 2, out_open || err_open ? 20 : 1);
        if (out_open) out_open = process::read_some(out.read.get(), take_out);
        if (err_open) err_open = process::read_some(err.read.get(), take_err);
        ended = {};
        // Not reaped yet: until then its number, and so that of its group, is not given away.
        if (waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == child)
            break;
        if (interrupt_requested.load() || control.cancelled()) {
            r.interrupted = true;
            break;
        }
        if (control.now() - last_line > limits.deadline) {
            r.timed_out = true;
            break;
        }
    }
    kill(-child, SIGKILL);
    control.remove(child);
    process_guard::of_this_process().release(child);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (out_open) process::read_some(out.read.get(), take_out);
    if (err_open) process::read_some(err.read.get(), take_err);
    if (on_line && !line.empty()) on_line(line);
    if (!r.timed_out && !r.interrupted) {
        if (WIFEXITED(status)) r.exit_status = WEXITSTATUS(status);
        if (WIFSIGNALED(status)) r.signal = WTERMSIG(status);
    }
    return r;
}
inline process_result run_process(std::vector<std::string> argv, std::string_view input, const process_limits& limits,
                                  const line_listener& on_line = {})
{
    process_control none;
    return run_process(std::move(argv), input, limits, on_line, none);
}

} // namespace hone::tune
