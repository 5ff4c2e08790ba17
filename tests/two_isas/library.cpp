// SPDX-License-Identifier: BSL-1.0
// Compiled once for each instruction set.
#include "library.hpp"

namespace hone::test {
// The same in every unit, as a generated header is: all instruction sets, of which a unit takes its own.
struct tuned_set {
    static constexpr signature_text gemm_text = gemm_workload::signature();
    static constexpr signature_text conv_text = conv_workload::signature();
    static constexpr signature_text half_text = half_workload::signature();
    static constexpr direct_knobs gemm_knobs{.rows = 4, .vectors = 1, .reduce_unroll = 2, .row_block = 4};
    static constexpr direct_knobs conv_knobs{.rows = 3, .vectors = 2, .pad = padding::copy, .order = walk::rows_outer};
    static constexpr cpu_entry entries[] = {
        {.signature = gemm_text.c_str(), .set = isa::baseline, .config = config_text<direct, gemm_knobs>},
        {.signature = gemm_text.c_str(), .set = isa::avx2, .config = config_text<direct, gemm_knobs>},
        {.signature = gemm_text.c_str(), .set = isa::avx512, .config = config_text<direct, gemm_knobs>},
        {.signature = half_text.c_str(), .set = isa::baseline, .config = config_text<direct, gemm_knobs>},
        {.signature = half_text.c_str(), .set = isa::avx2, .config = config_text<direct, gemm_knobs>},
        {.signature = half_text.c_str(), .set = isa::avx512, .config = config_text<direct, gemm_knobs>},
        {.signature = conv_text.c_str(), .set = isa::baseline, .config = config_text<direct, conv_knobs>},
        {.signature = conv_text.c_str(), .set = isa::avx2, .config = config_text<direct, conv_knobs>},
        {.signature = conv_text.c_str(), .set = isa::avx512, .config = config_text<direct, conv_knobs>}};
};

namespace {

template <class Configs>
constexpr entry entries_of[] = {entry_of<kernel<gemm_workload, Configs>>(), entry_of<kernel<conv_workload, Configs>>(),
                                entry_of<kernel<half_workload, Configs>>()};

static_assert(kernel<gemm_workload, tuned_set>::config.knobs<direct>() == tuned_set::gemm_knobs);
static_assert(kernel<conv_workload, tuned_set>::config.knobs<direct>() == tuned_set::conv_knobs);

} // namespace

template <>
constinit const entry_list library<compiled_isa()>::by_default = {entries_of<defaults>, 3};
template <>
constinit const entry_list library<compiled_isa()>::tuned = {entries_of<tuned_set>, 3};

} // namespace hone::test
