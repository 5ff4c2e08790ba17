// SPDX-License-Identifier: BSL-1.0
// The loop nest x = g(e, s) of the paper: one constexpr value that both code generators, the interpreter and the
// cost model read. It states bounds, accesses, memories and leaf expressions; pointers and index arithmetic are
// the code generators' business.
//
// A nest is a tree of nodes over shared tables. Siblings that came from one loop by peeling share its variable, so
// accesses and statements are stated once however many tile bodies there are.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/dtype.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/core/saturate.hpp>
#include <hone/core/target.hpp>
#include <hone/ir/expr.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// How a loop is run.
enum class binding : std::uint8_t {
    serial,    // one after another
    unroll,    // written out; the variable is a literal in each copy. Indexes registers.
    vectorize, // the lanes of one vector; innermost
    parallel,  // chunks of an executor (CPU)
    grid,      // workgroups (Vulkan)
    lane,      // invocations of a workgroup (Vulkan)
};
constexpr const char* name_of(binding b)
{
    constexpr const char* names[] = {"serial", "unroll", "vectorize", "parallel", "grid", "lane"};
    return names[static_cast<int>(b)];
}

// Where a buffer lives, and who sees it.
enum class memory : std::uint8_t {
    argument,  // given by the caller
    workspace, // one for the whole call, from the caller's workspace
    slot,      // one per worker slot, from the caller's workspace
    workgroup, // shared by the lanes of a workgroup (Vulkan)
    registers, // private to one iteration of the enclosing tile
};

// The part an argument plays in a call.
enum class role : std::uint8_t { none, input, weights, bias, residual, operand, output };
constexpr const char* name_of(role r)
{
    constexpr const char* names[] = {"none", "x", "weights", "bias", "residual", "operand", "y"};
    return names[static_cast<int>(r)];
}

enum class reduction : std::uint8_t { none, add, max, min };
// The value that a reduction starts from.
constexpr float identity_of(reduction r)
{
    constexpr float infinity = __builtin_huge_valf();
    return r == reduction::max ? -infinity : r == reduction::min ? infinity : 0.0f;
}

// coefficient * floor(variable / divisor) * parameter; variable or parameter -1 stands for 1. Only lanes of a vector of
// a CPU are divided: several neighbours read one element.
struct affine_term {
    std::int16_t variable = -1, parameter = -1;
    std::int64_t coefficient = 0;
    std::int16_t divisor = 1;
    friend constexpr bool operator==(const affine_term&, const affine_term&) = default;
};

// constant + the terms [first, first + count) of the nest.
struct affine {
    std::int64_t constant = 0;
    std::int16_t first = 0, count = 0;
    friend constexpr bool operator==(const affine&, const affine&) = default;
};

// floor(value / divisor); a ceiling is stated by adding divisor - 1.
struct bound {
    affine value{};
    std::int64_t divisor = 1;
    friend constexpr bool operator==(const bound&, const bound&) = default;
};

// Entries [first, first + count) of one of the nest's tables.
struct range {
    std::int16_t first = 0, count = 0;
    friend constexpr bool operator==(const range&, const range&) = default;
};

enum class node_kind : std::uint8_t {
    loop,    // variable from the maximum of `lower` to below the minimum of `upper`, step 1
    guard,   // children run where all `conditions` hold
    tile,    // the registers of the nest are live, and start undefined, in the children
    leaf,    // one statement
    barrier, // all lanes of the workgroup meet
};

struct node {
    node_kind kind = node_kind::loop;
    binding bind = binding::serial;
    std::int16_t parent = -1, child = -1, next = -1;
    std::int16_t variable = -1;  // loop
    std::int16_t statement = -1; // leaf
    // grid and lane: variable = (flattened index / radix_stride) % largest extent. Several such loops form one
    // flattened index in mixed radix; with `outermost` the remainder is left out. Indices past the extent are idle.
    bool outermost = false;
    std::int32_t radix_stride = 1;
    range lower{};      // bounds
    range upper{};      // bounds
    range conditions{}; // conditions
    friend constexpr bool operator==(const node&, const node&) = default;
};

struct variable {
    const char* name = ""; // the axis it walks
    std::int8_t level = 0; // its depth among the levels of that axis, outermost first
    std::int8_t stage = 0;
    bool reduction = false;
};

// Parameters that say how a window moves over a direction of an image: how long that is, padding included, and the
// taps; -1: no padding, and of dilation: one tap. `meets`: no window may lie in the padding altogether. `spread`: of so
// many pixels a transposed convolution makes the image, of `taps` each, and it ends less than a stride behind them.
struct window_numbers {
    std::int16_t image = -1, before = -1, behind = -1, taps = -1, dilation = -1, stride = -1, spread = -1;
    bool meets = false;
    friend constexpr bool operator==(const window_numbers&, const window_numbers&) = default;
};

