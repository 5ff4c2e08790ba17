// SPDX-License-Identifier: BSL-1.0
// The sentences of faults: one each, in one grammar, and the same wherever they stand. static_assert takes literals
// only, so those of core/assert_fault.hpp, and those that tests/errors expects, are compared as text.
#include <hone/core/fault.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;

namespace {

const std::filesystem::path root = std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();

std::string text_of(const std::filesystem::path& file)
{
    std::ifstream in{file};
    CAPTURE(file.string());
    REQUIRE(in.is_open());
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// What stands between the first `begin` and the `end` behind it.
std::string between(const std::string& text, const std::string& begin, const std::string& end)
{
    const std::size_t from = text.find(begin);
    REQUIRE(from != std::string::npos);
    const std::size_t to = text.find(end, from + begin.size());
    REQUIRE(to != std::string::npos);
    return text.substr(from + begin.size(), to - from - begin.size());
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

// The enumerators, in order.
std::vector<std::string> fault_names()
{
    std::istringstream lines{between(text_of(root / "include/hone/core/fault.hpp"), "enum class fault", "};")};
    std::vector<std::string> names;
    std::string line;
    std::getline(lines, line); // the rest of the first one
    while (std::getline(lines, line)) {
        std::size_t from = line.find_first_not_of(' ');
        if (from == std::string::npos || !is_word(line[from])) continue;
        std::size_t to = from;
        while (to < line.size() && is_word(line[to])) ++to;
        names.push_back(line.substr(from, to - from));
    }
    return names;
}

std::string message(std::size_t f) { return message_of(static_cast<fault>(f)); }

// The faults that static_asserts in `text` name, each with its literals as one.
std::vector<std::pair<std::string, std::string>> asserted(const std::string& text)
{
    std::vector<std::pair<std::string, std::string>> all;
    const std::string start = "static_assert(Found != fault::";
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

TEST_CASE("each fault has one sentence: where, the rule, the mend")
{
    const std::vector<std::string> names = fault_names();
    CHECK(names.front() == "none");
    CHECK(names[static_cast<std::size_t>(fault::shader_rejected)] == "shader_rejected");
    CHECK(status{}.message() == message(0));
    const std::string unknown = message(names.size());
    std::set<std::string> seen{unknown};
    for (std::size_t f = 0; f < names.size(); ++f) {
        const std::string m = message(f);
        CAPTURE(names[f]);
        CAPTURE(m);
        CHECK(seen.insert(m).second);
        if (f == 0) continue;
        CHECK((m.starts_with("hone: ") || m.starts_with("hone::")));
        CHECK(m.find(": ") != std::string::npos);
        const std::size_t mend = m.find("; ");
        CHECK(mend != std::string::npos);
        CHECK(m.find("; ", mend + 1) == std::string::npos);
        CHECK(m.find_first_of("\n\t") == std::string::npos);
        CHECK(m.find("  ") == std::string::npos);
        CHECK(m.back() != '.'); // others stand behind it
    }
}

TEST_CASE("static_assert says the same")
{
    const std::vector<std::string> names = fault_names();
    const std::string header = text_of(root / "include/hone/core/assert_fault.hpp");
    const auto literals = asserted(between(header, "constexpr bool assert_no_fault()", "\n}\n"));
    CHECK(literals.size() >= 7);
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

TEST_CASE("the expected texts of compile errors are those sentences")
{
    const std::vector<std::string> names = fault_names();
    int sentences = 0;
    for (const auto& file : std::filesystem::directory_iterator{root / "tests/errors"}) {
        if (file.path().extension() != ".cpp") continue;
        std::istringstream lines{text_of(file.path())};
        for (std::string line; std::getline(lines, line);) {
            const std::string mark = "// expect: hone";
            if (!line.starts_with(mark)) continue;
            const std::string expected = line.substr(mark.size() - 4);
            std::size_t f = 0;
            while (f < names.size() && message(f) != expected) ++f;
            CAPTURE(file.path().string());
            CAPTURE(expected);
            CHECK(f < names.size());
            ++sentences;
        }
    }
    CHECK(sentences >= 7);
}
