// SPDX-License-Identifier: BSL-1.0
// Statements of a stage and what they read: each is made once, and says what the worked example says.
#include <hone/lower/statements.hpp>

#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

class opened_statements : public lowering_statements {
public:
    using lowering_statements::leaf_kind;
    using lowering_statements::operand_access;
    using lowering_statements::output_slot;
    using lowering_statements::statement_of;
    using lowering_statements::stays_in_registers;
    using lowering_statements::variable_of;

    opened_statements(const schedule& s, nest& n) : lowering_statements(s, n)
    {
        for (int t = 0; t < tensors(); ++t) add_buffer(t);
        for (int st = 0; st < stages(); ++st) add_variables(st);
        for (int st = 0; st < stages(); ++st) prepare(st);
    }
};
using kind = opened_statements::leaf_kind;

stage_plan tiled_plan()
{
    stage_plan p;
    p.add(axis_i, 4, binding::parallel, tail::guard).open_tile();
    p.add(axis_t, 1).add(axis_i, 1, binding::unroll);
    return p;
}

std::string trimmed(const std::string& line)
{
    const std::size_t from = line.find_first_not_of(' ');
    return from == std::string::npos ? "" : line.substr(from);
}

} // namespace

TEST_CASE("the worked example is what is lowered")
{
    stage_plan masked = tiled_plan();
    masked.levels[0].step = 5;
    masked.mask(0);
    const std::string plain = print(lower(planned(three_taps(), tiled_plan())));
    const std::string tested_in_load = print(lower(planned(three_taps(), masked)));
    std::istringstream lines{examples_in("lower/statements.hpp")};
    int found = 0;
    std::size_t at = 0; // in the order of the text
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("p.")) continue;
        CAPTURE(line);
        const std::string whole = ' ' + line + '\n';
        if (++found <= 5) {
            at = plain.find(whole, at);
            CHECK(at != std::string::npos);
        } else {
            CHECK(tested_in_load.find(whole) != std::string::npos);
        }
    }
    CHECK(found == 6);
    // Each store, sum and test of the nest stands in it.
    std::istringstream nodes{plain.substr(plain.find("parallel"))};
    for (std::string line; std::getline(nodes, line);)
        if (line.find('=') != std::string::npos)
            CHECK(examples_in("lower/statements.hpp").find(trimmed(line) + '\n') != std::string::npos);
}

TEST_CASE("accesses and statements are made once, however many leaves they have")
{
    nest n;
    const schedule s = planned(three_taps(), tiled_plan());
    opened_statements own(s, n);
    const int x = own.operand_access(0, 0), w = own.operand_access(0, 1),
              y = own.operand_access(0, opened_statements::output_slot);
    CHECK(x != w);
    CHECK(own.operand_access(0, 0) == x);
    const std::size_t accesses = n.accesses.size();
    const int sum = own.statement_of(0, kind::reduce, 0, opened_statements::output_slot, 0);
    const int store = own.statement_of(0, kind::store, 0, opened_statements::output_slot, 0);
    CHECK(sum != store);
    CHECK(own.statement_of(0, kind::reduce, 0, opened_statements::output_slot, 0) == sum);
    CHECK(n.statements.size() == 2);
    CHECK(n.statements[static_cast<std::size_t>(sum)].reduce == reduction::add);
    CHECK(n.statements[static_cast<std::size_t>(store)].target == y);
    CHECK(n.accesses.size() == accesses + 2); // the accumulator, for each of the two
    int loads[2] = {-1, -1}, count = 0;
    for_each_load(n, n.statements[static_cast<std::size_t>(sum)].value, [&](int a) { loads[count++ % 2] = a; });
    CHECK(count == 2);
    CHECK(loads[0] == x);
    CHECK(loads[1] == w);
}

TEST_CASE("leaves that are no store and no resumption touch registers only")
{
    for (const kind k : {kind::init, kind::reduce, kind::clear, kind::fold})
        CHECK(opened_statements::stays_in_registers(k));
    for (const kind k : {kind::whole, kind::resume, kind::suspend, kind::store})
        CHECK_FALSE(opened_statements::stays_in_registers(k));
}
