// SPDX-License-Identifier: BSL-1.0
// The rules that a nest must keep for its target, each broken one named; from the nest alone, without running it.
// It is constexpr and one walk over the tree (three below a tile), since every kernel asserts it: a nest of 96 nodes
// takes 35,000 of clang's 1,048,576 steps. Bounds of arguments, order and races are the interpreter's business.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/ir/live_registers.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// More copies of the register tile than this cost more instruction cache and compile time than their borders save.
inline constexpr int max_tile_bodies = 8;

// Whether `at` is, or stands above, a statement that accumulates.
template <class Nest>
constexpr bool has_reduction(const Nest& n, int at)
{
    const node& here = n.nodes[at];
    if (here.kind == node_kind::leaf) return n.statements[here.statement].reduce != reduction::none;
    for (int c = here.child; c >= 0; c = n.nodes[c].next)
        if (has_reduction(n, c)) return true;
    return false;
}

// The most iterations that a loop can run, for intervals of the outer variables. Bounds that move together, as in
// [8*i, min(8*i + 8, m)), are subtracted term by term: their intervals alone would give the whole axis.
template <class Nest>
constexpr std::int64_t most_iterations(const Nest& n, const node& loop, const interval* variables)
{
    struct difference {
        affine_term terms[16];
        const decltype(n.parameters)& parameters;
    };
    const interval i = interval_of(n, loop, variables);
    std::int64_t most = i.most < i.least ? 0 : i.most - i.least + 1;
    if (const std::int64_t runs = runs_for_quotient(n, loop); runs > 0 && most > runs) return runs;
    for (int u = loop.upper.first; u < loop.upper.first + loop.upper.count; ++u) {
        const bound& upper = n.bounds[u];
        for (int l = loop.lower.first; l < loop.lower.first + loop.lower.count; ++l) {
            const bound& lower = n.bounds[l];
            if (upper.divisor != 1 || lower.divisor != 1 || upper.value.count == 0 || lower.value.count == 0 ||
                upper.value.count + lower.value.count > 16)
                continue;
            difference d{{}, n.parameters};
            affine a{.constant = upper.value.constant - lower.value.constant};
            const auto add = [&](const affine& side, std::int64_t sign) {
                for (int t = side.first; t < side.first + side.count; ++t) {
                    affine_term term = n.terms[t];
                    term.coefficient *= sign;
                    int same = 0;
                    while (same < a.count &&
                           !(d.terms[same].variable == term.variable && d.terms[same].parameter == term.parameter &&
                             d.terms[same].divisor == term.divisor))
                        ++same;
                    if (same == a.count)
                        d.terms[a.count++] = term;
                    else
                        d.terms[same].coefficient += term.coefficient;
                }
            };
            add(upper.value, 1);
            add(lower.value, -1);
            const std::int64_t distance = interval_of(d, a, variables).most;
            if (distance < most) most = distance < 0 ? 0 : distance;
        }
    }
    return most;
}

template <class Nest>
class checker {
public:
    constexpr checker(const Nest& n, const target& t) : n_{n}, target_{t}
    {
        for (std::int16_t& loop : loop_of_) loop = -1;
    }

    constexpr status run()
    {
        if (!n_.found.ok()) return n_.found;
        if (n_.overflowed()) return {.what = fault::capacity};
        // Shading languages have vectors of up to 4.
        const int longest = target_.is_vulkan() ? 4 : lanes_of(target_.set, accumulator_of(n_.buffers));
        const int length = n_.vector_length;
        if (length < 1 || length > longest || (length & (length - 1)) != 0)
            fail(fault::vector_length_unsupported, longest, length, name_of(target_.set));
        for (const affine_term& t : n_.terms)
            if (t.divisor != 1) check_divided(t);
        const std::int64_t iterations = siblings(n_.root, false);
        if (tile_bodies_ > max_tile_bodies) fail(fault::too_many_tile_bodies, max_tile_bodies, tile_bodies_, "tile");
        if (n_.set == isa::none) check_device(iterations);
        return found_;
    }

private:
    // Iterations are counted up to here, so that no product of two overflows.
    static constexpr std::int64_t many = std::int64_t{1} << 31;
    static constexpr std::int64_t capped(std::int64_t count) { return count < many ? count : many; }

    constexpr void fail(fault what, std::int64_t expected, std::int64_t found, const char* subject)
    {
        if (found_.ok()) found_ = {.what = what, .expected = expected, .found = found, .subject = subject};
    }

    constexpr const node& at(int i) const { return n_.nodes[i]; }
    constexpr const char* name_of_variable(int v) const { return n_.variables[v].name; }

    // Serial loop iterations that one invocation runs below, at most. `divergent`: not all lanes come here, or not
    // equally often.
    constexpr std::int64_t siblings(int i, bool divergent)
    {
        std::int64_t iterations = 0;
        for (; i >= 0; i = at(i).next) iterations += visit(i, divergent);
        return capped(iterations);
    }

