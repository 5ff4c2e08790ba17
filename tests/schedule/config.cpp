// SPDX-License-Identifier: BSL-1.0
// Configs as text, and which entry of a config set a kernel takes: of its signature and exactly its instruction set,
// the one whose number of threads is nearest.
#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include <hone/cpu/kernel.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/config.hpp>
#include <hone/schedule/vulkan_templates.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

struct op : gemm<gemm_shape{.m = 48, .n = 64, .k = 32}, f32> {};
struct other : gemm<gemm_shape{.m = 48, .n = 64, .k = 33}, f32> {};
constexpr signature_text text = op::signature();

template <int Rows>
constexpr cpu_entry entry_with(int threads, isa set = isa::avx2)
{
    return {.signature = text.c_str(),
            .set = set,
            .threads = threads,
            .config = config_text<direct, direct_knobs{.rows = Rows}>};
}

// In no order; several instruction sets.
struct tuned {
    static constexpr cpu_entry entries[] = {entry_with<5>(16), entry_with<3>(2), entry_with<9>(1, isa::baseline),
                                            entry_with<2>(1),  entry_with<4>(8), entry_with<9>(4, isa::avx512)};
};
// As headers had them before entries had threads.
struct one_thread {
    static constexpr cpu_entry entries[] = {{.signature = text.c_str(), .set = isa::avx2, .config = "direct rows=7"}};
};

constexpr int rows_for(int threads, isa set = isa::avx2)
{
    return config_of<op, tuned>(set, threads).value.knobs<direct>().rows;
}

} // namespace

TEST_CASE("nearer is a strict order of thread counts, by ratio, with the fewer first")
{
    constexpr int most = 24;
    for (int wanted = 1; wanted <= most; ++wanted)
        for (int a = 1; a <= most; ++a) {
            CHECK_FALSE(is_nearer(a, a, wanted));
            if (a != wanted) {
                CHECK(is_nearer(wanted, a, wanted));
                CHECK_FALSE(is_nearer(a, wanted, wanted));
            }
            for (int b = 1; b <= most; ++b) {
                if (a != b) CHECK(is_nearer(a, b, wanted) != is_nearer(b, a, wanted));
                // On one side of what is wanted, distance decides.
                if (wanted <= a && a < b) CHECK(is_nearer(a, b, wanted));
                if (a < b && b <= wanted) CHECK(is_nearer(b, a, wanted));
                // Twice too many is as near as half of it, and then the fewer are taken.
                if (a * b == wanted * wanted && a < b) CHECK(is_nearer(a, b, wanted));
            }
        }
}

TEST_CASE("the entry of the nearest number of threads")
{
    CHECK(rows_for(1) == 2);
    CHECK(rows_for(2) == 3);
    CHECK(rows_for(8) == 4);
    CHECK(rows_for(16) == 5);
    CHECK(rows_for(3) == 3);
    CHECK(rows_for(4) == 3); // 2 and 8 are as near
    CHECK(rows_for(5) == 4);
    CHECK(rows_for(11) == 4);
    CHECK(rows_for(12) == 5);
    CHECK(rows_for(1000) == 5);
    CHECK(config_of<op, tuned>(isa::avx2).value.knobs<direct>().rows == 2);
}

TEST_CASE("never that of another instruction set or workload")
{
    CHECK(rows_for(4, isa::avx512) == 9);
    CHECK(rows_for(1, isa::avx512) == 9);
    CHECK(rows_for(64, isa::baseline) == 9);
    CHECK(entry_index_for<other, tuned>(isa::avx2, 1) < 0);
    CHECK(entry_index_for<op, defaults>(isa::baseline, 1) < 0);
    CHECK(entry_index_for<op, one_thread>(isa::avx512, 1) < 0);
    CHECK(config_of<other, tuned>(isa::avx2, 8).value == config_of<other, defaults>(isa::avx2).value);
    CHECK(tuned_threads_of<other, tuned>(isa::avx2, 8) == 1);
}

TEST_CASE("an entry that names no threads is of one")
{
    CHECK(one_thread::entries[0].threads == 1);
    CHECK(config_of<op, one_thread>(isa::avx2).value.knobs<direct>().rows == 7);
    CHECK(config_of<op, one_thread>(isa::avx2, 8).value.knobs<direct>().rows == 7);
}

