// SPDX-License-Identifier: BSL-1.0
// Features of nests: values worked out by hand, what they must not depend on, and what they must tell apart.
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/hash.hpp>
#include <hone/ir/live_registers.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/features.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/schedule/winograd.hpp>

#include "ir/nests.hpp"

namespace {

using namespace hone;
using namespace hone::tune;
using part = operand_part;

template <class Nest>
feature_vector features(const Nest& n)
{
    feature_vector f;
    features_of(n, f);
    return f;
}

// What a count is encoded as.
float encoded(double count) { return static_cast<float>(count < 0 ? -std::log2(1 - count) : std::log2(1 + count)); }

#define CHECK_COUNT(value, count) CHECK((value) == doctest::Approx(encoded(count)).epsilon(1e-5))

bool is_finite(const feature_vector& f)
{
    for (float v : f.values)
        if (!std::isfinite(v)) return false;
    return true;
}

// The names of what differs, for messages.
std::string differences(const feature_vector& a, const feature_vector& b)
{
    std::string names;
    for (int i = 0; i < feature_vector::size; ++i)
        if (a.values[i] != b.values[i]) names += feature_name(i) + "; ";
    return names;
}

// Loops of one iteration around everything, between everything, or nowhere.
nest matrix_vector(int extra)
{
    test::nest_builder b;
    const test::form m = b.axis("m"), k = b.axis("k", 0, true);
    const int a = b.access(b.buffer("a", memory::argument, 12 * 10, role::input), m * 10 + k);
    const int x = b.access(b.buffer("x", memory::argument, 10, role::weights), k);
    const int y = b.access(b.buffer("y", memory::argument, 12, role::output), m);
    const test::form one = b.axis("one");
    if (extra == 1) b.loop(binding::serial, one, 1);
    b.loop(binding::parallel, m, 12).store(y, expr{0.0f});
    if (extra == 2) b.loop(binding::unroll, one, 1);
    b.loop(binding::serial, k, 10).add(y, ex::load(a) * ex::load(x));
    return b.n;
}

// Features of random members of a space: finite, a function of the nest, and another one for another program.
struct survey {
    std::map<std::uint64_t, feature_vector> seen{};
    std::map<std::array<float, feature_vector::size>, std::string> programs{};

    void add(const schedule& s)
    {
        const nest n = lower(s);
        if (!n.ok()) return;
        const feature_vector f = features(n);
        CHECK(is_finite(f));
        const auto [at, is_new] = seen.emplace(nest_hash(n), f);
        if (!is_new) {
            CHECK_MESSAGE(at->second == f, differences(at->second, f));
            return;
        }
        // Two hashes may name one program: a level of one iteration leaves a variable that nothing uses.
        const auto [same, is_distinct] = programs.emplace(f.values, print(n));
        if (!is_distinct) CHECK(same->second == print(n));
    }
    void check(std::size_t least) const { CHECK(programs.size() >= least); }
};

class knobs {
public:
    template <class T>
    T one_of(std::initializer_list<T> values)
    {
        return values.begin()[engine_() % values.size()];
    }
    direct_knobs direct()
    {
        return {.rows = one_of({1, 2, 3, 4, 5, 6, 7, 8, 12, 14}),
                .vectors = one_of({1, 2, 3, 4}),
                .reduce_unroll = one_of({1, 2, 4}),
                .reduce_block = one_of({0, 0, 8, 30}),
                .row_block = one_of({0, 0, 14, 28}),
                .pad = one_of({padding::peel, padding::copy}),
                .order = one_of({walk::weights_outer, walk::rows_outer}),
                .unroll_window = one_of({false, true})};
    }
    winograd_knobs winograd()
    {
        return {.tile = one_of({2, 4}),
                .block_rows = one_of({1, 2, 3}),
                .block_columns = one_of({2, 5, 7}),
                .rows = one_of({4, 6, 7}),
                .vectors = one_of({1, 2, 3})};
    }
    vulkan_knobs vulkan()
    {
        return {.rows = one_of({1, 2, 4, 8}),
                .vectors = one_of({1, 2}),
                .components = one_of({1, 2, 4}),
                .lane_rows = one_of({1, 2, 4}),
                .lane_vectors = one_of({2, 4, 8}),
                .reduce_block = one_of({4, 8, 16}),
                .reduce_unroll = one_of({1, 2}),
                .stage = one_of({staging::none, staging::shared, staging::x, staging::weights}),
                .order = one_of({walk::weights_outer, walk::rows_outer})};
    }

private:
    std::mt19937 engine_{20};
};

using dense = conv2d<conv2d_shape{.h = 28, .w = 28, .ic = 32, .oc = 64, .kh = 3, .kw = 3, .pad = 1}, f32>;
using odd = conv2d<conv2d_shape{.h = 13, .w = 17, .ic = 5, .oc = 37, .kh = 3, .kw = 5, .stride = 2, .pad = 2}, f32>;
using depthwise =
    conv2d<conv2d_shape{.h = 19, .w = 23, .ic = 48, .oc = 48, .kh = 3, .kw = 3, .pad = 1, .groups = 48}, f32>;
using grouped =
    conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 24, .oc = 60, .kh = 3, .kw = 3, .pad = 1, .groups = 3}, f32>;
