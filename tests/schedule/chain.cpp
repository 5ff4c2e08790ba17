// SPDX-License-Identifier: BSL-1.0
// The chain template: its nests, of whatever knobs, compute what plain loops do; which operators are its business; what
// it chooses when nothing is tuned.
#include <hone/schedule/chain.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/softmax.hpp>
#include <hone/schedule/staged_templates.hpp>

#include "recurrent.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

chain_knobs drawn_knobs(tune::xoshiro256& bits)
{
    chain_knobs k;
    for (const auto& own : knobs_of(k)) own.set(k, own.values[bits.below(own.values.size())]);
    return k;
}
constexpr cell_shape base{.m = 4, .k = 6, .n = 10};

// y = gelu(x * w0) * w1, which is no cell.
definition two_layers(std::int64_t m, std::int64_t k, std::int64_t hidden, std::int64_t n)
{
    definition d;
    const auto add = [&](const char* name, role part, memory where, std::int64_t rows, std::int64_t columns) {
        tensor t{.name = name, .role = part, .memory = where};
        for (const std::int64_t e : {rows, columns}) t.dims.push_back({.extent = e});
        set_dense(t);
        return static_cast<std::int8_t>(d.tensors.push_back(t));
    };
    const auto at = [](std::int8_t of, int row, int column) {
        operand o{.tensor = of};
        for (const int a : {row, column}) o.index.push_back(along(a));
        return o;
    };
    const std::int8_t x = add("x", role::input, memory::argument, m, k),
                      w0 = add("first", role::weights, memory::argument, k, hidden),
                      w1 = add("second", role::weights, memory::argument, hidden, n),
                      between = add("hidden", role::none, memory::workspace, m, hidden),
                      y = add("y", role::output, memory::argument, m, n);
    const auto product = [&](const char* name, std::int8_t left, std::int8_t right, std::int8_t to,
                             std::int64_t columns, std::int64_t steps, const expr& epilogue) {
        stage s{.name = name};
        s.axes.push_back({"m", m});
        s.axes.push_back({"n", columns});
        s.axes.push_back({"k", steps, true});
        s.operands.push_back(at(left, 0, 2));
        s.operands.push_back(at(right, 2, 1));
        s.output = at(to, 0, 1);
        s.reduce = reduction::add;
        s.body = ex::load(0) * ex::load(1);
        s.epilogue = epilogue;
        d.stages.push_back(s);
    };
    product("first", x, w0, between, hidden, k, relu::apply(ex::acc()));
    product("second", between, w1, y, n, hidden, ex::acc());
    return checked(d);
}

} // namespace

TEST_CASE("nests of any knobs compute a step of a cell as plain loops do, and touch nothing else")
{
    tune::xoshiro256 bits(9);
    int legal = 0, parts = 0;
    for (int i = 0; i < 160; ++i) {
        const cell_shape s{.m = static_cast<std::int64_t>(1 + bits.below(i % 3 == 0 ? 1 : 15)),
                           .k = static_cast<std::int64_t>(1 + bits.below(i % 4 == 0 ? 150 : 20)),
                           .n = static_cast<std::int64_t>(1 + bits.below(i % 2 == 0 ? 12 : 70))};
        const cell which = bits.below(2) == 0 ? cell::lstm : cell::gru;
        const isa set = sets[bits.below(4)];
        const definition d = cell_definition(s, which, bits.below(3) != 0);
        REQUIRE(chain::applies(d));
        const chain_knobs k = fitted_chain(d, i % 4 == 1 ? default_chain(d, set) : drawn_knobs(bits), set);
        CHECK(fitted_chain(d, k, set) == k);
        CAPTURE(signature_of(s, which, dtype::f32).c_str());
        CAPTURE(name_of(set));
        CAPTURE(k.rows);
        CAPTURE(k.vectors);
        CAPTURE(k.reduce_unroll);
        CAPTURE(k.reduce_block);
        CAPTURE(k.step_vectors);
        const nest made = lower(chain_schedule(d, k, set));
        const bool is_default = i % 4 == 1;
        const status found = check(made, cpu_target(set));
        CHECK((!is_default || found.ok()));
        if (!found.ok()) continue;
        ++legal;
        parts += k.reduce_block > 0 ? 1 : 0;
        CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
        CHECK(wrong_step<chain>(d, k, set, s, which, static_cast<std::uint64_t>(i), true) == "");
    }
    MESSAGE(legal, " legal, ", parts, " of parts of a reduction");
    CHECK(legal > 80);
    CHECK(parts > 3);
}

TEST_CASE("as many rows as a call gives, of any columns")
{
    for (const cell which : {cell::lstm, cell::gru})
        for (const std::int64_t n : {5, 32, 75})
            for (const isa set : sets) {
                const definition d = cell_definition({.m = extent::up_to(24), .k = 7, .n = n}, which, true);
                REQUIRE(chain::applies(d));
                const chain_knobs k = default_chain(d, set);
                const nest made = lower(chain_schedule(d, k, set));
                CAPTURE(n);
                CAPTURE(name_of(set));
                CHECK(std::string(check(made, cpu_target(set)).message()) == message_of(fault::none));
                CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
                for (const std::int64_t m : {1, 7, 24})
                    CHECK(wrong_step<chain>(d, k, set, {.m = m, .k = 7, .n = n}, which, 3, true, {m}) == "");
            }
}

