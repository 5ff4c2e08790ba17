// SPDX-License-Identifier: BSL-1.0
// Lists of workloads: how many there are, and that each place gives the type that was written there.
#include <hone/op/workloads.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>

using namespace hone;

namespace {

struct first : gemm<gemm_shape{.m = 1, .n = 8, .k = 2}, f32> {};
struct second : gemm<gemm_shape{.m = 2, .n = 8, .k = 2}, f32> {};
using third = gemm<gemm_shape{.m = 3, .n = 8, .k = 2}, f32>;
using all = workloads<first, second, third, first>;

static_assert(all::size == 4 && workloads<>::size == 0);
static_assert(std::is_same_v<workload<all, 0>, first>); // itself, not what it derives from
static_assert(std::is_same_v<workload<all, 1>, second>);
static_assert(std::is_same_v<workload<all, 2>, third>);
static_assert(std::is_same_v<workload<all, 3>, first>); // a list may name one twice
static_assert(std::is_same_v<workload<workloads<third>, 0>, third>);

} // namespace

TEST_CASE("a list is walked by number, in the order in which it is written")
{
    std::string text;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((text += std::to_string(workload<all, I>::definition().stages[0].axes[first::m].extent),
          text += workload<all, I>::signature() == first::signature() ? "=" : " "),
         ...);
    }(std::make_index_sequence<all::size>{});
    CHECK(text == "1=2 3 1=");
    CHECK(std::string{workload<all, 2>::signature().c_str()} == "gemm b1 m3 n8 k2 ldx0 ldw0 ldy0 f32");
}
