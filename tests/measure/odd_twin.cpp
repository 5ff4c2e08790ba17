// SPDX-License-Identifier: BSL-1.0
// Kernels that are right on a workload's own extents alone are found out on its twin.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <hone/measure/odd_twin.hpp>
#include <hone/model/random.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/softmax.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "op/definition_laws.hpp"
#include "tuner_rig.hpp"
#include "user_operator.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using tune::verdict;

namespace {

std::int64_t extent_of(const definition& d, const char* axis)
{
    for (const auto& a : d.stages[0].axes)
        if (same_text(a.name, axis)) return a.extent;
    return 0;
}

struct rounded : gemm<gemm_shape{.m = 48, .n = 64, .k = 32}, f32, bias, relu> {};

constexpr conv2d_shape window_shape{.n = 2, .h = 56, .w = 28, .ic = 64, .oc = 96, .kh = 3, .kw = 3, .pad = 1};
constexpr conv2d_shape strided_shape{
    .h = 57, .w = 43, .ic = 24, .oc = 16, .kh = 7, .kw = 5, .stride = 2, .pad = 3, .dilation = 2};
constexpr conv2d_shape depthwise_shape{.h = 14, .w = 14, .ic = 48, .oc = 48, .kh = 3, .kw = 3, .pad = 1, .groups = 48};
constexpr conv2d_shape grouped_shape{.h = 14, .w = 14, .ic = 64, .oc = 128, .kh = 3, .kw = 3, .pad = 1, .groups = 4};

} // namespace

