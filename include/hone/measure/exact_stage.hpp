// SPDX-License-Identifier: BSL-1.0
// The exact results of a stage, and how far floats may lie from them: one strided loop over the operator's definition,
// in double, with no schedule, no nest and no layout.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include <hone/measure/error_bound.hpp>
#include <hone/measure/word_bounds.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/flops.hpp>
#include <hone/schedule/winograd.hpp>

namespace hone::tune {

enum class share_judged : std::uint8_t {
    all,
    part, // of large outputs: first, middle and last rows and channels, and some between
};

// Of the results of one output, in one order, which is that of all.
struct exact_results {
    std::vector<std::uint32_t> places{}; // in the output
    std::vector<double> expected{};
    std::vector<std::vector<float>> bounds{}; // of each arithmetic that was asked for; infinity: not known
    std::size_t sensitive = 0;                // how many change when their sum does
    std::size_t finite = 0;
};

// What stands between stages, by tensor: exact values, and how far computed ones may lie from them. None of tensors
// that a call gives.
using made_tensors = std::vector<std::vector<bounded>>;
inline const made_tensors nothing_made{};

class exact_stage {
public:
    exact_stage(const definition& d, const std::vector<std::vector<float>>& tensors, share_judged share)
        : exact_stage(d, tensors, share, 0, nothing_made, arithmetic::direct)
    {
    }
    // Of a later stage, in an arithmetic that `made` was made in; of an operator of one stage the sums alone are.
    exact_stage(const definition& d, const std::vector<std::vector<float>>& tensors, share_judged share,
                std::size_t stage, const made_tensors& made, arithmetic in)
        : d_(d), s_(d.stages[stage]), tensors_(tensors), made_(made), accumulator_(accumulator_of(d.tensors)),
          of_bodies_(error_model_of(in, accumulator_)), point_(s_.axes.size(), 0)
    {
        for (std::size_t a = 0; a < s_.axes.size(); ++a) {
            if (s_.axes[a].is_quotient() && !s_.axes[a].reduction) continue;
            (s_.axes[a].reduction ? inner_ : outer_).push_back(static_cast<int>(a));
            if (s_.axes[a].reduction) summands_ *= static_cast<double>(steps_of(s_.axes[a]));
        }
        sums_products_ = !inner_.empty() && sums_products_along(inner_.back());
        if (sums_products_) choose_strip();
        choose(share);
    }

    // Of the output, or of a further one: 1 is the first of these. Sums are formed once.
    exact_results run(const std::vector<arithmetic>& which, std::size_t output = 0)
    {
        const operand& to = output == 0 ? s_.output : s_.further[output - 1].to;
        const expr& epilogue = output == 0 ? s_.epilogue : s_.further[output - 1].value;
        exact_results r;
        if (sums_.empty()) each_point(strip_, [&] { add_up(); });
        each_point(1, [&] {
            std::int64_t place = 0;
            if (this->place(s_.output, place) && this->place(to, place))
                r.places.push_back(static_cast<std::uint32_t>(place));
        });
        r.expected.resize(r.places.size());
        for (arithmetic a : which) {
            auto& bounds = r.bounds.emplace_back(r.places.size());
            const error_model model = error_model_of(a, accumulator_);
            const std::vector<double> largest = largest_in_tiles(model.tile);
            std::size_t at = 0, sensitive = 0, finite = 0;
            each_point(1, [&] {
                std::int64_t place = 0;
                if (!this->place(s_.output, place)) return;
                const summands& own = sums_[at];
                sum_ = {own.sum, error_bound_of(model, summands_, own, largest[tile_index(model.tile)])};
                const bounded y = stored(value(epilogue, model));
                r.expected[at] = y.value;
                // A zero of either sign is right where they may be lost.
                bounds[at] = as_bound(std::isfinite(y.value) ? std::max(y.error, model.flushed) : y.error);
                finite += std::isfinite(y.value) && std::isfinite(y.error);
                sensitive += y.error > 0.1 * sum_.error;
                ++at;
            });
            r.sensitive = std::max(r.sensitive, sensitive);
            r.finite = std::max(r.finite, finite);
        }
        return r;
    }

private:
    static constexpr int most_in_strip = 16;

    // ---- which results ----

