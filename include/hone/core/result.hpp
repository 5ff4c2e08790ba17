// SPDX-License-Identifier: BSL-1.0
// A value, or the fault that kept it from being made: what functions return that can fail at run time.
#pragma once

#include <hone/core/fault.hpp>
#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

template <class T>
struct result {
    T value{}; // as constructed by default where not ok
    status found{};

    constexpr bool ok() const { return found.ok(); }
    constexpr T* operator->() { return &value; }
    constexpr const T* operator->() const { return &value; }
};

} // namespace hone::core

namespace hone { // API
using core::result;
} // namespace hone
