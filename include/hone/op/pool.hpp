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

    std::int64_t n = 1;
    std::int64_t h = 1;
    std::int64_t w = 1;
    std::int64_t c = 1;
    std::int64_t kh = 1;
    std::int64_t kw = 1;
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

    constexpr image_window window() const { return window_of(*this); }
    constexpr std::int64_t oh() const;
    constexpr std::int64_t ow() const;
    constexpr image_view x() const { return view_of_x(*this, c, saturated_product(h, w)); }
    constexpr image_view y() const;
    constexpr status check() const;
};

namespace pools {

// A pool along one direction of its image: where taps stand, and which of them count.
struct direction {
    std::int64_t extent, taps, stride, dilation, before, after; // padding before and after the image
    last_window last;
    bool counts_padding;

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
    constexpr bool leaves_image() const { return before > 0 || first_of(outputs() - 1) + reach() > extent; }
    // Of each window the taps count that stand in [least, end).
    constexpr std::int64_t least() const { return counts_padding ? -before : 0; }
    constexpr std::int64_t end() const { return extent + (counts_padding ? after : 0); }
    constexpr bool misses_some_before() const { return -before < least(); }
    constexpr bool misses_some_after() const { return first_of(outputs() - 1) + reach() > end(); }
    constexpr bool counts_all() const { return !misses_some_before() && !misses_some_after(); }
    // Whether a window is taps of padding only.
    constexpr bool misses_image() const
    {
        if (reach() <= before || first_of(outputs() - 1) >= extent) return true;
        // Taps that are farther apart than the image is long may stand on both sides of it.
        for (std::int64_t o = 0; dilation > extent && o < outputs() && first_of(o) < 0; ++o) {
            const std::int64_t skipped = (-first_of(o) + dilation - 1) / dilation;
            if (skipped >= taps || first_of(o) + skipped * dilation >= extent) return true;
        }
        return false;
    }
    // Where the first tap p of an output stands, for count(). Where that divides by the dilation, 2 p + 1: half a pixel
    // farther no quotient is near a whole number.
    constexpr dim_index position(int axis) const
    {
        const std::int64_t parts = dilation > 1 ? 2 : 1;
        return along(axis, static_cast<std::int32_t>(parts * stride),
                     static_cast<std::int32_t>(parts - 1 - parts * before));
    }
    // How many taps count: those before ceil((end - p) / dilation), but for the first ceil((least - p) / dilation).
    constexpr expr count(int table) const
    {
        const auto number = [](std::int64_t v) { return expr(static_cast<float>(v)); };
        if (counts_all()) return number(taps);
        expr e;
        if (dilation == 1) {
            const expr p = ex::acc(), past = p + number(taps);
            e = (misses_some_after() ? ex::min(past, number(end())) : past) -
                (misses_some_before() ? ex::max(p, number(least())) : p);
        } else {
            const expr p = ex::acc(); // in steps of the dilation
            const auto steps = static_cast<float>(dilation);
            e = number(taps);
            if (misses_some_after()) e = ex::min(e, ex::floor(static_cast<float>(end()) / steps + 1 - p));
            if (misses_some_before()) e = e + ex::min(ex::floor(p), 0.0f); // least is 0
            e = e.with_accumulator(ex::acc() * (0.5f / steps));
        }
        return e.with_accumulator(ex::position(table)); // one node, however often it is read
    }
};

// Pixels and padding along a direction in which taps are counted, in floats.
inline constexpr std::int64_t most_counted = std::int64_t{1} << 20;

constexpr direction down(const pool_shape& s)
{
    const image_window v = s.window();
    return {s.h,       s.kh,         v.stride_h, v.dilation_h,
            v.pad_top, v.pad_bottom, s.last,     s.count_padding == count_padding::yes};
}
constexpr direction across(const pool_shape& s)
{
    const image_window v = s.window();
    return {s.w,        s.kw,        v.stride_w, v.dilation_w,
            v.pad_left, v.pad_right, s.last,     s.count_padding == count_padding::yes};
}

} // namespace pools

