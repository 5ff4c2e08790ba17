// SPDX-License-Identifier: BSL-1.0
// Element-wise operators: their signatures and axes, why a shape is none, and that their nests compute what plain loops
// do, also where y is x itself.
#include <hone/op/elementwise.hpp>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/run/call.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/schedule_template.hpp>

#include "definition_laws.hpp"
#include "elementwise.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr image_shape base{.n = 2, .h = 3, .w = 5, .c = 6};

// Empty where the nest computes the reference and touches nothing else; y is a buffer of its own, then x itself.
std::string wrong(const nest& n, const elementwise_data& given, const doubles& expected, bool in_place)
{
    elementwise_data d = given;
    floats y = poisoned(static_cast<std::int64_t>(expected.size()));
    std::vector<argument> arguments;
    const auto add = [&](floats& of) { arguments.push_back({of.data(), static_cast<std::int64_t>(of.size())}); };
    add(d.x);
    for (floats& o : d.operands) add(o);
    add(in_place ? d.x : y);
    const status found = interpret(n, arguments, {});
    if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
    if (d.operands != given.operands || (!in_place && d.x != given.x)) return "writes to an input";
    return difference_of(in_place ? d.x : y, expected);
}
void compare(const image_shape& s, const definition& d, const chain& words, std::uint64_t seed)
{
    CAPTURE(signature_of(s, dtype::f32, {}).c_str());
    REQUIRE(checked(d).found.ok());
    check_laws(d);
    const elementwise_data given = data_of(s, words, seed);
    const doubles expected = reference(s, words, given);
    for (const isa set : {isa::baseline, isa::avx512})
        for (const std::int32_t vectors : {0, 1, 3}) {
            direct_knobs k = default_direct(d, set);
            if (vectors > 0) k = {.rows = 2, .vectors = vectors, .row_block = 4};
            const nest n = lower(direct_schedule(d, fitted(d, k, set), set));
            CHECK(std::string(check(n, cpu_target(set)).message()) == message_of(fault::none));
            CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
            CHECK(wrong(n, given, expected, false) == "");
            CHECK(wrong(n, given, expected, true) == "");
        }
}

} // namespace

TEST_CASE("signatures name the shape, the words and what has an element of each operand")
{
    CHECK(std::string(elementwise<base, f32, gelu>::signature().c_str()) == "elementwise n2 h3 w5 c6 nhwc f32 gelu");
    CHECK(std::string(scaled_sum<base>::signature().c_str()) ==
          "elementwise n2 h3 w5 c6 nhwc f32 multiply_channel add maximum_tensor relu");
    CHECK(signature_of(base, dtype::f32, {"subtract", "divide_tensor", "minimum"}) == quotient<base>::signature());
    std::set<std::string> texts;
    const auto words = [&]<per P>() {
        for (const char* word :
             {signature_word<add<P>>(), signature_word<subtract<P>>(), signature_word<multiply<P>>(),
              signature_word<divide<P>>(), signature_word<minimum<P>>(), signature_word<maximum<P>>()})
            CHECK(texts.insert(word).second);
    };
    words.operator()<per::element>();
    words.operator()<per::channel>();
    words.operator()<per::tensor>();
}

namespace {
template <per P>
struct own_scale {
    static constexpr const char* name = "own_scale";
    static constexpr role operand_role = role::operand;
    static constexpr per operand_per = P;
    static constexpr expr apply(const expr& x, const expr& s) { return x * s; }
};
} // namespace

TEST_CASE("an operand has an element for each of the output's, for each channel, or for all, behind any operator")
{
    const definition d = scaled_sum<base>::definition();
    REQUIRE(d.tensors.size() == 5);
    CHECK(d.tensors[1].elements() == 6);
    CHECK(d.tensors[2].elements() == 180);
    CHECK(d.tensors[3].elements() == 1);
    const call_parts parts = parts_of(d);
    for (int i = 1; i <= 3; ++i) CHECK(parts[i] == call_part{call_member::operands, i - 1});

    using layer =
        conv2d<conv2d_shape{.h = 4, .w = 4, .ic = 3, .oc = 8}, f32, multiply<per::channel>, bias, add<per::tensor>>;
    const definition folded = checked(layer::definition());
    CHECK(folded.found.ok());
    CHECK(folded.tensors[2].elements() == 8);
    CHECK(folded.tensors[4].elements() == 1);
    // A user's own says it in its hash.
    CHECK(std::string(signature_word<own_scale<per::channel>>()) != signature_word<own_scale<per::tensor>>());
    CHECK(elementwise<base, f32, own_scale<per::channel>>::definition().tensors[1].elements() == 6);
}

TEST_CASE("memory is one row where nothing is read per channel")
{
    CHECK(elementwise<base, f32, relu>::definition().stages[0].axes.size() == 1);
    CHECK(quotient<base>::definition().stages[0].axes.size() == 1);
    CHECK(elementwise<base, f32, bias>::definition().stages[0].axes.size() == 2);
    CHECK(elementwise<base, f32, prelu>::definition().stages[0].axes.size() == 2);
    constexpr image_shape planes{.n = 2, .h = 3, .w = 5, .c = 6, .layout = layout::nchw};
    CHECK(scaled_sum<planes>::definition().stages[0].axes.size() == 3);
}

TEST_CASE("why a shape is none")
{
    const auto found = [](auto change) {
        image_shape s = base;
        change(s);
        return checked(elementwise_definition<add<per::channel>>(s, dtype::f32)).found;
    };
    CHECK(found([](image_shape&) {}).ok());
    for (auto field : {&image_shape::n, &image_shape::h, &image_shape::w, &image_shape::c}) {
        const status none = found([&](image_shape& s) { s.*field = 0; });
        CHECK(none.what == fault::extent_zero);
        CHECK(std::string(none.subject) == "elementwise");
        CHECK(found([&](image_shape& s) { s.*field = -3; }).what == fault::extent_zero);
    }
    CHECK(found([](image_shape& s) { s.h = s.w = std::int64_t{1} << 21; }).what == fault::extent_too_large);
    CHECK(found([](image_shape& s) { s.n = s.h = s.w = s.c = INT64_MAX; }).what == fault::extent_too_large);
    // Nothing is reduced, so that the template for reductions has no part in it.
    CHECK_FALSE(reduce::applies(scaled_sum<base>::definition()));
    CHECK(direct::applies(scaled_sum<base>::definition()));
}

TEST_CASE("drawn shapes compute what plain loops do, in place, too")
{
    random_numbers random{31};
    for (int i = 0; i < 60; ++i) {
        image_shape s{.n = random.between(1, 2),
                      .h = random.between(1, 5),
                      .w = random.between(1, 7),
                      .c = random.one_in(2) ? random.between(1, 4) : random.between(1, 40)};
        if (random.one_in(2)) s.layout = layout::nchw;
        const auto seed = static_cast<std::uint64_t>(i);
        compare(s,
                elementwise_definition<multiply<per::channel>, add<per::element>, maximum<per::tensor>, relu>(
                    s, dtype::f32),
                scaled_sum_words(), seed);
        compare(
            s,
            elementwise_definition<subtract<per::element>, divide<per::tensor>, minimum<per::element>>(s, dtype::f32),
            quotient_words(), seed);
    }
}
