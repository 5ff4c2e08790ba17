// SPDX-License-Identifier: BSL-1.0
// Entries of kernels on the CPU: a config for a set, with the number of threads where it is not one.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/cpu/records.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("each chosen kernel is an entry, and without one there is a member all the same")
{
    CHECK(tune::on_cpu.header_of("k", {}).members.find("entries[1]{};") != std::string::npos);
    const tune::record one = tiny_record(1, 3);
    tune::record four = tiny_record(0.5, 2);
    four.threads = 4;
    const std::vector<tune::standing> chosen{{.chosen = &one, .standard = &four}, {.chosen = &four}};
    const tune::header_part part = tune::on_cpu.header_of("k", chosen);
    CHECK(part.includes == "");
    CHECK(part.declarations == "");
    CHECK(part.members.find("// tiny, a processor: 1.0000 ms; default 0.5000 ms\n") != std::string::npos);
    CHECK(part.members.find(".set = hone::isa::avx2,\n         .config = \"direct rows=3 ") != std::string::npos);
    CHECK(part.members.find(".threads = 4,\n         .config = \"direct rows=2 ") != std::string::npos);
    CHECK(tune::on_cpu.is_set("avx512"));
    CHECK_FALSE(tune::on_cpu.is_set("none"));
}
