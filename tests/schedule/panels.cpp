// SPDX-License-Identifier: BSL-1.0
// The panels template for CPUs: its nests, of whatever knobs, compute what plain loops do, however the factors lie;
// what it chooses when nothing is tuned; and that products with weights are none of its business.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/panels.hpp>

#include "matmuls.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

// Empty where a nest computes what it should, with every m.
std::string wrong(const nest& n, const product_case& c)
{
    for (std::int64_t m = c.shape.m.at_call ? 1 : c.shape.m.value; m <= c.shape.m.value; ++m) {
        const gemm_call call = call_of(c.shape, m, m % 3, m * 5 % 17);
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
    for (int i = 0; i < 1000; ++i) {
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

namespace {

template <matmul_shape S, class... E>
panel_knobs default_of()
{
    return kernel<matmul<S, f32, E...>>::config.template knobs<panels>();
}

} // namespace

TEST_CASE("many rows read a copy of the right factor, and few read it where it lies")
{
    constexpr matmul_shape scores{.batch = 12, .m = 128, .n = 128, .k = 64, .right = transposed::yes},
        context{.batch = 12, .m = 384, .n = 256, .k = 384}, small_context{.batch = 12, .m = 128, .n = 64, .k = 128},
        next_scores{.n = 1024, .k = 128, .right = transposed::yes}, next_context{.n = 128, .k = 1024};
    for (const isa set : sets) {
        CHECK(default_panels(checked(matmul<scores, f32>::definition()), set).right == reading::packed);
        CHECK(default_panels(checked(matmul<context, f32>::definition()), set).right == reading::packed);
        CHECK(default_panels(checked(matmul<small_context, f32>::definition()), set).right == reading::in_place);
        CHECK(default_panels(checked(matmul<next_scores, f32>::definition()), set).right == reading::sums);
        CHECK(default_panels(checked(matmul<next_context, f32>::definition()), set).right == reading::in_place);
    }
    // A block of all columns is as it would be in a panel.
    constexpr matmul_shape narrow{.batch = 16, .m = 384, .n = 64, .k = 384};
    const panel_knobs all = default_panels(checked(matmul<narrow, f32>::definition()), isa::avx512);
    CHECK(all.vectors == 4);
    CHECK(all.rows == 6);
    CHECK(all.right == reading::in_place);
    CHECK(default_of<next_scores>().right == reading::sums);
    // Sums over lanes take the terms in another order.
    CHECK(default_of<next_scores, exact>().right == reading::packed);
    CHECK(class_of(panel_knobs{.right = reading::sums}) == error_class::reassociated);
    CHECK(class_of(panel_knobs{.reduce_block = 64}) == error_class::reassociated);
    CHECK(class_of(panel_knobs{.right = reading::in_place}) == error_class::exact_order);
}

TEST_CASE("what the order of a factor, or the call, does not allow is copied")
{
    const auto fitted_to = [](const definition& d, reading right) {
        return fitted_panels(d, {.right = right}, isa::avx2).right;
    };
    using namespace factors;
    const definition by_rows = checked(matmul<factors::dense, f32>::definition()),
                     by_columns = checked(matmul<keys, f32>::definition()),
                     both = checked(matmul<turned, f32>::definition()),
                     at_call = checked(matmul<open_keys, f32>::definition());
    CHECK(fitted_to(by_rows, reading::in_place) == reading::in_place);
    CHECK(fitted_to(by_rows, reading::sums) == reading::packed);
    CHECK(fitted_to(by_columns, reading::in_place) == reading::packed);
    CHECK(fitted_to(by_columns, reading::sums) == reading::sums);
    CHECK(fitted_to(both, reading::sums) == reading::packed);
    CHECK(fitted_to(at_call, reading::sums) == reading::sums);
    // Sums that wait in y would overwrite what the epilogue reads in its place.
    constexpr matmul_shape s{.m = 8, .n = 8, .k = 128};
    CHECK(fitted_panels(checked(matmul<s, f32>::definition()), {.reduce_block = 64}, isa::avx2).reduce_block == 64);
    CHECK(
        fitted_panels(checked(matmul<s, f32, residual>::definition()), {.reduce_block = 64}, isa::avx2).reduce_block ==
        0);
    CHECK(fitted_panels(checked(matmul<s, f32>::definition()), {.reduce_block = 48}, isa::avx2).reduce_block == 0);
}

TEST_CASE("the panel of one block is all that a worker holds")
{
    constexpr matmul_shape s{.batch = 12, .m = 128, .n = 130, .k = 64, .right = transposed::yes};
    const nest n = lower(panels_schedule(checked(matmul<s, f32>::definition()), {.rows = 8, .vectors = 2}, isa::avx2));
    int panels_of_nest = 0;
    for (const buffer& b : n.buffers)
        if (b.memory == memory::slot) {
            ++panels_of_nest;
            CHECK(b.elements.constant == 64 * 16);
        }
    CHECK(panels_of_nest == 1);
}

TEST_CASE("a product is one of two inputs, in either order, and nothing else")
{
    definition d = checked(matmul<factors::keys, f32>::definition());
    CHECK(panels::applies(d));
    CHECK_FALSE(direct::applies(d));
    CHECK_FALSE(reduce::applies(d));
    CHECK_FALSE(winograd::applies(d));
    CHECK_FALSE(panels::applies(checked(gemm<gemm_shape{.m = 8, .n = 7, .k = 5}, f32>::definition())));

    const product_roles r = product_roles_of(d);
    CHECK(r.m == matmul<factors::keys, f32>::m);
    CHECK(r.n == matmul<factors::keys, f32>::n);
    CHECK(r.k == matmul<factors::keys, f32>::k);
    CHECK(r.x == 0);
    CHECK(r.right == 1);
    d.stages[0].body = ex::load(1) * ex::load(0);
    CHECK(product_roles_of(d).x == 0);
    CHECK(product_roles_of(d).right == 1);
    definition maxima = d;
    maxima.stages[0].reduce = reduction::max;
    CHECK_FALSE(panels::applies(maxima));
    definition square = d;
    square.stages[0].body = ex::load(0) * ex::load(0);
    CHECK_FALSE(panels::applies(square));
    definition sum = d;
    sum.stages[0].body = ex::load(0) + ex::load(1);
    CHECK_FALSE(panels::applies(sum));
}
