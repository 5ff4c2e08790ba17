// SPDX-License-Identifier: BSL-1.0
// Finds each kernel of the libraries that this processor can run, and compares it with plain loops.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <hone/cpu/entry.hpp>
#include <hone/cpu/find_in_range.hpp>
#include <hone/tuned/small.hpp>

#include "kernel_trial.hpp"
#include "layers.hpp"

#ifdef TWO_LIBRARIES
#include <hone/tuned/other.hpp>

#include "others.hpp"
#endif

using namespace hone;
using namespace hone::test;

namespace {

int failures = 0;

// The kernel of this table for `set`; `from` is where it must be found.
template <class Op>
void try_kernel(const entry_table& table, isa set, isa from, const call_data& d, const doubles& expected,
                const std::int64_t* parameters = nullptr)
{
    if (!runs_here(set)) return;
    const entry* e = find(table, Op::signature().c_str(), set);
    std::string wrong = "it is not in the table";
    if (e != nullptr)
        wrong = e->set == from ? wrong_kernel(*e, d, expected, parameters) : "it is of another instruction set";
    if (wrong.empty()) return;
    std::printf("%s, %s: %s\n", Op::signature().c_str(), name_of(set), wrong.c_str());
    ++failures;
}

} // namespace

int main()
{
    const call_data of_conv = data_of(project::conv_shape, 42);
    const doubles conv_expected = reference(project::conv_shape, of_conv, {test::step::relu});
    const gemm_call call = call_of(project::product_shape, project::product_shape.m.value, 0, 0);
    const call_data of_product = data_of(project::product_shape, call, 41);
    const doubles product_expected = reference(project::product_shape, call, of_product, {test::step::bias});
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
        const isa from = set == isa::avx512 ? isa::avx2 : set;
        try_kernel<project::conv>(small::table(), set, from, of_conv, conv_expected);
        try_kernel<project::product>(small::table(), set, from, of_product, product_expected);
    }
#ifdef TWO_LIBRARIES
    const gemm_shape shape = another_product::shape;
    const gemm_call other_call = call_of(shape, 7, 0, 0);
    const call_data of_other = data_of(shape, other_call, 43);
    const std::vector<std::int64_t> parameters = parameters_of(shape, other_call);
    try_kernel<another_product>(other::table(), cpu(), isa::baseline, of_other,
                                reference(shape, other_call, of_other, {}), parameters.data());
    gemm_shape known = shape;
    known.m = 7;
    if (find_in_range(other::table(), signature_of(known, dtype::f32).c_str(), cpu()) == nullptr) ++failures;
    if (find(small::table(), another_product::signature().c_str(), cpu()) != nullptr) ++failures;
#endif
    return failures == 0 ? 0 : 1;
}
