// SPDX-License-Identifier: BSL-1.0
// The steps of a band, written out: runs of one form as a fold with literal offsets, and what decides something at run
// time one by one.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/sequence.hpp>
#include <hone/cpu/band.hpp>
#include <hone/cpu/conditions.hpp>
#include <hone/cpu/environment.hpp>
#include <hone/cpu/form.hpp>
#include <hone/cpu/simd.hpp>
#include <hone/cpu/transpose.hpp>
#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

HONE_IEEE_BEGIN

// A vector of what is read outside of a tensor; of its bits, since floats are no template arguments everywhere.
template <class K, class Element, std::uint32_t Bits>
struct padding_vector {
    struct lanes {
        alignas(64) Element of[K::nest.vector_length];
    };
    static constexpr lanes values = [] {
        lanes v{};
        for (Element& e : v.of) e = static_cast<Element>(__builtin_bit_cast(float, Bits));
        return v;
    }();
};

template <class K, class B, int I, int Position>
HONE_INLINE auto place(const environment<K>& e, vector_of<K>* r)
{
    constexpr int a = access_list_of(K::nest, B::step_at(I).statement).of[Position];
    constexpr const access& x = K::nest.accesses[a];
    if constexpr (K::nest.buffers[x.buffer].memory == memory::registers) {
        return r + B::offset(I, Position);
    } else {
        using element = element_at<K, a>;
        element* p =
            pointer_of<K, a>(e) + (B::offset(I, Position) + parameter_offset<K, B, I, x.index.first, x.index.count>(e));
        // The pointer is chosen, not the value: no branch, and nothing outside the tensor is read.
        if constexpr (x.conditions.count > 0)
            p = holds<K, B, I, x.conditions.first, x.conditions.count>(e, 0)
                    ? p
                    : const_cast<element*>(
                          padding_vector<K, element, __builtin_bit_cast(std::uint32_t, x.outside)>::values.of);
        return p;
    }
}

// Whether the conditions of a load differ from lane to lane, or its lanes are too far apart for the vector of padding.
template <class K, class B, int I>
consteval bool loads_by_lane()
{
    const access_list l = access_list_of(K::nest, B::step_at(I).statement);
    for (int position = 1; position < l.count; ++position) {
        const access& a = K::nest.accesses[l.of[position]];
        if (a.conditions.count == 0 || B::at(I).vector_variable < 0) continue;
        const std::int64_t sharing = facts<K>::sharing_lanes(l.of[position], B::at(I).vector_variable);
        const std::int64_t distance = facts<K>::coefficient(l.of[position], B::at(I).vector_variable);
        if (distance > sharing) return true;
        for (int c = a.conditions.first; c < a.conditions.first + a.conditions.count; ++c)
            for (int k = K::nest.conditions[c].first; k < K::nest.conditions[c].first + K::nest.conditions[c].count;
                 ++k)
                if (K::nest.terms[k].variable == B::at(I).vector_variable) return true;
    }
    return false;
}

