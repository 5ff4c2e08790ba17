// SPDX-License-Identifier: BSL-1.0
// Packed layouts: each element has its own place, padding included, and two layouts have one id only if they are the
// same.
#include <hone/schedule/direct.hpp>
#include <hone/schedule/transform.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/schedule/winograd.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "layers.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// Everything that says where an element is.
std::string text_of(const tensor& t)
{
    std::string s;
    for (const dimension& d : t.dims)
        for (std::int64_t v : {d.extent, d.stride, d.block, d.outer_stride}) s += std::to_string(v) + ",";
    return s;
}

std::int64_t place(const dimension& d, std::int64_t i)
{
    return d.block > 0 ? i / d.block * d.outer_stride + i % d.block * d.stride : i * d.stride;
}

// Each index, whole blocks included, has a place of its own, and together they fill the tensor.
void check_places(const tensor& t)
{
    std::vector<int> taken(static_cast<std::size_t>(t.elements()));
    std::vector<std::int64_t> index(t.dims.size());
    while (true) {
        std::int64_t at = 0;
        for (std::size_t k = 0; k < t.dims.size(); ++k) at += place(t.dims[k], index[k]);
        REQUIRE(at >= 0);
        REQUIRE(at < t.elements());
        ++taken[static_cast<std::size_t>(at)];
        std::size_t k = t.dims.size();
        while (k > 0) {
            const dimension& d = t.dims[k - 1];
            if (++index[k - 1] < (d.block > 0 ? round_up(d.extent, d.block) : d.extent)) break;
            index[--k] = 0;
        }
        if (k == 0) break;
    }
    int wrong = 0;
    for (int n : taken) wrong += n != 1;
    CHECK(wrong == 0);
}

} // namespace

TEST_CASE("packed weights hold each element once")
{
    constexpr conv2d_shape odd = {.h = 5, .w = 5, .ic = 7, .oc = 19, .kh = 3, .kw = 2};
    constexpr conv2d_shape grouped = {.h = 5, .w = 5, .ic = 6, .oc = 10, .kh = 2, .kw = 3, .groups = 2};
    constexpr conv2d_shape deep = {.h = 5, .w = 5, .ic = 21, .oc = 21, .kh = 3, .kw = 3, .groups = 21};
    constexpr gemm_shape product = {.batch = 2, .m = 3, .n = 19, .k = 4};
    for (int vectors = 1; vectors <= 3; ++vectors) {
        const direct_knobs k{.rows = 1, .vectors = vectors};
        for (isa set : {isa::baseline, isa::avx512}) {
            check_places(packed_weights(conv2d<odd, f32>::definition(), k, set)[0]);
            check_places(packed_weights(conv2d<grouped, f32>::definition(), k, set)[0]);
            check_places(packed_weights(conv2d<deep, f32>::definition(), k, set)[0]);
            check_places(packed_weights(gemm<product, f32>::definition(), k, set)[0]);
            check_places(winograd_weights(
                conv2d<conv2d_shape{.h = 5, .w = 5, .ic = 7, .oc = 19, .kh = 3, .kw = 3}, f32>::definition(),
                {.tile = 2, .vectors = vectors}, set));
        }
    }
}

TEST_CASE("layout ids differ where layouts differ")
{
    std::map<std::uint64_t, std::string> seen;
    int layouts = 0;
    const auto add = [&](const tensor& t) {
        const auto [at, is_new] = seen.emplace(layout_id(t), text_of(t));
        layouts += is_new;
        CHECK(at->second == text_of(t));
    };
    for_each_workload([&](const char*, std::size_t, const definition& d) {
        const tensor& source = d.tensors[d.tensor_of(role::weights)];
        add(source);
        for (isa set : {isa::baseline, isa::avx2, isa::avx512})
            for (int vectors = 1; vectors <= 4; ++vectors) {
                add(packed_weights(d, {.rows = 4, .vectors = vectors}, set)[0]);
                if (!winograd_applies(d)) continue;
                for (int tile : {2, 4}) add(winograd_weights(d, {.tile = tile, .vectors = vectors}, set));
            }
        add(vulkan_weights(d, default_vulkan(d))[0]);
    });
    CHECK(layouts > 150);

    // One thing changed at a time.
    tensor t = packed_weights(conv2d<resnet18[1], f32>::definition(), {.rows = 4, .vectors = 2}, isa::avx2)[0];
    const std::uint64_t id = layout_id(t);
    t.name = "another";
    CHECK(layout_id(t) == id);
    for (std::size_t k = 0; k < t.dims.size(); ++k) {
        tensor other = t;
        ++other.dims[k].extent;
        CHECK(layout_id(other) != id);
        other = t;
        ++other.dims[k].stride;
        CHECK(layout_id(other) != id);
        other = t;
        ++other.dims[k].block;
        CHECK(layout_id(other) != id);
        other = t;
        ++other.dims[k].outer_stride;
        CHECK(layout_id(other) != id);
    }
}

TEST_CASE("greatest common divisor and rounding up")
{
    for (int a = 0; a <= 30; ++a)
        for (int b = 1; b <= 30; ++b) {
            int most = 1;
            for (int c = 1; c <= 30; ++c)
                if (a % c == 0 && b % c == 0) most = c;
            CHECK(greatest_common_divisor(a, b) == most);
            CHECK(round_up(a, b) >= a);
            CHECK(round_up(a, b) - a < b);
            CHECK(round_up(a, b) % b == 0);
        }
}