TEST_CASE("products of which one reads what another made are a chain")
{
    const definition d = two_layers(5, 6, 19, 11);
    REQUIRE(d.found.ok());
    REQUIRE(chain::applies(d));
    const auto c = default_config<staged_templates>(d, isa::avx2);
    REQUIRE(c.is<chain>());
    const chain_knobs k = c.knobs<chain>();
    floats x = small_integers(30, 1), first = small_integers(6 * 19, 2), second = small_integers(19 * 11, 3),
           y = poisoned(55);
    floats packed[2];
    floats* const given[] = {&first, &second};
    const auto of = [](floats& v) { return argument{v.data(), static_cast<std::int64_t>(v.size())}; };
    for (std::size_t w = 0; w < 2; ++w) {
        packed[w] = poisoned(chain::packed(d, k, isa::avx2)[w].elements());
        const argument both[] = {of(*given[w]), of(packed[w])};
        REQUIRE(interpret(lower(chain::packing(d, k, isa::avx2, w)), both).ok());
    }
    const argument all[] = {of(x), of(packed[0]), of(packed[1]), of(y)};
    REQUIRE(interpret(lower(chain_schedule(d, k, isa::avx2)), all).ok());
    for (std::size_t i = 0; i < 5; ++i)
        for (std::size_t j = 0; j < 11; ++j) {
            float sum = 0;
            for (std::size_t l = 0; l < 19; ++l) {
                float hidden = 0;
                for (std::size_t t = 0; t < 6; ++t) hidden += x[i * 6 + t] * first[t * 19 + l];
                sum += (hidden > 0 ? hidden : 0) * second[l * 11 + j];
            }
            CHECK(y[i * 11 + j] == sum);
        }
}

TEST_CASE("operators of one stage, of rows without weights, or that read weights twice are none of its business")
{
    CHECK_FALSE(chain::applies(gemm<gemm_shape{.m = 4, .n = 4, .k = 4}, f32>::definition()));
    CHECK_FALSE(chain::applies(softmax_definition<>({3, 5}, dtype::f32)));
    CHECK_FALSE(chain::applies(cell_definition({.m = 0}, cell::lstm, true)));
    const auto changed = [](auto change) {
        definition d = cell_definition(base, cell::lstm, true);
        change(d);
        return chain::applies(d);
    };
    CHECK(changed([](definition&) {}));
    CHECK_FALSE(changed([](definition& d) { d.stages[0].operands[0].may_leave = true; }));
    CHECK_FALSE(changed([](definition& d) { d.stages[1].operands[1].tensor = d.stages[0].operands[1].tensor; }));
    CHECK_FALSE(changed([](definition& d) { d.stages[0].body = ex::load(1); }));
    CHECK_FALSE(changed([](definition& d) { d.stages[1].reduce = reduction::max; }));
    CHECK_FALSE(changed([](definition& d) { d.tensors[2].dims[1].stride = 2; }));
    CHECK_FALSE(changed([](definition& d) { d.tensors[d.stages[2].output.tensor].memory = memory::argument; }));
    CHECK(check_config(cell_definition(base, cell::gru, true), cpu_config(direct_knobs{})).what ==
          fault::template_missing);
}

TEST_CASE("the default is legal at each step for cells of all sizes")
{
    for (const isa set : sets)
        for (const cell which : {cell::lstm, cell::gru})
            for (const cell_shape& s : {cell_shape{.m = 1, .k = 512, .n = 512},
                                        {.m = 33, .k = 100, .n = 200},
                                        {.m = 64, .k = 1024, .n = 1000},
                                        {.m = extent::up_to(100), .k = 256, .n = 1024},
                                        {.m = 1, .k = 1, .n = 1}}) {
                const definition d = cell_definition(s, which, true);
                const chain_knobs k = default_chain(d, set);
                CAPTURE(signature_of(s, which, dtype::f32).c_str());
                CAPTURE(name_of(set));
                const status found = check(lower(chain_schedule(d, k, set)), cpu_target(set));
                CHECK(std::string(found.message()) == message_of(fault::none));
                CHECK(class_of(k) == error_class::exact_order);
            }
}

TEST_CASE("knobs that no schedule of a chain can take are named")
{
    const definition d = cell_definition(base, cell::lstm, true);
    const auto found = [&](const chain_knobs& k) { return chain_schedule(d, k, isa::avx2).found; };
    CHECK(found({}).ok());
    CHECK(found({.rows = 0}).what == fault::knob_value);
    CHECK(std::string(found({.step_vectors = -1}).subject) == "step_vectors");
    CHECK_FALSE(lower(chain_schedule(d, {.vectors = 99}, isa::avx2)).ok());
    CHECK(packed_chain(d, {.rows = 0}, isa::avx2).empty());
    CHECK(chain_constraints[0].found({.rows = 14, .vectors = 8}, isa::avx2).what == fault::too_many_live_registers);
}
