// SPDX-License-Identifier: BSL-1.0
// Parameters of images and windows: which a shape leaves to the call, in which order, and what comes of them.
#include <hone/op/open_window.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>

using namespace hone;
using namespace hone::operators;

namespace {

std::vector<std::string> names_of(const window_parameters& p)
{
    std::vector<std::string> names;
    for (const parameter& own : p.all) names.emplace_back(own.name);
    return names;
}
template <class Shape>
window_parameters parameters_of_image(const Shape& s)
{
    window_parameters p;
    p.add_image(s);
    p.x.c = p.y.c = p.open(s.ic, "c");
    p.add_window(s);
    p.count_windows(s);
    p.add_distances();
    return p;
}
status found(const conv2d_shape& s) { return check_open_window(s, "layout", "sizes", "numbers"); }

} // namespace

TEST_CASE("a shape that is known has no parameters")
{
    const window_parameters p = parameters_of_image(conv2d_shape{.h = 9, .w = 8, .ic = 3, .kh = 3, .kw = 3, .pad = 1});
    CHECK(p.all.empty());
    CHECK(p.n == -1);
    CHECK(p.x.image == -1);
    CHECK(p.across.stride == -1);
}

TEST_CASE("images of a call hold a window that is known, and windows are counted in them")
{
    const conv2d_shape s{.n = extent::up_to(4),
                         .h = extent::up_to(9).typically(5),
                         .w = 8,
                         .ic = extent::up_to(6),
                         .kh = 5,
                         .kw = 3,
                         .stride = 2,
                         .pad_top = 1};
    const window_parameters p = parameters_of_image(s);
    CHECK(names_of(p) == std::vector<std::string>{"n", "h", "c", "oh", "image", "image of y"});
    CHECK(p.all[1].least == 4); // of 5 taps one may stand above it
    CHECK(p.all[1].typical == 5);
    CHECK(p.all[3].dividend == 1);
    CHECK(p.all[3].most == s.oh());
    // Rows of 8 known pixels are as far apart as there are channels.
    CHECK(p.x.row == p.x.c);
    CHECK(p.all[static_cast<std::size_t>(p.x.image)].first_factor == 1);
    const std::int64_t given[] = {2, 7, 5};
    std::int64_t values[6]{};
    complete(p.all, given, values);
    CHECK(values[3] == 2);
    CHECK(values[4] == 7 * 5);
    CHECK(values[5] == 2 * 5);
}

TEST_CASE("a window of the call is ten numbers behind the image")
{
    const conv2d_shape s{
        .h = extent::up_to(9), .w = extent::up_to(8), .ic = extent::up_to(6), .kh = 4, .kw = 2, .window_at_call = true};
    window_parameters p = parameters_of_image(s);
    CHECK(given_parameters(p.all) == 13);
    CHECK(p.all[static_cast<std::size_t>(p.down.taps)].most == 4);
    CHECK(p.all[static_cast<std::size_t>(p.down.taps)].typical == 3);
    CHECK(p.all[static_cast<std::size_t>(p.across.taps)].typical == 0);
    CHECK(p.all[static_cast<std::size_t>(p.down.dilation)].most == most_dilation);
    CHECK_FALSE(p.all[static_cast<std::size_t>(p.y.h)].window.meets);
    for (const std::int16_t a : {p.down.stride, p.down.dilation, p.down.before})
        CHECK(find_product(p.all, a, p.x.row) >= 0);
    for (const std::int16_t a : {p.across.stride, p.across.dilation, p.across.before})
        CHECK(find_product(p.all, a, p.x.c) >= 0);
    const dim_index index = along_open_window(2, 4, p.down);
    CHECK(index.terms[0] == index_term{2, 1, p.down.stride});
    CHECK(index.terms[1] == index_term{4, 1, p.down.dilation});
    CHECK(index.offset == -1);
    CHECK(index.offset_parameter == p.down.before);

    window_parameters dense;
    dense.add_image(s);
    dense.add_window(s, 1);
    dense.count_windows(s, true);
    CHECK(dense.all[static_cast<std::size_t>(dense.across.dilation)].most == 1);
    CHECK(dense.all[static_cast<std::size_t>(dense.y.w)].window.meets);
}

TEST_CASE("why a call cannot give a window")
{
    const extent side = extent::up_to(9);
    CHECK(found({.h = 9, .w = 9, .stride = 2}).ok()); // it does not
    const conv2d_shape open{.h = side, .w = side, .kh = 3, .kw = 3, .window_at_call = true};
    CHECK(found(open).ok());
    const auto subject = [&](auto change) {
        conv2d_shape s = open;
        change(s);
        CHECK(found(s).what == fault::window_at_call);
        return std::string(found(s).subject);
    };
    CHECK(subject([](conv2d_shape& s) { s.layout = layout::nchw; }) == "layout");
    CHECK(subject([](conv2d_shape& s) { s.h = 9; }) == "sizes");
    CHECK(subject([](conv2d_shape& s) { s.w = 9; }) == "sizes");
    CHECK(subject([](conv2d_shape& s) { s.stride_w = 2; }) == "numbers");
    CHECK(subject([](conv2d_shape& s) { s.pad_bottom = 1; }) == "numbers");
    CHECK(subject([](conv2d_shape& s) { s.dilation = 2; }) == "numbers");
}
