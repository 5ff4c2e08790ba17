// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <hone/measure/noise.hpp>

using namespace hone;

namespace {

bool says(const tune::trust& t, const char* words)
{
    CAPTURE(t.sentence);
    return t.sentence.find(words) != std::string::npos;
}
tune::noise_report noisy(double share)
{
    tune::noise_report r;
    r.cpu = 7;
    r.figures.p95_of_minima = share;
    return r;
}

} // namespace

TEST_CASE("quantiles are values of the sample")
{
    CHECK(tune::quantile({}, 0.5) == 0);
    CHECK(tune::quantile({4}, 0.95) == 4);
    CHECK(tune::quantile({3, 1, 2}, 0.5) == 2);
    CHECK(tune::quantile({3, 1, 2}, 0) == 1);
    CHECK(tune::quantile({3, 1, 2}, 1) == 3);
    std::vector<double> hundred;
    for (int i = 100; i >= 0; --i) hundred.push_back(i);
    CHECK(tune::quantile(hundred, 0.95) == 95);
}

TEST_CASE("noise is the excess over the shortest time, and minima have less of it")
{
    std::vector<double> ms;
    for (int i = 0; i < 100; ++i) ms.push_back(i % 10 == 3 ? 1.0 : i % 10 == 4 ? 9.0 : 2.0);
    const auto n = tune::noise_of(ms, 10);
    CHECK(n.least_ms == 1);
    CHECK(n.median == 1);
    CHECK(n.p95 == 8);
    CHECK(n.p95_of_minima == 0);
    // A slow half of the time shows in minima too.
    for (std::size_t i = 50; i < 100; ++i) ms[i] *= 1.5;
    CHECK(tune::noise_of(ms, 10).p95_of_minima == 0.5);
    CHECK(tune::noise_of({}, 10).least_ms == 0);
    // Too few samples for two minima are no reason for trust.
    CHECK(tune::noise_of({1, 2}, 10).p95_of_minima == 1);
}

TEST_CASE("timings are trusted to the noise of minima, and what spoils them is named with its mend")
{
    CHECK(tune::trust_of(noisy(0.012), "powersave", 0.5).given);
    CHECK(tune::trust_of(noisy(0.012), {}, {}).sentence == "timings can be trusted to about 1.2 %");
    CHECK(tune::trust_of(noisy(0), {}, {}).sentence == "timings can be trusted to about 0.1 %");

    auto spoilt = noisy(0.25);
    CHECK_FALSE(tune::trust_of(spoilt, {}, {}).given);
    CHECK(says(tune::trust_of(spoilt, {}, {}), "cannot be trusted: the same loop varies by 25 %"));
    CHECK(says(tune::trust_of(spoilt, "performance", {}), "by 25 %, and nothing here says why"));
    CHECK(says(tune::trust_of(spoilt, "powersave", {}), "choose 'performance'"));
    spoilt.stolen = 0.1;
    CHECK(says(tune::trust_of(spoilt, "powersave", {}), "the hypervisor gives 10 % of processor 7"));
    spoilt.taken = 0.4;
    CHECK(says(tune::trust_of(spoilt, "powersave", 2.0), "other processes have 40 % of processor 7"));
    CHECK(says(tune::trust_of(spoilt, "powersave", 0.5), "granted 0.50 processors; raise the CPU quota"));

    // Minima of a short loop escape a neighbour that long kernels do not.
    auto shared = noisy(0.01);
    shared.taken = 0.5;
    CHECK_FALSE(tune::trust_of(shared, {}, {}).given);
    CHECK(says(tune::trust_of(shared, {}, {}), "cannot be trusted: other processes have 50 %"));
    shared.taken = 0;
    shared.stolen = 0.3;
    CHECK(says(tune::trust_of(shared, {}, {}), "cannot be trusted: the hypervisor gives 30 %"));
}

TEST_CASE("the slowest processor is compared with the fastest one")
{
    tune::noise_report r;
    CHECK(r.slowest() == 0);
    r.least_ms = {{0, 2.0}, {1, 3.0}, {5, 2.5}};
    CHECK(r.slowest() == 0.5);
}

TEST_CASE("noise is measured on every processor that is allowed, which stay allowed")
{
    const auto before = tune::usable_cpus();
    const auto r = tune::measure_noise(std::chrono::milliseconds{30});
    CHECK(tune::usable_cpus() == before);
    CHECK(r.cpu == before.back());
    CHECK(r.figures.least_ms > 0);
    CHECK(r.figures.median >= 0);
    CHECK(r.figures.p95 >= r.figures.median);
    REQUIRE(r.least_ms.size() == before.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        CHECK(r.least_ms[i].first == before[i]);
        CHECK(r.least_ms[i].second > 0);
    }
    CHECK(r.taken >= 0);
    CHECK(r.taken < 1);
}
