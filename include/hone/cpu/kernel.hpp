// SPDX-License-Identifier: BSL-1.0
// hone::kernel: an operator, a config and an instruction set as a callable thing, with packing and workspace sizes.
// All of it is static; run and pack are re-entrant, allocate nothing and need no alignment beyond that of the elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/assert_fault.hpp>
#include <hone/core/executor.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/sequence.hpp>
#include <hone/core/traits.hpp>
#include <hone/cpu/codegen.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/operator.hpp>
#include <hone/run/call.hpp>
#include <hone/run/given_tensor.hpp>
#include <hone/run/pack.hpp>
#include <hone/schedule/config.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/schedule_template.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

// What a call gives. Tensors are pointers to the first element, float* where the operator says nothing else;
// activations and weights in the operator's layouts. y may be the residual, or an operand of the epilogue, itself: in
// the same place, with the same strides; of an operator of elements or of rows x, too. Otherwise y and the workspace
// overlap nothing, and further outputs neither.
struct arguments {
    given_tensor x{};
    const void* weights = nullptr; // all of them, packed by pack()
    given_tensor bias{};
    given_tensor residual{};
    given_tensors operands{}; // all other tensors, in the order of the operator: see run/call.hpp
    given_output y{};
    given_outputs outputs{};                  // all other outputs, in the order of the operator
    void* workspace = nullptr;                // workspace_bytes(executor.slots()); contents are undefined between calls
    const std::int64_t* parameters = nullptr; // run-time extents and strides, in the order of the operator
    std::uint64_t weights_layout = 0;         // layout id of packed weights that come from a file; 0: not checked

