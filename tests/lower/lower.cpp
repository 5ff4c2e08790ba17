// SPDX-License-Identifier: BSL-1.0
// Laws of lowering, for random shapes and knobs: whatever the schedule, the nest keeps every rule and computes what the
// definition says, or lowering names a fault. The interpreter is the judge, plain loops are the reference.
#include <hone/cpu/kernel.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>

#include <map>
#include <sstream>
#include <utility>

#include <doctest/doctest.h>

#include "lower/worked_example.hpp"
#include "open_windows.hpp"
#include "reference.hpp"
#include "transposed.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512};

// ---- random workloads: definitions are templates over their shape, so the shapes are drawn at compile time ----

// The epilogue chains that shapes take in turn.
constexpr int chains = 5;
steps chain(int c)
{
    switch (c) {
    case 1: return {step::bias, step::relu};
    case 2: return {step::bias, step::residual, step::relu};
    case 3: return {step::relu6};
    case 4: return {step::residual, step::bias};
    default: return {};
    }
}
template <conv2d_shape S, epilogue... E>
definition with_epilogue()
{
    return conv2d<S, f32, E...>::definition();
}
template <gemm_shape S, epilogue... E>
definition with_epilogue()
{
    return gemm<S, f32, E...>::definition();
}
template <auto Shape, int Chain>
definition definition_of()
{
    if constexpr (Chain == 1)
        return with_epilogue<Shape, bias, relu>();
    else if constexpr (Chain == 2)
        return with_epilogue<Shape, bias, residual, relu>();
    else if constexpr (Chain == 3)
        return with_epilogue<Shape, relu6>();
    else if constexpr (Chain == 4)
        return with_epilogue<Shape, residual, bias>();
    else
        return with_epilogue<Shape>();
}

template <class Shape>
struct workload {
    Shape shape;
    steps epilogue;
    definition (*make)();
};

template <auto ShapeOf, int Count>
auto workloads_of()
{
    std::vector<workload<decltype(ShapeOf(0))>> all;
    [&]<int... I>(std::integer_sequence<int, I...>) {
        (all.push_back({ShapeOf(I), chain(I % chains), &definition_of<ShapeOf(I), I % chains>}), ...);
    }(std::make_integer_sequence<int, Count>{});
    return all;
}

template <std::size_t N>
constexpr std::int64_t one_of(random_numbers& random, const int (&values)[N])
{
    return values[random.between(0, static_cast<std::int64_t>(N) - 1)];
}

// Channels around the vector lengths 4, 8 and 16, images around the kernel's reach.
constexpr conv2d_shape random_convolution(int i)
{
    random_numbers random{static_cast<std::uint64_t>(i)};
    conv2d_shape s;
    s.n = random.one_in(4) ? 2 : 1;
    s.kh = one_of(random, {1, 2, 3, 3});
    s.kw = one_of(random, {1, 2, 3, 3});
    s.stride = random.between(1, 2);
    s.pad = random.between(0, 3);
    s.dilation = random.one_in(4) ? 2 : 1;
    // A third of them differ by direction, and by side.
    if (random.one_in(3)) {
        s.stride_h = random.between(1, 3);
        s.stride_w = random.between(1, 4);
        s.dilation_w = random.between(1, 2);
        s.pad_h = random.between(0, 2);
        s.pad_left = random.between(0, 3);
        s.pad_bottom = random.between(0, 4);
    }
    const image_window v = s.window();
    const auto side = [&](std::int64_t reach, std::int64_t pads) {
        const std::int64_t least = reach + 1 - pads;
        return random.between(least < 1 ? 1 : least, 9);
    };
    s.h = side(v.dilation_h * (s.kh - 1), v.pad_top + v.pad_bottom);
    s.w = side(v.dilation_w * (s.kw - 1), v.pad_left + v.pad_right);
    switch (random.between(0, 4)) {
    case 0: s.groups = s.ic = s.oc = one_of(random, {1, 3, 4, 8, 11, 16, 19, 32, 35}); break;
    case 1:
        s.groups = random.between(2, 3);
        s.ic = s.groups * one_of(random, {1, 2, 3, 5});
        s.oc = s.groups * one_of(random, {1, 2, 4, 9, 16});
        break;
    default:
        s.ic = one_of(random, {1, 2, 3, 5, 7, 8, 13, 16});
        s.oc = one_of(random, {1, 3, 4, 8, 15, 16, 17, 24, 33, 50});
    }
    s.layout = random.one_in(3) ? layout::nchw : layout::nhwc;
    if (random.one_in(4)) s.n = extent::up_to(s.n.value + 1);
    return s;
}

