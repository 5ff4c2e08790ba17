// SPDX-License-Identifier: BSL-1.0
// Weights from the operator's layout to that of a kernel, which is the same tensor with other strides and one dimension
// in blocks. An operator may have several: their packed layouts stand in one block of memory. It runs once per set of
// weights and is one routine for all layouts: compiled for each, it was an eighth of what a kernel takes to compile,
// and no faster.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/packed.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// The dimensions from k on, of what stands at `from` to what stands at `to`.
template <isa Set>
constexpr void pack_dimensions(const tensor& source, const tensor& packed, std::size_t k, const float* from, float* to)
{
    const dimension& s = source.dims[k];
    const dimension& d = packed.dims[k];
    // No tensor has more dimensions than that, which g++ -O3 has to be told.
    const bool is_last = k + 1 == source.dims.size() || k + 1 == source.dims.capacity;
    const std::int64_t block = d.block > 0 ? d.block : s.extent;
    for (std::int64_t first = 0; first < s.extent; first += block, to += d.outer_stride) {
        const std::int64_t count = block < s.extent - first ? block : s.extent - first;
        if (is_last && s.block == 0)
            for (std::int64_t i = 0; i < count; ++i) to[i * d.stride] = from[(first + i) * s.stride];
        else
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t at = first + i;
                const float* const element =
                    from + (s.block > 0 ? at / s.block * s.outer_stride + at % s.block * s.stride : at * s.stride);
                if (is_last)
                    to[i * d.stride] = *element;
                else
                    pack_dimensions<Set>(source, packed, k + 1, element, to + i * d.stride);
            }
    }
}

// Writes `weights`, in the layout of `source`, to the layout of `packed`; what a block holds past its dimension's
// extent is zero. `to` has packed.elements() floats.
template <isa Set = compiled_isa()>
constexpr void pack_into(const tensor& source, const tensor& packed, const float* weights, float* to)
{
    const std::int64_t count = packed.elements();
    for (std::int64_t i = 0; i < count; ++i) to[i] = 0;
    pack_dimensions<Set>(source, packed, 0, weights, to);
}

// The weights that are to be packed: those of an operator that has one, or a list of all in the order of its
// definition.
class given_weights {
public:
    constexpr given_weights(const float* one) : one_(one) {}
    constexpr given_weights(const float* const* all) : all_(all) {}
    constexpr given_weights(std::nullptr_t) {}

    constexpr const float* operator[](std::size_t i) const
    {
        return all_ != nullptr ? all_[i] : i == 0 ? one_ : nullptr;
    }

private:
    const float* one_ = nullptr;
    const float* const* all_ = nullptr;
};

// tensor_missing where one is not given, or there is no place for them.
template <class Tensors>
constexpr status check_given(const Tensors& weights, const given_weights& given, const float* packed)
{
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (given[i] == nullptr) return {.what = fault::tensor_missing, .subject = weights[i].name};
    if (!weights.empty() && packed == nullptr) return {.what = fault::tensor_missing, .subject = "packed weights"};
    return {};
}

} // namespace hone
