// SPDX-License-Identifier: BSL-1.0
// The main of every tuner: hone_add_tuned_library compiles it once for each library, with the header of its workloads.
//   HONE_TUNER_WORKLOADS   that header, in quotes
//   HONE_TUNER_LIST        the workload list that it defines
//   HONE_TUNER_NAME        the config set, in quotes
//   HONE_TUNER_OPTIONS     options that the command line need not give, each in quotes with a comma behind it; may be
//                          left out
//   HONE_TUNER_SEARCH      defined where search.cpp is linked, which has the project's own cost model or searcher
#include <hone/tune/tuner_main.hpp>

#include HONE_TUNER_WORKLOADS

#ifndef HONE_TUNER_OPTIONS
#define HONE_TUNER_OPTIONS
#endif

#ifdef HONE_TUNER_SEARCH
extern const hone::tune::own_search* const hone_tuner_search;
#else
static constexpr const hone::tune::own_search* hone_tuner_search = nullptr;
#endif

#define HONE_TUNER_TEXT_OF(x) #x
#define HONE_TUNER_TEXT(x) HONE_TUNER_TEXT_OF(x)

int main(int argc, char** argv)
{
    static constexpr auto list = hone::tune::listed<HONE_TUNER_LIST>();
    static constexpr const char* options[] = {HONE_TUNER_OPTIONS nullptr};
    return hone::tune::tuner_main(argc, argv,
                                  {.name = HONE_TUNER_NAME,
                                   .list = HONE_TUNER_TEXT(HONE_TUNER_LIST),
                                   .header = HONE_TUNER_WORKLOADS,
                                   .description = "Tunes the kernels of " HONE_TUNER_NAME " on this machine",
                                   .workloads = list.data(),
                                   .size = list.size(),
                                   .options = options,
                                   .search = hone_tuner_search});
}
