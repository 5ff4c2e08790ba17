// SPDX-License-Identifier: BSL-1.0
// Laws of spaces: numbers and points go both ways, what the constraints reject no program has, and counts add up.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/hash.hpp>
#include <hone/measure/measure.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/search/annealing.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/vulkan/space.hpp>

#include "layers.hpp"
#include "reductions.hpp"

using namespace hone;
using namespace hone::tune;

namespace {

static_assert(search_space<cpu_space>);
static_assert(search_space<vulkan_space>);

// A layer of ResNet; one that nothing divides; one without rows; one channel at a time; rows known at the call.
using layer = conv2d<conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1}, f32>;
using odd = conv2d<conv2d_shape{.h = 13, .w = 11, .ic = 3, .oc = 21, .kh = 3, .kw = 3, .pad = 1}, f32, bias>;
using single = gemm<gemm_shape{.m = 1, .n = 37, .k = 5}, f32>;
using depthwise = conv2d<conv2d_shape{.h = 9, .w = 9, .ic = 20, .oc = 20, .kh = 3, .kw = 3, .groups = 20}, f32>;
using rows_at_call = gemm<gemm_shape{.m = extent::up_to(33), .n = 40, .k = 48}, f32>;
using square = gemm<gemm_shape{.m = 256, .n = 256, .k = 256}, f32>;

// Those of lavapipe.
constexpr vulkan_limits roomy{.max_workgroup_invocations = 1024,
                              .max_workgroup_size_x = 1024,
                              .max_shared_bytes = 32768,
                              .max_storage_buffers = 32};

// f(name, space) for each pair of an operator and a backend.
template <class F>
void for_each_space(F f)
{
    const auto both = [&](const char* name, const definition& d) {
        for (isa set : {isa::baseline, isa::avx512}) f(name, cpu_space(d, set));
        for (const vulkan_limits& limits : {vulkan_limits{}, roomy}) f(name, vulkan_space(d, limits));
    };
    both("layer", layer::definition());
    both("odd", odd::definition());
    both("single", single::definition());
    both("depthwise", depthwise::definition());
    both("rows at the call", rows_at_call::definition());
    both("square", square::definition());
}

bool has_winograd(const cpu_space& s) { return winograd_applies(s.definition()); }
bool has_winograd(const vulkan_space&) { return false; }

// The small space whose counts can be checked point by point.
using smallest = gemm<gemm_shape{.m = 3, .n = 5, .k = 4}, f32>;

} // namespace

TEST_CASE("at and index are inverse, on each edge of each template and between")
{
    for_each_space([](const char* name, const auto& s) {
        CAPTURE(name);
        const auto check_number = [&](std::uint64_t i) {
            const space_point p = s.at(i);
            CHECK(s.index(p) == i);
            CHECK(s.at(s.index(p)) == p);
        };
        for (std::uint64_t i = 0; i < s.size(); i += 1 + s.size() / 1000) check_number(i);
        check_number(s.size() - 1);
        // Where one template ends and the next begins.
        std::set<std::uint8_t> algorithms;
        for (std::uint64_t low = 0; low < s.size(); ++low) {
            const std::uint8_t here = s.at(low).algorithm;
            algorithms.insert(here);
            std::uint64_t high = s.size();
            while (high - low > 1) {
                const std::uint64_t middle = low + (high - low) / 2;
                (s.at(middle).algorithm == here ? low : high) = middle;
            }
            check_number(low);
        }
        CHECK(algorithms.size() == (has_winograd(s) ? 2 : 1));

        xoshiro256 bits(1);
        for (int i = 0; i < 200; ++i) {
            const space_point p = s.random(bits);
            REQUIRE(s.index(p) < s.size());
            CHECK(s.at(s.index(p)) == p);
        }
    });
}

TEST_CASE("the config of a point is fitted, and gives a point of the same config and key")
{
    for_each_space([](const char* name, const auto& s) {
        CAPTURE(name);
        xoshiro256 bits(2);
        for (int i = 0; i < 2000; ++i) {
            const space_point p = s.random(bits);
            const auto c = s.config_of(p);
            const auto q = s.point_of(c);
            REQUIRE(q.has_value());
            CHECK(s.config_of(*q) == c);
            CHECK(s.point_of(s.config_of(*q)) == q);
            CHECK(s.key(p) == s.index(*q));
            CHECK(s.key(*q) == s.index(*q));
        }
    });
}

