// SPDX-License-Identifier: BSL-1.0
// The sentences of faults: one each, in one grammar, and the same in what tests/errors expects.
#include <hone/core/fault.hpp>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/fault_names.hpp"

using namespace hone;
using namespace hone::test;

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
