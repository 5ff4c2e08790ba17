// SPDX-License-Identifier: BSL-1.0
// The reduce template for CPUs: its nests, of whatever knobs, compute what plain loops do, lanes along the reduction
// and all; what it chooses when nothing is tuned; and that operators with weights are none of its business.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/reduce.hpp>
#include <hone/tune/cpu/space.hpp>

#include "reduction_draw.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;
using namespace reductions;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

reduce_knobs drawn_knobs(tune::xoshiro256& bits)
{
    reduce_knobs k;
    for (const auto& own : knobs_of(k)) own.set(k, own.values[bits.below(own.values.size())]);
    return k;
}

} // namespace

TEST_CASE("nests of any knobs compute what plain loops do, and touch nothing else")
{
    tune::xoshiro256 bits(3);
    int along = 0, legal = 0, alone = 0, parts_of[3]{};
    for (int i = 0; i < 800; ++i) {
        const drawn_reduction r = drawn(bits);
        const isa set = sets[bits.below(4)];
        const reduce_knobs k = fitted_reduce(r.d, i % 4 == 0 ? default_reduce(r.d, set) : drawn_knobs(bits), set);
        CHECK(fitted_reduce(r.d, k, set) == k);
        const nest n = lower(reduce_schedule(r.d, k, set));
        CAPTURE(r.text);
        CAPTURE(name_of(set));
        CAPTURE(k.vectors);
        CAPTURE(static_cast<int>(k.lanes));
        CAPTURE(k.rows);
        CAPTURE(k.reduce_unroll);
        CAPTURE(k.row_block);
        CAPTURE(k.reduce_block);
        CAPTURE(k.parts);
        CAPTURE(static_cast<int>(k.apart));
        if (!check(n, cpu_target(set)).ok()) continue;
        ++legal;
        along += k.lanes == spread::sums || k.lanes == spread::extremes ? 1 : 0;
        alone += k.lanes == spread::none ? 1 : 0;
        if (k.parts > 1) ++parts_of[static_cast<int>(k.apart)];
        CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
        CHECK(r.wrong(n) == "");
    }
    CHECK(legal > 500);
    CHECK(along > 120);
    CHECK(alone > 20);
    for (const int drawn : parts_of) CHECK(drawn > 10);
}

TEST_CASE("parts of an axis are met side by side, and what is left of it comes behind them")
{
    // The reduction loops of the least of so many rows of an image, in the order of the nest.
    const auto loops_of = [](std::int64_t steps, const reduce_knobs& k) {
        const definition d = reductions::definition_of(global({.h = steps, .w = 1, .c = 32, .how = fold::least}));
        const nest n = lower(reduce_schedule(d, k, isa::avx2));
        CHECK(check(n, cpu_target(isa::avx2)).ok());
        std::vector<std::string> loops;
        for (const node& x : n.nodes)
            if (x.kind == node_kind::loop && n.variables[x.variable].reduction)
                loops.push_back(std::to_string(interval_of(n, x, nullptr).least) + ".." +
                                std::to_string(interval_of(n, x, nullptr).most));
        return loops;
    };
    using loops = std::vector<std::string>;
    reduce_knobs k{.vectors = 4, .parts = 4, .apart = apart::extremes};
    CHECK(loops_of(12, k) == loops{"0..2", "0..3"});
    CHECK(loops_of(14, k) == loops{"0..2", "0..3", "12..13", "0..0"});
    k.reduce_unroll = 2;
    CHECK(loops_of(19, k) == loops{"0..1", "0..3", "0..1", "8..8", "0..0", "0..1", "9..9", "0..0", "0..0"});
}

TEST_CASE("there are no more parts than steps, and none of padding or of rows that only the call knows")
{
    const auto fitted = [](const auto& shape, const reduce_knobs& k) {
        return fitted_reduce(reductions::definition_of(shape), k, isa::avx2);
    };
    const reduce_knobs columns{.vectors = 1, .parts = 8, .apart = apart::sums};
    CHECK(fitted(global({.h = 30, .w = 1, .c = 40, .how = fold::sum}), columns).parts == 8);
    CHECK(fitted(global({.h = 5, .w = 1, .c = 40, .how = fold::sum}), columns).parts == 5);
    CHECK(fitted(global({.h = 1, .w = 1, .c = 40, .how = fold::sum}), columns).parts == 1);
    CHECK(fitted(pool_shape{.h = 9, .w = 9, .c = 40, .kh = 3, .kw = 3, .pad = 1, .how = fold::sum}, columns).parts ==
          1);
    const reduce_knobs far{.lanes = spread::sums, .vectors = 1, .parts = 4};
    CHECK(fitted(rows_shape{.rows = 40, .n = 100, .how = fold::sum}, far).parts == 4);
    CHECK(fitted(rows_shape{.rows = 40, .n = 100, .how = fold::sum, .at_call = true}, far).parts == 1);
    CHECK(fitted(pool_shape{.h = 19, .w = 9, .c = 40, .kh = 3, .kw = 3, .pad = 1}, {.parts = 2}).parts == 2);
}

TEST_CASE("parts of a sum are another order of its terms; parts of a maximum, and rows, are none")
{
    const definition d = reductions::definition_of(global({.h = 30, .w = 1, .c = 40, .how = fold::sum}));
    const definition m = reductions::definition_of(global({.h = 30, .w = 1, .c = 40}));
    for (const apart of : {apart::sums, apart::extremes}) {
        const reduce_knobs k{.parts = 4, .apart = of};
        CHECK((class_of(fitted_reduce(d, k, isa::avx2)) == error_class::reassociated) == (of == apart::sums));
        CHECK(fitted_reduce(m, k, isa::avx2).parts == 4);
        CHECK(class_of(fitted_reduce(m, k, isa::avx2)) == error_class::exact_order);
    }
    CHECK(class_of(reduce_knobs{.lanes = spread::none, .parts = 8}) == error_class::exact_order);
}