    void choose(share_judged share)
    {
        double work = 1;
        for (const axis& a : s_.axes) work *= static_cast<double>(steps_of(a));
        chosen_.resize(outer_.size());
        for (std::size_t k = 0; k < outer_.size(); ++k)
            chosen_[k].assign(static_cast<std::size_t>(s_.axes[outer_[k]].extent), 1);
        constexpr double cheap = 4e6;
        if (share == share_judged::all || outer_.empty() || work <= cheap) return;
        // Blocks are whole tiles of Winograd.
        constexpr std::size_t rows = 12, channels = most_in_strip;
        const auto thin = [](std::vector<char>& chosen, std::size_t block, std::size_t every) {
            const std::size_t blocks = (chosen.size() + block - 1) / block;
            if (blocks < 4) return;
            for (std::size_t i = 0; i < chosen.size(); ++i)
                chosen[i] = i / block % every == 0 || i / block == blocks / 2 || i / block == blocks - 1;
        };
        thin(chosen_.back(), channels, 8);
        if (chosen_.size() < 2) return;
        thin(*std::max_element(chosen_.begin(), chosen_.end() - 1,
                               [](const auto& a, const auto& b) { return a.size() < b.size(); }),
             rows, 4);
    }
    // At the first of each strip of at most so many chosen results along the last axis that is not reduced.
    template <class F>
    void each_point(int strip, F&& f)
    {
        outer(0, strip, f);
    }
    template <class F>
    void outer(std::size_t depth, int strip, F&& f)
    {
        if (depth == outer_.size()) {
            width_ = 1;
            f();
            return;
        }
        auto& i = point_[outer_[depth]];
        const std::vector<char>& chosen = chosen_[depth];
        const auto extent = static_cast<std::int64_t>(chosen.size());
        for (i = 0; i < extent; ++i) {
            if (!chosen[static_cast<std::size_t>(i)]) continue;
            if (depth + 1 < outer_.size()) {
                outer(depth + 1, strip, f);
                continue;
            }
            width_ = 1;
            while (width_ < strip && i + width_ < extent && chosen[static_cast<std::size_t>(i + width_)]) ++width_;
            f();
            i += width_ - 1;
        }
    }

    // ---- sums ----

    // Of a strip; it stands where the point is.
    void add_up()
    {
        for (int j = 0; j < width_; ++j) {
            // From -0, a sum that has nothing else stays it.
            sum_of_[j] = s_.reduce == reduction::add ? -0.0 : identity_of(s_.reduce);
            squares_of_[j] = error_of_[j] = 0;
        }
        inner(0);
        for (int j = 0; j < width_; ++j) {
            std::int64_t at = 0;
            if (place(s_.output, at)) sums_.push_back(summed(j));
            if (strip_ > 1) ++point_[outer_.back()];
        }
        if (strip_ > 1) point_[outer_.back()] -= width_;
    }

    // A sum is +0 and its terms; a kernel may begin it with the first of them, so that one of nothing but -0 has either
    // sign. So has one of zeros whose factors are computed, which may round to either side of zero.
    summands summed(int j) const
    {
        const bool has_either_sign = s_.reduce == reduction::add && sum_of_[j] == 0 && squares_of_[j] == 0 &&
                                     (std::signbit(sum_of_[j]) || !sums_products_);
        const double least = has_either_sign ? format_of(accumulator_).least : 0;
        return {has_either_sign ? 0.0 : sum_of_[j], squares_of_[j], error_of_[j] + least};
    }

    void inner(std::size_t depth)
    {
        if (depth + 1 == inner_.size() && sums_products_) {
            add_products(inner_[depth]);
            return;
        }
        if (depth < inner_.size()) {
            const ir::interval steps = steps_at(s_.axes[inner_[depth]], point_.data());
            for (auto& i = point_[inner_[depth]] = steps.least; i <= steps.most; ++i) inner(depth + 1);
            return;
        }
        const bounded v = value(s_.body, of_bodies_);
        double& sum = sum_of_[0];
        switch (s_.reduce) {
        // As the words min and max of expressions.
        case reduction::max: sum = sum < v.value ? v.value : sum; break;
        case reduction::min: sum = sum < v.value ? sum : v.value; break;
        case reduction::add:
            sum += v.value;
            squares_of_[0] += v.value * v.value;
            break;
        default: sum = v.value; break;
        }
        error_of_[0] = s_.reduce == reduction::add ? error_of_[0] + v.error : std::max(error_of_[0], v.error);
        // What the largest of numbers and NaN is depends on their order.
        if (std::isnan(v.value) && s_.reduce != reduction::add && s_.reduce != reduction::none) error_of_[0] = infinite;
    }

