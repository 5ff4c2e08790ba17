// SPDX-License-Identifier: BSL-1.0
// Axes of images of which calls give extents: which of them become one, how tensors lie, and why a shape is none; their
// nests compute what plain loops do, of drawn shapes and calls.
#include <hone/op/open_images.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/schedule_template.hpp>

#include "elementwise.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }

struct made_axes {
    std::vector<std::string> names;
    int channel;
};
made_axes axes_of(const image_shape& s, bool has_channels)
{
    definition d;
    const open_images images(d, s, has_channels);
    made_axes made{{}, images.channel()};
    for (const axis& a : images.axes()) made.names.push_back(a.name);
    return made;
}

// The nest of a call, its tensors as large as the call says.
std::string wrong_call(const definition& d, const nest& n, const std::vector<std::int64_t>& given,
                       const elementwise_data& data, const doubles& expected)
{
    std::vector<std::int64_t> values = given;
    values.resize(d.parameters.size());
    complete(d.parameters, given.data(), values.data());
    // Proofs are of tensors as large as the call says, no larger.
    for (const ir::buffer& b : n.buffers)
        if (b.role == role::input || b.role == role::output)
            CHECK(ir::value_of(n, b.elements, nullptr, values.data()) == static_cast<std::int64_t>(expected.size()));
    for (const bool in_place : {false, true}) {
        elementwise_data own = data;
        floats y = poisoned(static_cast<std::int64_t>(expected.size()));
        std::vector<argument> arguments;
        const auto add = [&](floats& of) { arguments.push_back({of.data(), static_cast<std::int64_t>(of.size())}); };
        add(own.x);
        for (floats& o : own.operands) add(o);
        add(in_place ? own.x : y);
        const status found = interpret(n, arguments, values);
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        if (own.operands != data.operands || (!in_place && own.x != data.x)) return "writes to an input";
        if (std::string wrong = difference_of(in_place ? own.x : y, expected, 0); !wrong.empty()) return wrong;
    }
    return {};
}

} // namespace

TEST_CASE("neighbours of one kind are one axis, and channels that something is read for are one of their own")
{
    using names = std::vector<std::string>;
    const image_shape all{.n = up_to(3), .h = up_to(9), .w = up_to(7), .c = up_to(21)};
    CHECK(axes_of(all, false).names == names{"n"});
    CHECK(axes_of(all, false).channel == -1);
    CHECK(axes_of(all, true).names == names{"n", "c"});
    CHECK(axes_of(all, true).channel == 1);
    CHECK(axes_of({.h = up_to(9), .w = up_to(7), .c = 64}, false).names == names{"h", "c"});
    CHECK(axes_of({.n = 2, .h = up_to(9), .w = 7, .c = up_to(5)}, true).names == names{"n", "h", "w", "c"});
    CHECK(axes_of({.c = up_to(5)}, false).names == names{"c"});
    image_shape apart = all;
    apart.ldy = leading::at_call();
    CHECK(axes_of(apart, false).names == names{"n", "c"});
}

TEST_CASE("calls give extents of NHWC images, up to what one shape may have")
{
    const auto found = [](const image_shape& s) { return check_open_images(s, "op").what; };
    CHECK(found({.h = up_to(7), .c = 3}) == fault::none);
    CHECK(found({.h = up_to(7), .c = 3, .layout = layout::nchw}) == fault::extents_at_call);
    CHECK(found({.h = 7, .c = 3, .layout = layout::nchw}) == fault::none);
    CHECK(found({.h = up_to(0)}) == fault::extent_zero);
    CHECK(found({.n = up_to(1 << 20), .c = up_to((1 << 20) + 1)}) == fault::extent_too_large);
    CHECK(found({.c = up_to(7), .ldx = 6}) == fault::view_mismatch);
    CHECK(found({.c = up_to(7), .ldx = 7}) == fault::none);
    CHECK(found({.c = up_to(7), .batch_stride_x = 70}) == fault::view_mismatch);
}

TEST_CASE("nests of drawn shapes and calls stay in their tensors, and compute what plain loops do")
{
    random_numbers random{3};
    const chain with_channels = scaled_sum_words(), without = quotient_words();
    constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};
    for (int i = 0; i < 120; ++i) {
        const auto maybe_open = [&](std::int64_t most) {
            return random.one_in(3) ? extent(random.between(1, most)) : extent::up_to(random.between(1, most));
        };
        const image_shape open{.n = maybe_open(3), .h = maybe_open(5), .w = maybe_open(6), .c = maybe_open(70)};
        const bool has_channels = random.one_in(2);
        const definition d =
            checked(has_channels
                        ? elementwise_definition<multiply<per::channel>, add<per::element>, maximum<per::tensor>, relu>(
                              open, dtype::f32)
                        : elementwise_definition<subtract<per::element>, divide<per::tensor>, minimum<per::element>>(
                              open, dtype::f32));
        const std::string open_text = signature_of(open, dtype::f32, {}).c_str();
        CAPTURE(open_text);
        REQUIRE(d.found.ok());
        const isa set = sets[i % 4];
        const std::int32_t vectors = static_cast<std::int32_t>(random.between(1, 4));
        const auto config =
            random.one_in(2) ? default_config<cpu_templates>(d, set)
                             : cpu_config(fitted(d,
                                                 {.rows = static_cast<std::int32_t>(random.between(1, 5)),
                                                  .vectors = vectors,
                                                  .order = random.one_in(2) ? walk::rows_outer : walk::weights_outer},
                                                 set));
        const nest n = lower(schedule_for(d, config, set));
        REQUIRE(check(n, cpu_target(set)).ok());
        CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
        for (int call = 0; call < 4; ++call) {
            std::vector<std::int64_t> given;
            const auto of_call = [&](const extent& e) {
                if (!e.at_call) return e;
                given.push_back(call == 0 ? 1 : call == 1 ? e.value : random.between(1, e.value));
                return extent(given.back());
            };
            const image_shape s{.n = of_call(open.n), .h = of_call(open.h), .w = of_call(open.w), .c = of_call(open.c)};
            const std::string text = signature_of(s, dtype::f32, {}).c_str();
            CAPTURE(text);
            const chain& words = has_channels ? with_channels : without;
            const elementwise_data data = data_of(s, words, static_cast<std::uint64_t>(i));
            CHECK(wrong_call(d, n, given, data, reference(s, words, data)) == "");
        }
    }
}
