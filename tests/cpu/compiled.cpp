// SPDX-License-Identifier: BSL-1.0
// A table of compiled kernels: one entry for each workload and number of threads that it was tuned for, in constant
// data, found by signature and threads.
#include <doctest/doctest.h>

#include <hone/cpu/compiled.hpp>
#include <hone/op/gemm.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

struct tuned_twice : gemm<gemm_shape{.m = 5, .n = 24, .k = 7}, f32> {};
struct not_tuned : gemm<gemm_shape{.m = 6, .n = 24, .k = 7}, f32> {};
using list = workloads<tuned_twice, not_tuned>;

constexpr signature_text signature = tuned_twice::signature();
struct configs {
    static constexpr cpu_entry entries[] = {
        {.signature = signature.c_str(), .set = isa::baseline, .config = "direct rows=2"},
        {.signature = signature.c_str(), .set = isa::baseline, .threads = 8, .config = "direct rows=3"},
        {.signature = signature.c_str(), .set = isa::avx2, .threads = 2, .config = "direct rows=4"}};
    static const entry_table& table();
};
using baseline = compiled<list, configs, isa::baseline>;

} // namespace

template <>
constinit const baseline::entries baseline::kernels = entries_of<list, configs, isa::baseline>();

const entry_table& configs::table() { return table_of<list, configs, isa::baseline>; }

TEST_CASE("a table has an entry for each number of threads that a workload was tuned for, and the default for others")
{
    const entry_table& table = configs::table();
    REQUIRE(table.count == 1);
    CHECK(table.lists[0].count == 3);
    const auto threads_for = [&](int threads) {
        const entry* e = find(table, signature.c_str(), isa::avx512, threads);
        REQUIRE(e != nullptr);
        return e->threads;
    };
    CHECK(threads_for(1) == 1);
    CHECK(threads_for(2) == 1);
    CHECK(threads_for(3) == 8);
    CHECK(threads_for(64) == 8);
    const entry* standard = find(table, not_tuned::signature().c_str(), isa::baseline, 4);
    REQUIRE(standard != nullptr);
    CHECK(standard->layout_id == kernel<not_tuned, defaults, isa::baseline>::layout_id);
    CHECK(find(table, "another", isa::avx512) == nullptr);
}
