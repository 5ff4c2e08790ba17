// SPDX-License-Identifier: BSL-1.0
// The source of every consumer project here.
#include <hone/hone.hpp>

#include <cstring>

int main() { return std::strcmp(hone::message_of(hone::fault::none), "hone: no fault"); }
