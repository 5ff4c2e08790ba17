// SPDX-License-Identifier: BSL-1.0
// What serves all builders asks one by its interface alone: a pool gets what it makes, and a check says why it makes
// nothing.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/build_pool.hpp>
#include <hone/tune/candidate_builder.hpp>
#include <hone/tune/compiler_check.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

namespace {

// Makes a library by its name.
class pencil final : public tune::candidate_builder {
public:
    explicit pencil(verdict found) : found_(found) {}
    std::string name() const override { return "pencil"; }
    int built() const override { return built_; }
    bool has(const tune::variant_source&) const override { return false; }
    std::vector<tune::built_variant> build(const std::vector<tune::variant_source>& variants,
                                           tune::process_control&) override
    {
        std::vector<tune::built_variant> all;
        for (const tune::variant_source& v : variants) all.push_back({.found = found_, .library = v.value});
        ++built_;
        return all;
    }
    std::string trouble(tune::process_control&) override { return "its point is broken"; }
    void check_code(const tune::variant_source&, tune::process_control&) override {}

private:
    verdict found_;
    int built_ = 0;
};

} // namespace

TEST_CASE("a pool gives what any builder makes, in the order of its batch")
{
    pencil with(verdict::ok);
    tune::build_pool pool(with, 1);
    pool.submit({{"", "first"}, {"", "second"}});
    const auto done = pool.wait();
    REQUIRE(done.variants.size() == 2);
    CHECK(done.variants[0].library == "first");
    CHECK(done.variants[1].library == "second");
    CHECK(with.built() == 1);
}

TEST_CASE("a builder that makes nothing is named with its trouble")
{
    const folder at;
    tune::builder build = tiny_builder(at);
    const tune::tuning_environment environment{.work_directory = at.path() / "work"};
    tune::cpu_tuning tuning(tune::task_of<tiny>("tiny", "tiny"), environment, build, isa::baseline);
    pencil broken(verdict::compile_error), fine(verdict::ok);
    const auto end = tune::process_control::clock::time_point::max();
    CHECK_THROWS_WITH_AS(tune::check_compiler(broken, {&tuning}, end),
                         doctest::Contains("its point is broken; make room for 'pencil'"), std::runtime_error);
    tune::check_compiler(fine, {&tuning}, end);
}
