// SPDX-License-Identifier: BSL-1.0
// hone::kernel: an operator, a config and an instruction set as a callable thing, with packing and workspace sizes.
// All of it is static; run and pack are re-entrant, allocate nothing and need no alignment beyond that of the elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <hone/codegen/cpu.hpp>
#include <hone/codegen/lower.hpp>
#include <hone/core/executor.hpp>
#include <hone/core/fault.hpp>
#include <hone/ir/check.hpp>
#include <hone/op/operator.hpp>
#include <hone/run/call.hpp>
#include <hone/run/pack.hpp>
#include <hone/schedule/config.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/schedule_template.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// What a call gives. Pointers are to the first element; activations and weights in the operator's layouts. y may be the
// residual, or an operand of the epilogue, itself: in the same place, with the same strides. Otherwise y and the
// workspace overlap nothing.
struct arguments {
    const float* x = nullptr;
    const float* weights = nullptr; // all of them, packed by pack()
    const float* bias = nullptr;
    const float* residual = nullptr;
    const float* const* operands = nullptr; // all other tensors, in the order of the operator: see run/call.hpp
    float* y = nullptr;
    void* workspace = nullptr;                // workspace_bytes(executor.slots()); contents are undefined between calls
    const std::int64_t* parameters = nullptr; // run-time extents and strides, in the order of the operator
    std::uint64_t weights_layout = 0;         // layout id of packed weights that come from a file; 0: not checked

    const float* operand(int number) const { return operands == nullptr ? nullptr : operands[number]; }
};

// Evaluated once for all kernels of an operator.
template <class Op>
inline constexpr definition definition_of = checked(Op::definition());

template <fault... All>
constexpr bool is_one_of(fault f)
{
    return ((f == All) || ...);
}

// Asserts that a nest is legal, one sentence a fault.
template <fault Found, std::int64_t Expected, std::int64_t Instead>
constexpr bool assert_no_fault()
{
    static_assert(Found != fault::knob_value,
                  "hone::kernel: a knob of the config has no such value; choose one that the table of its template "
                  "allows");
    static_assert(Found != fault::knob_unknown,
                  "hone::kernel: the config names a knob that its template does not have, or no value; write the "
                  "template's name, then knob=value for each knob, with one blank between");
    static_assert(Found != fault::template_missing,
                  "hone::kernel: the list of schedule templates has none for this operator, or lacks the one that the "
                  "config names; add it to the list");
    static_assert(Found != fault::factor_does_not_divide,
                  "hone::split: the factor must divide the extent of the axis; choose "
                  "another factor or pass tail::guard");
    static_assert(Found != fault::vector_length_unsupported,
                  "hone::vectorize: the instruction set has no vector of this "
                  "length; use vector_length(isa) or a shorter one");
    static_assert(Found != fault::too_many_live_registers, "hone::lower: the tile needs more vector registers than the "
                                                           "instruction set has; choose a smaller tile");
    static_assert(Found != fault::blocked_axis_not_affine,
                  "hone::lower: a level crosses the blocks of a blocked layout, so "
                  "its index is not affine; align its step to the block");
    static_assert(Found != fault::extent_zero,
                  "hone: every extent of a workload must be at least 1; remove the empty workload");
    static_assert(
        Found != fault::extent_too_large,
        "hone: an axis or a tensor of the workload has more than 2^40 elements, or may have 2^62 with strides of a call; "
        "choose smaller extents and strides, or split the workload");
    static_assert(
        Found != fault::expression_too_long,
        "hone: an expression of the operator has more than 32 nodes, all of its epilogues included; write it with fewer "
        "words, or leave a part of it to another operator");
    static_assert(
        Found != fault::definition_too_large,
        "hone: the operator has more tensors, stages, axes, operands, parameters or index terms than a definition holds; "
        "use fewer of what the subject names");
    static_assert(Found != fault::shape_mismatch,
                  "hone: the shapes of the operator do not fit together; check channels, groups, kernel and padding");
    static_assert(Found != fault::role_missing,
                  "hone: an operator needs a tensor of role::input and one of role::output; add the missing one");
    static_assert(
        Found != fault::role_taken,
        "hone: the operator has two tensors of role::output, of which a kernel writes one, or five of role::weights, of "
        "which it packs four; give one role::operand, or compute it in another operator");
    static_assert(Found != fault::definition_unknown_part,
                  "hone: the operator names an axis, tensor, operand, table or parameter by a number that none of them "
                  "has; count them from 0, in the order in which they were added");
    static_assert(Found != fault::definition_rank,
                  "hone: an index of the operator has not one entry for each dimension of its tensor; add the missing "
                  "ones, or leave out the others");
    static_assert(Found != fault::definition_expression,
                  "hone: a stage of the operator has an empty expression, or one that reads acc() before there is a "
                  "sum; write the body in loads, the epilogue in acc() and loads");
    static_assert(
        Found != fault::definition_reduction,
        "hone: a stage of the operator has a reduction axis and does not say how it reduces; set its reduction");
    static_assert(
        Found != fault::definition_outside,
        "hone: the operator leaves a tensor; make it or the axes fit, or say may_leave of the operand, and what it reads "
        "outside");
    static_assert(
        Found != fault::definition_output,
        "hone: two points of the operator would write one element of its output; move a tensor of role::output by each "
        "axis but those of reductions, by strides that keep them apart");
    static_assert(Found != fault::too_many_tile_bodies,
                  "hone::lower: border, tail and unroll multiply to more than 8 tile bodies; peel fewer levels");
    static_assert(Found != fault::capacity, "hone::lower: the nest outgrows its capacity; peel or unroll less");
    constexpr bool is_named =
        is_one_of<fault::none, fault::knob_value, fault::knob_unknown, fault::template_missing,
                  fault::factor_does_not_divide, fault::vector_length_unsupported, fault::too_many_live_registers,
                  fault::too_many_tile_bodies, fault::blocked_axis_not_affine, fault::capacity, fault::extent_zero,
                  fault::extent_too_large, fault::shape_mismatch, fault::role_missing, fault::role_taken,
                  fault::expression_too_long, fault::definition_too_large, fault::definition_unknown_part,
                  fault::definition_rank, fault::definition_expression, fault::definition_reduction,
                  fault::definition_outside, fault::definition_output>(Found);
    static_assert(is_named, "hone::lower: the schedule is not legal; the template arguments of assert_no_fault "
                            "name the fault, what was expected and what was found");
    return true; // one fault, one error: the caller's assertion has nothing to add
}

