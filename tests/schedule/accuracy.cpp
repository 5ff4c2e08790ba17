// SPDX-License-Identifier: BSL-1.0
// The classes of error, held to what the nests of configs compute: the interpreter runs them step by step.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <hone/cpu/compiled.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/vulkan_direct.hpp>

using namespace hone;
using namespace hone::calls;

namespace {

using floats = std::vector<float>;

struct operands {
    floats x, weights;
};
// Of magnitudes from 1 to 2^most, so that sums tell in which order they were formed.
operands operands_of(const definition& d, int most)
{
    std::mt19937 bits(7);
    std::uniform_real_distribution<float> mantissa(-1.0f, 1.0f);
    std::uniform_int_distribution<int> exponent(0, most);
    const auto fill = [&](role r) {
        floats f(static_cast<std::size_t>(d.tensors[static_cast<std::size_t>(d.tensor_of(r))].elements()));
        for (float& v : f) v = std::ldexp(mantissa(bits), exponent(bits));
        return f;
    };
    return {fill(role::input), fill(role::weights)};
}

floats run(const nest& n, std::initializer_list<floats*> tensors)
{
    std::vector<argument> arguments;
    for (floats* t : tensors) arguments.push_back({t->data(), static_cast<std::int64_t>(t->size())});
    const status s = interpret(n, arguments);
    REQUIRE_MESSAGE(s.ok(), s.message());
    return **std::prev(tensors.end());
}

// y of a config, by its packing and its nest.
floats computed(const definition& d, const cpu_config& c, operands o)
{
    constexpr isa set = isa::baseline;
    const tensor layout = packed_for(d, c, set)[0];
    floats packed(static_cast<std::size_t>(layout.elements()));
    const nest packing = lower(packing_for(d, c, set));
    REQUIRE(packing.ok());
    run(packing, {&o.weights, &packed});
    floats y(static_cast<std::size_t>(d.tensors.back().elements()));
    const nest n = lower(schedule_for(d, c, set));
    REQUIRE(n.ok());
    return run(n, {&o.x, &packed, &y});
}
floats computed(const definition& d, const vulkan_knobs& k, operands o)
{
    const schedule s = vulkan_schedule(d, k);
    const nest n = lower(s);
    REQUIRE(n.ok());
    const tensor& layout = s.definition.tensors[static_cast<std::size_t>(d.tensor_of(role::weights))];
    floats packed(static_cast<std::size_t>(layout.elements()));
    const tensor& given = d.tensors[static_cast<std::size_t>(d.tensor_of(role::weights))];
    pack_into<isa::baseline>(given, layout, o.weights.data(), packed.data());
    floats y(static_cast<std::size_t>(d.tensors.back().elements()));
    return run(n, {&o.x, &packed, &y});
}

// The definition, term by term, in one chain for each output; in double where Sum is that.
template <class Sum>
std::vector<Sum> plain_sums(const conv2d_shape& s, const operands& o)
{
    std::vector<Sum> y;
    for (std::int64_t oh = 0; oh < s.oh(); ++oh)
        for (std::int64_t ow = 0; ow < s.ow(); ++ow)
            for (std::int64_t oc = 0; oc < s.oc; ++oc) {
                Sum sum = 0;
                for (std::int64_t kh = 0; kh < s.kh; ++kh)
                    for (std::int64_t kw = 0; kw < s.kw; ++kw)
                        for (std::int64_t ic = 0; ic < s.ic; ++ic) {
                            const std::int64_t h = oh * s.stride + kh - s.pad, w = ow * s.stride + kw - s.pad;
                            if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                            const auto x = static_cast<std::size_t>((h * s.w + w) * s.ic + ic);
                            const auto f = static_cast<std::size_t>(((oc * s.kh + kh) * s.kw + kw) * s.ic + ic);
                            volatile Sum product = static_cast<Sum>(o.x[x]) * static_cast<Sum>(o.weights[f]);
                            sum = sum + product;
                        }
                y.push_back(sum);
            }
    return y;
}

constexpr conv2d_shape small{.h = 5, .w = 7, .ic = 9, .oc = 6, .kh = 3, .kw = 3, .pad = 1};
using conv = conv2d<small, f32>;
constexpr direct_knobs direct_configs[] = {
    {.rows = 1, .vectors = 1},
    {.rows = 3, .vectors = 2, .reduce_unroll = 4},
    {.rows = 2, .vectors = 2, .row_block = 4, .order = walk::rows_outer},
    {.rows = 4, .vectors = 1, .reduce_unroll = 2, .pad = padding::copy},
    {.rows = 2, .vectors = 1, .pad = padding::copy, .order = walk::rows_outer, .unroll_window = true},
    {.rows = 3, .vectors = 2, .unroll_window = true},
    {.rows = 3, .vectors = 2, .reduce_block = 4},
    {.rows = 1, .vectors = 2, .reduce_unroll = 2, .reduce_block = 2, .pad = padding::copy},
};

bool same_bits(const floats& a, const floats& b)
{
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) return false;
    return a.size() == b.size();
}

