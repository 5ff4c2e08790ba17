// SPDX-License-Identifier: BSL-1.0
// A cost model or a searcher of somebody's own without its type: made of a seed where it takes one, and asked as
// itself.
#include <hone/search/own_search.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>
#include <hone/tune/cpu/space.hpp>

#include "own_search.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

namespace {

struct counted : fewest_registers {
    std::uint64_t calls = 0; // the first member of a plain struct is no seed
};
struct rounded : fewest_registers {
    explicit rounded(double of = 0.5) : rate(of) {}
    double rate;
};
struct seeded : fewest_registers {
    explicit seeded(std::uint64_t of) : seed(of) {}
    void score(std::span<const tune::feature_row>, std::span<float> scores) const
    {
        scores[0] = static_cast<float>(seed);
    }
    std::uint64_t seed;
};
static_assert(!tune::own::takes_seed<counted>);
static_assert(!tune::own::takes_seed<rounded>);
static_assert(!tune::own::takes_seed<tune::gbt_model>);
static_assert(tune::own::takes_seed<seeded>);
static_assert(tune::own::takes_seed<tune::random_model>);

struct without_fit {
    bool ready() const { return true; }
    void score(std::span<const tune::feature_row>, std::span<float>) const {}
};
struct made_of_more : fewest_registers {
    made_of_more(int, int) {}
};
static_assert(tune::own::usable_model<fewest_registers>);
static_assert(tune::own::usable_model<counted>);
static_assert(tune::own::usable_model<tune::gbt_model>);
static_assert(!tune::own::usable_model<without_fit>);
static_assert(!tune::own::usable_model<made_of_more>);

struct of_other_points {
    using point = int;
    of_other_points(tune::shared_space, std::uint64_t) {}
    std::vector<tune::proposal<int>> propose(std::size_t) { return {}; }
    void tell(int, std::uint64_t, double) {}
    void exclude(std::uint64_t) {}
};
static_assert(tune::own::usable_searcher<in_order<>>);
static_assert(tune::own::usable_searcher<tune::random_searcher<tune::shared_space>>);
static_assert(tune::own::usable_searcher<tune::learned_searcher<tune::shared_space, fewest_registers>>);
static_assert(!tune::own::usable_searcher<of_other_points>);
static_assert(!tune::own::usable_searcher<fewest_registers>);

constexpr tune::own_search own_model = tune::own_cost_model<fewest_registers>();
constexpr tune::own_search by_order = tune::own_searcher<in_order<>>();

tune::shared_space small_space()
{
    return tune::shared_space(tune::cpu_space_of(gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32>::definition(),
                                                 isa::baseline, error_class::winograd_4, nullptr));
}

} // namespace

TEST_CASE("each says whose it is, and which of the two")
{
    CHECK(own_model.name.ends_with("test::fewest_registers"));
    CHECK((own_model.model != nullptr && own_model.searcher == nullptr));
    CHECK(by_order.name.find("test::in_order<") != std::string_view::npos);
    CHECK((by_order.model == nullptr && by_order.searcher != nullptr));
}

TEST_CASE("a cost model is made of the seed where it takes one, and scores as itself")
{
    feature_vector few, many;
    few(nest_feature::registers) = 2;
    many(nest_feature::registers) = 5;
    const std::array<tune::feature_row, 2> rows{tune::feature_row(few.values), tune::feature_row(many.values)};
    std::array<float, 2> scores{};
    const auto model = own_model.model(3);
    CHECK(model->ready());
    model->fit(rows, scores);
    model->score(rows, scores);
    CHECK(scores == std::array<float, 2>{-2, -5});
    constexpr tune::own_search of_seed = tune::own_cost_model<seeded>();
    of_seed.model(41)->score({rows.data(), 1}, {scores.data(), 1});
    CHECK(scores[0] == 41);
}

TEST_CASE("a searcher is made of the space and the seed, and proposes as itself")
{
    const auto erased = by_order.searcher(small_space(), 7);
    in_order<> typed(small_space(), 7);
    for (int turn = 0; turn < 3; ++turn) {
        const auto expected = typed.propose(4);
        std::vector<tune::proposal<tune::space_point>> found(4);
        REQUIRE(erased->propose(found) == 4);
        for (std::size_t i = 0; i < 4; ++i) {
            CHECK(found[i].point == expected[i].point);
            CHECK(found[i].program == expected[i].program);
            erased->tell(found[i].point, found[i].program, 1);
        }
    }
}

TEST_CASE("of more proposals than there is room for, none is written past it")
{
    const auto search = tune::own_searcher<in_order<search_mistake::too_many>>().searcher(small_space(), 7);
    std::vector<tune::proposal<tune::space_point>> found(3);
    CHECK(search->propose({found.data(), 2}) == 3);
    CHECK(found[2].program == 0);
}
