// SPDX-License-Identifier: BSL-1.0
// Compiled products of two activations: either order of both factors, odd sizes, views, and what each call gives; on
// one thread and on two, into poisoned outputs and workspaces whose surroundings are watched.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "kernel_trial.hpp"
#include "matmuls.hpp"

using namespace hone;
using namespace hone::codegen;
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
        trial_by_default<any_keys, residual>(),
        trial_of_panels<any_keys, panel_knobs{.rows = 2, .vectors = 4, .reduce_unroll = 2, .right = sums}, bias>(),
        trial_by_default<any_values, bias>(),
        trial_of_panels<any_values, panel_knobs{.rows = 4, .vectors = 1, .reduce_unroll = 2, .right = packed}>(),
        trial_by_default<any_product, bias, relu>(),
        trial_by_default<any_turned>(),
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
            const gemm_call c = call_of(t.shape, m, m % 4, m * 5 % 17);
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

TEST_CASE("NaN and infinity reach the results that they belong to, and no others")
{
    using namespace factors;
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    for (const product_trial& t : {trial_by_default<keys>(), trial_by_default<factors::dense>(),
                                   trial_by_default<row_of_keys>(), trial_by_default<row>()}) {
        const gemm_call c = call_of(t.shape, t.shape.m.value);
        call_data d = data_of(t.shape, c, 9);
        d.x[2] = nan;
        d.weights.back() = nan;
        d.weights[d.weights.size() / 2] = infinity;
        d.weights[1] = -infinity;
        const doubles expected = reference(t.shape, c, d, t.epilogue);
        floats y = d.y;
        std::vector<std::byte> workspace(t.kernel.workspace_bytes(1));
        const float* const right[] = {d.weights.data()};
        serial_executor serial;
        CHECK(t.kernel
                  .run(reference_to(serial),
                       {.x = d.x.data(), .operands = right, .y = y.data(), .workspace = workspace.data()})
                  .ok());
        CHECK(difference_of(y, expected) == "");
    }
}

TEST_CASE("a call of a product that lacks a factor, or has no rows")
{
    const product_trial t = trial_by_default<factors::open, bias, relu>();
    const gemm_call c = call_of(t.shape, 5);
    call_data d = data_of(t.shape, c, 3);
    std::vector<std::int64_t> parameters = parameters_of(t.shape, c);
    const float* const none[] = {nullptr};
    std::vector<std::byte> workspace(t.kernel.workspace_bytes(1));
    serial_executor serial;
    arguments call{.x = d.x.data(),
                   .bias = d.bias.data(),
                   .operands = none,
                   .y = d.y.data(),
                   .workspace = workspace.data(),
                   .parameters = parameters.data()};
    status found = t.kernel.run(reference_to(serial), call);
    CHECK(found.what == fault::tensor_missing);
    CHECK(std::string(found.subject) == "right");
    parameters[2] = t.shape.n.value - 1;
    found = t.kernel.run(reference_to(serial), call);
    CHECK(found.what == fault::parameter_out_of_range);
    CHECK(std::string(found.subject) == "ldr");
    parameters[0] = 0;
    CHECK(t.kernel.run(reference_to(serial), call).ok());
    for (const float y : d.y) CHECK(is_poison(y));
}
