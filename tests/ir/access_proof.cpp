// SPDX-License-Identifier: BSL-1.0
// Accesses that are proved to stay in their buffers, and those that leave them by one element.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "ir/nests.hpp"
#include "nest_builder.hpp"
#include "open_transposed.hpp"
#include "open_windows.hpp"
#include "reference.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// y[8 i + j] for i below 8 and j below min(8, most - 8 i), of so many elements.
constexpr nest blocks(std::int64_t most, std::int64_t elements)
{
    nest_builder b;
    const form i = b.axis("i");
    const form j = b.axis("j");
    const int y = b.access(b.buffer("y", memory::argument, elements, role::output), i * 8 + j);
    b.loop(binding::serial, i, 8).loop(binding::serial, j, {0}, {8, form{most} - i * 8}).store(y, expr{1.0f});
    return b.n;
}
// y[i] where i < most - below, read as zero where a condition of the access fails.
constexpr nest guarded(std::int64_t below, bool by_access)
{
    nest_builder b;
    const form i = b.axis("i");
    const int y = b.access(b.buffer("y", memory::argument, 20, role::output), i);
    const int xs = b.buffer("x", memory::argument, 10, role::input);
    const int x = by_access ? b.access(xs, i - form{below}, {form{9 + below} - i, i - form{below}}) : b.access(xs, i);
    b.loop(binding::serial, i, 20);
    if (!by_access) b.guard({form{9 + below} - i});
    b.store(y, ex::load(x));
    return b.n;
}
// y[i] = x[i + 100] of 10 elements for i in [0, 20), where two forms of i are not negative.
template <class Form, class Other>
nest astray(Form one, Other other, bool by_access)
{
    nest_builder b;
    const form i = b.axis("i");
    const int y = b.access(b.buffer("y", memory::argument, 20, role::output), i);
    const int xs = b.buffer("x", memory::argument, 10, role::input);
    const int x = by_access ? b.access(xs, i + form{100}, {one(i), other(i)}) : b.access(xs, i + form{100});
    b.loop(binding::serial, i, 20);
    if (!by_access) b.guard({one(i), other(i)});
    b.store(y, ex::load(x));
    return b.n;
}
// y[ld * i + j] of (9 ld + 5 + more) elements, where a call gives ld.
constexpr nest strided(std::int64_t rows, std::int64_t most_columns)
{
    nest_builder b;
    const form i = b.axis("i");
    const form j = b.axis("j");
    const form ld = b.extent("ld", 5, 1000);
    const form row{affine_term{i.terms[0].variable, ld.terms[0].parameter, 1}};
    const int y = b.access(b.buffer("y", memory::argument, ld * 9 + form{5}, role::output), row + j);
    b.loop(binding::serial, i, rows).loop(binding::serial, j, most_columns).store(y, expr{1.0f});
    return b.n;
}
// y[i * w + j] for i < oh, j < w of more elements than h * w - w, where a call gives h and w, and oh is floor((h +
// added) / 2): windows of rows 2 apart.
constexpr nest image(std::int64_t added, std::int64_t more)
{
    nest_builder b;
    const form i = b.axis("i");
    const form j = b.axis("j");
    const form h = b.extent("h", 2, 100), w = b.extent("w", 1, 100);
    b.n.parameters.push_back(quotient_of(b.n.parameters, "oh", 0, added, 2));
    b.n.parameters.push_back(product_of(b.n.parameters, "h * w", 0, 1));
    const form oh{affine_term{-1, 2, 1}}, pixels{affine_term{-1, 3, 1}};
    const form row{affine_term{i.terms[0].variable, w.terms[0].parameter, 2}};
    const int y = b.access(b.buffer("y", memory::argument, pixels - w + form{more}, role::output), row + j);
    b.loop(binding::serial, i, {0}, {oh}).loop(binding::serial, j, {0}, {w}).store(y, expr{1.0f});
    static_cast<void>(h);
    return b.n;
}
constexpr nest table_of(int entries, int rows)
{
    nest_builder b;
    const form i = b.axis("i");
    const int y = b.access(b.buffer("y", memory::argument, 16, role::output), i);
    const int t = entries == 3 ? b.table({1, 2, 3}, i) : b.table({1, 2, 3, 4}, i);
    b.loop(binding::unroll, i, rows).store(y, ex::table(t));
    return b.n;
}
bool is_proved(const nest& n) { return prove_accesses(n).ok(); }

