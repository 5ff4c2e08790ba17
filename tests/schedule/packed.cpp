// SPDX-License-Identifier: BSL-1.0
// Packed layouts: each element has its own place, padding included, two layouts have one id only if they are the same,
// and several weights stand apart in one block of memory.
#include <hone/schedule/packed.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/schedule/direct.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/schedule/winograd.hpp>

#include "layers.hpp"

using namespace hone;
using namespace hone::schedules;
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

// A row of so many elements.
tensor row_of_elements(std::int64_t elements, dtype type = dtype::f32)
{
    tensor t{.name = "w", .type = type, .role = role::weights};
    t.dims.push_back({.extent = elements});
    return t;
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

TEST_CASE("rounding up gives the next multiple")
{
    for (int a = 0; a <= 30; ++a)
        for (int b = 1; b <= 30; ++b) {
            CHECK(round_up(a, b) >= a);
            CHECK(round_up(a, b) - a < b);
            CHECK(round_up(a, b) % b == 0);
        }
}

// (4, 10 in blocks of 4) with the blocks outermost: (3 blocks, 4, 4).
TEST_CASE("a packed layout has its dimensions in the order that is asked for")
{
    tensor from;
    from.dims.push_back({.extent = 4, .stride = 10});
    from.dims.push_back({.extent = 10, .stride = 1, .stride_parameter = 0});
    inline_vector<std::int8_t, 6> order;
    order.push_back(1);
    order.push_back(0);
    const tensor to = packed_tensor(from, order, 1, 4);
    CHECK(to.dims[0].stride == 4);
    CHECK(to.dims[1].block == 4);
    CHECK(to.dims[1].stride == 1);
    CHECK(to.dims[1].outer_stride == 16);
    CHECK(to.dims[1].stride_parameter == -1); // known, whatever the operator's was
    CHECK(to.elements() == 3 * 4 * 4);
    check_places(to);
}

// (k, n in blocks of 4): blocks are k of the call apart.
TEST_CASE("a packed layout has the strides of the extents that a call gives")
{
    tensor from;
    from.dims.push_back({.extent = 3, .stride = 1, .stride_parameter = 2});
    from.dims.push_back({.extent = 7, .stride = 1, .extent_parameter = 0, .stride_parameter = 1});
    from.dims.push_back({.extent = 10, .stride = 1, .extent_parameter = 1});
    inline_vector<std::int8_t, 6> order;
    order.push_back(2);
    order.push_back(0);
    order.push_back(1);
    const tensor to = packed_tensor(from, order, 2, 4);
    CHECK(to.dims[0].stride == 4);
    CHECK(to.dims[0].stride_parameter == 0);
    CHECK(to.dims[1].stride == 4);
    CHECK(to.dims[1].stride_parameter == -1);
    CHECK(to.dims[2].outer_stride == 3 * 4);
    CHECK(to.dims[2].outer_parameter == 0);
    CHECK(to.elements() == 3 * 3 * 7 * 4); // the largest
    const std::int64_t values[] = {5, 6, 30};
    const tensor known = at_call(to, values);
    CHECK(known.elements() == 2 * 3 * 5 * 4);
    check_places(known);
    packed_tensors one;
    one.push_back(to);
    CHECK(packed_bytes(one) == 3 * 3 * 7 * 4 * sizeof(float));

    // Behind blocks of the second extent no product stands: there is room for the largest.
    inline_vector<std::int8_t, 6> batch_first;
    batch_first.push_back(0);
    batch_first.push_back(2);
    batch_first.push_back(1);
    const tensor roomy = packed_tensor(from, batch_first, 2, 4);
    CHECK(roomy.dims[0].stride == 3 * 4);
    CHECK(roomy.dims[0].stride_parameter == 0);
    CHECK(layout_id(roomy) != layout_id(to));
    tensor closed = to;
    for (dimension& d : closed.dims) d.extent_parameter = d.stride_parameter = d.outer_parameter = -1;
    CHECK(layout_id(closed) != layout_id(to));
}

// (oc in blocks of 4, kh, kw, ic) of which a call gives all, and products of the last two and three.
TEST_CASE("a packed layout has the strides of several extents of the call, where their products are parameters")
{
    tensor from;
    for (const std::int64_t e : {10, 3, 5, 7}) from.dims.push_back({.extent = e});
    for (std::size_t i = 0; i < 4; ++i) from.dims[i].extent_parameter = static_cast<std::int16_t>(i);
    inline_vector<parameter, 6> all;
    for (const char* name : {"oc", "kh", "kw", "ic"}) all.push_back({.name = name, .least = 1, .most = 10});
    inline_vector<std::int8_t, 6> order;
    for (const int i : {0, 1, 2, 3}) order.push_back(static_cast<std::int8_t>(i));

    // No product is one: the room between rows of taps is that of the most.
    const tensor roomy = packed_tensor(from, order, 0, 4, all);
    CHECK(roomy.dims[2].stride == 4);
    CHECK(roomy.dims[2].stride_parameter == 3);
    CHECK(roomy.dims[1].stride == 4 * 5);
    CHECK(roomy.dims[1].stride_parameter == 3);
    CHECK(roomy.dims[0].outer_stride == 4 * 5 * 3);
    CHECK(roomy.dims[0].outer_parameter == 3);
    CHECK(layout_id(packed_tensor(from, order, 0, 4)) == layout_id(roomy));

    all.push_back(product_of(all, "kw * ic", 2, 3));
    all.push_back(product_of(all, "kh * kw * ic", 1, 4));
    const tensor to = packed_tensor(from, order, 0, 4, all);
    CHECK(to.dims[3].stride == 4);
    CHECK(to.dims[3].stride_parameter == -1);
    CHECK(to.dims[2].stride == 4);
    CHECK(to.dims[2].stride_parameter == 3);
    CHECK(to.dims[1].stride == 4);
    CHECK(to.dims[1].stride_parameter == 4);
    CHECK(to.dims[0].outer_stride == 4);
    CHECK(to.dims[0].outer_parameter == 5);
    CHECK(to.elements() == 12 * 3 * 5 * 7); // the largest, whole blocks included
    packed_tensors one;
    one.push_back(to);
    CHECK(parameters_of(all, one) == 0b1111);
    for (const std::int64_t oc : {4, 9}) {
        const std::int64_t given[] = {oc, 2, 3, 5};
        std::int64_t values[6]{};
        complete(all, given, values);
        const tensor known = at_call(to, values);
        CHECK(known.elements() == round_up(oc, 4) * 2 * 3 * 5);
        check_places(known);
    }
}

// Of rows that a call gives the number of windows of, a layout hangs on all that says how many there are.
TEST_CASE("layouts hang on the numbers of windows")
{
    inline_vector<parameter, 8> all;
    for (const char* name : {"m", "h", "before", "behind", "taps", "dilation", "stride"})
        all.push_back({.name = name, .least = 1, .most = 9});
    all.push_back(windows_of(all, "oh", {1, 2, 3, 4, 5, 6}));
    packed_tensors tensors;
    tensors.push_back(row_of_elements(9));
    tensors[0].dims[0].extent_parameter = 7;
    CHECK(parameters_of(all, tensors) == 0b1111110);
}

TEST_CASE("layouts hang on the parameters that they name, and on the factors of products")
{
    inline_vector<parameter, 4> all;
    for (const char* name : {"m", "n", "k"}) all.push_back({.name = name, .least = 1, .most = 9});
    all.push_back(product_of(all, "n * k", 1, 2));
    packed_tensors tensors;
    CHECK(parameters_of(all, tensors) == 0);
    tensors.push_back(row_of_elements(9, dtype::f32));
    CHECK(parameters_of(all, tensors) == 0);
    tensors[0].dims[0].stride_parameter = 3;
    CHECK(parameters_of(all, tensors) == 0b110);
    tensors[0].dims[0].extent_parameter = 0;
    CHECK(parameters_of(all, tensors) == 0b111);
}

TEST_CASE("weights of one block begin at multiples of 256 bytes, and do not overlap")
{
    packed_tensors all;
    CHECK(packed_bytes(all) == 0);
    for (const std::int64_t elements : {1, 64, 65, 128}) all.push_back(row_of_elements(elements, dtype::f32));
    CHECK(packed_offset(all, 0) == 0);
    CHECK(packed_offset(all, 1) == 256);
    CHECK(packed_offset(all, 2) == 512); // 64 floats fill 256 bytes
    CHECK(packed_offset(all, 3) == 1024);
    CHECK(packed_bytes(all) == 1024 + 128 * 4);
    for (std::size_t w = 0; w < all.size(); ++w) {
        CHECK(packed_offset(all, w) % 256 == 0);
        if (w > 0) CHECK(packed_offset(all, w) >= packed_offset(all, w - 1) + packed_bytes(all[w - 1]));
    }
    CHECK(packed_bytes(row_of_elements(10, dtype::f16)) == 20);
}

TEST_CASE("the id of several layouts tells their order, and that of one is its own")
{
    const tensor a = row_of_elements(8), b = row_of_elements(9);
    packed_tensors one, ab, ba;
    one.push_back(a);
    for (const tensor& t : {a, b}) ab.push_back(t);
    for (const tensor& t : {b, a}) ba.push_back(t);
    CHECK(layout_id(packed_tensors{}) == 0);
    CHECK(layout_id(one) == layout_id(a));
    CHECK(layout_id(ab) != layout_id(ba));
    CHECK(layout_id(ab) != layout_id(one));
    CHECK(layout_id(row_of_elements(8, dtype::f16)) != layout_id(a));
}

TEST_CASE("weights are those of that role, in their order, and are replaced in it")
{
    definition d;
    for (const role r : {role::input, role::weights, role::bias, role::weights, role::output}) {
        d.tensors.push_back(row_of_elements(static_cast<std::int64_t>(d.tensors.size()) + 1));
        d.tensors.back().role = r;
    }
    packed_tensors w = weights_of(d);
    REQUIRE(w.size() == 2);
    CHECK(w[0].elements() == 2);
    CHECK(w[1].elements() == 4);
    for (tensor& t : w) t.name = "packed";
    replace_weights(d, w);
    std::string names;
    for (const tensor& t : d.tensors) names += std::string{t.name} + ' ';
    CHECK(names == "w packed w packed w ");
    CHECK(d.tensors[3].elements() == 4);
}
