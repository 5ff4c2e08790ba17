// SPDX-License-Identifier: BSL-1.0
// One leaf at a time: what is loaded, how it is reduced, and that no lane but its own is written.
#include <hone/cpu/form.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include "cpu/tags.hpp"
#include "nest_builder.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;
namespace cpu = hone::codegen::cpu;

namespace {

using floats = std::vector<float>;

// Lanes of j, or along the reduction r: a statement of each kind on the same memories.
enum statement_of : int { doubled, strided, lowest, product, kept_most, folded, with_bias };
constexpr nest leaves()
{
    nest_builder b{isa::baseline, 4};
    const form j = b.axis("j"), r = b.axis("r", 0, true);
    const int xs = b.buffer("x", memory::argument, 64, role::input), ys = b.buffer("y", memory::argument, 64);
    const int sums = b.buffer("sum", memory::registers, 8);
    const int x = b.access(xs, j), every_third = b.access(xs, j * 3), one = b.access(xs, 5);
    const int y = b.access(ys, j), spread = b.access(ys, j * 2);
    const int sum = b.access(sums, j), single = b.access(sums, 4), along = b.access(xs, r);
    b.loop(binding::vectorize, j, 4).store(y, ex::load(x) * expr{2.0f}).store(spread, ex::load(every_third));
    b.leaf(y, reduction::min, ex::load(x)).add(sum, ex::load(one) * ex::load(x)).end();
    b.loop(binding::vectorize, r, 4).leaf(b.access(sums, r), reduction::max, ex::load(along));
    b.leaf(single, reduction::add, ex::load(along)).end();
    b.loop(binding::vectorize, j, 4).store(y, ex::load(sum) + ex::load(one)).end();
    return b.n;
}
using k = tag_of<leaves>;
constexpr int j = 0, r = 1;
template <int S, int V, int L = 4, cpu::factor F = cpu::factor::general, bool Fresh = false>
using leaf = cpu::form<k, S, V, L, F, Fresh>;

const floats x{5, -1, 2, 8, -3, 7, 4, 6, 1, 9};

cpu::vector_of<k> vector(float a, float b, float c, float d) { return cpu::vector_of<k>{a, b, c, d}; }
floats lanes(const cpu::vector_of<k>& v) { return {v[0], v[1], v[2], v[3]}; }

} // namespace

TEST_CASE("vectors are stored whole or in part, side by side or apart")
{
    floats y(8, 99);
    leaf<doubled, j>::execute(0, y.data(), x.data());
    CHECK(y == floats{10, -2, 4, 16, 99, 99, 99, 99});
    y.assign(8, 99);
    leaf<doubled, j, 3>::execute(0, y.data(), x.data());
    CHECK(y == floats{10, -2, 4, 99, 99, 99, 99, 99});
    y.assign(8, 99);
    leaf<strided, j>::execute(0, y.data(), x.data());
    CHECK(y == floats{5, 99, 8, 99, 4, 99, 9, 99});
    y.assign(8, 99);
    leaf<strided, j, 2>::execute(0, y.data(), x.data());
    CHECK(y == floats{5, 99, 8, 99, 99, 99, 99, 99});
}

TEST_CASE("what is in memory is reduced where it stands")
{
    floats y{0, 0, 3, NAN, 4, 4};
    leaf<lowest, j>::execute(0, y.data(), x.data());
    CHECK(y == floats{0, -1, 2, 8, 4, 4}); // what is read takes the place of a NaN
    y = {0, 0, 3, 9, 4, 4};
    leaf<lowest, j, 2>::execute(0, y.data(), x.data());
    CHECK(y == floats{0, -1, 3, 9, 4, 4});
}

TEST_CASE("sums in registers: added to, begun afresh, and with factors that are known")
{
    cpu::vector_of<k> sum = vector(1, 1, 1, 1);
    const float* one = x.data() + 5;
    leaf<product, j>::execute(0, &sum, one, x.data());
    CHECK(lanes(sum) == floats{36, -6, 15, 57});
    leaf<product, j, 4, cpu::factor::general, true>::execute(0, &sum, one, x.data());
    CHECK(lanes(sum) == floats{35, -7, 14, 56});
    leaf<product, j, 4, cpu::factor::plus>::execute(0, &sum, one, x.data());
    CHECK(lanes(sum) == floats{40, -8, 16, 64}); // the second factor alone
    leaf<product, j, 4, cpu::factor::minus>::execute(0, &sum, one, x.data());
    CHECK(lanes(sum) == floats{35, -7, 14, 56});
    leaf<product, j, 4, cpu::factor::minus, true>::execute(0, &sum, one, x.data());
    CHECK(lanes(sum) == floats{-5, 1, -2, -8});

    floats y(4);
    leaf<with_bias, j>::execute(0, y.data(), &sum, one);
    CHECK(y == floats{2, 8, 5, -1});
}

TEST_CASE("lanes along a reduction: those past its end keep what they hold; one number takes them in order")
{
    cpu::vector_of<k> most = vector(0, 0, 0, 0);
    leaf<kept_most, r, 3>::execute(0, &most, x.data());
    CHECK(lanes(most) == floats{5, 0, 2, 0});
    leaf<kept_most, r, 3, cpu::factor::general, true>::execute(0, &most, x.data());
    CHECK(lanes(most)[0] == 5);
    CHECK(lanes(most)[1] == -1);

    cpu::vector_of<k> single = vector(100, 7, 7, 7);
    leaf<folded, r>::execute(0, &single, x.data());
    CHECK(lanes(single) == floats{114, 7, 7, 7});
    leaf<folded, r, 2>::execute(0, &single, x.data());
    CHECK(lanes(single)[0] == 118);
    leaf<folded, r, 4, cpu::factor::general, true>::execute(0, &single, x.data());
    CHECK(lanes(single)[0] == 14);
    // In order: float sums depend on it.
    const floats large{0x1p24f, 1, 1, -0x1p24f};
    leaf<folded, r, 4, cpu::factor::general, true>::execute(0, &single, large.data());
    CHECK(lanes(single)[0] == ((0x1p24f + 1) + 1) - 0x1p24f);
}
