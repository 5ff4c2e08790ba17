// SPDX-License-Identifier: BSL-1.0
// Limits of loops: that they run over each live iteration and no other, and stand once in the tables.
#include <hone/lower/bounds.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

stage_plan clipped_plan(std::int64_t step, tail end)
{
    stage_plan p;
    p.add(axis_i, step, binding::parallel, end).add(axis_i, 1).open_tile();
    p.add(axis_t, 1, binding::serial, tail::exact, border::clip);
    return p;
}

// Each (i, t) whose product is added, in the order in which the nest runs.
class products_of {
public:
    explicit products_of(const nest& n) : n_{n}, variables_(n.variables.size()) { walk(n.root); }
    std::vector<std::pair<std::int64_t, std::int64_t>> points{};

private:
    void walk(int at)
    {
        for (; at >= 0; at = n_.nodes[static_cast<std::size_t>(at)].next) {
            const node& here = n_.nodes[static_cast<std::size_t>(at)];
            if (here.kind == node_kind::leaf) {
                const statement& s = n_.statements[static_cast<std::size_t>(here.statement)];
                if (s.reduce != reduction::none) add(s);
            } else if (here.kind == node_kind::loop) {
                const std::int64_t last = upper_of(n_, here, variables_.data(), nullptr);
                for (std::int64_t i = lower_of(n_, here, variables_.data(), nullptr); i < last; ++i) {
                    variables_[static_cast<std::size_t>(here.variable)] = i;
                    walk(here.child);
                }
            } else {
                CHECK(here.kind != node_kind::guard); // bounds have left nothing to test
                walk(here.child);
            }
        }
    }
    void add(const statement& s)
    {
        std::int64_t at[2]{};
        int count = 0;
        for_each_load(n_, s.value, [&](int load) {
            at[count++] = value_of(n_, n_.accesses[static_cast<std::size_t>(load)].index, variables_.data(), nullptr);
        });
        points.emplace_back(at[0] + 1 - at[1], at[1]);
    }

    const nest& n_;
    std::vector<std::int64_t> variables_;
};

std::string text_of(const affine& a, const nest& n)
{
    std::string text = std::to_string(a.constant);
    for (int i = a.first; i < a.first + a.count; ++i) {
        const affine_term& t = n.terms[static_cast<std::size_t>(i)];
        text += " + " + std::to_string(t.coefficient) + " v" + std::to_string(t.variable);
    }
    return text;
}

} // namespace

TEST_CASE("the worked example is what is lowered")
{
    const std::string text = print(lower(planned(three_taps(), clipped_plan(4, tail::bound))));
    const std::string nodes = text.substr(text.find("parallel"));
    CHECK(examples_in("lower/bounds.hpp").find(nodes) != std::string::npos);
}

TEST_CASE("whatever the step, each tap that is in x is met once, in order, and no other")
{
    std::vector<std::pair<std::int64_t, std::int64_t>> live;
    for (std::int64_t i = 0; i < 10; ++i)
        for (std::int64_t t = 0; t < 3; ++t)
            if (i + t >= 1 && i + t < 11) live.emplace_back(i, t);
    for (std::int64_t step = 1; step <= 12; ++step)
        for (const tail end : {tail::bound, tail::peel}) {
            CAPTURE(step);
            const nest n = lower(planned(three_taps(), clipped_plan(step, end)));
            REQUIRE(n.ok());
            CHECK(products_of(n).points == live);
        }
}

TEST_CASE("limits that stand in several loops are kept once")
{
    stage_plan p;
    p.add(axis_i, 4, binding::parallel, tail::peel).open_tile();
    p.add(axis_t, 1).add(axis_i, 1, binding::unroll);
    const nest n = lower(planned(three_taps(), p));
    std::vector<std::string> seen;
    for (const bound& b : n.bounds) seen.push_back(text_of(b.value, n) + " / " + std::to_string(b.divisor));
    const std::vector<std::string> all = seen;
    for (const std::string& text : all) CHECK(std::count(all.begin(), all.end(), text) == 1);
    int loops = 0;
    for (const node& x : n.nodes) loops += x.kind == node_kind::loop;
    CHECK(2 * loops > static_cast<int>(n.bounds.size()));
}

TEST_CASE("conditions that stand in several guards are kept once")
{
    stage_plan p;
    p.add(axis_i, 4, binding::parallel, tail::guard).open_tile();
    p.add(axis_t, 1, binding::unroll).add(axis_i, 1, binding::unroll);
    const nest n = lower(planned(three_taps(), p));
    std::vector<std::string> seen;
    for (const affine& c : n.conditions) seen.push_back(text_of(c, n));
    // i below its end stands under the store by itself, and with the two borders of x under the sum.
    CHECK(seen.size() == 3);
    int guards = 0;
    for (const node& x : n.nodes) guards += x.kind == node_kind::guard;
    CHECK(guards == 2);
}

// Loops over lanes are digits of one number: 3 * 4 lanes for 12 outputs.
TEST_CASE("loops of one binding are digits, each as heavy as those inside it are many")
{
    definition d = three_taps();
    for (const int t : {0, 2}) d.tensors[static_cast<std::size_t>(t)].dims[0].extent = 24;
    d.stages[0].axes[axis_i].extent = 24;
    stage_plan p;
    p.add(axis_i, 12, binding::grid).add(axis_i, 4, binding::lane).add(axis_i, 1, binding::lane).open_tile();
    p.add(axis_t, 1);
    schedule s = planned(d, p);
    s.set = isa::none;
    const std::string text = print(lower(s));
    CHECK(text.find("grid i.0 in [0, 2) from group\n") != std::string::npos);
    CHECK(text.find("lane i.1 in [0, 3) from lane / 4\n") != std::string::npos);
    CHECK(text.find("lane i.2 in [0, 4) from lane % extent\n") != std::string::npos);
    CHECK(text.find("lanes 12\n") != std::string::npos);
}
