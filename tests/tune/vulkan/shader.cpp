// SPDX-License-Identifier: BSL-1.0
// A shader in its record: what is written is read again, and it is of the nest that has its launch and layouts.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include <hone/record/record_fields.hpp>
#include <hone/tune/vulkan/shader.hpp>
#include <hone/tune/vulkan/space.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

TEST_CASE("the layouts of any number of weights are written and read again")
{
    tune::record r = tiny_record(1);
    r.backend = tune::on_vulkan;
    r.isa = "none";
    r.knobs = tune::settings_of(vulkan_knobs{});
    for (std::size_t layouts = 0; layouts <= most_weights; ++layouts) {
        CAPTURE(layouts);
        tune::shader made = tiny_shader(1);
        const tensor one = made.packed[0];
        made.packed.clear();
        for (std::size_t i = 0; i < layouts; ++i) {
            made.packed.push_back(one);
            made.packed[i].dims[0].extent = static_cast<std::int64_t>(i) + 1;
        }
        r.code = std::make_shared<tune::shader>(made);
        const std::string line = tune::line_of(r);
        const tune::record read = tune::record_of(line);
        CHECK(tune::line_of(read) == line);
        REQUIRE(tune::shader_of(read)->packed.size() == layouts);
        for (std::size_t i = 0; i < layouts; ++i)
            CHECK(layout_id(tune::shader_of(read)->packed[i]) == layout_id(made.packed[i]));
        // One stands as it did before there could be others.
        if (layouts == 1) CHECK(line.find("\"packed\":[[1,") != std::string::npos);
    }
    nlohmann::ordered_json five = r.code->to_json();
    five["packed"].push_back(five["packed"][0]);
    CHECK_THROWS_WITH(tune::on_vulkan.code_of(five), doctest::Contains("has 5 layouts, not at most 4"));
}

TEST_CASE("a shader is of a nest that has its launch and its layouts")
{
    const tune::vulkan_space space(tiny::definition(), vulkan_limits{});
    const auto c = space.standard();
    const nest n = space.lowered(c);
    tune::shader s = tiny_shader(1);
    s.launch = launch_of(n);
    s.packed = space.packed(c);
    CHECK(s.is_of(n, s.packed));
    packed_tensors others = s.packed;
    others[0].dims[0].extent += 1;
    CHECK_FALSE(s.is_of(n, others));
    ++s.launch.lanes;
    CHECK_FALSE(s.is_of(n, s.packed));
}

TEST_CASE("shaders are ordered by device, then by their words")
{
    const tune::shader a = tiny_shader(1), b = tiny_shader(2);
    CHECK(a.precedes(b));
    CHECK_FALSE(b.precedes(a));
    tune::shader longer = a;
    longer.words.push_back(0);
    CHECK(a.precedes(longer));
    CHECK_FALSE(a.precedes(a));
}
