// SPDX-License-Identifier: BSL-1.0
// Stages that are attached at one point, one behind the other: where one reads memory of the workgroup that another has
// filled, all lanes meet before it does, and nowhere else.
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::schedules;

namespace {

// a[i] = x[i]; b[i] = from[3 - i], where `from` is a or x; y[i] = a[3 - i] + b[3 - i]: four lanes, each of which reads
// what another has written.
schedule three_stages(bool reads_a)
{
    schedule s;
    s.set = isa::none;
    definition& d = s.definition;
    const auto line = [&](const char* name, role part, memory where) {
        tensor t{.name = name, .role = part, .memory = where};
        t.dims.push_back({.extent = 4});
        return static_cast<std::int8_t>(d.tensors.push_back(t));
    };
    const std::int8_t x = line("x", role::input, memory::argument), a = line("a", role::none, memory::workgroup);
    const std::int8_t b = line("b", role::none, memory::workgroup), y = line("y", role::output, memory::argument);
    const auto at = [](std::int8_t tensor, const dim_index& index) {
        operand o{.tensor = tensor};
        o.index.push_back(index);
        return o;
    };
    const auto add = [&](const char* name, std::int8_t to, std::initializer_list<operand> read, const expr& body) {
        stage g{.name = name};
        g.axes.push_back({"i", 4});
        for (const operand& o : read) g.operands.push_back(o);
        g.output = at(to, along(0));
        g.body = body;
        stage_plan p;
        p.add(0, 1, binding::lane);
        if (to != y) {
            p.attach = {2, 0};
            p.base.push_back({});
        }
        d.stages.push_back(g);
        s.plans.push_back(p);
    };
    add("a", a, {at(x, along(0))}, ex::load(0));
    add("b", b, {at(reads_a ? a : x, along(0, -1, 3))}, ex::load(0));
    add("y", y, {at(a, along(0, -1, 3)), at(b, along(0, -1, 3))}, ex::load(0) + ex::load(1));
    return s;
}
int barriers_of(const nest& n)
{
    int count = 0;
    for (const node& x : n.nodes) count += x.kind == node_kind::barrier ? 1 : 0;
    return count;
}

} // namespace

TEST_CASE("lanes meet before a stage that reads what an earlier one at the same point has filled, and behind all")
{
    for (const bool reads_a : {false, true}) {
        const nest n = lower(three_stages(reads_a));
        INFO(print(n));
        REQUIRE(check(n, vulkan_target({})).ok());
        CHECK(barriers_of(n) == (reads_a ? 2 : 1));
        std::vector<float> x{1, 2, 3, 4}, y(4);
        const argument call[] = {{x.data(), 4}, {y.data(), 4}};
        CHECK(std::string(interpret(n, call).message()) == message_of(fault::none));
        for (std::size_t i = 0; i < 4; ++i) CHECK(y[i] == x[3 - i] + x[i]);
    }
}
