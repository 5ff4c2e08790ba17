// SPDX-License-Identifier: BSL-1.0
// The kernels of an operator for an instruction set, as a search sees them.
#pragma once

#include <cstdint>
#include <unordered_map>

#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/transform.hpp>
#include <hone/tune/space.hpp>

namespace hone::tune {

struct cpu_backend {
    using templates = cpu_templates;
    using target = isa;

    // A config whose weights cannot be packed is illegal too.
    status lower_into(nest& n, const definition& d, const cpu_config& c, isa set)
    {
        const status packs = packing_of(n, d, c, set);
        if (!packs.ok()) return packs;
        lower(schedule_for(d, c, set), n);
        return n.ok() ? check(n, cpu_target(set)) : n.found;
    }

private:
    // Many configs read weights in one layout: it is lowered once.
    status packing_of(nest& n, const definition& d, const cpu_config& c, isa set)
    {
        if (const status wrong = check_config(d, c); !wrong.ok()) return wrong;
        const packed_tensors packed = packed_for(d, c, set);
        for (std::size_t w = 0; w < packed.size(); ++w) {
            const auto [at, is_new] = packings_[w].try_emplace(layout_id(packed[w]));
            if (is_new) {
                lower(packing_for(d, c, set, w), n);
                at->second = n.ok() ? check(n, cpu_target(set)) : n.found;
            }
            if (!at->second.ok()) return at->second;
        }
        return {};
    }

    std::unordered_map<std::uint64_t, status> packings_[most_weights]{}; // by layout
};

using cpu_space = space<cpu_backend>;

} // namespace hone::tune
