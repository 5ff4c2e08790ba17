// SPDX-License-Identifier: BSL-1.0
// Softmax and normalisations against memory and oneDNN: each kernel, that of any shape, a plain loop that loads x once
// and stores as much, and oneDNN's primitive are timed in turns. Shares are the time of the other over the kernel's,
// from the minima and (median of the rounds).
//
//     row_wise --rounds 60 --only all --data memory
//
// `memory`: each call has another copy of x and y, which together are several times the last cache; `cache`: all have
// one.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hone/op/any_rows.hpp>
#include <hone/stages.hpp>

#include "rounds.hpp"
#ifdef HONE_HAVE_ONEDNN
#include "onednn.hpp"
#endif

namespace {

constexpr hone::isa set = hone::compiled_isa();

// Loads all of x and stores all of y.
void stream(const float* x, float* y, std::int64_t n)
{
    using v = hone::codegen::simd<set, float>;
    constexpr std::int64_t lanes = v::lanes;
    for (std::int64_t i = 0; i + 4 * lanes <= n; i += 4 * lanes)
        for (std::int64_t k = 0; k < 4; ++k) v::store(y + i + k * lanes, v::load(x + i + k * lanes));
}

class data {
public:
    data(std::int64_t rows, std::int64_t n, bool from_memory)
        : elements(rows * n), gamma(bench::floats::random(n, 2.0f, 2)), beta(bench::floats::random(n, 2.0f, 3))
    {
        constexpr std::int64_t several_caches = 96 << 20;
        const std::int64_t bytes = 2 * elements * static_cast<std::int64_t>(sizeof(float));
        const std::int64_t copies = from_memory ? std::max<std::int64_t>(2, several_caches / bytes + 1) : 1;
        for (std::int64_t i = 0; i < copies; ++i) {
            x_.push_back(bench::floats::random(elements, 4.0f, 1));
            y_.emplace_back(static_cast<std::size_t>(elements));
        }
    }
    const std::int64_t elements;
    const bench::floats gamma, beta;

