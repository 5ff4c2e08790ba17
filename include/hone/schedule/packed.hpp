// SPDX-License-Identifier: BSL-1.0
// Packed weights: their layouts, the name of these, and where each stands in the one block of memory that a call gives.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/dtype.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

constexpr std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }

// The layout of `source` packed for a kernel: dimensions in the order of `order`, outermost first; dimension `blocked`
// is split by `block`, its blocks standing where the order has it and its elements innermost. Padded to whole blocks.
constexpr tensor packed_tensor(const tensor& source, const inline_vector<std::int8_t, 6>& order, int blocked,
                               std::int64_t block)
{
    tensor t = source;
    std::int64_t stride = block;
    for (std::size_t i = order.size(); i-- > 0;) {
        dimension& d = t.dims[order[i]];
        d.stride_parameter = -1;
        if (order[i] == blocked) {
            d.block = block;
            d.stride = 1;
            d.outer_stride = stride;
            stride *= (d.extent + block - 1) / block;
        } else {
            d.block = 0;
            d.stride = stride;
            stride *= d.extent;
        }
    }
    return t;
}

// Names a layout in a few bits, so that packed weights from a file can be told from others: FNV-1a over its dimensions.
constexpr std::uint64_t layout_id(const tensor& t)
{
    std::uint64_t h = 0xcbf29ce484222325u;
    const auto mix = [&](std::int64_t v) {
        for (int byte = 0; byte < 8; ++byte) {
            h ^= static_cast<std::uint64_t>(v) >> (8 * byte) & 0xff;
            h *= 0x100000001b3u;
        }
    };
    mix(static_cast<std::int64_t>(t.type));
    for (const dimension& d : t.dims) {
        mix(d.extent);
        mix(d.stride);
        mix(d.block);
        mix(d.outer_stride);
    }
    return h;
}

// One layout for each tensor of role::weights, in the order of the definition.
using packed_tensors = inline_vector<tensor, most_weights>;

// Bytes of one, and where it begins: at a multiple of 256 bytes behind the first, which is the most that a Vulkan
// device asks of where a range begins (minStorageBufferOffsetAlignment).
constexpr std::size_t packed_bytes(const tensor& one)
{
    return static_cast<std::size_t>(one.elements()) * bytes_of(one.type);
}
constexpr std::size_t packed_offset(const packed_tensors& all, std::size_t which)
{
    constexpr std::size_t step = 256;
    std::size_t at = 0;
    for (std::size_t i = 0; i < which; ++i) at += (packed_bytes(all[i]) + step - 1) / step * step;
    return at;
}
// Of all of them, with what stands between.
constexpr std::size_t packed_bytes(const packed_tensors& all)
{
    return all.empty() ? 0 : packed_offset(all, all.size() - 1) + packed_bytes(all.back());
}
constexpr std::uint64_t layout_id(const packed_tensors& all)
{
    std::uint64_t h = all.empty() ? 0 : layout_id(all[0]);
    for (std::size_t i = 1; i < all.size(); ++i) h = h * 0x100000001b3u ^ layout_id(all[i]);
    return h;
}

// The tensors of role::weights as the operator has them, in the same order; and with packed layouts in their place.
constexpr packed_tensors weights_of(const definition& d)
{
    packed_tensors all;
    for (const tensor& t : d.tensors)
        if (t.role == role::weights) all.push_back(t);
    return all;
}
constexpr void replace_weights(definition& d, const packed_tensors& packed)
{
    std::size_t which = 0;
    for (tensor& t : d.tensors)
        if (t.role == role::weights && which < packed.size()) t = packed[which++];
}

} // namespace hone::schedules

namespace hone { // API
using schedules::packed_tensor;
using schedules::packed_tensors;
using schedules::replace_weights;
using schedules::weights_of;
} // namespace hone
