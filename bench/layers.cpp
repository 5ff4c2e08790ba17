// SPDX-License-Identifier: BSL-1.0
// hone's default and tuned kernels beside oneDNN, XNNPACK and OpenBLAS, for the shapes of shapes.txt and for any shape
// that is given: all in turns in one process, pinned, each result compared with a double reference on poisoned outputs,
// and beside the peaks of multiply-adds and loads, which are measured in the same rounds.
//
//   layers --filter resnet50 --threads 1 --weights hot --rounds 31 --records records.jsonl --json layers.json
//   layers --shape 'conv2d 56x56x64 -> 128 3x3 /2 pad 1 bias relu' --shape 'gemm 64x1000x512'
//   layers --defaults --programs 20 --seed 7      whether defaults are near the best of random programs; else 1
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <sched.h>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include <hone/measure/cache_mode.hpp>
#include <hone/measure/machine.hpp>
#include <hone/process/input_file.hpp>
#include <hone/tune/cpu/measure.hpp>

#include "layers/defaults.hpp"
#include "layers/kernels.hpp"
#include "layers/operands.hpp"
#include "layers/report.hpp"
#include "layers/session.hpp"
#include "layers/shape.hpp"
#include "layers/table.hpp"

namespace bench::layers {
namespace {

struct chosen_options {
    std::string filter{}, shapes_file = HONE_BENCH_SHAPES, records{}, json{}, work{};
    std::string compiler = HONE_BENCH_COMPILER, weights = "hot";
    std::vector<std::string> shapes{};
    int threads = 1, rounds = 31, programs = 20;
    std::uint64_t seed = 0;
    bool defaults = false, list = false;

    hone::tune::cache_mode cache() const
    {
        return weights == "hot" ? hone::tune::cache_mode::hot : hone::tune::cache_mode::cold_weights;
    }
};

std::uint64_t seed_of_today() { return std::stoull(fmt::format("{:%Y%m%d}", fmt::gmtime(std::time(nullptr)))); }

void add_options(CLI::App& app, chosen_options& o)
{
    o.seed = seed_of_today();
    app.add_option("--shape", o.shapes, "A shape; may be given several times. See bench/layers/shape.hpp");
    app.add_option("--shapes", o.shapes_file, "The file of shapes, where none is given")->capture_default_str();
    app.add_option("--filter", o.filter, "A regular expression of 'group name: shape'");
    app.add_flag("--list", o.list, "Print the shapes and end");
    app.add_option("--threads", o.threads, "Threads of each contender")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_option("--weights", o.weights, "hot, or cold: from memory in each call")
        ->check(CLI::IsMember({"hot", "cold"}))
        ->capture_default_str();
    app.add_option("--rounds", o.rounds, "Samples of each contender")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option("--records", o.records, "Records of a tuner, for hone's tuned kernels");
    app.add_option("--json", o.json, "Write the samples there as Google Benchmark does");
    app.add_option("--compiler", o.compiler, "Compiles the kernels")->capture_default_str();
    app.add_option("--work", o.work,
                   "Keep compiled kernels in this folder; default: one in the system's temporary one");
    app.add_flag("--defaults", o.defaults, "Compare each default with random programs, and fail above 1.25");
    app.add_option("--programs", o.programs, "How many, with --defaults")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    app.add_option("--seed", o.seed, "Of what is drawn; default: the day")->capture_default_str();
}

std::vector<shape> chosen_shapes(const chosen_options& o)
{
    std::vector<shape> all;
    for (const std::string& text : o.shapes) {
        all.push_back(parse_shape(text));
        all.back().group = "given";
    }
    if (o.shapes.empty()) {
        all = parse_shapes(hone::tune::text_of_input(o.shapes_file), o.shapes_file);
        if (o.defaults)
            for (shape& s : drawn_shapes(o.seed, 10)) all.push_back(std::move(s));
    }
    if (o.filter.empty()) return all;
    std::regex wanted;
    try {
        wanted = std::regex(o.filter, std::regex::ECMAScript);
    } catch (const std::regex_error&) {
        throw std::invalid_argument(fmt::format("--filter '{}' is no regular expression", o.filter));
    }
    std::erase_if(all, [&](const shape& s) {
        return !std::regex_search(fmt::format("{} {}: {}", s.group, s.name, s.text), wanted);
    });
    if (all.empty()) throw std::invalid_argument(fmt::format("no shape matches --filter '{}'; see --list", o.filter));
    return all;
}

std::string heading_of(const shape& s) { return s.name == s.text ? s.text : fmt::format("{}: {}", s.name, s.text); }

// hone's kernels, in the order of the table. What has none is said.
void add_hone(field& to, session& s, shape_kernels& kernels, const operands& in, const recorded_configs& records)
{
    const auto try_config = [&](const std::string& name, const hone::tune::named_config& c) {
        std::string why;
        try {
            why = add_kernel(to, s, name, kernels.of(c), in, algorithm_of(c.name));
        } catch (const library_error& e) {
            why = e.what();
        }
        if (!why.empty()) fmt::print("  {}: {}\n", name, why);
    };
    if (const std::string why = add_kernel(to, s, "hone default", kernels.standard(), in, algorithm::direct);
        !why.empty())
        fmt::print("  hone default: {}\n", why);
    const auto space = hone::tune::any_space_of(kernels.space(hone::error_class::winograd_6));
    for (const auto& other : space->others()) {
        hone::status why;
        if (algorithm_of(other.name) == algorithm::winograd && space->nest_of(other, why))
            try_config("hone winograd, default", other);
    }
    const auto choice = records.of(kernels.signature(), s.maker.set(), s.threads, hone::tune::cache_key(s.cache));
    if (choice.config) try_config(fmt::format("hone tuned ({})", choice.config->name), *choice.config);
    if (!choice.why.empty()) fmt::print("  hone tuned: {}\n", choice.why);
}

// Best peer / hone's default and hone's best, by group.
struct summary {
    std::vector<group_line> standard{}, best{};

