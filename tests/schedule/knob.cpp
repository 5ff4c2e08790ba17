// SPDX-License-Identifier: BSL-1.0
// The values of knobs: closed forms choose legal ones, and what is none is a fault of every schedule before any length
// is divided by it.
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_direct.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

template <int H, int W, int Channels, int Kernel = 3>
using conv =
    conv2d<conv2d_shape{.h = H, .w = W, .ic = Channels, .oc = Channels, .kh = Kernel, .kw = Kernel, .pad = Kernel / 2},
           f32, bias>;

constexpr definition definitions[] = {
    conv<14, 14, 32>::definition(),
    conv<1, 1, 1>::definition(),
    conv<7, 300, 3>::definition(),
    conv<2048, 2048, 8>::definition(),
    conv<56, 56, 64, 1>::definition(),
    gemm<gemm_shape{.m = 1, .n = 1, .k = 1}, f32>::definition(),
    gemm<gemm_shape{.m = 5000, .n = 1000, .k = 3}, f32>::definition(),
};
// Neither the least nor the most of any knob, and what an int would make of more bits.
constexpr std::int64_t values[] = {-2147483648, -1, 0, 1, 2, 3, 5, 6, 7, 17, 255, 257, 1 << 21, 2147483647};

// Calls f(knobs, knob, value) for each knob with each value, the others as they are.
template <class Knobs, class F>
void each_value(const Knobs& from, F&& f)
{
    for (const auto& k : knobs_of(from))
        for (const std::int64_t value : values) {
            Knobs changed = from;
            k.set(changed, value);
            CAPTURE(std::string(k.name));
            CAPTURE(value);
            f(changed, k.allows(k.get(changed))); // an enumeration keeps some bits only
        }
}
bool is_knob_fault(const nest& n) { return n.found.what == fault::knob_value; }

} // namespace

TEST_CASE("closed forms choose values that their templates take")
{
    for (const definition& d : definitions) {
        CHECK(check_knobs(default_vulkan(d)).ok());
        CHECK(check_knobs(fitted(d, naive_vulkan())).ok());
        for (isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon}) {
            CHECK(check_knobs(default_direct(d, set)).ok());
            if (winograd_applies(d)) CHECK(check_knobs(default_winograd(d, set)).ok());
        }
    }
}

TEST_CASE("a fault names the knob, what it may be at most or at least, and what it is")
{
    const status high = check_knobs(direct_knobs{.rows = 1000});
    CHECK(high.what == fault::knob_value);
    CHECK(std::string(high.subject) == "rows");
    CHECK(high.expected == most_rows);
    CHECK(high.found == 1000);
    CHECK(check_knobs(direct_knobs{.vectors = 0}).expected == 1);
    CHECK(check_knobs(winograd_knobs{.tile = 3}).what == fault::knob_value);
    CHECK(check_knobs(vulkan_knobs{.components = 3}).what == fault::knob_value);
    CHECK(check_knobs(direct_knobs{.pad = static_cast<padding>(2)}).what == fault::knob_value);
    CHECK(check_knobs(cpu_config(winograd_knobs{.tile = 3})).what == fault::knob_value);
    // Only the knobs of the template that is named count.
    cpu_config other;
    other.knobs<winograd>().tile = 3;
    CHECK(check_knobs(other).ok());
}

TEST_CASE("schedules, layouts and packings of values that are none are a fault, and nothing divides by them")
{
    for (const definition& d : definitions) {
        each_value(direct_knobs{}, [&](const direct_knobs& k, bool is_legal) {
            const cpu_config c(k);
            CHECK(is_knob_fault(lower(direct_schedule(d, k, isa::avx2))) == !is_legal);
            CHECK(is_knob_fault(lower(schedule_for(d, c, isa::avx2))) == !is_legal);
            CHECK(is_knob_fault(lower(packing_for(d, c, isa::avx2))) == !is_legal);
            CHECK(packed_for(d, c, isa::avx2).empty() == !is_legal);
        });
        each_value(vulkan_knobs{}, [&](const vulkan_knobs& k, bool is_legal) {
            CHECK(is_knob_fault(lower(vulkan_schedule(d, k))) == !is_legal);
            CHECK(vulkan_weights(d, k).empty() == !is_legal);
            CHECK(check_knobs(fitted(d, k)).ok() == is_legal);
        });
        if (!winograd_applies(d)) continue;
        each_value(winograd_knobs{}, [&](const winograd_knobs& k, bool is_legal) {
            const cpu_config c(k);
            CHECK(is_knob_fault(lower(schedule_for(d, c, isa::avx2))) == !is_legal);
            CHECK(is_knob_fault(lower(packing_for(d, c, isa::avx2))) == !is_legal);
            CHECK(packed_for(d, c, isa::avx2).empty() == !is_legal);
            CHECK(check_knobs(fitted(d, k, isa::avx2)).ok() == is_legal);
        });
    }
}
