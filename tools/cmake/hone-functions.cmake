# hone_add_tuned_library: the tuner as a step of a build.
#
#   hone_add_tuned_library(<target> WORKLOADS layers.hpp
#       [LIST my::layers]                 the hone::workloads<...> in it; default: named as the header
#       [BACKENDS cpu vulkan]             default: cpu
#       [ISAS avx512 avx2 baseline]       of the kernels of the CPU; default: all that hone has for this processor
#       [MODE OFF|REPLAY|MISSING|FORCE]   default: HONE_TUNE, else MISSING in a top-level project, else REPLAY
#       [BUDGET seconds] [TRIALS n]       of tuning, and of each workload; default: 300, and as the budget allows
#       [SEED n]
#       [COST_MODEL my::model] or [SEARCHER my::searcher]   a type that chooses what is tried, in the place of hone's
#       [SEARCH_HEADER search.hpp]        that defines it, which the tuner alone includes; default: the workloads
#       [THREADS n] [CACHE cold|hot]      that the kernels are tuned for; default: 1, and weights that come from memory
#       [ACCURACY exact|default|fast]     of workloads that say nothing themselves: sums in the order of the definition, in
#                                         any order, or Winograd, too
#       [RECORDS file.jsonl]              committed results, of this library alone; default: <target>.jsonl beside the
#                                         workloads
#       [LINK_LIBRARIES target...] [COMPILE_OPTIONS option...]   that the workloads need; options as
#                                         target_compile_options takes them, of all that is compiled here
#       [STRICT])                         a workload without a measured entry fails the build
#
# <target> is a static library: who links it can include <hone/tuned/<target>.hpp>, which defines the config set
# <target>, and <target>::table() with compiled kernels for each instruction set.
#
# OFF: the set is empty, and no tuner is built. REPLAY: the set is what the records say; nothing is measured. MISSING:
# workloads without records are tuned. FORCE: all are tuned anew each time that the step runs.
#
# In a cross build without CMAKE_CROSSCOMPILING_EMULATOR no tuner runs: REPLAY takes the header beside the records, which
# <target>.save writes in a build for this machine; without records it is the same as OFF.
#
# <target>.tune tunes now, in the foreground; <target>.save writes records and header to the source tree, as nothing
# else does; <target>.check fails where the saved ones are not what the workloads and records give.

cmake_policy(VERSION 3.25)

include("${CMAKE_CURRENT_LIST_DIR}/hone-isas.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/hone-names.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/hone-tuner-program.cmake")