    static void add(std::vector<group_line>& to, const std::string& group, double ratio)
    {
        for (group_line& g : to)
            if (g.name == group) return g.ratios.push_back(ratio);
        to.push_back({group, {ratio}});
    }
    void add(const shape& s, const std::vector<contestant>& all, const limits& of)
    {
        const contestant* const peer = best_peer(all, of);
        if (peer == nullptr) return;
        double most = 0;
        for (const contestant& c : all) {
            if (c.of != side::hone || judged(c, of) != verdict::ok) continue;
            const double r = ratio_of(*peer, c).of_least;
            if (c.name == "hone default") add(standard, s.group, r);
            most = std::max(most, r);
        }
        if (most > 0) add(best, s.group, most);
    }
    void print() const
    {
        for (const auto& [title, lines] : {std::pair{"default", &standard}, std::pair{"best of hone", &best}}) {
            if (lines->empty()) continue;
            fmt::print("\nbest peer / {}, geometric mean\n", title);
            for (const group_line& g : *lines) fmt::print("  {}\n", g.text());
        }
    }
};

int compare_with_peers(const chosen_options& o, session& s, const std::vector<shape>& shapes)
{
    const recorded_configs records(o.records);
    json_report report(o.json);
    peaks loops(s);
    summary all;
    int failures = 0;
    for (const shape& of : shapes) {
        try {
            shape_kernels kernels(of, s.maker);
            const operands in(of);
            field to;
            add_hone(to, s, kernels, in, records);
            const peer_call call{in, s.cache, s.threads};
            add_onednn(to, call);
            add_xnnpack(to, call);
            add_openblas(to, call);
            loops.add(to.contenders, in);
            s.run(to.contenders);
            for (std::size_t i = 0; i < to.said.size(); ++i) to.said[i].ms = to.contenders[i].ms;
            const limits least = loops.of(to.contenders, in);
            // A time below the peak is of a peak that another process kept down: the table says so.
            for (const contestant& c : to.said)
                failures += c.of == side::hone && judged(c, least) == verdict::wrong_result;
            fmt::print("{}\n", table_of(fmt::format("{}   (peak {:.0f} GFLOP/s)", heading_of(of), loops.gflops()),
                                        to.said, least));
            report.add(of.name, to.contenders, s.threads);
            all.add(of, to.said, least);
        } catch (const library_error& e) {
            fmt::print("{}\n  cannot be compiled: {}\n\n", heading_of(of), e.what());
            ++failures;
        }
        std::fflush(stdout);
    }
    report.finish();
    all.print();
    return failures == 0 ? 0 : 1;
}

int check_defaults(const chosen_options& o, session& s, const std::vector<shape>& shapes)
{
    int failures = 0;
    fmt::print("{:<16}{:>9}{:>12}  {}\n", "default / best", "", "programs", "the best, where it is another");
    for (const shape& of : shapes) {
        try {
            shape_kernels kernels(of, s.maker);
            const default_check c = check_default(s, kernels, operands(of), o.programs, o.seed);
            const bool fails = c.over_best > most_default_over_best;
            failures += fails;
            fmt::print("{:<16}{:>9.3f}{:>12}  {}{}\n", of.name.substr(0, 15), c.over_best, c.programs, c.best,
                       fails ? fmt::format("  FAILED: more than {}: {}", most_default_over_best, of.text) : "");
        } catch (const library_error& e) {
            fmt::print("{:<16}  FAILED: {}: {}\n", of.name.substr(0, 15), of.text, e.what());
            ++failures;
        }
        std::fflush(stdout);
    }
    fmt::print("{} of {} shapes failed; --seed {} draws the same again\n", failures, shapes.size(), o.seed);
    return failures == 0 ? 0 : 1;
}

// This process and all threads that begin in it: on so many processors, on which it starts again.
void pin(int threads)
{
    if (std::getenv("HONE_BENCH_STARTED") != nullptr) return;
    const auto cpus = hone::tune::measuring::processors_of(threads, hone::tune::timing_cpu());
    if (cpus.empty())
        throw std::invalid_argument(fmt::format("--threads {}: this process has {} processors; give no more", threads,
                                                hone::tune::usable_cpus().size()));
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < threads; ++i) CPU_SET(cpus[static_cast<std::size_t>(i)], &set);
    sched_setaffinity(0, sizeof set, &set);
    // A library that binds the calling thread to one of them would leave the threads of the others there, too.
    unsetenv("OMP_PROC_BIND");
    unsetenv("OMP_PLACES");
    unsetenv("GOMP_CPU_AFFINITY");
}

int run(const chosen_options& o, char** argv)
{
    const std::vector<shape> shapes = chosen_shapes(o);
    if (o.list) {
        for (const shape& s : shapes) fmt::print("{} {}: {}\n", s.group, s.name, s.text);
        return 0;
    }
    pin(o.threads);
    use_threads(argv, o.threads);
    kernel_maker maker(o.compiler, {HONE_BENCH_INCLUDE, HONE_BENCH_FOLDER}, o.work);
    session s(maker, o.threads, o.cache(), o.rounds);
    std::string peers;
    for (const std::string& version : {onednn_version(), xnnpack_version(), openblas_version()})
        if (!version.empty()) peers += "; " + version;
    fmt::print("{}, {}, {} thread{}, {} weights, {}{}\n\n", hone::tune::processor_name(), name_of(maker.set()),
               o.threads, o.threads == 1 ? "" : "s", o.weights, maker.compiler().version,
               peers.empty() ? "; no peers" : peers);
    return o.defaults ? check_defaults(o, s, shapes) : compare_with_peers(o, s, shapes);
}

} // namespace
} // namespace bench::layers

int main(int argc, char** argv)
{
    using namespace bench::layers;
    CLI::App app(
        "hone's kernels beside those of oneDNN, XNNPACK and OpenBLAS, for any shape.\n"
        "Exit status: 0; 1 where a kernel of hone's is wrong or a default is slow; 2 where it was called wrongly.");
    chosen_options o;
    add_options(app, o);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    try {
        return run(o, argv);
    } catch (const std::exception& e) {
        fmt::print(stderr, "layers: {}\n", e.what());
        return 2;
    }
}