using product = gemm<gemm_shape{.m = 57, .n = 101, .k = 33}, f32>;
using open_product =
    gemm<gemm_shape{.m = extent::up_to(57), .n = 64, .k = 33, .ldx = leading::at_call(), .ldy = leading::at_call()},
         f32>;

template <class Op>
void survey_direct(std::size_t least)
{
    knobs random;
    survey found;
    const definition d = Op::definition();
    for (int i = 0; i < 400; ++i) {
        const isa set = random.one_of({isa::avx512, isa::avx2, isa::baseline});
        found.add(direct_schedule(d, random.direct(), set));
    }
    found.check(least);
}

} // namespace

TEST_CASE("a matrix product has the products, touches, reuses and strides worked out by hand")
{
    // m.0: 2 parallel, n.0: 2, k: 5, m.1: 3 and n.1: 2 unrolled, n.2: 4 lanes
    const nest n = test::matmul({.m = 6, .n = 16, .k = 5, .tile_m = 3, .tile_n = 2});
    const feature_vector f = features(n);
    struct row {
        double length, top_down, bottom_up;
        binding bind;
        double x[3], weights[3], y[3]; // touch, reuse, stride
    };
    const row rows[] = {
        {4, 480, 4, binding::vectorize, {1, 4, 0}, {4, 1, 1}, {4, 1, 1}},
        {2, 120, 8, binding::unroll, {1, 8, 0}, {8, 1, 4}, {8, 1, 4}},
        {3, 60, 24, binding::unroll, {3, 8, 5}, {8, 3, 0}, {24, 1, 16}},
        {5, 20, 120, binding::serial, {15, 8, 1}, {40, 3, 16}, {24, 5, 0}},
        {2, 4, 240, binding::serial, {15, 16, 0}, {80, 3, 8}, {48, 5, 8}},
        {2, 2, 480, binding::parallel, {30, 16, 15}, {80, 6, 0}, {96, 5, 48}},
    };
    for (int k = 0; k < 6; ++k) {
        CAPTURE(k);
        const row& r = rows[k];
        CHECK_COUNT(f(k, loop_feature::length), r.length);
        CHECK_COUNT(f(k, loop_feature::top_down), r.top_down);
        CHECK_COUNT(f(k, loop_feature::bottom_up), r.bottom_up);
        for (int b = 0; b < feature_vector::bindings; ++b)
            CHECK(f(k, static_cast<binding>(b)) == (static_cast<binding>(b) == r.bind ? 1.0f : 0.0f));
        for (int t = 0; t < 3; ++t) {
            CAPTURE(t);
            CHECK_COUNT(f(k, part::x, static_cast<touch_feature>(t)), r.x[t]);
            CHECK_COUNT(f(k, part::weights, static_cast<touch_feature>(t)), r.weights[t]);
            CHECK_COUNT(f(k, part::output, static_cast<touch_feature>(t)), r.y[t]);
        }
    }
    for (int i = feature_vector::index(6, loop_feature::length); i < feature_vector::first_relation; ++i)
        CHECK(f.values[i] == 0);

    CHECK_COUNT(f(part::x, relation::reuse_by_touch, 0), 8);  // 1 element
    CHECK_COUNT(f(part::x, relation::reuse_by_touch, 2), 8);  // up to 7
    CHECK_COUNT(f(part::x, relation::reuse_by_touch, 3), 16); // up to 15
    CHECK_COUNT(f(part::weights, relation::reuse_by_touch, 0), 0);
    CHECK_COUNT(f(part::weights, relation::reuse_by_touch, 2), 1);
    CHECK_COUNT(f(part::weights, relation::reuse_by_touch, 19), 6);
    CHECK_COUNT(f(part::x, relation::touch_by_top_down, 0), 0);
    CHECK_COUNT(f(part::x, relation::touch_by_top_down, 1), 30);

    CHECK_COUNT(f(nest_feature::multiply_adds), 480);
    CHECK_COUNT(f(nest_feature::chunks), 2);
    CHECK_COUNT(f(nest_feature::chunk_work), 240);
    CHECK_COUNT(f(nest_feature::band_macs), 6);
    CHECK_COUNT(f(nest_feature::band_vector_loads), 2);
    CHECK_COUNT(f(nest_feature::band_scalar_loads), 3);
    CHECK_COUNT(f(nest_feature::live_registers), 6 + 2 + 1); // accumulators, weights, one broadcast
    CHECK_COUNT(f(nest_feature::tile_footprint), 4 * (15 + 40 + 24));
    CHECK_COUNT(f(nest_feature::full_footprint), 4 * (30 + 80 + 96));
    CHECK(f(nest_feature::peeled_share) == 0);
}

