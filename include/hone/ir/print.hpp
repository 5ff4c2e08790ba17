// SPDX-License-Identifier: BSL-1.0
// A nest as text that a person can read: buffers and tables first, then one line a node, indented as nested.
// It comes from the nest alone and is the same on every machine, so that tests may hold it to a text.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

constexpr const char* name_of(memory m)
{
    constexpr const char* names[] = {"argument", "workspace", "slot", "workgroup", "registers"};
    return names[static_cast<int>(m)];
}
constexpr const char* name_of(reduction r)
{
    constexpr const char* names[] = {"=", "+=", "max=", "min="};
    return names[static_cast<int>(r)];
}

template <class Nest>
class printer {
public:
    explicit printer(const Nest& n) : n_{n} {}

    std::string text()
    {
        header();
        siblings(n_.root, 0);
        return out_;
    }

private:
    // How strongly an expression holds together, weakest first.
    enum class strength : std::uint8_t { sum, product, unit };

    template <class Table>
    static const auto& at(const Table& table, int i)
    {
        return table[i];
    }
    static std::string number(std::int64_t value) { return std::to_string(value); }
    static std::string real(float value)
    {
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        return {digits.data(), end};
    }

    void line(int depth, std::string_view text)
    {
        out_.append(static_cast<std::size_t>(depth) * 2, ' ').append(text).push_back('\n');
    }

    void header()
    {
        std::string head = std::string{"// "} + (n_.set == isa::none ? "vulkan" : name_of(n_.set));
        head += ", vector length " + number(n_.vector_length);
        if (n_.set == isa::none) head += ", lanes " + number(n_.lanes);
        line(0, head);
        if (!n_.found.ok()) line(0, std::string{"// "} + n_.found.message() + " (" + n_.found.subject + ")");
        for (const parameter& p : n_.parameters)
            line(0, std::string{"// parameter "} + p.name + " in [" + number(p.least) + ", " + number(p.most) + "]");
        for (const buffer& b : n_.buffers) {
            std::string text = std::string{"// "} + b.name + ": " + name_of(b.memory);
            if (b.memory == memory::argument) text += " " + number(b.position);
            text += std::string{" "} + name_of(b.type) + "[" + form(b.elements) + "]";
            if (b.memory == memory::registers)
                text += ", registers " + number(b.first_register) + " to " + number(b.first_register + b.vectors - 1);
            line(0, text);
        }
        for (std::size_t i = 0; i < n_.table_values.size(); ++i) {
            if (i % 16 == 0) out_ += i == 0 ? "// table: " : "\n//        ";
            out_ += real(n_.table_values[i]);
            out_ += i + 1 == n_.table_values.size() ? "\n" : i % 16 == 15 ? "," : ", ";
        }
    }

    // axis.level; the stage, and in the last resort the index, only where another variable has the same name.
    std::string name(int v) const
    {
        const variable& own = at(n_.variables, v);
        bool is_shared = false;
        bool is_shared_in_stage = false;
        for (std::size_t i = 0; i < n_.variables.size(); ++i) {
            const variable& other = n_.variables[i];
            if (static_cast<int>(i) == v || other.level != own.level || std::string_view{other.name} != own.name)
                continue;
            is_shared = true;
            if (other.stage == own.stage) is_shared_in_stage = true;
        }
        std::string text = std::string{own.name} + "." + number(own.level);
        if (is_shared) text += "@" + number(own.stage);
        if (is_shared_in_stage) text += "#" + number(v);
        return text;
    }

    // |coefficient| * variable * parameter; (variable / divisor) where it is divided
    std::string term(const affine_term& t) const
    {
        const std::int64_t size = t.coefficient < 0 ? -t.coefficient : t.coefficient;
        std::string text;
        const auto factor = [&](const std::string& f) { text += (text.empty() ? "" : "*") + f; };
        if (t.variable >= 0)
            factor(t.divisor == 1 ? name(t.variable) : "(" + name(t.variable) + "/" + number(t.divisor) + ")");
        if (t.parameter >= 0) factor(at(n_.parameters, t.parameter).name);
        if (size != 1 || text.empty()) factor(number(size));
        return text;
    }

    static void append(std::string& sum, bool is_negative, const std::string& summand)
    {
        if (sum.empty())
            sum = (is_negative ? "-" : "") + summand;
        else
            sum += (is_negative ? " - " : " + ") + summand;
    }
    static void append(std::string& sum, std::int64_t constant)
    {
        if (constant != 0) append(sum, constant < 0, number(constant < 0 ? -constant : constant));
        if (sum.empty()) sum = "0";
    }

    // Terms, then the constant.
    std::string form(const affine& a) const
    {
        std::string sum;
        for (int i = a.first; i < a.first + a.count; ++i)
            append(sum, at(n_.terms, i).coefficient < 0, term(at(n_.terms, i)));
        append(sum, a.constant);
        return sum;
    }

