// SPDX-License-Identifier: BSL-1.0
// Images of another size, as ONNX Resize and PyTorch's interpolate have them: each pixel of y is the nearest one of x,
// or what lies between its four neighbours there. Any sizes, up and down, each direction by itself. Output o of oh
// stands in x at s(o), with h pixels of x along that direction:
//
//     half_pixel       s = (o + 1/2) * h / oh - 1/2
//     align_corners    s = o * (h - 1) / (oh - 1), or 0 where oh is 1
//     asymmetric       s = o * h / oh
//
//     nearest     y[o] = x[rounded s]
//     bilinear    y[o] = x[i] * (1 - t) + x[i + 1] * t     i = floor(s), t = s - i; of rows as of columns
//
// Before the first pixel and behind the last one there are copies of them. Positions are whole numbers over a common
// divisor, so that no rounding of s takes another pixel. A size that stays is copied as it is, and so is any direction
// whose positions are all pixels; else the product of an infinity with a t of 0 is NaN. Where the call gives the size
// of a direction (op/sampling.hpp), a t of 0 takes one pixel alone.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/ir/visit.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/image_shape.hpp>
#include <hone/op/open_window.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/sampling.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Of NHWC each call may give any of n, h, w, c, oh and ow; of other layouts n.
struct resize_shape {
    extent n = 1, h = 1, w = 1, c = 1;
    extent oh = 1, ow = 1;
    resize_mode mode = resize_mode::bilinear;
    operators::coordinates coordinates = operators::coordinates::half_pixel;
    nearest_pixel nearest = nearest_pixel::usual;
    operators::layout layout = operators::layout::nhwc;

    constexpr nearest_pixel rounding() const { return rounding_of(nearest, coordinates); }
    // What it is to each direction of such a size.
    constexpr resizing::sampling sampling() const { return {mode, coordinates, rounding()}; }
    constexpr status check() const;
};

namespace resizing {

// One direction: output o takes pixel i(o) = floor((times * o + added) / divisor), and where it lies between pixels the
// next one, too.
struct direction {
    std::int64_t from, to; // pixels of x and y
    std::int64_t times = 1, added = 0, divisor = 1;
    bool is_between = false;

    constexpr direction(std::int64_t pixels, std::int64_t outputs, const resize_shape& s) : from(pixels), to(outputs)
    {
        switch (s.coordinates) {
        case coordinates::half_pixel:
            times = 2 * from;
            added = from - to;
            divisor = 2 * to;
            break;
        case coordinates::align_corners:
            times = to > 1 ? from - 1 : 0;
            divisor = to > 1 ? to - 1 : 1;
            break;
        case coordinates::asymmetric:
            times = from;
            divisor = to;
            break;
        }
        if (s.mode == resize_mode::nearest && s.rounding() != nearest_pixel::floor) {
            times *= 2;
            added = 2 * added + divisor - (s.rounding() == nearest_pixel::half_down ? 1 : 0);
            divisor *= 2;
        }
        const std::int64_t all =
            greatest_common_divisor(greatest_common_divisor(times, added < 0 ? -added : added), divisor);
        times /= all;
        added /= all;
        divisor /= all;
        is_between = s.mode == resize_mode::bilinear && divisor > 1;
        // Of whole factors floor((2 o + 1) / 4) is floor(o / 2).
        if (s.mode == resize_mode::nearest && times > 0 && divisor % times == 0) {
            added = floor_div(added, times);
            divisor /= times;
            times = 1;
        }
    }
    constexpr std::int64_t pixel(std::int64_t output) const { return floor_div(times * output + added, divisor); }
    constexpr std::int64_t first() const { return pixel(0); }
    constexpr std::int64_t last() const { return pixel(to - 1); }
    // Whether it steps by whole pixels.
    constexpr bool is_affine() const { return times % divisor == 0; }
    // Whether an output lies before the first pixel or behind the last one.
    constexpr bool passes_edges() const { return added < 0 || times * (to - 1) + added > (from - 1) * divisor; }
};

constexpr direction rows(const resize_shape& s) { return {s.h, s.oh, s}; }
constexpr direction columns(const resize_shape& s) { return {s.w, s.ow, s}; }

// Products of two sizes stay in 32 bits, four times over.
inline constexpr std::int64_t most_product = std::int64_t{1} << 28;

} // namespace resizing

