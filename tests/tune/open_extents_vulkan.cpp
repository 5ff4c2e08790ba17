// SPDX-License-Identifier: BSL-1.0
// Workloads whose extents each call gives, tuned on a device with push constants: judged at what is typical and at
// other values, and their records and headers say which extents of packed weights a call gives.
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/measure/call_values.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/tune/vulkan/tuning.hpp>
#include <hone/vulkan/entry.hpp>
#include <hone/vulkan/kernel.hpp>

#include "open_extents.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure open extents on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<open_extents::product>("", ""),
                                       tune::task_of<open_extents::images>("", "")};
    measure_on_device(tasks);
}

namespace {

struct no_open_entries {
    static constexpr vulkan_entry vulkan_entries[1]{};
};

} // namespace

TEST_CASE_TEMPLATE("a product that leaves all open, and images, are tuned on the device", Op, open_extents::product,
                   open_extents::images)
{
    vulkan::device& device = test_device();
    const folder at;
    const tune::tuning_environment environment = environment_of(at, "measure open extents on a device in a child");
    std::string why;
    const auto found = tune::find_vulkan(environment.self, why);
    REQUIRE_MESSAGE(found.has_value(), why);
    tune::vulkan_tuning tuning(tune::task_of<Op>("op", "open_extents::op"), environment, *found);
    tuning.measure(tuning.propose(3), {}); // the default, the naive kernel, and another
    tuning.compare();
    const bool is_product = std::is_same_v<Op, open_extents::product>;
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
        CHECK(r.typical == (is_product ? "m=11 n=32 k=18 ldx=18 ldy=36" : "n=2"));
    }
    const tune::standing s = tuning.standing();
    REQUIRE(s.chosen != nullptr);
    REQUIRE(s.chosen->code);
    for (const tune::call_values& given : tune::other_calls(tuning.task().definition)) {
        const tune::measurement m = tuning.verify_at(*s.chosen, given);
        CAPTURE(given[0]);
        CAPTURE(m.detail);
        CHECK(m.found == verdict::ok);
    }
    CHECK(tuning.verify_on_twin(*s.chosen).found == verdict::ok);

    // What a record and a header say of packed weights is all that a kernel needs.
    const tune::shader& made = *tune::shader_of(*s.chosen);
    const tune::shader again = tune::shader_from(made.to_json());
    CHECK(schedules::layout_id(again.packed) == schedules::layout_id(made.packed));
    const std::string header = tune::header_text("tuned", tuning.records());
    CHECK((header.find(".extent_parameter = 1") != std::string::npos) == is_product);
    if (is_product) {
        auto wrong = made.to_json();
        wrong["packed"][1][4] = 8;
        CHECK_THROWS_WITH(tune::shader_from(wrong), doctest::Contains("'extent's parameter' of its shader is 8"));
        wrong["packed"][1].erase(5);
        CHECK_THROWS_WITH(tune::shader_from(wrong), doctest::Contains("not a list of 4 or 7"));
    }
    const vulkan_entry entry = entry_of(*s.chosen);
    auto k = vulkan::kernel<Op, no_open_entries>::create(device.context(), entry);
    INFO(vulkan::failure{k.found}.text());
    REQUIRE(k.ok());
    if (is_product) {
        const std::vector<std::int64_t> few{3, 5, 7, 7, 5};
        CHECK(k->packed_bytes(few) < k->packed_bytes());
    }
}
