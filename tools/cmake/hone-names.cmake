# What hone_add_tuned_library takes as names of C++ and of CMake, as paths, and as options of a compiler.

cmake_policy(VERSION 3.25)

# Reads the words of hone/process/reserved_names.hpp, once for all directories.
function(hone_read_names_ header)
    file(READ "${header}" text)
    foreach(list IN ITEMS keywords macros_of_hone macros_of_compilers)
        if(NOT text MATCHES "string_view ${list} = R\"\\(([^)]*)\\)\"")
            message(FATAL_ERROR "hone: no ${list} were found in ${header}; they are read by tools/cmake/hone-names.cmake")
        endif()
        string(REGEX MATCHALL "[A-Za-z0-9_]+" words "${CMAKE_MATCH_1}")
        set_property(GLOBAL APPEND PROPERTY hone_reserved_names "${words}")
    endforeach()
endfunction()

# Whether the word is a keyword of C++ or a macro, and so no name of a type.
function(hone_is_reserved_name_ result word)
    get_property(words GLOBAL PROPERTY hone_reserved_names)
    set(${result} FALSE PARENT_SCOPE)
    if(word IN_LIST words)
        set(${result} TRUE PARENT_SCOPE)
    endif()
endfunction()

# Stops where the config set cannot have this name, or CMake makes a target of it itself, with one generator or another.
function(hone_tuned_name_ call target)
    if(NOT target MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
        message(FATAL_ERROR "${call}: the target names a C++ type; choose letters, digits and underscores")
    endif()
    hone_is_reserved_name_(reserved ${target})
    if(reserved OR target MATCHES "^_[A-Z]|__|^(std|hone|main|entries|vulkan_entries|table|NDEBUG)$")
        message(FATAL_ERROR
            "${call}: the target names a C++ type, and ${target} is a keyword, a macro or reserved; choose another, as "
            "my_kernels")
    endif()
    set(of_cmake
        ALL_BUILD INSTALL PACKAGE RUN_TESTS ZERO_CHECK all all_verify_interface_header_sets clean
        cmake_check_build_system cmake_force codegen default_target depend edit_cache help install
        list_install_components package package_source preinstall rebuild_cache test)
    if(target IN_LIST of_cmake)
        message(FATAL_ERROR "${call}: CMake has a target ${target} of its own; choose another name, as my_kernels")
    endif()
    if(TARGET ${target})
        message(FATAL_ERROR "${call}: there is a target of this name; choose another")
    endif()
endfunction()

# Stops where the name is none of a C++ type, with or without namespaces. `mend` is what to do.
function(hone_tuned_type_ call name mend)
    set(reserved FALSE)
    string(REPLACE "::" ";" words "${name}")
    foreach(word IN LISTS words)
        hone_is_reserved_name_(is_reserved "${word}")
        if(is_reserved)
            set(reserved TRUE)
        endif()
    endforeach()
    if(reserved OR NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$")
        message(FATAL_ERROR "${call}: '${name}' is no C++ type; ${mend}")
    endif()
endfunction()

# Stops where the path has what CMake, build tools or #include take for something else, whatever is written before it.
# `what` gave the path, and `mend` is what to do.
function(hone_tuned_path_ call what path mend)
    set(found)
    if(path MATCHES "[\n\r]")
        set(found "a line break")
    elseif(path MATCHES ";")
        set(found "a ';'")
    elseif(path MATCHES "[\\]")
        set(found "a '\\'")
    elseif(path MATCHES "\"")
        set(found "a '\"'")
    elseif(path MATCHES "[<>|]")
        set(found "a '${CMAKE_MATCH_0}'")
    endif()
    if(found)
        string(REGEX REPLACE "[\n\r]" " " path "${path}")
        message(FATAL_ERROR "${call}: ${what} ${path} has ${found} in its path, which CMake or the compiler takes for "
            "something else; ${mend}")
    endif()
endfunction()

# The words of the options in the list `options`, as CMake takes those of a target: "SHELL:-a b" is two words, in a
# generator expression, too.
function(hone_tuned_words_ result options)
    set(words)
    foreach(option IN LISTS ${options})
        if(option MATCHES "^(\\$<.*[:,])?SHELL:(.*)$")
            set(before "${CMAKE_MATCH_1}")
            set(text "${CMAKE_MATCH_2}")
            # What the expression around it closes with.
            string(REGEX MATCHALL "\\$<" opened "${before}")
            string(REGEX MATCHALL ">" closed "${before}")
            list(LENGTH opened opened)
            list(LENGTH closed closed)
            string(LENGTH "${text}" size)
            math(EXPR end "${size} - (${opened} - ${closed})")
            string(SUBSTRING "${text}" ${end} -1 after)
            string(SUBSTRING "${text}" 0 ${end} text)
            separate_arguments(split UNIX_COMMAND "${text}")
            set(option "${before}${split}${after}")
        elseif(NOT option MATCHES "\\$<")
            string(REGEX REPLACE "\\\\?;" "\\\\;" option "${option}")
        endif()
        list(APPEND words "${option}")
    endforeach()
    set(${result} "${words}" PARENT_SCOPE)
endfunction()

# Those of them that decide what a source means. A program that is run here and linked with hone's library goes without
# what chooses instructions, another standard library, or calls to a library that only instrumented programs have.
function(hone_tuned_meaning_ result words)
    set(kept)
    set(previous)
    foreach(word IN LISTS ${words})
        string(REPLACE ";" "\\;" word "${word}")
        if(NOT word MATCHES "^(-m[^$<>]*|-stdlib=[^$<>]*|-pg|--coverage|-f(profile|coverage|sanitize)[^$<>]*)$"
                OR word STREQUAL "-mllvm" OR previous MATCHES "^-(Xclang|mllvm|D|U|I|isystem|include)$")
            list(APPEND kept "${word}")
        endif()
        set(previous "${word}")
    endforeach()
    set(${result} "${kept}" PARENT_SCOPE)
endfunction()
