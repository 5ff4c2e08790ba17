// SPDX-License-Identifier: BSL-1.0
// What a leaf does, as vector code: loads, the expression, and the store or reduction of its value. The many leaves of
// a band that do the same at other places share one instantiation.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/sequence.hpp>
#include <hone/core/traits.hpp>
#include <hone/cpu/band.hpp>
#include <hone/cpu/environment.hpp>
#include <hone/cpu/simd.hpp>
#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

HONE_IEEE_BEGIN

// The first lanes of a vector in memory, or of a register, as many as are known at run time.
template <class Element>
struct first_place {
    Element* vector;
    int count;
};

// The leaves of one form: statement S with the lanes [First, L) of vector variable V. What differs from
// instance to instance arrives as arguments, one an access: a pointer to memory or to a register. So a form is
// instantiated once, however long its band is.
template <class K, int S, int V, int L, factor F, bool Fresh, int First = 0>
struct form {
    using scalar = scalar_of<K>;
    using vector = vector_of<K>;
    static constexpr const statement& s = K::nest.statements[S];
    static constexpr access_list accesses = access_list_of(K::nest, S);
    static_assert(accesses.count <= max_step_accesses,
                  "hone::lower: a statement has more than 6 operands; split the stage");
    static constexpr int length = K::nest.vector_length;

    static consteval bool in_registers(int access)
    {
        return K::nest.buffers[K::nest.accesses[access].buffer].memory == memory::registers;
    }
    static consteval std::int64_t stride(int access) { return V < 0 ? 0 : facts<K>::coefficient(access, V); }
    static consteval int sharing(int access)
    {
        return V < 0 ? 1 : static_cast<int>(facts<K>::sharing_lanes(access, V));
    }

    template <int N, class Head, class... Rest>
    HONE_INLINE static auto pick(Head first, Rest... rest)
    {
        if constexpr (N == 0)
            return first;
        else
            return pick<N - 1>(rest...);
    }

    template <int Access, class At>
    HONE_INLINE static auto load(At at)
    {
        if constexpr (in_registers(Access) && V < 0 && length > 1)
            return (*at)[0]; // one number
        else if constexpr (in_registers(Access))
            return *at;
        else if constexpr (requires { At::others; })
            return simd_of<K>::template load_shared<L, sharing(Access), stride(Access), At::first, At::others>(
                at.vector);
        else if constexpr (requires { At::lane; })
            return simd_of<K>::load(at.vector)[At::lane];
        else if constexpr (requires { at.count; })
            return load_some<Access>(at);
        else if constexpr (stride(Access) == 0)
            return static_cast<scalar>(*at);
        else if constexpr (sharing(Access) > 1)
            return simd_of<K>::template load_shared<L, sharing(Access), stride(Access), 0, 0, First>(
                at + First / sharing(Access) * stride(Access));
        else if constexpr (stride(Access) != 1)
            return simd_of<K>::template load_strided<stride(Access), First, L>(at);
        else if constexpr (First > 0)
            return simd_of<K>::template load_from<First, L>(at);
        else if constexpr (L == length)
            return simd_of<K>::load(at);
        else
            return simd_of<K>::template load_first<L>(at);
    }

    template <int Access, class Element>
    HONE_INLINE static auto load_some(const first_place<Element>& at)
    {
        if constexpr (stride(Access) == 0)
            return static_cast<scalar>(*at.vector);
        else if constexpr (stride(Access) == 1)
            return simd_of<K>::load_first(at.vector, at.count);
        else
            return simd_of<K>::gather(at.vector, stride(Access), at.count);
    }
    template <class C, class Element, class... At>
    HONE_INLINE static void execute_some(C c, const first_place<Element>& target, At... at)
    {
        vector old{};
        if constexpr (s.reduce != reduction::none) old = load_some<s.target>(target);
        const vector v = updated(c, old, target, at...);
        if constexpr (stride(s.target) == 1)
            simd_of<K>::store_first(target.vector, v, target.count);
        else
            simd_of<K>::scatter(target.vector, stride(s.target), v, target.count);
    }

