// SPDX-License-Identifier: BSL-1.0
// Compiled nests do what nests mean: small ones by hand, against the interpreter, element by element.
#include <hone/cpu/codegen.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>

#include "cpu/tags.hpp"
#include "ir/nests.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

using floats = std::vector<float>;

constexpr nest whole_product() { return matmul({.m = 5, .n = 16, .k = 5, .tile_m = 2, .tile_n = 2}, isa::baseline, 4); }
constexpr nest scalar_product() { return matmul({.m = 3, .n = 2, .k = 4, .tile_m = 2}, isa::baseline, 1); }
constexpr nest pairs() { return matmul({.m = 3, .n = 4, .k = 3, .tile_m = 2}, isa::baseline, 2); }
constexpr nest clipped() { return padded(edge::clipped); }
constexpr nest guarded() { return padded(edge::guarded); }
constexpr nest selected() { return padded(edge::selected); }
constexpr nest by_slot() { return through_scratch(memory::slot); }
constexpr nest copied() { return copy(); }

// y[4 i + j] = x[4 i + j] where i >= 3, and 2 where it is not; 5 times that where i >= 6.
constexpr nest by_halves()
{
    nest_builder b;
    const form i = b.axis("i"), j = b.axis("j");
    const int x = b.access(b.buffer("x", memory::argument, 32, role::input), i * 4 + j);
    const int y = b.access(b.buffer("y", memory::argument, 32, role::output), i * 4 + j);
    b.loop(binding::serial, i, 8);
    b.guard({i - form{3}}).loop(binding::serial, j, 4).store(y, ex::load(x)).end(2);
    b.guard({form{2} - i}).loop(binding::serial, j, 4).store(y, 2.0f).end(2);
    b.guard({i - form{6}}).loop(binding::serial, j, 4).store(y, ex::load(x) * expr{5.0f});
    return b.n;
}
// Two guards that follow one another.
constexpr nest guards(std::initializer_list<form> first, std::initializer_list<form> second)
{
    nest_builder b;
    const form i = b.axis("i"), j = b.axis("j");
    const int y = b.access(b.buffer("y", memory::argument, 32, role::output), i * 4 + j);
    b.loop(binding::serial, i, 8);
    b.guard(first).loop(binding::serial, j, 4).store(y, 1.0f).end(2);
    b.guard(second).loop(binding::serial, j, 4).store(y, 2.0f);
    return b.n;
}
constexpr form i_times(std::int64_t coefficient) { return affine_term{.variable = 0, .coefficient = coefficient}; }
constexpr bool are_opposite(std::initializer_list<form> first, std::initializer_list<form> second)
{
    const nest n = guards(first, second);
    return ir::has_opposite(n, n.nodes[n.root].child);
}
static_assert(are_opposite({i_times(1) - form{3}}, {form{2} - i_times(1)}));
static_assert(are_opposite({form{8} - i_times(2)}, {i_times(2) - form{9}}));
static_assert(!are_opposite({i_times(1) - form{3}}, {form{3} - i_times(1)})); // both where i = 3
static_assert(!are_opposite({i_times(1) - form{3}}, {form{1} - i_times(1)})); // neither where i = 2
static_assert(!are_opposite({i_times(1) - form{3}}, {i_times(1) + form{2}}));
static_assert(!are_opposite({i_times(1) - form{3}}, {form{2} - i_times(2)}));
static_assert(!are_opposite({i_times(1) - form{3}}, {form{2}}));
static_assert(!are_opposite({i_times(1) - form{3}, form{1}}, {form{2} - i_times(1)}));
static_assert(!are_opposite({i_times(1) - form{3}}, {form{2} - i_times(1), form{1}}));
static_assert(!ir::has_opposite(by_halves(), by_halves().root)); // a loop

