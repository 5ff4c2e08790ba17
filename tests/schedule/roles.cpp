// SPDX-License-Identifier: BSL-1.0
// Which part each axis of an operator plays, and the layout of weights in which the direct templates read them.
#include <hone/schedule/roles.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d_transposed.hpp>
#include <hone/op/pool.hpp>

#include "layers.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

using names = std::vector<std::string>;

struct named_roles {
    std::string vector, row, reduce;
    names batch, windows;
};
named_roles roles_by_name(const definition& d)
{
    const direct_roles r = roles_of(d);
    const auto name = [&](int a) { return a < 0 ? std::string{} : std::string{d.stages[0].axes[a].name}; };
    named_roles n{name(r.vector), name(r.row), name(r.reduce), {}, {}};
    for (std::int8_t a : r.batch) n.batch.push_back(name(a));
    for (std::int8_t a : r.windows) n.windows.push_back(name(a));
    CHECK(r.x == 0);
    CHECK(r.weights == 1);
    return n;
}

// Each axis of the operator has one part.
void check_partition(const definition& d)
{
    const direct_roles r = roles_of(d);
    std::vector<int> parts(d.stages[0].axes.size());
    const auto count = [&](int a) {
        if (a >= 0) ++parts[static_cast<std::size_t>(a)];
    };
    for (int a : {r.vector, r.row, r.reduce}) count(a);
    for (std::int8_t a : r.batch) count(a);
    for (std::int8_t a : r.windows) count(a);
    for (int p : parts) CHECK(p == 1);
}

using op = gemm<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5}, f32>;

} // namespace

TEST_CASE("roles of a matrix product")
{
    const named_roles r = roles_by_name(gemm<gemm_shape{.batch = 2, .m = 8, .n = 7, .k = 5}, f32, bias>::definition());
    CHECK(r.vector == "n");
    CHECK(r.row == "m");
    CHECK(r.reduce == "k");
    CHECK(r.batch == names{"batch"});
    CHECK(r.windows.empty());
    // One row: no axis to make rows of but the batch, which has its own weights.
    CHECK(roles_by_name(gemm<products[0], f32, bias>::definition()).vector == "n");
    CHECK(roles_by_name(gemm<products[0], f32, bias>::definition()).row.empty());
}

TEST_CASE("roles of convolutions")
{
    const named_roles c2 = roles_by_name(conv2d<resnet18[1], f32, bias, relu>::definition());
    CHECK(c2.vector == "oc");
    CHECK(c2.row == "ow");
    CHECK(c2.reduce == "ic");
    CHECK(c2.batch == names{"n", "g", "oh"});
    CHECK(c2.windows == names{"kh", "kw"});

    // Depthwise: the groups are the vectors; the one input channel of a group stays the innermost reduction, so that
    // the taps are windows, to be written out.
    const named_roles d3 = roles_by_name(conv2d<mobilenet_depthwise[2], f32, bias, relu6>::definition());
    CHECK(d3.vector == "g");
    CHECK(d3.row == "ow");
    CHECK(d3.reduce == "ic");
    CHECK(d3.batch == names{"n", "oh", "oc"});
    CHECK(d3.windows == names{"kh", "kw"});

    // Grouped: vectors along the channels of one group.
    constexpr conv2d_shape grouped = {.h = 8, .w = 8, .ic = 16, .oc = 32, .kh = 3, .kw = 3, .groups = 2};
    const named_roles g = roles_by_name(conv2d<grouped, f32>::definition());
    CHECK(g.vector == "oc");
    CHECK(g.reduce == "ic");
    CHECK(g.batch == names{"n", "g", "oh"});
}

TEST_CASE("roles of transposed convolutions")
{
    // Phases move the weights, together with the taps: vectors do not lie along them.
    static constexpr conv2d_transposed_shape s{
        .h = 8, .w = 8, .ic = 16, .oc = 32, .kh = 4, .kw = 4, .stride = 2, .pad = 1};
    const named_roles r = roles_by_name(conv2d_transposed<s, f32, bias>::definition());
    CHECK(r.vector == "oc");
    CHECK(r.row == "ow");
    CHECK(r.reduce == "ic");
    CHECK(r.batch == names{"n", "ph", "pw", "g", "oh"});
    CHECK(r.windows == names{"kh", "kw"});
    const auto vector_of = [](std::int64_t ic, std::int64_t groups) {
        conv2d_transposed_shape one = s;
        one.ic = ic;
        one.oc = one.groups = groups;
        const definition d = conv2d_transposed_definition<>(one, dtype::f32);
        check_partition(d);
        return roles_by_name(d).vector;
    };
    CHECK(vector_of(20, 20) == "g");
    CHECK(vector_of(16, 1) == "oc");
}

TEST_CASE("each axis of each operator has one part")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        CAPTURE(name);
        CAPTURE(i);
        check_partition(d);
    });
}

TEST_CASE("a definition without an input, an axis for vectors or one stage has no part for the templates")
{
    CHECK(has_direct_roles(op::definition()));
    definition d = op::definition();
    d.tensors[0].role = role::operand;
    CHECK_FALSE(has_direct_roles(d));
    d = op::definition();
    d.found = {.what = fault::shape_mismatch};
    CHECK_FALSE(has_direct_roles(d));
    d = op::definition();
    d.stages.push_back(d.stages[0]);
    CHECK_FALSE(has_direct_roles(d));
    CHECK_FALSE(has_direct_roles(definition{}));
    // Lanes lie side by side in each call: not along an axis whose step only the call knows.
    const auto with_open_strides = [](role part) {
        definition open = op::definition();
        for (dimension& dim : open.tensors[static_cast<std::size_t>(open.tensor_of(part))].dims)
            dim.stride_parameter = 0;
        return open;
    };
    d = with_open_strides(role::output);
    CHECK(has_open_stride(d, d.stages[0], op::n));
    CHECK(roles_of(d).vector < 0);
    CHECK_FALSE(has_direct_roles(d));
    // But weights are packed.
    d = with_open_strides(role::weights);
    CHECK_FALSE(has_open_stride(d, d.stages[0], op::n));
    CHECK(roles_of(d).vector == op::n);
}

