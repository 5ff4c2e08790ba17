// SPDX-License-Identifier: BSL-1.0
// Pools: the largest or the mean of each window of an image, or of all of it, channel by channel. With stride and
// dilation per direction and padding per side, as ONNX counts them.
//
//     max_pool        y[n][oh][ow][c] = max over kh, kw of x[n][ih][iw][c]
//     average_pool    y[n][oh][ow][c] = (sum over kh, kw of x[n][ih][iw][c]) / taps(oh, ow)
//     ih = oh * stride_h + kh * dilation_h - pad_top, iw alike
//
// Padding is never the largest. A maximum takes no notice of NaN; of NaN alone it is -infinity. A mean has NaN where
// one of its pixels has.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/image_shape.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/open_window.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

enum class pooling : std::uint8_t { max, average };

// Whether a mean counts the padding of its window, as zeros.
enum class count_padding : std::uint8_t {
    no,  // it is divided by the pixels in the image, fewer at the borders
    yes, // by those in the padding, too
};
// What becomes of pixels at the end that fill no window.
enum class last_window : std::uint8_t {
    whole, // they are left out
    cut,   // they are a window of their own, which reaches beyond the padding; what lies there never counts (ceil_mode)
};

struct pool_shape {
    static constexpr std::int64_t as_above = -1; // as the wider field says

    extent n = 1; // images: also as many as each call gives
    extent h = 1; // rows, columns and channels: also as many as each call gives, of NHWC and whole windows
    extent w = 1;
    extent c = 1;
    // At most so many taps, where window_at_call. Where h and w are those of each call, the window may be the image: kh
    // is h then, and kw is w.
    extent kh = 1;
    extent kw = 1;
    std::int64_t stride = 1;
    std::int64_t stride_h = as_above;
    std::int64_t stride_w = as_above;
    std::int64_t pad = 0; // each window has a pixel of the image
    std::int64_t pad_h = as_above;
    std::int64_t pad_w = as_above;
    std::int64_t pad_top = as_above;
    std::int64_t pad_left = as_above;
    std::int64_t pad_bottom = as_above;
    std::int64_t pad_right = as_above;
    std::int64_t dilation = 1;
    std::int64_t dilation_h = as_above;
    std::int64_t dilation_w = as_above;
    hone::layout layout = hone::layout::nhwc;
    last_window last = last_window::whole;
    operators::count_padding count_padding = operators::count_padding::no; // of averages
    leading ldx{}, ldy{};                       // NHWC: pixels of x and y are so far apart; 0: dense
    leading batch_stride_x{}, batch_stride_y{}; // NCHW: images
    // Whether each call gives kh, kw, strides, paddings and dilations, as it gives h and w; of averages the dilation
    // is 1.
    bool window_at_call = false;

    constexpr image_window window() const { return window_of(*this); }
    // The most of them, where a call says how many there are.
    constexpr std::int64_t oh() const;
    constexpr std::int64_t ow() const;
    // Whether the window is an image of the call.
    constexpr bool is_image() const { return kh.at_call || kw.at_call; }
    constexpr image_view x() const { return view_of_x(*this, c, saturated_product(h, w)); }
    constexpr image_view y() const;
    constexpr status check() const;
};

namespace pools {

// A pool along one direction of its image: where taps stand, and which of them count.
struct direction {
    std::int64_t extent, taps, stride, dilation, before, after; // padding before and after the image
    last_window last;
    bool counts_padding = false;
    bool is_open = false; // the extent is the largest that a call gives, and windows are whole

