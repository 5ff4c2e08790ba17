// SPDX-License-Identifier: BSL-1.0
// The schedule space S_e of the paper for one operator: a sum of templates, each a product of knobs. Of a list both are
// Hana sequences, so that radices are constants and templates types (template_set.hpp).
//
// A point says which template, and the place of each knob in its table. Points are numbered 0 .. size() - 1 in mixed
// radix; many of them are illegal, and several may be one config (schedule's `fitted`) or one nest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/hash.hpp>
#include <hone/ir/nest.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/features.hpp>
#include <hone/model/random.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/search/any_points.hpp>
#include <hone/search/template_set.hpp>

namespace hone::tune {

// How often a named constraint rejected a raw point that met those before it.
struct rejections {
    const char* algorithm = "";
    const char* constraint = "";
    std::uint64_t points = 0;
};
struct space_count {
    std::uint64_t raw = 0;
    std::uint64_t legal = 0;
    std::uint64_t distinct = 0;         // nests of the legal points
    std::vector<rejections> rejected{}; // by constraint; then "lowering", by lowering and check, and "accuracy"
};

// A backend names its list of templates and what they are for, and lowers a config of any. It is of one space, and may
// remember:
//
//   templates, target      cpu_templates and isa; vulkan_templates and vulkan_limits; or listed_templates of either
//   lower_into(nest, definition, config, target)   the nest, checked for the target
//
// Not for two threads at a time: the nest of the last candidate is kept, since a new one costs microseconds.
template <class Backend>
class space {
public:
    using point = space_point;
    using templates = template_set<typename Backend::templates>;
    using config = typename templates::config;
    using target = typename Backend::target;

    // Of configs whose class of error is no worse than that.
    space(const hone::definition& d, const target& t, error_class worst = error_class::winograd_6,
          const templates& of = {})
        : definition_(d), target_(t), worst_(worst), templates_(of), first_(of.size()), end_(of.size())
    {
        templates_.each([&](std::size_t which, const auto& algorithm) {
            if (!algorithm.applies(definition_) || algorithm.strictest > worst_) return;
            applicable_.push_back(static_cast<std::uint8_t>(which));
            end_[which] = algorithm.points();
        });
        for (std::size_t a = 0; a < end_.size(); ++a) {
            first_[a] = size_;
            size_ += end_[a];
            end_[a] = size_;
        }
    }

    const hone::definition& definition() const { return definition_; }
    const templates& list() const { return templates_; }

    // Points, legal or not.
    std::uint64_t size() const { return size_; }
    // Precondition: index < size().
    point at(std::uint64_t index) const
    {
        point p;
        while (index >= end_[p.algorithm]) ++p.algorithm;
        index -= first_[p.algorithm];
        for_each_knob(p.algorithm, [&](const auto& k) {
            p.places[k.number] = static_cast<std::uint8_t>(index % k.radix);
            index /= k.radix;
        });
        return p;
    }
    std::uint64_t index(const point& p) const
    {
        std::uint64_t index = 0, unit = 1;
        for_each_knob(p.algorithm, [&](const auto& k) {
            index += unit * p.places[k.number];
            unit *= k.radix;
        });
        return first_[p.algorithm] + index;
    }

    // As many points of each template, since the larger product need not hold the faster kernels.
    point random(xoshiro256& bits) const { return random_of(applicable_[bits.below(applicable_.size())], bits); }
    // Another value of one knob; at times, as if it were a knob of its own, a random point of another template.
    point neighbour(point p, xoshiro256& bits) const
    {
        const std::size_t others = applicable_.size() - 1;
        const auto knobs =
            at_template<std::size_t>(p.algorithm, [](const auto& algorithm) { return algorithm.knob_count(); });
        const std::size_t changed = bits.below(knobs + (others > 0 ? 1 : 0));
        if (changed == knobs) {
            std::size_t other = bits.below(others);
            if (applicable_[other] >= p.algorithm) ++other;
            return random_of(applicable_[other], bits);
        }
        for_each_knob(p.algorithm, [&](const auto& k) {
            if (k.number != changed || k.radix == 1) return;
            p.places[k.number] =
                static_cast<std::uint8_t>((p.places[k.number] + 1 + bits.below(k.radix - 1)) % k.radix);
        });
        return p;
    }

    // Points of one key are one config.
    std::uint64_t key(const point& p) const { return index(point_of(config_of(p)).value_or(p)); }
    // Whether it has this point: a searcher of somebody's own may make up others.
    bool holds(const point& p) const
    {
        if (std::find(applicable_.begin(), applicable_.end(), p.algorithm) == applicable_.end()) return false;
        bool all = true;
        for_each_knob(p.algorithm, [&](const auto& k) { all = all && p.places[k.number] < k.radix; });
        return all;
    }
    // What a diverse batch differs in: (template, place) of each knob.
    space_knob_values knob_values(const point& p) const
    {
        space_knob_values r;
        for_each_knob(p.algorithm, [&](const auto& k) { r.push_back(p.algorithm << 8 | p.places[k.number]); });
        return r;
    }

