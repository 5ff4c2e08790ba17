// SPDX-License-Identifier: BSL-1.0
// One step of an LSTM against the two products it has, as kernels of gemm, and oneDNN's primitive; timed in turns.
//
//     recurrent --rounds 60 --only all
//
// Columns: the time of the other over the kernel's, from the minima and (median of the rounds). The next state stands
// in buffers of its own, so that each call computes the same.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hone/stages.hpp>

#include "rounds.hpp"
#ifdef HONE_HAVE_ONEDNN
#include "onednn.hpp"
#endif

namespace {

struct data {
    std::int64_t m, k, n;
    bench::floats x, h, c, weights, recurrent, bias, next_h, next_c;

    data(std::int64_t rows, std::int64_t inputs, std::int64_t units)
        : m(rows), k(inputs), n(units), x(bench::floats::random(m * k, 1, 1)), h(bench::floats::random(m * n, 1, 2)),
          c(bench::floats::random(m * n, 1, 3)), weights(bench::floats::random(4 * n * k, 0.1f, 4)),
          recurrent(bench::floats::random(4 * n * n, 0.1f, 5)), bias(bench::floats::random(8 * n, 1, 6)),
          next_h(static_cast<std::size_t>(m * n)), next_c(static_cast<std::size_t>(m * n))
    {
    }
    // The first row of h'.
    bench::reference first_row() const
    {
        bench::reference r;
        const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
        for (std::int64_t unit = 0; unit < n; ++unit) {
            double gates[4];
            for (std::int64_t g = 0; g < 4; ++g) {
                const std::int64_t row = g * n + unit;
                double sum = static_cast<double>(bias[row]) + static_cast<double>(bias[4 * n + row]);
                for (std::int64_t i = 0; i < k; ++i)
                    sum += static_cast<double>(x[i]) * static_cast<double>(weights[row * k + i]);
                for (std::int64_t i = 0; i < n; ++i)
                    sum += static_cast<double>(h[i]) * static_cast<double>(recurrent[row * n + i]);
                gates[g] = sum;
            }
            const double cell =
                sigmoid(gates[1]) * static_cast<double>(c[unit]) + sigmoid(gates[0]) * std::tanh(gates[2]);
            r.add(unit, sigmoid(gates[3]) * std::tanh(cell));
        }
        return r;
    }
};

template <class Kernel>
std::shared_ptr<bench::floats> packed(hone::given_weights weights)
{
    const auto to = std::make_shared<bench::floats>(Kernel::packed_bytes / sizeof(float));
    static_cast<void>(Kernel::pack(weights, to->data()));
    return to;
}

template <hone::cell_shape S>
bench::contender hone_cell(data& of)
{
    using kernel = hone::kernel<hone::lstm_cell<S, hone::f32, hone::bias>>;
    const float* const both[] = {of.weights.data(), of.recurrent.data()};
    bench::contender c;
    c.name = "hone, by default";
    c.call = [&of, weights = packed<kernel>(both),
              workspace = std::make_shared<std::vector<char>>(kernel::workspace_bytes(1))] {
        const float* const state[] = {of.h.data(), of.c.data()};
        float* const cells[] = {of.next_c.data()};
        static_cast<void>(kernel::run({.x = of.x.data(),
                                       .weights = weights->data(),
                                       .bias = of.bias.data(),
                                       .operands = state,
                                       .y = of.next_h.data(),
                                       .outputs = cells,
                                       .workspace = workspace->data()}));
    };
    return c;
}

// The products alone, without what follows them.
template <hone::cell_shape S>
bench::contender products(data& of)
{
    using hone::transposed;
    using of_x = hone::kernel<hone::gemm<hone::gemm_shape{.m = S.m, .n = 4 * S.n, .k = S.k, .weights = transposed::yes},
                                         hone::f32, hone::bias>>;
    using of_h = hone::kernel<hone::gemm<hone::gemm_shape{.m = S.m, .n = 4 * S.n, .k = S.n, .weights = transposed::yes},
                                         hone::f32, hone::bias, hone::residual>>;
    bench::contender c;
    c.name = "two products of hone";
    const auto gates = std::make_shared<bench::floats>(static_cast<std::size_t>(S.m.value * 4 * S.n));
    c.call = [&of, gates, first = packed<of_x>(of.weights.data()), second = packed<of_h>(of.recurrent.data())] {
        static_cast<void>(
            of_x::run({.x = of.x.data(), .weights = first->data(), .bias = of.bias.data(), .y = gates->data()}));
        static_cast<void>(of_h::run({.x = of.h.data(),
                                     .weights = second->data(),
                                     .bias = of.bias.data() + 4 * of.n,
                                     .residual = gates->data(),
                                     .y = gates->data()}));
    };
    return c;
}

#ifdef HONE_HAVE_ONEDNN
bench::contender onednn_cell(data& of)
{
    using dnnl::memory;
    using tag = memory::format_tag;
    struct peer {
        dnnl::engine engine{dnnl::engine::kind::cpu, 0};
        dnnl::stream stream{engine};
        dnnl::lstm_forward primitive{};
        std::unordered_map<int, memory> call{};
        bench::floats y, sums;
    };
    const auto p = std::make_shared<peer>();
    const memory::desc state = onednn::described({1, 1, of.m, of.n}, tag::ldnc);
    const auto pd = onednn::lstm(p->engine, {.x = onednn::described({1, of.m, of.k}, tag::tnc),
                                             .h = state,
                                             .c = state,
                                             .weights = onednn::described({1, 1, of.k, 4, of.n}, tag::any),
                                             .recurrent = onednn::described({1, 1, of.n, 4, of.n}, tag::any),
                                             .bias = onednn::described({1, 1, 4, of.n}, tag::ldgo)});
    p->primitive = dnnl::lstm_forward(pd);
    p->y = bench::floats(static_cast<std::size_t>(of.m * of.n));
    p->sums = bench::floats(static_cast<std::size_t>(4 * of.n));
    for (std::int64_t i = 0; i < 4 * of.n; ++i) p->sums[i] = of.bias[i] + of.bias[4 * of.n + i];
    const auto reordered = [&](const memory::dims& dims, float* from, const memory::desc& to) {
        memory given(onednn::described(dims, tag::ldgoi), p->engine, from), made(to, p->engine);
        dnnl::reorder(given, made).execute(p->stream, given, made);
        p->stream.wait();
        return made;
    };
    p->call = {{DNNL_ARG_SRC_LAYER, memory(pd.src_layer_desc(), p->engine, of.x.data())},
               {DNNL_ARG_SRC_ITER, memory(state, p->engine, of.h.data())},
               {DNNL_ARG_SRC_ITER_C, memory(state, p->engine, of.c.data())},
               {DNNL_ARG_WEIGHTS_LAYER, reordered({1, 1, of.k, 4, of.n}, of.weights.data(), pd.weights_layer_desc())},
               {DNNL_ARG_WEIGHTS_ITER, reordered({1, 1, of.n, 4, of.n}, of.recurrent.data(), pd.weights_iter_desc())},
               {DNNL_ARG_BIAS, memory(pd.bias_desc(), p->engine, p->sums.data())},
               {DNNL_ARG_DST_LAYER, memory(pd.dst_layer_desc(), p->engine, p->y.data())},
               {DNNL_ARG_DST_ITER, memory(state, p->engine, of.next_h.data())},
               {DNNL_ARG_DST_ITER_C, memory(state, p->engine, of.next_c.data())}};
    bench::contender c;
    c.name = "oneDNN";
    c.call = [p] {
        p->primitive.execute(p->stream, p->call);
        p->stream.wait();
    };
    return c;
}
#endif

template <hone::cell_shape S>
void report(const char* name, const bench::options& o)
{
    if (!o.selects("--only", name)) return;
    data of(S.m, S.k, S.n);
    const bench::reference expected = of.first_row();
    std::vector<bench::contender> all;
    const auto add = [&](bench::contender c, bool is_cell) {
        of.next_h.poison();
        c.call();
        if (is_cell) c.error = expected.error(of.next_h);
        all.push_back(std::move(c));
    };
    add(hone_cell<S>(of), true);
    add(products<S>(of), false);
#ifdef HONE_HAVE_ONEDNN
    add(onednn_cell(of), true);
#endif
    bench::run_rounds(all, o.number("--rounds"), hone::tune::cache_mode::hot);
    const double gflop = 8e-9 * static_cast<double>(of.m * of.n * (of.k + of.n));
    bench::print(name, gflop, all, {"two products of hone", "oneDNN"});
}

} // namespace

int main(int argc, char** argv)
{
    bench::use_one_thread(argv);
    const bench::options o(argc, argv, {{"--rounds", "60"}, {"--only", "all"}});
    report<hone::cell_shape{.m = 1, .k = 128, .n = 128}>("1x128x128", o);
    report<hone::cell_shape{.m = 1, .k = 512, .n = 512}>("1x512x512", o);
    report<hone::cell_shape{.m = 1, .k = 1024, .n = 1024}>("1x1024x1024", o);
    report<hone::cell_shape{.m = 16, .k = 256, .n = 256}>("16x256x256", o);
    report<hone::cell_shape{.m = 64, .k = 512, .n = 512}>("64x512x512", o);
    report<hone::cell_shape{.m = 20, .k = 100, .n = 200}>("20x100x200", o);
}
