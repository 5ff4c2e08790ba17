// SPDX-License-Identifier: BSL-1.0
// hone::vulkan::kernel: an operator and a config set as a thing that records itself on one device. Its entry is chosen
// among those of the set when it is created; a call names its buffers by what they hold.
//
//     auto k = hone::vulkan::kernel<c2, my_kernels>::create(context);       // a result
//     k->pack(weights, mapped);                                             // k->packed_bytes() of them
//     k->record(commands, {.x = x, .weights = w, .bias = b, .y = y});       // nothing submitted, nothing allocated
//
// As vulkan/pipeline.hpp it needs the types of vulkan_core.h, and neither a shader compiler nor a library to link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <hone/core/assert_fault.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/core/result.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/operator.hpp>
#include <hone/run/call.hpp>
#include <hone/run/pack.hpp>
#include <hone/vulkan/entry.hpp>
#include <hone/vulkan/pipeline.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::vulkan {

// What a call gives: parts of the engine's buffers, activations in the operator's layouts. No two of them overlap.
struct arguments {
    buffer_range x{};
    buffer_range weights{}; // all of them, packed by pack()
    buffer_range bias{};
    buffer_range residual{};
    std::span<const buffer_range> operands{}; // all other tensors, in the order of the operator: see run/call.hpp
    buffer_range y{};
    std::span<const buffer_range> outputs{};    // all other outputs, in the order of the operator
    std::span<const std::int64_t> parameters{}; // run-time extents and strides, in the order of the definition
    std::uint64_t weights_layout = 0;           // layout id of packed weights that come from a file; 0: not checked

    buffer_range operand(int number) const { return of(operands, number); }
    buffer_range output(int number) const { return of(outputs, number); }

private:
    static buffer_range of(std::span<const buffer_range> all, int number)
    {
        const auto at = static_cast<std::size_t>(number);
        return at < all.size() ? all[at] : buffer_range{};
    }
};

// One tensor of a call, at the place of its binding.
struct bound_tensor {
    hone::role role = hone::role::none;
    const char* name = "";
    tensor layout{}; // of the caller's
};

// Bytes from the first element to the last, with the extents and strides that a call gives; 0 where it gives too few.
constexpr std::int64_t bytes_of_call(const tensor& t, std::span<const std::int64_t> parameters)
{
    std::int64_t last = 0;
    for (const dimension& d : t.dims) {
        for (const std::int16_t p : {d.extent_parameter, d.stride_parameter})
            if (p >= 0 && static_cast<std::size_t>(p) >= parameters.size()) return 0;
        const std::int64_t extent =
            d.extent_parameter < 0 ? d.extent : parameters[static_cast<std::size_t>(d.extent_parameter)];
        const std::int64_t stride =
            d.stride_parameter < 0 ? d.stride : d.stride * parameters[static_cast<std::size_t>(d.stride_parameter)];
        if (extent < 1) return 0;
        last += (extent - 1) * stride;
    }
    return (last + 1) * static_cast<std::int64_t>(core::bytes_of(t.type));
}

constexpr inline_vector<bound_tensor, most_buffers> bound_tensors(const definition& d)
{
    inline_vector<bound_tensor, most_buffers> r;
    for (const tensor& t : d.tensors) {
        if (t.memory != memory::argument) continue;
        r.push_back({t.role, t.name, t});
    }
    return r;
}

// As a pipeline, one kernel records in one thread at a time.
template <tensor_operator Op, class Configs>
class kernel {
    static constexpr hone::definition definition = definition_of<Op>;
    static_assert(assert_no_fault<definition.found.what, definition.found.expected, definition.found.found>());
    static_assert(
        has_vulkan_entries<Configs>,
        "hone::vulkan::kernel: the config set has no entry for this workload and device; tune it with BACKENDS vulkan");
    static constexpr auto tensors = bound_tensors(definition);
    static constexpr call_parts parts = parts_of(definition);
    static constexpr auto parameters = definition.parameters;
    static constexpr std::uint64_t emptying = emptying_parameters(definition);
    static constexpr packed_tensors weights = weights_of(definition);

public:
    static constexpr signature_text signature = Op::signature();

    // The kernel of the entry that was tuned on this device, else on another of its vendor, else of the default, as far
    // as the limits of the device allow. Faults: vulkan_entry_missing and those of find_entry, then those of the
    // create() below.
    static result<kernel> create(const context& c, std::uint32_t bindings = 4)
    {
        result<kernel> r;
        if (c.get_instance_proc_addr == nullptr) {
            r.found = {.what = fault::vulkan_feature_missing, .subject = "vkGetInstanceProcAddr"};
            return r;
        }
        const VkPhysicalDeviceProperties device = properties_of(c);
        const auto entry =
            find_entry(vulkan_entries_of<Configs>(), signature.c_str(), device.vendorID, device.deviceID, limits_of(c));
        if (entry.ok()) return create(c, *entry.value, bindings);
        r.found = entry.found;
        return r;
    }

