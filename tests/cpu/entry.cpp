// SPDX-License-Identifier: BSL-1.0
// The run-time door: what an entry says of its kernel, any executor behind two pointers, and what find() chooses.
#include <hone/cpu/entry.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

// y = (1 2) w for weights (1 2 3; 4 5 6).
struct small : gemm<gemm_shape{.m = 1, .n = 3, .k = 2}, f32> {};
const float x[] = {1, 2}, weights[] = {1, 2, 3, 4, 5, 6};

// Runs chunks from the last to the first, on alternating slots.
struct backwards {
    static constexpr std::int64_t least_region_ns = 17;
    int slots() const { return 2; }
    template <class F>
    void run(std::int64_t n, F&& f)
    {
        for (std::int64_t i = n; i-- > 0;) f(i, static_cast<int>(i % 2));
    }
};

} // namespace

TEST_CASE("an entry says of its kernel what the kernel says")
{
    using k = kernel<small>;
    constexpr entry e = entry_of<k>();
    static_assert(e.set == compiled_isa() && e.threads == 1 && e.layout_id == k::layout_id);
    static_assert(e.packed_bytes == k::packed_bytes);
    static_assert(e.signature_hash == signature_hash(small::signature().c_str()));
    CHECK(std::string(e.signature) == small::signature().c_str());
    CHECK(e.workspace_bytes(3) == k::workspace_bytes(3));
    std::vector<std::byte> packed(e.packed_bytes), workspace(e.workspace_bytes(2));
    REQUIRE(e.pack(weights, packed.data()).ok());
    backwards executor;
    float y[3]{};
    const arguments call{.x = x, .weights = packed.data(), .y = y, .workspace = workspace.data()};
    REQUIRE(e.run(reference_to(executor), call).ok());
    CHECK((y[0] == 9 && y[1] == 12 && y[2] == 15));
    CHECK(e.pack(static_cast<const float*>(nullptr), packed.data()).what == fault::tensor_missing);
    CHECK(e.run(reference_to(executor), {.x = x, .weights = packed.data()}).what == fault::tensor_missing);
}

TEST_CASE("a reference runs what its executor runs, in its order, and says what that says")
{
    backwards executor;
    const executor_ref r = reference_to(executor);
    CHECK(r.slots() == 2);
    CHECK(r.least_region_ns == 17);
    std::vector<std::pair<std::int64_t, int>> direct, referred;
    executor.run(5, [&](std::int64_t i, int slot) { direct.emplace_back(i, slot); });
    r.run(5, [&](std::int64_t i, int slot) { referred.emplace_back(i, slot); });
    CHECK(referred == direct);
    r.run(0, [&](std::int64_t, int) { FAIL("there is nothing to run"); });
    serial_executor serial;
    CHECK(reference_to(serial).slots() == 1);
}

TEST_CASE("find: the widest that is not beyond")
{
    constexpr entry narrow[] = {{.signature = "a", .set = isa::baseline}, {.signature = "b", .set = isa::baseline}};
    constexpr entry wide[] = {{.signature = "a", .set = isa::avx512}, {.signature = "c", .set = isa::avx512}};
    constexpr entry middle[] = {{.signature = "b", .set = isa::avx2}, {.signature = "a", .set = isa::avx2}};
    const entry_list orders[][3] = {{{narrow, 2}, {middle, 2}, {wide, 2}}, {{wide, 2}, {narrow, 2}, {middle, 2}}};
    for (const auto& lists : orders) {
        const entry_table table{lists, 3};
        CHECK(find(table, "a", isa::baseline) == &narrow[0]);
        CHECK(find(table, "a", isa::avx2) == &middle[1]);
        CHECK(find(table, "a", isa::avx512) == &wide[0]);
        CHECK(find(table, "b", isa::baseline) == &narrow[1]);
        CHECK(find(table, "b", isa::avx2) == &middle[0]);
        // None as wide: the next that there is.
        CHECK(find(table, "b", isa::avx512) == &middle[0]);
        // Only beyond: none.
        CHECK(find(table, "c", isa::avx2) == nullptr);
        CHECK(find(table, "c", isa::avx512) == &wide[1]);
        // No processor at all, as a Vulkan device is.
        CHECK(find(table, "a", isa::none) == nullptr);
    }
}

