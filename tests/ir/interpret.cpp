// SPDX-License-Identifier: BSL-1.0
// What nests mean, and every rule that the interpreter holds them to: a broken one beside its kept twin.
#include <hone/ir/interpret.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nests.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

using floats = std::vector<float>;

floats counted(std::size_t size, float first = 1)
{
    floats v(size);
    std::iota(v.begin(), v.end(), first);
    return v;
}

status run(const nest& n, std::initializer_list<floats*> arguments, std::vector<std::int64_t> parameters = {})
{
    std::vector<argument> given;
    for (floats* f : arguments) given.push_back({f->data(), static_cast<std::int64_t>(f->size())});
    return interpret(n, given, parameters);
}

void is_fault(const status& s, fault what, const char* subject, std::int64_t found)
{
    CHECK(s.what == what);
    CHECK(std::string{s.subject} == subject);
    CHECK(s.found == found);
}

} // namespace

TEST_CASE("a loop runs its statement for each value")
{
    floats x = counted(8);
    floats y(8);
    CHECK(run(copy(), {&x, &y}).ok());
    CHECK(y == x);
}

TEST_CASE("memory of 16 bits is read and written as halves hold it")
{
    const floats x{0.1f, 1.0f, 65520.0f, 0x1p-25f, -3.0f, 1.0f + 0x1p-11f, 0.0f, 7.0f};
    for (const int which : {0, 1}) {
        nest n = copy();
        n.buffers[static_cast<std::size_t>(which)].type = dtype::f16;
        floats given = x, y(8);
        CHECK(run(n, {&given, &y}).ok());
        CHECK(given == x);
        for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == rounded_to(dtype::f16, x[i]));
    }
}

TEST_CASE("an access outside its buffer is found on either side, and where the caller gives too little")
{
    floats x = counted(8);
    floats y(8);
    is_fault(run(copy(1), {&x, &y}), fault::index_out_of_bounds, "x", 8);
    is_fault(run(copy(-1), {&x, &y}), fault::index_out_of_bounds, "x", -1);
    floats small(7);
    is_fault(run(copy(), {&x, &small}), fault::index_out_of_bounds, "y", 7);
    is_fault(run(copy(), {&x}), fault::shape_mismatch, "y", 1);
}

TEST_CASE("a tiled product with peeled tail is the product")
{
    for (const matmul_shape s : {matmul_shape{}, matmul_shape{.m = 8, .n = 24, .k = 3, .tile_m = 4, .tile_n = 3},
                                 matmul_shape{.m = 5, .n = 8, .k = 1, .tile_m = 2, .tile_n = 2}}) {
        floats a = counted(static_cast<std::size_t>(s.m * s.k));
        floats b = counted(static_cast<std::size_t>(s.k * s.n), -3);
        floats y(static_cast<std::size_t>(s.m * s.n), -1);
        CHECK(run(matmul(s), {&a, &b, &y}).ok());
        bool is_same = true;
        for (int m = 0; m < s.m; ++m)
            for (int n = 0; n < s.n; ++n) {
                float sum = 0;
                for (int k = 0; k < s.k; ++k)
                    sum += a[static_cast<std::size_t>(m * s.k + k)] * b[static_cast<std::size_t>(k * s.n + n)];
                is_same = is_same && y[static_cast<std::size_t>(m * s.n + n)] == sum;
            }
        CHECK(is_same);
    }
}

TEST_CASE("a border is clipped, guarded or selected, with one result")
{
    floats x = counted(6);
    floats w{1, 10, 100};
    const floats expected{210, 321, 432, 543, 654, 65};
    for (const edge how : {edge::clipped, edge::guarded, edge::selected}) {
        floats y(6, -1);
        CHECK(run(padded(how), {&x, &w, &y}).ok());
        CHECK(y == expected);
    }
    floats y(6);
    is_fault(run(padded(edge::none), {&x, &w, &y}), fault::index_out_of_bounds, "x", -1);
}

TEST_CASE("loop bounds are floors, and the tightest holds")
{
    for (const int start : {-3, -2, 0, 1}) {
        nest_builder b;
        const form i = b.axis("i");
        const form m = b.extent("m", -10, 10);
        const int y = b.access(b.buffer("y", memory::argument, 8, role::output), i + form{4});
        b.loop(binding::serial, i, {quotient{m, 2}, -3}, {quotient{m + form{9}, 2}, 4}).store(y, expr{1.0f});
        floats v(8, 0);
        CHECK(run(b.n, {&v}, {start}).ok());
        const int low = std::max(static_cast<int>(floor_div(start, 2)), -3);
        const int high = std::min(static_cast<int>(floor_div(start + 9, 2)), 4);
        for (int k = -4; k < 4; ++k) CHECK(v[static_cast<std::size_t>(k + 4)] == (k >= low && k < high ? 1 : 0));
    }
}

