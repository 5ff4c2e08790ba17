// SPDX-License-Identifier: BSL-1.0
// What a search asks of a cost model, f^ of the paper's Algorithm 1 (Chen et al., "Learning to Optimize Tensor
// Programs", 2018): learn from what was measured, then put candidates in order. Gradient-boosted trees, and chance.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include <hone/model/feature_vector.hpp>
#include <hone/model/gbt.hpp>
#include <hone/model/random.hpp>

namespace hone::tune {

// `fit` replaces what was learnt before. Until `ready`, scores say nothing. A higher score is a faster program; only
// scores of one model between two fits can be compared.
template <class Model>
concept cost_model = requires(Model& model, const Model& fitted, std::span<const feature_row> rows,
                              std::span<const float> labels, std::span<float> scores) {
    model.fit(rows, labels);
    requires std::same_as<decltype(fitted.ready()), bool>;
    fitted.score(rows, scores);
};

// Measured programs as a model learns from them. The label is throughput over the best throughput so far:
//
//   c_i = min over j of ms_j / ms_i, 0 for what failed
class measured_set {
public:
    measured_set() = default;
    measured_set(const measured_set&) = delete; // rows refer to the features here
    measured_set& operator=(const measured_set&) = delete;

    void add(const feature_vector& features, double ms)
    {
        features_.push_back(features);
        rows_.emplace_back(features_.back().values);
        ms_.push_back(std::isfinite(ms) && ms > 0 ? ms : 0);
    }
    // What did not compile, crashed or gave wrong results.
    void add_failed(const feature_vector& features) { add(features, 0); }

    std::size_t size() const { return ms_.size(); }
    std::span<const feature_row> rows() const { return rows_; }
    std::vector<float> labels() const
    {
        double best = 0;
        for (double ms : ms_)
            if (ms > 0 && (best == 0 || ms < best)) best = ms;
        std::vector<float> r;
        for (double ms : ms_) r.push_back(ms > 0 ? static_cast<float>(best / ms) : 0.0f);
        return r;
    }

private:
    std::deque<feature_vector> features_{}; // stay where they are
    std::vector<feature_row> rows_{};
    std::vector<double> ms_{};
};

class gbt_model {
public:
    explicit gbt_model(const gbt_parameters& parameters = {}) : trees_(parameters) {}

    void fit(std::span<const feature_row> rows, std::span<const float> labels) { trees_.fit(rows, labels); }
    // It has found a feature that tells programs apart.
    bool ready() const { return trees_.trees() > 0; }
    void score(std::span<const feature_row> rows, std::span<float> scores) const { trees_.predict(rows, scores); }
    const gbt& trees() const { return trees_; }

private:
    gbt trees_;
};

// The control: an order that has nothing to do with speed, the same for the same program until the next fit.
class random_model {
public:
    explicit random_model(std::uint64_t seed = 0) : salt_(mixed(seed)) {}

    void fit(std::span<const feature_row>, std::span<const float>)
    {
        salt_ = mixed(salt_ + 1);
        ready_ = true;
    }
    bool ready() const { return ready_; }
    void score(std::span<const feature_row> rows, std::span<float> scores) const
    {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::uint64_t hash = salt_;
            for (float v : rows[i]) hash = mixed(hash ^ std::bit_cast<std::uint32_t>(v));
            scores[i] = static_cast<float>(hash >> 40) * 0x1p-24f;
        }
    }

private:
    std::uint64_t salt_;
    bool ready_ = false;
};

} // namespace hone::tune
