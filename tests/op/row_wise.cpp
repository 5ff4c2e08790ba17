// SPDX-License-Identifier: BSL-1.0
// Definitions of several stages over the same rows: what stands between stages, and a user's own operator of them.
#include <hone/op/row_wise.hpp>

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/elementwise.hpp>
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
