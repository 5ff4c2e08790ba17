// SPDX-License-Identifier: BSL-1.0
// What this process has started ends with it, also where it is killed: a shell holds the other end of a socket, and
// kills the process groups that it was last told of when this end closes.
//
// PR_SET_PDEATHSIG would not do: it reaches no grandchild, as a compiler proper is. Nor do stopped groups wake by
// themselves: the kernel hangs them up only where nobody of their session adopts them, and the first process of a
// container does.
#pragma once

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace hone::tune {

class process_guard {
public:
    // Started by the first call; ends with the process.
    static process_guard& of_this_process()
    {
        static process_guard guard;
        return guard;
    }
    process_guard(const process_guard&) = delete;
    process_guard& operator=(const process_guard&) = delete;

    void watch(pid_t group)
    {
        const std::lock_guard lock(mutex_);
        groups_.push_back(group);
        tell();
    }
    // Before its first process is reaped: afterwards the number may be another's.
    void release(pid_t group)
    {
        const std::lock_guard lock(mutex_);
        std::erase(groups_, group);
        tell();
    }

private:
    process_guard()
    {
        int ends[2] = {-1, -1};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
        std::string shell = "/bin/sh", option = "-c",
                    script = "trap '' HUP INT QUIT TERM TSTP\n"
                             "while read -r line; do groups=$line; done\n"
                             "[ -z \"$groups\" ] || kill -KILL $groups";
        char* const arguments[] = {shell.data(), option.data(), script.data(), nullptr};
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
        // Who waits for the end of this process's output must not wait for the shell.
        for (int fd : {1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes, &signals);
        if (posix_spawn(&shell_, shell.c_str(), &actions, &attributes, arguments, environ) != 0) shell_ = -1;
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        close(ends[1]);
        socket_ = ends[0];
    }
    ~process_guard()
    {
        if (socket_ >= 0) close(socket_);
        while (shell_ > 0 && waitpid(shell_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }

    void tell() const
    {
        std::string line;
        for (pid_t group : groups_) line += " -" + std::to_string(group);
        line += '\n';
        (void)!send(socket_, line.data(), line.size(), MSG_NOSIGNAL);
    }

    std::mutex mutex_{};
    std::vector<pid_t> groups_{};
    int socket_ = -1;
    pid_t shell_ = -1;
};

} // namespace hone::tune