template <class Op>
void all_proved(const char* what)
{
    CAPTURE(std::string(what));
    const definition d = Op::definition();
    const auto proved = [&](const nest& n) {
        if (!n.ok()) return;
        const status found = prove_accesses(n);
        INFO(hone::ir::print(n));
        CHECK_MESSAGE(found.ok(), std::string(found.subject));
    };
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
        proved(lower(schedule_for(d, cpu_config(default_direct(d, set)), set)));
        for (const int rows : {1, 3, 7})
            for (const int block : {0, 16}) {
                const direct_knobs k{
                    .rows = rows, .vectors = 2, .reduce_unroll = 4, .reduce_block = block, .row_block = 8};
                for (const padding pad : {padding::peel, padding::copy}) {
                    cpu_config c(k);
                    c.knobs<direct>().pad = pad;
                    proved(lower(schedule_for(d, c, set)));
                }
            }
        if (!winograd_applies(d)) continue;
        for (const int tile : {2, 4}) {
            const cpu_config c(
                winograd_knobs{.tile = tile, .block_rows = 2, .block_columns = 3, .rows = 4, .vectors = 2});
            proved(lower(schedule_for(d, c, set)));
            proved(lower(packing_for(d, c, set)));
        }
    }
    proved(lower(vulkan_schedule(d, default_vulkan(d))));
    for (const staging stage : {staging::none, staging::shared, staging::x, staging::weights})
        for (const hone::edge e : {hone::edge::guard, hone::edge::clip})
            for (const int rows : {3, 8}) proved(lower(vulkan_schedule(d, {.rows = rows, .stage = stage, .edge = e})));
}

// Any layer of small extents, with windows that leave the image on all sides and may lie outside altogether.
conv2d_shape any_layer(random_numbers& random)
{
    const auto one_of = [&](std::initializer_list<std::int64_t> values) {
        return values.begin()[random.between(0, static_cast<std::int64_t>(values.size()) - 1)];
    };
    conv2d_shape s;
    s.n = random.between(1, 3);
    s.h = random.one_in(3) ? 1 : random.between(1, 40);
    s.w = random.between(1, 40);
    s.groups = one_of({1, 1, 1, 2, 3, 7});
    s.ic = s.groups * random.between(1, 20);
    s.oc = s.groups * random.between(1, 40);
    s.kh = random.one_in(3) ? 1 : random.between(1, 11);
    s.kw = random.between(1, 11);
    s.stride_h = one_of({1, 1, 2, 3, 5, 9});
    s.stride_w = one_of({1, 1, 2, 3, 4, 7});
    s.dilation_h = one_of({1, 1, 2, 3, 6});
    s.dilation_w = one_of({1, 1, 2, 5});
    s.pad_top = one_of({0, 0, 1, 2, 3, 12});
    s.pad_left = one_of({0, 0, 1, 2, 3, 12});
    s.pad_bottom = one_of({0, 0, 1, 2, 12});
    s.pad_right = one_of({0, 0, 1, 2, 12});
    s.layout = one_of({0, 1}) == 0 ? layout::nhwc : layout::nchw;
    return s;
}

