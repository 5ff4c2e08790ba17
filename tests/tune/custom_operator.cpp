// SPDX-License-Identifier: BSL-1.0
// An operator and an epilogue written outside the library go the whole way: searched, verified, measured, chosen,
// written to a header, and run from it.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <fmt/core.h>

#include <hone/record/header_writer.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "tuner_rig.hpp"
#include "user_operator.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure a user's operator in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE("a user's operator is tuned, and a kernel of the written header gives the right result")
{
    const folder at;
    const isa set = cpu();
    const tune::compiler with = tune::find_compiler("c++", set);
    tune::builder build(with, {.directory = at.path() / "work",
                               .include_directories = {include_directory(), user_directory()},
                               .headers = {"conv1d.hpp"}});
    const tune::record_writer log(at / "records.jsonl");
    const tune::tuning_environment environment{.self = {std::filesystem::read_symlink("/proc/self/exe").string(),
                                                        "--no-skip",
                                                        "--test-case=measure a user's operator in a child"},
                                               .work_directory = at.path() / "work",
                                               .log = [&](const tune::record& r) { log.write(r); },
                                               .seed = 5};
    tune::cpu_tuning tuning(tune::task_of<audio::speech>("speech", "audio::speech"), environment, build, set);
    turn(tuning, build, 4);
    tuning.compare();

    // ---- the search ----
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found != verdict::wrong_result);
        CHECK(r.found != verdict::crash);
        CHECK(r.signature.find("conv1d l301 ic40 oc72 k5 s2 p2 bias hard_swish") != std::string::npos);
        if (r.found == verdict::ok) CHECK(r.max_rel_error < 1e-5);
    }
    const tune::standing s = tuning.standing();
    CHECK(s.trials == 4);
    REQUIRE(s.chosen != nullptr);
    REQUIRE(s.standard != nullptr);
    REQUIRE(s.naive != nullptr);
    CHECK(s.chosen->phase == "final");
    CHECK(s.chosen->least() <= s.standard->least());
    CHECK(tuning.gflops(s.chosen->least()) > 0);
    CHECK(tune::read_records(at / "records.jsonl").records.size() == tuning.records().size());

    // ---- the header ----
    tune::replace_file(at.path() / "tuned.hpp", tune::header_text("tuned", tuning.records()));
    tune::builder engine(with, {.directory = at.path() / "engine",
                                .include_directories = {include_directory(), user_directory(), at.path().string()},
                                .headers = {"conv1d.hpp", "tuned.hpp"}});
    const std::string chosen = tune::text_of(tune::config_of<cpu_family>(s.chosen->template_name, s.chosen->knobs));
    const auto built = engine.build(
        {{fmt::format(
              "using kernel = hone::kernel<audio::speech, tuned, hone::isa::{}>;\n"
              "static_assert(kernel::config == hone::schedules::config_from<hone::cpu_templates>(\"{}\").value);",
              name_of(set), chosen),
          "hone::tune::variant_of<kernel>()"}});
    REQUIRE_MESSAGE(built[0].found == verdict::ok, built[0].detail);
    std::string why;
    const tune::variant* kernel = tune::measuring::find_variant(built[0].library, built[0].index, why);
    REQUIRE_MESSAGE(kernel != nullptr, why);

    speech_call call;
    std::vector<float> packed(kernel->packed_bytes / sizeof(float)),
        workspace(kernel->workspace_bytes(1) / sizeof(float) + 1);
    kernel->pack(call.weights.data(), packed.data());
    serial_executor serial;
    const status ran = kernel->run(reference_to(serial), {.x = call.x.data(),
                                                          .weights = packed.data(),
                                                          .bias = call.bias.data(),
                                                          .y = call.y.data(),
                                                          .workspace = workspace.data(),
                                                          .weights_layout = kernel->layout_id});
    REQUIRE_MESSAGE(ran.ok(), ran.message());
    CHECK(call.error() < 1e-5);
}