// The two nests of a kernel.
enum class nest_of : std::uint8_t { call, packing };

// One of them, as the tag that the code generator takes. Step: of the default.
template <class Op, class Configs, isa Set, int Threads, nest_of What = nest_of::call, int Step = 0>
struct kernel_nest {
    static constexpr isa set = Set;
    static constexpr auto chosen = config_of<Op, Configs>(Set, Threads, Step);
    static constexpr const auto& config = chosen.value;
    static constexpr hone::schedule schedule = !chosen.ok()            ? faulty_schedule(chosen.found)
                                               : What == nest_of::call ? schedule_for(definition_of<Op>, config, Set)
                                                                       : packing_for(definition_of<Op>, config, Set);
    static constexpr hone::nest lowered = lower(schedule);
    static constexpr auto nest = resized<lowered.sizes()>(lowered);
    static constexpr status found = check(nest, cpu_target(Set));
};

// Which step of the default a kernel takes: the first that is legal and as accurate as the workload demands, and the
// first of all where none is or the config is an entry's, so that the fault that is named is theirs. One compiles at a
// time.
template <class Op, class Configs, isa Set, int Threads, int Step = 0>
constexpr int legal_step()
{
    using step = kernel_nest<Op, Configs, Set, Threads, nest_of::call, Step>;
    if constexpr (step::found.ok() && class_of(step::config) <= worst_class_of<Op, Configs>())
        return Step;
    else if constexpr (Step + 1 < default_steps_of(definition_of<Op>, cpu_templates_of<Op>{}) &&
                       entry_index_for<Op, Configs>(Set, Threads) < 0)
        return legal_step<Op, Configs, Set, Threads, Step + 1>();
    else
        return 0;
}

// Threads chooses the config: that tuned for the nearest number. It runs on an executor of any number of slots.
template <tensor_operator Op, class Configs = defaults, isa Set = compiled_isa(), int Threads = 1>
struct kernel {
    static_assert(Threads >= 1, "hone::kernel: the number of threads must be at least 1; pass that of the executor");
    static constexpr int tuned_threads = tuned_threads_of<Op, Configs>(Set, Threads);
    using compute =
        kernel_nest<Op, Configs, Set, tuned_threads, nest_of::call, legal_step<Op, Configs, Set, tuned_threads>()>;
    static_assert(assert_no_fault<compute::found.what, compute::found.expected, compute::found.found>());

    static constexpr isa set = Set;
    static constexpr int threads = Threads;
    static constexpr config_in<cpu_templates_of<Op>> config = compute::config;
    static constexpr signature_text signature = Op::signature();
    static_assert(
        !signature.text.overflowed(),
        "hone: a signature has at most 191 characters, or two workloads could share one; shorten the names of "
        "the epilogues");

    // Packed weights, all of them in one block of memory: layouts, size, and the name of the layouts for those who keep
    // them in a file. 0 bytes of an operator without weights.
    static constexpr packed_tensors packed_layouts = packed_for(definition_of<Op>, config, Set);
    static constexpr std::uint64_t layout_id = hone::layout_id(packed_layouts);
    static constexpr std::size_t packed_bytes =
        static_cast<std::size_t>(packed_elements(packed_layouts)) * sizeof(float);

