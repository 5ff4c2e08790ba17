// SPDX-License-Identifier: BSL-1.0
// Version, compiler facts, and the only macros of hone.
// Every other header states its facts as types and constants.
#pragma once

#define HONE_VERSION_MAJOR 0
#define HONE_VERSION_MINOR 2
#define HONE_VERSION_PATCH 0
#define HONE_VERSION (HONE_VERSION_MAJOR * 10000 + HONE_VERSION_MINOR * 100 + HONE_VERSION_PATCH)

// Kernels keep IEEE arithmetic where the engine is compiled with -ffast-math, -Ofast or any of their parts: relu(NaN)
// is NaN, signed zeros and the order of sums stay. Their code is the same as without such flags
// (tests/cpu/assembly). g++ is told function by function, and says by macros where that is needed; clang is told by
// region, around every expression in floats that kernels evaluate, and then contracts within expressions.
//
// g++ does not make vectors of their scalar loops: those that pay are written out, and g++ 12.2 computes some wrongly.
// At -O3 -mavx2 it read padding on the left of three channels as data (24 of 192 elements of such a copy in plain C).
#if defined(__clang__)
// No region takes back that arguments and results are no NaN (nofpclass): relu6(NaN) would be 6.
#if __clang_major__ >= 17 && __FINITE_MATH_ONLY__
#error "hone: clang 17 and later need -fno-finite-math-only behind -ffast-math, -Ofast and -ffinite-math-only"
#endif
#define HONE_IEEE
#define HONE_IEEE_LAMBDA
#define HONE_IEEE_BEGIN _Pragma("float_control(precise, on, push)")
#define HONE_IEEE_END _Pragma("float_control(pop)")
#else
#if defined(__FAST_MATH__) || __FINITE_MATH_ONLY__ || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    defined(__NO_SIGNED_ZEROS__)
#define HONE_IEEE_FLAGS "no-fast-math", "no-tree-loop-vectorize"
#define HONE_IEEE , gnu::optimize(HONE_IEEE_FLAGS)
#define HONE_IEEE_LAMBDA , optimize(HONE_IEEE_FLAGS)
#define HONE_PIECE [[gnu::optimize(HONE_IEEE_FLAGS)]] inline
#define HONE_ROOT_IEEE HONE_IEEE
#else
#define HONE_IEEE
#define HONE_IEEE_LAMBDA
#define HONE_PIECE inline
#define HONE_ROOT_IEEE , gnu::optimize("no-tree-loop-vectorize")
#endif
#define HONE_IEEE_BEGIN
#define HONE_IEEE_END
#endif

// Kernels are folds over constant tables; each piece must vanish into its caller, also at -O0, where a
// register tile behind a call would live in memory (21 instead of 108 GFLOP/s).
#define HONE_INLINE [[gnu::always_inline HONE_IEEE]] inline

// The position that g++ 12, clang 14 and clang 16 all accept on a lambda: after the parameter list.
#define HONE_INLINE_LAMBDA __attribute__((always_inline HONE_IEEE_LAMBDA))

// The pieces of a register tile, and the function that they vanish into. Compilers optimize a function before they
// inline it into the next, so a piece ten levels deep is optimized ten times. g++ flattens them all in one step, which
// halves its time; clang has no such attribute that holds at -O1.
#if defined(__clang__)
#define HONE_PIECE HONE_INLINE
#define HONE_FLATTEN [[gnu::noinline]]
#else
#define HONE_FLATTEN [[ gnu::noinline, gnu::flatten HONE_ROOT_IEEE ]]
#endif

// What compilers warn of inside hone's headers is shown to hone's own build, which defines HONE_SHOW_WARNINGS, and not
// to an engine that includes them by -I with flags and -Werror of its own. Each header says so below its includes:
// above them, g++ -MMD would take these for system headers, too, and leave them out of what a source depends on.
#ifndef HONE_SHOW_WARNINGS
#pragma GCC system_header
#endif
