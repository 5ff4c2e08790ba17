// SPDX-License-Identifier: BSL-1.0
// One measurement: what was computed, where and how it was built, which candidate, and what became of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hone/op/accuracy.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/settings.hpp>
#include <hone/record/verdict.hpp>

namespace hone::tune {

inline constexpr int record_schema = 2;

struct record {
    // what was computed, where, and how it was built: together the key
    std::string task{};
    std::string signature{};
    std::string typical{}; // what each call gave, "m=128", where the signature leaves it open
    backend_ref backend{};
    std::string device{};
    std::string isa{};
    int threads = 1;
    std::string cache = "hot"; // the same operands in each call
    std::string compiler{};    // its version
    std::string flags{};
    // the candidate
    std::string template_name{};
    settings knobs{};
    std::optional<error_class> errors{}; // of a template that is none of hone's, which alone could say it
    std::string nest{};                  // hash, in hexadecimal: the record holds as long as the config gives this nest
    std::string origin{};                // "default", "naive", "guess", "model", "chance" or "peer"
    float score = 0;                     // that the model predicted; larger is better; 0 where chance chose
    // what became of it
    std::string phase{}; // "search", or "final": measured in turns with the others of its task
    verdict found = verdict::ok;
    double max_rel_error = 0;
    std::vector<double> ms{};
    std::string detail{};
    std::uint64_t seed = 0;
    int run = 1;                               // counts the searches that were made anew; only the last run decides
    int trial = 0;                             // of the run; of the phase "final": how many trials the run had by then
    std::shared_ptr<const kernel_code> code{}; // of what may be chosen, where its backend has such

    double least() const
    {
        double least = ms.empty() ? 0 : ms[0];
        for (double t : ms) least = t < least ? t : least;
        return least;
    }
    double median() const
    {
        if (ms.empty()) return 0;
        std::vector<double> sorted = ms;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

} // namespace hone::tune
