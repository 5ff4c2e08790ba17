// SPDX-License-Identifier: BSL-1.0
// The whole way in one command: random search over a few workloads, every candidate verified and timed in a child
// process, records and a config set written, default against tuned printed. tools/demo builds and runs it.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <sched.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/tune/header_writer.hpp>
#include <hone/tune/measure_cpu.hpp>
#include <hone/tune/task.hpp>
#include <hone/tune/tune_cpu.hpp>
#ifdef HONE_WITH_VULKAN
#include <hone/tune/measure_vulkan.hpp>
#include <hone/tune/tune_vulkan.hpp>
#endif

#include "layers.hpp"

namespace {

namespace fs = std::filesystem;
namespace tune = hone::tune;
using clock_type = std::chrono::steady_clock;

struct options {
    double budget = 300;
    std::string out = "build/demo";
    std::string compiler = HONE_DEMO_COMPILER;
    std::string include = HONE_DEMO_INCLUDE;
    std::uint64_t seed = 1;
    std::vector<std::string> only{};
};

void on_signal(int) { tune::interrupt_requested.store(true); }

// The last processor that this process may use: the first one serves most interrupts.
int measuring_cpu()
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -1;
    int last = -1;
    for (int c = 0; c < CPU_SETSIZE; ++c)
        if (CPU_ISSET(c, &allowed)) last = c;
    return last;
}

class demo_run {
public:
    explicit demo_run(const options& o) : options_(o), out_(o.out), begin_(clock_type::now())
    {
        std::error_code failed;
        fs::create_directories(out_, failed);
        if (failed || access(out_.c_str(), W_OK) != 0)
            throw std::runtime_error(fmt::format("cannot write to '{}'{}; choose another folder with --out", o.out,
                                                 failed ? ": " + failed.message() : ""));
        out_ = fs::absolute(out_);
        environment_.self = {fs::read_symlink("/proc/self/exe").string(), "measure"};
        environment_.work_directory = out_ / "work";
        environment_.seed = o.seed;
        environment_.cpu = measuring_cpu();
        add_tasks();
        log_ = std::make_unique<tune::record_writer>((out_ / "records.jsonl").string());
        environment_.log = log_.get();
        write_header();
    }
    ~demo_run()
    {
        std::error_code ignored;
        fs::remove_all(environment_.work_directory, ignored);
    }

    int run()
    {
        search();
        for (const auto& t : tunings_)
            if (!tune::interrupt_requested.load()) t->compare();
        write_header();
        write_summary();
        print_table();
        if (!tune::interrupt_requested.load()) return 0;
        fmt::print(stderr, "demo: interrupted; {} holds what was measured\n", out_.string());
        return 130;
    }

private:
    template <class Op>
    void add_cpu(const char* name, const char* type)
    {
        if (!wanted(name)) return;
        if (builder_ == nullptr) {
            const hone::isa set = tune::machine_isa();
            builder_ = std::make_unique<tune::builder>(
                tune::find_compiler(options_.compiler, set),
                tune::build_options{.directory = environment_.work_directory,
                                    .include_directories = {options_.include, HONE_DEMO_LAYERS},
                                    .headers = {"layers.hpp"}});
            set_ = set;
        }
        tunings_.push_back(
            std::make_unique<tune::cpu_tuning>(tune::task_of<Op>(name, type), environment_, *builder_, set_));
    }
    template <class Op>
    void add_vulkan([[maybe_unused]] const char* name, [[maybe_unused]] const char* type)
    {
#ifdef HONE_WITH_VULKAN
        if (!wanted(name)) return;
        if (!vulkan_) {
            std::string why;
            vulkan_ = tune::find_vulkan(environment_.self, why);
            if (!vulkan_) {
                fmt::print(stderr, "demo: {} is left out: {}\n", name, why);
                return;
            }
        }
        tunings_.push_back(
            std::make_unique<tune::vulkan_tuning>(tune::task_of<Op>(name, type), environment_, *vulkan_));
#endif
    }
    void add_tasks()
    {
        add_cpu<demo::gemm_512>("gemm512", "demo::gemm_512");
        add_cpu<demo::c2>("C2", "demo::c2");
        add_cpu<demo::c9>("C9", "demo::c9");
        add_cpu<demo::c8>("C8", "demo::c8");
        add_vulkan<demo::gemm_256>("gemm256", "demo::gemm_256");
        add_vulkan<demo::c3>("C3", "demo::c3");
        if (tunings_.empty())
            throw std::runtime_error("no task is left; --only takes gemm512, C2, C9, C8, gemm256 and C3");
    }
    bool wanted(const std::string& name) const
    {
        return options_.only.empty() ||
               std::find(options_.only.begin(), options_.only.end(), name) != options_.only.end();
    }

