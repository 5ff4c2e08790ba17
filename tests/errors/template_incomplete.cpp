// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: a template of the list lacks a part of what schedule/schedule_template.hpp lists; add it
// clang-format on
// forbid: codegen
// A template that says nothing of its default.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
struct other {
    using knobs = hone::direct_knobs;
    using target = hone::isa;
    static constexpr const char* name = "other";
    static constexpr bool applies(const hone::definition&) { return true; }
};
#else
struct other : hone::direct {
    static constexpr const char* name = "other";
};
#endif
struct product : hone::gemm<hone::gemm_shape{.m = 8, .n = 8, .k = 8}, hone::f32> {
    using cpu_templates = hone::template_list<other>;
};
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
