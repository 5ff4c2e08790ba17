// SPDX-License-Identifier: BSL-1.0
// The six stages of a Winograd kernel: columns of d in registers; B^T d, V = B^T d B, M = V U and A^T M in memory of
// the worker; y. Transforms go over columns, then rows, in loops: written out whole, they run no faster and take the
// compiler four times as long.
//
// F(4, 3) of a 56 x 56 image in blocks of 2 x 7 tiles:
//
//     for each image, 7 blocks of rows, 2 blocks of columns of 14 x 14 tiles   parallel
//         input    for 14 tiles, vectors of ic: 6 x 6 points of V              left, gather: per vector
//         product  for 36 points: M (14 tiles x oc) = V (14 x ic) U (ic x oc)  the register tile is here
//         output   for 14 tiles, vectors of oc: 4 x 4 of y                     columns: per vector
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/ir/visit.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/register_tile.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/winograd_knobs.hpp>
#include <hone/schedule/winograd_matrices.hpp>
#include <hone/schedule/winograd_packing.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

namespace winograd_parts {

class kernel_stages {
public:
    // Precondition: winograd_applies, and the knobs have no fault.
    constexpr kernel_stages(const definition& d, const winograd_knobs& k, schedule& to)
        : s_(to), e_(to.definition), conv_(d.stages[0]), k_(k), m_(k.tile), alpha_(m_ + 2), vl_(to.vector_length),
          block_(k.vectors * vl_), ic_(conv_.axes[conv_axis::ic].extent), oc_(conv_.axes[conv_axis::oc].extent)
    {
        const auto at_most = [](std::int64_t wanted, std::int64_t most) { return wanted < most ? wanted : most; };
        tiles_h_ = ceil_div(conv_.axes[conv_axis::oh].extent, m_);
        tiles_w_ = ceil_div(conv_.axes[conv_axis::ow].extent, m_);
        block_rows_ = at_most(k.block_rows, tiles_h_);
        block_columns_ = at_most(k.block_columns, tiles_w_);
        e_.tensors = d.tensors;
        weights_ = static_cast<std::int8_t>(d.tensor_of(role::weights));
        e_.tensors[weights_] = winograd_weights(d, k, to.set);
        const winograd_matrices w = winograd_matrices_of(m_);
        for (float v : w.bt) e_.table_values.push_back(v);
        for (float v : w.at) e_.table_values.push_back(v);
        td_ = add_scratch(e_, "d", memory::registers, {1, alpha_, vl_});
        tb_ = add_scratch(e_, "Bd", memory::slot, {alpha_, alpha_, vl_});
        tv_ = add_by_point("V", round_up(ic_, vl_));
        tm_ = add_by_point("M", round_up(oc_, block_));
        ta_ = add_scratch(e_, "AM", memory::slot, {m_, alpha_, vl_});
    }

    constexpr void add()
    {
        // A level that others are attached before is known when its plan is made: from the outermost inwards.
        const planned_stage last = output();
        const planned_stage second = columns();
        const planned_stage products = product();
        const planned_stage first = input();
        const planned_stage rows = left();
        const planned_stage begin = gather(rows.plan.tile_at);
        for (const planned_stage* p : {&begin, &rows, &first, &products, &second, &last}) {
            e_.stages.push_back(p->of);
            s_.plans.push_back(p->plan);
        }
    }

private:
    // In the order in which they stand.
    static constexpr int i_left = 1, i_input = 2, i_output = 5;

    constexpr table_operand bt(int row_axis, int column_axis) const
    {
        return {0, static_cast<std::int16_t>(alpha_ * alpha_), along(row_axis, alpha_, column_axis, 1, 0)};
    }
    constexpr table_operand at(int row_axis, int column_axis) const
    {
        return {static_cast<std::int16_t>(alpha_ * alpha_), static_cast<std::int16_t>(m_ * alpha_),
                along(row_axis, alpha_, column_axis, 1, 0)};
    }
    // Points an odd number of cache lines apart: the stores of a tile, one to each point, would meet in one set of the
    // L1 cache wherever a block is a power of two (a tenth of the layer C9).
    constexpr std::int8_t add_by_point(const char* name, std::int64_t channels)
    {
        constexpr std::int64_t line = 16;
        const std::int8_t t =
            add_scratch(e_, name, memory::slot, {alpha_ * alpha_, block_rows_ * block_columns_, channels});
        std::int64_t& stride = e_.tensors[t].dims[0].stride;
        stride = (ceil_div(stride, line) | 1) * line;
        return t;
    }

