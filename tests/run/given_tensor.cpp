// SPDX-License-Identifier: BSL-1.0
// What may be given as a tensor of a call: pointers to elements that hone knows, and nothing else; lists of them keep
// each one's type.
#include <hone/run/given_tensor.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::calls;

namespace {

template <class From, class To>
constexpr bool gives = std::is_convertible_v<From, To>;

static_assert(gives<const float*, given_tensor> && gives<float*, given_tensor> && gives<const half*, given_tensor>);
static_assert(gives<std::nullptr_t, given_tensor> && gives<std::nullptr_t, given_output>);
static_assert(gives<float*, given_output> && gives<half*, given_output>);
static_assert(gives<given_output, given_tensor>);

// What is only read is not written, and what is no element is neither.
static_assert(!gives<const float*, given_output> && !gives<const half*, given_output>);
static_assert(!gives<given_tensor, given_output>);
static_assert(!gives<const double*, given_tensor> && !gives<const int*, given_tensor>);
static_assert(!gives<const void*, given_tensor> && !gives<void*, given_output>);

static_assert(gives<const float* const*, given_tensors> && gives<const float**, given_tensors> &&
              gives<float**, given_tensors>);
static_assert(gives<const half* const*, given_tensors> && gives<const given_tensor*, given_tensors>);
static_assert(gives<float* const*, given_outputs> && gives<given_output*, given_outputs>);
static_assert(!gives<const float* const*, given_outputs> && !gives<const double* const*, given_tensors>);
static_assert(!gives<const float*, given_tensors>);

} // namespace

TEST_CASE("a tensor is its first element and their type")
{
    float f = 1;
    half h(2);
    const given_tensor of_floats = &f, of_halves = &h, none;
    CHECK(of_floats.first() == &f);
    CHECK(of_floats.type() == dtype::f32);
    CHECK(of_floats.as<float>() == &f);
    CHECK(of_floats.as<half>() == nullptr);
    CHECK(of_halves.type() == dtype::f16);
    CHECK(of_halves.as<half>() == &h);
    CHECK(of_halves.as<float>() == nullptr);
    CHECK(none.first() == nullptr);
    CHECK(of_floats == given_tensor(given_output(&f)));
    CHECK_FALSE(of_floats == of_halves);
    CHECK(given_tensor(static_cast<const half*>(nullptr)) == none);
}

TEST_CASE("a list keeps the type of each")
{
    float f = 1, g = 3;
    half h(2);
    const float* const floats[] = {&f, &g};
    const half* const halves[] = {&h};
    const given_tensor mixed[] = {&g, &h};
    CHECK(given_tensors(floats)[1] == given_tensor(&g));
    CHECK(given_tensors(halves)[0] == given_tensor(&h));
    CHECK(given_tensors(mixed)[0] == given_tensor(&g));
    CHECK(given_tensors(mixed)[1] == given_tensor(&h));
    CHECK(given_tensors(nullptr)[1].first() == nullptr);
    CHECK(given_tensors()[0].first() == nullptr);
    CHECK(given_tensors(floats) == given_tensors(floats));
    CHECK_FALSE(given_tensors(floats) == given_tensors(mixed));
    float* const written[] = {&f};
    CHECK(given_outputs(written)[0].as<float>() == &f);
}

TEST_CASE("what is refused is missing, or of another type")
{
    const float f = 1;
    const half h(2);
    const status missing = refusal_of(nullptr, "x", dtype::f32);
    CHECK(missing.what == fault::tensor_missing);
    CHECK(std::string{missing.subject} == "x");
    const status other = refusal_of(&h, "bias", dtype::f32);
    CHECK(other.what == fault::tensor_type);
    CHECK(other.expected == 32);
    CHECK(other.found == 16);
    CHECK(refusal_of(&f, "y", dtype::f16).expected == 16);
}
