// SPDX-License-Identifier: BSL-1.0
// A tuning of points of a space, measured by a formula: what is tried first, that nothing is tried twice, that earlier
// records are known, and that a cost model or searcher of somebody's own proposes where there is one.
#include <hone/tune/tuning_in_space.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/tune/cpu/space.hpp>

#include "own_search.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;
using tune::verdict;

namespace {

struct layer_in_space : conv2d<conv2d_shape{.h = 9, .w = 9, .ic = 8, .oc = 24, .kh = 3, .kw = 3, .pad = 1}, f32> {};

struct formula_tuning final : tune::tuning_in_space {
    explicit formula_tuning(const tune::tuning_environment& e)
        : tuning_in_space(tune::task_of<layer_in_space>("layer", "layer"), e,
                          tune::cpu_space_of(layer_in_space::definition(), isa::avx2, error_class::winograd_4, nullptr))
    {
        key().backend = tune::on_cpu;
        key().isa = "avx2";
        key().phase = "search";
    }
    void measure(const std::vector<tune::candidate>& batch, const std::vector<tune::built_variant>&) override
    {
        for (const tune::candidate& c : batch) note_result(c.key, {.found = verdict::ok, .ms = {1}});
    }
    void compare() override {}
    std::vector<tune::arithmetic> arithmetics() const override { return {tune::arithmetic::direct}; }
    tune::measurement verify_twin(const tune::named_config& c) override
    {
        twin = c;
        return {.found = verdict::ok};
    }
    tune::measurement verify_call(const tune::named_config&, const std::string&) override
    {
        return {.found = verdict::untried}; // the layer has nothing that a call gives
    }
    std::optional<tune::candidate> naive() override
    {
        tune::candidate c{.key = key()};
        c.key.template_name = tune::naive_template;
        c.key.origin = "naive";
        return c;
    }
    std::optional<tune::named_config> twin{};
};

} // namespace

TEST_CASE("the default comes first, then the naive kernel, then what other templates would take, and then the search")
{
    for (const auto method : {tune::search_method::model, tune::search_method::chance}) {
        const tune::tuning_environment environment{.seed = 2, .method = method};
        formula_tuning t(environment);
        const auto batch = t.propose(6);
        REQUIRE(batch.size() == 6);
        CHECK(batch[0].key.origin == "default");
        CHECK(batch[0].key.template_name == "direct");
        CHECK(batch[1].key.origin == "naive");
        CHECK(batch[1].key.nest.empty());
        CHECK(batch[2].key.origin == "guess");
        CHECK(batch[2].key.template_name == "winograd");
        for (std::size_t i = 3; i < batch.size(); ++i) CHECK(batch[i].key.origin == "chance"); // nothing is known yet
        for (const auto& c : batch) CHECK_FALSE(c.key.errors.has_value());                     // hone's own say it
    }
}

TEST_CASE("a cost model of one's own that needs no results orders the first candidates, and records have its scores")
{
    constexpr tune::own_search own = tune::own_cost_model<fewest_registers>();
    const tune::tuning_environment environment{.seed = 2, .method = tune::search_method::own, .own = &own};
    formula_tuning t(environment), same(environment);
    const auto batch = t.propose(11);
    REQUIRE(batch.size() == 11);
    CHECK(batch[0].key.origin == "default");
    const auto space = tune::cpu_space_of(layer_in_space::definition(), isa::avx2, error_class::winograd_4, nullptr);
    for (std::size_t i = 3; i < batch.size(); ++i) {
        CHECK(batch[i].key.origin == "model");
        feature_vector f;
        CHECK(space->features(*space->point_of(space->config_of(batch[i].key.template_name, batch[i].key.knobs)), f));
        CHECK(batch[i].key.score == -f(nest_feature::registers));
    }
    // The seed gives the candidates.
    const auto again = same.propose(11);
    REQUIRE(again.size() == 11);
    for (std::size_t i = 0; i < batch.size(); ++i) CHECK(again[i].key.nest == batch[i].key.nest);
}

TEST_CASE("a searcher of one's own proposes all candidates but those that are tried anyway")
{
    constexpr tune::own_search own = tune::own_searcher<in_order<>>();
    const tune::tuning_environment environment{.seed = 2, .method = tune::search_method::own, .own = &own};
    formula_tuning t(environment);
    std::set<std::string> nests;
    for (int turn = 0; turn < 3; ++turn) {
        const auto batch = t.propose(8);
        REQUIRE(batch.size() == 8);
        for (const auto& c : batch) CHECK(nests.insert(c.key.nest).second);
        CHECK(batch.back().key.origin == "chance");
        t.measure(batch, {});
    }
    CHECK(t.seconds_thinking() > 0);
    formula_tuning next(environment);
    next.adopt(t.records());
    for (const auto& c : next.propose(8)) CHECK(nests.insert(c.key.nest).second);
}

TEST_CASE("a cost model that fails later ends the tuning in a sentence, and what was measured stays")
{
    constexpr tune::own_search own = tune::own_cost_model<wrong_model<model_mistake::no_number>>();
    int logged = 0;
    const tune::tuning_environment environment{
        .log = [&](const tune::record&) { ++logged; }, .seed = 2, .method = tune::search_method::own, .own = &own};
    formula_tuning t(environment);
    const auto go_on = [&] {
        for (int turn = 0; turn < 9; ++turn) t.measure(t.propose(8), {});
    };
    CHECK_THROWS_AS(go_on(), std::runtime_error);
    CHECK(logged >= 16);
    CHECK(t.records().size() == static_cast<std::size_t>(logged));
}

TEST_CASE("no program is tried twice, in a run or in the one that goes on from its records")
{
    const tune::tuning_environment environment{.seed = 2, .method = tune::search_method::chance};
    formula_tuning t(environment);
    std::set<std::string> nests;
    for (int turn = 0; turn < 3; ++turn) {
        const auto batch = t.propose(8);
        for (const auto& c : batch) CHECK(nests.insert(c.key.nest).second); // that of the naive kernel is empty
        t.measure(batch, {});
    }
    CHECK(t.trials() == 24);
    formula_tuning next(environment);
    next.adopt(t.records());
    CHECK(next.trials() == 24);
    const auto batch = next.propose(16);
    REQUIRE(batch.size() == 16);
    for (const auto& c : batch) {
        CHECK(c.key.origin == "chance"); // default, naive and guesses are known
        CHECK(nests.insert(c.key.nest).second);
    }
}

TEST_CASE("a run that ended between the default and the others goes on with what it lacks")
{
    const tune::tuning_environment environment{.seed = 2, .method = tune::search_method::chance};
    formula_tuning t(environment);
    auto first = t.propose(1);
    REQUIRE(first.size() >= 3);
    first.resize(1);
    t.measure(first, {});
    CHECK(t.lacks_templates());
    formula_tuning next(environment);
    CHECK_FALSE(next.lacks_templates()); // of nothing at all
    next.adopt(t.records());
    CHECK(next.lacks_templates());
    const auto batch = next.propose(2);
    REQUIRE(batch.size() == 2);
    CHECK(batch[0].key.origin == "naive");
    CHECK(batch[1].key.origin == "guess");
    next.measure(batch, {});
    CHECK_FALSE(next.lacks_templates());
}

TEST_CASE("the twin of a kernel has its config, as far as odd extents can use it")
{
    const tune::tuning_environment environment;
    formula_tuning t(environment);
    t.measure(t.propose(1), {});
    CHECK(t.verify_on_twin(t.records()[0]).found == verdict::ok);
    REQUIRE(t.twin.has_value());
    CHECK(t.twin->name == "direct");
}
