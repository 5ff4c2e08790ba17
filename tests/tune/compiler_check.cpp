// SPDX-License-Identifier: BSL-1.0
// Before any candidate is tried: which workload is, and what is a fault of the machine, with builders that answer as
// they are told.
#include <hone/tune/compiler_check.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

namespace {

// Answers the attempts in order, the last answer to all that follow.
struct answering_builder final : tune::candidate_builder {
    std::vector<tune::built_variant> answers{};
    std::string machine{}; // its trouble
    int attempts = 0, checked = 0;

    std::string name() const override { return "cc -O2"; }
    int built() const override { return attempts; }
    bool has(const tune::variant_source&) const override { return false; }
    std::vector<tune::built_variant> build(const std::vector<tune::variant_source>& variants,
                                           tune::process_control&) override
    {
        REQUIRE(variants.size() == 1);
        const auto at = std::min<std::size_t>(static_cast<std::size_t>(attempts++), answers.size() - 1);
        return {answers.at(at)};
    }
    std::string trouble(tune::process_control&) override { return machine; }
    void check_code(const tune::variant_source& kernel, tune::process_control&) override
    {
        ++checked;
        CHECK(kernel.value == "the default");
    }
};

struct workload_to_check final : tune::tuning {
    workload_to_check(std::int64_t rows, const tune::tuning_environment& e) : tuning(task_of_rows(rows), e) {}
    static tune::task task_of_rows(std::int64_t rows)
    {
        tune::task t = tune::task_of<tiny>("tiny", "tiny");
        t.definition.stages[0].axes[0].extent = rows;
        return t;
    }
    void adopt(const std::vector<tune::record>&) override {}
    std::vector<tune::candidate> propose(std::size_t) override { return {}; }
    void measure(const std::vector<tune::candidate>&, const std::vector<tune::built_variant>&) override {}
    void compare() override {}
    double seconds_thinking() const override { return 0; }
    std::vector<tune::arithmetic> arithmetics() const override { return {tune::arithmetic::direct}; }
    tune::measurement verify_on_twin(const tune::record&) override { return {}; }
    std::optional<tune::variant_source> standard_source() const override
    {
        return tune::variant_source{.value = "the default"};
    }
    void tried()
    {
        tune::record r = tiny_record(1);
        r.origin = "default";
        note(r, {.found = verdict::ok, .ms = {1}});
    }
};

constexpr auto no_end = tune::process_control::clock::time_point::max();

std::string said_of_machine(answering_builder& build, tune::tuning& t)
{
    std::vector<tune::tuning*> open{&t};
    try {
        tune::check_compiler(build, open, no_end);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("a compiler that works is asked once, and not at all where something has been measured")
{
    const tune::tuning_environment environment;
    workload_to_check t(5, environment);
    answering_builder build;
    build.answers = {{.found = verdict::ok}};
    CHECK(said_of_machine(build, t) == "");
    CHECK(build.attempts == 1);
    t.tried();
    CHECK(said_of_machine(build, t) == "");
    CHECK(build.attempts == 1);
    tune::check_compiler(build, {}, no_end);
    CHECK(build.attempts == 1);
}

TEST_CASE("a want of the machine that lasts is said with the mend, and one that passes is not")
{
    const tune::tuning_environment environment;
    workload_to_check t(5, environment);
    answering_builder passing, lasting;
    passing.answers = {{.found = verdict::untried, .detail = "No space left on device"}, {.found = verdict::ok}};
    CHECK(said_of_machine(passing, t) == "");
    CHECK(passing.attempts == 2);
    lasting.answers = {{.found = verdict::untried, .detail = "No space left on device"}};
    CHECK(said_of_machine(lasting, t) ==
          "kernels cannot be built on this machine, so nothing is recorded of them: No space left on device; make room "
          "for 'cc -O2', or mend it, and start again");
    CHECK(lasting.attempts == 3);
}

TEST_CASE("a kernel that is rejected is a fault of the machine only where even one that does nothing is")
{
    const tune::tuning_environment environment;
    workload_to_check t(5, environment);
    answering_builder build;
    build.answers = {{.found = verdict::compile_error, .detail = "error: of the kernel"}};
    CHECK(said_of_machine(build, t) == "");
    build.machine = "cc1plus is missing";
    CHECK(said_of_machine(build, t).find("of them: cc1plus is missing; ") != std::string::npos);
    CHECK(build.attempts == 2);
}

TEST_CASE("the first to be tried is one of which nothing is known, and of these the one of most operations")
{
    const tune::tuning_environment environment;
    workload_to_check known(50, environment), other(5, environment), larger(6, environment);
    CHECK(&tune::first_of({&other, &larger}) == &larger);
    known.tried();
    CHECK(&tune::first_of({&known, &other}) == &other);
    CHECK(&tune::first_of({&other, &known}) == &other);
    other.tried();
    other.tried();
    CHECK(&tune::first_of({&other, &known}) == &known);
}

TEST_CASE("the code that is compared with what is shipped is the default's")
{
    const tune::tuning_environment environment;
    workload_to_check t(5, environment);
    answering_builder build;
    tune::check_code(build, {&t}, no_end);
    CHECK(build.checked == 1);
    tune::check_code(build, {}, no_end);
    CHECK(build.checked == 1);
}
