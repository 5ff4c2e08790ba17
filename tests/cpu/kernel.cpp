// SPDX-License-Identifier: BSL-1.0
// Calls that a kernel refuses, each with its sentence and beside the call that it takes.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr gemm_shape open{
    .m = extent::up_to(12), .n = 10, .k = 6, .ldx = leading::at_call(), .ldy = leading::at_call()};
constexpr conv2d_shape padded{.h = 5, .w = 6, .ic = 3, .oc = 9, .kh = 3, .kw = 3, .pad = 1};

using open_gemm = gemm<open, f32, bias>;
using padded_conv = conv2d<padded, f32, relu>;
using copied = tuned<padded_conv, direct_knobs{.rows = 3, .vectors = 1, .pad = padding::copy}>;
using peeled = tuned<padded_conv, direct_knobs{.rows = 2, .vectors = 2, .pad = padding::peel}>;

struct plus_operand {
    static constexpr const char* name = "plus_operand";
    static constexpr role operand_role = role::operand;
    static constexpr expr apply(const expr& acc, const expr& o) { return acc + o; }
};

// A kernel with data for one right call of it.
struct call_rig {
    entry kernel;
    call_data data;
    doubles expected;
    floats packed{};
    floats workspace{};
    std::vector<std::int64_t> parameters{};

    call_rig(const entry& k, const call_data& d, const doubles& e, std::vector<std::int64_t> given = {})
        : kernel{k}, data{d}, expected{e}, packed(k.packed_bytes / sizeof(float)),
          workspace(k.workspace_bytes(1) / sizeof(float)), parameters{std::move(given)}
    {
        kernel.pack(data.weights.data(), packed.data());
    }
    arguments right()
    {
        return {.x = data.x.data(),
                .weights = packed.data(),
                .bias = data.bias.data(),
                .y = data.y.data(),
                .workspace = workspace.data(),
                .parameters = parameters.data()};
    }
    // Also whether a refused call left y as it was.
    status run(const arguments& a)
    {
        std::fill(data.y.begin(), data.y.end(), std::bit_cast<float>(poison_bits)); // in place: `a` points there
        serial_executor serial;
        const status found = kernel.run(reference_to(serial), a);
        if (!found.ok())
            for (const float f : data.y) REQUIRE(is_poison(f));
        return found;
    }
    void check_taken(const arguments& a)
    {
        CHECK(run(a).ok());
        CHECK(difference(data.y, expected) == "");
    }
};

call_rig gemm_rig(std::int64_t m = 12, std::int64_t ldx = 7, std::int64_t ldy = 11)
{
    const gemm_call c = call_of(open, m, ldx, ldy);
    const call_data d = data_of(open, c, 91);
    return {entry_of<kernel<open_gemm>>(), d, reference(open, c, d, {test::step::bias}), {m, ldx, ldy}};
}
template <class Configs>
call_rig conv_rig()
{
    const call_data d = data_of(padded, 92);
    return {entry_of<kernel<padded_conv, Configs>>(), d, reference(padded, d, {test::step::relu})};
}

constexpr const char* parameter_sentence =
    "hone::run: a run-time extent or distance is out of the workload's range; pass a value within it, at least a row for "
    "the distance of rows and a matrix for that of matrices";
constexpr const char* workspace_sentence =
    "hone::run: the kernel needs a workspace; pass one of workspace_bytes(slots) bytes";
constexpr const char* tensor_sentence =
    "hone::run: a tensor that the kernel reads or writes is a null pointer; pass the one that the subject names";
constexpr const char* type_sentence =
    "hone::run: a tensor is given in another element type than the operator has it in; "
    "pass a pointer to elements of the operator's type";
constexpr const char* layout_sentence = "hone::run: the packed weights have another layout id than this kernel; pack "
                                        "them again with this kernel's pack()";

} // namespace

