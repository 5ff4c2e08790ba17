// SPDX-License-Identifier: BSL-1.0
// The pairwise loss against its own definition, and the measures of an order on lists small enough to count by hand.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/random.hpp>
#include <hone/model/ranking.hpp>

namespace {

using namespace hone::tune;

double loss_of(const std::vector<float>& labels, const std::vector<double>& scores)
{
    double sum = 0;
    for (std::size_t i = 0; i < labels.size(); ++i)
        for (std::size_t j = 0; j < labels.size(); ++j)
            if (labels[i] > labels[j]) sum += std::log1p(std::exp(scores[j] - scores[i]));
    return sum / static_cast<double>(labels.size() - 1);
}

std::vector<derivatives> derivatives_of(const std::vector<float>& labels, const std::vector<double>& scores,
                                        int round = 0)
{
    pairwise_loss loss(labels);
    std::vector<derivatives> r(labels.size());
    loss(scores, round, r);
    return r;
}

// Pair by pair, in double.
std::vector<derivatives> expected_of(const std::vector<float>& labels, const std::vector<double>& scores)
{
    std::vector<derivatives> r(labels.size());
    const double scale = 1 / static_cast<double>(labels.size() - 1);
    for (std::size_t i = 0; i < labels.size(); ++i)
        for (std::size_t j = 0; j < labels.size(); ++j) {
            if (labels[i] == labels[j]) continue;
            const double wrong =
                1 / (1 + std::exp(labels[i] > labels[j] ? scores[i] - scores[j] : scores[j] - scores[i]));
            r[i].first += scale * (labels[i] > labels[j] ? -wrong : wrong);
            r[i].second += scale * wrong * (1 - wrong);
        }
    return r;
}

struct ranked_set {
    std::vector<float> labels{};
    std::vector<double> scores{};

    // Labels of few values are tied often.
    ranked_set(std::size_t count, std::size_t distinct)
    {
        xoshiro256 bits(count);
        for (std::size_t i = 0; i < count; ++i) {
            labels.push_back(static_cast<float>(bits.below(distinct)));
            scores.push_back(4 * bits.unit() - 2);
        }
    }
};

} // namespace

TEST_CASE("two rows have the derivatives worked out by hand")
{
    const auto d = derivatives_of({1, 0}, {0, 0});
    CHECK(d[0].first == doctest::Approx(-0.5));
    CHECK(d[1].first == doctest::Approx(0.5));
    CHECK(d[0].second == doctest::Approx(0.25));
    CHECK(d[1].second == doctest::Approx(0.25));
    // exp(ln 3) / (1 + exp(ln 3)) = 3/4
    const auto wrong = derivatives_of({1, 0}, {0, std::log(3.0)});
    CHECK(wrong[0].first == doctest::Approx(-0.75));
    CHECK(wrong[1].second == doctest::Approx(0.1875));
}

TEST_CASE("first derivatives are the slope of the loss")
{
    ranked_set s(37, 12);
    const auto d = derivatives_of(s.labels, s.scores);
    for (std::size_t i = 0; i < s.labels.size(); ++i) {
        const double h = 1e-5;
        auto up = s.scores, down = s.scores;
        up[i] += h;
        down[i] -= h;
        CHECK(d[i].first == doctest::Approx((loss_of(s.labels, up) - loss_of(s.labels, down)) / (2 * h)).epsilon(1e-4));
    }
}

TEST_CASE("blocks of rows give what pairs give, whatever is tied")
{
    for (std::size_t count : {2u, 15u, 16u, 17u, 100u, 333u})
        for (std::size_t distinct : {1u, 2u, 9u, 100000u}) {
            CAPTURE(count);
            CAPTURE(distinct);
            const ranked_set s(count, distinct);
            const auto found = derivatives_of(s.labels, s.scores);
            const auto expected = expected_of(s.labels, s.scores);
            for (std::size_t i = 0; i < count; ++i) {
                REQUIRE(found[i].first == doctest::Approx(expected[i].first).epsilon(1e-4));
                REQUIRE(found[i].second == doctest::Approx(expected[i].second).epsilon(1e-4));
            }
        }
}

TEST_CASE("rounds over a large set average to all of its pairs")
{
    const ranked_set s(2 * pairwise_loss::most_compared + 100, 5000);
    const auto expected = expected_of(s.labels, s.scores);
    std::vector<derivatives> sum(s.labels.size());
    for (int round = 0; round < 3; ++round) {
        const auto part = derivatives_of(s.labels, s.scores, round);
        for (std::size_t i = 0; i < sum.size(); ++i) {
            sum[i].first += part[i].first / 3;
            sum[i].second += part[i].second / 3;
        }
    }
    for (std::size_t i = 0; i < sum.size(); ++i) {
        REQUIRE(sum[i].first == doctest::Approx(expected[i].first).epsilon(1e-3));
        REQUIRE(sum[i].second == doctest::Approx(expected[i].second).epsilon(1e-3));
    }
}

TEST_CASE("scores far apart neither overflow nor weigh nothing")
{
    const auto d = derivatives_of({3, 2, 1}, {-1e6, 0, 1e6});
    CHECK(d[0].first < -0.5);
    CHECK(d[2].first == doctest::Approx(1));
    for (const derivatives& one : d) {
        CHECK(std::isfinite(one.first));
        CHECK(one.second > 0);
    }
}

TEST_CASE("recall averages the share that both lists have in common")
{
    const std::vector<float> labels{0.9f, 0.7f, 0.5f, 0.3f};
    const auto ranking = order_of<float>(labels);
    CHECK(ranking == std::vector<std::int32_t>{0, 1, 2, 3});
    CHECK(average_recall(ranking, std::vector<double>{4, 3, 2, 1}, 4) == doctest::Approx(1));
    CHECK(average_recall(ranking, std::vector<double>{3, 4, 2, 1}, 4) == doctest::Approx(3.0 / 4));
    CHECK(average_recall(ranking, std::vector<double>{1, 2, 3, 4}, 2) == doctest::Approx(0));
    // {}, {1} of 2, {0, 1} of 3
    CHECK(average_recall(ranking, std::vector<double>{2, 3, 1, 4}, 3) == doctest::Approx((0 + 0.5 + 2.0 / 3) / 3));
    CHECK(average_recall({}, {}, 4) == 1);
}

TEST_CASE("pair accuracy counts pairs in order")
{
    const std::vector<float> labels{1, 2, 3, 3};
    CHECK(pair_accuracy(labels, std::vector<float>{1, 2, 3, 4}) == 1);
    CHECK(pair_accuracy(labels, std::vector<float>{4, 3, 2, 1}) == 0);
    CHECK(pair_accuracy(labels, std::vector<float>{0, 0, 0, 0}) == 0.5);
    CHECK(pair_accuracy(labels, std::vector<float>{1, 0, 2, 3}) == doctest::Approx(0.8)); // 4 of 5
    CHECK(pair_accuracy(std::vector<float>{1, 1}, std::vector<float>{0, 1}) == 0.5);
}
