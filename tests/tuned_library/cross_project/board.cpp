// SPDX-License-Identifier: BSL-1.0
// Runs the kernels that this processor finds in the library, and compares them with plain loops. Prints what it has
// found: "product: neon, as recorded" or "..., by default".
#include <cstdio>
#include <string>

#include <hone/cpu/entry.hpp>
#include <hone/tuned/board_kernels.hpp>

#include "board.hpp"
#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

template <class Op>
bool runs(const char* name, const call_data& d, const doubles& expected)
{
    const entry* e = find(board_kernels::table(), Op::signature().c_str(), cpu());
    if (e == nullptr) {
        std::printf("%s: not in the table\n", name);
        return false;
    }
    const std::string wrong = wrong_kernel(*e, d, expected);
    const bool is_recorded = entry_index_for<Op, board_kernels>(e->set) >= 0;
    std::printf("%s: %s, %s%s\n", name, name_of(e->set), is_recorded ? "as recorded" : "by default", wrong.c_str());
    return wrong.empty();
}

} // namespace

int main()
{
    const gemm_call call = call_of(product::shape, 7, 0, 0);
    const call_data of_product = data_of(product::shape, call, 1);
    const call_data of_window = data_of(window::shape, 2);
    const bool product_runs =
        runs<product>("product", of_product, reference(product::shape, call, of_product, {test::step::bias}));
    const bool window_runs = runs<window>("window", of_window, reference(window::shape, of_window, {test::step::relu}));
    return product_runs && window_runs ? 0 : 1;
}