    constexpr std::int64_t reach() const { return dilation * (taps - 1) + 1; }
    constexpr std::int64_t outputs() const
    {
        const std::int64_t rest = extent + before + after - reach();
        std::int64_t count = rest / stride + 1;
        // A window that is cut begins in the image, or in the padding before it.
        if (last == last_window::cut && rest % stride != 0 && count * stride < extent + before) ++count;
        return count;
    }
    constexpr std::int64_t first_of(std::int64_t output) const { return output * stride - before; }
    // The end of the last window, of the longest where a call says how long the image is.
    constexpr std::int64_t reached() const { return is_open ? extent + after : first_of(outputs() - 1) + reach(); }
    constexpr bool leaves_image() const { return before > 0 || reached() > extent; }
    // Of each window the taps count that stand in [least, end).
    constexpr std::int64_t least() const { return counts_padding ? -before : 0; }
    constexpr std::int64_t end() const { return extent + (counts_padding ? after : 0); }
    constexpr bool misses_some_before() const { return -before < least(); }
    constexpr bool misses_some_after() const { return reached() > end(); }
    constexpr bool counts_all() const { return !misses_some_before() && !misses_some_after(); }
    // Whether a window is taps of padding only, of any image of the call.
    constexpr bool misses_image() const
    {
        if (is_open) {
            bool misses = reach() <= before || reach() <= after;
            direction of_call = *this;
            of_call.is_open = false;
            const std::int64_t least = reach() - before - after;
            for (of_call.extent = least < 1 ? 1 : least; of_call.extent < dilation && !misses; ++of_call.extent)
                misses = of_call.extent <= extent && of_call.misses_image();
            return misses;
        }
        if (reach() <= before || first_of(outputs() - 1) >= extent) return true;
        // Taps that are farther apart than the image is long may stand on both sides of it.
        for (std::int64_t o = 0; dilation > extent && o < outputs() && first_of(o) < 0; ++o) {
            const std::int64_t skipped = (-first_of(o) + dilation - 1) / dilation;
            if (skipped >= taps || first_of(o) + skipped * dilation >= extent) return true;
        }
        return false;
    }
    // How many taps count: those before ceil((end - p) / dilation), but for the first ceil((least - p) / dilation),
    // where the first one stands at p. `image`, `open`: parameters, where the call gives the extent and the window.
    constexpr expr count(stage& s, int axis, std::int16_t image, const direction_parameters& open) const
    {
        const auto position = [&](const dim_index& i) {
            return ex::position(static_cast<int>(s.tables.push_back({.index = i})));
        };
        const auto number = [&](std::int64_t value, std::int16_t parameter) {
            return parameter < 0 ? expr(static_cast<float>(value))
                                 : position({.offset = 1, .offset_parameter = parameter});
        };
        const expr all = number(taps, open.taps);
        if (counts_all()) return all;
        expr e;
        // Where that divides by the dilation, p is 2 p + 1: half a pixel farther no quotient is near a whole number.
        const std::int64_t parts = dilation > 1 ? 2 : 1;
        dim_index first = along(axis, static_cast<std::int32_t>(parts * stride),
                                static_cast<std::int32_t>(parts - 1 - parts * before));
        if (open.stride >= 0) {
            first = along(axis, 1, -1);
            first.terms[0].parameter = open.stride;
            first.offset_parameter = open.before;
        }
        if (dilation == 1) {
            const expr p = ex::acc(), past = p + all;
            e = (misses_some_after() ? ex::min(past, number(end(), image)) : past) -
                (misses_some_before() ? ex::max(p, number(least(), -1)) : p);
        } else {
            const expr p = ex::acc(); // in steps of the dilation
            const auto steps = static_cast<float>(dilation);
            const expr past = image < 0 ? expr(static_cast<float>(end()) / steps + 1) : number(0, image) / steps + 1.0f;
            e = all;
            if (misses_some_after()) e = ex::min(e, ex::floor(past - p));
            if (misses_some_before()) e = e + ex::min(ex::floor(p), 0.0f); // least is 0
            e = e.with_accumulator(ex::acc() * (0.5f / steps));
        }
        return e.with_accumulator(position(first)); // one node, however often it is read
    }
};

// Pixels and padding along a direction in which taps are counted, in floats.
inline constexpr std::int64_t most_counted = std::int64_t{1} << 20;

constexpr direction down(const pool_shape& s)
{
    const bool counts = s.count_padding == count_padding::yes, is_open = s.h.at_call != 0;
    if (s.window_at_call) return {s.h, s.kh, 1, 1, most_padding, most_padding, s.last, counts, is_open};
    const image_window v = s.window();
    return {s.h, s.kh, v.stride_h, v.dilation_h, v.pad_top, v.pad_bottom, s.last, counts, is_open};
}
constexpr direction across(const pool_shape& s)
{
    const bool counts = s.count_padding == count_padding::yes, is_open = s.w.at_call != 0;
    if (s.window_at_call) return {s.w, s.kw, 1, 1, most_padding, most_padding, s.last, counts, is_open};
    const image_window v = s.window();
    return {s.w, s.kw, v.stride_w, v.dilation_w, v.pad_left, v.pad_right, s.last, counts, is_open};
}

} // namespace pools