    [[gnu::always_inline]] constexpr given_tensor operand(int number) const { return operands[number]; }
    [[gnu::always_inline]] constexpr given_output output(int number) const { return outputs[number]; }
    friend constexpr bool operator==(const arguments&, const arguments&) = default;
};

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
    static constexpr ir::nest lowered = lower(schedule);
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
    static constexpr std::uint64_t layout_id = schedules::layout_id(packed_layouts);
    // Of the largest extents, where the call gives some of the weights.
    static constexpr std::size_t packed_bytes = schedules::packed_bytes(packed_layouts);
    // Of these extents: parameters as for pack(), which takes them. 0 where it would not.
    static std::size_t packed_bytes_of([[maybe_unused]] const std::int64_t* parameters) noexcept
    {
        if constexpr (is_open) {
            std::int64_t values[open_count];
            const auto of_call = check_weights(parameters, values);
            if (of_call.is_empty || !of_call.found.ok()) return 0;
            constexpr std::size_t last = original.size() - 1, before = packed_offset(packed_layouts, last);
            constexpr tensor source = original[last], packed = packed_layouts[last];
            const auto elements = pack_plan_of<Set>(source, packed, values).elements;
            return before + static_cast<std::size_t>(elements) * bytes_of(packed.type);
        } else {
            return packed_bytes;
        }
    }

    static constexpr std::size_t workspace_bytes(int slots) { return codegen::cpu::workspace_bytes<compute>(slots); }

    // From the operator's layout of its weights to this kernel's: those of one, or a list of all in the order of the
    // definition. Weights of types<f16> are given as halves, or as floats, which are rounded to nearest, ties to even.
    // Where the call gives extents of the weights, `parameters` are those of the calls to come, of which only these
    // extents are looked at; where one is 0, nothing is to be packed. Nothing is written on a fault: tensor_missing,
    // weights_type, parameter_out_of_range, shape_mismatch.
    static status pack(given_weights weights, void* packed) noexcept { return pack(weights, packed, nullptr); }
    static status pack(given_weights weights, void* packed, [[maybe_unused]] const std::int64_t* parameters) noexcept
    {
        constexpr auto names = names_of_weights<original.size()>(original);
        if (const status missing = check_given(names, weights, packed); !missing.ok()) return missing;
        std::int64_t values[codegen::cpu::at_least_one(open_count)];
        if constexpr (is_open) {
            const auto of_call = check_weights(parameters, values);
            if (of_call.is_empty || !of_call.found.ok()) return of_call.found;
        }
        if constexpr (compute::found.ok())
            [&]<int... W>(sequence<W...>) {
                (pack_one<W>(weights, packed, values), ...);
            }(make_sequence<static_cast<int>(original.size())>{});
        return {};
    }

    // Computes y; nothing, of no tensors, where an extent of the call is 0. Faults: parameter_out_of_range,
    // shape_mismatch, workspace_missing, packed_layout_mismatch, tensor_missing, tensor_type.
    template <class Executor>
    static status run(Executor& executor, const arguments& a) noexcept
    {
        constexpr const auto& n = compute::nest;
        constexpr std::size_t given = given_parameters(n.parameters);
        if constexpr (given > 0) {
            constexpr auto parameters = n.parameters; // no reference to the nest, which would then stand in the binary
            const auto of_call = check_parameters(parameters, emptying, a.parameters);
            if (of_call.is_empty || !of_call.found.ok()) return of_call.found;
        }
        if (workspace_bytes(1) > 0 && a.workspace == nullptr)
            return {fault::workspace_missing, static_cast<std::int64_t>(workspace_bytes(executor.slots())), 0,
                    "workspace"};
        if (a.weights_layout != 0 && a.weights_layout != layout_id)
            return {fault::packed_layout_mismatch, static_cast<std::int64_t>(layout_id),
                    static_cast<std::int64_t>(a.weights_layout), "weights"};
        void* tensors[codegen::cpu::at_least_one(n.buffers.size())]{};
        const std::uint64_t missing = [&]<int... P>(sequence<P...>) {
            return (std::uint64_t{0} | ... | (std::uint64_t{!take<P>(a, tensors)} << P)); // by position
        }(make_sequence<static_cast<int>(parts.size())>{});
        if (missing != 0) [[unlikely]]
            return refused_tensor(a, missing);
        // An illegal nest has had its sentence; compiling it would bury that, or fill the memory.
        if constexpr (compute::found.ok()) {
            if constexpr (given == n.parameters.size()) {
                codegen::cpu::run<compute>(executor, tensors, a.parameters, a.workspace);
            } else {
                constexpr auto parameters = n.parameters;
                std::int64_t values[parameters.size()];
                complete(parameters, a.parameters, values);
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
    // What is known of the operator. Of these and of the nest, code takes values: none of them stands in the binary.
    static constexpr packed_tensors original = weights_of(definition_of<Op>);
    static constexpr call_parts parts = parts_of(definition_of<Op>);
    static constexpr bool transforms_weights =
        config.visit([]<class T>(type_identity<T>, const auto&) { return T::transforms_weights; });

    static constexpr std::size_t open_count = definition_of<Op>.parameters.size();
    static constexpr std::uint64_t parameters_of_weights = parameters_of(definition_of<Op>.parameters, original) |
                                                           parameters_of(definition_of<Op>.parameters, packed_layouts);
    static constexpr bool is_open = parameters_of_weights != 0;
    static constexpr std::uint64_t emptying = emptying_parameters(definition_of<Op>);

    // One copy of what is known of parameters for all that asks of weights.
    [[gnu::noinline]] static checked_parameters check_weights(const std::int64_t* given, std::int64_t* values)
    {
        constexpr auto parameters = [] {
            inline_vector<parameter, codegen::cpu::at_least_one(open_count)> all;
            for (const parameter& p : definition_of<Op>.parameters) all.push_back(p);
            return all;
        }();
        return check_some_parameters(parameters, parameters_of_weights, emptying, given, values);
    }

    template <std::size_t Which>
    static void pack_one(const given_weights& weights, void* packed, [[maybe_unused]] const std::int64_t* values)
    {
        if constexpr (transforms_weights) {
            static_assert(Which == 0 && original[0].type == dtype::f32 && !is_open);
            using transform = kernel_nest<Op, Configs, Set, tuned_threads, nest_of::packing>;
            static_assert(assert_no_fault<transform::found.what, transform::found.expected, transform::found.found>());
            if constexpr (transform::found.ok()) {
                // A few values of one pair of channels.
                char workspace[codegen::cpu::at_least_one(codegen::cpu::workspace_bytes<transform>(1))];
                static_assert(sizeof workspace <= 1024);
                void* const tensors[2] = {const_cast<float*>(weights[0]), packed};
                serial_executor serial;
                codegen::cpu::run<transform>(serial, tensors, nullptr, workspace);
            }
        } else {
            constexpr auto offset = packed_offset(packed_layouts, Which);
            const auto pack_by = [&](const auto& plan) {
                pack_given<Set, original[Which].type>(weights, Which, plan, static_cast<std::byte*>(packed) + offset);
            };
            constexpr tensor source = original[Which], layout = packed_layouts[Which];
            if constexpr (is_open) {
                pack_by(pack_plan_of<Set>(source, layout, values));
            } else {
                constexpr auto all = pack_plan_of<Set>(source, layout);
                constexpr auto plan = resized<static_cast<int>(all.dims.size())>(all);
                pack_by(plan);
            }
        }
    }

    // The tensor at a position of the nest; false where the call does not give it, or in another type.
    template <std::size_t Position>
    static bool take(const arguments& a, void** tensors)
    {
        constexpr call_part part = parts[Position];
        if constexpr (part.member != call_member::weights) {
            const given_tensor given = part_of(a, part);
            tensors[Position] = const_cast<void*>(given.first());
            const bool is_there = given.first() != nullptr, is_of_type = given.type() == argument<Position>().type;
            return is_there & is_of_type; // both: nothing to jump over
        } else {
            // Weights stand one behind the other where the first are given.
            const void* p = a.weights;
            const bool is_given = p != nullptr;
            if constexpr (part.number > 0) {
                constexpr auto offset = packed_offset(packed_layouts, static_cast<std::size_t>(part.number));
                if (is_given) p = static_cast<const std::byte*>(p) + offset;
            }
            tensors[Position] = const_cast<void*>(p);
            return is_given;
        }
    }

    struct argument_traits {
        const char* name = "";
        dtype type = dtype::f32;
    };
    template <std::size_t Position>
    static consteval argument_traits argument()
    {
        for (const buffer& b : compute::nest.buffers)
            if (b.memory == memory::argument && static_cast<std::size_t>(b.position) == Position)
                return argument_traits{b.name, b.type};
        return {};
    }
    // The fault of the first of these positions.
    [[gnu::cold, gnu::noinline]] static status refused_tensor(const arguments& a, std::uint64_t refused)
    {
        argument_traits first;
        given_tensor given; // none where the weights are missing
        const auto is_refused = [&]<int P>(type_identity<sequence<P>>) {
            if ((refused >> P & 1) == 0) return false;
            constexpr call_part part = parts[P];
            constexpr argument_traits traits = argument<P>();
            first = traits;
            if constexpr (part.member != call_member::weights) given = part_of(a, part);
            return true;
        };
        [&]<int... P>(sequence<P...>) {
            static_cast<void>((is_refused(type_identity<sequence<P>>()) || ...));
        }(make_sequence<static_cast<int>(parts.size())>{});
        return refusal_of(given, first.name, first.type);
    }
};

} // namespace hone::calls

namespace hone { // API
using calls::arguments, calls::kernel;
} // namespace hone