TEST_CASE("measure a twin in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE("a twin is the same formula over extents that nothing divides")
{
    const definition product = tune::with_odd_extents(rounded::definition());
    check_laws(product);
    for (const char* axis : {"m", "n"}) CHECK(extent_of(product, axis) == 37);
    CHECK(extent_of(product, "k") == 13);
    CHECK(product.tensors[product.tensor_of(role::bias)].elements() == 37);

    // So are further outputs.
    const definition kept =
        tune::with_odd_extents(gemm<gemm_shape{.m = 48, .n = 64, .k = 32}, f32, keep>::definition());
    CHECK(checked(kept).found.ok());
    CHECK(kept.tensors[kept.stages[0].further[0].to.tensor].elements() == 37 * 37);

    const definition layer = tune::with_odd_extents(conv2d<window_shape, f32, bias>::definition());
    check_laws(layer);
    // As conv2d states it for these extents itself: two images of 37 x 13 with 37 channels.
    constexpr conv2d_shape smaller{.n = 2, .h = 37, .w = 13, .ic = 37, .oc = 37, .kh = 3, .kw = 3, .pad = 1};
    const definition expected = conv2d<smaller, f32, bias>::definition();
    REQUIRE(layer.tensors.size() == expected.tensors.size());
    for (std::size_t t = 0; t < layer.tensors.size(); ++t) {
        CAPTURE(layer.tensors[t].name);
        CHECK(layer.tensors[t].elements() == expected.tensors[t].elements());
        for (std::size_t i = 0; i < layer.tensors[t].dims.size(); ++i) {
            CHECK(layer.tensors[t].dims[i].extent == expected.tensors[t].dims[i].extent);
            CHECK(layer.tensors[t].dims[i].stride == expected.tensors[t].dims[i].stride);
        }
    }
    for (const definition& d : {conv2d<strided_shape, f32>::definition(),
                                conv2d<depthwise_shape, f32, bias, relu6>::definition(), audio::speech::definition()})
        check_laws(tune::with_odd_extents(d));
    // Channels of groups have gaps then, which is a view of the output.
    CHECK(tune::with_odd_extents(conv2d<grouped_shape, f32>::definition()).found.ok());
    // Stages that follow one another lose the same, and so does what stands between them.
    const definition rows = tune::with_odd_extents(softmax_definition<>({.rows = 20, .n = 100}, dtype::f32));
    check_laws(rows);
    CHECK(checked(rows).found.ok());
    const definition same = softmax_definition<>({.rows = 13, .n = 37}, dtype::f32);
    for (std::size_t t = 0; t < rows.tensors.size(); ++t)
        CHECK(rows.tensors[t].elements() == same.tensors[t].elements());
    // There is nothing to leave out of the least ones.
    CHECK(extent_of(tune::with_odd_extents(tiny::definition()), "n") == 13);
    CHECK(extent_of(tune::with_odd_extents(tiny::definition()), "m") == 5);
}

TEST_CASE("an index that runs backwards begins at the twin's end")
{
    definition d = rounded::definition();
    stage& s = d.stages[0];
    for (operand& o : s.operands)
        if (d.tensors[o.tensor].role == role::input)
            for (std::size_t i = 0; i < o.index.size(); ++i)
                if (d.tensors[o.tensor].dims[i].extent == 48) o.index[i] = along(o.index[i].terms[0].axis, -1, 47);
    check_laws(d);
    check_laws(tune::with_odd_extents(d));
    CHECK(tune::with_odd_extents(d).tensors[d.tensor_of(role::input)].elements() == 37 * 13);
}

TEST_CASE("what each call gives, it gives the twin, too; all else is odd")
{
    // As the shape says it for the twin's extents, with strides that are products of a call's and the twin's.
    const auto same = [](const definition& d, const definition& expected) {
        REQUIRE(d.found.ok());
        REQUIRE(d.parameters.size() == expected.parameters.size());
        for (std::size_t p = 0; p < d.parameters.size(); ++p)
            CHECK(d.parameters[p].most == expected.parameters[p].most);
        for (std::size_t a = 0; a < d.stages[0].axes.size(); ++a)
            CHECK(d.stages[0].axes[a].extent == expected.stages[0].axes[a].extent);
        for (std::size_t t = 0; t < d.tensors.size(); ++t)
            for (std::size_t i = 0; i < d.tensors[t].dims.size(); ++i) {
                CAPTURE(d.tensors[t].name);
                CAPTURE(i);
                const dimension &found = d.tensors[t].dims[i], &right = expected.tensors[t].dims[i];
                CHECK(found.extent == right.extent);
                if (right.extent > 1) CHECK(found.stride == right.stride);
                CHECK(found.extent_parameter == right.extent_parameter);
                CHECK(found.stride_parameter == right.stride_parameter);
            }
    };
    constexpr extent any = extent::up_to(64);
    same(tune::with_odd_extents(gemm<gemm_shape{.batch = 3, .m = any, .n = 48, .k = 16}, f32, bias>::definition()),
         gemm<gemm_shape{.batch = 3, .m = any, .n = 37, .k = 13}, f32, bias>::definition());
    same(tune::with_odd_extents(gemm<gemm_shape{.m = 20, .n = any, .k = any}, f32, bias>::definition()),
         gemm<gemm_shape{.m = 13, .n = any, .k = any}, f32, bias>::definition());
    using images =
        conv2d<conv2d_shape{.n = any, .h = 56, .w = 28, .ic = 64, .oc = 96, .kh = 3, .kw = 3, .pad = 1}, f32>;
    using fewer = conv2d<conv2d_shape{.n = any, .h = 37, .w = 13, .ic = 37, .oc = 37, .kh = 3, .kw = 3, .pad = 1}, f32>;
    same(tune::with_odd_extents(images::definition()), fewer::definition());
    using channels =
        conv2d<conv2d_shape{.n = 4, .h = 56, .w = 28, .ic = any, .oc = any, .kh = 3, .kw = 3, .pad = 1}, f32, bias>;
    using of_fewer =
        conv2d<conv2d_shape{.n = 4, .h = 37, .w = 13, .ic = any, .oc = any, .kh = 3, .kw = 3, .pad = 1}, f32, bias>;
    same(tune::with_odd_extents(channels::definition()), of_fewer::definition());
    using rows =
        conv2d<conv2d_shape{.h = 56, .w = any, .ic = any, .oc = any, .kh = 3, .kw = 3, .pad = 1, .groups = any}, f32>;
    using of_rows =
        conv2d<conv2d_shape{.h = 37, .w = any, .ic = any, .oc = any, .kh = 3, .kw = 3, .pad = 1, .groups = any}, f32>;
    same(tune::with_odd_extents(rows::definition()), of_rows::definition());
}

TEST_CASE("nearly each config of a space has a kernel on the twin, inside its buffers")
{
    for (const definition& d :
         {rounded::definition(), conv2d<window_shape, f32, bias>::definition(),
          conv2d<strided_shape, f32>::definition(), conv2d<depthwise_shape, f32, bias, relu6>::definition(),
          conv2d<grouped_shape, f32>::definition()}) {
        const tune::cpu_space space(d, isa::avx2);
        const tune::cpu_space twins = space.of(tune::with_odd_extents(d));
        tune::xoshiro256 bits(1);
        int legal = 0, fitted = 0;
        for (int i = 0; i < 300; ++i) {
            const auto p = space.random(bits);
            status why;
            if (!space.legal(p, why)) continue;
            ++legal;
            fitted += twins.fitted(space.config_of(p)) ? 1 : 0;
        }
        CAPTURE(legal);
        CHECK(legal > 10);
        CHECK(fitted >= legal * 3 / 4); // some blocks need whole ones
    }
}

TEST_CASE("a kernel that is right on the workload's own extents alone is found out, and the others are not")
{
    const folder at;
    // planted: the last column is wrong wherever no vector ends at it, as it does on the workload's own extents.
    std::ofstream(at / "rounded.hpp") << R"(#pragma once
#include <hone/op/gemm.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/measure/odd_twin.hpp>
struct rounded : hone::gemm<hone::gemm_shape{.m = 48, .n = 64, .k = 32}, hone::f32, hone::bias, hone::relu> {};
struct planted : rounded {};
template <class Configs, hone::isa Set, int Threads>
struct hone::kernel<hone::tune::odd_twin<planted>, Configs, Set, Threads>
    : hone::kernel<hone::tune::odd_twin<rounded>, Configs, Set, Threads> {
    template <class Executor>
    static hone::status run(Executor& executor, const hone::arguments& a) noexcept
    {
        const hone::status s = hone::kernel<hone::tune::odd_twin<rounded>, Configs, Set, Threads>::run(executor, a);
        a.y.as<float>()[36] += 1;
        return s;
    }
};
)";
    const isa set = hone::cpu();
    tune::builder build(tune::find_compiler("c++", set), {.directory = at.path() / "work",
                                                          .include_directories = {include_directory(), at.path()},
                                                          .headers = {"rounded.hpp"}});
    const tune::tuning_environment environment{.self = {std::filesystem::read_symlink("/proc/self/exe").string(),
                                                        "--no-skip", "--test-case=measure a twin in a child"},
                                               .work_directory = at.path() / "work",
                                               .seed = 5};
    for (const char* type : {"rounded", "planted"}) {
        CAPTURE(type);
        tune::cpu_tuning tuning(tune::task_of<struct rounded>(type, type), environment, build, set);
        for (const direct_knobs& k : {direct_knobs{.rows = 6, .vectors = 1}, direct_knobs{.rows = 4, .vectors = 2},
                                      direct_knobs{.rows = 3, .vectors = 2, .reduce_block = 16}}) {
            tune::record r = tiny_record(1);
            r.template_name = direct::name;
            r.knobs = tune::settings_of(k);
            const tune::measurement m = tuning.verify_on_twin(r);
            CAPTURE(m.detail);
            CHECK(m.found == (std::string(type) == "planted" ? verdict::wrong_result : verdict::ok));
        }
    }
}
