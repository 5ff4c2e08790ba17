// SPDX-License-Identifier: BSL-1.0
// Activations by value, as their formulas in double have them, where NaN and infinities lead, and what stands for them
// in a signature. What kernels make of them is tested in cpu/words_isa.cpp and vulkan/words.cpp.
#include <hone/op/activation.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

#include "activations.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

template <class E>
expr expression_of()
{
    if constexpr (operand_epilogue<E>)
        return E::apply(ex::acc(), ex::load(0));
    else
        return E::apply(ex::acc());
}
// In floats, word by word.
template <class E>
float value_at(float x)
{
    const expr e = expression_of<E>();
    std::vector<float> v;
    const auto of = [&](int i) { return i < 0 ? 0.0f : v[static_cast<std::size_t>(i)]; };
    for (const expr_node& n : e.nodes)
        v.push_back(n.op == expr_op::constant      ? n.value
                    : n.op == expr_op::accumulator ? x
                    : n.op == expr_op::load        ? prelu_slope
                                                   : value_of(n.op, of(n.a), of(n.b), of(n.c)));
    return v.back();
}

template <class... E>
constexpr std::size_t nodes_of =
    gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, E...>::definition().stages[0].epilogue.nodes.size();
// The dearest ones behind a bias and a residual leave room.
static_assert(nodes_of<bias, residual, silu> == 19);
static_assert(nodes_of<bias, residual, gelu> == 13);
static_assert(nodes_of<bias, residual, gelu_tanh> == 17);
static_assert(nodes_of<bias, residual, elu<1>> <= 24);
static_assert(nodes_of<leaky_relu<0.1>> == 4 && nodes_of<leaky_relu<2>> == 6);

template <class... E>
std::string words_of()
{
    const std::string all = gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, E...>::signature().c_str();
    return all.substr(all.find("f32"));
}

// A type of a user that happens to have a name of hone's.
struct user_silu : silu {};

} // namespace

TEST_CASE("each activation by value")
{
    const activation_data d;
    for_each_activation([&]<class E>() {
        floats y;
        for (float x : d.x) y.insert(y.end(), d.weights.size(), value_at<E>(x));
        const std::string wrong = wrong_activation<E>(y);
        CHECK_MESSAGE(wrong.empty(), wrong);
        CHECK(std::isnan(value_at<E>(std::numeric_limits<float>::quiet_NaN())));
    });
}

TEST_CASE("activations of infinities and zeros")
{
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(value_at<sigmoid>(-infinity) == 0);
    CHECK(value_at<sigmoid>(infinity) == 1);
    CHECK(value_at<sigmoid>(-80) == doctest::Approx(1.8048513e-35).epsilon(1e-6));
    CHECK(value_at<tanh_activation>(-infinity) == -1);
    CHECK(std::signbit(value_at<tanh_activation>(-0.0f)));
    CHECK(value_at<elu<2>>(-infinity) == -2);
    CHECK(value_at<elu<2>>(-1e-20f) == -2e-20f);
    CHECK(value_at<clip<0, 6>>(-infinity) == 0);
    CHECK(value_at<leaky_relu<0>>(-3) == 0);
    CHECK(value_at<leaky_relu<2>>(-3) == -6);
    CHECK(value_at<leaky_relu<-1>>(-3) == 3);
    // Large numbers meet a factor of 0; infinity times 0 is NaN.
    for (float x : {-1e30f, -std::numeric_limits<float>::max()}) {
        CHECK(value_at<silu>(x) == 0);
        CHECK(value_at<gelu>(x) == 0);
        CHECK(value_at<gelu_tanh>(x) == 0);
        CHECK(value_at<hard_swish>(x) == 0);
    }
    CHECK(std::isnan(value_at<silu>(-infinity)));
    CHECK(std::isnan(value_at<gelu>(-infinity)));
    CHECK(std::isnan(value_at<gelu_tanh>(-infinity)));
    CHECK(std::isnan(value_at<hard_swish>(-infinity)));
    CHECK(value_at<silu>(infinity) == infinity);
}

TEST_CASE("the word of an activation names its parameters, and no hash")
{
    CHECK(words_of<sigmoid, tanh_activation, silu>() == "f32 sigmoid tanh silu");
    CHECK(words_of<gelu, gelu_tanh>() == "f32 gelu gelu_tanh");
    CHECK(words_of<hard_sigmoid, hard_swish, prelu>() == "f32 hard_sigmoid hard_swish prelu");
    CHECK(words_of<leaky_relu<0.1>, elu<1>>() == "f32 leaky_relu:3dcccccd elu:3f800000");
    CHECK(words_of<clip<-1, 2.5>>() == "f32 clip:bf800000:40200000");
    // However a parameter is written, a float is meant.
    CHECK(words_of<leaky_relu<0.1f>>() == words_of<leaky_relu<0.1>>());
    CHECK(words_of<user_silu>().starts_with("f32 silu:"));
    std::set<std::string> words;
    for_each_activation([&]<class E>() { CHECK(words.insert(signature_word<E>()).second); });
}

TEST_CASE("the slopes of prelu have one element a channel")
{
    const definition d = gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, bias, prelu>::definition();
    REQUIRE(d.tensors.size() == 5);
    CHECK(d.tensors[3].role == role::bias);
    CHECK(d.tensors[3].elements() == 16);
}
