// SPDX-License-Identifier: BSL-1.0
// Steps of recurrent layers: their signatures, what a call gives, why a shape is none, and that their default nests
// compute what plain loops do.
#include <hone/op/flops.hpp>
#include <hone/op/recurrent.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/run/call.hpp>
#include <hone/schedule/staged_templates.hpp>

#include "definition_laws.hpp"
#include "recurrent.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::schedules;
using namespace hone::test;

namespace {
constexpr cell_shape base{.m = 3, .k = 40, .n = 24};
} // namespace

TEST_CASE("signatures of cells name the shape, the order of gates, the types and the words")
{
    CHECK(std::string(lstm_cell<base, f32, bias>::signature().c_str()) == "lstm_cell m3 k40 n24 f32 bias");
    constexpr cell_shape open{.m = extent::up_to(8), .k = 2, .n = 3, .order = gate_order::onnx};
    using half_weights = gru_cell<open, types<f16>, exact>;
    CHECK(std::string(half_weights::signature().c_str()) == "gru_cell m<=8 k2 n3 onnx wf16 f32 exact");
    CHECK(signature_of(base, cell::lstm, dtype::f32, {"bias"}) == lstm_cell<base, f32, bias>::signature());
    CHECK(signature_of(open, cell::gru, operand_types(dtype::f16, dtype::f32), {"exact"}) == half_weights::signature());
}

TEST_CASE("a call gives the input, the state, two weights, biases and the next state")
{
    const definition lstm = checked(lstm_cell<base, f32, bias>::definition());
    check_laws(lstm);
    const call_parts parts = parts_of(lstm);
    REQUIRE(parts.size() == 8);
    CHECK(parts[0] == call_part{call_member::x});
    CHECK(parts[1] == call_part{call_member::operands, 0});
    CHECK(parts[2] == call_part{call_member::operands, 1});
    CHECK(parts[3] == call_part{call_member::weights, 0});
    CHECK(parts[4] == call_part{call_member::weights, 1});
    CHECK(parts[5] == call_part{call_member::bias});
    CHECK(parts[6] == call_part{call_member::outputs, 0});
    CHECK(parts[7] == call_part{call_member::y});
    CHECK(flops_of(lstm) == 2.0 * 3 * 4 * 24 * (40 + 24));
    const definition gru = checked(gru_cell<base, f32>::definition());
    check_laws(gru);
    REQUIRE(parts_of(gru).size() == 5);
    CHECK(parts_of(gru)[1] == call_part{call_member::operands, 0});
    CHECK(parts_of(gru)[4] == call_part{call_member::y});
    CHECK(flops_of(gru) == 2.0 * 3 * 3 * 24 * (40 + 24));
}

TEST_CASE("as many rows as a call gives: a parameter, and what is typical of it")
{
    const definition d =
        checked(lstm_cell<cell_shape{.m = extent::up_to(12).typically(2), .k = 4, .n = 5}, f32>::definition());
    check_laws(d);
    REQUIRE(d.parameters.size() == 1);
    CHECK(std::string(d.parameters[0].name) == "m");
    CHECK(d.parameters[0].most == 12);
    CHECK(d.parameters[0].typical == 2);
    CHECK(emptying_parameters(d) == 1);
}

TEST_CASE("why a shape of a cell is none")
{
    for (const cell which : {cell::lstm, cell::gru}) {
        const auto found = [&](const cell_shape& s) { return cell_definition(s, which, true).found; };
        CHECK(found(base).ok());
        for (const std::int64_t none : {std::int64_t{0}, std::int64_t{-1}})
            for (const cell_shape& s : {cell_shape{.m = none}, {.m = extent::up_to(none)}, {.k = none}, {.n = none}}) {
                CHECK(found(s).what == fault::extent_zero);
                CHECK(std::string(found(s).subject) == name_of(which));
            }
        for (const cell_shape& s : {cell_shape{.m = INT64_MAX},
                                    {.k = INT64_MAX},
                                    {.n = INT64_MAX},
                                    {.n = 1 << 20},
                                    {.m = 1 << 20, .k = 1 << 21},
                                    {.k = 1 << 20, .n = 1 << 19}})
            CHECK(found(s).what == fault::extent_too_large);
    }
}

TEST_CASE("default nests of drawn cells compute a step as plain loops do, in place, too")
{
    random_numbers random{61};
    for (int i = 0; i < 24; ++i) {
        const cell_shape s{.m = random.one_in(3) ? 1 : random.between(1, 9),
                           .k = random.between(1, 20),
                           .n = random.between(1, random.one_in(2) ? 7 : 37),
                           .order = random.one_in(3) ? gate_order::onnx : gate_order::pytorch};
        const cell which = i % 2 == 0 ? cell::lstm : cell::gru;
        const definition d = cell_definition(s, which, !random.one_in(3));
        check_laws(d);
        for (const isa set : {isa::baseline, isa::avx512}) {
            CAPTURE(signature_of(s, which, dtype::f32).c_str());
            const auto c = default_config<staged_templates>(d, set);
            REQUIRE(c.is<chain>());
            CHECK(wrong_step<chain>(d, c.knobs<chain>(), set, s, which, random.next(), true) == "");
        }
    }
}
