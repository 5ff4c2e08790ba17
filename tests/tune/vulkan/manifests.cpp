// SPDX-License-Identifier: BSL-1.0
// Manifests of drivers that a loader would pass over are named, each with what is wrong.
#include <cstdlib>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/manifests.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("a driver that is not there, or is no library, is named with its manifest")
{
    const folder at;
    const auto says = [&](const std::string& manifest) {
        std::ofstream(at / "driver.json", std::ios::trunc) << manifest;
        setenv("VK_DRIVER_FILES", (at / "driver.json").c_str(), 1);
        const std::string wrong = tune::wrong_manifests();
        unsetenv("VK_DRIVER_FILES");
        return wrong;
    };
    const std::string missing = says(R"({"ICD": {"library_path": "./no-such-driver.so"}})");
    CHECK(missing.find("driver.json names the driver ") != std::string::npos);
    CHECK(missing.find("which is not there; mend or unset VK_DRIVER_FILES") != std::string::npos);
    std::ofstream(at / "driver.so") << "no library";
    CHECK(says(R"({"ICD": {"library_path": "./driver.so"}})").find("which is no shared library") != std::string::npos);
    CHECK(says("no JSON").find("driver.json") != std::string::npos);
}
