// SPDX-License-Identifier: BSL-1.0
// A file is replaced as a whole: its mode and the links to it stay, nothing beside it is touched or left behind, and
// what cannot be written is named.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/output_file.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

std::ptrdiff_t files_in(const folder& at) { return std::distance(std::filesystem::directory_iterator(at.path()), {}); }
mode_t mode_of(const std::string& path)
{
    struct stat found {};
    REQUIRE(stat(path.c_str(), &found) == 0);
    return found.st_mode & 07777;
}

} // namespace

TEST_CASE("a file that cannot be written is named, and the old one stays")
{
    const folder at;
    tune::replace_file(at.path() / "a", "one");
    tune::replace_file(at.path() / "a", "two");
    CHECK(text_of_file(at / "a") == "two");
    CHECK(std::distance(std::filesystem::directory_iterator(at.path()), {}) == 1);
    CHECK_THROWS_WITH_AS(tune::replace_file("/nowhere/a", "x"), doctest::Contains("/nowhere/a"), std::runtime_error);
    CHECK_THROWS_WITH_AS(tune::replace_file(at.path(), "x"), doctest::Contains("Is a directory"), std::runtime_error);
}

TEST_CASE("a link stays one, and what is no file is written to")
{
    const folder at;
    tune::replace_file(at.path() / "a", "one");
    std::filesystem::create_symlink("a", at.path() / "link");
    tune::replace_file(at.path() / "link", "two");
    CHECK(std::filesystem::is_symlink(at.path() / "link"));
    CHECK(text_of_file(at / "a") == "two");
    std::filesystem::create_symlink("/dev/full", at.path() / "full");
    CHECK_THROWS_WITH_AS(tune::replace_file(at.path() / "full", "x"), doctest::Contains("full: No space left"),
                         std::runtime_error);
    CHECK(std::filesystem::is_character_file(at.path() / "full"));
}

TEST_CASE("a link to what is not there yet is followed, and one in a circle is an error")
{
    const folder at;
    std::filesystem::create_directory(at.path() / "below");
    std::filesystem::create_symlink("below/a", at.path() / "link");
    tune::replace_file(at.path() / "link", "one");
    CHECK(std::filesystem::is_symlink(at.path() / "link"));
    CHECK(text_of_file(at / "below/a") == "one");
    std::filesystem::create_symlink("circle", at.path() / "circle");
    CHECK_THROWS_WITH_AS(tune::replace_file(at.path() / "circle", "x"), doctest::Contains("circle"),
                         std::runtime_error);
    CHECK(std::filesystem::is_symlink(at.path() / "circle"));
}

TEST_CASE("what others have put beside a file is neither followed nor overwritten")
{
    const folder at;
    tune::replace_file(at.path() / "a", "one");
    std::ofstream(at / "victim") << "mine";
    std::ofstream(at / "a.new") << "mine, too";
    for (int number = 0; number < 3; ++number)
        std::filesystem::create_symlink("victim", at.path() / fmt::format(".hone-{}-{}", getpid(), number));
    tune::replace_file(at.path() / "a", "two");
    CHECK(text_of_file(at / "a") == "two");
    CHECK(text_of_file(at / "victim") == "mine");
    CHECK(text_of_file(at / "a.new") == "mine, too");
    CHECK_FALSE(std::filesystem::is_symlink(at.path() / "a"));
    CHECK(files_in(at) == 6);
}

TEST_CASE("a file keeps its mode, and a new one has that of the user's mask")
{
    const folder at;
    tune::replace_file(at.path() / "a", "one");
    for (const mode_t mode : {0600u, 0640u, 0664u, 0755u, 0444u}) {
        CAPTURE(mode);
        chmod((at / "a").c_str(), mode);
        tune::replace_file(at.path() / "a", std::to_string(mode));
        CHECK(mode_of(at / "a") == mode);
    }
    const mode_t before = umask(027);
    tune::replace_file(at.path() / "b", "one");
    umask(before);
    CHECK(mode_of(at / "b") == 0640);
}

TEST_CASE("a text that is there already keeps the file and its time, unless the time is what counts")
{
    const folder at;
    tune::replace_file(at.path() / "a", "");
    const auto long_ago = std::filesystem::last_write_time(at.path() / "a") - std::chrono::hours{1};
    std::filesystem::last_write_time(at.path() / "a", long_ago);
    tune::replace_file(at.path() / "a", "");
    CHECK(std::filesystem::last_write_time(at.path() / "a") == long_ago);
    tune::replace_file(at.path() / "a", "", tune::same_text::is_written);
    CHECK(std::filesystem::last_write_time(at.path() / "a") > long_ago);
}

TEST_CASE("a file that may not grow is an error, the old text stays, and nothing is left behind")
{
    const folder at;
    tune::replace_file(at.path() / "a", "one");
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    std::string why;
    try {
        tune::replace_file(at.path() / "a", std::string(10000, 'x'));
    } catch (const std::runtime_error& e) {
        why = e.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(why == "cannot write " + (at / "a") + ": File too large");
    CHECK(text_of_file(at / "a") == "one");
    CHECK(files_in(at) == 1);
}

TEST_CASE("a name as long as a name may be is no reason to fail")
{
    const folder at;
    const std::string name(255, 'n');
    tune::replace_file(at.path() / name, "one");
    tune::replace_file(at.path() / name, "two");
    CHECK(text_of_file(at / name) == "two");
}
