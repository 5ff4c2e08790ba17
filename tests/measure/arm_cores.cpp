// SPDX-License-Identifier: BSL-1.0
// ARM's cores by their numbers: no two rows for one core, and no core without a maker.
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <hone/measure/arm_cores.hpp>

using namespace hone;

TEST_CASE("each core and each maker stands once, and each core's maker is known")
{
    std::set<std::uint32_t> makers;
    for (const tune::arm_implementer& i : tune::arm_implementers) {
        CAPTURE(i.name);
        CHECK(makers.insert(i.number).second);
    }
    std::set<std::pair<std::uint32_t, std::uint32_t>> cores;
    for (const tune::arm_core& c : tune::arm_cores) {
        CAPTURE(c.name);
        CHECK(cores.emplace(c.implementer, c.part).second);
        CHECK(makers.contains(c.implementer));
        CHECK(c.part < 0x1000); // 12 bits of MIDR_EL1
    }
}

TEST_CASE("a core is named by maker and name, as /proc/cpuinfo writes their numbers")
{
    CHECK(tune::arm_core_name("0x41", "0xd08") == "ARM Cortex-A72");
    CHECK(tune::arm_core_name("0x61", "0x023") == "Apple M1 Firestorm");
    CHECK(tune::arm_core_name("0x61", "0x23") == "Apple M1 Firestorm");
    CHECK(tune::arm_core_name("0x48", "0xd01") == "HiSilicon TaiShan v110");
    // One number of two makers.
    CHECK(tune::arm_core_name("0x41", "0xd01") == "ARM Cortex-A32");
}

TEST_CASE("cores that are not in the table are told apart by their numbers")
{
    CHECK(tune::arm_core_name("0x41", "0xfff") == "ARM part 0xfff");
    CHECK(tune::arm_core_name("0x41", "0xffe") != tune::arm_core_name("0x41", "0xfff"));
    CHECK(tune::arm_core_name("0x99", "0xd08") == "implementer 0x99 part 0xd08");
    CHECK(tune::arm_core_name("", "") == "implementer  part ");
}