TEST_CASE("of several inputs and weights the first counts; without weights the vectors lie along the output")
{
    definition d = op::definition();
    d.stages[0].operands.push_back(d.stages[0].operands[1]);
    CHECK(roles_of(d).weights == 1);
    d = op::definition();
    d.tensors[1].role = role::operand;
    const direct_roles r = roles_of(d);
    CHECK(r.weights < 0);
    CHECK(r.vector == op::n);
    CHECK(is_dense_along(d, d.stages[0].output, op::n));
    CHECK_FALSE(is_dense_along(d, d.stages[0].output, op::m));
}

TEST_CASE("along the output vectors lie where y and x do, and rows share what they can")
{
    const auto of = [](const definition& d) {
        const direct_roles r = roles_of(d, vector_axis::output);
        const auto& axes = d.stages[0].axes;
        CHECK(r.vector == axis_of_output(d));
        return std::string{axes[r.vector].name} + " " + (r.row < 0 ? "" : axes[r.row].name);
    };
    constexpr conv2d_shape dense{.h = 8, .w = 9, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .layout = layout::nchw};
    CHECK(of(conv2d<dense, f32, bias>::definition()) == "ow oc");
    constexpr conv2d_shape alone{
        .h = 8, .w = 9, .ic = 4, .oc = 4, .kh = 3, .kw = 3, .groups = 4, .layout = layout::nchw};
    CHECK(of(conv2d<alone, f32>::definition()) == "ow oh");
    // A column of y along which x lies, too.
    CHECK(of(gemm<gemm_shape{.m = 9, .n = 1, .k = 5, .x = transposed::yes}, f32>::definition()) == "m ");

    // Weights are packed by blocks of rows, which lie side by side.
    const packed_tensors packed = packed_along(conv2d<dense, f32>::definition(), 3, vector_axis::output);
    REQUIRE(packed.size() == 1);
    CHECK(packed[0].dims[1].block == 3);
    CHECK(packed_along(conv2d<alone, f32>::definition(), 3, vector_axis::output)[0].dims[1].block == 0);
}

TEST_CASE("no axis of the output is for vectors where channels lie side by side, or its steps in x are long or open")
{
    constexpr conv2d_shape channels{.h = 8, .w = 9, .ic = 4, .oc = 8, .kh = 3, .kw = 3};
    CHECK(axis_of_output(conv2d<channels, f32>::definition()) == -1);
    const auto strided = [](std::int64_t stride) {
        return axis_of_output(conv2d_definition<>(
            {.h = 8, .w = 31, .ic = 4, .oc = 8, .kw = 3, .stride_w = stride, .layout = layout::nchw}, dtype::f32));
    };
    CHECK(strided(4) == conv_axis::ow);
    CHECK(strided(5) == -1);
    CHECK(axis_of_output(op::definition()) == -1);
    CHECK(axis_of_output(gemm<gemm_shape{.m = 9, .n = 1, .k = 5}, f32>::definition()) == -1);
    using open = gemm<gemm_shape{.m = 9, .n = 1, .k = 5, .x = transposed::yes, .ldy = leading::at_call()}, f32>;
    CHECK(axis_of_output(open::definition()) == -1);
    using no_weights = max_pool<pool_shape{.h = 8, .w = 9, .c = 4, .kh = 2, .kw = 2, .layout = layout::nchw}, f32>;
    CHECK(axis_of_output(no_weights::definition()) == -1);
}

TEST_CASE("rows and taps share a dimension, channels do not")
{
    constexpr conv2d_shape s{.h = 8, .w = 8, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1};
    const definition d = conv2d<s, f32>::definition();
    const operand &x = d.stages[0].operands[0], &weights = d.stages[0].operands[1];
    CHECK(shares_dimension(x, conv_axis::ow, conv_axis::kw));
    CHECK(shares_dimension(x, conv_axis::kh, conv_axis::oh));
    CHECK_FALSE(shares_dimension(x, conv_axis::ow, conv_axis::kh));
    CHECK_FALSE(shares_dimension(x, conv_axis::ow, conv_axis::ic));
    CHECK(moves_along(x, conv_axis::ic));
    CHECK_FALSE(moves_along(x, conv_axis::oc));
    CHECK(moves_along(weights, conv_axis::oc));
    CHECK_FALSE(moves_along(weights, conv_axis::ow));
}

// (batch, n blocks, k, n in a block): in the order in which a tile reads them.
TEST_CASE("packed weights stand in the order in which they are read, vectors side by side")
{
    const packed_tensors all = packed_along(op::definition(), 4);
    REQUIRE(all.size() == 1);
    const auto& dims = all[0].dims; // batch, k, n
    CHECK(dims[2].block == 4);
    CHECK(dims[2].stride == 1);
    CHECK(dims[1].stride == 4);
    CHECK(dims[2].outer_stride == 4 * 5);
    CHECK(dims[0].stride == 2 * 4 * 5);
    CHECK(all[0].elements() == 2 * 8 * 5);
}
