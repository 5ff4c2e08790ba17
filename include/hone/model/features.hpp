// SPDX-License-Identifier: BSL-1.0
// Reads the features of a nest from its chain of loops. Nothing is allocated and nothing is run; a nest of 90 nodes
// takes two microseconds (bench/features.cpp).
//
// Touched elements are counted as distinct ones, unlike the paper's: terms of one index that overlap, as an image's
// rows and a filter's taps do, are merged from the smallest coefficient up, exact where each coefficient divides the
// next.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/nest.hpp>
#include <hone/model/feature_vector.hpp>
#include <hone/model/loop_chain.hpp>

namespace hone::tune {

template <class Nest>
class feature_reader {
public:
    feature_reader(const Nest& n, feature_vector& out) : n_{n}, out_{out}, chain_{n} {}

    void run()
    {
        out_.values.fill(0);
        if (chain_.main >= 0) {
            find_parts();
            write_loops();
            write_caches();
            write_band();
            write_main();
        }
        write_nest();
        write_memory();
    }

private:
    static constexpr int max_terms = 16;
    static constexpr std::size_t max_buffers = decltype(Nest::buffers)::capacity + 1; // a nest may have none
    static constexpr int max_loops = loop_chain<Nest>::max_loops;
    static_assert(loop_chain<Nest>::bindings == feature_vector::bindings);
    using summary = typename loop_chain<Nest>::summary;
    using chain_loop = typename loop_chain<Nest>::chain_loop;

    struct term {
        std::int64_t coefficient; // not negative
        std::int64_t extent;
        int loop; // in the chain
    };
    // An access by the chain, its terms with the smallest coefficient first.
    struct part_access {
        int access = -1;
        int count = 0;
        int element_bytes = 0;
        double elements = 0; // of the buffer
        double total = 0;    // touched by all loops
        std::array<term, max_terms> terms;
    };

    static int number(operand_part p) { return static_cast<int>(p); }
    void set(nest_feature f, double count) { out_(f) = feature_log2(count); }
    void set_share(nest_feature f, double share)
    {
        out_(f) = static_cast<float>(share < 0 ? 0 : share > 1 ? 1 : share);
    }

    // --- what the chain touches -----------------------------------------------------------------------------------

    // Where the values of each buffer come from, as a set of parts.
    void find_sources(std::array<std::uint8_t, max_buffers>& sources) const
    {
        for (std::size_t b = 0; b < n_.buffers.size(); ++b)
            sources[b] = n_.buffers[b].memory == memory::argument
                             ? static_cast<std::uint8_t>(1u << number(part_of_argument(n_.buffers[b])))
                             : std::uint8_t{0};
        for (int changes = 1, round = 0; changes != 0 && round < 8; ++round) {
            changes = 0;
            for (std::size_t s = 0; s < n_.statements.size(); ++s) {
                const access& target = n_.accesses[n_.statements[s].target];
                std::uint8_t& to = sources[target.buffer];
                const std::uint8_t before = to;
                for (std::uint64_t reads = chain_.statement(static_cast<int>(s)).reads; reads != 0; reads &= reads - 1)
                    to |= sources[n_.accesses[std::countr_zero(reads)].buffer];
                if (n_.buffers[target.buffer].memory == memory::argument) to = before;
                changes += to != before;
            }
        }
    }
    static operand_part part_of_argument(const buffer& b)
    {
        switch (b.role) {
        case role::input: return operand_part::x;
        case role::weights: return operand_part::weights;
        case role::output: return operand_part::output;
        default: return operand_part::other;
        }
    }
    static operand_part part_of(const buffer& b, std::uint8_t sources)
    {
        if (b.memory == memory::argument) return part_of_argument(b);
        if (b.memory == memory::registers) return operand_part::registers;
        if (!std::has_single_bit(sources)) return operand_part::scratch;
        return static_cast<operand_part>(std::countr_zero(sources));
    }

    // One access for each part: of the main statement if it has one, else the one that touches most, of those that move
    // with loops of the chain only.
    void find_parts()
    {
        std::array<std::uint8_t, max_buffers> sources;
        find_sources(sources);
        const std::uint64_t own = chain_.main_accesses();
        for (std::size_t a = 0; a < n_.accesses.size(); ++a) {
            const auto b = n_.accesses[a].buffer;
            part_access& known = parts_[number(part_of(n_.buffers[b], sources[b]))];
            const bool is_own = (own >> a & 1) != 0;
            const bool known_is_own = known.access >= 0 && (own >> known.access & 1) != 0;
            if (known_is_own && !is_own) continue;
            part_access x;
            if (!follow(static_cast<int>(a), x)) continue;
            if (known.access < 0 || is_own != known_is_own || x.total > known.total) known = x;
        }
    }

