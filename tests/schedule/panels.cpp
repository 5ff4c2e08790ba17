// SPDX-License-Identifier: BSL-1.0
// The panels template for CPUs: its nests, of whatever knobs, compute what plain loops do, however the factors lie;
// what it chooses when nothing is tuned; and that products with weights are none of its business.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/bounds_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/panels.hpp>

#include "matmuls.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

// Empty where a nest computes what it should, with every m.
std::string wrong(const nest& n, const product_case& c)
{
    for (std::int64_t m = c.shape.m.at_call ? 1 : c.shape.m.value; m <= c.shape.m.value; ++m) {
        const gemm_call call = call_of(c.shape, m, m % 3);
        call_data d = data_of(c.shape, call, static_cast<std::uint64_t>(m));
        std::vector<argument> given;
        for (const buffer& b : n.buffers) {
            if (b.memory != memory::argument) continue;
            floats& of = b.role == role::input      ? (b.position == 0 ? d.x : d.weights)
                         : b.role == role::bias     ? d.bias
                         : b.role == role::residual ? d.residual
                                                    : d.y;
            given.resize(std::max(given.size(), static_cast<std::size_t>(b.position) + 1));
            given[static_cast<std::size_t>(b.position)] = {of.data(), static_cast<std::int64_t>(of.size())};
        }
        const doubles expected = reference(c.shape, call, d, c.epilogue);
        const status found = interpret(n, given, parameters_of(c.shape, call, true));
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        if (const std::string text = difference(d.y, expected); !text.empty()) return text;
    }
    return {};
}

} // namespace

TEST_CASE("nests of any knobs compute what plain loops do, and touch nothing else")
{
    random_numbers random{7};
    int legal = 0, of_each[3]{}, blocked = 0;
    const std::vector<product_case> all = product_cases();
    for (int i = 0; i < 900; ++i) {
        const product_case& c = all[static_cast<std::size_t>(i) % all.size()];
        const isa set = sets[random.between(0, 3)];
        panel_knobs k = default_panels(c.d, set, static_cast<int>(random.between(0, panels::default_steps - 1)));
        if (i % 4 != 0)
            for (const auto& own : knobs_of(k))
                own.set(k, own.values[static_cast<std::size_t>(
                               random.between(0, static_cast<std::int64_t>(own.values.size()) - 1))]);
        if (random.one_in(3)) k.reduce_block = random.one_in(2) ? 2 : 32;
        k = fitted_panels(c.d, k, set);
        CHECK(fitted_panels(c.d, k, set) == k);
        const nest n = lower(panels_schedule(c.d, k, set));
        CAPTURE(matmul_text(c.shape));
        CAPTURE(name_of(set));
        CAPTURE(static_cast<int>(k.right));
        CAPTURE(k.rows);
        CAPTURE(k.vectors);
        CAPTURE(k.reduce_unroll);
        CAPTURE(k.reduce_block);
        CAPTURE(k.row_block);
        const status found = check(n, cpu_target(set));
        if (found.what == fault::too_many_live_registers || found.what == fault::too_many_tile_bodies ||
            found.what == fault::capacity)
            continue;
        CHECK(std::string(found.message()) == message_of(fault::none));
        ++legal;
        ++of_each[static_cast<int>(k.right)];
        blocked += k.reduce_block > 0 ? 1 : 0;
        CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
        CHECK(wrong(n, c) == "");
    }
    CHECK(legal > 500);
    for (const int drawn : of_each) CHECK(drawn > 60);
    CHECK(blocked > 30);
}
