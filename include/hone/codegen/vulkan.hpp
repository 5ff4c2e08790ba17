// SPDX-License-Identifier: BSL-1.0
// The GLSL compute shader of a nest: glsl_of(nest), one deterministic text, and launch_of (codegen/launch.hpp) beside
// it. It is written from the nest alone; what the text asks of the device is in the launch.
//
// Grid and lane loops become digits of the workgroup and invocation index, unrolled loops are written out, vector
// loops of 2 or 4 become vec2 and vec4, registers become local variables. Index arithmetic is hoisted to the loop
// where it last changes, so that innermost accesses read base + literal: drivers do that badly, lavapipe not at all.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hone/codegen/glsl.hpp>
#include <hone/codegen/launch.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

namespace hone {
namespace codegen {

inline std::string glsl_type(int width) { return width == 1 ? "float" : joined("vec", width); }

template <class Nest>
class glsl_printer {
public:
    explicit glsl_printer(const Nest& n)
        : nest_{n}, launch_{launch_of(n)}, values_(n.variables.size()), places_(n.variables.size()),
          uses_(n.buffers.size()), table_used_(n.table_accesses.size(), false)
    {
        name_variables();
        name_buffers();
        interval open[decltype(n.variables)::capacity + 1]{};
        find_uses(n.root, -1, 1, open);
    }

    std::string print()
    {
        siblings(nest_.root);
        return header() + "void main()\n{\n" + out_.main_body() + "}\n";
    }

private:
    // ---- what the whole nest says of its buffers and variables ----

    struct place {
        std::string name;
        int scope = 0; // where it is declared
    };
    struct buffer_use {
        std::string name;
        bool read = false, written = false;
        bool as_scalars = false; // some access is not a whole vector
        int width = 1;           // widest whole vector accessed
        bool shown[5]{};         // by width: the views that the text uses
        std::map<int, bool> registers;
    };

    void name_variables()
    {
        std::map<std::string, int> taken;
        for (std::size_t v = 0; v < places_.size(); ++v) {
            const variable& x = nest_.variables[v];
            std::string name = joined(glsl_identifier(x.name), '_', static_cast<int>(x.level));
            if (taken[name]++ > 0) name += joined('_', v);
            places_[v].name = name;
        }
    }
    void name_buffers()
    {
        std::map<std::string, int> taken;
        for (std::size_t b = 0; b < uses_.size(); ++b) {
            std::string name = glsl_identifier(nest_.buffers[b].name);
            if (taken[name]++ > 0) name += joined('_', b);
            uses_[b].name = name;
        }
    }

    void find_uses(int at, int vector, int width, interval* open)
    {
        for (; at >= 0; at = nest_.nodes[index(at)].next) {
            const node& x = nest_.nodes[index(at)];
            if (x.kind == node_kind::leaf) {
                const statement& s = nest_.statements[index(x.statement)];
                find_use(s.target, vector, width, open, s.reduce != reduction::none, true);
                for_each_load(nest_, s.value, [&](int a) { find_use(a, vector, width, open, true, false); });
            } else if (x.kind == node_kind::loop) {
                open[x.variable] = interval_of(nest_, x, open);
                const bool is_vector =
                    is_vector_loop(x) && !contains_loop(x.child) && has_uniform_guards(x.child, [&](const affine& c) {
                        return is_uniform(symbolic(c, x.variable), open[x.variable].least, vector_width(x));
                    });
                find_uses(x.child, is_vector ? x.variable : -1, is_vector ? vector_width(x) : 1, open);
            } else {
                find_uses(x.child, vector, width, open);
            }
        }
    }
    void find_use(int a, int vector, int width, const interval* open, bool reads, bool writes)
    {
        const access& x = nest_.accesses[index(a)];
        buffer_use& use = uses_[index(x.buffer)];
        use.read |= reads;
        use.written |= writes;
        bool whole = vector >= 0;
        if (whole) {
            whole = is_aligned_vector(symbolic(x.index, vector), open[vector].least, width);
            for (int i = 0; i < x.conditions.count; ++i)
                whole = whole && is_uniform(symbolic(condition(x.conditions, i), vector), open[vector].least, width);
        }
        if (!whole || (use.width != 1 && use.width != width)) use.as_scalars = true;
        if (whole && width > use.width) use.width = width;
    }

    // ---- affine forms as text ----

    struct term {
        std::string factor;
        std::int64_t coefficient = 0;
        int scope = 0;
        bool operator==(const term&) const = default;
    };
    // constant + terms + vector_coefficient * (variable of the vector loop).
    struct linear {
        std::int64_t constant = 0;
        std::int64_t vector_coefficient = 0;
        bool is_strided = false; // the variable of the vector loop is multiplied by a parameter in some term
        std::vector<term> terms{};
    };

