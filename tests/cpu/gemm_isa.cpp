// SPDX-License-Identifier: BSL-1.0
// Compiled matrix products: transposed, in batches, as views, and with sizes that each call gives.
#include <doctest/doctest.h>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr gemm_shape dense{.m = 7, .n = 33, .k = 13};
constexpr gemm_shape turned{.m = 10, .n = 19, .k = 9, .x = transposed::yes, .weights = transposed::yes};
constexpr gemm_shape views{.batch = 3, .m = 5, .n = 18, .k = 6, .ldx = 8, .ldw = 21, .ldy = 23};
constexpr gemm_shape blocked{.m = 23, .n = 37, .k = 20};
constexpr gemm_shape dot{.m = 1, .n = 1, .k = 21};
constexpr gemm_shape column{.m = 11, .n = 1, .k = 5};
// What each call gives.
constexpr gemm_shape open{
    .m = extent::up_to(40), .n = 21, .k = 11, .ldx = leading::at_call(), .ldy = leading::at_call()};
constexpr gemm_shape open_rows{.batch = 2, .m = extent::up_to(13), .n = 34, .k = 7, .ldy = leading::at_call()};
constexpr gemm_shape open_turned{.m = extent::up_to(9), .n = 5, .k = 10, .x = transposed::yes};

// Batches: dense by m of the call, as far apart as the shape says, or the call; and columns of one.
constexpr gemm_shape open_batch{.batch = 3, .m = extent::up_to(9), .n = 19, .k = 6};
constexpr gemm_shape far_batch{.batch = 2,
                               .m = extent::up_to(6),
                               .n = 9,
                               .k = 5,
                               .batch_stride_x = 41,
                               .batch_stride_w = 50,
                               .batch_stride_y = 55};
constexpr gemm_shape open_column{
    .batch = 5, .m = extent::up_to(7), .n = 1, .k = 8, .ldx = leading::at_call(), .batch_stride_y = leading::at_call()};

// n and k of the call: columns that fill no vector, or blocks of several; reductions in steps and blocks.
constexpr gemm_shape open_depth{.m = 7, .n = 21, .k = extent::up_to(40), .ldx = 45};
constexpr gemm_shape open_width{.m = 9, .n = extent::up_to(70), .k = 6, .ldy = leading::at_call()};
constexpr gemm_shape open_all{.m = extent::up_to(19), .n = extent::up_to(70), .k = extent::up_to(40)};
constexpr gemm_shape open_all_turned{.batch = 2,
                                     .m = extent::up_to(9),
                                     .n = extent::up_to(40),
                                     .k = extent::up_to(12),
                                     .x = transposed::yes,
                                     .weights = transposed::yes};

std::vector<trial<gemm_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<dense, standard, bias, relu>(),
        trial_of<turned, direct_knobs{.rows = 4, .vectors = 2, .reduce_unroll = 2}, relu6>(),
        trial_of<views, standard, bias, residual, relu>(),
        trial_of<blocked,
                 direct_knobs{.rows = 4,
                              .vectors = 2,
                              .reduce_unroll = 4,
                              .reduce_block = 8,
                              .row_block = 8,
                              .order = walk::rows_outer},
                 residual, relu6>(),
        trial_of<blocked, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 3, .row_block = 9}>(),
        trial_of<dot, standard, bias>(),
        trial_of<column, standard, residual>(),
        trial_of<open, direct_knobs{.rows = 6, .vectors = 2}, bias, relu>(),
        trial_of<open_rows, direct_knobs{.rows = 4, .vectors = 1, .reduce_block = 3, .order = walk::rows_outer},
                 residual>(),
        trial_of<open_turned, direct_knobs{.rows = 2, .vectors = 3, .reduce_unroll = 3}, relu6>(),
        trial_of<open_batch, standard, bias, residual>(),
        trial_of<far_batch, standard>(),
        trial_of<open_column, direct_knobs{.rows = 4, .vectors = 1}, residual>(),
        trial_of<open_depth, direct_knobs{.rows = 4, .vectors = 1, .reduce_unroll = 4}, bias>(),
        trial_of<open_depth, direct_knobs{.rows = 3, .vectors = 2, .reduce_unroll = 2, .reduce_block = 8}, residual>(),
        trial_of<open_width, direct_knobs{.rows = 4, .vectors = 2}, bias, residual, relu>(),
        trial_of<open_width, direct_knobs{.rows = 4, .vectors = 1, .order = walk::rows_outer}>(),
        trial_of<open_all, standard, bias, residual, relu>(),
        trial_of<open_all_turned, direct_knobs{.rows = 2, .vectors = 2, .reduce_unroll = 2}, relu6>(),
    };
}

// From call to call another one, in steps that meet all of them.
std::int64_t one_of_call(const extent& e, std::int64_t call, std::int64_t step) { return 1 + call * step % e.value; }

} // namespace

TEST_CASE("matrix products, compiled")
{
    std::uint64_t seed = 200;
    for (const trial<gemm_shape>& t : trials()) {
        const gemm_shape& s = t.shape;
        ++seed;
        const std::int64_t calls = s.m.at_call ? s.m.value : s.n.at_call ? s.n.value : s.k.at_call ? s.k.value : 1;
        for (std::int64_t i = 1; i <= calls; ++i) {
            // Rows of x and y lie further apart from call to call.
            const gemm_call c =
                call_of(s, i, s.k + i % 3, s.n + i % 4, i % 5, one_of_call(s.n, i, 7), one_of_call(s.k, i, 11));
            const call_data d = data_of(s, c, seed);
            const std::vector<std::int64_t> parameters = parameters_of(s, c);
            const std::string wrong = wrong_kernel(t.kernel, d, reference(s, c, d, t.epilogue), parameters.data());
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  trial ", seed, ", m = ", c.m, ", n = ", c.n, ", k = ", c.k, ": ",
                          t.kernel.signature);
        }
    }
}
