// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/summary.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("a summary is told from a list of something else, which it must not replace")
{
    const std::vector<tune::task> tasks{tune::task_of<tiny>("tiny", "tiny")};
    const std::vector<tune::record> records{tiny_record(1), tiny_record_on_vulkan(1)};
    const std::string summary = tune::json_of(tune::summary_of(tasks, records)).dump(2);
    CHECK(summary.find("tuned_ms") != std::string::npos);
    for (const std::string& own : {summary + "\n", std::string("[]\n"), std::string()})
        CHECK(tune::may_be_summary(own));
    for (const char* other :
         {"mine", "{}", "[1]", "[\"mine\",{\"precious\":1}]", "[{\"task\":\"tiny\"}]", "[", "null"}) {
        CAPTURE(other);
        CHECK_FALSE(tune::may_be_summary(other));
    }
    // A row of hone's, and one that is not.
    CHECK_FALSE(tune::may_be_summary(summary.substr(0, summary.rfind(']')) + ",{\"precious\":1}]"));
}
