// SPDX-License-Identifier: BSL-1.0
#include <set>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/tune/cpu_space.hpp>
#include <hone/tune/random_search.hpp>
#include <hone/tune/settings.hpp>
#include <hone/tune/vulkan_space.hpp>

using namespace hone;

namespace {

using conv =
    conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 32, .oc = 48, .kh = 3, .kw = 3, .stride = 1, .pad = 1}, f32, bias>;
using product = gemm<gemm_shape{.m = 17, .n = 40, .k = 33}, f32>;

} // namespace

TEST_CASE("configs are legal and distinct, and the seed gives them")
{
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
        CAPTURE(name_of(set));
        tune::random_search a(tune::cpu_space(conv::definition(), set), 5), b(a),
            c(tune::cpu_space(conv::definition(), set), 6);
        std::set<std::uint64_t> nests;
        bool direct = false, winograd = false, differs = false;
        for (int i = 0; i < 40; ++i) {
            const auto x = a.next(), y = b.next(), z = c.next();
            REQUIRE(x.has_value());
            REQUIRE(z.has_value());
            CHECK(x->config == y->config);
            differs = differs || x->config != z->config;
            CHECK(nests.insert(x->nest).second);
            (x->config.algorithm == cpu_template::winograd ? winograd : direct) = true;
            const auto lowered = lower(cpu_schedule(conv::definition(), x->config, set));
            CHECK(lowered.ok());
            CHECK(check(lowered, cpu_target(set)).ok());
        }
        CHECK(direct);
        CHECK(winograd);
        CHECK(differs);
        CHECK(a.illegal() > 0);
    }
}

TEST_CASE("a config is given once, also where it was admitted by name")
{
    tune::random_search search(tune::cpu_space(product::definition(), isa::avx2), 1);
    const auto standard = search.space().standard();
    CHECK(search.admit(standard).has_value());
    CHECK_FALSE(search.admit(standard).has_value());
    CHECK_FALSE(search.admit({.direct = {.rows = 28, .vectors = 4}}).has_value());
    CHECK(search.illegal() == 1);
    for (int i = 0; i < 30; ++i) CHECK(search.next()->config.algorithm == cpu_template::direct);
}

TEST_CASE("a space that is used up says so")
{
    using smallest = gemm<gemm_shape{.m = 1, .n = 4, .k = 1}, f32>;
    tune::random_search search(tune::cpu_space(smallest::definition(), isa::baseline), 1);
    int count = 0;
    while (search.next()) REQUIRE(++count < 10000);
    CHECK(count > 0);
}

TEST_CASE("Vulkan kernels of a search fit the device")
{
    const vulkan_limits limits;
    tune::random_search search(tune::vulkan_space(conv::definition(), limits), 1);
    CHECK(search.admit(search.space().standard()).has_value());
    for (int i = 0; i < 40; ++i) {
        const auto c = search.next();
        REQUIRE(c.has_value());
        const launch l = launch_of(lower(vulkan_schedule(conv::definition(), c->config)));
        CHECK(fits(l, limits).ok());
    }
}

TEST_CASE("settings name every knob, and give the config again")
{
    const tune::cpu_space cpu(conv::definition(), isa::avx2);
    const tune::vulkan_space device(conv::definition(), {});
    tune::xoshiro256 bits(1);
    for (int i = 0; i < 200; ++i) {
        const cpu_config c = cpu.config_of(cpu.random(bits));
        CHECK(tune::cpu_config_of(tune::name_of_template(c), tune::settings_of(c)) == c);
        const vulkan_knobs v = device.config_of(device.random(bits));
        CHECK(tune::vulkan_knobs_of(tune::settings_of(v)) == v);
    }
    CHECK(tune::initializer_of(winograd_knobs{}) ==
          "{.tile = 4, .block_rows = 2, .block_columns = 7, .rows = 7, .vectors = 3}");
    // A knob that is added to a template and not to its table would be lost in records.
    CHECK(std::size(direct_knob_table) == 8);
    CHECK(std::size(vulkan_knob_table) == 9);
    CHECK(sizeof(winograd_knobs) == std::size(winograd_knob_table) * sizeof(std::int32_t));
}