    // The kernel of one entry, which must outlive it. `bindings` is as for pipeline::create, whose faults are added to
    // vulkan_entry_mismatch. Costs the driver's compilation.
    static result<kernel> create(const context& c, const vulkan_entry& entry, std::uint32_t bindings = 4)
    {
        result<kernel> r;
        r.found = matches(entry);
        if (r.ok() && c.get_instance_proc_addr != nullptr) r.found = binds(entry, limits_of(c));
        if (!r.ok()) return r;
        auto made = pipeline::create(c, entry.spirv(), entry.launch, bindings);
        r.found = made.found;
        r.value.pipeline_ = std::move(made.value);
        r.value.entry_ = &entry;
        return r;
    }

    explicit operator bool() const { return static_cast<bool>(pipeline_); }
    const vulkan_entry& entry() const { return *entry_; }

    // Packed weights: size, and the name of their layout for those who keep them in a file. They differ between
    // entries, thus between devices.
    // Of the largest extents, where the call gives some of the weights.
    std::size_t packed_bytes() const { return schedules::packed_bytes(entry_->packed); }
    // Of these extents: parameters as for pack(), which takes them. 0 where it would not.
    std::size_t packed_bytes(std::span<const std::int64_t> from_call) const
    {
        std::int64_t values[parameters.size() + 1]{};
        const auto of_call =
            check_some_parameters(parameters, parameters_of_weights(), emptying, given_or_null(from_call), values);
        if (of_call.is_empty || !of_call.found.ok() || entry_->packed.empty()) return 0;
        const std::size_t last = entry_->packed.size() - 1;
        return packed_offset(entry_->packed, last) + schedules::packed_bytes(at_call(entry_->packed[last], values));
    }
    std::uint64_t layout_id() const { return entry_->layout_id; }
    // From the operator's layout of its weights to this kernel's, both in the memory of the host: those of one, or a
    // list of all in the order of the definition; types are as for hone::kernel, and so are parameters, where the call
    // gives extents of the weights. Nothing is written on a fault: tensor_missing, weights_type,
    // parameter_out_of_range.
    status pack(given_weights from, void* packed, std::span<const std::int64_t> from_call = {}) const
    {
        if (const status missing = check_given(names_of_weights<weights.size()>(weights), from, packed); !missing.ok())
            return missing;
        std::int64_t values[parameters.size() + 1]{};
        const auto of_call =
            check_some_parameters(parameters, parameters_of_weights(), emptying, given_or_null(from_call), values);
        if (of_call.is_empty || !of_call.found.ok()) return of_call.found;
        [&]<std::size_t... W>(std::index_sequence<W...>) {
            (pack_given<compiled_isa(), weights[W].type>(from, W, pack_plan_of(weights[W], entry_->packed[W], values),
                                                         static_cast<std::byte*>(packed) +
                                                             packed_offset(entry_->packed, W)),
             ...);
        }(std::make_index_sequence<weights.size()>{});
        return {};
    }

    // One call; of no rows, no work. Nothing is recorded on a fault: vulkan_buffer_missing, parameter_out_of_range,
    // packed_layout_mismatch, and those of pipeline::record. Of each range as many bytes are bound as its tensor has.
    status record(VkCommandBuffer to, const arguments& a)
    {
        if (a.weights_layout != 0 && a.weights_layout != layout_id())
            return {fault::packed_layout_mismatch, static_cast<std::int64_t>(layout_id()),
                    static_cast<std::int64_t>(a.weights_layout), "weights"};
        constexpr std::size_t from_call = given_parameters(parameters);
        if (a.parameters.size() != from_call)
            return {fault::vulkan_call_mismatch, static_cast<std::int64_t>(from_call),
                    static_cast<std::int64_t>(a.parameters.size()), "parameters"};
        // Shaders compute in 32 bits.
        const auto of_call = check_parameters(parameters, emptying, a.parameters.data(), INT32_MAX);
        if (of_call.is_empty || !of_call.found.ok()) return of_call.found; // no buffer is looked at
        std::int64_t values[parameters.size() + 1]{};
        complete(parameters, a.parameters.data(), values);
        for (std::size_t i = from_call; i < parameters.size(); ++i)
            if (values[i] > INT32_MAX) return {fault::parameter_out_of_range, INT32_MAX, values[i], parameters[i].name};
        buffer_range ranges[most_buffers]{};
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            auto least = static_cast<VkDeviceSize>(bytes_of_call(tensors[i].layout, {values, parameters.size()}));
            ranges[i] = part_of(a, parts[i]);
            if (tensors[i].role == role::weights) least = place_of_weights(parts[i], ranges[i], values);
            // A range to the end of its buffer (VK_WHOLE_SIZE) is longer than any.
            const VkDeviceSize given = ranges[i].buffer == VK_NULL_HANDLE ? 0 : ranges[i].bytes;
            if (given < least)
                return {fault::vulkan_buffer_missing, static_cast<std::int64_t>(least),
                        static_cast<std::int64_t>(given), tensors[i].name};
            if (least != 0) ranges[i].bytes = least;
        }
        return pipeline_.record(to, {ranges, tensors.size()}, {values, parameters.size()});
    }

    // As those of the pipeline: what earlier dispatches wrote becomes visible to later ones; the device is done with
    // all recordings; the device never became done with them.
    void barrier(VkCommandBuffer to) const { pipeline_.barrier(to); }
    void recycle() { pipeline_.recycle(); }
    void abandon() { pipeline_.abandon(); }