TEST_CASE("a parameter out of range")
{
    call_rig rig = gemm_rig();
    const auto with = [&](std::int64_t m, std::int64_t ldx, std::int64_t ldy) {
        rig.parameters = {m, ldx, ldy};
        return rig.run(rig.right());
    };
    const auto check_refused = [&](const status& s, const char* subject, std::int64_t given) {
        CAPTURE(subject);
        CHECK(s.what == fault::parameter_out_of_range);
        CHECK(std::string{s.message()} == parameter_sentence);
        CHECK(std::string{s.subject} == subject);
        CHECK(s.found == given);
    };
    check_refused(with(13, 7, 11), "m", 13);
    CHECK(with(13, 7, 11).expected == 12);
    check_refused(with(-1, 7, 11), "m", -1);
    // Rows that would overlap.
    check_refused(with(12, 5, 11), "ldx", 5);
    check_refused(with(12, 7, 9), "ldy", 9);
    CHECK(with(12, 7, 9).expected == 10);
    check_refused(with(12, 7, (std::int64_t{1} << 31) + 1), "ldy", (std::int64_t{1} << 31) + 1);
    // The first is named.
    check_refused(with(13, 5, 9), "m", 13);

    arguments none = rig.right();
    none.parameters = nullptr;
    check_refused(rig.run(none), "m", 0);

    // The ends of each range.
    for (const std::int64_t m : {1, 12})
        for (const std::int64_t ldx : {6, 9})
            for (const std::int64_t ldy : {10, 13}) {
                call_rig taken = gemm_rig(m, ldx, ldy);
                taken.check_taken(taken.right());
            }
}

TEST_CASE("matrices of y that would overlap")
{
    // Whether a call of the shape with this distance as its last parameter is taken, and what is refused named.
    const auto takes = []<gemm_shape S>(std::integral_constant<gemm_shape, S>, std::vector<std::int64_t> parameters) {
        using k = kernel<gemm<S, f32>>;
        const floats weights(k::packed_bytes / sizeof(float)), x(4096);
        floats y(4096), workspace(k::workspace_bytes(1) / sizeof(float));
        const status found = k::run({.x = x.data(),
                                     .weights = weights.data(),
                                     .y = y.data(),
                                     .workspace = workspace.data(),
                                     .parameters = parameters.data()});
        if (found.ok()) return true;
        CHECK(found.what == fault::parameter_out_of_range);
        CHECK(std::string{found.subject} == "batch_stride_y");
        CHECK(found.found == parameters.back());
        return false;
    };
    constexpr auto at_call = leading::at_call();
    // 12 rows 11 apart, of 10.
    constexpr std::integral_constant<
        gemm_shape, gemm_shape{.batch = 3, .m = 12, .n = 10, .k = 6, .ldy = 11, .batch_stride_y = at_call}>
        views{};
    CHECK(takes(views, {131}));
    CHECK_FALSE(takes(views, {130}));
    CHECK_FALSE(takes(views, {10}));
    CHECK_FALSE(takes(views, {0}));
    CHECK_FALSE(takes(views, {-131}));
    // Dense ones.
    constexpr std::integral_constant<gemm_shape,
                                     gemm_shape{.batch = 3, .m = 12, .n = 10, .k = 6, .batch_stride_y = at_call}>
        dense{};
    CHECK(takes(dense, {120}));
    CHECK_FALSE(takes(dense, {119}));
    // One matrix has no other beside it.
    constexpr std::integral_constant<gemm_shape, gemm_shape{.m = 12, .n = 10, .k = 6, .batch_stride_y = at_call}> one{};
    CHECK(takes(one, {10}));
    // Of m of the call a row is known; of ldy of the call, rows of the matrices may alternate.
    constexpr std::integral_constant<
        gemm_shape, gemm_shape{.batch = 3, .m = extent::up_to(12), .n = 10, .k = 6, .batch_stride_y = at_call}>
        rows{};
    CHECK(takes(rows, {1, 10}));
    CHECK_FALSE(takes(rows, {1, 9}));
    constexpr std::integral_constant<
        gemm_shape, gemm_shape{.batch = 3, .m = 12, .n = 10, .k = 6, .ldy = at_call, .batch_stride_y = at_call}>
        alternating{};
    CHECK(takes(alternating, {30, 10}));
    CHECK_FALSE(takes(alternating, {30, 9}));
}

