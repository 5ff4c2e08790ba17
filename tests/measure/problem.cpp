// SPDX-License-Identifier: BSL-1.0
// Exact results and the bounds by which candidates are judged: by hand, by kernels of every template, and by results
// that are a little wrong.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/measure/problem.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/tune/cpu/arithmetic.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;
using tune::arithmetic;

namespace {

struct layer_with_relu
    : conv2d<conv2d_shape{.h = 19, .w = 17, .ic = 24, .oc = 40, .kh = 3, .kw = 3, .pad = 1}, f32, bias, relu> {};
struct plain_layer : conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 16, .oc = 16, .kh = 3, .kw = 3, .pad = 1}, f32> {};
struct long_product : gemm<gemm_shape{.m = 33, .n = 40, .k = 600}, f32> {};
struct depthwise : conv2d<conv2d_shape{.h = 20, .w = 20, .ic = 24, .oc = 24, .kh = 3, .kw = 3, .pad = 1, .groups = 24},
                          f32, bias, relu6> {};

// Of the first tensor of a role; null where there is none.
const std::vector<float>* values_of(const tune::problem_draw& draw, role r)
{
    for (const tune::problem_operand& o : draw.operands)
        if (o.role == r) return &o.values;
    return nullptr;
}

// The sum times a large number and the residual, by the root of the residual's size and a half.
struct residual_quotient {
    static constexpr const char* name = "residual_quotient";
    static constexpr role operand_role = role::residual;
    static constexpr expr apply(const expr& acc, const expr& r)
    {
        return acc * 1e30f * r / (ex::sqrt(ex::abs(r)) + 0.5f);
    }
};

// 0 of whatever is not NaN.
struct never {
    static constexpr const char* name = "never";
    static constexpr expr apply(const expr& acc) { return ex::min(ex::abs(acc), 0.0f); }
};

template <class Op, int Tile>
struct winograd_set {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr auto text = Op::signature();
    static constexpr cpu_entry entries[] = {
        {.signature = text.c_str(),
         .set = compiled_isa(),
         .config = config_text<winograd, fitted(Op::definition(), winograd_knobs{.tile = Tile, .rows = 4, .vectors = 1},
                                                compiled_isa())>}};
};

template <class Kernel>
std::vector<float> results_of(const tune::problem& p, const tune::problem_draw& draw)
{
    std::vector<float> y(p.outputs, tune::poison()), packed(Kernel::packed_bytes / sizeof(float)),
        workspace(Kernel::workspace_bytes(1) / sizeof(float) + 1);
    const auto values = [&](role r) {
        const auto* v = values_of(draw, r);
        return v == nullptr ? nullptr : v->data();
    };
    Kernel::pack(values(role::weights), packed.data());
    REQUIRE(Kernel::run({.x = values(role::input),
                         .weights = packed.data(),
                         .bias = values(role::bias),
                         .y = y.data(),
                         .workspace = workspace.data()})
                .ok());
    return y;
}

// The largest error of a kernel as a share of its bound, over some problems.
template <class Op, class Configs>
double largest_share(arithmetic a)
{
    double largest = 0;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const auto p = tune::problem_of(Op::definition(), seed, {a});
        for (const tune::problem_draw& draw : p.draws) {
            CAPTURE(draw.name);
            const auto y = results_of<kernel<Op, Configs>>(p, draw);
            CHECK(tune::judge(p, draw, a, y.data()).wrong == "");
            for (std::size_t i = 0; i < draw.places.size(); ++i) {
                const auto bound = static_cast<double>(draw.bounds[0][i]);
                // Near zero errors are of denormals, one unit of which may be the whole bound.
                if (std::isfinite(draw.expected[i]) && std::isfinite(bound) && bound > 1e-37)
                    largest =
                        std::max(largest, std::fabs(static_cast<double>(y[draw.places[i]]) - draw.expected[i]) / bound);
            }
        }
    }
    return largest;
}

