// SPDX-License-Identifier: BSL-1.0
// Compiled kernels of resized images whose calls give sizes and channels that fill no vectors: larger and smaller ones,
// directions that stay and images of one pixel, and pages beside the tensors that nothing may touch.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/resize.hpp>

#include "image_calls.hpp"
#include "kernel_trial.hpp"
#include "open_resizes.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }

constexpr resize_shape all(resize_mode mode, coordinates where, nearest_pixel nearest = nearest_pixel::usual)
{
    return {.n = up_to(2),
            .h = up_to(9),
            .w = up_to(13),
            .c = up_to(170),
            .oh = up_to(21),
            .ow = up_to(17),
            .mode = mode,
            .coordinates = where,
            .nearest = nearest};
}
constexpr resize_shape between = all(resize_mode::bilinear, coordinates::half_pixel);
constexpr resize_shape corners = all(resize_mode::bilinear, coordinates::align_corners);
constexpr resize_shape begins = all(resize_mode::bilinear, coordinates::asymmetric);
constexpr resize_shape nearest = all(resize_mode::nearest, coordinates::half_pixel);
constexpr resize_shape before = all(resize_mode::nearest, coordinates::half_pixel, nearest_pixel::half_down);
constexpr resize_shape copies = all(resize_mode::nearest, coordinates::asymmetric);
constexpr resize_shape known_channels{.h = up_to(9), .w = up_to(9), .c = 3, .oh = up_to(20), .ow = up_to(20)};
constexpr resize_shape known_outputs{
    .h = up_to(30), .w = 11, .c = up_to(40), .oh = 7, .ow = up_to(9), .coordinates = coordinates::align_corners};
constexpr resize_shape known_sizes{.n = up_to(2), .h = 5, .w = 7, .c = up_to(70), .oh = 13, .ow = 14};

template <resize_shape S, class... E>
trial<resize_shape> trial_of_resize()
{
    constexpr by_default standard;
    return trial_of_operator<standard, resize<S, f32, E...>, resize_shape, E...>(S);
}
std::vector<trial<resize_shape>> trials()
{
    return {
        trial_of_resize<between, bias, relu>(), trial_of_resize<corners>(),       trial_of_resize<begins, residual>(),
        trial_of_resize<nearest, residual>(),   trial_of_resize<before>(),        trial_of_resize<copies>(),
        trial_of_resize<known_channels>(),      trial_of_resize<known_outputs>(), trial_of_resize<known_sizes, bias>()};
}

status called(const trial<resize_shape>& t, const std::vector<std::int64_t>& parameters, const floats& x, floats& y)
{
    serial_executor serial;
    return t.kernel.run(
        reference_to(serial),
        {.x = x.data(), .bias = x.data(), .residual = x.data(), .y = y.data(), .parameters = parameters.data()});
}

} // namespace

TEST_CASE("images of any size")
{
    random_numbers random{11};
    std::uint64_t seed = 0;
    for (const trial<resize_shape>& t : trials())
        for (int i = 0; i < 100; ++i) {
            const resize_shape s = drawn_call(t.shape, random);
            const std::vector<std::int64_t> parameters = values_of_call(t.shape, s);
            const call_data d = data_of(s, ++seed);
            const doubles expected = reference(s, d, t.epilogue);
            const double tolerance = s.mode == resize_mode::nearest ? 0 : 4e-6;
            std::string wrong = wrong_kernel(t.kernel, d, expected, parameters.data(), tolerance);
            if (wrong.empty()) wrong = wrong_among_pages(t.kernel, parameters, d, expected, tolerance);
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  ", signature_of(s, dtype::f32).c_str(), ": ", t.kernel.signature);
        }
}

TEST_CASE("pixels that are not finite come alone where an output stands on one, and a size that stays is a copy")
{
    const std::vector<trial<resize_shape>> kernels = trials();
    for (const std::size_t k : {1, 5}) {
        floats x = small_integers(8 * 7 * 33, 3), y = poisoned(8 * 7 * 33);
        x[40] = INFINITY;
        x[150] = NAN;
        x[151] = -0.0f;
        REQUIRE(called(kernels[k], {1, 8, 7, 33, 8, 7}, x, y).ok());
        for (std::size_t i = 0; i < x.size(); ++i) CHECK((std::isnan(x[i]) ? std::isnan(y[i]) : x[i] == y[i]));
    }
    // Between corners each second output is a pixel; those beside the infinity have a part of it.
    const floats x{0, INFINITY, 0, 1, 2};
    floats y = poisoned(9);
    REQUIRE(called(kernels[1], {1, 1, 5, 1, 1, 9}, x, y).ok());
    CHECK(y == floats{0, INFINITY, INFINITY, INFINITY, 0, 0.5f, 1, 1.5f, 2});
}

TEST_CASE("a call beyond the ranges is refused, and one of nothing is no work")
{
    const std::vector<trial<resize_shape>> kernels = trials();
    const floats x(65536);
    floats y(65536);
    const auto wrong = [&](std::size_t k, const std::vector<std::int64_t>& parameters) -> std::string {
        const status s = called(kernels[k], parameters, x, y);
        if (s.ok()) return "";
        return s.what == fault::parameter_out_of_range ? s.subject : s.message();
    };
    for (const std::size_t k : {0, 1, 2, 3, 4, 5}) {
        CAPTURE(k);
        CHECK(wrong(k, {1, 5, 6, 20, 7, 8}) == "");
        CHECK(wrong(k, {0, 5, 6, 20, 7, 8}) == "");
        CHECK(wrong(k, {1, 5, 6, 0, 7, 8}) == "");
        CHECK(wrong(k, {1, 5, 6, 20, 0, 8}) == "");
        CHECK(wrong(k, {1, 5, 6, 20, 7, 0}) == "");
        CHECK(wrong(k, {3, 5, 6, 20, 7, 8}) == "n");
        CHECK(wrong(k, {1, 0, 6, 20, 7, 8}) == "h");
        CHECK(wrong(k, {1, 10, 6, 20, 7, 8}) == "h");
        CHECK(wrong(k, {1, 5, 0, 20, 7, 8}) == "w");
        CHECK(wrong(k, {1, 5, -1, 20, 7, 8}) == "w");
        CHECK(wrong(k, {1, 5, 6, 171, 7, 8}) == "c");
        CHECK(wrong(k, {1, 5, 6, 20, 22, 8}) == "oh");
        CHECK(wrong(k, {1, 5, 6, 20, 7, 18}) == "ow");
        CHECK(wrong(k, {1, 5, 6, 20, 7, -2}) == "ow");
    }
}
