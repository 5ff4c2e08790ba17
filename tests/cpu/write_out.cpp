// SPDX-License-Identifier: BSL-1.0
// Bands that are run: plain runs, steps of many operands, what is decided at run time for all lanes or for each, and
// pointers to what lies outside a tensor.
#include <hone/cpu/write_out.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "cpu/tags.hpp"
#include "nest_builder.hpp"

using namespace hone;
using namespace hone::ir;
using namespace hone::test;
namespace cpu = hone::codegen::cpu;

namespace {

using floats = std::vector<float>;

// In a loop o outside, rows i and lanes j, under some condition.
enum class asks : std::uint8_t { nothing, row, lane };
template <asks What>
constexpr nest rows()
{
    nest_builder b{isa::baseline, 4};
    const form o = b.axis("o"), i = b.axis("i"), j = b.axis("j");
    const int x = b.access(b.buffer("x", memory::argument, 12, role::input), i * 4 + j);
    const int y = b.access(b.buffer("y", memory::argument, 12, role::output), i * 4 + j);
    b.loop(binding::serial, o, 12).loop(binding::unroll, i, 3).loop(binding::vectorize, j, 4);
    if (What == asks::row) b.guard({o - i * 4});
    if (What == asks::lane) b.guard({o - i * 4 - j});
    b.store(y, ex::load(x));
    return b.n;
}

// y = a + 2 b + 3 c + 4 d + 5 e, for two rows.
constexpr nest of_five()
{
    nest_builder b{isa::baseline, 4};
    const form i = b.axis("i"), j = b.axis("j");
    const int y = b.access(b.buffer("y", memory::argument, 8, role::output), i * 4 + j);
    const auto x = [&](const char* name) { return ex::load(b.access(b.buffer(name, memory::argument, 8), i * 4 + j)); };
    const expr all = x("a") + x("b") * expr{2.0f} + x("c") * expr{3.0f} + x("d") * expr{4.0f} + x("e") * expr{5.0f};
    b.loop(binding::unroll, i, 2).loop(binding::vectorize, j, 4).store(y, all);
    return b.n;
}

// y[j] = x[o + j], -1 where o is not below 5: o is known to loops outside only.
constexpr nest padded_with_minus_one()
{
    nest_builder b{isa::baseline, 4};
    const form o = b.axis("o"), j = b.axis("j");
    const int x = b.access(b.buffer("x", memory::argument, 8, role::input), o + j, {form{4} - o});
    const int y = b.access(b.buffer("y", memory::argument, 4, role::output), j);
    b.n.accesses[static_cast<std::size_t>(x)].outside = -1;
    b.loop(binding::serial, o, 9).loop(binding::vectorize, j, 4).store(y, ex::load(x));
    return b.n;
}

// Runs the band that is all of the root's loop, or the root itself.
template <class K, int Node>
void run_band(const cpu::environment<K>& e)
{
    using band = cpu::band<K, Node>;
    cpu::execute_band<K, band, 0, band::tables.run_count, K::nest.nodes[Node].parent>(
        e, static_cast<cpu::vector_of<K>*>(nullptr));
}
template <class K>
floats rows_at(std::int64_t o)
{
    floats x(12), y(12, 99);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    float* const arguments[] = {x.data(), y.data()};
    cpu::environment<K> e = environment_of<K>(arguments);
    e.variables[0] = o;
    run_band<K, K::nest.nodes[K::nest.root].child>(e);
    return y;
}

} // namespace

TEST_CASE("guards of a band hold or fail row by row, and lane by lane where lanes differ")
{
    for (int o = 0; o < 12; ++o) {
        floats all(12), by_row(12, 99), by_lane(12, 99);
        for (int at = 0; at < 12; ++at) {
            const auto i = static_cast<std::size_t>(at);
            all[i] = static_cast<float>(at);
            if (o >= at / 4 * 4) by_row[i] = all[i];
            if (o >= at) by_lane[i] = all[i];
        }
        CHECK(rows_at<tag_of<rows<asks::nothing>>>(o) == all);
        CHECK(rows_at<tag_of<rows<asks::row>>>(o) == by_row);
        CHECK(rows_at<tag_of<rows<asks::lane>>>(o) == by_lane);
    }
}

TEST_CASE("steps of more operands than runs have names for")
{
    using k = tag_of<of_five>;
    floats y(8), of[5];
    float* arguments[6] = {y.data()};
    for (std::size_t o = 0; o < 5; ++o) {
        for (std::size_t i = 0; i < 8; ++i) of[o].push_back(static_cast<float>(i * (o + 1)) - 3);
        arguments[o + 1] = of[o].data();
    }
    run_band<k, k::nest.root>(environment_of<k>(arguments));
    for (std::size_t i = 0; i < 8; ++i)
        CHECK(y[i] == of[0][i] + 2 * of[1][i] + 3 * of[2][i] + 4 * of[3][i] + 5 * of[4][i]);
}

TEST_CASE("outside of a tensor a vector of what is read there stands for memory, which is not touched")
{
    using k = tag_of<padded_with_minus_one>;
    using padding = cpu::padding_vector<k, float, __builtin_bit_cast(std::uint32_t, -1.0f)>;
    static_assert(padding::values.of[0] == -1 && padding::values.of[3] == -1);
    static_assert(static_cast<float>(cpu::padding_vector<k, half, 0x3f800000>::values.of[1]) == 1);
    const floats x{1, 2, 3, 4, 5, 6, 7, 8};
    for (std::int64_t o = 0; o < 9; ++o) {
        floats y(4, 99);
        // Past the end there is no x at all.
        float* const arguments[] = {o < 5 ? const_cast<float*>(x.data()) + o : nullptr, y.data()};
        cpu::environment<k> e = environment_of<k>(arguments);
        e.variables[0] = o;
        run_band<k, k::nest.nodes[k::nest.root].child>(e);
        for (std::size_t j = 0; j < 4; ++j) CHECK(y[j] == (o < 5 ? x[static_cast<std::size_t>(o) + j] : -1));
    }
}
