// SPDX-License-Identifier: BSL-1.0
// Packed weights: their layouts, the name of these, and where each stands in the one block of memory that a call gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/core/config.hpp>
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
// Outside of one extent that the call gives, strides are multiples of it: of k of the call, [n / block][k][block] are
// as far apart as they have to be. So they are of several whose product is one of the parameters. Behind others, and
// behind blocks of one, the layout keeps room for the largest.
template <class Parameters>
constexpr tensor packed_tensor(const tensor& source, const inline_vector<std::int8_t, 6>& order, int blocked,
                               std::int64_t block, const Parameters& parameters)
{
    tensor t = source;
    std::int64_t stride = block;
    std::int16_t parameter = -1;
    for (std::size_t i = order.size(); i-- > 0;) {
        dimension& d = t.dims[order[i]];
        d.stride_parameter = d.outer_parameter = -1;
        if (order[i] == blocked) {
            d.block = block;
            d.stride = 1;
            d.outer_stride = stride;
            d.outer_parameter = parameter;
            stride *= (d.extent + block - 1) / block;
        } else {
            d.block = 0;
            d.stride = stride;
            d.stride_parameter = parameter;
            const std::int16_t both = parameter < 0 || d.extent_parameter < 0
                                          ? d.extent_parameter
                                          : ir::find_product(parameters, parameter, d.extent_parameter);
            if (both >= 0)
                parameter = both;
            else
                stride *= d.extent;
        }
    }
    return t;
}
constexpr tensor packed_tensor(const tensor& source, const inline_vector<std::int8_t, 6>& order, int blocked,
                               std::int64_t block)
{
    return packed_tensor(source, order, blocked, block, inline_vector<parameter, 1>{});
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
        for (const std::int16_t p : {d.extent_parameter, d.stride_parameter, d.outer_parameter})
            if (p >= 0) mix(p);
    }
    return h;
}

// One layout for each tensor of role::weights, in the order of the definition.
using packed_tensors = inline_vector<tensor, most_weights>;

// A dimension as a call has it: with an extent and strides in the place of parameters, of which all values are given.
HONE_INLINE constexpr dimension at_call(dimension d, const std::int64_t* values)
{
    if (d.extent_parameter >= 0) d.extent = values[d.extent_parameter];
    if (d.stride_parameter >= 0) d.stride *= values[d.stride_parameter];
    if (d.outer_parameter >= 0) d.outer_stride *= values[d.outer_parameter];
    d.extent_parameter = d.stride_parameter = d.outer_parameter = -1;
    return d;
}
constexpr tensor at_call(tensor t, const std::int64_t* values)
{
    for (dimension& d : t.dims) d = at_call(d, values);
    return t;
}
// The parameters that these tensors hang on, a bit each; of those that no call gives, what they come of.
template <class Parameters>
constexpr std::uint64_t parameters_of(const Parameters& all, const packed_tensors& tensors)
{
    std::uint64_t which = 0;
    const auto add = [&](auto&& self, std::int16_t p) -> void {
        if (p < 0) return;
        if (all[p].is_given()) {
            which |= std::uint64_t{1} << p;
            return;
        }
        const ir::window_numbers& w = all[p].window;
        for (const std::int16_t of : {w.image, w.before, w.behind, w.taps, w.dilation, w.stride}) self(self, of);
        self(self, all[p].dividend);
        self(self, all[p].groups);
        self(self, all[p].first_factor);
        self(self, all[p].second_factor);
    };
    for (const tensor& t : tensors)
        for (const dimension& d : t.dims)
            for (const std::int16_t p : {d.extent_parameter, d.stride_parameter, d.outer_parameter}) add(add, p);
    return which;
}

// Bytes of one, of the largest extents, and where it begins: at a multiple of 256 bytes behind the first, which is the
// most that a Vulkan device asks of where a range begins (minStorageBufferOffsetAlignment).
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
using schedules::packed_tensor, schedules::packed_tensors, schedules::replace_weights, schedules::weights_of;
} // namespace hone
