// SPDX-License-Identifier: BSL-1.0
// Random nests on a device against the interpreter: any order of bindings, any strides, conditions, tails and clipped
// bounds. HONE_TEST_SEEDS=first:count runs others than the default.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>

#include "nest_builder.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::ir;
using namespace hone::test;

namespace {

struct random_nest {
    std::mt19937 engine;
    nest_builder w{isa::none};

    explicit random_nest(unsigned seed) : engine(seed) {}

    int below(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); }
    bool one_in(int n) { return below(n) == 0; }
    int one_of(std::initializer_list<int> values) { return values.begin()[below(static_cast<int>(values.size()))]; }

    struct loop {
        binding bind = binding::serial;
        int extent = 1;
        form variable{};
        int stride = 1; // in y, or in the registers
    };

    // A load of `elements` floats at a random index, with the conditions that keep it inside where they are needed.
    int load(const char* name, const std::vector<loop>& loops, int width)
    {
        form index = below(5);
        std::int64_t most = index.constant;
        const bool aligned = one_in(2);
        if (aligned) index = most = 0;
        for (const loop& l : loops) {
            const int coefficient = l.bind == binding::vectorize ? one_of({0, 1, 1, 1, 2})
                                    : aligned                    ? one_of({0, 1, 2, 3}) * width
                                                                 : below(6);
            if (coefficient == 0) continue;
            index = index + l.variable * coefficient;
            most += coefficient * (l.extent - 1);
        }
        std::initializer_list<form> none{};
        if (one_in(2)) {
            const int b = w.buffer(name, memory::argument, most + 1);
            return w.access(b, index, none);
        }
        // Padding: `before` elements in front and some behind do not exist.
        const int before = aligned ? width * below(2) : below(4);
        const std::int64_t elements = std::max<std::int64_t>(1, most + 1 - before - below(5));
        const int b = w.buffer(name, memory::argument, elements);
        index = index - before;
        return w.access(b, index, {index, form(elements - 1) - index});
    }

