// SPDX-License-Identifier: BSL-1.0
// Weights from the operator's layout to that of a kernel, which is the same tensor with other strides and one dimension
// in blocks; weights of 16 bits may be given as floats, which are rounded. An operator may have several: their packed
// layouts stand in one block of memory. It runs once per set of weights and is one routine for all layouts: compiled
// for each, it was an eighth of what a kernel takes to compile, and no faster.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/core/target.hpp>
#include <hone/core/traits.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/packed.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

template <class To, class From>
[[gnu::always_inline]] constexpr To element_cast(From x)
{
    if constexpr (same_as<From, To>)
        return x;
    else
        return static_cast<To>(static_cast<float>(x));
}

// How one dimension moves in the layout of the operator, and in that of a kernel; see hone::dimension.
struct pack_dimension {
    std::int64_t extent = 1;
    std::int64_t from_stride = 0;
    std::int64_t from_block = 0;
    std::int64_t from_outer = 0;
    std::int64_t to_stride = 0;
    std::int64_t to_block = 0;
    std::int64_t to_outer = 0;
};

// What packing of a tensor needs to know, and kernels keep: the dimensions that move, where two that are one in both
// layouts count as one; and how many elements are written.
template <int Most>
struct pack_plan {
    inline_vector<pack_dimension, Most> dims{};
    std::int64_t elements = 0;
};
constexpr pack_plan<6> pack_plan_of(const tensor& source, const tensor& packed)
{
    pack_plan<6> plan{.elements = packed.elements()};
    for (std::size_t k = 0; k < source.dims.size(); ++k) {
        const dimension &s = source.dims[k], &d = packed.dims[k];
        if (s.extent == 1) continue;
        const pack_dimension own{s.extent, s.stride, s.block, s.outer_stride, d.stride, d.block, d.outer_stride};
        if (!plan.dims.empty() && s.block == 0 && d.block == 0) {
            pack_dimension& outer = plan.dims[plan.dims.size() - 1];
            if (outer.from_block == 0 && outer.to_block == 0 && outer.from_stride == s.stride * s.extent &&
                outer.to_stride == d.stride * s.extent) {
                outer.extent *= s.extent;
                outer.from_stride = s.stride;
                outer.to_stride = d.stride;
                continue;
            }
        }
        plan.dims.push_back(own);
    }
    if (plan.dims.empty()) plan.dims.push_back({});
    return plan;
}
template <int Most>
constexpr pack_plan<Most> resized(const pack_plan<6>& from)
{
    pack_plan<Most> to{.elements = from.elements};
    for (const pack_dimension& d : from.dims) to.dims.push_back(d);
    return to;
}

// The dimensions from this on, of what stands at `from` to what stands at `to`.
template <isa Set, class From, class To>
constexpr void pack_dimensions(const pack_dimension* d, int count, const From* from, To* to)
{
    const std::int64_t block = d->to_block > 0 ? d->to_block : d->extent;
    for (std::int64_t first = 0; first < d->extent; first += block, to += d->to_outer) {
        const std::int64_t size = block < d->extent - first ? block : d->extent - first;
        if (count == 1 && d->from_block == 0)
            for (std::int64_t i = 0; i < size; ++i)
                to[i * d->to_stride] = element_cast<To>(from[(first + i) * d->from_stride]);
        else
            for (std::int64_t i = 0; i < size; ++i) {
                const std::int64_t at = first + i;
                const From* const element =
                    from + (d->from_block > 0 ? at / d->from_block * d->from_outer + at % d->from_block * d->from_stride
                                              : at * d->from_stride);
                if (count == 1)
                    to[i * d->to_stride] = element_cast<To>(*element);
                else
                    pack_dimensions<Set>(d + 1, count - 1, element, to + i * d->to_stride);
            }
    }
}

// Writes `weights`, in the layout of the operator, to that of a kernel; what a block holds past its dimension's extent
// is zero. `to` has plan.elements of its type.
template <isa Set = compiled_isa(), int Most, class From, class To>
constexpr void pack_into(const pack_plan<Most>& plan, const From* weights, To* to)
{
    for (std::int64_t i = 0; i < plan.elements; ++i) to[i] = static_cast<To>(0.0f);
    pack_dimensions<Set>(plan.dims.begin(), static_cast<int>(plan.dims.size()), weights, to);
}
template <isa Set = compiled_isa(), class From, class To>
constexpr void pack_into(const tensor& source, const tensor& packed, const From* weights, To* to)
{
    pack_into<Set>(pack_plan_of(source, packed), weights, to);
}

// The weights that are to be packed: those of an operator that has one, or a list of all in the order of its
// definition. As floats, or, where all of the operator are of 16 bits, as these.
class given_weights {
public:
    constexpr given_weights(const float* one) : floats_{.one = one} {}
    constexpr given_weights(const float* const* all) : floats_{.all = all} {}
    constexpr given_weights(const half* one) : halves_{.one = one} {}
    constexpr given_weights(const half* const* all) : halves_{.all = all} {}
    constexpr given_weights(std::nullptr_t) {}

    constexpr const float* operator[](std::size_t i) const { return floats_[i]; }
    constexpr const half* half_at(std::size_t i) const { return halves_[i]; }

private:
    template <class Element>
    struct list {
        const Element* one = nullptr;
        const Element* const* all = nullptr;

        constexpr const Element* operator[](std::size_t i) const
        {
            return all != nullptr ? all[i] : i == 0 ? one : nullptr;
        }
    };
    list<float> floats_{};
    list<half> halves_{};
};

// Tensor `which` of an operator. Type: that of its weights.
template <isa Set, dtype Type, int Most>
void pack_given(const given_weights& given, std::size_t which, const pack_plan<Most>& plan, void* to)
{
    using element = storage_of<Type>;
    if constexpr (Type == dtype::f16)
        if (const half* const from = given.half_at(which); from != nullptr)
            return pack_into<Set>(plan, from, static_cast<element*>(to));
    pack_into<Set>(plan, given[which], static_cast<element*>(to));
}

// What calls are asked for by: the weights of an operator, in the order of its definition.
struct named_weights {
    const char* name = "";
    dtype type = dtype::f32;
};
template <std::size_t Count>
constexpr inline_vector<named_weights, Count> names_of_weights(const packed_tensors& weights)
{
    inline_vector<named_weights, Count> names;
    for (const tensor& t : weights) names.push_back({t.name, t.type});
    return names;
}

// tensor_missing where one is not given, or there is no place for them; weights_type where one of 32 bits is given in
// 16. Part of its kernel, whose instruction set it may be compiled for.
template <std::size_t Count>
HONE_INLINE constexpr status check_given(const inline_vector<named_weights, Count>& weights, const given_weights& given,
                                         const void* packed)
{
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const bool is_half = given.half_at(i) != nullptr;
        if (!is_half && given[i] == nullptr) return {.what = fault::tensor_missing, .subject = weights[i].name};
        if (is_half && weights[i].type != dtype::f16) return {fault::weights_type, 32, 16, weights[i].name};
    }
    if (!weights.empty() && packed == nullptr) return {.what = fault::tensor_missing, .subject = "packed weights"};
    return {};
}

} // namespace hone::calls

namespace hone { // API
using calls::given_weights;
} // namespace hone