constexpr std::int64_t pool_shape::oh() const { return pools::down(*this).outputs(); }
constexpr std::int64_t pool_shape::ow() const { return pools::across(*this).outputs(); }
constexpr image_view pool_shape::y() const { return view_of_y(*this, c, saturated_product(oh(), ow())); }
constexpr status pool_shape::check() const
{
    for (std::int64_t e : {n, h, w, c})
        if (e < 1) return {fault::extent_zero, 1, e, "pool"};
    for (std::int64_t e : {n, h, w, c})
        if (e > most_elements) return {fault::extent_too_large, most_elements, e, "pool"};
    const status found = check_window(*this, {"pool", "pool: pad", "pool: window", "pool: h", "pool: w"});
    if (!found.ok()) return found;
    const image_window v = window();
    // Schedules may copy the image with its padding.
    const std::int64_t image = saturated_product(n, h + v.pad_top + v.pad_bottom, w + v.pad_left + v.pad_right, c);
    if (image > most_elements) return {fault::extent_too_large, most_elements, image, "pool: x"};
    const std::int64_t outputs = saturated_product(n, oh(), ow(), c);
    if (outputs > most_elements) return {fault::extent_too_large, most_elements, outputs, "pool: y"};
    for (const pools::direction& along : {pools::down(*this), pools::across(*this)})
        if (along.misses_image()) return {fault::shape_mismatch, along.reach() - 1, along.before, "pool: pad"};
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
    t.field("n", s.n).field("h", s.h).field("w", s.w).field("c", s.c).field("kh", s.kh).field("kw", s.kw);
    add_window(t, s.window());
    // What changes nothing is not named.
    if (s.check().ok()) {
        const image_window v = s.window();
        if (s.oh() != v.outputs_down(s.h, s.kh) || s.ow() != v.outputs_across(s.w, s.kw)) t.word("cut");
        pool_shape pixels = s;
        pixels.count_padding = count_padding::no;
        const bool differs = v.pads() && !(pools::down(pixels).counts_all() && pools::across(pixels).counts_all());
        if (how == pooling::average && s.count_padding == count_padding::yes && differs) t.word("padding");
    }
    t.word(name_of(s.layout));
    add_views(t, s);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

// The definition of a pool of any shape, with epilogues E.
template <class... E>
constexpr definition pool_definition(const pool_shape& shape, pooling how, operand_types type)
{
    enum : int { n, c, oh, ow, kh, kw };
    definition d;
    d.found = shape.check();
    if (!d.found.ok()) return d;
    d.tensors.push_back(
        dense_images("x", type.others, role::input, {shape.n, shape.h, shape.w, shape.c, shape.layout}));
    d.tensors.push_back(
        dense_images("y", type.others, role::output, {shape.n, shape.oh(), shape.ow(), shape.c, shape.layout}));
    lay_out(d, d.tensors[0], shape.x(), {0, 2, 3});
    lay_out(d, d.tensors[1], shape.y(), {0, 2, 3});

    const pools::direction rows = pools::down(shape), columns = pools::across(shape);
    stage s;
    s.name = "pool";
    s.axes.push_back({"n", shape.n});
    s.axes.push_back({"c", shape.c});
    s.axes.push_back({"oh", shape.oh()});
    s.axes.push_back({"ow", shape.ow()});
    s.axes.push_back({"kh", shape.kh, true});
    s.axes.push_back({"kw", shape.kw, true});
    s.reduce = how == pooling::max ? reduction::max : reduction::add;
    operand x{
        .tensor = 0, .may_leave = rows.leaves_image() || columns.leaves_image(), .outside = identity_of(s.reduce)};
    x.index.push_back(along(n));
    x.index.push_back(along(c));
    x.index.push_back(along_window(oh, rows.stride, kh, rows.dilation, rows.before));
    x.index.push_back(along_window(ow, columns.stride, kw, columns.dilation, columns.before));
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
        const auto counted = [&](const pools::direction& own, int axis) {
            const auto table = static_cast<int>(s.tables.size());
            if (!own.counts_all()) s.tables.push_back({.index = own.position(axis)});
            return own.count(table);
        };
        if (rows.counts_all() && columns.counts_all())
            s.epilogue = ex::acc() / static_cast<float>(shape.kh * shape.kw);
        else
            s.epilogue = ex::acc() / (counted(rows, oh) * counted(columns, ow));
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
// the distances of x and y, where the shape leaves them open.
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