// Small whole numbers: exact in any order.
floats drawn(std::int64_t count, int seed)
{
    floats v(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>((static_cast<int>(i) * 7 + seed) % 9 - 4);
    return v;
}
// The arguments of a nest, with drawn contents.
template <class K>
std::vector<floats> arguments_of()
{
    std::vector<floats> r;
    for (const buffer& b : K::nest.buffers)
        if (b.memory == memory::argument) r.push_back(drawn(b.elements.constant, static_cast<int>(r.size())));
    return r;
}
template <class K>
void run_compiled(std::vector<floats>& given)
{
    std::vector<void*> tensors;
    for (floats& f : given) tensors.push_back(f.data());
    std::vector<char> workspace(codegen::cpu::workspace_bytes<K>(1));
    serial_executor serial;
    codegen::cpu::run<K>(serial, tensors.data(), nullptr, workspace.data());
}

template <nest (*Build)()>
void check_as_interpreted()
{
    using k = tag_of<Build>;
    std::vector<floats> compiled = arguments_of<k>(), interpreted = compiled;
    run_compiled<k>(compiled);
    std::vector<argument> arguments;
    for (floats& f : interpreted) arguments.push_back({f.data(), static_cast<std::int64_t>(f.size())});
    const status s = interpret(k::built, arguments);
    REQUIRE_MESSAGE(s.ok(), std::string(s.message()));
    CHECK(compiled == interpreted);
    CHECK(compiled.back() != arguments_of<k>().back());
}

} // namespace

TEST_CASE("a compiled nest does what the interpreter does: tiles, tails, borders, scratch")
{
    check_as_interpreted<copied>();
    check_as_interpreted<whole_product>();
    check_as_interpreted<scalar_product>();
    check_as_interpreted<clipped>();
    check_as_interpreted<guarded>();
    check_as_interpreted<selected>();
    check_as_interpreted<by_slot>();
}

TEST_CASE("guards of opposite conditions are one choice, and what follows them is asked by itself")
{
    check_as_interpreted<by_halves>();
    using k = tag_of<by_halves>;
    constexpr int first = k::nest.nodes[k::nest.root].child, second = k::nest.nodes[first].next;
    static_assert(ir::has_opposite(k::nest, first) && !ir::has_opposite(k::nest, second));
    constexpr auto siblings = codegen::cpu::siblings_of<k>(first);
    static_assert(siblings.count == 2 && siblings.of[0] == first && siblings.of[1] == k::nest.nodes[second].next);
}

// Of a sum that floats lose in its first step: 2^24 + 1 - 2^24.
TEST_CASE("sums are held in what the kernel computes in, and rounded where they are stored")
{
    const auto result = []<class K>(K) {
        std::vector<floats> given = arguments_of<K>();
        floats &a = given[0], &b = given[1];
        for (std::size_t m = 0; m < 3; ++m) {
            a[m * 3] = 0x1p24f;
            a[m * 3 + 1] = 1;
            a[m * 3 + 2] = -0x1p24f;
        }
        b.assign(b.size(), 1.0f);
        run_compiled<K>(given);
        return given[2];
    };
    CHECK(result(tag_of<pairs>()) == floats(12, 0.0f));
    CHECK(result(tag_of<pairs, double>()) == floats(12, 1.0f));
    CHECK(sizeof(codegen::cpu::vector_of<tag_of<pairs, double>>) == 16);
}

TEST_CASE("scratch takes whole cache lines of each slot, and an end to start at one")
{
    using k = tag_of<by_slot>;
    CHECK(codegen::cpu::workspace_bytes<k>(1) == 64 + 63);
    CHECK(codegen::cpu::workspace_bytes<k>(3) == 3 * 64 + 63);
    CHECK(codegen::cpu::workspace_bytes<tag_of<copied>>(5) == 0);
}

TEST_CASE("a tile with a loop of many steps is a function of its own, one that is written out is not")
{
    static_assert(codegen::cpu::repeats(tag_of<copied>::nest, tag_of<copied>::nest.root));
    constexpr auto tile_repeats = [](const auto& n) {
        for (const node& x : n.nodes)
            if (x.kind == node_kind::tile) return codegen::cpu::repeats(n, x.child);
        return false;
    };
    constexpr auto one_step = [] { return matmul({.m = 3, .n = 8, .k = 1, .tile_m = 3, .tile_n = 2}); };
    static_assert(tile_repeats(tag_of<whole_product>::nest));
    static_assert(!tile_repeats(one_step()));
}
