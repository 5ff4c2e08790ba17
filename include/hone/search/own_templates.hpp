// SPDX-License-Identifier: BSL-1.0
// Templates of a workload's own, as a tuner holds them: the rows of its list, those of hone's that stand in it by name
// filled in.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/record/settings.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/vulkan_templates.hpp>
#include <hone/search/listed_template.hpp>

namespace hone::tune {

// Null: the workload takes hone's list.
template <class Target>
using own_templates = std::shared_ptr<const std::vector<listed_template<Target>>>;

namespace listing {

template <class Target, class... T>
own_templates<Target> completed(const listed_templates<Target>& rows, template_list<T...>)
{
    if (rows.size == 0) return nullptr;
    std::vector<listed_template<Target>> all(rows.begin(), rows.end());
    for (auto& row : all)
        if (row.is_shipped())
            static_cast<void>(((std::string_view(row.name) == T::name && (row = row_of<T>(), true)) || ...));
    return std::make_shared<const std::vector<listed_template<Target>>>(std::move(all));
}

} // namespace listing

inline own_templates<isa> completed(const listed_templates<isa>& rows)
{
    return listing::completed(rows, cpu_templates{});
}
inline own_templates<vulkan_limits> completed(const listed_templates<vulkan_limits>& rows)
{
    return listing::completed(rows, vulkan_templates{});
}

// What keeps records from telling the templates of a list apart by their names; nothing where they can.
template <class Target>
std::optional<std::string> wrong_names(std::string_view backend, const listed_templates<Target>& rows)
{
    std::set<std::string_view> names;
    for (const auto& row : rows) {
        if (!is_record_word(row.name))
            return fmt::format("a template of its list has the name {}; choose letters, digits and underscores",
                               excerpt(row.name));
        if (!row.is_shipped() && is_known_template(backend, row.name))
            return fmt::format("a template of its list has the name '{}', which is one of hone's; choose another",
                               row.name);
        if (!names.insert(row.name).second)
            return fmt::format("two templates of its list have the name '{}'; rename one of them", row.name);
    }
    return std::nullopt;
}

} // namespace hone::tune