TEST_CASE("the default is a point of its space on a CPU, and legal on every backend")
{
    for_each_space([](const char* name, const auto& s) {
        CAPTURE(name);
        status why;
        CHECK(s.nest_of(s.standard(), why).has_value());
        if constexpr (std::is_same_v<typename std::decay_t<decltype(s)>::config, tune::cpu_space::config>) {
            const auto p = s.point_of(s.standard());
            REQUIRE(p.has_value());
            CHECK(s.legal(*p, why));
        }
    });
}

TEST_CASE("an operator without weights is searched by reduce, of which its default is a point, and by direct")
{
    using namespace reductions;
    const auto look = [](const definition& d) {
        for (const isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon}) {
            const cpu_space s(d, set);
            status why;
            CHECK(s.standard().is<reduce>());
            const auto p = s.point_of(s.standard());
            REQUIRE(p.has_value());
            CHECK(s.legal(*p, why));
            REQUIRE(s.others().size() == 1);
            CHECK(s.others()[0].is<direct>());
            int legal[2]{};
            xoshiro256 bits(3);
            for (int i = 0; i < 200; ++i) {
                const space_point of = s.random(bits);
                if (s.legal(of, why)) ++legal[s.config_of(of).is<reduce>() ? 0 : 1];
            }
            CHECK(legal[0] > 10);
            CHECK(legal[1] > 10);
        }
        const vulkan_space s(d, roomy);
        CHECK(s.standard().is<vulkan_reduce>());
        REQUIRE(s.others().size() == 1);
        CHECK(s.others()[0].is<vulkan_direct>());
    };
    look(reductions::definition_of(pool_shape{.h = 112, .w = 112, .c = 64, .kh = 3, .kw = 3, .stride = 2, .pad = 1}));
    look(reductions::definition_of(
        pool_shape{.h = 14, .w = 14, .c = 100, .kh = 2, .kw = 2, .stride = 2, .how = fold::mean}));
    look(reductions::definition_of(global({.h = 7, .w = 7, .c = 2048, .how = fold::mean})));
    look(reductions::definition_of(global({.h = 7, .w = 7, .c = 64, .how = fold::mean, .layout = layout::nchw})));
    look(reductions::definition_of(rows_shape{.rows = 1000, .n = 1000}));
}

TEST_CASE("a config off the grid has no point")
{
    const cpu_space on_cpu(layer::definition(), isa::avx512);
    tune::cpu_space::config c = on_cpu.standard();
    c.knobs<direct>().reduce_block = 48;
    CHECK_FALSE(on_cpu.point_of(c).has_value());
    CHECK_FALSE(on_cpu.point_of(direct_knobs{.rows = 29, .vectors = 1}).has_value());
    CHECK(on_cpu.point_of(direct_knobs{.rows = 28, .vectors = 1}).has_value());
    // Off the grid, and yet what a value of the grid is cut down to.
    const vulkan_space on_device(odd::definition(), {});
    const vulkan_knobs cut = fitted(odd::definition(), {.rows = 12});
    CHECK(cut.rows == 11);
    CHECK(on_device.point_of(cut).has_value());
    // A template that does not apply has no points.
    const cpu_space product(square::definition(), isa::avx512);
    CHECK_FALSE(product.point_of(winograd_knobs{}).has_value());
    status why;
    CHECK_FALSE(product.nest_of(tune::cpu_space::config(winograd_knobs{}), why).has_value());
    CHECK(why.what == fault::template_missing);
}

TEST_CASE("a neighbour differs in one knob, or is of another template; all values are met")
{
    for_each_space([](const char* name, const auto& s) {
        CAPTURE(name);
        xoshiro256 bits(3);
        const space_point p = s.random(bits);
        int others = 0;
        std::set<std::pair<std::size_t, int>> met;
        const int draws = 4000;
        for (int i = 0; i < draws; ++i) {
            const space_point q = s.neighbour(p, bits);
            REQUIRE(s.at(s.index(q)) == q);
            if (q.algorithm != p.algorithm) {
                ++others;
                continue;
            }
            int changed = 0;
            for (std::size_t k = 0; k < q.places.size(); ++k)
                if (q.places[k] != p.places[k]) {
                    ++changed;
                    met.insert({k, q.places[k]});
                }
            CHECK(changed == 1);
        }
        CHECK((others > 0) == has_winograd(s));
        CHECK(others < draws / 4);
        std::size_t values = 0;
        const auto values_of = [&](const auto& table) {
            for (const auto& k : table) values += k.values.size() - 1;
        };
        if constexpr (std::is_same_v<typename std::decay_t<decltype(s)>::config, vulkan_config>)
            values_of(vulkan_knob_table);
        else if (s.config_of(p).template is<direct>())
            values_of(direct_knob_table);
        else
            values_of(winograd_knob_table);
        CHECK(met.size() == values);
    });
}

