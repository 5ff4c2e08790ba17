// SPDX-License-Identifier: BSL-1.0
// Each rule of a nest, broken beside its kept twin. All of it at compile time, since kernels assert it there.
#include <hone/ir/check.hpp>

#include <doctest/doctest.h>

#include "nests.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

constexpr target avx512 = cpu_target(isa::avx512);
constexpr target avx2 = cpu_target(isa::avx2);
constexpr target sse = cpu_target(isa::baseline);
constexpr target device = vulkan_target();

constexpr matmul_shape tile(int m, int n) { return {.m = 2 * m + 1, .n = 16 * n, .k = 5, .tile_m = m, .tile_n = n}; }

static_assert(check(copy(), sse).ok());
static_assert(check(matmul(), sse).ok());
static_assert(check(matmul(tile(14, 2), isa::avx512, 16), avx512).ok());
static_assert(check(padded(edge::clipped), sse).ok());
static_assert(check(through_scratch(memory::slot), sse).ok());
static_assert(check(reversed(), device).ok());

// ---- vectors ----

static_assert(check(matmul(tile(4, 2), isa::avx2, 8), avx2).ok());
static_assert(check(matmul(tile(4, 2), isa::avx2, 4), avx2).ok());
static_assert(check(matmul(tile(4, 2), isa::avx512, 16), avx2).what == fault::vector_length_unsupported);

enum class vector_fault { none, extent, run_time_extent, not_innermost };
constexpr nest vectors(vector_fault how)
{
    nest_builder b{isa::baseline, 4};
    const form i = b.axis("i");
    const form j = b.axis("j");
    const form m = b.extent("m", 1, 4);
    const int y = b.access(b.buffer("y", memory::argument, 16, role::output), i * 4 + j);
    if (how != vector_fault::not_innermost) b.loop(binding::serial, i, 4);
    b.loop(binding::vectorize, j,
           how == vector_fault::extent            ? quotient{3}
           : how == vector_fault::run_time_extent ? quotient{m}
                                                  : quotient{4});
    if (how == vector_fault::not_innermost) b.loop(binding::serial, i, 4);
    b.guard({form{14} - i * 4 - j}).store(y, expr{1.0f});
    return b.n;
}
static_assert(check(vectors(vector_fault::none), sse).ok());
static_assert(check(vectors(vector_fault::extent), sse).what == fault::vector_length_unsupported);
static_assert(check(vectors(vector_fault::extent), sse).found == 3);
static_assert(check(vectors(vector_fault::run_time_extent), sse).what == fault::vector_length_unsupported);
static_assert(check(vectors(vector_fault::not_innermost), sse).what == fault::vector_level_not_innermost);

// ---- registers ----

// As many as live_registers() finds.
static_assert(check(matmul(tile(15, 2), isa::avx512, 16), avx512).what == fault::too_many_live_registers);
static_assert(check(matmul(tile(15, 2), isa::avx512, 16), avx512).found == 33);
static_assert(check(matmul(tile(31, 1), isa::avx512, 16), avx512).ok());
static_assert(check(matmul(tile(32, 1), isa::avx512, 16), avx512).what == fault::too_many_live_registers);
static_assert(check(matmul(tile(14, 1), isa::avx2, 8), avx2).ok());
static_assert(check(matmul(tile(15, 1), isa::avx2, 8), avx2).what == fault::too_many_live_registers);
static_assert(check(matmul(tile(6, 2), isa::avx2, 8), avx2).ok());
static_assert(check(matmul(tile(7, 2), isa::avx2, 8), avx2).what == fault::too_many_live_registers);
static_assert(check(matmul(tile(4, 2), isa::avx2, 8, binding::serial), avx2).what ==
              fault::register_index_not_constant);
static_assert(check(matmul({.tile_m = 1}, isa::baseline, 4, binding::serial), sse).ok()); // one value is a literal

constexpr nest past_registers(int size)
{
    nest_builder b;
    const form i = b.axis("i");
    const int r = b.access(b.buffer("r", memory::registers, size), i);
    b.tile().loop(binding::unroll, i, 3).store(r, expr{1.0f});
    return b.n;
}
static_assert(check(past_registers(3), sse).ok());
static_assert(check(past_registers(2), sse).what == fault::index_out_of_bounds);
static_assert(check(past_registers(2), sse).found == 2);

// ---- tiles and reductions ----

constexpr nest tiles(int count, reduction reduce)
{
    nest_builder b;
    const int y = b.access(b.buffer("y", memory::argument, 1, role::output), 0);
    for (int i = 0; i < count; ++i) b.tile().leaf(y, reduce, expr{1.0f}).end();
    return b.n;
}
static_assert(check(tiles(8, reduction::add), sse).ok());
static_assert(check(tiles(9, reduction::add), sse).what == fault::too_many_tile_bodies);
static_assert(check(tiles(9, reduction::none), sse).ok());

