// SPDX-License-Identifier: BSL-1.0
// What bench/layers makes of times: ratios, shares of peaks, and peers that cannot be as fast as they seem.
#include "../../bench/layers/table.hpp"

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace bench::layers;

namespace {

contestant peer(const char* name, std::vector<double> ms, algorithm how = algorithm::direct)
{
    return {.name = name, .of = side::peer, .how = how, .error = 1e-6, .ms = std::move(ms)};
}
contestant ours(std::vector<double> ms)
{
    return {.name = "hone default", .of = side::hone, .error = 1e-6, .ms = std::move(ms)};
}

} // namespace

TEST_CASE("ratios are of the least times, and the median of the rounds")
{
    const ratio r = ratio_of(peer("p", {4, 3, 6}), ours({2, 2, 2}));
    CHECK(r.of_least == doctest::Approx(1.5));
    CHECK(r.of_rounds == doctest::Approx(2));
}

TEST_CASE("the best peer is the fastest one that is not broken")
{
    const limits of{.fma_ms = 1, .load_ms = 0.5};
    std::vector<contestant> all{ours({2}), peer("slow", {4}), peer("right", {3}), peer("too fast", {0.9}),
                                peer("wrong", {2})};
    all.back().error = 0.01;
    REQUIRE(best_peer(all, of) != nullptr);
    CHECK(best_peer(all, of)->name == "right");
    CHECK(judged(all[3], of) == verdict::beats_multiplications);
    CHECK(judged(all[4], of) == verdict::wrong_result);
    all.back().error = std::numeric_limits<double>::quiet_NaN();
    CHECK(judged(all[4], of) == verdict::wrong_result);
    const std::string text = table_of("a shape", all, of);
    CHECK(text.find("broken: less than its multiply-adds take at the peak") != std::string::npos);
    CHECK(text.find("1.500 (1.500)") != std::string::npos);
    CHECK(best_peer({ours({2})}, of) == nullptr);
}

TEST_CASE("a direct kernel is compared with the best direct peer, too")
{
    const limits of{.fma_ms = 1, .winograd_saving = winograd_saving(3, 3)};
    const std::vector<contestant> all{ours({2}), peer("w", {1}, algorithm::winograd), peer("d", {3})};
    CHECK(best_peer(all, of)->name == "w");
    CHECK(best_peer(all, of, among::direct)->name == "d");
    CHECK(table_of("a shape", all, of).find("0.500 (0.500), direct 1.500") != std::string::npos);
}

TEST_CASE("a limit leaves room for a rising clock, and for caches")
{
    const limits of{.fma_ms = 1, .load_ms = 2};
    CHECK(judged(peer("p", {1.7}), of) == verdict::ok);
    CHECK(judged(peer("p", {1.5}), of) == verdict::beats_loads);
    CHECK(judged(peer("p", {0.98}), {.fma_ms = 1}) == verdict::ok);
    CHECK(judged(peer("p", {0.96}), {.fma_ms = 1}) == verdict::beats_multiplications);
}

TEST_CASE("Winograd multiplies less, down to what its largest tile takes")
{
    CHECK(winograd_saving(3, 3) == doctest::Approx(324.0 / 64));
    CHECK(winograd_saving(1, 1) == doctest::Approx(1));
    const limits of{.fma_ms = 1, .winograd_saving = winograd_saving(3, 3)};
    CHECK(judged(peer("w", {0.25}, algorithm::winograd), of) == verdict::ok);
    CHECK(judged(peer("w", {0.15}, algorithm::winograd), of) == verdict::beats_multiplications);
    CHECK(judged(peer("d", {0.25}), of) == verdict::beats_multiplications);
    // The share is of direct multiply-adds.
    CHECK(share_of(peer("w", {0.25}, algorithm::winograd), of).of_peak == doctest::Approx(4));
}

TEST_CASE("the share is of the peak that binds")
{
    const share s = share_of(ours({4}), {.fma_ms = 1, .load_ms = 2});
    CHECK(s.of_peak == doctest::Approx(0.5));
    CHECK(std::string(s.which) == "load");
    CHECK(std::string(share_of(ours({4}), {.fma_ms = 3, .load_ms = 2}).which) == "fma");
}

TEST_CASE("a group has a geometric mean, and what is won, lost and neither")
{
    const group_line g{"vgg", {2, 0.5, 1, 1}};
    CHECK(g.text().find("1.000") != std::string::npos);
    CHECK(g.text().find("1 wins,  2 ties,  1 losses, worst 0.50") != std::string::npos);
}
