// SPDX-License-Identifier: BSL-1.0
#include <hone/hone.hpp>

using message = const char* (*)(hone::fault);
message message_of_the_other_unit();
message message_of_the_other_unit() { return &hone::message_of; }
