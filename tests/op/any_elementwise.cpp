// SPDX-License-Identifier: BSL-1.0
// Element-wise operators of which each call gives n, h, w and c: what they say of themselves, that default kernels of
// all instruction sets stay in their tensors, and that a table of them lacks no NHWC image.
#include <hone/op/any_elementwise.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/find_in_range.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/schedule_template.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

using clamped = any_elementwise<f32, relu>;
using sum = any_elementwise<f32, add<per::element>, relu>;
using scaled = any_elementwise<f32, multiply<per::channel>, add<per::channel>>;

std::vector<std::int64_t> given(const signature_text& signature, const signature_text& shape)
{
    const auto parameters = parameters_in_range(signature.c_str(), shape.c_str());
    return {parameters.begin(), parameters.end()};
}

} // namespace

TEST_CASE_TEMPLATE("they are legal, take four numbers of a call, and stay in their tensors", Op, clamped, sum, scaled)
{
    const definition& d = definition_of<Op>;
    CHECK(d.found.ok());
    CHECK(given_parameters(d.parameters) == 4);
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon}) {
        const nest n = lower(schedule_for(d, default_config<cpu_templates>(d, set), set));
        CHECK(check(n, cpu_target(set)).ok());
        CHECK(std::string(ir::prove_accesses(n).message()) == message_of(fault::none));
    }
}

TEST_CASE("layers of networks are calls of them")
{
    using numbers = std::vector<std::int64_t>;
    const image_shape s{.h = 56, .w = 40, .c = 256};
    CHECK(given(clamped::signature(), signature_of(s, dtype::f32, {"relu"})) == numbers{1, 56, 40, 256});
    CHECK(given(sum::signature(), signature_of(s, dtype::f32, {"add", "relu"})) == numbers{1, 56, 40, 256});
    CHECK(given(scaled::signature(), signature_of(s, dtype::f32, {"multiply_channel", "add_channel"})) ==
          numbers{1, 56, 40, 256});

    // Other words, views, NCHW and larger images are other kernels.
    CHECK(given(sum::signature(), signature_of(s, dtype::f32, {"relu"})).empty());
    CHECK(
        given(clamped::signature(), signature_of(image_shape{.h = 2, .c = 3, .ldx = 5}, dtype::f32, {"relu"})).empty());
    const image_shape planes{.h = 2, .c = 3, .layout = layout::nchw};
    CHECK(given(clamped::signature(), signature_of(planes, dtype::f32, {"relu"})).empty());
    CHECK(given(clamped::signature(), signature_of(image_shape{.h = 2049}, dtype::f32, {"relu"})).empty());
}
