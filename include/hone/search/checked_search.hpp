// SPDX-License-Identifier: BSL-1.0
// A project's own cost model and searcher, held to what they promise: each mistake is one sentence that names the type,
// so that no record says what is not so, and no search goes astray.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>

#include <fmt/core.h>

#include <hone/model/cost_model.hpp>
#include <hone/search/any_points.hpp>
#include <hone/search/own_search.hpp>

namespace hone::tune {

namespace own {

[[noreturn]] inline void fail(std::string_view what, std::string_view name, const std::string& why)
{
    throw std::runtime_error(
        fmt::format("the {} {} {}, or tune with --search model; what was measured is kept", what, name, why));
}

// f(), whose exceptions name it.
template <class F>
std::invoke_result_t<F> called(std::string_view what, std::string_view name, const char* function, F&& f)
{
    std::string why;
    try {
        return f();
    } catch (const std::exception& e) {
        why = e.what();
    } catch (...) {
        why = "an exception that is no std::exception";
    }
    fail(what, name, fmt::format("throws in {}: {}; mend that", function, why));
}

} // namespace own

// A cost model: its scores are finite, one for each row.
class checked_model {
public:
    // Throws the sentence, as each function does.
    checked_model(const own_search& of, std::uint64_t seed) : name_(of.name)
    {
        call("its constructor", [&] { model_ = of.model(seed); });
    }

    void fit(std::span<const feature_row> rows, std::span<const float> labels)
    {
        call("fit()", [&] { model_->fit(rows, labels); });
    }
    bool ready() const
    {
        return call("ready()", [&] { return model_->ready(); });
    }
    void score(std::span<const feature_row> rows, std::span<float> scores) const
    {
        // What is not written is no number, either.
        std::fill(scores.begin(), scores.end(), std::numeric_limits<float>::quiet_NaN());
        call("score()", [&] { model_->score(rows, scores); });
        for (const float s : scores)
            if (!std::isfinite(s))
                own::fail("cost model", name_,
                          fmt::format("gives the score {} in score(); give a finite number for each row", s));
    }

private:
    template <class F>
    std::invoke_result_t<F> call(const char* function, F&& f) const
    {
        return own::called("cost model", name_, function, f);
    }

    std::string_view name_;
    std::unique_ptr<any_model> model_{};
};

// A searcher: it proposes programs of its space, as many as are asked for or fewer, and none a second time.
class checked_searcher final : public any_searcher {
public:
    checked_searcher(const own_search& of, const shared_space& space, std::uint64_t seed)
        : name_(of.name), space_(space)
    {
        call("its constructor", [&] { search_ = of.searcher(space, seed); });
    }

    std::size_t propose(std::span<proposal<space_point>> out) override
    {
        const std::size_t count = call("propose()", [&] { return search_->propose(out); });
        if (count > out.size())
            fail(fmt::format("proposes {} programs where {} are asked for; give no more", count, out.size()));
        for (const proposal<space_point>& p : out.first(count)) check(p);
        return count;
    }
    void tell(const space_point& p, std::uint64_t program, double ms) override
    {
        known_.insert(program);
        call("tell()", [&] { search_->tell(p, program, ms); });
    }
    void exclude(std::uint64_t program) override
    {
        known_.insert(program);
        call("exclude()", [&] { search_->exclude(program); });
    }

private:
    void check(const proposal<space_point>& p)
    {
        feature_vector ignored;
        const auto program = space_.features(p.point, ignored);
        if (!program) fail("proposes an illegal point; give those of which the space has features");
        if (*program != p.program)
            fail(
                fmt::format("proposes a point as the program {:016x}, and it is {:016x}; give what the features of the "
                            "point come with",
                            p.program, *program));
        if (!known_.insert(*program).second)
            fail(fmt::format("proposes the program {:016x}, which was proposed, told or excluded before; remember "
                             "these",
                             *program));
        if (!std::isfinite(p.score)) fail(fmt::format("proposes a program with the score {}; give a number", p.score));
    }
    template <class F>
    std::invoke_result_t<F> call(const char* function, F&& f) const
    {
        return own::called("searcher", name_, function, f);
    }
    [[noreturn]] void fail(const std::string& why) const { own::fail("searcher", name_, why); }

    std::string_view name_;
    shared_space space_;
    std::unique_ptr<any_searcher> search_{};
    std::unordered_set<std::uint64_t> known_{};
};

} // namespace hone::tune