struct parameter {
    const char* name = "";
    std::int64_t least = 0, most = 0; // bounds of the value, inclusive; kernels are checked with them
    // A product of two parameters before it, which no call gives: complete() computes it. Such stand behind the others.
    std::int16_t first_factor = -1, second_factor = -1;
    // A parameter before it, whose value in a call this one must reach, too.
    std::int16_t reaches = -1;
    // floor((times * a parameter before it + added) / divisor), which no call gives either: the windows in an image. A
    // share is the channels of a group: of so many groups as another parameter or the divisor says, and nothing may
    // remain. With a scale ceil((over + added) * scale / ((under + added) * divisor)) of two before it, where -1 has a
    // factor of 1, and 0 for a quotient by 0: how far apart in one image neighbours of another are, in parts of a
    // pixel.
    std::int16_t dividend = -1, groups = -1, over = -1, under = -1;
    bool is_share = false;
    std::int64_t added = 0, divisor = 1, times = 1, scale = 0;
    // floor((image + before + behind - dilation * (taps - 1) - 1) / stride) + 1: the windows of a call that gives
    // these.
    window_numbers window{};
    // Of calls, as far as that is known: what is measured, and what a cost model counts with. It changes no nest.
    std::int64_t typical = 0;

    constexpr bool is_given() const { return first_factor < 0 && dividend < 0 && window.image < 0 && scale == 0; }
    // Of no groups that are known yet, 1.
    constexpr std::int64_t by(const std::int64_t* v) const { return groups < 0 || v[groups] < 1 ? divisor : v[groups]; }
    // Whether this one counts the windows in an image that has the other as its length.
    constexpr bool counts_windows_of(int p) const { return p == dividend || p == window.image || p == window.spread; }
};
template <class Parameters>
constexpr parameter product_of(const Parameters& all, const char* name, std::int16_t a, std::int16_t b)
{
    return {name, saturated_product(all[a].least, all[b].least), saturated_product(all[a].most, all[b].most), a, b};
}
template <class Parameters>
constexpr parameter quotient_of(const Parameters& all, const char* name, std::int16_t a, std::int64_t added,
                                std::int64_t divisor, std::int64_t times = 1)
{
    const std::int64_t least = times * all[a].least + added, most = times * all[a].most + added;
    return {.name = name,
            .least = least / divisor,
            .most = most / divisor,
            .dividend = a,
            .added = added,
            .divisor = divisor,
            .times = times};
}
template <class Parameters>
constexpr parameter windows_of(const Parameters& all, const char* name, const window_numbers& w)
{
    std::int64_t padded = all[w.image].most + (w.before < 0 ? 0 : all[w.before].most);
    padded += w.behind < 0 ? 0 : all[w.behind].most;
    return {.name = name, .least = 1, .most = padded / all[w.stride].least, .window = w};
}
// The parameter that is the product of two; -1: there is none.
template <class Parameters>
constexpr std::int16_t find_product(const Parameters& all, int a, int b)
{
    for (std::size_t p = 0; p < all.size(); ++p)
        if ((all[p].first_factor == a && all[p].second_factor == b) ||
            (all[p].first_factor == b && all[p].second_factor == a))
            return static_cast<std::int16_t>(p);
    return -1;
}
// How many of the parameters each call gives: the first ones.
template <class Parameters>
constexpr std::size_t given_parameters(const Parameters& all)
{
    std::size_t count = 0;
    for (const parameter& p : all) count += p.is_given() ? 1 : 0;
    return count;
}
// What a window reaches beyond an image with its padding; more than 0: it holds none.
constexpr std::int64_t missing_of(const window_numbers& w, const std::int64_t* values)
{
    const auto of = [values](std::int16_t p) { return p < 0 ? 0 : values[p]; };
    return of(w.dilation) * (of(w.taps) - 1) + 1 - of(w.image) - of(w.before) - of(w.behind);
}
// All values, from those that a call gives. No windows where an image holds none, or nothing is known of them.
template <class Parameters>
constexpr void complete(const Parameters& all, const std::int64_t* given, std::int64_t* values)
{
    const auto windows = [&](const window_numbers& w) {
        const std::int64_t missing = missing_of(w, values);
        return missing > 0 || values[w.stride] < 1 ? 0 : -missing / values[w.stride] + 1;
    };
    const auto ratio = [&](const parameter& own) {
        const auto factor = [&](int of, std::int64_t by) { return by * (of < 0 ? 1 : values[of] + own.added); };
        const std::int64_t parts = factor(own.under, own.divisor);
        return parts < 1 ? 0 : (factor(own.over, own.scale) + parts - 1) / parts;
    };
    for (std::size_t p = 0; p < all.size(); ++p) {
        const parameter& own = all[p];
        values[p] = own.is_given()          ? given[p]
                    : own.window.image >= 0 ? windows(own.window)
                    : own.dividend >= 0     ? (own.times * values[own.dividend] + own.added) / own.by(values)
                    : own.scale > 0         ? ratio(own)
                                            : values[own.first_factor] * values[own.second_factor];
    }
}

