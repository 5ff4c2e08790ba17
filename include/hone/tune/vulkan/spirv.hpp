// SPDX-License-Identifier: BSL-1.0
// GLSL compute text to SPIR-V by glslang in this process, for target Vulkan 1.1 (SPIR-V 1.3): about 1 ms a kernel.
// Tuner side only: kernels reach an engine as SPIR-V words, and glslang stays out of it.
//
// The optimiser runs passes by name: the performance and size recipes of SPIRV-Tools unroll what a schedule left as a
// loop (10 KB became 65 KB in 1.4 to 3.5 s, for no speed).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <glslang/Public/ShaderLang.h>
#include <glslang/SPIRV/GlslangToSpv.h>
#include <spirv-tools/optimizer.hpp>

#include <hone/core/fault.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::tune {

// The words of a shader; or the fault, with the compiler's log.
struct spirv_result {
    std::vector<std::uint32_t> words;
    status found{};
    std::string log;

    bool ok() const { return found.ok(); }
};

enum class optimize : std::uint8_t {
    none,  // as glslang wrote it, names and all
    light, // names stripped, functions inlined. Gains: a tenth of the size. Costs: 0.5 ms a kernel.
    small, // also in SSA form. Gains: half of the size. Costs: 2 ms, and a third of the speed of register tiles on
           // lavapipe (8 x 4 vectors: 11.4 instead of 16.7 GFLOP/s).
};

// Whether this process has compiled a shader. Tuners must not: a compiler that crashes ends their children only.
inline std::atomic<bool> glslang_started{false};

// glslang's tables cost about 50 ms to build: once a process.
inline void start_glslang()
{
    struct process {
        process()
        {
            glslang_started = true;
            glslang::InitializeProcess();
        }
        ~process() { glslang::FinalizeProcess(); }
    };
    static const process started;
}

// Only these are read for compute shaders; the rest of the structure bounds stages that hone does not use.
inline TBuiltInResource compute_limits()
{
    TBuiltInResource r{};
    r.maxComputeWorkGroupCountX = r.maxComputeWorkGroupCountY = r.maxComputeWorkGroupCountZ = 65535;
    // The device's own limits were checked on the launch.
    r.maxComputeWorkGroupSizeX = r.maxComputeWorkGroupSizeY = r.maxComputeWorkGroupSizeZ = 1 << 16;
    r.limits.nonInductiveForLoops = true;
    r.limits.whileLoops = true;
    r.limits.doWhileLoops = true;
    r.limits.generalUniformIndexing = true;
    r.limits.generalAttributeMatrixVectorIndexing = true;
    r.limits.generalVaryingIndexing = true;
    r.limits.generalSamplerIndexing = true;
    r.limits.generalVariableIndexing = true;
    r.limits.generalConstantMatrixVectorIndexing = true;
    return r;
}

inline bool optimize_spirv(std::vector<std::uint32_t>& words, optimize how)
{
    if (how == optimize::none) return true;
    spvtools::Optimizer optimizer(SPV_ENV_VULKAN_1_1);
    optimizer.RegisterPass(spvtools::CreateStripDebugInfoPass())
        .RegisterPass(spvtools::CreateInlineExhaustivePass())
        .RegisterPass(spvtools::CreateEliminateDeadFunctionsPass());
    if (how == optimize::small)
        optimizer.RegisterPass(spvtools::CreatePrivateToLocalPass())
            .RegisterPass(spvtools::CreateScalarReplacementPass())
            .RegisterPass(spvtools::CreateSSARewritePass())
            .RegisterPass(spvtools::CreateSimplificationPass())
            .RegisterPass(spvtools::CreateRedundancyEliminationPass())
            .RegisterPass(spvtools::CreateAggressiveDCEPass());
    optimizer.RegisterPass(spvtools::CreateCFGCleanupPass()).RegisterPass(spvtools::CreateCompactIdsPass());
    spvtools::OptimizerOptions options;
    options.set_run_validator(false);
    return optimizer.Run(words.data(), words.size(), &words, options);
}

// SPIR-V of a compute shader with entry point main; fault::shader_rejected with the log. Safe in several threads.
inline spirv_result spirv_of(std::string_view glsl, optimize how = optimize::light)
{
    start_glslang();
    const TBuiltInResource limits = compute_limits();
    const auto messages = static_cast<EShMessages>(EShMsgSpvRules | EShMsgVulkanRules);
    const char* text = glsl.data();
    const int length = static_cast<int>(glsl.size());

    glslang::TShader shader(EShLangCompute);
    shader.setStringsWithLengths(&text, &length, 1);
    shader.setEnvInput(glslang::EShSourceGlsl, EShLangCompute, glslang::EShClientVulkan, 110);
    shader.setEnvClient(glslang::EShClientVulkan, glslang::EShTargetVulkan_1_1);
    shader.setEnvTarget(glslang::EShTargetSpv, glslang::EShTargetSpv_1_3);
    spirv_result r;
    if (!shader.parse(&limits, 450, false, messages)) {
        r.found = {.what = fault::shader_rejected, .subject = "parse"};
        r.log = shader.getInfoLog();
        return r;
    }
    glslang::TProgram program;
    program.addShader(&shader);
    if (!program.link(messages)) {
        r.found = {.what = fault::shader_rejected, .subject = "link"};
        r.log = program.getInfoLog();
        return r;
    }
    glslang::SpvOptions options;
    options.disableOptimizer = true;
    spv::SpvBuildLogger logger;
    glslang::GlslangToSpv(*program.getIntermediate(EShLangCompute), r.words, &logger, &options);
    r.log = logger.getAllMessages();
    if (r.words.empty() || !optimize_spirv(r.words, how))
        r.found = {.what = fault::shader_rejected, .subject = "optimize"};
    return r;
}

} // namespace hone::tune
