// SPDX-License-Identifier: BSL-1.0
// Tensors that are parts of larger ones: dense data spread over runs that lie apart, with gaps that nothing may touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <hone/op/leading.hpp>
#include <hone/op/window.hpp>

#include "reference.hpp"

namespace hone::test {

using namespace operators;

// `count` runs of `run` neighbours, `distance` elements apart: pixels of NHWC, images of NCHW, rows.
struct runs {
    std::int64_t count, run, distance;

    template <class T>
    std::vector<T> spread(const std::vector<T>& dense, T gap) const
    {
        std::vector<T> apart(static_cast<std::size_t>((count - 1) * distance + run), gap);
        for (std::size_t i = 0; i < dense.size(); ++i) apart[place_of(i)] = dense[i];
        return apart;
    }
    // Of element i of the dense tensor.
    std::size_t place_of(std::size_t i) const
    {
        const auto own = static_cast<std::size_t>(run);
        return i / own * static_cast<std::size_t>(distance) + i % own;
    }
};
inline runs runs_of(layout l, std::int64_t images, std::int64_t pixels, std::int64_t channels)
{
    return l == layout::nhwc ? runs{images * pixels, channels, channels}
                             : runs{images, pixels * channels, pixels * channels};
}

// What is read where a kernel leaves its part of x, and what of y has to stay.
inline constexpr float gap_of_x = 1e30f;
inline constexpr double untouched = std::numeric_limits<double>::quiet_NaN(); // see difference()

// Dense, or `gap` farther apart: known, or as the call gives it.
enum class gaps : std::uint8_t { none, known, at_call };
inline leading laid(runs& r, gaps how, std::int64_t gap)
{
    if (how == gaps::none) return {};
    r.distance += gap;
    if (how == gaps::known) return r.distance;
    return leading::at_call();
}

// A shape of images with x and y apart, and the runs of both.
template <class Shape>
struct viewed {
    Shape shape;
    runs x, y;
    std::vector<std::int64_t> parameters{}; // of a call, in order

    viewed(const Shape& dense, std::int64_t channels_of_x, std::int64_t channels_of_y, gaps of_x, std::int64_t gap_x,
           gaps of_y, std::int64_t gap_y)
        : shape(dense), x(runs_of(dense.layout, dense.n, dense.h * dense.w, channels_of_x)),
          y(runs_of(dense.layout, dense.n, dense.oh() * dense.ow(), channels_of_y))
    {
        const bool nhwc = dense.layout == layout::nhwc;
        (nhwc ? shape.ldx : shape.batch_stride_x) = laid(x, of_x, gap_x);
        (nhwc ? shape.ldy : shape.batch_stride_y) = laid(y, of_y, gap_y);
        if (of_x == gaps::at_call) parameters.push_back(x.distance);
        if (of_y == gaps::at_call) parameters.push_back(y.distance);
    }
    call_data spread(const call_data& dense) const
    {
        call_data d = dense;
        d.x = x.spread(dense.x, gap_of_x);
        d.residual = y.spread(dense.residual, gap_of_x);
        d.y = poisoned(static_cast<std::int64_t>(d.residual.size()));
        return d;
    }
    doubles spread(const doubles& dense) const { return y.spread(dense, untouched); }
};

} // namespace hone::test