    // Variables with one value are folded into the constant, with `fold`; the variable `vector` is left apart.
    linear make_linear(const affine& a, int vector, bool fold) const
    {
        linear r;
        r.constant = a.constant;
        for (int i = a.first; i < a.first + a.count; ++i) {
            const affine_term& t = nest_.terms[index(i)];
            if (t.variable >= 0 && t.variable == vector) {
                if (t.parameter < 0) {
                    r.vector_coefficient += t.coefficient;
                    continue;
                }
                r.is_strided = true;
            }
            std::int64_t coefficient = t.coefficient;
            std::string factor;
            int scope = 0;
            if (t.parameter >= 0) factor = parameter_name(t.parameter);
            if (t.variable >= 0) {
                const interval& v = values_[index(t.variable)];
                if (fold && v.constant()) {
                    coefficient *= v.least;
                } else {
                    scope = places_[index(t.variable)].scope;
                    factor = factor.empty() ? places_[index(t.variable)].name
                                            : joined(places_[index(t.variable)].name, " * ", factor);
                }
            }
            if (coefficient == 0) continue;
            if (factor.empty()) {
                r.constant += coefficient;
                continue;
            }
            bool merged = false;
            for (term& known : r.terms)
                if (known.factor == factor) {
                    known.coefficient += coefficient;
                    merged = true;
                }
            if (!merged) r.terms.push_back({factor, coefficient, scope});
        }
        std::erase_if(r.terms, [](const term& t) { return t.coefficient == 0; });
        return r;
    }
    linear symbolic(const affine& a, int vector) const { return make_linear(a, vector, false); }
    linear folded(const affine& a, int vector = -1) const { return make_linear(a, vector, true); }

    // Whether element f of a buffer, for a vector variable from `first` on, is one aligned vector.
    static bool is_aligned_vector(const linear& f, std::int64_t first, int width)
    {
        return f.vector_coefficient == 1 && !f.is_strided && is_multiple(f, width) && (f.constant + first) % width == 0;
    }
    static bool is_multiple(const linear& f, int width)
    {
        for (const term& t : f.terms)
            if (t.coefficient % width != 0) return false;
        return true;
    }
    // Whether `f >= 0` has one answer for all lanes of a vector whose variable starts at `first`.
    static bool is_uniform(const linear& f, std::int64_t first, int width)
    {
        if (f.is_strided) return false;
        if (f.vector_coefficient == 0) return true;
        if (!is_multiple(f, width)) return false;
        const std::int64_t base = f.constant + f.vector_coefficient * first;
        for (int j = 1; j < width; ++j)
            if (floor_div(base + f.vector_coefficient * j, width) != floor_div(base, width)) return false;
        return true;
    }

    static std::string sum(const std::string& base, const std::vector<term>& terms)
    {
        std::string r = base;
        for (const term& t : terms) {
            const std::int64_t size = t.coefficient < 0 ? -t.coefficient : t.coefficient;
            const std::string product = size == 1 ? t.factor : joined(size, " * ", t.factor);
            if (r.empty())
                r = t.coefficient < 0 ? joined('-', product) : product;
            else
                r = joined(r, t.coefficient < 0 ? " - " : " + ", product);
        }
        return r;
    }

    // The terms over `divisor`, which divides them, as one name (or nothing), each partial sum declared in the scope
    // that its last variable belongs to.
    std::string base_of(const linear& f, std::int64_t divisor = 1)
    {
        std::string base;
        std::vector<term> left = f.terms;
        while (!left.empty()) {
            int scope = left[0].scope;
            for (const term& t : left)
                if (t.scope < scope) scope = t.scope;
            std::vector<term> here;
            for (const term& t : left)
                if (t.scope == scope) here.push_back({t.factor, t.coefficient / divisor, t.scope});
            std::erase_if(left, [&](const term& t) { return t.scope == scope; });
            const std::string value = sum(base, here);
            const bool is_name = base.empty() && here.size() == 1 && here[0].coefficient == 1 &&
                                 here[0].factor.find(' ') == std::string::npos;
            base = is_name ? value : out_.hoisted(scope, "int", 'i', value);
        }
        return base;
    }
    static std::string offset(const std::string& base, std::int64_t constant)
    {
        if (base.empty()) return joined(constant);
        if (constant == 0) return base;
        return constant < 0 ? joined(base, " - ", -constant) : joined(base, " + ", constant);
    }
    std::string text_of(const affine& a)
    {
        const linear f = folded(a);
        return offset(base_of(f), f.constant);
    }

    std::string parameter_name(int p) const
    {
        return joined("p_", glsl_identifier(nest_.parameters[index(p)].name), '_', p);
    }

    // ---- conditions ----

    struct verdict {
        bool always = false, never = false;
        std::string text{};
    };

