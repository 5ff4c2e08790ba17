// SPDX-License-Identifier: BSL-1.0
// Squares turned in registers, and bands of copies that are written out as such: whole squares, what is left behind
// them, and vectors that are not full.
#include <hone/cpu/transpose.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <hone/core/isa.hpp>
#include <hone/cpu/codegen.hpp>

#include "cpu/tags.hpp"
#include "nest_builder.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;
namespace cpu = hone::codegen::cpu;

namespace {

constexpr isa set = compiled_isa();
constexpr int lanes = lanes_of(set, dtype::f32);

// Of N lanes, where registers have so many.
template <int N>
bool is_turned()
{
    if constexpr (N > lanes) {
        return true;
    } else {
        cpu::square<set, N> s;
        for (int r = 0; r < N; ++r)
            for (int c = 0; c < N; ++c) s.row[r][c] = static_cast<float>(N * r + c);
        s.turn();
        bool good = true;
        for (int r = 0; r < N; ++r)
            for (int c = 0; c < N; ++c) good = good && s.row[r][c] == static_cast<float>(N * c + r);
        return good;
    }
}

// y[g][j][lane] = x[3 g + lane][j] of rows of Columns floats, for Rows of the lanes and two of g.
template <int Columns, int Rows>
constexpr nest turned()
{
    nest_builder b{set, lanes};
    const form g = b.axis("g"), j = b.axis("j"), lane = b.axis("lane");
    const int x = b.access(b.buffer("x", memory::argument, (lanes + 3) * Columns, role::input),
                           g * (3 * Columns) + lane * Columns + j);
    const int y = b.access(b.buffer("y", memory::argument, 2 * Columns * lanes, role::output),
                           g * (Columns * lanes) + j * lanes + lane);
    b.loop(binding::serial, g, 2).loop(binding::unroll, j, Columns).loop(binding::vectorize, lane, lanes);
    if (Rows < lanes) b.guard({form{Rows - 1} - lane});
    b.store(y, ex::load(x));
    return b.n;
}

template <int Columns, int Rows>
void check_turned()
{
    using tag = tag_of<turned<Columns, Rows>>;
    CAPTURE(Columns);
    CAPTURE(Rows);
    // Behind the last row stands nothing that could be read.
    std::vector<float> x(static_cast<std::size_t>((Rows + 3) * Columns)),
        y(static_cast<std::size_t>(2 * Columns * lanes));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i + 1);
    void* const arguments[] = {x.data(), y.data()};
    serial_executor serial;
    cpu::run<tag>(serial, arguments, nullptr, nullptr);
    for (int g = 0; g < 2; ++g)
        for (int j = 0; j < Columns; ++j)
            for (int l = 0; l < lanes; ++l) {
                const float expected = l < Rows ? x[static_cast<std::size_t>((3 * g + l) * Columns + j)] : 0;
                CHECK(y[static_cast<std::size_t>((g * Columns + j) * lanes + l)] == expected);
            }
}

// Whether the first run of the nest's only band is written out in squares.
template <nest (*Build)()>
constexpr bool has_squares()
{
    using tag = tag_of<Build>;
    using band = cpu::band<tag, tag::nest.nodes[tag::nest.root].child>;
    constexpr cpu::step s = band::step_at(0);
    using form = cpu::form<tag, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh>;
    return cpu::turns<tag, form, band, 0, band::tables.runs[0].count>();
}

} // namespace

TEST_CASE("a square is turned in registers")
{
    CHECK(is_turned<4>());
    CHECK(is_turned<8>());
    CHECK(is_turned<16>());
}

TEST_CASE("copies of rows that are far apart are written out in squares")
{
    CHECK(has_squares<turned<2 * lanes + 3, lanes>>());
    CHECK(has_squares<turned<lanes, lanes - 1>>());
    CHECK_FALSE(has_squares<turned<1, lanes>>()); // the lanes lie side by side
    check_turned<2 * lanes + 3, lanes>();
    check_turned<lanes, lanes>();
    check_turned<3, lanes>();
    check_turned<lanes, lanes - 1>();
    check_turned<lanes + 2, 1>();
    check_turned<1, lanes>();
}
