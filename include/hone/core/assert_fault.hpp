// SPDX-License-Identifier: BSL-1.0
// A fault as a compile error: one static_assert for each that a user can cause, with the sentence of core/fault.hpp as
// a literal, which C++20 asks for. A test compares the two.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

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
    static_assert(
        Found != fault::knob_unknown,
        "hone::kernel: the config names a knob that its template does not have, one twice, or no value; write "
        "the template's name, then knob=value for each knob, with one blank between");
    static_assert(
        Found != fault::template_missing,
        "hone::kernel: the list of schedule templates has none for this operator, or lacks the one that the "
        "config names; add it to the list, or for one of several stages or two activations include hone/stages.hpp");
    static_assert(Found != fault::factor_does_not_divide,
                  "hone::split: the factor must divide the extent of the axis; choose "
                  "another factor or pass tail::guard");
    static_assert(Found != fault::vector_length_unsupported,
                  "hone::vectorize: the instruction set has no vector of this "
                  "length; use lanes_of(isa, dtype) or a shorter one");
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
        "hone: the operator has four tensors of role::output, of which a kernel writes three, or five of role::weights, "
        "of which it packs four; give one role::operand, or compute it in another operator");
    static_assert(
        Found != fault::output_not_written_once,
        "hone: a tensor of role::output is written by no stage of the operator, or by two; let one stage write it, as its "
        "output or as a further one");
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
    static_assert(Found != fault::element_type_unknown,
                  "hone: kernels compute with 32-bit floats, and read weights of 32 or 16 bits; name hone::f32, or "
                  "hone::types<hone::f16>");
    static_assert(Found != fault::typical_out_of_range,
                  "hone: a value that is named as typical is none that a call can give; name one from 1 to that of "
                  "up_to(), and of a distance at least a row");
    static_assert(
        Found != fault::channels_at_call,
        "hone: channels that each call gives are those of NHWC images, and where it gives groups, it gives ic "
        "and oc, too; name the number of groups, or the channels");
    static_assert(Found != fault::window_at_call,
                  "hone: a window that each call gives moves over NHWC images whose h and w it gives, too; name kh and "
                  "kw, at most so many taps, and no stride, padding or dilation");
    static_assert(
        Found != fault::extents_at_call,
        "hone: calls give extents of NHWC images and of whole windows, and of rows without inner; name this number");
    static_assert(
        Found != fault::view_mismatch,
        "hone: pixels of NHWC lie ldx and ldy apart, images of NCHW batch_stride_x and batch_stride_y, and rows ldx and ldy, "
        "at least as far as they are long; name those of the layout, and numbers where the call gives extents of the image");
    static_assert(Found != fault::too_many_tile_bodies,
                  "hone::lower: border, tail and unroll multiply to more than 8 tile bodies; peel fewer levels");
    static_assert(Found != fault::capacity, "hone::lower: the nest outgrows its capacity; peel or unroll less");
    constexpr bool is_named =
        is_one_of<fault::none, fault::knob_value, fault::knob_unknown, fault::template_missing,
                  fault::factor_does_not_divide, fault::vector_length_unsupported, fault::too_many_live_registers,
                  fault::too_many_tile_bodies, fault::blocked_axis_not_affine, fault::capacity, fault::extent_zero,
                  fault::extent_too_large, fault::shape_mismatch, fault::role_missing, fault::role_taken,
                  fault::output_not_written_once, fault::expression_too_long, fault::definition_too_large,
                  fault::definition_unknown_part, fault::definition_rank, fault::definition_expression,
                  fault::definition_reduction, fault::definition_outside, fault::definition_output,
                  fault::element_type_unknown, fault::typical_out_of_range, fault::channels_at_call,
                  fault::window_at_call, fault::extents_at_call, fault::view_mismatch>(Found);
    static_assert(is_named, "hone::lower: the schedule is not legal; the template arguments of assert_no_fault "
                            "name the fault, what was expected and what was found");
    return true; // one fault, one error: the caller's assertion has nothing to add
}

} // namespace hone::core