    // The last axis that is not reduced, and meets no padding, fills strips; of a depthwise convolution not that of the
    // one channel of each group. Factors that do not stand side by side along it are copied once, so that they do.
    void choose_strip()
    {
        const auto fills = [&](int axis) { return meets_no_padding(axis) && s_.axes[axis].extent >= at_once; };
        auto at = std::find_if(outer_.rbegin(), outer_.rend(), fills);
        if (at == outer_.rend()) {
            if (!outer_.empty() && meets_no_padding(outer_.back())) strip_ = most_in_strip;
            return;
        }
        std::rotate(at.base() - 1, at.base(), outer_.end());
        strip_ = most_in_strip;
        for (int k = 0; k < 2; ++k) {
            const operand& o = s_.operands[s_.body.nodes[k].ref];
            const tensor& given = d_.tensors[o.tensor];
            factors_[k].layout = given;
            std::size_t moved = given.dims.size(), moves = 0;
            for (std::size_t i = 0; i < given.dims.size(); ++i)
                for (const index_term& t : o.index[i].terms)
                    if (t.axis == outer_.back() && t.coefficient == 1) moved = i, ++moves;
            if (moves != 1 || given.dims[moved].stride == 1) continue;
            auto& dims = factors_[k].layout.dims;
            std::int64_t stride = given.dims[moved].extent;
            for (std::size_t i = dims.size(); i-- > 0;) {
                dims[i].stride = i == moved ? 1 : stride;
                if (i != moved) stride *= dims[i].extent;
            }
            factors_[k].copy.resize(static_cast<std::size_t>(stride));
            copy_moved(given, tensors_[o.tensor].data(), factors_[k].layout, factors_[k].copy.data(), moved);
        }
    }
    // The dimension `moved`, which stands side by side in the copy, in pieces of a strip: of those the next ones along
    // the others are near.
    static void copy_moved(const tensor& given, const float* from, const tensor& made, float* to, std::size_t moved)
    {
        const std::int64_t extent = given.dims[moved].extent, stride = given.dims[moved].stride;
        for (std::int64_t first = 0; first < extent; first += most_in_strip) {
            const std::int64_t count = std::min<std::int64_t>(extent - first, most_in_strip);
            const auto others = [&](auto&& self, std::size_t dim, const float* f, float* t) -> void {
                if (dim == given.dims.size()) {
                    for (std::int64_t j = 0; j < count; ++j) t[j] = f[j * stride];
                    return;
                }
                const std::int64_t all = dim == moved ? 1 : given.dims[dim].extent;
                for (std::int64_t i = 0; i < all; ++i)
                    self(self, dim + 1, f + i * given.dims[dim].stride, t + i * made.dims[dim].stride);
            };
            others(others, 0, from + first * stride, to + first);
        }
    }

