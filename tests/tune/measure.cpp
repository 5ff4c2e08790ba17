// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/tune/measure_cpu.hpp>
#include <hone/tune/problem.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using namespace std::chrono_literals;
using tune::verdict;

// The child of the tests below: this program, started again for this case alone.
TEST_CASE("measure in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

tune::child_command self()
{
    return {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip", "--test-case=measure in a child"};
}

std::vector<tune::measurement> measured(const std::vector<tune::variant_source>& sources,
                                        tune::timing_order order = tune::timing_order::each)
{
    const folder at;
    auto builder = tiny_builder(at);
    tune::measure_job job{.problem = at / "tiny.problem", .order = order, .deadline = 2s};
    tune::save(tune::problem_of(tiny::definition(), 1), job.problem);
    for (const auto& b : builder.build(sources)) {
        REQUIRE_MESSAGE(b.found == verdict::ok, b.detail);
        job.variants.push_back({b.library, b.index});
    }
    return tune::measure(job, self());
}

} // namespace

TEST_CASE("the exact results of a convolution: borders, stride, bias and relu by hand")
{
    using conv = conv2d<conv2d_shape{.h = 4, .w = 4, .ic = 2, .oc = 3, .kh = 3, .kw = 3, .stride = 2, .pad = 1}, f32,
                        bias, relu>;
    const auto p = tune::problem_of(conv::definition(), 3);
    const auto& x = *p.values_of(role::input);
    const auto& w = *p.values_of(role::weights);
    const auto& b = *p.values_of(role::bias);
    REQUIRE(p.expected.size() == 2 * 2 * 3);
    for (int oh = 0; oh < 2; ++oh)
        for (int ow = 0; ow < 2; ++ow)
            for (int oc = 0; oc < 3; ++oc) {
                double sum = 0;
                for (int kh = 0; kh < 3; ++kh)
                    for (int kw = 0; kw < 3; ++kw)
                        for (int ic = 0; ic < 2; ++ic) {
                            const int h = oh * 2 + kh - 1, v = ow * 2 + kw - 1;
                            if (h >= 0 && h < 4 && v >= 0 && v < 4)
                                sum += static_cast<double>(x[(h * 4 + v) * 2 + ic]) *
                                       static_cast<double>(w[((oc * 3 + kh) * 3 + kw) * 2 + ic]);
                        }
                CHECK(p.expected[(oh * 2 + ow) * 3 + oc] ==
                      doctest::Approx(std::fmax(sum + static_cast<double>(b[oc]), 0.0)));
            }
}

TEST_CASE("a problem is the same after it was written and read")
{
    const folder at;
    const auto p = tune::problem_of(tiny::definition(), 1);
    tune::save(p, at / "p");
    const auto q = tune::load_problem(at / "p");
    CHECK(p.expected == q.expected);
    CHECK(p.largest == q.largest);
    CHECK(*p.values_of(role::weights) == *q.values_of(role::weights));
    CHECK(*p.values_of(role::input) != *tune::problem_of(tiny::definition(), 2).values_of(role::input));
}

TEST_CASE("candidates that fail cost themselves only")
{
    struct {
        const char* what;
        tune::variant_source source;
        verdict found;
    } const cases[] = {
        {"right", right_kernel(), verdict::ok},
        {"hangs", right_kernel("for (;;) __asm__ volatile(\"\");"), verdict::run_timeout},
        {"crashes", right_kernel("__builtin_trap();"), verdict::crash},
        {"reads nowhere", right_kernel("(void)*reinterpret_cast<const volatile float*>(16);"), verdict::crash},
        {"ends its process", right_kernel("_exit(0);"), verdict::crash},
        {"right after failures", right_kernel(), verdict::ok},
        {"forks", right_kernel("fork();"), verdict::crash},
        {"forks and hangs", right_kernel("if (fork() == 0) for (;;) __asm__ volatile(\"\");"), verdict::crash},
        {"prints", right_kernel("puts(\"{\\\"variant\\\": 0, \\\"verdict\\\": \\\"crash\\\"}\");"), verdict::ok},
        {"writes nothing", right_kernel("return {};"), verdict::wrong_result},
        {"reports a fault", right_kernel("return {hone::fault::workspace_missing};"), verdict::wrong_result},
        {"writes before y", right_kernel("a.y[-1] = 0;"), verdict::wrong_result},
        {"writes behind y", right_kernel("a.y[5 * 24] = 0;"), verdict::wrong_result},
        {"writes to x", right_kernel("const_cast<float*>(a.x)[3] += 1;"), verdict::wrong_result},
        {"right at the end", right_kernel(), verdict::ok},
    };
    std::vector<tune::variant_source> sources;
    for (const auto& c : cases) sources.push_back(c.source);
    const auto results = measured(sources);
    REQUIRE(results.size() == std::size(cases));
    for (std::size_t i = 0; i < results.size(); ++i) {
        INFO(cases[i].what << ": " << tune::name_of(results[i].found) << ", " << results[i].detail);
        CHECK(results[i].found == cases[i].found);
        if (cases[i].found == verdict::ok) {
            CHECK(results[i].ms.size() >= 10);
            CHECK(results[i].least() > 0);
            CHECK(results[i].median() >= results[i].least());
            CHECK(results[i].max_rel_error < 1e-6);
        } else {
            CHECK_FALSE(results[i].detail.empty());
        }
    }
}

TEST_CASE("in rounds every variant has its samples, and one that fails is left out")
{
    const auto results =
        measured({right_kernel(), right_kernel("static int calls = 0; if (++calls > 200) __builtin_trap();"),
                  right_kernel("for (int i = 0; i < 100000; ++i) __asm__ volatile(\"\");")},
                 tune::timing_order::rounds);
    REQUIRE(results.size() == 3);
    CHECK(results[0].found == verdict::ok);
    CHECK(results[1].found == verdict::crash);
    CHECK(results[2].found == verdict::ok);
    CHECK(results[0].ms.size() == 10);
    CHECK(results[0].least() < results[2].least());
}
