// SPDX-License-Identifier: BSL-1.0
// Operators without weights against the memory that they read: each kernel, and a plain loop that loads x once and
// stores as much as y is, are timed in turns. The share is the time of the faster loop over the kernel's, from the
// minima and (median of the rounds).
//
//     reduce --rounds 60 --only all --data memory
//
// `memory`: each call reads another copy of x, which together are several times the last cache; `cache`: all read one.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hone/hone.hpp>

#include "../tests/reductions.hpp"
#include "rounds.hpp"

namespace {

using namespace reductions;

constexpr hone::isa set = hone::compiled_isa();

// A set of one config.
template <class Op>
constexpr hone::direct_knobs plain = hone::schedules::default_direct(hone::definition_of<Op>, set);
template <class Op>
struct only_direct {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr hone::signature_text signature = Op::signature();
    static constexpr hone::cpu_entry entries[1] = {
        {.signature = signature.c_str(), .set = set, .config = hone::config_text<hone::direct, plain<Op>>}};
};

// Loads all of x and stores all of y: so many parts of x side by side, in 8 chains of maxima, and as many vectors of y
// as their share of x. Of one part and of four, the faster is what memory gives.
template <int Parts>
void stream(const float* x, std::int64_t nx, float* y, std::int64_t ny)
{
    using v = hone::codegen::simd<set, float>;
    constexpr std::int64_t lanes = v::lanes, step = 8 / Parts * lanes;
    const std::int64_t blocks = nx / Parts / step, outputs = ny / lanes;
    [&]<int... K>(std::integer_sequence<int, K...>) {
        typename v::vector chain[8]{};
        const auto take = [](auto& most, const auto& next) { most = most < next ? next : most; };
        std::int64_t stored = 0;
        for (std::int64_t b = 0; b < blocks; ++b) {
            (take(chain[K], v::load(x + (K % Parts * blocks + b) * step + K / Parts * lanes)), ...);
            for (; stored * blocks < (b + 1) * outputs; ++stored) v::store(y + stored * lanes, chain[0]);
        }
        (take(chain[0], chain[K]), ...);
        y[ny - 1] = chain[0][0];
    }(std::make_integer_sequence<int, 8>{});
}

class data {
public:
    data(std::int64_t x, std::int64_t y, bool from_memory) : x_elements(x), y_elements(y)
    {
        constexpr std::int64_t several_caches = 96 << 20;
        const std::int64_t bytes = x * static_cast<std::int64_t>(sizeof(float));
        const std::int64_t copies = from_memory ? std::max<std::int64_t>(2, several_caches / bytes + 1) : 1;
        for (std::int64_t i = 0; i < copies; ++i) {
            x_.push_back(bench::floats::random(x, 1.0f, 1));
            y_.emplace_back(static_cast<std::size_t>(y));
        }
    }
    const std::int64_t x_elements, y_elements;

    const bench::floats& first_x() const { return x_[0]; }
    void next() { at_ = (at_ + 1) % x_.size(); }
    const float* x() const { return x_[at_].data(); }
    float* y() const { return y_[at_].data(); }

private:
    std::vector<bench::floats> x_, y_;
    std::size_t at_ = 0;
};

template <class Kernel>
bench::contender contender_of(const char* name, data& of, const std::vector<double>& expected)
{
    bench::contender c;
    c.name = name;
    const auto workspace = std::make_shared<std::vector<char>>(Kernel::workspace_bytes(1));
    c.call = [&of, workspace] {
        of.next();
        hone::serial_executor executor;
        static_cast<void>(Kernel::run(executor, {.x = of.x(), .y = of.y(), .workspace = workspace->data()}));
    };
    c.call();
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        c.error = std::max(c.error, std::fabs(static_cast<double>(of.y()[i]) - expected[i]));
        largest = std::max(largest, std::fabs(expected[i]));
    }
    c.error /= largest;
    return c;
}

template <class Op>
void report(const char* name, const bench::options& o)
{
    if (!o.selects("--only", name)) return;
    data of(Op::shape.x_elements(), Op::shape.y_elements(), o["--data"] == "memory");
    const auto expected = reductions::expected(Op::shape, of.first_x().data());
    std::vector<bench::contender> all;
    const auto add_stream = [&]<int Parts>(std::integral_constant<int, Parts>, const char* what) {
        bench::contender c;
        c.name = what;
        c.call = [&of] {
            of.next();
            stream<Parts>(of.x(), of.x_elements, of.y(), of.y_elements);
        };
        all.push_back(c);
    };
    add_stream(std::integral_constant<int, 1>(), "a loop over x");
    add_stream(std::integral_constant<int, 4>(), "over its quarters");
    all.push_back(contender_of<hone::kernel<Op>>("reduce, by default", of, expected));
    all.push_back(contender_of<hone::kernel<Op, only_direct<Op>>>("direct, by default", of, expected));
    bench::run_rounds(all, o.number("--rounds"), hone::tune::cache_mode::hot);
    const double bytes = static_cast<double>(of.x_elements + of.y_elements) * sizeof(float);
    const bench::contender& most = all[1].median() < all[0].median() ? all[1] : all[0];
    std::printf("%-24s %-22s %9s %9s %8s %8s   %s\n", name, "", "min ms", "median", "GB/s", "error", "share");
    for (const bench::contender& c : all)
        std::printf("%-24s %-22s %9.4f %9.4f %8.1f %8.1e   %6.3f (%6.3f)\n", "", c.name.c_str(), c.least(), c.median(),
                    bytes / c.least() * 1e-6, c.error, most.least() / c.least(), bench::ratio(most, c));
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--rounds", "60"}, {"--only", "all"}, {"--data", "memory"}});
    report<pool<pool_shape{.h = 112, .w = 112, .c = 64, .kh = 3, .kw = 3, .stride = 2, .pad = 1}>>("max3x3", o);
    report<pool<global({.h = 7, .w = 7, .c = 2048, .how = fold::mean})>>("mean7", o);
    report<pool<global({.h = 56, .w = 56, .c = 256, .how = fold::mean})>>("mean56", o);
    report<pool<global({.h = 56, .w = 56, .c = 256, .how = fold::mean, .layout = hone::layout::nchw})>>("mean56nchw",
                                                                                                        o);
    report<rows<rows_shape{.rows = 4096, .n = 4096}>>("rows4096", o);
    report<rows<rows_shape{.rows = 1000, .n = 1000}>>("rows1000", o);
}