    // `c`: the table entry of an instance, a number; or what knows where the instance stands, too, and converts to it.
    template <int X, class C, class... At>
    HONE_INLINE static auto value(C c, At... at)
    {
        constexpr expr_node x = K::nest.exprs[X];
        if constexpr (x.op == expr_op::constant)
            return static_cast<scalar>(x.value);
        else if constexpr (x.op == expr_op::table)
            return static_cast<scalar>(c);
        else if constexpr (x.op == expr_op::position)
            return c.template position<x.ref>();
        else if constexpr (x.op == expr_op::load)
            return load<x.ref>(pick<accesses.position(x.ref)>(at...));
        else if constexpr (arity(x.op) == 1)
            return apply<simd_of<K>, x.op>(value<x.a>(c, at...));
        else if constexpr (arity(x.op) == 2)
            return apply<simd_of<K>, x.op>(value<x.a>(c, at...), value<x.b>(c, at...));
        else
            return apply<simd_of<K>, x.op>(value<x.a>(c, at...), value<x.b>(c, at...), value<x.c>(c, at...));
    }

    template <class T, class Value>
    HONE_INLINE static T as(Value v)
    {
        if constexpr (sizeof(T) == sizeof(scalar))
            return v;
        else
            return simd_of<K>::broadcast(v);
    }
    template <class T, class C, class... At>
    HONE_INLINE static T first_term(C c, At... at)
    {
        constexpr expr_node x = K::nest.exprs[s.value];
        if constexpr (F == factor::plus)
            return as<T>(value<x.b>(c, at...));
        else if constexpr (F == factor::minus)
            return as<T>(-value<x.b>(c, at...));
        else
            return as<T>(value<s.value>(c, at...));
    }

    // target = value, or target = target (+, max, min) value. Multiply and add stand in one expression, so that
    // compilers which contract within expressions only make them one instruction.
    template <class T, class C, class... At>
    HONE_INLINE static T updated(C c, T old, At... at)
    {
        constexpr expr_node x = K::nest.exprs[s.value];
        if constexpr (Fresh)
            return first_term<T>(c, at...);
        else if constexpr (F == factor::plus)
            return old + value<x.b>(c, at...);
        else if constexpr (F == factor::minus)
            return old - value<x.b>(c, at...);
        else if constexpr (s.reduce == reduction::add && x.op == expr_op::mul)
            return value<x.a>(c, at...) * value<x.b>(c, at...) + old;
        else if constexpr (s.reduce == reduction::add)
            return old + value<s.value>(c, at...);
        else if constexpr (s.reduce == reduction::max)
            return apply<simd_of<K>, expr_op::max>(old, value<s.value>(c, at...));
        else if constexpr (s.reduce == reduction::min)
            return apply<simd_of<K>, expr_op::min>(old, value<s.value>(c, at...));
        else
            return as<T>(value<s.value>(c, at...));
    }

    // Lanes along a reduction count each, where others may hold anything behind the end of an axis.
    static consteval bool is_along_reduction()
    {
        if constexpr (V >= 0 && length > 1)
            return K::nest.variables[V].reduction;
        else
            return false;
    }

    // Whether a factor of the value is one weight for all lanes.
    static consteval bool has_weight_of_all()
    {
        for (int a = 1; a < accesses.count; ++a)
            if (K::nest.buffers[K::nest.accesses[accesses.of[a]].buffer].role == role::weights &&
                stride(accesses.of[a]) == 0)
                return true;
        return false;
    }

    // Whether others would have an element of another place as a term: what a load of lanes that lie apart leaves
    // there, which is anything, or what they share, where no weight of their own or what depends on the place goes with
    // it.
    static consteval bool has_terms_of_others()
    {
        bool shares = false, is_apart = false, has_weights = false;
        for (int a = 1; a < accesses.count; ++a) {
            const int access = accesses.of[a];
            shares = shares || sharing(access) > 1;
            is_apart = is_apart || (sharing(access) == 1 && stride(access) > 1 && !in_registers(access));
            has_weights = has_weights || K::nest.buffers[K::nest.accesses[access].buffer].role == role::weights;
        }
        return is_apart || (shares && s.reduce != reduction::none && (reads_position(K::nest, S) || !has_weights));
    }

