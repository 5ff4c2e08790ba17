// SPDX-License-Identifier: BSL-1.0
// The matrices are those of F(m, 3): between their transforms a product of elements is a correlation.
#include <hone/schedule/winograd_matrices.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::schedules;

namespace {

using matrix = std::vector<double>;

// a (rows, inner) b (inner, columns)
matrix product(const matrix& a, const matrix& b, std::size_t inner)
{
    const std::size_t rows = a.size() / inner, columns = b.size() / inner;
    matrix c(rows * columns);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j)
            for (std::size_t k = 0; k < inner; ++k) c[i * columns + j] += a[i * inner + k] * b[k * columns + j];
    return c;
}
matrix turned(const matrix& a, std::size_t columns)
{
    const std::size_t rows = a.size() / columns;
    matrix t(a.size());
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) t[j * rows + i] = a[i * columns + j];
    return t;
}
// a x a^T
matrix transformed(const matrix& a, const matrix& x, std::size_t side)
{
    return product(product(a, x, side), turned(a, side), side);
}

template <class Table>
matrix of(const Table& t)
{
    return {t.begin(), t.end()};
}

struct small_integers {
    std::uint32_t state = 1;
    matrix operator()(std::size_t count)
    {
        matrix m(count);
        for (double& v : m) {
            state = state * 1664525u + 1013904223u;
            v = static_cast<double>(state >> 24) - 128;
        }
        return m;
    }
};

} // namespace

// Y = A^T [(B^T d) * (G g)] is the correlation of d and g, for one row; exact in double for small integers but for the
// sixths in G.
TEST_CASE("the matrices compute a correlation with three taps")
{
    for (int m : {2, 4}) {
        const winograd_matrices w = winograd_matrices_of(m);
        const int alpha = m + 2;
        REQUIRE(w.bt.size() == static_cast<std::size_t>(alpha * alpha));
        REQUIRE(w.g.size() == static_cast<std::size_t>(alpha * 3));
        REQUIRE(w.at.size() == static_cast<std::size_t>(m * alpha));
        for (int d_at = 0; d_at < alpha; ++d_at)
            for (int g_at = 0; g_at < 3; ++g_at)
                for (int y_at = 0; y_at < m; ++y_at) {
                    double y = 0;
                    for (int u = 0; u < alpha; ++u)
                        y +=
                            double{w.at[y_at * alpha + u]} * double{w.bt[u * alpha + d_at]} * double{w.g[u * 3 + g_at]};
                    CAPTURE(m);
                    CHECK(y == doctest::Approx(d_at == y_at + g_at ? 1 : 0).epsilon(1e-6));
                }
    }
}

// Y = A^T [(B^T d B) * (G g G^T)] A, for tiles and windows of integers. F(2, 3) has halves only, and is exact; the
// floats of G in F(4, 3) are a 2^-24th off, of sums of up to 10^6.
TEST_CASE("of two dimensions, too")
{
    small_integers next;
    for (const std::size_t m : {std::size_t{2}, std::size_t{4}}) {
        CAPTURE(m);
        const winograd_matrices w = winograd_matrices_of(static_cast<int>(m));
        const std::size_t side = m + 2;
        for (int trial = 0; trial < 20; ++trial) {
            const matrix d = next(side * side), g = next(9);
            matrix both = transformed(of(w.bt), d, side);
            const matrix u = transformed(of(w.g), g, 3);
            REQUIRE(u.size() == both.size());
            for (std::size_t i = 0; i < both.size(); ++i) both[i] *= u[i];
            const matrix y = transformed(of(w.at), both, side);
            REQUIRE(y.size() == m * m);
            for (std::size_t i = 0; i < m; ++i)
                for (std::size_t j = 0; j < m; ++j) {
                    double exact = 0;
                    for (std::size_t kh = 0; kh < 3; ++kh)
                        for (std::size_t kw = 0; kw < 3; ++kw) exact += d[(i + kh) * side + j + kw] * g[kh * 3 + kw];
                    if (m == 2)
                        CHECK(y[i * m + j] == exact);
                    else
                        CHECK(y[i * m + j] == doctest::Approx(exact).epsilon(1e-5).scale(1e4));
                }
        }
    }
}
