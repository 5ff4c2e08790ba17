// SPDX-License-Identifier: BSL-1.0
// Pools of which each call gives all: what they say of themselves, and that a table of them lacks no pool of networks,
// windows that are cut among them.
#include <hone/op/any_pool.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/find_in_range.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/reduce.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/schedule/vulkan_reduce.hpp>

#include "pools.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

using largest = any_max_pool<f32>;
using mean = any_average_pool<f32>;
using padded_mean = any_padded_average_pool<f32>;
using global_mean = any_global_average_pool<f32>;
using global_largest = any_global_max_pool<f32>;
using numbers = std::vector<std::int64_t>;

numbers given(const signature_text& signature, const pool_shape& s, pooling how)
{
    const auto text = signature_of(s, how, dtype::f32);
    const auto parameters = parameters_in_range(signature.c_str(), text.c_str());
    CHECK((shapes_of(signature.c_str(), text.c_str()) > 0) == !parameters.empty());
    return {parameters.begin(), parameters.end()};
}
numbers largest_of(const pool_shape& s) { return given(largest::signature(), s, pooling::max); }
numbers mean_of(const pool_shape& s) { return given(mean::signature(), s, pooling::average); }

} // namespace

TEST_CASE("they are legal by default, with parameters for all that a pool has")
{
    CHECK(given_parameters(definition_of<largest>.parameters) == 14);
    CHECK(given_parameters(definition_of<mean>.parameters) == 14);
    CHECK(given_parameters(definition_of<padded_mean>.parameters) == 14);
    CHECK(given_parameters(definition_of<global_mean>.parameters) == 4);
    CHECK(given_parameters(definition_of<global_largest>.parameters) == 4);
    CHECK(std::string(largest::signature().c_str()) ==
          "max_pool n<=32 h<=2048 w<=2048 c<=4096 kh<=31 kw<=31 s p d nhwc f32");
    CHECK(std::string(mean::signature().c_str()) ==
          "average_pool n<=32 h<=2048 w<=2048 c<=4096 kh<=31 kw<=31 s p d1 nhwc f32");
    CHECK(std::string(padded_mean::signature().c_str()) ==
          "average_pool n<=32 h<=2048 w<=2048 c<=4096 kh<=31 kw<=31 s p d1 padding nhwc f32");
    CHECK(std::string(global_mean::signature().c_str()) ==
          "average_pool n<=32 h<=2048 w<=2048 c<=4096 kh=h kw=w s1 p0 d1 nhwc f32");
    // The closed form itself is, on each instruction set.
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512})
        for (const definition& d : {definition_of<largest>, definition_of<mean>, definition_of<padded_mean>,
                                    definition_of<global_mean>, definition_of<global_largest>}) {
            const nest n = schedules::lower(schedules::reduce_schedule(d, schedules::default_reduce(d, set), set));
            CHECK(ir::check(n, cpu_target(set)).ok());
            CHECK(ir::prove_accesses(n).ok());
            // They are of the CPU alone.
            CHECK_FALSE(schedules::vulkan_reduce::applies(d));
            CHECK_FALSE(schedules::vulkan_direct::applies(d));
        }
}

TEST_CASE("pools of networks are calls of them")
{
    CHECK(largest_of({.h = 112, .w = 112, .c = 64, .kh = 3, .kw = 3, .stride = 2, .pad = 1}) ==
          numbers{1, 112, 112, 64, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1});
    CHECK(
        largest_of({.n = 2, .h = 9, .w = 7, .c = 5, .kh = 2, .kw = 3, .stride_w = 2, .pad_bottom = 1, .dilation = 2}) ==
        numbers{2, 9, 7, 5, 2, 3, 1, 2, 0, 0, 1, 0, 2, 2});
    CHECK(mean_of({.h = 56, .w = 56, .c = 128, .kh = 2, .kw = 2, .stride = 2}) ==
          numbers{1, 56, 56, 128, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1});
    const pool_shape counted{
        .h = 14, .w = 14, .c = 480, .kh = 3, .kw = 3, .pad = 1, .count_padding = count_padding::yes};
    CHECK(mean_of(counted).empty());
    CHECK(given(padded_mean::signature(), counted, pooling::average) ==
          numbers{1, 14, 14, 480, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1});
    const pool_shape all = whole({.n = 3, .h = 7, .w = 8, .c = 2048});
    CHECK(given(global_mean::signature(), all, pooling::average) == numbers{3, 7, 8, 2048});
    CHECK(given(global_largest::signature(), all, pooling::max) == numbers{3, 7, 8, 2048});
    CHECK(given(global_mean::signature(), all, pooling::max).empty());
    CHECK(given(global_mean::signature(), {.h = 7, .w = 8, .c = 9, .kh = 7, .kw = 7}, pooling::average).empty());
    CHECK(given(global_mean::signature(), {.h = 7, .w = 8, .c = 9, .kh = 7, .kw = 8, .pad = 1}, pooling::average)
              .empty());

    // Of no kernel: means of dilated windows, planes, views, and beyond the largest.
    CHECK(mean_of({.h = 9, .w = 9, .kh = 3, .kw = 3, .dilation_w = 2}).empty());
    CHECK(largest_of({.h = 9, .w = 9, .kh = 3, .kw = 3, .layout = layout::nchw}).empty());
    CHECK(largest_of({.h = 9, .w = 9, .c = 4, .kh = 3, .kw = 3, .ldx = 8}).empty());
    CHECK(largest_of({.h = 2049, .w = 9, .kh = 3, .kw = 3}).empty());
    CHECK(largest_of({.h = 99, .w = 99, .kh = 32, .kw = 3}).empty());
}

TEST_CASE("windows that are cut are whole ones of a call with more padding behind")
{
    pool_shape s{.h = 112, .w = 111, .c = 64, .kh = 3, .kw = 3, .stride = 2, .last = last_window::cut};
    CHECK(largest_of(s) == numbers{1, 112, 111, 64, 3, 3, 2, 2, 0, 0, 1, 0, 1, 1});
    CHECK(mean_of(s) == largest_of(s));
    // None of them beyond the padding counts, but what a mean counts of it does.
    s.pad = 1;
    s.count_padding = count_padding::yes;
    CHECK(given(padded_mean::signature(), s, pooling::average).empty());
    CHECK(mean_of(s).empty());

    random_numbers random{17};
    int cut = 0;
    for (int i = 0; i < 2000; ++i) {
        pool_shape own = drawn_pool(random);
        own.layout = layout::nhwc;
        own.last = last_window::cut;
        own.count_padding = count_padding::no;
        if (!own.check().ok()) continue;
        const numbers p = largest_of(own);
        REQUIRE(p.size() == 14);
        pool_shape call{.n = p[0], .h = p[1], .w = p[2], .c = p[3], .kh = p[4], .kw = p[5]};
        call.stride_h = p[6], call.stride_w = p[7];
        call.pad_top = p[8], call.pad_left = p[9], call.pad_bottom = p[10], call.pad_right = p[11];
        call.dilation_h = p[12], call.dilation_w = p[13];
        REQUIRE(call.check().ok());
        CHECK(call.oh() == own.oh());
        CHECK(call.ow() == own.ow());
        const call_data d = data_of(own, random.next());
        for (const pooling how : {pooling::max, pooling::average})
            CHECK(reference(call, how, d, {}) == reference(own, how, d, {}));
        cut += call.pad_bottom > own.window().pad_bottom || call.pad_right > own.window().pad_right;
    }
    CHECK(cut > 300);
}
