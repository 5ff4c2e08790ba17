// SPDX-License-Identifier: BSL-1.0
// Standard streams that programs may rely on: also where they were started without, and where nobody takes what they
// say.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

#include <fcntl.h>

namespace hone::tune {

// First in main. Where a stream is closed, the next file that is opened would take its number, and messages would end
// in a file of records.
inline void open_standard_streams()
{
    for (int stream = 0; stream < 3; ++stream)
        // The lowest free number is this one.
        if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", O_RDWR) < 0) return;
}

// For programs that leave files: nobody reads what they say any more, as after `| head`, and they go on. Children that
// run_process starts do not inherit it.
inline void outlive_readers() { std::signal(SIGPIPE, SIG_IGN); }

// On stdout, at once. Throws a sentence where it cannot be written, as on a full disk.
inline void write_to_stdout(const std::string& text)
{
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
    throw std::runtime_error(std::string("cannot write to the standard output: ") + std::strerror(errno));
}

// A line on stderr. What cannot be said must not end the work: fmt::print would throw.
inline void complain(const std::string& line)
{
    const std::string whole = line + "\n";
    (void)!std::fwrite(whole.data(), 1, whole.size(), stderr);
    (void)std::fflush(stderr);
}

// The same of what a program of hone's has to say, which begins with its name once.
inline void complain_as_hone(const std::string& sentence)
{
    complain(sentence.starts_with("hone::") ? sentence : "hone: " + sentence);
}

} // namespace hone::tune
