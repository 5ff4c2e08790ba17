// SPDX-License-Identifier: BSL-1.0
// Laws of lowering for operators that write several tensors, for random layers and knobs of both templates: each output
// is what its own expression says, in its own layout, and y may still stand in the place of the residual.
#include <hone/cpu/kernel.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "further_outputs.hpp"
#include "reference.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

conv2d_shape random_layer(random_numbers& random)
{
    const auto one_of = [&](std::initializer_list<int> all) {
        return all.begin()[random.between(0, static_cast<std::int64_t>(all.size()) - 1)];
    };
    conv2d_shape s{.h = random.between(3, 9), .w = random.between(3, 9)};
    s.n = random.one_in(4) ? 2 : 1;
    s.kh = one_of({1, 2, 3});
    s.kw = one_of({1, 3});
    s.stride = random.between(1, 2);
    s.pad = random.between(0, 2);
    s.ic = one_of({4, 5, 8});
    s.oc = one_of({1, 4, 7, 16, 17, 33});
    if (random.one_in(5)) s.groups = s.ic = s.oc = one_of({3, 8, 19});
    s.layout = random.one_in(3) ? layout::nchw : layout::nhwc;
    return s;
}
direct_knobs random_direct(random_numbers& random)
{
    const auto upto = [&](std::int64_t most) { return static_cast<std::int32_t>(random.between(1, most)); };
    return {.rows = upto(8),
            .vectors = upto(3),
            .reduce_unroll = upto(3),
            .reduce_block = random.one_in(2) ? 0 : upto(4) + 1,
            .row_block = random.one_in(2) ? 0 : upto(8),
            .pad = random.one_in(2) ? padding::copy : padding::peel,
            .order = random.one_in(2) ? walk::rows_outer : walk::weights_outer,
            .unroll_window = random.one_in(3)};
}
vulkan_knobs random_vulkan(random_numbers& random)
{
    const auto power = [&](std::int64_t most) { return std::int32_t{1} << random.between(0, most); };
    return {.rows = power(2),
            .vectors = power(1),
            .components = power(2),
            .lane_rows = power(2),
            .lane_vectors = power(2),
            .reduce_block = 4 * power(1),
            .reduce_unroll = power(1),
            .stage = static_cast<staging>(random.between(0, 3)),
            .order = random.one_in(2) ? walk::rows_outer : walk::weights_outer,
            .edge = random.one_in(2) ? edge::clip : edge::guard};
}

// y = relu(sum + bias + residual), kept = sum + bias, and turned = (sum + bias) * residual, whose last dimension lies
// outermost.
definition with_outputs(const conv2d_shape& s)
{
    definition d = conv2d_definition<bias, keep, residual, relu>(s, dtype::f32);
    stage& g = d.stages[0];
    further_output turned{.to = g.output, .value = g.further[0].value * ex::load(3)};
    tensor t = d.tensors[g.output.tensor];
    t.name = "turned";
    std::int64_t stride = 1;
    for (dimension& dim : t.dims) {
        dim.stride = stride;
        stride *= dim.extent;
    }
    turned.to.tensor = static_cast<std::int8_t>(d.tensors.push_back(t));
    g.further.push_back(turned);
    return checked(d);
}

// Where element i of y stands in another layout of its extents.
std::vector<std::size_t> places_in(const tensor& of, const tensor& y)
{
    std::vector<std::size_t> places(static_cast<std::size_t>(y.elements()));
    std::vector<std::int64_t> point(y.dims.size());
    const auto walk = [&](auto&& self, std::size_t dim, std::int64_t from, std::int64_t to) -> void {
        if (dim == y.dims.size()) {
            places[static_cast<std::size_t>(from)] = static_cast<std::size_t>(to);
            return;
        }
        for (std::int64_t i = 0; i < y.dims[dim].extent; ++i)
            self(self, dim + 1, from + i * y.dims[dim].stride, to + i * of.dims[dim].stride);
    };
    walk(walk, 0, 0, 0);
    return places;
}

