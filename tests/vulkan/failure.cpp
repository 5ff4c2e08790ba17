// SPDX-License-Identifier: BSL-1.0
// A fault of the Vulkan runtime as text: the sentence, what it is about, and what the driver said.
#include <hone/vulkan/failure.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace hone;

TEST_CASE("a failure is its sentence, its subject and its detail, each where it has one")
{
    const std::string sentence = message_of(fault::vulkan_loader_missing);
    CHECK(vulkan::failure{}.ok());
    vulkan::failure f{{.what = fault::vulkan_loader_missing}};
    CHECK_FALSE(f.ok());
    CHECK(f.text() == sentence);
    f.found.subject = "dlopen";
    CHECK(f.text() == sentence + " [dlopen]");
    f.detail = "no such file";
    CHECK(f.text() == sentence + " [dlopen]: no such file");
    f.found.subject = "";
    CHECK(f.text() == sentence + ": no such file");
}

TEST_CASE("a call that fails is named with its result, by name or by number")
{
    const vulkan::failure f = vulkan::failed_call(VK_ERROR_DEVICE_LOST, "vkQueueSubmit");
    CHECK(f.found.what == fault::vulkan_call_failed);
    CHECK(f.found.expected == VK_SUCCESS);
    CHECK(f.found.found == VK_ERROR_DEVICE_LOST);
    CHECK(std::string(f.found.subject) == "vkQueueSubmit");
    CHECK(f.detail == "VK_ERROR_DEVICE_LOST");
    CHECK(vulkan::name_of(VK_TIMEOUT) == "VK_TIMEOUT");
    CHECK(vulkan::name_of(static_cast<VkResult>(-1234)) == "VkResult -1234");
}
