// SPDX-License-Identifier: BSL-1.0
// Verifies and times Vulkan kernels in a child process (see measure/measure.hpp), which compiles them too: shader
// compilers and drivers crash and hang as kernels do. Verified as on the CPU, for the same draws: poisoned outputs,
// guards behind buffers, operands kept, and after the last timed call again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/lower/lower.hpp>
#include <hone/measure/measure.hpp>
#include <hone/measure/odd_twin.hpp>
#include <hone/measure/problem.hpp>
#include <hone/record/settings.hpp>
#include <hone/record/verdict.hpp>
#include <hone/search/any_space.hpp>
#include <hone/tune/vulkan/shader.hpp>
#include <hone/tune/vulkan/spirv.hpp>
#include <hone/vulkan/codegen.hpp>
#include <hone/vulkan/device.hpp>
#include <hone/vulkan/entry.hpp>

namespace hone::tune {

// The device that children open, as far as a search needs it.
struct vulkan_facts {
    std::string name{}; // with its ids and driver version, for records
    std::uint32_t vendor = 0;
    std::uint32_t device = 0;
    vulkan_limits limits{};
};

enum class workload_shape : std::uint8_t { own, odd_twin };

struct vulkan_job {
    std::string signature{};             // the child knows the workloads by it
    std::vector<std::string> variants{}; // configs as text
    std::string problem{};
    timing_order order = timing_order::each;
    workload_shape of = workload_shape::own;
    timing_rules rules{};
    std::chrono::duration<double> deadline{20.0};
    process_control::clock::time_point end = process_control::clock::time_point::max(); // of the job
};

inline std::vector<measurement> measure(const vulkan_job& job, const child_command& self)
{
    nlohmann::json j{{"backend", "vulkan"}, {"signature", job.signature}, {"problem", job.problem}};
    j["order"] = static_cast<int>(job.order);
    j["shape"] = static_cast<int>(job.of);
    measuring::put(j, job.rules);
    j["variants"] = job.variants;
    return measuring::in_children(self, job.variants.size(), job.deadline, job.end,
                                  [&](const std::vector<std::size_t>& open) {
                                      j["open"] = open;
                                      return j;
                                  });
}

// Asks a child, so that this process never loads a driver. Nothing without a device, and `why` says so.
inline std::optional<vulkan_facts> find_vulkan(const child_command& self, std::string& why)
{
    const process_result r =
        run_process(self, R"({"backend": "vulkan", "open": []})", {.deadline = std::chrono::seconds{20}});
    const auto j = nlohmann::json::parse(r.out.substr(0, r.out.find('\n')), nullptr, false);
    if (!j.is_object() || !j.contains("name")) {
        why = j.is_object() ? j.value("why", "") : r.err;
        // A driver may end the process that loads it.
        if (why.empty())
            why = r.timed_out ? "the driver did not answer within 20 s"
                  : r.signal > 0
                      ? fmt::format("the driver ended its process by signal {} ({})", r.signal, strsignal(r.signal))
                      : fmt::format("the driver ended its process with status {}", r.exit_status);
        return std::nullopt;
    }
    vulkan_facts f{.name = j.at("name").get<std::string>(),
                   .vendor = j.at("vendor").get<std::uint32_t>(),
                   .device = j.at("device").get<std::uint32_t>()};
    const auto limits = j.at("limits").get<std::vector<std::uint32_t>>();
    f.limits = {limits.at(0), limits.at(1), limits.at(2), limits.at(3),     limits.at(4),
                limits.at(5), limits.at(6), limits.at(7), limits.at(8) != 0};
    return f;
}

// ---- what follows runs in the child ----

// What an engine needs of a kernel, made from its config.
struct vulkan_program {
    std::vector<std::uint32_t> words{};
    codegen::launch launch{};
    ir::nest nest{};
    packed_tensors packed{};
};

// Throws the shader compiler's log where it rejects the kernel.
inline vulkan_program program_of(const any_space& space, const named_config& c)
{
    vulkan_program p;
    p.nest = space.lowered(c);
    spirv_result compiled = spirv_of(glsl_of(p.nest));
    if (!compiled.ok()) throw std::runtime_error(compiled.log);
    p.words = std::move(compiled.words);
    p.launch = launch_of(p.nest);
    p.packed = space.packed(c);
    return p;
}

namespace measuring {

// One kernel with its buffers on the device.
class prepared_shader {
public:
    prepared_shader(vulkan::device& device, const definition& d, const vulkan_program& program, const problem& p)
        : device_(device), problem_(p)
    {
        shader s;
        s.words = program.words;
        s.launch = program.launch;
        s.packed = program.packed;
        s.vendor = device.properties().vendorID;
        s.device = device.properties().deviceID;
        made_ = s.to_json();
        values_ = p.parameters;
        values_.resize(program.nest.parameters.size());
        complete(program.nest.parameters, values_.data(), values_.data());
        // As a call has them: what is packed is as long as its extents ask for.
        for (const tensor& t : program.packed) packed_.push_back(schedules::at_call(t, values_.data()));
        for (const tensor& t : weights_of(d)) given_.push_back(schedules::at_call(t, values_.data()));
        auto made = vulkan::pipeline::create(device.context(), program.words, program.launch);
        if (!made.ok()) throw std::runtime_error(fmt::format("{} [{}]", made.found.message(), made.found.subject));
        pipeline_ = std::move(made.value);
        const auto add = [&](role part, std::size_t bytes, int further = -1) {
            vulkan::failure why;
            const std::size_t floats = (bytes + sizeof(float) - 1) / sizeof(float);
            auto& memory = memory_.emplace_back(device.make_buffer((floats + guard_floats) * sizeof(float), why));
            if (!why.ok()) throw std::runtime_error(why.text());
            auto range = memory.range();
            range.bytes = bytes;
            ranges_.push_back(range);
            contents_.push_back({part, std::vector<float>(floats), further});
        };
        std::size_t weights = 0;
        for (int position = 0; position < static_cast<int>(program.launch.buffers); ++position)
            for (const buffer& b : program.nest.buffers) {
                if (b.memory != memory::argument || b.position != position) continue;
                if (const problem_output* const o = p.further_at(position); o != nullptr)
                    add(b.role, o->elements * sizeof(float), static_cast<int>(o - p.further.data()));
                else
                    add(b.role, b.role == role::output    ? p.outputs * sizeof(float)
                                : b.role == role::weights ? packed_bytes(packed_[weights++])
                                                          : p.signs().values_at(position)->size() * sizeof(float));
            }
        for (const buffer& b : program.nest.buffers)
            if (b.memory == memory::workspace)
                add(role::none,
                    static_cast<std::size_t>(interval_of(program.nest, b.elements, nullptr).most) * bytes_of(b.type));
    }

