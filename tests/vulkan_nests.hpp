// SPDX-License-Identifier: BSL-1.0
// Vulkan nests written by hand, one for each thing that the GLSL printer must get right; both the tests of the text
// and those on a device use them.
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>

#include "nest_builder.hpp"

namespace hone::test {

using namespace ir;

struct product_shape {
    int m, n, k;
};

// y(m, n) = max(sum over k of x(m, k) weights(k, n), 0), one output for each lane, 4 x 8 lanes.
inline nest naive_matmul(const product_shape& s)
{
    nest_builder w(isa::none, 1, 32);
    const form m0 = w.axis("m"), n0 = w.axis("n"), m1 = w.axis("m", 1), n1 = w.axis("n", 1), k = w.axis("k", 0, true);
    const int x = w.buffer("x", memory::argument, s.m * s.k);
    const int weights = w.buffer("weights", memory::argument, s.k * s.n);
    const int y = w.buffer("y", memory::argument, s.m * s.n, role::output);
    const int acc = w.access(w.buffer("acc", memory::registers, 1), 0);
    const form m = m0 * 4 + m1, n = n0 * 8 + n1;
    const int columns = (s.n + 7) / 8;
    w.bound_loop(binding::grid, m0, (s.m + 3) / 4, columns);
    w.bound_loop(binding::grid, n0, columns, 1, nest_builder::digit::inner);
    w.bound_loop(binding::lane, m1, 4, 8).bound_loop(binding::lane, n1, 8, 1, nest_builder::digit::inner);
    w.guard({form(s.m - 1) - m, form(s.n - 1) - n}).tile();
    w.store(acc, 0.0f);
    w.loop(binding::serial, k, s.k);
    w.add(acc, ex::load(w.access(x, m * s.k + k)) * ex::load(w.access(weights, k * s.n + n))).end();
    w.store(w.access(y, m * s.n + n), ex::max(ex::load(acc), 0.0f));
    return w.n;
}

// The same from a tile of 4 rows and 2 vectors of 4 columns in registers; n is a multiple of 4, m and k are free.
inline nest register_matmul(const product_shape& s)
{
    nest_builder w(isa::none, 4, 12);
    const form m0 = w.axis("m"), n0 = w.axis("n"), m1 = w.axis("m", 1), n1 = w.axis("n", 1), m2 = w.axis("m", 2);
    const form n2 = w.axis("n", 2), n3 = w.axis("n", 3), k = w.axis("k", 0, true);
    const int x = w.buffer("x", memory::argument, s.m * s.k);
    const int weights = w.buffer("weights", memory::argument, s.k * s.n);
    const int y = w.buffer("y", memory::argument, s.m * s.n, role::output);
    const int acc = w.access(w.buffer("acc", memory::registers, 32), m2 * 8 + n2 * 4 + n3);
    const form m = m0 * 16 + m1 * 4 + m2, n = n0 * 24 + n1 * 8 + n2 * 4 + n3;
    const form in_rows = form(s.m - 1) - m, in_columns = form(s.n - 1) - n;
    const int columns = (s.n + 23) / 24;
    w.bound_loop(binding::grid, m0, (s.m + 15) / 16, columns);
    w.bound_loop(binding::grid, n0, columns, 1, nest_builder::digit::inner);
    w.bound_loop(binding::lane, m1, 4, 3).bound_loop(binding::lane, n1, 3, 1, nest_builder::digit::inner).tile();
    const auto over_tile = [&] {
        w.loop(binding::unroll, m2, 4).loop(binding::unroll, n2, 2).loop(binding::vectorize, n3, 4);
    };
    over_tile();
    w.store(acc, 0.0f).end(3);
    w.loop(binding::serial, k, s.k);
    over_tile();
    const int from_x = w.access(x, m * s.k + k, {in_rows});
    const int from_weights = w.access(weights, k * s.n + n, {in_columns});
    w.add(acc, ex::load(from_x) * ex::load(from_weights)).end(4);
    over_tile();
    w.guard({in_rows, in_columns});
    w.store(w.access(y, m * s.n + n), ex::max(ex::load(acc), 0.0f));
    return w.n;
}

// The same from tiles of 16 x 8 and 8 x 16 staged in workgroup memory; 8 x 8 lanes, 2 x 2 outputs each; any sizes.
inline nest staged_matmul(const product_shape& s)
{
    nest_builder w(isa::none, 2, 64);
    const form m0 = w.axis("m"), n0 = w.axis("n"), m1 = w.axis("m", 1), n1 = w.axis("n", 1), m2 = w.axis("m", 2);
    const form n2 = w.axis("n", 2), k0 = w.axis("k", 0, true), k1 = w.axis("k", 1, true);
    const int x = w.buffer("x", memory::argument, s.m * s.k);
    const int weights = w.buffer("weights", memory::argument, s.k * s.n);
    const int y = w.buffer("y", memory::argument, s.m * s.n, role::output);
    const int acc = w.access(w.buffer("acc", memory::registers, 4), m2 * 2 + n2);
    const int tile_x = w.buffer("x tile", memory::workgroup, 8 * 16);
    const int tile_weights = w.buffer("weights tile", memory::workgroup, 8 * 16);
    const form m = m0 * 16 + m1 * 2 + m2, n = n0 * 16 + n1 * 2 + n2;
    const int columns = (s.n + 15) / 16;
    const auto inner = nest_builder::digit::inner;
    w.bound_loop(binding::grid, m0, (s.m + 15) / 16, columns).bound_loop(binding::grid, n0, columns, 1, inner);
    w.bound_loop(binding::lane, m1, 8, 8).bound_loop(binding::lane, n1, 8, 1, inner).tile();
    w.loop(binding::unroll, m2, 2).loop(binding::vectorize, n2, 2).store(acc, 0.0f).end(2);
    w.loop(binding::serial, k0, (s.k + 7) / 8);
    {
        const form row = w.axis("row", 0, false, 1), k = w.axis("k", 0, false, 1), u = w.axis("u", 0, false, 1);
        w.bound_loop(binding::lane, row, 8, 8).bound_loop(binding::lane, k, 8, 1, inner).loop(binding::unroll, u, 2);
        const form from_m = m0 * 16 + row + u * 8, from_k = k0 * 8 + k;
        w.store(w.access(tile_x, k * 16 + row + u * 8),
                ex::load(w.access(x, from_m * s.k + from_k, {form(s.m - 1) - from_m, form(s.k - 1) - from_k})));
        w.end(3);
    }
    {
        const form row = w.axis("row", 0, false, 2), column = w.axis("column", 0, false, 2);
        const form u = w.axis("u", 0, false, 2);
        w.bound_loop(binding::lane, row, 4, 16).bound_loop(binding::lane, column, 16, 1, inner);
        w.loop(binding::unroll, u, 2);
        const form from_k = k0 * 8 + row + u * 4, from_n = n0 * 16 + column;
        w.store(w.access(tile_weights, row * 16 + u * 64 + column),
                ex::load(w.access(weights, from_k * s.n + from_n, {form(s.k - 1) - from_k, form(s.n - 1) - from_n})));
        w.end(3);
    }
    w.barrier();
    w.loop(binding::serial, k1, 8).loop(binding::unroll, m2, 2).loop(binding::vectorize, n2, 2);
    w.add(acc,
          ex::load(w.access(tile_x, k1 * 16 + m1 * 2 + m2)) * ex::load(w.access(tile_weights, k1 * 16 + n1 * 2 + n2)));
    w.end(3).barrier().end();
    w.loop(binding::unroll, m2, 2).loop(binding::vectorize, n2, 2);
    w.guard({form(s.m - 1) - m, form(s.n - 1) - n});
    w.store(w.access(y, m * s.n + n), ex::max(ex::load(acc), 0.0f));
    return w.n;
}

// y(h, w, c) = sum over (r, s) of x(h + r - 1, w + s - 1, c) weights(r, s, c) + bias(c) on a padded image of 8
// channels.
inline nest padded_depthwise(int height, int width)
{
    nest_builder w(isa::none, 4, 16);
    const form g = w.axis("h"), l = w.axis("w"), c0 = w.axis("c"), c1 = w.axis("c", 1);
    const form r = w.axis("r", 0, true), s = w.axis("s", 0, true);
    const int x = w.buffer("x", memory::argument, height * width * 8);
    const int weights = w.buffer("weights", memory::argument, 9 * 8);
    const int bias = w.buffer("bias", memory::argument, 8);
    const int y = w.buffer("y", memory::argument, height * width * 8, role::output);
    const int acc = w.access(w.buffer("acc", memory::registers, 4), c1);
    const form c = c0 * 4 + c1, ih = g + r - 1, iw = l + s - 1;
    w.bound_loop(binding::grid, g, height);
    w.bound_loop(binding::lane, l, width, 2).bound_loop(binding::lane, c0, 2, 1, nest_builder::digit::inner).tile();
    w.loop(binding::vectorize, c1, 4).store(acc, 0.0f).end();
    w.loop(binding::unroll, r, 3).loop(binding::unroll, s, 3).loop(binding::vectorize, c1, 4);
    const int from_x =
        w.access(x, ih * (width * 8) + iw * 8 + c, {ih, form(height - 1) - ih, iw, form(width - 1) - iw});
    w.add(acc, ex::load(from_x) * ex::load(w.access(weights, r * 24 + s * 8 + c))).end(3);
    w.loop(binding::vectorize, c1, 4);
    w.store(w.access(y, g * (width * 8) + l * 8 + c), ex::load(acc) + ex::load(w.access(bias, c)));
    return w.n;
}

// y(h, w) = max over live taps of x: loops whose bounds are clipped at the border, with a ceiling and a floor.
// Stride 2, 3 x 3, padding 1.
inline nest clipped_pool(int height, int width)
{
    const int out_height = (height - 1) / 2 + 1, out_width = (width - 1) / 2 + 1;
    nest_builder w(isa::none, 1, 8);
    const form h = w.axis("h"), v = w.axis("w"), v1 = w.axis("w", 1), r = w.axis("r", 0, true),
               s = w.axis("s", 0, true);
    const int x = w.buffer("x", memory::argument, height * width);
    const int y = w.buffer("y", memory::argument, out_height * out_width, role::output);
    const int acc = w.access(w.buffer("acc", memory::registers, 1), 0);
    const form column = v * 8 + v1;
    const int groups = (out_width + 7) / 8;
    w.bound_loop(binding::grid, h, out_height, groups);
    w.bound_loop(binding::grid, v, groups, 1, nest_builder::digit::inner);
    w.loop(binding::lane, v1, {0}, {8, form(out_width) - v * 8});
    w.n.nodes.back().outermost = true;
    w.tile().store(acc, identity_of(reduction::max));
    w.loop(binding::serial, r, {0, form(1) - h * 2}, {3, form(height + 1) - h * 2});
    w.loop(binding::serial, s, {0, form(1) - column * 2}, {3, form(width + 1) - column * 2});
    w.leaf(acc, reduction::max, ex::load(w.access(x, (h * 2 + r - 1) * width + column * 2 + s - 1))).end(2);
    w.store(w.access(y, h * out_width + column), ex::load(acc));
    return w.n;
}

// y(j) = sum over i of table(i, j) x(i): a Winograd transform, zeros, ones and all; b is indexed at run time.
inline nest table_transform()
{
    nest_builder w(isa::none, 1, 4);
    const form l = w.axis("l"), i = w.axis("i", 0, true), j = w.axis("j");
    const int x = w.buffer("x", memory::argument, 16);
    const int y = w.buffer("y", memory::argument, 32, role::output);
    const int t = w.table({1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 0.1f, -3, 0.25f}, j * 4 + i);
    const int acc = w.access(w.buffer("acc", memory::registers, 4), j);
    const int u = w.table({0.5f, 1, 2, identity_of(reduction::min)}, l);
    w.bound_loop(binding::lane, l, 4).tile();
    w.loop(binding::unroll, j, 4).store(acc, 0.0f);
    w.loop(binding::unroll, i, 4).add(acc, ex::table(t) * ex::load(w.access(x, l * 4 + i))).end();
    w.store(w.access(y, l * 4 + j), ex::load(acc) / ex::table(u)).end();
    w.loop(binding::unroll, j, 4);
    w.store(w.access(y, l * 4 + j + 16), ex::abs(-ex::load(acc)) - ex::sqrt(ex::abs(ex::load(acc))) * ex::table(u));
    return w.n;
}

// y(n, m) = x(m, n) with run-time m and leading dimension: groups and strides from parameters, a scattered store.
inline nest dynamic_transpose(int columns, int most)
{
    nest_builder w(isa::none, 4, 8);
    const form m0 = w.axis("m"), m1 = w.axis("m", 1), n0 = w.axis("n"), n1 = w.axis("n", 1);
    const form rows = w.extent("rows", 1, most), leading = w.extent("leading dimension", columns, 2 * columns);
    form x_elements = affine_term{.parameter = 1, .coefficient = most};
    const int x = w.buffer("x", memory::argument, x_elements);
    const int y = w.buffer("y", memory::argument, rows * columns, role::output);
    const form m = m0 * 8 + m1;
    form index = nest_builder::product(m0, leading) * 8 + nest_builder::product(m1, leading) + n0 * 4 + n1;
    w.bound_loop(binding::grid, m0, quotient(rows + 7, 8)).bound_loop(binding::lane, m1, 8);
    w.guard({rows - m - 1}).loop(binding::serial, n0, columns / 4).loop(binding::vectorize, n1, 4);
    form to = m + nest_builder::product(n0, rows) * 4 + nest_builder::product(n1, rows);
    w.store(w.access(y, to), ex::load(w.access(x, index)));
    return w.n;
}

// Reads and writes one output both by vectors and by scalars, through the workspace, across a barrier:
// y(i) = x(i); t(i) = y(i) + 1; barrier; y(i) += t(15 - i), the first 3 of each vector of 4 only.
inline nest shared_workspace()
{
    nest_builder w(isa::none, 4, 4);
    const form l = w.axis("l"), v = w.axis("v");
    const int x = w.buffer("x", memory::argument, 16);
    const int y = w.buffer("y", memory::argument, 16, role::output);
    const int t = w.buffer("t", memory::workspace, 16);
    const form i = l * 4 + v;
    w.bound_loop(binding::lane, l, 4);
    w.loop(binding::vectorize, v, 4).store(w.access(y, i), ex::load(w.access(x, i))).end();
    w.loop(binding::vectorize, v, 4).store(w.access(t, i), ex::load(w.access(y, i)) + 1.0f).end();
    w.barrier();
    w.loop(binding::vectorize, v, 4).guard({form(2) - v});
    w.add(w.access(y, i), ex::load(w.access(t, form(15) - i)));
    return w.n;
}

// The rules of min and max for NaN, scalar and vector: y(i) = max(x(i), 0), then min(0, x(i)).
inline nest nan_rules()
{
    nest_builder w(isa::none, 4, 1);
    const form v = w.axis("v");
    const int x = w.buffer("x", memory::argument, 8);
    const int y = w.buffer("y", memory::argument, 16, role::output);
    w.loop(binding::vectorize, v, 4).store(w.access(y, v), ex::max(ex::load(w.access(x, v)), 0.0f)).end();
    w.loop(binding::vectorize, v, 4).store(w.access(y, v + 4), ex::min(0.0f, ex::load(w.access(x, v)))).end();
    w.loop(binding::serial, v, 8).store(w.access(y, v + 8), ex::max(ex::load(w.access(x, v)), 0.0f));
    return w.n;
}

} // namespace hone::test
