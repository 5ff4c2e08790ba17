// SPDX-License-Identifier: BSL-1.0
// The templates of a space, as types and as rows: in both forms each has the same knobs, points and answers.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/search/template_set.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::schedules;

namespace {

using set_list = template_list<test::narrow, direct, winograd>;
using set_product = gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32>;
using set_layer = conv2d<conv2d_shape{.h = 9, .w = 9, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1}, f32>;

constexpr tune::listed_template<isa> set_rows[] = {tune::row_of<test::narrow>(), tune::row_of<direct>(),
                                                   tune::row_of<winograd>()};
const tune::template_set<set_list> typed_set;
const tune::template_set<tune::listed_templates<isa>> row_set{tune::listed_templates<isa>{set_rows, 3}};

// All that a space asks of a set, as text.
template <class Set>
std::vector<std::string> asked(const Set& set)
{
    std::vector<std::string> all;
    set.each([&](std::size_t number, const auto& t) {
        std::string text = std::to_string(number) + ' ' + t.name + ' ' + name_of(t.strictest) + ' ' +
                           std::to_string(t.points()) + ' ' + std::to_string(t.knob_count()) + ' ' +
                           std::to_string(t.default_steps());
        t.each_knob([&](const auto& k) {
            text += ' ' + std::to_string(k.number) + k.declared.name + '/' + std::to_string(k.radix);
            for (std::size_t v = 0; v < k.radix; ++v) text += ' ' + std::to_string(k.declared.values[v]);
            text += '=' + std::to_string(k.declared.get(t.defaults()));
        });
        for (const auto& c : t.constraints()) text += std::string{' '} + c.name;
        for (const definition& d : {set_product::definition(), set_layer::definition()}) {
            text += t.applies(d) ? " applies" : " no";
            if (!t.applies(d)) continue;
            const auto knobs = t.fitted(d, t.standard(d, isa::avx2, 0), isa::avx2);
            t.each_knob([&](const auto& k) { text += ' ' + std::to_string(k.declared.get(knobs)); });
        }
        all.push_back(text);
    });
    return all;
}

} // namespace

TEST_CASE("a set of types and one of rows give the same answers, in the order of the list")
{
    CHECK(typed_set.size() == 3);
    CHECK(row_set.size() == 3);
    const auto types = asked(typed_set), rows = asked(row_set);
    REQUIRE(types.size() == 3);
    CHECK(types == rows);
    CHECK(types[0].starts_with("0 narrow exact order 6 1 1 0rows/6 1 2 3 4 6 8=2 registers applies"));
    CHECK(types[2].starts_with("2 winograd Winograd 2 "));
}

TEST_CASE("a template has as many points as its knobs have values together")
{
    std::uint64_t product = 1;
    for (const auto& k : knobs_of(direct_knobs{})) product *= k.values.size();
    CHECK(tune::knob_product<direct_knobs>::size == product);
    CHECK(tune::knob_product<direct_knobs>::count == std::size(direct_knob_table));
    CHECK(tune::knob_product<test::narrow_knobs>::size == 6);
}

TEST_CASE("a config gives its knobs to its own template, and to no other")
{
    typed_set.each([&](std::size_t number, const auto& t) {
        const auto config = t.config_of(t.defaults());
        REQUIRE(t.knobs_in(config) != nullptr);
        CHECK(*t.knobs_in(config) == t.defaults());
        typed_set.each(
            [&](std::size_t other, const auto& o) { CHECK((o.knobs_in(config) != nullptr) == (number == other)); });
    });
    row_set.each([&](std::size_t number, const auto& t) {
        const auto config = t.config_of(t.defaults());
        row_set.each(
            [&](std::size_t other, const auto& o) { CHECK((o.knobs_in(config) != nullptr) == (number == other)); });
    });
}

TEST_CASE("configs of rows are scheduled, packed and refused as configs of types are")
{
    const definition d = set_product::definition();
    const tune::listed_config<isa> own{&set_rows[1], set_rows[1].standard(d, isa::avx2, 0)};
    const cpu_config typed = direct::standard(d, isa::avx2, 0);
    CHECK(check_config(d, own).ok());
    CHECK(class_of(own) == class_of(typed));
    CHECK(layout_id(packed_for(d, own, isa::avx2)) == layout_id(packed_for(d, typed, isa::avx2)));
    CHECK(schedule_for(d, own, isa::avx2).plans.size() == 1);
    CHECK(packing_for(d, own, isa::avx2).found.ok());

    const tune::listed_config<isa> other{&set_rows[2], set_rows[2].defaults()};
    CHECK(check_config(d, other).what == fault::template_missing);
    CHECK(std::string{check_config(d, other).subject} == "winograd");
    CHECK(schedule_for(d, other, isa::avx2).found.what == fault::template_missing);
    CHECK(packing_for(d, other, isa::avx2).found.what == fault::template_missing);
    CHECK(packed_for(d, other, isa::avx2).empty());

    tune::listed_config<isa> wrong = own;
    wrong.knobs.values[0] = 0;
    CHECK(check_config(d, wrong).what == fault::knob_value);
    CHECK_FALSE(wrong == own);
    definition faulty;
    faulty.found = {.what = fault::extent_zero};
    CHECK(check_config(faulty, own).what == fault::extent_zero);
}
