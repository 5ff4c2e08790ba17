// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include <hone/measure/machine.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// A system of a few files.
class fake_root : public folder {
public:
    fake_root& holds(const std::string& file, const std::string& text)
    {
        const auto at = path() / file;
        std::filesystem::create_directories(at.parent_path());
        std::ofstream(at) << text;
        return *this;
    }
};

tune::cpuid_registers no_cpuid(std::uint32_t, std::uint32_t) { return {}; }
// An Intel with 30 MiB of third level, and an AMD with 96 MiB.
tune::cpuid_registers intel(std::uint32_t leaf, std::uint32_t subleaf)
{
    if (leaf != 4 || subleaf > 3) return {};
    constexpr tune::cpuid_registers caches[] = {{0x1c004121, 0x01c0003f, 63, 0},
                                                {0x1c004122, 0x01c0003f, 63, 0},
                                                {0x1c004143, 0x01c0003f, 511, 0},
                                                {0x1c03c163, 0x04c0003f, 24575, 6}};
    return caches[subleaf];
}
tune::cpuid_registers amd(std::uint32_t leaf, std::uint32_t subleaf)
{
    if (leaf != 0x8000001d || subleaf > 1) return {};
    constexpr tune::cpuid_registers caches[] = {{0x00004121, 0x01c0003f, 63, 0}, {0x0003c163, 0x03c0003f, 98303, 1}};
    return caches[subleaf];
}

} // namespace

TEST_CASE("where the system has no files of caches, CPUID is asked")
{
    fake_root root;
    CHECK(tune::last_level_cache_bytes(0, root.path(), intel) == std::uint64_t{30} << 20);
    CHECK(tune::last_level_cache_bytes(0, root.path(), amd) == std::uint64_t{96} << 20);
    root.holds("sys/devices/system/cpu/cpu0/cache/index0/size", "16M\n");
    CHECK(tune::last_level_cache_bytes(0, root.path(), amd) == std::uint64_t{16} << 20);
}

TEST_CASE("processors without a name in /proc/cpuinfo are told apart")
{
    const auto named = [](const std::string& cpuinfo, const std::string& board = "") {
        fake_root root;
        root.holds("proc/cpuinfo", cpuinfo);
        if (!board.empty()) root.holds("sys/firmware/devicetree/base/model", board + '\0');
        return tune::processor_name(root.path());
    };
    const auto arm = [](const char* number, const char* implementer, const char* part) {
        return fmt::format("processor\t: {}\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd\nCPU implementer\t: {}\n"
                           "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {}\nCPU revision\t: 3\n\n",
                           number, implementer, part);
    };
    const std::string a72 = arm("0", "0x41", "0xd08"), a53 = arm("1", "0x41", "0xd03");
    CHECK(named(a72 + a72) == "ARM Cortex-A72");
    CHECK(named(a72, "Raspberry Pi 4 Model B Rev 1.4") == "ARM Cortex-A72 (Raspberry Pi 4 Model B Rev 1.4)");
    CHECK(named(a53 + a53 + a72 + a72, "Radxa ROCK Pi 4B") == "ARM Cortex-A53 and ARM Cortex-A72 (Radxa ROCK Pi 4B)");
    CHECK(named(arm("0", "0x41", "0xd0c")) == "ARM Neoverse-N1");
    CHECK(named(arm("0", "0x61", "0x023")) == "Apple M1 Firestorm");
    CHECK(named(arm("0", "0x41", "0xfff")) == "ARM part 0xfff");
    CHECK(named(arm("0", "0x99", "0x123")) == "implementer 0x99 part 0x123");
    CHECK(named("Processor\t: ARMv7 Processor rev 4 (v7l)\nprocessor\t: 0\n\nHardware\t: BCM2835\n") ==
          "ARMv7 Processor rev 4 (v7l) (BCM2835)");
    CHECK(named("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n") == "POWER9, altivec supported");
    CHECK(named("processor\t: 0\nhart\t: 1\nisa\t: rv64imafdc\nuarch\t: sifive,u74-mc\n", "StarFive VisionFive 2") ==
          "sifive,u74-mc (StarFive VisionFive 2)");
    // Virtual machines.
    CHECK(named("vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: \n") ==
          "GenuineIntel processor family 6 model 85");
    CHECK(named("vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: unknown\n") ==
          "AuthenticAMD processor family 25 model 1");
    CHECK(named("no colon\n: no field\n\n\n") == "unknown processor");
}

TEST_CASE("a machine that says nothing is unknown, not zero")
{
    const fake_root root;
    CHECK(tune::processor_name(root.path()) == "unknown processor");
    CHECK_FALSE(tune::frequency_governor(0, root.path()));
    CHECK_FALSE(tune::load_average(root.path()));
    CHECK_FALSE(tune::cpu_quota(root.path()));
    CHECK(tune::last_level_cache_bytes(0, root.path(), no_cpuid) == 0);
    CHECK(tune::ticks_of(0, root.path()).all == 0);
}

TEST_CASE("the files of the system are read")
{
    fake_root root;
    root.holds("proc/cpuinfo",
               "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: Some EPYC\n\nprocessor\t: 1\n")
        .holds("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave\n")
        .holds("proc/loadavg", "1.25 0.50 0.10 2/300 4711\n")
        .holds("sys/devices/system/cpu/cpu3/cache/index0/size", "48K\n")
        .holds("sys/devices/system/cpu/cpu3/cache/index1/size", "32768K\n")
        .holds("sys/devices/system/cpu/cpu3/cache/index2/size", "1024K\n")
        .holds("proc/stat", "cpu  9 9 9 9 9 9 9 9 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\ncpu10 100 1 10 1000 2 3 4 50 7 7\n");
    CHECK(tune::processor_name(root.path()) == "Some EPYC family 26 model 2");
    CHECK(tune::frequency_governor(3, root.path()) == "powersave");
    CHECK(tune::load_average(root.path()) == 1.25);
    CHECK(tune::last_level_cache_bytes(3, root.path()) == 32768 * 1024);
    CHECK(tune::ticks_of(10, root.path()).all == 1170);
    CHECK(tune::ticks_of(10, root.path()).stolen == 50);
    CHECK(tune::ticks_of(1, root.path()).all == 8);
}

TEST_CASE("the least quota of a control group and its parents holds, in either version")
{
    fake_root unified;
    unified.holds("proc/self/cgroup", "0::/a/b\n")
        .holds("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")
        .holds("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    CHECK(tune::cpu_quota(unified.path()) == 1.5);
    unified.holds("sys/fs/cgroup/cpu.max", "50000 100000\n");
    CHECK(tune::cpu_quota(unified.path()) == 0.5);

    fake_root first;
    first.holds("proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/x\n")
        .holds("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n")
        .holds("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    CHECK_FALSE(tune::cpu_quota(first.path()));
    // Where a container has its group as the root, the path is that of the host.
    first.holds("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "25000\n")
        .holds("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    CHECK(tune::cpu_quota(first.path()) == 0.25);
}

TEST_CASE("kernels are timed on a processor that this process may use")
{
    const auto cpus = tune::usable_cpus();
    REQUIRE_FALSE(cpus.empty());
    CHECK(std::is_sorted(cpus.begin(), cpus.end()));
    CHECK(tune::timing_cpu() == cpus.back());
    CHECK(tune::ticks_of(cpus.back()).all > 0);
}
