// SPDX-License-Identifier: BSL-1.0
// Compiled convolutions whose calls give all there is of a shape: images, channels, and the window with its strides,
// paddings and dilations. One kernel, windows that reach beyond each side of an image, and pages beside the tensors
// that nothing may touch.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "image_calls.hpp"
#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }

constexpr conv2d_shape all{.n = up_to(2),
                           .h = up_to(12),
                           .w = up_to(23),
                           .ic = up_to(5),
                           .oc = up_to(37),
                           .kh = 4,
                           .kw = 7,
                           .window_at_call = true};
constexpr conv2d_shape of_channels{
    .h = up_to(9), .w = up_to(17), .ic = 3, .oc = 18, .kh = 3, .kw = 5, .window_at_call = true};
constexpr conv2d_shape depthwise{.n = up_to(2),
                                 .h = up_to(12),
                                 .w = up_to(23),
                                 .ic = up_to(39),
                                 .oc = up_to(39),
                                 .kh = 5,
                                 .kw = 5,
                                 .groups = up_to(39),
                                 .window_at_call = true};

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<all, standard, bias, residual, relu>(),
        trial_of<all, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 2, .order = walk::rows_outer}, bias>(),
        trial_of<of_channels, standard, relu>(),
        trial_of<depthwise, standard, bias, relu6>(),
    };
}

// A shape that the kernel of `open` is for, whose padded image holds at least one window.
conv2d_shape drawn(const conv2d_shape& open, random_numbers& random)
{
    const auto any = [&](const extent& e) {
        if (!e.at_call) return extent(e.value);
        return extent(random.one_in(3) ? e.value : random.between(1, e.value));
    };
    conv2d_shape s{.n = any(open.n), .h = any(open.h), .w = any(open.w), .ic = any(open.ic), .oc = any(open.oc)};
    if (open.groups.at_call) s.oc = s.groups = s.ic;
    const auto direction = [&](std::int64_t image, std::int64_t most, std::int64_t& taps, std::int64_t& stride,
                               std::int64_t& dilation, std::int64_t& before, std::int64_t& behind) {
        taps = random.between(1, most);
        stride = random.between(1, 3);
        dilation = random.one_in(2) ? 1 : random.between(1, 3);
        before = random.one_in(3) ? 0 : random.between(0, 9);
        behind = random.one_in(3) ? before : random.between(0, 9);
        const std::int64_t missing = dilation * (taps - 1) + 1 - image - before - behind;
        before += std::max<std::int64_t>(missing, 0);
    };
    direction(s.h, open.kh, s.kh, s.stride_h, s.dilation_h, s.pad_top, s.pad_bottom);
    direction(s.w, open.kw, s.kw, s.stride_w, s.dilation_w, s.pad_left, s.pad_right);
    return s;
}
// Of which call of that kernel it is.
call_of_images call_of(const conv2d_shape& open, const conv2d_shape& s)
{
    call_of_images c{s, {}};
    const auto give = [&](const extent& e, std::int64_t value) {
        if (e.at_call) c.parameters.push_back(value);
    };
    give(open.n, s.n);
    give(open.h, s.h);
    give(open.w, s.w);
    give(open.ic, s.ic);
    if (!open.groups.at_call) give(open.oc, s.oc);
    for (const std::int64_t i : {s.kh, s.kw, s.stride_h, s.stride_w, s.pad_top, s.pad_left, s.pad_bottom, s.pad_right,
                                 s.dilation_h, s.dilation_w})
        c.parameters.push_back(i);
    return c;
}

} // namespace

TEST_CASE("convolutions of any window")
{
    random_numbers random{9};
    std::uint64_t seed = 0;
    for (const trial<conv2d_shape>& t : trials())
        for (int i = 0; i < 150; ++i) {
            const conv2d_shape s = drawn(t.shape, random);
            REQUIRE(s.check().ok());
            const call_of_images c = call_of(t.shape, s);
            const call_data d = data_of(s, ++seed);
            const doubles expected = reference(s, d, t.epilogue);
            std::string wrong = wrong_kernel(t.kernel, d, expected, c.parameters.data());
            if (wrong.empty()) wrong = wrong_among_pages(t.kernel, c, d, expected);
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  ", signature_of(s, dtype::f32).c_str(), ": ", t.kernel.signature);
        }
}

TEST_CASE("a window that the padded image does not hold is out of range")
{
    const entry kernel = trials()[0].kernel;
    std::vector<float> any(65536);
    serial_executor serial;
    const auto called = [&](std::vector<std::int64_t> parameters) {
        return kernel.run(reference_to(serial), {.x = any.data(),
                                                 .weights = any.data(),
                                                 .bias = any.data(),
                                                 .residual = any.data(),
                                                 .y = any.data(),
                                                 .workspace = any.data(),
                                                 .parameters = parameters.data()});
    };
    //               n, h, w, ic, oc, taps, strides, pads,       dilations
    CHECK(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
    CHECK(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 2, 1}).ok());
    const status rows = called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 3, 1});
    CHECK(rows.what == fault::parameter_out_of_range);
    CHECK(std::string(rows.subject) == "h");
    CHECK(rows.expected == 7);
    CHECK(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 1, 0, 1, 0, 3, 1}).ok());
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 7, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "w");
    CHECK(std::string(called({1, 5, 6, 2, 3, 5, 3, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "kh");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 0, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "kw");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 0, 1, 0, 0, 0, 0, 1, 1}).subject) == "stride_h");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, -1, 0, 0, 0, 0, 1, 1}).subject) == "stride_w");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, 1, -1, 0, 0, 0, 1, 1}).subject) == "pad_top");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 257, 1, 1}).subject) == "pad_right");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 65}).subject) == "dilation_w");
    CHECK(called({0, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
    CHECK(called({1, 5, 6, 2, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
    CHECK(std::string(called({1, 5, 6, 0, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "ic");
}