    nest make()
    {
        // Spatial loops, outermost first: each writes its own elements of y.
        std::vector<loop> spatial;
        const auto add = [&](binding bind, int extent) { spatial.push_back({bind, extent}); };
        const int grids = below(3), lanes = below(3), serials = below(2), unrolls = below(3);
        for (int i = 0; i < grids; ++i) add(binding::grid, 1 + below(4));
        for (int i = 0; i < lanes; ++i) add(binding::lane, 1 + below(5));
        for (int i = 0; i < serials; ++i) add(binding::serial, 1 + below(4));
        const std::size_t tile_at = spatial.size();
        for (int i = 0; i < unrolls; ++i) add(binding::unroll, 1 + below(4));
        int width = 1;
        if (!one_in(4)) add(binding::vectorize, width = one_of({2, 4, 4, 4, 3, 1}));
        w.n.vector_length = static_cast<std::int16_t>(width);

        // Strides of y by a random order of the loops; the vector mostly innermost.
        std::vector<std::size_t> order(spatial.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::shuffle(order.begin(), order.end(), engine);
        if (width > 1 && !one_in(4)) {
            std::erase(order, spatial.size() - 1);
            order.insert(order.begin(), spatial.size() - 1);
        }
        int elements = 1;
        for (const std::size_t i : order) {
            spatial[i].stride = elements;
            elements *= spatial[i].extent;
        }
        std::vector<loop> reduction;
        for (int i = below(3); i > 0; --i)
            reduction.push_back({one_in(3) ? binding::unroll : binding::serial, 1 + below(6)});

        int level = 0;
        form to;
        std::vector<loop> all;
        for (loop& l : spatial) {
            l.variable = w.axis("s", level++);
            to = to + l.variable * l.stride;
            all.push_back(l);
        }
        for (loop& l : reduction) {
            l.variable = w.axis("r", level++, true);
            all.push_back(l);
        }
        const std::vector<loop> tile(spatial.begin() + static_cast<std::ptrdiff_t>(tile_at), spatial.end());

        // The end of y may be cut off; stores are guarded then.
        const int cut = one_in(2) ? below(5) : 0;
        const int kept = std::max(1, elements - cut);
        const form inside = form(kept - 1) - to;
        const int y = w.access(w.buffer("y", memory::argument, kept, role::output), to);
        int registers = 1;
        form at;
        for (std::size_t i = tile.size(); i-- > 0;) {
            at = at + tile[i].variable * registers;
            registers *= tile[i].extent;
        }
        const bool in_place = one_in(4);
        const int acc = in_place ? y : w.access(w.buffer("acc", memory::registers, registers), at);
        const int a = load("a", all, width), b = load("b", all, width), c = load("c", spatial, width);
        expr body = ex::load(a) * ex::load(b);
        switch (below(6)) {
        case 0: body = ex::load(a) - 0.5f; break;
        case 1: body = ex::min(ex::load(a), ex::load(b) * -2.0f); break;
        case 2: {
            const loop& l = all.empty() ? loop{} : all[static_cast<std::size_t>(below(static_cast<int>(all.size())))];
            const form index = all.empty() ? form(3) : l.variable;
            body = ex::load(a) * ex::table(w.table({0, 1, -1, 0.375f, 2, 0}, index));
            break;
        }
        default: break;
        }
        const reduction_kind kind = one_in(4)   ? hone::reduction::max
                                    : one_in(5) ? hone::reduction::min
                                                : hone::reduction::add;

        int lane_count = 1, group_stride = 1;
        for (const loop& l : spatial)
            if (l.bind == binding::lane) lane_count *= l.extent;
        w.n.lanes = lane_count + (lanes > 0 && one_in(3) ? below(4) : 0);
        int lane_left = lane_count;
        for (const loop& l : spatial)
            if (l.bind == binding::grid) group_stride *= l.extent;
        bool first_grid = true, first_lane = true;
        for (std::size_t i = 0; i < tile_at; ++i) {
            const loop& l = spatial[i];
            using digit = nest_builder::digit;
            if (l.bind == binding::grid) {
                group_stride /= l.extent;
                w.bound_loop(l.bind, l.variable, l.extent, group_stride, first_grid ? digit::outermost : digit::inner);
                first_grid = false;
            } else if (l.bind == binding::lane) {
                lane_left /= l.extent;
                w.bound_loop(l.bind, l.variable, l.extent, lane_left, first_lane ? digit::outermost : digit::inner);
                first_lane = false;
            } else {
                w.loop(l.bind, l.variable, l.extent);
            }
        }
        w.tile();
        const auto over_tile = [&](auto&& statement, bool guarded) {
            for (const loop& l : tile) w.loop(l.bind, l.variable, l.extent);
            if (guarded) w.guard({inside});
            statement();
            w.end(static_cast<int>(tile.size()) + (guarded ? 1 : 0));
        };
        const bool guards = kept != elements;
        over_tile([&] { w.store(acc, identity_of(kind)); }, guards && in_place);
        for (const loop& l : reduction) {
            // Clipped by an outer loop here and there.
            if (!spatial.empty() && spatial[0].bind != binding::vectorize && spatial[0].bind != binding::unroll &&
                one_in(3))
                w.loop(l.bind, l.variable, {0, quotient(form(1) - spatial[0].variable, 2)},
                       {l.extent, quotient(spatial[0].variable + 3, 2)});
            else
                w.loop(l.bind, l.variable, l.extent);
        }
        over_tile([&] { w.leaf(acc, kind, body); }, guards && in_place);
        w.end(static_cast<int>(reduction.size()));
        if (!in_place) over_tile([&] { w.store(y, ex::load(acc) * 0.5f + ex::load(c)); }, guards);
        return w.n;
    }

    using reduction_kind = hone::reduction;
};

void check(unsigned seed)
{
    CAPTURE(seed);
    const nest n = random_nest(seed).make();
    REQUIRE(!n.overflowed());
    std::vector<std::vector<float>> buffers;
    for (const buffer& b : n.buffers) {
        if (b.memory != memory::argument) continue;
        const auto elements = static_cast<std::size_t>(b.elements.constant);
        buffers.push_back(b.role == role::output
                              ? std::vector<float>(elements, poison)
                              : random_floats(elements, seed + static_cast<unsigned>(buffers.size())));
    }
    auto expected = buffers;
    std::vector<argument> arguments;
    for (auto& b : expected) arguments.push_back({b.data(), static_cast<std::int64_t>(b.size())});
    const status s = interpret(n, arguments);
    INFO(std::string(s.message()) << " [" << std::string(s.subject) << "] " << s.found);
    REQUIRE(s.ok());
    const auto found = run_on(test_device(), n, buffers);
    // Infinities stand where a reduction was empty.
    for (std::size_t i = 0; i < found[0].size(); ++i) {
        const float e = expected[0][i];
        CHECK((found[0][i] == e || std::fabs(found[0][i] - e) <= 1e-4f * (1 + std::fabs(e))));
    }
}

} // namespace

TEST_CASE("random nests")
{
    unsigned first = 0, count = 60;
    if (const char* seeds = std::getenv("HONE_TEST_SEEDS"))
        REQUIRE_MESSAGE(std::sscanf(seeds, "%u:%u", &first, &count) == 2, "HONE_TEST_SEEDS is first:count");
    for (unsigned seed = first; seed < first + count; ++seed) check(seed);
}
