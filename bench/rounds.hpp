// SPDX-License-Identifier: BSL-1.0
// Contenders of one claim, timed in turns in one process: a slower clock or a busy neighbour then meets all of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <benchmark/benchmark.h>

#include <hone/measure/cache_mode.hpp>

namespace bench {

// Floats at a cache line's begin.
class floats {
public:
    explicit floats(std::size_t count = 0)
        : data_(static_cast<float*>(::operator new(count * sizeof(float) + 1, std::align_val_t{64}))), size_(count)
    {
        std::fill_n(data_.get(), count, 0.0f);
    }
    float* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    float& operator[](std::int64_t i) const { return data_.get()[i]; }

    // Values in [-scale, scale), the same ones in each run.
    static floats random(std::int64_t count, float scale, unsigned seed)
    {
        std::mt19937 bits(seed);
        std::uniform_real_distribution<float> value(-scale, scale);
        floats f(static_cast<std::size_t>(count));
        for (std::int64_t i = 0; i < count; ++i) f[i] = value(bits);
        return f;
    }
    void poison() const { std::fill_n(data(), size_, std::numeric_limits<float>::quiet_NaN()); }

private:
    struct release {
        void operator()(float* p) const { ::operator delete(p, std::align_val_t{64}); }
    };
    std::unique_ptr<float, release> data_;
    std::size_t size_;
};

// Some elements of the result, in double.
struct reference {
    std::vector<std::pair<std::int64_t, double>> points{}; // position in y, value
    double largest = 0;

    void add(std::int64_t position, double value)
    {
        points.emplace_back(position, value);
        largest = std::max(largest, std::fabs(value));
    }
    // The largest error of y at the points over the largest value; NaN where any element of y is NaN.
    double error(const floats& y) const
    {
        double worst = 0;
        for (std::size_t i = 0; i < y.size(); ++i)
            if (std::isnan(y.data()[i])) return std::numeric_limits<double>::quiet_NaN();
        for (const auto& [position, value] : points) worst = std::max(worst, std::fabs(y[position] - value));
        return worst / largest;
    }
};

struct contender {
    std::string name;
    std::function<void()> call;
    // Its packed weights, and how it is given others of the same values.
    const float* weights = nullptr;
    std::size_t weight_count = 0;
    std::function<void(const float*)> take_weights{};
    double error = 0;
    std::vector<double> ms{};     // of one call, a sample for each round
    std::vector<double> cpu_ms{}; // the same of all threads
    int calls = 1;                // of a sample