    // d[i] = x[ty * m + i - top][tx * m + j - left] for one column j and vector of channels
    constexpr planned_stage gather(int left_tile) const
    {
        planned_stage r{.of = {.name = "gather"}};
        for (const char* name : {"n", "ty", "tx"}) r.of.axes.push_back({name, 1});
        r.of.axes.push_back({"i", alpha_});
        r.of.axes.push_back({"j", 1});
        r.of.axes.push_back({"ic", vl_});
        operand x = conv_.operands[0];
        x.index[0] = along(0);
        x.index[1] = along(1, m_, 3, 1, x.index[1].offset);
        x.index[2] = along(2, m_, 4, 1, x.index[2].offset);
        x.index[3] = {};
        x.index[4] = along(5);
        x.may_leave = true;
        r.of.operands.push_back(x);
        r.of.body = ex::load(0);
        r.of.output = operand_along(td_, {-1, 3, 5});

        r.plan.add(3, 1, binding::unroll).add(5, 1, binding::vectorize);
        r.plan.attach = {i_left, static_cast<std::int8_t>(left_tile)};
        r.plan.base.resize(6);
        for (int a = 0; a < 3; ++a) r.plan.base[a] = along(4 + a);
        r.plan.base[4] = along(1);
        r.plan.base[5] = along(2);
        return r;
    }

    // Bd[u][j] = sum over i of B^T[u][i] d[i]
    constexpr planned_stage left() const
    {
        planned_stage r{.of = {.name = "left"}};
        r.of.axes.push_back({"u", alpha_});
        r.of.axes.push_back({"j", alpha_});
        r.of.axes.push_back({"ic", vl_});
        r.of.axes.push_back({"i", alpha_, true});
        for (const char* name : {"n", "ty", "tx"}) r.of.axes.push_back({name, 1});
        make_transform(r.of, bt(0, 3), operand_along(td_, {-1, 3, 2}), operand_along(tb_, {0, 1, 2}));

        r.plan.add(1, 1).open_tile();
        r.plan.add(0, 1, binding::unroll).add(3, 1, binding::unroll).add(2, 1, binding::vectorize);
        r.plan.attach = {i_input, left_level_};
        r.plan.base.resize(7);
        r.plan.base[2] = along(3);
        for (int a = 0; a < 3; ++a) r.plan.base[4 + a] = along(a);
        return r;
    }

    // V[u * alpha + v][tile][ic] = sum over j of B^T[v][j] Bd[u][j]
    constexpr planned_stage input()
    {
        planned_stage r{.of = {.name = "input"}};
        r.of.axes.push_back({"n", 1});
        r.of.axes.push_back({"ty", block_rows_});
        r.of.axes.push_back({"tx", block_columns_});
        r.of.axes.push_back({"ic", ic_});
        r.of.axes.push_back({"u", alpha_});
        r.of.axes.push_back({"v", alpha_});
        r.of.axes.push_back({"j", alpha_, true});
        operand v{.tensor = tv_};
        v.index.push_back(along(4, alpha_, 5, 1, 0));
        v.index.push_back(along(1, static_cast<int>(block_columns_), 2, 1, 0));
        v.index.push_back(along(3));
        make_transform(r.of, bt(5, 6), operand_along(tb_, {4, 6, 3}), v);

        r.plan.add(1, 1).add(2, 1).add(3, vl_, binding::serial, ic_ % vl_ == 0 ? tail::exact : tail::guard);
        left_level_ = static_cast<std::int8_t>(r.plan.levels.size());
        r.plan.add(4, 1).open_tile();
        r.plan.add(5, 1, binding::unroll).add(6, 1, binding::unroll).add(3, 1, binding::vectorize);
        r.plan.attach = {i_output, block_level_};
        r.plan.base.resize(3);
        for (int a = 0; a < 3; ++a) r.plan.base[a] = along(a);
        return r;
    }

    // M[p][tile][oc] = sum over ic of V[p][tile][ic] U[p][ic][oc]
    constexpr planned_stage product() const
    {
        planned_stage r{.of = {.name = "product"}};
        r.of.axes.push_back({"p", alpha_ * alpha_});
        r.of.axes.push_back({"t", block_rows_ * block_columns_});
        r.of.axes.push_back({"oc", oc_});
        r.of.axes.push_back({"ic", ic_, true});
        r.of.operands.push_back(operand_along(tv_, {0, 1, 3}));
        r.of.operands.push_back(operand_along(weights_, {0, 3, 2}));
        r.of.reduce = reduction::add;
        r.of.body = ex::load(0) * ex::load(1);
        r.of.output = operand_along(tm_, {0, 1, 2});

        r.plan.add(0, 1)
            .add(2, block_, binding::serial, tail::peel)
            .add(1, k_.rows, binding::serial, tail::peel)
            .open_tile();
        r.plan.add(3, 1).add(1, 1, binding::unroll);
        if (k_.vectors > 1) r.plan.add(2, vl_, binding::unroll, tail::guard);
        r.plan.add(2, 1, binding::vectorize);
        r.plan.attach = {i_output, block_level_};
        return r;
    }

