// SPDX-License-Identifier: BSL-1.0
// Every way in which a schedule, a nest or a call can be wrong, each with one sentence: the call, the rule, the mend.
// The same sentence is shown by static_assert, by a status at run time and in the documentation.
#pragma once

#include <cstdint>

#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

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
    view_mismatch,
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
    typical_out_of_range,
    channels_at_call,
    window_at_call,
    extents_at_call,
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
    tensor_type,
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

struct fault_message {
    fault what = fault::none;
    const char* sentence = "";
};
struct fault_table {
    fault_message rows[static_cast<int>(fault::shader_rejected) + 1]; // of the last one
};

// One sentence each, in the order of the enumerators: the call as written, the rule, the mend.
inline constexpr fault_table fault_messages = {{
    {fault::none, "hone: no fault"},
    {fault::knob_value,
     "hone::kernel: a knob of the config has no such value; choose one that the table of its template allows"},
    {fault::knob_unknown,
     "hone::kernel: the config names a knob that its template does not have, one twice, or no value; write the "
     "template's name, then knob=value for each knob, with one blank between"},
    {fault::template_missing,
     "hone::kernel: the list of schedule templates has none for this operator, or lacks the one that the config "
     "names; add it to the list, or for one of several stages or two activations include hone/stages.hpp"},
    {fault::axis_unknown,
     "hone::lower: a level names an axis that its stage does not have; use the axes of the operator's definition"},
    {fault::axis_not_covered,
     "hone::lower: the levels of a stage must take each axis down to step 1; add the missing level"},
    {fault::factor_not_positive, "hone::split: a factor must be at least 1; choose another factor"},
    {fault::factor_does_not_divide,
     "hone::split: the factor must divide the extent of the axis; choose another factor or pass tail::guard"},
    {fault::vector_length_unsupported,
     "hone::vectorize: the instruction set has no vector of this length; use lanes_of(isa, dtype) or a shorter one"},
    {fault::vector_level_not_innermost,
     "hone::vectorize: the vector level must be the last level of its axis, with step 1; reorder the levels"},
    {fault::too_many_live_registers,
     "hone::lower: the tile needs more vector registers than the instruction set has; choose a smaller tile"},
    {fault::too_many_tile_bodies,
     "hone::lower: border, tail and unroll multiply to more than 8 tile bodies; peel fewer levels"},
    {fault::blocked_axis_not_affine,
     "hone::lower: a level crosses the blocks of a blocked layout, so its index is not affine; align its step "
     "to the block"},
    {fault::reduction_split_twice,
     "hone::lower: at most one reduction level may stand outside the register tile; move the others inside"},
    {fault::reduction_parallel, "hone::parallel: a reduction axis cannot be parallel; bind a spatial axis"},
    {fault::reduction_not_apart,
     "hone::vectorize: a vector level along a reduction, and the unrolled levels around it, accumulate apart inside "
     "one tile; call accumulate_apart() before them, and leave no reduction level outside the tile"},
    {fault::register_index_not_constant,
     "hone::lower: registers are indexed by unrolled and vectorized levels only; unroll the level or move it "
     "outside the tile"},
    {fault::attach_unknown,
     "hone::lower: a stage is attached to a stage or level that does not exist; attach to a level of a later stage"},
    {fault::capacity, "hone::lower: the nest outgrows its capacity; peel or unroll less"},
    {fault::extent_zero, "hone: every extent of a workload must be at least 1; remove the empty workload"},
    {fault::extent_too_large,
     "hone: an axis or a tensor of the workload has more than 2^40 elements, or may have 2^62 with strides of a "
     "call; choose smaller extents and strides, or split the workload"},
    {fault::shape_mismatch,
     "hone: the shapes of the operator do not fit together; check channels, groups, kernel and padding"},
    {fault::view_mismatch,
     "hone: pixels of NHWC lie ldx and ldy apart, images of NCHW batch_stride_x and batch_stride_y, and rows ldx and ldy, "
     "at least as far as they are long; name those of the layout, and numbers where the call gives extents of the image"},
    {fault::role_missing,
     "hone: an operator needs a tensor of role::input and one of role::output; add the missing one"},
    {fault::role_taken,
     "hone: the operator has four tensors of role::output, of which a kernel writes three, or five of "
     "role::weights, of which it packs four; give one role::operand, or compute it in another operator"},
    {fault::output_not_written_once,
     "hone: a tensor of role::output is written by no stage of the operator, or by two; let one stage write it, as "
     "its output or as a further one"},
    {fault::definition_unknown_part,
     "hone: the operator names an axis, tensor, operand, table or parameter by a number that none of them has; "
     "count them from 0, in the order in which they were added"},
    {fault::definition_rank,
     "hone: an index of the operator has not one entry for each dimension of its tensor; add the missing ones, or "
     "leave out the others"},
    {fault::definition_expression,
     "hone: a stage of the operator has an empty expression, or one that reads acc() before there is a sum; write "
     "the body in loads, the epilogue in acc() and loads"},
    {fault::definition_reduction,
     "hone: a stage of the operator has a reduction axis and does not say how it reduces; set its reduction"},
    {fault::definition_outside,
     "hone: the operator leaves a tensor; make it or the axes fit, or say may_leave of the operand, and what it reads outside"},
    {fault::definition_output,
     "hone: two points of the operator would write one element of its output; move a tensor of role::output by "
     "each axis but those of reductions, by strides that keep them apart"},
    {fault::expression_too_long,
     "hone: an expression of the operator has more than 32 nodes, all of its epilogues included; write it with "
     "fewer words, or leave a part of it to another operator"},
    {fault::definition_too_large,
     "hone: the operator has more tensors, stages, axes, operands, parameters or index terms than a definition "
     "holds; use fewer of what the subject names"},
    {fault::element_type_unknown,
     "hone: kernels compute with 32-bit floats, and read weights of 32 or 16 bits; name hone::f32, or "
     "hone::types<hone::f16>"},
    {fault::accuracy_not_allowed,
     "hone: the kernel is of a worse class of error than the workload allows; ask for hone::fast, or choose another "
     "config"},
    {fault::typical_out_of_range,
     "hone: a value that is named as typical is none that a call can give; name one from 1 to that of up_to(), and of a "
     "distance at least a row"},
    {fault::channels_at_call,
     "hone: channels that each call gives are those of NHWC images, and where it gives groups, it gives ic and oc, too; "
     "name the number of groups, or the channels"},
    {fault::window_at_call,
     "hone: a window that each call gives moves over NHWC images whose h and w it gives, too; name kh and kw, at most so "
     "many taps, and no stride, padding or dilation"},
    {fault::extents_at_call,
     "hone: calls give extents of NHWC images and of whole windows, and of rows without inner; name this number"},
    {fault::shared_memory_exceeded,
     "hone::vulkan: the staged tiles need more shared memory than the device has; choose smaller tiles"},
    {fault::workgroup_too_large,
     "hone::vulkan: the lanes multiply to more invocations than the device allows; choose fewer lanes"},
    {fault::too_many_workgroups,
     "hone::vulkan: the grid has more workgroups than the device allows; choose larger tiles or more lanes"},
    {fault::barrier_in_divergent_flow,
     "hone::barrier: every lane of the workgroup must reach the barrier; move it out of the guarded or lane-bound "
     "loop"},
    {fault::barrier_missing,
     "hone::interpret: two lanes touch one shared element without a barrier between; add the barrier"},
    {fault::too_many_loop_iterations,
     "hone::vulkan: an invocation runs more loop iterations than the device allows; unroll or split the reduction"},
    {fault::too_many_buffers,
     "hone::vulkan: the kernel binds more storage buffers than the device allows; use fewer operands"},
    {fault::buffer_too_large,
     "hone::vulkan: a tensor is larger than the device binds as one storage buffer; choose another entry or device, "
     "or split the operator"},
    {fault::index_out_of_bounds, "hone::interpret: an access leaves its buffer; guard or clip the loop"},
    {fault::uninitialized_read,
     "hone::interpret: an element is read before it is written; compute it in an earlier stage"},
    {fault::parallel_race,
     "hone::interpret: two iterations of a parallel loop touch one element; make the buffer private to the worker "
     "slot"},
    {fault::threads_not_positive, "hone::kernel: the number of threads must be at least 1; pass that of the executor"},
    {fault::packed_layout_mismatch,
     "hone::run: the packed weights have another layout id than this kernel; pack them again with this kernel's "
     "pack()"},
    {fault::parameter_out_of_range,
     "hone::run: a run-time extent or distance is out of the workload's range; pass a value within it, at least a "
     "row for the distance of rows and a matrix for that of matrices"},
    {fault::workspace_missing, "hone::run: the kernel needs a workspace; pass one of workspace_bytes(slots) bytes"},
    {fault::tensor_missing,
     "hone::run: a tensor that the kernel reads or writes is a null pointer; pass the one that the subject names"},
    {fault::tensor_type,
     "hone::run: a tensor is given in another element type than the operator has it in; pass a pointer to elements of "
     "the operator's type"},
    {fault::weights_type,
     "hone::pack: the weights are given in 16 bits, and the operator has them in 32; give them as floats, or name "
     "hone::types<hone::f16>"},
    {fault::vulkan_loader_missing,
     "hone::vulkan: no Vulkan loader (libvulkan.so.1) was found; install libvulkan1 or use the CPU backend"},
    {fault::vulkan_device_missing,
     "hone::vulkan: no Vulkan device was found; install a driver (mesa-vulkan-drivers has a software one)"},
    {fault::vulkan_feature_missing,
     "hone::vulkan: the device lacks a feature that the kernel requires; choose another entry or device"},
    {fault::vulkan_call_failed, "hone::vulkan: a Vulkan call failed; see the detail for the call and its result"},
    {fault::vulkan_call_mismatch,
     "hone::vulkan: record takes one aligned buffer for each binding and one value for each parameter; pass them "
     "in the order of the kernel"},
    {fault::vulkan_bindings_exhausted,
     "hone::vulkan: all bindings of the pipeline are recorded and not done; create it with more, or call "
     "recycle() when the device is done"},
    {fault::vulkan_buffer_missing,
     "hone::vulkan: the call lacks a buffer of the workload, or has one that is too small; pass the one that the "
     "subject names"},
    {fault::vulkan_entry_missing,
     "hone::vulkan::kernel: the config set has no entry for this workload and device; tune it with BACKENDS vulkan"},
    {fault::vulkan_entry_mismatch,
     "hone::vulkan: the entry was tuned for another definition of this workload; tune it again"},
    {fault::shader_rejected, "hone::vulkan: the shader compiler rejected the kernel; see the detail for its log"},
}};

// Whether each fault has one row, in its place.
constexpr bool is_complete(const fault_table& table)
{
    int place = 0;
    for (const fault_message& m : table.rows)
        if (static_cast<int>(m.what) != place++ || *m.sentence == '\0') return false;
    return true;
}
static_assert(is_complete(fault_messages), "a fault has no sentence, or stands in another place of the enumerators");

constexpr const char* message_of(fault f)
{
    // A copy, so that binaries have no inline variable: g++ makes it a symbol that a program may have once only.
    constexpr fault_table all = fault_messages;
    return f <= fault::shader_rejected ? all.rows[static_cast<int>(f)].sentence : "hone: unknown fault";
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

} // namespace hone::core

namespace hone { // API
using core::fault, core::message_of, core::status;
} // namespace hone