    const affine& condition(const range& r, int i) const { return nest_.conditions[index(r.first + i)]; }

    // `a >= 0`, decided by intervals where they suffice.
    verdict decide(const affine& a)
    {
        const interval i = interval_of(nest_, a, values_.data());
        if (i.least >= 0) return {.always = true};
        if (i.most < 0) return {.never = true};
        linear f = folded(a, vector_);
        // Uniform over the vector, else the statement would be printed for each component.
        if (vector_ >= 0) f.constant += f.vector_coefficient * values_[index(vector_)].least;
        return {.text = comparison(f)};
    }
    // f >= 0
    std::string comparison(linear f)
    {
        if (f.terms.empty()) return f.constant >= 0 ? "true" : "false";
        if (f.terms[0].coefficient > 0) return joined(base_of(f), " >= ", -f.constant);
        for (term& t : f.terms) t.coefficient = -t.coefficient;
        return joined(base_of(f), " <= ", f.constant);
    }
    verdict decide(const range& conditions)
    {
        verdict all{.always = true};
        for (int i = 0; i < conditions.count; ++i) {
            const verdict one = decide(condition(conditions, i));
            if (one.never) return one;
            if (!one.always) all = {.text = all.always ? one.text : joined(all.text, " && ", one.text)};
        }
        return all;
    }

    // ---- bounds ----

    std::string floor_text(const bound& b)
    {
        const std::string value = text_of(b.value);
        if (b.divisor == 1) return value;
        if (interval_of(nest_, b.value, values_.data()).least >= 0) return joined('(', value, ") / ", b.divisor);
        needs_floor_div_ = true;
        return joined("floor_div(", value, ", ", b.divisor, ')');
    }

    // The greatest of the lower or the least of the upper bounds; those that another one hides are left out.
    std::string bound_text(const range& r, bool lower)
    {
        if (r.count == 0) return "0";
        std::vector<interval> at;
        for (int i = 0; i < r.count; ++i) {
            const bound& b = nest_.bounds[index(r.first + i)];
            const interval v = interval_of(nest_, b.value, values_.data());
            at.push_back({floor_div(v.least, b.divisor), floor_div(v.most, b.divisor)});
        }
        std::string text;
        for (int i = 0; i < r.count; ++i) {
            bool hidden = false;
            for (int j = 0; j < r.count; ++j) {
                if (i == j) continue;
                const interval &mine = at[index(i)], &other = at[index(j)];
                const bool ties = lower ? mine.most == other.least : mine.least == other.most;
                const bool loses = lower ? mine.most <= other.least : mine.least >= other.most;
                hidden |= loses && (!ties || !mine.constant() || !other.constant() || j < i);
            }
            if (hidden) continue;
            const interval& v = at[index(i)];
            const std::string one = v.constant() ? joined(v.least) : floor_text(nest_.bounds[index(r.first + i)]);
            text = text.empty() ? one : joined(lower ? "max(" : "min(", text, ", ", one, ')');
        }
        return text;
    }

    // Whether a value known to lie in `v`, written `text`, is within the loop's bounds; "" where proven.
    std::string inside_text(const node& loop, const interval& v, const std::string& text)
    {
        std::string all;
        const auto add = [&](const std::string& one) { all = all.empty() ? one : joined(all, " && ", one); };
        for (const bool lower : {true, false}) {
            const range& r = lower ? loop.lower : loop.upper;
            for (int i = 0; i < r.count; ++i) {
                const bound& b = nest_.bounds[index(r.first + i)];
                const interval at = interval_of(nest_, b.value, values_.data());
                if (lower ? v.least >= floor_div(at.most, b.divisor) : v.most < floor_div(at.least, b.divisor))
                    continue;
                add(joined(text, lower ? " >= " : " < ",
                           at.constant() ? joined(floor_div(at.least, b.divisor)) : floor_text(b)));
            }
        }
        return all;
    }

    // ---- nodes ----

    void siblings(int at)
    {
        for (; at >= 0; at = nest_.nodes[index(at)].next) visit(at);
    }

    void visit(int at)
    {
        const node& x = nest_.nodes[index(at)];
        switch (x.kind) {
        case node_kind::loop: loop(at); break;
        case node_kind::guard: {
            const verdict v = decide(x.conditions);
            if (v.never) break;
            if (v.always) {
                siblings(x.child);
                break;
            }
            out_.open(joined("if (", v.text, ")"));
            siblings(x.child);
            out_.close();
            break;
        }
        case node_kind::tile: {
            const int outer = std::exchange(tile_scope_, out_.depth() + 1);
            auto outer_registers = std::move(registers_);
            registers_.clear();
            out_.open("");
            siblings(x.child);
            out_.close();
            registers_ = std::move(outer_registers);
            tile_scope_ = outer;
            break;
        }
        case node_kind::leaf: leaf(nest_.statements[index(x.statement)]); break;
        case node_kind::barrier:
            has_barrier_ = true;
            out_.line("memoryBarrierShared();");
            for (std::size_t b = 0; b < uses_.size(); ++b)
                if (uses_[b].written) {
                    out_.forget_loads(static_cast<int>(b));
                    if (is_storage(static_cast<int>(b)) && uses_[b].read) crosses_barrier_ = true;
                }
            if (crosses_barrier_) out_.line("memoryBarrierBuffer();");
            out_.line("barrier();");
            break;
        }
    }

