// SPDX-License-Identifier: BSL-1.0
// A tuning on the CPU before anything is measured: under which key, and of which sources its candidates are made.
#include <hone/tune/cpu/tuning.hpp>

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <hone/measure/machine.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("a candidate is a config set of one entry, and the kernel that takes it")
{
    tune::task t; // g++ 14 breaks down over its members in braces
    t.type = "my::c2";
    t.signature = "gemm \"odd\" \\";
    const tune::named_config c{.name = "direct", .knobs = {{"rows", "6"}, {"pad", "copy"}}};
    const tune::variant_source s = tune::source_of(t, c, isa::avx512);
    CHECK(s.declarations == R"(struct set {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr hone::cpu_entry entries[] = {{.signature = "gemm \"odd\" \\",
        .set = hone::isa::avx512,
        .config = "direct rows=6 pad=copy"}};
};)");
    CHECK(s.value == "hone::tune::variant_of<hone::kernel<my::c2, set, hone::isa::avx512>>()");
    const tune::variant_source naive = tune::naive_source_of(t, isa::avx2);
    CHECK(naive.declarations.empty());
    CHECK(naive.value == "hone::tune::variant_of<hone::tune::naive_kernel<my::c2, hone::isa::avx2>>()");
}

TEST_CASE("a tuning has the key of its machine, compiler and set, and begins with the default and the naive kernel")
{
    const folder at;
    auto build = tiny_builder(at);
    const tune::tuning_environment environment{
        .work_directory = at.path() / "work", .seed = 3, .threads = 2, .cache = tune::cache_mode::hot};
    tune::cpu_tuning tuning(tune::task_of<tiny>("tiny", "tiny"), environment, build, isa::baseline);
    const tune::record key = std::as_const(tuning).key();
    CHECK(key.backend == tune::on_cpu);
    CHECK(key.device == tune::processor_name());
    CHECK(key.isa == name_of(isa::baseline));
    CHECK(key.threads == 2);
    CHECK(key.cache == "hot");
    CHECK(key.compiler == build.used().version);
    CHECK_FALSE(key.compiler.empty());
    CHECK(tuning.target() == name_of(isa::baseline));
    CHECK(tuning.arithmetics() == tune::cpu_arithmetics(tiny::definition()));

    const auto batch = tuning.propose(5);
    REQUIRE(batch.size() == 5);
    CHECK(batch[0].key.origin == "default");
    CHECK(batch[1].key.origin == "naive");
    CHECK(batch[1].source.value == tune::naive_source_of(tuning.task(), isa::baseline).value);
    const auto standard = tuning.standard_source();
    REQUIRE(standard.has_value());
    CHECK(batch[0].source.declarations == standard->declarations);
}