// Groups of fewer channels than half a vector, in numbers that fill whole vectors, and others.
constexpr conv2d_shape random_groups(int i)
{
    random_numbers random{static_cast<std::uint64_t>(i) + 3000};
    conv2d_shape s = random_convolution(i);
    s.groups = one_of(random, {2, 3, 5, 8, 9, 10, 11, 16, 30});
    s.ic = s.groups * one_of(random, {1, 1, 2, 3, 4, 7});
    s.oc = s.groups * one_of(random, {2, 2, 3, 4, 4, 5, 8});
    return s;
}

constexpr conv2d_shape random_3x3(int i)
{
    random_numbers random{static_cast<std::uint64_t>(i) + 1000};
    conv2d_shape s{.kh = 3, .kw = 3};
    s.n = random.one_in(4) ? 2 : 1;
    s.pad = random.between(0, 2);
    if (random.one_in(3)) {
        s.pad_top = random.between(0, 3);
        s.pad_right = random.between(0, 3);
    }
    const image_window v = s.window();
    s.h = random.between(v.pad_top + v.pad_bottom < 2 ? 3 : 1, 11);
    s.w = random.between(v.pad_left + v.pad_right < 2 ? 3 : 1, 11);
    s.ic = one_of(random, {1, 3, 4, 5, 8, 16, 17});
    s.oc = one_of(random, {1, 3, 4, 7, 16, 18, 33});
    s.layout = random.one_in(3) ? layout::nchw : layout::nhwc;
    return s;
}

constexpr gemm_shape random_product(int i)
{
    random_numbers random{static_cast<std::uint64_t>(i) + 2000};
    gemm_shape s;
    s.batch = random.one_in(4) ? random.between(2, 3) : 1;
    s.m = random.between(1, 40);
    if (random.one_in(3)) s.m = extent::up_to(s.m.value);
    s.n = one_of(random, {1, 3, 4, 8, 15, 16, 17, 31, 33, 50});
    s.k = random.between(1, 20);
    if (random.one_in(3)) s.x = transposed::yes;
    if (random.one_in(3)) s.weights = transposed::yes;
    const auto distance = [&](std::int64_t dense, bool may_be_open) -> leading {
        switch (random.between(0, 3)) {
        case 0: return dense + random.between(0, 5);
        case 1: return may_be_open ? leading::at_call() : leading{};
        default: return {};
        }
    };
    s.ldx = distance(s.x == transposed::yes ? s.m.value : s.k.value, true);
    s.ldw = distance(s.weights == transposed::yes ? s.k.value : s.n.value, false);
    s.ldy = distance(s.n, true);
    if (s.batch > 1 && random.one_in(2)) {
        s.batch_stride_x = leading::at_call();
        s.batch_stride_y = leading::at_call();
    }
    if (random.one_in(3)) s.n = extent::up_to(s.n.value);
    if (random.one_in(3)) s.k = extent::up_to(s.k.value);
    return s;
}

