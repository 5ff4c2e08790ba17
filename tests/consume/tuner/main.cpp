// SPDX-License-Identifier: BSL-1.0
// hone::tuner brings the headers of its packages and a complete link line, the shader compiler's included.
#include <hone/hone.hpp>

#include <CLI/CLI.hpp>
#include <Eigen/Core>
#include <boost/hana/tuple.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#if defined(HONE_WITH_VULKAN)
#include <glslang/Public/ShaderLang.h>
#include <glslang/SPIRV/GlslangToSpv.h>
#include <vulkan/vulkan_core.h>
#endif

int main()
{
#if defined(HONE_WITH_VULKAN)
    glslang::InitializeProcess();
    {
        const char* text = "#version 450\nlayout(local_size_x = 1) in;\nvoid main() {}\n";
        glslang::TShader shader(EShLangCompute);
        shader.setStrings(&text, 1);
        shader.setEnvInput(glslang::EShSourceGlsl, EShLangCompute, glslang::EShClientVulkan, 100);
        shader.setEnvClient(glslang::EShClientVulkan, glslang::EShTargetVulkan_1_1);
        shader.setEnvTarget(glslang::EShTargetSpv, glslang::EShTargetSpv_1_3);
        TBuiltInResource limits{};
        limits.maxComputeWorkGroupSizeX = limits.maxComputeWorkGroupSizeY = limits.maxComputeWorkGroupSizeZ = 1;
        if (!shader.parse(&limits, 450, false, EShMsgDefault)) return 1;
        glslang::TProgram program;
        program.addShader(&shader);
        if (!program.link(EShMsgDefault)) return 1;
        std::vector<unsigned int> words;
        glslang::GlslangToSpv(*program.getIntermediate(EShLangCompute), words);
        if (words.empty()) return 1;
    }
    glslang::FinalizeProcess();
#endif
    return nlohmann::json::parse("[0]")[0].get<int>() + (fmt::format("{}", 1) == "1" ? 0 : 1);
}
