// SPDX-License-Identifier: BSL-1.0
// A tuner folds over a third backend as over hone's own: what it measures is kept, chosen from and written, and its
// workloads are counted.
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/record/header_writer.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/backends.hpp>
#include <hone/tune/summary.hpp>
#include <hone/tune/tuner.hpp>

#include "third_backend.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

namespace {

// Its tuning: the default, then one that is faster, and what was measured is said by nobody else.
class reckoning final : public tune::tuning {
public:
    reckoning(const tune::task& t, const tune::tuning_environment& e) : tuning(t, e)
    {
        key() = of_abacus(0, 1, 0);
        key().ms = {};
        key().code = nullptr;
    }
    void adopt(const std::vector<tune::record>& earlier) override { adopt_last_run(earlier); }
    std::vector<tune::candidate> propose(std::size_t) override
    {
        std::vector<tune::candidate> batch;
        for (std::int32_t rows = trials() + 1; rows <= 2; ++rows) {
            tune::record r = key();
            r.knobs = tune::settings_of(direct_knobs{.rows = rows});
            r.nest = fmt::format("{:016x}", rows);
            r.origin = rows == 1 ? "default" : "model";
            batch.push_back({.key = r});
        }
        return batch;
    }
    void measure(const std::vector<tune::candidate>& batch, const std::vector<tune::built_variant>&) override
    {
        for (const tune::candidate& c : batch) keep(c.key, "search");
    }
    void compare() override
    {
        for (std::size_t i : finalists()) keep(records()[i], "final");
        verify_chosen();
    }
    tune::measurement verify_on_twin(const tune::record&) override { return {.found = verdict::ok}; }
    double seconds_thinking() const override { return 0; }
    std::vector<tune::arithmetic> arithmetics() const override { return {tune::arithmetic::direct}; }

private:
    void keep(tune::record r, const char* phase)
    {
        r.phase = phase;
        r.code = std::make_shared<beads>(r.origin == "default" ? 1 : 2);
        const double ms = r.origin == "default" ? 2 : 1;
        note(std::move(r), {.found = verdict::ok, .ms = {ms}});
    }
};

class abacus_backend final : public tune::backend {
public:
    const tune::record_backend& records() const override { return on_abacus; }
    std::vector<std::string> sets(const tune::tuner_options&) const override { return {"wood"}; }
    std::shared_ptr<const tune::any_space> space_of(const tune::task& t, const std::string&,
                                                    error_class worst) const override
    {
        return tune::all_that_tune[0]->space_of(t, "baseline", worst);
    }
    std::vector<tune::tuning_group> groups(const tune::tuner_run& run) const override
    {
        std::vector<tune::tuning_group> all(1);
        for (const tune::task* t : run.tasks)
            all[0].tunings.push_back(std::make_unique<reckoning>(*t, run.environment));
        return all;
    }
    int measure_child(const nlohmann::json&, const std::vector<tune::task>&) const override { return 0; }
};
constexpr abacus_backend abacus_that_tunes{};

} // namespace

TEST_CASE("a tuner tunes for another backend as for hone's own")
{
    const folder at;
    const tune::backend* const those[] = {tune::all_that_tune[0], &abacus_that_tunes};
    const tune::tuner_options options{.name = "tuned",
                                      .header = at.path() / "tuned.hpp",
                                      .records = at.path() / "records.jsonl",
                                      .work_directory = at.path() / "work",
                                      .lock = at.path() / "lock",
                                      .budget = 60,
                                      .trials = 2,
                                      .cache = tune::cache_mode::hot,
                                      .backends = {"abacus"},
                                      .only = {{"abacus", {"tiny"}}}};
    struct wide : gemm<gemm_shape{.m = 3, .n = 40, .k = 9}, f32> {};
    const std::vector<tune::task> tasks{tune::task_of<tiny>("tiny", "tiny"), tune::task_of<wide>("wide", "wide")};
    {
        tune::tuner tuner(options, tasks, {}, those);
        const tune::tuner_result r = tuner.run();
        CHECK(r.failures.empty());
        CHECK(r.trials == 2);
        CHECK(r.without_entry == 0); // `wide` is not asked for
        REQUIRE(tuner.records().size() == 4);
        const std::string header = text_of_file(at / "tuned.hpp");
        CHECK(header == tune::header_text("tuned", tuner.records(), {}, tune::records_of(those)));
        CHECK(header.find("direct rows=2") != std::string::npos);
        CHECK(header.find("{\"count\":2}") != std::string::npos);
        const auto rows = tune::summary_of(tasks, tuner.records());
        REQUIRE(rows.size() == 1);
        CHECK(tune::text_of(rows, "").find("tiny         abacus") != std::string::npos);
    }

    // Its records are known to the next run, unless their configs give other nests, as these made-up ones do.
    tune::tuner next(options, tasks, {}, those);
    CHECK(next.records().empty());
    CHECK(next.run().stale == 4);
}
