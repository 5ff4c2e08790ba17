// SPDX-License-Identifier: BSL-1.0
// Kernels of the reduce template, compiled, against plain loops: lanes that are outputs, and lanes along the reduction,
// of whole vectors, of a few elements, and of numbers that do not compare.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>

#include "kernel_trial.hpp"
#include "reductions.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;
using namespace reductions;

namespace {

// A config as text, for one operator.
template <class Op, const char* Config>
struct of_text {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr signature_text signature = Op::signature();
    static constexpr cpu_entry entries[1] = {{.signature = signature.c_str(), .set = compiled_isa(), .config = Config}};
};

// On one thread and on two, into poisoned memory. `given`: rows of this call.
template <class Kernel, class Shape>
std::string wrong_of(const Shape& s, const floats& x, const steps& epilogue, std::int64_t given = -1)
{
    const floats bias = small_integers(64, 3), residual = small_integers(s.y_elements(), 4);
    doubles expected = reductions::expected(s, x.data());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto channel = static_cast<std::size_t>(s.channel_of(static_cast<std::int64_t>(i)));
        expected[i] =
            finished(expected[i], epilogue, static_cast<double>(bias[channel % 64]), static_cast<double>(residual[i]));
    }
    if (given >= 0) expected.resize(static_cast<std::size_t>(given));
    const auto run = [&](auto&& executor) -> std::string {
        guarded y(expected.size() * sizeof(float));
        guarded workspace(Kernel::workspace_bytes(executor.slots()));
        const floats before = x;
        const status found = Kernel::run(executor, {.x = x.data(),
                                                    .bias = bias.data(),
                                                    .residual = residual.data(),
                                                    .y = y.data(),
                                                    .workspace = workspace.data(),
                                                    .parameters = &given});
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        if (!y.is_intact() || !workspace.is_intact()) return "writes beside its buffers";
        return difference_of(y.values(), expected);
    };
    std::string wrong = run(serial_executor());
    return wrong.empty() ? run(eager_pool(2)) : wrong;
}

constexpr pool_shape window{.n = 2, .h = 7, .w = 10, .c = 21, .kh = 3, .kw = 2, .stride = 2, .pad = 1};
constexpr pool_shape few{.h = 8, .w = 8, .c = 3, .kh = 3, .kw = 3, .how = fold::least};
constexpr pool_shape image = global({.h = 4, .w = 8, .c = 150, .how = fold::mean});
constexpr pool_shape planes = global({.n = 2, .h = 4, .w = 4, .c = 9, .how = fold::mean, .layout = layout::nchw});
constexpr rows_shape largest{.rows = 13, .n = 107, .distance = 110};
constexpr rows_shape least{.rows = 6, .n = 3, .how = fold::least};
constexpr rows_shape squares{.rows = 5, .n = 143, .how = fold::squares};
constexpr rows_shape sum{.rows = 7, .n = 70, .how = fold::sum};
constexpr rows_shape of_call{.rows = 11, .n = 37, .how = fold::sum, .at_call = true};

constexpr pool_shape high{.h = 37, .w = 5, .c = 21, .kh = 3, .kw = 3, .stride = 2, .pad = 1};
constexpr pool_shape wide = global({.n = 2, .h = 27, .w = 1, .c = 150, .how = fold::sum});
constexpr rows_shape all{.rows = 1, .n = 1003, .how = fold::least};

constexpr char unrolled[] = "reduce lanes=sums rows=2 vectors=2 reduce_unroll=2";
constexpr char in_passes[] = "reduce vectors=2 reduce_block=7 reduce_unroll=7";
constexpr char parts_in_passes[] = "reduce vectors=3 reduce_block=2 reduce_unroll=2 parts=3 apart=sums";
constexpr char parts_held[] = "reduce vectors=2 parts=4 apart=sums";
constexpr char far_rows[] = "reduce lanes=sums rows=2 vectors=1 parts=3";
constexpr char alone[] = "reduce lanes=none rows=3 reduce_unroll=4 parts=2";
constexpr char parts_of_all[] = "reduce lanes=extremes vectors=2 reduce_unroll=2 parts=4 apart=extremes";

template <rows_shape S>
struct strict : rows<S> {
    static constexpr signature_text signature() { return rows<S>::signature().word(exact::name); }
};

} // namespace