argument given(floats& f) { return {f.data(), static_cast<std::int64_t>(f.size())}; }
std::string text_of(const status& s) { return std::string{s.message()} + " (" + s.subject + ")"; }

// Empty where all laws hold.
std::string broken_law(const conv2d_shape& shape, const schedule& compute, const schedule& packing, const target& on,
                       std::uint64_t seed, int& lowered)
{
    const nest n = lower(compute);
    if (!n.ok()) return n.found.subject[0] == '\0' ? "a fault without a subject" : "";
    const status rules = check(n, on);
    if (!rules.ok() && rules.what != fault::too_many_live_registers && rules.what != fault::too_many_tile_bodies)
        return "check: " + text_of(rules);
    if (const status proved = prove_accesses(n); !proved.ok()) return "not proved: " + text_of(proved);
    ++lowered;

    call_data d = data_of(shape, seed);
    const doubles before = reference(shape, d, {step::bias}), after = reference(shape, d, {step::bias, step::residual});
    const definition of = with_outputs(shape);
    const tensor &y = of.tensors[of.stages[0].output.tensor], &turned = of.tensors[of.stages[0].further[1].to.tensor];
    const auto places = places_in(turned, y);
    doubles expected_y, expected_turned(before.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        expected_y.push_back(after[i] > 0 ? after[i] : 0);
        expected_turned[places[i]] = before[i] * static_cast<double>(d.residual[i]);
    }

    floats packed = poisoned(packing.definition.tensors[1].elements());
    const argument weights[] = {given(d.weights), given(packed)};
    if (const status found = interpret(lower(packing), weights); !found.ok()) return "packing: " + text_of(found);
    floats residual = d.residual;
    for (const bool in_place : {false, true}) {
        floats kept = poisoned(static_cast<std::int64_t>(d.y.size())), other = kept;
        floats& to = in_place ? residual : d.y;
        std::vector<argument> arguments;
        for (const buffer& b : n.buffers) {
            if (b.memory != memory::argument) continue;
            arguments.resize(std::max(arguments.size(), static_cast<std::size_t>(b.position) + 1));
            const std::string name = b.name;
            floats& values = name == "x"          ? d.x
                             : name == "weights"  ? packed
                             : name == "bias"     ? d.bias
                             : name == "residual" ? residual
                             : name == "keep"     ? kept
                             : name == "turned"   ? other
                                                  : to;
            arguments[static_cast<std::size_t>(b.position)] = given(values);
        }
        if (const status found = interpret(n, arguments); !found.ok()) return "run: " + text_of(found);
        const auto differs = [&](const char* name, const floats& found, const doubles& expected) {
            const std::string wrong = difference(found, expected);
            return wrong.empty() ? wrong : std::string{name} + (in_place ? ", in place: " : ": ") + wrong;
        };
        std::string wrong = differs("y", to, expected_y);
        if (wrong.empty()) wrong = differs("keep", kept, before);
        if (wrong.empty()) wrong = differs("turned", other, expected_turned);
        if (!wrong.empty()) return wrong;
    }
    return {};
}

} // namespace

TEST_CASE("layers of three outputs")
{
    constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512};
#if defined(__SANITIZE_ADDRESS__)
    constexpr int trials = 60;
#else
    constexpr int trials = 240;
