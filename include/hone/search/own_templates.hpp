// SPDX-License-Identifier: BSL-1.0
// Templates of a workload's own, as a tuner holds them: the rows of its lists, those of hone's that stand in them by
// name filled in. A workload may have a list for each family of templates.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/core/fault.hpp>
#include <hone/op/definition.hpp>
#include <hone/process/text.hpp>
#include <hone/record/settings.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/template_families.hpp>
#include <hone/search/listed_template.hpp>

namespace hone::tune {

// Null: the workload takes hone's list.
template <class Family>
using own_templates = std::shared_ptr<const std::vector<listed_template<typename Family::target>>>;

template <class Family>
own_templates<Family> completed(const listed_templates<typename Family::target>& rows)
{
    if (rows.size == 0) return nullptr;
    std::vector<listed_template<typename Family::target>> all(rows.begin(), rows.end());
    [&]<class... T>(template_list<T...>) {
        for (auto& row : all)
            if (row.is_shipped())
                static_cast<void>(((std::string_view(row.name) == T::name && (row = row_of<T>(), true)) || ...));
    }(typename Family::shipped());
    return std::make_shared<const std::vector<listed_template<typename Family::target>>>(std::move(all));
}

// Those of a workload, of all families.
class own_lists {
public:
    own_lists() = default;
    explicit own_lists(const listed_families& rows)
    {
        std::apply([this](const auto&... of) { (complete(of), ...); }, rows);
    }

    template <class Family>
    const own_templates<Family>& of() const
    {
        return std::get<held<Family>>(lists_).rows;
    }

private:
    template <class Family>
    struct held {
        own_templates<Family> rows; // with an initializer clang 19 emits no destructor of it
    };
    template <class Family>
    void complete(const listed_rows<Family>& of)
    {
        std::get<held<Family>>(lists_).rows = completed<Family>(of.rows);
    }
    of_each_family<held> lists_{};
};

// template_missing where no template of the first family, of which each operator has one, computes the operator.
inline status check_templates(const definition& d, const own_lists& own)
{
    using family = std::tuple_element_t<0, template_families>;
    const auto& rows = own.of<family>();
    if (rows == nullptr) return schedules::check_templates(d, family::shipped());
    for (const auto& row : *rows)
        if (row.applies(d)) return {};
    return {fault::template_missing, 1, 0, d.stages.empty() ? "" : d.stages[0].name};
}

// What keeps records from telling the templates of a list apart by their names; nothing where they can.
template <class Family>
std::optional<std::string> wrong_names(const listed_templates<typename Family::target>& rows)
{
    std::set<std::string_view> names;
    for (const auto& row : rows) {
        const std::string_view name = row.name;
        if (!is_record_word(name))
            return fmt::format("a template of its list has the name {}; choose letters, digits and underscores",
                               excerpt(name));
        if (!row.is_shipped() && (name == naive_template || name == peer_template || ships<Family>(name)))
            return fmt::format("a template of its list has the name '{}', which is one of hone's; choose another",
                               name);
        if (!names.insert(name).second)
            return fmt::format("two templates of its list have the name '{}'; rename one of them", name);
    }
    return std::nullopt;
}

// The same of the lists of all families.
inline std::optional<std::string> wrong_names(const listed_families& all)
{
    std::optional<std::string> wrong;
    const auto of_family = [&]<class Family>(const listed_rows<Family>& of) {
        wrong = wrong_names<Family>(of.rows);
        return wrong.has_value();
    };
    std::apply([&](const auto&... of) { static_cast<void>((of_family(of) || ...)); }, all);
    return wrong;
}

} // namespace hone::tune
