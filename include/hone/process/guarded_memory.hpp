// SPDX-License-Identifier: BSL-1.0
// Memory between pages that nobody may touch, flush to one of them: a read or a write one element outside ends the
// process, and what it was is said first. Memory may be made read-only, too.
#pragma once

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace hone::tune::measuring {

enum class flush : std::uint8_t { to_begin, to_end };

class guarded_memory {
public:
    guarded_memory(const char* name, std::size_t bytes, flush side) : name_(name), bytes_(bytes)
    {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        inside_ = std::max<std::size_t>((bytes + page - 1) / page, 1) * page;
        void* const all =
            mmap(nullptr, inside_ + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (all == MAP_FAILED) throw std::bad_alloc();
        all_ = static_cast<unsigned char*>(all);
        if (mprotect(all_ + guard, inside_, PROT_READ | PROT_WRITE) != 0) {
            munmap(all_, inside_ + 2 * guard);
            throw std::bad_alloc();
        }
        std::memset(all_ + guard, pattern, inside_);
        data_ = all_ + guard + (side == flush::to_end ? inside_ - bytes : 0);
        for (auto& place : known())
            if (const guarded_memory* none = nullptr; place.compare_exchange_strong(none, this)) break;
    }
    guarded_memory(const guarded_memory&) = delete;
    guarded_memory& operator=(const guarded_memory&) = delete;
    ~guarded_memory()
    {
        for (auto& place : known())
            if (const guarded_memory* self = this; place.compare_exchange_strong(self, nullptr)) break;
        munmap(all_, inside_ + 2 * guard);
    }

    float* floats() const { return reinterpret_cast<float*>(data_); }
    void make_read_only() const { mprotect(all_ + guard, inside_, PROT_READ); }
    // Whether the bytes between the data and the other guard are as they were.
    bool slack_holds() const
    {
        const auto holds = [](const unsigned char* from, const unsigned char* to) {
            return std::all_of(from, to, [](unsigned char b) { return b == pattern; });
        };
        return holds(all_ + guard, data_) && holds(data_ + bytes_, all_ + guard + inside_);
    }

    // What a fault at this address says; null where it is in no such memory. For signal handlers.
    static const char* text_of_fault(const void* address, const char*& name)
    {
        const auto* at = static_cast<const unsigned char*>(address);
        for (const auto& place : known()) {
            const guarded_memory* m = place.load();
            if (m == nullptr || at < m->all_ || at >= m->all_ + m->inside_ + 2 * guard) continue;
            name = m->name_;
            return at < m->data_                ? "it reads or writes before the first element of "
                   : at >= m->data_ + m->bytes_ ? "it reads or writes behind the last element of "
                                                : "it writes to ";
        }
        return nullptr;
    }

private:
    static constexpr std::size_t guard = std::size_t{16} << 20;
    static constexpr unsigned char pattern = 0xa5;
    static constexpr std::size_t most = 32;

    static std::atomic<const guarded_memory*> (&known())[most]
    {
        static std::atomic<const guarded_memory*> all[most];
        return all;
    }

    const char* name_;
    std::size_t bytes_, inside_ = 0;
    unsigned char* all_ = nullptr;
    unsigned char* data_ = nullptr;
};

} // namespace hone::tune::measuring
