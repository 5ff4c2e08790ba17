// SPDX-License-Identifier: BSL-1.0
// Configs as text, and sets of them. A config set is a type with a constexpr array `entries`; generated headers define
// one per library, and `defaults` is the empty one. Text, so that a header names no template: which there are is said
// where a kernel is compiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/core/result.hpp>
#include <hone/core/target.hpp>
#include <hone/core/traits.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/schedule_template.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// The text of a template with these knobs. A config as text is the name of a template, and knobs with their values,
// one blank between: "direct rows=14 vectors=2 pad=copy". Knobs that it leaves out have their defaults.
namespace config_parts {

template <schedule_template T, typename T::knobs K>
inline constexpr auto text = [] {
    inline_vector<char, 400> t;
    const auto add = [&](const char* word) {
        for (; *word != '\0'; ++word) t.push_back(*word);
    };
    add(T::name);
    for (const auto& k : knobs_of(K)) {
        t.push_back(' ');
        add(k.name);
        t.push_back('=');
        const std::int64_t value = k.get(K);
        if (value >= 0 && static_cast<std::size_t>(value) < k.words.size())
            add(k.words[static_cast<std::size_t>(value)]);
        else
            push_number(t, value);
    }
    t.push_back('\0');
    return t;
}();

} // namespace config_parts
template <schedule_template T, typename T::knobs K = typename T::knobs{}>
inline constexpr const char* config_text = config_parts::text<T, K>.begin();

// The length of the word that a text begins with, which a blank, '=' or the end ends.
constexpr std::size_t word_length(const char* text)
{
    std::size_t n = 0;
    while (text[n] != '\0' && text[n] != ' ' && text[n] != '=') ++n;
    return n;
}
constexpr bool is_first_word(const char* text, const char* word)
{
    const std::size_t n = word_length(text);
    for (std::size_t i = 0; i < n; ++i)
        if (text[i] != word[i]) return false; // also where the word ends before
    return word[n] == '\0';
}

// Sets a knob to a value, which is one of its words, or a number. knob_value: it has no such.
template <class Knobs>
constexpr status set_knob(Knobs& to, const knob<Knobs>& k, const char* value)
{
    status wrong{fault::knob_value, k.most, 0, k.name};
    if (!k.words.empty()) {
        for (std::size_t w = 0; w < k.words.size(); ++w) {
            if (!is_first_word(value, k.words[w])) continue;
            k.set(to, static_cast<std::int64_t>(w));
            return {};
        }
        return wrong;
    }
    const std::size_t characters = word_length(value);
    const bool is_negative = value[0] == '-';
    if (characters == (is_negative ? 1 : 0) || characters > 18) return wrong;
    std::int64_t number = 0;
    for (std::size_t i = is_negative ? 1 : 0; i < characters; ++i) {
        if (value[i] < '0' || value[i] > '9') return wrong;
        number = 10 * number + (value[i] - '0');
    }
    if (is_negative) number = -number;
    if (!k.allows(number)) return {fault::knob_value, number < k.least ? k.least : k.most, number, k.name};
    k.set(to, number);
    return {};
}

// The config that a text is. Faults: template_missing and knob_unknown (one twice, too), with what is left of the text,
// and knob_value.
template <class List>
constexpr result<config_in<List>> config_from(const char* text)
{
    result<config_in<List>> r;
    const bool is_known = r.value.select([&]<class T>(type_identity<T>) {
        if (!is_first_word(text, T::name)) return false;
        auto& knobs = r.value.template knobs<T>();
        const char* at = text + word_length(text);
        std::uint64_t given = 0; // knobs, by their place
        while (*at == ' ' && r.ok()) {
            ++at;
            const char* const name = at;
            at += word_length(at);
            bool is_knob = false;
            if (*at == '=') {
                ++at;
                std::uint64_t place = 1;
                for (const auto& k : knobs_of(knobs)) {
                    if (is_first_word(name, k.name) && (given & place) == 0) {
                        is_knob = true;
                        given |= place;
                        r.found = set_knob(knobs, k, at);
                    }
                    place <<= 1;
                }
                at += word_length(at);
            }
            if (!is_knob) r.found = {.what = fault::knob_unknown, .subject = name};
        }
        if (*at != '\0' && r.ok()) r.found = {.what = fault::knob_unknown, .subject = at};
        return true;
    });
    if (!is_known) r.found = {.what = fault::template_missing, .subject = text};
    return r;
}

