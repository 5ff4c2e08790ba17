// SPDX-License-Identifier: BSL-1.0
// Leaves and the guards above them: in their order, and under the tests that are left.
#include <hone/lower/leaves.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

class opened_leaves : public lowering_leaves {
public:
    using lowering_leaves::append;
    using lowering_leaves::at_edge;
    using lowering_leaves::context;
    using lowering_leaves::emit_leaf;
    using lowering_leaves::leaf_kind;
    using lowering_leaves::variable_of;

    opened_leaves(const schedule& s, nest& n) : lowering_leaves(s, n)
    {
        for (int t = 0; t < tensors(); ++t) add_buffer(t);
        for (int st = 0; st < stages(); ++st) add_variables(st);
        for (int st = 0; st < stages(); ++st) prepare(st);
    }
};

// Levels: i.0, t.0, and in a tile i.1.
stage_plan suspended_plan()
{
    stage_plan p;
    p.add(axis_i, 5, binding::parallel).add(axis_t, 1).open_tile();
    p.add(axis_i, 1, binding::unroll);
    return p;
}

const node& at(const nest& n, int id) { return n.nodes[static_cast<std::size_t>(id)]; }

} // namespace

TEST_CASE("the worked example is what is lowered")
{
    const std::string text = print(lower(planned(three_taps(), suspended_plan())));
    const std::string nodes = text.substr(text.find("parallel"));
    CHECK(examples_in("lower/leaves.hpp").find(nodes) != std::string::npos);
}

TEST_CASE("children and roots stand in the order in which they are made")
{
    nest n;
    const schedule s = planned(three_taps(), suspended_plan());
    opened_leaves own(s, n);
    const int first = own.append(-1, {.kind = node_kind::tile});
    const int inner = own.append(first, {.kind = node_kind::barrier});
    const int second = own.append(-1, {.kind = node_kind::tile});
    const int last = own.append(first, {.kind = node_kind::barrier});
    REQUIRE(n.ok());
    CHECK(n.root == first);
    CHECK(at(n, first).next == second);
    CHECK(at(n, first).child == inner);
    CHECK(at(n, inner).next == last);
    CHECK(at(n, last).parent == first);
    CHECK(at(n, second).child < 0);
}

TEST_CASE("a nest with more nodes than its table has is a fault")
{
    nest n;
    const schedule s = planned(three_taps(), suspended_plan());
    opened_leaves own(s, n);
    for (int i = 0; i < 600; ++i) own.append(-1, {.kind = node_kind::barrier});
    CHECK(n.found.what == fault::capacity);
}

TEST_CASE("a guard for an edge, and that for all but the edge, part the values of a variable")
{
    constexpr std::int64_t last = 2;
    nest n;
    const schedule s = planned(three_taps(), suspended_plan());
    opened_leaves own(s, n);
    const int t = own.variable_of(0, 1);
    std::int64_t values[4]{};
    for (const std::int64_t edge : {std::int64_t{0}, last})
        for (std::int64_t v = 0; v <= last; ++v) {
            values[t] = v;
            const auto holds = [&](bool equal) {
                const node& guard = at(n, own.at_edge(-1, t, edge, equal));
                CHECK(guard.kind == node_kind::guard);
                CHECK(guard.conditions.count == 1);
                return value_of(n, n.conditions[static_cast<std::size_t>(guard.conditions.first)], values, nullptr) >=
                       0;
            };
            CAPTURE(edge);
            CAPTURE(v);
            CHECK(holds(true) == (v == edge));
            CHECK(holds(false) == (v != edge));
        }
}

TEST_CASE("a leaf that touches registers only is under no test, and a sum that reads padding is under two")
{
    nest n;
    const schedule s = planned(three_taps(), suspended_plan());
    opened_leaves own(s, n);
    const opened_leaves::context c;
    own.emit_leaf(0, c, opened_leaves::leaf_kind::init, -1);
    CHECK(at(n, n.root).kind == node_kind::leaf);
    own.emit_leaf(0, c, opened_leaves::leaf_kind::reduce, -1);
    REQUIRE(n.ok());
    const node& guard = at(n, at(n, n.root).next);
    CHECK(guard.kind == node_kind::guard);
    CHECK(guard.conditions.count == 2);
    CHECK(at(n, guard.child).kind == node_kind::leaf);
}
