// SPDX-License-Identifier: BSL-1.0
// The stages of a Winograd kernel: their order and loops are those that the header shows, and together they compute the
// convolution.
#include <hone/schedule/winograd_stages.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

// y of a convolution with bias and relu, by the formula.
std::vector<float> expected_of(const conv2d_shape& s, const std::vector<float>& x, const std::vector<float>& weights,
                               const std::vector<float>& bias_of)
{
    std::vector<float> y;
    for (std::int64_t oh = 0; oh < s.oh(); ++oh)
        for (std::int64_t ow = 0; ow < s.ow(); ++ow)
            for (std::int64_t oc = 0; oc < s.oc; ++oc) {
                float sum = bias_of[static_cast<std::size_t>(oc)];
                for (std::int64_t kh = 0; kh < 3; ++kh)
                    for (std::int64_t kw = 0; kw < 3; ++kw)
                        for (std::int64_t ic = 0; ic < s.ic; ++ic) {
                            const std::int64_t h = oh + kh - s.pad, w = ow + kw - s.pad;
                            if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                            sum += x[static_cast<std::size_t>((h * s.w + w) * s.ic + ic)] *
                                   weights[static_cast<std::size_t>(((oc * 3 + kh) * 3 + kw) * s.ic + ic)];
                        }
                y.push_back(sum < 0 ? 0 : sum);
            }
    return y;
}

std::vector<float> integers(std::int64_t count, int seed)
{
    std::vector<float> v(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < v.size(); ++i)
        v[i] = static_cast<float>((i * 7 + static_cast<std::size_t>(seed)) % 5) - 2;
    return v;
}

// The lines of a nest that are loops over one variable, as "parallel in [0, 7)".
std::vector<std::string> loops_over(const std::string& text, const std::string& variable)
{
    std::vector<std::string> all;
    for (std::size_t at = text.find(' ' + variable + " in "); at != std::string::npos;
         at = text.find(' ' + variable + " in ", at + 1)) {
        const std::size_t begin = text.rfind('\n', at) + 1, end = text.find('\n', at);
        std::string line = text.substr(begin, end - begin);
        line.erase(0, line.find_first_not_of(' '));
        line.erase(line.find(variable), variable.size() + 1);
        all.push_back(line);
    }
    return all;
}

} // namespace

TEST_CASE("stages stand in the order in which they are computed, each where the header has it")
{
    constexpr conv2d_shape layer{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1};
    const schedule s = winograd_schedule(conv2d<layer, f32>::definition(), {.tile = 4}, isa::avx512);
    REQUIRE(s.found.ok());
    std::string names;
    for (const stage& g : s.definition.stages) names += std::string{g.name} + ' ';
    CHECK(names == "gather left input product columns output ");
    REQUIRE(s.plans.size() == 6);
    const auto attached = [&](std::size_t which) { return s.plans[which].attach.stage; };
    CHECK(attached(0) == 1); // gather to left, left to input
    CHECK(attached(1) == 2);
    for (const std::size_t to_output : {2, 3, 4}) CHECK(attached(to_output) == 5);
    CHECK(attached(5) == -1);
    // 7 blocks of rows and 2 of columns, of 2 x 7 tiles.
    const std::string text = print(lower(s));
    CHECK(loops_over(text, "ty.0@5") == std::vector<std::string>{"parallel in [0, 7)"});
    CHECK(loops_over(text, "tx.0@5") == std::vector<std::string>{"parallel in [0, 2)"});
    const auto& v = s.definition.tensors[static_cast<std::size_t>(s.definition.stages[3].operands[0].tensor)];
    CHECK(v.dims[0].extent == 36);
    CHECK(v.dims[1].extent == 14);
    CHECK(v.dims[2].extent == 64);
}

// Points an odd number of cache lines apart.
TEST_CASE("points of V and M do not meet in one set of a cache")
{
    constexpr conv2d_shape power{.h = 16, .w = 16, .ic = 64, .oc = 128, .kh = 3, .kw = 3, .pad = 1};
    const schedule s = winograd_schedule(conv2d<power, f32>::definition(),
                                         {.tile = 4, .block_rows = 4, .block_columns = 4}, isa::avx512);
    int points = 0;
    for (const tensor& t : s.definition.tensors) {
        if (t.memory != memory::slot || t.dims[0].extent != 36) continue;
        ++points;
        CAPTURE(t.name);
        CHECK(t.dims[0].stride % 16 == 0);
        CHECK(t.dims[0].stride / 16 % 2 == 1);
        CHECK(t.dims[0].stride >= t.dims[1].extent * t.dims[1].stride);
    }
    CHECK(points == 2);
}

TEST_CASE("the stages compute the convolution, whatever divides the image and the channels")
{
    constexpr conv2d_shape s{.h = 7, .w = 9, .ic = 3, .oc = 6, .kh = 3, .kw = 3, .pad = 1};
    const definition d = conv2d<s, f32, bias, relu>::definition();
    std::vector<float> x = integers(7 * 9 * 3, 1), weights = integers(6 * 9 * 3, 2), bias_of = integers(6, 3);
    const std::vector<float> expected = expected_of(s, x, weights, bias_of);
    for (const winograd_knobs& k :
         {winograd_knobs{.tile = 2, .block_rows = 1, .block_columns = 2, .rows = 2, .vectors = 1},
          winograd_knobs{.tile = 2, .block_rows = 3, .block_columns = 3, .rows = 5, .vectors = 2},
          winograd_knobs{.tile = 4, .block_rows = 2, .block_columns = 2, .rows = 3, .vectors = 2}}) {
        CAPTURE(k.tile);
        CAPTURE(k.block_rows);
        const auto as_argument = [](std::vector<float>& v) {
            return argument{v.data(), static_cast<std::int64_t>(v.size())};
        };
        std::vector<float> packed(static_cast<std::size_t>(winograd_weights(d, k, isa::baseline).elements()));
        const argument packing[] = {as_argument(weights), as_argument(packed)};
        REQUIRE(interpret(lower(winograd_packing(d, k, isa::baseline)), packing).ok());
        std::vector<float> y(expected.size(), -1.0f);
        const argument call[] = {as_argument(x), as_argument(packed), as_argument(bias_of), as_argument(y)};
        const nest n = lower(winograd_schedule(d, k, isa::baseline));
        REQUIRE(n.ok());
        const status found = interpret(n, call);
        REQUIRE_MESSAGE(found.ok(), found.message());
        for (std::size_t i = 0; i < y.size(); ++i) {
            if (k.tile == 2)
                CHECK(y[i] == expected[i]); // halves only
            else
                CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-3).scale(1));
        }
    }
}

TEST_CASE("a convolution that Winograd does not compute is a fault, and names it")
{
    const definition d =
        conv2d<conv2d_shape{.h = 12, .w = 12, .ic = 8, .oc = 16, .kh = 3, .kw = 3, .stride = 2, .pad = 1},
               f32>::definition();
    const nest n = lower(winograd_schedule(d, {}, isa::avx2));
    CHECK(n.found.what == fault::shape_mismatch);
    CHECK(std::string{n.found.subject} == "winograd: 3x3, stride 1, one group");
}

TEST_CASE("a faulty definition stays the first thing that is wrong")
{
    definition d;
    d.found = {.what = fault::extent_zero, .subject = "conv2d"};
    CHECK(lower(winograd_schedule(d, {}, isa::avx2)).found.what == fault::extent_zero);
}
