// SPDX-License-Identifier: BSL-1.0
// The text of nests, which other tests and `hone explain-nest` show.
#include <hone/ir/print.hpp>

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "nests.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

TEST_CASE("each memory and reduction has a name of its own")
{
    std::set<std::string> names;
    for (const memory m : {memory::argument, memory::workspace, memory::slot, memory::workgroup, memory::registers})
        names.insert(name_of(m));
    for (const reduction r : {reduction::none, reduction::add, reduction::max, reduction::min})
        names.insert(name_of(r));
    CHECK(names.size() == 9);
    CHECK(std::string{name_of(memory::registers)} == "registers");
    CHECK(std::string{name_of(reduction::min)} == "min=");
}

TEST_CASE("a tiled nest")
{
    CHECK(print(matmul()) == R"(// baseline, vector length 4
// a: argument 0 f32[35]
// b: argument 1 f32[80]
// y: argument 2 f32[112]
// acc: registers f32[12], registers 0 to 2
parallel m.0 in [0, 2)
  serial n.0 in [0, 4)
    tile 3 registers
      unroll m.1 in [0, 3)
        unroll n.1 in [0, 1)
          vectorize n.2 in [0, 4)
            acc[m.1*4 + n.1*4 + n.2] = 0
      serial k.0 in [0, 5)
        unroll m.1 in [0, 3)
          unroll n.1 in [0, 1)
            vectorize n.2 in [0, 4)
              acc[m.1*4 + n.1*4 + n.2] += a[m.0*15 + m.1*5 + k.0] * b[k.0*16 + n.0*4 + n.1*4 + n.2]
      unroll m.1 in [0, 3)
        unroll n.1 in [0, 1)
          vectorize n.2 in [0, 4)
            y[m.0*48 + m.1*16 + n.0*4 + n.1*4 + n.2] = acc[m.1*4 + n.1*4 + n.2]
parallel m.0 in [2, 3)
  serial n.0 in [0, 4)
    tile 3 registers
      unroll m.1 in [0, 1)
        unroll n.1 in [0, 1)
          vectorize n.2 in [0, 4)
            acc[m.1*4 + n.1*4 + n.2] = 0
      serial k.0 in [0, 5)
        unroll m.1 in [0, 1)
          unroll n.1 in [0, 1)
            vectorize n.2 in [0, 4)
              acc[m.1*4 + n.1*4 + n.2] += a[m.0*15 + m.1*5 + k.0] * b[k.0*16 + n.0*4 + n.1*4 + n.2]
      unroll m.1 in [0, 1)
        unroll n.1 in [0, 1)
          vectorize n.2 in [0, 4)
            y[m.0*48 + m.1*16 + n.0*4 + n.1*4 + n.2] = acc[m.1*4 + n.1*4 + n.2]
)");
}

TEST_CASE("a nest for a device")
{
    CHECK(print(reversed()) == R"(// vulkan, vector length 1, lanes 4
// x: argument 0 f32[24]
// y: argument 1 f32[24]
// s: workgroup f32[4]
grid g.0 in [0, 3) from group
  serial r.0 in [0, 2)
    lane j.0 in [0, 4) from lane
      s[j.0] = x[g.0*8 + r.0*4 + j.0]
    barrier
    lane i.0 in [0, 4) from lane
      y[g.0*8 + r.0*4 + i.0] = s[-i.0 + 3]
    barrier
)");
}

TEST_CASE("bounds, conditions, parameters, tables and expressions")
{
    nest_builder b{isa::none, 1, 12};
    const form i = b.axis("i", 0);
    const form j = b.axis("i", 1);
    const form other = b.axis("i", 1, false, 2);
    const form m = b.extent("m", 1, 64);
    const int xs = b.buffer("x", memory::argument, m * 2 + form{1}, role::input);
    const int x = b.access(xs, nest_builder::product(i, m) + j, {j - form{1}, m - i * 8 - j - form{1}});
    const int y = b.access(b.buffer("y", memory::argument, 3, role::output), form{});
    const int t = b.table({1, -0.5f}, j);
    b.bound_loop(binding::lane, i, 3, 4).loop(binding::serial, j, {0, form{1} - i}, {m, quotient{m + form{13}, 14}});
    b.guard({form{19} - j, m - i + form{3}});
    b.leaf(y, reduction::max, (ex::load(x) - (expr{1.5f} - ex::table(t))) * -ex::abs(ex::load(x)));
    b.store(y, ex::position(b.table({}, i * 2 - form{1})) - expr{0.5f});
    b.store(y, ex::load(y) / (ex::load(y) * expr{2.0f}) + ex::min(ex::load(y) + expr{1.0f}, expr{0.0f}));
    b.end(2).bound_loop(binding::lane, other, 4, 1, nest_builder::digit::inner);
    CHECK(print(b.n) == R"(// vulkan, vector length 1, lanes 12
// parameter m in [1, 64]
// x: argument 0 f32[m*2 + 1]
// y: argument 1 f32[3]
// table: 1, -0.5
lane i.0 in [0, 3) from lane / 4
  serial i.1@0 in [max(0, -i.0 + 1), min(m, floor((m + 13) / 14)))
    if i.1@0 < 20 && i.0 < m + 4
      y[0] max= ((i.1@0 >= 1 && i.0*8 + i.1@0 < m ? x[i.0*m + i.1@0] : 0) - (1.5 - table[0 + i.1@0])) * -abs((i.1@0 >= 1 && i.0*8 + i.1@0 < m ? x[i.0*m + i.1@0] : 0))
      y[0] = position(i.0*2 - 1) - 0.5
      y[0] = y[0] / (y[0] * 2) + min(y[0] + 1, 0)
  lane i.1@2 in [0, 4) from lane % extent
)");
}

TEST_CASE("a nest that lowering refused says why")
{
    nest n;
    n.found = {.what = fault::extent_zero, .subject = "k"};
    CHECK(print(n) == "// baseline, vector length 1\n"
                      "// hone: every extent of a workload must be at least 1; remove the empty workload (k)\n");
}