// How many results of a draw are judged by a bound.
std::size_t known(const tune::problem_draw& draw)
{
    return static_cast<std::size_t>(
        std::count_if(draw.bounds[0].begin(), draw.bounds[0].end(), [](float b) { return std::isfinite(b); }));
}

} // namespace

TEST_CASE("a problem of a call is that of the operator with what the call gives, and says it")
{
    using open =
        gemm<gemm_shape{.m = extent::up_to(9), .n = 11, .k = extent::up_to(8), .ldx = leading::at_call()}, f32>;
    using known = gemm<gemm_shape{.m = 4, .n = 11, .k = 6, .ldx = 7}, f32>;
    const auto p = tune::problem_of(open::definition(), {4, 6, 7}, 3, {arithmetic::direct});
    const auto same = tune::problem_of(known::definition(), 3, {arithmetic::direct});
    CHECK(p.outputs == 4 * 11);
    REQUIRE(p.draws.size() == same.draws.size());
    for (std::size_t i = 0; i < p.draws.size(); ++i) {
        CHECK(p.draws[i].expected.size() == same.draws[i].expected.size());
        REQUIRE(p.draws[i].operands.size() == 2);
        for (std::size_t o = 0; o < 2; ++o)
            CHECK(p.draws[i].operands[o].values.size() == same.draws[i].operands[o].values.size());
    }
    CHECK(p.signs().expected == same.signs().expected);
    CHECK_THROWS_WITH(tune::problem_of(open::definition(), 3, {arithmetic::direct}), doctest::Contains("of one call"));
    const folder at;
    tune::save(p, at / "problem");
    CHECK(tune::load_problem(at / "problem").parameters == tune::call_values{4, 6, 7});
    tune::save(same, at / "same");
    CHECK(tune::load_problem(at / "same").parameters.empty());
}

TEST_CASE("the exact results of a convolution: borders, stride, bias and relu by hand")
{
    using conv = conv2d<conv2d_shape{.h = 4, .w = 4, .ic = 2, .oc = 3, .kh = 3, .kw = 3, .stride = 2, .pad = 1}, f32,
                        bias, relu>;
    const auto p = tune::problem_of(conv::definition(), 3, {tune::arithmetic::direct});
    const auto& draw = p.signs();
    const auto& x = *values_of(draw, role::input);
    const auto& w = *values_of(draw, role::weights);
    const auto& b = *values_of(draw, role::bias);
    REQUIRE(draw.expected.size() == 2 * 2 * 3);
    CHECK(p.untouched.empty());
    for (int oh = 0; oh < 2; ++oh)
        for (int ow = 0; ow < 2; ++ow)
            for (int oc = 0; oc < 3; ++oc) {
                double sum = 0;
                for (int kh = 0; kh < 3; ++kh)
                    for (int kw = 0; kw < 3; ++kw)
                        for (int ic = 0; ic < 2; ++ic) {
                            const int h = oh * 2 + kh - 1, v = ow * 2 + kw - 1;
                            if (h >= 0 && h < 4 && v >= 0 && v < 4)
                                sum += static_cast<double>(x[(h * 4 + v) * 2 + ic]) *
                                       static_cast<double>(w[((oc * 3 + kh) * 3 + kw) * 2 + ic]);
                        }
                const int at = (oh * 2 + ow) * 3 + oc;
                REQUIRE(draw.places[at] == static_cast<std::uint32_t>(at));
                CHECK(draw.expected[at] == doctest::Approx(std::fmax(sum + static_cast<double>(b[oc]), 0.0)));
            }
}

