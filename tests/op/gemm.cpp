// SPDX-License-Identifier: BSL-1.0
// What a matrix product says about itself: its signature, its tensors and parameters, and why a shape is none.
#include <hone/op/flops.hpp>
#include <hone/op/gemm.hpp>

#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "definition_laws.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

template <gemm_shape S, epilogue... E>
std::string signature_of()
{
    return gemm<S, f32, E...>::signature().c_str();
}

// Distances of neighbours along batch, rows and columns.
std::vector<std::int64_t> strides(const tensor& t)
{
    std::vector<std::int64_t> of;
    for (const dimension& d : t.dims) of.push_back(d.stride);
    return of;
}
using list = std::vector<std::int64_t>;

} // namespace

TEST_CASE("the signature of a matrix product")
{
    CHECK(signature_of<gemm_shape{.m = 512, .n = 1000, .k = 64}, bias, relu>() ==
          "gemm b1 m512 n1000 k64 ldx0 ldw0 ldy0 f32 bias relu");
    CHECK(signature_of<gemm_shape{.batch = 3,
                                  .m = extent::up_to(128),
                                  .n = 7,
                                  .k = 5,
                                  .x = transposed::yes,
                                  .weights = transposed::yes,
                                  .ldx = leading::at_call(),
                                  .ldw = 6,
                                  .ldy = leading::at_call()}>() == "gemm b3 m<=128 n7 k5 xt wt ldx ldw6 ldy f32");
}

TEST_CASE("weights of 16 bits stand in the signature and the definition, and nothing else changes")
{
    constexpr gemm_shape s{.m = 4, .n = 8, .k = 2};
    using op = gemm<s, types<f16>, bias>;
    CHECK(std::string(op::signature().c_str()) == "gemm b1 m4 n8 k2 ldx0 ldw0 ldy0 wf16 f32 bias");
    CHECK(gemm<s, types<f16, f32>, bias>::signature() == op::signature());
    CHECK(gemm<s, types<f32>, bias>::signature() == gemm<s, f32, bias>::signature());
    CHECK(hone::signature_of(s, {dtype::f16, dtype::f32}, {"bias"}) == op::signature());
    for (const tensor& t : op::definition().tensors)
        CHECK(t.type == (t.role == role::weights ? dtype::f16 : dtype::f32));
}

TEST_CASE("the signature of a matrix product whose shape is known at run time only")
{
    gemm_shape loaded{.batch = 3, .m = extent::up_to(128), .n = 7, .k = 5, .ldx = leading::at_call(), .ldw = 7};
    const auto of_type =
        gemm<gemm_shape{.batch = 3, .m = extent::up_to(128), .n = 7, .k = 5, .ldx = leading::at_call(), .ldw = 7}, f32,
             residual>::signature();
    CHECK(hone::signature_of(loaded, dtype::f32, {"residual"}) == of_type);
    loaded.m = 128;
    CHECK_FALSE(hone::signature_of(loaded, dtype::f32, {"residual"}) == of_type);
}

TEST_CASE("whatever differs is in the signature")
{
    const std::string texts[] = {
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5}, bias>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5}, residual, relu>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5}, relu, residual>(),
        signature_of<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5}>(),
        signature_of<gemm_shape{.m = 9, .n = 7, .k = 5}>(),
        signature_of<gemm_shape{.m = extent::up_to(8), .n = 7, .k = 5}>(),
        signature_of<gemm_shape{.m = 8, .n = 8, .k = 5}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 6}>(),
        signature_of<gemm_shape{.m = 8, .n = extent::up_to(7), .k = 5}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = extent::up_to(5)}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .x = transposed::yes}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .weights = transposed::yes}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .ldx = 9}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .ldw = 9}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .ldy = 9}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .ldx = leading::at_call()}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .ldy = leading::at_call()}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .batch_stride_x = 40}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .batch_stride_w = 40}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .batch_stride_y = 40}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .batch_stride_x = leading::at_call()}>(),
        signature_of<gemm_shape{.m = 8, .n = 7, .k = 5, .batch_stride_y = leading::at_call()}>(),
    };
    CHECK(std::set<std::string>(std::begin(texts), std::end(texts)).size() == std::size(texts));
}

