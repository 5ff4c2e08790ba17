// SPDX-License-Identifier: BSL-1.0
// The slow, obvious meaning of a nest: runs it statement by statement on plain memory and names the first broken
// rule. It comes from nest.hpp's comments alone, so that every code generator can be tested against it.
//
// Order: serial, unrolled and vector loops run in order, iterations of a parallel loop and workgroups one after
// another. The lanes of a workgroup walk together whatever contains a barrier, and one by one whatever does not.
// That is one legal order; races with the others are found from who touched which element (struct trace).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include <hone/core/fault.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// First value of a loop, and one past its last, for values of the outer variables.
template <class Nest>
constexpr std::int64_t lower_of(const Nest& n, const node& loop, const std::int64_t* variables,
                                const std::int64_t* parameters)
{
    std::int64_t r = 0;
    for (int i = 0; i < loop.lower.count; ++i) {
        const bound& b = n.bounds[loop.lower.first + i];
        const std::int64_t v = floor_div(value_of(n, b.value, variables, parameters), b.divisor);
        if (i == 0 || v > r) r = v;
    }
    return r;
}
template <class Nest>
constexpr std::int64_t upper_of(const Nest& n, const node& loop, const std::int64_t* variables,
                                const std::int64_t* parameters)
{
    std::int64_t r = 0;
    for (int i = 0; i < loop.upper.count; ++i) {
        const bound& b = n.bounds[loop.upper.first + i];
        const std::int64_t v = floor_div(value_of(n, b.value, variables, parameters), b.divisor);
        if (i == 0 || v < r) r = v;
    }
    return r;
}

// Memory given for a buffer whose memory is memory::argument: its values as floats, which are read and written as the
// buffer's type holds them. Inputs are only read.
struct argument {
    float* data = nullptr;
    std::int64_t elements = 0;
};

template <class Nest>
class interpreter {
public:
    interpreter(const Nest& n, std::span<const argument> arguments, std::span<const std::int64_t> parameters)
        : n_{n}, arguments_{arguments}, parameters_{parameters}, lanes_{static_cast<std::size_t>(n.lanes)}
    {
    }

    status run()
    {
        if (!n_.found.ok()) return n_.found;
        if (n_.overflowed()) return {.what = fault::capacity};
        if (!prepare()) return found_;
        const std::int64_t groups = workgroups();
        for (group_ = 0; group_ < groups; ++group_) {
            task_ = ++clock_;
            lane_epoch_ += lanes_;
            for (std::size_t b = 0; b < n_.buffers.size(); ++b)
                if (n_.buffers[b].memory == memory::workgroup) forget(blocks_[b], 0);
            if (!run_siblings(n_.root, lane_ids_)) return found_;
        }
        return found_;
    }

private:
    using lane_set = std::span<const int>;

    enum class use : std::uint8_t { read, write };

    // Who touched an element. Names of toucher are numbers that only rise, so "in the same period" (one parallel
    // region, or one stretch between barriers) is "not before the first name of the period".
    struct trace {
        std::uint64_t write = 0;
        std::uint64_t first_read = 0;
        std::uint64_t last_read = 0;

        // Notes a touch by `who`; whether another one in the period that began with name `since` conflicts with it.
        // Two readers suffice to remember: of more, at least one of the first and the last is not `who`.
        bool conflicts(use how, std::uint64_t who, std::uint64_t since)
        {
            const auto is_other = [&](std::uint64_t name) { return name >= since && name != who; };
            if (is_other(write)) return true;
            if (how == use::write) {
                if (is_other(first_read) || is_other(last_read)) return true;
                write = who;
            } else {
                if (first_read < since) first_read = who;
                last_read = who;
            }
            return false;
        }
    };

    // The memory of one buffer. Registers have one copy per lane.
    struct block {
        float* data = nullptr;
        std::int64_t elements = 0;         // of one copy
        std::vector<float> own;            // the elements, unless an argument
        std::vector<std::uint64_t> stored; // time of the last store; an element is undefined where it is before `since`
        std::vector<std::uint64_t> since;  // per copy; empty for arguments, which are always defined
        std::vector<trace> tasks;          // iterations of a parallel loop, or workgroups
        std::vector<trace> lanes;
    };

    bool fail(fault what, std::int64_t expected, std::int64_t found, const char* subject)
    {
        found_ = {.what = what, .expected = expected, .found = found, .subject = subject};
        return false;
    }