constexpr std::int64_t pool_shape::oh() const
{
    return window_at_call ? h + 2 * most_padding : pools::down(*this).outputs();
}
constexpr std::int64_t pool_shape::ow() const
{
    return window_at_call ? w + 2 * most_padding : pools::across(*this).outputs();
}
constexpr image_view pool_shape::y() const { return view_of_y(*this, c, saturated_product(oh(), ow())); }
constexpr status pool_shape::check() const
{
    for (const extent& e : {n, h, w, c}) {
        if (e < 1) return {fault::extent_zero, 1, e, "pool"};
        if (e > most_elements) return {fault::extent_too_large, most_elements, e, "pool"};
    }
    for (const extent& e : {h, w, c})
        if (e.at_call && layout != layout::nhwc) return {fault::extents_at_call, 0, e, "pool: layout"};
    if ((h.at_call || w.at_call) && last == last_window::cut) return {fault::extents_at_call, 0, 1, "pool: last"};
    const auto is_same = [](const extent& a, const extent& b) { return a.at_call == b.at_call && a.value == b.value; };
    if (is_image() && (window_at_call || !is_same(kh, h) || !is_same(kw, w) || window() != window_of(pool_shape{})))
        return {fault::extents_at_call, h, kh, "pool: kh, kw"};
    constexpr window_subjects subjects{"pool", "pool: pad", "pool: window", "pool: h", "pool: w"};
    status found = check_open_window(*this, "pool: layout", "pool: h, w", "pool: stride, pad, dilation");
    if (found.ok()) found = window_at_call ? check_numbers(*this, subjects) : check_window(*this, subjects);
    if (!found.ok()) return found;
    const image_window v = window();
    // Schedules may copy the image with its padding.
    const std::int64_t image = saturated_product(n, h + v.pad_top + v.pad_bottom, w + v.pad_left + v.pad_right, c);
    if (image > most_elements) return {fault::extent_too_large, most_elements, image, "pool: x"};
    const std::int64_t outputs = saturated_product(n, oh(), ow(), c);
    if (outputs > most_elements) return {fault::extent_too_large, most_elements, outputs, "pool: y"};
    for (const pools::direction& along : {pools::down(*this), pools::across(*this)})
        if (!window_at_call && !is_image() && along.misses_image())
            return {fault::shape_mismatch, along.reach() - 1, along.before, "pool: pad"};
    return check_views(x(), y());
}

// The whole image as one window.
constexpr pool_shape whole(const image_shape& s)
{
    return {.n = s.n,
            .h = s.h,
            .w = s.w,
            .c = s.c,
            .kh = s.h,
            .kw = s.w,
            .layout = s.layout,
            .ldx = s.ldx,
            .ldy = s.ldy,
            .batch_stride_x = s.batch_stride_x,
            .batch_stride_y = s.batch_stride_y};
}

// As max_pool<...>::signature() or average_pool's, for shapes that are known when a model is loaded; the words behind
// the type in order, each as signature_word gives it: "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const pool_shape& s, pooling how, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word(how == pooling::max ? "max_pool" : "average_pool");
    t.field(s.n.at_call ? "n<=" : "n", s.n.value)
        .field(s.h.at_call ? "h<=" : "h", s.h.value)
        .field(s.w.at_call ? "w<=" : "w", s.w.value)
        .field(s.c.at_call ? "c<=" : "c", s.c.value);
    s.kh.at_call ? t.word("kh=h") : t.field(s.window_at_call ? "kh<=" : "kh", s.kh.value);
    s.kw.at_call ? t.word("kw=w") : t.field(s.window_at_call ? "kw<=" : "kw", s.kw.value);
    if (s.window_at_call)
        t.word("s").word("p").word(how == pooling::max ? "d" : "d1");
    else
        add_window(t, s.window());
    // What changes nothing is not named.
    if (s.check().ok()) {
        const image_window v = s.window();
        const bool is_cut = s.oh() != v.outputs_down(s.h, s.kh) || s.ow() != v.outputs_across(s.w, s.kw);
        if (is_cut && !s.window_at_call) t.word("cut");
        pool_shape pixels = s;
        pixels.count_padding = count_padding::no;
        const bool differs =
            (v.pads() || s.window_at_call) && !(pools::down(pixels).counts_all() && pools::across(pixels).counts_all());
        if (how == pooling::average && s.count_padding == count_padding::yes && differs) t.word("padding");
    }
    t.word(name_of(s.layout));
    add_views(t, s);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

namespace pools {

constexpr window_parameters parameters_of(const pool_shape& s, pooling how)
{
    pool_shape one_pixel = s; // which images of the call have, whatever their window
    if (s.is_image()) one_pixel.kh = one_pixel.kw = 1;
    window_parameters p;
    p.add_image(one_pixel);
    p.x.c = p.y.c = p.open(s.c, "c");
    if (s.is_image()) {
        p.down.taps = p.x.h;
        p.across.taps = p.x.w;
    } else {
        p.add_window(s, how == pooling::max ? most_dilation : 1);
        p.count_windows(s, true);
    }
    p.add_distances();
    return p;
}

} // namespace pools

