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
using namespace hone::test;

namespace {

// What is read of a file with these lines after a good one.
tune::records_read read_with(const std::string& more)
{
    const folder at;
    std::ofstream(at / "r.jsonl") << tune::line_of(tiny_record(1)) << "\n" << more;
    return tune::read_records(at / "r.jsonl");
}
// The line with a field more.
std::string with_field(const std::string& line, const char* name, const nlohmann::ordered_json& value)
{
    auto more = nlohmann::ordered_json::parse(line);
    more[name] = value;
    return more.dump();
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

TEST_CASE("each field has its type and range")
{
    const std::string good = tune::line_of(tiny_record(1));
    const std::string shader = tune::line_of(tiny_record_on_vulkan(5));
    const auto says = [](const std::string& line) -> std::string {
        try {
            tune::record_of(line);
        } catch (const std::invalid_argument& e) {
            return e.what();
        }
        return "";
    };
    CHECK(says(good) == "");
    CHECK(says(shader) == "");
    // Without any field that must be there, or with another type in its place.
    for (const tune::fields::field& f : tune::fields::record_fields) {
        CAPTURE(std::string(f.name));
        auto line = nlohmann::ordered_json::parse(shader);
        line.erase("check");
        const auto without = [&] {
            auto l = line;
            l.erase(f.name);
            return says(l.dump());
        };
        const auto with = [&](const nlohmann::ordered_json& value) {
            auto l = line;
            l[f.name] = value;
            return says(l.dump());
        };
        using presence = tune::fields::presence;
        CHECK(without() == (f.needed == presence::required ? "'" + std::string(f.name) + "' is missing" : ""));
        if (f.needed == presence::derived) continue;
        CHECK(with(nlohmann::ordered_json::array({1, "x"})) != "");
        CHECK(with(false) != "");
        if (f.type != tune::fields::type::object) CHECK(with(nlohmann::ordered_json{{"a", 1}}) != "");
        if (f.type == tune::fields::type::whole)
            for (const char* number : {"-1", "1.5", "1e300", "18446744073709551616", "\"1\""})
                CHECK(with(nlohmann::ordered_json::parse(number)) != "");
        if (f.type == tune::fields::type::text) CHECK(with(std::string(1 << 17, 'x')).size() < 250);
    }
    struct {
        std::string line, says;
    } const bad[] = {
        {replaced(good, "\"rows\":4", "\"rows\":4294967298"), "the knob 'rows' has no value '4294967298'"},
        {replaced(good, "\"rows\":4", "\"rows\":0"), "the knob 'rows' has no value '0'"},
        {replaced(good, "\"rows\":4", "\"rows\":1e300"),
         "the knob 'rows' is 1e+300, not a number, a word or a boolean"},
        {replaced(good, "\"rows\":4", "\"rows\":4,\"rows\":5"), "the field 'rows' stands twice"},
        {replaced(good, "\"rows\":4,", ""), "the knob 'rows' is missing"},
        {replaced(good, "\"origin\":\"chance\"", "\"origin\":\"peer\""), "the origin is 'peer'"},
        {replaced(good, "\"origin\":\"chance\"", "\"origin\":\"luck\""), "'origin' is the text 'luck', not one of"},
        {replaced(good, "\"threads\":1", "\"threads\":1000000000"), "not a whole number from 1 to 1024"},
        {replaced(good, "\"ms\":[1.0,1.5]", "\"ms\":1.0"), "'ms' is 1.0, not a list of numbers"},
        {replaced(good, "\"ms\":[1.0,1.5]", "\"ms\":{\"a\":1.0}"), "'ms' is an object of 1"},
        {replaced(good, "\"ms\":[1.0,1.5]", "\"ms\":[0]"), "'ms' holds 0"},
        {replaced(good, "\"ms\":[1.0,1.5]", "\"ms\":[5e-324]"), "'ms' holds 5e-324"},
        {replaced(good, "\"trial\":0", "\"trial\":1"), "it was changed since it was written"},
        {replaced(good, "1.5", "1.6"), "it was changed since it was written"},
        {replaced(shader, "[1,64,3,", "[0,64,3,"), "'groups_x' of its shader is 0"},
        {replaced(shader, "[1,64,3,", "[1,-1,3,"), "'lanes' of its shader is -1"},
        {replaced(shader, "[1,64,3,", "[1,1e300,3,"), "'lanes' of its shader is 1e+300"},
        {replaced(shader, "[1,64,3,", "[1,18446744073709551615,3,"), "'lanes' of its shader is 18446744073709551615"},
        {replaced(shader, ",0,0,1],", ",0,0,0],"), "'group_divisor' of its shader is 0"},
        {replaced(shader, "[7,8,0,0]", "[0,8,0,0]"), "'extent' of its shader is 0"},
        {replaced(shader, "[7,8,0,0]", "[7,8,0]"), "a dimension of 'packed' is a list of 3"},
        {replaced(shader, "[7,8,0,0]", "[1099511627776,1099511627776,0,0]"), "more than 2^40 elements"},
        {replaced(shader, "\"spirv\":\"07230203", "\"spirv\":\"0723020x"), "is not written in hexadecimal"},
        {replaced(shader, "\"spirv\":\"07230203", "\"spirv\":\"723020"), "is cut short"},
        {replaced(shader, "\"spirv\":\"07230203", "\"spirv\":\"07230204"), "does not begin with SPIR-V's number"},
        {replaced(shader, "\"backend\":\"vulkan\"", "\"backend\":\"cpu\""), "no instruction set 'none'"},
        {replaced(good, "\"backend\":\"cpu\"", "\"backend\":\"gpu\""),
         "'backend' is the text 'gpu', not one of cpu, vulkan"},
        {replaced(good, "\"backend\":\"cpu\"", "\"backend\":5"), "'backend' is 5, not one of cpu, vulkan"},
        {with_field(good, "shader", 5), "'shader' is 5, not an object"},
        {with_field(good, "shader", nlohmann::ordered_json::parse(shader)["shader"]),
         "it has a shader, but is not of Vulkan"},
        {replaced(good, "\"verdict\":\"ok\"", "\"verdict\":\"untried\""),
         "the verdict untried says nothing of the kernel"},
        {"[" + good + "]", "it is a list of 1, not an object"},
    };
    for (const auto& b : bad) {
        CAPTURE(b.line);
        CHECK_MESSAGE(says(b.line).find(b.says) != std::string::npos, says(b.line));
    }
}

TEST_CASE("booleans are booleans, and lines of earlier versions are read as ever")
{
    const std::string good = tune::line_of(tiny_record(1));
    CHECK(good.find("\"unroll_window\":false") != std::string::npos);
    auto old = nlohmann::ordered_json::parse(good);
    old["knobs"]["unroll_window"] = "false";
    old.erase("check");
    CHECK(tune::line_of(tune::record_of(old.dump())) == good);
    // It is said that nothing guards them, once in a file.
    tune::records_read r;
    const std::string file = good + "\n" + old.dump() + "\n" + old.dump() + "\n";
    tune::each_record_in(file, "r", r, [](const tune::record&, const std::string&) {});
    REQUIRE(r.warnings.size() == 1);
    CHECK(r.warnings[0].find("r:2: no 'check' in 2 lines from here") == 0);
    // Spaces and the order of digits are no change.
    CHECK(tune::line_of(tune::record_of(nlohmann::ordered_json::parse(good).dump(2))) == good);
    CHECK(tune::line_of(tune::record_of(replaced(good, "[1.0,1.5]", "[1.00, 15e-1]"))) == good);
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
