// SPDX-License-Identifier: BSL-1.0
// Prints a record of the workload `product` as a board would write it: of NEON, with knobs that are no default.
#include <cstdio>

#include <hone/hone.hpp>
#include <hone/ir/hash.hpp>

#include "board.hpp"

int main()
{
    constexpr hone::direct_knobs knobs{.rows = 3, .vectors = 2, .reduce_unroll = 4};
    static_assert(!(hone::schedules::default_direct(product::definition(), hone::isa::neon) == knobs));
    const hone::ir::nest n = lower(hone::schedules::direct_schedule(product::definition(), knobs, hone::isa::neon));
    std::printf("{\"schema\":2,\"task\":\"product\",\"signature\":\"%s\",\"backend\":\"cpu\",\"device\":\"a board\","
                "\"isa\":\"neon\",\"threads\":1,\"cache\":\"cold\",\"compiler\":\"g++\",\"flags\":\"-O2\","
                "\"template\":\"direct\",\"knobs\":{\"rows\":3,\"vectors\":2,\"reduce_unroll\":4,\"reduce_block\":0,"
                "\"row_block\":0,\"pad\":\"peel\",\"order\":\"weights_outer\",\"unroll_window\":\"false\"},"
                "\"nest\":\"%016llx\",\"origin\":\"model\",\"score\":0.0,\"phase\":\"final\",\"verdict\":\"ok\","
                "\"max_rel_error\":1e-7,\"min_ms\":0.5,\"median_ms\":0.5,\"ms\":[0.5,0.5,0.5],\"seed\":1,\"run\":1,"
                "\"trial\":1}\n",
                product::signature().c_str(), static_cast<unsigned long long>(nest_hash(n)));
}
