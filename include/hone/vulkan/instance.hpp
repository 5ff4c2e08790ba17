// SPDX-License-Identifier: BSL-1.0
// The Vulkan loader, opened at run time, and an instance of it, under the validation layer where that is asked for. So
// programs start where no loader is installed, and say what is missing.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <dlfcn.h>

#include <hone/vulkan/failure.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::vulkan {

enum class validation : std::uint8_t {
    off,
    on, // gains: every misuse and race that the layer sees is counted. Costs: the layer must be installed.
};

// What was given; if nothing, what the environment says.
inline std::string or_environment(const std::string& given, const char* name, const char* otherwise)
{
    if (!given.empty()) return given;
    const char* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

// Devices that are chosen of it, and all that is made with them, must be gone before it.
class instance {
public:
    instance() = default;
    instance(const instance&) = delete;
    instance& operator=(const instance&) = delete;
    ~instance()
    {
        if (messenger_ != VK_NULL_HANDLE) destroy_messenger_(handle_, messenger_, nullptr);
        if (handle_ != VK_NULL_HANDLE) destroy_(handle_, nullptr);
        if (library_ != nullptr) dlclose(library_);
    }

    // Of the library that is given, else of that in HONE_VULKAN_LIBRARY, else of libvulkan.so.1. Faults:
    // vulkan_loader_missing, vulkan_device_missing (no driver), vulkan_feature_missing (the validation layer),
    // vulkan_call_failed.
    failure open(const std::string& given, vulkan::validation checked)
    {
        const std::string library = or_environment(given, "HONE_VULKAN_LIBRARY", "libvulkan.so.1");
        library_ = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library_ == nullptr) {
            const char* why = dlerror();
            return {{.what = fault::vulkan_loader_missing, .subject = "dlopen"}, why != nullptr ? why : library};
        }
        get_ = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library_, "vkGetInstanceProcAddr"));
        if (get_ == nullptr)
            return {{.what = fault::vulkan_loader_missing, .subject = "vkGetInstanceProcAddr"}, library};
        return make(checked);
    }
    // Nothing is destroyed then: for one whose driver is still at work.
    void leave_open()
    {
        messenger_ = VK_NULL_HANDLE;
        handle_ = VK_NULL_HANDLE;
        library_ = nullptr;
    }

    VkInstance handle() const { return handle_; }
    PFN_vkGetInstanceProcAddr get_proc_addr() const { return get_; }
    // A function of the instance; before there is one, of the loader.
    template <class Function>
    Function call(const char* name) const
    {
        return reinterpret_cast<Function>(get_(handle_, name));
    }
    // Warnings and errors of the validation layer so far, and the text of the first.
    int validation_messages() const { return messages_.count; }
    const std::string& first_validation_message() const { return messages_.first; }