    bool follow(int access, part_access& x) const
    {
        const ir::access& a = n_.accesses[access];
        const buffer& b = n_.buffers[a.buffer];
        for (int i = a.index.first; i < a.index.first + a.index.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.variable < 0 || t.coefficient == 0 || chain_.span_of(t.variable) <= 1) continue;
            const int loop = chain_.loop_of(t.variable);
            if (loop < 0) return false;
            if (x.count == max_terms) break;
            const std::int64_t factor = chain_.factor_of(t);
            const std::int64_t c = factor < 0 ? -factor : factor;
            int to = x.count++;
            for (; to > 0 && x.terms[to - 1].coefficient > c; --to) x.terms[to] = x.terms[to - 1];
            x.terms[to] = {c, chain_.loop(loop).extent, loop};
        }
        x.access = access;
        x.element_bytes = static_cast<int>(bytes_of(b.type));
        x.elements = static_cast<double>(chain_.elements_of(b));
        x.total = touched(x, chain_.loops);
        return true;
    }

    // Distinct elements that the innermost `loops` loops of the chain touch.
    static double touched(const part_access& x, int loops)
    {
        double outer = 1;
        std::int64_t stride = 0; // of the run of evenly spaced elements so far
        std::int64_t run = 1;
        for (int i = 0; i < x.count; ++i) {
            const term& t = x.terms[i];
            if (t.loop >= loops) continue;
            if (stride == 0 || t.coefficient > stride * run || t.coefficient % stride != 0) {
                outer *= static_cast<double>(run);
                stride = t.coefficient;
                run = t.extent;
            } else {
                run += t.coefficient / stride * (t.extent - 1);
            }
        }
        const double count = outer * static_cast<double>(run);
        return count < x.elements ? count : x.elements;
    }

    // --- writing --------------------------------------------------------------------------------------------------

    void write_loops()
    {
        const int shown = chain_.loops < feature_vector::loops ? chain_.loops : feature_vector::loops;
        for (int k = 0; k < chain_.loops; ++k) {
            const chain_loop& l = chain_.loop(k);
            top_down_[k] = feature_log2(l.runs);
            if (k >= shown) continue;
            out_(k, loop_feature::length) = feature_log2(static_cast<double>(l.extent));
            out_(k, loop_feature::top_down) = top_down_[k];
            out_(k, loop_feature::bottom_up) = feature_log2(l.bottom_up);
            for (int b = 0; b < feature_vector::bindings; ++b) out_(k, static_cast<binding>(b)) = l.share[b];
        }
        for (int p = 0; p < operand_parts; ++p)
            if (parts_[p].access >= 0) write_part(static_cast<operand_part>(p), shown);
    }

