// SPDX-License-Identifier: BSL-1.0
// Whether an affine form is never negative where a leaf stands, from the bounds of the loops around it, the guards and
// the conditions of an access: what proves that an index stays in its buffer.
//
//     for i in [0, 8), j in [0, min(8, 60 - 8 i)): y[8 i + j] of 60 elements
//     the form 59 - 8 i - j is at least 59 - 56 - 7 by intervals; less the fact 60 - 8 i - 1 - j >= 0 it is 0
//
// A fact g >= 0 may be subtracted from a form as often as cancels a term: f - c g >= 0 proves f. The fact that leaves
// the largest least value is taken first, until intervals suffice or nothing helps. Terms times a parameter, as strides
// that a call gives, take the facts times that parameter: of row i of an image, h - 1 - i >= 0 says that h * w - w - w
// i is not negative, where h * w is a parameter, too.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/fault.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

template <class Nest>
class bounds_proof {
public:
    explicit constexpr bounds_proof(const Nest& n) : n_{n}
    {
        for (const affine_term& t : n.terms) divides_ = divides_ || t.divisor != 1;
    }

    // The values that the variable of a loop takes: never negative where a lower bound is proved not to be, whatever
    // intervals say of floor((m - 8 i) / 4) inside of i < floor((m + 7) / 8).
    constexpr interval values_of(const node& loop, const interval* variables) const
    {
        interval i = interval_of(n_, loop, variables);
        for (int b = loop.lower.first; i.least < 0 && b < loop.lower.first + loop.lower.count; ++b) {
            form lower;
            add(lower, n_.bounds[b].value, 1);
            if (is_never_negative(lower, variables)) i.least = 0;
        }
        return i;
    }
    // Opens a loop; `variables` hold the interval of its variable. close(mark) forgets what was opened since mark().
    constexpr int mark() const { return facts_; }
    constexpr void close(int mark) { facts_ = mark; }
    constexpr void open(const node& loop, const interval* variables)
    {
        const auto variable = [&](std::int64_t sign) { return term(loop.variable, -1, sign); };
        const interval i = variables[loop.variable];
        add_fact(variable(1), -i.least);
        add_fact(variable(-1), i.most);
        // v < floor(u / d) is u - d - d v >= 0, and v >= floor(l / d) is d v - l + d - 1 >= 0.
        for (int b = loop.upper.first; b < loop.upper.first + loop.upper.count; ++b)
            if (const bound& u = n_.bounds[b]; u.value.count > 0) {
                form f = variable(-u.divisor);
                add(f, u.value, 1);
                add_fact(f, -u.divisor);
            }
        for (int b = loop.lower.first; b < loop.lower.first + loop.lower.count; ++b)
            if (const bound& l = n_.bounds[b]; l.value.count > 0) {
                form f = variable(l.divisor);
                add(f, l.value, -1);
                add_fact(f, l.divisor - 1);
            }
    }
    constexpr void assume(const range& conditions)
    {
        for (int c = conditions.first; c < conditions.first + conditions.count; ++c) {
            form f;
            add(f, n_.conditions[c], 1);
            add_fact(f, 0);
        }
    }

    // Whether one of these conditions never holds where all that is known does: what they guard is never reached. Of a
    // row that lies in the padding altogether "0 >= 1" is left.
    constexpr bool is_contradiction(const range& conditions, const interval* variables) const
    {
        for (int c = conditions.first; c < conditions.first + conditions.count; ++c) {
            form f; // -1 - condition
            add(f, n_.conditions[c], -1);
            f.constant -= 1;
            if (is_never_negative(f, variables)) return true;
        }
        return false;
    }
    // Whether 0 <= index < elements.
    constexpr bool is_inside(const affine& index, const affine& elements, const interval* variables) const
    {
        form lower;
        add(lower, index, 1);
        form upper;
        add(upper, elements, 1);
        add(upper, index, -1);
        upper.constant -= 1;
        return is_never_negative(lower, variables) && is_never_negative(upper, variables);
    }

private:
    static constexpr int most_terms = 24;
    static constexpr int most_facts = 128;
    static constexpr int most_steps = 24;
    static constexpr std::int64_t most_coefficient = std::int64_t{1} << 30; // products of two stay far from overflow

