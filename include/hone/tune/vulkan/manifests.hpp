// SPDX-License-Identifier: BSL-1.0
// What is wrong with the manifests of Vulkan drivers, which the loader says to nobody: it passes them over, or ends
// with a number. Files are looked at only; no driver is loaded.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/process/input_file.hpp>

namespace hone::tune {

namespace vulkan_drivers {

namespace fs = std::filesystem;

// Those that the loader reads, and the variable that names them.
struct manifests {
    std::string named_by{}; // empty: they stand in the system's folders
    std::vector<fs::path> files{};
};

inline void add(manifests& to, const fs::path& path)
{
    std::error_code error;
    if (!fs::is_directory(path, error)) {
        to.files.push_back(path);
        return;
    }
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path, error))
        if (entry.path().extension() == ".json") found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    to.files.insert(to.files.end(), found.begin(), found.end());
}

inline manifests manifests_here()
{
    manifests all;
    // The newer name wins.
    for (const char* name : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"}) {
        const char* const value = std::getenv(name);
        if (value == nullptr || *value == '\0') continue;
        all.named_by = name;
        std::istringstream paths(value);
        for (std::string path; std::getline(paths, path, ':');)
            if (!path.empty()) add(all, path);
        return all;
    }
    std::error_code error;
    for (const char* folder : {"/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"})
        if (fs::is_directory(folder, error)) add(all, folder);
    return all;
}

// What is wrong with one; empty where nothing is seen.
inline std::string wrong_manifest(const fs::path& path)
{
    std::string text;
    try {
        text = text_of_input(path.string());
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    const auto j = nlohmann::json::parse(text, nullptr, false);
    if (j.is_discarded()) return fmt::format("{} is no JSON", path.string());
    const auto icd = j.is_object() ? j.value("ICD", nlohmann::json()) : nlohmann::json();
    const auto library = icd.is_object() ? icd.value("library_path", nlohmann::json()) : nlohmann::json();
    if (!library.is_string()) return fmt::format("{} names no driver: ICD.library_path is missing", path.string());
    const fs::path driver = library.get<std::string>();
    // The dynamic linker looks for a name without a folder where it looks for all.
    if (!driver.has_parent_path()) return "";
    const fs::path at = path.parent_path() / driver;
    std::error_code error;
    if (!fs::is_regular_file(at, error))
        return fmt::format("{} names the driver {}, which is not there", path.string(), at.string());
    char magic[4]{};
    std::ifstream(at, std::ios::binary).read(magic, sizeof magic);
    if (std::string(magic, sizeof magic) != "\x7f"
                                            "ELF")
        return fmt::format("{} names the driver {}, which is no shared library", path.string(), at.string());
    return "";
}

} // namespace vulkan_drivers

// A sentence with what is wrong, empty where nothing is seen.
inline std::string wrong_manifests()
{
    using namespace vulkan_drivers;
    const manifests all = manifests_here();
    std::string wrong;
    for (const fs::path& path : all.files)
        if (const std::string one = wrong_manifest(path); !one.empty()) wrong += (wrong.empty() ? "" : "; ") + one;
    if (wrong.empty()) return "";
    return all.named_by.empty() ? wrong + "; install the driver again"
                                : fmt::format("{}; mend or unset {}", wrong, all.named_by);
}

} // namespace hone::tune
