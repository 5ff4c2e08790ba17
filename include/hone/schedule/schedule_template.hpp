// SPDX-License-Identifier: BSL-1.0
// What a schedule template has to say, and lists of templates. A backend has one list, a workload may have one of its
// own; kernels, records and search take each template from there, and a config is one of a list with its knobs.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/traits.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// A template is a type of static members, its knobs a type of their own, which no other template of a list has:
//
//     name                 in records and configs
//     knobs, target        values; a table of them by knobs_of(knobs); an isa, or the limits of a device
//     constraints          an array of constraint<knobs, target>, not empty
//     strictest            the best class of error of its kernels; class_of(knobs) says that of one
//     applies(d)           whether it computes this definition, whatever the knobs
//     fitted(d, k, t)      the knobs as far as the operator can use them: what one kernel is, has one value
//     standard(d, t, i)    the closed-form default, for i in [0, default_steps): 0, and what it steps down to where it
//                          is not legal
//     packed(d, k, t)      the layout of each of its packed weights; none where the knobs have a fault
//     packing(d, k, t, w)  how weights w of them are packed, as a schedule. Where transforms_weights it computes, for
//                          operators that have one; else it copies
//     scheduled(d, k, t)   g's second argument in the paper, the schedule s
//
// d has applied wherever knobs are given with it.
template <class T>
concept schedule_template = requires(const definition& d, const typename T::knobs& k, const typename T::target& t) {
    {
        T::name
    } -> convertible_to<const char*>;
    knobs_of(k);
    T::constraints[0].found(k, t).ok();
    {
        T::strictest
    } -> convertible_to<error_class>;
    {
        class_of(k)
    } -> same_as<error_class>;
    {
        T::applies(d)
    } -> same_as<bool>;
    {
        T::fitted(d, k, t)
    } -> same_as<typename T::knobs>;
    {
        T::default_steps
    } -> convertible_to<int>;
    {
        T::standard(d, t, 0)
    } -> same_as<typename T::knobs>;
    {
        T::packed(d, k, t)
    } -> same_as<packed_tensors>;
    {
        T::transforms_weights
    } -> convertible_to<bool>;
    {
        T::packing(d, k, t, std::size_t{})
    } -> same_as<schedule>;
    {
        T::scheduled(d, k, t)
    } -> same_as<schedule>;
};

// Templates in the order in which they are asked: the first that applies gives the default of an operator.
template <class... T>
struct template_list {
    static constexpr bool is_complete = (schedule_template<T> && ...);
};

namespace config_parts {

template <class T>
struct slot {
    typename T::knobs knobs{};
    friend constexpr bool operator==(const slot&, const slot&) = default;
};

} // namespace config_parts

template <class List>
class config_in;

// One template of a list with its knobs; of the first, where nothing is said.
template <class... T>
class config_in<template_list<T...>> : config_parts::slot<T>... {
    template <class Knobs>
    static constexpr int templates_with = (0 + ... + (same_as<Knobs, typename T::knobs> ? 1 : 0));

public:
    using templates = template_list<T...>;

    constexpr config_in() = default;
    template <class Knobs>
        requires(templates_with<Knobs> == 1)
    constexpr config_in(const Knobs& of)
    {
        select([&]<class U>(type_identity<U>) {
            if constexpr (same_as<Knobs, typename U::knobs>) {
                knobs<U>() = of;
                return true;
            } else {
                return false;
            }
        });
    }

    // f(type_identity<template>) for each; the first for which it is true is the template from now on. False where
    // there is none.
    template <class F>
    constexpr bool select(F&& f)
    {
        int at = 0;
        return ((f(type_identity<T>()) ? (number_ = at, true) : (++at, false)) || ...);
    }

    template <schedule_template U>
    constexpr bool is() const
    {
        int at = 0;
        return ((at++ == number_ && same_as<T, U>) || ...);
    }
    // Those of the template, and its default ones where the config is of another.
    template <schedule_template U>
    constexpr typename U::knobs& knobs()
    {
        return config_parts::slot<U>::knobs;
    }
    template <schedule_template U>
    constexpr const typename U::knobs& knobs() const
    {
        return config_parts::slot<U>::knobs;
    }

