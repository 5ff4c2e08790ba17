// SPDX-License-Identifier: BSL-1.0
// One variant of a library with its buffers: verified, then timed, then judged by its last timed call.
//
// It is verified first, between pages that it may not touch (see guarded_memory.hpp): data flush to the end for one
// draw of the operands and flush to the begin for another, outputs and workspace poisoned, inputs read-only. It is
// timed with operands that it has not met, of which one value changes from call to call, and its last timed call is
// verified.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include <hone/cpu/entry.hpp>
#include <hone/measure/cache_mode.hpp>
#include <hone/measure/problem.hpp>
#include <hone/process/guarded_memory.hpp>
#include <hone/process/process_state.hpp>
#include <hone/tune/cpu/variant.hpp>

namespace hone::tune::measuring {

// Floats between two guards, at a cache line's begin: as kernels are timed.
class framed_floats {
public:
    explicit framed_floats(std::size_t count) : memory_(allocate_floats(count + 2 * guard)), count_(count)
    {
        std::memset(memory_.get(), pattern, guard * sizeof(float));
        std::fill_n(data(), count, poison());
        std::memset(data() + count, pattern, guard * sizeof(float));
    }
    float* data() const { return memory_.get() + guard; }
    std::size_t size() const { return count_; }
    bool guards_hold() const
    {
        const auto holds = [](const float* from) {
            const auto* bytes = reinterpret_cast<const unsigned char*>(from);
            return std::all_of(bytes, bytes + guard * sizeof(float), [](unsigned char b) { return b == pattern; });
        };
        return holds(memory_.get()) && holds(data() + count_);
    }

private:
    static constexpr std::size_t guard = 64;
    static constexpr unsigned char pattern = 0xa5;
    aligned_floats memory_;
    std::size_t count_;
};

// Places at random, one in a nanosecond.
class random_places {
public:
    std::size_t below(std::size_t size)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>((state_ >> 32) * size >> 32);
    }

private:
    std::uint64_t state_ = static_cast<std::uint64_t>(clock_ms() * 1e6);
};

enum class timed_calls : std::uint8_t {
    others,
    last, // they end with the one that is verified
};

// One variant with its buffers.
class prepared_variant {
public:
    prepared_variant(const variant& v, const problem& p, arithmetic a, const executor_ref& executor)
        : variant_(v), problem_(p), arithmetic_(a), executor_(executor)
    {
    }

    // Why the results for a draw are wrong, of a call between pages that nobody may touch; nothing where they are
    // right. `ms` is what the call took.
    std::optional<std::string> verify(const problem_draw& draw, flush side, double& ms)
    {
        const auto guarded = [&](const char* name, std::size_t floats) {
            auto memory = std::make_unique<guarded_memory>(name, floats * sizeof(float), side);
            std::fill_n(memory->floats(), floats, poison());
            return memory;
        };
        std::vector<std::unique_ptr<guarded_memory>> operands;
        const arguments given = arguments_of(draw, [&](const problem_operand& o) {
            operands.push_back(guarded(name_of(o.part.member), o.values.size()));
            std::copy(o.values.begin(), o.values.end(), operands.back()->floats());
            operands.back()->make_read_only();
            return operands.back()->floats();
        });
        const auto packed = guarded("packed weights", packed_floats());
        const auto workspace = guarded("the workspace", workspace_floats());
        const auto y = guarded("y", problem_.outputs);
        std::vector<std::unique_ptr<guarded_memory>> outputs;
        further_.clear();
        for (const problem_output& o : problem_.further) {
            outputs.push_back(guarded(o.name.c_str(), o.elements));
            further_.push_back(outputs.back()->floats());
        }
        if (const status s = pack(packed->floats()); !s.ok()) return text_of(s);
        packed->make_read_only();
        call_ = given;
        call_.weights = packed->floats();
        call_.workspace = workspace->floats();
        call_.y = y->floats();
        call_.outputs = further_.data();
        arguments call = call_;
        executor_ref executor = executor_;
        const double begin = clock_ms();
        const status s = variant_.run(executor, call);
        ms = clock_ms() - begin;
        if (!s.ok()) return text_of(s);
        if (!same(executor, call)) return "it changed its executor or its arguments";
        const auto floats_of = [](const auto& memory) -> const float* { return memory->floats(); };
        if (auto wrong = judged(draw, y->floats(), outputs, floats_of)) return wrong;
        const auto holds = [](const auto& memory) { return memory->slack_holds(); };
        if (!holds(y) || !holds(workspace) || !holds(packed) || !std::all_of(operands.begin(), operands.end(), holds) ||
            !std::all_of(outputs.begin(), outputs.end(), holds))
            return "it wrote outside a buffer";
        return std::nullopt;
    }
    double error() const { return error_; }