    void loop(int at)
    {
        const node& x = nest_.nodes[index(at)];
        const interval span = interval_of(nest_, x, values_.data());
        if (span.most < span.least) return;
        const interval outer = values_[index(x.variable)];
        switch (x.bind) {
        case binding::serial: serial(x, span); break;
        case binding::unroll: unroll(x, span); break;
        case binding::vectorize:
            values_[index(x.variable)] = span;
            if (is_vector_loop(x) && !contains_loop(x.child) && has_uniform_guards(x.child, [&](const affine& c) {
                    return is_uniform_condition(c, x.variable, vector_width(x));
                })) {
                vector_ = x.variable;
                width_ = vector_width(x);
                siblings(x.child);
                vector_ = -1;
                width_ = 1;
            } else {
                unroll(x, span);
            }
            break;
        case binding::grid:
        case binding::lane: digit(at, span); break;
        case binding::parallel: reject("parallel loops have no meaning in a workgroup; bind grid or lane"); break;
        }
        values_[index(x.variable)] = outer;
    }

    void serial(const node& x, const interval& span)
    {
        values_[index(x.variable)] = span;
        if (span.constant() && has_constant_bounds(nest_, x)) {
            siblings(x.child);
            return;
        }
        const std::string& name = places_[index(x.variable)].name;
        const std::string lower = bound_text(x.lower, true);
        const std::string upper = bound_text(x.upper, false);
        has_loop_ = true;
        out_.open(joined("[[dont_unroll]] for (int ", name, " = ", lower, "; ", name, " < ", upper, "; ++", name, ')'));
        places_[index(x.variable)].scope = out_.depth();
        siblings(x.child);
        out_.close();
    }

    void unroll(const node& x, const interval& span)
    {
        for (std::int64_t v = span.least; v <= span.most; ++v) {
            values_[index(x.variable)] = {v, v};
            const std::string inside = inside_text(x, {v, v}, joined(v));
            if (!inside.empty()) out_.open(joined("if (", inside, ")"));
            siblings(x.child);
            if (!inside.empty()) out_.close();
        }
    }

    // grid, lane: one digit of the flattened index.
    void digit(int at, const interval& span)
    {
        const node& x = nest_.nodes[index(at)];
        const bool is_lane = x.bind == binding::lane;
        const std::int64_t extent = span.most - span.least + 1;
        const std::int64_t indices = is_lane ? nest_.lanes : static_cast<std::int64_t>(launch_.groups_x);
        std::string value = is_lane ? "gl_LocalInvocationIndex" : "gl_WorkGroupID.x";
        if (x.radix_stride != 1) value += joined(" / ", x.radix_stride, 'u');
        const bool covered = (indices - 1) / x.radix_stride < extent;
        if (!covered && !x.outermost) value += joined(" % ", extent, 'u');
        value = joined("int(", value, ')');
        if (span.least != 0) value += joined(span.least < 0 ? " - " : " + ", span.least < 0 ? -span.least : span.least);

        // Alone in its scope, the digit is declared there, else in a block of its own: siblings share variables.
        const int parent = x.parent;
        const std::string& name = places_[index(x.variable)].name;
        const bool alone = x.next < 0 && out_.at_start() && !out_.is_declared(name) &&
                           (parent < 0 ? at == nest_.root : nest_.nodes[index(parent)].child == at);
        if (!alone) out_.open("");
        const int scope = out_.depth();
        out_.declare_int(name, value);
        places_[index(x.variable)].scope = scope;
        const interval reached =
            covered || !x.outermost ? span : interval{span.least, span.least + (indices - 1) / x.radix_stride};
        std::string inside = inside_text(x, reached, name);
        values_[index(x.variable)] = span;
        if (!inside.empty()) out_.open(joined("if (", inside, ")"));
        siblings(x.child);
        if (!inside.empty()) out_.close();
        if (!alone) out_.close();
    }

    // ---- statements ----

    struct operand {
        std::string text{};
        int width = 1;
        bool is_literal = false;
        float number = 0;
    };
    static operand literal(float value) { return {.text = glsl_literal(value), .is_literal = true, .number = value}; }

