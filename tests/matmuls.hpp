// SPDX-License-Identifier: BSL-1.0
// What tests of products of two activations share: their shapes in the words of a product with weights, whose plain
// loops are their reference, and what a call of one gives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hone/op/matmul.hpp>
#include <hone/schedule/staged_templates.hpp>

#include "reference.hpp"

namespace hone::test {

// Of a call with m rows, whose n and k are less than the most by `fewer`, where it gives them. Distances that it gives
// are farther apart than dense by `more`.
inline gemm_call call_of(const matmul_shape& s, std::int64_t m, std::int64_t more = 0, std::int64_t fewer = 0)
{
    const auto size = [&](const extent& e) { return e.at_call && e.value > fewer ? e.value - fewer : e.value; };
    const std::int64_t n = size(s.n), k = size(s.k);
    gemm_call c = call_of(s.with_weights(), m, (s.x == transposed::yes ? m : k) + more, n + more, more, n, k);
    const bool turned = s.right == transposed::yes;
    if (s.ldr.is_at_call) c.ldw = (turned ? k : n) + more;
    if (s.batch_stride_r.value == 0) c.batch_w = (turned ? n : k) * c.ldw;
    if (s.batch_stride_r.is_at_call) c.batch_w += more;
    return c;
}

// What a kernel is given for it, in the documented order; `all`: with what a nest computes from it.
inline std::vector<std::int64_t> parameters_of(const matmul_shape& s, const gemm_call& c, bool all = false)
{
    std::vector<std::int64_t> p;
    if (s.m.at_call) p.push_back(c.m);
    if (s.n.at_call) p.push_back(c.n);
    if (s.k.at_call) p.push_back(c.k);
    if (s.ldx.is_at_call) p.push_back(c.ldx);
    if (s.ldr.is_at_call) p.push_back(c.ldw);
    if (s.ldy.is_at_call) p.push_back(c.ldy);
    if (s.batch_stride_x.is_at_call) p.push_back(c.batch_x);
    if (s.batch_stride_r.is_at_call) p.push_back(c.batch_w);
    if (s.batch_stride_y.is_at_call) p.push_back(c.batch_y);
    const gemm_shape product = s.with_weights();
    if (all) {
        const auto open = parameters_of(product, c, false), with_products = parameters_of(product, c, true);
        p.insert(p.end(), with_products.begin() + static_cast<std::ptrdiff_t>(open.size()), with_products.end());
    }
    return p;
}

inline std::string matmul_text(const matmul_shape& s) { return signature_of(s, dtype::f32).c_str(); }

inline call_data data_of(const matmul_shape& s, const gemm_call& c, std::uint64_t seed)
{
    return data_of(s.with_weights(), c, seed);
}
inline doubles reference(const matmul_shape& s, const gemm_call& c, const call_data& d, const steps& epilogue)
{
    return reference(s.with_weights(), c, d, epilogue);
}

// Both orders of either factor, odd sizes, views, and what each call gives.
namespace factors {

inline constexpr matmul_shape dense{.batch = 2, .m = 7, .n = 33, .k = 13},
    keys{.batch = 2, .m = 9, .n = 37, .k = 20, .right = transposed::yes},
    turned{.m = 10, .n = 19, .k = 9, .x = transposed::yes, .right = transposed::yes}, row{.batch = 3, .n = 21, .k = 70},
    row_of_keys{.batch = 3, .n = 21, .k = 70, .right = transposed::yes}, dot{.n = 1, .k = 21},
    column{.batch = 4, .m = 11, .n = 1, .k = 5, .right = transposed::yes}, outer{.m = 5, .n = 18, .k = 1},
    long_sums{.m = 3, .n = 40, .k = 128, .right = transposed::yes},
    views{.batch = 3, .m = 5, .n = 18, .k = 6, .ldx = 8, .ldr = 21, .ldy = 23},
    far_keys{.batch = 2,
             .m = 6,
             .n = 9,
             .k = 17,
             .right = transposed::yes,
             .ldr = 19,
             .batch_stride_x = 110,
             .batch_stride_r = 180,
             .batch_stride_y = 55},
    open{.batch = 2,
         .m = extent::up_to(13),
         .n = 34,
         .k = 7,
         .ldx = leading::at_call(),
         .ldr = leading::at_call(),
         .ldy = leading::at_call()},
    open_keys{.batch = 3,
              .m = extent::up_to(9),
              .n = 19,
              .k = 16,
              .right = transposed::yes,
              .ldr = leading::at_call(),
              .batch_stride_x = leading::at_call(),
              .batch_stride_r = leading::at_call(),
              .batch_stride_y = leading::at_call()},
    open_rows{.batch = 2, .m = extent::up_to(12), .n = 33, .k = 18, .right = transposed::yes},
    // Attention over as many keys as the call has.
    any_keys{.batch = 2, .m = extent::up_to(9), .n = extent::up_to(40), .k = 16, .right = transposed::yes},
    any_values{.batch = 2, .m = extent::up_to(9), .n = 19, .k = extent::up_to(23)},
    any_product{.batch = 3,
                .m = extent::up_to(8),
                .n = extent::up_to(37),
                .k = extent::up_to(20),
                .ldx = leading::at_call(),
                .ldr = 41,
                .ldy = leading::at_call()},
    any_turned{.m = extent::up_to(7),
               .n = extent::up_to(35),
               .k = extent::up_to(18),
               .x = transposed::yes,
               .right = transposed::yes};

} // namespace factors

// One operator, and the plain loops that it stands for.
struct product_case {
    matmul_shape shape;
    definition d;
    steps epilogue;
};
template <matmul_shape S, class... E>
product_case case_of()
{
    return {S, checked(matmul<S, f32, E...>::definition()), {step_of<E>()...}};
}
inline std::vector<product_case> product_cases()
{
    using namespace factors;
    return {case_of<factors::dense, bias, relu>(),
            case_of<keys, residual>(),
            case_of<turned, relu6>(),
            case_of<row, bias>(),
            case_of<row_of_keys, bias, residual>(),
            case_of<dot>(),
            case_of<column, residual>(),
            case_of<outer>(),
            case_of<long_sums>(),
            case_of<views, bias, residual, relu>(),
            case_of<far_keys>(),
            case_of<open, bias, relu>(),
            case_of<open_keys, residual>(),
            case_of<open_rows>(),
            case_of<any_keys, residual>(),
            case_of<any_values, bias>(),
            case_of<any_product, bias, relu>(),
            case_of<any_turned>()};
}

} // namespace hone::test
