// SPDX-License-Identifier: BSL-1.0
// Operators without weights, as a user would write them: pooling over windows of an image, averages over all of it, and
// reductions of the rows of a matrix. With their formulas as plain loops in double, which share nothing with hone.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include <hone/op/conv2d.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/epilogue.hpp>

namespace reductions {

// How elements come together; the mean of a window counts its padding.
enum class fold : std::uint8_t { sum, mean, largest, least, squares };
constexpr const char* name_of(fold f)
{
    constexpr const char* names[] = {"sum", "mean", "largest", "least", "squares"};
    return names[static_cast<int>(f)];
}

struct pool_shape {
    std::int64_t n = 1, h = 1, w = 1, c = 1;
    std::int64_t kh = 1, kw = 1, stride = 1, pad = 0;
    fold how = fold::largest;
    hone::layout layout = hone::layout::nhwc;

    constexpr std::int64_t oh() const { return (h + 2 * pad - kh) / stride + 1; }
    constexpr std::int64_t ow() const { return (w + 2 * pad - kw) / stride + 1; }
    constexpr bool is_nhwc() const { return layout == hone::layout::nhwc; }
    constexpr std::int64_t x_elements() const { return n * h * w * c; }
    constexpr std::int64_t y_elements() const { return n * oh() * ow() * c; }
    constexpr std::int64_t x_at(std::int64_t in, std::int64_t ih, std::int64_t iw, std::int64_t ic) const
    {
        return is_nhwc() ? ((in * h + ih) * w + iw) * c + ic : ((in * c + ic) * h + ih) * w + iw;
    }
    constexpr std::int64_t y_at(std::int64_t in, std::int64_t ih, std::int64_t iw, std::int64_t ic) const
    {
        return is_nhwc() ? ((in * oh() + ih) * ow() + iw) * c + ic : ((in * c + ic) * oh() + ih) * ow() + iw;
    }
    // Of an element of y.
    constexpr std::int64_t channel_of(std::int64_t at) const { return is_nhwc() ? at % c : at / (oh() * ow()) % c; }
    friend constexpr bool operator==(const pool_shape&, const pool_shape&) = default;
};
// Of the whole image.
constexpr pool_shape global(pool_shape s)
{
    s.kh = s.h;
    s.kw = s.w;
    return s;
}
struct rows_shape {
    std::int64_t rows = 1, n = 1;
    std::int64_t distance = 0; // of two rows in x, in elements; 0: n
    fold how = fold::largest;
    bool at_call = false; // as many rows as the call says, at most those

