// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/resource.h>

#include <doctest/doctest.h>

#include <hone/record/record.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
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
    b.backend = tune::on_vulkan;
    b.isa = "none";
    b.knobs = tune::settings_of(vulkan_knobs{.stage = staging::x});
    b.score = 0.25f;
    b.run = 3;
    tune::shader made = tiny_shader(5);
    made.launch.group_coefficient = -7;
    b.code = std::make_shared<tune::shader>(made);
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
    CHECK(tune::config_of<cpu_family>("direct", read.records[0].knobs).knobs<direct>().pad == padding::copy);
    CHECK(tune::config_of<cpu_family>("direct", read.records[0].knobs).knobs<direct>().unroll_window);
    CHECK(read.records[0].ms == a.ms);
    const tune::shader* const shader = tune::shader_of(read.records[1]);
    REQUIRE(shader != nullptr);
    CHECK(shader->words == made.words);
    CHECK(shader->launch == made.launch);
    CHECK(shader->packed[0].dims[2].outer_stride == 56);
    CHECK(tune::shader_of(read.records[0]) == nullptr);
}

TEST_CASE("two tuners do not write one file")
{
    const folder at;
    auto first = std::make_unique<tune::record_writer>(at / "r.jsonl");
    CHECK_THROWS_WITH_AS(tune::record_writer(at / "r.jsonl", std::chrono::milliseconds(0)),
                         doctest::Contains("another tuner is writing"), std::runtime_error);
    // One that is about to end is waited for.
    std::thread ends([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        first.reset();
    });
    CHECK_NOTHROW(tune::record_writer(at / "r.jsonl", std::chrono::seconds(60)));
    ends.join();
}

TEST_CASE("a file that holds something else is not added to")
{
    const folder at;
    for (const char* text : {"int main() {}\n", "[{\"task\": \"mine\"}]\n", "no end of line", "\n\n# notes\n"}) {
        CAPTURE(text);
        std::ofstream(at / "other") << text;
        CHECK_THROWS_WITH_AS(tune::record_writer(at / "other"), doctest::Contains("other holds no record"),
                             std::runtime_error);
        CHECK(text_of_file(at / "other") == text);
    }
    // What an interrupted or a later hone may have left is not another's.
    const std::string line = tune::line_of(tiny_record(1));
    for (const std::string& text :
         {std::string(), std::string(3, '\0'), std::string("\xef\xbb\xbf\r\n"), line.substr(0, 4), line.substr(0, 60),
          "no record\n" + line, std::string("{\"schema\":99,\"task\":0}\n")}) {
        CAPTURE(text);
        std::ofstream(at / "own") << text;
        tune::record_writer(at / "own").write(tiny_record(2));
        CHECK_FALSE(tune::read_records(at / "own").records.empty());
    }
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

TEST_CASE("a last line without an end is torn where it begins as records do, and else another's")
{
    const std::string whole = tune::line_of(tiny_record(1));
    for (std::size_t length = 1; length < whole.size(); ++length) {
        CAPTURE(length);
        CHECK(tune::lines::may_be_records(whole.substr(0, length)));
        if (length % 50 == 1) CHECK(read_with(whole.substr(0, length)).rejected.empty());
    }
    for (const char* others :
         {"my only copy of notes", "x", "{\"schema\":\"http://x\",\"a\":1}", "{\"schema\":2,\"name\":1",
          "[{\"schema\":2,\"task\":1}", "{\"schemas\"", "a {\"schema\":2,\"task\":\"t\"}"}) {
        CAPTURE(others);
        CHECK_FALSE(tune::lines::may_be_records(others));
        CHECK_FALSE(tune::lines::may_be_records(std::string(others) + "\n"));
        const auto read = read_with(others);
        CHECK(read.warnings.empty());
        CHECK_FALSE(read.rejected.empty());
    }
    // What has ended is not torn; a file of nothing but blanks is free to be written.
    CHECK_FALSE(tune::lines::may_be_records("{\n"));
    CHECK_FALSE(tune::lines::may_be_records("{\"schema\":2,\n"));
    CHECK(tune::lines::may_be_records(" \t\n\n"));
    CHECK(tune::lines::may_be_records("{ \"schema\": 3, \"task\": \"t\" }\n"));
    CHECK(tune::lines::may_be_records("notes\n" + whole + "\n"));
}

TEST_CASE("what is no file of records is read in little time and memory")
{
    std::string lines, begins;
    for (int i = 0; i < 50'000; ++i) lines += "x\n";
    const auto read = read_with(lines);
    CHECK(read.records.size() == 1);
    CHECK(read.rejected.size() == tune::most_rejected);
    CHECK(read.rejected_beyond == 50'000 - tune::most_rejected);
    // A record is found among so many lines as ever.
    CHECK(read_with(lines + tune::line_of(tiny_record(2)) + "\n").records.size() == 2);
    for (int i = 0; i < 1'000'000; ++i) begins += "{\"schema\"";
    CHECK(read_with(begins + "\n").rejected.size() <= tune::lines::most_begun);
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

TEST_CASE("it is said that nothing guards lines without a check, once in a file")
{
    const std::string good = tune::line_of(tiny_record(1));
    auto old = nlohmann::ordered_json::parse(good);
    old.erase("check");
    tune::records_read r;
    const std::string file = good + "\n" + old.dump() + "\n" + old.dump() + "\n";
    tune::each_record_in(file, "r", r, [](const tune::record&, const std::string&) {});
    REQUIRE(r.warnings.size() == 1);
    CHECK(r.warnings[0].find("r:2: no 'check' in 2 lines from here") == 0);
}

TEST_CASE("what editors, other systems and lost power leave around records is no part of them")
{
    const std::string a = tune::line_of(tiny_record(1)), b = tune::line_of(tiny_record(2));
    const auto found = [](const std::string& text) {
        tune::records_read r;
        std::string lines;
        tune::each_record_in(text, "r", r, [&](const tune::record&, const std::string& line) { lines += line + "\n"; });
        for (const auto* said : {&r.rejected, &r.warnings})
            for (const std::string& s : *said) lines += s.substr(0, 5) + "\n";
        return lines;
    };
    const std::string both = a + "\n" + b + "\n";
    const std::string zero(1, '\0');
    CHECK(found(both) == both);
    CHECK(found(a + "\r\n" + b + "\r\n") == both);
    CHECK(found("\xef\xbb\xbf" + a + "\n\n \t\r\n" + b) == both);
    CHECK(found(a + "\n\xef\xbb\xbf" + b) == both);
    CHECK(found(a + zero + b + "\n") == both);
    CHECK(found(a + "\n" + zero + zero + zero + b + zero + "\n") == both);
    CHECK(found(a + b) == both);
    // Half a record, and the next one behind it.
    CHECK(found(a.substr(0, 100) + b + "\n") == b + "\nr:1: \n");
    CHECK(found(a.substr(0, 100) + zero + b + "\n") == b + "\nr:1: \n");
    CHECK(found(a + "\n" + b.substr(0, 100)) == a + "\nr:2: \n");
    CHECK(found("") == "");
    CHECK(found(zero) == "");
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