template <class K, class B, int I, int X>
HONE_INLINE scalar_of<K> lane_expr(const environment<K>& e, const vector_of<K>* r, int lane)
{
    constexpr expr_node x = K::nest.exprs[X];
    if constexpr (x.op == expr_op::load) {
        constexpr const access& a = K::nest.accesses[x.ref];
        constexpr int position = access_list_of(K::nest, B::step_at(I).statement).position(x.ref);
        constexpr int v = B::at(I).vector_variable;
        if constexpr (K::nest.buffers[a.buffer].memory == memory::registers) {
            return r[B::offset(I, position)][lane];
        } else {
            const auto* p = pointer_of<K, x.ref>(e) +
                            (B::offset(I, position) + parameter_offset<K, B, I, a.index.first, a.index.count>(e));
            const bool inside = holds<K, B, I, a.conditions.first, a.conditions.count>(e, lane);
            return inside ? static_cast<scalar_of<K>>(
                                p[lane / facts<K>::sharing_lanes(x.ref, v) * facts<K>::coefficient(x.ref, v)])
                          : static_cast<scalar_of<K>>(a.outside);
        }
    } else if constexpr (x.op == expr_op::constant) {
        return static_cast<scalar_of<K>>(x.value);
    } else if constexpr (x.op == expr_op::table) {
        return static_cast<scalar_of<K>>(B::coefficient(I));
    } else if constexpr (x.op == expr_op::position) {
        return position_at<K, B, I, x.ref>::of_lane(e, lane);
    } else if constexpr (arity(x.op) == 1) {
        return apply<one_lane_of<K>, x.op>(lane_expr<K, B, I, x.a>(e, r, lane));
    } else if constexpr (arity(x.op) == 2) {
        return apply<one_lane_of<K>, x.op>(lane_expr<K, B, I, x.a>(e, r, lane), lane_expr<K, B, I, x.b>(e, r, lane));
    } else {
        return apply<one_lane_of<K>, x.op>(lane_expr<K, B, I, x.a>(e, r, lane), lane_expr<K, B, I, x.b>(e, r, lane),
                                           lane_expr<K, B, I, x.c>(e, r, lane));
    }
}
template <class K, class B, int I>
HONE_INLINE scalar_of<K> lane_value(const environment<K>& e, const vector_of<K>* r, int lane, scalar_of<K> old)
{
    constexpr const statement& s = K::nest.statements[B::step_at(I).statement];
    const scalar_of<K> v = lane_expr<K, B, I, s.value>(e, r, lane);
    if constexpr (s.reduce == reduction::add)
        return old + v;
    else if constexpr (s.reduce == reduction::max)
        return apply<one_lane_of<K>, expr_op::max>(old, v);
    else if constexpr (s.reduce == reduction::min)
        return apply<one_lane_of<K>, expr_op::min>(old, v);
    else
        return v;
}

// Lanes whose guards or loads differ: each is computed alone. Rare, so it need not be fast.
template <class K, class B, int I, int Holder>
HONE_INLINE void execute_by_lane(const environment<K>& e, vector_of<K>* r)
{
    constexpr const statement& s = K::nest.statements[B::step_at(I).statement];
    if constexpr (K::nest.buffers[K::nest.accesses[s.target].buffer].memory == memory::registers) {
        vector_of<K> v{};
        if constexpr (s.reduce != reduction::none || B::at(I).tests) v = r[B::offset(I, 0)];
        for (int lane = B::at(I).first_lane; lane < B::at(I).lanes; ++lane)
            if (guards_hold<K, B, I, B::at(I).leaf, Holder>(e, lane))
                v[lane] = lane_value<K, B, I>(e, r, lane, v[lane]);
        r[B::offset(I, 0)] = v;
    } else {
        constexpr std::int64_t distance = facts<K>::coefficient(s.target, B::at(I).vector_variable);
        for (int lane = B::at(I).first_lane; lane < B::at(I).lanes; ++lane) {
            if (!guards_hold<K, B, I, B::at(I).leaf, Holder>(e, lane)) continue;
            float& target = place<K, B, I, 0>(e, r)[lane * distance];
            target = static_cast<float>(lane_value<K, B, I>(e, r, lane, target));
        }
    }
}

// What a form is told of an instance that reads where it stands.
template <class K, class B, int I>
struct placed_instance {
    const environment<K>& e;

