// SPDX-License-Identifier: BSL-1.0
// Compiled kernels whose weights are of 16 bits: products and convolutions.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

using halves = types<f16>;

template <gemm_shape S, auto Knobs, class... E>
trial<gemm_shape> product_of()
{
    return trial_of_operator<Knobs, gemm<S, halves, E...>, gemm_shape, E...>(S);
}
template <conv2d_shape S, auto Knobs, class... E>
trial<conv2d_shape> layer_of()
{
    return trial_of_operator<Knobs, conv2d<S, halves, E...>, conv2d_shape, E...>(S);
}

constexpr gemm_shape dense{.m = 7, .n = 33, .k = 13};
constexpr gemm_shape row{.m = 1, .n = 70, .k = 24};
constexpr gemm_shape turned{.batch = 2, .m = 10, .n = 19, .k = 9, .weights = transposed::yes, .ldw = 11};
constexpr gemm_shape open{.m = extent::up_to(9), .n = 21, .k = 11, .ldy = leading::at_call()};
constexpr conv2d_shape layer{.h = 9, .w = 11, .ic = 5, .oc = 35, .kh = 3, .kw = 3, .pad = 1};
constexpr conv2d_shape grouped{.h = 6, .w = 7, .ic = 6, .oc = 18, .kh = 3, .kw = 2, .stride = 2, .groups = 3};
constexpr conv2d_shape depthwise{.h = 8, .w = 8, .ic = 19, .oc = 19, .kh = 3, .kw = 3, .pad = 1, .groups = 19};
constexpr conv2d_shape few{.h = 5, .w = 6, .ic = 30, .oc = 30, .kh = 3, .kw = 3, .pad = 1, .groups = 10};
constexpr by_default standard;

// A few, that fill no vector.
struct few_halves : gemm<gemm_shape{.m = 1, .n = 3, .k = 1}, halves> {};
// The same as floats of 32 bits.
struct few_floats : gemm<gemm_shape{.m = 1, .n = 3, .k = 1}, f32> {};

} // namespace

TEST_CASE("products and convolutions with weights of 16 bits")
{
    std::uint64_t seed = 300;
    for (const trial<gemm_shape>& t :
         {product_of<dense, standard, bias, relu>(), product_of<row, standard, bias>(),
          product_of<row, direct_knobs{.rows = 1, .vectors = 4, .reduce_unroll = 4}>(),
          product_of<turned, direct_knobs{.rows = 4, .vectors = 2, .reduce_unroll = 2, .reduce_block = 4}, residual>(),
          product_of<open, standard, relu6>()}) {
        const gemm_shape& s = t.shape;
        ++seed;
        for (std::int64_t m = s.m.at_call ? 1 : s.m.value; m <= s.m.value; ++m) {
            const gemm_call c = call_of(s, m, s.k, s.n + 1, 0);
            const call_data d = data_of(s, c, seed);
            const std::vector<std::int64_t> parameters = parameters_of(s, c);
            const std::string wrong = wrong_kernel(t.kernel, d, reference(s, c, d, t.epilogue), parameters.data());
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  trial ", seed, ", m = ", m, ": ", t.kernel.signature);
        }
    }
    for (const trial<conv2d_shape>& t :
         {layer_of<layer, standard, bias, relu>(),
          layer_of<layer, direct_knobs{.rows = 3, .vectors = 2, .pad = padding::copy}, residual>(),
          layer_of<grouped, standard, bias>(), layer_of<depthwise, standard, bias, relu6>(),
          layer_of<few, standard, bias>()}) {
        const call_data d = data_of(t.shape, ++seed);
        const std::string wrong = wrong_kernel(t.kernel, d, reference(t.shape, d, t.epilogue));
        CHECK_MESSAGE(wrong.empty(), wrong, "\n  trial ", seed, ": ", t.kernel.signature);
    }
}

TEST_CASE("weights of 16 bits may be given as floats, which are rounded; those of 32 bits may not be halves")
{
    using k = kernel<few_halves>;
    static_assert(k::packed_bytes * 2 == kernel<few_floats>::packed_bytes);
    static_assert(k::layout_id != kernel<few_floats>::layout_id);
    const float floats[] = {0.1f, 1.0f + 0x1p-11f, 1e30f};
    const half rounded[] = {half(0.1f), half(1.0f), half(INFINITY)};
    std::vector<std::byte> a(k::packed_bytes, std::byte{1}), b(k::packed_bytes, std::byte{2});
    REQUIRE(k::pack(floats, a.data()).ok());
    REQUIRE(k::pack(rounded, b.data()).ok());
    CHECK(a == b);
    const half* const list[] = {rounded};
    REQUIRE(k::pack(list, a.data()).ok());
    CHECK(a == b);
    std::vector<float> untouched(kernel<few_floats>::packed_bytes / sizeof(float), 5.0f);
    const status refused = kernel<few_floats>::pack(rounded, untouched.data());
    CHECK(refused.what == fault::weights_type);
    CHECK(std::string(refused.subject) == "weights");
    CHECK(untouched == std::vector<float>(untouched.size(), 5.0f));
}
