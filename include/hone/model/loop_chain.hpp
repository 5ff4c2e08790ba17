// SPDX-License-Identifier: BSL-1.0
// The loops that a nest spends its time in: its main statement, the chain of loops around it, and how often everything
// is executed. Two walks over the tree; nothing is allocated and nothing is run.
//
// The main statement is the one that is executed most, and its chain are the loops around its heaviest copy. Siblings
// that peeling made share a variable and count as one loop; a loop of one iteration counts as none. Iterations are
// means: a bound that clips a loop at borders or tails is averaged over the outer loops as if its value were spread
// evenly, which is exact for one outer variable and for an axis split into digits.
// A serial sibling of one iteration stands in the code as if it were unrolled, and counts as that. Extents known only
// at the call take the value that is typical of calls; where none is said, their largest, leading dimensions their
// smallest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

namespace hone::tune {

// Values of an affine form: least, least + step, ... most.
struct progression {
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::int64_t step = 1;

    double count() const { return static_cast<double>((most - least) / step + 1); }
};

// Sum of max(0, first - i * fall) over i in [0, count).
inline double positive_part(double first, double fall, double count)
{
    if (first <= 0) return 0;
    double terms = count;
    if (fall > 0 && first < fall * count) {
        terms = static_cast<double>(static_cast<std::int64_t>(first / fall)) + 1;
        if (terms > count) terms = count;
    }
    return terms * first - fall * terms * (terms - 1) / 2;
}

template <class Nest>
class loop_chain {
public:
    static constexpr int max_loops = 48;
    static constexpr int bindings = 6;

    // What all leaves of a statement do.
    struct summary {
        std::uint64_t reads; // accesses, one bit each
        int operations;      // of the value, loads included
        double runs;         // executions
        double attempts;     // executions if all guards held
    };
    struct chain_loop {
        std::int64_t extent;
        double runs;                       // iterations in all
        double bottom_up;                  // executions of the main statement each time that the loop is entered
        binding bind;                      // the one of most iterations
        std::array<float, bindings> share; // of its iterations, by binding
    };

    explicit loop_chain(const Nest& n) : n_{n}
    {
        for (std::size_t v = 0; v < n_.variables.size(); ++v) span_[v] = {0, -1};
        for (std::size_t s = 0; s < n_.statements.size(); ++s) open_statement(static_cast<int>(s));
        choose_parameters();
        if (n_.root >= 0) walk_down();
        find_main();
        if (main < 0) return;
        walk_up();
        find_chain();
    }

    int main = -1;      // statement; none in an empty nest
    int loops = 0;      // of the chain; loop 0 is the innermost
    int tile_loops = 0; // of them, inside the tile
    int tile_bodies = 0;
    int leaves = 0;
    bool main_is_vector = false;
    double main_spread = 1;  // of the iterations around the main statement, those side by side: threads, groups, lanes
    double tile_runs = 0;    // of the main statement, in its heaviest tile
    double guarded_runs = 0; // of the main statement, under a guard
    double written = 0;      // leaves once unrolled loops are written out
    double multiply_adds = 0;
    double operations = 0; // of all statements
    double barriers = 0;   // that one invocation passes

    const chain_loop& loop(int k) const { return chain_[k]; }
    const summary& statement(int s) const { return statements_[s]; }
    // The loop of the chain that moves a variable; -1: none.
    int loop_of(int variable) const { return place_[variable]; }
    // Values that a variable takes in all loops over it.
    std::int64_t span_of(int v) const
    {
        const interval& s = span_[v];
        return s.most - s.least + 1;
    }
    // Accesses of the main statement, one bit each.
    std::uint64_t main_accesses() const
    {
        return statements_[main].reads | std::uint64_t{1} << n_.statements[main].target;
    }
    // The coefficient of a term's variable.
    std::int64_t factor_of(const affine_term& t) const
    {
        return t.parameter < 0 ? t.coefficient : t.coefficient * parameters_[t.parameter];
    }
    std::int64_t elements_of(const buffer& b) const { return values_of(b.elements).most; }

private:
    static constexpr std::size_t max_variables = decltype(Nest::variables)::capacity + 1; // a nest may have none
    static_assert(decltype(Nest::accesses)::capacity <= 64, "accesses are numbered in the bits of one word");

