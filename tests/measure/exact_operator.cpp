// SPDX-License-Identifier: BSL-1.0
// The exact results of operators of several stages: what plain loops give; right kernels are right by their bounds,
// with special values, too, and kernels that are a little wrong are not.
#include <hone/measure/exact_operator.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/measure/problem.hpp>
#include <hone/schedule/staged_templates.hpp>
#include <hone/tune/cpu/variant.hpp>

#include "row_wise.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;
using tune::arithmetic;

namespace {

std::vector<float> results_of(const schedule& s, const tune::problem& p, const tune::problem_draw& draw)
{
    std::vector<float> y(p.outputs, tune::poison());
    std::vector<tune::problem_operand> operands = draw.operands;
    std::vector<argument> arguments;
    for (auto& o : operands) arguments.push_back({o.values.data(), static_cast<std::int64_t>(o.values.size())});
    arguments.push_back({y.data(), static_cast<std::int64_t>(y.size())});
    REQUIRE(interpret(lower(s), arguments).ok());
    return y;
}
schedule by_default(const definition& d)
{
    return schedule_for(d, default_config<staged_templates>(d, isa::avx2), isa::avx2);
}
tune::problem problem_of(const definition& d)
{
    return tune::problem_of(d, 5, {arithmetic::direct, arithmetic::device});
}

// What a kernel would give that computes another definition of the same operands.
std::string judged_as_another(const definition& d, const definition& other)
{
    const tune::problem p = problem_of(d);
    return tune::judge(p, p.signs(), arithmetic::direct, results_of(by_default(other), p, p.signs()).data()).wrong;
}

constexpr row_shape softmax_case{.rows = 13, .n = 75};
constexpr norm_shape norm_case{.rows = 13, .n = 75};

} // namespace

TEST_CASE("the exact results of softmax, its logarithm and normalisations are those of plain loops")
{
    const auto compare = [](const definition& d, const rows_data& given, const doubles& expected) {
        std::vector<floats> tensors(d.tensors.size());
        tensors[0] = given.x;
        std::size_t next = 0;
        for (std::size_t t = 0; t < tensors.size(); ++t)
            if (d.tensors[t].role == role::operand) tensors[t] = given.operands[next++];
        const tune::exact_results r =
            tune::exact_operator(d, tensors, tune::share_judged::part).run({arithmetic::direct, arithmetic::device});
        REQUIRE(r.places.size() == expected.size());
        CHECK(r.finite == expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(r.expected[i] == doctest::Approx(expected[r.places[i]]).epsilon(1e-6));
            for (const auto& bounds : r.bounds) CHECK(bounds[i] <= 1e-4 * std::fabs(expected[r.places[i]]) + 1e-5);
        }
    };
    compare(softmax_definition<>(softmax_case, dtype::f32), data_of(softmax_case, 1),
            reference(softmax_case, data_of(softmax_case, 1)));
    compare(softmax_definition<>(softmax_case, dtype::f32, softmax_scale::logarithmic), data_of(softmax_case, 3),
            reference(softmax_case, data_of(softmax_case, 3), softmax_scale::logarithmic));
    for (const norm how : {norm::layer, norm::rms})
        compare(norm_definition<with_gamma, with_beta>(norm_case, how, dtype::f32), data_of(norm_case, 2),
                reference(norm_case, how, data_of(norm_case, 2)));
}

TEST_CASE("default and naive kernels of several stages are right by their bounds, of special values, too")
{
    for (const definition& d : {softmax_definition<>(softmax_case, dtype::f32),
                                softmax_definition<multiply<per::channel>, relu>(softmax_case, dtype::f32),
                                softmax_definition<>(softmax_case, dtype::f32, softmax_scale::logarithmic),
                                norm_definition<with_gamma, with_beta>(norm_case, norm::layer, dtype::f32),
                                norm_definition<with_gamma>(norm_case, norm::rms, dtype::f32)}) {
        const tune::problem p = problem_of(d);
        CAPTURE(d.stages.back().name);
        for (const tune::problem_draw& draw : p.draws) {
            CAPTURE(draw.name);
            for (const schedule& s : {by_default(d), tune::naive_schedule(d, isa::baseline)})
                for (const arithmetic a : p.arithmetics)
                    CHECK(tune::judge(p, draw, a, results_of(s, p, draw).data()).wrong == "");
        }
        // A part of 10^-3 is wrong, and so is a row that is left out.
        auto y = results_of(by_default(d), p, p.signs());
        for (float& v : y) v *= 1.001f;
        CHECK(tune::judge(p, p.signs(), arithmetic::direct, y.data()).wrong != "");
        y = results_of(by_default(d), p, p.signs());
        y[80] = tune::poison();
        CHECK(tune::judge(p, p.signs(), arithmetic::direct, y.data()).wrong.find("is not written") !=
              std::string::npos);
    }
}

TEST_CASE("what is near another operator of rows is not taken for it")
{
    const definition layer = norm_definition<>(norm_case, norm::layer, dtype::f32);
    norm_shape other = norm_case;
    other.epsilon = 1e-3;
    CHECK(judged_as_another(layer, layer) == "");
    CHECK(judged_as_another(layer, norm_definition<>(norm_case, norm::rms, dtype::f32)) != "");
    CHECK(judged_as_another(layer, norm_definition<>(other, norm::layer, dtype::f32)) != "");
    const definition logarithm = softmax_definition<>(softmax_case, dtype::f32, softmax_scale::logarithmic);
    CHECK(judged_as_another(logarithm, softmax_definition<>(softmax_case, dtype::f32)) != "");
}
