// SPDX-License-Identifier: BSL-1.0
// Memories as GLSL text: views by whole vectors where all accesses allow it, registers by number, declarations of what
// is used and how.
#include <hone/vulkan/glsl_views.hpp>

#include <string>

#include <doctest/doctest.h>

#include "nest_builder.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

// Vectors of 4 along v: x is read by whole ones, w one element apart, y is written by both; s is shared.
nest some_memories()
{
    nest_builder b{isa::none, 4};
    const form o = b.axis("o"), v = b.axis("v", 1);
    const int xs = b.buffer("x", memory::argument, 64, role::input), ws = b.buffer("w", memory::argument, 80);
    const int ys = b.buffer("y", memory::argument, 64, role::output), shared = b.buffer("x", memory::workgroup, 18);
    const int sums = b.buffer("sum", memory::registers, 8);
    const int x = b.access(xs, o * 4 + v), w = b.access(ws, o * 5 + v + form{1}), y = b.access(ys, o * 4 + v);
    const int s = b.access(shared, o * 4 + v), sum = b.access(sums, v + form{4});
    b.loop(binding::serial, o, 4).loop(binding::vectorize, v, 4);
    b.store(sum, ex::load(x) + ex::load(w)).store(s, ex::load(sum)).store(y, ex::load(sum)).end();
    b.store(b.access(ys, o), 1.0f);
    return b.n;
}
enum buffer_of : int { x, w, y, shared, sum };
enum access_of : int { whole_x, apart_w, whole_y, whole_shared, second_sum, single_y };

struct views : codegen::glsl_views {
    static const nest& of()
    {
        static const nest n = some_memories();
        return n;
    }
    explicit views(bool in_vector_loop) : codegen::glsl_views{of()}
    {
        values_[0] = {0, 3};
        values_[1] = {0, 3};
        out_.open("for (;;)");
        places_[0].scope = 1;
        vector_ = in_vector_loop ? 1 : -1;
        width_ = in_vector_loop ? 4 : 1;
    }
    using codegen::glsl_views::element;
    using codegen::glsl_views::errors_;
    using codegen::glsl_views::folded;
    using codegen::glsl_views::has_barrier_;
    using codegen::glsl_views::is_whole;
    using codegen::glsl_views::linear;
    using codegen::glsl_views::register_name;
    using codegen::glsl_views::shared;
    using codegen::glsl_views::storage;
    using codegen::glsl_views::uses_;
    using codegen::glsl_views::view_name;
    using codegen::glsl_views::whole_element;

    const access& at(int a) const { return nest_.accesses[static_cast<std::size_t>(a)]; }
};

} // namespace

TEST_CASE("what the whole nest says of a buffer: how it is used, by which vectors, and a name of its own")
{
    const views v(true);
    CHECK((v.uses_[x].read && !v.uses_[x].written && !v.uses_[x].as_scalars && v.uses_[x].width == 4));
    CHECK((v.uses_[w].read && v.uses_[w].as_scalars && v.uses_[w].width == 1));
    CHECK((v.uses_[y].written && !v.uses_[y].read && v.uses_[y].as_scalars && v.uses_[y].width == 4));
    CHECK(v.view_name(x, 4) == "b4_x");
    CHECK(v.view_name(x, 1) == "b_x");
    CHECK(v.view_name(shared, 4) == "s4_x_3"); // the second of that name
    CHECK(v.uses_[shared].name != v.uses_[x].name);
}

TEST_CASE("whole vectors are elements of vector views, others of views by floats")
{
    views v(true);
    CHECK(v.is_whole(v.at(whole_x)));
    CHECK_FALSE(v.is_whole(v.at(apart_w)));
    CHECK(v.is_whole(v.at(whole_y))); // written only: two views of it do not meet
    CHECK(v.whole_element(v.at(whole_x)) == "b4_x[o_0]");
    CHECK(v.whole_element(v.at(whole_shared)) == "s4_x_3[o_0]");
    CHECK(v.whole_element(v.at(second_sum)) == "r_sum_1");

    views s(false);
    CHECK_FALSE(s.is_whole(s.at(whole_x)));
    views::linear third;
    third.constant = 6;
    CHECK(s.element(w, third) == "b_w[6]");
    CHECK(s.element(shared, third) == "s4_x_3[1].z");
    CHECK(s.element(sum, third) == "r_sum_1.z");
    third.constant = -1; // in front of its vector
    CHECK(s.element(shared, third) == "s4_x_3[-1].w");
    third.terms.push_back({"o_0", 3, 1}); // a vector that only the call finds
    CHECK(s.element(shared, third) == "s4_x_3[(i0 - 1) >> 2][(i0 - 1) & 3]");
    CHECK(s.errors_.empty());
    CHECK(s.register_name(sum, third, 0) == "0.0");
    CHECK(s.errors_.find("registers are indexed by unrolled and vectorized loops only") != std::string::npos);
}

TEST_CASE("buffers are declared by the views that were used, as they were used")
{
    views v(true);
    CHECK(v.storage(x, 0).empty());
    CHECK(v.shared(shared).empty());
    v.whole_element(v.at(whole_x));
    v.whole_element(v.at(whole_y));
    v.element(y, {});
    v.whole_element(v.at(whole_shared));
    CHECK(v.storage(x, 0) == "layout(set = 0, binding = 0, std430) readonly buffer block_b4_x { vec4 b4_x[]; };\n");
    CHECK(v.storage(y, 2) == "layout(set = 0, binding = 2, std430) writeonly buffer block_b_y { float b_y[]; };\n"
                             "layout(set = 0, binding = 2, std430) writeonly buffer block_b4_y { vec4 b4_y[]; };\n");
    CHECK(v.shared(shared) == "shared vec4 s4_x_3[5];\n"); // 18 floats
    // What other invocations write is read again behind a barrier.
    v.uses_[y].read = true;
    v.has_barrier_ = true;
    CHECK(v.storage(y, 2).find(" coherent buffer ") != std::string::npos);
}
