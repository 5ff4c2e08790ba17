// SPDX-License-Identifier: BSL-1.0
// Matrix products on one thread, beside oneDNN's matmul with packed weights and OpenBLAS, which packs in the call; and
// one kernel whose m and ldy each call gives, beside a kernel for each m and oneDNN for that m.
//
//   gemm --sizes 512,up_to_512 --rounds 31
//
// Every result is compared with a double reference, on poisoned outputs, before it is timed.
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include <hone/cpu/kernel.hpp>
#include <hone/op/gemm.hpp>

#ifdef HONE_HAVE_OPENBLAS
#include <cblas.h>
#endif

#include "kernel_peer.hpp"
#ifdef HONE_HAVE_ONEDNN
#include "onednn.hpp"
#endif
#include "rounds.hpp"

namespace {

using hone::direct_knobs;

template <std::int64_t M, std::int64_t N, std::int64_t K>
struct fixed : hone::gemm<hone::gemm_shape{.m = M, .n = N, .k = K}, hone::f32> {};
// m and ldy are parameters of the call.
template <std::int64_t M, std::int64_t N, std::int64_t K>
struct open : hone::gemm<hone::gemm_shape{.m = hone::extent::up_to(M), .n = N, .k = K, .ldy = hone::leading::at_call()},
                         hone::f32> {};

// And with all extents.
template <std::int64_t Most>
struct any
    : hone::gemm<hone::gemm_shape{
                     .m = hone::extent::up_to(Most), .n = hone::extent::up_to(Most), .k = hone::extent::up_to(Most)},
                 hone::f32> {};

// A config set of one config for one operator. The knobs were found on AVX-512; elsewhere a kernel takes its defaults.
template <class Op, direct_knobs K>
struct tuned {
    static constexpr hone::signature_text signature = Op::signature();
    static constexpr hone::cpu_entry entries[1]{
        {.signature = signature.c_str(), .set = hone::isa::avx512, .config = hone::config_text<hone::direct, K>}};
};

struct operands {
    std::int64_t m, n, k;
    bench::floats x, weights;
    bench::reference expected{};

    operands(std::int64_t rows, std::int64_t columns, std::int64_t depth)
        : m(rows), n(columns), k(depth), x(bench::floats::random(m * k, 1, 1)),
          weights(bench::floats::random(k * n, 1 / std::sqrt(static_cast<float>(k)), 2))
    {
        for (std::int64_t i : {std::int64_t{0}, m - 1})
            for (std::int64_t j : {std::int64_t{0}, n - 1}) add(i, j);
        std::mt19937 bits(4);
        for (int s = 0; s < 1000; ++s) add(bits() % m, bits() % n);
    }
    double gflop() const { return 2e-9 * static_cast<double>(m * n * k); }

private:
    void add(std::int64_t i, std::int64_t j)
    {
        double sum = 0;
        for (std::int64_t p = 0; p < k; ++p)
            sum += static_cast<double>(x[i * k + p]) * static_cast<double>(weights[p * n + j]);
        expected.add(i * n + j, sum);
    }
};

template <class Kernel>
void add_kernel(std::vector<bench::contender>& to, const char* name, const operands& in,
                const std::int64_t* parameters = nullptr)
{
    bench::add_kernel(to, bench::functions_of<Kernel>(name), in.weights, {.x = in.x.data(), .parameters = parameters},
                      in.m * in.n, in.expected);
}

#ifdef HONE_HAVE_ONEDNN
void add_onednn(std::vector<bench::contender>& to, const operands& in)
{
    using dnnl::memory;
    struct state {
        dnnl::engine engine{dnnl::engine::kind::cpu, 0};
        dnnl::stream stream{engine};
        dnnl::matmul::primitive_desc description;
        dnnl::matmul product;
        std::unordered_map<int, memory> arguments;
        bench::floats y;
    };
    const auto st = std::make_shared<state>();
    const auto plain = [](std::int64_t rows, std::int64_t columns) {
        return onednn::described({rows, columns}, memory::format_tag::ab);
    };
    const memory::desc any = onednn::described({in.k, in.n}, memory::format_tag::any);
    st->description = onednn::product(st->engine, plain(in.m, in.k), any, plain(in.m, in.n));
    st->product = dnnl::matmul(st->description);
    st->y = bench::floats(static_cast<std::size_t>(in.m * in.n));
    st->y.poison();
    memory weights(plain(in.k, in.n), st->engine, in.weights.data());
    memory packed(st->description.weights_desc(), st->engine);
    dnnl::reorder(weights, packed).execute(st->stream, weights, packed);
    st->stream.wait();
    st->arguments = {{DNNL_ARG_SRC, memory(plain(in.m, in.k), st->engine, in.x.data())},
                     {DNNL_ARG_WEIGHTS, packed},
                     {DNNL_ARG_DST, memory(plain(in.m, in.n), st->engine, st->y.data())}};
    bench::contender c{
        .name = "onednn packed",
        .call =
            [st] {
                st->product.execute(st->stream, st->arguments);
                st->stream.wait();
            },
        .weights = static_cast<const float*>(packed.get_data_handle()),
        .weight_count = st->description.weights_desc().get_size() / sizeof(float),
        .take_weights = [packed](const float* copy) mutable { packed.set_data_handle(const_cast<float*>(copy)); }};
    c.call();
    c.error = in.expected.error(st->y);
    to.push_back(std::move(c));
}
#endif

#ifdef HONE_HAVE_OPENBLAS
void add_openblas(std::vector<bench::contender>& to, const operands& in)
{
    const auto y = std::make_shared<bench::floats>(static_cast<std::size_t>(in.m * in.n));
    y->poison();
    const auto rows = static_cast<blasint>(in.m);
    const auto columns = static_cast<blasint>(in.n);
    const auto depth = static_cast<blasint>(in.k);
    const auto w = std::make_shared<const float*>(in.weights.data());
    bench::contender c{.name = "openblas",
                       .call =
                           [y, rows, columns, depth, x = in.x.data(), w] {
                               cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, depth, 1, x, depth,
                                           *w, columns, 0, y->data(), columns);
                           },
                       .weights = *w,
                       .weight_count = in.weights.size(),
                       .take_weights = [w](const float* copy) { *w = copy; }};
    c.call();
    c.error = in.expected.error(*y);
    to.push_back(std::move(c));
}
#endif

