// SPDX-License-Identifier: BSL-1.0
// OpenBLAS: products, and convolutions in one group as products of the image's windows (im2col, which is timed; a
// window of one pixel needs none). Bias and ReLU are a loop over y behind them.
#include "operands.hpp"

#ifdef HONE_HAVE_OPENBLAS
#include <algorithm>
#include <cstring>
#include <memory>

#include <cblas.h>

namespace bench::layers {
namespace {

struct state {
    floats windows{}, y{};
    const float* weights = nullptr;
};

blasint b(std::int64_t n) { return static_cast<blasint>(n); }

// y[rows][channels], or y[channels][rows].
void add_bias_and_relu(const operands& in, float* y, std::int64_t outer, std::int64_t inner, bool inner_is_channel)
{
    const bool relu = in.of.relu;
    const float* const bias = in.of.bias ? in.bias.data() : nullptr;
    if (!relu && bias == nullptr) return;
    for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t i = 0; i < inner; ++i) {
            const float v = y[o * inner + i] + (bias == nullptr ? 0 : bias[inner_is_channel ? i : o]);
            y[o * inner + i] = relu && v < 0 ? 0 : v;
        }
}

void gemm(const operands& in, const state& st)
{
    const hone::gemm_shape& s = *in.of.gemm();
    const bool xt = s.x == hone::transposed::yes, wt = s.weights == hone::transposed::yes;
    const std::int64_t m = s.m.value;
    for (std::int64_t i = 0; i < s.batch; ++i)
        cblas_sgemm(CblasRowMajor, xt ? CblasTrans : CblasNoTrans, wt ? CblasTrans : CblasNoTrans, b(m), b(s.n), b(s.k),
                    1, in.x.data() + i * m * s.k, b(xt ? m : s.k.value), st.weights + i * s.k * s.n,
                    b(wt ? s.k.value : s.n.value), 0, st.y.data() + i * m * s.n, b(s.n));
    add_bias_and_relu(in, st.y.data(), s.batch * m, s.n, true);
}

bool is_one_pixel(const hone::conv2d_shape& s)
{
    const hone::operators::image_window v = s.window();
    return s.kh == 1 && s.kw == 1 && v.stride_h == 1 && v.stride_w == 1 && !v.pads();
}

// windows[pixel][kh][kw][ic], or windows[ic][kh][kw][pixel].
void gather(const hone::conv2d_shape& s, const float* x, float* to)
{
    const hone::operators::image_window v = s.window();
    const std::int64_t oh = s.oh(), ow = s.ow();
    const auto row_of = [&](std::int64_t h, std::int64_t kh) { return h * v.stride_h + kh * v.dilation_h - v.pad_top; };
    const auto column_of = [&](std::int64_t w, std::int64_t kw) {
        return w * v.stride_w + kw * v.dilation_w - v.pad_left;
    };
    const auto inside = [&](std::int64_t h, std::int64_t w) { return h >= 0 && h < s.h && w >= 0 && w < s.w; };
    const auto channels = static_cast<std::size_t>(s.ic) * sizeof(float);
    if (s.layout == hone::layout::nhwc) {
        for (std::int64_t h = 0; h < oh; ++h)
            for (std::int64_t w = 0; w < ow; ++w)
                for (std::int64_t kh = 0; kh < s.kh; ++kh)
                    for (std::int64_t kw = 0; kw < s.kw; ++kw, to += s.ic) {
                        const std::int64_t ih = row_of(h, kh), iw = column_of(w, kw);
                        if (inside(ih, iw))
                            std::memcpy(to, x + (ih * s.w + iw) * s.ic, channels);
                        else
                            std::memset(to, 0, channels);
                    }
        return;
    }
    for (std::int64_t c = 0; c < s.ic; ++c)
        for (std::int64_t kh = 0; kh < s.kh; ++kh)
            for (std::int64_t kw = 0; kw < s.kw; ++kw)
                for (std::int64_t h = 0; h < oh; ++h)
                    for (std::int64_t w = 0; w < ow; ++w) {
                        const std::int64_t ih = row_of(h, kh), iw = column_of(w, kw);
                        *to++ = inside(ih, iw) ? x[(c * s.h + ih) * s.w + iw] : 0;
                    }
}

void convolution(const operands& in, const state& st)
{
    const hone::conv2d_shape& s = *in.of.conv2d();
    const bool nhwc = s.layout == hone::layout::nhwc;
    const std::int64_t pixels = s.oh() * s.ow(), depth = s.kh * s.kw * s.ic;
    for (std::int64_t n = 0; n < s.n; ++n) {
        const float* const image = in.x.data() + n * s.h * s.w * s.ic;
        float* const y = st.y.data() + n * pixels * s.oc;
        const float* windows = image;
        if (!is_one_pixel(s)) {
            gather(s, image, st.windows.data());
            windows = st.windows.data();
        }
        if (nhwc)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b(pixels), b(s.oc), b(depth), 1, windows, b(depth),
                        st.weights, b(depth), 0, y, b(s.oc));
        else
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, b(s.oc), b(pixels), b(depth), 1, st.weights,
                        b(depth), windows, b(pixels), 0, y, b(pixels));
        add_bias_and_relu(in, y, nhwc ? pixels : s.oc.value, nhwc ? s.oc.value : pixels, nhwc);
    }
}

} // namespace

void add_openblas(field& to, const peer_call& p)
{
    const operands& in = p.in;
    const auto* const s = in.of.conv2d();
    if (s != nullptr && s->groups > 1) return;
    const auto st = std::make_shared<state>();
    st->y = floats(static_cast<std::size_t>(in.outputs));
    st->weights = in.weights.data();
    std::string name = "openblas";
    if (s != nullptr && !is_one_pixel(*s)) {
        const std::int64_t count = s->oh() * s->ow() * s->kh * s->kw * s->ic;
        if (count > std::int64_t{1} << 28) return; // a gigabyte
        st->windows = floats(static_cast<std::size_t>(count));
        name = "im2col, openblas";
    }
    contender c{.name = name,
                .call =
                    [st, &in] {
                        if (in.of.conv2d() != nullptr)
                            convolution(in, *st);
                        else
                            gemm(in, *st);
                    },
                .weights = in.weights.data(),
                .weight_count = in.weights.size(),
                .take_weights = [st](const float* copy) { st->weights = copy; }};
    st->y.poison();
    c.call();
    c.error = in.expected.error(st->y);
    to.add(std::move(c), side::peer);
}

std::string openblas_version() { return openblas_get_config(); }

} // namespace bench::layers

#else

namespace bench::layers {
void add_openblas(field&, const peer_call&) {}
std::string openblas_version() { return ""; }
} // namespace bench::layers

#endif