    // The closed-form default, or the first step down from it that is legal and as accurate as this space.
    config standard() const
    {
        bool is_first = true;
        config chosen{};
        templates_.each([&](std::size_t, const auto& algorithm) {
            if (!is_first || !algorithm.applies(definition_)) return;
            is_first = false;
            const auto at = [&](int step) {
                return algorithm.config_of(algorithm.standard(definition_, target_, step));
            };
            chosen = at(0);
            for (int step = 0; step < algorithm.default_steps(); ++step)
                if (const config c = at(step);
                    class_of(c) <= worst_ && backend_.lower_into(nest_, definition_, c, target_).ok()) {
                    chosen = c;
                    return;
                }
        });
        return chosen;
    }
    // What the other templates would take by their closed forms: good places to begin.
    std::vector<config> others() const
    {
        std::vector<config> all;
        for (std::size_t i = 1; i < applicable_.size(); ++i)
            all.push_back(at_template<config>(applicable_[i], [&](const auto& algorithm) {
                return algorithm.config_of(algorithm.standard(definition_, target_, 0));
            }));
        std::erase_if(all, [&](const config& c) { return class_of(c) > worst_; });
        return all;
    }
    // Fitted to the operator.
    config config_of(const point& p) const
    {
        return at_template<config>(
            p.algorithm, [&](const auto& algorithm) { return algorithm.config_of(fitted_knobs(algorithm, p)); });
    }
    // A point of this config, the lowest place of each knob; nothing where none is, as for a record of another grid.
    std::optional<point> point_of(const config& c) const
    {
        std::optional<point> found;
        for (const std::uint8_t a : applicable_) {
            point p{.algorithm = a};
            at_template<bool>(a, [&](const auto& algorithm) {
                const auto* const knobs = algorithm.knobs_in(c);
                if (knobs == nullptr) return false;
                algorithm.each_knob([&](const auto& k) {
                    const std::int64_t value = k.declared.get(*knobs);
                    std::size_t place = 0;
                    while (place + 1 < k.radix && k.declared.values[place] < value) ++place;
                    p.places[k.number] = static_cast<std::uint8_t>(place);
                });
                return true;
            });
            if (config_of(p) == c) found = p;
        }
        return found;
    }

    // The hash of its nest; nothing where the config is illegal, and the fault is then in `why`.
    std::optional<std::uint64_t> nest_of(const config& c, status& why) const
    {
        if (class_of(c) > worst_) {
            why = {fault::accuracy_not_allowed, static_cast<int>(worst_), static_cast<int>(class_of(c)), "config"};
            return std::nullopt;
        }
        why = backend_.lower_into(nest_, definition_, c, target_);
        if (!why.ok()) return std::nullopt;
        return nest_hash(nest_);
    }
    // The same for the config of a point, which has to meet the constraints of its template first.
    std::optional<std::uint64_t> nest_of(const point& p, status& why) const
    {
        using program = std::optional<std::uint64_t>;
        return at_template<program>(p.algorithm, [&](const auto& algorithm) -> program {
            const auto knobs = fitted_knobs(algorithm, p);
            if (first_broken(algorithm, knobs, why) < rules_of(algorithm)) return std::nullopt;
            return nest_of(algorithm.config_of(knobs), why);
        });
    }
    // Whether each access of its nest is proved to stay in its buffer: asked of what is built, not of what is looked
    // at.
    status proof_of(const config& c) const
    {
        const status found = backend_.lower_into(nest_, definition_, c, target_);
        return found.ok() ? prove_accesses(nest_) : found;
    }
    // What its template makes of it, legal for the target or not.
    nest lowered(const config& c) const { return lower(schedule_for(definition_, c, target_)); }
    packed_tensors packed(const config& c) const { return packed_for(definition_, c, target_); }
    bool legal(const point& p, status& why) const { return nest_of(p, why).has_value(); }

    // The same templates for another definition, on the same target.
    space of(const hone::definition& other) const { return {other, target_, worst_, templates_}; }
    // A config of any workload as its template fits it to this one; nothing where there is no such kernel.
    std::optional<config> fitted(const config& c) const
    {
        for (const std::uint8_t a : applicable_) {
            const auto here =
                at_template<std::optional<config>>(a, [&](const auto& algorithm) -> std::optional<config> {
                    const auto* const knobs = algorithm.knobs_in(c);
                    if (knobs == nullptr) return std::nullopt;
                    return algorithm.config_of(algorithm.fitted(definition_, *knobs, target_));
                });
            status why;
            if (here && nest_of(*here, why) && proof_of(*here).ok()) return here;
        }
        return std::nullopt;
    }
    // The hash of its nest, whose features are written; nothing where the point is illegal.
    std::optional<std::uint64_t> features(const point& p, feature_vector& out) const
    {
        status why;
        const auto program = nest_of(p, why);
        if (program) features_of(nest_, out);
        return program;
    }