    static std::string widened(const operand& x, int width)
    {
        return x.width == width ? x.text : joined(glsl_type(width), '(', x.text, ')');
    }

    void leaf(const statement& s)
    {
        if (vector_ < 0) {
            leaf_once(s);
            return;
        }
        const access& t = nest_.accesses[index(s.target)];
        const bool whole = is_whole(t);
        const bool scattered = s.reduce == reduction::none && mentions(t.index, vector_) && has_uniform_conditions(t);
        if (whole || scattered)
            leaf_once(s);
        else
            for_each_component([&](int) { leaf_once(s); });
    }

    template <class F>
    void for_each_component(F&& f)
    {
        const int vector = std::exchange(vector_, -1);
        const int width = std::exchange(width_, 1);
        const interval span = values_[index(vector)];
        for (int j = 0; j < width; ++j) {
            values_[index(vector)] = {span.least + j, span.least + j};
            f(j);
        }
        values_[index(vector)] = span;
        vector_ = vector;
        width_ = width;
    }

    void leaf_once(const statement& s)
    {
        const access& t = nest_.accesses[index(s.target)];
        const verdict v = decide(t.conditions);
        if (v.never) return;
        if (!v.always) out_.open(joined("if (", v.text, ")"));
        if (vector_ >= 0 && !is_whole(t)) {
            const operand value = evaluate(s.value);
            const std::string name = value.width == 1 ? value.text : out_.fresh('t');
            if (value.width != 1) out_.line(joined(glsl_type(value.width), ' ', name, " = ", value.text, ';'));
            for_each_component([&](int j) {
                const std::string part = value.width == 1 ? name : joined(name, '.', "xyzw"[j]);
                out_.line(joined(element(t.buffer, folded(t.index)), " = ", part, ';'));
            });
        } else {
            const int width = vector_ >= 0 ? width_ : 1;
            const std::string target = vector_ >= 0 ? whole_element(t) : element(t.buffer, folded(t.index));
            assign(s, target, width);
        }
        out_.forget_loads(t.buffer);
        if (!v.always) out_.close();
    }

    void assign(const statement& s, const std::string& target, int width)
    {
        const expr_node& root = nest_.exprs[index(s.value)];
        if (s.reduce == reduction::add && root.op == expr_op::mul) {
            operand a = evaluate(root.a);
            operand b = evaluate(root.b);
            if (b.is_literal) std::swap(a, b);
            if (a.is_literal && a.number == 0) return;
            if (a.is_literal && b.is_literal) {
                add_to(target, literal(a.number * b.number), width);
            } else if (a.is_literal && a.number == 1) {
                add_to(target, b, width);
            } else if (a.is_literal && a.number == -1) {
                out_.line(joined(target, " -= ", b.text, ';'));
            } else {
                out_.line(joined(target, " = fma(", widened(a, width), ", ", widened(b, width), ", ", target, ");"));
            }
            return;
        }
        const operand value = evaluate(s.value);
        switch (s.reduce) {
        case reduction::none: out_.line(joined(target, " = ", widened(value, width), ';')); break;
        case reduction::add: add_to(target, value, width); break;
        case reduction::max:
        case reduction::min: {
            const bool is_max = s.reduce == reduction::max;
            out_.line(joined(target, " = ", extremum(is_max, target, widened(value, width), width), ';'));
            break;
        }
        }
    }
    void add_to(const std::string& target, const operand& value, int)
    {
        if (value.is_literal && value.number == 0) return;
        out_.line(joined(target, " += ", value.text, ';'));
    }

    // min and max as ir/expr.hpp states them; the functions of GLSL leave NaN open.
    std::string extremum(bool is_max, const std::string& a, const std::string& b, int width)
    {
        (is_max ? needs_max_ : needs_min_)[width] = true;
        return joined(is_max ? "greater_of(" : "lesser_of(", a, ", ", b, ')');
    }

    operand evaluate(int at)
    {
        const expr_node& e = nest_.exprs[index(at)];
        switch (e.op) {
        case expr_op::constant: return literal(e.value);
        case expr_op::load: return load(nest_.accesses[index(e.ref)]);
        case expr_op::table: return table(e.ref);
        case expr_op::accumulator: reject("an epilogue's accumulator was not replaced"); return literal(0);
        default: break;
        }
        const operand a = evaluate(e.a);
        if (arity(e.op) == 1) {
            if (a.is_literal)
                return literal(e.op == expr_op::neg   ? -a.number
                               : e.op == expr_op::abs ? std::fabs(a.number)
                                                      : std::sqrt(a.number));
            if (e.op == expr_op::neg) return {.text = joined("(-", a.text, ')'), .width = a.width};
            return {.text = joined(e.op == expr_op::abs ? "abs(" : "sqrt(", a.text, ')'), .width = a.width};
        }
        const operand b = evaluate(e.b);
        return binary(e.op, a, b);
    }