    struct form {
        std::int64_t constant = 0;
        int count = 0;
        bool is_exact = true; // it had room for all of its terms
        affine_term terms[most_terms]{};
    };

    static constexpr form term(int variable, int parameter, std::int64_t coefficient)
    {
        form f;
        f.terms[f.count++] = {static_cast<std::int16_t>(variable), static_cast<std::int16_t>(parameter), coefficient};
        return f;
    }
    static constexpr bool is_like(const affine_term& a, const affine_term& b)
    {
        return a.variable == b.variable && a.parameter == b.parameter && a.divisor == b.divisor;
    }
    // Parameters of one value are that, and products with them multiples of the other factor.
    constexpr void add(form& f, affine_term t, std::int64_t times) const
    {
        while (t.parameter >= 0) {
            const hone::parameter& p = n_.parameters[t.parameter];
            const auto is_one = [&](int i) { return i >= 0 && n_.parameters[i].least == n_.parameters[i].most; };
            const bool is_first = is_one(p.first_factor);
            if (is_one(t.parameter)) {
                t.coefficient *= p.least;
                t.parameter = -1;
            } else if (is_first || is_one(p.second_factor)) {
                t.coefficient *= n_.parameters[is_first ? p.first_factor : p.second_factor].least;
                t.parameter = is_first ? p.second_factor : p.first_factor;
            } else {
                break;
            }
        }
        if (t.variable < 0 && t.parameter < 0) {
            f.constant += times * t.coefficient;
            return;
        }
        for (int i = 0; i < f.count; ++i)
            if (is_like(f.terms[i], t)) {
                f.terms[i].coefficient += times * t.coefficient;
                if (f.terms[i].coefficient == 0) f.terms[i] = f.terms[--f.count];
                return;
            }
        if (t.coefficient == 0 || times == 0) return;
        if (f.count == most_terms) {
            f.is_exact = false;
            return;
        }
        f.terms[f.count] = t;
        f.terms[f.count++].coefficient *= times;
    }
    constexpr void add(form& f, const affine& a, std::int64_t times) const
    {
        f.constant += times * a.constant;
        for (int i = a.first; i < a.first + a.count; ++i) add(f, n_.terms[i], times);
    }
    // Of whole numbers: 19 - 16 i - 8 j >= 0 says that 16 - 16 i - 8 j is, too.
    constexpr void add_fact(form f, std::int64_t constant)
    {
        f.constant += constant;
        std::int64_t common = 0;
        for (int i = 0; i < f.count; ++i) common = greatest_common_divisor(magnitude(f.terms[i].coefficient), common);
        if (common > 1) f.constant = floor_div(f.constant, common) * common;
        if (f.is_exact && facts_ < most_facts) fact_[facts_++] = f;
        add_dividends(f);
        if (!divides_) return;
        for (const affine_term& t : n_.terms)
            if (t.divisor != 1) add_divided(f, t);
    }
    // Of q - 1 - i >= 0, where the parameter q is floor((h + 1) / 2): h - 1 - 2 i >= 0, too.
    constexpr void add_dividends(form f)
    {
        for (int i = 0; i < f.count; ++i) {
            const affine_term t = f.terms[i];
            if (t.variable >= 0 || t.parameter < 0 || t.coefficient < 0) continue;
            const hone::parameter& q = n_.parameters[t.parameter];
            if (q.dividend < 0 || q.is_share) continue;
            add(f, t, -1);
            scale(f, q.divisor);
            add(f, affine_term{-1, q.dividend, q.times}, t.coefficient);
            add_fact(f, t.coefficient * q.added);
            return;
        }
    }
    // Of 27 - 8 i - v >= 0 with a term v / 4: 6 - 2 i - v / 4 >= 0, too; and of 8 i + v - 5 >= 0, 2 i + v / 4 - 1.
    constexpr void add_divided(form f, const affine_term& of)
    {
        bool is_bound = f.is_exact;
        const std::int64_t sign = coefficient(f, {of.variable});
        for (int i = 0; i < f.count; ++i) {
            affine_term& t = f.terms[i];
            if (t.variable == of.variable) {
                is_bound = is_bound && magnitude(t.coefficient) == 1 && t.parameter < 0 && t.divisor == 1;
                t.divisor = of.divisor;
            } else {
                is_bound = is_bound && t.coefficient % of.divisor == 0;
                t.coefficient /= of.divisor;
            }
        }
        f.constant = sign < 0 ? floor_div(f.constant, of.divisor) : -floor_div(-f.constant, of.divisor);
        if (is_bound && sign != 0 && facts_ < most_facts) fact_[facts_++] = f;
    }