direct_knobs random_direct(random_numbers& random)
{
    direct_knobs k;
    k.rows = static_cast<std::int32_t>(random.between(1, 8));
    k.vectors = static_cast<std::int32_t>(random.between(1, 3));
    k.reduce_unroll = static_cast<std::int32_t>(one_of(random, {1, 1, 2, 3, 4}));
    k.reduce_block = static_cast<std::int32_t>(one_of(random, {0, 0, 2, 3, 4, 6}));
    k.row_block = static_cast<std::int32_t>(one_of(random, {0, 0, 2, 3, 5, 8}));
    k.pad = random.one_in(2) ? padding::copy : padding::peel;
    k.order = random.one_in(2) ? walk::rows_outer : walk::weights_outer;
    k.unroll_window = random.one_in(3);
    k.vector = random.one_in(2) ? vector_axis::output : vector_axis::weights;
    return k;
}
winograd_knobs random_winograd(random_numbers& random)
{
    winograd_knobs k;
    k.tile = random.one_in(2) ? 2 : 4;
    k.block_rows = static_cast<std::int32_t>(random.between(1, 3));
    k.block_columns = static_cast<std::int32_t>(random.between(1, 4));
    k.rows = static_cast<std::int32_t>(random.between(1, 7));
    k.vectors = static_cast<std::int32_t>(random.between(1, 3));
    return k;
}

std::string text_of(const conv2d_shape& s)
{
    std::ostringstream o;
    const image_window v = s.window();
    o << "conv2d{.n = " << (s.n.at_call ? "<=" : "") << s.n << ", .h = " << s.h << ", .w = " << s.w
      << ", .ic = " << (s.ic.at_call ? "<=" : "") << s.ic << ", .oc = " << (s.oc.at_call ? "<=" : "") << s.oc
      << ", .kh = " << s.kh << ", .kw = " << s.kw << ", .stride = " << v.stride_h << " x " << v.stride_w
      << ", .pad = " << v.pad_top << ' ' << v.pad_left << ' ' << v.pad_bottom << ' ' << v.pad_right
      << ", .dilation = " << v.dilation_h << " x " << v.dilation_w << ", .groups = " << s.groups << "} "
      << (s.layout == layout::nhwc ? "nhwc" : "nchw");
    return o.str();
}
std::string text_of(const gemm_shape& s)
{
    std::ostringstream o;
    const auto distance = [](const leading& l) { return l.is_at_call ? std::string{"open"} : std::to_string(l.value); };
    const auto size = [](const extent& e) { return (e.at_call ? "<=" : "") + std::to_string(e.value); };
    o << "gemm{.batch = " << s.batch << ", .m = " << size(s.m) << ", .n = " << size(s.n) << ", .k = " << size(s.k)
      << (s.x == transposed::yes ? ", x transposed" : "")
      << (s.weights == transposed::yes ? ", weights transposed" : "") << ", .ldx = " << distance(s.ldx)
      << ", .ldw = " << distance(s.ldw) << ", .ldy = " << distance(s.ldy) << "}";
    return o.str();
}
std::string text_of(const direct_knobs& k)
{
    std::ostringstream o;
    o << "direct{.rows = " << k.rows << ", .vectors = " << k.vectors << ", .reduce_unroll = " << k.reduce_unroll
      << ", .reduce_block = " << k.reduce_block << ", .row_block = " << k.row_block
      << (k.pad == padding::copy ? ", copy" : ", peel")
      << (k.order == walk::rows_outer ? ", rows_outer" : ", weights_outer")
      << (k.unroll_window ? ", unroll_window" : "") << (k.vector == vector_axis::output ? ", along the output" : "")
      << "}";
    return o.str();
}
std::string text_of(const winograd_knobs& k)
{
    std::ostringstream o;
    o << "winograd{.tile = " << k.tile << ", .block_rows = " << k.block_rows << ", .block_columns = " << k.block_columns
      << ", .rows = " << k.rows << ", .vectors = " << k.vectors << "}";
    return o.str();
}

// ---- the laws ----