    operand binary(expr_op op, const operand& a, const operand& b)
    {
        const int width = a.width > b.width ? a.width : b.width;
        if (a.is_literal && b.is_literal) {
            switch (op) {
            case expr_op::add: return literal(a.number + b.number);
            case expr_op::sub: return literal(a.number - b.number);
            case expr_op::mul: return literal(a.number * b.number);
            case expr_op::div: return literal(a.number / b.number);
            case expr_op::min: return literal(a.number < b.number ? a.number : b.number);
            default: return literal(a.number < b.number ? b.number : a.number);
            }
        }
        // Tables are small matrices with structural zeros and ones: their products cost nothing.
        if (op == expr_op::mul) {
            for (const auto& [x, y] : {std::pair(&a, &b), std::pair(&b, &a)}) {
                if (!x->is_literal) continue;
                if (x->number == 0) return literal(0);
                if (x->number == 1) return *y;
                if (x->number == -1) return {.text = joined("(-", y->text, ')'), .width = y->width};
            }
        }
        if (op == expr_op::add || op == expr_op::sub) {
            if (b.is_literal && b.number == 0) return a;
            if (a.is_literal && a.number == 0)
                return op == expr_op::add ? b : operand{.text = joined("(-", b.text, ')'), .width = b.width};
        }
        if (op == expr_op::min || op == expr_op::max)
            return {.text = extremum(op == expr_op::max, widened(a, width), widened(b, width), width), .width = width};
        const char sign = op == expr_op::add ? '+' : op == expr_op::sub ? '-' : op == expr_op::mul ? '*' : '/';
        return {.text = joined('(', a.text, ' ', sign, ' ', b.text, ')'), .width = width};
    }

    operand table(int t)
    {
        const table_access& x = nest_.table_accesses[index(t)];
        const linear f = folded(x.index, vector_);
        if (vector_ >= 0 && f.vector_coefficient != 0) return gathered([&] { return table(t); });
        const std::int64_t constant =
            f.constant + (vector_ >= 0 ? f.vector_coefficient * values_[index(vector_)].least : 0);
        if (f.terms.empty()) return literal(nest_.table_values[index(x.values.first + constant)]);
        table_used_[index(t)] = true;
        return {.text = joined("table_", t, '[', offset(base_of(f), constant), ']')};
    }

    template <class F>
    operand gathered(F&& part)
    {
        const int width = width_;
        std::string text = joined(glsl_type(width), '(');
        for_each_component([&](int j) { text += joined(j == 0 ? "" : ", ", part().text); });
        return {.text = text + ")", .width = width};
    }

    operand load(const access& a)
    {
        if (vector_ >= 0) {
            const bool uniform = has_uniform_conditions(a);
            const bool fixed = !mentions(a.index, vector_);
            if (!uniform || (!fixed && !is_whole(a))) return gathered([&] { return load(a); });
            if (!fixed) return loaded(a, whole_element(a), width_);
        }
        return loaded(a, element(a.buffer, folded(a.index)), 1);
    }

    // The value of the element, or 0 where the conditions fail; then element 0 is read instead, which exists, and
    // dropped: a branch around each load of a padded border costs more than the load.
    operand loaded(const access& a, const std::string& text, int width)
    {
        const verdict v = decide(a.conditions);
        if (v.never) return literal(0);
        const std::string type = glsl_type(width);
        const bool is_register = nest_.buffers[index(a.buffer)].memory == memory::registers;
        const bool stable = !uses_[index(a.buffer)].written;
        if (v.always) return {.text = is_register ? text : out_.loaded(a.buffer, stable, type, text), .width = width};
        const std::string zero = width == 1 ? "0.0" : joined(type, "(0.0)");
        const std::string holds = out_.hoisted(out_.depth(), "bool", 'c', v.text);
        std::string safe = text;
        if (const auto open = text.find('['); open != std::string::npos) {
            const auto close = text.find(']', open);
            safe = joined(text.substr(0, open + 1), holds, " ? ", text.substr(open + 1, close - open - 1), " : 0",
                          text.substr(close));
        }
        return {.text = out_.loaded(a.buffer, stable, type, joined(holds, " ? ", safe, " : ", zero)), .width = width};
    }

    // ---- elements ----

    // Whether the access, in the vector loop that is open, is one whole vector of a view that may be used.
    bool is_whole(const access& a)
    {
        if (vector_ < 0 || !has_uniform_conditions(a)) return false;
        const buffer_use& use = uses_[index(a.buffer)];
        if (is_storage(a.buffer)) {
            // Views of one binding may be assumed not to alias: where a buffer is read and written, one view only.
            if (use.as_scalars && use.read && use.written) return false;
        } else if (use.width != width_) {
            return false;
        }
        return is_aligned_vector(folded(a.index, vector_), values_[index(vector_)].least, width_);
    }

