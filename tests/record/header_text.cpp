// SPDX-License-Identifier: BSL-1.0
// Any text is one literal of C++, and figures are those that people read.
#include <string>

#include <doctest/doctest.h>

#include <hone/record/header_text.hpp>

using namespace hone;

TEST_CASE("a literal holds printable characters alone, and no trigraph")
{
    CHECK(tune::header::quoted("gemm m5") == "\"gemm m5\"");
    CHECK(tune::header::quoted("a\"b\\c") == "\"a\\\"b\\\\c\"");
    CHECK(tune::header::quoted("\n\x7f\xff") == "\"\\012\\177\\377\"");
    CHECK(tune::header::quoted(std::string("?") + "?=") == "\"?\\?=\"");
}

TEST_CASE("the default's time is said where there is one")
{
    CHECK(tune::header::figures(1.5, 3) == "1.5000 ms; default 3.0000 ms");
    CHECK(tune::header::figures(0.00004, 0) == "0.0000 ms");
}