    // Whether lanes behind the first ones must stay as they are: each counts along a reduction; and where they stand in
    // padding, the zero that is loaded would be a term of a maximum or minimum, and NaN with an infinite weight of all
    // lanes. With weights of their own it is a term of nothing: those lanes are past the end of an axis.
    static consteval bool counts_others()
    {
        constexpr bool is_extreme = s.reduce == reduction::max || s.reduce == reduction::min;
        return is_along_reduction() || is_extreme || has_weight_of_all() || has_terms_of_others();
    }
    static consteval bool keeps_others() { return V >= 0 && (First > 0 || (L < length && counts_others())); }

    // The lanes of a vector into one number, one after another.
    template <class C, class Target, class... At>
    HONE_INLINE static void fold(C c, Target target, At... at)
    {
        const vector v = as<vector>(value<s.value>(c, target, at...));
        scalar sum = (*target)[0];
        [&]<int... I>(sequence<I...>)
            HONE_INLINE_LAMBDA { ((sum = combined<I == 0>(sum, v[First + I])), ...); }(make_sequence<L - First>{});
        (*target)[0] = sum;
    }
    template <bool IsFirst>
    HONE_INLINE static scalar combined(scalar old, scalar lane)
    {
        if constexpr (Fresh && IsFirst)
            return lane;
        else if constexpr (s.reduce == reduction::add)
            return old + lane;
        else
            return apply < one_lane_of<K>, s.reduce == reduction::max ? expr_op::max : expr_op::min > (old, lane);
    }

    template <class C, class Target, class... At>
    HONE_INLINE static void execute(C c, Target target, At... at)
    {
        static_assert(in_registers(s.target) || same_as<Target, float*> || same_as<Target, first_place<float>>,
                      "what kernels write is of floats");
        constexpr bool reduces = s.reduce != reduction::none;
        constexpr std::int64_t distance = stride(s.target);
        if constexpr (same_as<Target, first_place<vector>>) {
            const vector old = *target.vector;
            *target.vector = simd_of<K>::first_of(updated(c, old, target, at...), old, target.count);
        } else if constexpr (requires { target.count; }) {
            execute_some(c, target, at...);
        } else if constexpr (in_registers(s.target) && is_along_reduction() && reduces && distance == 0) {
            fold(c, target, at...);
        } else if constexpr (in_registers(s.target) && keeps_others()) {
            const vector old = Fresh ? vector{} : *target;
            *target = simd_of<K>::first_of(updated(c, old, target, at...), old, L, First);
        } else if constexpr (in_registers(s.target)) {
            *target = updated(c, *target, target, at...);
        } else if constexpr (V < 0 || length == 1) {
            const scalar old = reduces ? static_cast<scalar>(*target) : scalar{0};
            *target = static_cast<pointed_to_t<Target>>(updated(c, old, target, at...));
        } else {
            static_assert(distance != 0,
                          "hone::lower: a vector is stored to one element; vectorize an axis of the output");
            vector old{};
            if constexpr (reduces && distance == 1 && First == 0)
                old = simd_of<K>::template load_first<L>(target);
            else if constexpr (reduces)
                old = simd_of<K>::template gather<L, First>(target, distance);
            const vector v = updated(c, old, target, at...);
            if constexpr (distance != 1 || First > 0)
                simd_of<K>::template scatter<L, First>(target, distance, v);
            else if constexpr (L == length)
                simd_of<K>::store(target, v);
            else
                simd_of<K>::template store_first<L>(target, v);
        }
    }
};

// Where the literal places of an access count from.
template <class K, int Access>
HONE_INLINE auto base(const environment<K>& e, vector_of<K>* r)
{
    if constexpr (K::nest.buffers[K::nest.accesses[Access].buffer].memory == memory::registers)
        return r;
    else
        return pointer_of<K, Access>(e);
}

HONE_IEEE_END

} // namespace hone::codegen::cpu
