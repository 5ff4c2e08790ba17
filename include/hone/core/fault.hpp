// SPDX-License-Identifier: BSL-1.0
// Every way in which a schedule, a nest or a call can be wrong, each with one sentence: the call, the rule, the mend.
// The same sentence is shown by static_assert, by a status at run time and in the documentation.
#pragma once

#include <cstdint>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

enum class fault : std::uint8_t {
    none,
    // schedule
    knob_value,
    knob_unknown,
    template_missing,
    axis_unknown,
    axis_not_covered,
    factor_not_positive,
    factor_does_not_divide,
    vector_length_unsupported,
    vector_level_not_innermost,
    too_many_live_registers,
    too_many_tile_bodies,
    blocked_axis_not_affine,
    reduction_split_twice,
    reduction_parallel,
    reduction_not_apart,
    register_index_not_constant,
    attach_unknown,
    capacity,
    // workload
    extent_zero,
    extent_too_large,
    shape_mismatch,
    role_missing,
    role_taken,
    output_not_written_once,
    definition_unknown_part,
    definition_rank,
    definition_expression,
    definition_reduction,
    definition_outside,
    definition_output,
    expression_too_long,
    definition_too_large,
    element_type_unknown,
    accuracy_not_allowed,
    // Vulkan nests
    shared_memory_exceeded,
    workgroup_too_large,
    too_many_workgroups,
    barrier_in_divergent_flow,
    barrier_missing,
    too_many_loop_iterations,
    too_many_buffers,
    buffer_too_large,
    // nests
    index_out_of_bounds,
    uninitialized_read,
    parallel_race,
    // kernels and devices
    threads_not_positive,
    packed_layout_mismatch,
    parameter_out_of_range,
    workspace_missing,
    tensor_missing,
    weights_type,
    vulkan_loader_missing,
    vulkan_device_missing,
    vulkan_feature_missing,
    vulkan_call_failed,
    vulkan_call_mismatch,
    vulkan_bindings_exhausted,
    vulkan_buffer_missing,
    vulkan_entry_missing,
    vulkan_entry_mismatch,
    shader_rejected,
};

