// SPDX-License-Identifier: BSL-1.0
// The Winograd template for 3x3 convolutions of stride 1: F(m, 3) over blocks of output tiles (Lavin and Gray,
// arXiv 1509.09308). Y = A^T [ (B^T d B) * (G g G^T) ] A: weights are transformed when they are packed; for each block
// of tiles the inputs are transformed, (m + 2)^2 small matrix products are formed, and the outputs are transformed.
#pragma once

#include <cstddef>

#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/winograd_knobs.hpp>
#include <hone/schedule/winograd_packing.hpp>
#include <hone/schedule/winograd_stages.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

struct winograd {
    using knobs = winograd_knobs;
    using target = isa;
    static constexpr const char* name = "winograd";
    static constexpr error_class strictest = error_class::winograd_2;
    static constexpr const auto& constraints = winograd_constraints;
    static constexpr int default_steps = 1;
    static constexpr bool transforms_weights = true;

    static constexpr bool applies(const definition& d) { return winograd_applies(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, isa set) { return schedules::fitted(d, k, set); }
    static constexpr knobs standard(const definition& d, isa set, int) { return default_winograd(d, set); }
    static constexpr packed_tensors packed(const definition& d, const knobs& k, isa set)
    {
        packed_tensors all;
        if (check_knobs(k).ok()) all.push_back(winograd_weights(d, k, set));
        return all;
    }
    static constexpr schedule packing(const definition& d, const knobs& k, isa set, std::size_t)
    {
        return winograd_packing(d, k, set);
    }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        return winograd_schedule(d, k, set);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::winograd;
} // namespace hone