    // What the walk down knows of a node, for one iteration of it.
    struct state {
        double runs;      // executions
        double attempts;  // executions if all guards held
        double spread;    // of the attempts, those side by side: threads, workgroups, lanes
        double written;   // copies by unrolling
        double main_runs; // of the main statement, inside
        std::int16_t tile;
        bool is_guarded;
        bool is_vector;
    };

    const node& at(int i) const { return n_.nodes[i]; }
    state& state_of(int i) { return states_[i]; }

    // --- statements -----------------------------------------------------------------------------------------------

    void open_statement(int s)
    {
        summary& x = statements_[s];
        x = {};
        collect(n_.statements[s].value, x);
    }
    void collect(int root, summary& x) const
    {
        const expr_node& e = n_.exprs[root];
        x.operations += word_of(e.op).cost;
        if (e.op == expr_op::load) x.reads |= std::uint64_t{1} << e.ref;
        if (e.a >= 0) collect(e.a, x);
        if (e.b >= 0) collect(e.b, x);
        if (e.c >= 0) collect(e.c, x);
    }
    bool accumulates(int s) const { return n_.statements[s].reduce != reduction::none; }

    // A parameter that an index multiplies by a variable is a leading dimension, unless it is an extent too.
    void choose_parameters()
    {
        if (n_.parameters.empty()) return;
        for (std::size_t p = 0; p < n_.parameters.size(); ++p) parameters_[p] = n_.parameters[p].most;
        for (const access& a : n_.accesses)
            for (int i = a.index.first; i < a.index.first + a.index.count; ++i) {
                const affine_term& t = n_.terms[i];
                if (t.variable >= 0 && t.parameter >= 0) parameters_[t.parameter] = n_.parameters[t.parameter].least;
            }
        for (const bound& b : n_.bounds)
            for (int i = b.value.first; i < b.value.first + b.value.count; ++i)
                if (const int p = n_.terms[i].parameter; p >= 0) parameters_[p] = n_.parameters[p].most;
        for (const parameter& p : n_.parameters)
            for (const int image : {p.dividend, p.window.image})
                if (image >= 0) parameters_[image] = n_.parameters[image].most;
        for (std::size_t p = 0; p < n_.parameters.size(); ++p)
            if (n_.parameters[p].typical > 0) parameters_[p] = n_.parameters[p].typical;
        complete(n_.parameters, parameters_.data(), parameters_.data());
    }

    // --- bounds ---------------------------------------------------------------------------------------------------

    progression values_of(const affine& a) const
    {
        progression p{a.constant, a.constant, 0};
        for (int i = a.first; i < a.first + a.count; ++i) {
            const affine_term& t = n_.terms[i];
            const std::int64_t c = factor_of(t);
            const interval v = divided(t, values_.data());
            p.least += c * (c > 0 ? v.least : v.most);
            p.most += c * (c > 0 ? v.most : v.least);
            const std::int64_t step = c < 0 ? -c : c;
            if (v.most > v.least && step != 0 && (p.step == 0 || step < p.step)) p.step = step;
        }
        if (p.step == 0) p.step = 1;
        return p;
    }