// Of a binary for several kinds of processors each finds its own; features that no row has together, as a processor may
// have them, find the best that it runs.
TEST_CASE("find: by features, which are no chain")
{
    constexpr entry entries[] = {{.signature = "a", .set = isa::neon},
                                 {.signature = "a", .set = isa::avx512},
                                 {.signature = "a", .set = isa::baseline},
                                 {.signature = "a", .set = isa::avx2}};
    const entry_list list{entries, 4};
    const entry_table table{&list, 1};
    CHECK(find(table, "a", isa::neon) == &entries[0]);
    CHECK(find(table, "a", isa::avx512) == &entries[1]);
    CHECK(find(table, "a", isa::baseline) == &entries[2]);
    using namespace cpu_feature;
    CHECK(find(table, "a", cpu_features{}) == &entries[2]);
    CHECK(find(table, "a", asimd) == &entries[0]);
    CHECK(find(table, "a", avx2 | cpu_feature::fma | avx512f) == &entries[3]);
    CHECK(find(table, "a", avx512f | avx512vl | avx512dq | avx512bw) == &entries[2]); // AVX2 is switched off
    CHECK(find(table, "a", processor_features()) == find(table, "a", cpu()));
}

TEST_CASE("find: the nearest number of threads, but a wider instruction set first")
{
    constexpr entry some[] = {{.signature = "a", .set = isa::avx2, .threads = 8},
                              {.signature = "a", .set = isa::avx2},
                              {.signature = "b", .set = isa::avx2, .threads = 4}};
    constexpr entry others[] = {{.signature = "a", .set = isa::avx2, .threads = 2},
                                {.signature = "a", .set = isa::baseline, .threads = 4}};
    for (const bool turned : {false, true}) {
        const entry_list first{some, 3}, second{others, 2};
        const entry_list lists[] = {turned ? second : first, turned ? first : second};
        const entry_table table{lists, 2};
        CHECK(find(table, "a", isa::avx512) == &some[1]);
        CHECK(find(table, "a", isa::avx512, 1) == &some[1]);
        CHECK(find(table, "a", isa::avx512, 2) == &others[0]);
        CHECK(find(table, "a", isa::avx512, 3) == &others[0]);
        CHECK(find(table, "a", isa::avx512, 4) == &others[0]); // 2 and 8 are as near
        CHECK(find(table, "a", isa::avx512, 5) == &some[0]);
        CHECK(find(table, "a", isa::avx512, 100) == &some[0]);
        CHECK(find(table, "a", isa::baseline, 1) == &others[1]);
        CHECK(find(table, "b", isa::avx2, 1) == &some[2]);
    }
}

TEST_CASE("find: by the hash of a signature, where an entry has one, and by its text")
{
    constexpr entry entries[] = {
        {.signature = "a", .set = isa::baseline, .signature_hash = signature_hash("a")},
        {.signature = "b", .set = isa::baseline},                                        // by hand
        {.signature = "c", .set = isa::baseline, .signature_hash = signature_hash("d")}, // of two that collide, one
    };
    const entry_list lists[] = {{entries, 3}};
    CHECK(find({lists, 1}, "a", isa::avx2) == &entries[0]);
    CHECK(find({lists, 1}, "b", isa::avx2) == &entries[1]);
    CHECK(find({lists, 1}, "d", isa::avx2) == nullptr);
    // FNV-1a, as published.
    static_assert(signature_hash("") == 0xcbf29ce484222325u && signature_hash("a") == 0xaf63dc4c8601ec8cu);
    static_assert(signature_hash("foobar") == 0x85944171f73967e8u);
}

TEST_CASE("find: null for what the table does not have")
{
    constexpr entry entries[] = {{.signature = "gemm b1 m9", .set = isa::baseline}};
    const entry_list lists[] = {{nullptr, 0}, {entries, 1}};
    const entry_table table{lists, 2};
    REQUIRE(find(table, "gemm b1 m9", isa::baseline) == &entries[0]);
    // Whole signatures, not beginnings of them.
    for (const char* unknown : {"", "gemm", "gemm b1 m", "gemm b1 m9 ", "gemm b1 m90", "Gemm b1 m9", "conv2d"}) {
        CAPTURE(unknown);
        CHECK(find(table, unknown, isa::avx512) == nullptr);
    }
    CHECK(find(entry_table{}, "gemm b1 m9", isa::avx512) == nullptr);
}

TEST_CASE("find: kernels of this processor")
{
    constexpr entry entries[] = {{.signature = "another", .set = isa::baseline}, entry_of<kernel<small>>()};
    const entry_list lists[] = {{entries, 2}};
    constexpr signature_text signature = small::signature();
    CHECK(runs_on(compiled_isa(), cpu()));
    CHECK(find({lists, 1}, signature.c_str(), cpu()) == &entries[1]);
}
