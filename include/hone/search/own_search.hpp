// SPDX-License-Identifier: BSL-1.0
// A cost model or a searcher of a project's own, as its tuner hands it to the library that searches (tuner_main.hpp).
// That was built without the type, so it asks by virtual functions; what they take is plain.
//
//     constexpr auto search = hone::tune::own_cost_model<my::model>(); // or own_searcher<my::searcher>()
//
// Each tuning of a workload makes one of its own, and asks it from one thread. Proposals have to follow from the seed
// and from what was told, so that a run can be had again.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <hone/core/type_name.hpp>
#include <hone/model/cost_model.hpp>
#include <hone/search/any_points.hpp>
#include <hone/search/search.hpp>

namespace hone::tune {

// Said by the concept cost_model.
class any_model {
public:
    any_model() = default;
    any_model(const any_model&) = delete;
    any_model& operator=(const any_model&) = delete;
    virtual ~any_model() = default;

    virtual void fit(std::span<const feature_row> rows, std::span<const float> labels) = 0;
    virtual bool ready() const = 0;
    virtual void score(std::span<const feature_row> rows, std::span<float> scores) const = 0;
};

// Said by the concept searcher.
class any_searcher {
public:
    any_searcher() = default;
    any_searcher(const any_searcher&) = delete;
    any_searcher& operator=(const any_searcher&) = delete;
    virtual ~any_searcher() = default;

    // How many programs it proposes; the first out.size() of them are written.
    virtual std::size_t propose(std::span<proposal<space_point>> out) = 0;
    virtual void tell(const space_point& p, std::uint64_t program, double ms) = 0;
    virtual void exclude(std::uint64_t program) = 0;
};

template <cost_model Model>
class model_as_any final : public any_model {
public:
    template <class... From>
    explicit model_as_any(From... from) : model_{from...}
    {
    }
    void fit(std::span<const feature_row> rows, std::span<const float> labels) override { model_.fit(rows, labels); }
    bool ready() const override { return model_.ready(); }
    void score(std::span<const feature_row> rows, std::span<float> scores) const override
    {
        model_.score(rows, scores);
    }

private:
    Model model_;
};

template <searcher Search>
class searcher_as_any final : public any_searcher {
public:
    template <class... From>
    explicit searcher_as_any(From&&... from) : search_(std::forward<From>(from)...)
    {
    }
    std::size_t propose(std::span<proposal<space_point>> out) override
    {
        const std::vector<proposal<space_point>> all = search_.propose(out.size());
        std::copy_n(all.begin(), std::min(all.size(), out.size()), out.begin());
        return all.size();
    }
    void tell(const space_point& p, std::uint64_t program, double ms) override { search_.tell(p, program, ms); }
    void exclude(std::uint64_t program) override { search_.exclude(program); }

private:
    Search search_;
};

// One of the two makers is there.
struct own_search {
    std::string_view name{}; // of the type, as the compiler writes it
    std::unique_ptr<any_model> (*model)(std::uint64_t seed) = nullptr;
    std::unique_ptr<any_searcher> (*searcher)(const shared_space& space, std::uint64_t seed) = nullptr;
};

namespace own {

// Nothing that a number is rounded for, and no first member of a plain struct.
template <class Model>
concept takes_seed = !std::is_aggregate_v<Model> && requires(std::uint64_t seed) { Model{seed}; };

template <class Model>
concept usable_model = cost_model<Model> && (takes_seed<Model> || std::default_initializable<Model>);
template <class Search>
concept usable_searcher = searcher<Search> && std::same_as<typename Search::point, space_point> &&
                          std::constructible_from<Search, shared_space, std::uint64_t>;

} // namespace own

// Programs are proposed by annealing with this model in the place of hone's. It is made of the seed of the search where
// it has a constructor for that, else of nothing. One that is ready before it was fitted is asked from the first
// candidate on; others after 16 results.
template <class Model>
constexpr own_search own_cost_model()
{
    static_assert(own::usable_model<Model>,
                  "hone::tune::own_cost_model: a cost model has fit(rows, labels), a const ready() and a const "
                  "score(rows, scores), and is made of nothing or of a seed; add what the type lacks of "
                  "hone/model/cost_model.hpp");
    if constexpr (own::usable_model<Model>)
        return {.name = type_name<Model>(), .model = [](std::uint64_t seed) -> std::unique_ptr<any_model> {
                    if constexpr (own::takes_seed<Model>)
                        return std::make_unique<model_as_any<Model>>(seed);
                    else
                        return std::make_unique<model_as_any<Model>>();
                }};
    else
        return {};
}

// Programs are proposed by this searcher alone, which is made of a shared_space and the seed.
template <class Search>
constexpr own_search own_searcher()
{
    static_assert(
        own::usable_searcher<Search>,
        "hone::tune::own_searcher: a searcher has point = hone::tune::space_point, propose(count), tell(point, "
        "program, ms) and exclude(program), and is made of a hone::tune::shared_space and a seed; add what the "
        "type lacks of hone/search/search.hpp");
    if constexpr (own::usable_searcher<Search>)
        return {.name = type_name<Search>(),
                .searcher = [](const shared_space& space, std::uint64_t seed) -> std::unique_ptr<any_searcher> {
                    return std::make_unique<searcher_as_any<Search>>(space, seed);
                }};
    else
        return {};
}

} // namespace hone::tune