// The same nest, with what an access reads or writes so much further.
nest moved(nest n, std::size_t access, const affine_term& by)
{
    affine& index = n.accesses[access].index;
    const std::size_t first = n.terms.size();
    for (int i = 0; i < index.count; ++i) n.terms.push_back(n.terms[static_cast<std::size_t>(index.first + i)]);
    n.terms.push_back(by);
    index.first = static_cast<std::int16_t>(first);
    ++index.count;
    return n;
}
direct_knobs any_knobs(random_numbers& random)
{
    const auto drawn = [&](std::int64_t least, std::int64_t most) {
        return static_cast<std::int32_t>(random.between(least, most));
    };
    return {.rows = drawn(1, 8),
            .vectors = drawn(1, 3),
            .reduce_unroll = drawn(1, 4),
            .reduce_block = random.one_in(2) ? 0 : drawn(2, 6),
            .row_block = random.one_in(2) ? 0 : drawn(2, 8),
            .pad = random.one_in(2) ? padding::copy : padding::peel,
            .order = random.one_in(2) ? walk::rows_outer : walk::weights_outer,
            .unroll_window = random.one_in(3),
            .vector = random.one_in(2) ? vector_axis::output : vector_axis::weights};
}

} // namespace

TEST_CASE("bounds, guards and conditions prove an access; one element less and they do not")
{
    CHECK(is_proved(blocks(60, 60)));
    CHECK_FALSE(is_proved(blocks(60, 59)));
    CHECK(prove_accesses(blocks(60, 59)).what == fault::index_out_of_bounds);
    CHECK(std::string(prove_accesses(blocks(60, 59)).subject) == "y");
    CHECK_FALSE(is_proved(blocks(61, 60)));
    CHECK(is_proved(guarded(0, false)));
    CHECK_FALSE(is_proved(guarded(1, false)));
    CHECK(is_proved(guarded(0, true)));
    CHECK(is_proved(guarded(3, true)));
}

TEST_CASE("what is never reached leaves no buffer")
{
    const auto constant = [](std::int64_t c) { return [c](const form&) { return form{c}; }; };
    const auto from = [](std::int64_t least) { return [least](const form& i) { return i - form{least}; }; };
    const auto up_to = [](std::int64_t most) { return [most](const form& i) { return form{most} - i; }; };
    for (const bool by_access : {true, false}) {
        CAPTURE(by_access);
        CHECK(is_proved(astray(from(0), constant(-1), by_access)));
        CHECK_FALSE(is_proved(astray(from(0), constant(0), by_access)));
        CHECK(is_proved(astray(from(20), up_to(20), by_access)));
        CHECK_FALSE(is_proved(astray(from(19), up_to(20), by_access)));
        CHECK(is_proved(astray(from(10), up_to(9), by_access)));
        CHECK_FALSE(is_proved(astray(from(10), up_to(10), by_access)));
    }
}

TEST_CASE("strides that a call gives")
{
    CHECK(is_proved(strided(10, 5)));
    CHECK_FALSE(is_proved(strided(11, 5)));
    CHECK_FALSE(is_proved(strided(10, 6)));
}

TEST_CASE("rows of an image that a call gives")
{
    // Rows 2 i up to h - 2, of an image without its last row.
    CHECK(is_proved(image(0, 0)));
    CHECK_FALSE(is_proved(image(0, -1)));
    CHECK_FALSE(is_proved(image(1, 0)));
}