    HONE_INLINE operator float() const { return B::coefficient(I); }
    template <int T>
    HONE_INLINE auto position() const
    {
        return position_at<K, B, I, T>::of_lanes(e);
    }
};
// A place in memory as the first lanes there; registers, and what all lanes read, as they are.
template <class K, class B, int I, int Position>
HONE_INLINE auto place_of_some(const environment<K>& e, vector_of<K>* r, int count)
{
    constexpr int a = access_list_of(K::nest, B::step_at(I).statement).of[Position];
    const auto p = place<K, B, I, Position>(e, r);
    if constexpr (K::nest.buffers[K::nest.accesses[a].buffer].memory == memory::registers)
        return p;
    else
        return first_place<element_at<K, a>>{p, count};
}
// A vector of what a call has in part at the end of an axis, whole or its first lanes; others of registers are
// anything.
template <class K, class B, int I, int Holder>
HONE_INLINE void execute_first(const environment<K>& e, vector_of<K>* r)
{
    constexpr step s = B::step_at(I);
    const auto count = static_cast<int>(first_lanes<K, B, I, B::at(I).leaf, Holder>(e));
    [&]<int... P>(sequence<P...>) HONE_INLINE_LAMBDA {
        using own = form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh>;
        const placed_instance<K, B, I> here{e};
        if (count == s.lanes) {
            own::execute(here, place<K, B, I, P>(e, r)...);
        } else if (count > 0) {
            // Others keep what they have: the zeros that stand for them in the load may be larger.
            constexpr bool keeps = own::in_registers(own::s.target) && own::is_extreme;
            [[maybe_unused]] vector_of<K> old;
            if constexpr (keeps) old = r[B::offset(I, 0)];
            own::execute(here, place_of_some<K, B, I, P>(e, r, count)...);
            if constexpr (keeps) r[B::offset(I, 0)] = simd_of<K>::first_of(count, r[B::offset(I, 0)], old);
        }
    }(make_sequence<access_list_of(K::nest, s.statement).count>{});
}
template <class K, class B, int I, int Holder>
consteval bool executes_first()
{
    if constexpr (K::nest.vector_length > 1 && B::at(I).tests_lane && !loads_by_lane<K, B, I>()) {
        constexpr step s = B::step_at(I);
        using own = form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh>;
        return (!own::in_registers(own::s.target) || !own::counts_terms()) &&
               guards_hold_first<K, B, I, B::at(I).leaf, Holder>();
    } else {
        return false;
    }
}
template <class K, class B, int I, int Holder>
HONE_INLINE void execute_instance(const environment<K>& e, vector_of<K>* r)
{
    constexpr step s = B::step_at(I);
    if constexpr (executes_first<K, B, I, Holder>()) {
        execute_first<K, B, I, Holder>(e, r);
    } else if constexpr (B::at(I).tests_lane || (K::nest.vector_length > 1 && loads_by_lane<K, B, I>())) {
        execute_by_lane<K, B, I, Holder>(e, r);
    } else {
        if constexpr (B::at(I).tests)
            if (!guards_hold<K, B, I, B::at(I).leaf, Holder>(e, B::at(I).first_lane)) return; // as in all behind it
        [&]<int... P>(sequence<P...>) HONE_INLINE_LAMBDA {
            using own = form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh, s.first_lane>;
            if constexpr (reads_position(K::nest, s.statement))
                own::execute(placed_instance<K, B, I>{e}, place<K, B, I, P>(e, r)...);
            else
                own::execute(s.coefficient, place<K, B, I, P>(e, r)...);
        }(make_sequence<access_list_of(K::nest, s.statement).count>{});
    }
}

template <class K, class B, int I, int... P>
HONE_INLINE void execute_plain_step(const environment<K>& e, vector_of<K>* r, sequence<P...>)
{
    constexpr step s = B::step_at(I);
    using f = form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh, s.first_lane>;
    f::execute(s.coefficient, (base<K, f::accesses.of[P]>(e, r) + B::offset(I, P))...);
}
// Plain steps with many operands, as some epilogues have them.
template <class K, class B, int First, int... I>
HONE_INLINE void execute_plain(sequence<I...>, const environment<K>& e, vector_of<K>* r)
{
    (execute_plain_step<K, B, First + I>(e, r,
                                         make_sequence<access_list_of(K::nest, B::step_at(First).statement).count>{}),
     ...);
}

