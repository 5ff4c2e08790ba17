// SPDX-License-Identifier: BSL-1.0
// Each namespace of a room sees what the rooms before it declare, and hone itself sees none of it.
#include <hone/core/rooms.hpp>

#include <doctest/doctest.h>

// Found where no room is seen.
inline constexpr int in_core = 0, in_ir = 0, in_operators = 0, in_schedules = 0, in_calls = 0, in_codegen = 0;

namespace hone::core {
inline constexpr int in_core = 1;
static_assert(in_ir == 0);
} // namespace hone::core
namespace hone::ir {
inline constexpr int in_ir = 1;
static_assert(in_core == 1 && in_operators == 0);
} // namespace hone::ir
namespace hone::operators {
inline constexpr int in_operators = 1;
static_assert(in_core == 1 && in_ir == 1 && in_schedules == 0);
} // namespace hone::operators
namespace hone::schedules {
inline constexpr int in_schedules = 1;
static_assert(in_core == 1 && in_ir == 1 && in_operators == 1 && in_calls == 0);
} // namespace hone::schedules
namespace hone::calls {
inline constexpr int in_calls = 1;
static_assert(in_core == 1 && in_ir == 1 && in_operators == 1 && in_schedules == 1 && in_codegen == 0);
} // namespace hone::calls
namespace hone::codegen {
inline constexpr int in_codegen = 1;
static_assert(in_core == 1 && in_ir == 1 && in_operators == 1 && in_schedules == 1 && in_calls == 1);
} // namespace hone::codegen
namespace hone::vulkan {
static_assert(in_core == 1 && in_ir == 1 && in_operators == 1 && in_schedules == 1 && in_calls == 1 && in_codegen == 1);
} // namespace hone::vulkan
namespace hone::tune {
static_assert(in_core == 1 && in_ir == 1 && in_operators == 1 && in_schedules == 1 && in_calls == 1 && in_codegen == 1);
} // namespace hone::tune

namespace hone {
static_assert(in_core == 0 && in_ir == 0 && in_operators == 0 && in_schedules == 0 && in_calls == 0 && in_codegen == 0);
}

TEST_CASE("hone names what a room declares by the room")
{
    CHECK(hone::core::in_core == 1);
    CHECK(hone::codegen::in_codegen == 1);
    CHECK(in_core == 0);
}