    static constexpr std::size_t workspace_bytes(int slots) { return codegen::cpu::workspace_bytes<compute>(slots); }

    // From the operator's layout of its weights to this kernel's: those of one, or a list of all in the order of the
    // definition. Nothing is written on a fault: tensor_missing.
    static status pack(given_weights weights, float* packed) noexcept
    {
        if (const status missing = check_given(original, weights, packed); !missing.ok()) return missing;
        if constexpr (compute::found.ok())
            [&]<std::size_t... W>(std::index_sequence<W...>) {
                (pack_one<W>(weights[W], packed + packed_offset(packed_layouts, W)), ...);
            }(std::make_index_sequence<original.size()>{});
        return {};
    }

    // Computes y; nothing, of no tensors, where an extent of the call is 0. Faults: parameter_out_of_range,
    // workspace_missing, packed_layout_mismatch, tensor_missing.
    template <class Executor>
    static status run(Executor& executor, const arguments& a) noexcept
    {
        constexpr const auto& n = compute::nest;
        constexpr std::size_t given = given_parameters(n.parameters);
        if constexpr (given > 0) {
            const auto of_call = check_parameters(n.parameters, emptying_parameters(definition_of<Op>), a.parameters);
            if (of_call.is_empty || !of_call.found.ok()) return of_call.found;
        }
        if (workspace_bytes(1) > 0 && a.workspace == nullptr)
            return {fault::workspace_missing, static_cast<std::int64_t>(workspace_bytes(executor.slots())), 0,
                    "workspace"};
        if (a.weights_layout != 0 && a.weights_layout != layout_id)
            return {fault::packed_layout_mismatch, static_cast<std::int64_t>(layout_id),
                    static_cast<std::int64_t>(a.weights_layout), "weights"};
        float* tensors[codegen::cpu::at_least_one(n.buffers.size())]{};
        constexpr call_parts parts = parts_of(definition_of<Op>);
        std::uint64_t missing = 0; // by position
        for (std::size_t position = 0; position < parts.size(); ++position) {
            const float* const p = part_of(a, parts[position]);
            missing |= std::uint64_t{p == nullptr} << position;
            tensors[position] = const_cast<float*>(p);
            // Weights stand one behind the other where the first are given.
            if (parts[position].member == call_member::weights && parts[position].number > 0 && p != nullptr)
                tensors[position] += packed_offset(packed_layouts, static_cast<std::size_t>(parts[position].number));
        }
        if (missing != 0) [[unlikely]]
            return missing_tensor(missing);
        // An illegal nest has had its sentence; compiling it would bury that, or fill the memory.
        if constexpr (compute::found.ok()) {
            if constexpr (given == n.parameters.size()) {
                codegen::cpu::run<compute>(executor, tensors, a.parameters, a.workspace);
            } else {
                std::int64_t values[n.parameters.size()];
                complete(n.parameters, a.parameters, values);
                codegen::cpu::run<compute>(executor, tensors, values, a.workspace);
            }
        }
        return {};
    }
    static status run(const arguments& a) noexcept
    {
        serial_executor serial;
        return run(serial, a);
    }

private:
    static constexpr packed_tensors original = weights_of(definition_of<Op>);
    static constexpr bool transforms_weights =
        config.visit([]<class T>(std::type_identity<T>, const auto&) { return T::transforms_weights; });

    template <std::size_t Which>
    static void pack_one(const float* weights, float* packed)
    {
        if constexpr (transforms_weights) {
            static_assert(Which == 0);
            using transform = kernel_nest<Op, Configs, Set, tuned_threads, nest_of::packing>;
            static_assert(assert_no_fault<transform::found.what, transform::found.expected, transform::found.found>());
            if constexpr (transform::found.ok()) {
                // A few values of one pair of channels.
                char workspace[codegen::cpu::at_least_one(codegen::cpu::workspace_bytes<transform>(1))];
                static_assert(sizeof workspace <= 1024);
                float* const tensors[2] = {const_cast<float*>(weights), packed};
                serial_executor serial;
                codegen::cpu::run<transform>(serial, tensors, nullptr, workspace);
            }
        } else {
            pack_into<Set>(original[Which], packed_layouts[Which], weights, packed);
        }
    }

    [[gnu::cold, gnu::noinline]] static status missing_tensor(std::uint64_t missing)
    {
        for (const buffer& b : compute::nest.buffers)
            if (b.memory == memory::argument && (missing >> b.position & 1) != 0)
                return {.what = fault::tensor_missing, .subject = b.name};
        return {};
    }
};

} // namespace hone