    // Whether the body is a product of two operands, summed, and this axis meets no padding in them: nearly all of the
    // work is such.
    bool sums_products_along(int axis) const
    {
        const auto& nodes = s_.body.nodes;
        for (const operand& o : s_.operands)
            if (o.may_leave && o.outside != 0) return false; // padding adds something
        const auto is_given = [&](int node) {
            return nodes[node].op == expr_op::load && !is_made(s_.operands[nodes[node].ref].tensor);
        };
        return s_.reduce == reduction::add && nodes.size() == 3 && nodes[2].op == expr_op::mul && is_given(0) &&
               is_given(1) && meets_no_padding(axis);
    }
    // Whether an earlier stage made a tensor, with errors of its own.
    bool is_made(int tensor) const { return !made_.empty() && !made_[static_cast<std::size_t>(tensor)].empty(); }
    // Whether the body's operands are never left in the dimensions in which this axis moves.
    bool meets_no_padding(int axis) const
    {
        for (int k = 0; k < 2; ++k) {
            const operand& o = s_.operands[s_.body.nodes[k].ref];
            for (std::size_t i = 0; i < o.index.size(); ++i) {
                bool moves = false;
                std::int64_t least = o.index[i].offset, most = o.index[i].offset;
                for (const index_term& t : o.index[i].terms) {
                    moves = moves || t.axis == axis;
                    (t.coefficient < 0 ? least : most) += t.coefficient * (s_.axes[t.axis].extent - 1);
                }
                if (moves && (least < 0 || most >= d_.tensors[o.tensor].dims[i].extent)) return false;
            }
        }
        return true;
    }
    // What an operand's place moves by from one iteration of an axis to the next, at the point.
    std::int64_t step_of(const operand& o, const tensor& t, int axis)
    {
        const std::int64_t last = s_.axes[axis].extent - 1, here = point_[axis];
        std::int64_t first = 0, end = 0;
        point_[axis] = last;
        place(o, t, end);
        point_[axis] = 0;
        place(o, t, first);
        point_[axis] = here;
        return last == 0 ? 0 : (end - first) / last;
    }
    void add_products(int axis)
    {
        const float* data[2];
        std::int64_t along_sum[2], along_strip[2] = {0, 0};
        point_[axis] = 0;
        for (int k = 0; k < 2; ++k) {
            const operand& o = s_.operands[s_.body.nodes[k].ref];
            const bool is_copied = !factors_[k].copy.empty();
            const tensor& t = is_copied ? factors_[k].layout : d_.tensors[o.tensor];
            std::int64_t first = 0;
            if (!place(o, t, first)) return; // padding: adds nothing
            data[k] = (is_copied ? factors_[k].copy : tensors_[o.tensor]).data() + first;
            along_sum[k] = step_of(o, t, axis);
            if (strip_ > 1) along_strip[k] = step_of(o, t, outer_.back());
        }
        int done = 0;
        if (along_strip[1] == 1 && (along_strip[0] == 0 || along_strip[0] == 1))
            for (; done + at_once <= width_; done += at_once) {
                if (along_strip[0] == 0)
                    add_at_once<0>(data[0], along_sum[0], data[1] + done, along_sum[1], s_.axes[axis].extent, done);
                else
                    add_at_once<1>(data[0] + done, along_sum[0], data[1] + done, along_sum[1], s_.axes[axis].extent,
                                   done);
            }
        for (std::int64_t i = 0; i < s_.axes[axis].extent; ++i) {
            const float* const a = data[0] + i * along_sum[0];
            const float* const b = data[1] + i * along_sum[1];
            for (int j = done; j < width_; ++j) {
                const double product =
                    static_cast<double>(a[j * along_strip[0]]) * static_cast<double>(b[j * along_strip[1]]);
                sum_of_[j] += product;
                squares_of_[j] += product * product;
            }
        }
    }
    // Sums that stand side by side in both operands, or in the second with one value of the first: in registers.
    static constexpr int at_once = 8;
    template <int Step>
    void add_at_once(const float* a, std::int64_t along_a, const float* b, std::int64_t along_b, std::int64_t extent,
                     int first)
    {
        double sum[at_once], squares[at_once];
        for (int j = 0; j < at_once; ++j) {
            sum[j] = sum_of_[first + j];
            squares[j] = squares_of_[first + j];
        }
        for (std::int64_t i = 0; i < extent; ++i, a += along_a, b += along_b)
            for (int j = 0; j < at_once; ++j) {
                const double product = static_cast<double>(a[j * Step]) * static_cast<double>(b[j]);
                sum[j] += product;
                squares[j] += product * product;
            }
        for (int j = 0; j < at_once; ++j) {
            sum_of_[first + j] = sum[j];
            squares_of_[first + j] = squares[j];
        }
    }

    // ---- tiles ----

    // Where results of the point's tile are kept; one for each result where tiles are of one.
    std::size_t tile_index(int tile) const
    {
        std::int64_t at = 0;
        for (int a : outer_) {
            const int side = is_tiled(a) ? tile : 1;
            at = at * ceil_div(s_.axes[a].extent, side) + point_[a] / side;
        }
        return static_cast<std::size_t>(at);
    }
    bool is_tiled(int axis) const { return winograd_ && (axis == conv_axis::oh || axis == conv_axis::ow); }
    // The largest of sum^2 + squares of each tile; not finite where one is not.
    std::vector<double> largest_in_tiles(int tile)
    {
        std::int64_t tiles = 1;
        for (int a : outer_) tiles *= ceil_div(s_.axes[a].extent, is_tiled(a) ? tile : 1);
        std::vector<double> largest(static_cast<std::size_t>(tiles), 0.0);
        std::size_t at = 0;
        each_point(1, [&] {
            std::int64_t ignored = 0;
            if (!place(s_.output, ignored)) return;
            const summands& own = sums_[at++];
            double& l = largest[tile_index(tile)];
            double size = own.sum * own.sum + own.squares;
            if (s_.reduce == reduction::max || s_.reduce == reduction::min || s_.reduce == reduction::none)
                size = std::isfinite(own.sum) ? 0 : size; // nothing is added
            l = std::isfinite(size) ? std::max(l, size) : std::numeric_limits<double>::infinity();
        });
        return largest;
    }

