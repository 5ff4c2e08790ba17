// SPDX-License-Identifier: BSL-1.0
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

#include <sys/resource.h>

#include <doctest/doctest.h>

#include <hone/tune/record.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// What is read of a file with these lines after a good one.
tune::records_read read_with(const std::string& more)
{
    const folder at;
    std::ofstream(at / "r.jsonl") << tune::line_of(tiny_record(1)) << "\n" << more;
    return tune::read_records(at / "r.jsonl");
}
std::string replaced(std::string line, const std::string& from, const std::string& to)
{
    const auto at = line.find(from);
    REQUIRE(at != std::string::npos);
    return line.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("a record that is written is read again")
{
    const folder at;
    tune::record a = tiny_record(0.1, 6), b = tiny_record(2);
    a.knobs = tune::settings_of(direct_knobs{.rows = 6, .pad = padding::copy, .unroll_window = true});
    b.found = tune::verdict::compile_error;
    b.ms = {};
    b.detail = "error: \xff no text";
    b.backend = "vulkan";
    b.isa = "none";
    b.knobs = tune::settings_of(vulkan_knobs{.stage = staging::x});
    b.score = 0.25f;
    b.run = 3;
    b.shader = tiny_shader(5);
    b.shader->launch.group_coefficient = -7;
    {
        const tune::record_writer log(at / "r.jsonl");
        log.write(a);
    }
    {
        const tune::record_writer log(at / "r.jsonl");
        log.write(b);
    }
    const auto read = tune::read_records(at / "r.jsonl");
    CHECK(read.warnings.empty());
    CHECK(read.rejected.empty());
    REQUIRE(read.records.size() == 2);
    CHECK(tune::line_of(read.records[0]) == tune::line_of(a));
    CHECK(tune::line_of(read.records[1]) == tune::line_of(b));
    CHECK(tune::cpu_config_of("direct", read.records[0].knobs).direct.pad == padding::copy);
    CHECK(tune::cpu_config_of("direct", read.records[0].knobs).direct.unroll_window);
    CHECK(read.records[0].ms == a.ms);
    REQUIRE(read.records[1].shader);
    CHECK(read.records[1].shader->words == b.shader->words);
    CHECK(read.records[1].shader->launch == b.shader->launch);
    CHECK(read.records[1].shader->packed.dims[2].outer_stride == 56);
    CHECK_FALSE(read.records[0].shader);
}

TEST_CASE("two tuners do not write one file")
{
    const folder at;
    const auto first = std::make_unique<tune::record_writer>(at / "r.jsonl");
    CHECK_THROWS_WITH_AS(tune::record_writer(at / "r.jsonl"), doctest::Contains("another tuner is writing"),
                         std::runtime_error);
}

TEST_CASE("a file that cannot grow is named, and what was written stays")
{
    const folder at;
    const tune::record_writer writer(at / "r.jsonl");
    writer.write(tiny_record(1));
    writer.sync();
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = std::filesystem::file_size(at / "r.jsonl"), .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    std::string why;
    try {
        writer.write(tiny_record(2));
    } catch (const std::runtime_error& e) {
        why = e.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(why == "cannot write " + (at / "r.jsonl") + ": File too large");
    CHECK(tune::read_records(at / "r.jsonl").records.size() == 1);
}

TEST_CASE("a torn last line is dropped with a warning")
{
    const auto read = read_with(R"({"schema":2,"task":"ti)");
    CHECK(read.records.size() == 1);
    CHECK(read.rejected.empty());
    REQUIRE(read.warnings.size() == 1);
    CHECK(read.warnings[0].find("r.jsonl:2: the last line is torn") != std::string::npos);
}

TEST_CASE("a record that follows a torn line is not lost with it")
{
    const folder at;
    std::ofstream(at / "r.jsonl") << R"({"schema":2,"task":"ti)";
    tune::record_writer(at / "r.jsonl").write(tiny_record(1));
    const auto read = tune::read_records(at / "r.jsonl");
    CHECK(read.records.size() == 1);
    REQUIRE(read.rejected.size() == 1);
    CHECK(read.rejected[0].find("r.jsonl:1: ") != std::string::npos);
}

TEST_CASE("a line that is no record is rejected by its number, and the others are kept")
{
    const std::string good = tune::line_of(tiny_record(1));
    struct {
        std::string line, says;
    } const bad[] = {
        {"{\"schema\":2}", "'task' is missing"},
        {"not JSON", "parse error"},
        {replaced(good, "\"run\":1", "\"run\":99999999999"), "'run' is 99999999999"},
        {replaced(good, "\"run\":1", "\"run\":0"), "'run' is 0"},
        {replaced(good, "\"threads\":1", "\"threads\":1.5"), "'threads' is 1.5"},
        {replaced(good, "0123456789abcdef", "none"), "the nest 'none'"},
        {replaced(good, "0123456789abcdef", ""), "no hash"},
        {replaced(good, "\"ms\":[1.0,1.5]", "\"ms\":[null]"), "'ms' holds null"},
        {replaced(good, "\"ms\":[1.0,1.5]", "\"ms\":[-1.0]"), "'ms' holds -1.0"},
        {replaced(good, "\"ms\":[1.0,1.5]", "\"ms\":[]"), "there are no times"},
        {replaced(good, "\"template\":\"direct\"", "\"template\":\"diagonal\""), "no template 'diagonal'"},
        {replaced(good, "\"rows\":4", "\"lines\":4"), "no knob 'lines'"},
        {replaced(good, "\"pad\":\"peel\"", "\"pad\":\"melt\""), "no value 'melt'"},
        {replaced(good, "\"verdict\":\"ok\"", "\"verdict\":\"fine\""), "'verdict' is the text 'fine', not one of ok"},
        {replaced(good, "\"schema\":2", "\"schema\":99"), "'schema' is 99, not the whole number 2"},
        {replaced(good, "\"isa\":\"avx2\"", "\"isa\":\"mmx\""), "no instruction set 'mmx'"},
        {replaced(good, "\"task\":\"tiny\"", "\"task\":\"a\\nb\""), "'task' holds a control character"},
    };
    for (const auto& b : bad) {
        CAPTURE(b.line);
        const auto read = read_with(b.line + "\n" + good + "\n");
        CHECK(read.records.size() == 2);
        REQUIRE(read.rejected.size() == 1);
        CHECK(read.rejected[0].find("r.jsonl:2: ") != std::string::npos);
        CHECK_MESSAGE(read.rejected[0].find(b.says) != std::string::npos, read.rejected[0]);
    }
}

TEST_CASE("a time that is no number is written as null, which is rejected")
{
    const auto read = read_with(tune::line_of(tiny_record(std::numeric_limits<double>::quiet_NaN())) + "\n");
    CHECK(read.records.size() == 1);
    CHECK(read.rejected.size() == 1);
}

TEST_CASE("files that cannot be opened are named")
{
    const auto says = [](auto&& call, const char* name) {
        try {
            call();
        } catch (const std::exception& e) {
            return std::string(e.what()).find(name) != std::string::npos;
        }
        return false;
    };
    CHECK(says([] { tune::record_writer("/nowhere/r.jsonl"); }, "/nowhere/r.jsonl"));
    CHECK(says([] { tune::read_records("/nowhere/r.jsonl"); }, "/nowhere/r.jsonl"));
    CHECK(says([] { tune::read_records("/proc"); }, "cannot read /proc: Is a directory"));
}
