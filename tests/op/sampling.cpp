// SPDX-License-Identifier: BSL-1.0
// Where outputs of sizes that calls give stand: exactly, in whole numbers, over all small sizes and some of the
// largest.
#include <hone/op/sampling.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "reference.hpp"

using namespace hone;
using namespace hone::operators;

namespace {

struct place {
    std::int64_t parts, of; // in x at parts / of
};
place place_of(coordinates where, std::int64_t h, std::int64_t oh, std::int64_t o)
{
    if (where == coordinates::half_pixel) return {h * (2 * o + 1) - oh, 2 * oh};
    if (where == coordinates::align_corners) return {(h - 1) * o, oh > 1 ? oh - 1 : 1};
    return {h * o, oh};
}
std::int64_t ceiling(std::int64_t a, std::int64_t b) { return -floor_div(-a, b); }
std::int64_t nearest_of(nearest_pixel how, const place& p)
{
    if (how == nearest_pixel::floor) return floor_div(p.parts, p.of);
    if (how == nearest_pixel::half_up) return floor_div(2 * p.parts + p.of, 2 * p.of);
    return ceiling(2 * p.parts - p.of, 2 * p.of);
}

// The parameters of a direction that leaves out what the call does not give, and its pixels.
struct direction {
    std::vector<parameter> all;
    resizing::open_direction open;

    direction(const resizing::sampling& how, std::int64_t h, std::int64_t oh, bool is_open_h, bool is_open_oh,
              std::int64_t most = resizing::most_open_size)
    {
        if (is_open_h) all.push_back({.name = "h", .least = 1, .most = most});
        if (is_open_oh) all.push_back({.name = "oh", .least = 1, .most = most});
        inline_vector<parameter, 8> own;
        for (const parameter& p : all) own.push_back(p);
        const auto oh_at = static_cast<std::int16_t>(is_open_h ? 1 : 0);
        open =
            resizing::open_direction(own, how, {is_open_h ? most : h, static_cast<std::int16_t>(is_open_h ? 0 : -1)},
                                     {is_open_oh ? most : oh, is_open_oh ? oh_at : std::int16_t{-1}}, "step", "area");
        all.assign(own.begin(), own.end());
    }
    std::int64_t step(std::int64_t h, std::int64_t oh) const
    {
        std::vector<std::int64_t> values(all.size());
        std::size_t at = 0;
        for (const parameter& p : all)
            if (p.is_given()) values[at++] = p.name[0] == 'h' ? h : oh;
        complete(all, values.data(), values.data());
        for (std::size_t p = 0; p < all.size(); ++p) {
            CHECK(values[p] >= all[p].least);
            CHECK(values[p] <= all[p].most);
        }
        return values[static_cast<std::size_t>(open.pixels("i", 0).quotient.parameter)];
    }
};

// How many outputs take other pixels than they should.
int wrong(const resizing::sampling& how, std::int64_t h, std::int64_t oh, bool is_open_h = true, bool is_open_oh = true)
{
    const direction d(how, h, oh, is_open_h, is_open_oh);
    const axis_quotient q = d.open.pixels("i", 0).quotient;
    const std::int64_t step = d.step(h, oh);
    int found = 0;
    for (std::int64_t o = 0; o < oh; ++o) {
        const place p = place_of(how.coordinates, h, oh, o);
        const std::int64_t at = (q.times * o + q.added) * step + q.rest, first = floor_div(at, q.divisor),
                           last = floor_div(at + q.span, q.divisor);
        if (how.sums())
            found += first != floor_div(p.parts, p.of) || last != ceiling(p.parts, p.of);
        else
            found += first != nearest_of(how.rounding, p) || first < 0 || first >= h;
    }
    return found;
}

std::vector<resizing::sampling> all_ways()
{
    std::vector<resizing::sampling> all;
    for (const coordinates where : {coordinates::half_pixel, coordinates::align_corners, coordinates::asymmetric}) {
        all.push_back({resize_mode::bilinear, where, nearest_pixel::floor});
        for (const nearest_pixel n : {nearest_pixel::floor, nearest_pixel::half_down, nearest_pixel::half_up})
            if (const resizing::sampling s{resize_mode::nearest, where, n}; s.stays_in_image()) all.push_back(s);
    }
    return all;
}

} // namespace

TEST_CASE("the usual roundings stay in the image, whatever the sizes, and some others do not")
{
    CHECK(all_ways().size() == 3 + 2 + 3 + 1);
    for (const coordinates where : {coordinates::half_pixel, coordinates::align_corners, coordinates::asymmetric})
        CHECK(
            resizing::sampling{resize_mode::nearest, where, rounding_of(nearest_pixel::usual, where)}.stays_in_image());
    CHECK(rounding_of(nearest_pixel::half_up, coordinates::asymmetric) == nearest_pixel::half_up);
}

TEST_CASE("pixels are those of exact positions")
{
    for (const resizing::sampling& how : all_ways()) {
        CAPTURE(name_of(how.coordinates));
        CAPTURE(name_of(how.mode));
        CAPTURE(name_of(how.rounding));
        int found = 0;
        for (std::int64_t h = 1; h <= 70; ++h)
            for (std::int64_t oh = 1; oh <= 90; ++oh) found += wrong(how, h, oh);
        CHECK(found == 0);
        // The largest, and of those near them, with no common factor and with some.
        constexpr std::int64_t most = resizing::most_open_size;
        test::random_numbers random{5};
        for (const auto& [h, oh] : {std::pair{most, most}, std::pair{most, most - 1}, std::pair{most - 1, most},
                                    std::pair{std::int64_t{1}, most}, std::pair{most, std::int64_t{1}},
                                    std::pair{most, most / 2 + 1}, std::pair{std::int64_t{7919}, std::int64_t{8111}}}) {
            CHECK(wrong(how, h, oh) == 0);
            CHECK(wrong(how, h, oh, true, false) == 0);
            CHECK(wrong(how, h, oh, false, true) == 0);
        }
        for (int i = 0; i < 40; ++i) CHECK(wrong(how, random.between(1, most), random.between(1, most)) == 0);
    }
}

TEST_CASE("what a direction of the call cannot be is named")
{
    constexpr resizing::sampling between{};
    const auto found = [](const resizing::sampling& how, std::int64_t h, std::int64_t oh) {
        return check_open_sizes(how, extent::up_to(h), extent::up_to(oh));
    };
    CHECK(found(between, 2048, 2048).ok());
    CHECK(found(between, 4096, 1024).ok());
    CHECK(found(between, 4096, 4096).what == fault::extent_too_large);
    CHECK(std::string(found(between, 4096, 4096).subject) == "resize: bilinear");
    constexpr resizing::sampling nearest{resize_mode::nearest, coordinates::half_pixel, nearest_pixel::half_up};
    CHECK(found(nearest, 8192, 8192).ok());
    CHECK(found(nearest, 8193, 1).what == fault::extent_too_large);
    CHECK(found(nearest, 8193, 1).expected == 8192);
    constexpr resizing::sampling before{resize_mode::nearest, coordinates::half_pixel, nearest_pixel::floor};
    CHECK(found(before, 8, 8).what == fault::extents_at_call);
    CHECK(std::string(found(before, 8, 8).subject) == "resize: nearest");
}