    std::string whole_element(const access& a)
    {
        const linear f = folded(a.index, vector_);
        const std::int64_t constant = (f.constant + values_[index(vector_)].least) / width_;
        if (nest_.buffers[index(a.buffer)].memory == memory::registers) return register_name(a.buffer, f, constant);
        uses_[index(a.buffer)].shown[width_] = true;
        return joined(view_name(a.buffer, width_), '[', offset(base_of(f, width_), constant), ']');
    }

    // Element f of a buffer, a float.
    std::string element(int b, const linear& f)
    {
        const bool is_register = nest_.buffers[index(b)].memory == memory::registers;
        const int width = is_storage(b) ? 1 : uses_[index(b)].width;
        const std::int64_t component = ((f.constant % width) + width) % width;
        const std::int64_t whole = floor_div(f.constant, width);
        if (is_register) {
            const std::string name = register_name(b, f, whole);
            return width == 1 ? name : joined(name, '.', "xyzw"[component]);
        }
        uses_[index(b)].shown[width] = true;
        const std::string view = view_name(b, width);
        if (width == 1) return joined(view, '[', offset(base_of(f), f.constant), ']');
        if (is_multiple(f, width)) return joined(view, '[', offset(base_of(f, width), whole), "].", "xyzw"[component]);
        const std::string i = joined('(', offset(base_of(f), f.constant), ')');
        return joined(view, '[', i, width == 4 ? " >> 2][" : " >> 1][", i, " & ", width - 1, ']');
    }

    std::string register_name(int b, const linear& f, std::int64_t number)
    {
        if (!f.terms.empty()) {
            reject("registers are indexed by unrolled and vectorized loops only");
            return "0.0";
        }
        const std::string name = joined("r_", uses_[index(b)].name, '_', number);
        if (registers_.try_emplace(name, true).second)
            out_.declare_register(tile_scope_, joined(glsl_type(uses_[index(b)].width), ' ', name, ';'));
        return name;
    }

    std::string view_name(int b, int width) const
    {
        return joined(memory_letter(b), uses_[index(b)].name, width == 1 ? "" : joined("_v", width));
    }
    std::string_view memory_letter(int b) const
    {
        return nest_.buffers[index(b)].memory == memory::workgroup ? "s_" : "b_";
    }

    // ---- questions ----

    static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

    bool is_storage(int b) const
    {
        return nest_.buffers[index(b)].memory == memory::argument ||
               nest_.buffers[index(b)].memory == memory::workspace;
    }
    bool is_vector_loop(const node& x) const
    {
        if (x.bind != binding::vectorize || !has_constant_bounds(nest_, x)) return false;
        const std::int64_t extent = extent_of(nest_, x);
        return extent == 2 || extent == 4;
    }
    int vector_width(const node& x) const { return static_cast<int>(extent_of(nest_, x)); }
    bool contains_loop(int at) const
    {
        for (; at >= 0; at = nest_.nodes[index(at)].next)
            if (nest_.nodes[index(at)].kind == node_kind::loop || contains_loop(nest_.nodes[index(at)].child))
                return true;
        return false;
    }
    bool mentions(const affine& a, int variable) const
    {
        for (int i = a.first; i < a.first + a.count; ++i)
            if (nest_.terms[index(i)].variable == variable && nest_.terms[index(i)].coefficient != 0) return true;
        return false;
    }
    bool is_uniform_condition(const affine& c, int vector, int width)
    {
        if (!mentions(c, vector)) return true;
        const interval i = interval_of(nest_, c, values_.data());
        if (i.least >= 0 || i.most < 0) return true;
        return is_uniform(folded(c, vector), values_[index(vector)].least, width);
    }
    bool has_uniform_conditions(const access& a)
    {
        for (int i = 0; i < a.conditions.count; ++i)
            if (!is_uniform_condition(condition(a.conditions, i), vector_, width_)) return false;
        return true;
    }
    // Whether all guards below have one answer for all lanes of a vector.
    template <class IsUniform>
    bool has_uniform_guards(int at, const IsUniform& is_uniform_guard) const
    {
        for (; at >= 0; at = nest_.nodes[index(at)].next) {
            const node& x = nest_.nodes[index(at)];
            for (int i = 0; i < (x.kind == node_kind::guard ? x.conditions.count : 0); ++i)
                if (!is_uniform_guard(condition(x.conditions, i))) return false;
            if (!has_uniform_guards(x.child, is_uniform_guard)) return false;
        }
        return true;
    }

