// SPDX-License-Identifier: BSL-1.0
// What a stage makes of each element alone, computed where it is read: of one that reads another, of several readers,
// and of operands and outputs behind a stage.
#include <hone/schedule/inline_stages.hpp>

#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/elementwise.hpp>
#include <hone/schedule/row_wise.hpp>

#include "row_wise.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// One scalar loop an axis.
nest plain(const definition& d)
{
    schedule s;
    s.definition = d;
    for (const stage& of : d.stages) {
        stage_plan p;
        for (std::size_t a = 0; a < of.axes.size(); ++a) {
            if (of.axes[a].reduction) p.open_tile();
            p.add(static_cast<int>(a), 1);
        }
        s.plans.push_back(p);
    }
    return lower(s);
}

} // namespace

TEST_CASE("softmax without its exponentials in memory is the same operator")
{
    constexpr row_shape shape{.rows = 3, .n = 7};
    const definition d = softmax_definition<>(shape, dtype::f32), inlined = with_stages_inlined(d);
    CHECK(d.stages.size() == 4);
    REQUIRE(inlined.stages.size() == 3);
    CHECK(inlined.tensors.size() == d.tensors.size() - 1);
    for (const tensor& t : inlined.tensors) CHECK(std::string(t.name) != "power");
    CHECK(checked(inlined).found.ok());
    const rows_data given = data_of(shape, 1);
    for (const definition& of : {d, inlined})
        CHECK(wrong_rows(plain(of), given, reference(shape, given), 1e-6, 0) == "");
}

TEST_CASE("stages that read one another are all computed in the last one, with what stands behind it")
{
    row_stages::stages s({.rows = 2, .n = 5}, dtype::f32, "chain");
    const int twice = s.add("twice", reduction::none, {s.x()}, ex::load(0) + ex::load(0));
    const int less = s.add("less", reduction::none, {s.x(), twice}, ex::load(1) - ex::load(0), ex::acc() - 1.0f);
    const definition d = s.written<multiply<per::channel>, relu>("chain", {less, twice}, ex::load(0) * ex::load(1));
    const definition inlined = with_stages_inlined(d);
    REQUIRE(inlined.stages.size() == 1);
    CHECK(inlined.tensors.size() == 3);
    CHECK(checked(inlined).found.ok());
    const rows_data given{eighths(10, 3, 4), {eighths(5, 4, 2)}};
    doubles expected;
    for (std::size_t i = 0; i < 10; ++i) {
        const auto x = static_cast<double>(given.x[i]);
        const double y = (x - 1) * 2 * x * static_cast<double>(given.operands[0][i % 5]);
        expected.push_back(y < 0 ? 0 : y);
    }
    for (const definition& of : {d, inlined}) CHECK(wrong_rows(plain(of), given, expected, 1e-6, 0) == "");
}

TEST_CASE("where all stages but the last reduce, nothing is moved")
{
    const definition d = norm_definition<with_gamma>({.rows = 2, .n = 5}, norm::layer, dtype::f32);
    const definition inlined = with_stages_inlined(d);
    REQUIRE(inlined.stages.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(inlined.stages[i].body == d.stages[i].body);
        CHECK(inlined.stages[i].operands.size() == d.stages[i].operands.size());
    }
}
