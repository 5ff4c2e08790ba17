// SPDX-License-Identifier: BSL-1.0
// NHWC images of which calls give extents, as the axes and tensors of an operator that takes each element alone:
// neighbours in memory are one axis where all of them are known, or all are of the call. Of n, h and w of the call and
// 64 channels that is n * h * w pixels, and with channels of the call, too, one row of elements.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/ir/nest.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/image_shape.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

constexpr bool has_open_extents(const image_shape& s)
{
    return s.n.at_call || s.h.at_call || s.w.at_call || s.c.at_call;
}

// As image_shape::check of the largest call; extents_at_call where images are not NHWC.
constexpr status check_open_images(const image_shape& s, const char* name)
{
    image_shape largest = s;
    for (extent* e : {&largest.n, &largest.h, &largest.w, &largest.c}) *e = e->value;
    const status found = largest.check(name);
    const bool is_refused = found.ok() && has_open_extents(s) && s.layout != layout::nhwc;
    return is_refused ? status{fault::extents_at_call, 0, 1, name} : found;
}

class open_images {
public:
    // Adds the parameters of a call to a definition that has none: n, h, w, c, ldx and ldy, those that the shape leaves
    // open, and their products. `has_channels`: something is read for each channel; then they are an axis of their own,
    // as where pixels are apart.
    constexpr open_images(definition& d, const image_shape& s, bool has_channels)
    {
        const extent extents[] = {s.n, s.h, s.w, s.c};
        constexpr const char* names[] = {"n", "h", "w", "c"};
        std::int16_t of_call[] = {-1, -1, -1, -1};
        for (int i = 0; i < 4; ++i) {
            const parameter p{.name = names[i], .least = 1, .most = extents[i], .typical = extents[i].typical};
            if (extents[i].at_call) of_call[i] = static_cast<std::int16_t>(d.parameters.push_back(p));
        }
        const distance of_x = distance_of(d, s.ldx, s.c, "ldx", of_call[3]);
        const distance of_y = distance_of(d, s.ldy, s.c, "ldy", of_call[3]);
        const bool splits = has_channels || !of_x.is_dense || !of_y.is_dense;
        for (int i = 0; i < 4; ++i) {
            const bool is_channel = i == 3 && splits, is_open = of_call[i] >= 0;
            if (!is_channel && !is_open && extents[i] == 1) continue;
            if (is_channel || axes_.empty() || is_open != (axes_.back().parameter >= 0)) {
                axes_.push_back({names[i], extents[i], false, of_call[i]});
            } else {
                axes_.back().extent *= extents[i];
                axes_.back().parameter = times(d, axes_.back().parameter, of_call[i]);
            }
        }
        channel_ = splits ? static_cast<int>(axes_.size()) - 1 : -1;
        x_ = dims_of(d, of_x);
        y_ = dims_of(d, of_y);
    }
    constexpr const auto& axes() const { return axes_; }
    constexpr int channel() const { return channel_; } // -1: it is no axis of its own
    constexpr const auto& x() const { return x_; }
    constexpr const auto& y() const { return y_; }

private:
    // How far pixels are apart, a number or a parameter.
    struct distance {
        std::int64_t value;
        std::int16_t parameter;
        bool is_dense;
    };
    static constexpr distance distance_of(definition& d, const leading& l, const extent& c, const char* name,
                                          std::int16_t reached)
    {
        const std::int16_t p = add_distance(d, l, c.at_call ? 1 : c.value, name);
        if (p >= 0) d.parameters[p].reaches = reached;
        return {l.is_at_call ? 1 : l.value, p, l.is_dense(c.at_call ? 0 : c.value)};
    }
    // The parameter that is the product of two, of which -1 stands for 1.
    static constexpr std::int16_t times(definition& d, std::int16_t a, std::int16_t b)
    {
        if (a < 0 || b < 0) return a < 0 ? b : a;
        const std::int16_t known = find_product(d.parameters, a, b);
        const auto added = [&] { return d.parameters.push_back(product_of(d.parameters, "product", a, b)); };
        return known >= 0 ? known : static_cast<std::int16_t>(added());
    }
    constexpr inline_vector<dimension, 6> dims_of(definition& d, const distance& pixels) const
    {
        inline_vector<dimension, 6> dims;
        dims.resize(axes_.size());
        std::int64_t stride = 1;
        std::int16_t by = -1;
        for (int i = static_cast<int>(axes_.size()); i-- > 0;) {
            const axis& own = axes_[i];
            dims[i].extent = own.extent;
            dims[i].extent_parameter = own.parameter;
            dims[i].stride = stride;
            dims[i].stride_parameter = by;
            if (i == channel_ && !pixels.is_dense) {
                stride = pixels.value;
                by = pixels.parameter;
            } else if (own.parameter >= 0) {
                by = times(d, own.parameter, by);
            } else {
                stride *= own.extent;
            }
        }
        return dims;
    }

    inline_vector<axis, 4> axes_{};
    inline_vector<dimension, 6> x_{}, y_{};
    int channel_ = -1;
};

} // namespace hone::operators
