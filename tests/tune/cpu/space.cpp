// SPDX-License-Identifier: BSL-1.0
// The kernels of the CPU in a space: what keeps a config from being one, its packing included.
#include <hone/tune/cpu/space.hpp>

#include <memory>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/hash.hpp>
#include <hone/op/gemm.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::schedules;

namespace {

struct spaced : gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32> {};
struct spaced_narrow : spaced {
    using cpu_templates = template_list<test::narrow>;
};

} // namespace

TEST_CASE("a config is lowered to its nest, or its fault is named, and one that failed leaves the next alone")
{
    const definition d = spaced::definition();
    tune::cpu_lowering<cpu_templates> lowering;
    const auto n = std::make_unique<nest>();
    const auto found = [&](const direct_knobs& k) { return lowering.lower_into(*n, d, cpu_config(k), isa::avx2); };
    const direct_knobs standard = default_direct(d, isa::avx2);
    CHECK(found(standard).ok());
    CHECK(nest_hash(*n) == nest_hash(lower(schedule_for(d, cpu_config(standard), isa::avx2))));
    CHECK(found({.rows = 9, .vectors = 3}).what == fault::too_many_live_registers); // 27 of 16 registers
    CHECK(found({.rows = 0}).what == fault::knob_value);
    CHECK(found(standard).ok());
}

TEST_CASE("a space is of hone's templates, or of the rows that a workload has instead")
{
    const definition d = spaced::definition();
    const auto of_hone = tune::cpu_space_of(d, isa::avx2, error_class::reassociated, nullptr);
    CHECK(of_hone->size() == tune::cpu_space(d, isa::avx2, error_class::reassociated).size());
    CHECK(of_hone->standard().name == "direct");
    const auto rows = tune::completed<cpu_family>(tune::own_rows<cpu_family, spaced_narrow>());
    const auto own = tune::cpu_space_of(d, isa::avx2, error_class::reassociated, rows);
    CHECK(own->size() == test::narrow_knob_table[0].values.size());
    CHECK(own->standard().name == "narrow");
    CHECK(own->wrong_config("direct", {}).has_value());
}
