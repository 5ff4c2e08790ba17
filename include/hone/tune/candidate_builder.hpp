// SPDX-License-Identifier: BSL-1.0
// What makes libraries of candidates before they are measured: a compiler, where a backend has one. Pools, checks and
// the loop over a run's tunings know it by what stands here.
#pragma once

#include <string>
#include <vector>

#include <hone/measure/error_bound.hpp>
#include <hone/process/process_control.hpp>
#include <hone/record/verdict.hpp>

namespace hone::tune {

// A variant of a generated unit: `declarations` at namespace scope, and `value`, an expression of type tune::variant.
struct variant_source {
    std::string declarations{};
    std::string value{};
};

struct built_variant {
    verdict found = verdict::interrupted;
    std::string library{}; // where `ok`
    int index = 0;         // in the library
    std::string detail{};  // of a failure: the end of the compiler's messages
};

// One that is measured, of hone or of another library.
struct library_variant {
    std::string library{};
    int index = 0;
    tune::arithmetic arithmetic = tune::arithmetic::direct;
};

class candidate_builder {
public:
    candidate_builder() = default;
    candidate_builder(const candidate_builder&) = delete;
    candidate_builder& operator=(const candidate_builder&) = delete;
    virtual ~candidate_builder() = default;

    // Its command, as people write it.
    virtual std::string name() const = 0;
    // How many units it has built.
    virtual int built() const = 0;
    // Whether this kernel was built alone, and is there at once.
    virtual bool has(const variant_source& kernel) const = 0;

    // One result for each variant, in order. May be called from several threads at once. Throws where it cannot write:
    // that says nothing of the variants.
    virtual std::vector<built_variant> build(const std::vector<variant_source>& variants, process_control& control) = 0;

    // Why not even a kernel that does nothing can be built here; empty where one can.
    virtual std::string trouble(process_control& control) = 0;
    // Throws where a candidate is other code than the user's build would ship.
    virtual void check_code(const variant_source& kernel, process_control& control) = 0;
};

} // namespace hone::tune