    // ---- values ----

    std::int64_t position(const dim_index& index) const
    {
        std::int64_t i = index.offset;
        for (const index_term& term : index.terms) i += term.coefficient * along(term.axis);
        return i;
    }
    std::int64_t along(int axis) const
    {
        const hone::axis& own = s_.axes[axis];
        return own.is_quotient() && !own.reduction ? steps_at(own, point_.data()).least : point_[axis];
    }
    // Where the point reads or writes; false outside of the tensor.
    bool place(const operand& o, std::int64_t& at) const { return place(o, d_.tensors[o.tensor], at); }
    // The same in another layout of that tensor.
    bool place(const operand& o, const tensor& t, std::int64_t& at) const
    {
        at = 0;
        for (std::size_t k = 0; k < o.index.size(); ++k) {
            const std::int64_t i = position(o.index[k]);
            if (i < 0 || i >= t.dims[k].extent) return false;
            at += i * t.dims[k].stride;
        }
        return true;
    }

    bounded value(const expr& e, const error_model& model) const
    {
        bounded v[expr::max_nodes];
        for (std::size_t i = 0; i < e.nodes.size(); ++i) {
            const expr_node& n = e.nodes[i];
            const auto of = [&](int operand) { return operand >= 0 ? v[operand] : bounded{}; };
            std::int64_t at = 0;
            switch (n.op) {
            case expr_op::constant: v[i] = {static_cast<double>(n.value)}; break;
            case expr_op::load: {
                const operand& o = s_.operands[n.ref];
                const float outside = rounded_to(d_.tensors[o.tensor].type, o.outside);
                const bool is_inside = place(o, at);
                const auto there = static_cast<std::size_t>(at);
                if (is_inside && is_made(o.tensor))
                    v[i] = made_[o.tensor][there];
                else
                    v[i] = {static_cast<double>(is_inside ? tensors_[o.tensor][there] : outside)};
                break;
            }
            case expr_op::accumulator: v[i] = sum_; break;
            case expr_op::position: v[i] = {static_cast<double>(position(s_.tables[n.ref].index))}; break;
            case expr_op::table: throw std::invalid_argument("hone::tune: a definition with tables has no exact loop");
            default: v[i] = bounded_word(n.op, of(n.a), of(n.b), of(n.c), model); break;
            }
            v[i] = flushed(v[i], model);
        }
        return v[e.root()];
    }
    // What is wider than the output is rounded once more.
    bounded stored(const bounded& v) const
    {
        const dtype type = d_.tensors[s_.output.tensor].type;
        return type == accumulator_ ? v : rounded(v, 1, format_of(type));
    }
    static float as_bound(double error)
    {
        const auto below = static_cast<float>(error);
        return std::isfinite(error) && static_cast<double>(below) < error
                   ? std::nextafter(below, std::numeric_limits<float>::infinity())
                   : below;
    }

    static constexpr double infinite = std::numeric_limits<double>::infinity();

    const definition& d_;
    const stage& s_;
    const std::vector<std::vector<float>>& tensors_;
    const made_tensors& made_;
    const bool winograd_ = winograd_applies(d_);
    const dtype accumulator_;
    const error_model of_bodies_;
    std::vector<std::int64_t> point_;
    std::vector<int> outer_{}, inner_{};
    std::vector<std::vector<char>> chosen_{}; // of each outer axis
    double summands_ = 1;
    bool sums_products_ = false;
    struct {
        tensor layout{};
        std::vector<float> copy{}; // none: as it was given
    } factors_[2]{};
    int strip_ = 1;
    int width_ = 1;
    double sum_of_[most_in_strip]{}, squares_of_[most_in_strip]{}, error_of_[most_in_strip]{};
    std::vector<summands> sums_{}; // of the chosen results
    bounded sum_{};                // the accumulator that the epilogue reads
};

} // namespace hone::tune
