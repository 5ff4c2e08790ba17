# hone::tuner_program, all of a tuner but its list of workloads: a static library that is built once. It is the one that
# hone installed, where that runs here and what it is linked with was found; else it is built from source when a target
# first needs it, once for the whole project.

# Gives the caller hone::tuner_program, or hone_tuner_missing, the packages without which there is none; and
# hone_vulkan_missing, not empty where it cannot tune for Vulkan.
function(hone_tuner_program_)
    set(here "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
    include("${here}/hone-tuner-dependencies.cmake")
    set(hone_tuner_program_processor)
    if(NOT TARGET hone_tuner_program)
        include("${here}/hone-tuner-program-facts.cmake" OPTIONAL)
    endif()
    set(usable FALSE)
    # Its standard library is libstdc++, of its compiler or a later one.
    if(hone_tuner_program_processor STREQUAL "${CMAKE_SYSTEM_PROCESSOR}" AND NOT CMAKE_CROSSCOMPILING
            AND TARGET Threads::Threads AND NOT CMAKE_CXX_FLAGS MATCHES "-stdlib=libc\\+\\+"
            AND NOT (CMAKE_CXX_COMPILER_ID STREQUAL "GNU"
                AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS "${hone_tuner_program_gnu}"))
        # It has Vulkan where the project has; without, it is linked with nothing that is looked for.
        if(hone_tuner_program_vulkan AND TARGET glslang::SPIRV AND TARGET SPIRV-Tools-opt)
            set(usable TRUE)
            set(hone_vulkan_missing)
        elseif(NOT hone_tuner_program_vulkan AND (hone_vulkan_missing OR hone_tuner_missing))
            set(usable TRUE)
            list(APPEND hone_vulkan_missing ${hone_tuner_missing})
        endif()
    endif()
    if(usable)
        set(hone_tuner_missing)
        if(NOT TARGET hone::tuner_program)
            include("${here}/hone-tuner-program-targets.cmake")
        endif()
    endif()
    if(NOT hone_tuner_missing AND NOT usable AND NOT TARGET hone_tuner_program)
        hone_build_tuner_program_()
        # Whatever the project does without, or is warned of.
        target_compile_options(hone_tuner_program PRIVATE -w -fno-sanitize=all)
    endif()
    set(hone_tuner_missing "${hone_tuner_missing}" PARENT_SCOPE)
    set(hone_vulkan_missing "${hone_vulkan_missing}" PARENT_SCOPE)
endfunction()

# From source, with the packages that this directory has found.
function(hone_build_tuner_program_)
    set(here "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
    if(NOT TARGET hone::tuner)
        include("${here}/hone-tuner-targets.cmake")
    endif()
    # In hone's sources it stands in a folder of its own.
    set(source "${here}/tuner_program.cpp")
    if(NOT EXISTS "${source}")
        cmake_path(SET source NORMALIZE "${here}/../tuner_program/tuner_program.cpp")
    endif()
    add_library(hone_tuner_program STATIC EXCLUDE_FROM_ALL "${source}")
    add_library(hone::tuner_program ALIAS hone_tuner_program)
    # The directory that happens to be the first to need it has no say in it.
    set_target_properties(hone_tuner_program PROPERTIES
        COMPILE_DEFINITIONS "" COMPILE_OPTIONS "" INCLUDE_DIRECTORIES "" PRECOMPILE_HEADERS "")
    # What hone::tuner is made of, and not itself: in hone's sources it looks for its packages in hone's directory, where
    # those that the project has found before are not known.
    get_target_property(packages hone::tuner INTERFACE_LINK_LIBRARIES)
    get_target_property(definitions hone::tuner INTERFACE_COMPILE_DEFINITIONS)
    target_link_libraries(hone_tuner_program
        PUBLIC hone::hone
        # Only what is linked is looked for again where it is used.
        PRIVATE "$<BUILD_INTERFACE:${packages}>"
        INTERFACE "$<INSTALL_INTERFACE:Threads::Threads;${CMAKE_DL_LIBS};$<TARGET_NAME_IF_EXISTS:glslang::SPIRV>>")
    target_compile_definitions(hone_tuner_program PRIVATE ${definitions})
    hone_tuned_properties_(hone_tuner_program)
    # It chooses candidates between two measurements, so it is never a debug build; -O2 would take twice as long.
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "-O1;-g0;-fexceptions;-frtti")
endfunction()
