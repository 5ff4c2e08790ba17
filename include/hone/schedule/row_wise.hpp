// SPDX-License-Identifier: BSL-1.0
// The row-wise template for CPUs: operators of several stages over the same rows, as softmax and normalisations. A row,
// or a few of them, passes all stages before the next is read, so that it comes from memory once:
//
//     for rows, by blocks of what one thread takes; by `rows`
//         largest[r] = max= x[r][i]                          parts of each row side by side
//         power[r][i] = exp(x[r][i] - largest[r])
//         share[r] = 1 / (+= power[r][i])
//         y[r][i] = power[r][i] * share[r]
//
// What stands between stages is memory of the worker: a number a row, or a row. Vectors lie along the rows; rows that
// pass together are chains that do not wait for each other, and their lanes are folded side by side. Rows whose
// elements are apart, and that stand side by side, are lanes each: a block of them passes the stages together, and
// each sum takes its terms in order.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/schedule_template.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// In which order sums of a row take their terms.
enum class row_sums : std::uint8_t {
    parts, // each lane of each vector its own. Legal always.
    kept,  // one after the other, as the definition has them. For hone::exact; costs a chain of additions a row.
};

struct row_wise_knobs {
    row_sums sums = row_sums::parts;
    std::int32_t rows = 1;         // that pass the stages together; they divide the rows of the operator
    std::int32_t vectors = 4;      // of parts of each row in a reduction
    std::int32_t step_vectors = 4; // of a row that are written out where nothing is reduced
    std::int32_t row_block = 0;    // rows that one thread takes; 0: as many as pass together, of lanes all
    friend constexpr bool operator==(const row_wise_knobs&, const row_wise_knobs&) = default;
};

inline constexpr knob<row_wise_knobs> row_wise_knob_table[] = {
    knob_member<&row_wise_knobs::sums>::listed("sums", {0, 1}, {"parts", "kept"}),
    knob_member<&row_wise_knobs::rows>::range("rows", 1, most_rows, {1, 2, 3, 4, 5, 6, 7, 8}),
    knob_member<&row_wise_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4, 6, 8}),
    knob_member<&row_wise_knobs::step_vectors>::range("step_vectors", 1, most_vectors, {1, 2, 3, 4, 6, 8}),
    knob_member<&row_wise_knobs::row_block>::range("row_block", 0, most_block, {0, 4, 8, 16, 32, 64, 128}),
};

constexpr const auto& knobs_of(const row_wise_knobs&) { return row_wise_knob_table; }

inline constexpr constraint<row_wise_knobs, isa> row_wise_constraints[] = {
    {"row_block",
     [](const row_wise_knobs& k, const isa&) {
         return k.row_block == 0 ? status{} : at_most(fault::factor_does_not_divide, k.row_block, k.rows, "row_block");
     }},
    // Accumulators, and what one of them takes next.
    {"registers",
     [](const row_wise_knobs& k, const isa& set) {
         return at_most(fault::too_many_live_registers, vector_registers(set), std::int64_t{k.rows} * k.vectors + 1,
                        "tile");
     }},
};

constexpr error_class class_of(const row_wise_knobs& k)
{
    return k.sums == row_sums::kept ? error_class::exact_order : error_class::reassociated;
}

namespace row_wise_parts {

// The axis along the rows: the last one of each stage. Those before it are the rows.
constexpr int along_of(const definition& d) { return static_cast<int>(d.stages.back().axes.size()) - 1; }
// The innermost of the rows.
constexpr int row_of(const definition& d) { return along_of(d) - 1; }

constexpr bool is_between(const tensor& t)
{
    return t.role == role::none && (t.memory == memory::workspace || t.memory == memory::slot);
}

// Whether an index is that of one axis alone, step by step.
constexpr bool is_axis(const dim_index& i, int axis)
{
    return i.offset == 0 && i.terms.size() == 1 && i.terms[0].axis == axis && i.terms[0].coefficient == 1;
}
// Whether what stands between stages has an element for each row, or for each element of a row, and nothing else.
constexpr bool is_of_rows(const definition& d, const operand& o)
{
    const int along = along_of(d);
    const std::size_t dims = d.tensors[o.tensor].dims.size();
    if (o.index.size() != dims || (static_cast<int>(dims) != along && static_cast<int>(dims) != along + 1))
        return false;
    for (std::size_t i = 0; i < dims; ++i)
        if (!is_axis(o.index[i], static_cast<int>(i))) return false;
    return true;
}
// Whether memory is met in order along a row, or not at all. The same is asked of neighbouring rows.
constexpr bool lies_along(const definition& d, const operand& o, int along)
{
    if (o.may_leave) return false;
    for (const dimension& dim : d.tensors[o.tensor].dims)
        if (dim.block > 0) return false;
    return !moves_along(o, along) || is_dense_along(d, o, along);
}

constexpr bool has_sums(const definition& d)
{
    for (const stage& s : d.stages)
        if (s.reduce == reduction::add) return true;
    return false;
}

} // namespace row_wise_parts