// How often the nest runs a statement that accumulates, lanes counted one by one.
class multiply_adds {
public:
    multiply_adds(const nest& n, const std::vector<std::int64_t>& parameters)
        : n_{n}, parameters_{parameters}, variables_(n.variables.size())
    {
        walk(n.root);
    }
    std::int64_t count() const { return count_; }

private:
    void walk(int at)
    {
        for (; at >= 0; at = n_.nodes[static_cast<std::size_t>(at)].next) {
            const node& here = n_.nodes[static_cast<std::size_t>(at)];
            if (here.kind == node_kind::leaf) {
                const statement& s = n_.statements[static_cast<std::size_t>(here.statement)];
                if (s.reduce != reduction::none) ++count_;
            } else if (here.kind == node_kind::loop) {
                const std::int64_t last = upper_of(n_, here, variables_.data(), parameters_.data());
                for (std::int64_t i = lower_of(n_, here, variables_.data(), parameters_.data()); i < last; ++i) {
                    variables_[static_cast<std::size_t>(here.variable)] = i;
                    walk(here.child);
                }
            } else if (here.kind != node_kind::guard || holds(here.conditions)) {
                walk(here.child);
            }
        }
    }
    bool holds(const range& conditions) const
    {
        for (int i = conditions.first; i < conditions.first + conditions.count; ++i)
            if (value_of(n_, n_.conditions[static_cast<std::size_t>(i)], variables_.data(), parameters_.data()) < 0)
                return false;
        return true;
    }

    const nest& n_;
    const std::vector<std::int64_t>& parameters_;
    std::vector<std::int64_t> variables_;
    std::int64_t count_ = 0;
};

std::string text_of(const status& s)
{
    return std::string{s.message()} + " (" + s.subject + ": expected " + std::to_string(s.expected) + ", found " +
           std::to_string(s.found) + ")";
}

// Of each workload, on the instruction sets in turn. Sanitizers take five times as long.
#if defined(__SANITIZE_ADDRESS__)
constexpr int trials_of_each = 3;
#else
constexpr int trials_of_each = 12;
#endif

// What became of the trials: how many lowered, and why the others did not.
struct tally {
    int trials = 0;
    int lowered = 0;
    std::map<std::string, int> faults;
};

// One law after another; empty where all hold. `multiply_adds_due` < 0: not counted.
std::string broken_law(const schedule& compute, const schedule& packing, call_data d, const doubles& expected,
                       double tolerance, const std::vector<std::int64_t>& parameters, std::int64_t multiply_adds_due,
                       tally& t)
{
    ++t.trials;
    const nest n = lower(compute);
    const nest again = lower(compute);
    if (nest_hash(n) != nest_hash(again) || print(n) != print(again)) return "lowered twice, the nest differs";
    if (!n.ok()) {
        ++t.faults[text_of(n.found)];
        // A fault that says nothing would be no better than a wrong result.
        return n.found.subject[0] == '\0' ? "a fault without a subject: " + text_of(n.found) : "";
    }
    ++t.lowered;
    const target cpu = cpu_target(compute.set);
    const status rules = check(n, cpu);
    if (!rules.ok()) ++t.faults[std::string{"check: "} + rules.message()];
    if (!rules.ok() && rules.what != fault::too_many_live_registers && rules.what != fault::too_many_tile_bodies)
        return "check: " + text_of(rules);

    const nest pack = lower(packing);
    if (!pack.ok()) return "packing: " + text_of(pack.found);
    if (const status found = check(pack, cpu); !found.ok()) return "packing, check: " + text_of(found);
    floats packed = poisoned(packing.definition.tensors[1].elements());
    const auto given = [](floats& f) { return argument{f.data(), static_cast<std::int64_t>(f.size())}; };
    const argument weights[] = {given(d.weights), given(packed)};
    if (const status found = interpret(pack, weights); !found.ok()) return "packing, run: " + text_of(found);
    for (std::size_t i = 0; i < packed.size(); ++i)
        if (std::isnan(packed[i])) return "packing leaves element " + std::to_string(i) + " as it was";

    std::vector<argument> arguments;
    for (const buffer& b : n.buffers) {
        if (b.memory != memory::argument) continue;
        arguments.resize(std::max(arguments.size(), static_cast<std::size_t>(b.position) + 1));
        arguments[static_cast<std::size_t>(b.position)] = given(b.role == role::input      ? d.x
                                                                : b.role == role::weights  ? packed
                                                                : b.role == role::bias     ? d.bias
                                                                : b.role == role::residual ? d.residual
                                                                                           : d.y);
        // Of extents that a call gives, a nest states the largest.
        const bool is_known = b.role == role::weights && parameters.empty();
        const std::int64_t least = value_of(n, b.elements, nullptr, parameters.data()) - (is_known ? 0 : 1 << 30);
        if (static_cast<std::int64_t>(packed.size()) < least) return "the nest reads more weights than are packed";
    }
    if (const status found = interpret(n, arguments, parameters); !found.ok()) return "run: " + text_of(found);
    if (const std::string wrong = difference(d.y, expected, tolerance); !wrong.empty()) return "result: " + wrong;
    // y in the place of the residual: each element is read where it is written, and before.
    for (const buffer& b : n.buffers) {
        if (b.memory != memory::argument || b.role != role::residual) continue;
        floats in_place = d.residual;
        for (const buffer& o : n.buffers)
            if (o.role == role::residual || o.role == role::output)
                arguments[static_cast<std::size_t>(o.position)] = given(in_place);
        if (const status found = interpret(n, arguments, parameters); !found.ok()) return "in place: " + text_of(found);
        // Between the rows of a view the residual stays.
        for (std::size_t i = 0; i < in_place.size(); ++i)
            if (std::isnan(expected[i])) in_place[i] = in_place[i] == d.residual[i] ? d.y[i] : 1e30f;
        if (const std::string wrong = difference(in_place, expected, tolerance); !wrong.empty())
            return "in place: " + wrong;
        break;
    }
    if (multiply_adds_due >= 0) {
        const std::int64_t executed = multiply_adds{n, parameters}.count();
        if (executed != multiply_adds_due)
            return "iterations: " + std::to_string(executed) + " multiply-adds, expected " +
                   std::to_string(multiply_adds_due);
    }
    return {};
}