// Tensors are stated as large as those of the call: with one element less nothing is proved.
TEST_CASE("every access of convolutions of images that a call gives is proved, and of no smaller ones")
{
    random_numbers random{6}, of_groups{7};
    int proved = 0;
    for (int i = 0; i < 400; ++i) {
        conv2d_shape s = any_layer(random);
        const int open = static_cast<int>(random.between(1, 7));
        s.layout = layout::nhwc;
        if ((open & 1) != 0) s.h = extent::up_to(s.h.value);
        if ((open & 2) != 0) s.w = extent::up_to(s.w.value);
        if ((open & 4) != 0) s.n = extent::up_to(s.n.value);
        if (const std::int64_t channels = random.between(0, 3); s.groups == 1) {
            if ((channels & 1) != 0) s.ic = extent::up_to(s.ic.value);
            if ((channels & 2) != 0) s.oc = extent::up_to(s.oc.value);
        } else if (channels == 1) {
            s.ic = s.oc = s.groups = extent::up_to(20 * s.groups);
        } else {
            if (of_groups.one_in(2)) s.ic = extent::up_to(s.ic.value);
            if (of_groups.one_in(2)) s.oc = extent::up_to(s.oc.value);
            if (s.ic.at_call && s.oc.at_call && of_groups.one_in(2)) s.groups = extent::up_to(s.groups.value);
        }
        if (!s.check().ok()) continue;
        CAPTURE(std::string(signature_of(s, dtype::f32).c_str()));
        const definition d = random.one_in(2) ? conv2d_definition<bias, relu>(s, dtype::f32)
                                              : conv2d_definition<residual>(s, dtype::f32);
        REQUIRE(checked(d).found.ok());
        for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
            const auto n = std::make_unique<nest>(lower(schedule_for(d, cpu_config(default_direct(d, set)), set)));
            if (!n->ok()) continue;
            const status found = prove_accesses(*n);
            CHECK_MESSAGE(found.ok(), std::string(found.subject));
            ++proved;
            for (buffer& b : n->buffers) {
                if (b.role != role::output || !s.h.at_call || !s.w.at_call) continue;
                --b.elements.constant;
                CHECK(std::string(prove_accesses(*n).subject) == "y");
            }
        }
    }
    CHECK(proved > 700);
}

// What is not proved is refused by the tuner: a search of such an operator would end with its default.
TEST_CASE("every access of convolutions of windows that a call gives is proved, and none a row or an element further")
{
    random_numbers random{8};
    const auto n = std::make_unique<nest>();
    int proved = 0, moved_x = 0, moved_y = 0;
    for (int i = 0; i < 60; ++i) {
        const conv2d_shape s = drawn_open_windows(random);
        CAPTURE(std::string(signature_of(s, dtype::f32).c_str()));
        const definition d = checked(conv2d_definition<bias, residual>(s, dtype::f32));
        REQUIRE(d.found.ok());
        // A row of x: the parameter that its second dimension is a multiple of.
        const dimension& row = d.tensors[0].dims[1];
        for (int trial = 0; trial < 9; ++trial) {
            const isa set = std::array{isa::baseline, isa::avx2, isa::avx512}[static_cast<std::size_t>(trial % 3)];
            const direct_knobs k = trial < 3 ? default_direct(d, set) : any_knobs(random);
            lower(schedule_for(d, cpu_config(k), set), *n);
            if (trial < 3) CHECK(n->ok());
            if (!n->ok()) continue;
            const status found = prove_accesses(*n);
            CHECK_MESSAGE(found.ok(), std::string(found.subject));
            ++proved;
            if (trial != 0) continue;
            for (std::size_t a = 0; a < n->accesses.size(); ++a) {
                const role of = n->buffers[static_cast<std::size_t>(n->accesses[a].buffer)].role;
                if (of == role::input) {
                    const affine_term by{.parameter = row.stride_parameter, .coefficient = row.stride};
                    CHECK(std::string(prove_accesses(moved(*n, a, by)).subject) == "x");
                    ++moved_x;
                } else if (of == role::output) {
                    nest further = *n;
                    ++further.accesses[a].index.constant;
                    CHECK_FALSE(prove_accesses(further).ok());
                    ++moved_y;
                }
            }
        }
    }
    CHECK(proved > 300);
    CHECK(moved_x >= 60);
    CHECK(moved_y >= 60);
}

