// SPDX-License-Identifier: BSL-1.0
// The kernels of an operator for an instruction set, as a search sees them.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/template_families.hpp>
#include <hone/schedule/transform.hpp>
#include <hone/search/any_space.hpp>
#include <hone/search/own_templates.hpp>
#include <hone/search/space.hpp>

namespace hone::tune {

template <class Templates>
struct cpu_lowering {
    using templates = Templates;
    using target = isa;

    // A config whose weights cannot be packed is illegal too.
    template <class Config>
    status lower_into(nest& n, const definition& d, const Config& c, isa set)
    {
        const status packs = packing_of(n, d, c, set);
        if (!packs.ok()) return packs;
        lower(schedule_for(d, c, set), n);
        return n.ok() ? check(n, cpu_target(set)) : n.found;
    }

private:
    // Many configs read weights in one layout: it is lowered once.
    template <class Config>
    status packing_of(nest& n, const definition& d, const Config& c, isa set)
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

using cpu_space = space<cpu_lowering<cpu_family::shipped>>;

// Of a workload with templates of its own, or with none.
inline std::shared_ptr<const any_space> cpu_space_of(const definition& d, isa set, error_class worst,
                                                     const own_templates<cpu_family>& own)
{
    if (own == nullptr) return any_space_of(cpu_space(d, set, worst));
    using space_of_rows = space<cpu_lowering<listed_templates<isa>>>;
    return any_space_of(space_of_rows(d, set, worst, listed_templates<isa>{own->data(), own->size()}));
}

} // namespace hone::tune
