// SPDX-License-Identifier: BSL-1.0
// The exact results of an operator, and how far floats may lie from them: stage by stage, what one makes being read by
// those behind it with the error that it may have.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <hone/measure/error_bound.hpp>
#include <hone/measure/exact_stage.hpp>
#include <hone/op/definition.hpp>

namespace hone::tune {

class exact_operator {
public:
    // Of several stages all results are judged, since the last one reads them all.
    exact_operator(const definition& d, const std::vector<std::vector<float>>& tensors, share_judged share)
        : d_(d), tensors_(tensors)
    {
        if (d.stages.size() == 1) only_.emplace(d, tensors, share);
    }

    // Of the last stage's output, or of a further one of it: 1 is the first of these.
    exact_results run(const std::vector<arithmetic>& which, std::size_t output = 0)
    {
        if (only_) return only_->run(which, output);
        exact_results all;
        for (const arithmetic a : which) {
            const made_tensors made = made_in(a);
            exact_results r = exact_of(d_.stages.size() - 1, made, a, output);
            all.places = std::move(r.places);
            all.expected = std::move(r.expected);
            all.bounds.push_back(std::move(r.bounds[0]));
            all.sensitive = r.sensitive > all.sensitive ? r.sensitive : all.sensitive;
            all.finite = r.finite > all.finite ? r.finite : all.finite;
        }
        return all;
    }

private:
    exact_results exact_of(std::size_t stage, const made_tensors& made, arithmetic a, std::size_t output) const
    {
        return exact_stage(d_, tensors_, share_judged::all, stage, made, a).run({a}, output);
    }
    // By all stages but the last.
    made_tensors made_in(arithmetic a) const
    {
        made_tensors made(d_.tensors.size());
        for (std::size_t stage = 0; stage + 1 < d_.stages.size(); ++stage) {
            const auto to = static_cast<std::size_t>(d_.stages[stage].output.tensor);
            const exact_results r = exact_of(stage, made, a, 0);
            made[to].resize(static_cast<std::size_t>(d_.tensors[to].elements()));
            for (std::size_t i = 0; i < r.places.size(); ++i)
                made[to][r.places[i]] = {r.expected[i], static_cast<double>(r.bounds[0][i])};
        }
        return made;
    }

    const definition& d_;
    const std::vector<std::vector<float>>& tensors_;
    std::optional<exact_stage> only_{};
};

} // namespace hone::tune