TEST_CASE("tensors of a matrix product")
{
    const definition d = gemm<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5}, f32, bias, residual>::definition();
    check_laws(d);
    CHECK(flops_of(d) == 2.0 * 2 * 8 * 7 * 5);
    CHECK(d.parameters.empty());
    REQUIRE(d.tensors.size() == 5);
    CHECK(d.tensors[0].elements() == 2 * 8 * 5);
    CHECK(d.tensors[1].elements() == 2 * 5 * 7);
    CHECK(d.tensors[d.tensor_of(role::bias)].elements() == 7);
    CHECK(d.tensors[d.tensor_of(role::residual)].elements() == 2 * 8 * 7);
    CHECK(d.tensors[4].elements() == 2 * 8 * 7);

    // Stored the other way round, or as a view with longer rows.
    const definition t =
        gemm<gemm_shape{.m = 8, .n = 7, .k = 5, .x = transposed::yes, .weights = transposed::yes}, f32>::definition();
    check_laws(t);
    CHECK(strides(t.tensors[0]) == list{40, 1, 8});
    CHECK(strides(t.tensors[1]) == list{35, 1, 5});
    CHECK(strides(t.tensors[2]) == list{56, 7, 1});
    const definition v =
        gemm<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .ldx = 10, .ldw = 11, .ldy = 12}, f32>::definition();
    check_laws(v);
    CHECK(strides(v.tensors[0]) == list{80, 10, 1});
    CHECK(strides(v.tensors[1]) == list{55, 11, 1});
    CHECK(strides(v.tensors[2]) == list{96, 12, 1});
    CHECK(v.tensors[0].elements() == 80 + 7 * 10 + 5);
}

TEST_CASE("columns and the depth of a product that each call gives")
{
    constexpr gemm_shape any{.m = extent::up_to(64), .n = extent::up_to(32), .k = extent::up_to(16)};
    CHECK(signature_of<any>() == "gemm b1 m<=64 n<=32 k<=16 ldx0 ldw0 ldy0 f32");
    CHECK(any.n * any.k == 512); // as a number, an extent is the largest
    const definition d = gemm<any, f32, bias, residual>::definition();
    check_laws(d);
    REQUIRE(d.parameters.size() == 3);
    const char* const names[] = {"m", "n", "k"};
    for (int p = 0; p < 3; ++p) {
        CHECK(std::string{d.parameters[p].name} == names[p]);
        CHECK(d.parameters[p].least == 1);
        CHECK(d.stages[0].axes[p + 1].parameter == p);
    }
    // Dense rows are as long as the call says.
    CHECK(d.tensors[0].dims[1].stride_parameter == 2);
    CHECK(d.tensors[1].dims[1].stride_parameter == 1);
    CHECK(d.tensors[d.tensor_of(role::output)].dims[1].stride_parameter == 1);
    CHECK(d.tensors[d.tensor_of(role::residual)].dims[1].stride_parameter == 1);
    CHECK(d.tensors[d.tensor_of(role::bias)].dims[0].extent_parameter == 1);
    CHECK(emptying_parameters(d) == 0b011); // without k there is no sum

    const definition turned =
        gemm<gemm_shape{.batch = 2, .m = 5, .n = any.n, .k = any.k, .x = transposed::yes, .weights = transposed::yes},
             f32>::definition();
    check_laws(turned);
    CHECK(turned.tensors[0].dims[0].stride_parameter == 1); // 5 * k
    CHECK(turned.tensors[0].dims[0].stride == 5);
    CHECK(turned.tensors[1].dims[1].stride == 1);
    CHECK(turned.tensors[1].dims[2].stride_parameter == 1);
    const std::int16_t matrices = turned.tensors[1].dims[0].stride_parameter;
    CHECK(std::string{turned.parameters[matrices].name} == "n * k");
    const definition all =
        gemm<gemm_shape{
                 .batch = 2, .m = any.m, .n = any.n, .k = any.k, .ldx = leading::at_call(), .ldy = leading::at_call()},
             f32>::definition();
    check_laws(all);
    CHECK(given_parameters(all.parameters) == 5);
    CHECK(all.parameters.size() == 8);
    CHECK(all.parameters[3].reaches == 2); // rows of x reach k of the call
    CHECK(all.parameters[4].reaches == 1);
}

TEST_CASE("what a call must give, in the documented order")
{
    const definition d =
        gemm<gemm_shape{.m = extent::up_to(64), .n = 7, .k = 5, .ldx = leading::at_call(), .ldy = leading::at_call()},
             f32, bias>::definition();
    check_laws(d);
    REQUIRE(d.parameters.size() == 3);
    CHECK(std::string{d.parameters[0].name} == "m");
    CHECK(d.parameters[0].least == 1);
    CHECK(d.parameters[0].most == 64);
    CHECK(std::string{d.parameters[1].name} == "ldx");
    CHECK(d.parameters[1].least == 5); // rows must not overlap
    CHECK(std::string{d.parameters[2].name} == "ldy");
    CHECK(d.parameters[2].least == 7);
    CHECK(d.stages[0].axes[1].parameter == 0);

    const definition t =
        gemm<gemm_shape{.m = 64, .n = 7, .k = 5, .x = transposed::yes, .ldx = leading::at_call()}, f32>::definition();
    REQUIRE(t.parameters.size() == 1);
    CHECK(t.parameters[0].least == 64);
}