    // Before a call that is verified with this draw.
    void load(const problem_draw& draw)
    {
        draw_ = &draw;
        std::size_t weights = 0;
        for (int position = 0; position < static_cast<int>(contents_.size()); ++position) {
            kept& k = contents_[static_cast<std::size_t>(position)];
            std::fill(k.values.begin(), k.values.end(), poison());
            const std::vector<float>* const drawn = draw.values_at(position); // null: the output, or memory of its own
            if (drawn == nullptr) continue;
            if (k.part == role::weights) {
                with_element(packed_[weights].type, [&]<class E>(E) {
                    pack_into(given_[weights], packed_[weights], drawn->data(),
                              reinterpret_cast<typename E::storage*>(k.values.data()));
                });
                ++weights;
            } else {
                k.values = *drawn;
            }
        }
        reset();
    }
    // All buffers as they were loaded.
    void reset()
    {
        for (std::size_t b = 0; b < contents_.size(); ++b) {
            const auto floats = memory_[b].floats();
            std::copy(contents_[b].values.begin(), contents_[b].values.end(), floats.begin());
            std::fill(floats.begin() + static_cast<std::ptrdiff_t>(contents_[b].values.size()), floats.end(), guard);
        }
    }

    vulkan::failure run()
    {
        return device_.run([&](VkCommandBuffer to) { return pipeline_.record(to, ranges_, values_); });
    }
    // Why the results are wrong; nothing where they are right.
    std::optional<std::string> wrong()
    {
        results_.resize(1 + problem_.further.size());
        for (std::size_t b = 0; b < contents_.size(); ++b) {
            const auto floats = memory_[b].floats();
            const auto size = contents_[b].values.size();
            for (std::size_t i = size; i < floats.size(); ++i)
                if (floats[i] != guard) return "it wrote outside a buffer";
            if (contents_[b].part == role::output) {
                // What the device wrote is read once: its memory may be slow.
                results_[static_cast<std::size_t>(contents_[b].further + 1)].assign(
                    floats.begin(), floats.begin() + static_cast<std::ptrdiff_t>(size));
            } else if (contents_[b].part != role::none && size > 0 &&
                       std::memcmp(floats.data(), contents_[b].values.data(), size * sizeof(float)) != 0) {
                return "it wrote to an operand";
            }
        }
        std::vector<const float*> further;
        for (std::size_t o = 1; o < results_.size(); ++o) further.push_back(results_[o].data());
        const judgement j = judge(problem_, *draw_, arithmetic::device, results_[0].data(), further);
        if (draw_ != &problem_.specials()) error_ = std::max(error_, j.error);
        if (!j.wrong.empty()) return j.wrong;
        return std::nullopt;
    }
    double error() const { return error_; }
    // As it goes into the record.
    const nlohmann::json& made() const { return made_; }

