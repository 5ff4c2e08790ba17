// SPDX-License-Identifier: BSL-1.0
// The one list of backends: a folder of the headers of its kernels, a folder below this one, and a word here are all
// that another backend is. Programs that read records or write headers include it.
#pragma once

#include <array>
#include <tuple>

#include <hone/record/record_backend.hpp>
#include <hone/tune/cpu/records.hpp>
#include <hone/tune/vulkan/records.hpp>

namespace hone::tune {

struct all_backends {
    // In the order in which they are tuned, and stand in headers and tables.
    static constexpr auto members = std::tie(on_cpu, on_vulkan);

private:
    static constexpr auto pointers =
        std::apply([](const auto&... b) { return std::array<const record_backend*, sizeof...(b)>{&b...}; }, members);

public:
    static constexpr backend_list list{pointers};
};

} // namespace hone::tune
