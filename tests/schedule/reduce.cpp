// SPDX-License-Identifier: BSL-1.0
// The reduce template for CPUs: its nests, of whatever knobs, compute what plain loops do, lanes along the reduction
// and all; what it chooses when nothing is tuned; and that operators with weights are none of its business.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/ir/bounds_proof.hpp>
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
    int along = 0, legal = 0;
    for (int i = 0; i < 400; ++i) {
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
        if (!check(n, cpu_target(set)).ok()) continue;
        ++legal;
        along += k.lanes == spread::outputs ? 0 : 1;
        CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
        CHECK(r.wrong(n) == "");
    }
    CHECK(legal > 250);
    CHECK(along > 60);
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
