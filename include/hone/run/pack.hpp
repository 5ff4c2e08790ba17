// SPDX-License-Identifier: BSL-1.0
// Weights from the operator's layout to that of a kernel, which is the same tensor with other strides and one dimension
// in blocks; weights of 16 bits may be given as floats, which are rounded. An operator may have several: their packed
// layouts stand in one block of memory. It runs once per set of weights and is one routine for all layouts: compiled
// for each, it was an eighth of what a kernel takes to compile, and no faster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <hone/core/dtype.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/packed.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

template <class To, class From>
[[gnu::always_inline]] constexpr To element_cast(From x)
{
    if constexpr (std::is_same_v<From, To>)
        return x;
    else
        return static_cast<To>(static_cast<float>(x));
}

// The dimensions from k on, of what stands at `from` to what stands at `to`.
template <isa Set, class From, class To>
constexpr void pack_dimensions(const tensor& source, const tensor& packed, std::size_t k, const From* from, To* to)
{
    const dimension& s = source.dims[k];
    const dimension& d = packed.dims[k];
    // No tensor has more dimensions than that, which g++ -O3 has to be told.
    const bool is_last = k + 1 == source.dims.size() || k + 1 == source.dims.capacity;
    const std::int64_t block = d.block > 0 ? d.block : s.extent;
    for (std::int64_t first = 0; first < s.extent; first += block, to += d.outer_stride) {
        const std::int64_t count = block < s.extent - first ? block : s.extent - first;
        if (is_last && s.block == 0)
            for (std::int64_t i = 0; i < count; ++i) to[i * d.stride] = element_cast<To>(from[(first + i) * s.stride]);
        else
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t at = first + i;
                const From* const element =
                    from + (s.block > 0 ? at / s.block * s.outer_stride + at % s.block * s.stride : at * s.stride);
                if (is_last)
                    to[i * d.stride] = element_cast<To>(*element);
                else
                    pack_dimensions<Set>(source, packed, k + 1, element, to + i * d.stride);
            }
    }
}

// Writes `weights`, in the layout of `source`, to the layout of `packed`; what a block holds past its dimension's
// extent is zero. `to` has packed.elements() of its type.
template <isa Set = compiled_isa(), class From, class To>
constexpr void pack_into(const tensor& source, const tensor& packed, const From* weights, To* to)
{
    const std::int64_t count = packed.elements();
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(0.0f);
    pack_dimensions<Set>(source, packed, 0, weights, to);
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
template <isa Set, dtype Type>
void pack_given(const given_weights& given, std::size_t which, const tensor& source, const tensor& packed, void* to)
{
    using element = storage_of<Type>;
    if constexpr (Type == dtype::f16)
        if (const half* const from = given.half_at(which); from != nullptr)
            return pack_into<Set>(source, packed, from, static_cast<element*>(to));
    pack_into<Set>(source, packed, given[which], static_cast<element*>(to));
}

// tensor_missing where one is not given, or there is no place for them; weights_type where one of 32 bits is given in
// 16.
template <class Tensors>
constexpr status check_given(const Tensors& weights, const given_weights& given, const void* packed)
{
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const bool is_half = given.half_at(i) != nullptr;
        if (!is_half && given[i] == nullptr) return {.what = fault::tensor_missing, .subject = weights[i].name};
        if (is_half && weights[i].type != dtype::f16) return {fault::weights_type, 32, 16, weights[i].name};
    }
    if (!weights.empty() && packed == nullptr) return {.what = fault::tensor_missing, .subject = "packed weights"};
    return {};
}

} // namespace hone
