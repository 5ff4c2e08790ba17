// SPDX-License-Identifier: BSL-1.0
// The operands of a convolution with bias and ReLU, its reference, and oneDNN as contender: weights packed before the
// timing, bias and ReLU fused, activations in the layout that oneDNN asks for.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>

#include <hone/op/conv2d.hpp>

#include "rounds.hpp"
#ifdef HONE_HAVE_ONEDNN
#include "onednn.hpp"
#endif

namespace bench {

// NHWC activations and OHWI weights, or NCHW and OIHW.
struct conv2d_operands {
    hone::conv2d_shape s;
    floats x, weights, bias;
    reference expected{};

    explicit conv2d_operands(const hone::conv2d_shape& shape)
        : s(shape), x(floats::random(s.n * s.h * s.w * s.ic, 1, 1)),
          weights(floats::random(s.oc * s.kh * s.kw * channels(),
                                 1 / std::sqrt(static_cast<float>(s.kh * s.kw * channels())), 2)),
          bias(floats::random(s.oc, 0.5f, 3))
    {
        // Corners, borders and others; the first and the last element are among the corners.
        std::mt19937 bits(4);
        const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(bits() % static_cast<unsigned>(n)); };
        for (std::int64_t oh : {std::int64_t{0}, s.oh() - 1})
            for (std::int64_t ow : {std::int64_t{0}, s.ow() - 1})
                for (std::int64_t oc : {std::int64_t{0}, s.oc - 1}) add(0, oh, ow, oc);
        for (int i = 0; i < 200; ++i) {
            add(below(s.n), i % 2 * (s.oh() - 1), below(s.ow()), below(s.oc));
            add(below(s.n), below(s.oh()), i % 2 * (s.ow() - 1), below(s.oc));
        }
        for (int i = 0; i < 1000; ++i) add(below(s.n), below(s.oh()), below(s.ow()), below(s.oc));
    }
    std::int64_t outputs() const { return s.n * s.oh() * s.ow() * s.oc; }
    double gflop() const { return 2e-9 * static_cast<double>(outputs() * s.kh * s.kw * channels()); }
    std::int64_t channels() const { return s.ic / s.groups; } // of x, that an output reads

private:
    void add(std::int64_t n, std::int64_t oh, std::int64_t ow, std::int64_t oc)
    {
        double sum = bias[oc];
        for (std::int64_t kh = 0; kh < s.kh; ++kh)
            for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                const std::int64_t h = oh * s.stride + kh - s.pad;
                const std::int64_t w = ow * s.stride + kw - s.pad;
                if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                const std::int64_t first = oc / (s.oc / s.groups) * channels();
                for (std::int64_t ic = 0; ic < channels(); ++ic)
                    sum += static_cast<double>(x[place(n, h, w, first + ic, s.h, s.w, s.ic)]) *
                           static_cast<double>(weights[place(oc, kh, kw, ic, s.kh, s.kw, channels())]);
            }
        expected.add(place(n, oh, ow, oc, s.oh(), s.ow(), s.oc), sum < 0 ? 0 : sum);
    }
    std::int64_t place(std::int64_t image, std::int64_t row, std::int64_t column, std::int64_t channel,
                       std::int64_t rows, std::int64_t columns, std::int64_t count) const
    {
        return s.layout == hone::layout::nhwc ? ((image * rows + row) * columns + column) * count + channel
                                              : ((image * count + channel) * rows + row) * columns + column;
    }
};

