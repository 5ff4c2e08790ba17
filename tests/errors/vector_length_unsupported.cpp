// expect: hone::vectorize: the instruction set has no vector of this length; use lanes_of(isa, dtype) or a shorter one
// expect: vector_length_unsupported
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// Vectors of 8 where the instruction set has 4.
#include "user_schedule.hpp"

#ifdef FORBIDDEN
static_assert(is_legal<choice{.lanes = 8}>);
#else
static_assert(is_legal<choice{.lanes = 4}>);
#endif
