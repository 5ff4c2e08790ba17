// SPDX-License-Identifier: BSL-1.0
// only_on <isa> <command>...: runs the command where the processor has the instruction set, else returns 77.
// A program of its own, since initialisers of an AVX-512 program may stop before its main() could ask.
#include <cstdio>
#include <cstring>

#include <unistd.h>

#include <hone/core/isa.hpp>

static bool processor_has(const char* isa)
{
    bool has = false;
    hone::core::for_each_isa(
        [&](const hone::core::isa_row& r) { has = has || (std::strcmp(isa, r.name) == 0 && runs_here(r.set)); });
    return has;
}

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
