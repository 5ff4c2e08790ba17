// SPDX-License-Identifier: BSL-1.0
// Options that CLI11 has no form for: words that name values, files, whole numbers and seconds.
#include <hone/tune/command_line.hpp>

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;

namespace {

// What CLI11 says of these arguments; empty where they are taken.
std::string refused(CLI::App& app, std::vector<std::string> reversed)
{
    try {
        app.parse(reversed);
    } catch (const CLI::ParseError& e) {
        return e.what();
    }
    return "";
}
std::string wrong_argument(const CLI::Validator& is, std::string text) { return is(text); }

} // namespace

TEST_CASE("a choice is one of its words, shows the one that holds, and is left alone where nothing is said")
{
    enum class season { spring, autumn };
    season now = season::autumn;
    CLI::App app("app");
    const auto* const option = tune::add_choice<season>(
        &app, "--season", now, {{"spring", season::spring}, {"autumn", season::autumn}}, "of the year");
    CHECK(option->get_default_str() == "autumn");
    CHECK(refused(app, {}) == "");
    CHECK(now == season::autumn);
    CHECK(refused(app, {"spring", "--season"}) == "");
    CHECK(now == season::spring);
    // Numbers and parts of words are no words.
    for (const char* word : {"winter", "0", "Spring", "spr", ""}) {
        const std::string why = refused(app, {word, "--season"});
        CHECK(why.find("autumn") != std::string::npos);
        CHECK(why.find("spring") != std::string::npos);
    }
    CHECK(now == season::spring);
}

TEST_CASE("a whole number is digits alone, and has 64 bits at most")
{
    for (const char* number : {"0", "7", "007", "18446744073709551615"})
        CHECK(wrong_argument(tune::whole_number(), number) == "");
    for (const char* other : {"", "-1", "+1", "1.0", "1e3", "0x10", " 1", "1 ", "one", "18446744073709551616"})
        CHECK(wrong_argument(tune::whole_number(), other) ==
              std::string(other) + " is no whole number of at most 64 bits");
}

TEST_CASE("seconds are a number from 0 that no clock overflows")
{
    for (const char* number : {"0", "0.5", "300", "1e9"}) CHECK(wrong_argument(tune::seconds(), number) == "");
    for (const char* other : {"-1", "1.1e9", "1e300", "inf", "nan", "", "3s", "five"})
        CHECK(wrong_argument(tune::seconds(), other) ==
              std::string(other) + " is no number of seconds from 0 to 1000000000");
}

TEST_CASE("a path is that of a file, which has a name")
{
    CHECK(wrong_argument(tune::path_of_file(), "") == "the path is empty; name a file");
    CHECK(wrong_argument(tune::path_of_file(), "records.jsonl") == "");
    CHECK(wrong_argument(tune::path_of_file(), "/nowhere/x") == ""); // whether it is there is asked where it is read
}