    // After verify(): the buffers that calls are timed with.
    void prepare(weight_rotation& weights, cache_mode cache)
    {
        call_ = arguments_of(problem_.timed(), [&](const problem_operand& o) {
            operands_.emplace_back(o.values.size());
            std::copy(o.values.begin(), o.values.end(), operands_.back().data());
            if (o.part.member == call_member::x) x_ = &operands_.back();
            return operands_.back().data();
        });
        packed_.emplace(packed_floats());
        workspace_.emplace(workspace_floats());
        y_.emplace(problem_.outputs);
        outputs_.clear();
        further_.clear();
        for (const problem_output& o : problem_.further) further_.push_back(outputs_.emplace_back(o.elements).data());
        fault_ = pack(packed_->data());
        kept_.assign(packed_->data(), packed_->data() + packed_->size());
        weights.fill(packed_->data(), packed_->size(), cache);
        call_.workspace = workspace_->data();
        call_.y = y_->data();
        call_.outputs = further_.data();
    }
    // Of one call. No call finds the operands of another before, nor y as that left it: what is computed once only, is
    // wrong at the last.
    double milliseconds(int calls, weight_rotation& weights, timed_calls which)
    {
        if (which == timed_calls::last) {
            std::fill_n(y_->data(), y_->size(), poison());
            std::fill_n(workspace_->data(), workspace_->size(), poison());
            for (const framed_floats& o : outputs_) std::fill_n(o.data(), o.size(), poison());
        }
        arguments call = call_;
        executor_ref executor = executor_;
        const double used = processor_ms(), begin = clock_ms();
        for (int i = 0; i < calls; ++i) {
            change_input(which == timed_calls::last && i + 1 == calls);
            if (y_->size() > 0) y_->data()[places_.below(y_->size())] = poison();
            for (const framed_floats& o : outputs_) o.data()[places_.below(o.size())] = poison();
            call.weights = call_.weights = weights.next();
            const status s = variant_.run(executor, call);
            if (!s.ok()) fault_ = s;
        }
        const double taken = clock_ms() - begin;
        wall_ms_ += taken;
        processor_ms_ += processor_ms() - used;
        call.weights = call_.weights;
        kept_arguments_ = kept_arguments_ && same(executor, call);
        return taken / calls;
    }
    // Why the timed calls are wrong, the last of which was timed_calls::last.
    std::optional<std::string> wrong()
    {
        if (!fault_.ok()) return text_of(fault_);
        if (!kept_arguments_) return "it changed its executor or its arguments";
        const auto floats_of = [](const framed_floats& f) -> const float* { return f.data(); };
        if (auto wrong = judged(problem_.timed(), y_->data(), outputs_, floats_of)) return wrong;
        const auto guarded = [](const framed_floats& f) { return f.guards_hold(); };
        if (!guarded(*y_) || !guarded(*packed_) || !guarded(*workspace_) ||
            !std::all_of(operands_.begin(), operands_.end(), guarded) ||
            !std::all_of(outputs_.begin(), outputs_.end(), guarded))
            return "it wrote outside a buffer";
        const auto same_floats = [](const void* a, const std::vector<float>& b) {
            return b.empty() || std::memcmp(a, b.data(), b.size() * sizeof(float)) == 0;
        };
        for (std::size_t i = 0; i < operands_.size(); ++i)
            if (!same_floats(operands_[i].data(), problem_.timed().operands[i].values)) return "it wrote to an operand";
        if (!same_floats(packed_->data(), kept_) || !same_floats(call_.weights, kept_))
            return "it wrote to packed weights";
        // With some air for interrupts and for ticks.
        if (processor_ms_ > 1.3 * wall_ms_ * executor_.slots() + 20)
            return fmt::format(
                "it took {:.0f} ms of processors in {:.0f} ms: it has threads that are not its executor's",
                processor_ms_, wall_ms_);
        return std::nullopt;
    }

private:
    static const char* name_of(call_member m)
    {
        constexpr const char* names[] = {"x", "weights", "bias", "residual", "y", "an operand", "an output"};
        return names[static_cast<int>(m)];
    }
    static std::string text_of(const status& s) { return fmt::format("{} [{}]", s.message(), s.subject); }
    static std::size_t floats_of(std::size_t bytes) { return (bytes + sizeof(float) - 1) / sizeof(float); }
    const std::int64_t* parameters() const
    {
        return problem_.parameters.empty() ? nullptr : problem_.parameters.data();
    }
    std::size_t packed_floats() const
    {
        return floats_of(parameters() == nullptr ? variant_.packed_bytes : variant_.packed_bytes_of(parameters()));
    }
    status pack(void* packed) const
    {
        return parameters() == nullptr ? variant_.pack(weights_.data(), packed)
                                       : variant_.pack_for(weights_.data(), packed, parameters());
    }
    std::size_t workspace_floats() const { return floats_of(variant_.workspace_bytes(executor_.slots())); }
    // As far as the operands of a draw say; memory_of(operand) is where each was put.
    template <class MemoryOf>
    arguments arguments_of(const problem_draw& draw, MemoryOf&& memory_of)
    {
        arguments call;
        others_.assign(draw.operands.size(), nullptr);
        weights_.assign(draw.operands.size(), nullptr);
        operands_.reserve(draw.operands.size());
        for (const problem_operand& o : draw.operands) {
            float* const at = memory_of(o);
            switch (o.part.member) {
            case call_member::x: call.x = at; break;
            case call_member::weights: weights_[static_cast<std::size_t>(o.part.number)] = at; break; // to be packed
            case call_member::bias: call.bias = at; break;
            case call_member::residual: call.residual = at; break;
            case call_member::operands: others_[static_cast<std::size_t>(o.part.number)] = at; break;
            case call_member::y:
            case call_member::outputs: break; // nothing is read there
            }
        }
        call.operands = others_.data();
        call.parameters = parameters();
        call.weights_layout = variant_.layout_id;
        return call;
    }
    bool same(const executor_ref& e, const arguments& a) const
    {
        return e.self == executor_.self && e.slot_count == executor_.slot_count &&
               e.run_chunks == executor_.run_chunks && e.least_region_ns == executor_.least_region_ns && a == call_;
    }
    // Where the outputs stand, not where the call says that they do.
    template <class Outputs, class FloatsOf>
    std::optional<std::string> judged(const problem_draw& draw, const float* y, const Outputs& outputs,
                                      FloatsOf&& floats_of)
    {
        std::vector<const float*> further;
        for (const auto& o : outputs) further.push_back(floats_of(o));
        const judgement j = judge(problem_, draw, arithmetic_, y, further);
        // Beside an outlier all errors are small.
        if (&draw != &problem_.specials()) error_ = std::max(error_, j.error);
        if (j.wrong.empty()) return std::nullopt;
        return j.wrong;
    }
    // One value of x has the other sign, another one each call; none before the call that is verified.
    void change_input(bool to_what_was_drawn)
    {
        if (changed_ != nullptr) *changed_ = -*changed_;
        changed_ = nullptr;
        if (to_what_was_drawn || x_ == nullptr || x_->size() == 0) return;
        changed_ = x_->data() + places_.below(x_->size());
        *changed_ = -*changed_;
    }

    variant variant_;
    const problem& problem_;
    arithmetic arithmetic_;
    executor_ref executor_;
    std::vector<const float*> weights_{}, others_{};
    std::vector<float*> further_{}; // outputs beside y, as a call gives them
    arguments call_{};
    double error_ = 0;

    // ---- of timed calls ----
    std::vector<framed_floats> operands_{};
    std::vector<framed_floats> outputs_{}; // beside y
    std::optional<framed_floats> packed_{}, workspace_{}, y_{};
    std::vector<float> kept_{}; // packed weights
    framed_floats* x_ = nullptr;
    float* changed_ = nullptr;
    random_places places_{};
    status fault_{};
    bool kept_arguments_ = true;
    double wall_ms_ = 0, processor_ms_ = 0;
};

} // namespace hone::tune::measuring
