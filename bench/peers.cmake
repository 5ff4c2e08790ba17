# Looks for the libraries that benchmarks and the demo measure beside hone; gives hone_peer_onednn, hone_peer_openblas and
# hone_peer_xnnpack, where they work. Peers are optional: one that is absent, broken or of a version with another interface is one line of
# output. So no find_package: a peer's config file may demand further packages, and stop the build where they are not.
add_library(hone_peers INTERFACE) # all that there are, with HONE_HAVE_ONEDNN and so on

# hone_peer(<name> <target> <package> <header> <library> <version header> <version macros> <source> [<library>...]): the
# source is a program that compiles and links where the peer works; with further libraries, where they are there.
function(hone_peer name target package header library version_header version source)
    string(TOUPPER "${name}" key)
    # Before the folders that all implementations of an interface share: cblas.h there may be another's.
    find_path(HONE_${key}_INCLUDE ${header} PATH_SUFFIXES ${library}-pthread ${library}-openmp ${library})
    find_library(HONE_${key}_LIBRARY ${library})
    mark_as_advanced(HONE_${key}_INCLUDE HONE_${key}_LIBRARY)
    if(NOT HONE_${key}_INCLUDE OR NOT HONE_${key}_LIBRARY)
        message(STATUS "hone: without the peer ${name}: not found (${package})")
        return()
    endif()
    set(libraries ${HONE_${key}_LIBRARY})
    foreach(further IN LISTS ARGN)
        find_library(HONE_${key}_${further}_LIBRARY ${further})
        mark_as_advanced(HONE_${key}_${further}_LIBRARY)
        if(HONE_${key}_${further}_LIBRARY)
            list(APPEND libraries ${HONE_${key}_${further}_LIBRARY})
        endif()
    endforeach()
    set(found "${HONE_${key}_LIBRARY} with ${HONE_${key}_INCLUDE}/${header}")
    set(numbers)
    if(EXISTS ${HONE_${key}_INCLUDE}/${version_header})
        file(STRINGS ${HONE_${key}_INCLUDE}/${version_header} lines REGEX "${version}")
        string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
        list(JOIN numbers "." numbers)
    endif()

    # Again where another one is found.
    if(NOT HONE_${key}_CHECKED STREQUAL "${found} ${numbers}")
        unset(HONE_${key}_WORKS CACHE)
    endif()
    set(HONE_${key}_CHECKED "${found} ${numbers}" CACHE INTERNAL "")
    if(NOT DEFINED HONE_${key}_WORKS)
        try_compile(HONE_${key}_WORKS SOURCE_FROM_CONTENT peer.cpp "${source}"
            CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${HONE_${key}_INCLUDE};${CMAKE_CURRENT_FUNCTION_LIST_DIR}"
            LINK_LIBRARIES ${libraries} Threads::Threads
            CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
    endif()
    if(NOT HONE_${key}_WORKS)
        message(STATUS "hone: without the peer ${name} ${numbers}: ${found} does not compile or link")
        return()
    endif()
    message(STATUS "hone: with the peer ${name} ${numbers}")
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    target_include_directories(${target} SYSTEM INTERFACE ${HONE_${key}_INCLUDE})
    target_link_libraries(${target} INTERFACE ${libraries})
    target_compile_definitions(${target} INTERFACE HONE_HAVE_${key})
    target_link_libraries(hone_peers INTERFACE ${target})
endfunction()

hone_peer(oneDNN hone_peer_onednn libdnnl-dev oneapi/dnnl/dnnl.hpp dnnl
    oneapi/dnnl/dnnl_version.h "define DNNL_VERSION_(MAJOR|MINOR|PATCH) " [[
#include "onednn.hpp"
int main()
{
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const auto x = onednn::described({1, 1}, dnnl::memory::format_tag::ab);
    onednn::product(engine, x, x, x);
    onednn::convolution(engine, dnnl::algorithm::convolution_direct, {x, x, x, x}, 1, 0);
}
]])
hone_peer(OpenBLAS hone_peer_openblas libopenblas-dev cblas.h openblas
    openblas_config.h "define OPENBLAS_VERSION " [[
#include <cblas.h>
int main()
{
    const blasint n = 1;
    const float x = 1;
    float y = 0;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, &x, n, &x, n, 0, &y, n);
    return openblas_get_config() == nullptr;
}
]])
# Its package needs the header of another one, libpthreadpool-dev, and does not say so.
hone_peer(XNNPACK hone_peer_xnnpack "libxnnpack-dev with libpthreadpool-dev" xnnpack.h XNNPACK
    xnnpack.h "define XNN_NO_VERSION " [[
#include "xnnpack.hpp"
int main()
{
    xnn_operator_t made = nullptr;
    const float weight = 1;
    float y = 0;
    std::vector<std::vector<char>> workspaces;
    xnn_initialize(nullptr);
    pthreadpool_t threads = pthreadpool_create(1);
    xnnpack::create_convolution(&made, 0u, 0u, 0u, 0u, 1u, 1u, 1u, 1u, 1u, 1u, 1u, std::size_t(1), std::size_t(1),
        std::size_t(1), std::size_t(1), &weight, &weight, 0.0f, 1.0f, 0u);
    xnnpack::set_up_convolution(made, 1, 1, 1, &weight, &y, threads, workspaces);
    xnnpack::create_product(&made, std::size_t(1), std::size_t(1), std::size_t(1), std::size_t(1), &weight, &weight,
        0.0f, 1.0f, 0u);
    xnnpack::set_up_product(made, 1, &weight, &y, threads);
    xnn_run_operator(made, threads);
    xnn_delete_operator(made);
}
]] pthreadpool)
