// SPDX-License-Identifier: BSL-1.0
// What threads ask of the processor that they run on: a pause while they spin, and how it rounds and treats denormals.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

// Tells the processor that this thread waits in a loop; nothing where there is no such instruction.
HONE_INLINE void spin_pause()
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__ARM_ARCH) && __ARM_ARCH >= 7)
    asm volatile("yield");
#elif defined(__riscv)
    asm volatile(".4byte 0x0100000f"); // pause, a hint that does nothing where there is no Zihintpause
#elif defined(__powerpc__)
    asm volatile("or 27,27,27");
#endif
}

// The control bits of this thread's floating-point unit, those of MXCSR on x86 and of FPCR on AArch64: the rounding
// direction, whether denormals are flushed to zero or read as zero, and which exceptions trap. 0 elsewhere. Of x86, the
// vectors and scalars of SSE and AVX; the x87 unit, which only long double uses, has a word of its own.
HONE_INLINE std::uint64_t float_control()
{
#if defined(__SSE__)
    constexpr std::uint32_t flags = 0x3f; // what has happened so far: not a setting
    return __builtin_ia32_stmxcsr() & ~flags;
#elif defined(__aarch64__)
    std::uint64_t control;
    asm volatile("mrs %0, fpcr" : "=r"(control));
    return control;
#else
    return 0;
#endif
}

HONE_INLINE void set_float_control([[maybe_unused]] std::uint64_t control)
{
#if defined(__SSE__)
    __builtin_ia32_ldmxcsr(static_cast<std::uint32_t>(control) | (__builtin_ia32_stmxcsr() & 0x3f));
#elif defined(__aarch64__)
    asm volatile("msr fpcr, %0" : : "r"(control));
#endif
}

} // namespace hone::calls
