// SPDX-License-Identifier: BSL-1.0
// A tuning on a device before anything is measured: under which key, with what it begins, and what is left of a batch
// that no child could measure. Operators are tuned on a device in pool_vulkan.cpp and others.
#include <hone/tune/vulkan/tuning.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

struct of_naive_name : tiny {
    struct other : vulkan_direct {
        static constexpr const char* name = "other";
    };
    using vulkan_templates = template_list<other>;
};

const tune::vulkan_facts made_up_device{.name = "a device [10de:0001] driver 00000002", .vendor = 0x10de, .device = 1};

} // namespace

TEST_CASE("a tuning has the key of its device, and begins with the default and the naive kernel")
{
    const tune::tuning_environment environment{.seed = 3, .threads = 4};
    tune::vulkan_tuning tuning(tune::task_of<tiny>("tiny", "tiny"), environment, made_up_device);
    const tune::record& key = std::as_const(tuning).key();
    CHECK(key.backend == tune::on_vulkan);
    CHECK(key.device == made_up_device.name);
    CHECK(key.isa == "none");
    CHECK(key.compiler == "glslang");
    CHECK(key.threads == 1); // of the host: the device has its own
    CHECK(tuning.target() == "vulkan");
    CHECK(tuning.arithmetics() == std::vector{tune::arithmetic::device});
    CHECK_FALSE(tuning.standard_source().has_value()); // children compile

    const auto batch = tuning.propose(5);
    REQUIRE(batch.size() == 5);
    CHECK(batch[0].key.origin == "default");
    CHECK(batch[0].key.template_name == "direct");
    CHECK(batch[1].key.origin == "naive");
    CHECK(batch[1].key.template_name == "direct");
    CHECK(batch[1].key.knobs == tune::settings_of(fitted(tiny::definition(), naive_vulkan())));
    for (const auto& c : batch) CHECK(c.source.value.empty());
}

TEST_CASE("a list that lacks the direct template has no naive kernel")
{
    const tune::tuning_environment environment;
    tune::vulkan_tuning tuning(tune::task_of<of_naive_name>("own", "own"), environment, made_up_device);
    const auto batch = tuning.propose(2);
    REQUIRE(batch.size() == 2);
    CHECK(batch[0].key.origin == "default");
    CHECK(batch[0].key.template_name == "other");
    CHECK(batch[1].key.origin == "chance");
}

TEST_CASE("what no child can measure is tried again, and no record is kept of it")
{
    const folder at;
    const tune::tuning_environment environment{.self = {"/nowhere/program"}, .work_directory = at.path() / "work"};
    tune::vulkan_tuning tuning(tune::task_of<tiny>("tiny", "tiny"), environment, made_up_device);
    const auto batch = tuning.propose(3);
    tuning.measure(batch, {});
    CHECK(tuning.records().empty());
    CHECK(tuning.untried() == 3);
    CHECK(tuning.untried_why().starts_with("cannot start /nowhere/program: "));
    const auto again = tuning.propose(3);
    REQUIRE(again.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(again[i].key.nest == batch[i].key.nest);
}