TEST_CASE("parameters scale bounds, sizes and strides, within their range")
{
    nest_builder b;
    const form i = b.axis("i");
    const form m = b.extent("m", 1, 4);
    const form stride = b.extent("stride", 2, 9);
    const int x = b.access(b.buffer("x", memory::argument, m, role::input), i);
    const int y = b.access(b.buffer("y", memory::argument, 20, role::output), nest_builder::product(i, stride));
    b.loop(binding::serial, i, m).store(y, ex::load(x));
    floats in = counted(4);
    floats out(20, 0);
    CHECK(run(b.n, {&in, &out}, {3, 5}).ok());
    CHECK(out[0] == 1);
    CHECK(out[5] == 2);
    CHECK(out[10] == 3);
    CHECK(out[15] == 0);
    is_fault(run(b.n, {&in, &out}, {5, 5}), fault::parameter_out_of_range, "m", 5);
    is_fault(run(b.n, {&in, &out}, {0, 5}), fault::parameter_out_of_range, "m", 0);
    is_fault(run(b.n, {&in, &out}, {1}), fault::parameter_out_of_range, "stride", 0);
}

TEST_CASE("expressions and reductions mean what expr.hpp says")
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    nest_builder b;
    const form i = b.axis("i");
    const int x = b.access(b.buffer("x", memory::argument, 4, role::input), i);
    const int y = b.buffer("y", memory::argument, 8, role::output);
    const int t = b.table({3, 5, 7, 9}, i);
    const int at[] = {b.access(y, 0), b.access(y, 1), b.access(y, 2), b.access(y, i + form{4})};
    b.store(at[0], expr{0.0f}).store(at[1], expr{identity_of(reduction::max)});
    b.store(at[2], expr{identity_of(reduction::min)});
    b.loop(binding::serial, i, 4);
    b.add(at[0], ex::load(x) * ex::table(t));
    b.leaf(at[1], reduction::max, ex::load(x)).leaf(at[2], reduction::min, -ex::load(x));
    b.store(at[3], ex::sqrt(ex::abs(ex::min(ex::load(x), expr{2.0f}) - expr{6.0f} / ex::max(ex::load(x), expr{3.0f}))));
    floats in{4, -1, 9, 1};
    floats out(8);
    CHECK(run(b.n, {&in, &out}).ok());
    CHECK(out == floats{12 - 5 + 63 + 9, 9, -9, 0, std::sqrt(0.5f), std::sqrt(3.0f), std::sqrt(2.0f - 6.0f / 9.0f), 1});

    nest_builder p;
    const form at_lane = p.axis("i");
    const int place = p.access(p.buffer("y", memory::argument, 3, role::output), at_lane);
    p.loop(binding::serial, at_lane, 3).store(place, ex::position(p.table({}, at_lane * 4 - form{1})) * 0.5f);
    floats places(3);
    CHECK(run(p.n, {&places}).ok());
    CHECK(places == floats{-0.5f, 1.5f, 3.5f});

    nest_builder r;
    const int v = r.access(r.buffer("v", memory::argument, 1, role::output), 0);
    r.store(v, ex::max(ex::load(v), expr{0.0f}));
    floats value{nan};
    CHECK(run(r.n, {&value}).ok());
    CHECK(value[0] != value[0]); // relu keeps NaN
}

TEST_CASE("an output may be accumulated into, other memory must be written first")
{
    const auto accumulated = [](memory where) {
        nest_builder b;
        const form i = b.axis("i");
        const int x = b.access(b.buffer("x", memory::argument, 3, role::input), i);
        const int y = b.access(b.buffer("y", where, 3, role::output), i);
        b.loop(binding::serial, i, 3).add(y, ex::load(x));
        return b.n;
    };
    floats x{1, 2, 3};
    floats y{10, 20, 30};
    CHECK(run(accumulated(memory::argument), {&x, &y}).ok());
    CHECK(y == floats{11, 22, 33});
    is_fault(run(accumulated(memory::workspace), {&x}), fault::uninitialized_read, "y", 0);
    is_fault(run(accumulated(memory::slot), {&x}), fault::uninitialized_read, "y", 0);
}

