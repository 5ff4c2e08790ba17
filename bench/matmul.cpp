// SPDX-License-Identifier: BSL-1.0
// Products of two activations on one thread, in batches as attention has them, beside oneDNN's matmul and OpenBLAS:
// neither factor is packed before the call. Of each shape that of QK^T, whose right factor is stored [n][k], and that
// of PV, where it is stored [k][n].
//
//   matmul --shapes 12x128x128x64,32x1x1024x128 --rounds 31
//
// Every result is compared with a double reference, on poisoned outputs, before it is timed.
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>

#include <hone/cpu/kernel.hpp>
#include <hone/op/matmul.hpp>
#include <hone/schedule/staged_templates.hpp>

#ifdef HONE_HAVE_OPENBLAS
#include <cblas.h>
#endif

#include "kernel_peer.hpp"
#ifdef HONE_HAVE_ONEDNN
#include "onednn.hpp"
#endif
#include "rounds.hpp"

namespace {

using hone::panel_knobs;
using hone::reading;
using hone::transposed;

struct operands {
    hone::matmul_shape shape;
    bench::floats x, right;
    bench::reference expected{};

    explicit operands(const hone::matmul_shape& s)
        : shape(s), x(bench::floats::random(s.batch * s.m.value * s.k, 1, 1)),
          right(bench::floats::random(s.batch * s.k * s.n, 1 / std::sqrt(static_cast<float>(s.k)), 2))
    {
        std::mt19937 bits(4);
        for (int i = 0; i < 1000; ++i) add(bits() % s.batch, bits() % s.m.value, bits() % s.n);
        add(0, 0, 0);
        add(s.batch - 1, s.m.value - 1, s.n - 1);
    }
    bool is_turned() const { return shape.right == transposed::yes; }
    std::int64_t outputs() const { return shape.batch * shape.m.value * shape.n; }
    double gflop() const { return 2e-9 * static_cast<double>(outputs() * shape.k); }

private:
    void add(std::int64_t b, std::int64_t i, std::int64_t j)
    {
        const std::int64_t m = shape.m.value, n = shape.n, k = shape.k;
        double sum = 0;
        for (std::int64_t p = 0; p < k; ++p)
            sum += static_cast<double>(x[(b * m + i) * k + p]) *
                   static_cast<double>(right[b * n * k + (is_turned() ? j * k + p : p * n + j)]);
        expected.add((b * m + i) * n + j, sum);
    }
};

template <class Op, panel_knobs K>
struct tuned {
    static constexpr hone::signature_text signature = Op::signature();
    static constexpr hone::cpu_entry entries[1]{
        {.signature = signature.c_str(), .set = hone::isa::avx512, .config = hone::config_text<hone::panels, K>}};
};

template <class Kernel>
void add_kernel(std::vector<bench::contender>& to, const char* name, const operands& in)
{
    const auto right = std::make_shared<const float*>(in.right.data());
    bench::kernel_functions f = bench::functions_of<Kernel>(name);
    bench::add_kernel(to, f, in.right, {.x = in.x.data(), .operands = right.get()}, in.outputs(), in.expected);
    to.back().call = [call = to.back().call, right] { call(); }; // keeps the list of operands
}

#ifdef HONE_HAVE_ONEDNN
void add_onednn(std::vector<bench::contender>& to, const operands& in)
{
    using dnnl::memory;
    struct state {
        dnnl::engine engine{dnnl::engine::kind::cpu, 0};
        dnnl::stream stream{engine};
        dnnl::matmul product;
        std::unordered_map<int, memory> arguments;
        bench::floats y;
    };
    const auto st = std::make_shared<state>();
    const hone::matmul_shape& s = in.shape;
    const auto described = [&](std::int64_t rows, std::int64_t columns, bool is_turned) {
        return onednn::described({s.batch, rows, columns},
                                 is_turned ? memory::format_tag::acb : memory::format_tag::abc);
    };
    const memory::desc x = described(s.m.value, s.k, false), right = described(s.k, s.n, in.is_turned()),
                       y = described(s.m.value, s.n, false);
    st->product = dnnl::matmul(onednn::product(st->engine, x, right, y));
    st->y = bench::floats(static_cast<std::size_t>(in.outputs()));
    st->y.poison();
    st->arguments = {{DNNL_ARG_SRC, memory(x, st->engine, in.x.data())},
                     {DNNL_ARG_WEIGHTS, memory(right, st->engine, in.right.data())},
                     {DNNL_ARG_DST, memory(y, st->engine, st->y.data())}};
    bench::contender c{.name = "onednn", .call = [st] {
                           st->product.execute(st->stream, st->arguments);
                           st->stream.wait();
                       }};
    c.call();
    c.error = in.expected.error(st->y);
    to.push_back(std::move(c));
}
#endif

#ifdef HONE_HAVE_OPENBLAS
void add_openblas(std::vector<bench::contender>& to, const operands& in)
{
    const auto y = std::make_shared<bench::floats>(static_cast<std::size_t>(in.outputs()));
    y->poison();
    const hone::matmul_shape& s = in.shape;
    bench::contender c{.name = "openblas", .call = [y, &in, s] {
                           const auto m = static_cast<blasint>(s.m.value), n = static_cast<blasint>(s.n),
                                      k = static_cast<blasint>(s.k);
                           for (std::int64_t b = 0; b < s.batch; ++b)
                               cblas_sgemm(CblasRowMajor, CblasNoTrans, in.is_turned() ? CblasTrans : CblasNoTrans, m,
                                           n, k, 1, in.x.data() + b * m * k, k, in.right.data() + b * n * k,
                                           in.is_turned() ? k : n, 0, y->data() + b * m * n, n);
                       }};
    c.call();
    c.error = in.expected.error(*y);
    to.push_back(std::move(c));
}
#endif

// The default, and kernels of other knobs.
template <hone::matmul_shape S, panel_knobs... Others>
void compare(const bench::options& o)
{
    const auto text = [](std::int64_t v) { return std::to_string(v); };
    const std::string name = text(S.batch) + "x" + text(S.m.value) + "x" + text(S.n) + "x" + text(S.k);
    if (!o.selects("--shapes", name)) return;
    using op = hone::matmul<S, hone::f32>;
    const operands in(S);
    std::vector<bench::contender> contenders;
    add_kernel<hone::kernel<op>>(contenders, "hone default", in);
    (add_kernel<hone::kernel<op, tuned<op, Others>>>(contenders, hone::config_text<hone::panels, Others>, in), ...);
#ifdef HONE_HAVE_ONEDNN
    add_onednn(contenders, in);
#endif
#ifdef HONE_HAVE_OPENBLAS
    add_openblas(contenders, in);
#endif
    bench::run_rounds(contenders, o.number("--rounds"), hone::tune::cache_mode::hot);
    bench::print(name + (in.is_turned() ? " QK^T" : " PV"), in.gflop(), contenders, {"onednn", "openblas"});
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--shapes", "all"}, {"--rounds", "31"}});
    bench::use_one_thread(argv);
    constexpr auto yes = transposed::yes;
    compare<hone::matmul_shape{.batch = 12, .m = 128, .n = 128, .k = 64, .right = yes}>(o);
    compare<hone::matmul_shape{.batch = 12, .m = 128, .n = 64, .k = 128}>(o);
    compare<hone::matmul_shape{.batch = 12, .m = 128, .n = 128, .k = 64}>(o);
    compare<hone::matmul_shape{.batch = 16, .m = 384, .n = 384, .k = 64, .right = yes}>(o);
    compare<hone::matmul_shape{.batch = 16, .m = 384, .n = 64, .k = 384}>(o);
    compare<hone::matmul_shape{.batch = 12, .m = 197, .n = 197, .k = 64, .right = yes}>(o);
    compare<hone::matmul_shape{.batch = 12, .m = 197, .n = 64, .k = 197}>(o);
    compare<hone::matmul_shape{.batch = 32, .m = 1, .n = 1024, .k = 128, .right = yes}>(o);
    compare<hone::matmul_shape{.batch = 32, .m = 1, .n = 128, .k = 1024}>(o);
}
