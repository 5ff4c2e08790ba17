// SPDX-License-Identifier: BSL-1.0
// Files that hone writes for people and builds, each as a whole: a reader sees the old text or the new one, never a
// part, also after a loss of power; and no other file is touched on the way.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace hone::tune {

enum class same_text : std::uint8_t {
    keeps_the_file, // and its time, so that nothing is built again for it
    is_written,     // for files of which the time is what counts
};

namespace output {

inline bool write_all(int file, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0) return false; // also for a signal: a pipe that nobody reads must not hold this process
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// To the disk. Pipes, devices and some file systems have nothing to wait for.
inline bool sync(int file) { return ::fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS; }

// While one lives, a signal that ends this process waits: it would leave a temporary file behind.
class uninterrupted {
public:
    uninterrupted()
    {
        sigset_t signals;
        sigemptyset(&signals);
        for (int s : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, s);
        pthread_sigmask(SIG_BLOCK, &signals, &before_);
    }
    uninterrupted(const uninterrupted&) = delete;
    uninterrupted& operator=(const uninterrupted&) = delete;
    ~uninterrupted() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

// A file that was not there before, whatever others put beside it; -1 and errno where none can be made.
inline int create_beside(const std::filesystem::path& target, mode_t mode, std::filesystem::path& name)
{
    for (int number = 0; number < 10000; ++number) {
        name = target.parent_path() / fmt::format(".hone-{}-{}", ::getpid(), number);
        const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

// 0, or the error.
inline int replace(const std::filesystem::path& target, std::string_view text)
{
    struct stat old {};
    const bool is_there = ::stat(target.c_str(), &old) == 0;
    const uninterrupted whole;
    std::filesystem::path name;
    // Never more open than the file that it replaces; the mode of a new one is as the user's mask says.
    const int file = create_beside(target, is_there ? 0600 : 0666, name);
    if (file < 0) return errno;
    bool done = write_all(file, text);
    if (done && is_there) {
        // The owner as far as this user may. Modes follow, since a change of owner clears some.
        if (old.st_uid != ::geteuid() || old.st_gid != ::getegid()) (void)!::fchown(file, old.st_uid, old.st_gid);
        done = ::fchmod(file, old.st_mode & 07777) == 0;
    }
    done = done && sync(file);
    int error = done ? 0 : errno;
    if (::close(file) != 0 && error == 0) error = errno;
    if (error == 0 && ::rename(name.c_str(), target.c_str()) != 0) error = errno;
    if (error != 0) {
        ::unlink(name.c_str());
        return error;
    }
    const auto folder = target.parent_path();
    const int parent = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        (void)sync(parent); // the file is whole either way
        ::close(parent);
    }
    return 0;
}

// Where a link leads in the end, also where nothing is there yet.
inline std::filesystem::path end_of_links(std::filesystem::path path)
{
    std::error_code error;
    constexpr int most = 40; // as the kernel follows
    for (int i = 0; i < most && std::filesystem::is_symlink(path, error); ++i)
        path = path.parent_path() / std::filesystem::read_symlink(path, error);
    return path;
}

// For what is no file, as /dev/stdout: 0, or the error.
inline int write_in_place(const std::filesystem::path& path, std::string_view text)
{
    // Nothing waits for somebody to read a pipe.
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0) return errno;
    ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) & ~O_NONBLOCK);
    int error = write_all(file, text) ? 0 : errno;
    if (::close(file) != 0 && error == 0) error = errno;
    return error;
}

} // namespace output

// Whether two paths lead to one file, also to one that is not there yet. What is no regular file holds nothing to lose.
inline bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b)
{
    namespace fs = std::filesystem;
    std::error_code error;
    const auto is_other = [&](const fs::path& p) { return fs::exists(p, error) && !fs::is_regular_file(p, error); };
    if (a.empty() || b.empty() || is_other(a) || is_other(b)) return false;
    if (fs::exists(a, error) && fs::exists(b, error)) return fs::equivalent(a, b, error);
    return fs::weakly_canonical(output::end_of_links(a), error) == fs::weakly_canonical(output::end_of_links(b), error);
}

// Writes beside the file under a name of its own, to the disk, and renames. The file's mode stays; links to it are
// followed. What is no file is written to. Throws a sentence with the path where it cannot be written; the old text is
// still there then.
inline void replace_file(const std::filesystem::path& path, const std::string& text,
                         same_text same = same_text::keeps_the_file)
{
    namespace fs = std::filesystem;
    std::error_code error;
    const bool in_place = fs::exists(path, error) && !fs::is_regular_file(path, error);
    int failed = 0;
    if (in_place) {
        failed = output::write_in_place(path, text);
    } else {
        const fs::path target = output::end_of_links(path);
        if (fs::is_symlink(target, error)) // in a circle
            throw std::runtime_error(
                fmt::format("cannot write {}: {}", path.string(), std::generic_category().message(ELOOP)));
        if (same == same_text::keeps_the_file && fs::file_size(target, error) == text.size()) {
            std::ifstream old(target, std::ios::binary);
            if (std::string((std::istreambuf_iterator<char>(old)), {}) == text && old.is_open()) return;
        }
        failed = output::replace(target, text);
    }
    if (failed != 0)
        throw std::runtime_error(fmt::format("cannot write {}: {}", path.string(),
                                             in_place && failed == ENXIO
                                                 ? "it is a pipe that nobody reads; name a file, or begin to read it"
                                                 : std::generic_category().message(failed)));
}

} // namespace hone::tune
