// SPDX-License-Identifier: BSL-1.0
// Templates without their types: each answers as its type does, knob by knob, and a list of hone's own is none.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/search/listed_template.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::schedules;

namespace {

struct listed_product : gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32, bias> {};
struct listed_layer
    : conv2d<conv2d_shape{.h = 9, .w = 9, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1}, f32, bias, relu> {};
struct with_narrow : listed_product {
    using cpu_templates = template_list<test::narrow, direct>;
};
struct with_one_for_devices : listed_product {
    using vulkan_templates = template_list<vulkan_direct>;
};

// What the row of T says is what T says, for each of these knobs.
template <schedule_template T>
void check_row(const definition& d, const typename T::target& target,
               std::initializer_list<typename T::knobs> all_knobs)
{
    using knobs = typename T::knobs;
    constexpr tune::listed_template<typename T::target> row = tune::row_of<T>();
    CAPTURE(T::name);
    CHECK(std::string{row.name} == T::name);
    CHECK_FALSE(row.is_shipped());
    CHECK(row.strictest == T::strictest);
    CHECK(row.default_steps == T::default_steps);
    CHECK(row.applies(d) == T::applies(d));
    CHECK(row.defaults() == tune::listing::values_of(knobs{}));
    REQUIRE(row.applies(d));
    for (int step = 0; step < T::default_steps; ++step)
        CHECK(row.standard(d, target, step) == tune::listing::values_of(T::standard(d, target, step)));
    for (const knobs& k : all_knobs) {
        const tune::listed_knobs listed = tune::listing::values_of(k);
        CHECK(tune::listing::knobs_from<knobs>(listed) == k);
        CHECK(check_knobs(listed).what == check_knobs(k).what);
        CHECK(row.class_of(listed) == class_of(k));
        std::size_t at = 0;
        for (const auto& own : T::constraints) {
            REQUIRE(at < row.constraints.size);
            CHECK(std::string{row.constraints.first[at].name} == own.name);
            CHECK(row.constraints.first[at].found(listed, target).what == own.found(k, target).what);
            ++at;
        }
        CHECK(at == row.constraints.size);
        CHECK(layout_id(row.packed(d, listed, target)) == layout_id(T::packed(d, k, target)));
        if (!check_knobs(k).ok()) continue;
        CHECK(row.fitted(d, listed, target) == tune::listing::values_of(T::fitted(d, k, target)));
        CHECK(row.scheduled(d, listed, target).plans.size() == T::scheduled(d, k, target).plans.size());
        CHECK(row.packing(d, listed, target, 0).definition.tensors[1].elements() ==
              T::packing(d, k, target, 0).definition.tensors[1].elements());
    }
}

} // namespace

TEST_CASE("a row answers as its template does")
{
    check_row<direct>(listed_product::definition(), isa::avx2,
                      {{}, {.rows = 3, .vectors = 1, .pad = padding::copy}, {.rows = 28, .vectors = 4}, {.rows = 0}});
    check_row<direct>(listed_layer::definition(), isa::avx512, {{}, {.reduce_block = 16, .unroll_window = true}});
    check_row<winograd>(listed_layer::definition(), isa::avx2, {{}, {.tile = 2}, {.tile = 3}});
    check_row<test::narrow>(listed_product::definition(), isa::baseline, {{}, {.rows = 8}});
    check_row<vulkan_direct>(listed_layer::definition(), vulkan_limits{},
                             {{}, {.rows = 4, .stage = staging::shared}, {.lane_rows = 32, .lane_vectors = 64}});
}

TEST_CASE("each knob has the name, values and words of its table, and is set by itself")
{
    const tune::listed_knobs standard = tune::listing::values_of(direct_knobs{});
    std::size_t i = 0;
    for (const auto& own : knobs_of(direct_knobs{})) {
        const knob<tune::listed_knobs>& listed = knobs_of(standard).first[i];
        CAPTURE(own.name);
        CHECK(std::string{listed.name} == own.name);
        REQUIRE(listed.values.size() == own.values.size());
        for (std::size_t v = 0; v < own.values.size(); ++v) {
            CHECK(listed.values[v] == own.values[v]);
            tune::listed_knobs changed = standard;
            listed.set(changed, listed.values[v]);
            direct_knobs typed;
            own.set(typed, own.values[v]);
            CHECK(tune::listing::knobs_from<direct_knobs>(changed) == typed);
        }
        ++i;
    }
    CHECK(i == knobs_of(standard).size);
}

TEST_CASE("knobs of two tables are never equal, whatever their values")
{
    tune::listed_knobs a = tune::listing::values_of(test::narrow_knobs{}), b = a;
    CHECK(a == b);
    b.table = tune::listing::values_of(winograd_knobs{}).table;
    CHECK_FALSE(a == b);
    b = a;
    ++b.values[0];
    CHECK_FALSE(a == b);
}

TEST_CASE("who takes hone's list has no rows; in a list of one's own hone's templates are names")
{
    static_assert(tune::own_rows<cpu_family, listed_product>().size == 0);
    static_assert(tune::own_rows<vulkan_family, with_narrow>().size == 0);
    constexpr auto rows = tune::own_rows<cpu_family, with_narrow>();
    REQUIRE(rows.size == 2);
    CHECK(std::string{rows.first[0].name} == "narrow");
    CHECK_FALSE(rows.first[0].is_shipped());
    CHECK(std::string{rows.first[1].name} == "direct");
    CHECK(rows.first[1].is_shipped());
    constexpr auto on_device = tune::own_rows<vulkan_family, with_one_for_devices>();
    REQUIRE(on_device.size == 1);
    CHECK(on_device.first[0].is_shipped());
    std::size_t walked = 0;
    for (const auto& row : rows) walked += row.knobs.size;
    CHECK(walked == 1);
}
