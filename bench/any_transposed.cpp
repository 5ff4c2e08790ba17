// SPDX-License-Identifier: BSL-1.0
// What it costs to leave the shape of a transposed convolution to the call: for layers of generators and of U-Nets, the
// time of the default kernel of exactly the shape over that of the kernel of any window, and over that of the kernel of
// its window, which leaves images and channels open. fp32, batch 1, NHWC, bias and ReLU fused, one thread.
//
//   any_transposed --layers all --rounds 31
//
// Each result is compared with a double reference, on poisoned outputs, before it is timed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <utility>
#include <vector>

#include <hone/cpu/find_in_range.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/op/any_transposed.hpp>

#include "kernel_peer.hpp"
#include "rounds.hpp"

namespace {

using shape = hone::conv2d_transposed_shape;

struct named_shape {
    const char* name;
    shape of;
};
// Square images and windows.
constexpr named_shape layer(const char* name, std::int64_t size, std::int64_t ic, std::int64_t oc, std::int64_t kernel,
                            std::int64_t stride, std::int64_t pad = 0, std::int64_t more = 0)
{
    return {name,
            {.h = size,
             .w = size,
             .ic = ic,
             .oc = oc,
             .kh = kernel,
             .kw = kernel,
             .stride = stride,
             .pad = pad,
             .output_padding = more}};
}
constexpr named_shape layers[] = {
    layer("dcgan4", 4, 1024, 512, 4, 2, 1),  layer("dcgan8", 8, 512, 256, 4, 2, 1),
    layer("dcgan16", 16, 256, 128, 4, 2, 1), layer("dcgan32", 32, 128, 64, 4, 2, 1),
    layer("unet14", 14, 1024, 512, 2, 2),    layer("unet28", 28, 512, 256, 2, 2),
    layer("unet56", 56, 256, 128, 2, 2),     layer("style64", 64, 128, 64, 3, 2, 1, 1),
    layer("fcn16", 16, 21, 21, 16, 8, 4),    layer("wide8", 8, 512, 256, 5, 2, 2, 1),
    layer("same28", 28, 128, 128, 3, 1, 1),
};

constexpr shape opened(shape s)
{
    const auto side = hone::extent::up_to(512), channels = hone::extent::up_to(4096);
    s.n = hone::extent::up_to(8);
    s.h = s.w = side;
    s.ic = s.oc = channels;
    return s;
}
template <shape Shape>
struct operation : hone::conv2d_transposed<Shape, hone::f32, hone::bias, hone::relu> {};
struct any_layer : hone::any_conv2d_transposed<hone::f32, hone::bias, hone::relu> {};

struct open_kernel {
    const char* signature;
    bench::kernel_functions functions;
};
template <class Op>
open_kernel open(const char* name)
{
    return {hone::kernel<Op>::signature.c_str(), bench::functions_of<hone::kernel<Op>>(name)};
}

// By the pixels that are spread over an output.
bench::reference expected(const shape& s, const bench::floats& x, const bench::floats& weights,
                          const bench::floats& bias)
{
    bench::reference y;
    const std::int64_t ow = s.ow(), outputs = s.oh() * ow * s.oc;
    for (std::int64_t i = 0; i < outputs; i += outputs / 997 + 1) {
        const std::int64_t o = i % s.oc, column = i / s.oc % ow + s.pad, row = i / s.oc / ow + s.pad;
        double sum = static_cast<double>(bias[o]);
        for (std::int64_t kh = row % s.stride; kh < s.kh; kh += s.stride)
            for (std::int64_t kw = column % s.stride; kw < s.kw; kw += s.stride) {
                const std::int64_t h = (row - kh) / s.stride, w = (column - kw) / s.stride;
                if (kh > row || kw > column || h >= s.h || w >= s.w) continue;
                for (std::int64_t c = 0; c < s.ic; ++c)
                    sum += static_cast<double>(x[(h * s.w + w) * s.ic + c]) *
                           static_cast<double>(weights[((o * s.kh + kh) * s.kw + kw) * s.ic + c]);
            }
        y.add(i, sum > 0 ? sum : 0);
    }
    return y;
}

void report(const named_shape& l, const bench::kernel_functions& known, const std::vector<open_kernel>& any,
            const bench::options& o)
{
    if (!o.selects("--layers", l.name)) return;
    const shape& s = l.of;
    const hone::signature_text signature = hone::signature_of(s, hone::dtype::f32, {"bias", "relu"});
    const bench::floats x = bench::floats::random(s.h * s.w * s.ic, 1.0f, 1),
                        weights = bench::floats::random(s.oc * s.kh * s.kw * s.ic, 0.1f, 2),
                        bias = bench::floats::random(s.oc, 1.0f, 3);
    const bench::reference y = expected(s, x, weights, bias);
    const std::int64_t outputs = s.oh() * s.ow() * s.oc;
    std::vector<bench::contender> contenders;
    const auto add = [&](const bench::kernel_functions& kernel, const std::int64_t* parameters) {
        bench::add_kernel(contenders, kernel, weights, {.x = x.data(), .bias = bias.data(), .parameters = parameters},
                          outputs, y);
    };
    add(known, nullptr);
    std::vector<std::vector<std::int64_t>> given;
    for (const open_kernel& k : any) {
        const auto own = hone::parameters_in_range(k.signature, signature.c_str());
        given.emplace_back(own.begin(), own.end());
    }
    for (std::size_t k = 0; k < any.size(); ++k)
        if (!given[k].empty()) add(any[k].functions, given[k].data());
    bench::run_rounds(contenders, o.number("--rounds"), hone::tune::cache_mode::hot);
    std::printf("%s\n", signature.c_str());
    const double products = static_cast<double>(s.h * s.w * s.kh * s.kw * s.ic * s.oc); // but for those that are cut
    bench::print(l.name, 2e-9 * products, contenders, {"exact shape"});
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--layers", "all"}, {"--rounds", "31"}});
    bench::use_one_thread(argv);
    const std::vector<open_kernel> any{open<any_layer>("any window"),
                                       open<operation<opened(layers[0].of)>>("known window"),
                                       open<operation<opened(layers[4].of)>>("known window"),
                                       open<operation<opened(layers[7].of)>>("known window"),
                                       open<operation<opened(layers[8].of)>>("known window"),
                                       open<operation<opened(layers[9].of)>>("known window"),
                                       open<operation<opened(layers[10].of)>>("known window")};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (report(layers[I], bench::functions_of<hone::kernel<operation<layers[I].of>>>("exact shape"), any, o), ...);
    }(std::make_index_sequence<std::size(layers)>{});
}
