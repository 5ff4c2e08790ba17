// SPDX-License-Identifier: BSL-1.0
// The lists of reserved words, and how a word is found in one. tests/tree/reserved compares them with the compiler.
#include <hone/process/reserved_names.hpp>

#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace hone;

namespace {

std::istringstream listed_words(std::string_view list) { return std::istringstream{std::string(list)}; }

} // namespace

TEST_CASE("a word is found whole, wherever it stands, and nothing else is")
{
    constexpr std::string_view words = "\nint\nlong short\n\n  void";
    for (const char* word : {"int", "long", "short", "void"}) CHECK_MESSAGE(tune::is_word_of(words, word), word);
    for (const char* word : {"", " ", "in", "nt", "lon", "long short", "shorts", "voi", "Int", "int\n"})
        CHECK_FALSE_MESSAGE(tune::is_word_of(words, word), word);
    CHECK_FALSE(tune::is_word_of("", "int"));
    CHECK_FALSE(tune::is_word_of("\n \n", ""));
}

TEST_CASE("each word of a list is found in it, is a name, and stands once in all of them")
{
    std::set<std::string> all;
    for (const std::string_view list : {tune::keywords, tune::macros_of_hone, tune::macros_of_compilers}) {
        auto words = listed_words(list);
        for (std::string word; words >> word;) {
            CAPTURE(word);
            CHECK(tune::is_word_of(list, word));
            CHECK(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
                  std::string::npos);
            CHECK(all.insert(word).second);
        }
    }
    CHECK(all.size() > 500);
}

TEST_CASE("the keywords are those of C++20, which has no other names for final and override")
{
    auto words = listed_words(tune::keywords);
    int count = 0;
    for (std::string word; words >> word;) ++count;
    CHECK(count == 81 + 11); // and eleven alternative tokens
    for (const char* word : {"alignas", "co_yield", "requires", "char8_t", "xor_eq", "not", "while"})
        CHECK_MESSAGE(tune::is_word_of(tune::keywords, word), word);
    for (const char* word : {"final", "override", "import", "module"})
        CHECK_FALSE_MESSAGE(tune::is_word_of(tune::keywords, word), word);
}