TEST_CASE("every access of transposed convolutions of the call is proved, and none a row or an element further")
{
    random_numbers random{10};
    const auto n = std::make_unique<nest>();
    int proved = 0, moved_y = 0;
    for (int i = 0; i < 60; ++i) {
        const conv2d_transposed_shape s = drawn_open_transposed(random, i % 2 ? open_part::window : open_part::image);
        CAPTURE(text_of(s));
        const definition d = checked(conv2d_transposed_definition<bias, residual>(s, dtype::f32));
        REQUIRE(d.found.ok());
        for (int trial = 0; trial < 9; ++trial) {
            const isa set = std::array{isa::baseline, isa::avx2, isa::avx512}[static_cast<std::size_t>(trial % 3)];
            const direct_knobs k = trial < 3 ? default_direct(d, set) : any_knobs(random);
            lower(schedule_for(d, cpu_config(k), set), *n);
            if (!n->ok()) continue;
            const status found = prove_accesses(*n);
            CHECK_MESSAGE(found.ok(), std::string(found.subject), " ", trial);
            ++proved;
            if (trial != 0) continue;
            for (std::size_t a = 0; a < n->accesses.size(); ++a) {
                if (n->buffers[static_cast<std::size_t>(n->accesses[a].buffer)].role != role::output) continue;
                nest further = *n;
                ++further.accesses[a].index.constant;
                CHECK_FALSE(prove_accesses(further).ok());
                ++moved_y;
            }
        }
    }
    CHECK(proved > 300);
    CHECK(moved_y > 40);
}

TEST_CASE("tables are part of what check() asks")
{
    CHECK(check(table_of(4, 4), cpu_target(isa::baseline)).ok());
    CHECK(check(table_of(3, 3), cpu_target(isa::baseline)).ok());
    CHECK(check(table_of(3, 4), cpu_target(isa::baseline)).what == fault::index_out_of_bounds);
    CHECK(std::string(check(table_of(3, 4), cpu_target(isa::baseline)).subject) == "table");
}

TEST_CASE("every access of every template is proved")
{
    all_proved<conv2d<conv2d_shape{.h = 14, .w = 10, .ic = 20, .oc = 24, .kh = 3, .kw = 3, .pad = 1}, f32, bias>>(
        "3x3");
    all_proved<conv2d<conv2d_shape{.h = 23, .w = 23, .ic = 3, .oc = 20, .kh = 7, .kw = 7, .stride = 2, .pad = 3}, f32>>(
        "7x7");
    // One row of outputs, which lies above the image.
    all_proved<conv2d<conv2d_shape{.n = 3,
                                   .h = 1,
                                   .w = 38,
                                   .ic = 7,
                                   .oc = 16,
                                   .kw = 11,
                                   .stride_h = 5,
                                   .stride_w = 4,
                                   .pad_top = 1,
                                   .pad_left = 1,
                                   .pad_right = 2,
                                   .dilation_w = 2},
                      f32, bias>>("in the padding");
    all_proved<gemm<gemm_shape{.m = 37, .n = 50, .k = 70}, f32>>("gemm");
    all_proved<gemm<gemm_shape{.m = extent::up_to(40), .n = 33, .k = 19}, f32, bias>>("rows at the call");
    all_proved<gemm<gemm_shape{.m = 1, .n = 1, .k = 1}, f32>>("one");
}

TEST_CASE("every access of the default of any layer is proved")
{
    random_numbers random{4};
    const auto scratch = std::make_unique<nest>();
    int proved = 0;
    for (int i = 0; i < 800; ++i) {
        const conv2d_shape s = any_layer(random);
        if (!s.check().ok()) continue;
        CAPTURE(std::string(signature_of(s, dtype::f32).c_str()));
        const definition d = random.one_in(2) ? conv2d_definition<bias, relu>(s, dtype::f32)
                                              : conv2d_definition<residual>(s, dtype::f32);
        const auto prove = [&](const schedule& with) {
            lower(with, *scratch);
            if (!scratch->ok()) return; // what lowering names is no default
            const status found = prove_accesses(*scratch);
            CHECK_MESSAGE(found.ok(), std::string(found.subject));
            ++proved;
        };
        prove(vulkan_schedule(d, default_vulkan(d)));
        for (const isa set : {isa::baseline, isa::avx2, isa::avx512})
            prove(schedule_for(d, cpu_config(default_direct(d, set)), set));
    }
    CHECK(proved > 1600);
}
