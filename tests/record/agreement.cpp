// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <hone/record/agreement.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

std::vector<tune::record> some_records()
{
    std::vector<tune::record> records{tiny_record(2), tiny_record(1, 6), tiny_record(20)};
    records[0].origin = "default";
    records[2].origin = "naive";
    return records;
}

nlohmann::ordered_json some_summary()
{
    return nlohmann::ordered_json::array({{{"task", "tiny"},
                                           {"backend", "cpu"},
                                           {"device", "a processor"},
                                           {"isa", "avx2"},
                                           {"threads", 1},
                                           {"signature", tiny::signature().c_str()},
                                           {"trials", 3},
                                           {"failed", 0},
                                           {"default_ms", 2.0},
                                           {"tuned_ms", 1.0},
                                           {"naive_ms", 20.0}}});
}

} // namespace

TEST_CASE("a header is what its records give, and any other byte is found")
{
    const auto records = some_records();
    const std::string header = tune::header_text("tuned", records);
    CHECK(tune::config_set_of(header) == "tuned");
    CHECK_FALSE(tune::wrong_header(header, records));

    const auto says = [&](const std::string& changed, const char* words) {
        const auto wrong = tune::wrong_header(changed, records);
        REQUIRE(wrong);
        CHECK_MESSAGE(wrong->find(words) != std::string::npos, *wrong);
    };
    std::string other = header;
    other.replace(other.find(" rows=6"), 7, " rows=7");
    says(other, " rows=7");
    says(other, "where the records give");
    says(header + "\n", "where the records give 'the end'");
    says(header.substr(0, header.rfind('}')), "is 'the end'");
    says(header.substr(0, header.size() - 1), "its last line break differs");
    says("#pragma once\n", "not written by hone's tuner");
    // Who names it anything else, a name of another language's or a piece of code among them, did not get it from a
    // tuner.
    for (const char* name : {"class", "k {}; int x", "a\nb", "2", ""}) {
        std::string renamed = header;
        renamed.replace(renamed.find("`tuned`"), 7, "`" + std::string(name) + "`");
        says(renamed, "it must be a C++ identifier");
    }
    auto faster = records;
    faster[1].ms = {0.5};
    CHECK(tune::wrong_header(header, faster));
}

TEST_CASE("figures of a summary that are not those of the records are named")
{
    const auto records = some_records();
    CHECK(tune::wrong_figures(some_summary(), records).empty());
    struct {
        const char* field;
        nlohmann::ordered_json value;
        const char* says;
    } const changes[] = {{"trials", 4, "trials is 4 where the records give 3"},
                         {"failed", 1, "failed is 1 where the records give 0"},
                         {"default_ms", 2.5, "default_ms is 2.5 where the records give 2.0"},
                         {"tuned_ms", nullptr, "tuned_ms is null where the records give 1.0"},
                         {"naive_ms", 1.0, "naive_ms is 1.0 where the records give 20.0"},
                         {"signature", "another", "no records of it"},
                         {"isa", "avx512", "no records of it"}};
    for (const auto& c : changes) {
        auto summary = some_summary();
        summary[0][c.field] = c.value;
        const auto wrong = tune::wrong_figures(summary, records);
        REQUIRE(wrong.size() == 1);
        CHECK_MESSAGE(wrong[0].find(c.says) != std::string::npos, wrong[0]);
    }
    auto summary = some_summary();
    summary[0].erase("tuned_ms");
    CHECK(tune::wrong_figures(summary, records).size() == 1);
    for (const char* field : {"signature", "backend", "device", "isa", "threads"}) {
        auto of_any = some_summary();
        of_any[0].erase(field);
        CHECK_MESSAGE(tune::wrong_figures(of_any, records).size() == 1, field);
    }
    const auto says = [&](const char* json, const char* words) {
        const auto wrong = tune::wrong_figures(nlohmann::ordered_json::parse(json), records);
        REQUIRE(wrong.size() == 1);
        CHECK_MESSAGE(wrong[0] == words, wrong[0]);
    };
    says("{}", "it is an object of 0, not a list of rows");
    says("null", "it is null, not a list of rows");
    says("[]", "it has no row, where there are 3 records");
    says("[1]", "a row is 1, not an object");
    says("[[]]", "a row is a list of 0, not an object");
    says("[{}]", "an object of 0: there are no records of it");
    CHECK(tune::wrong_figures(nlohmann::ordered_json::array(), {}).empty());
}
