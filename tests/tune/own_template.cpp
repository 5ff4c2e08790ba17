// SPDX-License-Identifier: BSL-1.0
// A workload with a schedule template of its own goes the whole way: searched beside hone's, measured, recorded,
// chosen, replayed; and records of a template that a list lacks are kept and do not count.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/record/header_writer.hpp>
#include <hone/record/record_merge.hpp>
#include <hone/tune/tuner.hpp>
#include <hone/tune/workload_list.hpp>

#include "own_template.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using tune::tuning_mode;
using tune::verdict;

TEST_CASE("measure kernels of a template of one's own in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

struct with_narrow : gemm<gemm_shape{.m = 5, .n = 24, .k = 7}, f32> {
    using cpu_templates = template_list<narrow, direct>;
};
using with_narrow_list = workloads<with_narrow>;
// The same operator of hone's templates alone: its records have the same signature.
struct without_narrow : gemm<gemm_shape{.m = 5, .n = 24, .k = 7}, f32> {};

tune::tuner_options options_of_narrow(const folder& at, tuning_mode mode, int trials)
{
    std::ofstream(at / "with_narrow.hpp")
        << "#pragma once\n#include <hone/hone.hpp>\n#include <own_template.hpp>\n"
           "struct with_narrow : hone::gemm<hone::gemm_shape{.m = 5, .n = 24, .k = 7}, hone::f32> {\n"
           "    using cpu_templates = hone::template_list<hone::test::narrow, hone::direct>;\n};\n"
           "using with_narrow_list = hone::workloads<with_narrow>;\n";
    return {.name = "tuned",
            .header = at.path() / "tuned.hpp",
            .records = at.path() / "records.jsonl",
            .work_directory = at.path() / "work",
            .lock = at.path() / "lock",
            .mode = mode,
            .budget = 120,
            .trials = trials,
            .cache = tune::cache_mode::hot,
            .backends = {"cpu"},
            .sets = {isa::baseline},
            .compiler_command = "c++",
            .include_directories = {include_directory(), std::filesystem::path(__FILE__).parent_path().parent_path(),
                                    at.path().string()},
            .headers = {"with_narrow.hpp"}};
}
tune::tuner tuner_of_narrow(const tune::tuner_options& o)
{
    return {o,
            tune::tasks_of<with_narrow_list>("with_narrow_list"),
            {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip",
             "--test-case=measure kernels of a template of one's own in a child"}};
}

tune::record narrow_record(double ms, std::int32_t rows, error_class errors = error_class::exact_order)
{
    tune::record r = tiny_record(ms);
    r.template_name = narrow::name;
    r.knobs = tune::settings_of(narrow_knobs{.rows = rows});
    r.errors = errors;
    return r;
}

} // namespace

TEST_CASE("a template of one's own is searched beside hone's, measured, recorded, gone on with and replayed")
{
    const folder at;
    auto o = options_of_narrow(at, tuning_mode::missing, 6);
    {
        auto tuner = tuner_of_narrow(o);
        CHECK(tuner.run().without_entry == 0);
    }
    const auto records = tune::read_records(at / "records.jsonl").records;
    int of_narrow = 0, of_direct = 0;
    for (const tune::record& r : records) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.errors.has_value() == (r.template_name == "narrow"));
        if (r.origin == "default") CHECK(r.template_name == "narrow"); // the first of its list
        of_narrow += r.template_name == "narrow";
        of_direct += r.template_name == "direct";
    }
    CHECK(of_narrow >= 2);
    CHECK(of_direct >= 2);
    const std::string header = text_of_file(at / "tuned.hpp");
    CHECK(header == tune::header_text("tuned", records));
    CHECK((header.find(".config = \"narrow rows=") != std::string::npos ||
           header.find(".config = \"direct rows=") != std::string::npos));

    // Nothing is left to do; more is, where more is asked for, and what is known is not measured again.
    tuner_of_narrow(o).run();
    CHECK(tune::read_records(at / "records.jsonl").records.size() == records.size());
    o.trials = 8;
    tuner_of_narrow(o).run();
    std::vector<std::string> nests;
    for (const tune::record& r : tune::read_records(at / "records.jsonl").records)
        if (r.phase == "search" && r.origin != "naive") nests.push_back(r.template_name + r.nest);
    CHECK(nests.size() == 7);
    std::sort(nests.begin(), nests.end());
    CHECK(std::adjacent_find(nests.begin(), nests.end()) == nests.end());

    const std::string tuned = text_of_file(at / "tuned.hpp");
    o.mode = tuning_mode::replay;
    o.header = at.path() / "replayed.hpp";
    CHECK(tuner_of_narrow(o).run().without_entry == 0);
    CHECK(text_of_file(at / "replayed.hpp") == tuned);

    const auto again = tuner_of_narrow(o).measure_again();
    REQUIRE(again.size() == 1);
    CHECK(again[0].now.found == verdict::ok);
}

