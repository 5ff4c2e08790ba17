// SPDX-License-Identifier: BSL-1.0
// Softmax and its logarithm: their signatures, why a shape is none, and that their nests compute what plain loops do,
// also where y is x itself.
#include <hone/op/softmax.hpp>

#include <cmath>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/run/call.hpp>
#include <hone/schedule/staged_templates.hpp>

#include "definition_laws.hpp"
#include "row_wise.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {
constexpr row_shape base{.rows = 12, .n = 197};
} // namespace

TEST_CASE("signatures of softmax and its logarithm name the rows, the types and the words")
{
    CHECK(std::string(softmax<base, f32>::signature().c_str()) == "softmax rows12 n197 f32");
    CHECK(signature_of(base, dtype::f32, {"multiply_channel", "exact"}) ==
          softmax<base, f32, multiply<per::channel>, exact>::signature());
    CHECK(std::string(log_softmax<base, f32, relu>::signature().c_str()) == "log_softmax rows12 n197 f32 relu");
    CHECK(signature_of(base, softmax_scale::logarithmic, dtype::f32) == log_softmax<base, f32>::signature());
}

TEST_CASE("a call of softmax gives x and y; what stands between its stages is none of its business")
{
    const definition d = checked(softmax<base, f32, multiply<per::channel>>::definition());
    CHECK(d.found.ok());
    check_laws(d);
    const call_parts parts = parts_of(d);
    REQUIRE(parts.size() == 3);
    CHECK(parts[0] == call_part{call_member::x});
    CHECK(parts[1] == call_part{call_member::operands, 0});
    CHECK(parts[2] == call_part{call_member::y});
    const definition logarithm = checked(log_softmax<base, f32, multiply<per::channel>>::definition());
    CHECK(logarithm.found.ok());
    check_laws(logarithm);
    CHECK(parts_of(logarithm).size() == 3);
    // No row stands between its stages, a number of each row does.
    for (const tensor& t : logarithm.tensors)
        if (t.memory == memory::workspace) CHECK(t.elements() == base.rows);
}

TEST_CASE("as many rows as a call gives: a parameter, and a signature of its own")
{
    constexpr row_shape open{.rows = extent::up_to(12), .n = 197};
    using op = log_softmax<open, f32, add<per::element>>;
    CHECK(std::string(op::signature().c_str()) == "log_softmax rows<=12 n197 f32 add");
    const definition d = checked(op::definition());
    CHECK(d.found.ok());
    check_laws(d);
    REQUIRE(d.parameters.size() == 1);
    CHECK(std::string(d.parameters[0].name) == "rows");
    CHECK(d.parameters[0].least == 1);
    CHECK(d.parameters[0].most == 12);
    CHECK(emptying_parameters(d) == 1); // no rows, no work
    for (const tensor& t : d.tensors)
        if (t.dims.size() > 1) CHECK((t.dims[0].extent_parameter == 0) == (t.memory == memory::argument));
    CHECK(softmax<base, f32>::definition().parameters.empty());
}

TEST_CASE("rows whose elements are apart: an axis of their neighbours, and a signature of its own")
{
    constexpr row_shape planes{.rows = 2, .n = 21, .inner = 35};
    using op = softmax<planes, f32, multiply<per::channel>>;
    CHECK(std::string(op::signature().c_str()) == "softmax rows2 n21 inner35 f32 multiply_channel");
    const definition d = checked(op::definition());
    CHECK(d.found.ok());
    check_laws(d);
    CHECK(d.tensors[0].elements() == 2 * 21 * 35);
    for (const operand& o : d.stages.back().operands)
        if (d.tensors[o.tensor].role == role::operand) CHECK(o.index[0].terms[0].axis == 2);
    // One element behind the other: as ever.
    constexpr row_shape rows{.rows = 12, .n = 197, .inner = 1};
    CHECK(softmax<rows, f32>::signature() == softmax<base, f32>::signature());
    CHECK(softmax<rows, f32>::definition().stages[0].axes.size() == 2);
    // As many images as a call gives.
    const definition open = checked(softmax_definition<>({.rows = extent::up_to(3), .n = 4, .inner = 9}, dtype::f32));
    CHECK(open.found.ok());
    const std::int64_t images = 2;
    rows_data given = data_of(row_shape{.rows = images, .n = 4, .inner = 9}, 3);
    floats y = poisoned(2 * 4 * 9);
    const nest n = lower(schedule_for(open, default_config<staged_templates>(open, isa::avx2), isa::avx2));
    const argument call[] = {{given.x.data(), 2 * 4 * 9}, {y.data(), 2 * 4 * 9}};
    CHECK(std::string(interpret(n, call, std::span(&images, 1)).message()) == message_of(fault::none));
    CHECK(far_from(y, reference(row_shape{.rows = images, .n = 4, .inner = 9}, given), 1e-5, 1e-37) == "");
}

TEST_CASE("why a shape of rows is none")
{
    const auto found = [](const row_shape& s) { return checked(softmax_definition<relu>(s, dtype::f32)).found; };
    CHECK(found(base).ok());
    for (const std::int64_t none : {std::int64_t{0}, std::int64_t{-1}})
        for (const row_shape& s : {row_shape{.rows = none, .n = 5},
                                   {.rows = extent::up_to(none), .n = 5},
                                   {.rows = 5, .n = none},
                                   {.rows = 5, .n = 2, .inner = none}}) {
            CHECK(found(s).what == fault::extent_zero);
            CHECK(std::string(found(s).subject) == "softmax");
        }
    for (const row_shape& s : {row_shape{.rows = INT64_MAX},
                               {.rows = extent::up_to(INT64_MAX), .n = 2},
                               {.rows = 5, .n = INT64_MAX},
                               {.n = 2, .inner = INT64_MAX}})
        CHECK(found(s).what == fault::extent_too_large);
    const definition none = checked(softmax_definition<>({.n = 0}, dtype::f32, softmax_scale::logarithmic));
    CHECK(none.found.what == fault::extent_zero);
    CHECK(std::string(none.found.subject) == "log_softmax");
    CHECK(found({.rows = std::int64_t{1} << 21, .n = std::int64_t{1} << 21}).what == fault::extent_too_large);
}

TEST_CASE("softmax of drawn rows, or its logarithm, is what plain loops give, in place, too")
{
    random_numbers random{41};
    for (int i = 0; i < 30; ++i) {
        row_shape s{.rows = random.between(1, 9), .n = random.between(1, random.one_in(2) ? 9 : 140)};
        if (random.one_in(2))
            s = {.rows = random.between(1, 3), .n = random.between(1, 30), .inner = random.between(2, 80)};
        const softmax_scale scale = random.one_in(2) ? softmax_scale::linear : softmax_scale::logarithmic;
        const definition d = softmax_definition<>(s, dtype::f32, scale);
        check_laws(d);
        rows_data given = data_of(s, static_cast<std::uint64_t>(i), random.one_in(3) ? 1000 : 6);
        if (random.one_in(3)) given.x[static_cast<std::size_t>(random.between(0, s.n - 1))] = -INFINITY;
        if (random.one_in(4)) given.x[0] = NAN;
        const doubles expected = reference(s, given, scale);
        for (const isa set : {isa::baseline, isa::avx512}) {
            CAPTURE(signature_of(s, scale, dtype::f32).c_str());
            const nest n = lower(schedule_for(d, default_config<staged_templates>(d, set), set));
            CHECK(wrong_rows(n, given, expected, 1e-5, scale == softmax_scale::linear ? 1e-37 : 1e-5) == "");
        }
    }
}
