// SPDX-License-Identifier: BSL-1.0
// What a tuner is told, and what it says in the end: the words of its command line, and the numbers of its report.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <hone/core/isa.hpp>
#include <hone/measure/cache_mode.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/tune/candidate_builder.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

enum class tuning_mode : std::uint8_t {
    replay,  // nothing is measured: the header is made of the records there are
    missing, // workloads that have been tuned under the same key are left as they are; others go on from their records
    force,   // all are tuned anew; earlier records stay in the file and no longer count
};

struct tuner_options {
    std::string name = "tuned"; // of the config set
    std::filesystem::path header{};
    bool keeps_entries =
        true; // a header that has some is not replaced by one without: not for what a build makes itself
    std::filesystem::path records{};
    // More records, read first and never written to; a file that is missing has none. What is there is a file.
    std::vector<std::string> earlier{};
    std::filesystem::path work_directory{}; // a folder of this run alone is made in it, and gone with the run
    std::filesystem::path lock{}; // of all tuners that shall not measure at the same time; empty: the usual one
    tuning_mode mode = tuning_mode::missing;
    double budget = 300; // seconds of tuning, comparisons included
    int trials = 0;      // of each workload, at most; 0: as the budget allows
    std::uint64_t seed = 1;
    search_method method = search_method::model;
    const own_search* own = nullptr; // which the method may then be
    int threads = 1;
    cache_mode cache = cache_mode::cold_weights;
    hone::accuracy accuracy = hone::accuracy::standard;     // of workloads that say nothing
    std::vector<std::string> backends{};                    // by their names in records
    std::map<std::string, std::vector<std::string>> only{}; // by backend, names of the workloads for it; none: all
    std::vector<isa> sets{};                                // of kernels that a compiler builds
    std::string compiler_command = "c++";
    std::map<isa, std::string> compile_commands{}; // as hone-record.sh leaves them: instead of the compiler above
    std::vector<std::string> compiler_flags{};     // of the user, after those that hone chooses
    std::vector<std::string> include_directories{};
    std::vector<std::string> headers{};
    std::map<std::string, library_variant> peers{}; // by signature: another library's, of one thread

    bool has(std::string_view backend) const
    {
        return std::find(backends.begin(), backends.end(), backend) != backends.end();
    }
    // Whether a backend tunes a workload.
    bool wants(const std::string& backend, const std::string& workload) const
    {
        const auto those = only.find(backend);
        return has(backend) && (those == only.end() || those->second.empty() ||
                                std::find(those->second.begin(), those->second.end(), workload) != those->second.end());
    }
};

// What became of a run.
struct tuner_result {
    bool interrupted = false;
    int without_entry = 0;               // workloads of a chosen backend for which the header has no measured entry
    int stale = 0;                       // records of which the config gives another nest today
    double seconds = 0;                  // of tuning
    double thinking = 0;                 // of these, spent on fitting and scoring
    double measuring = 0;                // on verifying and timing
    double waiting = 0;                  // for compilers
    int trials = 0;                      // of this run
    std::vector<std::string> failures{}; // sentences: of workloads for which no kernel works, or none could be tried
    std::vector<std::string>
        unreached{}; // of workloads of which no rival of the default was measured when the budget ended
};

} // namespace hone::tune