    double elapsed() const { return std::chrono::duration<double>(clock_type::now() - begin_).count(); }

    // Turns go round the tasks while the next one is likely to end before the time that the comparison needs. The first
    // round is always played, with small batches where the budget is small.
    void search()
    {
        const double reserve = std::min(2.5 * static_cast<double>(tunings_.size()), 0.2 * options_.budget);
        const int batch = std::clamp(static_cast<int>(options_.budget / 20), 4, 8);
        std::vector<double> seconds(tunings_.size(), 0);
        for (bool played = true, first = true; played; first = false) {
            played = false;
            for (std::size_t i = 0; i < tunings_.size(); ++i) {
                tune::tuning& t = *tunings_[i];
                if (tune::interrupt_requested.load()) return;
                if (t.exhausted() || (!first && elapsed() + seconds[i] > options_.budget - reserve)) continue;
                const double before = elapsed();
                t.turn(first ? std::min(batch, 4) : batch);
                seconds[i] = (elapsed() - before) * (first && batch > 4 ? batch / 4.0 : 1.0);
                played = true;
                progress(t);
                if (first && !t.records().empty()) require_one_that_compiles(t);
            }
            write_header();
        }
    }

    void progress(const tune::tuning& t) const
    {
        const bool terminal = isatty(2) == 1;
        const tune::standing s = t.standing();
        const tune::record* last = t.records().empty() ? nullptr : &t.records().back();
        const double current = last != nullptr && last->found == tune::verdict::ok ? t.gflops(last->least()) : 0;
        fmt::print(stderr,
                   "{}[{:8} {:6}] Current/Best: {:7.2f}/{:7.2f} GFLOPS | Trials: {} ({} failed) | {:.1f}/{:.0f} s{}",
                   terminal ? "\r\x1b[K" : "", t.task().name, t.backend(), current,
                   s.chosen == nullptr ? 0 : t.gflops(s.chosen->least()), s.trials, s.failed, elapsed(),
                   options_.budget, terminal ? "" : "\n");
        std::fflush(stderr);
    }

    // Where not even the default compiles, the workload header or the compiler is at fault, not the candidates.
    void require_one_that_compiles(const tune::tuning& t) const
    {
        for (const tune::record& r : t.records())
            if (r.found != tune::verdict::compile_error) return;
        const std::string& log = t.records().front().detail;
        const auto error = log.find("error:");
        throw std::runtime_error(fmt::format(
            "no candidate of {} compiles: {}; mend layers.hpp, or choose other headers with --include or "
            "another compiler with --compiler ({} holds what was measured)",
            t.task().name, error == std::string::npos ? log : log.substr(error, log.find('\n', error) - error),
            out_.string()));
    }

    void write_header() const
    {
        std::vector<tune::record> all;
        for (const auto& t : tunings_) all.insert(all.end(), t->records().begin(), t->records().end());
        tune::replace_file(out_ / "demo.hpp", tune::header_text("demo_configs", all));
    }