    std::int64_t* variables_of(int lane)
    {
        return variables_.data() + static_cast<std::size_t>(lane) * n_.variables.size();
    }
    std::int64_t value(const affine& a, int lane) { return value_of(n_, a, variables_of(lane), parameters_.data()); }
    bool holds(const range& conditions, int lane)
    {
        for (int i = conditions.first; i < conditions.first + conditions.count; ++i)
            if (value(n_.conditions[i], lane) < 0) return false;
        return true;
    }

    bool prepare()
    {
        for (std::size_t p = 0; p < n_.parameters.size(); ++p) {
            const hone::parameter& declared = n_.parameters[p];
            if (p >= parameters_.size()) return fail(fault::parameter_out_of_range, declared.least, 0, declared.name);
            const std::int64_t given = parameters_[p];
            if (given < declared.least)
                return fail(fault::parameter_out_of_range, declared.least, given, declared.name);
            if (given > declared.most) return fail(fault::parameter_out_of_range, declared.most, given, declared.name);
        }

        lane_ids_.resize(lanes_);
        std::iota(lane_ids_.begin(), lane_ids_.end(), 0);
        variables_.assign(lanes_ * n_.variables.size(), 0);
        open_tiles_.assign(lanes_, 0);
        meets_.resize(n_.nodes.size());
        for (std::size_t i = 0; i < n_.nodes.size(); ++i)
            meets_[i] = n_.nodes[i].kind == node_kind::barrier || contains(n_, static_cast<int>(i), node_kind::barrier);

        blocks_.resize(n_.buffers.size());
        for (std::size_t b = 0; b < n_.buffers.size(); ++b) {
            const buffer& declared = n_.buffers[b];
            block& m = blocks_[b];
            const std::int64_t size = value_of(n_, declared.elements, variables_.data(), parameters_.data());
            m.elements = size < 0 ? 0 : size;
            if (declared.memory == memory::argument) {
                const auto position = static_cast<std::size_t>(declared.position);
                if (position >= arguments_.size())
                    return fail(fault::shape_mismatch, declared.position + 1,
                                static_cast<std::int64_t>(arguments_.size()), declared.name);
                m.data = arguments_[position].data;
                if (arguments_[position].elements < m.elements) m.elements = arguments_[position].elements;
            } else {
                const std::size_t copies = declared.memory == memory::registers ? lanes_ : 1;
                // The poison is for the eye only: reads of undefined elements are faults.
                m.own.assign(static_cast<std::size_t>(m.elements) * copies, std::numeric_limits<float>::quiet_NaN());
                m.stored.assign(m.own.size(), 0);
                m.since.assign(copies, 1);
                m.data = m.own.data();
            }
            const auto elements = static_cast<std::size_t>(m.elements);
            const bool seen_by_tasks = declared.memory == memory::argument || declared.memory == memory::workspace;
            if (seen_by_tasks) m.tasks.resize(elements);
            if (lanes_ > 1 && (seen_by_tasks || declared.memory == memory::workgroup)) m.lanes.resize(elements);
        }
        return true;
    }

    // Workgroups are counted from the grid loops, whose bounds depend on parameters only.
    std::int64_t workgroups() const
    {
        const std::vector<std::int64_t> none(n_.variables.size(), 0);
        std::int64_t groups = 1;
        for (const node& l : n_.nodes) {
            if (l.kind != node_kind::loop || l.bind != binding::grid) continue;
            const std::int64_t extent =
                upper_of(n_, l, none.data(), parameters_.data()) - lower_of(n_, l, none.data(), parameters_.data());
            if (extent * l.radix_stride > groups) groups = extent * l.radix_stride;
        }
        return groups;
    }

    void forget(block& m, int copy) { m.since[copy] = ++clock_; }

    bool run_siblings(int at, lane_set active)
    {
        for (; at >= 0; at = n_.nodes[at].next)
            if (!run_node(at, active)) return false;
        return true;
    }

    bool run_node(int at, lane_set active)
    {
        if (!meets_[at] && active.size() > 1) {
            for (const int& lane : active)
                if (!run_node(at, lane_set{&lane, 1})) return false;
            return true;
        }
        const node& here = n_.nodes[at];
        switch (here.kind) {
        case node_kind::loop:
            if (here.bind == binding::grid || here.bind == binding::lane) return run_bound(here, active);
            return run_loop(here, active);
        case node_kind::guard: return run_guard(here, active);
        case node_kind::tile: return run_tile(here, active);
        case node_kind::leaf: return run_leaf(here, active.front());
        case node_kind::barrier:
            if (active.size() != lanes_)
                return fail(fault::barrier_in_divergent_flow, n_.lanes, static_cast<std::int64_t>(active.size()),
                            "barrier");
            lane_epoch_ += lanes_;
            return true;
        }
        return true;
    }

