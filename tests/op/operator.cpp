// SPDX-License-Identifier: BSL-1.0
// What counts as an operator, and its identity as text.
#include <hone/op/operator.hpp>

#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::operators;

namespace {

// y[i] = x[i]
struct copying {
    static constexpr hone::definition definition()
    {
        hone::definition d;
        for (const role r : {role::input, role::output}) {
            d.tensors.push_back({.name = r == role::input ? "x" : "y", .role = r});
            d.tensors.back().dims.push_back({.extent = 4});
        }
        stage s{.name = "copying"};
        s.axes.push_back({"i", 4});
        s.operands.push_back({.tensor = 0});
        s.operands[0].index.push_back(along(0));
        s.body = ex::load(0);
        s.output.tensor = 1;
        s.output.index.push_back(along(0));
        d.stages.push_back(s);
        return d;
    }
    static constexpr signature_text signature() { return signature_text{}.word("copying").field("n", 4); }
};
struct short_name : copying {};
struct without_signature {
    static constexpr hone::definition definition() { return {}; }
};
struct with_plain_text {
    static constexpr hone::definition definition() { return {}; }
    static constexpr const char* signature() { return "text"; }
};
static_assert(tensor_operator<copying> && tensor_operator<short_name>);
static_assert(!tensor_operator<without_signature> && !tensor_operator<with_plain_text> && !tensor_operator<int>);
static_assert(definition_of<copying>.found.ok() && definition_of<copying>.stages.size() == 1);

// A definition that is wrong is refused by whoever asks for it.
struct leaving : copying {
    static constexpr hone::definition definition()
    {
        hone::definition d = copying::definition();
        d.stages[0].operands[0].index[0].offset = 1;
        return d;
    }
};
static_assert(leaving::definition().found.ok() && definition_of<leaving>.found.what == fault::definition_outside);

static_assert(same_text("", "") && same_text("abc", "abc"));
static_assert(!same_text("abc", "ab") && !same_text("ab", "abc") && !same_text("abc", "abd"));

// FNV-1a of 64 bits, by its reference.
static_assert(signature_hash("") == 0xcbf29ce484222325u);
static_assert(signature_hash("a") == 0xaf63dc4c8601ec8cu);
static_assert(signature_hash("foobar") == 0x85944171f73967e8u);

std::string digits_of(std::int64_t value)
{
    inline_vector<char, 24> text;
    push_number(text, value);
    return {text.begin(), text.end()};
}

} // namespace

TEST_CASE("words stand apart by one blank, numbers behind their names")
{
    signature_text t;
    CHECK(std::string{t.c_str()}.empty());
    t.word("conv").field("h", 14).field("pad", -1).word("nhwc");
    CHECK(std::string{t.c_str()} == "conv h14 pad-1 nhwc");
    signature_text same = signature_text{}.word("conv").field("h", 14).field("pad", -1);
    CHECK_FALSE(same == t);
    CHECK(same.word("nhwc") == t);
}

TEST_CASE("numbers are written as the standard library writes them")
{
    for (const std::int64_t v : {std::int64_t{0}, std::int64_t{7}, std::int64_t{-10}, std::int64_t{1000000007},
                                 std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
        CHECK(digits_of(v) == std::to_string(v));
}

TEST_CASE("types are one word where all tensors have one, else the weights' stands before it")
{
    const auto text = [](operand_types types) {
        signature_text t;
        add_types(t, types);
        return std::string{t.c_str()};
    };
    CHECK(text(dtype::f32) == "f32");
    CHECK(text(dtype::f16) == "f16");
    CHECK(text({dtype::f16, dtype::f32}) == "wf16 f32");
}

TEST_CASE("a text that is too long is known to be, and not cut in silence")
{
    signature_text t;
    for (int i = 0; i < 64; ++i) t.word("word");
    CHECK(t.text.overflowed());
}

namespace {

template <class Extent>
constexpr bool may_be_typical = requires(const Extent& e) { e.typically(3); };
static_assert(may_be_typical<decltype(extent::up_to(8))> && !may_be_typical<extent> && !may_be_typical<std::int64_t>);

} // namespace

TEST_CASE("an extent of a call may say what is typical of it, and is the same largest value")
{
    constexpr extent rows = extent::up_to(4096).typically(128);
    static_assert(rows == 4096 && rows.at_call == 1 && rows.typical == 128);
    static_assert(extent::up_to(4096).typical == 0 && extent(7).typical == 0);
    // None that a call can give, and none that would say that there is none.
    for (const std::int64_t out_of_range : {0, -1, -5}) CHECK(extent::up_to(8).typically(out_of_range).typical < 0);
    CHECK(extent::up_to(8).typically(9).typical == 9);
}
