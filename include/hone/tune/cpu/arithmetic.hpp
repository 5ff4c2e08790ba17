// SPDX-License-Identifier: BSL-1.0
// How kernels on the CPU sum, which decides how far their results may lie from the exact ones: by the class of error of
// a config, and all ways that there are for an operator.
#pragma once

#include <vector>

#include <hone/measure/error_bound.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/settings.hpp>
#include <hone/record/standing.hpp>
#include <hone/schedule/winograd.hpp>

namespace hone::tune {

// All that candidates may have.
inline std::vector<arithmetic> cpu_arithmetics(const definition& d)
{
    if (!winograd_applies(d)) return {arithmetic::direct};
    return {arithmetic::direct, arithmetic::winograd_2, arithmetic::winograd_4};
}

// That of a kernel.
inline arithmetic arithmetic_of(error_class c)
{
    switch (c) {
    case error_class::exact_order:
    case error_class::reassociated: return arithmetic::direct;
    case error_class::winograd_2: return arithmetic::winograd_2;
    case error_class::winograd_4:
    case error_class::winograd_6: break;
    }
    return arithmetic::winograd_4;
}
// That of a record. A peer may choose among all ways.
inline arithmetic arithmetic_of(const definition& d, const record& r)
{
    if (r.template_name == peer_template) return cpu_arithmetics(d).back();
    return arithmetic_of(class_of(r));
}

} // namespace hone::tune
