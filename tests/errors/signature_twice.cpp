// expect: two workloads of the list have one signature; remove one of them
// forbid: codegen
// SPDX-License-Identifier: BSL-1.0
// Two operators of a user that name the slope of their epilogue nowhere, in one table.
#include <hone/cpu/compiled.hpp>
#include <hone/op/gemm.hpp>

constexpr hone::gemm_shape shape{.m = 2, .n = 3, .k = 4};
template <int Percent>
struct leaky {
    static constexpr const char* name = "leaky";
    static constexpr hone::expr apply(const hone::expr& acc) { return hone::ex::max(acc, acc * (Percent / 100.0f)); }
};
template <int Percent>
struct product : hone::gemm<shape, hone::f32, leaky<Percent>> {
#ifdef FORBIDDEN
    static constexpr hone::signature_text signature()
    {
        hone::signature_text t;
        return t.word("product").word(leaky<Percent>::name);
    }
#endif
};
using list = hone::workloads<product<10>, product<20>>;
using kernels = hone::compiled<list, hone::defaults, hone::compiled_isa()>;
template <>
constinit const kernels::entries kernels::kernels = hone::entries_of<list, hone::defaults, hone::compiled_isa()>();
