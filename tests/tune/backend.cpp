// SPDX-License-Identifier: BSL-1.0
// A third backend, of a test: its records are read, chosen from and written into a header, and a tuner folds over it,
// by the functions that serve the others and know none.
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <hone/record/agreement.hpp>
#include <hone/record/family_backend.hpp>
#include <hone/record/header_text.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/record.hpp>
#include <hone/record/record_merge.hpp>
#include <hone/record/record_table.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/backends.hpp>
#include <hone/tune/summary.hpp>
#include <hone/tune/tuner.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

namespace {

// The direct template on a machine that runs what its tool has made: a number.
struct abacus_family {
    static constexpr const char* backend = "abacus";
    using target = isa;
    using shipped = template_list<direct>;
    template <class>
    using of = shipped;
};

struct beads final : tune::kernel_code {
    int count = 0;
    explicit beads(int n) : count(n) {}

    nlohmann::ordered_json to_json() const override { return {{"count", count}}; }
    bool precedes(const kernel_code& other) const override { return count < static_cast<const beads&>(other).count; }
    bool is_of(const nest&, const packed_tensors&) const override { return count != 13; }
};

class abacus_records final : public tune::family_backend<abacus_family> {
public:
    const char* title() const override { return "the abacus"; }
    tune::entries_by entries() const override { return tune::entries_by::device; }
    bool is_set(std::string_view isa) const override { return isa == "wood"; }
    tune::code_field code() const override { return {.name = "beads", .holds = "beads"}; }
    std::shared_ptr<const tune::kernel_code> code_of(const nlohmann::ordered_json& field) const override
    {
        if (!field.contains("count")) throw std::invalid_argument("its beads are not counted");
        return std::make_shared<beads>(field.at("count").get<int>());
    }
    tune::header_part header_of(const std::string& set, std::span<const tune::standing> chosen) const override
    {
        tune::header_part part{.includes = "#include <abacus.hpp>\n", .declarations = "// of " + set + "\n"};
        for (const tune::standing& s : chosen)
            part.members += fmt::format("    // {} {} {}\n", tune::header::quoted(s.chosen->signature),
                                        config_text(*s.chosen), s.chosen->code->to_json().dump());
        return part;
    }
};
constexpr abacus_records on_abacus{};

constexpr const tune::record_backend* three[] = {&tune::on_cpu, &tune::on_vulkan, &on_abacus};
constexpr tune::backend_list known{three};

tune::record of_abacus(double ms, std::int32_t rows, int count)
{
    tune::record r = tiny_record(ms, rows);
    r.backend = on_abacus;
    r.isa = "wood";
    r.device = "a shop";
    r.nest = fmt::format("{:016x}", rows);
    r.code = std::make_shared<beads>(count);
    return r;
}

std::string why_rejected(const std::string& line)
{
    try {
        tune::record_of(line, known);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "";
}
std::string replaced(std::string line, const std::string& from, const std::string& to)
{
    const auto at = line.find(from);
    REQUIRE(at != std::string::npos);
    return line.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("records of another backend are read by those who know it, and rejected by name elsewhere")
{
    const tune::record r = of_abacus(2, 3, 7);
    const std::string line = tune::line_of(r);
    const tune::record again = tune::record_of(line, known);
    CHECK(again.backend == on_abacus);
    CHECK(tune::line_of(again) == line);
    CHECK(static_cast<const beads&>(*again.code).count == 7);

    CHECK_THROWS_WITH_AS(tune::record_of(line), "'backend' is the text 'abacus', not one of cpu, vulkan",
                         std::invalid_argument);
    CHECK(why_rejected(replaced(line, "\"wood\"", "\"avx2\"")) ==
          "there is no instruction set 'avx2' of the backend 'abacus'");
    CHECK(why_rejected(replaced(line, "\"count\"", "\"number\"")) == "its beads are not counted");
    CHECK(why_rejected(replaced(line, "{\"count\":7}", "7")) == "'beads' is 7, not an object");
    CHECK(why_rejected(replaced(line, "\"template\":\"direct\"", "\"template\":\"winograd\"")) ==
          "the backend 'abacus' has no template 'winograd'");
    CHECK(why_rejected(replaced(tune::line_of(tiny_record(1)), "\"verdict\"", "\"beads\":{\"count\":1},\"verdict\"")) ==
          "it has a beads, but is not of the abacus");
}

TEST_CASE("files with records of several backends are merged, tabled and written into one header")
{
    const folder at;
    auto standard = of_abacus(2, 4, 1);
    standard.origin = "default";
    const std::vector<tune::record> records{tiny_record(1, 3), tiny_record_on_vulkan(0), standard, of_abacus(1, 3, 2),
                                            of_abacus(1, 2, 3)};
    {
        const tune::record_writer log(at / "r.jsonl");
        for (const tune::record& r : records) log.write(r);
    }
    const auto read = tune::read_records(at / "r.jsonl", known);
    REQUIRE(read.records.size() == records.size());
    CHECK(tune::merge_records({at / "r.jsonl"}, known).records == records.size());
    CHECK(tune::read_records(at / "r.jsonl").rejected.size() == 3);

    const std::string header = tune::header_text("k", read.records, {}, known);
    CHECK(header.find("#include <hone/vulkan/entry.hpp>\n#include <abacus.hpp>\n") != std::string::npos);
    CHECK(header.find("// of k\n") != std::string::npos);
    // Of two that are as fast, the one with the lesser nest.
    CHECK(header.find(fmt::format("{} direct rows=2", tune::header::quoted(tiny::signature().c_str()))) !=
          std::string::npos);
    CHECK(header.find("{\"count\":3}\n") != std::string::npos);
    CHECK_FALSE(tune::wrong_header(header, read.records, {}, known).has_value());
    // Others have their parts as ever.
    const std::vector<tune::record> of_hone(read.records.begin(), read.records.begin() + 2);
    CHECK(tune::header_text("k", of_hone).find(".set = hone::isa::avx2") != std::string::npos);
    CHECK(tune::header_text("k", of_hone) == tune::header_text("k", read.records));

    const std::string table = tune::text_of(tune::table_of(read.records), tune::text_style::plain);
    CHECK(table.find("abacus: a shop, 1 thread, hot cache") != std::string::npos);
    const std::vector<tune::task> tasks{tune::task_of<tiny>("tiny", "tiny")};
    const auto rows = tune::summary_of(tasks, read.records);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].any->backend == on_abacus);
    CHECK(tune::text_of(rows, "").find("tiny         abacus") != std::string::npos);
}

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
    std::size_t illegal() const override { return 0; }
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
    }

    // Its records are known to the next run, unless their configs give other nests, as these made-up ones do.
    tune::tuner next(options, tasks, {}, those);
    CHECK(next.records().empty());
    CHECK(next.run().stale == 4);
}
