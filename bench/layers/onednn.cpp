// SPDX-License-Identifier: BSL-1.0
// oneDNN: convolutions with activations in the layout of the workload, and in those of its choice; where the workload
// is NCHW the latter with both reorders in the call. Winograd where its version has it for the shape. Products with
// packed weights.
#include "operands.hpp"

#ifdef HONE_HAVE_ONEDNN
#include <memory>
#include <unordered_map>
#include <vector>

#include "../onednn.hpp"

namespace bench::layers {
namespace {

using dnnl::memory;
using onednn::described;
using tag = memory::format_tag;

// One primitive with its memories; what is reordered in the call stands around it.
struct state {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::primitive kernel{};
    memory x{}, weights{}, bias{}, y{}; // of the primitive
    memory plain_x{}, plain_y{};        // of the workload
    floats y_data{};
    std::unordered_map<int, memory> arguments{};

    void reorder(memory from, memory to)
    {
        dnnl::reorder(from, to).execute(stream, from, to);
        stream.wait();
    }
    void run()
    {
        kernel.execute(stream, arguments);
        stream.wait();
    }
};

enum class reorders : std::uint8_t { before, in_call };

// The contender of a state whose primitive, plain memories and weights are there. `x` is reordered into it here.
contender made_of(const std::string& name, const std::shared_ptr<state>& st, reorders when, const operands& in)
{
    st->arguments = {{DNNL_ARG_SRC, st->x}, {DNNL_ARG_WEIGHTS, st->weights}, {DNNL_ARG_DST, st->y}};
    if (in.of.bias) st->arguments.insert({DNNL_ARG_BIAS, st->bias});
    st->y_data.poison();
    st->reorder(st->plain_x, st->x);
    st->reorder(st->plain_y, st->y);
    contender c{.name = name,
                .call = [st] { st->run(); },
                .weights = static_cast<const float*>(st->weights.get_data_handle()),
                .weight_count = st->weights.get_desc().get_size() / sizeof(float),
                .take_weights = [st](const float* copy) { st->weights.set_data_handle(const_cast<float*>(copy)); }};
    if (when == reorders::in_call)
        c.call = [st] {
            st->reorder(st->plain_x, st->x);
            st->run();
            st->reorder(st->y, st->plain_y);
        };
    c.call();
    st->reorder(st->y, st->plain_y);
    c.error = in.expected.error(st->y_data);
    return c;
}

void add_convolution(field& to, const operands& in, const std::string& name, dnnl::algorithm how, bool plain,
                     reorders when)
{
    const hone::conv2d_shape& s = *in.of.conv2d();
    const hone::operators::image_window v = s.window();
    const bool nhwc = s.layout == hone::layout::nhwc, has_groups = s.groups > 1;
    const std::int64_t icg = s.ic / s.groups;
    const memory::dims dx{s.n, s.ic, s.h, s.w}, dy{s.n, s.oc, s.oh(), s.ow()};
    const memory::dims dw =
        has_groups ? memory::dims{s.groups, s.oc / s.groups, icg, s.kh, s.kw} : memory::dims{s.oc, s.ic, s.kh, s.kw};
    const tag layout = nhwc ? tag::nhwc : tag::nchw;
    const auto st = std::make_shared<state>();
    dnnl::convolution_forward::primitive_desc d;
    try {
        d = onednn::convolution(st->engine, how,
                                {described(dx, plain ? layout : tag::any), described(dw, tag::any),
                                 in.of.bias ? described({s.oc}, tag::a) : memory::desc(),
                                 described(dy, plain ? layout : tag::any)},
                                {{v.stride_h, v.stride_w},
                                 {v.dilation_h - 1, v.dilation_w - 1},
                                 {v.pad_top, v.pad_left},
                                 {v.pad_bottom, v.pad_right}},
                                in.of.relu ? onednn::relu_fused() : dnnl::primitive_attr());
    } catch (const dnnl::error&) {
        return;
    }
    st->kernel = dnnl::convolution_forward(d);
    st->x = memory(d.src_desc(), st->engine);
    st->weights = memory(d.weights_desc(), st->engine);
    if (in.of.bias) st->bias = memory(d.bias_desc(), st->engine, in.bias.data());
    st->y = memory(d.dst_desc(), st->engine);
    st->y_data = floats(static_cast<std::size_t>(in.outputs));
    st->plain_x = memory(described(dx, layout), st->engine, in.x.data());
    st->plain_y = memory(described(dy, layout), st->engine, st->y_data.data());
    // Winograd's weights are made from OIHW only.
    const tag given = nhwc ? (has_groups ? tag::gohwi : tag::ohwi) : (has_groups ? tag::goihw : tag::oihw);
    const floats oihw(in.weights.size());
    const memory usual(described(dw, has_groups ? tag::goihw : tag::oihw), st->engine, oihw.data());
    st->reorder(memory(described(dw, given), st->engine, in.weights.data()), usual);
    st->reorder(usual, st->weights);
    to.add(made_of(name, st, when, in), side::peer,
           how == dnnl::algorithm::convolution_winograd ? algorithm::winograd : algorithm::direct);
}

void add_product(field& to, const operands& in)
{
    const hone::gemm_shape& s = *in.of.gemm();
    const auto st = std::make_shared<state>();
    const memory::dims dx{s.batch, s.m.value, s.k}, dw{s.batch, s.k, s.n}, dy{s.batch, s.m.value, s.n};
    const tag layout_x = s.x == hone::transposed::yes ? tag::acb : tag::abc;
    dnnl::matmul::primitive_desc d;
    try {
        d = onednn::product(st->engine, described(dx, layout_x), described(dw, tag::any),
                            in.of.bias ? described({1, 1, s.n}, tag::abc) : memory::desc(), described(dy, tag::abc),
                            in.of.relu ? onednn::relu_fused() : dnnl::primitive_attr());
    } catch (const dnnl::error&) {
        return;
    }
    st->kernel = dnnl::matmul(d);
    st->y_data = floats(static_cast<std::size_t>(in.outputs));
    st->x = st->plain_x = memory(described(dx, layout_x), st->engine, in.x.data());
    st->y = st->plain_y = memory(described(dy, tag::abc), st->engine, st->y_data.data());
    if (in.of.bias) st->bias = memory(d.bias_desc(), st->engine, in.bias.data());
    st->weights = memory(d.weights_desc(), st->engine);
    const memory given(described(dw, s.weights == hone::transposed::yes ? tag::acb : tag::abc), st->engine,
                       in.weights.data());
    st->reorder(given, st->weights);
    to.add(made_of("onednn packed", st, reorders::before, in), side::peer);
}

} // namespace

void add_onednn(field& to, const peer_call& p)
{
    if (const auto* const s = p.in.of.conv2d()) {
        const auto when = s->layout == hone::layout::nhwc ? reorders::before : reorders::in_call;
        const std::string with = when == reorders::in_call ? ", reorders" : "";
        add_convolution(to, p.in, fmt::format("onednn {}", name_of(s->layout)), dnnl::algorithm::convolution_direct,
                        true, reorders::before);
        add_convolution(to, p.in, "onednn its layouts" + with, dnnl::algorithm::convolution_direct, false, when);
        add_convolution(to, p.in, "onednn winograd" + with, dnnl::algorithm::convolution_winograd, false, when);
    } else {
        add_product(to, p.in);
    }
}

std::string onednn_version()
{
    const auto* const v = dnnl_version();
    return fmt::format("oneDNN {}.{}.{}", v->major, v->minor, v->patch);
}

} // namespace bench::layers

#else

namespace bench::layers {
void add_onednn(field&, const peer_call&) {}
std::string onednn_version() { return ""; }
} // namespace bench::layers

#endif
