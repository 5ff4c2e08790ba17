// SPDX-License-Identifier: BSL-1.0
// Files that hone reads whole: regular ones of a bounded size. Elsewhere a reader may wait for ever, as at a FIFO, or
// fill the memory, as from /dev/zero.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace hone::tune {

// Far more than any file of records, header or summary has.
inline constexpr std::uint64_t most_bytes_of_input = std::uint64_t{1} << 30;

// Why the path cannot be read as a file; empty where it can.
inline std::string wrong_input(const std::string& path)
{
    struct stat found {};
    // Nothing is opened: to open a device may act on it.
    if (::stat(path.c_str(), &found) != 0) return fmt::format("cannot read {}: {}", path, std::strerror(errno));
    if (S_ISDIR(found.st_mode)) return fmt::format("cannot read {}: {}", path, std::strerror(EISDIR));
    if (!S_ISREG(found.st_mode))
        return fmt::format("cannot read {}: it is no regular file; copy what it holds to one", path);
    if (static_cast<std::uint64_t>(found.st_size) > most_bytes_of_input)
        return fmt::format("cannot read {}: it has {} MiB, and {} are read at most; split it", path,
                           found.st_size >> 20, most_bytes_of_input >> 20);
    return "";
}

// Throws that sentence.
inline std::string text_of_input(const std::string& path)
{
    if (const std::string wrong = wrong_input(path); !wrong.empty()) throw std::runtime_error(wrong);
    const auto fail = [&] { throw std::runtime_error(fmt::format("cannot read {}: {}", path, std::strerror(errno))); };
    // It may have become another since: no waiting, and no more than the bound.
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) fail();
    std::string text;
    char chunk[1 << 16];
    ssize_t count = 0;
    while (text.size() <= most_bytes_of_input) {
        count = ::read(file, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(chunk, static_cast<std::size_t>(count));
    }
    const int error = count < 0 ? errno : 0;
    ::close(file);
    errno = error;
    if (error != 0) fail();
    return text;
}

} // namespace hone::tune