TEST_CASE("pooling and averages of all, in both layouts")
{
    CHECK(wrong_of<kernel<pool<window, bias, relu>>>(window, small_integers(window.x_elements(), 1),
                                                     {step::bias, step::relu}) == "");
    CHECK(wrong_of<kernel<pool<few>>>(few, small_integers(few.x_elements(), 1), {}) == "");
    CHECK(wrong_of<kernel<pool<image>>>(image, small_integers(image.x_elements(), 1), {}) == "");
    using in_parts = of_text<pool<image, residual>, in_passes>;
    CHECK(wrong_of<kernel<pool<image, residual>, in_parts>>(image, small_integers(image.x_elements(), 1),
                                                            {step::residual}) == "");
    CHECK(wrong_of<kernel<pool<planes>>>(planes, small_integers(planes.x_elements(), 1), {}) == "");
}

TEST_CASE("parts of a reduction, of rows and of an image, which are read side by side")
{
    using one = pool<wide, residual, relu>;
    CHECK(wrong_of<kernel<one>>(wide, small_integers(wide.x_elements(), 1), {step::residual, step::relu}) == "");
    CHECK(wrong_of<kernel<one, of_text<one, parts_in_passes>>>(wide, small_integers(wide.x_elements(), 1),
                                                               {step::residual, step::relu}) == "");
    CHECK(wrong_of<kernel<one, of_text<one, parts_held>>>(wide, small_integers(wide.x_elements(), 1),
                                                          {step::residual, step::relu}) == "");
    CHECK(kernel<pool<high>>::config.knobs<reduce>().parts == 2);
    CHECK(wrong_of<kernel<pool<high>>>(high, small_integers(high.x_elements(), 1), {}) == "");
    CHECK(wrong_of<kernel<rows<sum>, of_text<rows<sum>, far_rows>>>(sum, small_integers(sum.x_elements(), 1), {}) ==
          "");
    CHECK(wrong_of<kernel<rows<all>>>(all, small_integers(all.x_elements(), 1), {}) == "");
    CHECK(wrong_of<kernel<rows<all>, of_text<rows<all>, parts_of_all>>>(all, small_integers(all.x_elements(), 1), {}) ==
          "");
}

TEST_CASE("sums in the order of their terms, of rows that are known at the call, too")
{
    CHECK(kernel<strict<sum>>::config.knobs<reduce>().lanes == spread::none);
    CHECK(wrong_of<kernel<strict<sum>>>(sum, small_integers(sum.x_elements(), 1), {}) == "");
    CHECK(wrong_of<kernel<strict<sum>, of_text<strict<sum>, alone>>>(sum, small_integers(sum.x_elements(), 1), {}) ==
          "");
    for (const std::int64_t given : {0, 1, 5, 11})
        CHECK(wrong_of<kernel<strict<of_call>>>(of_call, small_integers(of_call.x_elements(), 1), {}, given) == "");
}

TEST_CASE("rows, whose lanes lie along the reduction")
{
    CHECK(kernel<rows<largest>>::config.knobs<reduce>().lanes == spread::extremes);
    CHECK(wrong_of<kernel<rows<largest>>>(largest, small_integers(largest.x_elements(), 1), {}) == "");
    CHECK(wrong_of<kernel<rows<least, relu>>>(least, small_integers(least.x_elements(), 1), {step::relu}) == "");
    CHECK(wrong_of<kernel<rows<squares>, of_text<rows<squares>, unrolled>>>(
              squares, small_integers(squares.x_elements(), 1), {}) == "");
    CHECK(wrong_of<kernel<rows<sum, residual>>>(sum, small_integers(sum.x_elements(), 1), {step::residual}) == "");
    for (const std::int64_t given : {0, 1, 5, 11})
        CHECK(wrong_of<kernel<rows<of_call>>>(of_call, small_integers(of_call.x_elements(), 1), {}, given) == "");
}

TEST_CASE("a maximum takes no notice of NaN wherever it stands, and a sum is NaN")
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    floats x = small_integers(largest.x_elements(), 2);
    for (std::size_t i = 0; i < x.size(); i += 5) x[i] = nan;
    for (std::size_t i = 3; i < x.size(); i += 331) x[i] = infinity;
    for (std::size_t i = 0; i < 107; ++i) x[i] = nan; // nothing in the first row compares
    for (std::size_t i = 110; i < 217; ++i) x[i] = -infinity;
    CHECK(wrong_of<kernel<rows<largest>>>(largest, x, {}) == "");

    floats terms = small_integers(sum.x_elements(), 2);
    terms[5] = nan;
    terms[70 + 69] = infinity;
    terms[140] = -infinity;
    terms[141] = infinity;
    CHECK(wrong_of<kernel<rows<sum, residual>>>(sum, terms, {step::residual}) == "");

    floats padded = small_integers(window.x_elements(), 2);
    for (std::size_t i = 0; i < padded.size(); i += 3) padded[i] = nan;
    CHECK(wrong_of<kernel<pool<window, bias, relu>>>(window, padded, {step::bias, step::relu}) == "");
}
