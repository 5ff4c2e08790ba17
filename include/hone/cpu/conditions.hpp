// SPDX-License-Identifier: BSL-1.0
// Conditions that are known at run time only: what is literal in them, what loops outside a band decide, and the lane.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/sequence.hpp>
#include <hone/cpu/band.hpp>
#include <hone/cpu/environment.hpp>
#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

// For conditions outside of bands: nothing is a literal.
struct no_band {
    static constexpr instance at(int) { return {}; }
};

// How an affine value divides at an instance of a band.
struct affine_parts {
    std::int64_t literal = 0;
    std::int64_t lane = 0;   // coefficient of the vector variable
    std::uint32_t terms = 0; // the others, by position
};
template <class K>
consteval affine_parts parts_of(const instance& i, const affine& c)
{
    affine_parts p{.literal = c.constant};
    for (int k = 0; k < c.count; ++k) {
        const affine_term& t = K::nest.terms[c.first + k];
        if (t.variable >= 0 && t.parameter < 0 && t.variable == i.vector_variable)
            p.lane += t.coefficient;
        else if (t.variable >= 0 && i.is_open(t.variable))
            p.literal += t.parameter < 0 ? t.coefficient * i.value_of(t.variable) : 0; // see parameter_offset
        else
            p.terms |= std::uint32_t{1} << k;
    }
    return p;
}

// Of the Count terms from Term on, those of a band's variables that only the call's parameters are known of.
template <class K, class B, int I, int Term, int Count>
HONE_INLINE std::int64_t parameter_offset(const environment<K>& e)
{
    if constexpr (Count == 0 || K::nest.parameters.size() == 0) {
        return 0;
    } else {
        constexpr affine_term t = K::nest.terms[Term];
        const std::int64_t rest = parameter_offset<K, B, I, Term + 1, Count - 1>(e);
        if constexpr (t.parameter >= 0 && t.variable >= 0 && B::at(I).is_open(t.variable))
            return rest + t.coefficient * B::at(I).value_of(t.variable) * e.parameters[t.parameter];
        else
            return rest;
    }
}

// The part that loops outside the band and the call decide: those of the Count terms from First on that are in the bit
// set Terms. Instances of a band share it.
template <class K, int First, int Count, std::uint32_t Terms>
HONE_INLINE std::int64_t environment_value(const environment<K>& e)
{
    return [&]<int... T>(sequence<T...>) HONE_INLINE_LAMBDA {
        return ((Terms >> T & 1 ? terms_value<K, First + T, 1>(e) : 0) + ... + 0);
    }(make_sequence<Count>{});
}

// The value of a condition at an instance: what is literal, what the environment holds, and the lane.
template <class K, class B, int I, int C>
HONE_INLINE std::int64_t condition_value(const environment<K>& e, int lane)
{
    constexpr affine c = K::nest.conditions[C];
    constexpr affine_parts parts = parts_of<K>(B::at(I), c);
    return environment_value<K, c.first, c.count, parts.terms>(e) + parameter_offset<K, B, I, c.first, c.count>(e) +
           (parts.literal + parts.lane * lane);
}
// Where an instance stands, for ex::position: of lanes the first one's, and how far each is from the one before.
template <class K, class B, int I, int T>
struct position_at {
    static constexpr affine index = K::nest.table_accesses[T].index;
    static constexpr affine_parts parts = parts_of<K>(B::at(I), index);
    // How far each lane stands from the first.
    struct distances {
        std::int64_t of[K::nest.vector_length]{};
        bool is_one = true;
    };
    static constexpr distances lanes = [] {
        distances d;
        for (int k = index.first; k < index.first + index.count; ++k) {
            const affine_term& t = K::nest.terms[k];
            if (t.variable < 0 || t.variable != B::at(I).vector_variable) continue;
            for (int l = 0; l < K::nest.vector_length; ++l) d.of[l] += t.coefficient * (l / t.divisor);
        }
        for (const std::int64_t l : d.of) d.is_one = d.is_one && l == 0;
        return d;
    }();

