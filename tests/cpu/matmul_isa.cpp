// SPDX-License-Identifier: BSL-1.0
// Compiled products of two activations: either order of both factors, odd sizes, views, and what each call gives; on
// one thread and on two, into poisoned outputs and workspaces whose surroundings are watched.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "kernel_trial.hpp"
#include "matmuls.hpp"

using namespace hone;
using namespace hone::test;

namespace {

template <class Op, panel_knobs Knobs>
struct by_panels {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr signature_text signature = Op::signature();
    static constexpr cpu_entry entries[1] = {
        {.signature = signature.c_str(), .set = compiled_isa(), .config = config_text<panels, Knobs>}};
};

struct product_trial {
    entry kernel;
    matmul_shape shape;
    steps epilogue;
};
template <matmul_shape S, class... E>
product_trial trial_by_default()
{
    return {entry_of<kernel<matmul<S, f32, E...>>>(), S, {step_of<E>()...}};
}
template <matmul_shape S, panel_knobs Knobs, class... E>
product_trial trial_of_panels()
{
    using op = matmul<S, f32, E...>;
    return {entry_of<kernel<op, by_panels<op, Knobs>>>(), S, {step_of<E>()...}};
}

std::vector<product_trial> trials()
{
    using namespace factors;
    constexpr reading packed = reading::packed, in_place = reading::in_place, sums = reading::sums;
    return {
        trial_by_default<factors::dense, bias, relu>(),
        trial_of_panels<factors::dense, panel_knobs{.rows = 4, .vectors = 1, .right = packed}, residual>(),
        trial_by_default<keys, residual>(),
        trial_of_panels<keys, panel_knobs{.rows = 4, .vectors = 3, .reduce_unroll = 2}, relu6>(),
        trial_of_panels<keys, panel_knobs{.rows = 2, .vectors = 4, .reduce_unroll = 2, .right = sums}, bias>(),
        trial_by_default<turned, relu6>(),
        trial_of_panels<row, panel_knobs{.vectors = 2, .right = in_place}, bias>(),
        trial_by_default<row_of_keys, bias, residual>(),
        trial_by_default<dot>(),
        trial_by_default<column, residual>(),
        trial_by_default<outer>(),
        trial_of_panels<long_sums, panel_knobs{.rows = 3, .vectors = 2, .reduce_block = 64}, bias>(),
        trial_by_default<views, bias, residual, relu>(),
        trial_of_panels<far_keys, panel_knobs{.rows = 3, .vectors = 1, .row_block = 3}>(),
        trial_by_default<open, bias, relu>(),
        trial_of_panels<open_keys, panel_knobs{.rows = 4, .vectors = 1}, residual>(),
        trial_of_panels<open_rows, panel_knobs{.rows = 4, .vectors = 2, .row_block = 8}>(),
    };
}

// Runs a kernel twice, each time with a poisoned workspace; empty where all is as it should be.
std::string wrong_run(const product_trial& t, const executor_ref& executor, const call_data& d, const doubles& expected,
                      const std::int64_t* parameters)
{
    const float* const right[] = {d.weights.data()};
    for (int call = 0; call < 2; ++call) {
        guarded y(d.y.size() * sizeof(float));
        guarded workspace(t.kernel.workspace_bytes(executor.slots()));
        const call_data given = d;
        const status found = t.kernel.run(executor, {.x = d.x.data(),
                                                     .bias = d.bias.data(),
                                                     .residual = d.residual.data(),
                                                     .operands = right,
                                                     .y = y.data(),
                                                     .workspace = workspace.data(),
                                                     .parameters = parameters});
        if (!found.ok()) return std::string{found.message()} + ", " + found.subject;
        if (!y.is_intact()) return "run() writes beside y";
        if (!workspace.is_intact()) return "run() writes beside the workspace";
        if (d.x != given.x || d.weights != given.weights || d.bias != given.bias || d.residual != given.residual)
            return "run() writes to an input";
        if (std::string wrong = difference(y.values(), expected); !wrong.empty()) return wrong;
    }
    return {};
}

} // namespace

TEST_CASE("products of two activations, compiled")
{
    serial_executor serial;
    eager_pool pool(2);
    std::uint64_t seed = 300;
    for (const product_trial& t : trials()) {
        CHECK(t.kernel.packed_bytes == 0);
        ++seed;
        for (std::int64_t m = t.shape.m.at_call ? 1 : t.shape.m.value; m <= t.shape.m.value; ++m) {
            const gemm_call c = call_of(t.shape, m, m % 4);
            const call_data d = data_of(t.shape, c, seed);
            const doubles expected = reference(t.shape, c, d, t.epilogue);
            const std::vector<std::int64_t> parameters = parameters_of(t.shape, c);
            CAPTURE(seed);
            CAPTURE(m);
            CAPTURE(t.kernel.signature);
            CHECK(wrong_run(t, reference_to(serial), d, expected, parameters.data()) == "");
            CHECK(wrong_run(t, reference_to(pool), d, expected, parameters.data()) == "");
        }
    }
}