    void write_summary() const
    {
        auto list = nlohmann::ordered_json::array();
        for (const auto& t : tunings_) {
            const tune::standing s = t->standing();
            const auto ms = [](const tune::record* r) {
                return r == nullptr ? nlohmann::ordered_json() : nlohmann::ordered_json(r->least());
            };
            nlohmann::ordered_json config = nlohmann::ordered_json::object();
            if (s.chosen != nullptr) {
                config["template"] = s.chosen->template_name;
                for (const tune::setting& k : s.chosen->knobs) config[k.knob] = k.value;
            }
            list.push_back({{"task", t->task().name},
                            {"backend", t->backend()},
                            {"device", t->records().empty() ? "" : t->records().front().device},
                            {"signature", t->task().signature},
                            {"trials", s.trials},
                            {"failed", s.failed},
                            {"illegal", t->illegal()},
                            {"default_ms", ms(s.standard)},
                            {"tuned_ms", ms(s.chosen)},
                            {"naive_ms", ms(s.naive)},
                            {"gflops", s.chosen == nullptr ? 0.0 : t->gflops(s.chosen->least())},
                            {"max_rel_error", s.chosen == nullptr ? 0.0 : s.chosen->max_rel_error},
                            {"config", config}});
        }
        tune::replace_file(out_ / "summary.json", list.dump(2) + "\n");
    }

    void print_table() const
    {
        if (isatty(2) == 1) fmt::print(stderr, "\n");
        fmt::print("{:8} {:7} {:>11} {:>9} {:>9} {:>6} {:>8} {:>7}  {}\n", "task", "backend", "default ms", "tuned ms",
                   "naive ms", "gain", "GFLOP/s", "trials", "config");
        for (const auto& t : tunings_) {
            const tune::standing s = t->standing();
            const auto ms = [](const tune::record* r) { return r == nullptr ? 0 : r->least(); };
            fmt::print("{:8} {:7} {:11.4f} {:9.4f} {:9.3f} {:5.2f}x {:8.1f} {:7}  {}\n", t->task().name, t->backend(),
                       ms(s.standard), ms(s.chosen), ms(s.naive),
                       s.chosen == nullptr ? 0 : ms(s.standard) / ms(s.chosen), t->gflops(ms(s.chosen)), s.trials,
                       s.chosen == nullptr ? "" : tune::text_of(s.chosen->template_name, s.chosen->knobs));
        }
        fmt::print("{:.0f} s; {}\n", elapsed(), (out_ / "summary.json").string());
        std::fflush(stdout);
    }

    options options_;
    fs::path out_;
    clock_type::time_point begin_;
    tune::tuning_environment environment_{};
    std::unique_ptr<tune::builder> builder_{};
    hone::isa set_ = hone::isa::baseline;
#ifdef HONE_WITH_VULKAN
    std::optional<tune::vulkan_facts> vulkan_{};
#endif
    std::unique_ptr<tune::record_writer> log_{};
    std::vector<std::unique_ptr<tune::tuning>> tunings_{};
};

int measure()
{
    const auto job = nlohmann::json::parse(tune::read_job());
#ifdef HONE_WITH_VULKAN
    if (job.at("backend") == "vulkan")
        return tune::measure_vulkan_child(job, [](const std::string& signature) {
            static const auto gemm = tune::task_of<demo::gemm_256>("", ""), conv = tune::task_of<demo::c3>("", "");
            return signature == gemm.signature   ? &gemm.definition
                   : signature == conv.signature ? &conv.definition
                                                 : nullptr;
        });
#endif
    return tune::measure_cpu_child(job);
}

} // namespace

int main(int argc, char** argv)
try {
    // How this program starts itself as a child.
    if (argc == 2 && std::string(argv[1]) == "measure") return measure();

    options o;
    CLI::App app{"Tunes six workloads by random search, and writes records.jsonl, summary.json and demo.hpp"};
    app.add_option("--budget", o.budget, "seconds; at least one batch of each task is measured")->capture_default_str();
    app.add_option("--out", o.out, "folder of what is written")->take_last()->capture_default_str();
    app.add_option("--compiler", o.compiler, "builds the candidates of the CPU")->capture_default_str();
    app.add_option("--include", o.include, "folder of hone's headers that the candidates are built with")
        ->capture_default_str();
    app.add_option("--seed", o.seed, "of the search and of the operands")->capture_default_str();
    app.add_option("--only", o.only, "tasks, all without it: gemm512 C2 C9 C8 gemm256 C3")->delimiter(',');
    CLI11_PARSE(app, argc, argv);
    if (!(o.budget > 0)) throw std::runtime_error(fmt::format("--budget is {}; it must be above 0 seconds", o.budget));

    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    demo_run d(o);
    return d.run();
} catch (const std::exception& e) {
    fmt::print(stderr, "demo: {}\n", e.what());
    return 1;
}
