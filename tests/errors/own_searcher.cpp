// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: a searcher has point = hone::tune::space_point, propose(count), tell(point, program, ms) and exclude(program), and is made of a hone::tune::shared_space and a seed; add what the type lacks of hone/search/search.hpp
// clang-format on
// forbid: searcher_as_any
// with: -fexceptions
// A searcher without a seed.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <hone/search/own_search.hpp>

struct nothing_new {
    using point = hone::tune::space_point;
#ifdef FORBIDDEN
    explicit nothing_new(const hone::tune::shared_space&) {}
#else
    nothing_new(const hone::tune::shared_space&, std::uint64_t) {}
#endif
    std::vector<hone::tune::proposal<point>> propose(std::size_t) { return {}; }
    void tell(const point&, std::uint64_t, double) {}
    void exclude(std::uint64_t) {}
};
hone::tune::own_search search() { return hone::tune::own_searcher<nothing_new>(); }