void report(const tally& t)
{
    std::string text;
    for (const auto& [what, count] : t.faults) text += "\n  " + std::to_string(count) + " x " + what;
    MESSAGE(t.lowered, " of ", t.trials, " lowered", text);
}

} // namespace

TEST_CASE("the worked example is what is lowered")
{
    stage_plan p;
    p.add(axis_i, 4, binding::parallel, tail::peel).open_tile();
    p.add(axis_t, 1).add(axis_i, 1, binding::unroll);
    const std::string text = print(lower(planned(three_taps(), p)));
    CHECK(examples_in("lower/lower.hpp").find(text.substr(text.find("parallel"))) != std::string::npos);
}

namespace {

// Lanes that work in one pass over all outputs of a pixel: vectors run along the channels of a group, or the groups
// where each has one. Packed weights fill the last vector of a group; where x has none of that padding, lanes past the
// end are left out.
std::int64_t lanes_of_pixel(const conv2d_shape& s, isa set)
{
    const std::int64_t own = s.oc / s.groups, length = lanes_of(set, dtype::f32);
    if (own == 1 && s.groups > 1) return s.groups;
    const bool fuses = s.groups > 1 && own > 1 && 2 * own <= length &&
                       (s.layout == layout::nhwc || s.oh() * s.ow() == 1); // channels stand side by side
    // Of groups that no vector holds evenly, as many stand in one as divide all.
    std::int64_t together = length / own;
    while (fuses && length % own != 0 && s.groups % together != 0) --together;
    return fuses && together > 1 ? s.oc.value : s.groups * round_up(own, length);
}

// Gives a convolution some channels of the call, and groups, too; of its least image.
void open_channels(conv2d_shape& s, random_numbers& random)
{
    const std::int64_t open = random.between(0, 3);
    if (s.groups == s.ic && s.groups == s.oc && s.groups > 1 && open > 0) {
        s.ic = s.oc = s.groups = extent::up_to(s.groups + random.between(0, 20));
    } else if (s.groups == 1) {
        if ((open & 1) != 0) s.ic = extent::up_to(s.ic + random.between(0, 5));
        if ((open & 2) != 0) s.oc = extent::up_to(s.oc + random.between(0, 20));
    } else {
        if ((open & 1) != 0) s.ic = extent::up_to(s.ic + s.groups * random.between(1, 3));
        if ((open & 2) != 0) s.oc = extent::up_to(s.oc + s.groups * random.between(1, 10));
        if (open == 3 && random.one_in(2)) s.groups = extent::up_to(s.groups.value);
    }
}

// The same convolutions with extents that each call gives, of the image and of its channels: calls of several sizes for
// each nest.
int check_open_images(const std::vector<workload<conv2d_shape>>& all, random_numbers random)
{
    tally t;
    for (const auto& w : all) {
        conv2d_shape s = w.shape;
        s.layout = layout::nhwc;
        open_channels(s, random);
        const std::int64_t open = random.between(s.ic.at_call || s.oc.at_call ? 0 : 1, 3);
        const image_window v = s.window();
        const auto least = [](std::int64_t reach, std::int64_t pads) { return reach > pads ? reach - pads : 1; };
        const std::int64_t h = least(v.rows(s.kh), v.pad_top + v.pad_bottom);
        const std::int64_t columns = least(v.columns(s.kw), v.pad_left + v.pad_right);
        if ((open & 1) != 0) s.h = extent::up_to(s.h + random.between(0, 4));
        if ((open & 2) != 0) s.w = extent::up_to(s.w + random.between(0, 20));
        if (random.one_in(2)) s.n = extent::up_to(s.n.value);
        const definition what = conv2d_definition<bias, residual>(s, dtype::f32);
        for (int trial = 0; trial < trials_of_each; ++trial) {
            conv2d_shape called = s;
            std::vector<std::int64_t> parameters;
            const auto give = [&](extent& e, std::int64_t from) {
                if (e.at_call == 0) return;
                parameters.push_back(random.one_in(3) ? from : random.between(from, e.value));
                e = parameters.back();
            };
            give(called.n, 1);
            give(called.h, h);
            give(called.w, columns);
            const auto give_channels = [&](extent& e) {
                give(e, 1);
                if (s.is_each() || called.groups == 1 || e.at_call != 0 || e % called.groups == 0) return;
                e = std::max(e / called.groups * called.groups, called.groups.value);
                parameters.back() = e;
            };
            if (s.groups.at_call && !s.is_each()) called.groups = random.between(1, s.groups);
            give_channels(called.ic);
            if (s.is_each())
                called.oc = called.groups = called.ic;
            else
                give_channels(called.oc);
            if (s.groups.at_call && !s.is_each()) parameters.push_back(called.groups);
            const std::size_t given = parameters.size();
            parameters.resize(what.parameters.size());
            complete(what.parameters, parameters.data(), parameters.data());
            CHECK(given == given_parameters(what.parameters));
            const call_data d = data_of(called, random.next());
            const isa set = sets[trial % 3];
            const direct_knobs k = random.one_in(3) ? default_direct(what, set) : random_direct(random);
            const tensor source = at_call(what.tensors[1], parameters.data());
            const tensor packed = at_call(packed_weights(what, k, set)[0], parameters.data());
            const std::string broken =
                broken_law(direct_schedule(what, k, set), packing_schedule(source, packed, set), d,
                           reference(called, d, {step::bias, step::residual}), 0, parameters, -1, t);
            CHECK_MESSAGE(broken.empty(), broken, "\n  ", text_of(s), " of ", text_of(called), "\n  ", text_of(k), " ",
                          std::string{name_of(set)});
        }
    }
    report(t);
    return t.lowered;
}

// Convolutions of windows of the call: several calls for each nest.
int check_open_windows(int shapes, random_numbers random)
{
    tally t;
    for (int i = 0; i < shapes; ++i) {
        const conv2d_shape s = drawn_open_windows(random);
        const definition what = checked(conv2d_definition<bias, residual>(s, dtype::f32));
        for (int trial = 0; trial < trials_of_each; ++trial) {
            const isa set = sets[trial % 3];
            const direct_knobs k = random.one_in(3) ? default_direct(what, set) : random_direct(random);
            for (int call = 0; call < 3; ++call) {
                const conv2d_shape called = drawn_call(s, random);
                std::vector<std::int64_t> parameters = values_of_call(s, called);
                CHECK(parameters.size() == given_parameters(what.parameters));
                parameters.resize(what.parameters.size());
                complete(what.parameters, parameters.data(), parameters.data());
                const call_data d = data_of(called, random.next());
                const tensor source = at_call(what.tensors[1], parameters.data());
                const tensor packed = at_call(packed_weights(what, k, set)[0], parameters.data());
                const std::string broken =
                    broken_law(direct_schedule(what, k, set), packing_schedule(source, packed, set), d,
                               reference(called, d, {step::bias, step::residual}), 0, parameters, -1, t);
                CHECK_MESSAGE(broken.empty(), broken, "\n  ", std::string(signature_of(s, dtype::f32).c_str()), " of ",
                              text_of(called), "\n  ", text_of(k), " ", std::string{name_of(set)});
            }
        }
    }
    report(t);
    return t.lowered;
}

// How many of the kernels had vectors along the output.
int check_convolutions(const std::vector<workload<conv2d_shape>>& all, random_numbers random)
{
    tally t;
    int along = 0;
    for (const auto& w : all) {
        // Of images that the call gives, one fewer than it may.
        conv2d_shape called = w.shape;
        std::vector<std::int64_t> parameters;
        if (w.shape.n.at_call) {
            called.n = w.shape.n - 1;
            parameters.push_back(called.n);
        }
        const call_data d = data_of(called, random.next());
        const doubles expected = reference(called, d, w.epilogue);
        for (int trial = 0; trial < trials_of_each; ++trial) {
            const isa set = sets[trial % 3];
            const direct_knobs k = random_direct(random);
            const definition what = w.make();
            // Along the output lanes past the end are left out.
            const bool along_output = k.vector == vector_axis::output && axis_of_output(what) >= 0;
            along += along_output ? 1 : 0;
            const std::int64_t lanes = along_output ? w.shape.oc.value : lanes_of_pixel(w.shape, set);
            const bool copies = k.pad == padding::copy && w.shape.window().pads() && !along_output;
            const std::string broken = broken_law(
                direct_schedule(what, k, set), packing_schedule(what.tensors[1], packed_weights(what, k, set)[0], set),
                d, expected, 0, parameters, live_taps(called, copies) * (w.shape.ic / w.shape.groups) * lanes, t);
            CHECK_MESSAGE(broken.empty(), broken, "\n  ", text_of(w.shape), "\n  ", text_of(k), " ",
                          std::string{name_of(set)});
        }
    }
    report(t);
    return along;
}

} // namespace

