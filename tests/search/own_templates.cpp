// SPDX-License-Identifier: BSL-1.0
// Lists of a workload's own as a tuner holds them: hone's templates filled in by name, and names that records can tell
// apart.
#include <array>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>
#include <hone/search/own_templates.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::schedules;

namespace {

using completed_product = gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32>;

template <class Target, std::size_t Count>
tune::listed_templates<Target> as_list(const std::array<tune::listed_template<Target>, Count>& rows)
{
    return {rows.data(), rows.size()};
}
tune::listed_template<isa> narrow_named(const char* name)
{
    tune::listed_template<isa> row = tune::row_of<test::narrow>();
    row.name = name;
    return row;
}
// What is wrong with a list of narrow under these names.
template <class... Names>
std::string wrong_with(Names... names)
{
    const std::array<tune::listed_template<isa>, sizeof...(Names)> rows{narrow_named(names)...};
    return tune::wrong_names<cpu_family>(as_list(rows)).value_or("nothing");
}

} // namespace

TEST_CASE("no rows are no list")
{
    CHECK(tune::completed<cpu_family>({}) == nullptr);
    CHECK(tune::completed<vulkan_family>({}) == nullptr);
}

TEST_CASE("hone's templates are filled in where they stand, and others are left as they are")
{
    const std::array<tune::listed_template<isa>, 3> rows{tune::listed_template<isa>{.name = "winograd"},
                                                         narrow_named("narrow"),
                                                         tune::listed_template<isa>{.name = "direct"}};
    const auto all = tune::completed<cpu_family>(as_list(rows));
    REQUIRE(all != nullptr);
    REQUIRE(all->size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(std::string{(*all)[i].name} == rows[i].name);
        CHECK_FALSE((*all)[i].is_shipped());
    }
    const definition d = completed_product::definition();
    CHECK_FALSE((*all)[0].applies(d));
    CHECK(((*all)[1].applies == rows[1].applies));
    CHECK((*all)[2].standard(d, isa::avx2, 0) == tune::listing::values_of(direct::standard(d, isa::avx2, 0)));

    // Of one name on two backends, that of the list's.
    const std::array<tune::listed_template<vulkan_limits>, 1> on_device{
        tune::listed_template<vulkan_limits>{.name = "direct"}};
    const auto of_device = tune::completed<vulkan_family>(as_list(on_device));
    CHECK((*of_device)[0].knobs.size == tune::row_of<vulkan_direct>().knobs.size);
}

TEST_CASE("a name is a word that records hold, of no other template of the backend")
{
    CHECK(wrong_with("narrow", "other_2") == "nothing");
    CHECK(wrong_with("two words") ==
          "a template of its list has the name 'two words'; choose letters, digits and underscores");
    CHECK(wrong_with("narrow", "direct") ==
          "a template of its list has the name 'direct', which is one of hone's; choose another");
    CHECK(wrong_with("narrow", "narrow") == "two templates of its list have the name 'narrow'; rename one of them");
    CHECK(wrong_with("") != "nothing");
    // A template of hone's may stand in a list under its own name.
    const std::array<tune::listed_template<isa>, 2> both{tune::listed_template<isa>{.name = "direct"},
                                                         narrow_named("narrow")};
    CHECK_FALSE(tune::wrong_names<cpu_family>(as_list(both)));
    CHECK_FALSE(tune::wrong_names<cpu_family>(tune::listed_templates<isa>{}));
}
