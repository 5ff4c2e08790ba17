// SPDX-License-Identifier: BSL-1.0
// Operators that write several tensors are searched, verified, output by output, and measured.
#include <cstdlib>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/model/features.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "further_outputs.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure operators of several outputs in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("what an epilogue keeps, three outputs, and two layouts of no weights are tuned", Op, further::kept,
                   further::thrice, further::layer, further::planes)
{
    const std::string name = std::is_same_v<Op, further::kept>     ? "kept"
                             : std::is_same_v<Op, further::thrice> ? "thrice"
                             : std::is_same_v<Op, further::layer>  ? "layer"
                                                                   : "planes";
    check_tuned<Op>("further_outputs.hpp", "further", name, "measure operators of several outputs in a child");
}

TEST_CASE("a cost model sees all that is written")
{
    const auto output_bytes = [](const definition& d) {
        const nest n = lower(direct_schedule(d, {.rows = 4, .vectors = 1}, isa::baseline));
        REQUIRE(n.ok());
        feature_vector f;
        features_of(n, f);
        return f(nest_feature::output_bytes);
    };
    const double y = 4.0 * 13 * 40;
    CHECK(output_bytes(gemm<further::shape, f32>::definition()) == feature_log2(y));
    CHECK(output_bytes(further::kept::definition()) == feature_log2(2 * y));
    CHECK(output_bytes(further::thrice::definition()) == feature_log2(3 * y));
}