TEST_CASE("each template that applies has an equal chance, and the seed gives the points")
{
    const cpu_space s(layer::definition(), isa::avx512);
    xoshiro256 a(4), b(4);
    int winograd = 0;
    for (int i = 0; i < 2000; ++i) {
        const space_point p = s.random(a);
        CHECK(p == s.random(b));
        winograd += s.config_of(p).is<hone::winograd>() ? 1 : 0;
    }
    CHECK(winograd > 900);
    CHECK(winograd < 1100);
}

TEST_CASE("places of knobs are told apart by template")
{
    const cpu_space s(layer::definition(), isa::avx512);
    const space_point direct = *s.point_of(s.standard()), winograd = *s.point_of(s.others()[0]);
    const auto a = s.knob_values(direct), b = s.knob_values(winograd);
    CHECK(a.size() == std::size(direct_knob_table));
    CHECK(b.size() == std::size(winograd_knob_table));
    for (std::size_t k = 0; k < b.size(); ++k) CHECK(a[k] != b[k]);
}

TEST_CASE("legal, nest_of and features agree, and name the rule that is broken")
{
    for_each_space([](const char* name, const auto& s) {
        CAPTURE(name);
        xoshiro256 bits(5);
        int legal = 0;
        for (int i = 0; i < 300; ++i) {
            const space_point p = s.random(bits);
            status why, why_of_config;
            feature_vector f;
            const auto program = s.features(p, f);
            CHECK(s.legal(p, why) == program.has_value());
            CHECK(why.ok() == program.has_value());
            const auto nest = s.nest_of(s.config_of(p), why_of_config);
            if (program) CHECK(nest == program);
            legal += program.has_value();
        }
        CHECK(legal > 0);
    });
}

// A register constraint before lowering would be wrong if it rejected what check lets pass. Where x moves along the
// vectors, as in depthwise convolutions, it may: such a tile needs no broadcast.
TEST_CASE("what the constraints of registers and workgroups reject, lowering and check reject too")
{
    const auto rejected = [](const auto& s, std::initializer_list<fault> exact) {
        xoshiro256 bits(6);
        int count = 0;
        for (int i = 0; i < 3000; ++i) {
            const space_point p = s.random(bits);
            status why, why_of_config;
            if (s.legal(p, why) || std::find(exact.begin(), exact.end(), why.what) == exact.end()) continue;
            if (s.nest_of(s.config_of(p), why_of_config)) CAPTURE(s.index(p));
            CHECK_FALSE(s.nest_of(s.config_of(p), why_of_config).has_value());
            ++count;
        }
        return count;
    };
    CHECK(rejected(cpu_space(square::definition(), isa::avx512), {fault::too_many_live_registers}) > 0);
    CHECK(rejected(cpu_space(square::definition(), isa::baseline), {fault::too_many_live_registers}) > 0);
    CHECK(rejected(vulkan_space(square::definition(), {}),
                   {fault::workgroup_too_large, fault::shared_memory_exceeded}) > 0);
}

TEST_CASE("a count is that of the points, one by one")
{
    const cpu_space s(smallest::definition(), isa::avx2);
    std::uint64_t legal = 0;
    std::set<std::uint64_t> nests;
    std::map<std::string, std::uint64_t> faults;
    for (std::uint64_t i = 0; i < s.size(); ++i) {
        status why;
        const auto nest = s.nest_of(s.at(i), why);
        legal += nest.has_value();
        if (nest) nests.insert(*nest);
    }
    const space_count c = s.count();
    CHECK(c.raw == s.size());
    CHECK(c.legal == legal);
    CHECK(c.distinct == nests.size());
    std::uint64_t rejected = 0;
    for (const rejections& r : c.rejected) rejected += r.points;
    CHECK(rejected + c.legal == c.raw);
    REQUIRE(c.rejected.size() == std::size(direct_constraints) + 1);
    CHECK(std::string(c.rejected[0].algorithm) == "direct");
    CHECK(std::string(c.rejected[0].constraint) == "row_block");
    CHECK(std::string(c.rejected[1].constraint) == "registers");
    CHECK(std::string(c.rejected.back().constraint) == "lowering");
}