    // grid and lane: the variable is a digit of the flattened index; indices past the extent are idle.
    bool run_bound(const node& l, lane_set active)
    {
        std::vector<int> busy;
        busy.reserve(active.size());
        for (int lane : active) {
            const std::int64_t low = lower_of(n_, l, variables_of(lane), parameters_.data());
            const std::int64_t extent = upper_of(n_, l, variables_of(lane), parameters_.data()) - low;
            if (extent <= 0) continue;
            std::int64_t digit = (l.bind == binding::grid ? group_ : lane) / l.radix_stride;
            if (!l.outermost) digit %= largest_extent(l, lane);
            if (digit >= extent) continue;
            variables_of(lane)[l.variable] = low + digit;
            busy.push_back(lane);
        }
        return busy.empty() || run_siblings(l.child, busy);
    }

    // For any parameters within their bounds.
    std::int64_t largest_extent(const node& l, int lane)
    {
        std::vector<interval> here(n_.variables.size());
        for (std::size_t v = 0; v < here.size(); ++v) here[v] = {variables_of(lane)[v], variables_of(lane)[v]};
        const interval i = interval_of(n_, l, here.data());
        return i.most - i.least + 1;
    }

    bool run_loop(const node& l, lane_set active)
    {
        const int first = active.front();
        const std::int64_t low = lower_of(n_, l, variables_of(first), parameters_.data());
        const std::int64_t high = upper_of(n_, l, variables_of(first), parameters_.data());
        for (int lane : active)
            if (lower_of(n_, l, variables_of(lane), parameters_.data()) != low ||
                upper_of(n_, l, variables_of(lane), parameters_.data()) != high)
                return fail(fault::barrier_in_divergent_flow, n_.lanes, 1, n_.variables[l.variable].name);

        // Parallel loops nested without anything between are one region of tasks; a parallel loop inside a task is
        // that task's own affair and runs in order.
        const bool is_task_loop = l.bind == binding::parallel && !in_task_;
        const bool opens_region = is_task_loop && !in_region_;
        if (opens_region) {
            in_region_ = true;
            region_ = clock_ + 1;
        }
        const bool is_innermost = is_task_loop && !is_only_child_parallel(l);
        for (std::int64_t i = low; i < high; ++i) {
            for (int lane : active) variables_of(lane)[l.variable] = i;
            if (is_innermost) begin_task();
            if (!run_siblings(l.child, active)) return false;
            if (is_innermost) in_task_ = false;
        }
        if (opens_region) {
            in_region_ = false;
            region_ = task_ = ++clock_;
        }
        return true;
    }

    bool is_only_child_parallel(const node& l) const
    {
        if (l.child < 0) return false;
        const node& child = n_.nodes[l.child];
        return child.next < 0 && child.kind == node_kind::loop && child.bind == binding::parallel;
    }

    void begin_task()
    {
        in_task_ = true;
        task_ = ++clock_;
        for (std::size_t b = 0; b < n_.buffers.size(); ++b)
            if (n_.buffers[b].memory == memory::slot) forget(blocks_[b], 0);
    }

    // Lanes for which the guard holds go on alone; a barrier below then misses the others.
    bool run_guard(const node& g, lane_set active)
    {
        std::vector<int> taken;
        taken.reserve(active.size());
        for (int lane : active)
            if (holds(g.conditions, lane)) taken.push_back(lane);
        return taken.empty() || run_siblings(g.child, taken);
    }

    bool run_tile(const node& t, lane_set active)
    {
        for (std::size_t b = 0; b < n_.buffers.size(); ++b)
            if (n_.buffers[b].memory == memory::registers)
                for (int lane : active) forget(blocks_[b], lane);
        for (int lane : active) ++open_tiles_[lane];
        if (!run_siblings(t.child, active)) return false;
        for (int lane : active) --open_tiles_[lane];
        return true;
    }

    bool run_leaf(const node& leaf, int lane)
    {
        const statement& s = n_.statements[leaf.statement];
        const access& target = n_.accesses[s.target];
        float result = 0;
        if (!evaluate(s.value, lane, result)) return false;
        if (!holds(target.conditions, lane)) return true;
        if (s.reduce != reduction::none) {
            float before = 0;
            if (!read(target, lane, before)) return false;
            result = value_of(s.reduce == reduction::add   ? expr_op::add
                              : s.reduce == reduction::max ? expr_op::max
                                                           : expr_op::min,
                              before, result);
        }
        float* at = nullptr;
        if (!touch(target, lane, use::write, at)) return false;
        *at = rounded_to(n_.buffers[target.buffer].type, result);
        return true;
    }

