// SPDX-License-Identifier: BSL-1.0
// A vector of fixed capacity that is a literal type, so that a nest built by lowering can be a constant.
// Overflow is remembered, never written: the owner asks overflowed() and names the fault.
#pragma once

#include <cstddef>

#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

template <class T, std::size_t Capacity>
struct inline_vector {
    using value_type = T;
    static constexpr std::size_t capacity = Capacity;

    T items_[Capacity == 0 ? 1 : Capacity]{};
    std::size_t size_ = 0;
    bool overflowed_ = false;

    constexpr std::size_t size() const { return size_; }
    constexpr bool empty() const { return size_ == 0; }
    constexpr bool overflowed() const { return overflowed_; }
    constexpr T* begin() { return items_; }
    constexpr T* end() { return items_ + size_; }
    constexpr const T* begin() const { return items_; }
    constexpr const T* end() const { return items_ + size_; }
    constexpr T& operator[](std::size_t i) { return items_[i]; }
    constexpr const T& operator[](std::size_t i) const { return items_[i]; }
    constexpr T& back() { return items_[size_ - 1]; }
    constexpr const T& back() const { return items_[size_ - 1]; }

    // The index of the new element; of the last one when full.
    constexpr int push_back(const T& value)
    {
        if (size_ == Capacity) {
            overflowed_ = true;
            return static_cast<int>(Capacity) - 1;
        }
        items_[size_] = value;
        return static_cast<int>(size_++);
    }
    constexpr void pop_back() { --size_; }
    constexpr void clear()
    {
        size_ = 0;
        overflowed_ = false;
    }
    constexpr void resize(std::size_t size)
    {
        if (size > Capacity) {
            overflowed_ = true;
            size = Capacity;
        }
        for (std::size_t i = size_; i < size; ++i) items_[i] = T{};
        size_ = size;
    }

    friend constexpr bool operator==(const inline_vector& a, const inline_vector& b)
    {
        if (a.size_ != b.size_) return false;
        for (std::size_t i = 0; i < a.size_; ++i)
            if (!(a.items_[i] == b.items_[i])) return false;
        return true;
    }
};

} // namespace hone::core
