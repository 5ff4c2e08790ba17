// SPDX-License-Identifier: BSL-1.0
// The table between a generated library of candidates and the process that measures it: one variant for each kernel.
// Generated units include this header alone, beside that of their workloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <hone/cpu/entry.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/measure/odd_twin.hpp>
#include <hone/schedule/cpu_templates.hpp>

namespace hone::tune {

// The symbols of a library: `const variant hone_variants[]`, `const int hone_variant_count`.
struct variant {
    std::size_t packed_bytes = 0;
    std::uint64_t layout_id = 0;
    std::size_t (*workspace_bytes)(int slots) = nullptr;
    status (*pack)(given_weights weights, void* packed) = nullptr;
    status (*run)(const executor_ref& executor, const arguments& call) = nullptr;
    // Where each call gives extents: see entry.
    std::size_t (*packed_bytes_of)(const std::int64_t* parameters) = nullptr;
    status (*pack_for)(given_weights weights, void* packed, const std::int64_t* parameters) = nullptr;
};

template <class Kernel>
constexpr variant variant_of()
{
    return {Kernel::packed_bytes,
            Kernel::layout_id,
            [](int slots) { return Kernel::workspace_bytes(slots); },
            [](given_weights weights, void* packed) { return Kernel::pack(weights, packed); },
            [](const executor_ref& executor, const arguments& call) { return Kernel::run(executor, call); },
            [](const std::int64_t* parameters) { return Kernel::packed_bytes_of(parameters); },
            [](given_weights weights, void* packed, const std::int64_t* parameters) {
                return Kernel::pack(weights, packed, parameters);
            }};
}

// One scalar loop an axis, in the order of the definition, with the sum in a register: what a reader of the formula
// would write. Every other kernel is compared with it.
constexpr schedule naive_schedule(const definition& d, isa set)
{
    schedule s;
    s.definition = d;
    s.set = set;
    for (const stage& of : d.stages) {
        stage_plan p;
        for (int pass = 0; pass < 2; ++pass) {
            if (pass == 1) p.open_tile();
            for (std::size_t a = 0; a < of.axes.size(); ++a)
                if (of.axes[a].reduction == (pass == 1)) p.add(static_cast<int>(a), 1);
        }
        s.plans.push_back(p);
    }
    return s;
}

template <tensor_operator Op, isa Set = compiled_isa()>
struct naive_kernel {
    struct compute {
        static constexpr isa set = Set;
        static constexpr hone::schedule schedule = naive_schedule(Op::definition(), Set);
        static constexpr ir::nest lowered = lower(schedule);
        static constexpr auto nest = resized<lowered.sizes()>(lowered);
        static_assert(lowered.ok());
    };
    // As the operator has them.
    static constexpr packed_tensors weights = weights_of(compute::schedule.definition);
    static constexpr std::uint64_t layout_id = schedules::layout_id(weights);
    static constexpr std::size_t packed_bytes = schedules::packed_bytes(weights);
    static constexpr std::size_t workspace_bytes(int slots) { return codegen::cpu::workspace_bytes<compute>(slots); }

    static std::size_t packed_bytes_of(const std::int64_t* parameters)
    {
        const parameter_values values(parameters);
        if constexpr (weights.empty())
            return 0;
        else
            return packed_offset(weights, weights.size() - 1) + schedules::packed_bytes(values.of_call(weights.back()));
    }
    static status pack(given_weights from, void* packed) { return pack(from, packed, nullptr); }
    static status pack(given_weights from, void* packed, const std::int64_t* parameters)
    {
        const parameter_values values(parameters);
        [&]<std::size_t... W>(std::index_sequence<W...>) {
            (copy<storage_of<weights[W].type>>(from[W], values.of_call(weights[W]).elements(),
                                               static_cast<std::byte*>(packed) + packed_offset(weights, W)),
             ...);
        }(std::make_index_sequence<weights.size()>{});
        return {};
    }
    // On the calling thread, whatever the executor.
    template <class Executor>
    static status run(Executor&, const arguments& a) noexcept
    {
        constexpr call_parts parts = parts_of(compute::schedule.definition);
        void* tensors[compute::nest.buffers.size()]{};
        for (std::size_t p = 0; p < parts.size(); ++p) {
            if (parts[p].member == call_member::weights)
                tensors[p] = const_cast<std::byte*>(static_cast<const std::byte*>(a.weights) +
                                                    packed_offset(weights, static_cast<std::size_t>(parts[p].number)));
            else
                tensors[p] = const_cast<void*>(part_of(a, parts[p]).first());
        }
        serial_executor serial;
        codegen::cpu::run<compute>(serial, tensors, parameter_values(a.parameters).all, a.workspace);
        return {};
    }

private:
    // Of all parameters, from what a call gives. Without, tensors are those of the largest extents.
    struct parameter_values {
        static constexpr auto parameters = compute::schedule.definition.parameters;
        std::int64_t all[parameters.size() + 1]{};

        explicit parameter_values(const std::int64_t* given)
        {
            for (std::size_t p = 0; p < parameters.size(); ++p) all[p] = parameters[p].most;
            if (given != nullptr) complete(parameters, given, all);
        }
        tensor of_call(const tensor& t) const { return schedules::at_call(t, all); }
    };
    // As it stands, gaps between rows included.
    template <class Element>
    static void copy(const float* from, std::int64_t elements, void* to)
    {
        for (std::int64_t i = 0; i < elements; ++i) static_cast<Element*>(to)[i] = static_cast<Element>(from[i]);
    }
};

} // namespace hone::tune

// Kernels of the twin are of the workload's templates.
template <class Op>
struct hone::schedules::config_parts::templates_of<hone::tune::odd_twin<Op>>
    : hone::schedules::config_parts::templates_of<Op> {};