    bool read(const access& a, int lane, float& to)
    {
        to = a.outside;
        if (!holds(a.conditions, lane)) return true;
        float* at = nullptr;
        if (!touch(a, lane, use::read, at)) return false;
        to = rounded_to(n_.buffers[a.buffer].type, *at);
        return true;
    }

    // The element that an access names, with every rule about touching it.
    bool touch(const access& a, int lane, use how, float*& at)
    {
        const buffer& declared = n_.buffers[a.buffer];
        block& m = blocks_[a.buffer];
        const bool is_private = declared.memory == memory::registers;
        const int copy = is_private ? lane : 0;
        const std::int64_t index = value(a.index, lane);
        // Outside a tile there are no registers.
        const std::int64_t elements = is_private && open_tiles_[copy] == 0 ? 0 : m.elements;
        if (index < 0 || index >= elements) return fail(fault::index_out_of_bounds, elements, index, declared.name);

        const std::int64_t cell = copy * m.elements + index;
        if (!m.since.empty()) {
            if (how == use::write)
                m.stored[cell] = clock_;
            else if (m.stored[cell] < m.since[copy])
                return fail(fault::uninitialized_read, 0, index, declared.name);
        }
        if (!m.lanes.empty() &&
            m.lanes[index].conflicts(how, lane_epoch_ + static_cast<std::uint64_t>(lane), lane_epoch_))
            return fail(fault::barrier_missing, 0, index, declared.name);
        if (!m.tasks.empty() && m.tasks[index].conflicts(how, task_, region_))
            return fail(fault::parallel_race, 0, index, declared.name);
        at = m.data + cell;
        return true;
    }

    bool evaluate(int root, int lane, float& to)
    {
        const expr_node& e = n_.exprs[root];
        switch (e.op) {
        case expr_op::constant: to = e.value; return true;
        case expr_op::load: return read(n_.accesses[e.ref], lane, to);
        case expr_op::table: {
            const table_access& t = n_.table_accesses[e.ref];
            const std::int64_t index = value(t.index, lane);
            if (index < 0 || index >= t.values.count)
                return fail(fault::index_out_of_bounds, t.values.count, index, "table");
            to = n_.table_values[t.values.first + index];
            return true;
        }
        case expr_op::position: to = static_cast<float>(value(n_.table_accesses[e.ref].index, lane)); return true;
        case expr_op::accumulator: return fail(fault::uninitialized_read, 0, 0, "accumulator"); // lowering's to replace
        default: break;
        }
        float a = 0;
        float b = 0;
        float c = 0;
        if (e.a >= 0 && !evaluate(e.a, lane, a)) return false;
        if (e.b >= 0 && !evaluate(e.b, lane, b)) return false;
        if (e.c >= 0 && !evaluate(e.c, lane, c)) return false;
        to = value_of(e.op, a, b, c);
        return true;
    }

    const Nest& n_;
    std::span<const argument> arguments_;
    std::span<const std::int64_t> parameters_;
    std::size_t lanes_;
    std::vector<int> lane_ids_;
    std::vector<std::int64_t> variables_; // (lane, variable)
    std::vector<int> open_tiles_;         // per lane
    std::vector<char> meets_;             // per node: a barrier is here or below
    std::vector<block> blocks_;
    status found_{};
    std::int64_t group_ = 0;
    std::uint64_t clock_ = 1;
    std::uint64_t task_ = 1;   // name of the running task
    std::uint64_t region_ = 1; // first name of the running region
    std::uint64_t lane_epoch_ = 1;
    bool in_region_ = false;
    bool in_task_ = false;
};

// Runs the nest on the arguments, indexed by buffer::position, and the values of its parameters. The first fault of
// the nest, of the call, or of an access; the buffer is its subject and the element its `found`:
// index_out_of_bounds, uninitialized_read, barrier_missing, parallel_race, barrier_in_divergent_flow,
// parameter_out_of_range, shape_mismatch (an argument is not given). After a fault the outputs are unspecified.
// An output may be read before it is written: it then holds what the caller left there.
// Arithmetic is float; a multiplication and an addition may be fused.
template <class Nest>
status interpret(const Nest& n, std::span<const argument> arguments, std::span<const std::int64_t> parameters = {})
{
    return interpreter<Nest>{n, arguments, parameters}.run();
}

} // namespace hone::ir