constexpr nest spread_reduction(binding bind, reduction reduce)
{
    const bool is_gpu = bind == binding::grid || bind == binding::lane;
    nest_builder b{is_gpu ? isa::none : isa::baseline, 1, 4};
    const form k = b.axis("k", 0, true);
    const int x = b.access(b.buffer("x", memory::argument, 4, role::input), k);
    const int y = b.access(b.buffer("y", memory::argument, 4, role::output), reduce == reduction::none ? k : form{});
    if (is_gpu)
        b.bound_loop(bind, k, 4);
    else
        b.loop(bind, k, 4);
    b.leaf(y, reduce, ex::load(x));
    return b.n;
}
static_assert(check(spread_reduction(binding::serial, reduction::add), sse).ok());
static_assert(check(spread_reduction(binding::parallel, reduction::add), sse).what == fault::reduction_parallel);
static_assert(check(spread_reduction(binding::grid, reduction::add), device).what == fault::reduction_parallel);
static_assert(check(spread_reduction(binding::lane, reduction::max), device).what == fault::reduction_parallel);
static_assert(check(spread_reduction(binding::lane, reduction::none), device).ok()); // a copy may

// ---- barriers ----

static_assert(check(reversed(meeting::under_guard), device).what == fault::barrier_in_divergent_flow);
static_assert(check(reversed(meeting::under_uneven_loop), device).what == fault::barrier_in_divergent_flow);
static_assert(check(reversed(meeting::under_idle_lanes), device).what == fault::barrier_in_divergent_flow);

// Two digits cover all lanes together; a guard that all lanes answer alike is no divergence.
constexpr nest barrier_below_lanes(int outer)
{
    nest_builder b{isa::none, 1, 8};
    const form r = b.axis("r");
    const form i = b.axis("i", 0);
    const form j = b.axis("i", 1);
    b.loop(binding::serial, r, 3).guard({form{1} - r});
    b.bound_loop(binding::lane, i, outer, 4).bound_loop(binding::lane, j, 4, 1, nest_builder::digit::inner);
    b.barrier();
    return b.n;
}
static_assert(check(barrier_below_lanes(2), device).ok());
static_assert(check(barrier_below_lanes(1), device).what == fault::barrier_in_divergent_flow);
static_assert(check(barrier_below_lanes(3), device).what == fault::workgroup_too_large);

// ---- limits of a device ----

struct launch_size {
    int shared = 4096;
    int groups = 65535;
    int lanes = 128;
    int buffers = 4;
    int iterations = 65535;
};
constexpr nest sized(const launch_size& s)
{
    nest_builder b{isa::none, 1, s.lanes};
    const form g = b.axis("g");
    const form i = b.axis("i");
    b.buffer("s", memory::workgroup, s.shared);
    int y = 0;
    for (int k = 0; k < s.buffers; ++k) y = b.buffer("y", memory::argument, 1, role::output);
    const int first = b.access(y, 0);
    b.bound_loop(binding::grid, g, s.groups).loop(binding::serial, i, s.iterations).store(first, expr{1.0f});
    return b.n;
}
static_assert(check(sized({}), device).ok());
static_assert(check(sized({.shared = 4097}), device).what == fault::shared_memory_exceeded);
static_assert(check(sized({.groups = 65536}), device).what == fault::too_many_workgroups);
static_assert(check(sized({.lanes = 129}), device).what == fault::workgroup_too_large);
static_assert(check(sized({.buffers = 5}), device).what == fault::too_many_buffers);
static_assert(check(sized({.iterations = 65536}), device).what == fault::too_many_loop_iterations);
static_assert(check(sized({.iterations = 65536}), vulkan_target({.max_loop_iterations = 0})).ok());

// An iteration counts itself and those inside it: 10 * (1 + 3 * (1 + 4)) + 10, unrolled ones only what they hold.
constexpr nest loops(int limited_to)
{
    nest_builder b{isa::none};
    const form i = b.axis("i");
    const form j = b.axis("j");
    const form u = b.axis("u");
    const form k = b.axis("k");
    const int y = b.access(b.buffer("y", memory::argument, 1, role::output), 0);
    b.loop(binding::serial, i, 10).loop(binding::unroll, u, 3).loop(binding::serial, j, {i * 4}, {i * 4 + form{4}, 38});
    b.loop(binding::unroll, k, limited_to).store(y, expr{1.0f}).end(4);
    b.loop(binding::serial, j, 10).store(y, expr{1.0f});
    return b.n;
}
static_assert(check(loops(7), vulkan_target({.max_loop_iterations = 10 * (1 + 3 * 4) + 10})).ok());
static_assert(check(loops(7), vulkan_target({.max_loop_iterations = 10 * (1 + 3 * 4) + 9})).found == 140);

// ---- what lowering found, and capacity ----

constexpr nest with_fault()
{
    nest n = sized({.groups = 65536});
    n.found = {.what = fault::axis_unknown, .subject = "q"};
    return n;
}
static_assert(check(with_fault(), device).what == fault::axis_unknown);

constexpr nest overfull()
{
    nest n = copy();
    while (!n.parameters.overflowed()) n.parameters.push_back({});
    return n;
}
static_assert(check(overfull(), sse).what == fault::capacity);

// A nest of exact size is checked alike, also one with empty tables.
constexpr nest empty_from = nest_builder{}.barrier().n;
static_assert(check(resized<empty_from.sizes()>(empty_from), sse).ok());
constexpr nest shrunk_from = matmul(tile(15, 2), isa::avx512, 16);
static_assert(check(resized<shrunk_from.sizes()>(shrunk_from), avx512).what == fault::too_many_live_registers);

} // namespace

TEST_CASE("check says the same at run time")
{
    const status s = check(matmul(tile(15, 2), isa::avx512, 16), avx512);
    CHECK(s.what == fault::too_many_live_registers);
    CHECK(s.expected == 32);
    CHECK(s.found == 33);
    CHECK(check(matmul(tile(14, 2), isa::avx512, 16), avx512).ok());
}
