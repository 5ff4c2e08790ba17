// SPDX-License-Identifier: BSL-1.0
// JSON from outside: what is refused, in a short sentence, and how a value is named.
#include <hone/record/json_text.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

using namespace hone;

namespace {

std::string wrong_json(const std::string& text)
{
    try {
        tune::parse_json(text);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("JSON that is none, too deep or ambiguous is refused in a short sentence")
{
    CHECK(wrong_json(R"({"a":[1,2.5,null,true,"x"]})") == "");
    CHECK(wrong_json("{\"a\":1").find("parse error at line 1, column 7") == 0);
    CHECK(wrong_json("no").find("it begins with 'no'") != std::string::npos);
    CHECK(wrong_json(R"({"a":1,"a":1})") == "the field 'a' stands twice");
    CHECK(wrong_json(R"({"k":{"a":1},"l":{"a":1}})") == "");
    CHECK(wrong_json(R"([{"k":{"a":1,"b":2,"a":3}}])") == "the field 'a' stands twice");
    CHECK(wrong_json(std::string("{}\0{}", 5)) == "byte 3 is zero, which no JSON holds");
    CHECK(wrong_json("{} {}") != "");
    CHECK(wrong_json("1e999") != "");
    for (const char* open : {"[", "{\"a\":", "[{\"a\":"}) {
        std::string deep;
        for (int i = 0; i < 100'000; ++i) deep += open;
        CHECK(wrong_json(deep) == "its lists and objects nest deeper than 16 levels");
    }
    for (const std::string& text : {std::string(50'000, 'x'), "\"" + std::string(50'000, 'x'), std::string(50'000, '9'),
                                    "{\"" + std::string(50'000, 'x') + "\":1,,"})
        CHECK(wrong_json(text).size() < 300);
}

TEST_CASE("a value that is found is named by its type and size")
{
    const auto says = [](const char* text) { return tune::found_text(tune::parse_json(text)); };
    CHECK(says("1") == "1");
    CHECK(says("-2.5") == "-2.5");
    CHECK(says("null") == "null");
    CHECK(says("true") == "true");
    CHECK(says("\"a\\nb\"") == "the text 'a\\x0ab'");
    CHECK(says("[[[1]]]") == "a list of 1");
    CHECK(says("{\"a\":[],\"b\":{}}") == "an object of 2");
}

TEST_CASE("as many levels as are allowed are read, and one more is not, of whatever kinds")
{
    const auto nested = [](std::size_t levels, bool with_objects) {
        std::string open, close;
        for (std::size_t i = 0; i < levels; ++i) {
            const bool is_object = with_objects && i % 2 == 1;
            open += is_object ? "{\"a\":" : "[";
            close.insert(0, is_object ? "}" : "]");
        }
        return open + "1" + close;
    };
    for (const bool with_objects : {false, true}) {
        CHECK(wrong_json(nested(tune::most_json_depth, with_objects)) == "");
        CHECK(wrong_json(nested(tune::most_json_depth + 1, with_objects)) ==
              "its lists and objects nest deeper than 16 levels");
    }
    // Those that have ended are not counted.
    CHECK(wrong_json("[" + nested(15, true) + "," + nested(15, false) + "]") == "");
}

TEST_CASE("fields keep their order")
{
    CHECK(tune::parse_json(R"({"z":1,"a":{"y":2,"b":3},"m":[]})").dump() == R"({"z":1,"a":{"y":2,"b":3},"m":[]})");
}
