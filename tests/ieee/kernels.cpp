// SPDX-License-Identifier: BSL-1.0
#include "library.hpp"

namespace hone::test {

namespace {

// Types of this unit alone: kernels of another one, with other flags, are no substitute.
template <expr_op Op>
struct word_here : word_product<Op> {};
template <class... E>
struct sums_here : gemm<sums_shape, f32, E...> {};

template <class Op>
constexpr entry made = entry_of<kernel<Op>>();

} // namespace

template <>
constinit const entry ieee_library<compiled_isa(), HONE_TEST_FLAGS>::kernels[kernels_of_library] = {
    made<word_here<expr_op::neg>>,
    made<word_here<expr_op::abs>>,
    made<word_here<expr_op::sqrt>>,
    made<word_here<expr_op::add>>,
    made<word_here<expr_op::sub>>,
    made<word_here<expr_op::mul>>,
    made<word_here<expr_op::div>>,
    made<word_here<expr_op::min>>,
    made<word_here<expr_op::max>>,
    made<word_here<expr_op::exp>>,
    made<word_here<expr_op::log>>,
    made<word_here<expr_op::tanh>>,
    made<word_here<expr_op::erf>>,
    made<word_here<expr_op::round>>,
    made<word_here<expr_op::floor>>,
    made<word_here<expr_op::less>>,
    made<word_here<expr_op::less_or_equal>>,
    made<word_here<expr_op::equal>>,
    made<word_here<expr_op::select>>,
    made<sums_here<>>,
    made<sums_here<relu>>,
    made<sums_here<relu6>>};

} // namespace hone::test
