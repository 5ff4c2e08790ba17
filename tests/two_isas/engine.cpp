// SPDX-License-Identifier: BSL-1.0
// An engine over the libraries of three instruction sets: compiled for the baseline, unoptimized, with no kernel of its
// own. Each kernel that this processor can run is found, run and compared with plain loops.
#include <cstdio>
#include <string>

#include "kernel_trial.hpp"
#include "library.hpp"

namespace hone::test {

template <>
const entry_list library<isa::baseline>::by_default;
template <>
const entry_list library<isa::baseline>::tuned;
template <>
const entry_list library<isa::avx2>::by_default;
template <>
const entry_list library<isa::avx2>::tuned;
template <>
const entry_list library<isa::avx512>::by_default;
template <>
const entry_list library<isa::avx512>::tuned;

} // namespace hone::test

using namespace hone;
using namespace hone::test;

namespace {

constexpr signature_text gemm_signature = gemm_workload::signature();
constexpr signature_text conv_signature = conv_workload::signature();
constexpr signature_text half_signature = half_workload::signature();

int failures = 0;
void expect(const std::string& wrong, const std::string& what)
{
    std::printf("%s: %s\n", what.c_str(), wrong.empty() ? "as plain loops" : wrong.c_str());
    failures += wrong.empty() ? 0 : 1;
}

void try_kernel(const entry* kernel, isa set, const std::string& what, const call_data& d, const doubles& expected)
{
    if (kernel == nullptr)
        expect("not found", what);
    else if (kernel->set != set)
        expect(std::string{"found one for "} + name_of(kernel->set), what);
    else
        expect(wrong_kernel(*kernel, d, expected), what);
}

} // namespace

int main()
{
    // The widest stands in the middle: what is found does not hang on the order.
    const entry_list defaults_of_each[] = {library<isa::baseline>::by_default, library<isa::avx512>::by_default,
                                           library<isa::avx2>::by_default};
    const entry_list tuned_of_each[] = {library<isa::baseline>::tuned, library<isa::avx512>::tuned,
                                        library<isa::avx2>::tuned};
    const gemm_call call = call_of(small_gemm, small_gemm.m.value, 0, 0);
    const call_data of_gemm = data_of(small_gemm, call, 41);
    const call_data of_conv = data_of(small_conv, 42);
    const doubles gemm_expected = reference(small_gemm, call, of_gemm, {test::step::bias});
    const doubles conv_expected = reference(small_conv, of_conv, {test::step::relu});

    const entry_table by_default{defaults_of_each, 3};
    const entry_table tuned{tuned_of_each, 3};
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
        const std::string name = name_of(set);
        if (!runs_here(set)) {
            std::printf("%s: not run, this processor has no more than %s\n", name.c_str(), name_of(cpu()));
            continue;
        }
        for (const entry_table* table : {&by_default, &tuned}) {
            const std::string of = name + (table == &tuned ? ", tuned" : ", by default");
            try_kernel(find(*table, gemm_signature.c_str(), set), set, "gemm, " + of, of_gemm, gemm_expected);
            try_kernel(find(*table, conv_signature.c_str(), set), set, "conv2d, " + of, of_conv, conv_expected);
            try_kernel(find(*table, half_signature.c_str(), set), set, "gemm, weights of 16 bits, " + of, of_gemm,
                       gemm_expected);
        }
    }
    // Tuned kernels are others: their packed weights differ.
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512})
        for (const char* signature : {gemm_signature.c_str(), conv_signature.c_str(), half_signature.c_str()}) {
            const entry* a = find(by_default, signature, set);
            const entry* b = find(tuned, signature, set);
            if (a == nullptr || b == nullptr || a->run == b->run)
                expect("one kernel for both config sets", std::string{signature} + ", " + name_of(set));
        }
    return failures == 0 ? 0 : 1;
}