TEST_CASE("a space holds no kernel of a worse class of error than allowed")
{
    const definition d = layer::definition();
    const isa set = isa::avx512;
    const auto classes_in = [&](error_class worst) {
        const cpu_space s(d, set, worst);
        xoshiro256 bits(3);
        std::set<error_class> met;
        for (int i = 0; i < 2000; ++i) {
            status why;
            const auto p = s.random(bits);
            if (s.nest_of(p, why)) met.insert(class_of(s.config_of(p)));
            if (s.nest_of(s.neighbour(p, bits), why)) CHECK(why.ok());
        }
        for (const tune::cpu_space::config& c : s.others()) CHECK(class_of(c) <= worst);
        status why;
        CHECK(s.nest_of(s.standard(), why).has_value());
        return met;
    };
    using enum error_class;
    CHECK(classes_in(exact_order) == std::set{exact_order});
    CHECK(classes_in(reassociated) == std::set{exact_order, reassociated});
    CHECK(classes_in(winograd_2) == std::set{exact_order, reassociated, winograd_2});
    CHECK(classes_in(winograd_4) == std::set{exact_order, reassociated, winograd_2, winograd_4});

    const cpu_space strict(d, set, exact_order);
    status why;
    CHECK_FALSE(strict.nest_of(tune::cpu_space::config(winograd_knobs{}), why).has_value());
    CHECK(why.what == fault::accuracy_not_allowed);
    CHECK_FALSE(strict.nest_of(tune::cpu_space::config(direct_knobs{.reduce_block = 8}), why).has_value());
    CHECK(why.what == fault::accuracy_not_allowed);
    // Counted, too: what is left out for its class is told apart from what cannot be built.
    const cpu_space small(smallest::definition(), isa::avx2, exact_order), all(smallest::definition(), isa::avx2);
    const space_count few = small.count(), many = all.count();
    std::uint64_t left_out = 0;
    for (const rejections& r : few.rejected)
        if (std::string(r.constraint) == "accuracy") left_out += r.points;
    CHECK(few.raw == many.raw);
    CHECK(few.legal + left_out == many.legal);
}

TEST_CASE("a 3x3 layer of ResNet has more than 10,000 distinct kernels with AVX-512, of both templates")
{
    const space_count c = cpu_space(layer::definition(), isa::avx512).count();
    CHECK(c.distinct >= 10000);
    CHECK(c.rejected.size() == std::size(direct_constraints) + std::size(winograd_constraints) + 2);
    CHECK(c.rejected[1].points > 0);
}

TEST_CASE("a product of 256 x 256 x 256 has more than 100,000 distinct kernels on a Vulkan device")
{
    const vulkan_space s(square::definition(), roomy);
    std::unordered_set<std::uint64_t> nests;
    status why;
    // Sanitizers, under which this takes minutes, have seen it all by then.
    const std::size_t counted = has_shadow_memory ? 10000 : 100000;
    for (std::uint64_t i = 0; i < s.size() && nests.size() < counted; ++i)
        if (const auto nest = s.nest_of(s.at(i), why)) nests.insert(*nest);
    CHECK(nests.size() == counted);
}

TEST_CASE("what every template would take for a layer by its closed form is a legal point on a CPU")
{
    hone::test::for_each_workload([](const char* name, std::size_t i, const definition& d) {
        CAPTURE(name);
        CAPTURE(i);
        for (isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon}) {
            CAPTURE(name_of(set));
            const cpu_space s(d, set);
            std::vector<tune::cpu_space::config> closed = s.others();
            CHECK(closed.size() == (has_winograd(s) ? 1 : 0));
            closed.push_back(s.standard());
            for (const tune::cpu_space::config& c : closed) {
                const auto p = s.point_of(c);
                REQUIRE(p.has_value());
                status why;
                CHECK(s.legal(*p, why));
            }
        }
    });
}

TEST_CASE("every layer has a legal point in each space")
{
    hone::test::for_each_workload([](const char* name, std::size_t i, const definition& d) {
        CAPTURE(name);
        CAPTURE(i);
        const auto has_legal = [](const auto& s) {
            xoshiro256 bits(7);
            status why;
            for (int draw = 0; draw < 1000; ++draw)
                if (s.legal(s.random(bits), why)) return true;
            return false;
        };
        for (isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon}) CHECK(has_legal(cpu_space(d, set)));
        CHECK(has_legal(vulkan_space(d, {})));
    });
}
