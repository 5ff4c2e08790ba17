// SPDX-License-Identifier: BSL-1.0
// Softmax and normalisations of which each call gives rows and their length: what they say of themselves, that default
// kernels of all instruction sets stay in their tensors, and that a table of them lacks no shape.
#include <hone/op/any_rows.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/find_in_range.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/staged_templates.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

using shares = any_softmax<f32>;
using logarithms = any_log_softmax<f32, exact>;
using layer = any_layer_norm<f32, with_gamma, with_beta>;
using root = any_rms_norm<f32, with_gamma>;

std::vector<std::int64_t> given(const signature_text& signature, const signature_text& shape)
{
    const auto parameters = parameters_in_range(signature.c_str(), shape.c_str());
    return {parameters.begin(), parameters.end()};
}

} // namespace

TEST_CASE_TEMPLATE("they are legal, take two numbers of a call, and stay in their tensors", Op, shares, logarithms,
                   layer, root)
{
    const definition& d = definition_of<Op>;
    CHECK(d.found.ok());
    CHECK(given_parameters(d.parameters) == 2);
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon}) {
        const nest n = lower(schedule_for(d, default_config<staged_templates>(d, set), set));
        CHECK(check(n, cpu_target(set)).ok());
        CHECK(std::string(ir::prove_accesses(n).message()) == message_of(fault::none));
    }
}

TEST_CASE("layers of networks are calls of them")
{
    using numbers = std::vector<std::int64_t>;
    const row_shape heads{.rows = 12 * 197, .n = 197}, words{.rows = 1, .n = 151936};
    CHECK(given(shares::signature(), signature_of(heads, dtype::f32)) == numbers{2364, 197});
    CHECK(given(shares::signature(), signature_of(words, dtype::f32)) == numbers{1, 151936});
    CHECK(given(logarithms::signature(), signature_of(words, softmax_scale::logarithmic, dtype::f32, {"exact"})) ==
          numbers{1, 151936});
    const auto of_norm = [](const norm_shape& s) {
        return signature_of(s, norm::layer, dtype::f32, {"gamma", "beta"});
    };
    CHECK(given(layer::signature(), of_norm({.rows = 197, .n = 768})) == numbers{197, 768});
    CHECK(given(root::signature(), signature_of(norm_shape{.rows = 5, .n = 4096}, norm::rms, dtype::f32, {"gamma"})) ==
          numbers{5, 4096});

    // Another epsilon, elements that are apart, other words and longer rows are other kernels.
    CHECK(given(layer::signature(), of_norm({.rows = 197, .n = 768, .epsilon = 1e-12f})).empty());
    using other = layer_norm<any_norm_shape(1e-12f), f32, with_gamma, with_beta>;
    CHECK(given(other::signature(), of_norm({.rows = 197, .n = 768, .epsilon = 1e-12f})) == numbers{197, 768});
    CHECK(given(shares::signature(), signature_of(row_shape{.rows = 2, .n = 21, .inner = 5}, dtype::f32)).empty());
    CHECK(given(shares::signature(), signature_of(heads, dtype::f32, {"exact"})).empty());
    CHECK(given(shares::signature(), signature_of(row_shape{.n = (1 << 18) + 1}, dtype::f32)).empty());
}
