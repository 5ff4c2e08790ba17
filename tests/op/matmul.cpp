// SPDX-License-Identifier: BSL-1.0
// What a product of two activations says about itself: its signature, its tensors and parameters, and why a shape is
// none.
#include <hone/op/flops.hpp>
#include <hone/op/matmul.hpp>

#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/run/call.hpp>
#include <hone/schedule/packed.hpp>

#include "definition_laws.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

template <matmul_shape S, epilogue... E>
std::string signature_of()
{
    return matmul<S, f32, E...>::signature().c_str();
}

// Distances of neighbours along batch, rows and columns.
using list = std::vector<std::int64_t>;
list strides(const tensor& t)
{
    list of;
    for (const dimension& d : t.dims) of.push_back(d.stride);
    return of;
}
std::vector<std::string> parameters(const definition& d)
{
    std::vector<std::string> names;
    for (const parameter& p : d.parameters) names.push_back(p.name);
    return names;
}

template <matmul_shape S>
status fault_of()
{
    return checked(matmul<S, f32>::definition()).found;
}

} // namespace

TEST_CASE("the signature of a product of two activations")
{
    CHECK(
        signature_of<matmul_shape{.batch = 12, .m = 128, .n = 100, .k = 64, .right = transposed::yes}, bias, relu>() ==
        "matmul b12 m128 n100 k64 rt ldx0 ldr0 ldy0 f32 bias relu");
    CHECK(signature_of<matmul_shape{.batch = 3,
                                    .m = extent::up_to(9),
                                    .n = 7,
                                    .k = 5,
                                    .x = transposed::yes,
                                    .ldr = leading::at_call(),
                                    .ldy = 8,
                                    .batch_stride_r = 40,
                                    .batch_stride_y = leading::at_call()}>() ==
          "matmul b3 m<=9 n7 k5 xt ldx0 ldr ldy8 bsr40 bsy f32");
    matmul_shape loaded{.batch = 12, .m = 128, .n = 100, .k = 64};
    CHECK(hone::signature_of(loaded, dtype::f32, {"relu"}) ==
          matmul<matmul_shape{.batch = 12, .m = 128, .n = 100, .k = 64}, f32, relu>::signature());
    loaded.right = transposed::yes;
    CHECK_FALSE(hone::signature_of(loaded, dtype::f32, {"relu"}) ==
                matmul<matmul_shape{.batch = 12, .m = 128, .n = 100, .k = 64}, f32, relu>::signature());
}

TEST_CASE("whatever differs is in the signature")
{
    const std::string texts[] = {
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5}, bias>(),
        signature_of<matmul_shape{.batch = 2, .m = 8, .n = 7, .k = 5}>(),
        signature_of<matmul_shape{.m = 9, .n = 7, .k = 5}>(),
        signature_of<matmul_shape{.m = extent::up_to(8), .n = 7, .k = 5}>(),
        signature_of<matmul_shape{.m = 8, .n = 8, .k = 5}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 6}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .x = transposed::yes}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .right = transposed::yes}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .ldx = 9}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .ldr = 9}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .ldr = leading::at_call()}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .ldy = 9}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .batch_stride_r = 40}>(),
        signature_of<matmul_shape{.m = 8, .n = 7, .k = 5, .batch_stride_r = leading::at_call()}>(),
    };
    CHECK(std::set<std::string>(std::begin(texts), std::end(texts)).size() == std::size(texts));
}

TEST_CASE("tensors of a product of two activations, and what of a call gives them")
{
    const definition d = matmul<matmul_shape{.batch = 2, .m = 8, .n = 7, .k = 5}, f32, bias, residual>::definition();
    check_laws(d);
    CHECK(flops_of(d) == 2.0 * 2 * 8 * 7 * 5);
    CHECK(d.parameters.empty());
    CHECK(d.tensor_of(role::weights) < 0);
    CHECK(std::string(d.tensors[1].name) == "right");
    CHECK(d.tensors[1].role == role::input);
    CHECK(strides(d.tensors[1]) == list{35, 7, 1});
    const call_parts parts = parts_of(d);
    REQUIRE(parts.size() == 5);
    CHECK(parts[0] == call_part{call_member::x});
    CHECK(parts[1] == call_part{call_member::operands, 0});
    CHECK(parts[4] == call_part{call_member::y});
    // What an epilogue reads stands behind it.
    const definition masked =
        matmul<matmul_shape{.m = 8, .n = 7, .k = 5}, f32, multiply<per::tensor>, add<per::element>>::definition();
    for (int i = 0; i < 3; ++i) CHECK(parts_of(masked)[1 + i] == call_part{call_member::operands, i});

    const definition t =
        matmul<matmul_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .right = transposed::yes, .ldr = 6}, f32>::definition();
    check_laws(t);
    CHECK(strides(t.tensors[1]) == list{42, 1, 6});
    const definition far =
        matmul<matmul_shape{.batch = 2, .m = 8, .n = 7, .k = 5, .batch_stride_r = 50}, f32>::definition();
    CHECK(strides(far.tensors[1]) == list{50, 7, 1});
}

