// SPDX-License-Identifier: BSL-1.0
// What it costs to leave the shape of a pool to the call: for pools of networks, the time of the default kernel of
// exactly the shape over that of the kernel of any window, or of whole images. fp32, batch 1, NHWC, one thread.
//
//   any_pool --pools all --rounds 31
//
// Each result is compared with a double reference, on poisoned outputs, before it is timed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include <hone/cpu/find_in_range.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/op/any_pool.hpp>

#include "kernel_peer.hpp"
#include "rounds.hpp"

namespace {

using hone::pooling;

struct named_pool {
    const char* name;
    pooling how;
    hone::pool_shape shape;
};
// Square images and windows.
constexpr named_pool pool(const char* name, pooling how, std::int64_t size, std::int64_t c, std::int64_t kernel,
                          std::int64_t stride, std::int64_t pad = 0)
{
    return {name, how, {.h = size, .w = size, .c = c, .kh = kernel, .kw = kernel, .stride = stride, .pad = pad}};
}
constexpr named_pool pools[] = {
    pool("max112", pooling::max, 112, 64, 3, 2, 1),     pool("max147", pooling::max, 147, 64, 3, 2),
    pool("max56", pooling::max, 56, 128, 2, 2),         pool("max28", pooling::max, 28, 192, 3, 1, 1),
    pool("max13", pooling::max, 13, 512, 5, 1, 2),      pool("mean56", pooling::average, 56, 128, 2, 2),
    pool("mean35", pooling::average, 35, 288, 3, 1, 1), pool("mean28", pooling::average, 28, 192, 3, 1, 1),
    pool("global7", pooling::average, 7, 2048, 7, 1),   pool("global14", pooling::average, 14, 480, 14, 1),
    pool("global28", pooling::average, 28, 192, 28, 1), pool("global56", pooling::average, 56, 64, 56, 1),
};
template <std::size_t I>
struct max_of : hone::max_pool<pools[I].shape, hone::f32> {};
template <std::size_t I>
struct mean_of : hone::average_pool<pools[I].shape, hone::f32> {};
template <std::size_t I>
bench::kernel_functions exact()
{
    if constexpr (pools[I].how == pooling::max)
        return bench::functions_of<hone::kernel<max_of<I>>>("exact shape");
    else
        return bench::functions_of<hone::kernel<mean_of<I>>>("exact shape");
}

struct open_kernel {
    const char* signature;
    bench::kernel_functions functions;
};
template <class Op>
open_kernel open(const char* name)
{
    return {hone::kernel<Op>::signature.c_str(), bench::functions_of<hone::kernel<Op>>(name)};
}

// Of the pixels that each window has.
bench::reference expected(const named_pool& p, const bench::floats& x)
{
    const hone::pool_shape& s = p.shape;
    bench::reference y;
    for (std::int64_t i = 0; i < s.oh() * s.ow() * s.c; i += 7) {
        const std::int64_t c = i % s.c, column = i / s.c % s.ow() * s.stride - s.pad,
                           row = i / s.c / s.ow() * s.stride - s.pad;
        double sum = 0, largest = -std::numeric_limits<double>::infinity(), count = 0;
        for (std::int64_t h = std::max<std::int64_t>(row, 0); h < std::min<std::int64_t>(row + s.kh, s.h); ++h)
            for (std::int64_t w = std::max<std::int64_t>(column, 0); w < std::min<std::int64_t>(column + s.kw, s.w);
                 ++w) {
                const auto v = static_cast<double>(x[(h * s.w + w) * s.c + c]);
                sum += v;
                largest = std::max(largest, v);
                ++count;
            }
        y.add(i, p.how == pooling::max ? largest : sum / count);
    }
    return y;
}

void report(const named_pool& p, const bench::kernel_functions& known, const std::vector<open_kernel>& any,
            const bench::options& o)
{
    if (!o.selects("--pools", p.name)) return;
    const hone::signature_text signature = hone::signature_of(p.shape, p.how, hone::dtype::f32);
    const bench::floats x = bench::floats::random(p.shape.h * p.shape.w * p.shape.c, 1.0f, 1);
    const bench::reference y = expected(p, x);
    const std::int64_t outputs = p.shape.oh() * p.shape.ow() * p.shape.c;
    std::vector<bench::contender> contenders;
    const auto add = [&](const bench::kernel_functions& kernel, const std::int64_t* parameters) {
        bench::add_kernel(contenders, kernel, bench::floats(), {.x = x.data(), .parameters = parameters}, outputs, y);
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
    const double taps = static_cast<double>(outputs * p.shape.kh * p.shape.kw);
    bench::print(p.name, taps * 1e-9, contenders, {"exact shape"});
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--pools", "all"}, {"--rounds", "31"}});
    bench::use_one_thread(argv);
    const std::vector<open_kernel> any{open<hone::any_max_pool<hone::f32>>("any window"),
                                       open<hone::any_average_pool<hone::f32>>("any window"),
                                       open<hone::any_global_average_pool<hone::f32>>("any image")};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (report(pools[I], exact<I>(), any, o), ...);
    }(std::make_index_sequence<std::size(pools)>{});
}
