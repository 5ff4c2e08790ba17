// SPDX-License-Identifier: BSL-1.0
// The table of candidates, and the naive kernel that all of them are compared with: plain loops in the order of the
// definition, over weights as they are given.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/print.hpp>
#include <hone/measure/variant.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

using namespace hone;

namespace {

using naive_product = gemm<gemm_shape{.m = 3, .n = 5, .k = 4}, f32, bias, relu>;
using naive_halves = gemm<gemm_shape{.m = 3, .n = 5, .k = 4}, types<f16>>;
using naive_of_product = tune::naive_kernel<naive_product>;

// What a variant says is the kernel's own.
struct kernel_that_says {
    static constexpr std::size_t packed_bytes = 12;
    static constexpr std::uint64_t layout_id = 34;
    static constexpr std::size_t workspace_bytes(int slots) { return static_cast<std::size_t>(slots) * 100; }
    static status pack(given_weights from, void* packed)
    {
        *static_cast<float*>(packed) = *from[0];
        return {};
    }
    template <class Executor>
    static status run(Executor&, const arguments& call)
    {
        return {.what = fault::tensor_missing, .subject = call.x == nullptr ? "x" : "y"};
    }
};
constexpr tune::variant said = tune::variant_of<kernel_that_says>();
static_assert(said.packed_bytes == 12 && said.layout_id == 34);

std::vector<float> counted_floats(std::size_t count, float first)
{
    std::vector<float> v(count);
    for (std::size_t i = 0; i < count; ++i) v[i] = first + static_cast<float>(i % 7);
    return v;
}

} // namespace

TEST_CASE("a variant is its kernel, behind pointers")
{
    CHECK(said.workspace_bytes(3) == 300);
    const float weight = 7;
    float packed = 0;
    CHECK(said.pack(&weight, &packed).ok());
    CHECK(packed == 7);
    serial_executor serial;
    const executor_ref executor = reference_to(serial);
    CHECK(std::string{said.run(executor, {}).subject} == "x");
    CHECK(std::string{said.run(executor, {.x = &weight}).subject} == "y");
}

TEST_CASE("the naive schedule has one scalar loop an axis, reductions innermost, and the sum in a register")
{
    const definition d = naive_product::definition();
    const schedule s = tune::naive_schedule(d, isa::avx2);
    CHECK(s.set == isa::avx2);
    CHECK(s.vector_length == 1);
    const std::string text = print(lower(s));
    CHECK(text.substr(text.find("serial")) == R"(serial m.0 in [0, 3)
  serial n.0 in [0, 5)
    tile 1 registers
      acc[0] = 0
      serial k.0 in [0, 4)
        acc[0] += x[m.0*4 + k.0] * weights[k.0*5 + n.0]
      y[m.0*5 + n.0] = max(acc[0] + bias[n.0], 0)
)");
}

TEST_CASE("the naive kernel computes the formula, in the order of the definition")
{
    const auto x = counted_floats(12, -3), weights = counted_floats(20, -2), bias_of = counted_floats(5, -9);
    std::vector<float> packed(naive_of_product::packed_bytes / sizeof(float)), y(15, -1.0f);
    CHECK(naive_of_product::workspace_bytes(8) == 0);
    REQUIRE(naive_of_product::pack(weights.data(), packed.data()).ok());
    CHECK(packed == weights); // as they are given
    serial_executor serial;
    const status found =
        naive_of_product::run(serial, {.x = x.data(), .weights = packed.data(), .bias = bias_of.data(), .y = y.data()});
    CHECK(found.ok());
    for (std::size_t m = 0; m < 3; ++m)
        for (std::size_t n = 0; n < 5; ++n) {
            float sum = 0;
            for (std::size_t k = 0; k < 4; ++k) sum += x[m * 4 + k] * weights[k * 5 + n];
            CHECK(y[m * 5 + n] == (sum + bias_of[n] < 0 ? 0 : sum + bias_of[n]));
        }
}

TEST_CASE("weights of 16 bits are rounded when they are packed, and take half the bytes")
{
    using k = tune::naive_kernel<naive_halves>;
    CHECK(k::packed_bytes == 20 * 2);
    CHECK(k::layout_id != tune::naive_kernel<gemm<gemm_shape{.m = 3, .n = 5, .k = 4}, f32>>::layout_id);
    std::vector<float> weights(20, 0.1f);
    std::vector<half> packed(20);
    REQUIRE(k::pack(weights.data(), packed.data()).ok());
    for (const half h : packed) CHECK(static_cast<float>(h) == rounded_to(dtype::f16, 0.1f));
}
