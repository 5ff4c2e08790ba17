// SPDX-License-Identifier: BSL-1.0
// XNNPACK: convolutions in NHWC and products, with bias and clamp fused. Weights are packed when an operator is made,
// so cold ones are operators that take turns.
#include "operands.hpp"

#ifdef HONE_HAVE_XNNPACK
#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include "../xnnpack.hpp"

namespace bench::layers {
namespace {

struct state {
    pthreadpool_t threads = nullptr;
    std::vector<xnn_operator_t> operators{};
    std::vector<std::vector<char>> workspaces{};
    std::size_t at = 0;
    floats x{}, y{}; // XNNPACK reads beyond the end of x

    ~state()
    {
        for (const xnn_operator_t o : operators) xnn_delete_operator(o);
    }
};

// One for the process; its threads are where those of the process are.
pthreadpool_t pool_of(int threads)
{
    static pthreadpool_t const pool = threads > 1 ? pthreadpool_create(static_cast<std::size_t>(threads)) : nullptr;
    return pool;
}

// `make`: an operator that is ready to be run; null where XNNPACK has none.
template <class Make>
void add(field& to, const peer_call& p, const char* name, Make make)
{
    if (xnn_initialize(nullptr) != xnn_status_success) return;
    const auto st = std::make_shared<state>();
    st->threads = pool_of(p.threads);
    st->x = floats(p.in.x.size() + XNN_EXTRA_BYTES / sizeof(float));
    std::copy_n(p.in.x.data(), p.in.x.size(), st->x.data());
    st->y = floats(static_cast<std::size_t>(p.in.outputs));
    std::size_t copies = 1;
    const std::size_t bytes = p.in.weights.size() * sizeof(float),
                      enough = 2 * hone::tune::measuring::last_level_cache();
    if (p.cache == hone::tune::cache_mode::cold_weights && bytes < enough) copies = enough / bytes + 1;
    for (std::size_t i = 0; i < copies; ++i) {
        const xnn_operator_t made = make(*st);
        if (made == nullptr) return;
        st->operators.push_back(made);
    }
    contender c{.name = name,
                .call = [st] { xnn_run_operator(st->operators[st->at], st->threads); },
                .take_weights = [st](const float*) { st->at = st->at + 1 == st->operators.size() ? 0 : st->at + 1; }};
    const floats& y = st->y;
    y.poison();
    c.call();
    c.error = p.in.expected.error(y);
    to.add(std::move(c), side::peer);
}

struct clamp {
    float least = -std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::infinity();
    explicit clamp(const shape& s)
    {
        if (s.relu) least = 0;
    }
};

} // namespace

void add_xnnpack(field& to, const peer_call& p)
{
    const operands& in = p.in;
    const clamp within(in.of);
    const float* const bias = in.of.bias ? in.bias.data() : nullptr;
    const auto u = [](std::int64_t n) { return static_cast<std::uint32_t>(n); };
    const auto z = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    if (const auto* const s = in.of.conv2d()) {
        if (s->layout != hone::layout::nhwc) return;
        const hone::operators::image_window v = s->window();
        add(to, p, "xnnpack", [&](state& st) -> xnn_operator_t {
            xnn_operator_t made = nullptr;
            if (xnnpack::create_convolution(&made, u(v.pad_top), u(v.pad_right), u(v.pad_bottom), u(v.pad_left),
                                            u(s->kh), u(s->kw), u(v.stride_h), u(v.stride_w), u(v.dilation_h),
                                            u(v.dilation_w), u(s->groups), z(s->ic / s->groups), z(s->oc / s->groups),
                                            z(s->ic), z(s->oc), in.weights.data(), bias, within.least, within.most,
                                            0u) != xnn_status_success ||
                xnnpack::set_up_convolution(made, z(s->n), z(s->h), z(s->w), st.x.data(), st.y.data(), st.threads,
                                            st.workspaces) != xnn_status_success)
                return nullptr;
            return made;
        });
        return;
    }
    const hone::gemm_shape& g = *in.of.gemm();
    if (g.batch != 1 || g.x == hone::transposed::yes) return;
    const std::uint32_t order = g.weights == hone::transposed::yes ? 0 : XNN_FLAG_TRANSPOSE_WEIGHTS;
    add(to, p, "xnnpack", [&](state& st) -> xnn_operator_t {
        xnn_operator_t made = nullptr;
        if (xnnpack::create_product(&made, z(g.k), z(g.n), z(g.k), z(g.n), in.weights.data(), bias, within.least,
                                    within.most, order) != xnn_status_success ||
            xnnpack::set_up_product(made, z(g.m.value), st.x.data(), st.y.data(), st.threads) != xnn_status_success)
            return nullptr;
        return made;
    });
}

std::string xnnpack_version() { return "XNNPACK"; }

} // namespace bench::layers

#else

namespace bench::layers {
void add_xnnpack(field&, const peer_call&) {}
std::string xnnpack_version() { return ""; }
} // namespace bench::layers

#endif