    // By intervals of its variables and parameters.
    constexpr std::int64_t least(const form& f, const interval* variables) const
    {
        std::int64_t sum = f.constant;
        for (int i = 0; i < f.count; ++i) {
            const affine_term& t = f.terms[i];
            const interval v = divided(t, variables);
            const interval p = t.parameter < 0
                                   ? interval{1, 1}
                                   : interval{n_.parameters[t.parameter].least, n_.parameters[t.parameter].most};
            const std::int64_t corners[] = {v.least * p.least, v.least * p.most, v.most * p.least, v.most * p.most};
            std::int64_t smallest = t.coefficient * corners[0];
            for (const std::int64_t c : corners)
                if (t.coefficient * c < smallest) smallest = t.coefficient * c;
            sum += smallest;
        }
        return sum;
    }

    // The parameter that is the product of two; -1: none. Products with a parameter that is 1 are the other factor.
    constexpr int product_of_both(int a, int b) const
    {
        const auto without_ones = [&](int i) {
            const auto is_one = [&](int factor) { return factor >= 0 && n_.parameters[factor].most == 1; };
            for (;;) {
                const hone::parameter& p = n_.parameters[i];
                if (!is_one(p.first_factor) && !is_one(p.second_factor)) return i;
                i = is_one(p.first_factor) ? p.second_factor : p.first_factor;
            }
        };
        const auto is_factor = [&](int factor, int of) { return without_ones(factor) == without_ones(of); };
        for (std::size_t p = 0; p < n_.parameters.size(); ++p) {
            const hone::parameter& own = n_.parameters[p];
            if (own.first_factor < 0) continue;
            if ((is_factor(own.first_factor, a) && is_factor(own.second_factor, b)) ||
                (is_factor(own.first_factor, b) && is_factor(own.second_factor, a)))
                return static_cast<int>(p);
        }
        return -1;
    }

    // What becomes of the parameters of a fact that is multiplied by one.
    enum class factors : std::uint8_t {
        bounds,   // each takes the bound that keeps the fact true
        products, // a product with the other; where that is no parameter, the fact is none
        either,   // a product or a bound
    };
    // The fact times a parameter. Not exact where it has products already, or the parameter may be negative.
    constexpr form times_parameter(const form& fact, int parameter, factors of) const
    {
        form r;
        std::int64_t constant = fact.constant;
        r.is_exact = n_.parameters[parameter].least >= 0;
        for (int i = 0; i < fact.count; ++i) {
            affine_term t = fact.terms[i];
            const int product =
                of != factors::bounds && t.parameter >= 0 ? product_of_both(t.parameter, parameter) : -1;
            if (t.parameter >= 0 && t.variable >= 0 && product < 0) r.is_exact = false;
            if (product >= 0) {
                t.parameter = static_cast<std::int16_t>(product);
                add(r, t, 1);
            } else if (t.parameter >= 0) {
                if (of == factors::products) r.is_exact = false;
                const hone::parameter& p = n_.parameters[t.parameter];
                constant += t.coefficient * (t.coefficient > 0 ? p.most : p.least);
            } else {
                t.parameter = static_cast<std::int16_t>(parameter);
                add(r, t, 1);
            }
        }
        add(r, affine_term{-1, static_cast<std::int16_t>(parameter), constant}, 1);
        return r;
    }

