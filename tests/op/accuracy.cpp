// SPDX-License-Identifier: BSL-1.0
// What a workload demands: the words for it, that its signature has them, and which classes of error they allow.
// schedule/accuracy.cpp holds schedules to their classes.
#include <hone/op/accuracy.hpp>

#include <set>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

using namespace hone;
using namespace hone::operators;

namespace {

constexpr conv2d_shape small{.h = 5, .w = 7, .ic = 9, .oc = 6, .kh = 3, .kw = 3, .pad = 1};
using plain = conv2d<small, f32, bias, relu>;
using strict = conv2d<small, f32, exact, bias, relu>;

static_assert(accuracy_word<exact> && accuracy_word<fast> && !accuracy_word<relu> && !accuracy_word<accuracy>);

constexpr error_class classes[] = {error_class::exact_order, error_class::reassociated, error_class::winograd_2,
                                   error_class::winograd_4, error_class::winograd_6};
constexpr accuracy demands[] = {accuracy::exact, accuracy::standard, accuracy::fast};

} // namespace

TEST_CASE("signatures name the accuracy that a workload demands")
{
    const auto text = [](const signature_text& s) { return std::string(s.c_str()); };
    const std::string shape = "conv2d n1 h5 w7 ic9 oc6 kh3 kw3 s1 p1 d1 g1 nhwc f32";
    CHECK(text(plain::signature()) == shape + " bias relu");
    CHECK(text(strict::signature()) == shape + " exact bias relu");
    CHECK(text(gemm<gemm_shape{.m = 2, .n = 3, .k = 4}, f32, fast>::signature()).ends_with(" f32 fast"));
    CHECK(strict::definition().stages[0].epilogue == plain::definition().stages[0].epilogue);
}

TEST_CASE("a signature is searched for whole words, and what it says counts more than anything else")
{
    CHECK(accuracy_in("exact", accuracy::fast) == accuracy::exact);
    CHECK(accuracy_in("a exact", accuracy::fast) == accuracy::exact);
    CHECK(accuracy_in("a fast b", accuracy::exact) == accuracy::fast);
    for (const char* other : {"", "a exactly b", "inexact", "breakfast", "fasten", "a-exact"})
        for (const accuracy otherwise : demands) CHECK(accuracy_in(other, otherwise) == otherwise);
    CHECK(accuracy_in(strict::signature().c_str(), accuracy::fast) == accuracy::exact);
    CHECK(accuracy_in(plain::signature().c_str(), accuracy::fast) == accuracy::fast);
}

TEST_CASE("who demands more is allowed less, and each allows the order of the definition")
{
    CHECK(worst_of(accuracy::exact) == error_class::exact_order);
    CHECK(worst_of(accuracy::standard) == error_class::reassociated);
    CHECK(worst_of(accuracy::fast) == error_class::winograd_4);
    for (const accuracy a : demands) CHECK(error_class::exact_order <= worst_of(a));
    for (int i = 1; i < 3; ++i) CHECK(worst_of(demands[i - 1]) < worst_of(demands[i]));
}

TEST_CASE("classes and demands have names of their own; those of words are the names in signatures")
{
    std::set<std::string> names;
    for (const error_class c : classes) CHECK(names.insert(name_of(c)).second);
    for (const accuracy a : demands) CHECK(names.insert(name_of(a)).second);
    CHECK(std::string{exact::name} == name_of(accuracy::exact));
    CHECK(std::string{fast::name} == name_of(accuracy::fast));
}
