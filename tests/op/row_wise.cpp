// SPDX-License-Identifier: BSL-1.0
// Definitions of several stages over the same rows: what stands between stages, and a user's own operator of them.
#include <hone/op/row_wise.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/elementwise.hpp>
#include <hone/run/call.hpp>
#include <hone/schedule/staged_templates.hpp>

#include "definition_laws.hpp"
#include "row_wise.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

// Each row by the length of its vector.
definition unit_rows(const row_shape& shape)
{
    row_stages::stages s(shape, dtype::f32, "unit");
    const int length = s.add("length", reduction::add, {s.x()}, ex::load(0) * ex::load(0), ex::sqrt(ex::acc()));
    return s.written<keep, add<per::channel>>("unit", {s.x(), length}, ex::load(0) / ex::load(1));
}

} // namespace

TEST_CASE("what stands between stages has a number a row, or a row, and lies in the workspace")
{
    row_stages::stages s({.rows = 3, .n = 7}, dtype::f32, "both");
    const int number = s.add("number", reduction::max, {s.x()}, ex::load(0));
    const int row = s.add("row", reduction::none, {s.x(), number}, ex::load(0) - ex::load(1));
    const definition d = checked(s.written<>("both", {row}, ex::load(0)));
    CHECK(d.found.ok());
    check_laws(d);
    CHECK(d.tensors[number].elements() == 3);
    CHECK(d.tensors[row].elements() == 21);
    for (const int between : {number, row}) {
        CHECK(d.tensors[between].memory == memory::workspace);
        CHECK(d.tensors[between].role == role::none);
    }
}

TEST_CASE("calls give how many rows there are and how long they are, distances behind these")
{
    const row_shape open{
        .rows = extent::up_to(9), .n = extent::up_to(300), .ldx = leading::at_call(), .ldy = leading::at_call()};
    CHECK(std::string(signature_of(open, dtype::f32).c_str()) == "softmax rows<=9 n<=300 ldx ldy f32");
    const definition d = checked(softmax_definition<>(open, dtype::f32));
    CHECK(d.found.ok());
    check_laws(d);
    std::vector<std::string> names;
    for (std::size_t p = 0; p < given_parameters(d.parameters); ++p) names.push_back(d.parameters[p].name);
    CHECK(names == std::vector<std::string>{"rows", "n", "ldx", "ldy"});
    const std::int64_t closer[] = {2, 37, 36, 37}, none[] = {2, 0, 0, 0}, longer[] = {2, 301, 400, 400};
    const auto found = [&](const std::int64_t* call) {
        return check_parameters(d.parameters, emptying_parameters(d), call);
    };
    CHECK(std::string(found(closer).found.subject) == "ldx");
    CHECK(std::string(found(longer).found.subject) == "n");
    CHECK(found(none).is_empty);

    const auto fault_of = [](const row_shape& s) { return checked(softmax_definition<>(s, dtype::f32)).found.what; };
    CHECK(fault_of({.n = extent::up_to(5), .inner = 2}) == fault::extents_at_call);
    CHECK(fault_of({.n = extent::up_to(0)}) == fault::extent_zero);
    CHECK(fault_of({.rows = extent::up_to(1 << 21), .n = extent::up_to(1 << 20)}) == fault::extent_too_large);
    CHECK(fault_of({.n = extent::up_to(5), .ldx = 4}) == fault::view_mismatch);
    // A number of the call is a float where rows are divided by it.
    const auto of_norm = [](std::int64_t most) {
        return checked(norm_definition<>({.n = extent::up_to(most)}, norm::rms, dtype::f32)).found;
    };
    CHECK(of_norm(1 << 24).ok());
    CHECK(of_norm((1 << 24) + 1).what == fault::extent_too_large);
    CHECK(of_norm((1 << 24) + 1).expected == 1 << 24);
}

TEST_CASE("further outputs and operands stand behind the last stage of an operator of rows")
{
    constexpr row_shape shape{.rows = 5, .n = 21};
    const definition d = checked(unit_rows(shape));
    CHECK(d.found.ok());
    const rows_data given = data_of(shape, 3);
    floats kept = poisoned(105), y = poisoned(105), x = given.x, offset(21, 0.5f);
    const isa set = isa::avx2;
    const nest n = lower(schedule_for(d, default_config<staged_templates>(d, set), set));
    const argument call[] = {{x.data(), 105}, {kept.data(), 105}, {offset.data(), 21}, {y.data(), 105}};
    CHECK(interpret(n, call).ok());
    const doubles expected = each_row(shape.rows, shape.n, given.x, [](doubles& row) {
        double squares = 0;
        for (const double v : row) squares += v * v;
        for (double& v : row) v /= std::sqrt(squares);
    });
    CHECK(far_from(kept, expected, 1e-6, 1e-7) == "");
    doubles moved = expected;
    for (double& v : moved) v += 0.5;
    CHECK(far_from(y, moved, 1e-6, 1e-7) == "");
}