// Whether all stages of a definition are over the same rows: each has their axes and one along them, the last alone
// writes what a call gives, and the others what is between; and memory is met in order along axis `lanes`. Rows whose
// length the call gives are no lanes.
constexpr bool has_rows_met_along(const definition& d, int lanes)
{
    namespace parts = row_wise_parts;
    const stage& last = d.stages.back();
    const int along = parts::along_of(d);
    if (along < 1 || has_open_stride(d, last, along) || has_open_stride(d, last, lanes)) return false;
    if (lanes != along && (last.axes[along].parameter >= 0 || last.axes[lanes].parameter >= 0)) return false;
    for (const stage& s : d.stages) {
        const bool is_last = &s == &last;
        if (s.axes.size() != last.axes.size()) return false;
        for (int a = 0; a <= along; ++a)
            if (s.axes[a].reduction != (a == along && s.reduce != reduction::none) ||
                s.axes[a].extent != last.axes[a].extent || s.axes[a].parameter != last.axes[a].parameter)
                return false;
        if (is_last && s.reduce != reduction::none) return false;
        for (const table_operand& t : s.tables) // numbers of the call alone
            if (t.count > 0 || !t.index.terms.empty()) return false;
        if (s.sums >= 0 || (!is_last && !s.further.empty())) return false;
        if (parts::is_between(d.tensors[s.output.tensor]) == is_last) return false;
        if (!is_last && !parts::is_of_rows(d, s.output)) return false;
        // What is between gets a place of its own.
        const auto lies = [&](const operand& o) {
            return parts::is_between(d.tensors[o.tensor]) ? parts::is_of_rows(d, o) : parts::lies_along(d, o, lanes);
        };
        for (const operand& o : s.operands)
            if (!lies(o)) return false;
        if (!lies(s.output)) return false;
        for (const further_output& f : s.further)
            if (!lies(f.to)) return false;
    }
    return true;
}
constexpr bool has_shared_rows(const definition& d)
{
    if (!d.found.ok() || d.stages.size() < 2 || d.tensor_of(role::weights) >= 0) return false;
    const int along = row_wise_parts::along_of(d);
    return along >= 1 && (has_rows_met_along(d, along) || has_rows_met_along(d, along - 1));
}
// Whether lanes are neighbouring rows. Precondition: has_shared_rows(d).
constexpr bool has_rows_as_lanes(const definition& d) { return !has_rows_met_along(d, row_wise_parts::along_of(d)); }

// Rows that pass the stages together, as lanes: nearly `wanted` that divide all of them; all where it is 0 or far off.
constexpr std::int64_t block_of_lanes(std::int64_t rows, std::int64_t wanted, std::int64_t lanes)
{
    if (wanted <= 0 || wanted >= rows) return rows;
    for (std::int64_t b = wanted; b >= lanes; --b)
        if (rows % b == 0) return b;
    for (std::int64_t b = wanted; b < rows && b < wanted + 4096; ++b)
        if (rows % b == 0) return b;
    return rows;
}

// The knobs as far as an operator can use them.
constexpr row_wise_knobs fitted_row_wise(const definition& d, row_wise_knobs k, isa set)
{
    if (!d.found.ok() || !check_knobs(k).ok()) return k;
    const stage& last = d.stages.back();
    const axis& row = last.axes[row_wise_parts::row_of(d)];
    const std::int64_t vectors = ceil_div(last.axes[row_wise_parts::along_of(d)].extent, lanes_of(set, d));
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most);
    };
    if (!row_wise_parts::has_sums(d)) k.sums = row_sums::parts;
    if (has_rows_as_lanes(d)) {
        if (row_wise_parts::has_sums(d)) k.sums = row_sums::kept;
        const std::int64_t block = block_of_lanes(row.extent, k.row_block, lanes_of(set, d));
        k.row_block = block == row.extent ? 0 : static_cast<std::int32_t>(block);
        k.rows = 1;
        limit(k.vectors, ceil_div(block, lanes_of(set, d)));
        limit(k.step_vectors, ceil_div(block, lanes_of(set, d)));
        return k;
    }
    limit(k.vectors, vectors);
    limit(k.step_vectors, vectors);
    limit(k.rows, row.extent);
    limit(k.row_block, row.extent);
    // Numbers of several rows have one register where no vector is met.
    if (k.sums == row_sums::kept || row.parameter >= 0) k.rows = 1;
    while (row.extent % k.rows != 0 || k.row_block % k.rows != 0) --k.rows;
    if (k.row_block == k.rows) k.row_block = 0;
    return k;
}

