// SPDX-License-Identifier: BSL-1.0
// Faults as compile errors: static_assert takes literals only, so these are compared with the sentences of
// core/fault.hpp as text. tests/errors holds compilers to them.
#include <hone/core/assert_fault.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/fault_names.hpp"

using namespace hone;
using namespace hone::core;
using namespace hone::test;

namespace {

static_assert(assert_no_fault<fault::none, 0, 0>());
static_assert(is_one_of<fault::none, fault::capacity>(fault::capacity));
static_assert(!is_one_of<fault::none, fault::capacity>(fault::knob_value));
static_assert(!is_one_of<>(fault::none));

const std::string& body()
{
    static const std::string text =
        between(text_of(root / "include/hone/core/assert_fault.hpp"), "constexpr bool assert_no_fault()", "\n}\n");
    return text;
}

// The faults that static_asserts in `text` name, each with its literals as one.
std::vector<std::pair<std::string, std::string>> asserted(const std::string& text)
{
    std::vector<std::pair<std::string, std::string>> all;
    const std::string start = "Found != fault::"; // the bracket before it may end a line
    for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at)) {
        at += start.size();
        std::size_t name_end = at;
        while (is_word(text[name_end])) ++name_end;
        const std::string name = text.substr(at, name_end - at);
        std::string literal;
        bool inside = false;
        for (at = name_end; at < text.size() && (inside || text[at] != ';'); ++at) {
            if (text[at] == '"')
                inside = !inside;
            else if (inside)
                literal += text[at];
        }
        all.emplace_back(name, literal);
    }
    return all;
}

} // namespace

TEST_CASE("static_assert says the same as the fault at run time")
{
    const std::vector<std::string> names = fault_names();
    const auto literals = asserted(body());
    CHECK(literals.size() >= 24);
    std::set<std::string> seen;
    for (const auto& [name, literal] : literals) {
        CAPTURE(name);
        CHECK(seen.insert(name).second);
        std::size_t f = 0;
        while (f < names.size() && names[f] != name) ++f;
        REQUIRE(f < names.size());
        CHECK(literal == message(f));
    }
}

// A fault with a sentence of its own gives one error, not the catch-all's beside it.
TEST_CASE("each fault that is asserted is left out of the catch-all, and no other is")
{
    const std::string list = between(body(), "constexpr bool is_named =", ";");
    std::set<std::string> named, own{"none"};
    const std::string mark = "fault::";
    for (std::size_t at = list.find(mark); at != std::string::npos; at = list.find(mark, at)) {
        at += mark.size();
        std::size_t end = at;
        while (end < list.size() && is_word(list[end])) ++end;
        named.insert(list.substr(at, end - at));
    }
    for (const auto& of_fault : asserted(body())) own.insert(of_fault.first);
    CHECK(named == own);
}