    void write_part(operand_part part, int shown)
    {
        const part_access& x = parts_[number(part)];
        std::uint64_t moves = 0; // loops in the index
        for (int i = 0; i < x.count; ++i) moves |= std::uint64_t{1} << x.terms[i].loop;
        const affine& index = n_.accesses[x.access].index;
        for (int i = index.first; i < index.first + index.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.variable < 0) continue;
            const int loop = chain_.loop_of(t.variable);
            if (loop < 0 || loop >= shown) continue;
            out_(loop, part, touch_feature::stride) = feature_log2(static_cast<double>(chain_.factor_of(t)));
        }
        double count = 1;
        float log_count = 1; // log2(1 + 1)
        for (int k = 0; k < chain_.loops; ++k) {
            if ((moves >> k & 1) != 0) {
                count = touched(x, k + 1);
                log_count = feature_log2(count);
            }
            const float reuse = feature_log2(chain_.loop(k).bottom_up / count);
            if (x.element_bytes > 0 && part != operand_part::registers) footprint_[k + 1] += count * x.element_bytes;
            sample(part, relation::reuse_by_touch, log_count, 1, reuse);
            sample(part, relation::touch_by_top_down, top_down_[k], 1.5f, log_count);
            if (k >= shown) continue;
            out_(k, part, touch_feature::touch) = log_count;
            out_(k, part, touch_feature::reuse) = reuse;
        }
        if (part != operand_part::registers) footprint_[0] += x.element_bytes;
        for (relation r : {relation::reuse_by_touch, relation::touch_by_top_down})
            for (int t = 1; t < feature_vector::samples; ++t)
                if (out_(part, r, t) < out_(part, r, t - 1)) out_(part, r, t) = out_(part, r, t - 1);
    }

    // Enters a point at the first threshold that it keeps; larger thresholds follow.
    void sample(operand_part part, relation r, float x, float distance, float y)
    {
        // x is log2(count + 1), so that x <= e is count < 2^e.
        const float rank = (x - 1) / distance;
        int t = rank <= 0 ? 0 : static_cast<int>(rank);
        if (static_cast<float>(t) < rank) ++t;
        if (t >= feature_vector::samples) return;
        if (y > out_(part, r, t)) out_(part, r, t) = y;
    }

    void write_caches()
    {
        const double all = chain_.statement(chain_.main).runs;
        const auto bytes_at = [&](int loops) { return footprint_[loops]; };
        set(nest_feature::tile_footprint, bytes_at(chain_.tile_loops));
        set(nest_feature::step_footprint,
            bytes_at(chain_.tile_loops < chain_.loops ? chain_.tile_loops + 1 : chain_.loops));
        set(nest_feature::full_footprint, bytes_at(chain_.loops));
        constexpr double caches[] = {32 * 1024.0, 1024 * 1024.0, 32 * 1024 * 1024.0};
        int feature = static_cast<int>(nest_feature::l1_loops);
        int inner = 0;
        for (const double cache : caches) {
            while (inner < chain_.loops && bytes_at(inner + 1) <= cache) ++inner;
            const double iterations = inner == 0 ? 1 : chain_.loop(inner - 1).bottom_up;
            out_(static_cast<nest_feature>(feature)) = static_cast<float>(inner);
            set(static_cast<nest_feature>(feature + 1), bytes_at(inner));
            set(static_cast<nest_feature>(feature + 2), iterations);
            set(static_cast<nest_feature>(feature + 3), all / (iterations > 0 ? iterations : 1) * bytes_at(inner));
            feature += 4;
        }
    }

    // The band: the unrolled and vector loops right around the main statement, one piece of straight code.
    void write_band()
    {
        int band = 0;
        while (band < chain_.loops &&
               (chain_.loop(band).bind == binding::unroll || chain_.loop(band).bind == binding::vectorize))
            ++band;
        double macs = 1;
        for (int k = 0; k < band; ++k)
            if (chain_.loop(k).bind == binding::unroll) macs *= static_cast<double>(chain_.loop(k).extent);

        const std::uint64_t own = chain_.main_accesses();
        double live = 0;
        double vectors = 0;
        double scalars = 0;
        std::uint64_t counted = 0; // register buffers
        bool has_scalar = false;
        const broadcast from = n_.vector_length == 1 ? broadcast::in_register : row_of(n_.set).broadcast;
        for (std::uint64_t rest = own; rest != 0; rest &= rest - 1) {
            const access& a = n_.accesses[std::countr_zero(rest)];
            const buffer& b = n_.buffers[a.buffer];
            if (b.memory == memory::registers) {
                if ((counted >> a.buffer & 1) == 0) live += b.vectors;
                counted |= std::uint64_t{1} << a.buffer;
                continue;
            }
            // From the outermost loop in: a vector load is used again by each loop that its index lacks, so the loops
            // inside the first of those need a register each.
            double loads = 1;
            double kept = 1;
            double rows = 1; // of the innermost loop that it moves with
            bool repeats = false;
            bool has_next = false;
            bool by_vector = false;
            for (int k = band; k-- > 0;) {
                const chain_loop& l = chain_.loop(k);
                const bool moves = moves_with(a.index, k);
                if (l.bind == binding::vectorize) {
                    by_vector = moves;
                } else if (!moves) {
                    repeats = true;
                } else {
                    loads *= static_cast<double>(l.extent);
                    if (l.extent > 1)
                        rows = static_cast<double>(ceil_div(l.extent, moves_by_one(a.index, k) ? n_.vector_length : 1));
                    if (repeats) kept *= static_cast<double>(l.extent);
                    has_next = has_next || (!repeats && l.extent > 1);
                }
            }
            // As ir/live_registers.hpp counts them.
            if (by_vector || n_.vector_length == 1) {
                vectors += loads;
                live += from == broadcast::from_lane && repeats && has_next ? 2 * kept : kept;
            } else {
                scalars += loads;
                if (from == broadcast::from_lane)
                    live += rows;
                else if (from != broadcast::from_memory || repeats)
                    has_scalar = true;
            }
        }
        set(nest_feature::live_registers, live + (has_scalar ? 1 : 0));
        set(nest_feature::band_macs, macs);
        set(nest_feature::band_vector_loads, vectors);
        set(nest_feature::band_scalar_loads, scalars);
        out_(nest_feature::loads_per_mac) = static_cast<float>((vectors + scalars) / macs);
        set(nest_feature::band_footprint, footprint_[band]);
    }
    bool moves_with(const affine& index, int loop) const
    {
        for (int i = index.first; i < index.first + index.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.variable >= 0 && t.coefficient != 0 && chain_.loop_of(t.variable) == loop) return true;
        }
        return false;
    }

    bool moves_by_one(const affine& index, int loop) const
    {
        for (int i = index.first; i < index.first + index.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.variable >= 0 && chain_.loop_of(t.variable) == loop) return t.coefficient == 1 && t.parameter < 0;
        }
        return false;
    }

    void write_main()
    {
        const summary& main = chain_.statement(chain_.main);
        const double operations = main.runs * main.operations / (chain_.main_is_vector ? n_.vector_length : 1);
        set_share(nest_feature::main_share, operations / chain_.operations);
        if (chain_.tile_bodies > 0) set_share(nest_feature::peeled_share, 1 - chain_.tile_runs / main.runs);
        set_share(nest_feature::guarded_share, chain_.guarded_runs / main.runs);
        set_share(nest_feature::skipped_share, 1 - main.runs / main.attempts);

        double chunks = 1;
        double groups = 1;
        double regions = 1;
        for (int k = 0; k < chain_.loops; ++k) {
            const chain_loop& l = chain_.loop(k);
            if (l.bind == binding::grid) groups *= static_cast<double>(l.extent);
            if (l.bind != binding::parallel) continue;
            chunks *= static_cast<double>(l.extent);
            regions = k + 1 < chain_.loops ? chain_.loop(k + 1).runs : 1;
        }
        set(nest_feature::chunks, chunks);
        set(nest_feature::regions, regions);
        set(nest_feature::chunk_work, main.runs / (chunks * regions));
        if (n_.set != isa::none) return;
        set(nest_feature::lanes, n_.lanes);
        set(nest_feature::groups, groups);
        set(nest_feature::lane_iterations, main.runs / chain_.main_spread);
    }

    void write_nest()
    {
        set_share(nest_feature::is_vulkan, n_.set == isa::none ? 1 : 0);
        set(nest_feature::vector_length, n_.vector_length);
        out_(nest_feature::loops) = static_cast<float>(chain_.loops);
        out_(nest_feature::tile_bodies) = static_cast<float>(chain_.tile_bodies);
        set(nest_feature::leaves, chain_.leaves);
        set(nest_feature::written_out, chain_.written);
        set(nest_feature::multiply_adds, chain_.multiply_adds);
        set(nest_feature::operations, chain_.operations);
        set(nest_feature::registers, n_.registers);
        set(nest_feature::barriers, chain_.barriers);
        double stores = 0;
        double attempts = 0;
        for (std::size_t s = 0; s < n_.statements.size(); ++s) {
            const access& target = n_.accesses[n_.statements[s].target];
            if (n_.buffers[target.buffer].role != role::output) continue;
            stores += chain_.statement(static_cast<int>(s)).runs;
            attempts += chain_.statement(static_cast<int>(s)).attempts;
        }
        if (attempts > 0) set_share(nest_feature::idle_output_share, 1 - stores / attempts);
    }

    void write_memory()
    {
        double bytes[feature_vector::size - feature_vector::first_nest]{};
        double floats = 0;
        for (const buffer& b : n_.buffers) {
            const auto elements = static_cast<double>(chain_.elements_of(b));
            nest_feature f = nest_feature::other_bytes;
            switch (b.memory) {
            case memory::registers: floats += elements; continue;
            case memory::workspace: f = nest_feature::workspace_bytes; break;
            case memory::slot: f = nest_feature::slot_bytes; break;
            case memory::workgroup: f = nest_feature::shared_bytes; break;
            case memory::argument:
                if (b.role == role::input) f = nest_feature::x_bytes;
                if (b.role == role::weights) f = nest_feature::weights_bytes;
                if (b.role == role::output) f = nest_feature::output_bytes;
                break;
            }
            bytes[static_cast<int>(f)] += elements * static_cast<double>(bytes_of(b.type));
        }
        for (nest_feature f :
             {nest_feature::x_bytes, nest_feature::weights_bytes, nest_feature::output_bytes, nest_feature::other_bytes,
              nest_feature::workspace_bytes, nest_feature::slot_bytes, nest_feature::shared_bytes})
            set(f, bytes[static_cast<int>(f)]);
        if (n_.set == isa::none) set(nest_feature::lane_registers, floats);
    }

    const Nest& n_;
    feature_vector& out_;
    const loop_chain<Nest> chain_;
    std::array<float, max_loops> top_down_;
    std::array<part_access, operand_parts> parts_{};
    std::array<double, max_loops + 1> footprint_{}; // bytes touched by that many inner loops
};

// The features of a nest that lowering accepted. Finite for every legal nest; all zero for an empty one.
template <class Nest>
void features_of(const Nest& n, feature_vector& out)
{
    feature_reader<Nest>{n, out}.run();
}

} // namespace hone::tune
