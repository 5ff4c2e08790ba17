// SPDX-License-Identifier: BSL-1.0
// How many operations an operator has, as the field counts GFLOP: what a tuner weighs its budget by, and a cost model a
// stage by.
#pragma once

#include <cstdint>

#include <hone/ir/visit.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Values that an axis has for those of the others: of a quotient one, or as many as are summed over.
constexpr std::int64_t steps_of(const axis& a)
{
    const axis_quotient& q = a.quotient;
    return !a.is_quotient() ? a.extent : a.reduction ? 1 + ceil_div(q.span, q.divisor) : 1;
}

// These values, the first and the last, where the axes before it stand at `point`.
constexpr ir::interval steps_at(const axis& a, const std::int64_t* point)
{
    const axis_quotient& q = a.quotient;
    if (!a.is_quotient()) return {0, a.extent - 1};
    const std::int64_t at = q.times * point[q.of] + q.added, first = floor_div(at, q.divisor);
    const std::int64_t last = floor_div(at + q.span, q.divisor);
    return {first < 0 ? 0 : first, last < a.extent ? last : a.extent - 1};
}

// Multiply-adds of all reduction stages times two, padded taps included.
constexpr double flops_of(const definition& d)
{
    double total = 0;
    for (const stage& s : d.stages) {
        if (s.reduce == hone::reduction::none) continue;
        double product = 2;
        for (const axis& a : s.axes) product *= static_cast<double>(steps_of(a));
        total += product;
    }
    return total;
}

} // namespace hone::operators

namespace hone { // API
using operators::flops_of;
} // namespace hone