TEST_CASE("no rows are no work: nothing is read, written or wanted")
{
    call_rig rig = gemm_rig();
    serial_executor serial;
    rig.parameters = {0, 7, 11};
    CHECK(rig.kernel.run(reference_to(serial), {.parameters = rig.parameters.data()}).ok());
    CHECK(rig.run(rig.right()).ok());
    for (const float f : rig.data.y) CHECK(is_poison(f));
    // A distance of 0 is no extent.
    rig.parameters = {12, 0, 11};
    CHECK(rig.run(rig.right()).what == fault::parameter_out_of_range);
}

TEST_CASE("weights are packed for the extents of the calls to come")
{
    constexpr gemm_shape any{.m = extent::up_to(9), .n = extent::up_to(20), .k = extent::up_to(15)};
    using k = kernel<gemm<any, f32>>;
    const entry e = entry_of<k>();
    floats packed = poisoned(static_cast<std::int64_t>(k::packed_bytes / sizeof(float)));
    const floats weights = small_integers(20 * 15, 1);
    const auto check_refused = [&](const status& s, const char* subject, std::int64_t given) {
        CHECK(s.what == fault::parameter_out_of_range);
        CHECK(std::string{s.subject} == subject);
        CHECK(s.found == given);
        for (const float f : packed) REQUIRE(is_poison(f));
    };
    const auto with = [&](std::int64_t m, std::int64_t n, std::int64_t depth) {
        const std::int64_t parameters[] = {m, n, depth};
        return e.pack_for(weights.data(), packed.data(), parameters);
    };
    check_refused(e.pack(weights.data(), packed.data()), "n", 0);
    check_refused(with(1, 21, 15), "n", 21);
    check_refused(with(1, 20, 16), "k", 16);
    check_refused(with(1, 20, 0), "k", 0);
    check_refused(with(1, -1, 15), "n", -1);
    // Columns that are not there are no work.
    CHECK(with(1, 0, 15).ok());
    for (const float f : packed) CHECK(is_poison(f));
    const std::int64_t none[] = {0, 0, 0}, least[] = {0, 1, 1}, most[] = {0, 20, 15}, beyond[] = {0, 21, 15};
    CHECK(e.packed_bytes_of(none) == 0);
    CHECK(e.packed_bytes_of(beyond) == 0);
    CHECK(e.packed_bytes_of(nullptr) == 0);
    CHECK(e.packed_bytes_of(least) < e.packed_bytes_of(most));
    CHECK(e.packed_bytes_of(most) == k::packed_bytes);
    // What the weights do not hang on is not looked at.
    CHECK(with(-7, 20, 15).ok());
    for (const float f : packed) CHECK_FALSE(is_poison(f));

    CHECK(k::run({.parameters = none}).ok());
    const std::int64_t no_columns[] = {4, 0, 15};
    CHECK(k::run({.parameters = no_columns}).ok());
    const std::int64_t no_depth[] = {4, 20, 0};
    CHECK(k::run({.parameters = no_depth}).what == fault::parameter_out_of_range);

    // Without such extents parameters are left alone.
    const entry closed = entry_of<kernel<open_gemm>>();
    CHECK(closed.packed_bytes_of(nullptr) == closed.packed_bytes);
    floats others(closed.packed_bytes / sizeof(float));
    CHECK(closed.pack_for(weights.data(), others.data(), nullptr).ok());
}

