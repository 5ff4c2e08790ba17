// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <hone/record/record_table.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

tune::record of(tune::record r, const std::string& origin)
{
    r.origin = origin;
    return r;
}
tune::record failed(tune::verdict why)
{
    tune::record r = tiny_record(1);
    r.found = why;
    r.ms = {};
    return r;
}

} // namespace

TEST_CASE("a row counts trials and failures, and compares the best with the default and the naive kernel")
{
    std::vector<tune::record> records{
        of(tiny_record(2), "default"), of(tiny_record(20), "naive"),         tiny_record(0.5, 6),
        failed(tune::verdict::crash),  failed(tune::verdict::build_timeout), failed(tune::verdict::crash)};
    const auto rows = tune::table_of(records);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].standing.trials == 6);
    CHECK(rows[0].gain() == 4);
    const std::string text = tune::text_of(rows, tune::text_style::plain);
    CAPTURE(text);
    CHECK(text.find("cpu: a processor, avx2, 1 thread, hot cache\n") == 0);
    CHECK(text.find("1 build_timeout, 2 crash") != std::string::npos);
    for (const char* cell : {"2.0000", "0.5000", "4.00x", "20.0000", "direct rows=6"})
        CHECK_MESSAGE(text.find(cell) != std::string::npos, cell);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(tune::text_of(rows, tune::text_style::coloured).find("\x1b[32m") != std::string::npos);

    const auto j = tune::json_of(rows);
    REQUIRE(j.size() == 1);
    CHECK(j[0]["task"] == "tiny");
    CHECK(j[0]["failed"] == 3);
    CHECK(j[0]["failures"] == nlohmann::ordered_json{{"build_timeout", 1}, {"crash", 2}});
    CHECK(j[0]["default_ms"] == 2.0);
    CHECK(j[0]["best_ms"] == 0.5);
    CHECK(j[0]["gain"] == 4.0);
    CHECK(j[0]["naive_ms"] == 20.0);
    CHECK(j[0]["config"]["template"] == "direct");
    CHECK(j[0]["config"]["rows"] == 6);
}

TEST_CASE("what was measured under other conditions has a row of its own")
{
    std::vector<tune::record> records(9, tiny_record(1));
    records[1].task = "other";
    records[2].signature = "other";
    records[3].backend = tune::on_vulkan;
    records[4].device = "other";
    records[5].isa = "avx512";
    records[6].threads = 2;
    records[7].cache = "cold";
    records[8].typical = "m=128";
    const auto rows = tune::table_of(records);
    REQUIRE(rows.size() == 9);
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i].key == &records[i]);
    const std::string text = tune::text_of(rows, tune::text_style::plain);
    CHECK(text.find("2 threads") != std::string::npos);
    CHECK(text.find("cold cache") != std::string::npos);
    CHECK(text.find("tiny at m=128 ") != std::string::npos);
    CHECK(tune::json_of(rows)[8].at("typical") == "m=128");
}

TEST_CASE("only the last run counts, with its failures")
{
    std::vector<tune::record> records{of(tiny_record(1), "default"), failed(tune::verdict::crash),
                                      of(tiny_record(2), "default"), failed(tune::verdict::run_timeout)};
    records[2].run = records[3].run = 2;
    const auto rows = tune::table_of(records);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].standing.trials == 2);
    CHECK(rows[0].standing.standard == &records[2]);
    CHECK(rows[0].failures == std::map<tune::verdict, int>{{tune::verdict::run_timeout, 1}});
}

TEST_CASE("a workload of which nothing works has a row without times")
{
    std::vector<tune::record> records{failed(tune::verdict::wrong_result)};
    const auto rows = tune::table_of(records);
    CHECK(rows.at(0).gain() == 0);
    CHECK(tune::json_of(rows)[0]["best_ms"].is_null());
    CHECK(tune::json_of(rows)[0]["gain"].is_null());
    CHECK(tune::json_of(rows)[0]["config"].is_null());
    CHECK(tune::text_of(rows, tune::text_style::plain).find("1 wrong_result") != std::string::npos);
    CHECK(tune::text_of(tune::table_of({}), tune::text_style::plain).empty());
}
