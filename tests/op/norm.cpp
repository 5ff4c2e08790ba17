// SPDX-License-Identifier: BSL-1.0
// Normalisations: their signatures, what a call gives, why a shape is none, and that their nests compute what plain
// loops do, also where y is x itself.
#include <hone/op/norm.hpp>

#include <cstdint>
#include <limits>
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
constexpr norm_shape base{.rows = 128, .n = 768, .epsilon = 1e-6};
} // namespace

TEST_CASE("signatures of normalisations name the rows, epsilon, the types and the words")
{
    using layer = layer_norm<base, f32, with_gamma, with_beta>;
    CHECK(std::string(layer::signature().c_str()) == "layer_norm rows128 n768 epsilon:358637bd f32 gamma beta");
    CHECK(signature_of(base, norm::layer, dtype::f32, {"gamma", "beta"}) == layer::signature());
    CHECK(signature_of(base, norm::rms, dtype::f32, {"gamma"}) == rms_norm<base, f32, with_gamma>::signature());
    constexpr norm_shape open{.rows = extent::up_to(7), .n = 5};
    CHECK(std::string(rms_norm<open, f32>::signature().c_str()) == "rms_norm rows<=7 n5 epsilon:3727c5ac f32");
    CHECK(rms_norm<open, f32>::definition().parameters.size() == 1);
    norm_shape other = base;
    other.epsilon = 1e-5;
    CHECK_FALSE(signature_of(other, norm::rms, dtype::f32) == signature_of(base, norm::rms, dtype::f32));
}

TEST_CASE("gamma and beta are operands of a call, in the order of the words, and faults know their names")
{
    const definition d = checked(layer_norm<base, f32, with_gamma, with_beta>::definition());
    CHECK(d.found.ok());
    check_laws(d);
    const call_parts parts = parts_of(d);
    REQUIRE(parts.size() == 4);
    CHECK(parts[1] == call_part{call_member::operands, 0});
    CHECK(parts[2] == call_part{call_member::operands, 1});
    CHECK(parts[3] == call_part{call_member::y});
    int named = 0;
    for (const tensor& t : d.tensors)
        if (t.role == role::operand) {
            CHECK(std::string(t.name) == (named++ == 0 ? "gamma" : "beta"));
            CHECK(t.elements() == 768);
        }
    CHECK(named == 2);
}

TEST_CASE("why a shape of a normalisation is none")
{
    const auto found = [](auto change) {
        norm_shape s = base;
        change(s);
        return checked(norm_definition<with_gamma>(s, norm::layer, dtype::f32)).found;
    };
    CHECK(found([](norm_shape&) {}).ok());
    CHECK(found([](norm_shape& s) { s.epsilon = 0; }).ok());
    CHECK(found([](norm_shape& s) { s.n = 0; }).what == fault::extent_zero);
    CHECK(std::string(found([](norm_shape& s) { s.rows = -1; }).subject) == "layer_norm");
    CHECK(found([](norm_shape& s) { s.rows = INT64_MAX; }).what == fault::extent_too_large);
    for (const float e : {-1e-5f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        const status none = found([&](norm_shape& s) { s.epsilon = e; });
        CHECK(none.what == fault::knob_value);
        CHECK(std::string(none.subject) == "epsilon");
    }
}

TEST_CASE("normalisations of drawn rows are what plain loops give, in place, too")
{
    random_numbers random{42};
    for (int i = 0; i < 30; ++i) {
        norm_shape s{.rows = random.between(1, 9), .n = random.between(1, random.one_in(2) ? 9 : 140)};
        if (random.one_in(2)) s.epsilon = 0.25f;
        const rows_data given = data_of(s, static_cast<std::uint64_t>(i));
        for (const norm how : {norm::layer, norm::rms}) {
            const definition d = norm_definition<with_gamma, with_beta>(s, how, dtype::f32);
            check_laws(d);
            CAPTURE(signature_of(s, how, dtype::f32).c_str());
            const doubles expected = reference(s, how, given);
            for (const isa set : {isa::baseline, isa::avx512}) {
                const nest n = lower(schedule_for(d, default_config<staged_templates>(d, set), set));
                CHECK(wrong_rows(n, given, expected, 1e-5, 1e-4) == "");
            }
        }
    }
}
