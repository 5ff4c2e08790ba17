// SPDX-License-Identifier: BSL-1.0
// A workload that cannot be built, or not even measured: the failure is a named verdict or an exception that shows
// where it stands, and what was measured before is kept.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <hone/record/header_writer.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure beside a faulty workload in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

struct empty : gemm<gemm_shape{.m = 5, .n = 0, .k = 7}, f32> {};

tune::child_command this_program()
{
    return {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip",
            "--test-case=measure beside a faulty workload in a child"};
}

// A builder whose units include `header`, with `text` in it; no such file where the text is null.
tune::builder builder_with(const folder& at, const std::string& header, const char* text)
{
    if (text != nullptr) std::ofstream(at / header) << text;
    return {tune::find_compiler("c++", isa::baseline),
            {.directory = at.path() / ("build_" + header),
             .include_directories = {include_directory(), at.path().string()},
             .headers = {header}}};
}

std::string naive_of(const std::string& type)
{
    return "hone::tune::variant_of<hone::tune::naive_kernel<" + type + ", hone::isa::baseline>>()";
}

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

} // namespace

TEST_CASE("what is wrong with a workload's header stands in the failure of its candidate, with the place")
{
    const folder at;
    const struct {
        const char* header;
        const char* text;
        const char* type;
        const char* words[2];
    } cases[] = {
        {"misspelt.hpp", "#include <hone/op/gemm.hpp>\nstruct w : hone::gem<1> {};\n", "w", {"misspelt.hpp:2", "gem"}},
        {"absent.hpp", nullptr, "w", {"absent.hpp", "error"}},
        {"unclosed.hpp",
         "#include <hone/op/gemm.hpp>\nnamespace user {\n"
         "struct w : hone::gemm<hone::gemm_shape{.m = 1, .n = 1, .k = 1}, hone::f32> {};\n",
         "user::w",
         {"expected", "unclosed.hpp:2"}},
        {"other.hpp",
         "#include <hone/op/gemm.hpp>\nstruct w : hone::gemm<hone::gemm_shape{.m = 1, .n = 1, .k = 1}, hone::f32> {};\n",
         "absent_workload",
         {"error", "absent_workload"}},
        {"needs_own.hpp", "#include \"own_part.hpp\"\n", "w", {"needs_own.hpp:1", "own_part.hpp"}},
    };
    for (const auto& c : cases) {
        auto build = builder_with(at, c.header, c.text);
        const auto built = build.build({{"", naive_of(c.type)}});
        INFO(c.header << ": " << tune::name_of(built[0].found) << ", " << built[0].detail);
        CHECK(built[0].found == verdict::compile_error);
        for (const char* words : c.words) CHECK(says(built[0].detail, words));
    }
}

TEST_CASE("a faulty workload is refused in the library's own words, by the compiler and by the search")
{
    const folder at;
    auto build = builder_with(at, "empty.hpp",
                              "#include <hone/op/gemm.hpp>\n"
                              "struct empty : hone::gemm<hone::gemm_shape{.m = 5, .n = 0, .k = 7}, hone::f32> {};\n");
    const auto built = build.build({{"", "hone::tune::variant_of<hone::kernel<empty>>()"}});
    INFO(built[0].detail);
    CHECK(built[0].found == verdict::compile_error);
    CHECK(says(built[0].detail, "every extent of a workload must be at least 1; remove the empty workload"));

    const tune::tuning_environment environment{.self = this_program(), .work_directory = at.path() / "work"};
    tune::cpu_tuning tuning(tune::task_of<empty>("empty", "empty"), environment, build, isa::baseline);
    CHECK_THROWS_WITH_AS(turn(tuning, build, 2),
                         doctest::Contains("every extent of a workload must be at least 1; remove the empty workload"),
                         std::invalid_argument);
    CHECK(tuning.records().empty());
}

TEST_CASE("a header that does not compile costs its own task only: records and header keep the others")
{
    const folder at;
    auto right = tiny_builder(at);
    auto wrong = builder_with(at, "misspelt.hpp", "#include <hone/op/gemm.hpp>\nstruct tiny : hone::gem<1> {};\n");
    const tune::record_writer log(at / "records.jsonl");
    const tune::tuning_environment environment{.self = this_program(),
                                               .work_directory = at.path() / "work",
                                               .log = [&](const tune::record& r) { log.write(r); },
                                               .seed = 1};
    tune::cpu_tuning first(tune::task_of<tiny>("first", "tiny"), environment, right, isa::baseline);
    tune::task other = tune::task_of<tiny>("second", "tiny");
    other.signature += " misspelt";
    tune::cpu_tuning second(other, environment, wrong, isa::baseline);
    turn(first, right, 3);
    turn(second, wrong, 3);
    first.compare();
    second.compare();

    const tune::standing s = second.standing();
    CHECK(s.chosen == nullptr);
    CHECK(s.trials == 3);
    CHECK(s.failed == 3);
    for (const tune::record& r : second.records()) {
        CHECK(r.found == verdict::compile_error);
        CHECK(says(r.detail, "misspelt.hpp:2"));
    }
    REQUIRE(first.standing().chosen != nullptr);
    CHECK(first.standing().failed == 0);

    // On disk: every line of both, and a header with one entry.
    const auto read = tune::read_records(at / "records.jsonl");
    CHECK(read.rejected.empty());
    CHECK(read.records.size() == first.records().size() + second.records().size());
    const std::string header = tune::header_text("tuned", read.records);
    CHECK(says(header, "// first, "));
    CHECK(says(header, tune::header::quoted(first.task().signature)));
    CHECK_FALSE(says(header, "misspelt"));
}