// A run of one form, written out: the bases of its accesses and what is literal in each step. Neither a lambda nor an
// index stands between a step and its place, for compilers would take each of them away again, step by step.
template <class F, class B, int First, int... I, class P0>
HONE_PIECE void write_out(sequence<I...>, P0 p0)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0)), ...);
}
template <class F, class B, int First, int... I, class P0, class P1>
HONE_PIECE void write_out(sequence<I...>, P0 p0, P1 p1)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0), p1 + B::offset(First + I, 1)), ...);
}
template <class F, class B, int First, int... I, class P0, class P1, class P2>
HONE_PIECE void write_out(sequence<I...>, P0 p0, P1 p1, P2 p2)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0), p1 + B::offset(First + I, 1),
                p2 + B::offset(First + I, 2)),
     ...);
}
template <class F, class B, int First, int... I, class P0, class P1, class P2, class P3>
HONE_PIECE void write_out(sequence<I...>, P0 p0, P1 p1, P2 p2, P3 p3)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0), p1 + B::offset(First + I, 1),
                p2 + B::offset(First + I, 2), p3 + B::offset(First + I, 3)),
     ...);
}

// The same for products of which one factor may be a lane.
template <class F, class B, int First, int... I, class P0, class P1, class P2>
HONE_PIECE void write_out_by_lane(sequence<I...>, P0 p0, P1 p1, P2 p2)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0), B::template place_from<First + I, 1>(p1),
                B::template place_from<First + I, 2>(p2)),
     ...);
}

template <class K, class B, int R, int Holder>
HONE_PIECE void execute_run(const environment<K>& e, vector_of<K>* r)
{
    constexpr int first = B::tables.runs[R].first;
    constexpr step s = B::step_at(first);
    if constexpr (!s.plain) {
        execute_instance<K, B, first, Holder>(e, r);
    } else {
        using f = form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh, s.first_lane>;
        constexpr access_list l = f::accesses;
        using steps = make_sequence<B::tables.runs[R].count>;
        if constexpr (l.count == 1)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r));
        else if constexpr (turns<K, f, B, first, B::tables.runs[R].count>())
            write_turned<K, f, B, s.lanes, first, B::tables.runs[R].count>(base<K, l.of[0]>(e, r),
                                                                           base<K, l.of[1]>(e, r));
        else if constexpr (l.count == 2)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r), base<K, l.of[1]>(e, r));
        else if constexpr (l.count == 3 && (row_of(K::set).broadcast == broadcast::from_lane || s.lane_steps > 0))
            write_out_by_lane<f, B, first>(steps{}, base<K, l.of[0]>(e, r), base<K, l.of[1]>(e, r),
                                           base<K, l.of[2]>(e, r));
        else if constexpr (l.count == 3)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r), base<K, l.of[1]>(e, r), base<K, l.of[2]>(e, r));
        else if constexpr (l.count == 4)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r), base<K, l.of[1]>(e, r), base<K, l.of[2]>(e, r),
                                   base<K, l.of[3]>(e, r));
        else
            execute_plain<K, B, first>(steps{}, e, r);
    }
}

template <class K, class B, int First, int Holder, int... R>
HONE_PIECE void execute_runs(sequence<R...>, const environment<K>& e, vector_of<K>* r)
{
    (execute_run<K, B, First + R, Holder>(e, r), ...);
}
template <class K, class B, int First, int Count, int Holder>
HONE_PIECE void execute_band(const environment<K>& e, vector_of<K>* r)
{
    if constexpr (Count == 1) {
        execute_run<K, B, First, Holder>(e, r);
    } else if constexpr (Count > max_fold) {
        execute_band<K, B, First, max_fold, Holder>(e, r);
        execute_band<K, B, First + max_fold, Count - max_fold, Holder>(e, r);
    } else if constexpr (Count > 0) {
        execute_runs<K, B, First, Holder>(make_sequence<Count>{}, e, r);
    }
}

HONE_IEEE_END

} // namespace hone::codegen::cpu