    // f(type_identity<template>, its knobs), which gives one type for all.
    template <class F>
    constexpr decltype(auto) visit(F&& f) const
    {
        return visit_from<T...>(0, f);
    }

    friend constexpr bool operator==(const config_in&, const config_in&) = default;

private:
    template <class First, class... Others, class F>
    constexpr decltype(auto) visit_from(int at, F&& f) const
    {
        if constexpr (sizeof...(Others) > 0)
            if (at != number_) return visit_from<Others...>(at + 1, f);
        return f(type_identity<First>(), knobs<First>());
    }

    int number_ = 0;
};

template <class List>
constexpr const char* name_of_template(const config_in<List>& c)
{
    return c.visit([]<class T>(type_identity<T>, const auto&) { return T::name; });
}
template <class List>
constexpr status check_knobs(const config_in<List>& c)
{
    return c.visit([](auto, const auto& knobs) { return check_knobs(knobs); });
}
template <class List>
constexpr error_class class_of(const config_in<List>& c)
{
    return c.visit([](auto, const auto& knobs) { return class_of(knobs); });
}

// template_missing where no template of the list computes the operator.
template <class... T>
constexpr status check_templates(const definition& d, template_list<T...>)
{
    if ((T::applies(d) || ...)) return {};
    return {fault::template_missing, 1, 0, d.stages.empty() ? "" : d.stages[0].name};
}
// What keeps a config from an operator: a fault of the definition or of the knobs, or its template computes others.
template <class List>
constexpr status check_config(const definition& d, const config_in<List>& c)
{
    if (!d.found.ok()) return d.found;
    if (const status found = check_knobs(c); !found.ok()) return found;
    return c.visit([&]<class T>(type_identity<T>, const auto&) {
        return T::applies(d) ? status{} : status{fault::template_missing, 1, 0, T::name};
    });
}

// How many steps the default of an operator has, and one of them: its template is the first that applies.
template <class... T>
constexpr int default_steps_of(const definition& d, template_list<T...>)
{
    int steps = 1;
    static_cast<void>(((T::applies(d) && (steps = T::default_steps, true)) || ...));
    return steps;
}
template <class List, class Target>
constexpr config_in<List> default_config(const definition& d, const Target& target, int step = 0)
{
    config_in<List> c;
    c.select([&]<class T>(type_identity<T>) {
        if (!T::applies(d)) return false;
        c.template knobs<T>() = T::standard(d, target, step);
        return true;
    });
    return c;
}

// No stages: lowering gives the fault back. A definition with a fault may lack tensors and axes.
constexpr schedule faulty_schedule(const status& found)
{
    schedule s;
    s.found = found;
    return s;
}
// The schedule of an operator for a config.
template <class List, class Target>
constexpr schedule schedule_for(const definition& d, const config_in<List>& c, const Target& target)
{
    if (const status found = check_config(d, c); !found.ok()) return faulty_schedule(found);
    return c.visit([&]<class T>(type_identity<T>, const auto& k) { return T::scheduled(d, k, target); });
}
// The layouts of its packed weights; none where there is a fault.
template <class List, class Target>
constexpr packed_tensors packed_for(const definition& d, const config_in<List>& c, const Target& target)
{
    if (!check_config(d, c).ok()) return packed_tensors();
    return c.visit([&]<class T>(type_identity<T>, const auto& k) { return T::packed(d, k, target); });
}
// How one of them is packed, as a schedule.
template <class List, class Target>
constexpr schedule packing_for(const definition& d, const config_in<List>& c, const Target& target,
                               std::size_t which = 0)
{
    if (const status found = check_config(d, c); !found.ok()) return faulty_schedule(found);
    return c.visit([&]<class T>(type_identity<T>, const auto& k) { return T::packing(d, k, target, which); });
}

} // namespace hone::schedules

namespace hone { // API
using schedules::check_knobs, schedules::name_of_template, schedules::schedule_template, schedules::template_list;
} // namespace hone