    // value >= 0, with the negative terms on the left: a < b + c.
    std::string condition(const affine& a) const
    {
        std::string left;
        std::string right;
        for (int i = a.first; i < a.first + a.count; ++i) {
            const affine_term& t = at(n_.terms, i);
            append(t.coefficient < 0 ? left : right, false, term(t));
        }
        if (left.empty()) {
            append(right, 0);
            return right + " >= " + number(-a.constant);
        }
        append(right, a.constant + 1);
        return left + " < " + right;
    }
    std::string conditions(const range& all) const
    {
        std::string text;
        for (int i = all.first; i < all.first + all.count; ++i)
            text += (text.empty() ? "" : " && ") + condition(at(n_.conditions, i));
        return text;
    }

    std::string bounds(const range& all, const char* together) const
    {
        std::string text;
        for (int i = all.first; i < all.first + all.count; ++i) {
            const bound& b = at(n_.bounds, i);
            std::string value = form(b.value);
            if (b.divisor != 1) value = "floor((" + value + ") / " + number(b.divisor) + ")";
            text += (text.empty() ? "" : ", ") + value;
        }
        if (all.count == 0) text = "0";
        return all.count > 1 ? together + ("(" + text + ")") : text;
    }

    std::string element(const access& a, bool is_target) const
    {
        const std::string text = std::string{at(n_.buffers, a.buffer).name} + "[" + form(a.index) + "]";
        if (a.conditions.count == 0) return text;
        const std::string when = conditions(a.conditions);
        return is_target ? "if (" + when + ") " + text
                         : "(" + when + " ? " + text + " : " + (a.outside == 0 ? "0" : real(a.outside)) + ")";
    }

    std::string expression(int root, strength outer) const
    {
        const expr_node& e = at(n_.exprs, root);
        const auto joined = [&](const char* sign, strength left, strength right, strength own) {
            const std::string text = expression(e.a, left) + sign + expression(e.b, right);
            return own < outer ? "(" + text + ")" : text;
        };
        const auto call = [&] {
            std::string text = name_of(e.op);
            text += "(";
            text += expression(e.a, strength::sum);
            if (e.b >= 0) text += ", " + expression(e.b, strength::sum);
            if (e.c >= 0) text += ", " + expression(e.c, strength::sum);
            return text + ")";
        };
        switch (e.op) {
        case expr_op::constant: return real(e.value);
        case expr_op::load: return element(at(n_.accesses, e.ref), false);
        case expr_op::accumulator: return "acc";
        case expr_op::table: {
            const table_access& t = at(n_.table_accesses, e.ref);
            return "table[" + number(t.values.first) + " + " + form(t.index) + "]";
        }
        case expr_op::position: return "position(" + form(at(n_.table_accesses, e.ref).index) + ")";
        case expr_op::neg: return "-" + expression(e.a, strength::unit);
        case expr_op::add: return joined(" + ", strength::sum, strength::product, strength::sum);
        case expr_op::sub: return joined(" - ", strength::sum, strength::product, strength::sum);
        case expr_op::mul: return joined(" * ", strength::product, strength::unit, strength::product);
        case expr_op::div: return joined(" / ", strength::product, strength::unit, strength::product);
        default: return call();
        }
    }

    void siblings(int i, int depth)
    {
        for (; i >= 0; i = at(n_.nodes, i).next) {
            line(depth, head(at(n_.nodes, i)));
            siblings(at(n_.nodes, i).child, depth + 1);
        }
    }

    std::string head(const node& x) const
    {
        switch (x.kind) {
        case node_kind::loop: {
            std::string text = std::string{name_of(x.bind)} + " " + name(x.variable) + " in [" +
                               bounds(x.lower, "max") + ", " + bounds(x.upper, "min") + ")";
            if (x.bind != binding::grid && x.bind != binding::lane) return text;
            text += x.bind == binding::grid ? " from group" : " from lane";
            if (x.radix_stride != 1) text += " / " + number(x.radix_stride);
            return x.outermost ? text : text + " % extent";
        }
        case node_kind::guard: return "if " + conditions(x.conditions);
        case node_kind::tile: return "tile " + number(n_.registers) + " registers";
        case node_kind::leaf: {
            const statement& s = at(n_.statements, x.statement);
            return element(at(n_.accesses, s.target), true) + " " + name_of(s.reduce) + " " +
                   expression(s.value, strength::sum);
        }
        case node_kind::barrier: return "barrier";
        }
        return "?";
    }

    const Nest& n_;
    std::string out_;
};

// The nest as text. Conditions are turned so that both sides are sums; an access with conditions reads
// `(condition ? element : 0)`.
template <class Nest>
std::string print(const Nest& n)
{
    return printer<Nest>{n}.text();
}

} // namespace hone::ir

namespace hone { // API
using ir::name_of;
} // namespace hone
