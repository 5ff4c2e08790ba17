// SPDX-License-Identifier: BSL-1.0
// Packing: every element goes where its two layouts say, whatever is in blocks and however dimensions are joined, and
// what is not given is named.
#include <hone/run/pack.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::calls;

namespace {

tensor laid_out(std::initializer_list<dimension> dims, dtype type = dtype::f32)
{
    tensor t{.name = "w", .type = type, .role = role::weights};
    for (const dimension& d : dims) t.dims.push_back(d);
    return t;
}
std::int64_t place(const dimension& d, std::int64_t i)
{
    return d.block > 0 ? i / d.block * d.outer_stride + i % d.block * d.stride : i * d.stride;
}

// f(place in a, place in b) for each index of two layouts of one tensor.
template <class F>
void for_places(const tensor& a, const tensor& b, F&& f)
{
    std::vector<std::int64_t> index(a.dims.size());
    while (true) {
        std::int64_t in_a = 0, in_b = 0;
        for (std::size_t k = 0; k < index.size(); ++k) {
            in_a += place(a.dims[k], index[k]);
            in_b += place(b.dims[k], index[k]);
        }
        f(static_cast<std::size_t>(in_a), static_cast<std::size_t>(in_b));
        std::size_t k = index.size();
        while (k > 0 && ++index[k - 1] == a.dims[k - 1].extent) index[--k] = 0;
        if (k == 0) return;
    }
}

// The layouts of a tensor of 3 x 5 x 6.
const std::vector<tensor> layouts{
    laid_out({{.extent = 3, .stride = 30}, {.extent = 5, .stride = 6}, {.extent = 6, .stride = 1}}),  // dense
    laid_out({{.extent = 3, .stride = 1}, {.extent = 5, .stride = 3}, {.extent = 6, .stride = 15}}),  // turned
    laid_out({{.extent = 3, .stride = 50}, {.extent = 5, .stride = 10}, {.extent = 6, .stride = 1}}), // with gaps
    laid_out({{.extent = 3, .stride = 40},
              {.extent = 5, .stride = 4},
              {.extent = 6, .stride = 1, .block = 4, .outer_stride = 20}}),
    laid_out({{.extent = 3, .stride = 8},
              {.extent = 5, .stride = 1, .block = 8, .outer_stride = 144},
              {.extent = 6, .stride = 24}}),
    laid_out({{.extent = 3, .stride = 1, .block = 2, .outer_stride = 60},
              {.extent = 5, .stride = 12},
              {.extent = 6, .stride = 2}}),
};

static_assert(element_cast<float>(2.5f) == 2.5f);
static_assert(static_cast<float>(element_cast<half>(0.1f)) == rounded_to(dtype::f16, 0.1f));
static_assert(element_cast<float>(half(1.5f)) == 1.5f);

// As many weights as `all`, and one name for each.
inline_vector<named_weights, 2> two_names(dtype first, dtype second)
{
    inline_vector<named_weights, 2> names;
    names.push_back({"first", first});
    names.push_back({"second", second});
    return names;
}

} // namespace

TEST_CASE("each element is where its layouts say, and what a block holds past it is zero")
{
    for (const tensor& from : layouts)
        for (const tensor& to : layouts) {
            std::vector<float> given(static_cast<std::size_t>(from.elements()), -100.0f);
            for_places(from, to,
                       [&](std::size_t in_from, std::size_t) { given[in_from] = 1 + static_cast<float>(in_from); });
            std::vector<float> packed(static_cast<std::size_t>(to.elements()), -1.0f);
            pack_into(from, to, given.data(), packed.data());
            std::vector<float> expected(packed.size());
            for_places(from, to, [&](std::size_t in_from, std::size_t in_to) { expected[in_to] = given[in_from]; });
            CHECK(packed == expected);
        }
}

TEST_CASE("dimensions that are one in both layouts count as one, and those of one element not at all")
{
    const auto plan_dims = [](const tensor& from, const tensor& to) { return pack_plan_of(from, to).dims.size(); };
    CHECK(plan_dims(layouts[0], layouts[0]) == 1);
    CHECK(plan_dims(layouts[0], layouts[1]) == 3);
    CHECK(plan_dims(layouts[0], layouts[2]) == 2); // gaps between rows: planes and rows are one, of 15
    const tensor still = laid_out({{.extent = 1, .stride = 7}, {.extent = 6, .stride = 2}, {.extent = 1}});
    CHECK(plan_dims(still, still) == 1);
    const tensor scalar = laid_out({{.extent = 1}});
    CHECK(plan_dims(scalar, scalar) == 1); // one step, of one element
    CHECK(pack_plan_of(layouts[0], layouts[3]).elements == layouts[3].elements());
}

