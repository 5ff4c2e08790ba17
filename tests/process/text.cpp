// SPDX-License-Identifier: BSL-1.0
// Text from outside in messages and comments, and names for C++.
#include <string>

#include <doctest/doctest.h>

#include <hone/process/text.hpp>

using namespace hone;

TEST_CASE("an excerpt is short, and printable")
{
    CHECK(tune::excerpt("c2") == "'c2'");
    CHECK(tune::excerpt("") == "''");
    CHECK(tune::excerpt("a\nb\x1b[31m\xe2\x80\xae") == "'a\\x0ab\\x1b[31m\\xe2\\x80\\xae'");
    CHECK(tune::excerpt(std::string(50'000, 'x')).size() < 120);
    CHECK(tune::excerpt(std::string("\0\0", 2)) == "'\\x00\\x00'");
}

TEST_CASE("a comment keeps letters, and nothing that turns, hides or ends the line")
{
    CHECK(tune::commented("conv 3x3, stride 2") == "conv 3x3, stride 2");
    CHECK(tune::commented("Schicht für Bäume 層") == "Schicht für Bäume 層");
    CHECK(tune::commented("\xe2\x80\xae") == "\\u202e");
    CHECK(tune::commented("\xe2\x81\xa6x\xe2\x80\x8b\xef\xbb\xbf") == "\\u2066x\\u200b\\ufeff");
    CHECK(tune::commented("\xc2\x85\x7f\t") == "\\u0085\\u007f\\u0009");
    CHECK(tune::commented("a\nint x;") == "a\\u000aint x;");
    CHECK(tune::commented("\xff\xc0\x80") == "\\xff\\xc0\\x80");
    CHECK(tune::commented("C:\\") == "C:\\.");
    CHECK(tune::commented("what?\?/") == "what?\?/.");
}

TEST_CASE("the name of a config set is an identifier, and no keyword, macro or reserved name")
{
    for (const char* name : {"k", "my_kernels", "K2", "_k", "resnet18", "Class", "finals", "E2", "EDGE", "ERROR_net",
                             "SIGNAL", "INT", "Linux", "HONE_net", "test", "all"})
        CHECK_MESSAGE(tune::is_identifier(name), name);
    for (const char* name :
         {"",         "2k",      "my-kernels", "k {}; int x", "a\nb",   "class",    "int",
          "co_await", "xor",     "a__b",       "_Kernels",    "std",    "hone",     "main",
          "k ",       " k",      "\xc3\xa4",   "k::j",        "k<int>", "k\\u00e4", "linux",
          "unix",     "i386",    "NULL",       "EOF",         "errno",  "assert",   "INFINITY",
          "NAN",      "INT_MAX", "UINT64_C",   "stdin",       "va_arg", "PRIu64",   "EDOM",
          "SIGINT",   "M_PI",    "HONE_PIECE", "NDEBUG",      "table",  "entries",  "vulkan_entries"})
        CHECK_FALSE_MESSAGE(tune::is_identifier(name), name);
    CHECK(tune::wrong_name("k", "--name") == "");
    CHECK(
        tune::wrong_name("class", "--name") ==
        "--name is 'class'; it must be a C++ identifier that is no keyword, no macro and not reserved, as my_kernels");
}