    // One sample, by the device's clock: the least of a few dispatches on a software device, their median on a GPU.
    vulkan::failure time(double& ms, double region_ms)
    {
        vulkan::timing t;
        vulkan::timing_options options;
        options.repeats = device_.is_software() ? 1 : 5;
        options.region = std::chrono::duration<double, std::milli>(region_ms);
        const auto f = device_.time(
            t, [&](VkCommandBuffer to, int) { return pipeline_.record(to, ranges_, values_); }, options);
        ms = std::chrono::duration<double, std::milli>(device_.is_software() ? t.minimum : t.median).count();
        return f;
    }

private:
    static constexpr std::size_t guard_floats = 16;
    static constexpr float guard = 77.0f;
    struct kept {
        role part;
        std::vector<float> values;
        int further = -1; // the number of an output beside y
    };
    vulkan::device& device_;
    const problem& problem_;
    nlohmann::json made_{};
    vulkan::pipeline pipeline_{};
    std::vector<vulkan::device_buffer> memory_{};
    std::vector<vulkan::buffer_range> ranges_{};
    std::vector<kept> contents_{};
    std::vector<std::vector<float>> results_{}; // of y, then of further outputs
    call_values values_{};                      // of all parameters
    packed_tensors packed_{}, given_{};         // weights
    const problem_draw* draw_ = nullptr;
    double error_ = 0;
};

inline void describe(const vulkan::device& device, const result_stream& results)
{
    const VkPhysicalDeviceProperties& p = device.properties();
    const vulkan_limits l = device.limits();
    results.say({{"name", fmt::format("{} [{:04x}:{:04x}] driver {:08x}", p.deviceName, p.vendorID, p.deviceID,
                                      p.driverVersion)},
                 {"vendor", p.vendorID},
                 {"device", p.deviceID},
                 {"limits",
                  {l.max_workgroup_invocations, l.max_workgroup_size_x, l.max_workgroup_count_x, l.max_shared_bytes,
                   l.max_storage_buffers, l.max_push_constant_bytes, l.max_loop_iterations, l.max_buffer_bytes,
                   l.storage_16bit ? 1u : 0u}}});
}

inline int run_vulkan_job(const nlohmann::json& job, const any_space& space, vulkan::device& device,
                          result_stream& results)
{
    const problem p = load_problem(job.at("problem").get<std::string>());
    const timing_rules rules = rules_of(job);
    const auto order = static_cast<timing_order>(job.at("order").get<int>());
    struct entrant {
        std::size_t at;
        std::unique_ptr<prepared_shader> shader;
        sample_plan plan;
        std::vector<double> ms{};
    };
    // After a lost device or a missed deadline nothing may be cleaned up: drivers wait for what never ends.
    const auto failed = [&](std::size_t at, const vulkan::failure& f) {
        const bool late = f.text().find("not done after") != std::string::npos;
        const bool lost = device.is_lost();
        results.failed(at, late ? verdict::run_timeout : lost ? verdict::device_lost : verdict::crash, f.text());
        if (lost) _exit(0);
    };
    const auto verified = [&](entrant& e, const problem_draw& draw) {
        results.begin(e.at);
        e.shader->load(draw);
        if (const auto f = e.shader->run(); !f.ok()) {
            failed(e.at, f);
            return false;
        }
        const auto why = e.shader->wrong();
        if (why) results.failed(e.at, verdict::wrong_result, *why);
        return !why.has_value();
    };
    const auto finish = [&](const entrant& e) {
        if (const auto why = e.shader->wrong())
            results.failed(e.at, verdict::wrong_result, *why);
        else
            results.done(e.at, e.shader->error(), e.ms, e.shader->made());
    };
    // The last one begins with all buffers as they were: what is computed once only, is wrong then.
    const auto sample = [&](entrant& e) {
        double ms = 0;
        if (static_cast<int>(e.ms.size()) + 1 == e.plan.samples) e.shader->reset();
        const auto f = e.shader->time(ms, rules.sample_ms);
        if (f.ok())
            e.ms.push_back(ms);
        else
            failed(e.at, f);
        return f.ok();
    };
    std::vector<entrant> entrants;
    for (const auto at : job.at("open").get<std::vector<std::size_t>>()) {
        results.begin(at);
        entrant e{at, nullptr, {}};
        try {
            const auto text = job.at("variants").at(at).get<std::string>();
            const named_config config = space.config_of(text.substr(0, text.find(' ')), settings_in(text));
            e.shader = std::make_unique<prepared_shader>(device, space.definition(), program_of(space, config), p);
        } catch (const std::exception& why) {
            results.failed(at, verdict::compile_error, why.what());
            continue;
        }
        if (!verified(e, p.signs()) || !verified(e, p.specials())) continue;
        if (order == timing_order::none) {
            results.done(at, e.shader->error(), {});
            continue;
        }
        e.shader->load(p.timed());
        if (!sample(e)) continue;
        e.plan = plan_of(e.ms.front(), rules);
        // Of a slow one the pilot is the sample: it, too, began with poisoned results.
        if (e.plan.samples == 1)
            e.plan.samples = 0;
        else
            e.ms.clear();
        if (order == timing_order::rounds) {
            e.plan.samples = std::min(e.plan.samples, rules.least_samples);
            entrants.push_back(std::move(e));
            continue;
        }
        bool timed = true;
        while (timed && static_cast<int>(e.ms.size()) < e.plan.samples) timed = sample(e);
        if (timed) finish(e);
    }
    for (int round = 0; round < rules.least_samples; ++round)
        for (std::size_t i = 0; i < entrants.size(); ++i) {
            entrant& e = entrants[(i + static_cast<std::size_t>(round)) % entrants.size()];
            if (round >= e.plan.samples) continue;
            results.begin(e.at);
            if (!sample(e)) return 0;
        }
    for (entrant& e : entrants) finish(e);
    return 0;
}

} // namespace measuring

// The whole of the child's work for a job of Vulkan; the exit status. `find(signature, limits)` is the workload's space
// on such a device, or null.
using vulkan_space_finder =
    std::function<std::shared_ptr<const any_space>(const std::string& signature, const vulkan_limits& limits)>;
inline int measure_vulkan_child(const nlohmann::json& job, const vulkan_space_finder& find)
{
    become_child();
    measuring::result_stream results(job.value("token", ""));
    vulkan::failure why;
    const auto device = vulkan::device::open({}, why);
    if (device == nullptr) {
        results.say({{"why", why.text()}});
        return 1;
    }
    if (!job.contains("signature")) {
        measuring::describe(*device, results);
        return 0;
    }
    const auto space = find(job.at("signature").get<std::string>(), device->limits());
    if (space == nullptr) throw std::invalid_argument("hone::tune: the child has no such workload");
    if (job.at("shape") != static_cast<int>(workload_shape::odd_twin))
        return measuring::run_vulkan_job(job, *space, *device, results);
    return measuring::run_vulkan_job(job, *space->of(with_odd_extents(space->definition())), *device, results);
}

} // namespace hone::tune
