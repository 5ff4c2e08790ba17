// SPDX-License-Identifier: BSL-1.0
// What this machine says of itself, as far as it decides whether timings hold: processors, caches, clock, and who else
// takes processor time. `root` is where the system's files are: another folder in tests.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <sched.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <hone/measure/arm_cores.hpp>

namespace hone::tune {

// The first line of a file; nothing where it cannot be read.
inline std::optional<std::string> first_line(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

// This processor in records: the name alone may be as unspecific as "AMD EPYC". ARM's have no name but numbers, and
// boards differ in their memory, so that their name belongs to it.
inline std::string processor_name(const std::filesystem::path& root = "/")
{
    std::ifstream info(root / "proc/cpuinfo");
    std::map<std::string, std::string> first; // of each field
    std::vector<std::string> cores;           // kinds of ARM's, in their order
    std::string implementer;
    for (std::string line; std::getline(info, line);) {
        const auto colon = line.find(':');
        const auto end = line.find_last_not_of(" \t", colon == 0 ? 0 : colon - 1);
        if (colon == std::string::npos || colon == 0 || end == std::string::npos) continue;
        const std::string field = line.substr(0, end + 1);
        const auto begin = line.find_first_not_of(" \t", colon + 1);
        const std::string value = begin == std::string::npos ? "" : line.substr(begin);
        if (!value.empty()) first.emplace(field, value);
        if (field == "CPU implementer") implementer = value;
        if (field != "CPU part") continue;
        const std::string core = arm_core_name(implementer, value);
        if (std::find(cores.begin(), cores.end(), core) == cores.end()) cores.push_back(core);
    }
    if (first.contains("cpu family") || first.contains("model")) {
        // Some virtual machines hide the name.
        std::string name = first["model name"];
        if (name.empty() || name == "unknown") name = first["vendor_id"] + " processor";
        return fmt::format("{} family {} model {}", name, first["cpu family"], first["model"]);
    }
    std::string name = fmt::format("{}", fmt::join(cores, " and "));
    // Of POWER, RISC-V, LoongArch, S/390 and old ARMs.
    for (const char* field : {"cpu", "uarch", "Model Name", "model name", "Processor", "processor 0", "isa"})
        if (name.empty()) name = first[field];
    if (name.empty()) name = "unknown processor";
    std::string board = first_line(root / "sys/firmware/devicetree/base/model").value_or("");
    board = board.substr(0, board.find('\0'));
    if (board.empty()) board = first["Hardware"];
    return board.empty() ? name : fmt::format("{} ({})", name, board);
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

// The four registers that CPUID gives for a leaf and a subleaf; zeros where there is none.
using cpuid_registers = std::array<std::uint32_t, 4>;
using cpuid_reader = cpuid_registers (*)(std::uint32_t leaf, std::uint32_t subleaf);
inline cpuid_registers cpuid_here([[maybe_unused]] std::uint32_t leaf, [[maybe_unused]] std::uint32_t subleaf)
{
    cpuid_registers r{};
#if defined(__x86_64__) || defined(__i386__)
    if (__get_cpuid_max(leaf & 0x80000000u, nullptr) >= leaf) __cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
#endif
    return r;
}

// Bytes of the largest cache that CPUID tells of; 0: of none.
inline std::uint64_t cache_bytes_by_cpuid(cpuid_reader cpuid)
{
    std::uint64_t bytes = 0;
    for (const std::uint32_t leaf : {4u, 0x8000001du}) // Intel's, AMD's
        for (std::uint32_t i = 0; i < 16; ++i) {
            const cpuid_registers r = cpuid(leaf, i);
            if ((r[0] & 31) == 0) break;
            const std::uint64_t ways = (r[1] >> 22) + 1, partitions = (r[1] >> 12 & 1023) + 1, line = (r[1] & 4095) + 1;
            bytes = std::max(bytes, ways * partitions * line * (std::uint64_t{r[2]} + 1));
        }
    return bytes;
}

// Bytes of the last level of caches that a processor sees, as the system's files say; 0: they do not, as in many
// virtual machines.
inline std::uint64_t cache_bytes_by_files(int cpu, const std::filesystem::path& root = "/")
{
    std::uint64_t bytes = 0;
    for (int i = 0;; ++i) {
        // "32768K"
        const auto size =
            first_line(root / fmt::format("sys/devices/system/cpu/cpu{}/cache/index{}/size", std::max(cpu, 0), i));
        if (!size) return bytes;
        char* unit = nullptr;
        const std::uint64_t number = std::strtoull(size->c_str(), &unit, 10);
        bytes = std::max(bytes, number << (*unit == 'M' ? 20 : *unit == 'G' ? 30 : *unit == 'K' ? 10 : 0));
    }
}
// As far as anything says; 0: nothing does.
inline std::uint64_t last_level_cache_bytes(int cpu, const std::filesystem::path& root = "/",
                                            cpuid_reader cpuid = cpuid_here)
{
    const std::uint64_t bytes = cache_bytes_by_files(cpu, root);
    return bytes != 0 ? bytes : cache_bytes_by_cpuid(cpuid);
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
