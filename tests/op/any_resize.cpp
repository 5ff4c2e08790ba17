// SPDX-License-Identifier: BSL-1.0
// Resized images of which each call gives all sizes: what they say of themselves, and that a table of them lacks no
// layer of networks.
#include <hone/op/any_resize.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/find_in_range.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/vulkan_direct.hpp>

using namespace hone;
using namespace hone::operators;

namespace {

using larger = any_resize<resize_mode::bilinear, coordinates::half_pixel, f32>;
using heads = any_resize<resize_mode::bilinear, coordinates::align_corners, f32, residual>;
using copies = any_resize<resize_mode::nearest, coordinates::asymmetric, f32>;
using centres = any_resize<resize_mode::nearest, coordinates::half_pixel, f32, bias, relu>;
using before = resize<any_resize_shape(resize_mode::nearest, coordinates::half_pixel, nearest_pixel::half_down), f32>;
using numbers = std::vector<std::int64_t>;

template <class Op>
numbers given(const resize_shape& s)
{
    const auto parameters = parameters_in_range(Op::signature().c_str(), signature_of(s, dtype::f32).c_str());
    return {parameters.begin(), parameters.end()};
}

} // namespace

TEST_CASE("they are legal by default, with parameters for all sizes")
{
    CHECK(std::string(larger::signature().c_str()) ==
          "resize bilinear half_pixel n<=32 h<=2048 w<=2048 c<=4096 oh<=2048 ow<=2048 nhwc f32");
    CHECK(std::string(centres::signature().c_str()) ==
          "resize nearest half_up half_pixel n<=32 h<=2048 w<=2048 c<=4096 oh<=2048 ow<=2048 nhwc f32 bias relu");
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512})
        for (const definition& d : {definition_of<larger>, definition_of<heads>, definition_of<copies>,
                                    definition_of<centres>, definition_of<before>}) {
            CHECK(given_parameters(d.parameters) == 6);
            for (int step = 0; step < 2; ++step) {
                const nest n =
                    schedules::lower(schedules::direct_schedule(d, schedules::default_direct(d, set, step), set));
                CHECK(ir::check(n, cpu_target(set)).ok());
                CHECK(ir::prove_accesses(n).ok());
            }
            // They are of the CPU alone.
            CHECK_FALSE(schedules::vulkan_direct::applies(d));
        }
}

TEST_CASE("layers of networks are calls of them")
{
    const resize_shape twice{.h = 28, .w = 30, .c = 256, .oh = 56, .ow = 60};
    CHECK(given<larger>(twice) == numbers{1, 28, 30, 256, 56, 60});
    CHECK(given<copies>(twice).empty());
    resize_shape other = twice;
    other.n = 3;
    other.coordinates = coordinates::align_corners;
    CHECK(given<larger>(other).empty());
    CHECK(given<heads>(other).empty()); // whose kernel adds a residual
    const auto with_residual = signature_of(other, dtype::f32, {"residual"});
    const auto parameters = parameters_in_range(heads::signature().c_str(), with_residual.c_str());
    CHECK(numbers(parameters.begin(), parameters.end()) == numbers{3, 28, 30, 256, 56, 60});
    other = {.h = 13, .w = 13, .c = 3, .oh = 26, .ow = 26, .mode = resize_mode::nearest};
    CHECK(given<before>(other).empty());
    other.nearest = nearest_pixel::half_down;
    CHECK(given<before>(other) == numbers{1, 13, 13, 3, 26, 26});
    other.coordinates = coordinates::asymmetric;
    other.nearest = nearest_pixel::floor; // the usual one there
    CHECK(given<copies>(other) == numbers{1, 13, 13, 3, 26, 26});

    // Of no kernel: planes, and beyond the largest.
    other = twice;
    other.layout = layout::nchw;
    CHECK(given<larger>(other).empty());
    other = twice;
    other.oh = 2049;
    CHECK(given<larger>(other).empty());
}
