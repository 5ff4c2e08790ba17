// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstdlib>

#include <doctest/doctest.h>

#include <dlfcn.h>

#include <hone/process/process.hpp>
#include <hone/tune/cpu/build.hpp>
#include <hone/tune/cpu/variant.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;
using namespace std::chrono_literals;
using tune::verdict;

TEST_CASE("a command's status, output and deadline")
{
    const auto shell = [](const char* text, tune::process_limits limits = {}) {
        return tune::run_process({"sh", "-c", text}, "in\n", limits);
    };
    CHECK(shell("cat; echo err >&2").out == "in\n");
    CHECK(shell("cat; echo err >&2").err == "err\n");
    CHECK(shell("exit 3").exit_status == 3);
    CHECK(shell("kill -9 $$").signal == 9);
    CHECK_FALSE(tune::run_process({"no such command"}, "", {}).ok());

    const auto late = shell("sleep 100", {.deadline = 200ms});
    CHECK(late.timed_out);
    const auto chatty = shell("yes", {.deadline = 200ms, .output_bytes = 100});
    CHECK(chatty.timed_out);
    CHECK(chatty.out.size() == 100);
    CHECK(shell("ulimit -v", {.memory_bytes = std::uint64_t{1} << 30}).out == "1048576\n");
}

TEST_CASE("a command that leaves a process behind does not hold up its caller, and the process is killed")
{
    const folder at;
    const auto begin = std::chrono::steady_clock::now();
    const auto r = tune::run_process({"sh", "-c", "(sleep 1; touch " + at / "alive" + ") & exit 0"}, "", {});
    CHECK(r.ok());
    CHECK(std::chrono::steady_clock::now() - begin < 900ms);
    usleep(1'300'000);
    CHECK_FALSE(std::filesystem::exists(at / "alive"));
}

TEST_CASE("lines reset the deadline, and come as they are written")
{
    std::vector<std::string> lines;
    const auto r = tune::run_process({"sh", "-c", "for i in 1 2 3 4; do sleep 0.2; echo $i; done; sleep 100"}, "",
                                     {.deadline = 500ms}, [&](std::string_view l) { lines.emplace_back(l); });
    CHECK(r.timed_out);
    CHECK(lines == std::vector<std::string>{"1", "2", "3", "4"});
}

TEST_CASE("a compiler that is not there is named, with the mend")
{
    try {
        tune::find_compiler("no-such-compiler", isa::baseline);
        FAIL("there is no such compiler");
    } catch (const std::exception& e) {
        const std::string text = e.what();
        CHECK(text.find("no-such-compiler") != std::string::npos);
        CHECK(text.find("--compiler") != std::string::npos);
    }
}

TEST_CASE("a variant that does not compile costs itself only")
{
    const folder at;
    auto builder = tiny_builder(at);
    std::vector<tune::variant_source> sources(5, right_kernel());
    sources[3].declarations += "\nint broken = \"text\";";
    const auto built = builder.build(sources);
    REQUIRE(built.size() == 5);
    for (std::size_t i = 0; i < built.size(); ++i) {
        CAPTURE(i);
        CHECK_MESSAGE(built[i].found == (i == 3 ? verdict::compile_error : verdict::ok), built[i].detail);
        if (i == 3) continue;
        void* const library = dlopen(built[i].library.c_str(), RTLD_NOW);
        REQUIRE(library != nullptr);
        CHECK(built[i].index < *static_cast<const int*>(dlsym(library, "hone_variant_count")));
        CHECK(static_cast<const tune::variant*>(dlsym(library, "hone_variants"))[built[i].index].packed_bytes ==
              7 * 24 * sizeof(float));
    }
    CHECK(built[3].detail.find("broken") != std::string::npos);
}

TEST_CASE("a variant that compiles too long costs itself and its deadline")
{
    const folder at;
    const auto builder = tiny_builder(at);
    auto slow = right_kernel();
    slow.declarations +=
        "\nconstexpr long spin() { long s = 0; for (long i = 0; i < 2000000000000; ++i) s += i; return s; }\n"
        "constexpr long spun = spin();";
    // Without this the compilers give up before the deadline.
    tune::compiler patient = builder.used();
    const bool clang = patient.version.find("clang") != std::string::npos;
    patient.flags.push_back(clang ? "-fconstexpr-steps=2147483647" : "-fconstexpr-ops-limit=2000000000000");
    if (!clang) patient.flags.push_back("-fconstexpr-loop-limit=2147483647");
    tune::builder waits(patient, {.directory = at.path() / "slow",
                                  .include_directories = {include_directory(), at.path().string()},
                                  .headers = {"tiny.hpp"},
                                  .deadline_per_variant = 2500ms});
    const auto built = waits.build({right_kernel(), slow});
    CHECK_MESSAGE(built[0].found == verdict::ok, built[0].detail);
    CHECK_MESSAGE(built[1].found == verdict::build_timeout, built[1].detail);
}