#endif
    const target device = vulkan_target({.max_storage_buffers = 8});
    random_numbers random{7};
    int lowered[2] = {};
    for (int trial = 0; trial < trials; ++trial) {
        const conv2d_shape s = random_layer(random);
        const definition d = with_outputs(s);
        REQUIRE(d.found.ok());
        REQUIRE_FALSE(winograd_applies(d));
        const std::uint64_t seed = random.next();
        CAPTURE(trial);
        if (trial % 2 == 0) {
            const isa set = sets[trial / 2 % 3];
            const direct_knobs k = random_direct(random);
            CHECK(broken_law(s, direct_schedule(d, k, set),
                             packing_schedule(d.tensors[1], packed_weights(d, k, set)[0], set), cpu_target(set), seed,
                             lowered[0]) == "");
        } else {
            vulkan_knobs k = fitted(d, random_vulkan(random));
            // Of a tile of one row all lanes write the same, which is a race to the interpreter.
            if (k.rows * k.lane_rows == 1) k.stage = staging::none;
            CHECK(broken_law(s, vulkan_schedule(d, k), vulkan_packing(d, k), device, seed, lowered[1]) == "");
        }
    }
    MESSAGE(lowered[0], " on the CPU, ", lowered[1], " on devices");
    CHECK(lowered[0] > trials / 3);
    CHECK(lowered[1] > trials / 3);
}

TEST_CASE("further outputs are stored before y, and where it is")
{
    constexpr schedule s = direct_schedule(further::thrice::definition(),
                                           {.rows = 2, .vectors = 1, .reduce_block = 8, .row_block = 4}, isa::baseline);
    const nest n = lower(s);
    REQUIRE(n.ok());
    const std::string text = print(n);
    // The sums wait in memory of their own, since y may stand in the place of the residual.
    CHECK(text.find("sums: workspace") != std::string::npos);
    int stores = 0;
    for (std::size_t at = text.find("half["); at != std::string::npos; at = text.find("half[", at + 1), ++stores) {
        const auto end_of_line = [&](std::size_t from) { return text.find('\n', from) + 1; };
        const std::size_t begin = text.rfind('\n', at) + 1, keep = end_of_line(at), y = end_of_line(keep);
        const std::string indent(at - begin, ' ');
        CHECK(text.substr(keep, indent.size() + 5) == indent + "keep[");
        CHECK(text.substr(y, indent.size() + 2) == indent + "y[");
    }
    CHECK(stores > 0);
}

// What is read behind a reduction, too, is read where the tensor ends: no leaf is skipped for its zeros.
TEST_CASE("an operand that reads padding in the body and in a further output")
{
    definition d;
    const auto add = [&](const char* name, role part, std::int64_t extent) {
        tensor t{.name = name, .role = part};
        t.dims.push_back({.extent = extent});
        return static_cast<std::int8_t>(d.tensors.push_back(t));
    };
    stage s{.name = "shift"};
    s.axes.push_back({"i", 8});
    s.axes.push_back({"k", 3, true});
    s.operands.push_back({.tensor = add("x", role::input, 8), .may_leave = true});
    s.operands[0].index.push_back(along(0, 1, -2));
    s.operands.push_back({.tensor = add("weights", role::weights, 3)});
    s.operands[1].index.push_back(along(1));
    further_output copy{.to = {.tensor = add("copy", role::output, 8)}, .value = ex::load(0) + 1.0f};
    copy.to.index.push_back(along(0));
    s.further.push_back(copy);
    s.output.tensor = add("y", role::output, 8);
    s.output.index.push_back(along(0));
    s.reduce = reduction::add;
    s.body = ex::load(0) * ex::load(1);
    d.stages.push_back(s);
    d = checked(d);
    REQUIRE(d.found.ok());
    schedule plain{.definition = d};
    plain.plans.push_back({});
    plain.plans[0].add(0, 1).open_tile();
    plain.plans[0].add(1, 1).mask(0);
    floats x = small_integers(8, 1), weights{1, 2, 3}, copied = poisoned(8), y = poisoned(8);
    const argument all[] = {given(x), given(weights), given(copied), given(y)};
    const nest n = lower(plain);
    CHECK(text_of(check(n, cpu_target(isa::baseline))) == text_of({}));
    CHECK(text_of(interpret(n, all)) == text_of({}));
    for (std::size_t i = 0; i < 8; ++i) {
        const float read = i < 2 ? 0 : x[i - 2];
        CHECK(copied[i] == read + 1);
        CHECK(y[i] == 6 * read);
    }
}
