// SPDX-License-Identifier: BSL-1.0
// A tuning whose candidates are points of a space: what is tried is the default, a reader's loops, what other templates
// would take by their closed forms, and then what a searcher proposes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/measure/odd_twin.hpp>
#include <hone/record/record.hpp>
#include <hone/search/any_space.hpp>
#include <hone/search/checked_search.hpp>
#include <hone/search/own_search.hpp>
#include <hone/search/search.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

class tuning_in_space : public tuning {
public:
    tuning_in_space(tune::task task, const tuning_environment& environment, std::shared_ptr<const any_space> space)
        : tuning(std::move(task), environment), space_(std::move(space))
    {
        searcher_ = searcher_for(environment, shared_space(space_), search_seed());
    }

    void adopt(const std::vector<record>& earlier) final
    {
        adopt_last_run(earlier);
        for (const record& r : records())
            if (r.phase == "search" && !is_naive(r)) teach(r);
    }

    std::vector<candidate> propose(std::size_t size) final
    {
        std::vector<candidate> batch = take_back(size);
        if (!begun_) {
            begun_ = true;
            // An earlier run may have ended between the two.
            const auto lacks = [&](const char* origin) {
                const auto& all = records();
                return std::none_of(all.begin(), all.end(), [&](const record& r) { return r.origin == origin; });
            };
            if (lacks("default"))
                if (const auto c = first_of(space_->standard(), "default")) batch.push_back(*c);
            if (lacks("naive"))
                if (auto c = naive()) batch.push_back(std::move(*c));
        }
        if (!guessed_) {
            guessed_ = true;
            for (const named_config& other : space_->others())
                if (!has_tried(other))
                    if (auto c = first_of(other, "guess")) batch.push_back(std::move(*c));
        }
        if (batch.size() >= size) return batch;
        for (const auto& p : proposed(size - batch.size())) {
            const named_config config = space_->config_of(p.point);
            if (!space_->proof_of(config).ok()) continue; // it may leave its memory: never built
            points_.insert_or_assign(hexadecimal(p.program), p.point);
            candidate c = candidate_of(config);
            c.key.nest = hexadecimal(p.program);
            c.key.origin = p.origin == proposed_by::model ? "model" : "chance";
            c.key.score = p.score;
            batch.push_back(std::move(c));
        }
        return batch;
    }

    bool lacks_templates() const final
    {
        // Saved records may hold the finalists alone, and say nothing of the search.
        const auto& all = records();
        if (std::none_of(all.begin(), all.end(), [](const record& r) { return r.phase == "search"; })) return false;
        const auto others = space_->others();
        status why;
        return std::any_of(others.begin(), others.end(),
                           [&](const named_config& c) { return !has_tried(c) && space_->nest_of(c, why); });
    }
    measurement verify_on_twin(const record& r) final
    {
        if (twins_ == nullptr) twins_ = space_->of(with_odd_extents(task().definition));
        const auto c = twins_->fitted(config_of(r));
        if (!c) return {.found = verdict::untried, .detail = "its template has no kernel over odd extents"};
        return verify_twin(*c);
    }
    measurement verify_at(const record& r, const call_values& given) final
    {
        return verify_call(config_of(r), other_problem_file(given));
    }
    double seconds_thinking() const final { return seconds_; }

protected:
    // What is measured for a config, but for its key.
    virtual variant_source source_of(const named_config&) const { return {}; }
    // A legal config of the twin.
    virtual measurement verify_twin(const named_config& c) = 0;
    // One of the task, on another problem of it.
    virtual measurement verify_call(const named_config& c, const std::string& problem_file) = 0;
    virtual std::optional<candidate> naive() = 0;

    const any_space& space() const { return *space_; }
    named_config config_of(const record& r) const { return space_->config_of(r.template_name, r.knobs); }
    static bool is_naive(const record& r) { return r.template_name == naive_template; }

    // A config that is known beforehand; the search then passes its program over. Nothing where it is not legal.
    std::optional<candidate> first_of(const named_config& c, const char* origin)
    {
        status why;
        const auto program = space_->nest_of(c, why);
        if (!program) return std::nullopt;
        candidate r = candidate_of(c);
        r.key.nest = hexadecimal(*program);
        r.key.origin = origin;
        if (const auto p = space_->point_of(c)) points_.insert_or_assign(r.key.nest, *p);
        searcher_->exclude(*program);
        return r;
    }
    void note_result(record r, const measurement& m)
    {
        note(std::move(r), m);
        const record& noted = records().back();
        if (noted.phase == "search" && !is_naive(noted)) teach(noted);
    }

private:
    // Adds the time of a scope to a sum.
    class stopwatch {
    public:
        explicit stopwatch(double& seconds) : seconds_(seconds) {}
        stopwatch(const stopwatch&) = delete;
        stopwatch& operator=(const stopwatch&) = delete;
        ~stopwatch() { seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

    private:
        double& seconds_;
        std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    };

    static std::unique_ptr<any_searcher> searcher_for(const tuning_environment& environment, const shared_space& space,
                                                      std::uint64_t seed)
    {
        switch (environment.method) {
        case search_method::model:
            return std::make_unique<searcher_as_any<learned_searcher<shared_space>>>(space, seed);
        case search_method::chance:
            return std::make_unique<searcher_as_any<random_searcher<shared_space>>>(space, seed);
        case search_method::own: break;
        }
        if (environment.own == nullptr)
            throw std::logic_error("hone::tune::tuning: the method is a search of its own, and there is none");
        if (environment.own->searcher != nullptr)
            return std::make_unique<checked_searcher>(*environment.own, space, seed);
        return std::make_unique<searcher_as_any<learned_searcher<shared_space, checked_model>>>(
            space, seed, search_rules{}, checked_model(*environment.own, seed));
    }
    std::vector<proposal<space_point>> proposed(std::size_t count)
    {
        const stopwatch time(seconds_);
        std::vector<proposal<space_point>> all(count);
        all.resize(searcher_->propose(all));
        return all;
    }

    static std::string hexadecimal(std::uint64_t program) { return fmt::format("{:016x}", program); }
    candidate candidate_of(const named_config& c) const
    {
        candidate r{key(), source_of(c)};
        r.key.template_name = c.name;
        r.key.knobs = c.knobs;
        if (!is_known_template(*key().backend, c.name)) r.key.errors = c.errors;
        return r;
    }
    // A failure is infinitely slow.
    void teach(const record& r)
    {
        const std::uint64_t program = std::stoull(r.nest, nullptr, 16);
        std::optional<space_point> p;
        if (const auto known = points_.find(r.nest); known != points_.end())
            p = known->second;
        else
            p = space_->point_of(config_of(r));
        const stopwatch time(seconds_);
        if (p)
            searcher_->tell(*p, program, r.found == verdict::ok ? r.least() : std::numeric_limits<double>::infinity());
        else
            searcher_->exclude(program);
    }

    // Whether the records hold a kernel of this config's template.
    bool has_tried(const named_config& c) const
    {
        const auto& all = records();
        return std::any_of(all.begin(), all.end(), [&](const record& r) { return r.template_name == c.name; });
    }

    std::shared_ptr<const any_space> space_;
    std::unique_ptr<any_space> twins_{}; // made when it is first asked for
    std::unique_ptr<any_searcher> searcher_{};
    std::unordered_map<std::string, space_point> points_{}; // of programs that were proposed
    bool begun_ = false;
    bool guessed_ = false;
    double seconds_ = 0; // of thinking
};

} // namespace hone::tune
