// SPDX-License-Identifier: BSL-1.0
// The version, and what the macros promise whatever the level of optimization: pieces vanish into their caller, and the
// root that they vanish into is a function.
#include <hone/core/config.hpp>

#include <doctest/doctest.h>

namespace {

static_assert(HONE_VERSION == HONE_VERSION_MAJOR * 10000 + HONE_VERSION_MINOR * 100 + HONE_VERSION_PATCH);
static_assert(HONE_VERSION_MINOR < 100 && HONE_VERSION_PATCH < 100); // a later one is a larger number

// A function that was inlined has the frame of its caller.
HONE_INLINE const void* frame_inline() { return __builtin_frame_address(0); }
HONE_FLATTEN const void* frame_of_root() { return __builtin_frame_address(0); }

} // namespace

TEST_CASE("what is inline has the frame of its caller at any level of optimization, and a root has its own")
{
    const void* const own = __builtin_frame_address(0);
    CHECK(frame_inline() == own);
    const auto lambda = []() HONE_INLINE_LAMBDA { return __builtin_frame_address(0); };
    CHECK(lambda() == own);
    CHECK(frame_of_root() != own);
}
