// SPDX-License-Identifier: BSL-1.0
// Nests that are built at compile time, as the tags that the code generator takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <hone/cpu/environment.hpp>
#include <hone/ir/nest.hpp>

namespace hone::test {

using namespace calls;

// Build() is a nest. Number: what is computed in; void: what its buffers ask for.
template <nest (*Build)(), class Number = void>
struct tag_of {
    static constexpr hone::ir::nest built = Build();
    static constexpr auto nest = resized<built.sizes()>(built);
    static constexpr isa set = isa::baseline;
};

// An environment whose accesses stand at the first elements of their arguments, with all variables 0.
template <class K>
codegen::cpu::environment<K> environment_of(std::span<float* const> arguments, const std::int64_t* parameters = nullptr)
{
    codegen::cpu::environment<K> e{};
    e.parameters = parameters;
    for (std::size_t a = 0; a < K::nest.accesses.size(); ++a) {
        const buffer& b = K::nest.buffers[K::nest.accesses[a].buffer];
        if (b.memory == memory::argument) e.at[a] = reinterpret_cast<std::byte*>(arguments[b.position]);
    }
    return e;
}

} // namespace hone::test

template <hone::ir::nest (*Build)(), class Number>
    requires(!std::is_void_v<Number>)
struct hone::codegen::cpu::numbers_of<hone::test::tag_of<Build, Number>> {
    using type = Number;
};
