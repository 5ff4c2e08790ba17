// SPDX-License-Identifier: BSL-1.0
#include <fstream>

#include <doctest/doctest.h>

#include <hone/record/record_merge.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("merged records stand once, in the order of the files, byte for byte")
{
    const folder at;
    const std::string a = tune::line_of(tiny_record(1)), b = tune::line_of(tiny_record(2)),
                      c = tune::line_of(tiny_record(3));
    // What a later version may add.
    auto more = nlohmann::ordered_json::parse(c);
    more["weather"] = "rain";
    more["check"] = tune::fields::check_of(more);
    const std::string later = more.dump();
    std::ofstream(at / "first") << b << "\n" << a << "\n" << b << "\n";
    std::ofstream(at / "second") << later << "\n" << a << "\n" << c << "\n";
    const auto merged = tune::merge_records({at / "first", at / "second", at / "first"});
    CHECK(merged.text == b + "\n" + a + "\n" + later + "\n" + c + "\n");
    CHECK(merged.records == 4);
    CHECK(merged.duplicates == 5);
    CHECK(merged.warnings.empty());
    CHECK(merged.rejected.empty());

    std::ofstream(at / "merged") << merged.text;
    CHECK(tune::merge_records({at / "merged"}).text == merged.text);
}

TEST_CASE("a folder is no file to write records to")
{
    const folder at;
    CHECK_THROWS_WITH_AS(tune::check_records_to_replace(at.path(), {}), doctest::Contains("it is a folder"),
                         std::runtime_error);
}

TEST_CASE(
    "neither somebody's only line nor a newer version's record gives way, also where a file is merged into itself")
{
    const folder at;
    std::ofstream(at / "records") << tune::line_of(tiny_record(1)) << "\n";
    for (const std::string& precious :
         {std::string("my only copy of notes"), std::string("{\"schema\":3,\"task\":\"later\"}\n")}) {
        CAPTURE(precious);
        std::ofstream(at / "out", std::ios::trunc) << precious;
        for (const std::vector<std::string>& inputs :
             {std::vector{at / "records"}, std::vector{at / "out", at / "records"}}) {
            CHECK_THROWS_WITH_AS(tune::replace_records(at / "out", tune::merge_records(inputs)),
                                 doctest::Contains("out is left as it is"), std::runtime_error);
            CHECK(text_of_file(at / "out") == precious);
        }
    }
}

TEST_CASE("lines that are no records are named and left out, the others are kept")
{
    const folder at;
    const std::string a = tune::line_of(tiny_record(1)), b = tune::line_of(tiny_record(2));
    std::ofstream(at / "first") << a << "\nnot JSON\n" << b << "\n" << a.substr(0, 40);
    std::ofstream(at / "second") << "[]\n" << b;
    const auto merged = tune::merge_records({at / "first", at / "second"});
    CHECK(merged.text == a + "\n" + b + "\n");
    CHECK(merged.duplicates == 1);
    REQUIRE(merged.rejected.size() == 2);
    CHECK(merged.rejected[0].find("first:2: ") != std::string::npos);
    CHECK(merged.rejected[1].find("second:1: it is a list of 0, not an object") != std::string::npos);
    REQUIRE(merged.warnings.size() == 1);
    CHECK(merged.warnings[0].find("first:4: ") != std::string::npos);
}