// Largest error over the largest |y|.
double error_of(const floats& y, const std::vector<double>& exact)
{
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        worst = std::max(worst, std::fabs(static_cast<double>(y[i]) - exact[i]));
        largest = std::max(largest, std::fabs(exact[i]));
    }
    return worst / largest;
}

} // namespace

TEST_CASE("kernels in exact order give the bits of the definition's own chain; reassociated ones others")
{
    const definition d = conv::definition();
    const operands o = operands_of(d, 20);
    const floats expected = plain_sums<float>(small, o);
    CHECK(class_of(cpu_config(default_direct(d, isa::baseline))) == error_class::exact_order);
    CHECK(same_bits(computed(d, cpu_config(default_direct(d, isa::baseline)), o), expected));
    int others = 0;
    for (const direct_knobs& k : direct_configs) {
        const cpu_config c(fitted(d, k, isa::baseline));
        CAPTURE(k.reduce_block);
        const floats y = computed(d, c, o);
        if (class_of(c) == error_class::exact_order)
            CHECK(same_bits(y, expected));
        else
            others += same_bits(y, expected) ? 0 : 1;
    }
    CHECK(others == 2);

    for (const vulkan_knobs& k :
         {default_vulkan(d), naive_vulkan(), vulkan_knobs{.rows = 2, .reduce_block = 4, .stage = staging::shared},
          vulkan_knobs{.rows = 2, .vectors = 1, .reduce_block = 4, .reduce_unroll = 2, .stage = staging::x}}) {
        CHECK(class_of(k) == error_class::exact_order);
        CHECK(same_bits(computed(d, fitted(d, k), o), expected));
    }
}

TEST_CASE("the class of Winograd is that of its tile, and its error what the documentation says")
{
    constexpr conv2d_shape layer{.h = 12, .w = 12, .ic = 64, .oc = 8, .kh = 3, .kw = 3, .pad = 1};
    const definition d = conv2d<layer, f32>::definition();
    const operands o = operands_of(d, 0);
    const auto exact = plain_sums<double>(layer, o);
    const double direct = error_of(computed(d, cpu_config(default_direct(d, isa::baseline)), o), exact);
    const auto of_tile = [&](std::int32_t tile) {
        cpu_config c(winograd_knobs{.tile = tile});
        c.knobs<winograd>() = fitted(d, c.knobs<winograd>(), isa::baseline);
        CHECK(class_of(c) == (tile == 2 ? error_class::winograd_2 : error_class::winograd_4));
        return error_of(computed(d, c, o), exact) / direct;
    };
    const double two = of_tile(2), four = of_tile(4);
    MESSAGE("error of a direct kernel ", direct, ", of F(2, 3) ", two, " and of F(4, 3) ", four, " times that");
    CHECK(direct < 576 * 0x1p-24);
    CHECK(two < 2);
    CHECK(four < 8);
    CHECK(four > two);
}

