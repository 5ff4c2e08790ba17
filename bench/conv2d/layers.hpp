// SPDX-License-Identifier: BSL-1.0
// ResNet-18's convolutions as workloads, MobileNet's depthwise ones, some of channels that fill no vector and groups
// of few, and how one of them is run beside its peers. The layers are spread over a few sources, because each kernel
// costs one to three seconds of the compiler.
#pragma once

#include <cstdint>
#include <vector>

#include <hone/cpu/kernel.hpp>
#include <hone/op/conv2d.hpp>

#include "../conv2d_peers.hpp"
#include "../kernel_peer.hpp"
#include "../rounds.hpp"

namespace bench {

using hone::direct_knobs;
using hone::winograd_knobs;

template <std::int64_t Size, std::int64_t Ic, std::int64_t Oc, std::int64_t Kernel, std::int64_t Stride>
using layer = hone::conv2d<
    hone::conv2d_shape{
        .h = Size, .w = Size, .ic = Ic, .oc = Oc, .kh = Kernel, .kw = Kernel, .stride = Stride, .pad = Kernel / 2},
    hone::f32, hone::bias, hone::relu>;
struct c1 : layer<224, 3, 64, 7, 2> {};
struct c2 : layer<56, 64, 64, 3, 1> {};
struct c3 : layer<56, 64, 64, 1, 1> {};
struct c4 : layer<56, 64, 128, 3, 2> {};
struct c5 : layer<56, 64, 128, 1, 2> {};
struct c6 : layer<28, 128, 128, 3, 1> {};
struct c7 : layer<28, 128, 256, 3, 2> {};
struct c8 : layer<28, 128, 256, 1, 2> {};
struct c9 : layer<14, 256, 256, 3, 1> {};
struct c10 : layer<14, 256, 512, 3, 2> {};
struct c11 : layer<14, 256, 512, 1, 2> {};
struct c12 : layer<7, 512, 512, 3, 1> {};

template <std::int64_t Size, std::int64_t Channels, std::int64_t Kernel, std::int64_t Stride>
using depthwise_layer = hone::conv2d<hone::conv2d_shape{.h = Size,
                                                        .w = Size,
                                                        .ic = Channels,
                                                        .oc = Channels,
                                                        .kh = Kernel,
                                                        .kw = Kernel,
                                                        .stride = Stride,
                                                        .pad = Kernel / 2,
                                                        .groups = Channels},
                                     hone::f32, hone::bias, hone::relu>;

template <std::int64_t Size, std::int64_t Ic, std::int64_t Oc, std::int64_t Groups>
using grouped_layer =
    hone::conv2d<hone::conv2d_shape{
                     .h = Size, .w = Size, .ic = Ic, .oc = Oc, .kh = 3, .kw = 3, .pad = 1, .groups = Groups},
                 hone::f32, hone::bias, hone::relu>;

// A config set of one config for one layer. The knobs were found on AVX-512; elsewhere a kernel takes its defaults.
template <class Layer, direct_knobs K>
struct direct {
    static constexpr hone::signature_text signature = Layer::signature();
    static constexpr hone::cpu_entry entries[1]{
        {.signature = signature.c_str(), .set = hone::isa::avx512, .config = hone::config_text<hone::direct, K>}};
};
template <class Layer, winograd_knobs K>
struct winograd {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr hone::signature_text signature = Layer::signature();
    static constexpr hone::cpu_entry entries[1]{
        {.signature = signature.c_str(), .set = hone::isa::avx512, .config = hone::config_text<hone::winograd, K>}};
};

// Times a layer with these knobs, with the defaults, and with Winograd where knobs for it are given.
template <class Layer, direct_knobs Direct, winograd_knobs... Winograd>
void run(const char* name, const options& o)
{
    if (!o.selects("--layers", name)) return;
    const conv2d_operands in(Layer::shape);
    std::vector<contender> contenders;
    const auto add = [&]<class Kernel>(const char* kernel, Kernel) {
        add_kernel(contenders, functions_of<Kernel>(kernel), in.weights, {.x = in.x.data(), .bias = in.bias.data()},
                   in.outputs(), in.expected);
    };
    add("hone direct", hone::kernel<Layer, direct<Layer, Direct>>{});
    add("hone default", hone::kernel<Layer>{});
    if constexpr (hone::compiled_isa() == hone::isa::avx512)
        (add("hone winograd", hone::kernel<Layer, winograd<Layer, Winograd>>{}), ...);
#ifdef HONE_HAVE_ONEDNN
    add_onednn(contenders, "onednn direct", in, dnnl::algorithm::convolution_direct);
    add_onednn(contenders, "onednn winograd", in, dnnl::algorithm::convolution_winograd);
#endif
    run_rounds(contenders, o.number("--rounds"), weights_of(o));
    print(name, in.gflop(), contenders, {"onednn direct", "onednn winograd"});
}

// The default beside oneDNN, as engines meet it that never tune.
template <class Layer>
void run_default(const char* name, const options& o)
{
    if (!o.selects("--layers", name)) return;
    const conv2d_operands in(Layer::shape);
    std::vector<contender> contenders;
    add_kernel(contenders, functions_of<hone::kernel<Layer>>("hone default"), in.weights,
               {.x = in.x.data(), .bias = in.bias.data()}, in.outputs(), in.expected);
#ifdef HONE_HAVE_ONEDNN
    add_onednn(contenders, "onednn direct", in, dnnl::algorithm::convolution_direct);
#endif
    run_rounds(contenders, o.number("--rounds"), weights_of(o));
    print(name, in.gflop(), contenders, {"onednn direct"});
}

// The default on NCHW tensors, beside oneDNN on the same ones: as they are, and in its own layout with both reorders.
template <hone::conv2d_shape Shape>
void run_planes(const char* name, const options& o)
{
    if (!o.selects("--layers", name)) return;
    constexpr hone::conv2d_shape shape = [] {
        hone::conv2d_shape s = Shape;
        s.layout = hone::layout::nchw;
        return s;
    }();
    const conv2d_operands in(shape);
    std::vector<contender> contenders;
    add_kernel(contenders,
               functions_of<hone::kernel<hone::conv2d<shape, hone::f32, hone::bias, hone::relu>>>("hone default"),
               in.weights, {.x = in.x.data(), .bias = in.bias.data()}, in.outputs(), in.expected);
#ifdef HONE_HAVE_ONEDNN
    add_onednn(contenders, "onednn nchw", in, dnnl::algorithm::convolution_direct, activations::given);
    add_onednn(contenders, "onednn reordered", in, dnnl::algorithm::convolution_direct, activations::reordered);
#endif
    run_rounds(contenders, o.number("--rounds"), weights_of(o));
    print(name, in.gflop(), contenders, {"onednn nchw", "onednn reordered"});
}

// Each runs those of its layers that --layers selects.
void c1_to_c3(const options& o);
void c4_to_c6(const options& o);
void c7_to_c9(const options& o);
void c10_to_c12(const options& o);
void depthwise(const options& o);
void groups_of_few(const options& o);
void planes(const options& o);

} // namespace bench