TEST_CASE("matrices of a batch lie m rows of the call apart, or as far as is said")
{
    const auto batch_of = [](const definition& d, int t) {
        const dimension& b = d.tensors[t].dims[0];
        const char* const by = b.stride_parameter < 0 ? "" : d.parameters[b.stride_parameter].name;
        return std::to_string(b.stride) + (*by == '\0' ? "" : std::string{" * "} + by);
    };
    constexpr extent m = extent::up_to(64);
    const definition dense = gemm<gemm_shape{.batch = 2, .m = m, .n = 7, .k = 5}, f32, residual>::definition();
    check_laws(dense);
    CHECK(batch_of(dense, 0) == "5 * m");
    CHECK(batch_of(dense, 1) == "35");
    CHECK(batch_of(dense, dense.tensor_of(role::output)) == "7 * m");
    CHECK(batch_of(dense, dense.tensor_of(role::residual)) == "7 * m");
    CHECK(dense.parameters.size() == 1);

    const definition views =
        gemm<gemm_shape{.batch = 2, .m = m, .n = 7, .k = 5, .ldx = 9, .ldy = leading::at_call()}, f32>::definition();
    CHECK(batch_of(views, 0) == "9 * m");
    CHECK(batch_of(views, 2) == "1 * m * ldy");
    // The call gives m and ldy; their product is computed.
    REQUIRE(views.parameters.size() == 3);
    CHECK(given_parameters(views.parameters) == 2);
    const std::int64_t given[] = {11, 8};
    std::int64_t all[3]{};
    complete(views.parameters, given, all);
    CHECK(all[2] == 88);
    CHECK(views.parameters[2].most == 64 * views.parameters[1].most);

    const definition turned =
        gemm<gemm_shape{.batch = 2, .m = m, .n = 7, .k = 5, .x = transposed::yes}, f32>::definition();
    CHECK(batch_of(turned, 0) == "5 * m");
    CHECK(turned.tensors[0].dims[2].stride_parameter == 0); // and its rows are as long as m

    const definition said =
        gemm<gemm_shape{
                 .batch = 2, .m = m, .n = 7, .k = 5, .batch_stride_x = 320, .batch_stride_y = leading::at_call()},
             f32>::definition();
    CHECK(batch_of(said, 0) == "320");
    CHECK(batch_of(said, 2) == "1 * batch_stride_y");
    CHECK(given_parameters(said.parameters) == 2);

    // One matrix needs no distance.
    CHECK(given_parameters(
              gemm<gemm_shape{.m = m, .n = 7, .k = 5, .ldx = leading::at_call()}, f32>::definition().parameters) == 2);
    CHECK(gemm<gemm_shape{.m = m, .n = 7, .k = 5, .ldx = leading::at_call()}, f32>::definition().parameters.size() ==
          2);
}

TEST_CASE("an empty product says so")
{
    CHECK(gemm<gemm_shape{.batch = 0, .m = 8, .n = 7, .k = 5}, f32>::definition().found.what == fault::extent_zero);
    CHECK(gemm<gemm_shape{.m = 0, .n = 7, .k = 5}, f32>::definition().found.what == fault::extent_zero);
    CHECK(gemm<gemm_shape{.m = extent::up_to(0), .n = 7, .k = 5}, f32>::definition().found.what == fault::extent_zero);
    CHECK(gemm<gemm_shape{.m = 8, .n = 0, .k = 5}, f32, bias>::definition().found.what == fault::extent_zero);
    CHECK(gemm<gemm_shape{.m = 8, .n = 7, .k = 0}, f32>::definition().found.what == fault::extent_zero);
    CHECK(gemm<gemm_shape{.m = 8, .n = 7, .k = -1}, f32>::definition().found.what == fault::extent_zero);
    CHECK(gemm<gemm_shape{.m = 1, .n = 1, .k = 1}, f32>::definition().found.ok());
}

TEST_CASE("rows of a view do not overlap")
{
    const auto found = []<gemm_shape S>() { return gemm<S, f32>::definition().found; };
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .ldx = 5}>().ok());
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .ldx = 4}>().what == fault::shape_mismatch);
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .ldx = -5}>().what == fault::shape_mismatch);
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .ldw = 6}>().what == fault::shape_mismatch);
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .ldy = 6}>().what == fault::shape_mismatch);
    CHECK(std::string{found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .ldy = 6}>().subject} == "gemm: ldy");
    // Nor matrices of a batch, at most rows.
    CHECK(found.operator()<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .batch_stride_x = 39}>().what ==
          fault::shape_mismatch);
    CHECK(found.operator()<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .batch_stride_x = 40}>().ok());
    CHECK(found.operator()<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .ldy = 9, .batch_stride_y = 69}>().what ==
          fault::shape_mismatch);
    CHECK(found.operator()<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .ldy = 9, .batch_stride_y = 70}>().ok());
    // What is packed before the call is known before it.
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .ldw = leading::at_call()}>().what ==
          fault::shape_mismatch);
    CHECK(std::string{
              found.operator()<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .batch_stride_w = leading::at_call()}>()
                  .subject} == "gemm: ldw");
    // Of a transposed x, a row is a column of the product.
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .x = transposed::yes, .ldx = 7}>().what ==
          fault::shape_mismatch);
    CHECK(found.operator()<gemm_shape{.m = 8, .n = 7, .k = 5, .x = transposed::yes, .ldx = 8}>().ok());
}
