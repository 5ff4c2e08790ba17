// SPDX-License-Identifier: BSL-1.0
// Shaders that read weights of 16 bits: products and convolutions with and without shared memory, the meaning of their
// nests, each half as a weight, and what is said where a device has no such storage.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/run/pack.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "reference.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

using halves = types<f16>;

// Packed weights in the place of a buffer of floats.
floats packed_halves(const definition& d, const vulkan_knobs& knobs, const floats& weights)
{
    const tensor layout = vulkan_weights(d, knobs)[0];
    CHECK(layout.type == dtype::f16);
    floats packed((packed_bytes(layout) + sizeof(float) - 1) / sizeof(float), 0.0f);
    pack_into(weights_of(d)[0], layout, weights.data(), reinterpret_cast<half*>(packed.data()));
    return packed;
}

void run_both(const definition& d, const vulkan_knobs& knobs, const call_data& data, const doubles& expected)
{
    CAPTURE(std::string(name_of(knobs.stage)));
    CAPTURE(knobs.components);
    const nest n = lower(vulkan_schedule(d, knobs));
    REQUIRE(n.ok());
    vulkan_limits limits = test_device().limits();
    REQUIRE(check(n, vulkan_target(limits)).ok());
    limits.storage_16bit = false;
    const status without = check(n, vulkan_target(limits));
    CHECK(without.what == fault::vulkan_feature_missing);
    CHECK(std::string(without.subject) == "storageBuffer16BitAccess");

    std::vector<floats> given;
    for (const tensor& t : d.tensors)
        given.push_back(t.role == role::input     ? data.x
                        : t.role == role::weights ? packed_halves(d, knobs, data.weights)
                        : t.role == role::bias    ? data.bias
                                                  : data.y);
    const auto after = run_on(test_device(), n, given);
    CHECK(difference(after.back(), expected) == "");

    // The interpreter takes values for what memory holds.
    const tensor layout = vulkan_weights(d, knobs)[0];
    given[1].assign(static_cast<std::size_t>(layout.elements()), 0.0f);
    pack_into(weights_of(d)[0], layout, data.weights.data(), given[1].data());
    std::vector<argument> arguments;
    for (floats& f : given) arguments.push_back({f.data(), static_cast<std::int64_t>(f.size())});
    REQUIRE(interpret(n, arguments).ok());
    CHECK(difference(given.back(), expected) == "");
}

const std::vector<vulkan_knobs> some_knobs = {
    naive_vulkan(),
    {},
    {.rows = 3, .vectors = 1, .components = 2, .lane_rows = 4, .lane_vectors = 3},
    {.rows = 2, .vectors = 1, .lane_rows = 4, .lane_vectors = 4, .reduce_block = 4, .stage = staging::shared},
    {.rows = 2,
     .vectors = 1,
     .components = 1,
     .lane_rows = 2,
     .lane_vectors = 4,
     .reduce_block = 4,
     .stage = staging::weights},
};

} // namespace

TEST_CASE("products with weights of 16 bits, on the device and by the interpreter")
{
    constexpr gemm_shape s{.m = 13, .n = 26, .k = 11};
    const gemm_call c = call_of(s, s.m.value, s.k, s.n, 0);
    const call_data data = data_of(s, c, 71);
    for (const vulkan_knobs& k : some_knobs)
        run_both(gemm<s, halves, bias>::definition(), k, data, reference(s, c, data, {step_of<bias>()}));
}

TEST_CASE("convolutions with weights of 16 bits, on the device and by the interpreter")
{
    constexpr conv2d_shape s{.h = 7, .w = 9, .ic = 3, .oc = 10, .kh = 3, .kw = 3, .pad = 1};
    const call_data data = data_of(s, 72);
    for (const vulkan_knobs& k : some_knobs)
        run_both(conv2d<s, halves, bias>::definition(), k, data, reference(s, data, {step_of<bias>()}));
}

TEST_CASE("each finite half is read as its value; denormal ones may be zero")
{
    struct each : gemm<gemm_shape{.m = 1, .n = 0x10000, .k = 1}, halves> {};
    const definition d = each::definition();
    const vulkan_knobs knobs{.rows = 1, .lane_rows = 1, .lane_vectors = 16};
    floats weights;
    for (int i = 0; i < 0x10000; ++i) {
        const float w = static_cast<float>(half::of_bits(static_cast<std::uint16_t>(i)));
        weights.push_back(std::isfinite(w) ? w : 1.0f);
    }
    const nest n = lower(vulkan_schedule(d, knobs));
    const auto after =
        run_on(test_device(), n, {floats{1.0f}, packed_halves(d, knobs, weights), floats(weights.size(), poison)});
    for (std::size_t i = 0; i < weights.size(); ++i) {
        CAPTURE(i);
        const float found = after[2][i];
        const bool may_be_zero = std::fabs(weights[i]) < 0x1p-14f;
        REQUIRE((found == weights[i] || (may_be_zero && found == 0)));
    }
}

TEST_CASE("the text converts what it reads of 16 bits, and asks for the extension only then")
{
    const auto text = [](const definition& d, const vulkan_knobs& k) { return glsl_of(lower(vulkan_schedule(d, k))); };
    struct of_halves : gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, halves> {};
    struct of_floats : gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32> {};
    const std::string vectors = text(of_halves::definition(), {}),
                      scalars = text(of_halves::definition(), naive_vulkan()),
                      single = text(of_floats::definition(), {});
    CHECK(vectors.find("#extension GL_EXT_shader_16bit_storage : require") != std::string::npos);
    CHECK(vectors.find("f16vec4 b4_weights[]") != std::string::npos);
    CHECK(vectors.find("vec4(b4_weights[") != std::string::npos);
    CHECK(scalars.find("float16_t b_weights[]") != std::string::npos);
    CHECK(scalars.find("float(b_weights[") != std::string::npos);
    CHECK(single.find("16bit") == std::string::npos);
    CHECK(single.find("f16") == std::string::npos);
}
