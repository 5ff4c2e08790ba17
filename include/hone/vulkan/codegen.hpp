// SPDX-License-Identifier: BSL-1.0
// The GLSL compute shader of a nest: glsl_of(nest), one deterministic text, and launch_of (vulkan/launch.hpp) beside
// it. It is written from the nest alone; what the text asks of the device is in the launch.
//
// Grid and lane loops become digits of the workgroup and invocation index, unrolled loops are written out, vector
// loops of 2 or 4 become vec2 and vec4, registers become local variables. Index arithmetic is hoisted to the loop
// where it last changes, so that innermost accesses read base + literal: drivers do that badly, lavapipe not at all.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/c_indices.hpp>
#include <hone/vulkan/glsl.hpp>
#include <hone/vulkan/glsl_functions.hpp>
#include <hone/vulkan/glsl_views.hpp>
#include <hone/vulkan/launch.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {
// Prints the nodes and statements of one nest, once.
class glsl_printer : glsl_views {
public:
    explicit glsl_printer(const nest& n)
        : glsl_views{n}, launch_{launch_of(n)}, table_used_(n.table_accesses.size(), false)
    {
    }

    std::string print()
    {
        siblings(nest_.root);
        return header() + "void main()\n{\n" + out_.main_body() + "}\n";
    }

private:
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
        bool is_table = false; // a literal that is an entry of a table
    };
    static operand literal(float value) { return {.text = glsl_literal(value), .is_literal = true, .number = value}; }
    static operand table_entry(float value)
    {
        operand o = literal(value);
        o.is_table = true;
        return o;
    }

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
        // A vector stored in pieces; reductions into pieces are one statement for each.
        const bool scattered = s.reduce == reduction::none && mentions(t.index, vector_) && has_uniform_conditions(t);
        if (is_whole(t) || scattered)
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
        computed_.clear();
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
            if (a.is_table && a.number == 0) return;
            if (a.is_literal && b.is_literal) {
                add_to(target, literal(a.number * b.number));
            } else if (a.is_literal && a.number == 1) {
                add_to(target, b);
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
        case reduction::add: add_to(target, value); break;
        case reduction::max:
        case reduction::min: {
            const bool is_max = s.reduce == reduction::max;
            const operand old{.text = target, .width = width};
            const operand y = combined(is_max ? expr_op::max : expr_op::min, old, value, literal(0));
            out_.line(joined(target, " = ", y.text, ';'));
            break;
        }
        }
    }
    void add_to(const std::string& target, const operand& value)
    {
        if (value.is_literal && value.number == 0) return;
        out_.line(joined(target, " += ", value.text, ';'));
    }

    operand evaluate(int at)
    {
        const expr_node& e = nest_.exprs[index(at)];
        switch (e.op) {
        case expr_op::constant: return literal(e.value);
        case expr_op::load: return load(nest_.accesses[index(e.ref)]);
        case expr_op::table:
        case expr_op::position: return table(e.op, e.ref);
        case expr_op::accumulator: reject("an epilogue's accumulator was not replaced"); return literal(0);
        default: break;
        }
        const operand a = evaluate(e.a);
        const operand b = e.b >= 0 ? evaluate(e.b) : literal(0);
        const operand c = e.c >= 0 ? evaluate(e.c) : literal(0);
        if (a.is_literal && b.is_literal && c.is_literal) return literal(value_of(e.op, a.number, b.number, c.number));
        return combined(e.op, a, b, c);
    }

    operand combined(expr_op op, const operand& a, const operand& b, const operand& c)
    {
        const int width = std::max({a.width, b.width, c.width});
        // Tables are small matrices with structural zeros and ones: their products cost nothing. A zero that an
        // expression names is a number, and 0 times NaN is NaN.
        if (op == expr_op::mul) {
            for (const auto& [x, y] : {std::pair(&a, &b), std::pair(&b, &a)}) {
                if (!x->is_literal) continue;
                if (x->number == 0 && x->is_table) return table_entry(0);
                if (x->number == 1) return *y;
                if (x->number == -1) return {.text = joined("(-", y->text, ')'), .width = y->width};
            }
        }
        if (op == expr_op::add || op == expr_op::sub) {
            if (b.is_table && b.number == 0) return a;
            if (a.is_table && a.number == 0)
                return op == expr_op::add ? b : operand{.text = joined("(-", b.text, ')'), .width = b.width};
        }
        if (!is_glsl_function(op)) return {.text = spelled(word_of(op).glsl, a.text, b.text), .width = width};
        std::string text = joined(glsl_function_name(op), '(', widened(a, width));
        if (arity(op) > 1) text += joined(", ", widened(b, width));
        if (arity(op) > 2) text += joined(", ", widened(c, width));
        text += ')';
        needs_[static_cast<std::size_t>(op)][width] = true;
        if (word_of(op).cost == 1) return {.text = text, .width = width};
        // Expressions repeat what they use twice; what is dear is computed once.
        auto [known, is_new] = computed_.try_emplace(text);
        if (is_new) {
            known->second = out_.fresh('t');
            out_.line(joined(glsl_type(width), ' ', known->second, " = ", text, ';'));
        }
        return {.text = known->second, .width = width};
    }
    // A word's text with its operands in the place of a and b, where these stand alone.
    static std::string spelled(std::string_view text, const std::string& a, const std::string& b)
    {
        const auto is_letter = [&](std::size_t i) { return i < text.size() && text[i] >= 'A'; };
        std::string to;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool stands_alone = !is_letter(i + 1) && (i == 0 || !is_letter(i - 1));
            if (stands_alone && (text[i] == 'a' || text[i] == 'b'))
                to += text[i] == 'a' ? a : b;
            else
                to += text[i];
        }
        return to;
    }

    operand table(expr_op op, int t) // an entry of it, or the position that its index is
    {
        const table_access& x = nest_.table_accesses[index(t)];
        const linear f = folded(x.index, vector_);
        if (vector_ >= 0 && f.vector_coefficient != 0) return gathered([&] { return table(op, t); });
        if (op == expr_op::position && f.terms.empty()) return literal(static_cast<float>(f.constant));
        if (op == expr_op::position) return {.text = joined("float(", offset(base_of(f), f.constant), ')')};
        if (f.terms.empty()) return table_entry(nest_.table_values[index(x.values.first + f.constant)]);
        table_used_[index(t)] = true;
        return {.text = joined("c_table_", t, '[', offset(base_of(f), f.constant), ']')};
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

    // The value of the element, or what is outside where the conditions fail; then element 0 is read instead, which
    // exists, and dropped: a branch around each load of a padded border costs more than the load.
    operand loaded(const access& a, const std::string& text, int width)
    {
        const verdict v = decide(a.conditions);
        if (v.never) return literal(a.outside);
        const std::string type = glsl_type(width);
        const bool is_register = nest_.buffers[index(a.buffer)].memory == memory::registers;
        const bool converts = nest_.buffers[index(a.buffer)].type != dtype::f32;
        const auto as_value = [&](const std::string& read) { return converts ? joined(type, '(', read, ')') : read; };
        const bool stable = !uses_[index(a.buffer)].written;
        if (v.always)
            return {.text = is_register ? text : out_.loaded(a.buffer, stable, type, as_value(text)), .width = width};
        const std::string number = glsl_literal(a.outside),
                          outside = width == 1 ? number : joined(type, '(', number, ')');
        const std::string holds = out_.hoisted(scope_of(a.conditions), "bool", 'c', v.text);
        std::string safe = text;
        if (const auto open = text.find('['); open != std::string::npos) {
            const auto close = text.find(']', open);
            safe = joined(text.substr(0, open + 1), holds, " ? ", text.substr(open + 1, close - open - 1), " : 0",
                          text.substr(close));
        }
        return {.text = out_.loaded(a.buffer, stable, type, joined(holds, " ? ", as_value(safe), " : ", outside)),
                .width = width};
    }
    // ---- the text before main ----

    std::string header()
    {
        std::string r;
        if (has_loop_) r += "#extension GL_EXT_control_flow_attributes : require\n";
        if (std::any_of(nest_.buffers.begin(), nest_.buffers.end(),
                        [](const buffer& b) { return b.type == dtype::f16; }))
            r += "#extension GL_EXT_shader_16bit_storage : require\n";
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
            r += joined("const float c_table_", t, '[', v.count, "] = float[", v.count, "](");
            for (int i = 0; i < v.count; ++i)
                r += joined(i == 0 ? "" : ", ", glsl_literal(nest_.table_values[index(v.first + i)]));
            r += ");\n";
        }
        if (needs_floor_div_) r += "int floor_div(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }\n";
        for (const int width : {1, 2, 4})
            for (std::size_t i = std::size(expr_words); i-- > 0;)
                if (needs_[i][width]) r += glsl_function(expr_words[i].op, width);
        return "#version 450\n" + errors_ + r;
    }

    launch launch_;
    std::vector<bool> table_used_;
    bool has_loop_ = false, crosses_barrier_ = false;
    bool needs_[std::size(expr_words)][5]{};        // functions of words, by width
    std::map<std::string, std::string> computed_{}; // of the statement under print: text -> name
};

// The compute shader of a Vulkan nest, for target Vulkan 1.1: entry main, local_size_x = nest.lanes, set 0 with the
// arguments at their positions and the workspaces after them, run-time parameters as push-constant ints in order.
// Dispatch launch_of(nest) workgroups along x. Vector views need bindings aligned to 16 bytes.
// A nest that has no meaning here (parallel loops, slot memory, registers with a run-time index) gives a text that no
// compiler accepts, with the reason as an #error.
template <class Nest>
std::string glsl_of(const Nest& n)
{
    if constexpr (std::is_same_v<Nest, nest>)
        return glsl_printer(n).print();
    else
        return glsl_of(resized<nest_sizes{}>(n));
}

} // namespace hone::codegen
