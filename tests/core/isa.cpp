// SPDX-License-Identifier: BSL-1.0
// The table of instruction sets, and what a processor runs of it.
#include <hone/core/isa.hpp>

#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::operators;

TEST_CASE("each row stands in the place of its enumerator, and its names, features and sizes make sense")
{
    std::set<std::string> names;
    int rows = 0;
    for_each_isa([&](const isa_row& r) {
        CAPTURE(r.name);
        ++rows;
        CHECK(&row_of(r.set) == &r);
        CHECK(names.insert(r.name).second);
        CHECK(name_of(r.set) == std::string(r.name));
        CHECK(r.register_bytes % 16 == 0);
        CHECK(lanes_of(r.set, dtype::f32) == r.register_bytes / 4);
        CHECK(vector_registers(r.set) >= 16);
        // What needs no feature is what is left for all processors.
        CHECK((r.features == cpu_features{}) == (r.kind == processor_kind::any));
    });
    CHECK(rows == static_cast<int>(sizeof isa_table / sizeof isa_table[0]) - 1);
    CHECK(std::string(name_of(isa::none)) == "none");
    CHECK(lanes_of(isa::none, dtype::f32) == 1);
    CHECK(row_of(static_cast<isa>(200)).set == isa::none);
}

// A row that a later one contains is never the better one.
TEST_CASE("of what a processor has, the last row is the best")
{
    for_each_isa([](const isa_row& a) {
        for_each_isa([&](const isa_row& b) {
            if (a.set < b.set || !a.features.has(b.features)) return;
            CAPTURE(a.name);
            CAPTURE(b.name);
            CHECK(a.register_bytes >= b.register_bytes);
        });
        CHECK(best_isa(a.features) == a.set);
    });
    using namespace cpu_feature;
    CHECK(best_isa({}) == isa::baseline);
    CHECK(best_isa(avx2) == isa::baseline); // without FMA
    CHECK(best_isa(avx2 | cpu_feature::fma | avx512f) == isa::avx2);
    CHECK(best_isa(avx2 | cpu_feature::fma | avx512f | avx512vl | avx512dq | avx512bw) == isa::avx512);
    CHECK(best_isa(asimd) == isa::neon);
}

TEST_CASE("features are a set: what a processor runs is no matter of order")
{
    CHECK(runs_on(isa::avx2, isa::avx512));
    CHECK_FALSE(runs_on(isa::avx512, isa::avx2));
    for (isa x86 : {isa::avx2, isa::avx512}) {
        CHECK_FALSE(runs_on(x86, isa::neon));
        CHECK_FALSE(runs_on(isa::neon, x86));
    }
    for_each_isa([](const isa_row& r) {
        CHECK(runs_on(r.set, r.set));
        CHECK(runs_on(isa::baseline, r.set));
        CHECK_FALSE(runs_on(isa::none, r.set));
        CHECK_FALSE(runs_on(r.set, isa::none));
    });
}

TEST_CASE("this processor runs what this test is compiled for")
{
    CHECK(processor_features().has(compiled_features()));
    CHECK(runs_on(compiled_isa(), cpu()));
    CHECK(runs_here(compiled_isa()));
    CHECK(runs_here(cpu()));
    CHECK_FALSE(runs_here(isa::none));
#if defined(__aarch64__)
    CHECK(compiled_isa() == isa::neon);
    CHECK_FALSE(runs_here(isa::avx2));
#else
    CHECK_FALSE(runs_here(isa::neon));
#endif
}
