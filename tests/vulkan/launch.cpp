// SPDX-License-Identifier: BSL-1.0
// What a nest asks of a device, and the first limit that it exceeds.
#include <hone/vulkan/launch.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "vulkan_nests.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

TEST_CASE("launches")
{
    const launch naive = launch_of(naive_matmul({13, 11, 7}));
    CHECK(naive.groups_x == 8);
    CHECK(naive.lanes == 32);
    CHECK(naive.buffers == 3);
    CHECK(naive.push_constant_bytes == 0);
    CHECK(naive.shared_bytes == 0);
    CHECK(naive.loop_iterations == 7);

    const launch staged = launch_of(staged_matmul({45, 37, 29}));
    CHECK(staged.groups_x == 9);
    CHECK(staged.shared_bytes == 2 * 128 * 4);
    CHECK(staged.loop_iterations == 4 * (1 + 8)); // unrolled loops count nothing

    const nest dynamic = dynamic_transpose(12, 40);
    const launch l = launch_of(dynamic);
    CHECK(l.groups_x == 5);
    CHECK(l.push_constant_bytes == 8);
    for (const std::int64_t rows : {1, 8, 9, 40}) {
        const std::int64_t parameters[] = {rows, 12};
        CHECK(groups_of(l, parameters) == (rows + 7) / 8);
        CHECK(launch_of(dynamic, parameters).groups_x == (rows + 7) / 8);
    }
    CHECK(launch_of(shared_workspace()).buffers == 3);
    CHECK(launch_of(shared_workspace()).groups_x == 1);
}

TEST_CASE("fewer rows of a call take fewer workgroups")
{
    constexpr gemm_shape rows{.m = extent::up_to(40), .n = 20, .k = 7};
    const vulkan_knobs k{.rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 2}; // workgroups of 8 x 8
    const launch l = launch_of(lower(vulkan_schedule(gemm<rows, f32>::definition(), k)));
    CHECK(l.groups_x == 5 * 3);
    for (const std::int64_t m : {1, 8, 9, 40}) CHECK(groups_of(l, &m) == (m + 7) / 8 * 3);
    // Of rows and columns of the call the rows decide; workgroups behind the last column are idle.
    constexpr gemm_shape both{.m = extent::up_to(40), .n = extent::up_to(20), .k = 7};
    const launch of_both = launch_of(lower(vulkan_schedule(gemm<both, f32>::definition(), k)));
    for (const std::int64_t m : {1, 9, 40}) CHECK(groups_of(of_both, &m) == (m + 7) / 8 * 3);
}

TEST_CASE("the first limit that a launch exceeds")
{
    constexpr vulkan_limits limits;
    constexpr launch fitting{.groups_x = 65535,
                             .lanes = 128,
                             .buffers = 4,
                             .push_constant_bytes = 128,
                             .shared_bytes = 16384,
                             .loop_iterations = 65535};
    static_assert(fits(fitting, limits).ok());
    const auto with = [&](auto change) {
        launch l = fitting;
        change(l);
        return fits(l, limits);
    };
    CHECK(with([](launch& l) { l.groups_x = 65536; }).what == fault::too_many_workgroups);
    CHECK(with([](launch& l) { l.lanes = 129; }).what == fault::workgroup_too_large);
    CHECK(with([](launch& l) { l.buffers = 5; }).what == fault::too_many_buffers);
    CHECK(with([](launch& l) { l.shared_bytes = 16388; }).what == fault::shared_memory_exceeded);
    CHECK(with([](launch& l) { l.push_constant_bytes = 132; }).what == fault::vulkan_feature_missing);
    const status s = with([](launch& l) { l.loop_iterations = 65536; });
    CHECK(s.what == fault::too_many_loop_iterations);
    CHECK(s.expected == 65535);
    CHECK(s.found == 65536);
    vulkan_limits unlimited;
    unlimited.max_loop_iterations = 0;
    launch l = fitting;
    l.loop_iterations = std::int64_t{1} << 40;
    CHECK(fits(l, unlimited).ok());
}

TEST_CASE("numbers that somebody edited are refused before they are divided by, or read past parameters")
{
    constexpr vulkan_limits limits;
    launch l{.push_constant_bytes = 8, .group_parameter = 1, .group_divisor = 4};
    CHECK(fits(l, limits).ok());
    l.group_parameter = 2;
    CHECK(fits(l, limits).what == fault::vulkan_entry_mismatch);
    l.group_parameter = 1;
    l.group_divisor = 0;
    CHECK(fits(l, limits).what == fault::vulkan_entry_mismatch);
}

TEST_CASE("the first buffer that is larger than a device binds is named, in bytes of its type")
{
    nest n = naive_matmul({13, 11, 7});
    vulkan_limits limits;
    limits.max_buffer_bytes = 13 * 11 * 4; // y is the largest
    CHECK(buffers_fit(n, limits).ok());
    limits.max_buffer_bytes = 13 * 7 * 4;
    const status s = buffers_fit(n, limits);
    CHECK(s.what == fault::buffer_too_large);
    CHECK(std::string(s.subject) == "y");
    CHECK(s.found == 13 * 11 * 4);
    limits.max_buffer_bytes = 13 * 7 * 4 - 1;
    CHECK(std::string(buffers_fit(n, limits).subject) == "x");
    n.buffers[0].type = dtype::f16;
    CHECK(std::string(buffers_fit(n, limits).subject) == "y");
}