// One tuned kernel of a set: for this signature, on this instruction set, on so many threads, this config.
struct cpu_entry {
    const char* signature = "";
    isa set = isa::baseline;
    int threads = 1;
    const char* config = "direct";
};

// The empty set: every kernel takes its closed-form default.
struct defaults {
    static constexpr cpu_entry entries[1]{};
};

// What a set allows where a workload says nothing, as a member `accuracy`; a header that was tuned with ACCURACY has
// it.
template <class Configs>
constexpr accuracy accuracy_of_set()
{
    if constexpr (requires { Configs::accuracy; })
        return Configs::accuracy;
    else
        return accuracy::standard;
}

// The worst class of error of the kernels of an operator.
template <tensor_operator Op, class Configs>
constexpr error_class worst_class_of()
{
    constexpr signature_text signature = Op::signature();
    return worst_of(accuracy_in(signature.c_str(), accuracy_of_set<Configs>()));
}

// Whether a is nearer to the threads that are wanted than b, as a ratio; of 2 and 8 for 4, the fewer are.
constexpr bool is_nearer(int a, int b, int wanted)
{
    const auto most = [&](int t) { return std::int64_t{t > wanted ? t : wanted}; };
    const auto least = [&](int t) { return std::int64_t{t > wanted ? wanted : t}; };
    const std::int64_t ratio_a = most(a) * least(b), ratio_b = most(b) * least(a);
    return ratio_a < ratio_b || (ratio_a == ratio_b && a < b);
}

// Whether an entry may serve a workload that allows no worse class. One with a fault is passed over by nobody, so that
// the kernel names it.
template <class List>
constexpr bool may_serve(const cpu_entry& e, error_class worst)
{
    const auto c = config_from<List>(e.config);
    return !c.ok() || class_of(c.value) <= worst;
}

// Which entry of set Configs is that of operator Op, for exactly this instruction set and the nearest number of
// threads, of those that are as accurate as the workload or the set demands; -1 where there is none. A number, since
// under sanitizers g++ knows of no address at compile time that it is not null.
template <tensor_operator Op, class Configs>
constexpr int entry_index_for(isa set, int threads = 1)
{
    constexpr signature_text signature = Op::signature();
    constexpr error_class worst = worst_class_of<Op, Configs>();
    int best = -1;
    int i = 0;
    for (const cpu_entry& e : Configs::entries) {
        if (e.set == set && same_text(e.signature, signature.c_str()) && may_serve<cpu_templates_of<Op>>(e, worst) &&
            (best < 0 || is_nearer(e.threads, Configs::entries[best].threads, threads)))
            best = i;
        ++i;
    }
    return best;
}

// The config of that entry, or what is wrong with its text; without an entry the closed-form default, or a step down
// from it.
template <tensor_operator Op, class Configs>
constexpr result<config_in<cpu_templates_of<Op>>> config_of(isa set, int threads = 1, int step = 0)
{
    using list = cpu_templates_of<Op>;
    const int i = entry_index_for<Op, Configs>(set, threads);
    if (i >= 0) return config_from<list>(Configs::entries[i].config);
    const definition& d = definition_of<Op>;
    if (!d.found.ok()) return {}; // of which the schedule speaks
    return {.value = default_config<list>(d, set, step), .found = check_templates(d, list{})};
}

// The number of threads that this config was tuned for: kernels for others share its code.
template <tensor_operator Op, class Configs>
constexpr int tuned_threads_of(isa set, int threads = 1)
{
    const int i = entry_index_for<Op, Configs>(set, threads);
    return i < 0 ? 1 : Configs::entries[i].threads;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::config_of, schedules::config_text, schedules::cpu_entry, schedules::defaults;
} // namespace hone
