// SPDX-License-Identifier: BSL-1.0
// A folder to work in is gone with its maker and nothing else is; what a killed one has left is removed by the next.
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/work_folder.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
namespace fs = std::filesystem;

namespace {

std::ptrdiff_t entries_of(const fs::path& p) { return std::distance(fs::directory_iterator(p), {}); }

// A process that makes a folder inside `at`, and is killed.
void die_in(const fs::path& at)
{
    const pid_t child = fork();
    if (child == 0) {
        const tune::work_folder work(at);
        fs::create_directories(work.path() / "avx2");
        std::ofstream(work.path() / "avx2/batch_0.cpp") << "int x;";
        kill(getpid(), SIGKILL);
    }
    waitpid(child, nullptr, 0);
}

} // namespace

TEST_CASE("what stood in the folder that the user names stays")
{
    const folder at;
    std::ofstream(at / "mine") << "mine";
    fs::create_directory(at.path() / "hone-mine01"); // as ours are named, with nothing that says so
    {
        const tune::work_folder work(at.path());
        CHECK(work.path().parent_path() == at.path());
        fs::create_directories(work.path() / "deep/er");
        std::ofstream(work.path() / "deep/er/file") << "x";
        std::ofstream(at / "came later") << "mine";
        struct stat found {};
        REQUIRE(stat(work.path().c_str(), &found) == 0);
        CHECK((found.st_mode & 0777) == 0700);
    }
    CHECK(entries_of(at.path()) == 3);
}

TEST_CASE("folders that had to be made go again, and no others")
{
    const folder at;
    fs::create_directory(at.path() / "there");
    {
        const tune::work_folder work(at.path() / "there/not/yet/");
        CHECK(fs::exists(at.path() / "there/not/yet"));
    }
    CHECK(fs::exists(at.path() / "there"));
    CHECK(entries_of(at.path() / "there") == 0);
}

TEST_CASE("two at once have each its own, and the last one leaves nothing")
{
    const folder at;
    auto first = std::make_unique<tune::work_folder>(at.path() / "work");
    auto second = std::make_unique<tune::work_folder>(at.path() / "work");
    CHECK(first->path() != second->path());
    std::ofstream(second->path() / "file") << "x";
    first.reset();
    CHECK(fs::exists(second->path() / "file"));
    second.reset();
    CHECK(entries_of(at.path()) == 0);
}

TEST_CASE("what a killed process has left is removed, with the folder that it made")
{
    const folder at;
    die_in(at.path() / "work");
    REQUIRE(entries_of(at.path() / "work") == 1);
    {
        const tune::work_folder work(at.path() / "work");
        CHECK(entries_of(at.path() / "work") == 1);
    }
    CHECK(entries_of(at.path()) == 0);
}

TEST_CASE("what is not proved to be a dead tuner's stays")
{
    const folder at;
    const auto prepared = [&](const char* name, mode_t mode, const std::string& text) {
        fs::create_directory(at.path() / name);
        std::ofstream(at.path() / name / "kept") << "x";
        std::ofstream(at.path() / name / "owner") << text;
        chmod((at / name).c_str(), mode);
    };
    const std::string title = "a folder of hone's tuner, and gone with it\n";
    prepared("hone-aaaaaa", 0700, "something else");
    prepared("hone-bbbbbb", 0700, "");
    prepared("hone-cccccc", 0755, title);
    prepared("other-dddd", 0700, title);
    fs::create_directory_symlink("other-dddd", at.path() / "hone-eeeeee");
    fs::create_directory(at.path() / "hone-ffffff");
    fs::create_symlink("../other-dddd/owner", at.path() / "hone-ffffff/owner");
    chmod((at / "hone-ffffff").c_str(), 0700);
    fs::create_directory(at.path() / "hone-gggggg");
    REQUIRE(mkfifo((at / "hone-gggggg/owner").c_str(), 0600) == 0);
    chmod((at / "hone-gggggg").c_str(), 0700);
    {
        const tune::work_folder work(at.path());
    }
    CHECK(entries_of(at.path()) == 7);
    for (const char* name : {"hone-aaaaaa", "hone-bbbbbb", "hone-cccccc", "other-dddd"})
        CHECK(fs::exists(at.path() / name / "kept"));
    // A dead one may not make this one remove what lies elsewhere.
    const folder elsewhere;
    prepared("hone-hhhhhh", 0700, title + elsewhere.path().string() + "\n");
    {
        const tune::work_folder work(at.path());
    }
    CHECK_FALSE(fs::exists(at.path() / "hone-hhhhhh"));
    CHECK(fs::exists(elsewhere.path()));
}

TEST_CASE("where no folder can be made is said")
{
    const folder at;
    std::ofstream(at / "file") << "x";
    for (const std::string& bad : {at / "file", at / "file/below", std::string("/proc/none")}) {
        CAPTURE(bad);
        CHECK_THROWS_WITH_AS(tune::work_folder{bad}, doctest::Contains("choose another with --work"),
                             std::runtime_error);
    }
    CHECK(text_of_file(at / "file") == "x");
}
