// SPDX-License-Identifier: BSL-1.0
// What a project's tuner compiles: its list of workloads, and nothing of the tuner itself, which is a library that is
// built once (hone::tuner_program). What passes between the two is plain, so that flags of either do not matter.
//
//     constexpr auto list = hone::tune::listed<my::layers>();
//     int main(int argc, char** argv) { return hone::tune::tuner_main(argc, argv, {..., .workloads = list.data(),
//     ...}); }
//
// For 100 workloads: 4 s of one Zen 5 core and 250 MB with g++ 12 -O0, 28 s at -O1; the definitions are built at run
// time, once each.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include <hone/op/workloads.hpp>
#include <hone/search/listed_template.hpp>

namespace hone::tune {

// As the compiler writes it: "demo::c2", or "hone::operators::gemm<...>" for a type without a name of its own.
template <class T>
constexpr std::string_view type_name()
{
    const std::string_view text = __PRETTY_FUNCTION__;
    const auto begin = text.find("T = ") + 4;
    return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

// A workload of a list, to be asked at run time.
struct listed_workload {
    const char* type_name = nullptr; // of so many characters: it is part of another text
    std::size_t type_name_size = 0;
    signature_text (*signature)() = nullptr;
    hone::definition (*definition)() = nullptr;
    listed_families templates{}; // of its own, which the tuner's library was built without
};

// List: hone::workloads<...>; in its order.
template <class List>
constexpr std::array<listed_workload, List::size> listed()
{
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<listed_workload, List::size>{
            listed_workload{type_name<workload<List, I>>().data(), type_name<workload<List, I>>().size(),
                            [] { return workload<List, I>::signature(); },
                            [] { return workload<List, I>::definition(); }, own_rows_of_each<workload<List, I>>()}...};
    }(std::make_index_sequence<List::size>{});
}

struct tuner_list {
    const char* name = "tuned";   // of the config set
    const char* list = "";        // the workload list in C++
    const char* header = nullptr; // that defines it
    const char* description = "";
    const listed_workload* workloads = nullptr;
    std::size_t size = 0;
    // What a build tunes with, as its command line says it; a null pointer behind the last. People may say otherwise.
    const char* const* options = nullptr;
    std::size_t definition_bytes = sizeof(definition); // in the unit that made the list
};

// The whole program; returns its exit status. Defined in hone::tuner_program.
int tuner_main(int argc, char** argv, const tuner_list& list);

} // namespace hone::tune