TEST_CASE("a tensor that is missing")
{
    call_rig rig = gemm_rig();
    serial_executor serial;
    const auto check_missing = [&](auto part, const char* subject) {
        arguments a = rig.right();
        a.*part = nullptr;
        const status s = rig.run(a);
        CAPTURE(subject);
        CHECK(s.what == fault::tensor_missing);
        CHECK(std::string{s.message()} == tensor_sentence);
        CHECK(std::string{s.subject} == subject);
    };
    check_missing(&arguments::x, "x");
    check_missing(&arguments::weights, "weights");
    check_missing(&arguments::bias, "bias");
    arguments no_y = rig.right();
    no_y.y = nullptr;
    CHECK(std::string{rig.kernel.run(reference_to(serial), no_y).subject} == "y");
    rig.check_taken(rig.right());
    // What the operator does not read may be missing.
    call_rig other = conv_rig<peeled>();
    arguments a = other.right();
    a.bias = nullptr;
    other.check_taken(a);

    // Operands of an epilogue: the list of them, and one in it.
    using added = kernel<gemm<gemm_shape{.m = 3, .n = 5, .k = 2}, f32, plus_operand>>;
    floats x(6, 1), weights(10, 1), packed(added::packed_bytes / sizeof(float)), y(15), third(15, 3);
    added::pack(weights.data(), packed.data());
    const float* operands[] = {third.data()};
    arguments with{.x = x.data(), .weights = packed.data(), .operands = operands, .y = y.data()};
    CHECK(added::run(with).ok());
    CHECK(y == floats(15, 5));
    operands[0] = nullptr;
    CHECK(std::string{added::run(with).subject} == "plus_operand");
    with.operands = nullptr;
    CHECK(added::run(with).what == fault::tensor_missing);
    // In its place, too.
    operands[0] = y.data();
    with.operands = operands;
    CHECK(added::run(with).ok());
    CHECK(y == floats(15, 7));
}

TEST_CASE("a tensor of another element type")
{
    call_rig rig = gemm_rig();
    std::vector<half> halves(512);
    const auto check_refused = [&](auto part, const char* subject) {
        arguments a = rig.right();
        a.*part = halves.data();
        const status s = rig.run(a);
        CAPTURE(subject);
        CHECK(s.what == fault::tensor_type);
        CHECK(std::string{s.message()} == type_sentence);
        CHECK(std::string{s.subject} == subject);
        CHECK(s.expected == 32);
        CHECK(s.found == 16);
    };
    check_refused(&arguments::x, "x");
    check_refused(&arguments::bias, "bias");
    check_refused(&arguments::y, "y");
    rig.check_taken(rig.right());
    // The first that is wrong is named, whatever is wrong with it.
    arguments a = rig.right();
    a.x = halves.data();
    a.bias = nullptr;
    CHECK(std::string{rig.run(a).subject} == "x");
    // What the operator does not read may be of any type.
    call_rig other = conv_rig<peeled>();
    a = other.right();
    a.bias = halves.data();
    other.check_taken(a);

    // In lists, too: of halves, or of tensors of several types.
    using added = kernel<gemm<gemm_shape{.m = 3, .n = 5, .k = 2}, f32, plus_operand>>;
    floats x(6, 1), weights(10, 1), packed(added::packed_bytes / sizeof(float)), y(15), third(15, 3);
    added::pack(weights.data(), packed.data());
    arguments with{.x = x.data(), .weights = packed.data(), .y = y.data()};
    const half* const of_halves[] = {halves.data()};
    with.operands = of_halves;
    CHECK(added::run(with).what == fault::tensor_type);
    CHECK(std::string{added::run(with).subject} == "plus_operand");
    const given_tensor of_any[] = {third.data()};
    with.operands = of_any;
    CHECK(added::run(with).ok());
    CHECK(y == floats(15, 5));
}

TEST_CASE("a workspace that is missing")
{
    call_rig rig = conv_rig<copied>();
    REQUIRE(rig.kernel.workspace_bytes(1) > 0);
    arguments a = rig.right();
    a.workspace = nullptr;
    const status s = rig.run(a);
    CHECK(s.what == fault::workspace_missing);
    CHECK(std::string{s.message()} == workspace_sentence);
    CHECK(std::string{s.subject} == "workspace");
    CHECK(s.expected == static_cast<std::int64_t>(rig.kernel.workspace_bytes(1)));
    CHECK(s.found == 0);
    rig.check_taken(rig.right());

    // What is asked for is what this executor's slots take.
    thread_pool pool(3);
    CHECK(rig.kernel.run(reference_to(pool), a).expected == static_cast<std::int64_t>(rig.kernel.workspace_bytes(3)));

    // A kernel that needs none takes none.
    call_rig other = conv_rig<peeled>();
    REQUIRE(other.kernel.workspace_bytes(1) == 0);
    arguments without = other.right();
    without.workspace = nullptr;
    other.check_taken(without);
}

