// SPDX-License-Identifier: BSL-1.0
// Programs of a space mean what their operator means: random points of each template and backend, packed, run by the
// interpreter and compared with exact results. It sees races between lanes and reads of what was not written, too.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/measure/problem.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/record/settings.hpp>
#include <hone/tune/cpu/arithmetic.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/vulkan/space.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

using floats = std::vector<float>;

argument given(floats& f) { return {f.data(), static_cast<std::int64_t>(f.size())}; }

// What is wrong with the results for a draw; empty where they are right.
std::string fault_of(const tune::problem& problem, const tune::problem_draw& draw, tune::arithmetic a,
                     const schedule& packing, const schedule& compute)
{
    floats weights = *draw.values_at(1);
    floats packed(static_cast<std::size_t>(packing.definition.tensors[1].elements()), tune::poison());
    const argument both[] = {given(weights), given(packed)};
    if (const status s = interpret(lower(packing), both); !s.ok()) return std::string("packing: ") + s.message();

    const nest n = lower(compute);
    std::vector<floats> tensors;
    int output = -1;
    for (const buffer& b : n.buffers) {
        if (b.memory != memory::argument) continue;
        if (static_cast<std::size_t>(b.position) >= tensors.size())
            tensors.resize(static_cast<std::size_t>(b.position) + 1);
        floats& values = tensors[static_cast<std::size_t>(b.position)];
        if (b.role == role::weights) {
            values = packed;
        } else if (b.role == role::output) {
            values.assign(problem.outputs, tune::poison());
            output = b.position;
        } else {
            values = *draw.values_at(b.position);
        }
    }
    if (output < 0) return "no output";
    std::vector<argument> arguments;
    for (floats& t : tensors) arguments.push_back(given(t));
    if (const status s = interpret(n, arguments); !s.ok()) return std::string(s.message()) + ": " + s.subject;
    return tune::judge(problem, draw, a, tensors[static_cast<std::size_t>(output)].data()).wrong;
}

tune::arithmetic arithmetic_of(const tune::cpu_space::config& c)
{
    if (c.is<direct>()) return tune::arithmetic::direct;
    return c.knobs<winograd>().tile == 2 ? tune::arithmetic::winograd_2 : tune::arithmetic::winograd_4;
}
tune::arithmetic arithmetic_of(const vulkan_config&) { return tune::arithmetic::device; }

// So many distinct programs of a space.
template <class Space>
void check_programs(const definition& d, const typename Space::target& target, std::size_t programs)
{
    const Space space(d, target);
    auto arithmetics = tune::cpu_arithmetics(d);
    arithmetics.push_back(tune::arithmetic::device);
    const tune::problem problem = tune::problem_of(d, 1, arithmetics);
    tune::xoshiro256 bits(2);
    std::set<std::uint64_t> seen;
    for (int draw = 0; draw < 20000 && seen.size() < programs; ++draw) {
        const auto p = space.random(bits);
        status why;
        const auto program = space.nest_of(p, why);
        if (!program || !seen.insert(*program).second) continue;
        const auto c = space.config_of(p);
        CAPTURE(tune::text_of(c));
        const tune::problem_draw& drawn = problem.draws[seen.size() % problem.draws.size()];
        CHECK(fault_of(problem, drawn, arithmetic_of(c), packing_for(d, c, target), schedule_for(d, c, target)) == "");
    }
    CHECK(seen.size() == programs);
}

template <class Op>
void check_all(std::size_t programs)
{
    for (isa set : {isa::baseline, isa::avx512}) {
        CAPTURE(name_of(set));
        check_programs<tune::cpu_space>(Op::definition(), set, programs);
    }
    check_programs<tune::vulkan_space>(Op::definition(), {.max_shared_bytes = 32768}, 2 * programs);
}

} // namespace

TEST_CASE("products, dividing and not")
{
    check_all<gemm<gemm_shape{.m = 23, .n = 37, .k = 29}, f32, bias>>(30);
    check_all<gemm<gemm_shape{.m = 32, .n = 48, .k = 32}, f32>>(30);
}

TEST_CASE("a 3x3 layer, which both templates compute, and one of stride 2")
{
    check_all<conv2d<conv2d_shape{.h = 9, .w = 11, .ic = 5, .oc = 19, .kh = 3, .kw = 3, .pad = 1}, f32, bias, relu>>(
        30);
    check_all<conv2d<conv2d_shape{.h = 11, .w = 17, .ic = 4, .oc = 12, .kh = 3, .kw = 3, .stride = 2, .pad = 1}, f32>>(
        30);
}

TEST_CASE("one channel at a time")
{
    check_all<conv2d<conv2d_shape{.h = 9, .w = 15, .ic = 20, .oc = 20, .kh = 3, .kw = 3, .pad = 1, .groups = 20}, f32>>(
        20);
}