TEST_CASE("registers live in one tile, a slot in one iteration of the parallel loop")
{
    // `outside`: what is set before the tile, or before the parallel loop, is gone inside.
    const auto carried = [](memory where, bool outside) {
        nest_builder b;
        const form i = b.axis("i");
        const int y = b.access(b.buffer("y", memory::argument, 2, role::output), i);
        const int s = b.access(b.buffer("s", where, 1), 0);
        if (where == memory::registers) b.tile();
        if (outside) b.store(s, expr{4.0f});
        b.loop(where == memory::slot ? binding::parallel : binding::serial, i, 2);
        if (where == memory::registers) b.tile();
        if (!outside) b.store(s, expr{4.0f});
        b.store(y, ex::load(s));
        return b.n;
    };
    floats y(2);
    for (const memory where : {memory::registers, memory::slot}) {
        CHECK(run(carried(where, false), {&y}).ok());
        CHECK(y == floats{4, 4});
        is_fault(run(carried(where, true), {&y}), fault::uninitialized_read, "s", 0);
    }
    CHECK(run(carried(memory::workspace, true), {&y}).ok());

    nest_builder b; // and outside a tile there are none
    b.store(b.access(b.buffer("r", memory::registers, 1), 0), expr{1.0f});
    is_fault(run(b.n, {}), fault::index_out_of_bounds, "r", 0);
}

TEST_CASE("a scratch under a parallel loop must be private to the slot")
{
    floats x = counted(12);
    floats y(12);
    CHECK(run(through_scratch(memory::slot), {&x, &y}).ok());
    CHECK(y[11] == 24);
    is_fault(run(through_scratch(memory::workspace), {&x, &y}), fault::parallel_race, "s", 0);
}

TEST_CASE("iterations race where one writes what another touches, in any order")
{
    enum class way { apart, one_element, reading_ahead, reading_behind, reading_the_last };
    const auto region = [](nest_builder& b, const form& i, int ys, way how) {
        const int own = b.access(ys, i);
        b.loop(binding::parallel, i, {1}, {4});
        switch (how) {
        case way::apart: b.store(own, ex::load(own)); break;
        case way::one_element: b.store(b.access(ys, 1), expr{1.0f}); break;
        case way::reading_ahead: b.store(own, ex::load(b.access(ys, i + form{1}))); break;
        case way::reading_behind: b.store(own, ex::load(b.access(ys, i - form{1}))); break;
        case way::reading_the_last: b.store(own, ex::load(b.access(ys, 3)) + ex::load(own)); break;
        }
        b.end();
    };
    // `before`: whether a region without a race, and serial reads of what it wrote, come first.
    for (const bool before : {false, true})
        for (const way how :
             {way::apart, way::one_element, way::reading_ahead, way::reading_behind, way::reading_the_last}) {
            nest_builder b;
            const form i = b.axis("i");
            const int ys = b.buffer("y", memory::argument, 5, role::output);
            if (before) {
                region(b, i, ys, way::apart);
                b.loop(binding::serial, i, 5).store(b.access(ys, 0), ex::load(b.access(ys, i))).end();
            }
            region(b, i, ys, how);
            floats y(5);
            const status s = run(b.n, {&y});
            if (how == way::apart)
                CHECK(s.ok());
            else
                is_fault(s, fault::parallel_race, "y",
                         how == way::reading_the_last ? 3
                         : how == way::reading_ahead  ? 2
                                                      : 1);
        }
}

TEST_CASE("parallel loops nested tightly are one region of their pairs; otherwise the outer one counts")
{
    // Each iteration of i writes its own element, once for each j.
    const auto nested = [](bool tightly) {
        nest_builder b;
        const form i = b.axis("i");
        const form j = b.axis("j");
        const int y = b.access(b.buffer("y", memory::argument, 3, role::output), i);
        b.loop(binding::parallel, i, 3);
        if (!tightly) b.store(y, expr{0.0f});
        b.loop(binding::parallel, j, 2).store(y, expr{1.0f});
        return b.n;
    };
    floats y(3);
    CHECK(run(nested(false), {&y}).ok());
    is_fault(run(nested(true), {&y}), fault::parallel_race, "y", 0);
}

