// SPDX-License-Identifier: BSL-1.0
// A folder of this process alone, for what it builds: made inside the one that the user names, which may hold anything
// and keeps it, and gone with the process. One that a killed process has left is removed by the next.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include <hone/process/output_file.hpp>
#include <hone/process/process.hpp>

namespace hone::tune {

class work_folder {
public:
    // Throws a sentence where none can be made.
    explicit work_folder(const std::filesystem::path& inside)
    {
        namespace fs = std::filesystem;
        const auto fail = [&](int error) {
            throw std::runtime_error(fmt::format("cannot make a folder to work in below {}: {}; choose another with "
                                                 "--work",
                                                 inside.string(), std::generic_category().message(error)));
        };
        std::error_code error;
        parent_ = fs::absolute(inside, error).lexically_normal();
        if (!parent_.has_filename()) parent_ = parent_.parent_path(); // "work/"
        std::vector<fs::path> missing;
        for (fs::path p = parent_; !fs::exists(p, error) && p.has_relative_path(); p = p.parent_path())
            missing.push_back(p);
        for (auto p = missing.rbegin(); p != missing.rend(); ++p) {
            if (::mkdir(p->c_str(), 0777) == 0)
                made_.insert(made_.begin(), p->string());
            else if (errno != EEXIST)
                fail(errno);
        }
        remove_abandoned();
        std::string name = (parent_ / "hone-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            const int why = errno;
            remove_made();
            fail(why);
        }
        path_ = name;
        // Others take the folder for one that lives as long as the lock is held, and look no further where the text is
        // not there yet.
        owner_ = process::descriptor(
            ::open((path_ / owner).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        std::string text = title;
        for (const std::string& made : made_) text += made + "\n";
        if (owner_.get() >= 0 && ::flock(owner_.get(), LOCK_EX) == 0) (void)output::write_all(owner_.get(), text);
    }
    work_folder(const work_folder&) = delete;
    work_folder& operator=(const work_folder&) = delete;
    ~work_folder()
    {
        remove(path_);
        remove_made();
    }

    const std::filesystem::path& path() const { return path_; }

private:
    static constexpr const char* owner = "owner";
    static constexpr const char* title = "a folder of hone's tuner, and gone with it\n";

    // The owner's file last: a folder of which a part is gone is still known.
    static void remove(const std::filesystem::path& folder)
    {
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
            if (entry.path().filename() != owner) std::filesystem::remove_all(entry.path(), ignored);
        ::unlink((folder / owner).c_str());
        ::rmdir(folder.c_str());
    }
    // Those that this process or one before it has made, as far as nothing is in them.
    void remove_made() const
    {
        for (const std::string& made : made_)
            if (::rmdir(made.c_str()) != 0) return;
    }

    // Folders of processes that are dead, and what those beside this one have made: who ends last removes it.
    void remove_abandoned()
    {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(parent_, error)) {
            const std::string name = entry.path().filename().string();
            struct stat found {};
            if (!name.starts_with("hone-") || name.size() != 11 || ::lstat(entry.path().c_str(), &found) != 0 ||
                !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid() || (found.st_mode & 0777) != 0700)
                continue;
            const process::descriptor file(
                ::open((entry.path() / owner).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
            if (file.get() < 0 || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) ||
                found.st_uid != ::geteuid())
                continue;
            const bool is_dead = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
            std::string text;
            process::read_some(file.get(), [&](std::string_view more) { text += more; });
            if (!text.starts_with(title)) continue;
            inherit(text.substr(std::string_view(title).size()));
            if (is_dead) remove(entry.path());
        }
    }
    void inherit(const std::string& lines)
    {
        std::istringstream stream(lines);
        for (std::string made; std::getline(stream, made);) {
            const auto [end, ignored] =
                std::mismatch(made.begin(), made.end(), parent_.native().begin(), parent_.native().end());
            if (!made.empty() && end == made.end() && std::find(made_.begin(), made_.end(), made) == made_.end())
                made_.push_back(made);
        }
        // The innermost first.
        std::sort(made_.begin(), made_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    }

    std::filesystem::path parent_{}, path_{};
    std::vector<std::string> made_{};
    process::descriptor owner_{};
};

} // namespace hone::tune
