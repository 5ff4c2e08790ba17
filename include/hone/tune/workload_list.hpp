// SPDX-License-Identifier: BSL-1.0
// The types of a workload list as tasks: what a tuner built for them needs at run time. Names are those of the types in
// the source, so that people find them again.
#pragma once

#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/op/workloads.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

// As the compiler writes it: "demo::c2", or "hone::gemm<...>" for a type without a name of its own.
template <class T>
std::string_view type_name()
{
    const std::string_view text = __PRETTY_FUNCTION__;
    const auto begin = text.find("T = ") + 4;
    return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

// The last word of a named type; a number for others, since their text is as long as their shape.
template <class T>
std::string short_name_of(std::size_t place)
{
    const std::string_view name = type_name<T>();
    if (name.find('<') != std::string_view::npos) return fmt::format("workload_{}", place);
    return std::string(last_word(name));
}

// One task for each workload; `list` is how generated code names the list. Two workloads of one signature would share
// their records, so the second is a mistake.
template <class List>
std::vector<task> tasks_of(const std::string& list)
{
    std::vector<task> tasks;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (tasks.push_back(task_of<workload<List, I>>(short_name_of<workload<List, I>>(I),
                                                    fmt::format("hone::workload<{}, {}>", list, I))),
         ...);
    }(std::make_index_sequence<List::size>{});
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

} // namespace hone::tune