TEST_CASE("a problem is the same after it was written and read")
{
    const folder at;
    const auto p = tune::problem_of(plain_layer::definition(), 1, tune::cpu_arithmetics(plain_layer::definition()));
    tune::save(p, at / "p");
    const auto q = tune::load_problem(at / "p");
    CHECK(p.arithmetics == q.arithmetics);
    CHECK(p.arithmetics.size() == 3);
    CHECK(p.outputs == q.outputs);
    REQUIRE(p.draws.size() == q.draws.size());
    const auto same = [](const auto& a, const auto& b) {
        return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
    };
    for (std::size_t d = 0; d < p.draws.size(); ++d) {
        CHECK(p.draws[d].name == q.draws[d].name);
        CHECK(p.draws[d].largest == q.draws[d].largest);
        CHECK(p.draws[d].places == q.draws[d].places);
        CHECK(same(p.draws[d].expected, q.draws[d].expected));
        CHECK(p.draws[d].bounds == q.draws[d].bounds);
        CHECK(same(*values_of(p.draws[d], role::input), *values_of(q.draws[d], role::input)));
    }
    CHECK(*values_of(p.signs(), role::input) !=
          *values_of(tune::problem_of(plain_layer::definition(), 2, {arithmetic::direct}).signs(), role::input));
}

TEST_CASE("each output is judged by its own expression, and read back as it was written")
{
    struct kept : gemm<gemm_shape{.m = 7, .n = 9, .k = 5, .ldy = 12}, f32, bias, keep, relu> {};
    const folder at;
    tune::save(tune::problem_of(kept::definition(), 1, {arithmetic::direct, arithmetic::device}), at / "p");
    const tune::problem p = tune::load_problem(at / "p");
    REQUIRE(p.further.size() == 1);
    CHECK(p.further[0].name == "keep");
    CHECK(p.further[0].position == 3);
    CHECK(p.further[0].elements == p.outputs);
    CHECK(p.further[0].untouched.size() == 6 * 3); // between the rows
    CHECK(p.further_at(3) == p.further.data());
    CHECK(p.further_at(4) == nullptr);
    for (const tune::problem_draw& draw : p.draws) {
        CAPTURE(draw.name);
        REQUIRE(draw.further.size() == 1);
        const tune::judged_results& before = draw.further[0];
        CHECK(before.largest > 0);
        CHECK(before.bounds.size() == 2);
        std::vector<float> y(p.outputs, tune::poison()), k = y;
        for (std::size_t i = 0; i < draw.places.size(); ++i) {
            REQUIRE(before.places[i] == draw.places[i]);
            const double v = before.expected[i];
            CHECK((std::isnan(v) ? std::isnan(draw.expected[i]) : draw.expected[i] == (v < 0 ? 0 : v)));
            y[draw.places[i]] = static_cast<float>(draw.expected[i]);
            k[before.places[i]] = static_cast<float>(v);
        }
        const auto judged = [&](const std::vector<float>& of_y, const std::vector<float>& of_keep) {
            return tune::judge(p, draw, arithmetic::direct, of_y.data(), {of_keep.data()});
        };
        CHECK(judged(y, k).wrong == "");
        // One is off, not written, or written where nothing is to be.
        const auto with = [&](std::size_t place, float value) {
            auto other = k;
            other[place] = value;
            return other;
        };
        const auto finite = std::find_if(before.expected.begin(), before.expected.end(),
                                         [](double v) { return std::isfinite(v) && std::fabs(v) > 0.1; });
        REQUIRE(finite != before.expected.end());
        const std::size_t place = before.places[static_cast<std::size_t>(finite - before.expected.begin())];
        const auto off = judged(y, with(place, k[place] * 1.001f));
        CHECK(off.wrong.find("keep[" + std::to_string(place) + "] is ") == 0);
        if (&draw == &p.signs()) CHECK(off.error > judged(y, k).error);
        CHECK(judged(y, with(place, tune::poison())).wrong.find("is not written") != std::string::npos);
        CHECK(judged(y, with(10, 0.0f)).wrong == "it wrote keep[10], which is no result");
        if (&draw != &p.timed()) { // whose results relu leaves alone
            CHECK(judged(k, k).wrong.find("y[") == 0);
            CHECK(judged(y, y).wrong.find("keep[") == 0);
        }
        CHECK_THROWS_AS(tune::judge(p, draw, arithmetic::direct, y.data()), std::invalid_argument);
    }
}

