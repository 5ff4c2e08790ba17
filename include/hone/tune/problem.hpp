// SPDX-License-Identifier: BSL-1.0
// Random operands of an operator and their exact results, by which every candidate is judged before it is timed.
// The results come from one strided loop over the operator's definition, in double: no schedule, no nest, no layout.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <hone/op/definition.hpp>

namespace hone::tune {

struct problem_operand {
    hone::role role = hone::role::none;
    std::vector<float> values{};
};

struct problem {
    std::vector<problem_operand> operands{}; // inputs, in the order of the definition's tensors
    std::vector<double> expected{};          // of the output; NaN where it must not be written
    double largest = 0;                      // largest |expected|

    const std::vector<float>* values_of(hone::role role) const
    {
        for (const problem_operand& o : operands)
            if (o.role == role) return &o.values;
        return nullptr;
    }
};

// Errors of candidates are relative to the largest result. Winograd F(4,3) stays below 2e-5, a lost tap is above 1e-3.
inline constexpr double tolerated_error = 1e-4;

// Largest |error| over largest |result|; infinity where an element was not written, or written against the rule.
inline double relative_error(const problem& p, const float* y)
{
    double worst = 0;
    for (std::size_t i = 0; i < p.expected.size(); ++i) {
        const auto found = static_cast<double>(y[i]);
        const bool untouched = std::isnan(p.expected[i]);
        if (untouched != std::isnan(found)) return std::numeric_limits<double>::infinity();
        if (!untouched) worst = std::max(worst, std::fabs(found - p.expected[i]));
    }
    return worst / p.largest;
}

// The strided loops of one stage.
class exact_stage {
public:
    exact_stage(const definition& d, const std::vector<std::vector<float>>& tensors)
        : d_(d), s_(d.stages[0]), tensors_(tensors), point_(s_.axes.size(), 0)
    {
        for (std::size_t a = 0; a < s_.axes.size(); ++a)
            (s_.axes[a].reduction ? inner_ : outer_).push_back(static_cast<int>(a));
        sums_products_ = !inner_.empty() && sums_products_along(inner_.back());
        if (sums_products_ && !outer_.empty() && moves_alone(outer_.back())) strip_ = most_in_strip;
    }

    void run(std::vector<double>& output) { outer(0, output); }

private:
    static constexpr int most_in_strip = 16;

    void outer(std::size_t depth, std::vector<double>& output)
    {
        if (depth == outer_.size()) {
            results(output);
            return;
        }
        auto& i = point_[outer_[depth]];
        const std::int64_t extent = s_.axes[outer_[depth]].extent;
        const std::int64_t step = depth + 1 == outer_.size() ? strip_ : 1;
        for (i = 0; i < extent; i += step) {
            width_ = static_cast<int>(std::min(step, extent - i));
            outer(depth + 1, output);
        }
    }

    // Of a strip of the last axis that is not reduced, which is alone where a strip is not possible.
    void results(std::vector<double>& output)
    {
        for (int j = 0; j < width_; ++j) sums_[j] = identity_of(s_.reduce);
        inner(0);
        for (int j = 0; j < width_; ++j) {
            std::int64_t at = 0;
            sum_ = sums_[j];
            if (place(s_.output, at)) output[static_cast<std::size_t>(at)] = value(s_.epilogue);
            if (strip_ > 1) ++point_[outer_.back()];
        }
        if (strip_ > 1) point_[outer_.back()] -= width_;
    }

    void inner(std::size_t depth)
    {
        if (depth + 1 == inner_.size() && sums_products_) {
            add_products(inner_[depth]);
            return;
        }
        if (depth < inner_.size()) {
            for (auto& i = point_[inner_[depth]] = 0; i < s_.axes[inner_[depth]].extent; ++i) inner(depth + 1);
            return;
        }
        const double v = value(s_.body);
        double& sum = sums_[0];
        sum = s_.reduce == reduction::max   ? std::max(sum, v)
              : s_.reduce == reduction::min ? std::min(sum, v)
              : s_.reduce == reduction::add ? sum + v
                                            : v;
    }

    // Whether the body is a product of two operands, summed, and this axis meets no padding in them: nearly all of the
    // work is such.
    bool sums_products_along(int axis) const
    {
        const auto& nodes = s_.body.nodes;
        return s_.reduce == reduction::add && nodes.size() == 3 && nodes[2].op == expr_op::mul &&
               nodes[0].op == expr_op::load && nodes[1].op == expr_op::load && moves_alone(axis);
    }
    // Whether no other axis moves in a dimension of the body's operands in which this one does.
    bool moves_alone(int axis) const
    {
        for (int k = 0; k < 2; ++k)
            for (const dim_index& index : s_.operands[s_.body.nodes[k].ref].index)
                for (const index_term& t : index.terms)
                    if (t.axis == axis && index.terms.size() != 1) return false;
        return true;
    }
    // What an operand's place moves by from one iteration of an axis to the next, at the point.
    std::int64_t step_of(const operand& o, int axis)
    {
        const std::int64_t last = s_.axes[axis].extent - 1, here = point_[axis];
        std::int64_t first = 0, end = 0;
        point_[axis] = last;
        place(o, end);
        point_[axis] = 0;
        place(o, first);
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
            std::int64_t first = 0;
            if (!place(o, first)) return; // padding: adds nothing
            data[k] = tensors_[o.tensor].data() + first;
            along_sum[k] = step_of(o, axis);
            if (strip_ > 1) along_strip[k] = step_of(o, outer_.back());
        }
        for (std::int64_t i = 0; i < s_.axes[axis].extent; ++i) {
            const float* const a = data[0] + i * along_sum[0];
            const float* const b = data[1] + i * along_sum[1];
            for (int j = 0; j < width_; ++j)
                sums_[j] += static_cast<double>(a[j * along_strip[0]]) * static_cast<double>(b[j * along_strip[1]]);
        }
    }

