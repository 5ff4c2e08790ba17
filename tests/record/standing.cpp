// SPDX-License-Identifier: BSL-1.0
// What records decide, whatever their order: of several processors, compilers and runs, and among equals.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/record/header_writer.hpp>
#include <hone/record/standing.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

tune::record of(tune::record r, const char* origin)
{
    r.origin = origin;
    return r;
}
tune::record on(tune::record r, const char* processor)
{
    r.device = processor;
    return r;
}
// The default, of 4 rows, and a config of `rows` that is faster.
std::vector<tune::record> tuned_on(const char* processor, double ms, int rows)
{
    return {on(of(tiny_record(2 * ms), "default"), processor), on(tiny_record(ms, rows), processor)};
}
std::vector<tune::record> together(std::vector<tune::record> a, const std::vector<tune::record>& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

} // namespace

TEST_CASE("records of this machine's processor come first, faster ones of another are said to be left out")
{
    const auto both = together(tuned_on("mine", 2, 6), tuned_on("theirs", 1, 3));
    const auto rows_for = [&](const char* processor) {
        const std::string header = tune::header_text("k", both, {.processor = processor});
        return header.find(" rows=6") != std::string::npos ? 6 : header.find(" rows=3") != std::string::npos ? 3 : 0;
    };
    CHECK(rows_for("mine") == 6);
    CHECK(rows_for("theirs") == 3);
    const auto said = tune::processors_left_out(both, {.processor = "mine"});
    REQUIRE(said.size() == 1);
    CHECK(said[0] == "1 workload of avx2 has records of 'mine' and of 'theirs': the latter are left out");
    CHECK(tune::processors_left_out(both, {.processor = "a third"})[0].find("neither is this machine's") !=
          std::string::npos);
    CHECK(tune::processors_left_out(tuned_on("theirs", 1, 3), {.processor = "mine"}).empty());
    // A failure is no measurement that another processor's records would have to make way for.
    auto failed = tiny_record(1);
    failed.found = tune::verdict::crash;
    failed.ms = {};
    CHECK(tune::header_text("k", together(tuned_on("theirs", 1, 3), {on(failed, "mine")}), {.processor = "mine"})
              .find(" rows=3") != std::string::npos);
}

TEST_CASE("what a tuner measures under comes before all else")
{
    auto earlier = tuned_on("mine", 1, 3);
    for (tune::record& r : earlier) {
        r.run = 7;
        r.compiler = "z: the last by name";
    }
    const auto now = tuned_on("mine", 2, 6);
    const auto all = together(now, earlier);
    CHECK(tune::header_text("k", all, {.processor = "mine"}).find(" rows=3") != std::string::npos);
    CHECK(tune::header_text("k", all, {.processor = "mine", .keys = {now[0]}}).find(" rows=6") != std::string::npos);
}

TEST_CASE("times at other typical values are of another key, and those of the workload's own come first")
{
    const auto at = [](const char* typical, double ms, int rows) {
        std::vector<tune::record> all = tuned_on("mine", ms, rows);
        for (tune::record& r : all) r.typical = typical;
        return all;
    };
    const auto both = together(at("m=4", 1, 6), at("m=64", 2, 3));
    CHECK(tune::key_of(both[0]) != tune::key_of(both[2]));
    const auto rows_for = [&](const std::string& typical) {
        tune::preference prefer{.processor = "mine"};
        if (!typical.empty()) prefer.typical[both[0].signature] = typical;
        const std::string header = tune::header_text("k", both, prefer);
        CHECK(header.find(typical.empty() ? " at m=" : " at " + typical + ", ") != std::string::npos);
        return header.find(" rows=6") != std::string::npos ? 6 : header.find(" rows=3") != std::string::npos ? 3 : 0;
    };
    CHECK(rows_for("m=4") == 6);
    CHECK(rows_for("m=64") == 3);
    CHECK(rows_for("") != 0);
    // Where there are none of them, others are better than nothing.
    tune::preference third{.processor = "mine"};
    third.typical[both[0].signature] = "m=9";
    CHECK(tune::header_text("k", both, third).find(" rows=") != std::string::npos);
}

TEST_CASE("the order of the records decides nothing, not even among equals")
{
    std::vector<tune::record> records = together(tuned_on("mine", 2, 6), tuned_on("theirs", 1, 3));
    records.push_back(on(tiny_record(2, 5), "mine")); // as fast as 6 rows
    records.back().nest = "0123456789abcde0";
    for (tune::record r : tuned_on("mine", 2, 7)) {
        r.compiler = "another";
        records.push_back(r);
    }
    for (std::uint32_t vendor : {0u, 5u, 6u}) records.push_back(tiny_record_on_vulkan(vendor));
    const auto before = [](const tune::record& a, const tune::record& b) {
        return tune::line_of(a) < tune::line_of(b);
    };
    std::sort(records.begin(), records.end(), before);
    const std::string header = tune::header_text("k", records, {.processor = "mine"});
    int orders = 0;
    do {
        CHECK(tune::header_text("k", records, {.processor = "mine"}) == header);
    } while (++orders < 300 && std::next_permutation(records.begin(), records.end(), before));
    std::reverse(records.begin(), records.end());
    CHECK(tune::header_text("k", records, {.processor = "mine"}) == header);
}

TEST_CASE("texts of records stand in a header as text")
{
    auto records = tuned_on("a \xe2\x80\xae processor \\", 1, 3);
    for (tune::record& r : records) {
        r.task = "x\nint y;";
        r.signature = "s \xe2\x80\xae ?\?/ \"quoted\" \\";
    }
    const std::string header = tune::header_text("k", records);
    CHECK(header.find("\xe2\x80\xae") == std::string::npos);
    CHECK(header.find("\nint y;") == std::string::npos);
    CHECK(header.find(R"(.signature = "s \342\200\256 ?\?/ \"quoted\" \\")") != std::string::npos);
    CHECK_THROWS_WITH_AS(tune::header_text("class", records),
                         doctest::Contains("is 'class'; it must be a C++ identifier"), std::invalid_argument);
    records[1].knobs = {};
    CHECK_THROWS_WITH_AS(tune::header_text("k", records), doctest::Contains("the knob 'rows' is missing"),
                         std::invalid_argument);
}
