// SPDX-License-Identifier: BSL-1.0
// A space as one type: whether its templates are types of a list or rows without them, it has the same points, keys,
// programs and random sequences, and searches propose the same in it.
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/search/any_space.hpp>
#include <hone/search/search.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/vulkan/space.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::tune;

namespace {

static_assert(tune::search_space<tune::shared_space>);

constexpr definition small_layer =
    conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 32, .oc = 40, .kh = 3, .kw = 3, .pad = 1}, f32, bias>::definition();
constexpr definition odd_product = gemm<gemm_shape{.m = 37, .n = 50, .k = 70}, f32>::definition();

// hone's own templates, as a program that was built without them would have them.
template <class Family>
tune::own_templates<Family> as_rows()
{
    using row = tune::listed_template<typename Family::target>;
    return []<class... T>(template_list<T...>) {
        return std::make_shared<const std::vector<row>>(std::vector<row>{tune::row_of<T>()...});
    }(typename Family::shipped());
}

using small_gemm = gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32>;
struct with_both : small_gemm {
    using cpu_templates = template_list<direct, test::narrow>;
};
struct vulkan_again : vulkan_direct {
    static constexpr const char* name = "again";
};
struct for_devices : small_gemm {
    using vulkan_templates = template_list<vulkan_again>;
};

// What a searcher proposes in four turns, told times that follow from the programs.
template <class Search>
std::vector<std::uint64_t> proposed_by_search(Search searcher)
{
    std::vector<std::uint64_t> programs;
    for (int turn = 0; turn < 4; ++turn)
        for (const auto& p : searcher.propose(8)) {
            programs.push_back(p.program);
            searcher.tell(p.point, p.program, 1 + static_cast<double>(p.program % 97));
        }
    return programs;
}

template <class Space>
void check_same(const Space& typed, const tune::any_space& erased)
{
    REQUIRE(erased.size() == typed.size());
    const tune::named_config standard = erased.standard();
    CHECK(tune::text_of(standard) == tune::text_of(typed.standard()));
    REQUIRE(erased.others().size() == typed.others().size());
    for (std::size_t i = 0; i < typed.others().size(); ++i)
        CHECK(tune::text_of(erased.others()[i]) == tune::text_of(typed.others()[i]));
    tune::xoshiro256 bits(3), same_bits(3);
    tune::space_point p = typed.random(bits);
    REQUIRE(erased.random(same_bits) == p);
    int legal = 0;
    for (int i = 0; i < 400; ++i) {
        CHECK(erased.key(p) == typed.key(p));
        CHECK(erased.at(typed.index(p)) == p);
        CHECK(erased.knob_values(p) == typed.knob_values(p));
        const auto config = typed.config_of(p);
        const tune::named_config named = erased.config_of(p);
        CHECK(tune::text_of(named) == tune::text_of(config));
        CHECK(named.errors == class_of(config));
        CHECK(erased.point_of(named) == typed.point_of(config));
        feature_vector f{}, same_features{};
        const auto program = typed.features(p, f);
        CHECK(erased.features(p, same_features) == program);
        if (program) CHECK(same_features.values == f.values);
        status why, same_why;
        CHECK(erased.nest_of(named, same_why) == typed.nest_of(config, why));
        CHECK(same_why.what == why.what);
        CHECK(layout_id(erased.packed(named)) == layout_id(typed.packed(config)));
        legal += program.has_value();
        const bool jumps = i % 4 == 0;
        const tune::space_point next = jumps ? typed.random(bits) : typed.neighbour(p, bits);
        REQUIRE((jumps ? erased.random(same_bits) : erased.neighbour(p, same_bits)) == next);
        p = next;
    }
    CHECK(legal > 20);
}

template <class Space>
void check_searches(const Space& typed, const std::shared_ptr<const tune::any_space>& erased)
{
    CHECK(proposed_by_search(tune::random_searcher<Space>(typed, 5)) ==
          proposed_by_search(tune::random_searcher<tune::shared_space>(tune::shared_space(erased), 5)));
    CHECK(proposed_by_search(tune::learned_searcher<Space>(typed, 5)) ==
          proposed_by_search(tune::learned_searcher<tune::shared_space>(tune::shared_space(erased), 5)));
}

} // namespace