private:
    // Whether the device binds the tensors of any call as whole buffers.
    static status binds(const vulkan_entry& entry, const vulkan_limits& limits)
    {
        std::size_t packed = 0;
        std::int64_t least[most_parameters]{};
        for (std::size_t i = 0; i < parameters.size() && i < most_parameters; ++i) least[i] = parameters[i].least;
        for (const bound_tensor& t : tensors) {
            const std::int64_t bytes = t.role == role::weights
                                           ? static_cast<std::int64_t>(schedules::packed_bytes(entry.packed[packed++]))
                                           : bytes_of_call(t.layout, {least, parameters.size()});
            if (bytes > limits.max_buffer_bytes)
                return {fault::buffer_too_large, limits.max_buffer_bytes, bytes, t.name};
        }
        return {};
    }

    // All weights stand in the range that a call gives: leaves that of one, and gives the bytes that it has.
    VkDeviceSize place_of_weights(const call_part& part, buffer_range& range, const std::int64_t* values) const
    {
        const auto which = static_cast<std::size_t>(part.number);
        const VkDeviceSize before = packed_offset(entry_->packed, which);
        range.offset += before;
        if (range.bytes != VK_WHOLE_SIZE) range.bytes = range.bytes < before ? 0 : range.bytes - before;
        return schedules::packed_bytes(at_call(entry_->packed[which], values));
    }

    std::uint64_t parameters_of_weights() const
    {
        return parameters_of(parameters, weights) | parameters_of(parameters, entry_->packed);
    }
    // Null where a call gives too few.
    static const std::int64_t* given_or_null(std::span<const std::int64_t> from_call)
    {
        return from_call.size() < given_parameters(parameters) ? nullptr : from_call.data();
    }

    static status matches(const vulkan_entry& entry)
    {
        constexpr auto differ = [](std::size_t expected, std::size_t found, const char* subject) {
            return status{fault::vulkan_entry_mismatch, static_cast<std::int64_t>(expected),
                          static_cast<std::int64_t>(found), subject};
        };
        if (!same_text(entry.signature, signature.c_str())) return differ(0, 0, "signature");
        if (entry.launch.buffers != tensors.size()) return differ(tensors.size(), entry.launch.buffers, "buffers");
        const std::size_t values = entry.launch.push_constant_bytes / sizeof(std::int32_t);
        if (values != parameters.size()) return differ(parameters.size(), values, "parameters");
        if (entry.packed.size() != weights.size()) return differ(weights.size(), entry.packed.size(), "weights");
        for (std::size_t w = 0; w < weights.size(); ++w) {
            const auto &own = weights[w].dims, &packed = entry.packed[w].dims;
            if (entry.packed[w].type != weights[w].type)
                return differ(bytes_of(weights[w].type), bytes_of(entry.packed[w].type),
                              "bytes of an element of the weights");
            if (packed.size() != own.size()) return differ(own.size(), packed.size(), "dimensions of the weights");
            for (std::size_t k = 0; k < own.size(); ++k)
                if (packed[k].extent != own[k].extent)
                    return differ(static_cast<std::size_t>(own[k].extent), static_cast<std::size_t>(packed[k].extent),
                                  "extent of the weights");
        }
        return {};
    }

    vulkan::pipeline pipeline_{};
    const vulkan_entry* entry_ = nullptr;
};

} // namespace hone::vulkan
