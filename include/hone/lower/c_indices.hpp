// SPDX-License-Identifier: BSL-1.0
// Index arithmetic of a nest as text of a language of C's family: affine forms, conditions and bounds for the loops
// that are open, with what is constant folded, what intervals prove left out, and every partial sum declared where its
// last variable is.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/c_text.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

// What such a language calls its own. All have int, max and min; floor_div is the printer's to define.
struct c_dialect {
    std::string_view printer{};  // in what it rejects: "hone::glsl_of"
    std::string_view reserved{}; // no name begins so; not empty
};

// The open loops of a nest under print, and the text so far.
class c_indices {
protected:
    struct place {
        std::string name;
        int scope = 0; // where it is declared
    };

    c_indices(const nest& n, c_dialect dialect)
        : nest_{n}, dialect_(dialect), values_(n.variables.size()), places_(n.variables.size())
    {
        name_variables();
    }

    static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

    void reject(std::string_view why)
    {
        const std::string line = joined("#error ", dialect_.printer, ": ", why, '\n');
        if (errors_.find(line) == std::string::npos) errors_ += line;
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
        return joined("p_", c_identifier(nest_.parameters[index(p)].name, dialect_.reserved), '_', p);
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

    // The outermost scope in which what is not decided of these conditions is constant.
    int scope_of(const range& conditions) const
    {
        int scope = 0;
        for (int i = 0; i < conditions.count; ++i) {
            const affine& a = condition(conditions, i);
            const interval v = interval_of(nest_, a, values_.data());
            if (v.least >= 0) continue;
            for (const term& t : folded(a, vector_).terms)
                if (t.scope > scope) scope = t.scope;
        }
        return scope;
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

    // ---- vectors ----

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

    const nest& nest_;
    const c_dialect dialect_;
    c_text out_;
    std::vector<interval> values_; // of the open variables; one value: a literal
    std::vector<place> places_;
    int vector_ = -1; // variable of the open vector loop
    int width_ = 1;   // its extent
    bool needs_floor_div_ = false;
    std::string errors_;

private:
    // Letters and digits, then _level: no other name has a digit behind its first underscore.
    void name_variables()
    {
        std::set<std::string> taken;
        for (std::size_t v = 0; v < places_.size(); ++v) {
            const variable& x = nest_.variables[v];
            std::string name = c_identifier(x.name, dialect_.reserved);
            std::erase(name, '_');
            name += joined('_', static_cast<int>(x.level));
            if (!taken.insert(name).second) taken.insert(name += joined('_', v));
            places_[v].name = name;
        }
    }
};

} // namespace hone::codegen