TEST_CASE("a problem of one output is written as ever")
{
    const folder at;
    tune::save(tune::problem_of(plain_layer::definition(), 1, {arithmetic::direct}), at / "p");
    std::ifstream file(at / "p");
    std::string head;
    std::getline(file, head);
    CHECK(head.find("further") == std::string::npos);
}

TEST_CASE("kernels of every template stay below half of their bounds")
{
    CHECK(largest_share<long_product, defaults>(arithmetic::direct) < 0.5);
    CHECK(largest_share<depthwise, defaults>(arithmetic::direct) < 0.5);
    CHECK(largest_share<layer_with_relu, defaults>(arithmetic::direct) < 0.5);
    CHECK(largest_share<plain_layer, defaults>(arithmetic::direct) < 0.5);
    CHECK(largest_share<layer_with_relu, winograd_set<layer_with_relu, 2>>(arithmetic::winograd_2) < 0.5);
    CHECK(largest_share<layer_with_relu, winograd_set<layer_with_relu, 4>>(arithmetic::winograd_4) < 0.5);
    CHECK(largest_share<plain_layer, winograd_set<plain_layer, 2>>(arithmetic::winograd_2) < 0.5);
    CHECK(largest_share<plain_layer, winograd_set<plain_layer, 4>>(arithmetic::winograd_4) < 0.5);
}

TEST_CASE("results that are a little wrong are wrong: bounds are those of the arithmetic, and of each result")
{
    for (const auto a : {arithmetic::direct, arithmetic::winograd_2, arithmetic::winograd_4}) {
        CAPTURE(name_of(a));
        const auto p = tune::problem_of(plain_layer::definition(), 1, {a});
        const tune::problem_draw& draw = p.signs();
        std::vector<float> exact(p.outputs, tune::poison());
        for (std::size_t i = 0; i < draw.places.size(); ++i)
            exact[draw.places[i]] = static_cast<float>(draw.expected[i]);
        CHECK(tune::judge(p, draw, a, exact.data()).wrong == "");
        // The last channel, by a part that is larger for Winograd.
        auto off = exact;
        const float part = a == arithmetic::winograd_4 ? 1e-3f : 1e-4f;
        for (std::size_t i = 15; i < off.size(); i += 16) off[i] *= 1 + part;
        CHECK(tune::judge(p, draw, a, off.data()).wrong != "");
        // Small results.
        off = exact;
        for (float& v : off) v = std::fabs(v) < 0.01f ? 0 : v;
        CHECK(tune::judge(p, draw, a, off.data()).wrong != "");
        // One that is not written.
        off = exact;
        off[777] = tune::poison();
        CHECK(tune::judge(p, draw, a, off.data()).wrong == "y[777] is not written (operands of both signs)");
    }
}

TEST_CASE("a kernel that errs as Winograd does is no direct one")
{
    // One pixel of 1e30: what stands beside it in a tile loses all its digits.
    const auto as = [](arithmetic a) {
        const auto p = tune::problem_of(plain_layer::definition(), 1, {a});
        const auto y = results_of<kernel<plain_layer, winograd_set<plain_layer, 4>>>(p, p.specials());
        return tune::judge(p, p.specials(), a, y.data()).wrong;
    };
    CHECK(as(arithmetic::winograd_4) == "");
    CHECK(as(arithmetic::winograd_2) != "");
    CHECK(as(arithmetic::direct) != "");
}

