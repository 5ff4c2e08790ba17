// SPDX-License-Identifier: BSL-1.0
// What a template says of its knobs: a table of them by name, how to read and set each, the values that the template
// can take and those that a search tries, and how they are written; and constraints between them. Kernels, records,
// generated headers and search all read these tables; check_knobs is what stands between a value from outside and the
// arithmetic of a schedule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// The values that a template can take, beside those that a search tries.
enum class legal : std::uint8_t {
    range, // all from `least` to `most`: closed forms and other grids may choose what no search of today tries
    listed // only those of the list: there is no template for others
};

template <class Knobs>
struct knob {
    const char* name = "";
    std::int64_t (*get)(const Knobs&) = nullptr;
    void (*set)(Knobs&, std::int64_t) = nullptr;
    schedules::legal legal = schedules::legal::listed;
    std::int64_t least = 0, most = 0;
    inline_vector<std::int32_t, 32> values{}; // what a search tries, ascending
    inline_vector<const char*, 4> words{};    // how 0, 1, ... are written; none: as numbers
    bool is_optional = false;                 // came later: records without it have the default value

    constexpr bool allows(std::int64_t value) const
    {
        if (legal == schedules::legal::range) return value >= least && value <= most;
        for (std::int32_t v : values)
            if (v == value) return true;
        return false;
    }
    // For a knob that is added to a template. Its default must give the schedules that there were before it.
    constexpr knob added_later() const
    {
        knob k = *this;
        k.is_optional = true;
        return k;
    }
};

template <auto Member>
struct knob_member;
template <class Knobs, class Value, Value Knobs::*Member>
struct knob_member<Member> {
    static constexpr knob<Knobs> listed(const char* name, std::initializer_list<std::int32_t> values,
                                        std::initializer_list<const char*> words = {})
    {
        knob<Knobs> k;
        k.name = name;
        k.get = [](const Knobs& of) { return static_cast<std::int64_t>(of.*Member); };
        k.set = [](Knobs& of, std::int64_t value) { of.*Member = static_cast<Value>(value); };
        for (std::int32_t v : values) k.values.push_back(v);
        for (const char* w : words) k.words.push_back(w);
        k.least = k.values[0];
        k.most = k.values.back();
        return k;
    }
    static constexpr knob<Knobs> range(const char* name, std::int64_t least, std::int64_t most,
                                       std::initializer_list<std::int32_t> values)
    {
        knob<Knobs> k = listed(name, values);
        k.legal = schedules::legal::range;
        k.least = least;
        k.most = most;
        return k;
    }
};

// More registers than any machine has, blocks longer than any axis that is worth one: beyond these a value is a
// mistake.
inline constexpr std::int64_t most_rows = 256, most_vectors = 16, most_steps = 256, most_block = std::int64_t{1} << 20;

// A table is found by a function beside the knobs: constexpr const auto& knobs_of(const direct_knobs&).
//
// knob_value for the first knob that has a value which its template cannot take: what it may be at most or at least,
// what it is, and its name.
template <class Knobs>
constexpr status check_knobs(const Knobs& of)
{
    for (const auto& k : knobs_of(of))
        if (const std::int64_t value = k.get(of); !k.allows(value))
            return {fault::knob_value, value < k.least ? k.least : k.most, value, k.name};
    return {};
}

// What fitted knobs must meet before a search lowers them, by name: nanoseconds where lowering takes microseconds, and
// a word for what a space is cut down by. Target: isa of a CPU, limits of a Vulkan device.
template <class Knobs, class Target>
struct constraint {
    const char* name = "";
    status (*found)(const Knobs&, const Target&) = nullptr; // ok: it is met
};

// A status that is ok where `found` is at most `most`.
constexpr status at_most(fault what, std::int64_t most, std::int64_t found, const char* subject)
{
    if (found <= most) return {};
    return {what, most, found, subject};
}

} // namespace hone::schedules

namespace hone { // API
using schedules::at_most, schedules::check_knobs, schedules::constraint, schedules::knob, schedules::knob_member,
    schedules::legal;
} // namespace hone
