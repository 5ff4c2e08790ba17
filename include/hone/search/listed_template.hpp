// SPDX-License-Identifier: BSL-1.0
// A schedule template without its type: what a tuner asks of one that it was built without. A project's tuner hands
// such rows for the templates of its own to the library that searches (tuner_main.hpp): numbers and plain functions, so
// that flags of either do not matter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>

#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/template_families.hpp>

namespace hone::tune {

inline constexpr std::size_t most_knobs = 12;

// Some of a kind, which live as long as the program.
template <class T>
struct rows_of {
    const T* first = nullptr;
    std::size_t size = 0;
    constexpr const T* begin() const { return first; }
    constexpr const T* end() const { return first + size; }
};

// The knobs of a listed template: a value for each entry of its table, which check_knobs, records and texts read as
// they read any other.
struct listed_knobs {
    rows_of<knob<listed_knobs>> table{};
    inline_vector<std::int64_t, most_knobs> values{};
    friend constexpr bool operator==(const listed_knobs& a, const listed_knobs& b)
    {
        return a.table.first == b.table.first && a.values == b.values;
    }
};
constexpr rows_of<knob<listed_knobs>> knobs_of(const listed_knobs& k) { return k.table; }

// What stands in schedule/schedule_template.hpp, of this target; a template that hone has in its own list is its name
// alone.
template <class Target>
struct listed_template {
    const char* name = "";
    error_class strictest = error_class::exact_order;
    int default_steps = 1;
    rows_of<knob<listed_knobs>> knobs{};
    rows_of<constraint<listed_knobs, Target>> constraints{};
    listed_knobs (*defaults)() = nullptr;
    error_class (*class_of)(const listed_knobs&) = nullptr;
    bool (*applies)(const definition&) = nullptr;
    listed_knobs (*fitted)(const definition&, const listed_knobs&, const Target&) = nullptr;
    listed_knobs (*standard)(const definition&, const Target&, int step) = nullptr;
    packed_tensors (*packed)(const definition&, const listed_knobs&, const Target&) = nullptr;
    schedule (*packing)(const definition&, const listed_knobs&, const Target&, std::size_t which) = nullptr;
    schedule (*scheduled)(const definition&, const listed_knobs&, const Target&) = nullptr;

    constexpr bool is_shipped() const { return applies == nullptr; }
};
// Those of a workload; none: it takes hone's own list.
template <class Target>
using listed_templates = rows_of<listed_template<Target>>;

namespace listing {

template <class Knobs>
inline constexpr std::size_t knob_count = std::size(knobs_of(Knobs{}));

// The table of a type of knobs, for values that have lost it.
template <class Knobs>
inline constexpr auto knob_table = []<std::size_t... I>(std::index_sequence<I...>) {
    const auto row = [](const knob<Knobs>& of, auto get, auto set) {
        return knob<listed_knobs>{of.name, get, set, of.legal, of.least, of.most, of.values, of.words, of.is_optional};
    };
    return std::array<knob<listed_knobs>, sizeof...(I)>{row(
        knobs_of(Knobs{})[I], [](const listed_knobs& k) { return k.values[I]; },
        [](listed_knobs& k, std::int64_t value) { k.values[I] = value; })...};
}(std::make_index_sequence<knob_count<Knobs>>{});

template <class Knobs>
constexpr listed_knobs values_of(const Knobs& from)
{
    static_assert(knob_count<Knobs> <= most_knobs,
                  "hone::tune: a template has more than 12 knobs, or it could not be searched; join some of them");
    listed_knobs to{.table = {knob_table<Knobs>.data(), knob_table<Knobs>.size()}};
    for (const auto& k : knobs_of(from)) to.values.push_back(k.get(from));
    return to;
}
template <class Knobs>
constexpr Knobs knobs_from(const listed_knobs& from)
{
    Knobs to{};
    std::size_t i = 0;
    for (const auto& k : knobs_of(to)) k.set(to, from.values[i++]);
    return to;
}

template <class T>
inline constexpr auto constraint_table = []<std::size_t... I>(std::index_sequence<I...>) {
    using knobs = typename T::knobs;
    using target = typename T::target;
    return std::array<constraint<listed_knobs, target>, sizeof...(I)>{
        constraint<listed_knobs, target>{T::constraints[I].name, [](const listed_knobs& k, const target& t) {
                                             return T::constraints[I].found(knobs_from<knobs>(k), t);
                                         }}...};
}(std::make_index_sequence<std::size(T::constraints)>{});

} // namespace listing

// All of a template, hone's or not.
template <schedule_template T>
constexpr listed_template<typename T::target> row_of()
{
    using namespace listing;
    using knobs = typename T::knobs;
    using target = typename T::target;
    return {
        .name = T::name,
        .strictest = T::strictest,
        .default_steps = T::default_steps,
        .knobs = {knob_table<knobs>.data(), knob_table<knobs>.size()},
        .constraints = {constraint_table<T>.data(), constraint_table<T>.size()},
        .defaults = [] { return values_of(knobs{}); },
        .class_of = [](const listed_knobs& k) { return class_of(knobs_from<knobs>(k)); },
        .applies = [](const definition& d) { return T::applies(d); },
        .fitted = [](const definition& d, const listed_knobs& k,
                     const target& t) { return values_of(T::fitted(d, knobs_from<knobs>(k), t)); },
        .standard = [](const definition& d, const target& t, int step) { return values_of(T::standard(d, t, step)); },
        .packed = [](const definition& d, const listed_knobs& k,
                     const target& t) { return T::packed(d, knobs_from<knobs>(k), t); },
        .packing = [](const definition& d, const listed_knobs& k, const target& t,
                      std::size_t which) { return T::packing(d, knobs_from<knobs>(k), t, which); },
        .scheduled = [](const definition& d, const listed_knobs& k,
                        const target& t) { return T::scheduled(d, knobs_from<knobs>(k), t); }};
}

namespace listing {

template <class T, class Shipped>
inline constexpr bool is_in = false;
template <class T, class... U>
inline constexpr bool is_in<T, template_list<U...>> = (std::is_same_v<T, U> || ...);

template <class List, class Shipped>
inline constexpr int rows = 0;
template <class... T, class Shipped>
inline constexpr std::array rows<template_list<T...>, Shipped>{[] {
    if constexpr (is_in<T, Shipped>)
        return listed_template<typename T::target>{.name = T::name};
    else
        return row_of<T>();
}()...};

} // namespace listing

// Those of a workload: nothing where it takes hone's.
template <class Family, class Op>
constexpr listed_templates<typename Family::target> own_rows()
{
    if constexpr (Family::template has_own<Op>) {
        constexpr const auto& rows = listing::rows<typename Family::template of<Op>, typename Family::shipped>;
        return {rows.data(), rows.size()};
    } else {
        return {};
    }
}

// The same of each family of templates, as a workload's tuner hands them over.
template <class Family>
struct listed_rows {
    listed_templates<typename Family::target> rows{};
};
using listed_families = of_each_family<listed_rows>;

template <class Op>
constexpr listed_families own_rows_of_each()
{
    return []<class... Family>(type_identity<std::tuple<Family...>>) {
        return listed_families{listed_rows<Family>{own_rows<Family, Op>()}...};
    }(type_identity<template_families>{});
}

} // namespace hone::tune