    constexpr std::int64_t pitch() const { return distance > 0 ? distance : n; }
    constexpr std::int64_t x_elements() const { return (rows - 1) * pitch() + n; }
    constexpr std::int64_t y_elements() const { return rows; }
    constexpr std::int64_t channel_of(std::int64_t) const { return 0; }
    friend constexpr bool operator==(const rows_shape&, const rows_shape&) = default;
};

// What a stage does with what its first operand reads.
constexpr void set_fold(hone::stage& s, fold how, std::int64_t terms)
{
    s.reduce = how == fold::largest ? hone::reduction::max
               : how == fold::least ? hone::reduction::min
                                    : hone::reduction::add;
    s.body = how == fold::squares ? hone::ex::load(0) * hone::ex::load(0) : hone::ex::load(0);
    if (how == fold::mean) s.epilogue = hone::ex::acc() * (1.0f / static_cast<float>(terms));
}
constexpr hone::tensor dense(const char* name, hone::role role, std::initializer_list<std::int64_t> extents)
{
    hone::tensor t{.name = name, .role = role};
    for (const std::int64_t e : extents) t.dims.push_back({.extent = e});
    hone::set_dense(t);
    return t;
}

// Axes n, c, oh, ow, kh and kw.
template <class... E>
constexpr hone::definition definition_of(const pool_shape& of)
{
    hone::definition d;
    const bool nhwc = of.is_nhwc();
    const auto image = [&](std::int64_t h, std::int64_t w, const char* name, hone::role role) {
        return nhwc ? dense(name, role, {of.n, h, w, of.c}) : dense(name, role, {of.n, of.c, h, w});
    };
    d.tensors.push_back(image(of.h, of.w, "x", hone::role::input));
    d.tensors.push_back(image(of.oh(), of.ow(), "y", hone::role::output));
    enum : int { n, c, oh, ow, kh, kw };
    hone::stage s{.name = "pool"};
    for (const hone::axis& a : {hone::axis{"n", of.n}, {"c", of.c}, {"oh", of.oh()}, {"ow", of.ow()}})
        s.axes.push_back(a);
    s.axes.push_back({"kh", of.kh, true});
    s.axes.push_back({"kw", of.kw, true});
    const auto index = [&](const hone::dim_index& h, const hone::dim_index& w) {
        hone::core::inline_vector<hone::dim_index, 6> i;
        i.push_back(hone::along(n));
        if (!nhwc) i.push_back(hone::along(c));
        i.push_back(h);
        i.push_back(w);
        if (nhwc) i.push_back(hone::along(c));
        return i;
    };
    const auto stride = static_cast<std::int32_t>(of.stride), pad = static_cast<std::int32_t>(of.pad);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    hone::operand x{.tensor = 0, .may_leave = of.pad > 0};
    x.outside = of.how == fold::largest ? -infinity : of.how == fold::least ? infinity : 0.0f;
    x.index = index(hone::along(oh, stride, kh, 1, -pad), hone::along(ow, stride, kw, 1, -pad));
    s.operands.push_back(x);
    s.output.tensor = 1;
    s.output.index = index(hone::along(oh), hone::along(ow));
    set_fold(s, of.how, of.kh * of.kw);
    d.stages.push_back(s);
    hone::tensor bias_shape;
    bias_shape.dims.push_back({.extent = of.c});
    hone::operand bias_index;
    bias_index.index.push_back(hone::along(c));
    (hone::add_epilogue<E>(d, 0, bias_shape, bias_index), ...);
    return d;
}
template <pool_shape S, class... E>
struct pool {
    static constexpr pool_shape shape = S;
    static constexpr hone::definition definition() { return definition_of<E...>(S); }
    static constexpr hone::signature_text signature()
    {
        hone::signature_text t;
        t.word("pool").word(name_of(S.how)).field("n", S.n).field("h", S.h).field("w", S.w).field("c", S.c);
        t.field("kh", S.kh).field("kw", S.kw).field("s", S.stride).field("p", S.pad);
        t.word(S.is_nhwc() ? "nhwc" : "nchw");
        (t.word(hone::signature_word<E>()), ...);
        return t;
    }
};

// Axes row and i.
template <class... E>
constexpr hone::definition definition_of(const rows_shape& of)
{
    hone::definition d;
    const std::int16_t at_call = of.at_call ? std::int16_t{0} : std::int16_t{-1};
    if (of.at_call) d.parameters.push_back({.name = "rows", .least = 0, .most = of.rows});
    d.tensors.push_back(dense("x", hone::role::input, {of.rows, of.n}));
    d.tensors.push_back(dense("y", hone::role::output, {of.rows}));
    d.tensors[0].dims[0].stride = of.pitch();
    for (hone::tensor& t : d.tensors) t.dims[0].extent_parameter = at_call;
    hone::stage s{.name = "rows"};
    s.axes.push_back({"row", of.rows, false, at_call});
    s.axes.push_back({"i", of.n, true});
    hone::operand x{.tensor = 0};
    x.index.push_back(hone::along(0));
    x.index.push_back(hone::along(1));
    s.operands.push_back(x);
    s.output.tensor = 1;
    s.output.index.push_back(hone::along(0));
    set_fold(s, of.how, of.n);
    d.stages.push_back(s);
    (hone::add_epilogue<E>(d, 0, hone::tensor{}, hone::operand{}), ...);
    return d;
}
template <rows_shape S, class... E>
struct rows {
    static constexpr rows_shape shape = S;
    static constexpr hone::definition definition() { return definition_of<E...>(S); }
    static constexpr hone::signature_text signature()
    {
        hone::signature_text t;
        t.word("rows").word(name_of(S.how)).field("rows", S.rows).field("n", S.n).field("pitch", S.pitch());
        if (S.at_call) t.word("at call");
        (t.word(hone::signature_word<E>()), ...);
        return t;
    }
};

// One element after the other. Of NaN, a maximum and a minimum take no notice: what does not compare stays out.
struct running {
    fold how;
    double value;
    std::int64_t terms = 0;

    explicit running(fold f)
        : how(f), value(f == fold::largest ? -std::numeric_limits<double>::infinity()
                        : f == fold::least ? std::numeric_limits<double>::infinity()
                                           : 0.0)
    {
    }
    void take(double v)
    {
        ++terms;
        switch (how) {
        case fold::sum:
        case fold::mean: value += v; break;
        case fold::squares: value += v * v; break;
        case fold::largest: value = v > value ? v : value; break;
        case fold::least: value = v < value ? v : value; break;
        }
    }
    double result(std::int64_t of) const { return how == fold::mean ? value / static_cast<double>(of) : value; }
};

// y before its epilogue.
inline std::vector<double> expected(const pool_shape& s, const float* x)
{
    std::vector<double> y(static_cast<std::size_t>(s.y_elements()));
    for (std::int64_t n = 0; n < s.n; ++n)
        for (std::int64_t oh = 0; oh < s.oh(); ++oh)
            for (std::int64_t ow = 0; ow < s.ow(); ++ow)
                for (std::int64_t c = 0; c < s.c; ++c) {
                    running r(s.how);
                    for (std::int64_t kh = 0; kh < s.kh; ++kh)
                        for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                            const std::int64_t h = oh * s.stride + kh - s.pad, w = ow * s.stride + kw - s.pad;
                            if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                            r.take(static_cast<double>(x[s.x_at(n, h, w, c)]));
                        }
                    y[static_cast<std::size_t>(s.y_at(n, oh, ow, c))] = r.result(s.kh * s.kw);
                }
    return y;
}
inline std::vector<double> expected(const rows_shape& s, const float* x)
{
    std::vector<double> y;
    for (std::int64_t row = 0; row < s.rows; ++row) {
        running r(s.how);
        for (std::int64_t i = 0; i < s.n; ++i) r.take(static_cast<double>(x[row * s.pitch() + i]));
        y.push_back(r.result(s.n));
    }
    return y;
}

} // namespace reductions