    void reject(std::string_view why)
    {
        const std::string line = joined("#error hone::glsl_of: ", why, '\n');
        if (errors_.find(line) == std::string::npos) errors_ += line;
    }

    // ---- the text before main ----

    std::string header()
    {
        std::string r;
        if (has_loop_) r += "#extension GL_EXT_control_flow_attributes : require\n";
        r += joined("layout(local_size_x = ", nest_.lanes, ") in;\n");
        if (!nest_.parameters.empty()) {
            r += "layout(push_constant) uniform parameters {\n";
            for (std::size_t p = 0; p < nest_.parameters.size(); ++p)
                r += joined("    int ", parameter_name(static_cast<int>(p)), ";\n");
            r += "};\n";
        }
        int workspace = 0;
        for (const buffer& b : nest_.buffers)
            if (b.memory == memory::argument && b.position + 1 > workspace) workspace = b.position + 1;
        for (std::size_t i = 0; i < nest_.buffers.size(); ++i) {
            const buffer& b = nest_.buffers[i];
            const int number = static_cast<int>(i);
            switch (b.memory) {
            case memory::argument: r += storage(number, b.position); break;
            case memory::workspace: r += storage(number, workspace++); break;
            case memory::workgroup: r += shared(number); break;
            case memory::slot:
                reject("memory of a worker slot does not exist on a device; use workgroup memory");
                break;
            case memory::registers: break;
            }
        }
        for (std::size_t t = 0; t < table_used_.size(); ++t) {
            if (!table_used_[t]) continue;
            const range& v = nest_.table_accesses[t].values;
            r += joined("const float table_", t, '[', v.count, "] = float[", v.count, "](");
            for (int i = 0; i < v.count; ++i)
                r += joined(i == 0 ? "" : ", ", glsl_literal(nest_.table_values[index(v.first + i)]));
            r += ");\n";
        }
        if (needs_floor_div_) r += "int floor_div(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }\n";
        for (const int width : {1, 2, 4}) {
            const std::string type = glsl_type(width);
            const auto function = [&](std::string_view name, std::string_view yes, std::string_view no) {
                const std::string body = width == 1 ? joined("a < b ? ", yes, " : ", no)
                                                    : joined("mix(", no, ", ", yes, ", lessThan(a, b))");
                r += joined(type, ' ', name, '(', type, " a, ", type, " b) { return ", body, "; }\n");
            };
            if (needs_max_[width]) function("greater_of", "b", "a");
            if (needs_min_[width]) function("lesser_of", "a", "b");
        }
        return "#version 450\n" + errors_ + r;
    }

    std::string storage(int b, int binding)
    {
        std::string r;
        const buffer_use& use = uses_[index(b)];
        const std::string_view access = !use.written               ? "readonly "
                                        : !use.read                ? "writeonly "
                                        : has_barrier_ && use.read ? "coherent "
                                                                   : "";
        for (const int width : {1, 2, 4})
            if (use.shown[width]) {
                const std::string name = view_name(b, width);
                r += joined("layout(set = 0, binding = ", binding, ", std430) ", access, "buffer block_", name, " { ",
                            glsl_type(width), ' ', name, "[]; };\n");
            }
        return r;
    }

    std::string shared(int b)
    {
        const buffer_use& use = uses_[index(b)];
        const std::int64_t elements = interval_of(nest_, nest_.buffers[index(b)].elements, values_.data()).most;
        if (!use.shown[use.width]) return "";
        return joined("shared ", glsl_type(use.width), ' ', view_name(b, use.width), '[', ceil_div(elements, use.width),
                      "];\n");
    }

    const Nest& nest_;
    launch launch_;
    glsl_text out_;
    std::vector<interval> values_; // of the open variables
    std::vector<place> places_;
    std::vector<buffer_use> uses_;
    std::vector<bool> table_used_;
    std::map<std::string, bool> registers_; // declared in the open tile
    int tile_scope_ = 0;
    int vector_ = -1; // variable of the open vector loop
    int width_ = 1;
    bool has_loop_ = false, has_barrier_ = false, crosses_barrier_ = false, needs_floor_div_ = false;
    bool needs_max_[5]{}, needs_min_[5]{};
    std::string errors_;
};

} // namespace codegen

// The compute shader of a Vulkan nest, for target Vulkan 1.1: entry main, local_size_x = nest.lanes, set 0 with the
// arguments at their positions and the workspaces after them, run-time parameters as push-constant ints in order.
// Dispatch launch_of(nest) workgroups along x. Vector views need bindings aligned to 16 bytes.
// A nest that has no meaning here (parallel loops, slot memory, registers with a run-time index) gives a text that no
// compiler accepts, with the reason as an #error.
template <class Nest>
std::string glsl_of(const Nest& n)
{
    return codegen::glsl_printer<Nest>(n).print();
}

} // namespace hone