TEST_CASE("live registers are what check finds, where values of x are lanes, too")
{
    const definition d = gemm<gemm_shape{.m = 48, .n = 96, .k = 64}, f32>::definition();
    for (isa set : {isa::avx2, isa::avx512, isa::neon})
        for (int rows : {2, 5, 8})
            for (int vectors : {1, 2, 3})
                for (int steps : {1, 2, 4, 8}) {
                    CAPTURE(name_of(set));
                    CAPTURE(rows);
                    CAPTURE(vectors);
                    CAPTURE(steps);
                    const nest n =
                        lower(direct_schedule(d, {.rows = rows, .vectors = vectors, .reduce_unroll = steps}, set));
                    CHECK_COUNT(features(n)(nest_feature::live_registers), live_registers(n));
                }
    const nest lanes = lower(direct_schedule(d, {.rows = 8, .vectors = 2, .reduce_unroll = 4}, isa::neon));
    CHECK_COUNT(features(lanes)(nest_feature::live_registers), 16 + 2 * 2 + 8);
}

TEST_CASE("peeled siblings are one loop, and their share is told")
{
    const feature_vector f = features(test::matmul({.m = 7, .n = 16, .k = 5, .tile_m = 3, .tile_n = 2}));
    CHECK_COUNT(f(5, loop_feature::length), 3);
    CHECK_COUNT(f(5, loop_feature::bottom_up), 7 * 16 * 5);
    CHECK(f(nest_feature::peeled_share) == doctest::Approx(1.0 / 7));
    CHECK(f(nest_feature::tile_bodies) == 2);
}

TEST_CASE("windows that overlap are counted once")
{
    // 56 rows of 64 channels under 3 x 3 taps: an image with its border, not nine of them.
    const definition d =
        conv2d<conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3}, f32>::definition();
    const feature_vector f = features(lower(direct_schedule(d, {.rows = 6, .vectors = 4}, isa::avx512)));
    const int outermost = static_cast<int>(f(nest_feature::loops)) - 1;
    CHECK_COUNT(f(outermost, part::x, touch_feature::touch), 56 * 56 * 64);
}

TEST_CASE("clipped loops count as what they run on average")
{
    // Taps of y[i] over x[i + t - 1], i in [0, 6): 2 + 3 + 3 + 3 + 3 + 2 of them are alive.
    for (test::edge how : {test::edge::clipped, test::edge::guarded}) {
        CAPTURE(static_cast<int>(how));
        const feature_vector f = features(test::padded(how));
        CHECK_COUNT(f(0, loop_feature::length), 3);
        if (how == test::edge::clipped) CHECK_COUNT(f(nest_feature::multiply_adds), 16);
        if (how == test::edge::guarded) CHECK(f(nest_feature::guarded_share) == 1);
    }
}

