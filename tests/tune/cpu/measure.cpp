// SPDX-License-Identifier: BSL-1.0
// Variants of libraries in a child: which of them fail and why, in what order they are timed, and with what.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <doctest/doctest.h>

#include <hone/measure/problem.hpp>
#include <hone/tune/cpu/measure.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using namespace std::chrono_literals;
using tune::verdict;

// The child of the tests below: this program, started again for this case alone.
TEST_CASE("measure variants in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

tune::child_command child_that_measures()
{
    return {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip",
            "--test-case=measure variants in a child"};
}

std::vector<tune::measurement> measured_variants(const std::vector<tune::variant_source>& sources,
                                                 tune::measure_job job = {})
{
    const folder at;
    auto builder = tiny_builder(at);
    job.problem = at / "tiny.problem";
    job.deadline = 5s;
    job.rules.patience_ms = 1e5; // as many samples on a machine that others keep busy
    tune::save(tune::problem_of(tiny::definition(), 1, {tune::arithmetic::direct}), job.problem);
    for (const auto& b : builder.build(sources)) {
        REQUIRE_MESSAGE(b.found == verdict::ok, b.detail);
        job.variants.push_back({b.library, b.index});
    }
    return tune::measure(job, child_that_measures());
}

} // namespace

TEST_CASE("a library that cannot be loaded is no fault of its kernels")
{
    const folder at;
    tune::measure_job job;
    job.problem = at / "tiny.problem";
    tune::save(tune::problem_of(tiny::definition(), 1, {tune::arithmetic::direct}), job.problem);
    std::ofstream(at / "text.so") << "text";
    job.variants = {{at / "absent.so", 0}, {at / "text.so", 0}};
    for (const auto& m : tune::measure(job, child_that_measures())) {
        CHECK(m.found == verdict::untried);
        CHECK(m.detail.find(".so: ") != std::string::npos);
    }
}

TEST_CASE("candidates that fail cost themselves only")
{
    struct {
        const char* what;
        tune::variant_source source;
        verdict found;
    } const cases[] = {
        {"right", right_kernel(), verdict::ok},
        {"hangs", right_kernel("for (;;) __asm__ volatile(\"\");"), verdict::run_timeout},
        {"crashes", right_kernel("__builtin_trap();"), verdict::crash},
        {"reads nowhere", right_kernel("(void)*reinterpret_cast<const volatile float*>(16);"), verdict::crash},
        {"ends its process", right_kernel("_exit(0);"), verdict::crash},
        {"right after failures", right_kernel(), verdict::ok},
        {"forks", right_kernel("fork();"), verdict::crash},
        {"forks and hangs", right_kernel("if (fork() == 0) for (;;) __asm__ volatile(\"\");"), verdict::crash},
        {"prints", right_kernel("puts(\"{\\\"variant\\\": 0, \\\"verdict\\\": \\\"crash\\\"}\");"), verdict::ok},
        {"writes nothing", right_kernel("return {};"), verdict::wrong_result},
        // Under sanitizers memory has no limit.
        {"fills the memory",
         right_kernel(tune::has_shadow_memory
                          ? "__builtin_trap();"
                          : "for (int i = 0; i < 64; ++i) if (__builtin_malloc(1 << 30) == nullptr) __builtin_trap();"),
         verdict::crash},
        {"reports a fault", right_kernel("return {hone::fault::workspace_missing};"), verdict::wrong_result},
        {"writes before y", right_kernel("a.y.as<float>()[-1] = 0;"), verdict::wrong_result},
        {"writes behind y", right_kernel("a.y.as<float>()[5 * 24] = 0;"), verdict::crash},
        {"writes to x", right_kernel("const_cast<float*>(a.x.as<float>())[3] += 1;"), verdict::crash},
        {"right at the end", right_kernel(), verdict::ok},
    };
    std::vector<tune::variant_source> sources;
    for (const auto& c : cases) sources.push_back(c.source);
    const auto results = measured_variants(sources);
    REQUIRE(results.size() == std::size(cases));
    for (std::size_t i = 0; i < results.size(); ++i) {
        INFO(cases[i].what << ": " << tune::name_of(results[i].found) << ", " << results[i].detail);
        CHECK(results[i].found == cases[i].found);
        if (cases[i].found == verdict::ok) {
            CHECK(results[i].ms.size() >= 10);
            CHECK(results[i].least() > 0);
            CHECK(results[i].median() >= results[i].least());
            CHECK(results[i].max_rel_error < 1e-6);
        } else {
            CHECK_FALSE(results[i].detail.empty());
        }
    }
}

TEST_CASE("in rounds every variant has its samples, and one that fails is left out")
{
    const auto results =
        measured_variants({right_kernel(), right_kernel("static int calls = 0; if (++calls > 4) __builtin_trap();"),
                           right_kernel("usleep(1000);")},
                          {.order = tune::timing_order::rounds});
    REQUIRE(results.size() == 3);
    CHECK(results[0].found == verdict::ok);
    CHECK(results[1].found == verdict::crash);
    CHECK(results[2].found == verdict::ok);
    CHECK(results[0].ms.size() == 10);
    CHECK(results[2].ms.size() == 10);
    CHECK(results[2].least() >= 1); // as long as it sleeps
}

