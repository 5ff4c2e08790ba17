// SPDX-License-Identifier: BSL-1.0
// The number of a list of numbers: its order and each bit matter, small numbers that share a word keep their places,
// and it is the one that names and records of before hold.
#include <hone/ir/hasher.hpp>

#include <cstdint>
#include <initializer_list>
#include <set>

#include <doctest/doctest.h>

using hone::ir::hasher;

namespace {

constexpr std::uint64_t hash_of(std::initializer_list<std::uint64_t> words)
{
    hasher h;
    for (const std::uint64_t word : words) h.add(word);
    return h.value;
}
constexpr std::uint64_t hash_of_four(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d)
{
    hasher h;
    h.add(a, b, c, d);
    return h.value;
}

static_assert(hash_of({}) == 0xcbf29ce484222325u);
static_assert(hash_of({1, 2}) != hash_of({2, 1}));
static_assert(hash_of({0}) != hash_of({}) && hash_of({0, 0}) != hash_of({0}));
static_assert(hash_of_four(1, 2, 3, 4) == hash_of({0x0004000300020001u}));
static_assert(hash_of_four(-1, 0, 0, 0) == hash_of({0xffff}));

} // namespace

TEST_CASE("each bit of each number changes the hash, and all of them differently")
{
    std::set<std::uint64_t> all{hash_of({0, 0})};
    for (int bit = 0; bit < 64; ++bit) {
        CAPTURE(bit);
        CHECK(all.insert(hash_of({std::uint64_t{1} << bit, 0})).second);
        CHECK(all.insert(hash_of({0, std::uint64_t{1} << bit})).second);
    }
    // High bits reach low ones: of the two highest, hashes differ in their lower halves.
    const std::uint64_t differing = hash_of({std::uint64_t{1} << 62, 0}) ^ hash_of({std::uint64_t{1} << 63, 0});
    CHECK((differing << 32) != 0);
}

TEST_CASE("a signed number is the word of its bits")
{
    hasher h;
    h.add_signed(-2);
    CHECK(h.value == hash_of({~std::uint64_t{1}}));
}