function(hone_add_tuned_library target)
    set(here "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
    set(call "hone_add_tuned_library(${target})")

    # ---- the call ----

    cmake_parse_arguments(PARSE_ARGV 1 tuned "STRICT"
        "WORKLOADS;LIST;MODE;BUDGET;TRIALS;SEED;COST_MODEL;SEARCHER;SEARCH_HEADER;THREADS;CACHE;ACCURACY;RECORDS"
        "BACKENDS;ISAS;LINK_LIBRARIES;COMPILE_OPTIONS")
    if(tuned_UNPARSED_ARGUMENTS)
        list(JOIN tuned_UNPARSED_ARGUMENTS " " unknown)
        message(FATAL_ERROR "${call}: unknown arguments: ${unknown}; see the first lines of hone-functions.cmake")
    endif()
    # A list may be empty, as ${options} are in most builds of an engine: that is none given.
    list(REMOVE_ITEM tuned_KEYWORDS_MISSING_VALUES BACKENDS ISAS LINK_LIBRARIES COMPILE_OPTIONS)
    if(tuned_KEYWORDS_MISSING_VALUES)
        list(JOIN tuned_KEYWORDS_MISSING_VALUES ", " keywords)
        message(FATAL_ERROR "${call}: no value after ${keywords}")
    endif()
    hone_tuned_name_("${call}" "${target}")
    if(NOT DEFINED tuned_WORKLOADS)
        message(FATAL_ERROR "${call}: WORKLOADS is missing; name the header that defines the workloads")
    endif()
    cmake_path(ABSOLUTE_PATH tuned_WORKLOADS NORMALIZE OUTPUT_VARIABLE workloads)
    hone_tuned_header_("${call}" "${workloads}")
    hone_tuned_path_("${call}" "the build directory" "${CMAKE_CURRENT_BINARY_DIR}" "build in another")
    cmake_path(GET workloads PARENT_PATH folder)
    if(DEFINED tuned_LIST)
        string(REGEX REPLACE "^::" "" list "${tuned_LIST}")
    else()
        cmake_path(GET workloads STEM LAST_ONLY list)
    endif()
    hone_tuned_type_("${call}" "${list}" "name the workload list with LIST, as in my::layers")
    string(REGEX REPLACE "::.*" "" outermost "${list}")
    if(outermost STREQUAL target)
        message(FATAL_ERROR
            "${call}: the config set would have the name of the workload list or of its namespace, ${target}; choose "
            "another target, or put the list in a namespace and name it with LIST")
    endif()

    # What chooses candidates, where it is the project's own.
    set(search_kind)
    foreach(kind IN ITEMS COST_MODEL SEARCHER)
        if(NOT DEFINED tuned_${kind})
            continue()
        endif()
        if(search_kind)
            message(FATAL_ERROR
                "${call}: COST_MODEL and SEARCHER are both given, and a searcher has a model of its own; give one of them")
        endif()
        set(search_kind ${kind})
        string(REGEX REPLACE "^::" "" search_type "${tuned_${kind}}")
        hone_tuned_type_("${call}" "${search_type}" "name a type with ${kind}, as in my::choice")
    endforeach()
    set(search_header "${workloads}")
    if(DEFINED tuned_SEARCH_HEADER)
        if(NOT search_kind)
            message(FATAL_ERROR "${call}: SEARCH_HEADER is of no type; name it with COST_MODEL or SEARCHER")
        endif()
        cmake_path(ABSOLUTE_PATH tuned_SEARCH_HEADER NORMALIZE OUTPUT_VARIABLE search_header)
        hone_tuned_header_("${call}" "${search_header}")
    endif()

    hone_isas_(all_isas)
    hone_tuned_choices_("${call}" ISAS "${all_isas}" "${all_isas}" isas ${tuned_ISAS})
    hone_tuned_choices_("${call}" BACKENDS "cpu;vulkan" cpu backends ${tuned_BACKENDS})
    if(NOT "cpu" IN_LIST backends)
        set(isas)
    endif()
    set(default_mode REPLAY)
    if(DEFINED HONE_TUNE AND NOT HONE_TUNE STREQUAL "")
        set(default_mode "${HONE_TUNE}")
    elseif(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CROSSCOMPILING)
        set(default_mode MISSING)
    endif()
    if(NOT DEFINED tuned_MODE)
        set(tuned_MODE "${default_mode}")
    endif()
    foreach(keyword IN ITEMS MODE CACHE ACCURACY)
        if("${tuned_${keyword}}" MATCHES ";")
            message(FATAL_ERROR "${call}: ${keyword} is '${tuned_${keyword}}'; give one of them")
        endif()
    endforeach()
    hone_tuned_choices_("${call}" MODE "OFF;REPLAY;MISSING;FORCE" "" mode "${tuned_MODE}")
    if(DEFINED tuned_CACHE)
        hone_tuned_choices_("${call}" CACHE "cold;hot" "" cache "${tuned_CACHE}")
    endif()
    if(DEFINED tuned_ACCURACY)
        hone_tuned_choices_("${call}" ACCURACY "exact;default;fast" "" accuracy "${tuned_ACCURACY}")
    endif()
    foreach(number IN ITEMS BUDGET TRIALS SEED THREADS)
        if(DEFINED tuned_${number} AND NOT tuned_${number} MATCHES "^[0-9]+$")
            message(FATAL_ERROR "${call}: ${number} is '${tuned_${number}}'; give a whole number")
        endif()
        if(DEFINED tuned_${number} AND tuned_${number} MATCHES "^0*[1-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]")
            message(FATAL_ERROR "${call}: ${number} is ${tuned_${number}}; give a number below 1000000000")
        endif()
    endforeach()
    if(DEFINED tuned_THREADS AND tuned_THREADS EQUAL 0)
        message(FATAL_ERROR "${call}: THREADS is 0; give at least 1")
    endif()
    if(DEFINED tuned_THREADS AND tuned_THREADS GREATER 1024)
        message(FATAL_ERROR "${call}: THREADS is ${tuned_THREADS}; give at most 1024")
    endif()
    if(NOT DEFINED tuned_BUDGET)
        set(tuned_BUDGET 300)
    endif()

    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang)$")
        message(FATAL_ERROR "${call}: the kernels need g++ or clang; this is ${CMAKE_CXX_COMPILER_ID}")
    endif()
    set(has_tuner TRUE)
    if(mode STREQUAL "OFF")
        set(has_tuner FALSE)
    else()
        hone_tuned_saved_()
    endif()
    # Where the tuner cannot run, the header that records have given elsewhere stands for them.
    if(has_tuner AND CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
        set(has_tuner FALSE)
        set(processor "${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}")
        if(NOT mode STREQUAL "REPLAY")
            message(FATAL_ERROR
                "${call}: nothing can be measured for ${processor} here; tune there, commit what ${target}.save writes, "
                "and build with -DHONE_TUNE=REPLAY, or set CMAKE_CROSSCOMPILING_EMULATOR")
        endif()
        if(EXISTS "${saved_records}" AND NOT EXISTS "${saved_header}")
            message(FATAL_ERROR
                "${call}: the tuner would be built for ${processor} and cannot run here, and there is no "
                "${saved_header}; let ${target}.save write it from the records in a build for this machine, or set "
                "-DHONE_TUNE=OFF")
        endif()
    endif()

    if(has_tuner)
        hone_tuned_path_("${call}" "RECORDS are" "${saved_records}" "choose other RECORDS")
    endif()
    if(has_tuner AND CMAKE_CURRENT_BINARY_DIR MATCHES "#")
        message(FATAL_ERROR
            "${call}: CMake runs no steps in ${CMAKE_CURRENT_BINARY_DIR}, whose path has a '#'; build in a directory "
            "without, or set -DHONE_TUNE=OFF")
    endif()

    # ---- the options of the kernels ----

    # Whatever the engine's build type, for this instruction set and no other, without what an engine has its own code
    # do. They are options of the sources, as they stand last on the command line.
    set(flags -O2 -fno-tree-vectorize)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        set(flags -O1 -fno-unroll-loops)
    endif()
    # IEEE arithmetic, and multiply-adds contracted as the compiler does unasked.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        list(APPEND flags -fno-fast-math -ffp-contract=fast)
    else()
        list(APPEND flags -fno-fast-math -ffp-contract=on)
    endif()
    list(APPEND flags -g0 -fno-lto -fno-sanitize=all)
    hone_tuned_words_(compile_options tuned_COMPILE_OPTIONS)
    foreach(isa IN LISTS isas)
        hone_only_isa_flags_(flags_${isa} ${isa})
    endforeach()

    # ---- the header ----

    set(files "${CMAKE_CURRENT_BINARY_DIR}/${target}.hone")
    # What is made by running the tuner, which each configuration has of its own. What was measured is for all of them.
    set(of_configuration "${files}")
    get_property(has_configurations GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
    if(has_configurations)
        set(of_configuration "${files}/$<CONFIG>")
    endif()
    # What the workloads' header needs, for the tuner's candidates too.
    add_library(${target}.requirements INTERFACE)
    target_link_libraries(${target}.requirements INTERFACE hone::hone ${tuned_LINK_LIBRARIES})
    if(has_tuner)
        set(include "${of_configuration}/tuned")
        hone_tuned_steps_()
    elseif(mode STREQUAL "REPLAY" AND EXISTS "${saved_header}")
        set(include "${files}/saved")
        configure_file("${saved_header}" "${include}/hone/tuned/${target}.hpp" COPYONLY)
    else()
        set(include "${files}/defaults")
        configure_file("${here}/tuned_defaults.hpp.in" "${include}/hone/tuned/${target}.hpp" @ONLY)
    endif()

    # ---- the library ----

    set(declarations)
    set(sets)
    set(objects)
    foreach(isa IN LISTS isas)
        set(source "${files}/${isa}.cpp")
        configure_file("${here}/tuned_kernels.cpp.in" "${source}" @ONLY)
        set(all_options ${flags} ${flags_${isa}} "${compile_options}")
        hone_tuned_object_(${target}.${isa} "${source}" all_options)
        list(APPEND objects $<TARGET_OBJECTS:${target}.${isa}>)
        string(APPEND declarations
            "template <>\nconst compiled<::${list}, ::${target}, isa::${isa}>::entries compiled<::${list}, ::${target}, isa::${isa}>::kernels;\n")
        string(APPEND sets ", hone::isa::${isa}")
    endforeach()
    configure_file("${here}/tuned_table.cpp.in" "${files}/table.cpp" @ONLY)
    add_library(${target} STATIC "${files}/table.cpp" ${objects})
    set_source_files_properties("${files}/table.cpp" PROPERTIES COMPILE_OPTIONS "${compile_options}")
    target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${include}>")
    target_link_libraries(${target} PUBLIC hone::hone ${tuned_LINK_LIBRARIES})
    foreach(isa IN LISTS isas)
        target_include_directories(${target}.${isa} PRIVATE "${include}")
    endforeach()
    hone_tuned_properties_(${target})
    if(has_tuner)
        foreach(of IN LISTS isas)
            add_dependencies(${target}.${of} ${target}.header)
        endforeach()
        add_dependencies(${target} ${target}.header)
    endif()
endfunction()

# An object of kernels, from this source with the options of this list. In the scope of hone_add_tuned_library.
function(hone_tuned_object_ name source options)
    add_library(${name} OBJECT "${source}")
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "${${options}}")
    target_link_libraries(${name} PRIVATE ${target}.requirements)
    hone_tuned_properties_(${name})
endfunction()

# The values that were given, each one of `all`; `default` where none was.
function(hone_tuned_choices_ call keyword all default result)
    set(values ${ARGN})
    if("${values}" STREQUAL "") # OFF is a value
        set(values ${default})
    endif()
    list(REMOVE_DUPLICATES values)
    foreach(value IN LISTS values)
        if(NOT value IN_LIST all)
            list(JOIN all ", " choices)
            message(FATAL_ERROR "${call}: there is no ${keyword} '${value}'; choose of ${choices}")
        endif()
    endforeach()
    set(${result} "${values}" PARENT_SCOPE)
endfunction()

# Stops where there is no such header, or no #include can name it.
function(hone_tuned_header_ call header)
    hone_tuned_path_("${call}" "the header" "${header}" "rename the file or folder")
    if(NOT EXISTS "${header}" OR IS_DIRECTORY "${header}")
        message(FATAL_ERROR "${call}: there is no header ${header}; name it relative to this directory")
    endif()
endfunction()

# What an engine sets for all its targets and is not for these: the kernels are built as the tuner has measured them.
function(hone_tuned_properties_ target)
    set_target_properties(${target} PROPERTIES
        CXX_STANDARD 20
        CXX_STANDARD_REQUIRED ON
        CXX_EXTENSIONS OFF
        CXX_CLANG_TIDY ""
        CXX_CPPCHECK ""
        CXX_CPPLINT ""
        CXX_INCLUDE_WHAT_YOU_USE ""
        DISABLE_PRECOMPILE_HEADERS ON
        INTERPROCEDURAL_OPTIMIZATION OFF
        POSITION_INDEPENDENT_CODE ON
        UNITY_BUILD OFF)
endfunction()

# saved_records and saved_header, the files that are committed. In the scope of hone_add_tuned_library.
macro(hone_tuned_saved_)
    if(DEFINED tuned_RECORDS)
        cmake_path(ABSOLUTE_PATH tuned_RECORDS NORMALIZE OUTPUT_VARIABLE saved_records)
        if(NOT EXISTS "${saved_records}")
            message(STATUS "${call}: there is no ${saved_records} yet; the target ${target}.save writes it")
        endif()
    else()
        set(saved_records "${folder}/${target}.jsonl")
    endif()
    cmake_path(REPLACE_EXTENSION saved_records LAST_ONLY .hpp OUTPUT_VARIABLE saved_header)
    if(saved_header STREQUAL workloads OR saved_header STREQUAL saved_records)
        message(FATAL_ERROR
            "${call}: ${target}.save would write ${saved_header}, which is another file; choose other RECORDS")
    endif()
    foreach(saved IN ITEMS "${saved_records}" "${saved_header}")
        if(IS_DIRECTORY "${saved}")
            message(FATAL_ERROR "${call}: ${target}.save would write ${saved}, which is a folder; name a file with RECORDS")
        endif()
    endforeach()
endmacro()

# The tuner's program, the step that runs it, and the targets for people. In the scope of hone_add_tuned_library.
macro(hone_tuned_steps_)
    hone_tuner_program_()
    if(hone_tuner_missing)
        list(JOIN hone_tuner_missing " " missing)
        message(FATAL_ERROR
            "${call}: the tuner needs packages that were not found: ${missing}; install them, or take the defaults "
            "with MODE OFF (-DHONE_TUNE=OFF)")
    endif()
    if("vulkan" IN_LIST backends AND hone_vulkan_missing)
        list(JOIN hone_vulkan_missing " " missing)
        message(WARNING "${call}: no tuning for Vulkan; packages that were not found: ${missing}")
    endif()

    # In hone's sources it stands one folder up.
    set(program "${here}/tuner.cpp")
    if(NOT EXISTS "${program}")
        cmake_path(SET program NORMALIZE "${here}/../tuner.cpp")
    endif()
    set(tuner_sources "${files}/tuner.cpp")
    set(has_search)
    if(search_kind)
        list(APPEND tuner_sources "${files}/search.cpp")
        set(has_search "#define HONE_TUNER_SEARCH\n")
    endif()
    add_executable(${target}.tuner EXCLUDE_FROM_ALL ${tuner_sources})
    target_link_libraries(${target}.tuner PRIVATE ${target}.requirements hone::tuner_program)
    hone_tuned_properties_(${target}.tuner)
    # What the workloads mean to the kernels they mean to the tuner, too. It is only a list, which is read once:
    # optimizing it would take most of the time (28 s for 100 workloads, and 4 without). And it is a program of its own,
    # whatever the engine does without or is warned of.
    hone_tuned_meaning_(all_options compile_options)
    list(APPEND all_options -O0 -g0 -w -fexceptions -frtti -fno-lto -fno-sanitize=all)
    if(search_kind)
        # It chooses candidates between two measurements.
        set_source_files_properties("${files}/search.cpp" PROPERTIES COMPILE_OPTIONS "${all_options};-O1")
    endif()
    list(PREPEND all_options -include "${of_configuration}/tuner_options.hpp")
    set_source_files_properties("${files}/tuner.cpp" PROPERTIES COMPILE_OPTIONS "${all_options}")
    # Linkers name what they read without escaping spaces, and CMake from 3.27 on believes them: where the package or the
    # build stands in a path with spaces, the tuner would be linked, and run, in each build.
    set_target_properties(${target}.tuner PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${files}" LINK_DEPENDS_NO_SHARED ON)

    # One library must not replace what another saves. A link is the file that it leads to, there or not yet.
    foreach(saved IN ITEMS "${saved_records}" "${saved_header}")
        cmake_path(GET saved PARENT_PATH saved_folder)
        cmake_path(GET saved FILENAME saved_name)
        file(REAL_PATH "${saved_folder}" saved_folder)
        file(REAL_PATH "${saved_folder}/${saved_name}" saved_name)
        get_property(other GLOBAL PROPERTY "hone_tuned_library ${saved_name}")
        if(other)
            message(FATAL_ERROR
                "${call}: ${target}.save and ${other}.save would both write ${saved_name}; give each library RECORDS "
                "of its own, or both lists of workloads to one library")
        endif()
        set_property(GLOBAL PROPERTY "hone_tuned_library ${saved_name}" ${target})
    endforeach()

    list(JOIN backends "," backend_list)
    set(arguments
        --name ${target} --budget ${tuned_BUDGET} --work "${files}/work")
    # What decides which records are meant: people who run the tuner by hand need not give it.
    set(of_key --backends=${backend_list})
    if(isas)
        list(JOIN isas "," isa_list)
        list(APPEND of_key --isas=${isa_list})
    endif()
    foreach(option IN ITEMS TRIALS SEED THREADS CACHE ACCURACY)
        if(DEFINED tuned_${option})
            string(TOLOWER ${option} name)
            set(into of_key)
            if(option MATCHES "TRIALS|SEED")
                set(into arguments)
            endif()
            list(APPEND ${into} --${name}=${tuned_${option}})
        endif()
    endforeach()
    # The tuner runs before there are objects of kernels. So another one of each instruction set, of an empty source,
    # tells it how CMake compiles them: its launcher leaves the command beside it.
    set(commands)
    foreach(isa IN LISTS isas)
        set(source "${files}/${isa}_command.cpp")
        file(CONFIGURE OUTPUT "${source}" CONTENT "// How the kernels of @isa@ are compiled.\n" @ONLY)
        set(all_options
            -DHONE_OWN_FLAGS_BEGIN ${flags} ${flags_${isa}} -DHONE_OWN_FLAGS_END "${compile_options}")
        hone_tuned_object_(${target}.${isa}_command "${source}" all_options)
        get_target_property(launcher ${target}.${isa}_command CXX_COMPILER_LAUNCHER)
        if(NOT launcher)
            set(launcher)
        endif()
        # CXX="ccache g++" in the environment: the second word is an argument of the compiler to CMake.
        separate_arguments(words UNIX_COMMAND "${CMAKE_CXX_COMPILER_ARG1}")
        list(PREPEND words ${launcher} "${CMAKE_CXX_COMPILER}")
        list(LENGTH words words_of_compiler)
        list(PREPEND launcher /bin/sh "${here}/hone-record.sh" ${words_of_compiler})
        set_target_properties(${target}.${isa}_command PROPERTIES CXX_COMPILER_LAUNCHER "${launcher}")
        set(object $<TARGET_OBJECTS:${target}.${isa}_command>)
        list(APPEND commands ${object})
        list(APPEND of_key "--command=${isa}=${object}.command")
        add_dependencies(${target}.tuner ${target}.${isa}_command)
    endforeach()
    list(APPEND arguments ${of_key})
    list(JOIN of_key ")hone\", R\"hone(" of_key)
    set(includes $<TARGET_PROPERTY:${target}.tuner,INCLUDE_DIRECTORIES>)
    # No definition on the command line can hold every path. What is of one configuration alone stands in a file that the
    # compiler is told to include.
    file(CONFIGURE OUTPUT "${files}/tuner.cpp" CONTENT
"// Generated by hone_add_tuned_library: the tuner of ${target}.
#define HONE_TUNER_WORKLOADS \"${workloads}\"
#define HONE_TUNER_LIST ${list}
#define HONE_TUNER_NAME \"${target}\"
${has_search}#include \"${program}\"
" @ONLY)
    if(search_kind)
        cmake_path(REPLACE_FILENAME program search.cpp OUTPUT_VARIABLE search_program)
        file(CONFIGURE OUTPUT "${files}/search.cpp" CONTENT
"// Generated by hone_add_tuned_library: what chooses the candidates of ${target}.
#define HONE_TUNER_SEARCH_HEADER \"${search_header}\"
#define HONE_TUNER_${search_kind} ${search_type}
#include \"${search_program}\"
" @ONLY)
    endif()
    file(GENERATE OUTPUT "${of_configuration}/tuner_options.hpp" CONTENT
"// Generated by hone_add_tuned_library: what the command line of ${target}.tuner need not give.
#define HONE_TUNER_OPTIONS R\"hone(${of_key})hone\", R\"hone(--include=$<JOIN:${includes},)hone\", R\"hone(--include=>)hone\",
")
    set(sources --earlier "${saved_records}" --records "${files}/records.jsonl")
    set(strict)
    if(tuned_STRICT)
        set(strict --strict)
    endif()
    string(TOLOWER ${mode} tuner_mode)

    # A build tool does not see by itself that a command has changed, make least of all, or that records are there now;
    # those that were there are in the depfile.
    set(state absent)
    if(EXISTS "${saved_records}")
        set(state present)
    endif()
    file(GENERATE OUTPUT "${files}/options-$<CONFIG>.txt" CONTENT
        "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}\n${mode} ${strict}\n${saved_records} ${state}\n${arguments}\n")

    # No two tuners measure at the same time.
    get_property(pools GLOBAL PROPERTY JOB_POOLS)
    if(NOT pools)
        set(pools ${CMAKE_JOB_POOLS})
    endif()
    if(NOT "hone_tuner=1" IN_LIST pools)
        set_property(GLOBAL PROPERTY JOB_POOLS ${pools} hone_tuner=1)
    endif()

    set(comments_REPLAY "hone: ${target} from its records")
    set(comments_MISSING "hone: tuning what ${target} has no records of, ${tuned_BUDGET} s at most")
    set(comments_FORCE "hone: tuning ${target}, ${tuned_BUDGET} s at most")
    set(header "${include}/hone/tuned/${target}.hpp")
    # Where the build of one configuration makes the header of another, CMake would take the tuner of the first.
    set(tuner ${target}.tuner)
    set(tuner_file)
    if(has_configurations)
        set(tuner_file "$<TARGET_FILE:${target}.tuner>")
        set(tuner "$<OUTPUT_CONFIG:${tuner_file}>")
        if(CMAKE_CROSSCOMPILING)
            list(PREPEND tuner ${CMAKE_CROSSCOMPILING_EMULATOR})
        endif()
    endif()
    # The header is written where its text changes, so what depends on it is built again only then; the stamp says that
    # the step has run. Records are neither, or make clean and Ctrl-C would remove them.
    set(stamp "${of_configuration}/stamp")
    set(named_stamp "${stamp}")
    set(directory "${CMAKE_CURRENT_BINARY_DIR}")
    cmake_policy(PUSH)
    if(has_configurations AND CMAKE_CROSS_CONFIGS)
        # CMake 3.25 crashes where it is to rewrite depfiles of other configurations. So they are written as Ninja reads
        # them: with the stamp relative to the whole build.
        cmake_policy(SET CMP0116 OLD)
        set(directory "${CMAKE_BINARY_DIR}")
        cmake_path(RELATIVE_PATH named_stamp BASE_DIRECTORY "${directory}")
    endif()
    add_custom_command(OUTPUT "${stamp}"
        BYPRODUCTS "${header}"
        COMMAND ${tuner} tune --mode ${tuner_mode} ${strict} "${arguments}" ${sources} --header-out "${header}"
            --summary "${of_configuration}/summary.json" --stamp "${named_stamp}"
            --depfile "${of_configuration}/depfile"
        DEPENDS ${target}.tuner ${tuner_file} "${workloads}" "${files}/options-$<CONFIG>.txt" ${commands}
        DEPFILE "${of_configuration}/depfile"
        WORKING_DIRECTORY "${directory}"
        JOB_POOL hone_tuner
        COMMENT "${comments_${mode}}"
        COMMAND_EXPAND_LISTS
        VERBATIM)
    cmake_policy(POP)
    add_custom_target(${target}.header DEPENDS "${stamp}")
    foreach(isa IN LISTS isas)
        add_dependencies(${target}.header ${target}.${isa}_command)
    endforeach()

    if(NOT mode STREQUAL "FORCE")
        set(tuner_mode missing)
    endif()
    add_custom_target(${target}.tune
        COMMAND ${tuner} tune --mode ${tuner_mode} ${strict} "${arguments}" ${sources} --header-out "${header}"
            --summary "${of_configuration}/summary.json"
        COMMENT "hone: tuning ${target}, ${tuned_BUDGET} s at most"
        USES_TERMINAL
        COMMAND_EXPAND_LISTS
        VERBATIM)
    add_custom_target(${target}.save
        COMMAND ${tuner} tune --mode replay "${arguments}" ${sources} --header-out "${saved_header}"
            --records-out "${saved_records}"
        COMMENT "hone: writing ${saved_header} and ${saved_records}"
        COMMAND_EXPAND_LISTS
        VERBATIM)
    add_dependencies(${target}.save ${target}.header)
    add_custom_target(${target}.check
        COMMAND ${CMAKE_COMMAND} -DTARGET=${target} "-DSAVED=${saved_header}" -P "${here}/hone-check.cmake"
        COMMAND ${tuner} tune --mode replay --strict "${arguments}" --records "${saved_records}" --header-out
            "${of_configuration}/check/${target}.hpp"
        COMMAND ${CMAKE_COMMAND} -DTARGET=${target} "-DSAVED=${saved_header}"
            "-DNOW=${of_configuration}/check/${target}.hpp" -P "${here}/hone-check.cmake"
        COMMENT "hone: is ${saved_header} what its records give?"
        COMMAND_EXPAND_LISTS
        VERBATIM)
    # The path of a program says nothing of what makes it.
    add_dependencies(${target}.tune ${target}.tuner)
    add_dependencies(${target}.check ${target}.tuner)
endmacro()

