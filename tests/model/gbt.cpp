// SPDX-License-Identifier: BSL-1.0
// Boosted trees: a split and its leaves worked out by hand, functions that they have to learn, and what their order of
// rows must not depend on.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/gbt.hpp>
#include <hone/model/random.hpp>

namespace {

using namespace hone::tune;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

struct data {
    std::vector<std::vector<float>> rows{};
    std::vector<float> labels{};

    std::vector<feature_row> spans() const { return {rows.begin(), rows.end()}; }
    void fit(gbt& model) const { model.fit(spans(), labels); }
    std::vector<float> scores(const gbt& model) const
    {
        std::vector<float> r(rows.size());
        model.predict(spans(), r);
        return r;
    }
};

// Uniform in [0, 1), and labels of them.
template <class Function>
data drawn(std::size_t rows, std::size_t columns, std::uint64_t seed, Function&& label)
{
    xoshiro256 bits(seed);
    data d;
    for (std::size_t r = 0; r < rows; ++r) {
        auto& row = d.rows.emplace_back();
        for (std::size_t c = 0; c < columns; ++c) row.push_back(static_cast<float>(bits.unit()));
        d.labels.push_back(static_cast<float>(label(row)));
    }
    return d;
}

float piecewise(const std::vector<float>& x)
{
    return x[2] < 0.3f ? 0.1f : x[5] < 0.6f ? 0.9f : x[0] < 0.5f ? 0.4f : 0.6f;
}
double smooth(const std::vector<float>& x)
{
    return std::sin(3 * static_cast<double>(x[1])) * static_cast<double>(x[4]) + 0.5 * static_cast<double>(x[7]);
}

// Of 1: the share of the variance of the labels that the scores explain.
double explained(const std::vector<float>& labels, const std::vector<float>& scores)
{
    const double mean = std::accumulate(labels.begin(), labels.end(), 0.0) / static_cast<double>(labels.size());
    double error = 0, variance = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        error += std::pow(static_cast<double>(labels[i] - scores[i]), 2);
        variance += std::pow(static_cast<double>(labels[i]) - mean, 2);
    }
    return 1 - error / variance;
}

// One tree of one split, with no shrinkage.
gbt_parameters stump(objective of)
{
    return {.objective = of, .depth = 1, .eta = 1, .gamma = 0, .min_child_weight = 0, .rounds = 1, .patience = 0};
}

} // namespace

TEST_CASE("one split of a regression has the threshold, gain and leaves worked out by hand")
{
    // Mean 1/2; g = 1/2 on the left, -1/2 on the right, h = 1. G = +-1, H = 2, w = -+1/3.
    // gain = 1/2 (1/3 + 1/3 - 0) = 1/3
    const data d{{{7, 0}, {7, 0}, {7, 1}, {7, 1}}, {0, 0, 1, 1}};
    gbt model(stump(objective::regression));
    d.fit(model);
    CHECK(model.trees() == 1);
    CHECK(model.predict(std::vector<float>{7, 0}) == doctest::Approx(0.5 - 1.0 / 3));
    CHECK(model.predict(std::vector<float>{7, 1}) == doctest::Approx(0.5 + 1.0 / 3));
    CHECK(model.predict(std::vector<float>{7, 0.4999f}) == model.predict(std::vector<float>{7, 0}));
    CHECK(model.predict(std::vector<float>{7, 0.5f}) == model.predict(std::vector<float>{7, 1}));

    auto p = stump(objective::regression);
    p.gamma = 0.34; // above the gain
    gbt costly(p);
    d.fit(costly);
    CHECK(costly.trees() == 0);
    CHECK(costly.predict(std::vector<float>{7, 1}) == doctest::Approx(0.5));
    p.gamma = 0.33;
    gbt cheap(p);
    d.fit(cheap);
    CHECK(cheap.trees() == 1);

    p = stump(objective::regression);
    p.min_child_weight = 2.5; // above H of either side
    gbt heavy(p);
    d.fit(heavy);
    CHECK(heavy.trees() == 0);

    p = stump(objective::regression);
    p.eta = 0.3;
    p.lambda = 3; // w = -+0.3 / (2 + 3)
    gbt shrunk(p);
    d.fit(shrunk);
    CHECK(shrunk.predict(std::vector<float>{7, 1}) == doctest::Approx(0.5 + 0.06));
}