namespace row_wise_parts {

class schedule_of_rows {
public:
    // Precondition: has_shared_rows(d), and the knobs are fitted.
    constexpr schedule_of_rows(const definition& d, const row_wise_knobs& k, schedule& to)
        : s_(to), k_(k), along_(along_of(d)), row_(row_of(d)), lanes_(to.vector_length), block_(k.rows),
          has_row_lanes_(has_rows_as_lanes(d))
    {
        s_.definition = d;
        if (has_row_lanes_) split_rows(d.stages.back().axes[row_].extent);
        for (tensor& t : s_.definition.tensors)
            if (is_between(t)) t = of_worker(t);
    }

    constexpr void add()
    {
        definition& d = s_.definition;
        const int last = static_cast<int>(d.stages.size()) - 1;
        stage_plan outer;
        for (int a = 0; a < row_; ++a)
            if (d.stages[last].axes[a].extent > 1 || d.stages[last].axes[a].parameter >= 0)
                outer.add(a, 1, binding::parallel);
        if (blocks_ >= 0) outer.add(blocks_, 1, binding::parallel);
        if (!has_row_lanes_) {
            if (k_.row_block > 0) outer.add(row_, k_.row_block, binding::parallel, tail::bound);
            outer.add(row_, k_.rows, k_.row_block > 0 ? binding::serial : binding::parallel);
        }
        const attach_point inside{static_cast<std::int8_t>(last), static_cast<std::int8_t>(outer.levels.size())};
        for (int st = 0; st < last; ++st) s_.plans.push_back(attached(d.stages[st], inside));
        if (k_.rows > 1) outer.add(row_, 1);
        add_steps(outer);
        s_.plans.push_back(outer);
    }

private:
    // Lanes end with a block of rows: blocks are an axis of their own.
    constexpr void split_rows(std::int64_t rows)
    {
        block_ = k_.row_block > 0 ? k_.row_block : rows;
        if (block_ == rows) return;
        for (stage& g : s_.definition.stages) {
            blocks_ = g.axes.push_back({"block", rows / block_});
            g.axes[row_].extent = block_;
            for_each_operand(g, [&](operand& o) {
                if (is_between(s_.definition.tensors[o.tensor])) return;
                for (dim_index& i : o.index)
                    if (moves_with(i, row_))
                        i.terms.push_back({static_cast<std::int8_t>(blocks_), static_cast<std::int32_t>(block_)});
            });
        }
    }

    // Of as many rows as pass together, the elements of a row in whole vectors.
    constexpr tensor of_worker(tensor t) const
    {
        t.memory = memory::slot;
        for (int i = 0; i < static_cast<int>(t.dims.size()); ++i) {
            dimension& dim = t.dims[i];
            dim.extent_parameter = dim.stride_parameter = -1;
            dim.extent = i < row_                        ? 1
                         : (i == row_) == has_row_lanes_ ? round_up(i == row_ ? block_ : dim.extent, lanes_)
                         : i == row_                     ? block_
                                                         : dim.extent;
        }
        set_dense(t);
        if (has_row_lanes_ && static_cast<int>(t.dims.size()) > along_) {
            t.dims[along_].stride = t.dims[row_].extent;
            t.dims[row_].stride = 1;
        }
        return t;
    }

    // Lanes that are rows, of so many vectors.
    constexpr void add_lanes(stage_plan& p, std::int32_t vectors) const
    {
        if (vectors > 1) p.add(row_, lanes_, binding::unroll, tail::guard);
        p.add(row_, 1, binding::vectorize);
    }

    constexpr void add_steps(stage_plan& p) const
    {
        if (has_row_lanes_) {
            p.add(along_, 1).add(row_, k_.step_vectors * lanes_, binding::serial, tail::peel);
            return add_lanes(p, k_.step_vectors);
        }
        p.add(along_, k_.step_vectors * lanes_, binding::serial, tail::peel);
        if (k_.step_vectors > 1) p.add(along_, lanes_, binding::unroll, tail::guard);
        p.add(along_, 1, binding::vectorize);
    }