#ifdef HONE_HAVE_ONEDNN
// In which layout a peer has activations.
enum class activations {
    its_own,   // that which it asks for; nobody is charged for it
    given,     // as the operands are
    reordered, // given, and brought into its own and back in each call
};
// oneDNN's convolution by an algorithm; nothing is added where it has none for this shape.
inline void add_onednn(std::vector<contender>& to, const char* name, const conv2d_operands& in,
                       dnnl::algorithm algorithm, activations where = activations::its_own)
{
    using dnnl::memory;
    const hone::conv2d_shape& s = in.s;
    struct state {
        dnnl::engine engine{dnnl::engine::kind::cpu, 0};
        dnnl::stream stream{engine};
        dnnl::convolution_forward::primitive_desc description;
        dnnl::convolution_forward convolution;
        memory x, weights, bias, y;
        std::unordered_map<int, memory> arguments;
    };
    const auto st = std::make_shared<state>();
    const memory::dims dx{s.n, s.ic, s.h, s.w};
    const bool has_groups = s.groups > 1;
    const memory::dims dw = has_groups ? memory::dims{s.groups, s.oc / s.groups, in.channels(), s.kh, s.kw}
                                       : memory::dims{s.oc, s.ic, s.kh, s.kw};
    const memory::dims dy{s.n, s.oc, s.oh(), s.ow()};
    const bool nhwc = s.layout == hone::layout::nhwc;
    const auto plain_tag = nhwc ? memory::format_tag::nhwc : memory::format_tag::nchw;
    const auto any = [](const memory::dims& d) { return onednn::described(d, memory::format_tag::any); };
    const auto image = [&](const memory::dims& d) {
        return where == activations::given ? onednn::described(d, plain_tag) : any(d);
    };
    try {
        st->description = onednn::convolution(
            st->engine, algorithm, {image(dx), any(dw), onednn::described({s.oc}, memory::format_tag::a), image(dy)},
            s.stride, s.pad);
    } catch (const dnnl::error&) {
        return;
    }
    st->convolution = dnnl::convolution_forward(st->description);
    st->x = memory(st->description.src_desc(), st->engine);
    st->weights = memory(st->description.weights_desc(), st->engine);
    st->bias = memory(st->description.bias_desc(), st->engine, in.bias.data());
    st->y = memory(st->description.dst_desc(), st->engine);
    const auto plain = [&](const memory::dims& d, memory::format_tag tag, float* data) {
        return memory(onednn::described(d, tag), st->engine, data);
    };
    const auto reorder = [st](memory from, memory to_memory) {
        dnnl::reorder(from, to_memory).execute(st->stream, from, to_memory);
        st->stream.wait();
    };
    const memory plain_x = plain(dx, plain_tag, in.x.data());
    reorder(plain_x, st->x);
    // Winograd's weights are made from OIHW only.
    const floats oihw(in.weights.size());
    const auto usual = has_groups ? memory::format_tag::goihw : memory::format_tag::oihw;
    const auto given = !nhwc ? usual : has_groups ? memory::format_tag::gohwi : memory::format_tag::ohwi;
    reorder(plain(dw, given, in.weights.data()), plain(dw, usual, oihw.data()));
    reorder(plain(dw, usual, oihw.data()), st->weights);
    st->arguments = {
        {DNNL_ARG_SRC, st->x}, {DNNL_ARG_WEIGHTS, st->weights}, {DNNL_ARG_BIAS, st->bias}, {DNNL_ARG_DST, st->y}};

    contender c{.name = name,
                .call =
                    [st] {
                        st->convolution.execute(st->stream, st->arguments);
                        st->stream.wait();
                    },
                .weights = static_cast<const float*>(st->weights.get_data_handle()),
                .weight_count = st->description.weights_desc().get_size() / sizeof(float),
                .take_weights = [st](const float* copy) { st->weights.set_data_handle(const_cast<float*>(copy)); }};
    const floats y(static_cast<std::size_t>(in.outputs()));
    y.poison();
    const memory plain_y = plain(dy, plain_tag, y.data());
    if (where == activations::reordered) {
        const auto own_y = std::make_shared<floats>(y.size());
        const memory result = plain(dy, plain_tag, own_y->data());
        c.call = [st, own_y, plain_x, result, from = dnnl::reorder(plain_x, st->x),
                  back = dnnl::reorder(st->y, result)] {
            from.execute(st->stream, {{DNNL_ARG_FROM, plain_x}, {DNNL_ARG_TO, st->x}});
            st->convolution.execute(st->stream, st->arguments);
            back.execute(st->stream, {{DNNL_ARG_FROM, st->y}, {DNNL_ARG_TO, result}});
            st->stream.wait();
        };
    }
    reorder(plain_y, st->y);
    c.call();
    reorder(st->y, plain_y);
    c.error = in.expected.error(y);
    to.push_back(std::move(c));
}
#endif

} // namespace bench