// One sentence: the call as written, the rule, the mend.
constexpr const char* message_of(fault f)
{
    switch (f) {
    case fault::none: return "hone: no fault";
    case fault::knob_value:
        return "hone::kernel: a knob of the config has no such value; choose one that the table of its template allows";
    case fault::knob_unknown:
        return "hone::kernel: the config names a knob that its template does not have, one twice, or no value; write the "
               "template's name, then knob=value for each knob, with one blank between";
    case fault::template_missing:
        return "hone::kernel: the list of schedule templates has none for this operator, or lacks the one that the config "
               "names; add it to the list";
    case fault::axis_unknown:
        return "hone::lower: a level names an axis that its stage does not have; use the axes of the operator's definition";
    case fault::axis_not_covered:
        return "hone::lower: the levels of a stage must take each axis down to step 1; add the missing level";
    case fault::factor_not_positive: return "hone::split: a factor must be at least 1; choose another factor";
    case fault::factor_does_not_divide:
        return "hone::split: the factor must divide the extent of the axis; choose another factor or pass tail::guard";
    case fault::vector_length_unsupported:
        return "hone::vectorize: the instruction set has no vector of this length; use vector_length(isa) or a shorter one";
    case fault::vector_level_not_innermost:
        return "hone::vectorize: the vector level must be the last level of its axis, with step 1; reorder the levels";
    case fault::too_many_live_registers:
        return "hone::lower: the tile needs more vector registers than the instruction set has; choose a smaller tile";
    case fault::too_many_tile_bodies:
        return "hone::lower: border, tail and unroll multiply to more than 8 tile bodies; peel fewer levels";
    case fault::blocked_axis_not_affine:
        return "hone::lower: a level crosses the blocks of a blocked layout, so its index is not affine; align its step "
               "to the block";
    case fault::reduction_split_twice:
        return "hone::lower: at most one reduction level may stand outside the register tile; move the others inside";
    case fault::reduction_parallel: return "hone::parallel: a reduction axis cannot be parallel; bind a spatial axis";
    case fault::reduction_not_apart:
        return "hone::vectorize: a vector level along a reduction, and the unrolled levels around it, accumulate apart inside "
               "one tile; call accumulate_apart() before them, and leave no reduction level outside the tile";
    case fault::register_index_not_constant:
        return "hone::lower: registers are indexed by unrolled and vectorized levels only; unroll the level or move it "
               "outside the tile";
    case fault::attach_unknown:
        return "hone::lower: a stage is attached to a stage or level that does not exist; attach to a level of a later stage";
    case fault::capacity: return "hone::lower: the nest outgrows its capacity; peel or unroll less";
    case fault::extent_zero: return "hone: every extent of a workload must be at least 1; remove the empty workload";
    case fault::extent_too_large:
        return "hone: an axis or a tensor of the workload has more than 2^40 elements, or may have 2^62 with strides of a "
               "call; choose smaller extents and strides, or split the workload";
    case fault::shape_mismatch:
        return "hone: the shapes of the operator do not fit together; check channels, groups, kernel and padding";
    case fault::role_missing:
        return "hone: an operator needs a tensor of role::input and one of role::output; add the missing one";
    case fault::role_taken:
        return "hone: the operator has four tensors of role::output, of which a kernel writes three, or five of "
               "role::weights, of which it packs four; give one role::operand, or compute it in another operator";
    case fault::output_not_written_once:
        return "hone: a tensor of role::output is written by no stage of the operator, or by two; let one stage write it, as "
               "its output or as a further one";
    case fault::expression_too_long:
        return "hone: an expression of the operator has more than 32 nodes, all of its epilogues included; write it with "
               "fewer words, or leave a part of it to another operator";
    case fault::definition_too_large:
        return "hone: the operator has more tensors, stages, axes, operands, parameters or index terms than a definition "
               "holds; use fewer of what the subject names";
    case fault::definition_unknown_part:
        return "hone: the operator names an axis, tensor, operand, table or parameter by a number that none of them has; "
               "count them from 0, in the order in which they were added";
    case fault::definition_rank:
        return "hone: an index of the operator has not one entry for each dimension of its tensor; add the missing ones, or "
               "leave out the others";
    case fault::definition_expression:
        return "hone: a stage of the operator has an empty expression, or one that reads acc() before there is a sum; write "
               "the body in loads, the epilogue in acc() and loads";
    case fault::definition_reduction:
        return "hone: a stage of the operator has a reduction axis and does not say how it reduces; set its reduction";
    case fault::definition_outside:
        return "hone: the operator leaves a tensor; make it or the axes fit, or say may_leave of the operand, and what it reads outside";
    case fault::definition_output:
        return "hone: two points of the operator would write one element of its output; move a tensor of role::output by "
               "each axis but those of reductions, by strides that keep them apart";
    case fault::element_type_unknown:
        return "hone: kernels compute with 32-bit floats, and read weights of 32 or 16 bits; name hone::f32, or "
               "hone::types<hone::f16>";
    case fault::accuracy_not_allowed:
        return "hone: the kernel is of a worse class of error than the workload allows; ask for hone::fast, or choose another "
               "config";
    case fault::shared_memory_exceeded:
        return "hone::vulkan: the staged tiles need more shared memory than the device has; choose smaller tiles";
    case fault::workgroup_too_large:
        return "hone::vulkan: the lanes multiply to more invocations than the device allows; choose fewer lanes";
    case fault::too_many_workgroups:
        return "hone::vulkan: the grid has more workgroups than the device allows; choose larger tiles or more lanes";
    case fault::barrier_in_divergent_flow:
        return "hone::barrier: every lane of the workgroup must reach the barrier; move it out of the guarded or lane-bound "
               "loop";
    case fault::barrier_missing:
        return "hone::interpret: two lanes touch one shared element without a barrier between; add the barrier";
    case fault::too_many_loop_iterations:
        return "hone::vulkan: an invocation runs more loop iterations than the device allows; unroll or split the reduction";
    case fault::too_many_buffers:
        return "hone::vulkan: the kernel binds more storage buffers than the device allows; use fewer operands";
    case fault::buffer_too_large:
        return "hone::vulkan: a tensor is larger than the device binds as one storage buffer; choose another entry or device, "
               "or split the operator";
    case fault::index_out_of_bounds: return "hone::interpret: an access leaves its buffer; guard or clip the loop";
    case fault::uninitialized_read:
        return "hone::interpret: an element is read before it is written; compute it in an earlier stage";
    case fault::parallel_race:
        return "hone::interpret: two iterations of a parallel loop touch one element; make the buffer private to the worker "
               "slot";
    case fault::threads_not_positive:
        return "hone::kernel: the number of threads must be at least 1; pass that of the executor";
    case fault::packed_layout_mismatch:
        return "hone::run: the packed weights have another layout id than this kernel; pack them again with this kernel's "
               "pack()";
    case fault::parameter_out_of_range:
        return "hone::run: a run-time extent or distance is out of the workload's range; pass a value within it, at least a "
               "row for the distance of rows and a matrix for that of matrices";
    case fault::workspace_missing:
        return "hone::run: the kernel needs a workspace; pass one of workspace_bytes(slots) bytes";
    case fault::tensor_missing:
        return "hone::run: a tensor that the kernel reads or writes is a null pointer; pass the one that the subject names";
    case fault::weights_type:
        return "hone::pack: the weights are given in 16 bits, and the operator has them in 32; give them as floats, or name "
               "hone::types<hone::f16>";
    case fault::vulkan_loader_missing:
        return "hone::vulkan: no Vulkan loader (libvulkan.so.1) was found; install libvulkan1 or use the CPU backend";
    case fault::vulkan_device_missing:
        return "hone::vulkan: no Vulkan device was found; install a driver (mesa-vulkan-drivers has a software one)";
    case fault::vulkan_feature_missing:
        return "hone::vulkan: the device lacks a feature that the kernel requires; choose another entry or device";
    case fault::vulkan_call_failed:
        return "hone::vulkan: a Vulkan call failed; see the detail for the call and its result";
    case fault::vulkan_call_mismatch:
        return "hone::vulkan: record takes one aligned buffer for each binding and one value for each parameter; pass them "
               "in the order of the kernel";
    case fault::vulkan_bindings_exhausted:
        return "hone::vulkan: all bindings of the pipeline are recorded and not done; create it with more, or call "
               "recycle() when the device is done";
    case fault::vulkan_buffer_missing:
        return "hone::vulkan: the call lacks a buffer of the workload, or has one that is too small; pass the one that the "
               "subject names";
    case fault::vulkan_entry_missing:
        return "hone::vulkan::kernel: the config set has no entry for this workload and device; tune it with BACKENDS vulkan";
    case fault::vulkan_entry_mismatch:
        return "hone::vulkan: the entry was tuned for another definition of this workload; tune it again";
    case fault::shader_rejected:
        return "hone::vulkan: the shader compiler rejected the kernel; see the detail for its log";
    }
    return "hone: unknown fault";
}

// A fault with what was expected and what was found; `subject` names the axis, level, buffer or call.
struct status {
    fault what = fault::none;
    std::int64_t expected = 0;
    std::int64_t found = 0;
    const char* subject = "";

    constexpr bool ok() const { return what == fault::none; }
    constexpr const char* message() const { return message_of(what); }
};

} // namespace hone
