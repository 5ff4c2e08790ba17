// SPDX-License-Identifier: BSL-1.0
// Loaders, drivers and the validation layer: what is missing or broken is a sentence, never a crash.
#include <hone/vulkan/instance.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/vulkan/device.hpp>

using namespace hone;

TEST_CASE("what is given goes before the environment, and that before what is common")
{
    constexpr const char* name = "HONE_TEST_OR_ENVIRONMENT";
    unsetenv(name);
    CHECK(vulkan::or_environment("", name, "common") == "common");
    CHECK(vulkan::or_environment("given", name, "common") == "given");
    setenv(name, "set", 1);
    CHECK(vulkan::or_environment("", name, "common") == "set");
    CHECK(vulkan::or_environment("given", name, "common") == "given");
    unsetenv(name);
}

TEST_CASE("a loader that is missing is named, and leaves no instance")
{
    vulkan::instance none;
    const vulkan::failure why = none.open("libhone-has-no-such-loader.so", vulkan::validation::off);
    CHECK(why.found.what == fault::vulkan_loader_missing);
    CHECK(why.text().starts_with(message_of(fault::vulkan_loader_missing)));
    CHECK(why.detail.find("libhone-has-no-such-loader.so") != std::string::npos);
    CHECK(none.handle() == VK_NULL_HANDLE);
    CHECK((none.get_proc_addr() == nullptr));
    CHECK(none.validation_messages() == 0);
    // The name of the environment is taken where none is given.
    const char* before = std::getenv("HONE_VULKAN_LIBRARY");
    const std::optional<std::string> kept = before == nullptr ? std::optional<std::string>{} : before;
    setenv("HONE_VULKAN_LIBRARY", "libhone-named-in-the-environment.so", 1);
    vulkan::instance other;
    const vulkan::failure named = other.open("", vulkan::validation::off);
    CHECK(named.detail.find("libhone-named-in-the-environment.so") != std::string::npos);
    unsetenv("HONE_VULKAN_LIBRARY");
    if (kept) setenv("HONE_VULKAN_LIBRARY", kept->c_str(), 1);
}

TEST_CASE("broken manifests and libraries of drivers are a sentence, never a crash")
{
    namespace fs = std::filesystem;
    const fs::path at = fs::temp_directory_path() / ("hone-drivers-" + std::to_string(getpid()));
    fs::create_directories(at);
    const auto file = [&](const char* name, const std::string& text) {
        std::ofstream(at / name) << text;
        return (at / name).string();
    };
    const auto manifest = [](const std::string& library) {
        return R"({"file_format_version": "1.0.0", "ICD": {"library_path": ")" + library +
               R"(", "api_version": "1.3.0"}})";
    };
    fs::create_directory(at / "folder.json");
    const std::string drivers[] = {(at / "absent.json").string(),
                                   (at / "folder.json").string(),
                                   file("empty.json", ""),
                                   file("words.json", "not json"),
                                   file("cut.json", manifest("libvulkan_lvp.so").substr(0, 60)),
                                   file("list.json", R"({"file_format_version": "1.0.0", "ICD": []})"),
                                   file("no_library.json", manifest("")),
                                   file("absent_library.json", manifest("/nowhere/driver.so")),
                                   file("no_driver.json", manifest("libc.so.6")),
                                   file("junk.json", manifest(file("junk.so", "junk")))};
    const auto kept = [](const char* name) {
        const char* value = std::getenv(name);
        return value == nullptr ? std::optional<std::string>{} : value;
    };
    const auto files = kept("VK_DRIVER_FILES"), names = kept("VK_ICD_FILENAMES");
    unsetenv("VK_DRIVER_FILES");
    vulkan::failure why;
    for (const std::string& driver : drivers) {
        CAPTURE(driver);
        setenv("VK_ICD_FILENAMES", driver.c_str(), 1);
        CHECK(vulkan::device::open({}, why) == nullptr);
        CHECK(why.found.what == fault::vulkan_device_missing);
        CHECK(why.detail.find(driver) != std::string::npos);
    }
    unsetenv("VK_ICD_FILENAMES");
    if (files) setenv("VK_DRIVER_FILES", files->c_str(), 1);
    if (names) setenv("VK_ICD_FILENAMES", names->c_str(), 1);
    // Loaders that are none.
    for (const std::string& library : {(at / "junk.so").string(), std::string("libc.so.6")}) {
        CHECK(vulkan::device::open({.library = library}, why) == nullptr);
        CHECK(why.found.what == fault::vulkan_loader_missing);
        CHECK(why.detail.find(library) != std::string::npos);
    }
    fs::remove_all(at);
}