// The definition of a pool of any shape, with epilogues E.
template <class... E>
constexpr definition pool_definition(const pool_shape& shape, pooling how, operand_types type)
{
    enum : int { n, c, oh, ow, kh, kw };
    definition d;
    d.found = shape.check();
    if (!d.found.ok()) return d;
    window_parameters open = pools::parameters_of(shape, how);
    if (how == pooling::average) open.down.dilation = open.across.dilation = -1; // those of a call are 1
    for (const parameter& p : open.all) d.parameters.push_back(p);
    const auto images = [&](const char* name, hone::role role, const extent& h, const extent& w,
                            const image_parameters& p) {
        return dense_images(name, type.others, role, {shape.n, h, w, shape.c, shape.layout}, open.n, p);
    };
    d.tensors.push_back(images("x", role::input, shape.h, shape.w, open.x));
    d.tensors.push_back(images("y", role::output, shape.oh(), shape.ow(), open.y));
    lay_out(d, d.tensors[0], shape.x(), {0, 2, 3});
    lay_out(d, d.tensors[1], shape.y(), {0, 2, 3});

    const pools::direction rows = pools::down(shape), columns = pools::across(shape);
    stage s;
    s.name = "pool";
    s.axes.push_back({"n", shape.n, false, open.n});
    s.axes.push_back({"c", shape.c, false, open.x.c});
    s.axes.push_back({"oh", shape.oh(), false, open.y.h});
    s.axes.push_back({"ow", shape.ow(), false, open.y.w});
    s.axes.push_back({"kh", shape.kh, true, open.down.taps});
    s.axes.push_back({"kw", shape.kw, true, open.across.taps});
    s.reduce = how == pooling::max ? reduction::max : reduction::add;
    operand x{
        .tensor = 0, .may_leave = rows.leaves_image() || columns.leaves_image(), .outside = identity_of(s.reduce)};
    x.index.push_back(along(n));
    x.index.push_back(along(c));
    const bool is_open = shape.window_at_call;
    x.index.push_back(is_open ? along_open_window(oh, kh, open.down)
                              : along_window(oh, rows.stride, kh, rows.dilation, rows.before));
    x.index.push_back(is_open ? along_open_window(ow, kw, open.across)
                              : along_window(ow, columns.stride, kw, columns.dilation, columns.before));
    s.operands.push_back(x);
    s.output.tensor = 1;
    for (int a : {n, c, oh, ow}) s.output.index.push_back(along(a));
    s.body = ex::load(0);
    if (how == pooling::average) {
        for (const pools::direction& own : {rows, columns}) {
            const std::int64_t counted = own.extent + own.before + own.after;
            if (!own.counts_all() && counted > pools::most_counted)
                d.found = {fault::extent_too_large, pools::most_counted, counted, "pool"};
        }
        if (rows.counts_all() && columns.counts_all() && open.down.taps < 0 && open.across.taps < 0)
            s.epilogue = ex::acc() / static_cast<float>(shape.kh * shape.kw);
        else
            s.epilogue =
                ex::acc() / (rows.count(s, oh, open.x.h, open.down) * columns.count(s, ow, open.x.w, open.across));
    }
    d.stages.push_back(s);

    tensor bias_shape{.type = type.others};
    bias_shape.dims.push_back({.extent = shape.c});
    operand bias_index;
    bias_index.index.push_back(along(c));
    (add_epilogue<E>(d, 0, bias_shape, bias_index), ...);
    return d;
}

namespace pools {

template <pool_shape S, pooling How, class Type, operator_word... E>
struct pool {
    static_assert(accuracy_words<E...> <= 1, "hone::pool: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr pool_shape shape = S;

    static constexpr hone::definition definition() { return pool_definition<E...>(shape, How, types_of<Type>()); }
    static constexpr signature_text signature()
    {
        return signature_of(shape, How, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace pools

// x: n * h * w * c elements; y: n * oh * ow * c, and what is read per element lies as y does. Parameters of a call are
// n, h, w and c, where the shape leaves them open, then kh, kw, stride_h, stride_w, pad_top, pad_left, pad_bottom,
// pad_right, dilation_h and dilation_w of a window of the call, and behind them the distances of x and y. No images or
// channels are no work. An h or w whose padded image holds no window is out of range, and so is padding of which a
// window may be made, a dilation by which taps leap over the image, and of averages any dilation above 1.
template <pool_shape S, class Type, operator_word... E>
struct max_pool : pools::pool<S, pooling::max, Type, E...> {};
template <pool_shape S, class Type, operator_word... E>
struct average_pool : pools::pool<S, pooling::average, Type, E...> {};
// y: n * c elements.
template <image_shape S, class Type, operator_word... E>
struct global_max_pool : max_pool<whole(S), Type, E...> {};
template <image_shape S, class Type, operator_word... E>
struct global_average_pool : average_pool<whole(S), Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::average_pool, operators::count_padding, operators::global_average_pool, operators::global_max_pool,
    operators::last_window, operators::max_pool, operators::pool_shape, operators::pooling, operators::signature_of;
} // namespace hone