TEST_CASE("direct convolutions") { CHECK(check_convolutions(workloads_of<random_convolution, 60>(), {1}) > 20); }

TEST_CASE("direct convolutions of images that the call gives")
{
    CHECK(check_open_images(workloads_of<random_convolution, 60>(), {5}) > 60 * trials_of_each / 2);
}

TEST_CASE("direct convolutions of windows that the call gives")
{
    CHECK(check_open_windows(20, {6}) > 20 * trials_of_each * 3 / 2);
}

TEST_CASE("direct convolutions of groups of few channels")
{
    check_convolutions(workloads_of<random_groups, 48>(), {4});
}

TEST_CASE("transposed convolutions")
{
    tally t;
    random_numbers random{5};
    int counted = 0;
    for (int i = 0; i < 30; ++i) {
        const conv2d_transposed_shape s = drawn_transposed(random);
        const definition what = checked(conv2d_transposed_definition<bias, residual>(s, dtype::f32));
        const call_data d = data_of(s, random.next());
        const doubles expected = reference(s, d, {step::bias, step::residual});
        for (int trial = 0; trial < trials_of_each; ++trial) {
            const isa set = sets[trial % 3];
            const direct_knobs k = random_direct(random);
            // Where no output is left out, phases meet the taps that spread to them and no other.
            const bool copies = k.pad == padding::copy && what.stages[0].operands[0].may_leave;
            const bool is_counted = s.groups == 1 && !what.stages[0].output.may_leave && !copies &&
                                    (k.vector == vector_axis::weights || axis_of_output(what) < 0);
            const std::int64_t lanes = s.ic * round_up(s.oc, lanes_of(set, dtype::f32));
            counted += is_counted ? 1 : 0;
            const std::string broken = broken_law(
                direct_schedule(what, k, set), packing_schedule(what.tensors[1], packed_weights(what, k, set)[0], set),
                d, expected, 0, {}, is_counted ? live_taps(s) * lanes : -1, t);
            CHECK_MESSAGE(broken.empty(), broken, "\n  ", text_of(s), "\n  ", text_of(k), " ",
                          std::string{name_of(set)});
        }
    }
    CHECK(counted > 10);
    report(t);
}

