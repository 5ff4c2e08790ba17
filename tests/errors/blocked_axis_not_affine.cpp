// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone::lower: a level crosses the blocks of a blocked layout, so its index is not affine; align its step to the block
// clang-format on
// expect: blocked_axis_not_affine
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// Weights in blocks of 12 columns, walked in tiles of 8: the second tile begins in one block and ends in the next.
#include "user_schedule.hpp"

#ifdef FORBIDDEN
static_assert(is_legal<choice{.block = 12}>);
#else
static_assert(is_legal<choice{.block = 8}>);
#endif
