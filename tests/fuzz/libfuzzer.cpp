// SPDX-License-Identifier: BSL-1.0
// The target of records.cpp for libFuzzer, which finds its way by coverage: hone_fuzz_records CORPUS -runs=100000
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "record_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto r = hone::test::fuzz::of({reinterpret_cast<const char*>(data), size});
    (void)hone::test::fuzz::header_of(std::move(r.records), r.wrong);
    if (!r.wrong) return 0;
    std::fprintf(stderr, "%s\n", r.wrong->c_str());
    std::abort();
}
