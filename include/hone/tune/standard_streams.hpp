// SPDX-License-Identifier: BSL-1.0
// Standard streams that programs may rely on: also where they were started without, and where nobody takes what they
// say.
#pragma once

#include <cerrno>
#include <cstdio>
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

// A line on stderr. What cannot be said must not end the work: fmt::print would throw.
inline void complain(const std::string& line)
{
    const std::string whole = line + "\n";
    (void)!std::fwrite(whole.data(), 1, whole.size(), stderr);
    (void)std::fflush(stderr);
}

} // namespace hone::tune
