// SPDX-License-Identifier: BSL-1.0
// That all accesses of a nest stay in their buffers: each leaf with what the loops and guards around it say, and the
// conditions of the access.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/ir/bounds_proof.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// Walks a nest, and proves each access of each leaf.
template <class Nest>
class access_walk {
public:
    explicit constexpr access_walk(const Nest& n) : n_{n}, proof_{n} {}

    constexpr status run()
    {
        siblings(n_.root);
        return found_;
    }

private:
    constexpr void siblings(int i)
    {
        for (; i >= 0 && found_.ok(); i = n_.nodes[i].next) {
            const node& here = n_.nodes[i];
            const int mark = proof_.mark();
            switch (here.kind) {
            case node_kind::loop: {
                interval& v = values_[here.variable];
                const interval outer = v;
                v = proof_.values_of(here, values_);
                proof_.open(here, values_);
                if (v.most >= v.least) siblings(here.child);
                v = outer;
                break;
            }
            case node_kind::guard: proof_.assume(here.conditions); [[fallthrough]];
            case node_kind::tile: siblings(here.child); break;
            case node_kind::leaf: {
                const statement& s = n_.statements[here.statement];
                check(i, s.target);
                for_each_load(n_, s.value, [&](int load) { check(i, load); });
                break;
            }
            case node_kind::barrier: break;
            }
            proof_.close(mark);
        }
    }
    constexpr void check(int leaf, int access)
    {
        const ir::access& a = n_.accesses[access];
        const buffer& b = n_.buffers[a.buffer];
        const int mark = proof_.mark();
        proof_.assume(a.conditions);
        if (found_.ok() && !proof_.is_inside(a.index, b.elements, values_) && !is_never_made(leaf, a))
            found_ = {fault::index_out_of_bounds, interval_of(n_, b.elements, values_).least,
                      interval_of(n_, a.index, values_).most, b.name};
        proof_.close(mark);
    }
    constexpr bool is_never_made(int leaf, const ir::access& a) const
    {
        for (int i = leaf; i >= 0; i = n_.nodes[i].parent)
            if (n_.nodes[i].kind == node_kind::guard && proof_.is_contradiction(n_.nodes[i].conditions, values_))
                return true;
        return proof_.is_contradiction(a.conditions, values_);
    }

    const Nest& n_;
    bounds_proof<Nest> proof_;
    interval values_[decltype(Nest::variables)::capacity + 1]{}; // a nest may have no variables
    status found_{};
};

// index_out_of_bounds for the first access of a nest, of any memory, that is not proved to stay in its buffer; found is
// its largest index by intervals. Tens to hundreds of microseconds: once for each nest that is compiled or taken from a
// record, where check() is asked of every nest that a search looks at.
template <class Nest>
constexpr status prove_accesses(const Nest& n)
{
    if (!n.found.ok()) return n.found;
    return access_walk<Nest>{n}.run();
}

} // namespace hone::ir