    // Opens a loop: its interval, and the mean of its iterations.
    double iterations(const node& loop)
    {
        interval r{};
        bool varies = false;
        for (int i = 0; i < loop.lower.count; ++i) {
            const bound& b = n_.bounds[loop.lower.first + i];
            std::int64_t v = b.value.constant;
            if (b.value.count != 0) {
                varies = true;
                v = values_of(b.value).least;
            }
            if (b.divisor != 1) v = floor_div(v, b.divisor);
            if (i == 0 || v > r.least) r.least = v;
        }
        for (int i = 0; i < loop.upper.count; ++i) {
            const bound& b = n_.bounds[loop.upper.first + i];
            std::int64_t v = b.value.constant;
            if (b.value.count != 0) {
                varies = true;
                v = values_of(b.value).most;
            }
            if (b.divisor != 1) v = floor_div(v, b.divisor);
            if (i == 0 || v - 1 < r.most) r.most = v - 1;
        }
        values_[loop.variable] = r;
        interval& span = span_[loop.variable];
        if (r.most < r.least) return 0;
        if (span.most < span.least) {
            span = r;
        } else {
            if (r.least < span.least) span.least = r.least;
            if (r.most > span.most) span.most = r.most;
        }
        const auto whole = static_cast<double>(r.most - r.least + 1);
        if (!varies) return whole;
        if (const std::int64_t runs = runs_for_quotient(n_, loop); runs > 0)
            return std::min(whole, static_cast<double>(runs));
        double mean = whole;
        for (int i = 0; i < loop.lower.count; ++i) mean -= loss(n_.bounds[loop.lower.first + i], r.least, 1);
        for (int i = 0; i < loop.upper.count; ++i) mean -= loss(n_.bounds[loop.upper.first + i], r.most + 1, -1);
        return mean < 0 ? 0 : mean;
    }

    // The mean of what a bound takes away behind `limit`: above a lower limit (sign 1), below an upper one (-1).
    double loss(const bound& b, std::int64_t limit, int sign) const
    {
        if (b.value.count == 0) return 0;
        const progression p = values_of(b.value);
        const auto divisor = static_cast<double>(b.divisor);
        // What the division drops: one remainder if the steps keep it, else the mean of all.
        const double dropped = p.step % b.divisor == 0
                                   ? static_cast<double>(p.least - floor_div(p.least, b.divisor) * b.divisor)
                                   : (divisor - 1) / 2;
        const double extreme = (static_cast<double>(sign > 0 ? p.most : p.least) - dropped) / divisor;
        const double worst = sign * (extreme - static_cast<double>(limit));
        return positive_part(worst, static_cast<double>(p.step) / divisor, p.count()) / p.count();
    }

    // The share of values of the outer loops for which all conditions hold, taken as independent.
    double probability(const range& conditions) const
    {
        double share = 1;
        for (int i = conditions.first; i < conditions.first + conditions.count; ++i) {
            const progression p = values_of(n_.conditions[i]);
            if (p.most < 0) return 0;
            if (p.least >= 0) continue;
            share *= static_cast<double>(p.most / p.step + 1) / p.count();
        }
        return share < 1 ? share : 1;
    }

    // --- walks ----------------------------------------------------------------------------------------------------

    void walk_down()
    {
        const state outside{1, 1, 1, 1, 0, -1, false, false};
        for (int i = n_.root; i >= 0;) {
            const node& here = at(i);
            state& s = state_of(i);
            s = here.parent < 0 ? outside : state_of(here.parent);
            s.main_runs = 0;
            order_[visited_++] = static_cast<std::int16_t>(i);
            visit(i, here, s);
            if (here.kind != node_kind::leaf && here.child >= 0) {
                i = here.child;
                continue;
            }
            while (i >= 0 && at(i).next < 0) i = at(i).parent;
            if (i >= 0) i = at(i).next;
        }
    }

    void visit(int i, const node& here, state& s)
    {
        switch (here.kind) {
        case node_kind::loop: {
            const double count = iterations(here);
            s.runs *= count;
            s.attempts *= count;
            if (here.bind == binding::parallel || here.bind == binding::grid || here.bind == binding::lane)
                s.spread *= count > 0 ? count : 1;
            if (here.bind == binding::unroll) s.written *= count;
            if (here.bind == binding::vectorize) s.is_vector = true;
            break;
        }
        case node_kind::guard:
            s.runs *= probability(here.conditions);
            s.is_guarded = true;
            break;
        case node_kind::tile: s.tile = static_cast<std::int16_t>(i); break;
        case node_kind::leaf: {
            summary& x = statements_[here.statement];
            x.runs += s.runs;
            x.attempts += s.attempts;
            ++leaves;
            written += s.written;
            if (accumulates(here.statement)) multiply_adds += s.runs;
            operations += s.runs * x.operations / (s.is_vector ? n_.vector_length : 1);
            break;
        }
        case node_kind::barrier: barriers += s.attempts / s.spread; break;
        }
    }