TEST_CASE("timed calls take cold weights in turn, and hot ones from one place, with the same contents")
{
    // The first two calls verify; their weights are not among those in turn, and are other ones.
    const std::string first_calls =
        "static int calls = 0; static const float* first = nullptr; static float values[7 * 24];"
        "static const float* last = nullptr; if (++calls <= 2) return kernel::run(e, a);"
        "const float* const weights = static_cast<const float*>(a.weights);"
        "if (calls == 3) for (int i = 0; i < 7 * 24; ++i) values[i] = weights[i];"
        "for (int i = 0; i < 7 * 24; ++i) if (weights[i] != values[i]) __builtin_trap();";
    const auto moves = right_kernel(first_calls + "if (weights == last) __builtin_trap(); last = weights;");
    const auto stays = right_kernel(first_calls + "if (calls == 3) first = weights;"
                                                  "if (weights != first) __builtin_trap();");
    for (const auto order : {tune::timing_order::each, tune::timing_order::rounds}) {
        const auto cold = measured_variants({moves, stays}, {.order = order});
        CHECK(cold[0].found == verdict::ok);
        CHECK(cold[1].found == verdict::crash);
        const auto hot = measured_variants({moves, stays}, {.order = order, .cache = tune::cache_mode::hot});
        CHECK(hot[0].found == verdict::crash);
        CHECK(hot[1].found == verdict::ok);
    }
}

TEST_CASE("results that go wrong while calls are timed are found")
{
    const auto results = measured_variants({right_kernel("static int calls = 0;"
                                                         "if (++calls > 3) { a.y.as<float>()[0] = 77; return {}; }")});
    CHECK(results[0].found == verdict::wrong_result);
}

TEST_CASE("a kernel gets as many slots as there are threads, workspace for all of them, and a processor for each")
{
    const std::string slots = "if (e.slots() != 2) __builtin_trap();";
    // Both chunks wait for the other one, so that two threads have them.
    const std::string meets =
        "static int begun; static int processors[2]; static bool same_slot; begun = 0; static int slot_of[2];"
        "e.run(2, [](std::int64_t i, int slot) {"
        "    slot_of[i] = slot; processors[i] = sched_getcpu();"
        "    __atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);"
        "    while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < 2) sched_yield(); });"
        "same_slot = slot_of[0] == slot_of[1]; if (same_slot) __builtin_trap();";
    const auto fills = [](const std::string& bytes) {
        return "for (int i = 0; i < " + bytes + "; ++i) static_cast<char*>(a.workspace)[i] = 1;";
    };
    auto together = right_kernel(slots + meets);
    auto apart = right_kernel(meets + "if (processors[0] == processors[1]) __builtin_trap();");
    for (auto* v : {&together, &apart})
        v->declarations.insert(0, "extern \"C\" int sched_getcpu();\nextern \"C\" int sched_yield();\n");
    const std::vector<tune::variant_source> sources{together, right_kernel(fills("2 * 4000"), "4000 * slots"),
                                                    right_kernel(fills("2 * 4000 + 4"), "4000 * slots"),
                                                    right_kernel("if (e.slots() != 1) __builtin_trap();"), apart};
    const int some = tune::timing_cpu();
    for (const auto order : {tune::timing_order::each, tune::timing_order::rounds}) {
        const auto two = measured_variants(sources, {.order = order, .threads = 2, .cpu = some});
        CHECK_MESSAGE(two[0].found == verdict::ok, two[0].detail);
        CHECK(two[1].found == verdict::ok);
        CHECK(two[2].found == verdict::crash);
        CHECK(two[3].found == verdict::crash);
        if (tune::usable_cpus().size() >= 2) CHECK_MESSAGE(two[4].found == verdict::ok, two[4].detail);
    }
    // Without a processor to begin with nothing is pinned, and with one thread there is one slot.
    CHECK(measured_variants({together}, {.threads = 2})[0].found == verdict::ok);
    CHECK(measured_variants({sources[3]}, {.cpu = some})[0].found == verdict::ok);
}

TEST_CASE("a kernel of hone's is right on several threads")
{
    // As it stands in a generated unit: rows in chunks, a padded copy of x would take workspace.
    const tune::variant_source blocked{
        "struct set {\n    static constexpr auto text = tiny::signature();\n"
        "    static constexpr hone::cpu_entry entries[] = {{.signature = text.c_str(), .set = hone::isa::baseline,\n"
        "        .config = \"direct rows=1 vectors=1 row_block=1\"}};\n};",
        "hone::tune::variant_of<hone::kernel<tiny, set, hone::isa::baseline>>()"};
    for (const int threads : {1, 2, 3}) {
        const auto found = measured_variants({blocked}, {.threads = threads});
        CHECK_MESSAGE(found[0].found == verdict::ok, found[0].detail);
    }
}

TEST_CASE("threads get as many processors, the given one first")
{
    const auto usable = tune::usable_cpus();
    const int count = static_cast<int>(usable.size()), some = tune::timing_cpu();
    const auto all = tune::measuring::processors_of(count, some);
    CHECK(std::set<int>(all.begin(), all.end()) == std::set<int>(usable.begin(), usable.end()));
    CHECK(all.size() == usable.size());
    CHECK(all.front() == some);
    CHECK(tune::measuring::processors_of(count + 1, some).empty());
    CHECK(tune::measuring::processors_of(1, -1).empty());
}