    void next() { at_ = (at_ + 1) % x_.size(); }
    float* x() const { return x_[at_].data(); }
    float* y() const { return y_[at_].data(); }

private:
    std::vector<bench::floats> x_, y_;
    std::size_t at_ = 0;
};

template <class Op>
constexpr bool is_logarithm = std::string_view(Op::definition().stages.back().name) == "log_softmax";

// The first row in double.
template <class Op>
std::vector<double> first_row(const data& of)
{
    const std::int64_t n = Op::shape.n;
    std::vector<double> row(of.x(), of.x() + n);
    if constexpr (requires { Op::shape.epsilon; }) {
        const bool is_layer = Op::definition().stages.size() == 3;
        double mean = 0, squares = 0;
        for (const double v : row) mean += is_layer ? v / static_cast<double>(n) : 0;
        for (const double v : row) squares += (v - mean) * (v - mean) / static_cast<double>(n);
        for (std::int64_t i = 0; i < n; ++i) {
            double& v = row[static_cast<std::size_t>(i)];
            v = (v - mean) / std::sqrt(squares + static_cast<double>(Op::shape.epsilon.value()));
            v = v * static_cast<double>(of.gamma[i]) + (is_layer ? static_cast<double>(of.beta[i]) : 0.0);
        }
    } else {
        const double largest = *std::max_element(row.begin(), row.end());
        double sum = 0;
        for (double& v : row) sum += std::exp(v -= largest);
        for (double& v : row) v = is_logarithm<Op> ? v - std::log(sum) : std::exp(v) / sum;
    }
    return row;
}

template <class Op>
bench::contender hone_kernel(const char* name, data& of, std::vector<std::int64_t> parameters = {})
{
    using kernel = hone::kernel<Op>;
    bench::contender c;
    c.name = name;
    const auto workspace = std::make_shared<std::vector<char>>(kernel::workspace_bytes(1));
    c.call = [&of, workspace, parameters] {
        of.next();
        const float* const operands[] = {of.gamma.data(), of.beta.data()};
        hone::serial_executor executor;
        static_cast<void>(kernel::run(executor, {.x = of.x(),
                                                 .operands = operands,
                                                 .y = of.y(),
                                                 .workspace = workspace->data(),
                                                 .parameters = parameters.data()}));
    };
    return c;
}

#ifdef HONE_HAVE_ONEDNN
struct peer {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::primitive primitive{};
    dnnl::memory x{}, y{}, gamma{}, beta{};
};
template <class Op>
bench::contender onednn_kernel(data& of)
{
    const auto p = std::make_shared<peer>();
    const auto rows = onednn::described({Op::shape.rows, Op::shape.n}, dnnl::memory::format_tag::ab);
    const auto row = onednn::described({Op::shape.n}, dnnl::memory::format_tag::a);
    p->x = dnnl::memory(rows, p->engine, of.x());
    p->y = dnnl::memory(rows, p->engine, of.y());
    p->gamma = dnnl::memory(row, p->engine, of.gamma.data());
    p->beta = dnnl::memory(row, p->engine, of.beta.data());
    if constexpr (requires { Op::shape.epsilon; })
        p->primitive =
            dnnl::layer_normalization_forward(onednn::layer_norm(p->engine, rows, Op::shape.epsilon.value()));
    else
        p->primitive = is_logarithm<Op> ? onednn::log_softmax(p->engine, rows)
                                        : dnnl::softmax_forward(onednn::softmax(p->engine, rows));
    bench::contender c;
    c.name = "oneDNN";
    c.call = [&of, p] {
        of.next();
        p->x.set_data_handle(of.x());
        p->y.set_data_handle(of.y());
        p->primitive.execute(
            p->stream,
            {{DNNL_ARG_SRC, p->x}, {DNNL_ARG_DST, p->y}, {DNNL_ARG_SCALE, p->gamma}, {DNNL_ARG_SHIFT, p->beta}});
        p->stream.wait();
    };
    return c;
}
#endif

// Any: of the kernel whose calls give the shape.
template <class Op, class Any>
void report(const char* name, const bench::options& o)
{
    if (!o.selects("--only", name)) return;
    data of(Op::shape.rows, Op::shape.n, o["--data"] == "memory");
    std::vector<bench::contender> all;
    bench::contender loop;
    loop.name = "a loop over x and y";
    loop.call = [&of] {
        of.next();
        stream(of.x(), of.y(), of.elements);
    };
    all.push_back(loop);
    const auto add = [&](bench::contender c) {
        c.call();
        const std::vector<double> expected = first_row<Op>(of);
        double largest = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            c.error = std::max(c.error, std::fabs(static_cast<double>(of.y()[i]) - expected[i]));
            largest = std::max(largest, std::fabs(expected[i]));
        }
        c.error /= largest;
        all.push_back(std::move(c));
    };
    add(hone_kernel<Op>("hone, by default", of));
    add(hone_kernel<Any>("hone, any shape", of, {Op::shape.rows, Op::shape.n}));
#ifdef HONE_HAVE_ONEDNN
    if (Op::definition().stages.size() != 2) add(onednn_kernel<Op>(of)); // version 2 has no rms_norm
#endif
    bench::run_rounds(all, o.number("--rounds"), hone::tune::cache_mode::hot);
    const double bytes = 2 * static_cast<double>(of.elements) * sizeof(float);
    const bench::contender& own = all[1];
    std::printf("%-22s %-20s %9s %9s %8s %8s   %s\n", name, "", "min ms", "median", "GB/s", "error", "of hone's");
    for (const bench::contender& c : all)
        std::printf("%-22s %-20s %9.4f %9.4f %8.1f %8.1e   %6.3f (%6.3f)\n", "", c.name.c_str(), c.least(), c.median(),
                    bytes / c.least() * 1e-6, c.error, c.least() / own.least(), bench::ratio(c, own));
    std::fflush(stdout);
}

using hone::with_beta;
using hone::with_gamma;
template <hone::row_shape S>
using softmax = hone::softmax<S, hone::f32>;
template <hone::row_shape S>
using log_softmax = hone::log_softmax<S, hone::f32>;
template <hone::norm_shape S>
using layer_norm = hone::layer_norm<S, hone::f32, with_gamma, with_beta>;
template <hone::norm_shape S>
using rms_norm = hone::rms_norm<S, hone::f32, with_gamma>;
using any_softmax = hone::any_softmax<hone::f32>;
using any_log_softmax = hone::any_log_softmax<hone::f32>;
using any_layer_norm = hone::any_layer_norm<hone::f32, with_gamma, with_beta>;
using any_rms_norm = hone::any_rms_norm<hone::f32, with_gamma>;

} // namespace

int main(int argc, char** argv)
{
    bench::use_one_thread(argv);
    const bench::options o(argc, argv, {{"--rounds", "60"}, {"--only", "all"}, {"--data", "memory"}});
    report<softmax<hone::row_shape{.rows = 6144, .n = 49}>, any_softmax>("softmax49", o);
    report<softmax<hone::row_shape{.rows = 6144, .n = 128}>, any_softmax>("softmax128", o);
    report<softmax<hone::row_shape{.rows = 1000, .n = 1000}>, any_softmax>("softmax1000", o);
    report<softmax<hone::row_shape{.rows = 32, .n = 32000}>, any_softmax>("softmax32000", o);
    report<log_softmax<hone::row_shape{.rows = 1000, .n = 1000}>, any_log_softmax>("log_softmax1000", o);
    report<layer_norm<hone::norm_shape{.rows = 1024, .n = 768}>, any_layer_norm>("layer768", o);
    report<rms_norm<hone::norm_shape{.rows = 256, .n = 4096}>, any_rms_norm>("rms4096", o);
}