    // Which fact is taken, of those that help: what the best one leaves may be out of reach.
    enum class choice : std::uint8_t {
        best,  // that leaves the largest least value, of those that do the innermost one
        first, // the outermost, for the first term that has one
    };

    // Makes a form no larger where no fact helps: a product of parameters is at least the least of one times the other,
    // and a quotient times its divisor at most what is divided.
    constexpr bool relax(form& f) const
    {
        for (int i = 0; i < f.count; ++i) {
            const affine_term t = f.terms[i];
            if (t.variable >= 0) continue;
            const hone::parameter& p = n_.parameters[t.parameter];
            if (p.first_factor >= 0 && t.coefficient > 0) {
                bool is_second = false; // the one that other terms have stays, or have a factor of
                for (int j = 0; j < f.count; ++j)
                    if (const std::int16_t own = f.terms[j].parameter; own >= 0)
                        is_second |= own == p.second_factor || own == n_.parameters[p.second_factor].second_factor;
                for (int k = 0; k < facts_; ++k) // or bounds a variable of them
                    for (int j = 0; j < f.count && coefficient(fact_[k], {-1, p.second_factor}) > 0; ++j)
                        is_second |= f.terms[j].variable >= 0 && coefficient(fact_[k], f.terms[j]) < 0;
                const std::int16_t of = is_second ? p.first_factor : p.second_factor,
                                   stays = is_second ? p.second_factor : p.first_factor;
                add(f, t, -1);
                add(f, affine_term{-1, stays, n_.parameters[of].least}, t.coefficient);
                return true;
            }
            if (p.dividend >= 0 && !p.is_share && t.coefficient < 0) {
                add(f, t, -1);
                scale(f, p.divisor);
                add(f, affine_term{-1, p.dividend, p.times}, t.coefficient);
                f.constant += t.coefficient * p.added;
                return true;
            }
        }
        return false;
    }

    // Each variable beside a parameter at its end: of products of parameters that tells what no interval does.
    constexpr bool is_proved_at_ends(const form& f, const interval* variables, choice by) const
    {
        form r;
        r.constant = f.constant;
        for (int i = 0; i < f.count; ++i) {
            affine_term t = f.terms[i];
            if (t.variable >= 0 && t.parameter >= 0) {
                if (n_.parameters[t.parameter].least < 0) return false;
                const interval v = divided(t, variables);
                t = {-1, t.parameter, t.coefficient * (t.coefficient < 0 ? v.most : v.least)};
            }
            add(r, t, 1);
        }
        do
            if (!is_small(r) || is_proved(r, variables, factors::bounds, by)) return is_small(r);
        while (relax(r));
        return false;
    }

