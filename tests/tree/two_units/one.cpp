// SPDX-License-Identifier: BSL-1.0
#include <hone/hone.hpp>

using message = const char* (*)(hone::fault);
message message_of_the_other_unit();

// An inline function is one function in the whole program.
int main() { return message_of_the_other_unit() == static_cast<message>(&hone::message_of) ? 0 : 1; }
