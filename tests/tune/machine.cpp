// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include <hone/tune/machine.hpp>

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

} // namespace

TEST_CASE("a machine that says nothing is unknown, not zero")
{
    const fake_root root;
    CHECK(tune::processor_name(root.path()) == "unknown processor family  model ");
    CHECK_FALSE(tune::frequency_governor(0, root.path()));
    CHECK_FALSE(tune::load_average(root.path()));
    CHECK_FALSE(tune::cpu_quota(root.path()));
    CHECK(tune::last_level_cache_bytes(0, root.path()) == 0);
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