TEST_CASE("spaces of a list and of rows are the same space")
{
    for (const definition& d : {small_layer, odd_product}) {
        for (const isa set : {isa::baseline, isa::avx512}) {
            CAPTURE(std::string(name_of(set)));
            const tune::cpu_space typed(d, set, error_class::winograd_4);
            check_same(typed, *tune::cpu_space_of(d, set, error_class::winograd_4, nullptr));
            check_same(typed, *tune::cpu_space_of(d, set, error_class::winograd_4, as_rows<cpu_family>()));
        }
        const tune::vulkan_space on_device(d, {});
        check_same(on_device, *tune::vulkan_space_of(d, {}, error_class::winograd_6, nullptr));
        check_same(on_device, *tune::vulkan_space_of(d, {}, error_class::winograd_6, as_rows<vulkan_family>()));
    }
}

TEST_CASE("searches of a list and of rows propose the same programs")
{
    const tune::cpu_space typed(small_layer, isa::avx512, error_class::winograd_4);
    check_searches(typed, tune::cpu_space_of(small_layer, isa::avx512, error_class::winograd_4, as_rows<cpu_family>()));
}

TEST_CASE("rows are counted and rejected as the types are")
{
    const definition small = gemm<gemm_shape{.m = 3, .n = 5, .k = 4}, f32>::definition();
    const tune::space_count a = tune::cpu_space(small, isa::avx2).count();
    const tune::space_count b =
        tune::cpu_space_of(small, isa::avx2, error_class::winograd_6, as_rows<cpu_family>())->count();
    CHECK(a.raw == b.raw);
    CHECK(a.legal == b.legal);
    CHECK(a.distinct == b.distinct);
    REQUIRE(a.rejected.size() == b.rejected.size());
    for (std::size_t i = 0; i < a.rejected.size(); ++i) {
        CHECK(std::string(a.rejected[i].constraint) == b.rejected[i].constraint);
        CHECK(a.rejected[i].points == b.rejected[i].points);
    }
}

TEST_CASE("a list with a template of its own and one of hone's has the points of both, and reads configs of both")
{
    static_assert(tune::own_rows<cpu_family, gemm<gemm_shape{.m = 9}, f32>>().size == 0);
    static_assert(tune::own_rows<cpu_family, with_both>().first[0].is_shipped()); // its name alone
    static_assert(!tune::own_rows<cpu_family, with_both>().first[1].is_shipped());
    const auto own = tune::completed<cpu_family>(tune::own_rows<cpu_family, with_both>());
    const auto space = tune::cpu_space_of(with_both::definition(), isa::avx2, error_class::reassociated, own);
    const tune::cpu_space of_hone(with_both::definition(), isa::avx2, error_class::reassociated);
    CHECK(space->size() == of_hone.size() + test::narrow_knob_table[0].values.size());
    CHECK(space->standard().name == "direct");
    REQUIRE(space->others().size() == 1);
    CHECK(tune::text_of(space->others()[0]) == "narrow rows=2");

    const tune::settings three{{"rows", "3"}};
    REQUIRE_FALSE(space->wrong_config("narrow", three));
    const tune::named_config c = space->config_of("narrow", three);
    CHECK(c.errors == error_class::exact_order);
    status why;
    CHECK(space->nest_of(c, why).has_value());
    CHECK(space->point_of(c).has_value());
    CHECK(space->proof_of(c).ok());
    const auto twins = space->of(gemm<gemm_shape{.m = 2, .n = 5, .k = 5}, f32>::definition());
    REQUIRE(twins->fitted(c).has_value());
    CHECK(tune::text_of(*twins->fitted(c)) == "narrow rows=2");

    CHECK(space->wrong_config("narrow", {{"rows", "1000"}}) == "the knob 'rows' has no value '1000'");
    CHECK(space->wrong_config("narrow", {}) == "the knob 'rows' is missing");
    CHECK(space->wrong_config("winograd", {}) ==
          "there is no template 'winograd' among those of its list, direct, narrow");
    CHECK_THROWS_WITH_AS(space->config_of("wide", {}), doctest::Contains("no template 'wide'"), std::invalid_argument);
}

TEST_CASE("a list for devices is taken as one for processors is")
{
    CHECK(tune::own_rows<cpu_family, for_devices>().size == 0);
    const auto own = tune::completed<vulkan_family>(tune::own_rows<vulkan_family, for_devices>());
    REQUIRE(own != nullptr);
    const auto space = tune::vulkan_space_of(for_devices::definition(), {}, error_class::winograd_6, own);
    const tune::vulkan_space of_hone(for_devices::definition(), {});
    CHECK(space->size() == of_hone.size());
    const tune::named_config c = space->standard();
    CHECK(c.name == "again");
    CHECK(c.knobs == tune::settings_of(of_hone.standard()));
    status why;
    CHECK(space->nest_of(c, why) == of_hone.nest_of(of_hone.standard(), why));
    CHECK(space->wrong_config("direct", c.knobs) == "there is no template 'direct' among those of its list, again");
}