TEST_CASE("kernels for numbers of threads that share an entry share their code")
{
    using two = kernel<op, tuned, isa::avx2, 2>;
    using three = kernel<op, tuned, isa::avx2, 3>;
    using eight = kernel<op, tuned, isa::avx2, 8>;
    CHECK(two::config.knobs<direct>().rows == 3);
    CHECK(three::config.knobs<direct>().rows == 3);
    CHECK(eight::config.knobs<direct>().rows == 4);
    CHECK(three::threads == 3);
    CHECK(three::tuned_threads == 2);
    CHECK(std::is_same_v<two::compute, three::compute>);
    CHECK_FALSE(std::is_same_v<two::compute, eight::compute>);
    CHECK(std::is_same_v<kernel<op, tuned, isa::avx2>, kernel<op, tuned, isa::avx2, 1>>);
}

TEST_CASE("the text of knobs names each, and is read as the same config")
{
    constexpr direct_knobs k{
        .rows = 14, .vectors = 1, .reduce_block = 512, .pad = padding::copy, .unroll_window = true};
    CHECK(std::string(config_text<direct, k>) ==
          "direct rows=14 vectors=1 reduce_unroll=1 reduce_block=512 row_block=0 pad=copy order=weights_outer "
          "unroll_window=true vector=weights");
    CHECK(config_from<cpu_templates>(config_text<direct, k>).value == cpu_config(k));
    CHECK(config_from<cpu_templates>(config_text<winograd>).value == cpu_config(winograd_knobs{}));
    constexpr vulkan_knobs v{.components = 2, .stage = staging::weights, .edge = edge::clip};
    CHECK(config_from<vulkan_templates>(config_text<vulkan_direct, v>).value == vulkan_config(v));
    static_assert(config_from<cpu_templates>("winograd tile=2").value == cpu_config(winograd_knobs{.tile = 2}));
}

TEST_CASE("knobs that a text leaves out have their defaults, in any order")
{
    CHECK(config_from<cpu_templates>("direct").value == cpu_config(direct_knobs{}));
    CHECK(config_from<cpu_templates>("direct vectors=3 rows=1").value ==
          cpu_config(direct_knobs{.rows = 1, .vectors = 3}));
    CHECK(cpu_entry{}.config == std::string("direct"));
}

TEST_CASE("a text that is no config: what is wrong, and where")
{
    const auto is_wrong = [](const char* config, fault what, const char* subject) {
        CAPTURE(config);
        const auto r = config_from<cpu_templates>(config);
        CHECK(r.found.what == what);
        CHECK(std::string(r.found.subject) == subject);
    };
    for (const char* config : {"", " direct", "directed rows=2", "direc", "narrow rows=2", "Direct", "=direct"})
        is_wrong(config, fault::template_missing, config);
    is_wrong("direct row=2", fault::knob_unknown, "row=2");
    is_wrong("direct rowss=2 vectors=2", fault::knob_unknown, "rowss=2 vectors=2");
    is_wrong("direct rows", fault::knob_unknown, "rows");
    is_wrong("direct rows 2", fault::knob_unknown, "rows 2");
    is_wrong("direct rows=2 vectors=2 rows=2", fault::knob_unknown, "rows=2");
    is_wrong("direct  rows=2", fault::knob_unknown, " rows=2");
    is_wrong("direct rows=2 ", fault::knob_unknown, "");
    is_wrong("direct rows=2=3", fault::knob_unknown, "=3");
    is_wrong("direct=rows", fault::knob_unknown, "=rows");
    is_wrong("direct tile=2", fault::knob_unknown, "tile=2");
    for (const char* value :
         {"", "0", "-1", "257", "2.0", "0x2", "two", "4294967298", "99999999999999999999", "+2", "2,"})
        is_wrong((std::string("direct rows=") + value).c_str(), fault::knob_value, "rows");
    is_wrong("direct reduce_block=-", fault::knob_value, "reduce_block"); // 0 is legal there
    is_wrong("direct pad=1", fault::knob_value, "pad");
    is_wrong("direct pad=pee", fault::knob_value, "pad");
    is_wrong("direct pad=peels", fault::knob_value, "pad");
    is_wrong("winograd tile=3", fault::knob_value, "tile");
    const auto high = config_from<cpu_templates>("direct rows=1000").found;
    CHECK(high.expected == most_rows);
    CHECK(high.found == 1000);
    CHECK(config_from<cpu_templates>("direct vectors=-7").found.expected == 1);
}
