// SPDX-License-Identifier: BSL-1.0
// What a project's own cost model or searcher does wrong is one sentence that names it, at once: nothing is scored by
// what is no number, and no program is proposed that is not what it is called.
#include <hone/search/checked_search.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/search/search.hpp>
#include <hone/tune/cpu/space.hpp>

#include "../../examples/custom_operator/roofline.hpp"
#include "../../examples/custom_operator/shuffled.hpp"
#include "own_search.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

namespace {

tune::shared_space layer_space()
{
    constexpr definition chosen_layer =
        conv2d<conv2d_shape{.h = 9, .w = 9, .ic = 8, .oc = 24, .kh = 3, .kw = 3, .pad = 1}, f32>::definition();
    return tune::shared_space(tune::cpu_space_of(chosen_layer, isa::avx2, error_class::winograd_4, nullptr));
}

// The sentence with which f() ends; nothing where it does not.
template <class F>
std::string said(F&& f)
{
    try {
        f();
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return {};
}
void check_said(const std::string& sentence, const char* who, const char* what)
{
    CAPTURE(sentence);
    CHECK(sentence.starts_with("the "));
    CHECK(sentence.find(who) != std::string::npos);
    CHECK(sentence.find(what) != std::string::npos);
    CHECK(sentence.ends_with(", or tune with --search model; what was measured is kept"));
}

template <model_mistake Mistake>
std::string said_by_model()
{
    return said([] {
        tune::checked_model model(tune::own_cost_model<wrong_model<Mistake>>(), 1);
        const feature_vector f;
        const tune::feature_row row(f.values);
        float score = 1;
        model.fit({&row, 1}, {&score, 1});
        model.score({&row, 1}, {&score, 1});
        CHECK(model.ready());
        CHECK(score == 1);
    });
}
template <search_mistake Mistake>
std::string said_by_searcher(std::size_t count = 4)
{
    return said([&] {
        tune::checked_searcher search(tune::own_searcher<in_order<Mistake>>(), layer_space(), 2);
        std::vector<tune::proposal<tune::space_point>> found(count);
        const std::size_t proposed = search.propose(found);
        CHECK(proposed == count);
    });
}

struct unmade : fewest_registers {
    unmade() { throw std::runtime_error("no weights.bin"); }
};

} // namespace

static_assert(tune::cost_model<tune::checked_model>);

TEST_CASE("a cost model without mistake is left alone") { CHECK(said_by_model<model_mistake::none>().empty()); }

TEST_CASE("each mistake of a cost model is named")
{
    const char* const who = "test::wrong_model<";
    check_said(said_by_model<model_mistake::throws_in_fit>(), who,
               "> throws in fit(): no memory for a network; mend that");
    check_said(said_by_model<model_mistake::throws_a_number>(), who, "fit(): an exception that is no std::exception");
    check_said(said_by_model<model_mistake::no_number>(), who, "gives the score nan in score(); give a finite number");
    check_said(said_by_model<model_mistake::infinite>(), who, "gives the score -inf in score()");
    check_said(said_by_model<model_mistake::too_few_scores>(), who,
               "gives the score nan in score(); give a finite "
               "number for each row");
    check_said(said([] { tune::checked_model(tune::own_cost_model<unmade>(), 1); }), "the cost model ",
               "throws in its constructor: no weights.bin; mend that");
}

TEST_CASE("a searcher without mistake proposes all that it has, once, and knows what was measured beside it")
{
    tune::checked_searcher search(tune::own_searcher<in_order<>>(), layer_space(), 2);
    std::vector<tune::proposal<tune::space_point>> found(4);
    REQUIRE(search.propose(found) == 4);
    search.tell(found[0].point, found[0].program, 2);
    search.exclude(17);
    CHECK(search.propose(found) == 4);
}

TEST_CASE("the cost model and the searcher of the example make no mistake, and the seed gives what they propose")
{
    tune::checked_model roofline(tune::own_cost_model<audio::roofline>(), 1);
    REQUIRE(roofline.ready());
    const auto proposed_with = [&](std::uint64_t seed) {
        tune::checked_searcher search(tune::own_searcher<audio::shuffled>(), layer_space(), seed);
        std::vector<tune::proposal<tune::space_point>> all;
        for (int turn = 0; turn < 4; ++turn) {
            std::vector<tune::proposal<tune::space_point>> some(8);
            REQUIRE(search.propose(some) == 8);
            for (const auto& p : some) search.tell(p.point, p.program, 1);
            all.insert(all.end(), some.begin(), some.end());
        }
        std::vector<std::uint64_t> programs;
        for (const auto& p : all) programs.push_back(p.program);
        return std::pair(all, programs);
    };
    const auto [first, programs] = proposed_with(3);
    CHECK(proposed_with(3).second == programs);
    CHECK(proposed_with(4).second != programs);
    std::set<float> scores;
    for (const auto& p : first) {
        feature_vector f;
        REQUIRE(layer_space().features(p.point, f).has_value());
        const tune::feature_row row(f.values);
        float score = 0;
        roofline.score({&row, 1}, {&score, 1});
        scores.insert(score);
    }
    CHECK(scores.size() > 4); // it tells them apart
}

TEST_CASE("each mistake of a searcher is named")
{
    const char* const who = "test::in_order<";
    check_said(said_by_searcher<search_mistake::throws>(), who, "throws in propose(): out of ideas; mend that");
    check_said(said_by_searcher<search_mistake::too_many>(), who, "proposes 5 programs where 4 are asked for; give no");
    check_said(said_by_searcher<search_mistake::again>(), who, ", which was proposed, told or excluded before; rem");
    check_said(said_by_searcher<search_mistake::illegal>(40), who, "proposes an illegal point; give those of which");
    check_said(said_by_searcher<search_mistake::made_up>(), who, "proposes an illegal point; give those of which");
    check_said(said_by_searcher<search_mistake::other_program>(), who, "; give what the features of the point come");
    check_said(said_by_searcher<search_mistake::no_score>(), who, "proposes a program with the score nan; give a");
}

TEST_CASE("what was told or excluded is no proposal any more")
{
    struct repeats {
        using point = tune::space_point;
        repeats(const tune::shared_space& space, std::uint64_t seed) : search(space, seed) {}
        std::vector<tune::proposal<point>> propose(std::size_t count)
        {
            if (first.empty()) first = search.propose(count);
            return first;
        }
        void tell(const point&, std::uint64_t, double) {}
        void exclude(std::uint64_t) {}
        in_order<> search;
        std::vector<tune::proposal<point>> first{};
    };
    std::vector<tune::proposal<tune::space_point>> known(1), found(1);
    tune::checked_searcher(tune::own_searcher<repeats>(), layer_space(), 2).propose(known);
    const auto propose_after = [&](auto knows) {
        return said([&] {
            tune::checked_searcher search(tune::own_searcher<repeats>(), layer_space(), 2);
            knows(search);
            search.propose(found);
        });
    };
    const char* const expected = "which was proposed, told or excluded before";
    check_said(propose_after([&](auto& s) { s.tell(known[0].point, known[0].program, 1); }), "the searcher ", expected);
    check_said(propose_after([&](auto& s) { s.exclude(known[0].program); }), "the searcher ", expected);
    CHECK(propose_after([](auto&) {}).empty());
}
