# Looks for what hone::tuner is built with, and lists what is absent by its Debian package:
#   hone_tuner_missing   without these there is no tuner
#   hone_vulkan_missing  without these the tuner has the CPU back end only
# Quiet, because a message that names packages to install helps more than one that names find modules.
# Only real absence is listed, so hone_tuner_missing empty means that hone::tuner can be linked.

set(hone_tuner_missing)
set(hone_vulkan_missing)

# In a source tree hone::tuner resolves these names in hone's own directory, wherever they were looked for; so they are
# made global. Installed, they stay in the directory of the find_package(hone) that wanted them.
set(hone_targets_global_before ${CMAKE_FIND_PACKAGE_TARGETS_GLOBAL})
if(TARGET hone_tuner)
    set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
endif()

find_package(Threads QUIET) # before glslang, whose targets refer to it
find_package(Boost 1.74 QUIET NO_MODULE)
find_package(Eigen3 3.3 QUIET NO_MODULE)
find_package(nlohmann_json 3.9 QUIET)
find_package(fmt 8 QUIET)
find_package(CLI11 2 QUIET)
find_package(Vulkan QUIET)
find_package(SPIRV-Tools QUIET)
find_package(SPIRV-Tools-opt QUIET)
find_package(SPIRV-Tools-link QUIET)
find_package(glslang QUIET)

set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ${hone_targets_global_before})

if(NOT TARGET Threads::Threads)
    list(APPEND hone_tuner_missing libc6-dev)
endif()
if(NOT TARGET Boost::headers)
    list(APPEND hone_tuner_missing libboost-dev)
endif()
if(NOT TARGET Eigen3::Eigen)
    list(APPEND hone_tuner_missing libeigen3-dev)
endif()
if(NOT TARGET nlohmann_json::nlohmann_json)
    list(APPEND hone_tuner_missing nlohmann-json3-dev)
endif()
if(NOT TARGET fmt::fmt-header-only)
    list(APPEND hone_tuner_missing libfmt-dev)
endif()
if(NOT TARGET CLI11::CLI11)
    list(APPEND hone_tuner_missing libcli11-dev)
endif()
if(NOT TARGET Vulkan::Headers)
    list(APPEND hone_vulkan_missing libvulkan-dev)
endif()
if(NOT TARGET SPIRV-Tools-opt)
    list(APPEND hone_vulkan_missing spirv-tools)
endif()
if(NOT TARGET glslang::SPIRV)
    list(APPEND hone_vulkan_missing glslang-dev)
endif()