TEST_CASE("a plan of exact size packs alike")
{
    constexpr int most = 2;
    const tensor& from = layouts[0];
    const tensor to = laid_out({{.extent = 3, .stride = 30}, {.extent = 5, .stride = 6}, {.extent = 6, .stride = 1}});
    const auto plan = resized<most>(pack_plan_of(from, to));
    CHECK_FALSE(plan.dims.overflowed());
    std::vector<float> given(90), packed(90);
    for (std::size_t i = 0; i < given.size(); ++i) given[i] = static_cast<float>(i);
    pack_into(plan, given.data(), packed.data());
    CHECK(packed == given);
}

TEST_CASE("weights of 16 bits are taken as they are, or rounded from floats")
{
    const tensor to = laid_out({{.extent = 3, .stride = 1}}, dtype::f16);
    const auto plan = pack_plan_of(to, to);
    const float floats[] = {0.1f, -2.0f, 65520.0f};
    const half halves[] = {half(0.5f), half(-3.0f), half(4.0f)};
    std::array<half, 3> packed{};
    pack_given<isa::baseline, dtype::f16>(floats, 0, plan, packed.data());
    for (std::size_t i = 0; i < 3; ++i) CHECK(static_cast<float>(packed[i]) == rounded_to(dtype::f16, floats[i]));
    pack_given<isa::baseline, dtype::f16>(halves, 0, plan, packed.data());
    for (std::size_t i = 0; i < 3; ++i) CHECK(static_cast<float>(packed[i]) == static_cast<float>(halves[i]));
}

TEST_CASE("of one weight there is no second; of a list there is each")
{
    const float a = 1, b = 2;
    const float* const list[] = {&a, &b};
    const half h(3.0f);
    CHECK(given_weights(&a)[0] == &a);
    CHECK(given_weights(&a)[1] == nullptr);
    CHECK(given_weights(&a).half_at(0) == nullptr);
    CHECK(given_weights(list)[0] == &a);
    CHECK(given_weights(list)[1] == &b);
    CHECK(given_weights(&h).half_at(0) == &h);
    CHECK(given_weights(&h)[0] == nullptr);
    CHECK(given_weights(nullptr)[0] == nullptr);
}

TEST_CASE("what is not given, or of a type that is not the operator's, is named")
{
    const float a = 1, b = 2;
    const half h(3.0f);
    const float *const both[] = {&a, &b}, *const first_only[] = {&a, nullptr};
    float packed[4]{};
    const auto floats = two_names(dtype::f32, dtype::f32), of_16_bits = two_names(dtype::f16, dtype::f16);
    CHECK(check_given(floats, both, packed).ok());
    CHECK(check_given(of_16_bits, both, packed).ok()); // floats are rounded
    CHECK(std::string{check_given(floats, first_only, packed).subject} == "second");
    CHECK(check_given(floats, first_only, packed).what == fault::tensor_missing);
    CHECK(std::string{check_given(floats, &a, packed).subject} == "second");
    CHECK(std::string{check_given(floats, nullptr, packed).subject} == "first");
    CHECK(std::string{check_given(floats, both, nullptr).subject} == "packed weights");
    CHECK(check_given(inline_vector<named_weights, 2>{}, nullptr, nullptr).ok()); // there is nothing to pack

    inline_vector<named_weights, 1> one;
    one.push_back({"first", dtype::f32});
    const status wrong = check_given(one, &h, packed);
    CHECK(wrong.what == fault::weights_type);
    CHECK(wrong.expected == 32);
    CHECK(wrong.found == 16);
    one[0].type = dtype::f16;
    CHECK(check_given(one, &h, packed).ok());
}

TEST_CASE("weights are asked for by the names of their tensors")
{
    packed_tensors all;
    all.push_back({.name = "weights", .type = dtype::f16});
    all.push_back({.name = "gain"});
    const auto names = names_of_weights<2>(all);
    REQUIRE(names.size() == 2);
    CHECK(std::string{names[0].name} == "weights");
    CHECK(names[0].type == dtype::f16);
    CHECK(std::string{names[1].name} == "gain");
}
