// SPDX-License-Identifier: BSL-1.0
// oneDNN's kernels of the demo's workloads as variants, so that the tuner verifies them as its own and times them in
// turns with the finalists: direct convolutions with bias and ReLU fused, matrix products; weights packed beforehand,
// activations in hone's layouts, which are those that oneDNN asks for.
#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include <omp.h>

#include <hone/tune/cpu/variant.hpp>

#include "layers.hpp"
#include "onednn.hpp"

namespace {

using dnnl::memory;
using onednn::described;

// One primitive with its memories.
struct primitive {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::primitive kernel{};
    memory x{}, weights{}, bias{}, y{};
    memory::desc plain_weights{}, packed_weights{};

    std::size_t packed_bytes() const { return packed_weights.get_size(); }
    void pack(const float* from, float* to)
    {
        memory source(plain_weights, engine, const_cast<float*>(from));
        memory packed(packed_weights, engine, to);
        dnnl::reorder(source, packed).execute(stream, source, packed);
        stream.wait();
    }
    void run(const hone::arguments& a)
    {
        x.set_data_handle(const_cast<void*>(a.x.first()));
        weights.set_data_handle(const_cast<void*>(a.weights));
        y.set_data_handle(a.y.first());
        std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, y}};
        if (a.bias.first() != nullptr) {
            bias.set_data_handle(const_cast<void*>(a.bias.first()));
            arguments.insert({DNNL_ARG_BIAS, bias});
        }
        kernel.execute(stream, arguments);
        stream.wait();
    }

protected:
    template <class Description>
    void bind(const Description& d)
    {
        packed_weights = d.weights_desc();
        x = memory(d.src_desc(), engine, nullptr);
        weights = memory(packed_weights, engine, nullptr);
        y = memory(d.dst_desc(), engine, nullptr);
    }
};

struct convolution : primitive {
    explicit convolution(const hone::conv2d_shape& s)
    {
        const memory::dims dw{s.oc, s.ic, s.kh, s.kw};
        const auto d =
            onednn::convolution(engine, dnnl::algorithm::convolution_direct,
                                {described({s.n, s.ic, s.h, s.w}, memory::format_tag::nhwc),
                                 described(dw, memory::format_tag::any), described({s.oc}, memory::format_tag::a),
                                 described({s.n, s.oc, s.oh(), s.ow()}, memory::format_tag::nhwc)},
                                s.stride, s.pad);
        kernel = dnnl::convolution_forward(d);
        plain_weights = described(dw, memory::format_tag::ohwi);
        bias = memory(d.bias_desc(), engine, nullptr);
        bind(d);
    }
};

struct product : primitive {
    explicit product(const hone::gemm_shape& s)
    {
        const std::int64_t m = s.m.value;
        const auto plain = [](std::int64_t rows, std::int64_t columns) {
            return described({rows, columns}, memory::format_tag::ab);
        };
        const auto d =
            onednn::product(engine, plain(m, s.k), described({s.k, s.n}, memory::format_tag::any), plain(m, s.n));
        kernel = dnnl::matmul(d);
        plain_weights = plain(s.k, s.n);
        bind(d);
    }
};

template <class Workload>
primitive& primitive_of()
{
    static primitive& only = []() -> primitive& {
        omp_set_num_threads(1);
        if constexpr (requires { Workload::shape.kh; })
            return *new convolution(Workload::shape);
        else
            return *new product(Workload::shape);
    }();
    return only;
}

template <class Workload>
hone::tune::variant variant_of()
{
    return {.packed_bytes = primitive_of<Workload>().packed_bytes(),
            .workspace_bytes = [](int) { return std::size_t{0}; },
            .pack =
                [](hone::given_weights weights, void* packed) {
                    primitive_of<Workload>().pack(weights[0], static_cast<float*>(packed));
                    return hone::status{};
                },
            .run =
                [](const hone::executor_ref&, const hone::arguments& a) {
                    primitive_of<Workload>().run(a);
                    return hone::status{};
                }};
}

template <std::size_t... I>
std::array<hone::tune::variant, sizeof...(I)> variants_of(std::index_sequence<I...>)
{
    return {variant_of<hone::workload<resnet18::layers, I>>()...};
}

} // namespace

extern "C" {
[[gnu::visibility("default")]] extern const int hone_variant_count;
[[gnu::visibility("default")]] extern const std::array<hone::tune::variant, resnet18::layers::size> hone_variants;
const int hone_variant_count = resnet18::layers::size;
const std::array<hone::tune::variant, resnet18::layers::size> hone_variants =
    variants_of(std::make_index_sequence<resnet18::layers::size>{});
}
