// SPDX-License-Identifier: BSL-1.0
// A kernel of a template that is none of hone's: by default, and with a config that a set names.
#include <doctest/doctest.h>

#include <string>

#include <hone/cpu/kernel.hpp>
#include <hone/op/conv2d.hpp>

#include "kernel_trial.hpp"
#include "own_template.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr conv2d_shape shape{.h = 5, .w = 7, .ic = 3, .oc = 21, .kh = 3, .kw = 2, .pad = 1};
struct layer : conv2d<shape, f32, bias, relu> {
    using cpu_templates = template_list<narrow, direct>;
};
constexpr signature_text signature = layer::signature();

struct by_name {
    static constexpr cpu_entry entries[] = {
        {.signature = signature.c_str(), .set = compiled_isa(), .config = "narrow rows=3"}};
};
struct by_other_name {
    static constexpr cpu_entry entries[] = {
        {.signature = signature.c_str(), .set = compiled_isa(), .config = "direct rows=3 vectors=1"}};
};

template <class Kernel>
std::string wrong()
{
    const call_data d = data_of(shape, 1);
    return wrong_kernel(entry_of<Kernel>(), d, reference(shape, d, {step_of<bias>(), step_of<relu>()}));
}

} // namespace

TEST_CASE("kernels of a user's template: the default of its list, and what a set says")
{
    static_assert(kernel<layer>::config.is<narrow>());
    static_assert(kernel<layer>::config.knobs<narrow>().rows == 2);
    static_assert(kernel<layer, by_name>::config.knobs<narrow>().rows == 3);
    static_assert(kernel<layer, by_other_name>::config.is<direct>());
    CHECK(wrong<kernel<layer>>() == "");
    CHECK(wrong<kernel<layer, by_name>>() == "");
    CHECK(wrong<kernel<layer, by_other_name>>() == "");
}