TEST_CASE("workgroups and lanes are digits of flat indices; those past the extent are idle")
{
    nest_builder b{isa::none, 1, 8};
    const form g0 = b.axis("g", 0);
    const form g1 = b.axis("g", 1);
    const form i = b.axis("i", 0);
    const form j = b.axis("i", 1);
    const int y = b.access(b.buffer("y", memory::argument, 48, role::output),
                           g0 * 24 + g1 * 8 + i * 2 + j); // (2, 3, 3 of 4, 2)
    b.bound_loop(binding::grid, g0, 2, 3).bound_loop(binding::grid, g1, 3, 1, nest_builder::digit::inner);
    b.bound_loop(binding::lane, i, 3, 2).bound_loop(binding::lane, j, 2, 1, nest_builder::digit::inner);
    b.store(y, expr{1.0f});
    floats v(48, 0);
    CHECK(run(b.n, {&v}).ok());
    for (std::size_t k = 0; k < v.size(); ++k) CHECK(v[k] == (k % 8 < 6 ? 1 : 0));
}

TEST_CASE("lanes share memory across barriers, and only across barriers")
{
    floats x = counted(24);
    floats y(24);
    CHECK(run(reversed(), {&x, &y}).ok());
    for (std::size_t k = 0; k < y.size(); ++k) CHECK(y[k] == x[k / 4 * 4 + 3 - k % 4]);
    is_fault(run(reversed(meeting::no_first), {&x, &y}), fault::barrier_missing, "s", 3);
    CHECK(run(reversed(meeting::no_second), {&x, &y}).what == fault::barrier_missing);
    is_fault(run(reversed(meeting::under_guard), {&x, &y}), fault::barrier_in_divergent_flow, "barrier", 3);
    CHECK(run(reversed(meeting::under_uneven_loop), {&x, &y}).what == fault::barrier_in_divergent_flow);
    is_fault(run(reversed(meeting::under_idle_lanes), {&x, &y}), fault::barrier_in_divergent_flow, "barrier", 3);
}

TEST_CASE("lanes must not meet in an argument either, nor workgroups anywhere")
{
    const auto filled = [](bool by_lane, bool by_group) {
        nest_builder b{isa::none, 1, 4};
        const form g = b.axis("g");
        const form i = b.axis("i");
        const int y = b.access(b.buffer("y", memory::argument, 8, role::output),
                               (by_lane ? i : form{}) + (by_group ? g * 4 : form{}));
        b.bound_loop(binding::grid, g, 2).bound_loop(binding::lane, i, 4).store(y, expr{1.0f});
        return b.n;
    };
    floats y(8);
    CHECK(run(filled(true, true), {&y}).ok());
    is_fault(run(filled(false, true), {&y}), fault::barrier_missing, "y", 0);
    is_fault(run(filled(true, false), {&y}), fault::parallel_race, "y", 0);
}

TEST_CASE("a workgroup's memory starts undefined in each workgroup")
{
    const auto carried = [](int groups_that_write) {
        nest_builder b{isa::none, 1, 2};
        const form g = b.axis("g");
        const form i = b.axis("i");
        const int y = b.access(b.buffer("y", memory::argument, 4, role::output), g * 2 + i);
        const int s = b.access(b.buffer("s", memory::workgroup, 2), i);
        b.bound_loop(binding::grid, g, 2).bound_loop(binding::lane, i, 2);
        b.guard({form{groups_that_write - 1} - g}).store(s, expr{5.0f}).end();
        b.store(y, ex::load(s));
        return b.n;
    };
    floats y(4);
    CHECK(run(carried(2), {&y}).ok());
    CHECK(y == floats{5, 5, 5, 5});
    is_fault(run(carried(1), {&y}), fault::uninitialized_read, "s", 0);
}

TEST_CASE("registers are private to a lane and outlive a barrier")
{
    nest_builder b{isa::none, 1, 4};
    const form i = b.axis("i");
    const int x = b.access(b.buffer("x", memory::argument, 4, role::input), i);
    const int y = b.access(b.buffer("y", memory::argument, 4, role::output), i);
    const int r = b.access(b.buffer("r", memory::registers, 1), 0);
    b.tile();
    b.bound_loop(binding::lane, i, 4).store(r, ex::load(x)).end();
    b.barrier();
    b.bound_loop(binding::lane, i, 4).store(y, ex::load(r)).end();
    floats in = counted(4);
    floats out(4);
    CHECK(run(b.n, {&in, &out}).ok());
    CHECK(out == in);
}

TEST_CASE("what lowering found comes first")
{
    nest n = copy();
    n.found = {.what = fault::attach_unknown, .subject = "pack"};
    floats x(8);
    is_fault(run(n, {&x, &x}), fault::attach_unknown, "pack", 0);
}
