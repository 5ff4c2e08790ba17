// SPDX-License-Identifier: BSL-1.0
// The run-time door to tuned kernels: entries that say how to pack, how much workspace and how to run, tables of them,
// and the choice among them by signature and by what this processor has. Entries of several instruction sets live in
// one binary.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/executor.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

// An executor behind two pointers, so that a compiled library can use the engine's threads. `run_chunks` calls
// chunk(data, i, slot) once for each i in [0, n).
struct executor_ref {
    using chunk = void (*)(void* data, std::int64_t i, int slot);

    void* self = nullptr;
    int slot_count = 1;
    void (*run_chunks)(void* self, std::int64_t n, chunk f, void* data) = nullptr;
    std::int64_t least_region_ns = default_least_region_ns;

    int slots() const { return slot_count; }
    template <class F>
    void run(std::int64_t n, F&& f) const
    {
        const chunk call = [](void* data, std::int64_t i, int slot) { (*static_cast<F*>(data))(i, slot); };
        run_chunks(self, n, call, const_cast<void*>(static_cast<const void*>(&f)));
    }
};

// Any executor as an executor_ref; it must outlive the reference.
template <class Executor>
executor_ref reference_to(Executor& e)
{
    return {.self = &e,
            .slot_count = e.slots(),
            .run_chunks =
                [](void* self, std::int64_t n, executor_ref::chunk f, void* data) {
                    static_cast<Executor*>(self)->run(n, [f, data](std::int64_t i, int slot) { f(data, i, slot); });
                },
            .least_region_ns = least_region_ns(e)};
}

// One kernel of a table. Everything that a call needs, for one instruction set; `threads` is the number that its config
// was chosen for, any executor runs it.
struct entry {
    const char* signature = "";
    isa set = isa::baseline;
    int threads = 1;
    std::size_t packed_bytes = 0;
    std::uint64_t layout_id = 0;
    std::size_t (*workspace_bytes)(int slots) = nullptr;
    status (*pack)(given_weights weights, void* packed) noexcept = nullptr;
    status (*run)(const executor_ref& executor, const arguments& a) noexcept = nullptr;
    std::uint64_t signature_hash = 0; // 0: of an entry that was written by hand
    // The same for weights of which each call gives extents: see kernel::pack(). Of others without parameters, too.
    std::size_t (*packed_bytes_of)(const std::int64_t* parameters) noexcept = nullptr;
    status (*pack_for)(given_weights weights, void* packed, const std::int64_t* parameters) noexcept = nullptr;
};

template <class Kernel>
constexpr entry entry_of()
{
    return {.signature = Kernel::signature.c_str(),
            .set = Kernel::set,
            .threads = Kernel::threads,
            .packed_bytes = Kernel::packed_bytes,
            .layout_id = Kernel::layout_id,
            .workspace_bytes = [](int slots) { return Kernel::workspace_bytes(slots); },
            .pack = &Kernel::pack,
            .run = [](const executor_ref& executor, const arguments& a) noexcept { return Kernel::run(executor, a); },
            .signature_hash = signature_hash(Kernel::signature.c_str()),
            .packed_bytes_of = &Kernel::packed_bytes_of,
            .pack_for = &Kernel::pack};
}

// Entries that were compiled together, and the lists of a library, one for each instruction set.
struct entry_list {
    const entry* first = nullptr;
    std::size_t count = 0;
};

} // namespace hone::calls

namespace hone { // API; generated headers declare it, too
struct entry_table {
    const calls::entry_list* lists = nullptr;
    std::size_t count = 0;
};
} // namespace hone

namespace hone::calls {

// The entry of this signature for the best instruction set of which a processor has all features, and among those for
// the nearest number of threads; null where the table has none.
inline const entry* find(const entry_table& table, const char* signature, cpu_features processor, int threads = 1)
{
    const entry* best = nullptr;
    const std::uint64_t hash = signature_hash(signature);
    for (std::size_t l = 0; l < table.count; ++l)
        for (std::size_t i = 0; i < table.lists[l].count; ++i) {
            const entry& e = table.lists[l].first[i];
            if (e.signature_hash != hash && e.signature_hash != 0) continue;
            if (!processor.has(row_of(e.set).features) || !same_text(e.signature, signature)) continue;
            if (best == nullptr || e.set > best->set ||
                (e.set == best->set && is_nearer(e.threads, best->threads, threads)))
                best = &e;
        }
    return best;
}

// The same for a processor with the features of an instruction set, as cpu() gives that of this one.
inline const entry* find(const entry_table& table, const char* signature, isa processor, int threads = 1)
{
    return processor == isa::none ? nullptr : find(table, signature, row_of(processor).features, threads);
}

} // namespace hone::calls

namespace hone { // API
using calls::entry, calls::entry_list, calls::entry_of, calls::executor_ref, calls::find, calls::reference_to;
} // namespace hone
