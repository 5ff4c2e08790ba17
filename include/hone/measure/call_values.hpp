// SPDX-License-Identifier: BSL-1.0
// Values of what each call of an operator gives, extents and distances: those that are typical, by which its kernels
// are judged and timed, and others at which the chosen one has to be right, too.
//
//     extent::up_to(4096).typically(128)    128
//     extent::up_to(4096)                   a quarter, 1024, and never more than that; halved as long as the operator
//                                           would be too large to measure (see fits)
//     leading::at_call()                    rows and matrices without gaps
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/core.h>

#include <hone/core/saturate.hpp>
#include <hone/measure/odd_twin.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/flops.hpp>
#include <hone/run/call.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/transform.hpp>

namespace hone::tune {

// Of the parameters that a call gives, in their order; empty where the operator has none.
using call_values = std::vector<std::int64_t>;

// Of all parameters.
inline call_values completed(const definition& d, call_values given)
{
    given.resize(d.parameters.size());
    complete(d.parameters, given.data(), given.data());
    return given;
}

// The operator as one call has it: with no parameters.
inline definition of_call(definition d, const call_values& given)
{
    const call_values values = completed(d, given);
    for (tensor& t : d.tensors) t = schedules::at_call(t, values.data());
    const auto known = [&](auto& number, std::int16_t& parameter) {
        using type = std::remove_reference_t<decltype(number)>;
        if (parameter >= 0) number = static_cast<type>(number * values[static_cast<std::size_t>(parameter)]);
        parameter = -1;
    };
    for (stage& s : d.stages) {
        for (axis& a : s.axes) {
            if (a.parameter >= 0) a.extent = values[static_cast<std::size_t>(a.parameter)];
            a.parameter = -1;
            axis_quotient& q = a.quotient;
            if (q.parameter >= 0) {
                const std::int64_t by = values[static_cast<std::size_t>(q.parameter)];
                q.times *= by;
                q.added = q.added * by + q.rest;
                q.parameter = -1;
                q.rest = 0;
            }
        }
        const auto known_index = [&](dim_index& index) {
            known(index.offset, index.offset_parameter);
            for (index_term& t : index.terms) known(t.coefficient, t.parameter);
        };
        schedules::for_each_operand(s, [&](operand& o) {
            for (dim_index& index : o.index) known_index(index);
        });
        for (table_operand& t : s.tables) known_index(t.index);
    }
    d.parameters.clear();
    return d;
}

// As people and records read them: "m=128 ldx=512".
inline std::string text_of_call(const definition& d, const call_values& given)
{
    std::string text;
    for (std::size_t p = 0; p < given.size(); ++p)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", d.parameters[p].name, given[p]);
    return text;
}

namespace calling {

// An operator that is measured has at most so many elements, 256 MiB of floats, and so many operations: what the exact
// results then take is a few seconds.
inline bool fits(const definition& known)
{
    constexpr std::int64_t most = std::int64_t{1} << 26;
    std::int64_t elements = 0;
    for (const tensor& t : known.tensors) elements = saturated_sum(elements, operators::sizes::span_of(known, t));
    return elements <= most && flops_of(known) <= 0x1p32;
}

// Whether a parameter is the extent of something, or has a share that is, and no distance.
inline bool is_extent(const definition& d, std::size_t p)
{
    const auto is_own = [p](std::int16_t number) { return number == static_cast<std::int16_t>(p); };
    for (const parameter& q : d.parameters)
        if (q.is_share && is_own(q.dividend)) return true;
    for (const stage& s : d.stages)
        for (const axis& a : s.axes)
            if (is_own(a.parameter)) return true;
    for (const tensor& t : d.tensors)
        for (const dimension& own : t.dims)
            if (is_own(own.extent_parameter)) return true;
    return false;
}

// The least distance that keeps what it moves apart. Values that are not known yet are 0, so that dimensions which hang
// on them stand outside of this one.
inline std::int64_t dense_distance(const definition& d, std::size_t p, const call_values& given)
{
    const call_values values = completed(d, given);
    const parameter& own = d.parameters[p];
    std::int64_t distance = own.least;
    if (own.reaches >= 0) distance = std::max(distance, values[static_cast<std::size_t>(own.reaches)]);
    for (const tensor& open : d.tensors) {
        const tensor t = schedules::at_call(open, values.data());
        for (std::size_t i = 0; i < t.dims.size(); ++i) {
            if (open.dims[i].stride_parameter != static_cast<std::int16_t>(p)) continue;
            std::vector<dimension> others(t.dims.begin(), t.dims.end());
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
            std::stable_sort(others.begin(), others.end(),
                             [](const dimension& a, const dimension& b) { return a.stride < b.stride; });
            const std::int64_t unit = std::max<std::int64_t>(open.dims[i].stride, 1);
            std::int64_t span = 1;
            for (const dimension& inner : others) {
                if (inner.stride >= distance * unit * t.dims[i].extent) break; // it stands outside
                span += (inner.extent - 1) * inner.stride;
                distance = std::max(distance, (span + unit - 1) / unit);
            }
        }
    }
    return distance;
}

// Of windows that an image does not hold, with its padding, as many taps as it does. Where each must meet the image, no
// padding if it is longer than windows of so many taps allow. Of outputs that pixels are spread over as many as these
// reach, and no padding that leaves none.
inline call_values with_held_windows(const definition& d, call_values given)
{
    const auto of = [&](std::int16_t p) -> std::int64_t& { return given[static_cast<std::size_t>(p)]; };
    for (const parameter& p : d.parameters) {
        const ir::window_numbers& w = p.window;
        if (w.spread >= 0) {
            const auto reached = [&] { return of(w.spread) * of(w.stride) + of(w.taps) - 1 - of(w.before); };
            if (reached() < 1) of(w.before) = 0;
            of(w.image) = std::min(of(w.image), reached());
        }
        if (w.image < 0 || w.dilation < 0) continue;
        const std::int64_t far = of(w.dilation) * (of(w.taps) - 1);
        if (w.meets && (std::max(of(w.before), of(w.behind)) > far || of(w.dilation) > of(w.image)))
            of(w.before) = of(w.behind) = 0;
        if (const std::int64_t missing = ir::missing_of(w, given.data()); missing > 0)
            of(w.taps) -= (missing + of(w.dilation) - 1) / of(w.dilation);
    }
    return given;
}

// Of channels that groups do not divide, fewer, and where there are no more than groups, or so many are typical, fewer
// groups: as many as divide all. Groups that are typical stay.
inline call_values with_whole_shares(const definition& d, call_values given)
{
    const auto is_typical = [&](std::int16_t p) {
        return given[static_cast<std::size_t>(p)] == d.parameters[p].typical;
    };
    for (const bool of_groups : {false, true})
        for (const parameter& p : d.parameters) {
            if (!p.is_share) continue;
            std::int64_t& all = given[static_cast<std::size_t>(p.dividend)];
            const std::int64_t groups = p.by(given.data());
            if (groups < 1 || all % groups == 0) continue;
            if (!of_groups && all > groups && !is_typical(p.dividend)) all -= all % groups;
            if (of_groups && p.groups >= 0 && !is_typical(p.groups))
                given[static_cast<std::size_t>(p.groups)] = std::gcd(all, groups);
        }
    return given;
}

// All that a call gives, of its extents; `distance(p, dense)` chooses the others.
template <class Distance>
call_values with_distances(const definition& d, call_values extents, Distance&& distance)
{
    extents = with_whole_shares(d, extents);
    for (std::size_t p = 0; p < extents.size(); ++p)
        if (!is_extent(d, p)) extents[p] = 0;
    for (std::size_t p = 0; p < extents.size(); ++p)
        if (!is_extent(d, p)) extents[p] = distance(d.parameters[p], dense_distance(d, p, extents));
    return with_held_windows(d, extents);
}
inline call_values with_gaps(const definition& d, const call_values& extents, std::int64_t gap)
{
    return with_distances(d, extents, [gap](const parameter& p, std::int64_t dense) {
        return std::min(dense + gap, std::max(dense, p.most));
    });
}

// The extents that may_shrink, halved one by one until the operator fits, the largest first.
template <class MayShrink>
call_values shrunk_to_fit(const definition& d, call_values extents, MayShrink&& may_shrink)
{
    while (!fits(of_call(d, with_gaps(d, extents, 0)))) {
        std::size_t largest = extents.size();
        for (std::size_t p = 0; p < extents.size(); ++p)
            if (is_extent(d, p) && may_shrink(d.parameters[p]) && extents[p] / 2 >= d.parameters[p].least &&
                (largest == extents.size() || extents[p] > extents[largest]))
                largest = p;
        if (largest == extents.size()) break;
        extents[largest] /= 2;
    }
    return extents;
}

template <class Choose>
call_values extents_by(const definition& d, Choose&& choose)
{
    call_values extents(given_parameters(d.parameters));
    for (std::size_t p = 0; p < extents.size(); ++p)
        extents[p] = std::clamp(choose(d.parameters[p]), d.parameters[p].least, d.parameters[p].most);
    return extents;
}

} // namespace calling

// What calls of an operator are measured at: see above. Values that are named are taken as they are.
inline call_values typical_call(const definition& d)
{
    using namespace calling;
    const auto is_named = [](const parameter& p) { return p.typical != 0; };
    const call_values extents =
        shrunk_to_fit(d,
                      extents_by(d,
                                 [&](const parameter& p) {
                                     constexpr std::int64_t most = 1024;
                                     return is_named(p) ? p.typical : std::min(p.most / 4, most);
                                 }),
                      [&](const parameter& p) { return !is_named(p); });
    return with_distances(d, extents,
                          [&](const parameter& p, std::int64_t dense) { return is_named(p) ? p.typical : dense; });
}

// The operator with a typical value of all that a call gives; typical_out_of_range where those that are named do not
// fit each other.
inline definition with_typical(definition d)
{
    if (!d.found.ok() || d.parameters.empty()) return d;
    const call_values typical = typical_call(d);
    if (const status s = calls::check_parameters(d.parameters, 0, typical.data()).found; !s.ok())
        d.found = {fault::typical_out_of_range, s.expected, s.found, s.subject};
    else if (!checked(of_call(d, typical)).found.ok())
        d.found = {fault::typical_out_of_range, 0, 0, "distances"};
    for (std::size_t p = 0; p < typical.size(); ++p) d.parameters[p].typical = typical[p];
    return d;
}
inline definition of_typical_call(const definition& d)
{
    return d.parameters.empty() ? d : of_call(d, typical_call(d));
}

// Extents that no tile divides, with gaps between rows and matrices where there is room for them.
inline call_values odd_call(const definition& d)
{
    const call_values extents = calling::extents_by(d, [](const parameter& p) { return odd_extent(p.most); });
    const call_values apart = calling::with_gaps(d, extents, 3);
    return checked(of_call(d, apart)).found.ok() ? apart : calling::with_gaps(d, extents, 0);
}

// Beside what is typical: the least values, odd ones, and the largest that can be measured. None where the operator has
// no parameters.
inline std::vector<call_values> other_calls(const definition& d)
{
    using namespace calling;
    std::vector<call_values> all;
    if (d.parameters.empty()) return all;
    const call_values typical = typical_call(d);
    const auto add = [&](const call_values& c) {
        if (c != typical && std::find(all.begin(), all.end(), c) == all.end()) all.push_back(c);
    };
    add(with_gaps(d, extents_by(d, [](const parameter& p) { return p.least; }), 0));
    add(odd_call(d));
    const call_values largest = extents_by(d, [](const parameter& p) { return p.most; });
    add(with_gaps(d, shrunk_to_fit(d, largest, [](const parameter&) { return true; }), 0));
    return all;
}

} // namespace hone::tune