private:
    struct messages {
        std::atomic<int> count{0};
        std::string first;
    };

    static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                                     VkDebugUtilsMessageTypeFlagsEXT,
                                                     const VkDebugUtilsMessengerCallbackDataEXT* data, void* user)
    {
        auto* m = static_cast<messages*>(user);
        if (m->count++ > 0) return VK_FALSE;
        // Older layers begin their text with the name, younger ones leave it out.
        const std::string name = data->pMessageIdName != nullptr ? data->pMessageIdName : "", text = data->pMessage;
        m->first = text.find(name) != std::string::npos ? text : "[ " + name + " ] " + text;
        return VK_FALSE;
    }

    // Where the loader was told to look for drivers.
    static std::string driver_files()
    {
        for (const char* name : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"})
            if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
                return std::string(name) + "=" + value;
        return "vulkan/icd.d of the system";
    }

#ifdef VK_EXT_layer_settings
    bool layer_has(const char* layer, const char* extension) const
    {
        const auto list = call<PFN_vkEnumerateInstanceExtensionProperties>("vkEnumerateInstanceExtensionProperties");
        std::uint32_t count = 0;
        if (list(layer, &count, nullptr) != VK_SUCCESS) return false;
        std::vector<VkExtensionProperties> extensions(count);
        if (list(layer, &count, extensions.data()) != VK_SUCCESS) return false;
        return std::any_of(extensions.begin(), extensions.end(), [&](const VkExtensionProperties& e) {
            return std::strcmp(e.extensionName, extension) == 0;
        });
    }
#endif

    failure make(vulkan::validation checked)
    {
        constexpr const char* layer = "VK_LAYER_KHRONOS_validation";
        if (checked == validation::on) {
            const auto list = call<PFN_vkEnumerateInstanceLayerProperties>("vkEnumerateInstanceLayerProperties");
            std::uint32_t count = 0;
            if (const VkResult r = list(&count, nullptr); r != VK_SUCCESS)
                return failed_call(r, "vkEnumerateInstanceLayerProperties");
            std::vector<VkLayerProperties> layers(count);
            list(&count, layers.data());
            if (std::none_of(layers.begin(), layers.end(),
                             [&](const VkLayerProperties& l) { return std::strcmp(l.layerName, layer) == 0; }))
                return {{.what = fault::vulkan_feature_missing, .subject = layer},
                        "the validation layer is not installed (vulkan-validationlayers)"};
        }
        VkApplicationInfo application{};
        application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
        application.pApplicationName = "hone";
        application.apiVersion = VK_API_VERSION_1_1;

        VkDebugUtilsMessengerCreateInfoEXT messenger{};
        messenger.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
        messenger.messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
        messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
        messenger.pfnUserCallback = on_message;
        messenger.pUserData = &messages_;
        const VkValidationFeatureEnableEXT checks[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
        VkValidationFeaturesEXT features{};
        features.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
        features.pNext = &messenger;
        features.enabledValidationFeatureCount = 1;
        features.pEnabledValidationFeatures = checks;

        std::vector<const char*> extensions = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
                                               VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
#ifdef VK_EXT_layer_settings
        // Layers that know of settings leave out what shaders access, unless they are asked.
        const VkBool32 yes = VK_TRUE;
        const VkLayerSettingEXT setting{layer, "syncval_shader_accesses_heuristic", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1,
                                        &yes};
        VkLayerSettingsCreateInfoEXT settings{};
        settings.sType = VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT;
        settings.pNext = &messenger;
        settings.settingCount = 1;
        settings.pSettings = &setting;
        if (checked == validation::on && layer_has(layer, VK_EXT_LAYER_SETTINGS_EXTENSION_NAME)) {
            features.pNext = &settings;
            extensions.push_back(VK_EXT_LAYER_SETTINGS_EXTENSION_NAME);
        }
#endif
        VkInstanceCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
        info.pApplicationInfo = &application;
        if (checked == validation::on) {
            info.pNext = &features;
            info.enabledLayerCount = 1;
            info.ppEnabledLayerNames = &layer;
            info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
            info.ppEnabledExtensionNames = extensions.data();
        }
        const auto create_instance = call<PFN_vkCreateInstance>("vkCreateInstance");
        if (create_instance == nullptr)
            return {{.what = fault::vulkan_loader_missing, .subject = "vkCreateInstance"},
                    "the loader does not have it"};
        const VkResult r = create_instance(&info, nullptr, &handle_);
        if (r == VK_ERROR_INCOMPATIBLE_DRIVER)
            return {{.what = fault::vulkan_device_missing, .found = r, .subject = "vkCreateInstance"},
                    "no driver loads from " + driver_files()};
        // What loaders say of a manifest that is no JSON, too.
        if (r == VK_ERROR_OUT_OF_HOST_MEMORY)
            return {{.what = fault::vulkan_device_missing, .found = r, .subject = "vkCreateInstance"},
                    name_of(r) + ", or a broken manifest of a driver in " + driver_files()};
        if (r != VK_SUCCESS) return failed_call(r, "vkCreateInstance");
        destroy_ = call<PFN_vkDestroyInstance>("vkDestroyInstance");
        if (checked == validation::on) {
            destroy_messenger_ = call<PFN_vkDestroyDebugUtilsMessengerEXT>("vkDestroyDebugUtilsMessengerEXT");
            const auto create = call<PFN_vkCreateDebugUtilsMessengerEXT>("vkCreateDebugUtilsMessengerEXT");
            if (const VkResult m = create(handle_, &messenger, nullptr, &messenger_); m != VK_SUCCESS)
                return failed_call(m, "vkCreateDebugUtilsMessengerEXT");
        }
        return {};
    }

    void* library_ = nullptr;
    PFN_vkGetInstanceProcAddr get_ = nullptr;
    PFN_vkDestroyInstance destroy_ = nullptr;
    PFN_vkDestroyDebugUtilsMessengerEXT destroy_messenger_ = nullptr;
    messages messages_;
    VkInstance handle_ = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
};

} // namespace hone::vulkan
