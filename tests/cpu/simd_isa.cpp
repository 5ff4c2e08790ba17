// SPDX-License-Identifier: BSL-1.0
// Vectors of what kernels compute in, for each instruction set: the laws of lanes are those of numbers, the same for
// floats and doubles and for every length that a nest may have.
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/core/dtype.hpp>
#include <hone/core/isa.hpp>
#include <hone/cpu/simd.hpp>
#include <hone/ir/words.hpp>

using namespace hone;
using namespace hone::codegen;

namespace {

constexpr isa set = compiled_isa();

static_assert(simd<set, float>::lanes == lanes_of(set, dtype::f32));
static_assert(simd<set, double>::lanes == row_of(set).register_bytes / 8);
static_assert(std::is_same_v<simd<set, double>::scalar, double>);
static_assert(sizeof(simd<set, float>::vector) == static_cast<std::size_t>(row_of(set).register_bytes));
static_assert(sizeof(simd<set, double>::vector) == static_cast<std::size_t>(row_of(set).register_bytes));

template <class T>
constexpr T nan = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();

// Numbers of both signs that no narrower type holds, zeros of both signs, and what is no number; at an odd place.
template <class T>
struct numbers {
    static constexpr std::size_t count = 17;
    T at[count] = {T(0.1),  T(-2.5), T(0.0),     T(-0.0),      T(7),     T(-1e-3), infinity<T>, nan<T>, T(1.5),
                   T(-3.5), T(1e6),  T(-123.25), -infinity<T>, T(0.499), T(2.5),   T(-0.75),    T(4)};
};

template <class T>
bool is_same(T a, T b)
{
    return std::memcmp(&a, &b, sizeof(T)) == 0;
}

// f(simd) of each length that the registers have.
template <class T, class F>
void for_each_length(F f)
{
    f(simd<set, T>());
    if constexpr (simd<set, T>::lanes * sizeof(T) > 16) f(simd<set, T, 16 / sizeof(T)>());
    if constexpr (simd<set, T>::lanes * sizeof(T) > 32) f(simd<set, T, 32 / sizeof(T)>());
}
// What differs is counted, and checked at the end of a test: an assertion in each lane would take longer to compile
// than all that is tested.
int wrong = 0;
void expect(bool holds) { wrong += !holds; }

// Lanes of v against `expected` of the same numbers.
template <class M, class Expected>
void check_lanes(const typename M::vector& v, Expected expected)
{
    for (int i = 0; i < M::lanes; ++i) expect(is_same<typename M::scalar>(v[i], expected(i)));
}

template <class T>
void check_memory()
{
    const numbers<T> from;
    for_each_length<T>([&]<class M>(M) {
        constexpr int n = M::lanes, part = n / 2 + 1;
        const T* const p = from.at + 1;
        check_lanes<M>(M::load(p), [&](int i) { return p[i]; });
        check_lanes<M>(M::template load_first<part>(p), [&](int i) { return i < part ? p[i] : T(0); });
        check_lanes<M>(M::template gather<n>(p + n - 1, -1), [&](int i) { return p[n - 1 - i]; });
        for (int count = 0; count <= n; ++count)
            for (int first = 0; first < 2; ++first)
                check_lanes<M>(M::first_of(M::load(p), M::broadcast(T(9)), count, first),
                               [&](int i) { return i >= first && i < count ? p[i] : T(9); });
        T to[2 * n + 2]{};
        M::store(to + 1, M::load(p));
        expect(std::memcmp(to + 1, p, n * sizeof(T)) == 0);
        expect(is_same(to[0], T(0)));
        expect(is_same(to[n + 1], T(0)));
        T first[n + 1]{};
        M::template store_first<part>(first, M::load(p));
        expect(std::memcmp(first, p, part * sizeof(T)) == 0);
        expect(is_same(first[part], T(0)));
        T spread[2 * n]{};
        M::template scatter<n>(spread, 2, M::load(p));
        for (int i = 0; i < n; ++i) expect(is_same(spread[2 * i], p[i]));
    });
}

template <class T>
void check_arithmetic()
{
    const numbers<T> from;
    for_each_length<T>([&]<class M>(M) {
        const T *const a = from.at, *const b = from.at + 1;
        const auto va = M::load(a), vb = M::load(b);
        // As words have it: the second operand where one is NaN.
        check_lanes<M>(apply<M, expr_op::min>(va, vb), [&](int i) { return a[i] < b[i] ? a[i] : b[i]; });
        check_lanes<M>(apply<M, expr_op::max>(va, vb), [&](int i) { return a[i] < b[i] ? b[i] : a[i]; });
        check_lanes<M>(apply<M, expr_op::max>(va, T(0)), [&](int i) { return a[i] < T(0) ? T(0) : a[i]; });
        check_lanes<M>(apply<M, expr_op::abs>(va), [&](int i) { return std::fabs(a[i]); });
        check_lanes<M>(M::with_sign(M::broadcast(T(2)), va), [&](int i) { return std::copysign(T(2), a[i]); });
        check_lanes<M>(M::broadcast(a[0]), [&](int) { return a[0]; });
        // Products and sums that are exact, fused or not.
        T whole[M::lanes], others[M::lanes];
        for (int i = 0; i < M::lanes; ++i) {
            whole[i] = T(3 * i - 7);
            others[i] = T(i * i + 1) / 4;
        }
        check_lanes<M>(M::load(whole) * M::load(others) + M::broadcast(T(0.5)),
                       [&](int i) { return whole[i] * others[i] + T(0.5); });
        check_lanes<M>(M::load(others) * whole[1] + M::load(whole),
                       [&](int i) { return others[i] * whole[1] + whole[i]; });
        check_lanes<M>(M::nearest(M::load(others) * T(1.1)), [&](int i) { return std::nearbyint(others[i] * T(1.1)); });
        check_lanes<M>(M::power_of_two(M::load(whole)), [&](int i) { return std::ldexp(T(1), 3 * i - 7); });
    });
}

// Every word that no polynomial stands for, as its row says; of one number as of a vector of them.
template <class T>
void check_words()
{
    const numbers<T> from;
    for_each_length<T>([&]<class M>(M) {
        const auto check = [&]<expr_op Op>(std::integral_constant<expr_op, Op>) {
            for (std::size_t first = 0; first + M::lanes + 1 <= from.count; ++first) {
                const T *const a = from.at + first, *const b = from.at + first + 1;
                const auto expected = [&](int i) {
                    return static_cast<T>(word_of(Op).value(static_cast<double>(a[i]), static_cast<double>(b[i]), 3));
                };
                const auto holds = [&](T found, int i) {
                    return std::isnan(expected(i)) ? std::isnan(found) : is_same(found, expected(i));
                };
                for (int i = 0; i < M::lanes; ++i) {
                    if constexpr (arity(Op) == 1) {
                        expect(holds(apply<M, Op>(M::load(a))[i], i));
                        expect(holds(apply<simd<set, T, 1>, Op>(a[i]), i));
                    } else if constexpr (arity(Op) == 2) {
                        expect(holds(apply<M, Op>(M::load(a), M::load(b))[i], i));
                        expect(holds(apply<simd<set, T, 1>, Op>(a[i], b[i]), i));
                    } else {
                        expect(holds(apply<M, Op>(M::load(a), M::load(b), T(3))[i], i));
                    }
                }
            }
        };
        check(std::integral_constant<expr_op, expr_op::sqrt>());
        check(std::integral_constant<expr_op, expr_op::round>());
        check(std::integral_constant<expr_op, expr_op::floor>());
        check(std::integral_constant<expr_op, expr_op::less>());
        check(std::integral_constant<expr_op, expr_op::equal>());
        check(std::integral_constant<expr_op, expr_op::div>());
        check(std::integral_constant<expr_op, expr_op::select>());
    });
}

} // namespace

TEST_CASE("vectors are their numbers in memory, whole and in part")
{
    wrong = 0;
    check_memory<float>();
    CHECK(wrong == 0);
    check_memory<double>();
    CHECK(wrong == 0);
}

TEST_CASE("arithmetic of vectors is that of their lanes")
{
    wrong = 0;
    check_arithmetic<float>();
    CHECK(wrong == 0);
    check_arithmetic<double>();
    CHECK(wrong == 0);
    check_words<float>();
    CHECK(wrong == 0);
    check_words<double>();
    CHECK(wrong == 0);
}