constexpr status resize_shape::check() const
{
    for (std::int64_t e : {n, h, w, c, oh, ow})
        if (e < 1) return {fault::extent_zero, 1, e, "resize"};
    for (const extent& e : {h, w, c, oh, ow})
        if (e.at_call && layout != layout::nhwc) return {fault::extents_at_call, 0, e, "resize: layout"};
    for (const std::int64_t size : {saturated_product(h, oh), saturated_product(w, ow)})
        if (size > resizing::most_product) return {fault::extent_too_large, resizing::most_product, size, "resize"};
    for (const std::int64_t size : {saturated_product(n, h, w, c), saturated_product(n, oh, ow, c)})
        if (size > most_elements) return {fault::extent_too_large, most_elements, size, "resize"};
    for (const bool is_row : {true, false}) {
        const extent &from = is_row ? h : w, &to = is_row ? oh : ow;
        if (from.at_call || to.at_call) {
            const status found = resizing::check_open_sizes(sampling(), from, to);
            if (!found.ok()) return found;
            continue;
        }
        const resizing::direction d(from, to, *this);
        if (mode == resize_mode::nearest && (d.first() < 0 || d.last() >= d.from))
            return {fault::shape_mismatch, d.first() < 0 ? 0 : d.from - 1, d.first() < 0 ? d.first() : d.last(),
                    "resize: nearest"};
        // What weights are computed from are whole numbers in floats.
        const std::int64_t of_outputs = d.is_affine() ? 0 : saturated_product(d.times, d.to) + d.times + d.divisor;
        const std::int64_t reach = d.is_between ? of_outputs + saturated_product(d.divisor, d.from + 4) : 0;
        if (reach > most_position) return {fault::extent_too_large, most_position, reach, "resize: bilinear"};
    }
    return {};
}

// As resize<...>::signature(), for shapes that are known when a model is loaded; the words behind the type in order,
// each as signature_word gives it: "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const resize_shape& s, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word("resize").word(name_of(s.mode));
    if (s.mode == resize_mode::nearest) t.word(name_of(s.rounding()));
    t.word(name_of(s.coordinates));
    t.field(s.n.at_call ? "n<=" : "n", s.n).field(s.h.at_call ? "h<=" : "h", s.h);
    t.field(s.w.at_call ? "w<=" : "w", s.w).field(s.c.at_call ? "c<=" : "c", s.c);
    t.field(s.oh.at_call ? "oh<=" : "oh", s.oh).field(s.ow.at_call ? "ow<=" : "ow", s.ow);
    t.word(name_of(s.layout));
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

namespace resizing {

// The axes of one direction, where they stand in x, and the weight of a pixel there.
class sampled_direction {
public:
    constexpr sampled_direction(const direction& v, const open_direction& open, stage& s, axis output,
                                const char* pixel, const char* tap)
        : v_(v), open_(open), output_(s.axes.push_back(output)), pixel_name_(pixel), tap_name_(tap)
    {
        if (open.applies()) {
            if (!open.sums()) pixel_ = s.axes.push_back(open.pixels(pixel, output_));
            return;
        }
        if (v.is_affine()) return;
        axis source{.name = pixel, .extent = v.last() - v.first() + 1};
        source.quotient = {static_cast<std::int8_t>(output_), v.times, v.added - v.first() * v.divisor, v.divisor};
        pixel_ = s.axes.push_back(source);
    }
    // Axes that are summed over stand behind all others.
    constexpr void add_taps(stage& s)
    {
        if (open_.applies() && open_.sums()) pixel_ = s.axes.push_back(open_.pixels(pixel_name_, output_));
        if (!open_.applies() && v_.is_between) tap_ = s.axes.push_back({tap_name_, 2, true});
    }

    constexpr int output() const { return output_; }
    constexpr dim_index source() const
    {
        if (open_.applies()) return along(pixel_);
        dim_index i = pixel_ < 0 ? along(output_, narrow(v_.times / v_.divisor)) : along(pixel_);
        if (tap_ >= 0) i.terms.push_back({static_cast<std::int8_t>(tap_), 1});
        i.offset = narrow(v_.first());
        return i;
    }
    constexpr bool leaves_image() const
    {
        return !open_.applies() && v_.is_between && (v_.first() < 0 || v_.last() + 1 >= v_.from);
    }