TEST_CASE("a compiler that crashes is told from one that rejects")
{
    const folder at;
    tiny_builder(at);
    std::ofstream(at / "crashes")
        << "#!/bin/sh\ncase $1 in --version) echo crashing 1.0; exit 0;; esac\nkill -SEGV $$\n";
    std::filesystem::permissions(at / "crashes", std::filesystem::perms::owner_all);
    tune::builder builder(tune::find_compiler(at / "crashes", isa::baseline), {.directory = at.path() / "build"});
    CHECK(builder.build({right_kernel()})[0].found == verdict::compiler_crash);
}

namespace {

// A compiler that is a script; the real one is $real in it.
tune::builder scripted(const folder& at, const std::string& script)
{
    tiny_builder(at);
    std::ofstream(at / "compiler") << "#!/bin/sh\ncase $1 in --version) echo scripted 1.0; exit 0;; esac\nreal=c++\n"
                                      "for last; do :; done\n"
                                   << script << "\nexec $real \"$@\"\n";
    std::filesystem::permissions(at / "compiler", std::filesystem::perms::owner_all);
    return {tune::find_compiler(at / "compiler", isa::baseline),
            {.directory = at.path() / "build",
             .include_directories = {include_directory(), at.path().string()},
             .headers = {"tiny.hpp"}}};
}

} // namespace

TEST_CASE("what the machine lacks is no fault of a variant")
{
    for (const char* script : {"echo 'cc.s: No space left on device' >&2; exit 1",
                               "echo \"cannot execute 'cc1plus': vfork: Resource temporarily unavailable\" >&2; exit 1",
                               "echo 'cc1plus: out of memory allocating 65536 bytes' >&2; exit 1", "kill -KILL $$",
                               "kill -XFSZ $$", "exit 127"}) {
        CAPTURE(script);
        const folder at;
        auto builder = scripted(at, script);
        for (const auto& b : builder.build({right_kernel(), right_kernel()})) CHECK(b.found == verdict::untried);
        tune::process_control none;
        CHECK_FALSE(builder.trouble(none).empty());
    }
}

TEST_CASE("a compiler that ends well and leaves no library is named, and that is no fault of a variant")
{
    for (const char* script :
         {"exit 0",
          "for o; do [ \"$out\" = - ] && out=$o; [ \"$o\" = -o ] && out=-; done; echo text >\"$out\"; exit 0"}) {
        CAPTURE(script);
        const folder at;
        auto builder = scripted(at, script);
        for (const auto& b : builder.build({right_kernel(), right_kernel()})) {
            CHECK(b.found == verdict::untried);
            CHECK(b.detail == "'" + at / "compiler" + "' ended with status 0 and left no library");
        }
    }
}

TEST_CASE("what a killed compiler leaves behind lies where the builder works")
{
    const folder at;
    auto builder = scripted(at, "touch \"${TMPDIR-/none}/left\"; sleep 600");
    tune::process_control control;
    control.end_at(tune::process_control::clock::now() + 1s);
    CHECK(builder.build({right_kernel()}, control)[0].found == verdict::interrupted);
    CHECK(std::filesystem::exists(at.path() / "build" / "left"));
}

TEST_CASE("a variant that fills the memory alone costs itself")
{
    const folder at;
    auto builder = scripted(
        at, "if grep -q greedy \"$last\"; then echo 'cc1plus: out of memory allocating 1 byte' >&2; exit 1; fi");
    auto greedy = right_kernel();
    greedy.declarations += "\nint greedy;";
    const auto built = builder.build({right_kernel(), greedy});
    CHECK_MESSAGE(built[0].found == verdict::ok, built[0].detail);
    CHECK(built[1].found == verdict::compiler_crash);
}

TEST_CASE("a kernel that was built alone is there at once")
{
    const folder at;
    auto builder = tiny_builder(at);
    CHECK_FALSE(builder.has(right_kernel()));
    const auto first = builder.build({right_kernel()}).front();
    REQUIRE_MESSAGE(first.found == verdict::ok, first.detail);
    CHECK(builder.has(right_kernel()));
    CHECK(builder.built() == 1);
    CHECK(builder.build({right_kernel()}).front().library == first.library);
    CHECK(builder.built() == 1);
    CHECK_FALSE(builder.has(right_kernel(";")));
}

TEST_CASE("a compiler that hangs at the headers is named")
{
    const folder at;
    scripted(at, "sleep 600");
    tune::builder waits(tune::find_compiler(at / "compiler", isa::baseline),
                        {.directory = at.path() / "build", .deadline_per_variant = 100ms});
    CHECK_THROWS_WITH_AS(waits.check_headers(), doctest::Contains("compiler' did not end within"), std::runtime_error);
}

TEST_CASE("a program that the headers need and is not there is named")
{
    const folder at;
    tune::builder lacks({.command = {"/nowhere/compiler"}}, {.directory = at.path()});
    CHECK_THROWS_WITH_AS(lacks.check_headers(),
                         doctest::Contains("cannot start '/nowhere/compiler' to compile the headers"),
                         std::runtime_error);
}

TEST_CASE("nothing is built past the end that it was given")
{
    const folder at;
    auto builder = scripted(at, "sleep 600");
    tune::process_control control;
    control.end_at(tune::process_control::clock::now() + 300ms);
    CHECK(builder.build({right_kernel()}, control)[0].found == verdict::interrupted);
    CHECK(builder.build({right_kernel()}, control)[0].found == verdict::interrupted);
}