    // Walks the whole product; a config is lowered once. Some ten microseconds for each.
    space_count count() const
    {
        space_count r;
        r.raw = size_;
        std::unordered_set<std::uint64_t> nests;
        for (const std::uint8_t a : applicable_)
            at_template<bool>(a, [&](const auto& algorithm) {
                count_template(algorithm, a, nests, r);
                return true;
            });
        r.distinct = nests.size();
        return r;
    }

private:
    // f(template)
    template <class Result, class F>
    Result at_template(std::size_t which, F f) const
    {
        Result r{};
        templates_.each([&](std::size_t here, const auto& algorithm) {
            if (here == which) r = f(algorithm);
        });
        return r;
    }
    // f(knob)
    template <class F>
    void for_each_knob(std::size_t which, F f) const
    {
        at_template<bool>(which, [&](const auto& algorithm) {
            algorithm.each_knob(f);
            return true;
        });
    }

    point random_of(std::uint8_t algorithm, xoshiro256& bits) const
    {
        point p{.algorithm = algorithm};
        for_each_knob(algorithm,
                      [&](const auto& k) { p.places[k.number] = static_cast<std::uint8_t>(bits.below(k.radix)); });
        return p;
    }

    template <class Algorithm>
    typename Algorithm::knobs fitted_knobs(const Algorithm& algorithm, const point& p) const
    {
        auto knobs = algorithm.defaults();
        algorithm.each_knob([&](const auto& k) { k.declared.set(knobs, k.declared.values[p.places[k.number]]); });
        return algorithm.fitted(definition_, knobs, target_);
    }
    template <class Algorithm>
    static std::size_t rules_of(const Algorithm& algorithm)
    {
        const auto& all = algorithm.constraints();
        return static_cast<std::size_t>(std::distance(std::begin(all), std::end(all)));
    }
    // The place of the first constraint that the knobs break; that many as there are where they meet all.
    template <class Algorithm>
    std::size_t first_broken(const Algorithm& algorithm, const typename Algorithm::knobs& knobs, status& why) const
    {
        std::size_t i = 0;
        for (const auto& c : algorithm.constraints()) {
            why = c.found(knobs, target_);
            if (!why.ok()) break;
            ++i;
        }
        return i;
    }
    template <class Algorithm>
    void count_template(const Algorithm& algorithm, std::uint8_t a, std::unordered_set<std::uint64_t>& nests,
                        space_count& r) const
    {
        const std::size_t constraints = rules_of(algorithm);
        std::vector<std::uint64_t> rejected(constraints + 2);
        // The place of what rejected a config: lowering stands behind the constraints, and accuracy behind that; or one
        // past the last.
        std::unordered_map<std::uint64_t, std::size_t> verdict_of;
        for (std::uint64_t i = first_[a]; i < end_[a]; ++i) {
            const auto knobs = fitted_knobs(algorithm, at(i));
            std::uint64_t name = 0;
            for (const auto& k : knobs_of(knobs)) name = mixed(name ^ static_cast<std::uint64_t>(k.get(knobs)));
            const auto [verdict, is_new] = verdict_of.try_emplace(name, constraints + 2);
            if (is_new) {
                status why;
                const std::size_t broken = first_broken(algorithm, knobs, why);
                if (broken < constraints)
                    verdict->second = broken;
                else if (const auto nest = nest_of(algorithm.config_of(knobs), why))
                    nests.insert(*nest);
                else
                    verdict->second = why.what == fault::accuracy_not_allowed ? constraints + 1 : constraints;
            }
            if (verdict->second <= constraints + 1)
                ++rejected[verdict->second];
            else
                ++r.legal;
        }
        std::size_t rule = 0;
        for (const auto& c : algorithm.constraints()) r.rejected.push_back({algorithm.name, c.name, rejected[rule++]});
        r.rejected.push_back({algorithm.name, "lowering", rejected[constraints]});
        if (rejected[constraints + 1] > 0)
            r.rejected.push_back({algorithm.name, "accuracy", rejected[constraints + 1]});
    }

    hone::definition definition_;
    target target_;
    error_class worst_;
    templates templates_;
    std::vector<std::uint8_t> applicable_{};
    std::vector<std::uint64_t> first_, end_;
    std::uint64_t size_ = 0;
    mutable Backend backend_{};
    mutable nest nest_{};
};

} // namespace hone::tune
