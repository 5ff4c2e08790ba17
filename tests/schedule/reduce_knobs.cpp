// SPDX-License-Identifier: BSL-1.0
// The knobs of the reduce template for CPUs, apart from its schedules: their classes of error, how far an operator can
// use them, and as what loops it is seen.
#include <hone/schedule/reduce_knobs.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "reduction_draw.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using namespace reductions;

namespace {

constexpr reduce_knobs of_direct{.rows = 3,
                                 .vectors = 5,
                                 .reduce_unroll = 2,
                                 .reduce_block = 8,
                                 .row_block = 16,
                                 .pad = padding::copy,
                                 .unroll_window = true};
static_assert(of_outputs(tile_of(of_direct)) == of_direct); // all that lanes of outputs take
static_assert(check_knobs(reduce_knobs{}).ok());

// The constraint of a name, with AVX2, which has 16 registers.
status held_to(const char* name, const reduce_knobs& k)
{
    for (const auto& c : reduce_constraints)
        if (std::string_view(c.name) == name) return c.found(k, isa::avx2);
    return {.what = fault::knob_unknown};
}

} // namespace

TEST_CASE("sums alone that lie in parts are other sums than the definition's")
{
    for (const spread lanes : {spread::outputs, spread::sums, spread::extremes, spread::none})
        for (const apart of : {apart::rows, apart::sums, apart::extremes})
            for (const std::int32_t parts : {1, 4}) {
                const bool is_split = lanes == spread::sums || (parts > 1 && of == apart::sums);
                CHECK(class_of(reduce_knobs{.lanes = lanes, .parts = parts, .apart = of}) ==
                      (is_split ? error_class::reassociated : error_class::exact_order));
            }
}

TEST_CASE("a tile and what it takes next fit the registers, those of rows read side by side among them")
{
    CHECK(held_to("registers", {.rows = 3, .vectors = 5}).ok());
    CHECK(held_to("registers", {.rows = 4, .vectors = 4}).what == fault::too_many_live_registers);
    CHECK(held_to("registers", {.rows = 4, .vectors = 4}).found == 17);
    CHECK(held_to("registers", {.lanes = spread::sums, .rows = 3, .vectors = 2, .parts = 2}).ok());
    CHECK(held_to("registers", {.lanes = spread::sums, .rows = 4, .vectors = 2, .parts = 2}).found == 17);
    // Of outputs the parts are others of the same accumulators.
    CHECK(held_to("registers", {.rows = 3, .vectors = 5, .parts = 8}).ok());
    CHECK(held_to("row_block", {.rows = 3, .row_block = 9}).ok());
    CHECK(held_to("row_block", {.rows = 3}).ok());
    CHECK_FALSE(held_to("row_block", {.rows = 3, .row_block = 2}).ok());
}

TEST_CASE("what knobs cannot be is left for check_knobs to name, and what an operator cannot use is limited")
{
    const definition d = reductions::definition_of(rows_shape{.rows = 5, .n = 40, .how = fold::largest});
    CHECK(fitted_reduce(d, {.rows = 0}, isa::avx2) == reduce_knobs{.rows = 0});
    const reduce_knobs k =
        fitted_reduce(d, {.lanes = spread::extremes, .rows = 8, .vectors = 16, .row_block = 8, .parts = 8}, isa::avx2);
    CHECK(k.rows == 5);
    CHECK(k.vectors == 5); // 40 terms in vectors of 8
    CHECK(k.reduce_unroll == 1);
    CHECK(k.row_block == 0);
    CHECK(k.parts == 1); // there are no more rows
    CHECK(fitted_reduce(d, k, isa::avx2) == k);
}

TEST_CASE("a sum never counts as an extreme, nor an extreme as a sum")
{
    for (const fold how : {fold::sum, fold::mean, fold::squares, fold::largest, fold::least})
        for (const spread lanes : {spread::outputs, spread::sums, spread::extremes, spread::none}) {
            const definition d = reductions::definition_of(rows_shape{.rows = 5, .n = 40, .how = how});
            const reduce_knobs k = fitted_reduce(d, {.lanes = lanes}, isa::avx2);
            const bool is_sum = d.stages[0].reduce == reduction::add;
            CHECK(k.lanes != (is_sum ? spread::extremes : spread::sums));
            if (lanes == spread::outputs || lanes == spread::none) CHECK(k.lanes == lanes);
            CHECK((class_of(k) == error_class::exact_order) == (k.lanes != spread::sums));
        }
}

TEST_CASE("neighbouring reductions that walk memory as one are one axis; others are left alone")
{
    const auto extents = [](const definition& d) {
        const definition f = with_fused_reductions(d);
        return std::vector<std::int64_t>{f.stages[0].axes[4].extent, f.stages[0].axes[5].extent};
    };
    using pair = std::vector<std::int64_t>;
    pool_shape s{.n = 2, .h = 5, .w = 7, .c = 3, .kh = 5, .kw = 7};
    CHECK(extents(reductions::definition_of(s)) == pair{1, 35});
    s.layout = layout::nchw;
    CHECK(extents(reductions::definition_of(s)) == pair{1, 35});
    s.kw = 6; // leaves a column out
    CHECK(extents(reductions::definition_of(s)) == pair{5, 6});
    s.kw = 7;
    s.pad = 1;
    CHECK(extents(reductions::definition_of(s)) == pair{5, 7});
    definition d = reductions::definition_of(global({.h = 5, .w = 7, .c = 3}));
    d.tensors[0].dims[1].stride += 4; // rows with gaps
    CHECK(extents(d) == pair{5, 7});
}

TEST_CASE("the axes that knobs speak of: of terms that lie side by side, of rows, and of parts")
{
    const definition d = with_fused_reductions(reductions::definition_of(rows_shape{.rows = 5, .n = 40}));
    CHECK(axis_of_terms(d) == 1);
    CHECK(axis_of_rows(d) == 0);
    CHECK(outermost_reduction(d.stages[0]) == 1);
    CHECK(runs_along(d));
    CHECK(stays_inside(d.stages[0]));
    // Channels are neighbours in an image, and outputs lie along them.
    const definition image = with_fused_reductions(
        reductions::definition_of(pool_shape{.h = 9, .w = 9, .c = 8, .kh = 3, .kw = 3, .pad = 1}));
    CHECK(axis_of_terms(image) == -1);
    CHECK_FALSE(runs_along(image));
    CHECK_FALSE(stays_inside(image.stages[0]));
    CHECK(axis_of_parts(image, apart::sums) == -1); // it reads padding
    CHECK(axis_of_parts(image, apart::rows) == 2);  // rows of the image share terms
    CHECK(axis_of_parts(d, apart::rows) == -1);
}