void add_peers([[maybe_unused]] std::vector<bench::contender>& to, [[maybe_unused]] const operands& in)
{
#ifdef HONE_HAVE_ONEDNN
    add_onednn(to, in);
#endif
#ifdef HONE_HAVE_OPENBLAS
    add_openblas(to, in);
#endif
}

template <std::int64_t Size, direct_knobs Knobs>
void square(const bench::options& o)
{
    const std::string name = std::to_string(Size);
    if (!o.selects("--sizes", name)) return;
    using op = fixed<Size, Size, Size>;
    const operands in(Size, Size, Size);
    std::vector<bench::contender> contenders;
    add_kernel<hone::kernel<op, tuned<op, Knobs>>>(contenders, "hone", in);
    add_kernel<hone::kernel<op>>(contenders, "hone default", in);
    add_peers(contenders, in);
    bench::run_rounds(contenders, o.number("--rounds"), bench::weights_of(o));
    bench::print("gemm " + name, in.gflop(), contenders, {"onednn packed", "openblas"});
}

// The open kernel at one m, beside the kernel made for that m.
template <std::int64_t M, direct_knobs Fixed, direct_knobs Open>
void at_call(const bench::options& o)
{
    if (!o.selects("--sizes", "up_to_512")) return;
    constexpr std::int64_t n = 512;
    using open_op = open<512, n, 512>;
    using fixed_op = fixed<M, n, 512>;
    const operands in(M, n, 512);
    const std::array<std::int64_t, 2> parameters{M, n};
    const std::array<std::int64_t, 3> extents{M, n, 512};
    std::vector<bench::contender> contenders;
    add_kernel<hone::kernel<open_op, tuned<open_op, Open>>>(contenders, "hone m <= 512", in, parameters.data());
    add_kernel<hone::kernel<fixed_op, tuned<fixed_op, Fixed>>>(contenders, "hone this m", in);
    add_kernel<hone::kernel<any<512>>>(contenders, "hone m, n, k <= 512", in, extents.data());
    add_kernel<hone::kernel<fixed_op>>(contenders, "hone this m, default", in);
    add_peers(contenders, in);
    bench::run_rounds(contenders, o.number("--rounds"), bench::weights_of(o));
    bench::print("m = " + std::to_string(M), in.gflop(), contenders, {"hone this m", "onednn packed", "openblas"});
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--sizes", "all"}, {"--rounds", "31"}, {"--weights", "hot"}});
    bench::use_one_thread(argv);
    square<64, direct_knobs{.rows = 6, .vectors = 4}>(o);
    square<256, direct_knobs{.rows = 6, .vectors = 4}>(o);
    square<512, direct_knobs{.rows = 6, .vectors = 4}>(o);
    square<1024, direct_knobs{.rows = 6, .vectors = 4}>(o);

    constexpr direct_knobs open_knobs{.rows = 6, .vectors = 4};
    at_call<1, direct_knobs{.rows = 1, .vectors = 4}, open_knobs>(o);
    at_call<7, direct_knobs{.rows = 7, .vectors = 3}, open_knobs>(o);
    at_call<37, direct_knobs{.rows = 13, .vectors = 2}, open_knobs>(o);
    at_call<512, direct_knobs{.rows = 6, .vectors = 4}, open_knobs>(o);
}
