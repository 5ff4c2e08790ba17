// SPDX-License-Identifier: BSL-1.0
// What this machine says of itself, as far as it decides whether timings hold: processors, caches, clock, and who else
// takes processor time. `root` is where the system's files are: another folder in tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <sched.h>
#include <unistd.h>

#include <fmt/core.h>

namespace hone::tune {

// This processor in records: the name alone may be as unspecific as "AMD EPYC".
inline std::string processor_name(const std::filesystem::path& root = "/")
{
    std::ifstream info(root / "proc/cpuinfo");
    std::string name = "unknown processor", family, model;
    for (std::string line; std::getline(info, line) && !line.empty();) {
        const auto value = line.find(": ");
        if (value == std::string::npos) continue;
        const std::string text = line.substr(value + 2);
        if (line.starts_with("model name")) name = text;
        if (line.starts_with("cpu family")) family = text;
        if (line.starts_with("model\t")) model = text;
    }
    return fmt::format("{} family {} model {}", name, family, model);
}

// The processors that this process may use, in order.
inline std::vector<int> usable_cpus()
{
    std::vector<int> cpus;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return cpus;
    for (int c = 0; c < CPU_SETSIZE; ++c)
        if (CPU_ISSET(c, &allowed)) cpus.push_back(c);
    return cpus;
}

// Where kernels are timed: the last one, since the first serves most interrupts; -1: unknown.
inline int timing_cpu()
{
    const std::vector<int> cpus = usable_cpus();
    return cpus.empty() ? -1 : cpus.back();
}

// The first line of a file; nothing where it cannot be read.
inline std::optional<std::string> first_line(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

// "performance", "powersave", ...; virtual machines have none.
inline std::optional<std::string> frequency_governor(int cpu, const std::filesystem::path& root = "/")
{
    return first_line(root / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu));
}

// Processes that wanted a processor, on average over the last minute.
inline std::optional<double> load_average(const std::filesystem::path& root = "/")
{
    std::ifstream file(root / "proc/loadavg");
    double load = 0;
    if (!(file >> load)) return std::nullopt;
    return load;
}

// Bytes of the last level of caches that a processor sees; 0: unknown.
inline std::uint64_t last_level_cache_bytes(int cpu, const std::filesystem::path& root = "/")
{
    std::uint64_t bytes = 0;
    for (int i = 0;; ++i) {
        // "32768K"
        const auto size =
            first_line(root / fmt::format("sys/devices/system/cpu/cpu{}/cache/index{}/size", std::max(cpu, 0), i));
        if (!size) return bytes;
        bytes = std::max<std::uint64_t>(bytes, std::strtoull(size->c_str(), nullptr, 10) << 10);
    }
}

// Processors' worth of time that the control groups of this process grant it; nothing where they set no limit.
inline std::optional<double> cpu_quota(const std::filesystem::path& root = "/")
{
    std::optional<double> least;
    const auto limit = [&](double quota, double period) {
        if (quota > 0 && period > 0) least = std::min(least.value_or(quota / period), quota / period);
    };
    // A line is "0::/path" for version 2, "3:cpu,cpuacct:/path" for version 1. A parent's limit holds too; in a
    // container the path may be that of the host, and only its root be there.
    std::ifstream groups(root / "proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const bool unified = controllers == ",,";
        if (!unified && controllers.find(",cpu,") == std::string::npos) continue;
        std::filesystem::path group = std::filesystem::path(line.substr(second + 1)).relative_path();
        for (bool more = true; more;) {
            more = !group.empty();
            if (unified) {
                for (const char* mount : {"sys/fs/cgroup", "sys/fs/cgroup/unified"}) {
                    // "max 100000" or "50000 100000"
                    std::ifstream file(root / mount / group / "cpu.max");
                    double quota = 0, period = 0;
                    if (file >> quota >> period) limit(quota, period);
                }
            } else {
                const auto at = root / "sys/fs/cgroup/cpu" / group;
                std::ifstream quota_file(at / "cpu.cfs_quota_us"), period_file(at / "cpu.cfs_period_us");
                double quota = 0, period = 0; // a quota of -1 is none
                if (quota_file >> quota && period_file >> period) limit(quota, period);
            }
            group = group.parent_path();
        }
    }
    return least;
}

// Time of one processor since the machine started, in ticks.
struct cpu_ticks {
    std::uint64_t all = 0;
    std::uint64_t stolen = 0; // the hypervisor ran another machine
};
inline cpu_ticks ticks_of(int cpu, const std::filesystem::path& root = "/")
{
    std::ifstream stat(root / "proc/stat");
    const std::string wanted = fmt::format("cpu{}", cpu);
    cpu_ticks t;
    for (std::string line; std::getline(stat, line);) {
        std::istringstream words(line);
        std::string name;
        if (!(words >> name) || name != wanted) continue;
        // user nice system idle iowait irq softirq steal; the two that follow are part of user and nice
        std::uint64_t value = 0;
        for (int i = 0; i < 8 && words >> value; ++i) {
            t.all += value;
            if (i == 7) t.stolen = value;
        }
    }
    return t;
}

} // namespace hone::tune