    // AM[a][v] = sum over u of A^T[a][u] M[u * alpha + v]
    constexpr planned_stage columns() const
    {
        planned_stage r{.of = {.name = "columns"}};
        r.of.axes.push_back({"a", m_});
        r.of.axes.push_back({"v", alpha_});
        r.of.axes.push_back({"oc", vl_});
        r.of.axes.push_back({"u", alpha_, true});
        r.of.axes.push_back({"ty", 1});
        r.of.axes.push_back({"tx", 1});
        operand read_m{.tensor = tm_};
        read_m.index.push_back(along(3, alpha_, 1, 1, 0));
        read_m.index.push_back(along(4, static_cast<int>(block_columns_), 5, 1, 0));
        read_m.index.push_back(along(2));
        make_transform(r.of, at(0, 3), read_m, operand_along(ta_, {0, 1, 2}));

        r.plan.add(1, 1).open_tile();
        r.plan.add(0, 1, binding::unroll).add(3, 1, binding::unroll).add(2, 1, binding::vectorize);
        r.plan.attach = {i_output, columns_level_};
        r.plan.base.resize(6);
        r.plan.base[2] = along(3);
        r.plan.base[4] = along(1);
        r.plan.base[5] = along(2);
        return r;
    }

    // An operand of the convolution's output points, in tiles.
    constexpr operand in_tiles(operand o) const
    {
        for (dim_index& index : o.index) {
            if (index.terms.empty()) continue;
            const int axis = index.terms[0].axis;
            if (axis == conv_axis::n) index = along(0);
            if (axis == conv_axis::g) index = {};
            if (axis == conv_axis::oh) index = along(1, m_, 4, 1, 0);
            if (axis == conv_axis::ow) index = along(2, m_, 5, 1, 0);
            if (axis == conv_axis::oc) index = along(3);
        }
        return o;
    }

    // y[ty * m + a][tx * m + b] = sum over v of A^T[b][v] AM[a][v], then the epilogue
    constexpr planned_stage output()
    {
        planned_stage r{.of = {.name = "output"}};
        r.of.axes.push_back({"n", conv_.axes[conv_axis::n].extent});
        r.of.axes.push_back({"ty", tiles_h_});
        r.of.axes.push_back({"tx", tiles_w_});
        r.of.axes.push_back({"oc", oc_});
        r.of.axes.push_back({"a", m_});
        r.of.axes.push_back({"b", m_});
        r.of.axes.push_back({"v", alpha_, true});
        make_transform(r.of, at(5, 6), operand_along(ta_, {4, 6, 3}), in_tiles(conv_.output));
        r.of.output.may_leave = true;
        // Operands of the epilogue keep their order; in the convolution they follow x and the weights.
        r.of.epilogue = conv_.epilogue;
        for (expr_node& node : r.of.epilogue.nodes)
            if (node.op == expr_op::load) --node.ref;
        for (std::size_t o = 2; o < conv_.operands.size(); ++o) r.of.operands.push_back(in_tiles(conv_.operands[o]));

        r.plan.add(0, 1, binding::parallel);
        r.plan.add(1, block_rows_, binding::parallel, tail::bound);
        r.plan.add(2, block_columns_, binding::parallel, tail::bound);
        block_level_ = static_cast<std::int8_t>(r.plan.levels.size());
        r.plan.add(1, 1).add(2, 1).add(3, vl_, binding::serial, oc_ % vl_ == 0 ? tail::exact : tail::guard);
        columns_level_ = static_cast<std::int8_t>(r.plan.levels.size());
        r.plan.add(4, 1).open_tile();
        r.plan.add(5, 1, binding::unroll).add(6, 1, binding::unroll).add(3, 1, binding::vectorize);
        return r;
    }

    schedule& s_;
    definition& e_;
    const stage& conv_;
    winograd_knobs k_;
    int m_;
    int alpha_;
    std::int64_t vl_;
    std::int64_t block_; // output channels of a register tile
    std::int64_t ic_, oc_;
    std::int64_t tiles_h_ = 1, tiles_w_ = 1, block_rows_ = 1, block_columns_ = 1;
    std::int8_t weights_ = -1;                                    // tensors: U,
    std::int8_t td_ = -1, tb_ = -1, tv_ = -1, tm_ = -1, ta_ = -1; // and d, Bd, V, M, AM
    std::int8_t block_level_ = 0, columns_level_ = 0;             // of the output, before which stages are attached
    std::int8_t left_level_ = 0;                                  // of the input
};

} // namespace winograd_parts

constexpr schedule winograd_schedule(const definition& d, const winograd_knobs& k, isa set)
{
    schedule s;
    s.set = set;
    s.vector_length = static_cast<std::int16_t>(lanes_of(set, d));
    s.definition.found = d.found;
    if (!d.found.ok()) return s;
    s.found = winograd_applies(d) ? check_knobs(k)
                                  : status{fault::shape_mismatch, 3, d.stages[0].axes[conv_axis::kh].extent,
                                           "winograd: 3x3, stride 1, one group"};
    if (s.found.ok()) winograd_parts::kernel_stages(d, k, s).add();
    return s;
}

} // namespace hone::schedules