TEST_CASE("what a call must give, in the documented order")
{
    constexpr leading open = leading::at_call();
    const definition all = matmul<matmul_shape{.batch = 2,
                                               .m = extent::up_to(8),
                                               .n = 7,
                                               .k = 5,
                                               .ldx = open,
                                               .ldr = open,
                                               .ldy = open,
                                               .batch_stride_x = open,
                                               .batch_stride_r = open,
                                               .batch_stride_y = open},
                                  f32>::definition();
    check_laws(all);
    CHECK(parameters(all) ==
          std::vector<std::string>{"m", "ldx", "ldr", "ldy", "batch_stride_x", "batch_stride_r", "batch_stride_y"});
    CHECK(all.parameters[2].least == 7);
    CHECK(all.parameters[5].least == 7);
    const tensor& right = all.tensors[1];
    CHECK(right.dims[0].stride_parameter == 5);
    CHECK(right.dims[1].stride_parameter == 2);
    CHECK(right.dims[2].stride_parameter == -1);
    CHECK(all.tensors[0].dims[1].stride_parameter == 1);
    CHECK(all.tensors[2].dims[0].stride_parameter == 6);

    // Matrices that are dense by m, or by ldr, of the call.
    const definition dense = matmul<
        matmul_shape{
            .batch = 2, .m = extent::up_to(8), .n = 7, .k = 5, .right = transposed::yes, .ldx = open, .ldr = open},
        f32>::definition();
    check_laws(dense);
    CHECK(parameters(dense) == std::vector<std::string>{"m", "ldx", "ldr", "m * ldx"});
    CHECK(dense.parameters[2].least == 5);
    CHECK(dense.parameters[3].first_factor == 0);
    CHECK(dense.parameters[3].second_factor == 1);
    CHECK(dense.tensors[0].dims[0].stride_parameter == 3);
    CHECK(dense.tensors[1].dims[0].stride == 7);
    CHECK(dense.tensors[1].dims[0].stride_parameter == 2);
    CHECK(dense.tensors[1].dims[2].stride_parameter == 2);
}

TEST_CASE("n and k of a call stand behind m, and make rows and matrices of the right factor as long")
{
    constexpr extent most = extent::up_to(9);
    const definition d =
        matmul<matmul_shape{
                   .batch = 2, .m = most, .n = most, .k = most, .ldx = leading::at_call(), .ldy = leading::at_call()},
               f32, bias>::definition();
    check_laws(d);
    CHECK(checked(d).found.ok());
    const std::vector<std::string> names = parameters(d);
    CHECK(std::vector<std::string>(names.begin(), names.begin() + 5) ==
          std::vector<std::string>{"m", "n", "k", "ldx", "ldy"});
    std::int64_t values[32]{4, 5, 7, 8, 6};
    complete(d.parameters, values, values);
    CHECK(schedules::at_call(d.tensors[1], values).elements() == 2 * 7 * 5);
    CHECK(std::string(signature_of<matmul_shape{.m = 8, .n = most, .k = most}>()) ==
          "matmul b1 m8 n<=9 k<=9 ldx0 ldr0 ldy0 f32");

    // Distances of the right factor are numbers then.
    constexpr leading open = leading::at_call();
    CHECK(std::string(fault_of<matmul_shape{.m = 8, .n = most, .k = 5, .ldr = open}>().subject) == "matmul: ldr");
    CHECK(
        std::string(fault_of<matmul_shape{.batch = 2, .m = 8, .n = 7, .k = most, .batch_stride_r = open}>().subject) ==
        "matmul: batch_stride_r");
    CHECK(fault_of<matmul_shape{.m = 8, .n = most, .k = 5, .ldr = 11}>().ok());
    CHECK(fault_of<matmul_shape{.m = 8, .n = most, .k = 5, .ldr = 8}>().what == fault::shape_mismatch);
}

TEST_CASE("why a shape is no product of two activations")
{
    const auto is = [](const status& found, fault what, const char* subject) {
        CHECK(found.what == what);
        CHECK(std::string(found.subject) == subject);
    };
    is(fault_of<matmul_shape{.m = 8, .n = 0, .k = 5}>(), fault::extent_zero, "matmul");
    is(fault_of<matmul_shape{.m = 8, .n = 7, .k = 5, .ldx = 4}>(), fault::shape_mismatch, "matmul: ldx");
    is(fault_of<matmul_shape{.m = 8, .n = 7, .k = 5, .ldr = 6}>(), fault::shape_mismatch, "matmul: ldr");
    is(fault_of<matmul_shape{.m = 8, .n = 7, .k = 5, .right = transposed::yes, .ldr = 4}>(), fault::shape_mismatch,
       "matmul: ldr");
    is(fault_of<matmul_shape{.m = 8, .n = 7, .k = 5, .batch_stride_r = 34}>(), fault::shape_mismatch,
       "matmul: batch_stride_r");
    is(fault_of<matmul_shape{.m = 1, .n = std::int64_t{1} << 22, .k = std::int64_t{1} << 22}>(),
       fault::extent_too_large, "right");
    // Only weights are read in 16 bits.
    constexpr matmul_shape s{.m = 8, .n = 7, .k = 5};
    is(checked(matmul<s, types<f16>>::definition()).found, fault::element_type_unknown, "right");
}