    // Facts times a parameter first with bounds for their own parameters, then with products alone, then with either.
    // What does not suffice so, with the value of each variable that has one: facts of that row name no variable.
    constexpr bool is_never_negative(const form& f, const interval* variables) const
    {
        const auto is_found = [&](const form& g) {
            for (const choice by : {choice::best, choice::first})
                for (const factors of : {factors::bounds, factors::products, factors::either})
                    if (is_proved(g, variables, of, by)) return true;
            return false;
        };
        form known{.constant = f.constant, .is_exact = f.is_exact};
        bool is_other = false;
        for (int i = 0; i < f.count; ++i) {
            const affine_term t = f.terms[i];
            const interval v = t.variable < 0 ? interval{0, 1} : divided(t, variables);
            is_other = is_other || v.least == v.most;
            add(known, v.least == v.most ? affine_term{-1, t.parameter, t.coefficient * v.least} : t, 1);
        }
        return is_found(f) || (is_other && is_found(known));
    }
    constexpr bool is_proved(form f, const interval* variables, factors of, choice by) const
    {
        const bool makes_products = of != factors::bounds;
        for (int step = 0; f.is_exact && step < most_steps; ++step) {
            const std::int64_t now = least(f, variables);
            if (now >= 0 || (makes_products && is_proved_at_ends(f, variables, by))) return true;
            form best;
            std::int64_t best_least = now;
            std::int64_t best_scale = 1;
            // Terms of parameters alone where no variable helps.
            for (int i = 0; i < f.count || (i < 2 * f.count && best_least == now); ++i) {
                const affine_term& t = f.terms[i % f.count];
                if ((t.variable < 0) != (i >= f.count)) continue;
                const bool is_alone = t.variable < 0 || t.parameter < 0;
                const int factor = t.parameter < 0 ? -1 : n_.parameters[t.parameter].second_factor;
                const int other = t.parameter < 0 ? -1 : n_.parameters[t.parameter].first_factor;
                // A fact as it is, or times the parameter with bounds or products in it, or times a factor of it.
                const bool has_factor = makes_products && factor >= 0;
                const bool has_bounds = !is_alone && of == factors::either;
                const int ways = 1 + (has_bounds ? 1 : 0) + (has_factor ? (is_alone ? 1 : 2) : 0);
                const auto fact_of = [&](const form& own, int way) {
                    if (way == 0) return is_alone ? own : times_parameter(own, t.parameter, of);
                    if (has_bounds && way == 1) return times_parameter(own, t.parameter, factors::bounds);
                    const bool is_last = !is_alone && way == ways - 1;
                    return times_parameter(own, is_last ? other : factor, factors::products);
                };
                // The innermost loops were opened last.
                for (int at = 0; at < ways * facts_ && (by == choice::best || best_least == now); ++at) {
                    const int k = by == choice::first ? at : ways * facts_ - 1 - at;
                    const form fact = fact_of(fact_[k / ways], k % ways);
                    const std::int64_t b = coefficient(fact, t);
                    if (!fact.is_exact || b == 0 || (b > 0) != (t.coefficient > 0)) continue;
                    // |b| f - |a| g, of which the term is gone.
                    const std::int64_t of_f = magnitude(b), of_g = magnitude(t.coefficient);
                    const std::int64_t common = greatest_common_divisor(of_f, of_g);
                    form r = f;
                    scale(r, of_f / common);
                    r.constant -= of_g / common * fact.constant;
                    for (int j = 0; j < fact.count; ++j) add(r, fact.terms[j], -(of_g / common));
                    if (!r.is_exact || !is_small(r)) continue;
                    const std::int64_t left = least(r, variables);
                    if (left * best_scale > best_least * (of_f / common)) {
                        best = r;
                        best_least = left;
                        best_scale = of_f / common;
                    }
                }
            }
            if (best_least != now || best_scale != 1)
                f = best;
            else if (!makes_products || !relax(f))
                return false;
        }
        return false;
    }

    static constexpr std::int64_t magnitude(std::int64_t i) { return i < 0 ? -i : i; }
    static constexpr std::int64_t coefficient(const form& f, const affine_term& of)
    {
        for (int i = 0; i < f.count; ++i)
            if (is_like(f.terms[i], of)) return f.terms[i].coefficient;
        return 0;
    }
    static constexpr void scale(form& f, std::int64_t by)
    {
        f.constant *= by;
        for (int i = 0; i < f.count; ++i) f.terms[i].coefficient *= by;
    }
    static constexpr bool is_small(const form& f)
    {
        for (int i = 0; i < f.count; ++i)
            if (magnitude(f.terms[i].coefficient) > most_coefficient) return false;
        return magnitude(f.constant) < most_coefficient * 1024;
    }

    const Nest& n_;
    bool divides_ = false; // a term of the nest is divided
    int facts_ = 0;
    form fact_[most_facts]{};
};

} // namespace hone::ir