    HONE_INLINE static std::int64_t first(const environment<K>& e)
    {
        return environment_value<K, index.first, index.count, parts.terms>(e) +
               parameter_offset<K, B, I, index.first, index.count>(e) + parts.literal;
    }
    HONE_INLINE static scalar_of<K> of_lane(const environment<K>& e, int lane)
    {
        return static_cast<scalar_of<K>>(first(e) + lanes.of[lane]);
    }
    // One number where all lanes stand alike.
    HONE_INLINE static auto of_lanes(const environment<K>& e)
    {
        if constexpr (lanes.is_one || K::nest.vector_length == 1)
            return static_cast<scalar_of<K>>(first(e));
        else
            return [at = static_cast<scalar_of<K>>(first(e))]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
                return simd_of<K>::broadcast(at) + vector_of<K>{static_cast<scalar_of<K>>(lanes.of[L])...};
            }(make_sequence<K::nest.vector_length>{});
    }
};
template <class K, class B, int I, int First, int Count>
HONE_INLINE bool holds(const environment<K>& e, int lane)
{
    return [&]<int... C>(sequence<C...>) HONE_INLINE_LAMBDA {
        return ((condition_value<K, B, I, First + C>(e, lane) >= 0) && ... && true);
    }(make_sequence<Count>{});
}
// All guards between the node that holds the band and the leaf.
template <class K, class B, int I, int Node, int Holder>
HONE_INLINE bool guards_hold(const environment<K>& e, int lane)
{
    constexpr const node& x = K::nest.nodes[Node];
    bool r = true;
    if constexpr (x.kind == node_kind::guard) r = holds<K, B, I, x.conditions.first, x.conditions.count>(e, lane);
    if constexpr (x.parent != Holder) r = guards_hold<K, B, I, x.parent, Holder>(e, lane) && r;
    return r;
}

// Whether the same guards hold in the first lanes only, as many as a parameter of the call leaves: that an axis ends
// there. Guards that no parameter is in differ in no way that lanes count for.
template <class K, class B, int I, int Node, int Holder>
consteval bool guards_hold_first()
{
    bool is_open = false, is_first = true;
    for (int at = Node; at != Holder; at = K::nest.nodes[at].parent) {
        const range& conditions = K::nest.nodes[at].conditions;
        if (K::nest.nodes[at].kind != node_kind::guard) continue;
        for (int c = conditions.first; c < conditions.first + conditions.count; ++c) {
            const affine& condition = K::nest.conditions[c];
            const std::int64_t lane = parts_of<K>(B::at(I), condition).lane;
            is_first = is_first && lane <= 0;
            for (int t = condition.first; lane < 0 && t < condition.first + condition.count; ++t)
                is_open = is_open || K::nest.terms[t].parameter >= 0;
        }
    }
    return is_open && is_first;
}
// How many lanes these are.
HONE_INLINE constexpr std::int64_t fewer(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
template <class K, class B, int I, int C>
HONE_INLINE std::int64_t first_lanes_of(const environment<K>& e)
{
    constexpr std::int64_t lane = -parts_of<K>(B::at(I), K::nest.conditions[C]).lane;
    const std::int64_t value = condition_value<K, B, I, C>(e, 0);
    if constexpr (lane == 0)
        return value >= 0 ? B::at(I).lanes : 0;
    else
        return value >= 0 ? value / lane + 1 : 0;
}
template <class K, class B, int I, int First, int Count>
HONE_INLINE std::int64_t first_lanes_of_each(const environment<K>& e)
{
    if constexpr (Count == 0)
        return B::at(I).lanes;
    else
        return fewer(first_lanes_of<K, B, I, First>(e), first_lanes_of_each<K, B, I, First + 1, Count - 1>(e));
}
template <class K, class B, int I, int Node, int Holder>
HONE_INLINE std::int64_t first_lanes(const environment<K>& e)
{
    constexpr const node& x = K::nest.nodes[Node];
    std::int64_t count = B::at(I).lanes;
    if constexpr (x.kind == node_kind::guard)
        count = first_lanes_of_each<K, B, I, x.conditions.first, x.conditions.count>(e);
    if constexpr (x.parent != Holder) count = fewer(count, first_lanes<K, B, I, x.parent, Holder>(e));
    return count;
}

} // namespace hone::codegen::cpu