    // Where the point reads or writes; false outside of the tensor.
    bool place(const operand& o, std::int64_t& at) const
    {
        const tensor& t = d_.tensors[o.tensor];
        at = 0;
        for (std::size_t k = 0; k < o.index.size(); ++k) {
            std::int64_t i = o.index[k].offset;
            for (const index_term& term : o.index[k].terms) i += term.coefficient * point_[term.axis];
            if (i < 0 || i >= t.dims[k].extent) return false;
            at += i * t.dims[k].stride;
        }
        return true;
    }

    double value(const expr& e) const
    {
        double v[expr::max_nodes];
        for (std::size_t i = 0; i < e.nodes.size(); ++i) {
            const expr_node& n = e.nodes[i];
            const double a = n.a >= 0 ? v[n.a] : 0, b = n.b >= 0 ? v[n.b] : 0;
            std::int64_t at = 0;
            switch (n.op) {
            case expr_op::constant: v[i] = static_cast<double>(n.value); break;
            case expr_op::load: {
                const operand& o = s_.operands[n.ref];
                v[i] = place(o, at) ? static_cast<double>(tensors_[o.tensor][static_cast<std::size_t>(at)]) : 0.0;
                break;
            }
            case expr_op::accumulator: v[i] = sum_; break;
            case expr_op::table: throw std::invalid_argument("hone::tune: a definition with tables has no exact loop");
            case expr_op::neg: v[i] = -a; break;
            case expr_op::abs: v[i] = std::fabs(a); break;
            case expr_op::sqrt: v[i] = std::sqrt(a); break;
            case expr_op::add: v[i] = a + b; break;
            case expr_op::sub: v[i] = a - b; break;
            case expr_op::mul: v[i] = a * b; break;
            case expr_op::div: v[i] = a / b; break;
            case expr_op::min: v[i] = a < b ? a : b; break;
            case expr_op::max: v[i] = a < b ? b : a; break;
            }
        }
        return v[e.root()];
    }

    const definition& d_;
    const stage& s_;
    const std::vector<std::vector<float>>& tensors_;
    std::vector<std::int64_t> point_;
    std::vector<int> outer_{}, inner_{};
    bool sums_products_ = false;
    int strip_ = 1;
    int width_ = 1;
    double sums_[most_in_strip]{};
    double sum_ = 0; // the accumulator that the epilogue reads
};

// Operands uniform in [-1, 1) from the seed, the same on every machine.
inline problem problem_of(const definition& d, std::uint64_t seed)
{
    if (!d.found.ok()) throw std::invalid_argument(d.found.message());
    if (d.stages.size() != 1 || !d.parameters.empty())
        throw std::invalid_argument("hone::tune: only operators of one stage and fixed shape are measured");
    std::mt19937_64 bits(seed);
    problem p;
    std::vector<std::vector<float>> tensors;
    for (const tensor& t : d.tensors) {
        auto& values = tensors.emplace_back();
        if (t.role == role::output) continue;
        values.resize(static_cast<std::size_t>(t.elements()));
        for (float& v : values) v = static_cast<float>(static_cast<std::int64_t>(bits() >> 40) - (1 << 23)) * 0x1p-23f;
        p.operands.push_back({t.role, values});
    }
    const tensor& y = d.tensors[d.stages[0].output.tensor];
    p.expected.assign(static_cast<std::size_t>(y.elements()), std::numeric_limits<double>::quiet_NaN());
    exact_stage(d, tensors).run(p.expected);
    for (double v : p.expected)
        if (!std::isnan(v)) p.largest = std::max(p.largest, std::fabs(v));
    return p;
}

// A line of JSON, then the values. Written once a task, read by every child that measures it.
inline void save(const problem& p, const std::string& path)
{
    nlohmann::json head;
    for (const problem_operand& o : p.operands)
        head["operands"].push_back({{"role", static_cast<int>(o.role)}, {"elements", o.values.size()}});
    head["expected"] = p.expected.size();
    std::ofstream file(path, std::ios::binary);
    file << head.dump() << '\n';
    const auto write = [&](const auto& values) {
        file.write(reinterpret_cast<const char*>(values.data()),
                   static_cast<std::streamsize>(values.size() * sizeof values[0]));
    };
    for (const problem_operand& o : p.operands) write(o.values);
    write(p.expected);
    if (!file.flush()) throw std::runtime_error("hone::tune: cannot write " + path + ": " + std::strerror(errno));
}

inline problem load_problem(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::string line;
    if (!std::getline(file, line)) throw std::runtime_error("hone::tune: cannot read " + path);
    const auto head = nlohmann::json::parse(line);
    problem p;
    const auto read = [&](auto& values, const nlohmann::json& size) {
        values.resize(size.get<std::size_t>());
        file.read(reinterpret_cast<char*>(values.data()),
                  static_cast<std::streamsize>(values.size() * sizeof values[0]));
    };
    for (const auto& o : head.at("operands")) {
        p.operands.push_back({static_cast<role>(o.at("role").get<int>()), {}});
        read(p.operands.back().values, o.at("elements"));
    }
    read(p.expected, head.at("expected"));
    if (!file) throw std::runtime_error("hone::tune: " + path + " is cut short");
    for (double v : p.expected)
        if (!std::isnan(v)) p.largest = std::max(p.largest, std::fabs(v));
    return p;
}

} // namespace hone::tune
