// SPDX-License-Identifier: BSL-1.0
// Packed weights of the Winograd template: the numbers of G g G^T, where their layout says, and zeros past the last
// output channel.
#include <hone/schedule/winograd_packing.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

constexpr conv2d_shape shape{.h = 6, .w = 6, .ic = 3, .oc = 5, .kh = 3, .kw = 3, .pad = 1};
using ohwi = conv2d<shape, f32>;
constexpr conv2d_shape planes{.h = 6, .w = 6, .ic = 3, .oc = 5, .kh = 3, .kw = 3, .pad = 1, .layout = layout::nchw};
using oihw = conv2d<planes, f32>;

// (G g G^T)[i][j] of the window of one pair of channels.
double transformed(const winograd_matrices& w, const std::vector<float>& window, int i, int j)
{
    double sum = 0;
    for (int kh = 0; kh < 3; ++kh)
        for (int kw = 0; kw < 3; ++kw)
            sum += static_cast<double>(w.g[static_cast<std::size_t>(3 * i + kh)]) *
                   static_cast<double>(window[static_cast<std::size_t>(3 * kh + kw)]) *
                   static_cast<double>(w.g[static_cast<std::size_t>(3 * j + kw)]);
    return sum;
}

template <class Op>
void check_packed(int tile, int vectors)
{
    constexpr bool is_ohwi = std::is_same_v<Op, ohwi>;
    const winograd_knobs k{.tile = tile, .vectors = vectors};
    const definition d = Op::definition();
    const nest n = lower(winograd_packing(d, k, isa::baseline));
    REQUIRE(n.ok());
    CHECK(std::string{check(n, cpu_target(isa::baseline)).message()} == message_of(fault::none));
    const tensor u = winograd_weights(d, k, isa::baseline);
    std::vector<float> from(5 * 9 * 3), to(static_cast<std::size_t>(u.elements()), -1.0f);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i * i % 17) - 8;
    const argument given[] = {{from.data(), static_cast<std::int64_t>(from.size())},
                              {to.data(), static_cast<std::int64_t>(to.size())}};
    REQUIRE(interpret(n, given).ok());

    const winograd_matrices w = winograd_matrices_of(tile);
    const int alpha = tile + 2;
    const std::int64_t channels = round_up(5, u.dims[2].block);
    CHECK(u.elements() == alpha * alpha * 3 * channels);
    for (std::int64_t oc = 0; oc < channels; ++oc)
        for (std::int64_t ic = 0; ic < 3; ++ic) {
            std::vector<float> window(9);
            for (std::int64_t tap = 0; tap < 9 && oc < 5; ++tap)
                window[static_cast<std::size_t>(tap)] =
                    from[static_cast<std::size_t>(is_ohwi ? (oc * 9 + tap) * 3 + ic : (oc * 3 + ic) * 9 + tap)];
            for (int i = 0; i < alpha; ++i)
                for (int j = 0; j < alpha; ++j) {
                    const std::int64_t at = (i * alpha + j) * u.dims[0].stride + ic * u.dims[1].stride +
                                            oc / u.dims[2].block * u.dims[2].outer_stride + oc % u.dims[2].block;
                    CHECK(static_cast<double>(to[static_cast<std::size_t>(at)]) ==
                          doctest::Approx(transformed(w, window, i, j)).epsilon(1e-5).scale(1));
                }
        }
}

} // namespace

TEST_CASE("each window is transformed, and channels that are none are zeros")
{
    for (const int tile : {2, 4})
        for (const int vectors : {1, 2}) {
            CAPTURE(tile);
            CAPTURE(vectors);
            check_packed<ohwi>(tile, vectors);
            check_packed<oihw>(tile, vectors);
        }
}

TEST_CASE("a block of output channels stands side by side, for each point and input channel")
{
    const tensor u = winograd_weights(ohwi::definition(), {.tile = 4, .vectors = 1}, isa::baseline);
    REQUIRE(u.dims.size() == 3);
    CHECK(u.dims[0].extent == 36);
    CHECK(u.dims[2].block == 4);
    CHECK(u.dims[2].stride == 1);
    CHECK(u.dims[1].stride == 4);
    CHECK(u.dims[2].outer_stride == 3 * 4);
    CHECK(u.dims[0].stride == 2 * 3 * 4);
}

TEST_CASE("knobs with a fault and other operators have no layout, and a packing that says why")
{
    const definition other = conv2d<conv2d_shape{.h = 6, .w = 6, .kh = 3, .kw = 3, .stride = 2}, f32>::definition();
    CHECK(winograd_weights(ohwi::definition(), {.tile = 3}, isa::baseline).dims.empty());
    CHECK(winograd_packing(ohwi::definition(), {.tile = 3}, isa::baseline).found.what == fault::knob_value);
    CHECK(winograd_weights(other, {}, isa::baseline).dims.empty());
    CHECK(winograd_packing(other, {}, isa::baseline).found.what == fault::shape_mismatch);
}
