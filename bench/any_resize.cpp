// SPDX-License-Identifier: BSL-1.0
// What it costs to leave the sizes of resized images to the call: for layers of networks, the time of the default
// kernel of exactly the shape over that of the kernel of any sizes. fp32, batch 1, NHWC, one thread.
//
//   any_resize --layers all --rounds 31
//
// Each result is compared with a double reference, on poisoned outputs, before it is timed.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <utility>
#include <vector>

#include <hone/cpu/find_in_range.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/op/any_resize.hpp>

#include "kernel_peer.hpp"
#include "rounds.hpp"

namespace {

using hone::coordinates, hone::resize_mode;

struct named_layer {
    const char* name;
    hone::resize_shape shape;
};
// Square images.
constexpr named_layer layer(const char* name, std::int64_t from, std::int64_t c, std::int64_t to, resize_mode mode,
                            coordinates where)
{
    return {name, {.h = from, .w = from, .c = c, .oh = to, .ow = to, .mode = mode, .coordinates = where}};
}
constexpr auto nearest = resize_mode::nearest, bilinear = resize_mode::bilinear;
constexpr auto half_pixel = coordinates::half_pixel, asymmetric = coordinates::asymmetric,
               corners = coordinates::align_corners;
constexpr named_layer layers[] = {
    layer("near13", 13, 256, 26, nearest, asymmetric),   layer("near26", 26, 128, 52, nearest, asymmetric),
    layer("near56", 56, 64, 112, nearest, asymmetric),   layer("near224", 224, 3, 160, nearest, asymmetric),
    layer("up28", 28, 256, 56, bilinear, half_pixel),    layer("up56", 56, 64, 112, bilinear, half_pixel),
    layer("heads33", 33, 21, 129, bilinear, corners),    layer("three28", 28, 128, 84, bilinear, half_pixel),
    layer("down224", 224, 3, 160, bilinear, half_pixel), layer("down56", 56, 64, 28, bilinear, half_pixel),
    layer("begin28", 28, 256, 56, bilinear, asymmetric),
};
template <std::size_t I>
struct exact : hone::resize<layers[I].shape, hone::f32> {};

struct open_kernel {
    const char* signature;
    bench::kernel_functions functions;
};
template <class Op>
open_kernel open()
{
    return {hone::kernel<Op>::signature.c_str(), bench::functions_of<hone::kernel<Op>>("any sizes")};
}
template <resize_mode Mode, coordinates Where>
struct any : hone::any_resize<Mode, Where, hone::f32> {};

// Where output o stands, and of the nearest pixel the coordinate of that.
double place(const hone::resize_shape& s, std::int64_t o)
{
    const auto h = static_cast<double>(s.h), oh = static_cast<double>(s.oh), at = static_cast<double>(o);
    const double raw = s.coordinates == half_pixel ? (at + 0.5) * h / oh - 0.5
                       : s.coordinates == corners  ? at * (h - 1) / (oh - 1)
                                                   : at * h / oh;
    return std::clamp(s.mode == nearest ? std::floor(raw) : raw, 0.0, h - 1);
}
bench::reference expected(const hone::resize_shape& s, const bench::floats& x)
{
    bench::reference y;
    for (std::int64_t i = 0; i < s.oh * s.ow * s.c; i += 7) {
        const double row = place(s, i / s.c / s.ow), column = place(s, i / s.c % s.ow);
        const auto above = static_cast<std::int64_t>(row), left = static_cast<std::int64_t>(column);
        const double down = row - static_cast<double>(above), across = column - static_cast<double>(left);
        const auto pixel = [&](std::int64_t h, std::int64_t w) {
            const std::int64_t at = std::min(h, s.h - 1) * s.w + std::min(w, s.w - 1);
            return static_cast<double>(x[at * s.c + i % s.c]);
        };
        const auto between = [&](std::int64_t h) {
            return pixel(h, left) * (1 - across) + pixel(h, left + 1) * across;
        };
        y.add(i, between(above) * (1 - down) + between(above + 1) * down);
    }
    return y;
}

void report(const named_layer& l, const bench::kernel_functions& known, const std::vector<open_kernel>& all,
            const bench::options& o)
{
    if (!o.selects("--layers", l.name)) return;
    const hone::resize_shape& s = l.shape;
    const hone::signature_text signature = hone::signature_of(s, hone::dtype::f32);
    const bench::floats x = bench::floats::random(s.h * s.w * s.c, 1.0f, 1);
    const bench::reference y = expected(s, x);
    const std::int64_t outputs = s.oh * s.ow * s.c;
    std::vector<bench::contender> contenders;
    bench::add_kernel(contenders, known, bench::floats(), {.x = x.data()}, outputs, y);
    for (const open_kernel& k : all) {
        const auto given = hone::parameters_in_range(k.signature, signature.c_str());
        const std::vector<std::int64_t> parameters(given.begin(), given.end());
        if (parameters.empty()) continue;
        bench::add_kernel(contenders, k.functions, bench::floats(), {.x = x.data(), .parameters = parameters.data()},
                          outputs, y);
        bench::run_rounds(contenders, o.number("--rounds"), hone::tune::cache_mode::hot);
    }
    std::printf("%s\n", signature.c_str());
    bench::print(l.name, static_cast<double>(outputs) * 1e-9, contenders, {"exact shape"});
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--layers", "all"}, {"--rounds", "31"}});
    bench::use_one_thread(argv);
    const std::vector<open_kernel> all{open<any<nearest, asymmetric>>(), open<any<bilinear, half_pixel>>(),
                                       open<any<bilinear, corners>>(), open<any<bilinear, asymmetric>>()};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (report(layers[I], bench::functions_of<hone::kernel<exact<I>>>("exact shape"), all, o), ...);
    }(std::make_index_sequence<std::size(layers)>{});
}
