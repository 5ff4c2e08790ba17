// SPDX-License-Identifier: BSL-1.0
// The fields of a record: the type and range of each, what they say of each other, and the check of a line.
#include <hone/record/record_fields.hpp>

#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

// The line with a field more.
std::string with_field(const std::string& line, const char* name, const nlohmann::ordered_json& value)
{
    auto more = nlohmann::ordered_json::parse(line);
    more[name] = value;
    return more.dump();
}
std::string with_text(std::string line, const std::string& from, const std::string& to)
{
    const auto at = line.find(from);
    REQUIRE(at != std::string::npos);
    return line.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("what calls gave is said where they give something, and in no other line")
{
    tune::record r = tiny_record(1);
    CHECK(tune::line_of(r).find("typical") == std::string::npos);
    CHECK(tune::record_of(tune::line_of(r)).typical.empty());
    r.typical = "m=128 ldx=512";
    CHECK(tune::record_of(tune::line_of(r)).typical == r.typical);
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
        {with_text(good, "\"rows\":4", "\"rows\":4294967298"), "the knob 'rows' has no value '4294967298'"},
        {with_text(good, "\"rows\":4", "\"rows\":0"), "the knob 'rows' has no value '0'"},
        {with_text(good, "\"rows\":4", "\"rows\":1e300"),
         "the knob 'rows' is 1e+300, not a number, a word or a boolean"},
        {with_text(good, "\"rows\":4", "\"rows\":4,\"rows\":5"), "the field 'rows' stands twice"},
        {with_text(good, "\"rows\":4,", ""), "the knob 'rows' is missing"},
        {with_text(good, "\"origin\":\"chance\"", "\"origin\":\"peer\""), "the origin is 'peer'"},
        {with_text(good, "\"origin\":\"chance\"", "\"origin\":\"luck\""), "'origin' is the text 'luck', not one of"},
        {with_text(good, "\"threads\":1", "\"threads\":1000000000"), "not a whole number from 1 to 1024"},
        {with_text(good, "\"ms\":[1.0,1.5]", "\"ms\":1.0"), "'ms' is 1.0, not a list of numbers"},
        {with_text(good, "\"ms\":[1.0,1.5]", "\"ms\":{\"a\":1.0}"), "'ms' is an object of 1"},
        {with_text(good, "\"ms\":[1.0,1.5]", "\"ms\":[0]"), "'ms' holds 0"},
        {with_text(good, "\"ms\":[1.0,1.5]", "\"ms\":[5e-324]"), "'ms' holds 5e-324"},
        {with_text(good, "\"trial\":0", "\"trial\":1"), "it was changed since it was written"},
        {with_text(good, "1.5", "1.6"), "it was changed since it was written"},
        {with_text(shader, "[1,64,3,", "[0,64,3,"), "'groups_x' of its shader is 0"},
        {with_text(shader, "[1,64,3,", "[1,-1,3,"), "'lanes' of its shader is -1"},
        {with_text(shader, "[1,64,3,", "[1,1e300,3,"), "'lanes' of its shader is 1e+300"},
        {with_text(shader, "[1,64,3,", "[1,18446744073709551615,3,"), "'lanes' of its shader is 18446744073709551615"},
        {with_text(shader, ",0,0,1],", ",0,0,0],"), "'group_divisor' of its shader is 0"},
        {with_text(shader, "[7,8,0,0]", "[0,8,0,0]"), "'extent' of its shader is 0"},
        {with_text(shader, "[7,8,0,0]", "[7,8,0]"), "a dimension of 'packed' is a list of 3"},
        {with_text(shader, "[7,8,0,0]", "[1099511627776,1099511627776,0,0]"), "more than 2^40 elements"},
        {with_text(shader, "\"spirv\":\"07230203", "\"spirv\":\"0723020x"), "is not written in hexadecimal"},
        {with_text(shader, "\"spirv\":\"07230203", "\"spirv\":\"723020"), "is cut short"},
        {with_text(shader, "\"spirv\":\"07230203", "\"spirv\":\"07230204"), "does not begin with SPIR-V's number"},
        {with_text(shader, "\"backend\":\"vulkan\"", "\"backend\":\"cpu\""), "no instruction set 'none'"},
        {with_text(good, "\"backend\":\"cpu\"", "\"backend\":\"gpu\""),
         "'backend' is the text 'gpu', not one of cpu, vulkan"},
        {with_text(good, "\"backend\":\"cpu\"", "\"backend\":5"), "'backend' is 5, not one of cpu, vulkan"},
        {with_field(good, "shader", 5), "'shader' is 5, not an object"},
        {with_field(good, "shader", nlohmann::ordered_json::parse(shader)["shader"]),
         "it has a shader, but is not of Vulkan"},
        {with_text(good, "\"verdict\":\"ok\"", "\"verdict\":\"untried\""),
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
    // Spaces and the order of digits are no change.
    CHECK(tune::line_of(tune::record_of(nlohmann::ordered_json::parse(good).dump(2))) == good);
    CHECK(tune::line_of(tune::record_of(with_text(good, "[1.0,1.5]", "[1.00, 15e-1]"))) == good);
}

TEST_CASE("a line has the fields in the order of the table, what says nothing is left out, and the check is the last")
{
    tune::record r = tiny_record(1);
    const auto names_of = [](const std::string& line) {
        std::string names;
        const auto fields = nlohmann::ordered_json::parse(line);
        for (const auto& [name, value] : fields.items()) names += name + ' ';
        return names;
    };
    std::string all;
    std::set<std::string> distinct;
    for (const tune::fields::field& f : tune::fields::record_fields) {
        CHECK(distinct.insert(f.name).second);
        if (f.needed != tune::fields::presence::optional) all += std::string(f.name) + ' ';
    }
    CHECK(names_of(tune::line_of(r)) == all + "check ");
    r.detail = "slow";
    CHECK(names_of(tune::line_of(r)) == all + "detail check ");
    r = tiny_record_on_vulkan(5);
    CHECK(names_of(tune::line_of(r)) == all + "shader check ");
}

TEST_CASE("the check is of what a line says: any other value has another, and taking it out is no fault")
{
    auto line = nlohmann::ordered_json::parse(tune::line_of(tiny_record(1)));
    const std::string check = line["check"];
    CHECK(check == tune::fields::check_of(line));
    line.erase("check");
    CHECK(check == tune::fields::check_of(line)); // it is no part of itself
    CHECK_NOTHROW(tune::record_of(line));
    line["seed"] = 8;
    CHECK(check != tune::fields::check_of(line));
    // A field that nobody knows is kept where lines are copied, and guarded with the others.
    line["note"] = "mine";
    line["check"] = tune::fields::check_of(line);
    CHECK(tune::record_of(line).seed == 8);
    line["note"] = "yours";
    CHECK_THROWS_AS(tune::record_of(line), std::invalid_argument);
}

TEST_CASE("knobs are numbers, booleans or words in JSON, and texts in settings")
{
    const tune::settings all{{"rows", "4"}, {"least", "-1"}, {"copies", "true"}, {"pad", "peel"}, {"odd", "4x"}};
    CHECK(tune::json_of(all).dump() == R"({"rows":4,"least":-1,"copies":true,"pad":"peel","odd":"4x"})");
    tune::record r;
    tune::fields::set_knobs(r, tune::json_of(all));
    CHECK(r.knobs == all);
    CHECK(tune::json_of(tune::settings{}).dump() == "{}");
}

TEST_CASE("of a kernel that failed the error may be null, and the score of one that chance chose")
{
    tune::record r = tiny_record(1);
    r.found = tune::verdict::wrong_result;
    r.max_rel_error = std::numeric_limits<double>::quiet_NaN();
    r.score = std::numeric_limits<float>::infinity();
    const tune::record read = tune::record_of(tune::line_of(r));
    CHECK(std::isnan(read.max_rel_error));
    CHECK(read.score == 0);
    r.found = tune::verdict::ok;
    CHECK_THROWS_WITH_AS(tune::record_of(tune::line_of(r)), "the verdict is ok, but 'max_rel_error' is null",
                         std::invalid_argument);
}
