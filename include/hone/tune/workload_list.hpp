// SPDX-License-Identifier: BSL-1.0
// The types of a workload list as tasks: what a tuner built for them needs at run time. Names are those of the types in
// the source, so that people find them again.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include <hone/search/own_templates.hpp>
#include <hone/tune/task.hpp>
#include <hone/tune/tuner_main.hpp>

namespace hone::tune {

// The last word of a named type; a number for others, since their text is as long as their shape.
inline std::string short_name_of(std::string_view type, std::size_t place)
{
    if (type.find('<') != std::string_view::npos) return fmt::format("workload_{}", place);
    const auto colon = type.rfind(':');
    return std::string(colon == std::string_view::npos ? type : type.substr(colon + 1));
}

// One task for each workload; `list` is how generated code names the list. Two workloads of one signature would share
// their records, so the second is a mistake.
inline std::vector<task> tasks_of(std::span<const listed_workload> workloads, const std::string& list)
{
    std::vector<task> tasks;
    for (std::size_t i = 0; i < workloads.size(); ++i) {
        const listed_workload& w = workloads[i];
        tasks.push_back({.name = short_name_of({w.type_name, w.type_name_size}, i),
                         .type = fmt::format("hone::workload<{}, {}>", list, i),
                         .signature = w.signature().c_str(),
                         .definition = with_typical(checked(w.definition())),
                         .own = own_lists(w.templates)});
        task& made = tasks.back();
        if (const auto wrong = wrong_names(w.templates))
            throw std::invalid_argument(fmt::format("{}: {}", made.name, *wrong));
        if (made.definition.found.ok()) made.definition.found = check_templates(made.definition, made.own);
    }
    std::set<std::string> signatures, names;
    for (const task& t : tasks) {
        if (!t.definition.found.ok())
            throw std::invalid_argument(fmt::format("{}: {}", t.name, t.definition.found.message()));
        if (!signatures.insert(t.signature).second)
            throw std::invalid_argument(fmt::format(
                "{}: another workload of {} has the signature '{}'; remove one of them", t.name, list, t.signature));
        if (!names.insert(t.name).second)
            throw std::invalid_argument(
                fmt::format("{}: two workloads of {} have this name; rename one of them", t.name, list));
    }
    return tasks;
}
template <class List>
std::vector<task> tasks_of(const std::string& list)
{
    return tasks_of(listed<List>(), list);
}

} // namespace hone::tune
