// SPDX-License-Identifier: BSL-1.0
// How an image of another size takes its pixels from x, and where those are along a direction of which the call gives a
// size. Output o stands in x at s = o * h / oh, or what other coordinates make of it. Of a step in parts of a pixel
//
//     step = ceil(2^28 * h / oh)      floor(s) = floor(step * o / 2^28)
//                                     ceil(s) = floor((step * o - 2^14) / 2^28) + 1
//
// are exact for sizes of up to 2^13: step * o / 2^28 is s or more, by less than o / 2^28, of half pixels (2 o + 1) /
// 2^28, which are less than 2^-14. s is a multiple of 1 / oh or 1 / (2 oh), 2^-14 or more from any other whole number.
// What is between pixels is a sum over those from floor(s) to ceil(s): one alone where s is a pixel, and at the edges.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

enum class resize_mode : std::uint8_t { nearest, bilinear };
constexpr const char* name_of(resize_mode m) { return m == resize_mode::nearest ? "nearest" : "bilinear"; }

enum class coordinates : std::uint8_t { half_pixel, align_corners, asymmetric };
constexpr const char* name_of(coordinates c)
{
    constexpr const char* names[] = {"half_pixel", "align_corners", "asymmetric"};
    return names[static_cast<int>(c)];
}

// Which pixel is nearest.
enum class nearest_pixel : std::uint8_t {
    usual,     // floor where coordinates are asymmetric, PyTorch's nearest; half_up of half_pixel, its nearest-exact;
               // half_down of align_corners, as in ONNX
    floor,     // the one at or before s
    half_down, // of two as near the one before, ONNX's round_prefer_floor
    half_up,   // the one behind, round_prefer_ceil
};
constexpr const char* name_of(nearest_pixel n)
{
    constexpr const char* names[] = {"usual", "floor", "half_down", "half_up"};
    return names[static_cast<int>(n)];
}
// What the usual one is.
constexpr nearest_pixel rounding_of(nearest_pixel n, coordinates c)
{
    if (n != nearest_pixel::usual) return n;
    return c == coordinates::asymmetric   ? nearest_pixel::floor
           : c == coordinates::half_pixel ? nearest_pixel::half_up
                                          : nearest_pixel::half_down;
}

namespace resizing {

struct sampling {
    resize_mode mode = resize_mode::bilinear;
    operators::coordinates coordinates = operators::coordinates::half_pixel;
    nearest_pixel rounding = nearest_pixel::half_up; // none is usual

    constexpr bool has_half_pixels() const { return coordinates == operators::coordinates::half_pixel; }
    constexpr bool aligns() const { return coordinates == operators::coordinates::align_corners; }
    constexpr bool sums() const { return mode == resize_mode::bilinear; }
    // Whether the nearest pixel of an output is one of the image, whatever their sizes are.
    constexpr bool stays_in_image() const
    {
        return sums() || aligns() || (rounding == nearest_pixel::floor) != has_half_pixels();
    }
};

// The largest size of a direction that the call gives, and what steps and their sums are multiples of.
inline constexpr std::int64_t most_open_size = std::int64_t{1} << 13;
inline constexpr std::int64_t whole_pixel = std::int64_t{1} << 28, least_part = 2 * most_open_size;
static_assert(whole_pixel / least_part >= 2 * most_open_size);

// What is wrong with the largest sizes of a direction, of which the call gives one or both.
constexpr status check_open_sizes(const sampling& how, const extent& from, const extent& to)
{
    for (const extent& e : {from, to})
        if (e > most_open_size) return {fault::extent_too_large, most_open_size, e, "resize"};
    if (!how.stays_in_image()) return {fault::extents_at_call, 0, from.at_call ? from : to, "resize: nearest"};
    // What weights are computed from are whole numbers in floats.
    const std::int64_t reach = (how.has_half_pixels() ? 2 : 1) * from * to + from + to;
    const bool is_exact = !how.sums() || reach <= most_position;
    return is_exact ? status() : status{fault::extent_too_large, most_position, reach, "resize: bilinear"};
}

// A size that is known, or with a parameter that of the call.
struct size {
    std::int64_t value = 1;
    std::int16_t parameter = -1;