TEST_CASE("matrix products")
{
    tally t;
    random_numbers random{2};
    for (const auto& w : workloads_of<random_product, 40>()) {
        const gemm_shape& s = w.shape;
        for (int trial = 0; trial < trials_of_each; ++trial) {
            const isa set = sets[trial % 3];
            const direct_knobs k = random_direct(random);
            const gemm_call c = call_of(s, random.between(1, s.m.value),
                                        (s.x == transposed::yes ? s.m.value : s.k.value) + random.between(0, 3),
                                        s.n + random.between(0, 3), random.between(0, 5), random.between(1, s.n),
                                        random.between(1, s.k));
            const call_data d = data_of(s, c, random.next());
            const definition what = w.make();
            // As for convolutions: without columns, the vectors run along the batch, if its matrices lie as far apart
            // in each call.
            const bool by_batch = s.n == 1 && s.batch > 1 && !has_open_stride(what, what.stages[0], 0);
            // Or along the rows of y, where these are one column that x lies along.
            const bool along_output = k.vector == vector_axis::output && axis_of_output(what) >= 0;
            // A tile that holds all columns that a call may have computes them all.
            const std::int64_t length = lanes_of(set, dtype::f32);
            const std::int64_t columns = s.n < k.vectors * length ? s.n.value : c.n;
            const std::int64_t lanes = by_batch || along_output ? s.batch : s.batch * round_up(columns, length);
            const std::vector<std::int64_t> parameters = parameters_of(s, c, true);
            const tensor source = at_call(what.tensors[1], parameters.data());
            const tensor packed = at_call(packed_weights(what, k, set)[0], parameters.data());
            const std::string broken =
                broken_law(direct_schedule(what, k, set), packing_schedule(source, packed, set), d,
                           reference(s, c, d, w.epilogue), 0, parameters, c.m * c.k * lanes, t);
            CHECK_MESSAGE(broken.empty(), broken, "\n  ", text_of(s), " m = ", c.m, ", n = ", c.n, ", k = ", c.k,
                          "\n  ", text_of(k), " ", std::string{name_of(set)});
        }
    }
    report(t);
}