TEST_CASE("texts of before there were parts mean the nests that they meant")
{
    const auto hash_of = [](const auto& shape, const char* text) {
        const auto c = config_from<cpu_templates>(text);
        CHECK(c.ok());
        return nest_hash(lower(schedule_for(reductions::definition_of(shape), c.value, isa::avx512)));
    };
    CHECK(hash_of(global({.h = 56, .w = 56, .c = 256, .how = fold::mean}),
                  "reduce lanes=outputs rows=1 vectors=4 reduce_unroll=7 reduce_block=7 row_block=0 pad=peel "
                  "unroll_window=false") == 0x94fbce6d6f5e463cu);
    CHECK(hash_of(rows_shape{.rows = 1000, .n = 1000},
                  "reduce lanes=extremes rows=4 vectors=2 reduce_unroll=1 reduce_block=0 row_block=0 pad=peel "
                  "unroll_window=false") == 0xafffb6c0d7c4b009u);
}

TEST_CASE("the default is legal, lies along the terms where x does, and steps down where an exact order is asked for")
{
    tune::xoshiro256 bits(5);
    for (int i = 0; i < 200; ++i) {
        const drawn_reduction r = drawn(bits);
        CAPTURE(r.text);
        for (const isa set : sets)
            for (const error_class worst : {error_class::exact_order, error_class::reassociated}) {
                const auto c = tune::cpu_space(r.d, set, worst).standard();
                CHECK(c.is<reduce>());
                CHECK(class_of(c) <= worst);
                CHECK(check(lower(schedule_for(r.d, c, set)), cpu_target(set)).ok());
            }
    }
    constexpr rows_shape s{.rows = 40, .n = 100};
    CHECK(default_reduce(reductions::definition_of(s), isa::avx2).lanes == spread::extremes);
    constexpr rows_shape sum{.rows = 40, .n = 100, .how = fold::sum};
    CHECK(default_reduce(reductions::definition_of(sum), isa::avx2).lanes == spread::sums);
    CHECK(default_reduce(reductions::definition_of(sum), isa::avx2, 1).lanes == spread::none);
    CHECK(default_reduce(reductions::definition_of(sum), isa::avx2, 2).lanes == spread::outputs);
    constexpr pool_shape image{.h = 9, .w = 11, .c = 40, .how = fold::mean};
    CHECK(default_reduce(reductions::definition_of(global(image)), isa::avx2).lanes == spread::outputs);
}

namespace {
constexpr rows_shape summed{.rows = 6, .n = 50, .how = fold::sum};
struct strict_sum : rows<summed> {
    static constexpr signature_text signature() { return rows<summed>::signature().word(exact::name); }
};
} // namespace

TEST_CASE("a workload that demands exact sums is given a chain for each")
{
    CHECK(class_of(kernel<rows<summed>>::config) == error_class::reassociated);
    CHECK(class_of(kernel<strict_sum>::config) == error_class::exact_order);
}

TEST_CASE("it computes what reduces and has no weights; the others keep their template")
{
    using shape = gemm_shape;
    CHECK_FALSE(reduce::applies(gemm<shape{.m = 9, .n = 20, .k = 5}, f32>::definition()));
    CHECK(reduce::applies(reductions::definition_of(pool_shape{.h = 4, .w = 4, .c = 4, .kh = 2, .kw = 2})));
    CHECK(direct::applies(reductions::definition_of(pool_shape{.h = 4, .w = 4, .c = 4, .kh = 2, .kw = 2})));
    definition copies = reductions::definition_of(rows_shape{.rows = 9, .n = 1});
    copies.stages[0].reduce = reduction::none;
    copies.stages[0].axes[1].reduction = false;
    CHECK_FALSE(reduce::applies(copies));
    CHECK(
        default_config<cpu_templates>(gemm<shape{.m = 9, .n = 20, .k = 5}, f32>::definition(), isa::avx2).is<direct>());
}

TEST_CASE("lanes along a reduction must accumulate apart, and inside one tile")
{
    const definition d = reductions::definition_of(rows_shape{.rows = 4, .n = 64});
    const auto found = [&](auto&& levels) {
        schedule s{.definition = d, .vector_length = 8, .set = isa::avx2};
        stage_plan p;
        levels(p);
        s.plans.push_back(p);
        return lower(s).found.what;
    };
    CHECK(found([](stage_plan& p) {
              p.add(0, 1).open_tile().add(1, 8).accumulate_apart().add(1, 1, binding::vectorize);
          }) == fault::none);
    CHECK(found([](stage_plan& p) { p.add(0, 1).open_tile().add(1, 8).add(1, 1, binding::vectorize); }) ==
          fault::reduction_not_apart);
    CHECK(found([](stage_plan& p) {
              p.add(0, 1).open_tile().accumulate_apart().add(1, 8).add(1, 1, binding::vectorize);
          }) == fault::reduction_not_apart);
    CHECK(found([](stage_plan& p) {
              p.add(1, 16).add(0, 1).open_tile().add(1, 8).accumulate_apart().add(1, 1, binding::vectorize);
          }) == fault::reduction_not_apart);
}