    constexpr std::int32_t known() const { return parameter < 0 ? static_cast<std::int32_t>(value) : 1; }
};

class open_direction {
public:
    constexpr open_direction() = default;
    // Adds what comes of the sizes to the parameters, if the call gives one of them: a step and a product, of these
    // names.
    template <class Parameters>
    constexpr open_direction(Parameters& all, const sampling& how, const size& from, const size& to,
                             const char* name_of_step, const char* name_of_area)
        : how_(how), from_(from), to_(to)
    {
        if (from.parameter < 0 && to.parameter < 0) return;
        const std::int64_t less = how.aligns() ? 1 : 0, whole = how.has_half_pixels() ? whole_pixel / 2 : whole_pixel;
        const auto known = [&](const size& s) { return s.parameter < 0 ? s.value - less : 1; };
        parameter step{.name = name_of_step, .least = 0, .over = from.parameter, .under = to.parameter};
        step.added = -less;
        step.scale = known(from) > 0 ? whole * known(from) : 1; // of one pixel: the least
        step.divisor = known(to) > 0 ? known(to) : 1;
        step.most = whole * from.value;
        step_ = static_cast<std::int16_t>(all.push_back(step));
        if (how.sums() && !how.aligns() && from.parameter >= 0 && to.parameter >= 0)
            area_ =
                static_cast<std::int16_t>(all.push_back(product_of(all, name_of_area, from.parameter, to.parameter)));
    }

    constexpr bool applies() const { return step_ >= 0; }
    constexpr bool sums() const { return how_.sums(); }

    // The pixels of x that output `of` takes, as an axis.
    constexpr axis pixels(const char* name, int of) const
    {
        axis_quotient q{.of = static_cast<std::int8_t>(of), .divisor = whole_pixel, .parameter = step_};
        if (how_.has_half_pixels()) {
            q.times = 2;
            q.added = 1;
            q.rest = -whole_pixel / 2;
        }
        if (how_.sums())
            q.span = whole_pixel - least_part;
        else if (how_.rounding != nearest_pixel::floor)
            q.rest += whole_pixel / 2 - (how_.rounding == nearest_pixel::half_down ? least_part : 0);
        return {name, from_.value, how_.sums(), from_.parameter, q};
    }

    // Of pixel i: 1 - |s - i|, of whole numbers over a common divisor. Behind the edges s counts as the edge.
    //
    //     half_pixel       s - i = (h * (2 o + 1) - oh * (2 i + 1)) / (2 oh)     s + 1/2 in [1/2, h - 1/2]
    //     align_corners    s - i = ((h - 1) * o - (oh - 1) * i) / (oh - 1)       of one output 0
    //     asymmetric       s - i = (h * o - oh * i) / oh                         s in [0, h - 1]
    constexpr expr weight(stage& s, int output, int pixel) const
    {
        const auto number = [&](const dim_index& index) {
            for (std::size_t known = 0; known < s.tables.size(); ++known)
                if (s.tables[known].count == 0 && s.tables[known].index == index)
                    return ex::position(static_cast<int>(known));
            return ex::position(static_cast<int>(s.tables.push_back({.index = index})));
        };
        const auto times = [&](std::int32_t coefficient, const size& of) {
            return number({.offset = coefficient * of.known(), .offset_parameter = of.parameter});
        };
        // A number of steps along an axis, each of a size.
        const auto place = [&](int axis, const size& of) {
            const std::int32_t twice = how_.has_half_pixels() ? 2 : 1;
            dim_index i = along(axis, twice * of.known());
            i.terms[0].parameter = of.parameter;
            if (how_.has_half_pixels()) {
                i.offset = of.known();
                i.offset_parameter = of.parameter;
            }
            if (how_.aligns()) i.terms.push_back({static_cast<std::int8_t>(axis), -1});
            return number(i);
        };
        // Of acc(), which the size of y becomes: one node, however often it is read.
        const float twice = how_.has_half_pixels() ? 2 : 1;
        expr at = place(output, from_), parts = ex::acc();
        if (how_.aligns()) {
            parts = ex::max(parts - 1.0f, 1.0f);
        } else {
            const size open{1, area_ >= 0 ? area_ : from_.parameter >= 0 ? from_.parameter : to_.parameter};
            const std::int32_t known = from_.known() * to_.known();
            if (how_.has_half_pixels()) at = ex::max(at, ex::acc());
            at = ex::min(at, times(static_cast<std::int32_t>(twice) * known, open) - ex::acc());
        }
        // What divides is the same for the whole call.
        const expr distance = ex::abs(at - place(pixel, to_)) * ((1 / twice) / parts);
        return (1.0f - distance).with_accumulator(times(1, to_));
    }

private:
    sampling how_{};
    size from_{}, to_{};
    std::int16_t step_ = -1, area_ = -1;
};

} // namespace resizing

} // namespace hone::operators

namespace hone { // API
using operators::coordinates, operators::name_of, operators::nearest_pixel, operators::resize_mode;
} // namespace hone
