// SPDX-License-Identifier: BSL-1.0
// Which records of earlier files count for a tuner's workloads, and what is said of the others.
#include <hone/tune/earlier_records.hpp>

#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/backends.hpp>

#include "own_template.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::ir;
using namespace hone::test;

namespace {

const std::vector<tune::task>& tasks_with_records()
{
    static const std::vector<tune::task> tasks{tune::task_of<tiny>("tiny", "tiny")};
    return tasks;
}
// With the nest that its config gives today.
tune::record record_that_holds(double ms, std::int32_t rows)
{
    tune::record r = tiny_record(ms, rows);
    const auto space = tune::all_that_tune[0]->space_of(tasks_with_records()[0], r.isa, error_class::winograd_6);
    status why;
    const auto program = space->nest_of(space->config_of(r.template_name, r.knobs), why);
    REQUIRE(program.has_value());
    r.nest = fmt::format("{:016x}", *program);
    return r;
}
tune::earlier_records read_back(const std::vector<std::vector<tune::record>>& files)
{
    const folder at;
    std::vector<std::string> paths;
    for (const auto& records : files) {
        paths.push_back(at / fmt::format("{}.jsonl", paths.size()));
        std::ofstream file(paths.back());
        for (const tune::record& r : records) file << tune::line_of(r) << "\n";
    }
    return tune::read_earlier(paths, tasks_with_records(), tune::all_that_tune);
}

} // namespace

TEST_CASE("records whose configs give the nests that were measured count, each line once, in the order of the files")
{
    const tune::record a = record_that_holds(1, 4), b = record_that_holds(2, 3), c = record_that_holds(3, 4);
    const auto read = read_back({{a, b}, {b, c, a}});
    REQUIRE(read.records.size() == 3);
    CHECK(tune::line_of(read.records[0]) == tune::line_of(a));
    CHECK(tune::line_of(read.records[1]) == tune::line_of(b));
    CHECK(tune::line_of(read.records[2]) == tune::line_of(c));
    CHECK(read.stale == 0);
    CHECK(read.left_out.empty());
    CHECK(read.warnings.empty());
}

TEST_CASE("records of another nest are stale; the naive kernel's, and those of other workloads, are not judged")
{
    const tune::record stale = tiny_record(1, 4); // of a nest that was made up
    tune::record naive = tiny_record(2), other = stale;
    naive.template_name = naive.origin = "naive";
    naive.knobs = {};
    naive.nest.clear();
    other.signature = "another";
    const auto read = read_back({{stale, naive, other}});
    CHECK(read.stale == 1);
    REQUIRE(read.records.size() == 2);
    CHECK(read.records[0].origin == "naive");
    CHECK(read.records[1].signature == "another");
}

TEST_CASE("of a template that the workload's list lacks, one sentence says how many there are")
{
    tune::record narrow = tiny_record(1);
    narrow.template_name = test::narrow::name;
    narrow.knobs = {{"rows", "2"}};
    narrow.errors = error_class::exact_order;
    tune::record second = narrow;
    second.seed = 8;
    const auto one = read_back({{narrow}});
    CHECK(one.records.empty());
    REQUIRE(one.left_out.size() == 1);
    CHECK(one.left_out[0].starts_with(
        "1 record of tiny does not count, and is kept: there is no template 'narrow' among those of its list, "));
    CHECK(one.left_out[0].ends_with("; give its list that template, or tune it anew"));
    const auto two = read_back({{narrow, second}});
    REQUIRE(two.left_out.size() == 1);
    CHECK(two.left_out[0].starts_with("2 records of tiny do not count, and are kept: "));
}

TEST_CASE("a line that is no record is a warning, and those behind it count")
{
    const folder at;
    std::ofstream(at / "r.jsonl") << "{\"schema\":2}\n" << tune::line_of(record_that_holds(1, 4)) << "\n";
    const auto read = tune::read_earlier({at / "r.jsonl"}, tasks_with_records(), tune::all_that_tune);
    CHECK(read.records.size() == 1);
    REQUIRE(read.warnings.size() == 1);
    CHECK(read.warnings[0].starts_with("left out: " + (at / "r.jsonl") + ":1: "));
}