struct buffer {
    const char* name = "";
    dtype type = dtype::f32;
    ir::memory memory = ir::memory::argument;
    ir::role role = ir::role::none;
    std::int8_t position = 0; // argument: index in the caller's argument list
    affine elements{};        // size; affine in parameters only
    std::int32_t vectors = 0; // registers: how many vector registers (scalars where the nest has no vector loop)
    std::int32_t first_register = 0;
};

// Element `index` of a buffer. `condition`s: where one fails, the value read is 0 and memory is not touched.
struct access {
    std::int16_t buffer = -1;
    affine index{};
    range conditions{};
    float outside = 0; // what a load gives where a condition fails
    friend constexpr bool operator==(const access&, const access&) = default;
};

// Entry `index` of the constant table [first, first + count) of the nest's table values; of a position, which has no
// values, the index is all.
struct table_access {
    range values{};
    affine index{};
};

// target (reduce)= value, where value is the expression rooted at node `value`.
struct statement {
    ir::reduction reduce = ir::reduction::none;
    std::int16_t target = -1; // access
    std::int16_t value = -1;  // expr node; its `ref`s are indices of accesses and table accesses
};

// Capacities of a nest, one per table.
struct nest_sizes {
    int nodes = 512, variables = 96, parameters = 40, buffers = 16, accesses = 48, statements = 40;
    int exprs = 160, terms = 512, bounds = 96, conditions = 96, table_accesses = 8, table_values = 128;
    friend constexpr bool operator==(const nest_sizes&, const nest_sizes&) = default;
};

template <nest_sizes S>
struct basic_nest {
    inline_vector<node, S.nodes> nodes{};
    inline_vector<ir::variable, S.variables> variables{};
    inline_vector<ir::parameter, S.parameters> parameters{};
    inline_vector<ir::buffer, S.buffers> buffers{};
    inline_vector<ir::access, S.accesses> accesses{};
    inline_vector<ir::statement, S.statements> statements{};
    inline_vector<expr_node, S.exprs> exprs{};
    inline_vector<affine_term, S.terms> terms{};
    inline_vector<bound, S.bounds> bounds{};
    inline_vector<affine, S.conditions> conditions{}; // each holds where its value is >= 0
    inline_vector<ir::table_access, S.table_accesses> table_accesses{};
    inline_vector<float, S.table_values> table_values{};

    std::int16_t root = -1;
    std::int16_t vector_length = 1; // floats in a vector; 1: no vector loop
    isa set = isa::baseline;        // none: a Vulkan nest
    std::int32_t lanes = 1;         // invocations of a workgroup
    std::int32_t registers = 0;     // vectors in the register tile
    status found{};                 // first fault of lowering

    constexpr bool ok() const { return found.ok(); }

    // f(table...) for each table of these nests.
    template <class F, class... Nest>
    static constexpr void for_each_table(F&& f, Nest&... n)
    {
        f(n.nodes...);
        f(n.variables...);
        f(n.parameters...);
        f(n.buffers...);
        f(n.accesses...);
        f(n.statements...);
        f(n.exprs...);
        f(n.terms...);
        f(n.bounds...);
        f(n.conditions...);
        f(n.table_accesses...);
        f(n.table_values...);
    }

    // Empty again. What stood in the tables stays behind their sizes: filling them would cost more than small nests do.
    constexpr void clear()
    {
        for_each_table([](auto& table) { table.clear(); }, *this);
        root = -1;
        vector_length = 1;
        set = isa::baseline;
        lanes = 1;
        registers = 0;
        found = {};
    }

    constexpr bool overflowed() const
    {
        bool has = false;
        for_each_table([&](const auto& table) { has = has || table.overflowed(); }, *this);
        return has;
    }

    constexpr nest_sizes sizes() const
    {
        const auto of = [](const auto& table) { return static_cast<int>(table.size()); };
        return {of(nodes), of(variables), of(parameters), of(buffers),    of(accesses),       of(statements),
                of(exprs), of(terms),     of(bounds),     of(conditions), of(table_accesses), of(table_values)};
    }
};

// What lowering fills; kernels keep a copy of exact size (see shrink).
using nest = basic_nest<nest_sizes{}>;

// The same nest with capacities S, which must hold it.
template <nest_sizes S, nest_sizes From>
constexpr basic_nest<S> resized(const basic_nest<From>& from)
{
    basic_nest<S> to;
    const auto copy = [](auto& own, const auto& items) {
        for (const auto& item : items) own.push_back(item);
    };
    to.for_each_table(copy, to, from);
    to.root = from.root;
    to.vector_length = from.vector_length;
    to.set = from.set;
    to.lanes = from.lanes;
    to.registers = from.registers;
    to.found = from.found;
    return to;
}

} // namespace hone::ir

namespace hone { // API
using ir::binding, ir::memory, ir::name_of, ir::parameter, ir::reduction, ir::role;
} // namespace hone