    // Of the rows that pass together.
    constexpr stage_plan attached(stage& s, const attach_point& inside) const
    {
        stage_plan p;
        p.attach = inside;
        for (int a = 0; a <= along_ || a == blocks_; ++a)
            p.base.push_back(a == along_ || (a == row_ && has_row_lanes_) ? dim_index{} : hone::along(a));
        if (blocks_ >= 0) s.axes[blocks_].extent = 1;
        for (int a = 0; a < along_; ++a) {
            s.axes[a].extent = a == row_ ? block_ : 1;
            s.axes[a].parameter = -1;
        }
        if (has_row_lanes_ && s.reduce != reduction::none) {
            p.add(row_, k_.vectors * lanes_, binding::serial, tail::peel).open_tile().add(along_, 1);
            add_lanes(p, k_.vectors);
        } else if (s.reduce == reduction::none) {
            p.is_cut = has_row_lanes_; // behind the last row
            if (k_.rows > 1) p.add(row_, 1);
            add_steps(p);
        } else if (s.reduce == reduction::add && k_.sums == row_sums::kept) {
            p.open_tile().add(along_, 1);
        } else {
            p.open_tile().add(along_, k_.vectors * lanes_, binding::serial, tail::peel);
            if (k_.rows > 1) p.add(row_, 1, binding::unroll);
            p.accumulate_apart();
            if (k_.vectors > 1) p.add(along_, lanes_, binding::unroll, tail::guard);
            p.add(along_, 1, binding::vectorize);
        }
        return p;
    }

    schedule& s_;
    row_wise_knobs k_;
    int along_;
    int row_;
    std::int64_t lanes_;
    std::int64_t block_; // rows that pass the stages together
    int blocks_ = -1;    // the axis of these, where they are lanes of several
    bool has_row_lanes_;
};

} // namespace row_wise_parts

constexpr schedule row_wise_schedule(const definition& d, const row_wise_knobs& knobs, isa set)
{
    schedule s;
    s.definition = d;
    s.set = set;
    s.found = check_knobs(knobs);
    if (!d.found.ok() || !s.found.ok()) {
        s.plans.resize(d.stages.size());
        return s;
    }
    s.vector_length = static_cast<std::int16_t>(lanes_of(set, d));
    row_wise_parts::schedule_of_rows(d, fitted_row_wise(d, knobs, set), s).add();
    return s;
}

// The default when nothing is tuned: chains enough for the latency of additions, of short rows those of several, and
// rows for each thread that are worth a call of it. Step 1 keeps the order of sums. Softmax of rows of 128 with AVX-512
// takes 0.84 to 0.9 of the time as four rows of four vectors; rows of 768 do not gain.
constexpr row_wise_knobs default_row_wise(const definition& d, isa set, int step = 0)
{
    if (!d.found.ok()) return {};
    const stage& last = d.stages.back();
    const std::int64_t n = last.axes[row_wise_parts::along_of(d)].extent, vectors = ceil_div(n, lanes_of(set, d));
    constexpr std::int64_t short_row = 8, least_elements = 4096;
    row_wise_knobs k{.vectors = 8, .step_vectors = 4};
    if (step > 0) k.sums = row_sums::kept;
    if (has_rows_as_lanes(d)) {
        // Blocks that the nearest caches hold with what is between.
        constexpr std::int64_t held = 32768, most = 4096;
        const std::int64_t lanes = lanes_of(set, d), wanted = held / n > most ? most : held / n;
        k.row_block = static_cast<std::int32_t>(wanted > lanes ? wanted : lanes);
        return fitted_row_wise(d, k, set);
    }
    if (vectors <= short_row) {
        const std::int32_t chains = vector_registers(set) < 32 ? 8 : 16;
        k.vectors = vectors < 4 ? static_cast<std::int32_t>(vectors) : 4;
        k.rows = chains / k.vectors < 8 ? chains / k.vectors : 8;
    }
    // Rows as long as the call says are rather a few hundred long than as long as may be.
    if (last.axes[row_wise_parts::along_of(d)].parameter >= 0) {
        k.vectors = 4;
        k.row_block = 8;
    } else if (n < least_elements)
        k.row_block = static_cast<std::int32_t>(ceil_div(least_elements / n, k.rows) * k.rows);
    return fitted_row_wise(d, k, set);
}

struct row_wise {
    using knobs = row_wise_knobs;
    using target = isa;
    static constexpr const char* name = "row_wise";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = row_wise_constraints;
    static constexpr int default_steps = 2;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return has_shared_rows(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, isa set) { return fitted_row_wise(d, k, set); }
    static constexpr knobs standard(const definition& d, isa set, int step) { return default_row_wise(d, set, step); }
    static constexpr packed_tensors packed(const definition&, const knobs&, isa) { return packed_tensors(); }
    static constexpr schedule packing(const definition&, const knobs&, isa, std::size_t) { return {}; }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        return row_wise_schedule(d, k, set);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::row_sums, schedules::row_wise, schedules::row_wise_knobs;
} // namespace hone