TEST_CASE("names, loops of one iteration and the order of siblings do not matter")
{
    nest renamed = test::matmul();
    for (variable& v : renamed.variables) v.name = "other";
    for (buffer& b : renamed.buffers) b.name = "other";
    CHECK(features(renamed) == features(test::matmul()));

    const feature_vector plain = features(matrix_vector(0));
    CHECK_COUNT(plain(nest_feature::multiply_adds), 120);
    for (int extra : {1, 2}) {
        CAPTURE(extra);
        const feature_vector split = features(matrix_vector(extra));
        CHECK_MESSAGE(split == plain, differences(split, plain));
    }

    nest turned = test::matmul({.m = 7});
    const feature_vector before = features(turned);
    const std::int16_t first = turned.root;
    const std::int16_t second = turned.nodes[first].next;
    REQUIRE(second >= 0);
    turned.root = second;
    turned.nodes[second].next = first;
    turned.nodes[first].next = -1;
    CHECK_MESSAGE(features(turned) == before, differences(features(turned), before));
}

namespace {

template <expr_op Op>
struct one_word {
    static constexpr const char* name = name_of(Op);
    static constexpr expr apply(const expr& acc) { return expr::unary(Op, acc); }
};
// Of 16 x 32 results in vectors of 8.
template <expr_op Op>
double operations_with()
{
    const definition d = gemm<gemm_shape{.m = 16, .n = 32, .k = 8}, f32, one_word<Op>>::definition();
    const auto n = lower(direct_schedule(d, {.rows = 4, .vectors = 2}, isa::avx2));
    REQUIRE(n.ok());
    return std::exp2(static_cast<double>(features(n)(nest_feature::operations))) - 1;
}

} // namespace

TEST_CASE("a word costs what the table of words says")
{
    const double plain = operations_with<expr_op::neg>(), computed = operations_with<expr_op::erf>();
    CHECK(computed - plain == doctest::Approx(16 * 32 / 8 * (word_of(expr_op::erf).cost - 1)).epsilon(1e-3));
}

TEST_CASE("direct schedules: finite, one vector for one nest, another for another")
{
    survey_direct<dense>(200);
    survey_direct<odd>(200);
    survey_direct<depthwise>(100);
    survey_direct<grouped>(200);
    survey_direct<product>(150);
    survey_direct<open_product>(100);
}

TEST_CASE("extents of a call count as what is typical of it, in the same nest")
{
    using small =
        gemm<gemm_shape{.m = extent::up_to(60).typically(12), .n = 64, .k = 33, .ldx = leading::at_call()}, f32>;
    using large =
        gemm<gemm_shape{.m = extent::up_to(60), .n = 64, .k = 33, .ldx = leading::at_call().typically(40)}, f32>;
    using whole = gemm<gemm_shape{.m = extent::up_to(60), .n = 64, .k = 33, .ldx = leading::at_call()}, f32>;
    const direct_knobs k{.rows = 6, .vectors = 2};
    const auto nest_of = [&](const definition& d) { return lower(direct_schedule(d, k, isa::avx2)); };
    const nest few = nest_of(small::definition()), apart = nest_of(large::definition()),
               most = nest_of(whole::definition());
    CHECK(nest_hash(few) == nest_hash(most));
    CHECK(nest_hash(apart) == nest_hash(most));
    const auto products = [](const nest& n) { return loop_chain<nest>(n).multiply_adds; };
    CHECK(products(few) < 0.25 * products(most));
    CHECK(products(apart) == doctest::Approx(products(most)));
    CHECK_FALSE(features(few) == features(most));
    CHECK_FALSE(features(apart) == features(most)); // rows stand farther apart
}

TEST_CASE("winograd schedules: finite, one vector for one nest, another for another")
{
    knobs random;
    survey found;
    for (int i = 0; i < 100; ++i) {
        const isa set = random.one_of({isa::avx512, isa::avx2});
        found.add(winograd_schedule(dense::definition(), random.winograd(), set));
    }
    found.check(50);
    // The products read what was made from x alone.
    const feature_vector f = features(lower(winograd_schedule(dense::definition(), {}, isa::avx512)));
    CHECK(f(3, part::x, touch_feature::touch) > 0);
    CHECK(f(nest_feature::slot_bytes) > 0);
}

TEST_CASE("Vulkan schedules: finite, one vector for one nest, another for another")
{
    knobs random;
    for (const definition& d :
         {dense::definition(), odd::definition(), depthwise::definition(), product::definition()}) {
        survey found;
        for (int i = 0; i < 100; ++i) found.add(vulkan_schedule(d, random.vulkan()));
        found.check(20);
    }
}
