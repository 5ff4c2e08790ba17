// SPDX-License-Identifier: BSL-1.0
// A field alone: what each type takes, and the sentence on what it does not. Those of records are tested in
// record_fields.cpp.
#include <hone/record/field.hpp>

#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::operators;

namespace {

using field_type = tune::fields::type;

// What is wrong with a value; empty where the field takes it.
std::string wrong_in(const tune::fields::field& f, const tune::fields::json& value)
{
    try {
        tune::fields::check(f, value);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "";
}
std::string wrong_in(const tune::fields::field& f, const char* text)
{
    return wrong_in(f, tune::fields::json::parse(text));
}

constexpr const char* answers[] = {"yes", "no"};

} // namespace

TEST_CASE("a text has no control characters and so many bytes, and prose has line breaks, too")
{
    const tune::fields::field text{.name = "f", .type = field_type::text, .most = 4};
    CHECK(wrong_in(text, R"("")") == "");
    CHECK(wrong_in(text, R"("abcd")") == "");
    CHECK(wrong_in(text, R"("abcde")") == "'f' is the text 'abcde', not a text of at most 4 bytes");
    CHECK(wrong_in(text, R"("äöü")") ==
          "'f' is the text '\\xc3\\xa4\\xc3\\xb6\\xc3\\xbc', not a text of at most 4 bytes");
    CHECK(wrong_in(text, "4") == "'f' is 4, not a text");
    CHECK(wrong_in(text, "null") == "'f' is null, not a text");
    for (const char* control : {R"("a\n")", R"("\t")", R"("\u0000")", R"("\u007f")", R"("\u001f")"})
        CHECK(wrong_in(text, control) == "the text of 'f' holds a control character");
    const tune::fields::field prose{.name = "f", .type = field_type::prose, .most = 4};
    CHECK(wrong_in(prose, R"("a\nb\n")") == "");
    CHECK(wrong_in(prose, R"("a\nb\n\n")") == "'f' is the text 'a\\x0ab\\x0a\\x0a', not a text of at most 4 bytes");
}

TEST_CASE("a word is one of a list, which the sentence has")
{
    const tune::fields::field word{.name = "f", .type = field_type::word, .words = answers};
    CHECK(wrong_in(word, R"("yes")") == "");
    CHECK(wrong_in(word, R"("no")") == "");
    CHECK(wrong_in(word, R"("Yes")") == "'f' is the text 'Yes', not one of yes, no");
    CHECK(wrong_in(word, "true") == "'f' is true, not one of yes, no");
    CHECK(wrong_in(word, R"(["yes"])") == "'f' is a list of 1, not one of yes, no");
}

TEST_CASE("a whole number is one as JSON writes it, from the least to the most")
{
    const tune::fields::field some{.name = "f", .type = field_type::whole, .least = 2, .most = 5};
    for (const char* number : {"2", "3", "5"}) CHECK(wrong_in(some, number) == "");
    for (const char* number : {"1", "6", "-3", "2.0", "2.5", "1e300", "18446744073709551615"})
        CHECK(wrong_in(some, number).ends_with(", not a whole number from 2 to 5"));
    CHECK(wrong_in(some, R"("3")") == "'f' is the text '3', not a whole number from 2 to 5");
    const tune::fields::field one{.name = "f", .type = field_type::whole, .least = 2, .most = 2};
    CHECK(wrong_in(one, "3") == "'f' is 3, not the whole number 2");
    // All that 64 bits hold, and nothing that is rounded to 2^64.
    const tune::fields::field all{.name = "f", .type = field_type::whole, .most = tune::fields::past_int};
    CHECK(wrong_in(all, "0") == "");
    CHECK(wrong_in(all, "18446744073709551615") == "");
    CHECK(wrong_in(all, "18446744073709551616").ends_with(", not a whole number from 0 to 18446744073709551615"));
    CHECK(wrong_in(all, "-1") == "'f' is -1, not a whole number from 0 to 18446744073709551615");
}

TEST_CASE("a number is in its range; a score may be null; of a list each is in it")
{
    tune::fields::field f{.name = "f", .type = field_type::number, .least = -1, .most = 1.5};
    for (const char* number : {"-1", "0.25", "1.5"}) CHECK(wrong_in(f, number) == "");
    CHECK(wrong_in(f, "1.6") == "'f' is 1.6, not a number from -1 to 1.5");
    CHECK(wrong_in(f, "null") == "'f' is null, not a number from -1 to 1.5");
    f.type = field_type::score;
    CHECK(wrong_in(f, "null") == "");
    CHECK(wrong_in(f, "-2") == "'f' is -2, not a number from -1 to 1.5");
    CHECK(wrong_in(f, "true") == "'f' is true, not a number from -1 to 1.5");
    f.type = field_type::numbers;
    CHECK(wrong_in(f, "[]") == "");
    CHECK(wrong_in(f, "[-1,0,1.5]") == "");
    CHECK(wrong_in(f, "1") == "'f' is 1, not a list of numbers");
    CHECK(wrong_in(f, "[0,2,3]") == "'f' holds 2, not numbers from -1 to 1.5 only");
    CHECK(wrong_in(f, "[[0]]") == "'f' holds a list of 1, not numbers from -1 to 1.5 only");
}

TEST_CASE("an object is one, and a backend is for its list to judge")
{
    CHECK(wrong_in({.name = "f", .type = field_type::object}, "{}") == "");
    CHECK(wrong_in({.name = "f", .type = field_type::object}, "[1,2]") == "'f' is a list of 2, not an object");
    CHECK(wrong_in({.name = "f", .type = field_type::backend}, "5") == "");
}

TEST_CASE("a field of a member writes it and reads it again")
{
    constexpr auto device = tune::fields::text<&tune::record::device>("device");
    constexpr auto run = tune::fields::whole<&tune::record::run>("run", 1, 9);
    constexpr auto phase = tune::fields::word<&tune::record::phase>("phase", answers);
    static_assert(device.needed == tune::fields::presence::required && device.most == 4096);
    tune::record r, s;
    r.device = "a \"device\"";
    r.run = 7;
    r.phase = "no";
    for (const auto& f : {device, run, phase}) {
        CHECK(wrong_in(f, f.get(r)) == "");
        f.set(s, f.get(r));
    }
    CHECK(s.device == r.device);
    CHECK(s.run == 7);
    CHECK(s.phase == "no");
}
