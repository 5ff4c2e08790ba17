// SPDX-License-Identifier: BSL-1.0
// The cost model or the searcher of a project's own, for its tuner: hone_add_tuned_library compiles it beside
// tuner.cpp, and optimizes it, since it chooses candidates between two measurements.
//   HONE_TUNER_SEARCH_HEADER   the header that defines it, in quotes
//   HONE_TUNER_COST_MODEL      the type, of a cost model
//   HONE_TUNER_SEARCHER        or of a searcher
#include <hone/search/own_search.hpp>

#include HONE_TUNER_SEARCH_HEADER

#ifdef HONE_TUNER_COST_MODEL
static constexpr hone::tune::own_search search = hone::tune::own_cost_model<HONE_TUNER_COST_MODEL>();
#else
static constexpr hone::tune::own_search search = hone::tune::own_searcher<HONE_TUNER_SEARCHER>();
#endif

extern const hone::tune::own_search* const hone_tuner_search;
const hone::tune::own_search* const hone_tuner_search = &search;