    // Of pixel i: 1 - |p| / divisor, where p / divisor = s - i. Behind the edges s counts as the edge, so p is at least
    // -i * divisor, and at most (from - 1 - i) * divisor.
    constexpr expr weight(stage& s) const
    {
        if (open_.applies()) return open_.weight(s, output_, pixel_);
        const auto table = [&](const dim_index& index) {
            s.tables.push_back({.index = index});
            return ex::position(static_cast<int>(s.tables.size()) - 1);
        };
        const std::int32_t divisor = narrow(v_.divisor);
        dim_index before = along(tap_, -divisor, -divisor * narrow(v_.first())); // -i * divisor
        if (pixel_ >= 0) before.terms.push_back({static_cast<std::int8_t>(pixel_), -divisor});
        dim_index distance = before;
        distance.offset += narrow(v_.added);
        if (pixel_ >= 0) distance.terms.push_back({static_cast<std::int8_t>(output_), narrow(v_.times)});
        expr p = table(distance);
        if (v_.passes_edges()) {
            const expr least = table(before);
            p = ex::min(ex::max(p, least), least + static_cast<float>((v_.from - 1) * v_.divisor));
        }
        // Multiplied, where a whole step still is exactly 1.
        const auto steps = static_cast<float>(v_.divisor);
        return 1.0f - (steps * (1 / steps) == 1 ? ex::abs(p) * (1 / steps) : ex::abs(p) / steps);
    }
    constexpr bool is_between() const { return open_.applies() ? open_.sums() : v_.is_between; }

private:
    static constexpr std::int32_t narrow(std::int64_t i) { return static_cast<std::int32_t>(i); }

    direction v_;
    open_direction open_;
    int output_ = -1, pixel_ = -1, tap_ = -1;
    const char *pixel_name_, *tap_name_;
};

} // namespace resizing

// The definition for any shape, with epilogues E.
template <operator_word... E>
constexpr definition resize_definition(const resize_shape& shape, operand_types type)
{
    definition d;
    d.found = shape.check();
    if (!d.found.ok()) return d;
    window_parameters open;
    open.n = open.open(shape.n, "n");
    open.x.h = open.open(shape.h, "h");
    open.x.w = open.open(shape.w, "w");
    open.x.c = open.y.c = open.open(shape.c, "c");
    open.y.h = open.open(shape.oh, "oh");
    open.y.w = open.open(shape.ow, "ow");
    open.add_distances();
    const resizing::open_direction down(open.all, shape.sampling(), {shape.h, open.x.h}, {shape.oh, open.y.h},
                                        "step down", "h * oh");
    const resizing::open_direction across(open.all, shape.sampling(), {shape.w, open.x.w}, {shape.ow, open.y.w},
                                          "step across", "w * ow");
    for (const parameter& p : open.all) d.parameters.push_back(p);
    d.tensors.push_back(dense_images("x", type.others, role::input, {shape.n, shape.h, shape.w, shape.c, shape.layout},
                                     open.n, open.x));
    d.tensors.push_back(dense_images("y", type.others, role::output,
                                     {shape.n, shape.oh, shape.ow, shape.c, shape.layout}, open.n, open.y));

    stage s;
    s.name = "resize";
    const int n = s.axes.push_back({"n", shape.n, false, open.n});
    const int c = s.axes.push_back({"c", shape.c, false, open.x.c});
    resizing::sampled_direction rows(resizing::rows(shape), down, s, {"oh", shape.oh, false, open.y.h}, "ih", "kh");
    resizing::sampled_direction columns(resizing::columns(shape), across, s, {"ow", shape.ow, false, open.y.w}, "iw",
                                        "kw");
    rows.add_taps(s);
    columns.add_taps(s);
    operand x{.tensor = 0, .may_leave = rows.leaves_image() || columns.leaves_image()};
    for (const dim_index& i : {along(n), along(c), rows.source(), columns.source()}) x.index.push_back(i);
    s.operands.push_back(x);
    s.output.tensor = 1;
    for (const int a : {n, c, rows.output(), columns.output()}) s.output.index.push_back(along(a));
    s.body = ex::load(0);
    if (rows.is_between() || columns.is_between()) {
        s.reduce = reduction::add;
        s.body = s.body * (!columns.is_between() ? rows.weight(s)
                           : !rows.is_between()  ? columns.weight(s)
                                                 : rows.weight(s) * columns.weight(s));
    }
    d.stages.push_back(s);

    tensor bias_shape{.type = type.others};
    bias_shape.dims.push_back({.extent = shape.c});
    operand bias_index;
    bias_index.index.push_back(along(c));
    (add_epilogue<E>(d, 0, bias_shape, bias_index), ...);
    return d;
}

// x: n * h * w * c elements; y, and what is read per element: n * oh * ow * c; per channel: c. Parameters of a call are
// n, h, w, c, oh and ow, where the shape leaves them open. No images, channels or outputs are no work.
template <resize_shape S, class Type, operator_word... E>
struct resize {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::resize: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr resize_shape shape = S;

    static constexpr hone::definition definition() { return resize_definition<E...>(shape, types_of<Type>()); }
    static constexpr signature_text signature()
    {
        return signature_of(shape, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace hone::operators

namespace hone { // API
using operators::resize, operators::resize_shape, operators::signature_of;
} // namespace hone
