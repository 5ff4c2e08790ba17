// SPDX-License-Identifier: BSL-1.0
// A line of progress fits the terminal, whatever its width.
#include <cstddef>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/progress.hpp>

using namespace hone;
using namespace hone::codegen;

namespace {

std::size_t columns_of(const std::string& text)
{
    std::size_t count = 0;
    for (char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

} // namespace

TEST_CASE("a line is cut to the width, never within a character, and what fits is left alone")
{
    const std::string line = "workload 7 of 15, 35 % of the budget: c8 avx512, best 12.00 GFLOP/s, trials: 42";
    const std::string other = "workload 7 of 15: \u00fcbung \u6df1\u5ea6 \u00e9, trials";
    for (const std::string& text : {line, other})
        for (std::size_t width = 0; width < 100; ++width) {
            CAPTURE(width);
            const std::string cut = tune::fitted_to(text, width);
            CHECK(columns_of(cut) == std::min(width, columns_of(text)));
            if (columns_of(text) <= width) CHECK(cut == text);
            if (width < columns_of(text) && width > 3) {
                CHECK(cut.ends_with("..."));
                CHECK(text.starts_with(cut.substr(0, cut.size() - 3)));
                const std::size_t next = cut.size() - 3;
                CHECK((static_cast<unsigned char>(text[next]) & 0xc0) != 0x80);
            }
        }
}

TEST_CASE("the width of the terminal is the system's, else COLUMNS, else 80")
{
    if (isatty(2) == 1) return;
    setenv("COLUMNS", "132", 1);
    CHECK(tune::terminal_columns() == 132);
    for (const char* bad : {"", "0", "-5", "wide", "99999999999999999999"}) {
        setenv("COLUMNS", bad, 1);
        CHECK(tune::terminal_columns() == 80);
    }
    unsetenv("COLUMNS");
    CHECK(tune::terminal_columns() == 80);
}
