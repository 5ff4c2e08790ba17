// SPDX-License-Identifier: BSL-1.0
// Gradient-boosted regression trees: second-order boosting with regularised leaves (Chen and Guestrin, "XGBoost: A
// Scalable Tree Boosting System", 2016, equations 5 to 7), for a few thousand rows of a thousand columns.
//
//   a leaf of rows I     w = -G / (H + lambda),   G = sum over I of g_i,   H = sum over I of h_i
//   a split into L, R    gain = 1/2 [G_L^2 / (H_L + lambda) + G_R^2 / (H_R + lambda) - G^2 / (H + lambda)] - gamma
//   a round              f(x) += eta * w(leaf of x)
//
// with g, h the derivatives of the loss by the score of a row. Nothing is drawn: the same rows give the same trees.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <hone/model/column_bins.hpp>
#include <hone/model/ranking.hpp>

namespace hone::tune {

enum class objective : std::uint8_t {
    rank,       // the order of the labels only: pairwise logistic loss; scores have no scale
    regression, // the labels themselves: half the squared error
};

// Defaults are those of the paper's implementation, except that it allows 8000 rounds.
struct gbt_parameters {
    tune::objective objective = objective::rank;
    int depth = 3;
    double eta = 0.3;
    double lambda = 1;
    double gamma = 1e-4;
    double min_child_weight = 1; // least H on either side of a split
    int rounds = 500;
    int patience = 20;  // rounds without a better recall of the training rows, then it stops; 0: it does not
    int recall_at = 64; // of so many best rows
};

class gbt {
public:
    static constexpr int most_depth = 8;

    explicit gbt(const gbt_parameters& parameters = {}) : parameters_(parameters)
    {
        if (parameters.depth < 1 || parameters.depth > most_depth)
            throw std::invalid_argument("hone::tune::gbt: a tree has 1 to 8 levels; expected depth in [1, 8], found " +
                                        std::to_string(parameters.depth));
    }

    // Replaces what was learnt before. Rows whose label is not finite are left out. About 1 ms a round of 1,000 rows
    // with 250 columns that vary (bench/model.cpp).
    void fit(std::span<const feature_row> rows, std::span<const float> labels)
    {
        if (rows.size() != labels.size())
            throw std::invalid_argument("hone::tune::gbt::fit: each row needs a label; expected " +
                                        std::to_string(rows.size()) + " labels, found " +
                                        std::to_string(labels.size()));
        columns_ = rows.empty() ? 0 : rows[0].size();
        std::vector<feature_row> kept_rows;
        std::vector<float> kept_labels;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            check(rows[i]);
            if (!std::isfinite(labels[i])) continue;
            kept_rows.push_back(rows[i]);
            kept_labels.push_back(labels[i]);
        }
        splits_.clear();
        leaves_.clear();
        base_ = 0;
        if (!kept_rows.empty()) boost(column_bins(kept_rows), kept_labels);
    }

    // The score of a row: larger is better, as labels are. Values that are not numbers are below all others.
    float predict(feature_row row) const
    {
        if (!leaves_.empty()) check(row);
        double sum = base_;
        const float* const values = row.data();
        const split* nodes = splits_.data();
        const std::size_t inner = inner_nodes();
        for (const float *leaf = leaves_.data(), *end = leaf + leaves_.size(); leaf != end;
             leaf += inner + 1, nodes += inner) {
            std::size_t at = 0;
            for (int level = 0; level < parameters_.depth; ++level)
                at = 2 * at + (values[nodes[at].column] >= nodes[at].threshold ? 2 : 1);
            sum += static_cast<double>(leaf[at - inner]);
        }
        return static_cast<float>(sum);
    }
    void predict(std::span<const feature_row> rows, std::span<float> scores) const
    {
        for (std::size_t i = 0; i < rows.size(); ++i) scores[i] = predict(rows[i]);
    }

    std::size_t trees() const { return leaves_.size() / (inner_nodes() + 1); }

private:
    // Row goes to the right child where its value is at least the threshold. NaN: all go left, the node was not split.
    struct split {
        std::int32_t column = 0;
        float threshold = std::numeric_limits<float>::quiet_NaN();
    };
    struct candidate {
        double gain = 0;              // a split has to gain something
        std::int32_t column = -1;     // of the bins
        std::uint8_t first_right = 0; // bin
        float threshold = 0;
    };

    std::size_t inner_nodes() const { return (std::size_t{1} << parameters_.depth) - 1; }
    void check(feature_row row) const
    {
        if (row.size() != columns_)
            throw std::invalid_argument(
                "hone::tune::gbt: rows have the columns of the rows it was fitted to; expected " +
                std::to_string(columns_) + ", found " + std::to_string(row.size()));
    }

    void boost(const column_bins& x, std::span<const float> labels)
    {
        const bool ranks = parameters_.objective == objective::rank;
        if (!ranks) {
            for (float y : labels) base_ += static_cast<double>(y);
            base_ /= static_cast<double>(labels.size());
        }
        const auto ranking = order_of(labels);
        pairwise_loss pairwise(labels);
        std::vector<double> scores(labels.size(), base_);
        std::vector<derivatives> loss(labels.size());
        double best_recall = -1;
        int best_round = 0;
        for (int round = 0; round < parameters_.rounds; ++round) {
            if (ranks)
                pairwise(scores, round, loss);
            else
                for (std::size_t i = 0; i < labels.size(); ++i)
                    loss[i] = {scores[i] - static_cast<double>(labels[i]), 1};
            if (!grow(x, loss, scores)) break;
            if (parameters_.patience == 0 || round % 2 == 0) continue;
            const double recall = average_recall(ranking, scores, static_cast<std::size_t>(parameters_.recall_at));
            if (recall > best_recall) {
                best_recall = recall;
                best_round = round;
            }
            if (round - best_round >= parameters_.patience) break;
        }
    }