    void find_main()
    {
        double most = 0;
        for (std::size_t s = 0; s < n_.statements.size(); ++s)
            if (statements_[s].runs > most) {
                most = statements_[s].runs;
                main = static_cast<int>(s);
            }
    }

    // Executions of the main statement for each node, and its heaviest leaf.
    void walk_up()
    {
        for (int k = visited_; k-- > 0;) {
            const int i = order_[k];
            const node& here = at(i);
            state& s = state_of(i);
            if (here.kind == node_kind::leaf) {
                if (here.statement != main) continue;
                s.main_runs = s.runs;
                if (heaviest_ < 0 || s.runs >= state_of(heaviest_).runs) heaviest_ = i;
                if (s.is_guarded) guarded_runs += s.runs;
            } else if (here.kind == node_kind::tile && s.main_runs > 0) {
                ++tile_bodies;
                if (s.main_runs > tile_runs) tile_runs = s.main_runs;
            }
            if (here.parent >= 0) state_of(here.parent).main_runs += s.main_runs;
        }
    }

    void find_chain()
    {
        for (std::size_t v = 0; v < n_.variables.size(); ++v) place_[v] = -1;
        const int tile = state_of(heaviest_).tile;
        for (int i = heaviest_; i >= 0; i = at(i).parent) {
            if (i == tile) tile_loops = loops;
            const node& here = at(i);
            if (here.kind != node_kind::loop || span_of(here.variable) <= 1 || loops == max_loops) continue;
            place_[here.variable] = static_cast<std::int8_t>(loops);
            chain_[loops++] = {span_of(here.variable), 0, 0, here.bind, {}};
        }
        for (int k = 0; k < visited_; ++k) {
            const int i = order_[k];
            const node& here = at(i);
            if (here.kind != node_kind::loop || state_of(i).main_runs <= 0) continue;
            const int place = place_[here.variable];
            if (place < 0) continue;
            chain_loop& l = chain_[place];
            l.runs += state_of(i).runs;
            const binding bind = here.bind == binding::serial && runs_once(here) ? binding::unroll : here.bind;
            l.share[static_cast<int>(bind)] += static_cast<float>(state_of(i).runs);
        }
        main_is_vector = state_of(heaviest_).is_vector;
        main_spread = state_of(heaviest_).spread;
        const double all = statements_[main].runs;
        for (int k = 0; k < loops; ++k) {
            chain_loop& l = chain_[k];
            const double entered = k + 1 < loops ? chain_[k + 1].runs : 1;
            l.bottom_up = all / (entered > 0 ? entered : 1);
            float most = 0;
            for (int b = 0; b < bindings; ++b) {
                float& share = l.share[b];
                if (l.runs > 0) share /= static_cast<float>(l.runs);
                if (share <= most) continue;
                most = share;
                l.bind = static_cast<binding>(b);
            }
        }
    }
    // One sibling of a loop that was peeled or written out.
    bool runs_once(const node& loop) const { return has_constant_bounds(n_, loop) && ir::extent_of(n_, loop) == 1; }

    const Nest& n_;
    // Filled for as much as the nest has; clearing the rest would cost more than the walks.
    std::array<state, decltype(Nest::nodes)::capacity> states_;
    std::array<std::int16_t, decltype(Nest::nodes)::capacity> order_;
    std::array<interval, max_variables> values_; // of the open loops
    std::array<interval, max_variables> span_;   // of all loops of a variable
    std::array<std::int8_t, max_variables> place_;
    std::array<std::int64_t, decltype(Nest::parameters)::capacity + 1> parameters_;
    std::array<summary, decltype(Nest::statements)::capacity> statements_;
    std::array<chain_loop, max_loops> chain_;
    int visited_ = 0;
    int heaviest_ = -1; // leaf of the main statement
};

} // namespace hone::tune