TEST_CASE("one split of a ranking has the leaves worked out by hand")
{
    // One pair: g = -+1/2, h = 1/4, w = +-(1/2) / (1/4 + 1).
    const data d{{{0}, {1}}, {0.2f, 0.7f}};
    gbt model(stump(objective::rank));
    d.fit(model);
    CHECK(model.predict(std::vector<float>{0}) == doctest::Approx(-0.4));
    CHECK(model.predict(std::vector<float>{1}) == doctest::Approx(0.4));
}

TEST_CASE("a tree of two levels parts what needs two features")
{
    // 1 where both are 1, of a set that is not even.
    const data d{{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 1}}, {0, 0, 0, 1, 1}};
    gbt model({.objective = objective::regression, .depth = 2, .min_child_weight = 0, .rounds = 60, .patience = 0});
    d.fit(model);
    for (std::size_t i = 0; i < d.rows.size(); ++i) CHECK(std::fabs(model.predict(d.rows[i]) - d.labels[i]) < 0.05f);
}

TEST_CASE("a piecewise function of 3 of 40 columns is learnt from 400 rows")
{
    const data training = drawn(400, 40, 1, piecewise), others = drawn(500, 40, 2, piecewise);
    gbt model({.objective = objective::regression, .patience = 0});
    training.fit(model);
    CHECK(explained(training.labels, training.scores(model)) > 0.98);
    CHECK(explained(others.labels, others.scores(model)) > 0.95);
}

TEST_CASE("both objectives order rows that they have not seen")
{
    const data training = drawn(500, 30, 3, smooth), others = drawn(400, 30, 4, smooth);
    for (objective o : {objective::rank, objective::regression}) {
        CAPTURE(static_cast<int>(o));
        gbt model({.objective = o});
        training.fit(model);
        CHECK(pair_accuracy(others.labels, others.scores(model)) > 0.9);
    }
    // Chance, where labels have nothing to do with features.
    data noise = training;
    std::reverse(noise.labels.begin(), noise.labels.end());
    gbt model;
    noise.fit(model);
    CHECK(pair_accuracy(others.labels, others.scores(model)) < 0.65);
}

TEST_CASE("a ranking sees the order of labels alone")
{
    const data training = drawn(200, 12, 5, smooth);
    // Eight decades: nearly all of the squared error is in a handful of rows.
    data stretched = training, others = drawn(300, 12, 6, smooth);
    for (float& y : stretched.labels) y = std::exp(12 * y);
    gbt by_rank, of_stretched;
    training.fit(by_rank);
    stretched.fit(of_stretched);
    CHECK(others.scores(by_rank) == others.scores(of_stretched));

    gbt by_value({.objective = objective::regression});
    stretched.fit(by_value);
    const double ranked = pair_accuracy(others.labels, others.scores(of_stretched));
    CHECK(ranked > 0.88);
    CHECK(ranked > pair_accuracy(others.labels, others.scores(by_value)) + 0.02);
}

TEST_CASE("the order of columns, copies of them and constant ones change nothing")
{
    const data training = drawn(150, 9, 7, smooth), others = drawn(150, 9, 8, smooth);
    const auto changed = [](const data& from) {
        data to = from;
        for (auto& row : to.rows) {
            const auto copy = row;
            std::reverse(row.begin(), row.end());
            row.insert(row.begin() + 3, 42.0f);
            row.push_back(not_a_number);
            row.push_back(copy[4]);
            row.push_back(copy[0]);
        }
        return to;
    };
    for (objective o : {objective::rank, objective::regression}) {
        CAPTURE(static_cast<int>(o));
        gbt plain({.objective = o}), other({.objective = o});
        training.fit(plain);
        changed(training).fit(other);
        CHECK(plain.trees() > 5);
        CHECK(others.scores(plain) == changed(others).scores(other));
    }
}

TEST_CASE("the scale of a column does not matter to the rows that were seen")
{
    const data training = drawn(150, 9, 9, smooth);
    data scaled = training;
    for (auto& row : scaled.rows) {
        row[1] = std::exp(5 * row[1]);
        row[4] = 1000 * row[4] - 7;
    }
    gbt plain, other;
    training.fit(plain);
    scaled.fit(other);
    CHECK(training.scores(plain) == scaled.scores(other));
}

TEST_CASE("the same rows give the same model, whatever it learnt before")
{
    const data training = drawn(300, 20, 10, smooth), others = drawn(100, 20, 11, piecewise);
    gbt first, second;
    training.fit(first);
    others.fit(second);
    training.fit(second);
    CHECK(others.scores(first) == others.scores(second));
    CHECK(first.trees() == second.trees());
}

