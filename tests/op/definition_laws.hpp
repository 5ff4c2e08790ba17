// SPDX-License-Identifier: BSL-1.0
// What holds for the definition of every operator, whatever it computes.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>

#include <doctest/doctest.h>

namespace hone::test {

using namespace operators;

inline void check_laws(const definition& d)
{
    CHECK(d.found.ok());
    CHECK_FALSE(d.tensors.overflowed());
    CHECK_FALSE(d.stages.overflowed());
    REQUIRE_FALSE(d.stages.empty());
    for (const stage& s : d.stages) {
        CHECK_FALSE(s.operands.overflowed());
        CHECK_FALSE(s.epilogue.nodes.overflowed());
        std::set<std::string> names;
        for (const axis& a : s.axes) {
            CHECK(a.extent >= 1);
            CHECK(names.insert(a.name).second);
        }
        // An index stays inside its tensor, unless what is outside reads as zero.
        const auto reach = [&](const operand& o) {
            REQUIRE(o.tensor >= 0);
            const tensor& t = d.tensors[o.tensor];
            CAPTURE(t.name);
            CHECK(o.index.size() == t.dims.size());
            for (std::size_t k = 0; k < o.index.size(); ++k) {
                CAPTURE(k);
                std::int64_t least = o.index[k].offset;
                std::int64_t most = o.index[k].offset;
                for (const index_term& i : o.index[k].terms) {
                    const std::int64_t far = i.coefficient * (s.axes[i.axis].extent - 1);
                    (far < 0 ? least : most) += far;
                }
                if (o.may_leave || (s.output.may_leave && stands_with_output(d, s, o))) continue;
                CHECK(least >= 0);
                CHECK(most < t.dims[k].extent);
            }
        };
        for (const operand& o : s.operands) reach(o);
        reach(s.output);
        // Every element of the output is written: its index takes each value of each dimension.
        const tensor& y = d.tensors[s.output.tensor];
        for (std::size_t k = 0; k < y.dims.size(); ++k) {
            std::int64_t most = s.output.index[k].offset;
            for (const index_term& i : s.output.index[k].terms)
                if (i.coefficient > 0) most += i.coefficient * (s.axes[i.axis].extent - 1);
            CHECK((s.output.may_leave ? most >= y.dims[k].extent - 1 : most == y.dims[k].extent - 1));
        }
        for (const expr* e : {&s.body, &s.epilogue})
            for (const expr_node& n : e->nodes)
                if (n.op == expr_op::load) CHECK(n.ref < static_cast<int>(s.operands.size()));
    }
    CHECK(d.tensors[static_cast<int>(d.tensors.size()) - 1].role == role::output);
}

} // namespace hone::test