    constexpr std::int64_t visit(int i, bool divergent)
    {
        const node& here = at(i);
        switch (here.kind) {
        case node_kind::loop: return visit_loop(i, divergent);
        case node_kind::guard:
            for (int c = here.conditions.first; c < here.conditions.first + here.conditions.count; ++c)
                if (differs_by_lane(n_.conditions[c])) divergent = true;
            break;
        case node_kind::tile:
            if (has_reduction(n_, i)) ++tile_bodies_;
            check_registers(i);
            break;
        case node_kind::leaf: check_leaf(here); return 0;
        case node_kind::barrier:
            if (divergent) fail(fault::barrier_in_divergent_flow, n_.lanes, 0, "barrier");
            return 0;
        }
        return siblings(here.child, divergent);
    }

    constexpr std::int64_t visit_loop(int i, bool divergent)
    {
        const node& here = at(i);
        const int v = here.variable;
        const bool bounds_differ = bounds_differ_by_lane(here.lower) || bounds_differ_by_lane(here.upper);
        if (bounds_differ) divergent = true;
        values_[v] = interval_of(n_, here, values_);
        loop_of_[v] = static_cast<std::int16_t>(i);
        by_lane_[v] = (bounds_differ || here.bind == binding::lane) && !values_[v].constant();
        const std::int64_t extent = capped(most_iterations(n_, here, values_));
        const bool is_concurrent =
            here.bind == binding::parallel || here.bind == binding::grid || here.bind == binding::lane;
        // A copy may spread a reduction axis over lanes; only accumulating may not.
        if (is_concurrent && n_.variables[v].reduction && has_reduction(n_, i))
            fail(fault::reduction_parallel, 0, extent, name_of_variable(v));

        std::int64_t runs = 1;
        switch (here.bind) {
        case binding::serial:
        case binding::parallel: break;
        case binding::unroll: runs = extent; break;
        case binding::vectorize: check_vector(i); break;
        case binding::grid: groups_ = larger(groups_, extent * here.radix_stride); break;
        case binding::lane: {
            const std::int64_t indices = extent * here.radix_stride;
            if (indices > n_.lanes) fail(fault::workgroup_too_large, n_.lanes, indices, name_of_variable(v));
            if (here.outermost && (indices < n_.lanes || !has_constant_bounds(n_, here))) divergent = true;
            break;
        }
        }
        const std::int64_t below = siblings(here.child, divergent);
        loop_of_[v] = -1;
        return here.bind == binding::serial ? capped(extent * (below + 1)) : capped(runs * below);
    }

    // Lanes alone are divided: what other loops move, they move by the same distance in each step.
    constexpr void check_divided(const affine_term& t)
    {
        bool is_lane = t.variable >= 0 && t.parameter < 0 && t.divisor > 1 && n_.set != isa::none;
        for (const node& x : n_.nodes)
            if (x.kind == node_kind::loop && x.variable == t.variable && x.bind != binding::vectorize) is_lane = false;
        if (!is_lane)
            fail(fault::blocked_axis_not_affine, 1, t.divisor, t.variable < 0 ? "index" : name_of_variable(t.variable));
    }

    static constexpr std::int64_t larger(std::int64_t a, std::int64_t b) { return a < b ? b : a; }