    // Adds a tree, level by level, and its leaves to the scores; false where not even the root can be split.
    bool grow(const column_bins& x, std::span<const derivatives> loss, std::span<double> scores)
    {
        const std::size_t first_split = splits_.size();
        std::vector<std::uint8_t> node_of(x.rows(), 0); // in its level
        splits_.resize(first_split + inner_nodes());
        for (int level = 0; level < parameters_.depth; ++level) {
            const std::size_t nodes = std::size_t{1} << level;
            const auto best = best_splits(x, loss, node_of, nodes);
            bool any = false;
            for (std::size_t n = 0; n < nodes; ++n) {
                if (best[n].column < 0) continue;
                splits_[first_split + nodes - 1 + n] = {x[static_cast<std::size_t>(best[n].column)].source,
                                                        best[n].threshold};
                any = true;
            }
            if (level == 0 && !any) {
                splits_.resize(first_split);
                return false;
            }
            for (std::size_t r = 0; r < x.rows(); ++r) {
                const candidate& b = best[node_of[r]];
                const bool right = b.column >= 0 && x.bin(static_cast<std::size_t>(b.column), r) >= b.first_right;
                node_of[r] = static_cast<std::uint8_t>(2 * node_of[r] + (right ? 1 : 0));
            }
        }
        const std::size_t leaves = inner_nodes() + 1;
        std::vector<derivatives> total(leaves);
        for (std::size_t r = 0; r < x.rows(); ++r) {
            total[node_of[r]].first += loss[r].first;
            total[node_of[r]].second += loss[r].second;
        }
        const std::size_t first_leaf = leaves_.size();
        for (const derivatives& t : total)
            leaves_.push_back(t.second + parameters_.lambda > 0
                                  ? static_cast<float>(-parameters_.eta * t.first / (t.second + parameters_.lambda))
                                  : 0.0f);
        for (std::size_t r = 0; r < x.rows(); ++r) scores[r] += static_cast<double>(leaves_[first_leaf + node_of[r]]);
        return true;
    }

    // For each node of a level the split that gains most; the first of equal ones.
    std::vector<candidate> best_splits(const column_bins& x, std::span<const derivatives> loss,
                                       std::span<const std::uint8_t> node_of, std::size_t nodes)
    {
        constexpr std::size_t width = column_bins::tile_columns;
        std::vector<candidate> best(nodes);
        std::vector<derivatives> total(nodes);
        for (std::size_t r = 0; r < x.rows(); ++r) {
            total[node_of[r]].first += loss[r].first;
            total[node_of[r]].second += loss[r].second;
        }
        for (std::size_t t = 0; t < x.tiles(); ++t) {
            // Eight columns at a time: their sums do not wait for each other, and stay in the nearest cache.
            const std::size_t bins = x.most_bins_of_tile(t);
            histogram_.assign(nodes * width * bins, {}); // (nodes, tile_columns, bins)
            const std::uint8_t* bin = x.tile(t);
            for (std::size_t r = 0; r < x.rows(); ++r, bin += width) {
                derivatives* of_node = histogram_.data() + node_of[r] * width * bins;
                for (std::size_t k = 0; k < width; ++k) {
                    derivatives& sum = of_node[k * bins + bin[k]];
                    sum.first += loss[r].first;
                    sum.second += loss[r].second;
                }
            }
            for (std::size_t k = 0; k < width && t * width + k < x.columns(); ++k)
                for (std::size_t n = 0; n < nodes; ++n)
                    scan(x, t * width + k, total[n], histogram_.data() + (n * width + k) * bins, best[n]);
        }
        return best;
    }

    void scan(const column_bins& x, std::size_t column, const derivatives& total, const derivatives* sums,
              candidate& best) const
    {
        const column_bins::column& values = x[column];
        const double lambda = parameters_.lambda;
        const double unsplit = total.first * total.first / (total.second + lambda);
        derivatives left;
        std::size_t before = values.low.size(); // the last bin with rows of the node
        for (std::size_t b = 0; b < values.low.size(); ++b) {
            if (!(sums[b].second > 0)) continue;
            const std::size_t neighbour = before;
            before = b;
            if (left.second >= parameters_.min_child_weight && neighbour < values.low.size()) {
                const derivatives right{total.first - left.first, total.second - left.second};
                if (right.second < parameters_.min_child_weight) return;
                const double gain = 0.5 * (left.first * left.first / (left.second + lambda) +
                                           right.first * right.first / (right.second + lambda) - unsplit) -
                                    parameters_.gamma;
                if (gain > best.gain)
                    best = {gain, static_cast<std::int32_t>(column), static_cast<std::uint8_t>(b),
                            threshold_between(values.high[neighbour], values.low[b])};
            }
            left.first += sums[b].first;
            left.second += sums[b].second;
        }
    }

    gbt_parameters parameters_;
    std::size_t columns_ = 0;
    double base_ = 0;
    std::vector<split> splits_{}; // (trees, inner nodes), each tree level by level
    std::vector<float> leaves_{}; // (trees, leaves)
    std::vector<derivatives> histogram_{};
};

} // namespace hone::tune
