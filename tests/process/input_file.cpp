// SPDX-License-Identifier: BSL-1.0
// What is no regular file of a bounded size is named, and nobody waits for it.
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/input_file.hpp>
#include <hone/record/record.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

TEST_CASE("a file is read whole")
{
    const folder at;
    const std::string text = std::string(200000, 'x') + '\0' + "end";
    std::ofstream(at / "a", std::ios::binary) << text;
    CHECK(tune::wrong_input(at / "a").empty());
    CHECK(tune::text_of_input(at / "a") == text);
    std::ofstream(at / "empty").flush();
    CHECK(tune::text_of_input(at / "empty").empty());
    std::filesystem::create_symlink("a", at.path() / "link");
    CHECK(tune::text_of_input(at / "link") == text);
}

TEST_CASE("FIFOs, devices, folders, sockets' kin and files without end are named, and records are none of these")
{
    const folder at;
    REQUIRE(mkfifo((at / "fifo").c_str(), 0600) == 0);
    std::filesystem::create_symlink("/dev/zero", at.path() / "zero");
    std::filesystem::create_directory(at.path() / "folder");
    std::ofstream(at / "huge").flush();
    REQUIRE(truncate((at / "huge").c_str(), std::int64_t{1} << 40) == 0);
    const std::pair<const char*, const char*> cases[] = {{"fifo", "it is no regular file"},
                                                         {"zero", "it is no regular file"},
                                                         {"folder", "Is a directory"},
                                                         {"huge", "1024 are read at most"},
                                                         {"absent", "No such file"}};
    for (const auto& [name, why] : cases) {
        CAPTURE(name);
        CHECK_THROWS_WITH_AS(tune::text_of_input(at / name), doctest::Contains(why), std::runtime_error);
        CHECK_THROWS_WITH_AS(tune::read_records(at / name), doctest::Contains(why), std::runtime_error);
    }
    for (const char* name : {"fifo", "zero"}) {
        CAPTURE(name);
        CHECK_THROWS_WITH_AS(tune::record_writer(at / name), doctest::Contains("it is no regular file"),
                             std::runtime_error);
    }
}
