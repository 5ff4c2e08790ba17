// SPDX-License-Identifier: BSL-1.0
// The program of a tuner, for those that fix more than their list of workloads: tune, show, verify, space,
// explain-nest. It is defined in the library hone::tuner_program; a project's own tuner needs tuner_main.hpp alone.
#pragma once

#include <string>
#include <vector>

#include <hone/tune/task.hpp>
#include <hone/tune/tuner_options.hpp>

namespace hone::tune {

// Of a tuner program, beside those that the system gives.
enum exit_status : int {
    exit_ok = 0,
    exit_failure = 1,      // the message names the thing and the mend
    exit_usage = 2,        // the command line is wrong
    exit_incomplete = 3,   // --strict, and a workload has no measured entry
    exit_interrupted = 130 // Ctrl-C; header and records hold what was measured
};

// What a build fixes when it compiles the program; the command line may say otherwise.
struct tuner_defaults {
    std::string name = "tuned";
    tuner_options options{}; // compiler, include directories and headers
    const char* description = "";
    // The name of options.peers.
    std::string peer_name{};
    // --backends, --isas and what says how candidates are built and measured, as a command line would; before
    // `options`.
    std::vector<std::string> arguments{};
};

int tuner_program(int argc, char** argv, const tuner_defaults& defaults, const std::vector<task>& tasks);

} // namespace hone::tune
