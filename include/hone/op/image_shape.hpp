// SPDX-License-Identifier: BSL-1.0
// The shape of images, for operators that compute one image of another: pools, element-wise operators, resized images.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/open_window.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

struct image_shape {
    extent n = 1; // also as many as each call gives, where the operator says so
    extent h = 1;
    extent w = 1;
    extent c = 1;
    operators::layout layout = operators::layout::nhwc;
    leading ldx{}, ldy{};                       // NHWC: pixels of x and y are so far apart; 0: dense
    leading batch_stride_x{}, batch_stride_y{}; // NCHW: images

    constexpr image_view x() const { return view_of_x(*this, c, saturated_product(h, w)); }
    constexpr image_view y() const { return view_of_y(*this, c, saturated_product(h, w)); }
    // `name`: of the operator.
    constexpr status check(const char* name) const
    {
        for (const extent& e : {n, h, w, c}) {
            if (e < 1) return {fault::extent_zero, 1, e, name};
            if (e.at_call) return {fault::extents_at_call, 0, e, name};
        }
        const std::int64_t elements = saturated_product(n, h, w, c);
        if (elements > most_elements) return {fault::extent_too_large, most_elements, elements, name};
        return check_views(x(), y());
    }
};

// Images of a shape as a tensor [n][c][h][w] without gaps, whatever their layout; with the parameters of those extents
// that a call gives.
constexpr tensor dense_images(const char* name, dtype type, hone::role role, const image_shape& s, std::int16_t n = -1,
                              const image_parameters& open = {})
{
    const bool nhwc = s.layout == layout::nhwc;
    // What no call gives.
    const std::int64_t channels = open.c < 0 ? s.c.value : 1, row = open.w < 0 ? s.w.value : 1;
    const std::int64_t pixels = (open.h < 0 ? s.h.value : 1) * row, column = nhwc ? channels : 1;
    tensor t{.name = name, .type = type, .role = role};
    const auto add = [&](std::int64_t extent, std::int64_t stride, std::int16_t parameter, std::int16_t by) {
        t.dims.push_back({.extent = extent, .stride = stride, .extent_parameter = parameter, .stride_parameter = by});
    };
    add(s.n, pixels * channels, n, open.image);
    add(s.c, nhwc ? 1 : pixels, open.c, nhwc ? std::int16_t{-1} : open.image);
    add(s.h, row * column, open.h, open.row);
    add(s.w, column, open.w, open.c);
    return t;
}

} // namespace hone::operators

namespace hone { // API
using operators::image_shape;
} // namespace hone