TEST_CASE("weights in the layout of another kernel")
{
    call_rig rig = conv_rig<copied>();
    call_rig other = conv_rig<peeled>();
    REQUIRE(rig.kernel.layout_id != 0);
    REQUIRE(rig.kernel.layout_id != other.kernel.layout_id);
    arguments a = rig.right();
    a.weights = other.packed.data();
    a.weights_layout = other.kernel.layout_id;
    const status s = rig.run(a);
    CHECK(s.what == fault::packed_layout_mismatch);
    CHECK(std::string{s.message()} == layout_sentence);
    CHECK(std::string{s.subject} == "weights");
    CHECK(static_cast<std::uint64_t>(s.expected) == rig.kernel.layout_id);
    CHECK(static_cast<std::uint64_t>(s.found) == other.kernel.layout_id);

    a = rig.right();
    a.weights_layout = rig.kernel.layout_id;
    rig.check_taken(a);
    a.weights_layout = 0; // not checked
    rig.check_taken(a);
}

TEST_CASE("the same faults without an entry")
{
    using k = kernel<padded_conv, copied>;
    call_rig rig = conv_rig<copied>();
    arguments a = rig.right();
    a.workspace = nullptr;
    CHECK(k::run(a).what == fault::workspace_missing);
    a = rig.right();
    a.weights_layout = k::layout_id + 1;
    CHECK(k::run(a).what == fault::packed_layout_mismatch);
    CHECK(k::run(rig.right()).ok());
    CHECK(difference(rig.data.y, rig.expected) == "");
}

TEST_CASE("a call of no rows is right, whatever its strides are")
{
    using op = gemm<gemm_shape{.batch = 2,
                               .m = extent::up_to(8),
                               .n = 16,
                               .k = 4,
                               .ldx = leading::at_call(),
                               .ldy = leading::at_call(),
                               .batch_stride_x = leading::at_call(),
                               .batch_stride_y = leading::at_call()},
                    f32>;
    for (const std::int64_t others : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 62}) {
        const std::int64_t parameters[] = {0, others, others, others, others};
        CHECK(kernel<op>::run({.parameters = parameters}).ok()); // without a pointer, too
    }
    const std::int64_t one_row[] = {1, 4, 16, 0, 16};
    CHECK(kernel<op>::run({.parameters = one_row}).what == fault::parameter_out_of_range);
    CHECK(kernel<op>::run({}).what == fault::parameter_out_of_range);
}

// Stored as (k, m), x has rows as long as those of y are many in this call, not in the largest.
TEST_CASE("rows of a transposed x reach the rows of the call")
{
    constexpr std::int64_t most = 8, n = 5, k = 3;
    using op =
        gemm<gemm_shape{.m = extent::up_to(most), .n = n, .k = k, .x = transposed::yes, .ldx = leading::at_call()},
             f32>;
    floats weights(n * k), packed(kernel<op>::packed_bytes / sizeof(float));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) - 3;
    kernel<op>::pack(weights.data(), packed.data());
    for (std::int64_t m = 1; m <= most; ++m) {
        CAPTURE(m);
        floats x(static_cast<std::size_t>(k * m)), y(static_cast<std::size_t>(most * n));
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 5) - 2;
        const std::int64_t dense[] = {m, m}, too_short[] = {m, m - 1};
        CHECK(kernel<op>::run({.x = x.data(), .weights = packed.data(), .y = y.data(), .parameters = dense}).ok());
        for (std::int64_t r = 0; r < m; ++r)
            for (std::int64_t c = 0; c < n; ++c) {
                float sum = 0;
                for (std::int64_t i = 0; i < k; ++i)
                    sum += x[static_cast<std::size_t>(i * m + r)] * weights[static_cast<std::size_t>(i * n + c)];
                CHECK(y[static_cast<std::size_t>(r * n + c)] == sum);
            }
        const status refused =
            kernel<op>::run({.x = x.data(), .weights = packed.data(), .y = y.data(), .parameters = too_short});
        CHECK(refused.what == fault::parameter_out_of_range);
        CHECK(refused.expected == m);
        CHECK(std::string(refused.subject) == "ldx");
    }
}
