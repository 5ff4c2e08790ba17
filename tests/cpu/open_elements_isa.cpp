// SPDX-License-Identifier: BSL-1.0
// Compiled element-wise operators whose calls give n, h, w and c: rows of elements and pixels of channels, whole
// vectors or not, pixels apart, among pages that nothing may touch; NaN, and calls of no elements.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>

#include "among_pages.hpp"
#include "elementwise.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }
constexpr image_shape all{.n = up_to(3), .h = up_to(6), .w = up_to(9), .c = up_to(150)};
constexpr image_shape pixels{.n = 2, .h = up_to(6), .w = up_to(9), .c = 21};
constexpr image_shape channels{.h = 3, .w = 5, .c = up_to(150)};

template <class Op>
void check_calls(const chain& words)
{
    random_numbers random{5};
    constexpr std::int64_t lanes = row_of(compiled_isa()).register_bytes / 4;
    for (int call = 0; call < 24; ++call) {
        std::vector<std::int64_t> parameters;
        const auto of_call = [&](const extent& e, std::int64_t wanted) {
            if (!e.at_call) return e;
            parameters.push_back(wanted > 0 && wanted <= e.value ? wanted : random.between(1, e.value));
            return extent(parameters.back());
        };
        const std::int64_t c[] = {1, lanes - 1, lanes, lanes + 1, 4 * lanes, 4 * lanes + 3, 150};
        const std::int64_t one = call < 7 ? 1 : 0;
        const image_shape s{.n = of_call(Op::shape.n, one),
                            .h = of_call(Op::shape.h, one),
                            .w = of_call(Op::shape.w, one),
                            .c = of_call(Op::shape.c, call < 14 ? c[call % 7] : 0)};
        const std::string text = signature_of(s, dtype::f32, {}).c_str();
        CAPTURE(text);
        elementwise_data given = data_of(s, words, static_cast<std::uint64_t>(call));
        if (call % 3 == 0) given.x[given.x.size() / 2] = std::numeric_limits<float>::quiet_NaN();
        const doubles expected = reference(s, words, given);
        CHECK(wrong_among_pages(entry_of<kernel<Op>>(), given.x, given.operands, parameters.data(),
                                [&](const floats& y) { return difference_of(y, expected, 0); }) == "");
    }
}

} // namespace

TEST_CASE("arithmetic with numbers per channel, per element and for all")
{
    check_calls<scaled_sum<all>>(scaled_sum_words());
    check_calls<scaled_sum<pixels>>(scaled_sum_words());
    check_calls<scaled_sum<channels>>(scaled_sum_words());
}

TEST_CASE("rows of as many elements as a call gives")
{
    check_calls<quotient<all>>(quotient_words());
    check_calls<quotient<pixels>>(quotient_words());
    check_calls<elementwise<all, f32, relu>>({clamps()});
}

TEST_CASE("pixels as far apart as the shape or the call says")
{
    constexpr static image_shape apart{.h = up_to(4), .w = 3, .c = up_to(40), .ldx = leading::at_call(), .ldy = 40};
    using own = kernel<elementwise<apart, f32, relu>>;
    const std::int64_t parameters[] = {3, 37, 39}; // h, c, ldx
    floats x(9 * 39, std::numeric_limits<float>::quiet_NaN()), y = poisoned(9 * 40);
    for (std::size_t i = 0; i < x.size(); ++i)
        if (i % 39 < 37) x[i] = static_cast<float>(i % 7) - 3;
    REQUIRE(own::run({.x = x.data(), .y = y.data(), .parameters = parameters}).ok());
    for (std::size_t p = 0; p < 9; ++p)
        for (std::size_t c = 0; c < 40; ++c) {
            if (c < 37)
                CHECK(y[p * 40 + c] == std::fmax(x[p * 39 + c], 0.0f));
            else
                CHECK(is_poison(y[p * 40 + c]));
        }
    const std::int64_t closer[] = {3, 37, 36};
    CHECK(own::run({.parameters = closer}).what == fault::parameter_out_of_range);
    CHECK(std::string(own::run({.parameters = closer}).subject) == "ldx");
}

TEST_CASE("no images, rows, columns or channels are no work; others have to be in range")
{
    using own = kernel<elementwise<all, f32, relu>>;
    const auto with = [](std::vector<std::int64_t> p) { return own::run({.parameters = p.data()}); }; // no tensors
    CHECK(with({0, 5, 5, 5}).ok());
    CHECK(with({1, 0, 5, 5}).ok());
    CHECK(with({1, 5, 0, 5}).ok());
    CHECK(with({1, 5, 5, 0}).ok());
    CHECK(with({1, 5, 5, 151}).what == fault::parameter_out_of_range);
    CHECK(std::string(with({1, 5, 10, 5}).subject) == "w");
    CHECK(std::string(with({-1, 5, 5, 5}).subject) == "n");
    CHECK(own::run({}).what == fault::parameter_out_of_range);
}
