// SPDX-License-Identifier: BSL-1.0
// The commands of hone, the program that reads records and machines: what needs no workload's type. Each returns the
// exit status; what stops it is thrown as a sentence.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <hone/measure/measure.hpp>
#include <hone/op/accuracy.hpp>

namespace cli {

enum exit_status : int {
    done = 0,
    failed = 1,    // a message names what and how to mend it
    usage = 2,     // the command line is wrong
    untrusted = 3, // doctor: timings cannot be trusted
    interrupted = 130,
};

struct show_options {
    std::vector<std::string> records{};
    std::optional<std::string> task{}; // none: all
    hone::accuracy allowed = hone::accuracy::standard;
    bool json = false;
};
int show(const show_options& o);

struct merge_options {
    std::string out{};
    std::vector<std::string> in{};
};
int merge(const merge_options& o);

struct replay_options {
    std::vector<std::string> records{};
    std::string name{};
    std::string out{};
    hone::accuracy allowed = hone::accuracy::standard;
};
int replay(const replay_options& o);

struct doctor_options {
    std::string compiler = "c++";
    bool json = false;
    hone::tune::child_command child{}; // this program, looking for a device
};
int doctor(const doctor_options& o);

struct check_options {
    std::string folder{};
    std::string compiler = "c++";
    std::string include{}; // of hone's headers
};
int check(const check_options& o);

// What the program does as a child that looks for a device.
int device_child();

// Prints to stdout; throws where that fails, as on a full disk.
void print(const std::string& text);
// A sentence on stderr.
void warn(const std::string& text);

} // namespace cli
