// SPDX-License-Identifier: BSL-1.0
// only_on <isa> <command>...: runs the command where the processor has the instruction set, else returns 77.
// A program of its own, since initialisers of an AVX-512 program may stop before its main() could ask.
#include <cstdio>
#include <cstring>

#include <unistd.h>

#if defined(__x86_64__)
static bool processor_has(const char* isa)
{
    if (std::strcmp(isa, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (std::strcmp(isa, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    return std::strcmp(isa, "baseline") == 0;
}
#else
static bool processor_has(const char* isa) { return std::strcmp(isa, "baseline") == 0; }
#endif

int main(int argc, char** argv)
{
    if (argc < 3) {
        std::fputs("usage: only_on <isa> <command>...\n", stderr);
        return 2;
    }
    if (!processor_has(argv[1])) {
        std::printf("skipped: this processor has no %s\n", argv[1]);
        return 77;
    }
    execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    return 127;
}