TEST_CASE("operands that run backwards, or stand in any order, have their own exact sums")
{
    // y[c] = sum over k of x[k][15 - c] * weights[c][k].
    definition d;
    d.tensors.push_back({.name = "x", .role = role::input, .dims = {}});
    d.tensors.push_back({.name = "weights", .role = role::weights, .dims = {}});
    d.tensors.push_back({.name = "y", .role = role::output, .dims = {}});
    for (const std::int64_t e : {5, 16}) d.tensors[0].dims.push_back({.extent = e});
    for (const std::int64_t e : {16, 5}) d.tensors[1].dims.push_back({.extent = e});
    d.tensors[2].dims.push_back({.extent = 16});
    for (tensor& t : d.tensors) set_dense(t);
    stage s;
    s.axes.push_back({.name = "c", .extent = 16});
    s.axes.push_back({.name = "k", .extent = 5, .reduction = true});
    for (const int t : {0, 1}) {
        operand o;
        o.tensor = static_cast<std::int8_t>(t);
        o.index.push_back(t == 0 ? along(1) : along(0));
        o.index.push_back(t == 0 ? along(0, -1, 15) : along(1));
        s.operands.push_back(o);
    }
    s.output.tensor = 2;
    s.output.index.push_back(along(0));
    s.reduce = reduction::add;
    s.body = ex::load(0) * ex::load(1);
    d.stages.push_back(s);
    const auto p = tune::problem_of(d, 1, {arithmetic::direct});
    const tune::problem_draw& draw = p.signs();
    const auto& x = *values_of(draw, role::input);
    const auto& w = *values_of(draw, role::weights);
    REQUIRE(draw.expected.size() == 16);
    for (std::size_t c = 0; c < 16; ++c) {
        double sum = 0;
        for (std::size_t k = 0; k < 5; ++k)
            sum += static_cast<double>(x[k * 16 + 15 - c]) * static_cast<double>(w[c * 5 + k]);
        CHECK(draw.expected[c] == doctest::Approx(sum));
    }
}

TEST_CASE("most results of a draw are clear of the clamps, and most beside special values are judged")
{
    for (const definition& d : {layer_with_relu::definition(), depthwise::definition()}) {
        const auto p = tune::problem_of(d, 1, {arithmetic::direct});
        const auto clear = [](const tune::problem_draw& draw) {
            return std::count_if(draw.expected.begin(), draw.expected.end(), [](double v) { return v > 0 && v < 6; });
        };
        CHECK(clear(p.timed()) == static_cast<std::ptrdiff_t>(p.timed().expected.size()));
        CHECK(clear(p.signs()) < static_cast<std::ptrdiff_t>(0.7 * static_cast<double>(p.outputs)));
    }
    for (const definition& d :
         {layer_with_relu::definition(), plain_layer::definition(), long_product::definition(), tiny::definition(),
          gemm<gemm_shape{.m = 1, .n = 100, .k = 64}, f32, bias, relu>::definition(),
          conv2d<conv2d_shape{.h = 7, .w = 7, .ic = 16, .oc = 16, .kh = 7, .kw = 7}, f32>::definition()}) {
        const auto p = tune::problem_of(d, 1, {arithmetic::direct});
        CHECK(2 * known(p.specials()) >= p.specials().places.size());
        CHECK(known(p.signs()) == p.outputs);
        std::size_t special = 0;
        for (const tune::problem_operand& o : p.specials().operands)
            special += static_cast<std::size_t>(
                std::count_if(o.values.begin(), o.values.end(), [](float v) { return !std::isfinite(v); }));
        CHECK(special >= 3);
    }
}

TEST_CASE("of large outputs first, middle and last rows and channels are judged; all of the first draw")
{
    using large = conv2d<conv2d_shape{.h = 60, .w = 50, .ic = 3, .oc = 128, .kh = 3, .kw = 3, .pad = 1}, f32>;
    const auto p = tune::problem_of(large::definition(), 1, {arithmetic::direct});
    CHECK(p.signs().places.size() == p.outputs);
    const auto& part = p.specials().places;
    CHECK(part.size() < p.outputs / 2);
    const std::set<std::uint32_t> judged(part.begin(), part.end());
    for (std::uint32_t h : {0u, 1u, 30u, 58u, 59u})
        for (std::uint32_t w : {0u, 49u})
            for (std::uint32_t c : {0u, 15u, 64u, 112u, 127u}) CHECK(judged.count((h * 50 + w) * 128 + c) == 1);
}