    double least() const { return *std::min_element(ms.begin(), ms.end()); }
    double median() const
    {
        std::vector<double> sorted = ms;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

inline double milliseconds_of(const std::function<void()>& call, int calls)
{
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) {
        call();
        benchmark::ClobberMemory();
    }
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count() / calls;
}

// How often this process had to leave the processor to another one.
inline long preemptions()
{
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    return u.ru_nivcsw;
}

// Each round times each contender for about `quantum_ms` after a call that warms its caches; the order rotates. A
// sample during which the process was preempted is taken again, up to ten times. Cold weights come from memory in each
// call: copies take turns that together exceed twice the last cache. `rest`: before each sample, for the threads of
// other contenders to fall asleep.
inline void run_rounds(std::vector<contender>& contenders, int rounds, hone::tune::cache_mode cache,
                       double quantum_ms = 2, std::chrono::milliseconds rest = {})
{
    for (contender& c : contenders) {
        if (cache == hone::tune::cache_mode::cold_weights) {
            const auto rotation = std::make_shared<hone::tune::measuring::weight_rotation>();
            rotation->fill(c.weights, c.weight_count, cache);
            c.call = [rotation, take = c.take_weights, call = c.call] {
                take(rotation->next());
                call();
            };
        }
        milliseconds_of(c.call, 1);
        c.calls = std::max(1, static_cast<int>(quantum_ms / milliseconds_of(c.call, 1)));
        c.ms.clear();
        c.cpu_ms.clear();
    }
    const std::size_t count = contenders.size();
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = (i + static_cast<std::size_t>(round)) % count;
            contender& c = contenders[at];
            double sample = 0;
            long before = 0;
            std::clock_t begin = 0;
            int attempt = 0;
            if (rest.count() > 0) std::this_thread::sleep_for(rest);
            do {
                c.call();
                before = preemptions();
                begin = std::clock();
                sample = milliseconds_of(c.call, c.calls);
            } while (preemptions() != before && ++attempt < 10);
            c.ms.push_back(sample);
            c.cpu_ms.push_back(1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / c.calls);
        }
}

// Median over the rounds of a's time over b's in the same round.
inline double ratio(const contender& a, const contender& b)
{
    contender r;
    for (std::size_t i = 0; i < a.ms.size(); ++i) r.ms.push_back(a.ms[i] / b.ms[i]);
    return r.median();
}

inline const contender* find(const std::vector<contender>& contenders, const char* name)
{
    for (const contender& c : contenders)
        if (c.name == name) return &c;
    return nullptr;
}

// One line a contender. Columns `x peer`: the peer's time over this one's, from the minima and (median of the rounds).
inline void print(const std::string& workload, double gflop, const std::vector<contender>& contenders,
                  const std::vector<const char*>& peers)
{
    std::printf("%-10s %-22s %9s %9s %8s %8s", workload.c_str(), "", "min ms", "median", "GFLOP/s", "error");
    for (const char* p : peers)
        if (find(contenders, p) != nullptr) std::printf("   x %-18s", p);
    std::printf("\n");
    for (const contender& c : contenders) {
        std::printf("%-10s %-22s %9.4f %9.4f %8.1f %8.1e", "", c.name.c_str(), c.least(), c.median(),
                    gflop / c.least() * 1e3, c.error);
        for (const char* p : peers)
            if (const contender* peer = find(contenders, p))
                std::printf("   %6.3f (%6.3f)     ", peer->least() / c.least(), ratio(*peer, c));
        std::printf("\n");
    }
    std::fflush(stdout);
}

// Peers run on so many threads and choose their kernels themselves. They read their environment when they are loaded,
// so the program starts again with a clean one: OPENBLAS_CORETYPE=Haswell, set for reproducible numbers, halves
// OpenBLAS here.
inline void use_threads(char** argv, int threads)
{
    if (std::getenv("HONE_BENCH_STARTED") != nullptr) return;
    const std::string number = std::to_string(threads);
    setenv("HONE_BENCH_STARTED", "1", 1);
    setenv("OMP_NUM_THREADS", number.c_str(), 1);
    setenv("OPENBLAS_NUM_THREADS", number.c_str(), 1);
    for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "DNNL_MAX_CPU_ISA", "DNNL_CPU_ISA_HINTS",
                             "ONEDNN_MAX_CPU_ISA", "ONEDNN_CPU_ISA_HINTS"})
        unsetenv(name);
    execv("/proc/self/exe", argv);
    std::perror("bench: cannot start again with a clean environment");
    std::exit(1);
}
inline void use_one_thread(char** argv) { use_threads(argv, 1); }

// --name value --other value; a benchmark stops at names it does not know.
class options {
public:
    options(int argc, char** argv, std::vector<std::pair<std::string, std::string>> known) : values_(std::move(known))
    {
        for (int i = 1; i < argc; ++i) {
            std::string* value = nullptr;
            for (auto& [name, text] : values_)
                if (name == argv[i]) value = &text;
            if (value == nullptr || i + 1 == argc) {
                std::fprintf(stderr, "usage: %s", argv[0]);
                for (const auto& [name, text] : values_) std::fprintf(stderr, " [%s %s]", name.c_str(), text.c_str());
                std::fprintf(stderr, "\n");
                std::exit(2);
            }
            *value = argv[++i];
        }
    }
    const std::string& operator[](const char* name) const
    {
        for (const auto& [known, text] : values_)
            if (known == name) return text;
        std::abort();
    }
    int number(const char* name) const { return std::atoi((*this)[name].c_str()); }
    // Whether a list with commas names the item, or all.
    bool selects(const char* name, const std::string& item) const
    {
        const std::string& list = (*this)[name];
        return list == "all" || ("," + list + ",").find("," + item + ",") != std::string::npos;
    }

private:
    std::vector<std::pair<std::string, std::string>> values_;
};

// --weights cold or hot
inline hone::tune::cache_mode weights_of(const options& o)
{
    for (const auto mode : {hone::tune::cache_mode::cold_weights, hone::tune::cache_mode::hot})
        if (o["--weights"] == hone::tune::name_of(mode)) return mode;
    std::fprintf(stderr, "--weights is '%s'; it takes cold and hot\n", o["--weights"].c_str());
    std::exit(2);
}

} // namespace bench
