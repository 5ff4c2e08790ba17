// SPDX-License-Identifier: BSL-1.0
// What it costs to leave the shape of a convolution to the call: for each layer of ResNet-50 and of MobileNet v2, and
// for layers in several groups, the time of the default kernel of exactly its shape over that of the kernel of any
// window, and over that of the kernel of its window, which leaves images and channels open. fp32, batch 1, NHWC, bias
// and ReLU fused, one thread.
//
//   any_shape --layers resnet50,M8 --rounds 31 --weights hot
//
// Each result is compared with a double reference, on poisoned outputs, before it is timed.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <hone/cpu/find_in_range.hpp>
#include <hone/op/conv2d.hpp>

#include "any_shape/layers.hpp"
#include "any_shape/open_kernels.hpp"
#include "conv2d_peers.hpp"
#include "kernel_peer.hpp"
#include "rounds.hpp"

namespace {

// Exact time / time, of one layer.
struct share {
    std::string layer;
    double of_minima, of_medians;
};
struct shares {
    std::vector<share> any{}, known{};

    void add(const shares& more)
    {
        any.insert(any.end(), more.any.begin(), more.any.end());
        known.insert(known.end(), more.known.begin(), more.known.end());
    }
};

bench::any_shape::open_kernel kernel_for(const char* signature, const std::vector<bench::any_shape::open_kernel>& among)
{
    for (const auto& k : among)
        if (hone::shapes_of(k.signature, signature) > 0) return k;
    std::fprintf(stderr, "any_shape: no kernel is for %s\n", signature);
    std::exit(1);
}

shares measured(const bench::any_shape::layer& l, const bench::options& o)
{
    const hone::signature_text signature = hone::signature_of(l.shape, hone::dtype::f32, {"bias", "relu"});
    const bench::conv2d_operands in(l.shape);
    std::vector<bench::contender> contenders;
    const auto add = [&](const bench::kernel_functions& kernel, const std::int64_t* parameters) {
        bench::add_kernel(contenders, kernel, in.weights,
                          {.x = in.x.data(), .bias = in.bias.data(), .parameters = parameters}, in.outputs(),
                          in.expected);
    };
    const auto any = kernel_for(signature.c_str(), bench::any_shape::of_any_window());
    const auto known = kernel_for(signature.c_str(), bench::any_shape::of_known_windows());
    const auto all = hone::parameters_in_range(any.signature, signature.c_str());
    const auto but_window = hone::parameters_in_range(known.signature, signature.c_str());
    add(l.exact, nullptr);
    add(any.functions, all.begin());
    add(known.functions, but_window.begin());
    bench::run_rounds(contenders, o.number("--rounds"), bench::weights_of(o));
    std::printf("%s\n", signature.c_str());
    bench::print(l.name, in.gflop(), contenders, {"exact shape"});
    const auto share_of = [&](const bench::contender& c) {
        return share{l.name, contenders[0].least() / c.least(), bench::ratio(contenders[0], c)};
    };
    return {.any = {share_of(contenders[1])}, .known = {share_of(contenders[2])}};
}

// The geometric mean and the least of one member of the shares.
std::string summary(const std::vector<share>& of, double share::*member)
{
    double sum = 0;
    for (const share& s : of) sum += std::log(s.*member);
    const share& least =
        *std::min_element(of.begin(), of.end(), [&](const share& a, const share& b) { return a.*member < b.*member; });
    char text[64];
    std::snprintf(text, sizeof text, "%6.3f %6.3f %-5s", std::exp(sum / static_cast<double>(of.size())), least.*member,
                  ("(" + least.layer + ")").c_str());
    return text;
}
void print(const char* layers, const shares& of)
{
    if (of.any.empty()) return;
    for (const auto& [kernel, s] : {std::pair{"any window", of.any}, std::pair{"known window", of.known}})
        std::printf("%-26s %6zu   %-14s %s   %s\n", layers, s.size(), kernel, summary(s, &share::of_minima).c_str(),
                    summary(s, &share::of_medians).c_str());
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--layers", "all"}, {"--rounds", "31"}, {"--weights", "hot"}});
    bench::use_one_thread(argv);
    shares resnet50, dense, depthwise, in_groups, all;
    const auto run = [&](const char* network, const std::vector<bench::any_shape::layer>& layers, shares& of_dense) {
        for (const auto& l : layers) {
            if (!o.selects("--layers", network) && !o.selects("--layers", l.name)) continue;
            const shares s = measured(l, o);
            (l.shape.groups == l.shape.ic ? depthwise : of_dense).add(s);
            all.add(s);
        }
    };
    run("resnet50", bench::any_shape::resnet50(), resnet50);
    run("mobilenet_v2", bench::any_shape::mobilenet_v2(), dense);
    run("groups", bench::any_shape::in_groups(), in_groups);
    std::printf("\nexact time / time, geometric mean and least: of the minima, of the medians\n");
    print("resnet50", resnet50);
    print("mobilenet_v2, dense", dense);
    print("mobilenet_v2, depthwise", depthwise);
    print("in groups", in_groups);
    print("all", all);
}