TEST_CASE("values that are not finite have a place, labels that are not are left out")
{
    data d = drawn(120, 6, 12, piecewise);
    for (std::size_t r = 0; r < d.rows.size(); ++r) {
        if (r % 5 == 0) d.rows[r][5] = infinity;
        if (r % 7 == 0) d.rows[r][2] = -infinity;
        if (r % 11 == 0) d.rows[r][0] = not_a_number;
        d.labels[r] = piecewise(d.rows[r]);
    }
    data finite = d;
    d.rows.push_back({1, 1, 1, 1, 1, 1});
    d.labels.push_back(not_a_number);
    d.rows.push_back({0, 0, 0, 0, 0, 0});
    d.labels.push_back(infinity);
    gbt model({.objective = objective::regression, .patience = 0}), of_finite(model);
    d.fit(model);
    finite.fit(of_finite);
    CHECK(d.scores(model) == d.scores(of_finite));
    CHECK(explained(finite.labels, finite.scores(model)) > 0.95);
    // NaN is below all others.
    for (auto row : finite.rows)
        for (float& v : row) {
            const float before = v;
            v = not_a_number;
            const float as_nan = model.predict(row);
            v = -infinity;
            CHECK(as_nan == model.predict(row));
            v = before;
        }
    const std::vector<float> all_nan(6, not_a_number);
    CHECK(std::isfinite(model.predict(all_nan)));
}

TEST_CASE("more than 2,000 rows of more than 256 values are learnt too")
{
    const data training = drawn(2300, 10, 13, smooth), others = drawn(300, 10, 14, smooth);
    gbt model({.rounds = 60});
    training.fit(model);
    CHECK(pair_accuracy(others.labels, others.scores(model)) > 0.93);
}

TEST_CASE("sets that say nothing make no trees")
{
    for (objective o : {objective::rank, objective::regression}) {
        CAPTURE(static_cast<int>(o));
        gbt model({.objective = o});
        CHECK(model.predict(std::vector<float>{1, 2, 3}) == 0);
        data{}.fit(model);
        CHECK(model.trees() == 0);
        data{{{1, 2}}, {0.5f}}.fit(model);
        CHECK(model.trees() == 0);
        data{{{1, 2}, {3, 4}, {5, 6}}, {0.5f, 0.5f, 0.5f}}.fit(model); // equal labels
        CHECK(model.trees() == 0);
        CHECK(model.predict(std::vector<float>{1, 2}) == doctest::Approx(o == objective::rank ? 0 : 0.5));
        data{{{1, 2}, {1, 2}, {1, 2}}, {0.1f, 0.5f, 0.9f}}.fit(model); // equal rows
        CHECK(model.trees() == 0);
        data{{{}, {}}, {0, 1}}.fit(model);
        CHECK(model.trees() == 0);
        data{{{1, 2}, {3, 4}}, {not_a_number, infinity}}.fit(model);
        CHECK(model.trees() == 0);
    }
}

TEST_CASE("training stops once the rows it sees are in order")
{
    const data d = drawn(64, 10, 15, smooth);
    gbt model;
    d.fit(model);
    CHECK(model.trees() > 5);
    CHECK(model.trees() < 500);
    CHECK(pair_accuracy(d.labels, d.scores(model)) > 0.97);
}

TEST_CASE("faults of the caller are told")
{
    gbt model;
    const std::vector<std::vector<float>> rows{{1, 2}, {3, 4}, {2, 1}}, ragged{{1, 2}, {3}};
    const std::vector<float> labels{0, 1, 0.5f};
    CHECK_THROWS_WITH_AS(model.fit(std::vector<feature_row>(rows.begin(), rows.end()), std::vector<float>{1}),
                         doctest::Contains("expected 3 labels, found 1"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(model.fit(std::vector<feature_row>(ragged.begin(), ragged.end()), std::vector<float>{0, 1}),
                         doctest::Contains("expected 2, found 1"), std::invalid_argument);
    gbt small({.min_child_weight = 0});
    small.fit(std::vector<feature_row>(rows.begin(), rows.end()), labels);
    REQUIRE(small.trees() > 0);
    CHECK_THROWS_WITH_AS(small.predict(std::vector<float>{1, 2, 3}), doctest::Contains("expected 2, found 3"),
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(gbt({.depth = 0}), doctest::Contains("found 0"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(gbt({.depth = 9}), doctest::Contains("found 9"), std::invalid_argument);
}
