// SPDX-License-Identifier: BSL-1.0
// What may be tried and chosen for a workload: no kernel of a worse class of error than it allows.
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/record/agreement.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

template <class... W>
struct layer : conv2d<conv2d_shape{.h = 9, .w = 9, .ic = 8, .oc = 24, .kh = 3, .kw = 3, .pad = 1}, f32, W...> {};

tune::record record_of(const std::string& signature, const cpu_config& c, const char* origin, double ms)
{
    tune::record r = tiny_record(ms);
    r.signature = signature;
    r.origin = origin;
    r.template_name = name_of_template(c);
    r.knobs = tune::settings_of(c);
    return r;
}
constexpr cpu_config by_default{};
constexpr cpu_config in_blocks(direct_knobs{.reduce_block = 4});
constexpr cpu_config four(winograd_knobs{.tile = 4});
constexpr cpu_config two(winograd_knobs{.tile = 2});

// Of all classes, the worse the faster.
template <class... W>
std::vector<tune::record> records()
{
    const std::string signature = layer<W...>::signature().c_str();
    return {record_of(signature, by_default, "default", 4), record_of(signature, in_blocks, "chance", 3),
            record_of(signature, two, "guess", 2), record_of(signature, four, "chance", 1)};
}
template <class... W>
double chosen_ms(accuracy allowed)
{
    const auto all = records<W...>();
    std::vector<const tune::record*> those;
    for (const tune::record& r : all) those.push_back(&r);
    return tune::standing_of(those, {.allowed = allowed}).chosen->least();
}

template <class... W>
tune::task task_here()
{
    return tune::task_of<layer<W...>>("layer", "layer");
}
// The classes of 60 candidates of a tuning.
std::set<error_class> proposed(const tune::task& t, accuracy allowed, tune::builder& build, const folder& at)
{
    const tune::tuning_environment environment{.work_directory = at.path() / "work", .seed = 1, .accuracy = allowed};
    tune::cpu_tuning tuning(t, environment, build, isa::baseline);
    std::set<error_class> classes;
    for (const tune::candidate& c : tuning.propose(60)) classes.insert(tune::class_of(c.key));
    return classes;
}

} // namespace

TEST_CASE("records of a worse class than allowed are passed over")
{
    CHECK(chosen_ms<>(accuracy::exact) == 4);
    CHECK(chosen_ms<>(accuracy::standard) == 3);
    CHECK(chosen_ms<>(accuracy::fast) == 1);
    // The word of a workload counts more.
    CHECK(chosen_ms<exact>(accuracy::fast) == 4);
    CHECK(chosen_ms<fast>(accuracy::exact) == 1);
}

TEST_CASE("a header says what its engine asked for, and holds nothing worse")
{
    const auto all = records<>();
    const std::string plain = tune::header_text("tuned", all),
                      loose = tune::header_text("tuned", all, {.allowed = accuracy::fast}),
                      strict = tune::header_text("tuned", all, {.allowed = accuracy::exact});
    CHECK(plain.find("accuracy") == std::string::npos);
    CHECK(plain.find(" reduce_block=4") != std::string::npos);
    CHECK(plain.find("winograd") == std::string::npos);
    CHECK(strict.find("static constexpr hone::accuracy accuracy = hone::accuracy::exact;") != std::string::npos);
    CHECK(strict.find(" reduce_block=0") != std::string::npos);
    CHECK(loose.find("\"winograd tile=") != std::string::npos);
    for (const std::string& header : {plain, loose, strict}) CHECK_FALSE(tune::wrong_header(header, all).has_value());
    CHECK(tune::accuracy_of_header(plain) == accuracy::standard);
    CHECK(tune::accuracy_of_header(loose) == accuracy::fast);
}

TEST_CASE("a tuning tries no class that its workload does not allow")
{
    const folder at;
    auto build = tiny_builder(at);
    using enum error_class;
    CHECK(proposed(task_here<>(), accuracy::exact, build, at) == std::set{exact_order});
    CHECK(*proposed(task_here<>(), accuracy::standard, build, at).rbegin() <= reassociated);
    CHECK(proposed(task_here<>(), accuracy::fast, build, at).contains(winograd_4));
    CHECK(proposed(task_here<exact>(), accuracy::fast, build, at) == std::set{exact_order});
    CHECK(proposed(task_here<fast>(), accuracy::exact, build, at).contains(winograd_4));
}

TEST_CASE("a workload that allows more than when it was tuned is tuned again")
{
    const folder at;
    auto build = tiny_builder(at);
    for (const accuracy now : {accuracy::standard, accuracy::fast}) {
        const tune::tuning_environment environment{.work_directory = at.path() / "work", .seed = 1, .accuracy = now};
        tune::cpu_tuning tuning(task_here<>(), environment, build, isa::baseline);
        tune::record direct = std::as_const(tuning).key();
        direct.signature = layer<>::signature().c_str();
        direct.template_name = "direct";
        direct.knobs = tune::settings_of(default_direct(layer<>::definition(), isa::baseline));
        direct.nest = "0123456789abcdef";
        direct.origin = "default";
        direct.phase = "search";
        direct.found = tune::verdict::ok;
        direct.ms = {1};
        tune::record naive = direct;
        naive.origin = "naive";
        tuning.adopt({direct, naive});
        REQUIRE(tuning.records().size() == 2);
        CHECK(tuning.lacks_templates() == (now == accuracy::fast));
        const auto next = tuning.propose(1);
        REQUIRE(next.size() == 1);
        CHECK((next[0].key.origin == "guess") == (now == accuracy::fast));
    }
}
