// SPDX-License-Identifier: BSL-1.0
// What the tests of the tuner share: a folder of their own, a builder of candidates, and a small workload.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/core.h>

#include <hone/op/gemm.hpp>
#include <hone/record/record.hpp>
#include <hone/tune/cpu/build.hpp>
#include <hone/tune/record_backends.hpp>
#include <hone/tune/task.hpp>

namespace hone::test {

using namespace schedules;

// A temporary folder, gone at the end of its scope.
class folder {
public:
    folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "hone_XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr) path_ = name;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline std::string text_of_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string include_directory()
{
    return (std::filesystem::path(__FILE__).parent_path().parent_path() / "include").string();
}

struct tiny : gemm<gemm_shape{.m = 5, .n = 24, .k = 7}, f32> {};

// A builder whose units know the workload `tiny`.
inline tune::builder tiny_builder(const folder& at)
{
    std::ofstream(at / "tiny.hpp")
        << "#pragma once\n#include <hone/op/gemm.hpp>\n"
           "struct tiny : hone::gemm<hone::gemm_shape{.m = 5, .n = 24, .k = 7}, hone::f32> {};\n";
    return {tune::find_compiler("c++", isa::baseline),
            {.directory = at.path() / "build",
             .include_directories = {include_directory(), at.path().string()},
             .headers = {"tiny.hpp"}}};
}

// A kernel that computes `tiny` right, with `before` run first in each call, and `workspace` bytes for `slots`.
inline tune::variant_source right_kernel(const std::string& before = "", const std::string& workspace = "0")
{
    return {"extern \"C\" int fork();\nextern \"C\" int puts(const char*);\nextern \"C\" int usleep(unsigned);\n"
            "extern \"C\" void _exit(int);\n"
            "using kernel = hone::tune::naive_kernel<tiny, hone::isa::baseline>;\n"
            "inline hone::status run(const hone::executor_ref& e, const hone::arguments& a)\n{\n    " +
                before + "\n    return kernel::run(e, a);\n}\n" + "inline std::size_t workspace(int slots) { return " +
                workspace + "; }",
            "hone::tune::variant{kernel::packed_bytes, kernel::layout_id, &workspace, &kernel::pack, &run}"};
}

// How tests tune: in children that run this case of the test's program.
inline tune::tuning_environment environment_of(const folder& at, const std::string& child)
{
    return {.self = {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip", "--test-case=" + child},
            .work_directory = at.path() / "work",
            .seed = 5};
}

// A batch of candidates, built and measured.
inline void turn(tune::tuning& t, tune::builder& build, std::size_t size)
{
    const auto batch = t.propose(size);
    std::vector<tune::variant_source> sources;
    for (const tune::candidate& c : batch) sources.push_back(c.source);
    t.measure(batch, build.build(sources));
}

// SPIR-V of a compute shader that does nothing with so many lanes.
inline std::vector<std::uint32_t> empty_shader(std::uint32_t lanes)
{
    const auto op = [](std::uint32_t words, std::uint32_t code) { return words << 16 | code; };
    return {0x07230203, 0x00010300, 0,         5,          0,                // SPIR-V 1.3, five names
            op(2, 17),  1,                                                   // OpCapability Shader
            op(3, 14),  0,          1,                                       // OpMemoryModel Logical GLSL450
            op(5, 15),  5,          1,         0x6e69616d, 0,                // OpEntryPoint GLCompute %1 "main"
            op(6, 16),  1,          17,        lanes,      1, 1,             // OpExecutionMode %1 LocalSize
            op(2, 19),  2,          op(3, 33), 3,          2,                // %2 = OpTypeVoid, %3 = OpTypeFunction %2
            op(5, 54),  2,          1,         0,          3, op(2, 248), 4, // %1 = OpFunction, %4 = OpLabel
            op(1, 253), op(1, 56)};                                          // OpReturn, OpFunctionEnd
}
inline tune::shader tiny_shader(std::uint32_t vendor)
{
    tune::shader s;
    s.words = empty_shader(64);
    s.vendor = vendor;
    s.launch.lanes = 64;
    s.launch.buffers = 3;
    s.packed.push_back({});
    s.packed[0].dims.push_back({.extent = 1});
    s.packed[0].dims.push_back({.extent = 7, .stride = 8});
    s.packed[0].dims.push_back({.extent = 24, .stride = 1, .block = 8, .outer_stride = 56});
    return s;
}

// A measurement of `tiny` on the CPU.
inline tune::record tiny_record(double ms, std::int32_t rows = 4)
{
    tune::record r;
    r.task = "tiny";
    r.signature = tiny::signature().c_str();
    r.backend = tune::on_cpu;
    r.device = "a processor";
    r.isa = "avx2";
    r.compiler = "a compiler";
    r.flags = "-O2";
    r.template_name = "direct";
    r.knobs = tune::settings_of(direct_knobs{.rows = rows});
    r.nest = "0123456789abcdef";
    r.origin = "chance";
    r.phase = "search";
    r.max_rel_error = 1e-7;
    r.ms = {ms, ms * 1.5};
    r.seed = 7;
    return r;
}
// Of a device; of vendor 0, the default.
inline tune::record tiny_record_on_vulkan(std::uint32_t vendor)
{
    tune::record r = tiny_record(vendor == 0 ? 0.7 : 0.5);
    r.backend = tune::on_vulkan;
    r.isa = "none";
    r.device = fmt::format("device {}", vendor);
    r.origin = vendor == 0 ? "default" : "chance";
    r.knobs = tune::settings_of(vulkan_knobs{});
    r.code = std::make_shared<tune::shader>(tiny_shader(vendor));
    return r;
}

} // namespace hone::test
