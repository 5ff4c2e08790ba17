// SPDX-License-Identifier: BSL-1.0
// The templates of a space: those of a list, whose types are known here, as a Hana sequence; or rows for those that
// this program was built without. Each is asked in the same words, and so is each knob, so that a space is written
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <utility>

#include <boost/hana/at.hpp>
#include <boost/hana/fold_left.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/maximum.hpp>
#include <boost/hana/range.hpp>
#include <boost/hana/transform.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>
#include <boost/hana/unpack.hpp>

#include <hone/schedule/knob.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/search/listed_template.hpp>

namespace hone::tune {

namespace hana = boost::hana;

// ---- templates as types ----

// One knob of a template as a type: entry Number of its table.
template <class Knobs, std::size_t Number>
struct knob_type {
    static constexpr std::size_t number = Number;
    static constexpr const knob<Knobs>& declared = knobs_of(Knobs{})[Number];
    static constexpr std::size_t radix = declared.values.size();
    static_assert(radix > 0 && radix < 256);
};

// The knobs of a template: a hana::tuple of knob_type.
template <class Knobs>
inline constexpr auto knob_sequence = [] {
    using table = std::remove_reference_t<decltype(knobs_of(std::declval<const Knobs&>()))>;
    return hana::unpack(hana::range_c<std::size_t, 0, std::extent_v<table>>, [](auto... number) {
        return hana::make_tuple(knob_type<Knobs, decltype(number)::value>{}...);
    });
}();

// All settings of a template's knobs.
template <class Knobs>
struct knob_product {
    static constexpr const auto& knobs = knob_sequence<Knobs>;
    static constexpr std::size_t count = decltype(hana::length(knobs))::value;
    static constexpr std::uint64_t size = hana::fold_left(
        knobs, std::uint64_t{1}, [](std::uint64_t product, auto k) { return product * decltype(k)::radix; });
};

// The templates of a list: a hana::tuple of hana::type.
template <class List>
inline constexpr auto template_sequence = 0;
template <class... T>
inline constexpr auto template_sequence<template_list<T...>> = hana::tuple_t<T...>;

// A template of a list. f(knob) is called with number, radix and what its table declares.
template <class List, schedule_template T>
struct template_in {
    using knobs = typename T::knobs;
    using config = config_in<List>;
    static constexpr const char* name = T::name;
    static constexpr error_class strictest = T::strictest;

    static constexpr std::uint64_t points() { return knob_product<knobs>::size; }
    static constexpr std::size_t knob_count() { return knob_product<knobs>::count; }
    static constexpr int default_steps() { return T::default_steps; }
    static constexpr const auto& constraints() { return T::constraints; }
    template <class F>
    static void each_knob(F f)
    {
        hana::for_each(knob_sequence<knobs>, f);
    }
    static knobs defaults() { return {}; }
    static bool applies(const definition& d) { return T::applies(d); }
    template <class Target>
    static knobs fitted(const definition& d, const knobs& k, const Target& t)
    {
        return T::fitted(d, k, t);
    }
    template <class Target>
    static knobs standard(const definition& d, const Target& t, int step)
    {
        return T::standard(d, t, step);
    }
    static config config_of(const knobs& k) { return k; }
    // Null where the config is of another template.
    static const knobs* knobs_in(const config& c) { return c.template is<T>() ? &c.template knobs<T>() : nullptr; }
};

template <class Templates>
class template_set;

template <class... T>
class template_set<template_list<T...>> {
public:
    using config = config_in<template_list<T...>>;

    static constexpr std::size_t size() { return sizeof...(T); }
    // f(number, template)
    template <class F>
    static void each(F f)
    {
        hana::for_each(hana::range_c<std::size_t, 0, sizeof...(T)>, [&](auto which) {
            f(which(), template_in<template_list<T...>, typename decltype(+hana::at(sequence, which))::type>{});
        });
    }

private:
    static constexpr const auto& sequence = template_sequence<template_list<T...>>;
    static_assert(decltype(hana::maximum(hana::transform(sequence, [](auto of) {
                      return hana::size_c<knob_product<typename decltype(of)::type::knobs>::count>;
                  })))::value <= most_knobs);
};

// ---- templates as rows ----

// One of them with its knobs.
template <class Target>
struct listed_config {
    const listed_template<Target>* of = nullptr;
    listed_knobs knobs{};
    friend bool operator==(const listed_config&, const listed_config&) = default;
};

// What schedule/schedule_template.hpp says of configs whose types are known.
template <class Target>
error_class class_of(const listed_config<Target>& c)
{
    return c.of->class_of(c.knobs);
}
template <class Target>
status check_config(const definition& d, const listed_config<Target>& c)
{
    if (!d.found.ok()) return d.found;
    if (const status found = check_knobs(c.knobs); !found.ok()) return found;
    return c.of->applies(d) ? status{} : status{fault::template_missing, 1, 0, c.of->name};
}
template <class Target>
schedule schedule_for(const definition& d, const listed_config<Target>& c, const Target& target)
{
    if (const status found = check_config(d, c); !found.ok()) return faulty_schedule(found);
    return c.of->scheduled(d, c.knobs, target);
}
template <class Target>
packed_tensors packed_for(const definition& d, const listed_config<Target>& c, const Target& target)
{
    if (!check_config(d, c).ok()) return packed_tensors();
    return c.of->packed(d, c.knobs, target);
}
template <class Target>
schedule packing_for(const definition& d, const listed_config<Target>& c, const Target& target, std::size_t which = 0)
{
    if (const status found = check_config(d, c); !found.ok()) return faulty_schedule(found);
    return c.of->packing(d, c.knobs, target, which);
}

// A row, asked as template_in is.
template <class Target>
struct template_row {
    using knobs = listed_knobs;
    using config = listed_config<Target>;
    struct knob_row {
        std::size_t number = 0;
        std::size_t radix = 1;
        const knob<listed_knobs>& declared;
    };

    const listed_template<Target>& of;
    const char* name = of.name;
    error_class strictest = of.strictest;

    std::uint64_t points() const
    {
        std::uint64_t product = 1;
        each_knob([&](const knob_row& k) { product *= k.radix; });
        return product;
    }
    std::size_t knob_count() const { return of.knobs.size; }
    int default_steps() const { return of.default_steps; }
    const auto& constraints() const { return of.constraints; }
    template <class F>
    void each_knob(F f) const
    {
        std::size_t number = 0;
        for (const auto& k : of.knobs) f(knob_row{number++, k.values.size(), k});
    }
    knobs defaults() const { return of.defaults(); }
    bool applies(const definition& d) const { return of.applies(d); }
    knobs fitted(const definition& d, const knobs& k, const Target& t) const { return of.fitted(d, k, t); }
    knobs standard(const definition& d, const Target& t, int step) const { return of.standard(d, t, step); }
    config config_of(const knobs& k) const { return {&of, k}; }
    const knobs* knobs_in(const config& c) const { return c.of == &of ? &c.knobs : nullptr; }
};

template <class Target>
class template_set<listed_templates<Target>> {
public:
    using config = listed_config<Target>;

    template_set(const listed_templates<Target>& rows) : rows_(rows) {}

    std::size_t size() const { return rows_.size; }
    template <class F>
    void each(F f) const
    {
        std::size_t number = 0;
        for (const auto& of : rows_) f(number++, template_row<Target>{of});
    }

private:
    listed_templates<Target> rows_;
};

} // namespace hone::tune