TEST_CASE("where all results are 0, a right kernel is right")
{
    using zero = gemm<gemm_shape{.m = 4, .n = 8, .k = 3}, f32, never>;
    const auto p = tune::problem_of(zero::definition(), 1, {arithmetic::direct});
    CHECK(p.signs().largest == 0);
    std::vector<float> y(p.outputs, 0.0f);
    const auto right = tune::judge(p, p.signs(), arithmetic::direct, y.data());
    CHECK(right.wrong == "");
    CHECK(right.error == 0);
    y[5] = 1e-3f;
    CHECK(tune::judge(p, p.signs(), arithmetic::direct, y.data()).wrong != "");
}

TEST_CASE("a device may take denormals for zero at each step, lose signs of zeros, and divide less exactly")
{
    using scaled = gemm<gemm_shape{.m = 40, .n = 40, .k = 1}, f32, residual_quotient>;
    const auto p = tune::problem_of(scaled::definition(), 7, {arithmetic::direct, arithmetic::device});
    const auto flushed = [](float v) { return std::fabs(v) < std::numeric_limits<float>::min() ? 0.0f : v; };
    int apart = 0;
    for (const tune::problem_draw& draw : p.draws) {
        const auto &x = *values_of(draw, role::input), &w = *values_of(draw, role::weights);
        const auto& r = *values_of(draw, role::residual);
        std::vector<float> y(p.outputs);
        for (std::size_t i = 0; i < 40; ++i)
            for (std::size_t j = 0; j < 40; ++j) {
                const float sum = flushed(flushed(x[i]) * flushed(w[j])), of = flushed(r[i * 40 + j]);
                const float product = flushed(flushed(sum * 1e30f) * of), size = flushed(std::sqrt(std::fabs(of)));
                const float quotient = flushed(product / (size + 0.5f));
                y[i * 40 + j] = quotient * (i % 2 == 0 ? 1 + 0x1p-22f : 1 - 0x1p-22f);
                if (y[i * 40 + j] == 0) y[i * 40 + j] = 0;
            }
        CAPTURE(draw.name);
        CHECK(tune::judge(p, draw, arithmetic::device, y.data()).wrong == "");
        apart += tune::judge(p, draw, arithmetic::direct, y.data()).wrong != "";
        // Elsewhere it judges as sharply as before.
        std::size_t sharp = 0;
        for (std::size_t i = 0; i < draw.places.size(); ++i)
            sharp += static_cast<double>(draw.bounds[1][i]) < 1e-5 * std::fabs(draw.expected[i]) + 1e-6;
        CHECK(sharp > draw.places.size() / 2);
    }
    CHECK(apart > 0);
}

TEST_CASE("infinities, NaN, denormals and the signs of zeros are judged one by one")
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    const auto right = [](double expected, float bound, float found) { return tune::is_right(expected, bound, found); };
    CHECK(right(static_cast<double>(nan), 0, nan));
    CHECK_FALSE(right(static_cast<double>(nan), 0, 0));
    CHECK_FALSE(right(static_cast<double>(nan), 0, tune::poison()));
    CHECK_FALSE(right(1, 1, nan));
    CHECK(right(static_cast<double>(infinity), 0, infinity));
    CHECK_FALSE(right(static_cast<double>(infinity), 0, -infinity));
    CHECK_FALSE(right(static_cast<double>(infinity), 0, std::numeric_limits<float>::max()));
    CHECK_FALSE(right(1, 1, infinity));
    CHECK(right(0, 0, 0.0f));
    CHECK_FALSE(right(0, 0, -0.0f));
    CHECK_FALSE(right(0, 0, 1e-45f));
    CHECK_FALSE(right(1e-40, 1e-44f, 0));
    // Behind no bound: what is not finite stays so, and all is written.
    CHECK(right(static_cast<double>(infinity), infinity, nan));
    CHECK_FALSE(right(static_cast<double>(infinity), infinity, 1));
    CHECK(right(1, infinity, 5));
    CHECK_FALSE(right(1, infinity, tune::poison()));
}
