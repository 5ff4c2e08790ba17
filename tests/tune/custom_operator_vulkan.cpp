// SPDX-License-Identifier: BSL-1.0
// An operator and an epilogue written outside the library go the whole way on a device: searched, verified, measured,
// chosen, written to a header as SPIR-V, and run from it under the validation layer.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <dlfcn.h>

#include <hone/record/header_writer.hpp>
#include <hone/tune/vulkan/tuning.hpp>
#include <hone/vulkan/entry.hpp>
#include <hone/vulkan/kernel.hpp>

#include "tuner_rig.hpp"
#include "user_operator.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure a user's operator on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<audio::speech>("", "")};
    measure_on_device(tasks);
}

namespace {

// How a unit without the tuner finds an entry of the header `tuned.hpp` in this folder.
using entry_finder = const vulkan_entry* (*)(std::uint32_t vendor, std::uint32_t device);
entry_finder finder_of(const folder& at)
{
    std::ofstream(at / "unit.cpp")
        << "#include <conv1d.hpp>\n#include <tuned.hpp>\n"
           "extern \"C\" const hone::vulkan_entry* tuned_entry(std::uint32_t vendor, std::uint32_t device)\n{\n"
           "    static constexpr auto signature = audio::speech::signature();\n"
           "    return hone::find_entry(tuned::vulkan_entries, signature.c_str(), vendor, device);\n}\n";
    const auto built =
        tune::run_process({"c++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-shared", "-fPIC",
                           "-fno-exceptions", "-fno-rtti", "-I" + include_directory(), "-I" + user_directory(),
                           "-I" + at.path().string(), "-o", at / "unit.so", at / "unit.cpp"},
                          "", {.deadline = std::chrono::seconds{60}});
    REQUIRE_MESSAGE(built.ok(), built.err);
    void* const library = dlopen((at / "unit.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE(library != nullptr);
    const auto find = reinterpret_cast<entry_finder>(dlsym(library, "tuned_entry"));
    REQUIRE((find != nullptr));
    return find;
}

// The set that the entry is of is another unit's.
struct no_entries {
    static constexpr vulkan_entry vulkan_entries[1]{};
};

void run_entry(vulkan::device& device, const vulkan_entry& entry, speech_call& call)
{
    auto k = vulkan::kernel<audio::speech, no_entries>::create(device.context(), entry);
    INFO(vulkan::failure{k.found}.text());
    REQUIRE(k.ok());
    std::vector<float> packed(k->packed_bytes() / sizeof(float));
    k->pack(call.weights.data(), packed.data());
    const auto stored = [&](const std::vector<float>& contents) {
        vulkan::failure why;
        auto memory = device.make_buffer(contents.size() * sizeof(float), why);
        REQUIRE_MESSAGE(why.ok(), why.text());
        std::copy(contents.begin(), contents.end(), memory.floats().begin());
        return memory;
    };
    const auto x = stored(call.x), weights = stored(packed), bias = stored(call.bias), y = stored(call.y);
    const vulkan::arguments given{.x = x.range(), .weights = weights.range(), .bias = bias.range(), .y = y.range()};
    const auto ran = device.run([&](VkCommandBuffer to) { return k->record(to, given); });
    REQUIRE_MESSAGE(ran.ok(), ran.text());
    std::copy_n(y.floats().begin(), call.y.size(), call.y.begin());
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}

} // namespace

TEST_CASE("a user's operator is tuned on the device, and a kernel of the written header gives the right result")
{
    vulkan::device& device = test_device();
    const folder at;
    const tune::record_writer log(at / "records.jsonl");
    const tune::tuning_environment environment{.self = {std::filesystem::read_symlink("/proc/self/exe").string(),
                                                        "--no-skip",
                                                        "--test-case=measure a user's operator on a device in a child"},
                                               .work_directory = at.path() / "work",
                                               .log = [&](const tune::record& r) { log.write(r); },
                                               .seed = 5};
    std::string why;
    const auto found = tune::find_vulkan(environment.self, why);
    REQUIRE_MESSAGE(found.has_value(), why);
    tune::vulkan_tuning tuning(tune::task_of<audio::speech>("speech", "audio::speech"), environment, *found);
    tuning.measure(tuning.propose(6), {});
    tuning.compare();
    // What the records hold came from the children.
    CHECK_FALSE(tune::glslang_started.load());

    // ---- the search ----
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found != verdict::wrong_result);
        CHECK(r.found != verdict::crash);
        CHECK(r.found != verdict::compile_error);
        if (r.found == verdict::ok) CHECK(r.max_rel_error < 1e-5);
    }
    const tune::standing s = tuning.standing();
    CHECK(s.trials == 6);
    REQUIRE(s.chosen != nullptr);
    REQUIRE(s.standard != nullptr);
    CHECK(s.chosen->least() <= s.standard->least());
    CHECK(tuning.verify_on_twin(*s.chosen).found == verdict::ok);
    CHECK(tuning.verify_on_twin(*s.standard).found == verdict::ok);
    CHECK(tune::read_records(at / "records.jsonl").records.size() == tuning.records().size());

    // ---- the header: the default for any device, the chosen kernel for this one ----
    tune::replace_file(at.path() / "tuned.hpp", tune::header_text("tuned", tuning.records()));
    const entry_finder find = finder_of(at);
    for (const std::uint32_t vendor : {0u, found->vendor}) {
        CAPTURE(vendor);
        const vulkan_entry* entry = find(vendor, found->device);
        REQUIRE(entry != nullptr);
        CHECK((entry->vendor == 0 || entry->vendor == found->vendor));
        speech_call call;
        run_entry(device, *entry, call);
        CHECK(call.error() < 1e-5);
    }
}