// Blocks of outputs that lie in the padding are not counted one by one: compilers of kernels count their steps.
constexpr conv2d_shape wide{.w = 1000, .ic = 4, .oc = 4, .kw = 9, .pad_left = 1 << 24, .pad_right = 1 << 24};
static_assert(lower(schedule_for(conv2d<wide, f32>::definition(), cpu_config(direct_knobs{.rows = 4, .vectors = 1}),
                                 isa::baseline))
                  .ok());

TEST_CASE("Winograd convolutions")
{
    tally t;
    random_numbers random{3};
    for (const auto& w : workloads_of<random_3x3, 24>()) {
        const call_data d = data_of(w.shape, random.next());
        const doubles expected = reference(w.shape, d, w.epilogue);
        for (int trial = 0; trial < trials_of_each; ++trial) {
            const isa set = sets[trial % 3];
            const winograd_knobs k = random_winograd(random);
            const definition what = w.make();
            // The tables of F(2, 3) are halves, so that small integers stay exact. Sums before the epilogue are below
            // 16 * 9 * ic.
            const std::string broken =
                broken_law(winograd_schedule(what, k, set), winograd_packing(what, k, set), d, expected,
                           k.tile == 2 ? 0 : 1e-6 * 144 * static_cast<double>(w.shape.ic), {}, -1, t);
            CHECK_MESSAGE(broken.empty(), broken, "\n  ", text_of(w.shape), "\n  ", text_of(k), " ",
                          std::string{name_of(set)});
        }
    }
    report(t);
}
