// expect: hone::split: the factor must divide the extent of the axis; choose another factor or pass tail::guard
// expect: factor_does_not_divide
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// 12 rows in steps of 5, with nothing said about the rest.
#include "user_schedule.hpp"

#ifdef FORBIDDEN
static_assert(is_legal<choice{.rows = 5}>);
#else
static_assert(is_legal<choice{.rows = 6, .columns = 4, .block = 4}>);
static_assert(is_legal<choice{}>);
#endif