    constexpr bool differs_by_lane(const affine& a) const
    {
        for (int i = a.first; i < a.first + a.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.variable >= 0 && t.coefficient != 0 && by_lane_[t.variable]) return true;
        }
        return false;
    }
    constexpr bool bounds_differ_by_lane(const range& bounds) const
    {
        for (int i = bounds.first; i < bounds.first + bounds.count; ++i)
            if (differs_by_lane(n_.bounds[i].value)) return true;
        return false;
    }

    constexpr void check_vector(int i)
    {
        const node& here = at(i);
        const std::int64_t extent = has_constant_bounds(n_, here) ? extent_of(n_, here) : 0;
        if (extent != n_.vector_length)
            fail(fault::vector_length_unsupported, n_.vector_length, extent, name_of_variable(here.variable));
        if (!holds_only_leaves(here.child))
            fail(fault::vector_level_not_innermost, 0, 0, name_of_variable(here.variable));
    }
    constexpr bool holds_only_leaves(int i) const
    {
        for (; i >= 0; i = at(i).next) {
            if (at(i).kind == node_kind::leaf) continue;
            if (at(i).kind != node_kind::guard || !holds_only_leaves(at(i).child)) return false;
        }
        return true;
    }

    constexpr void check_registers(int tile)
    {
        // A device's compiler has no such fixed file; its occupancy is what a cost model prices.
        if (target_.is_vulkan() || n_.set == isa::none) return;
        const int available = vector_registers(target_.set);
        const int live = live_registers(n_, tile);
        if (live > available) fail(fault::too_many_live_registers, available, live, "tile");
    }

    constexpr void check_leaf(const node& leaf)
    {
        const statement& s = n_.statements[leaf.statement];
        check_register_access(n_.accesses[s.target]);
        for_each_load(n_, s.value, [&](int load) { check_register_access(n_.accesses[load]); });
        check_tables(s.value);
    }

    // Tables are indexed by loops with constant bounds, so that intervals tell.
    constexpr void check_tables(int expr)
    {
        const expr_node& e = n_.exprs[expr];
        if (e.op == expr_op::table) {
            const table_access& a = n_.table_accesses[e.ref];
            const interval index = interval_of(n_, a.index, values_);
            const int stands = static_cast<int>(n_.table_values.size()) - a.values.first;
            const std::int64_t entries = a.values.count < stands ? a.values.count : stands;
            if (index.least < 0) fail(fault::index_out_of_bounds, entries, index.least, "table");
            if (index.most >= entries) fail(fault::index_out_of_bounds, entries, index.most, "table");
        }
        if (e.a >= 0) check_tables(e.a);
        if (e.b >= 0) check_tables(e.b);
        if (e.c >= 0) check_tables(e.c);
    }

    constexpr void check_register_access(const access& a)
    {
        const buffer& b = n_.buffers[a.buffer];
        if (b.memory != memory::registers) return;
        for (int i = a.index.first; i < a.index.first + a.index.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.coefficient == 0) continue;
            const bool is_literal = t.parameter < 0 && (t.variable < 0 || is_written_out(t.variable));
            if (!is_literal) {
                fail(fault::register_index_not_constant, 0, i - a.index.first, b.name);
                return;
            }
        }
        const interval index = interval_of(n_, a.index, values_);
        const std::int64_t elements = interval_of(n_, b.elements, values_).least;
        if (index.least < 0) fail(fault::index_out_of_bounds, elements, index.least, b.name);
        if (index.most >= elements) fail(fault::index_out_of_bounds, elements, index.most, b.name);
    }

    constexpr bool is_written_out(int v) const
    {
        if (loop_of_[v] < 0) return false;
        const node& loop = at(loop_of_[v]);
        if (!has_constant_bounds(n_, loop)) return false;
        return loop.bind == binding::unroll || loop.bind == binding::vectorize || values_[v].constant();
    }

    constexpr void check_device(std::int64_t iterations)
    {
        const vulkan_limits& most = target_.limits;
        std::int64_t shared = 0;
        std::int64_t bound = 0;
        const char* biggest = "";
        std::int64_t biggest_bytes = -1;
        for (const buffer& b : n_.buffers) {
            if (b.memory == memory::argument || b.memory == memory::workspace) ++bound;
            if (b.type == dtype::f16 && !most.storage_16bit)
                fail(fault::vulkan_feature_missing, 1, 0, "storageBuffer16BitAccess");
            if (b.memory != memory::workgroup) continue;
            // Whole vectors, as a shared array that is read by vectors is an array of vectors.
            const std::int64_t bytes = ceil_div(interval_of(n_, b.elements, values_).most, 4) * 4 *
                                       static_cast<std::int64_t>(bytes_of(b.type));
            shared += bytes;
            if (bytes > biggest_bytes) {
                biggest_bytes = bytes;
                biggest = b.name;
            }
        }
        if (shared > most.max_shared_bytes) fail(fault::shared_memory_exceeded, most.max_shared_bytes, shared, biggest);
        const std::int64_t lanes = most.max_workgroup_size_x < most.max_workgroup_invocations
                                       ? most.max_workgroup_size_x
                                       : most.max_workgroup_invocations;
        if (n_.lanes > lanes) fail(fault::workgroup_too_large, lanes, n_.lanes, "workgroup");
        if (groups_ > most.max_workgroup_count_x)
            fail(fault::too_many_workgroups, most.max_workgroup_count_x, groups_, "grid");
        if (bound > most.max_storage_buffers) fail(fault::too_many_buffers, most.max_storage_buffers, bound, "buffers");
        if (most.max_loop_iterations != 0 && iterations > most.max_loop_iterations)
            fail(fault::too_many_loop_iterations, most.max_loop_iterations, iterations, "loops");
    }

    static constexpr std::size_t variables = decltype(Nest::variables)::capacity + 1; // a nest may have none

    const Nest& n_;
    const target& target_;
    interval values_[variables]{};
    std::int16_t loop_of_[variables]{}; // the open loop of a variable
    bool by_lane_[variables]{};         // its value differs between the lanes of a workgroup
    std::int64_t groups_ = 1;
    int tile_bodies_ = 0;
    status found_{};
};

// The first rule that the nest breaks for the target, in the order of its tree; limits of the device come last.
//   vector_length_unsupported    the target has no such vector, or a vector loop has another extent
//   blocked_axis_not_affine      a term of an index is divided that is no lane of a CPU's vector
//   vector_level_not_innermost   a vector loop holds more than leaves and guards
//   register_index_not_constant, index_out_of_bounds     accesses to registers and tables
//   too_many_live_registers      see live_registers; CPU only
//   too_many_tile_bodies         more than max_tile_bodies tiles that accumulate
//   reduction_parallel           a reduction variable is spread over threads, workgroups or lanes
//   barrier_in_divergent_flow    under a guard or loop that differs between lanes, or where lanes are idle
//   shared_memory_exceeded, workgroup_too_large, too_many_workgroups, too_many_buffers, too_many_loop_iterations,
//   vulkan_feature_missing
template <class Nest>
constexpr status check(const Nest& n, const target& t)
{
    return checker<Nest>{n, t}.run();
}

} // namespace hone::ir