TEST_CASE("an outlier spoils its own outputs alone but for F(4, 3)")
{
    const definition d = conv::definition();
    for (const float outlier : {std::numeric_limits<float>::infinity(), 1e38f, 1e30f}) {
        operands o = operands_of(d, 0);
        const floats before = plain_sums<float>(small, o);
        o.x[(2 * 7 + 3) * 9 + 4] = outlier;
        const auto unseen = [&](std::size_t i) {
            const auto row = static_cast<std::int64_t>(i) / (7 * 6), column = static_cast<std::int64_t>(i) / 6 % 7;
            return std::abs(row - 2) > 1 || std::abs(column - 3) > 1;
        };
        const auto spoilt = [&](const cpu_config& c) {
            const floats y = computed(d, c, o);
            int n = 0;
            for (std::size_t i = 0; i < y.size(); ++i)
                if (unseen(i) && !(std::fabs(y[i] - before[i]) <= 1e-4f)) ++n;
            return n;
        };
        for (const direct_knobs& k : direct_configs) CHECK(spoilt(fitted(d, k, isa::baseline)) == 0);
        for (const std::int32_t tile : {2, 4}) {
            cpu_config c(winograd_knobs{.tile = tile});
            c.knobs<winograd>() = fitted(d, c.knobs<winograd>(), isa::baseline);
            // The interpreter multiplies infinity by the zeros of a table, too, which kernels leave out.
            if (tile == 4 || !std::isinf(outlier)) CHECK((spoilt(c) > 0) == (tile == 4));
        }
    }
}

// ---- what a workload and a set demand ----

namespace {

using plain = conv2d<small, f32, bias, relu>;
using strict = conv2d<small, f32, exact, bias, relu>;
using loose = conv2d<small, f32, fast, bias, relu>;

// Entries of all classes for the signature of Op, the slowest first in no order that matters.
template <class Op>
struct of_all_classes {
    static constexpr signature_text text = Op::signature();
    static constexpr cpu_entry entries[] = {
        {.signature = text.c_str(), .set = isa::avx2, .config = "winograd"},
        {.signature = text.c_str(), .set = isa::avx2, .threads = 2, .config = "direct reduce_block=4"},
        {.signature = text.c_str(), .set = isa::avx2, .threads = 4, .config = "direct rows=3"}};
};
template <class Op>
struct asking_for_speed : of_all_classes<Op> {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
};
template <class Op>
struct asking_for_bits : of_all_classes<Op> {
    static constexpr hone::accuracy accuracy = hone::accuracy::exact;
};
template <class Op, class Set>
constexpr int threads_chosen()
{
    return tuned_threads_of<Op, Set>(isa::avx2, 1);
}

} // namespace

TEST_CASE("entries of a class that nobody asked for are passed over")
{
    // A set that says nothing, as headers that are written by hand: as right as the default.
    CHECK(threads_chosen<plain, of_all_classes<plain>>() == 2);
    CHECK(config_of<plain, of_all_classes<plain>>(isa::avx2).value.is<direct>());
    CHECK(thread_counts_of<plain, of_all_classes<plain>>(isa::avx2).size() == 2);
    CHECK(threads_chosen<plain, asking_for_speed<plain>>() == 1);
    CHECK(config_of<plain, asking_for_speed<plain>>(isa::avx2).value.is<winograd>());
    CHECK(threads_chosen<plain, asking_for_bits<plain>>() == 4);
    // The word of a workload counts more than that of the set.
    CHECK(threads_chosen<strict, asking_for_speed<strict>>() == 4);
    CHECK(threads_chosen<loose, asking_for_bits<loose>>() == 1);
    CHECK(threads_chosen<loose, of_all_classes<loose>>() == 1);
    // And a workload is never served what was tuned for another demand.
    CHECK(entry_index_for<strict, asking_for_speed<loose>>(isa::avx2) < 0);
    CHECK(entry_index_for<plain, asking_for_speed<loose>>(isa::avx2) < 0);
}