TEST_CASE("records of a template that a workload's list lacks are kept, named and passed over")
{
    const folder at;
    const std::string lines = tune::line_of(narrow_record(0.5, 3)) + "\n" + tune::line_of(narrow_record(0.4, 2)) + "\n";
    std::ofstream(at / "records.jsonl") << lines;
    auto o = options_of_narrow(at, tuning_mode::replay, 4);
    tune::tuner tuner(o, tune::tasks_of<workloads<without_narrow>>("list"), {"none"});
    CHECK(tuner.run().without_entry == 1);
    REQUIRE(tuner.left_out().size() == 1);
    CHECK(tuner.left_out()[0] ==
          "2 records of without_narrow do not count, and are kept: there is no template 'narrow' among those of its "
          "list, reduce, direct, winograd, panels, row_wise, chain; give its list that template, or tune it anew");
    CHECK(tuner.records().empty());
    CHECK(text_of_file(at / "tuned.hpp") == tune::header_text("tuned", {}));
    CHECK(text_of_file(at / "records.jsonl") == lines);
    CHECK(tune::merge_records({at / "records.jsonl"}).text == lines);

    // A knob that it has not, and a kernel of another class of error than was measured.
    tune::record right = narrow_record(0.5, 3);
    const auto task = tune::task_of<with_narrow>("with_narrow", "");
    status why;
    const auto space =
        tune::cpu_space_of(task.definition, isa::avx2, error_class::exact_order, task.own.of<cpu_family>());
    right.nest = fmt::format("{:016x}", space->nest_of(space->config_of("narrow", right.knobs), why).value_or(0));
    tune::record two_knobs = right, less_exact = right;
    two_knobs.knobs.push_back({"columns", "2"});
    less_exact.errors = error_class::reassociated;
    std::ofstream file(at / "records.jsonl");
    for (const tune::record& r : {right, two_knobs, less_exact}) file << tune::line_of(r) << "\n";
    file.close();
    auto with = tuner_of_narrow(o);
    CHECK(with.run().stale == 1);
    CHECK(with.records().size() == 1);
    REQUIRE(with.left_out().size() == 1);
    CHECK(with.left_out()[0].find("1 record of with_narrow does not count, and is kept: there is no knob 'columns'") ==
          0);
}

TEST_CASE(
    "a header of records alone has the config of a template that is none of hone's, where it is as exact as asked")
{
    const auto header = [](const tune::record& r) { return tune::header_text("tuned", {r}); };
    CHECK(header(narrow_record(0.5, 3)).find(".config = \"narrow rows=3\"") != std::string::npos);
    CHECK(header(narrow_record(0.5, 3, error_class::winograd_4)) == tune::header_text("tuned", {}));
}

TEST_CASE("a record of a template that is none of hone's says how exact it is, and has words alone")
{
    const tune::record r = narrow_record(0.5, 3);
    const std::string line = tune::line_of(r);
    CHECK(line.find("\"template\":\"narrow\",\"knobs\":{\"rows\":3},\"error_class\":\"exact order\"") !=
          std::string::npos);
    CHECK(tune::line_of(tune::record_of(line)) == line);
    CHECK(tune::line_of(tiny_record(1)).find("error_class") == std::string::npos);

    const auto wrong = [](tune::record of) {
        try {
            tune::record_of(tune::line_of(of));
        } catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(wrong(r) == "");
    tune::record other = r;
    other.errors.reset();
    CHECK(wrong(other) == "the backend 'cpu' has no template 'narrow'");
    other = tiny_record(1);
    other.errors = error_class::exact_order;
    CHECK(wrong(other) == "it has an 'error_class', but the template 'direct' is hone's, which says it itself");
    for (const char* name : {"two words", "a\"b", "a=b", ""}) {
        other = r;
        other.template_name = name;
        CHECK(wrong(other).find("is no name of letters, digits and underscores") != std::string::npos);
        other = r;
        other.knobs[0].knob = name;
        CHECK(wrong(other).find("is no word of letters, digits and underscores") != std::string::npos);
        other = r;
        other.knobs[0].value = name;
        CHECK(wrong(other).find("is no word of letters, digits and underscores") != std::string::npos);
    }

    tune::records_read read;
    tune::each_record_in(line + "\n" + line + "\n", "file", read, [](const tune::record&, const std::string&) {});
    const auto said = tune::templates_of_others(read.of_others);
    REQUIRE(said.size() == 1);
    CHECK(said[0] ==
          "2 records are of the template 'narrow', which is none of hone's: they are kept, and taken as they "
          "stand; the tuner of the project that has the template checks more");
}
