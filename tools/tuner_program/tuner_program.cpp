// SPDX-License-Identifier: BSL-1.0
// The command line of a tuner that was built for one list of workloads: tune, show, space, explain-nest. A build runs
// it; people run it by hand with the same options.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <hone/ir/print.hpp>
#include <hone/process/input_file.hpp>
#include <hone/process/standard_streams.hpp>
#include <hone/process/text.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/record_merge.hpp>
#include <hone/record/record_table.hpp>
#include <hone/search/own_search.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/backends.hpp>
#include <hone/tune/command_line.hpp>
#include <hone/tune/summary.hpp>
#include <hone/tune/tuner.hpp>
#include <hone/tune/tuner_defaults.hpp>
#include <hone/tune/tuner_main.hpp>
#include <hone/tune/workload_list.hpp>

namespace hone::tune {

namespace tuner_command {

inline void on_signal(int) { interrupt_requested.store(true); }

inline void listen_to_signals()
{
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    // A terminal that goes away, unless nohup or a shell in the background has said to stay.
    struct sigaction before {};
    if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
    // A file that may not grow is an error of the write, which names it.
    std::signal(SIGXFSZ, SIG_IGN);
    outlive_readers();
}

// For make and ninja: the stamp depends on each of these files.
inline std::string escaped_for_make(const std::string& path)
{
    std::string r;
    for (char c : path) {
        if (c == ' ' || c == '#' || c == '\\') r += '\\';
        if (c == '$') r += '$';
        r += c;
    }
    return r;
}
inline std::string depfile_text(const std::string& stamp, const std::vector<std::string>& inputs)
{
    std::string text = escaped_for_make(stamp) + ":";
    for (const std::string& path : inputs) text += " \\\n  " + escaped_for_make(path);
    return text + "\n";
}

struct reports {
    std::string summary{}, stamp{}, depfile{}, records{};
    bool as_json = false;
};

// Throws where two outputs are one file, an output is an input, or one would take the place of what hone never wrote.
inline void check_outputs(const tuner_options& options, const reports& to)
{
    const std::pair<const char*, std::string> files[] = {{"--header-out", options.header.string()},
                                                         {"--summary", to.summary},
                                                         {"--stamp", to.stamp},
                                                         {"--depfile", to.depfile},
                                                         {"--records-out", to.records},
                                                         {"--records", options.records.string()}};
    const auto refuse = [](const char* one, const char* other, const std::string& path) {
        throw std::invalid_argument(
            fmt::format("{} and {} are one file, {}, which is left as it is; give each its own", one, other, path));
    };
    for (const auto& [option, path] : files) {
        std::error_code wrong;
        const auto type = std::filesystem::status(path, wrong).type();
        if (type == std::filesystem::file_type::directory)
            throw std::invalid_argument(fmt::format("{} is {}, which is a folder; name a file", option, path));
        if (type == std::filesystem::file_type::none)
            throw std::invalid_argument(
                fmt::format("{} is {}, which leads nowhere: {}; name another file", option, path, wrong.message()));
    }
    for (const auto* a = std::begin(files); a != std::end(files) - 2; ++a) {
        for (const auto* b = a + 1; b != std::end(files); ++b)
            if (is_same_file(a->second, b->second)) refuse(a->first, b->first, a->second);
        for (const std::string& path : options.earlier)
            if (is_same_file(a->second, path)) refuse(a->first, "--earlier", path);
    }
    check_header_to_replace(options.header.string());
    if (!to.stamp.empty() && std::filesystem::is_regular_file(to.stamp) && std::filesystem::file_size(to.stamp) > 0)
        throw std::invalid_argument(
            fmt::format("--stamp is {}, which holds something, and is left as it is; choose another file", to.stamp));
    if (!to.summary.empty() && std::filesystem::is_regular_file(to.summary) &&
        !may_be_summary(text_of_input(to.summary)))
        throw std::invalid_argument(fmt::format(
            "--summary is {}, which is no list of what was chosen, and is left as it is; choose another file",
            to.summary));
    if (!to.depfile.empty() && std::filesystem::is_regular_file(to.depfile))
        if (const std::string text = text_of_input(to.depfile);
            !text.empty() && !text.starts_with(escaped_for_make(to.stamp) + ": \\\n  "))
            throw std::invalid_argument(fmt::format(
                "--depfile is {}, which is not what {} depends on, and is left as it is; choose another file",
                to.depfile, to.stamp));
}

inline std::string no_workload(const std::vector<task>& tasks, const std::string& name)
{
    std::vector<std::string> names;
    for (const task& t : tasks) names.push_back(t.name);
    return fmt::format("there is no workload '{}'; choose among {}", name, fmt::join(names, ", "));
}

inline int tune(const tuner_defaults& defaults, tuner_options options, const std::vector<task>& tasks, bool strict,
                const reports& to)
{
    listen_to_signals();
    if (const std::string wrong = wrong_name(options.name, "--name"); !wrong.empty())
        throw std::invalid_argument(wrong);
    for (const auto& [backend, only] : options.only)
        for (const std::string& name : only)
            if (std::none_of(tasks.begin(), tasks.end(), [&](const task& t) { return t.name == name; }))
                throw std::invalid_argument(no_workload(tasks, name));
    if (options.records.empty() && options.mode != tuning_mode::replay && options.budget > 0)
        throw std::invalid_argument("--records is missing; name the file that keeps the measurements");
    check_outputs(options, to);
    // A build says itself where records may come to be, and makes its header anew from what is there.
    options.keeps_entries = to.stamp.empty();
    if (options.mode == tuning_mode::replay && to.stamp.empty()) {
        std::vector<std::string> files = options.earlier;
        if (!options.records.empty()) files.push_back(options.records.string());
        for (const std::string& path : files)
            if (std::error_code unknown; !std::filesystem::exists(path, unknown))
                complain(fmt::format("hone: there is no {}: no records are read of it", path));
    }
    const std::filesystem::path folder = options.header.parent_path();
    std::error_code failed;
    if (!folder.empty()) std::filesystem::create_directories(folder, failed);
    if (!options.records.parent_path().empty())
        std::filesystem::create_directories(options.records.parent_path(), failed);
    if (::access(folder.empty() ? "." : folder.c_str(), W_OK) != 0)
        throw std::runtime_error(
            fmt::format("cannot write to '{}'; choose another folder with --header-out", folder.string()));
    tuner t(options, tasks, {std::filesystem::read_symlink("/proc/self/exe").string(), "measure"});
    // Header and records are both written, or neither.
    if (!to.records.empty()) check_records_to_replace(to.records, merge_records(t.files_of_records()));
    const tuner_result r = t.run();
    const auto rows = summary_of(t.tasks(), t.records(), t.preferred());
    if (!to.summary.empty()) replace_file(to.summary, json_of(rows).dump(2) + "\n");
    std::string said = to.as_json ? json_of(rows).dump(2) + "\n" : text_of(rows, defaults.peer_name);
    if (r.seconds >= 1 && !to.as_json)
        said += fmt::format(
            "{:.0f} s, {:.1f} trials a second: {:.1f} s for measuring, {:.1f} for compilers, {:.1f} for choosing\n"
            "records: {}\nheader:  {}; include it, and keep both with your sources\n",
            r.seconds, r.trials / r.seconds, r.measuring, r.waiting, r.thinking, options.records.string(),
            options.header.string());
    std::string unsaid;
    try {
        write_to_stdout(said);
    } catch (const std::runtime_error& e) {
        unsaid = e.what();
    }
    if (r.interrupted) {
        complain(fmt::format("hone: interrupted; the same command goes on from {}", options.records.string()));
        return exit_interrupted;
    }
    for (const auto* sentences : {&r.failures, &r.unreached})
        for (const std::string& sentence : *sentences) complain_as_hone(sentence);
    if (!r.failures.empty()) return exit_failure;
    if (strict && r.without_entry > 0) {
        complain(fmt::format(
            "hone: {} workloads have no measured entry and take their closed-form default; tune them (--mode "
            "missing), give records that hold them, or drop --strict",
            r.without_entry));
        return exit_incomplete;
    }
    if (!to.records.empty()) replace_records(to.records, merge_records(t.files_of_records()));
    if (!to.depfile.empty()) {
        // Never an empty list, which CMake takes for no file at all.
        std::vector<std::string> inputs{std::filesystem::read_symlink("/proc/self/exe").string()};
        for (const std::string& path : options.earlier)
            if (std::error_code unknown; std::filesystem::exists(path, unknown)) inputs.push_back(path);
        const auto& headers = t.header_dependencies();
        inputs.insert(inputs.end(), headers.begin(), headers.end());
        replace_file(to.depfile, depfile_text(to.stamp, inputs));
    }
    if (!unsaid.empty())
        throw std::runtime_error(fmt::format("{}; what was measured is in {}, and the header is {}", unsaid,
                                             options.records.string(), options.header.string()));
    if (!to.stamp.empty()) {
        // Its time is what counts.
        replace_file(to.stamp, "", same_text::is_written);
    }
    return exit_ok;
}

// Throws where a file of records is not there.
inline void check_records_given(const std::filesystem::path& records)
{
    if (std::error_code unknown; !records.empty() && !std::filesystem::exists(records, unknown))
        throw std::invalid_argument(
            fmt::format("there is no {}; name the file of records with --records", records.string()));
}

// Whether the figures of the records can be had again on this machine.
inline int verify(tuner_options options, const std::vector<task>& tasks, double tolerance)
{
    listen_to_signals();
    check_records_given(options.records);
    tuner t(std::move(options), tasks, {std::filesystem::read_symlink("/proc/self/exe").string(), "measure"});
    const auto all = t.measure_again();
    if (all.empty())
        throw std::runtime_error("no record here is of this machine, compiler and flags; tune first, or name the "
                                 "records and options of the run that is to be verified");
    bool same = true;
    std::string said =
        fmt::format("{:12} {:9} {:>11} {:>9} {:>6}\n", "workload", "target", "recorded ms", "now ms", "ratio");
    for (const tuner::remeasured& r : all) {
        const bool right = r.now.found == verdict::ok;
        const double ratio = right ? r.now.least() / r.recorded_ms : 0;
        same = same && right && ratio <= 1 + tolerance;
        said += fmt::format("{:12} {:9} {:11.4f} {:9.4f} {:6.2f}{}\n", r.task, r.target, r.recorded_ms, r.now.least(),
                            ratio,
                            !right                  ? fmt::format("  {}: {}", name_of(r.now.found), r.now.detail)
                            : ratio > 1 + tolerance ? "  slower than recorded"
                                                    : "");
    }
    write_to_stdout(said);
    if (interrupt_requested.load()) return exit_interrupted;
    if (!same)
        complain(fmt::format(
            "hone: not all kernels are right and as fast as recorded, to {:.0f} %; see whether the machine is busy "
            "(hone doctor), then tune anew (--mode force)",
            100 * tolerance));
    return same ? exit_ok : exit_failure;
}

// How many kernels each workload has to choose from.
inline int count_spaces(const std::vector<task>& tasks, const tuner_options& options, bool as_json)
{
    auto list = nlohmann::ordered_json::array();
    const auto say = [&](const std::string& line) {
        if (!as_json) write_to_stdout(line);
    };
    say(fmt::format("{:12} {:8} {:>10} {:>10} {:>10}  rejected by\n", "workload", "", "raw", "legal", "nests"));
    const auto add = [&](const task& t, const std::string& target, const space_count& c) {
        nlohmann::ordered_json rejected = nlohmann::ordered_json::object();
        std::string text;
        for (const rejections& r : c.rejected) {
            if (r.points == 0) continue;
            const std::string rule = fmt::format("{}: {}", r.algorithm, r.constraint);
            rejected[rule] = r.points;
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", rule, r.points);
        }
        list.push_back({{"task", t.name},
                        {"target", target},
                        {"raw", c.raw},
                        {"legal", c.legal},
                        {"nests", c.distinct},
                        {"rejected", rejected}});
        say(fmt::format("{:12} {:8} {:10} {:10} {:10}  {}\n", t.name, target, c.raw, c.legal, c.distinct, text));
    };
    const auto worst_of = [&](const task& t) {
        return hone::operators::worst_of(accuracy_in(t.signature.c_str(), options.accuracy));
    };
    for (const task& t : tasks)
        for (const backend* of : all_that_tune)
            if (options.has(of->records().name()))
                for (const std::string& set : of->sets(options))
                    add(t, target_name(of->records(), set), of->space_of(t, set, worst_of(t))->count());
    if (as_json) write_to_stdout(list.dump(2) + "\n");
    return exit_ok;
}

// The loop nest that was chosen, else the default.
inline int explain_nest(const std::vector<task>& tasks, const tuner_options& options, const std::string& name)
{
    const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const task& t) { return t.name == name; });
    if (found == tasks.end()) throw std::invalid_argument(no_workload(tasks, name));
    std::vector<record> records;
    if (std::error_code unknown; std::filesystem::exists(options.records, unknown))
        records = read_records(options.records.string()).records;
    const auto chosen_on = [&](const record_backend& of, const std::string& set) -> const record* {
        for (const auto& [key, group] : by_workload(records))
            if (key.backend == of && key.signature == found->signature &&
                (of.entries() != entries_by::instruction_set || key.target == set))
                if (const standing s = standing_of(group, {.processor = processor_name(), .allowed = options.accuracy});
                    s.chosen != nullptr)
                    for (const record& r : records)
                        if (&r == s.chosen) return &r;
        return nullptr;
    };
    const auto show = [&](const any_space& space, const record_backend& of, const std::string& set) {
        // What its list of templates lacks is no choice.
        std::erase_if(records, [&](const record& r) {
            return r.backend == of && r.signature == found->signature && r.template_name != naive_template &&
                   r.template_name != peer_template && space.wrong_config(r.template_name, r.knobs);
        });
        const record* const r = chosen_on(of, set);
        const named_config c = r == nullptr ? space.standard() : space.config_of(r->template_name, r->knobs);
        const nest n = space.lowered(c);
        if (!n.ok()) throw std::invalid_argument(n.found.message());
        write_to_stdout(fmt::format("// {} {}, {}: {}\n{}\n", found->signature, target_name(of, set),
                                    r == nullptr ? "default" : "chosen", text_of(c), print(n)));
    };
    for (const backend* of : all_that_tune)
        if (options.has(of->records().name()))
            for (const std::string& set : of->sets(options))
                show(*of->space_of(*found, set, error_class::winograd_6), of->records(), set);
    return exit_ok;
}

// What the records say of each workload.
inline int show_records(const tuner_options& options, bool as_json)
{
    const records_read all = read_records(options.records.string());
    for (const auto* said : {&all.warnings, &all.rejected})
        for (const std::string& line : *said) complain("hone: " + line);
    const auto rows = table_of(all.records, options.accuracy);
    write_to_stdout(as_json        ? json_of(rows).dump(2) + "\n"
                    : rows.empty() ? "no records\n"
                                   : text_of(rows, text_style::plain));
    return all.rejected.empty() ? exit_ok : exit_failure;
}

// The words of the command line, which its members hold; what they come to is options().
class tuner_words {
public:
    explicit tuner_words(const tuner_defaults& defaults)
        : options_(defaults.options), header_out_(options_.header.string()), records_(options_.records.string()),
          app_(defaults.description)
    {
        options_.name = defaults.name;
        for (const backend* b : all_that_tune) all_backends_.emplace_back(b->records().name());
        if (options_.backends.empty()) options_.backends.push_back(all_backends_.front());
        for (isa set : options_.sets) sets_.emplace_back(name_of(set));
        if (sets_.empty()) sets_.emplace_back("native");
        for_each_isa([&](const isa_row& r) { all_sets_.insert(all_sets_.begin(), r.name); });
        take_build(defaults.arguments);
        app_.require_subcommand(1);
        app_.footer("exit status: 0 done, 1 failure, 2 wrong command line, 3 --strict and a workload without entry,\n"
                    "130 interrupted (what was measured is kept; the same command goes on)");
        add_tuning();
        add_reading();
    }
    tuner_words(const tuner_words&) = delete;
    tuner_words& operator=(const tuner_words&) = delete;

    // The status to end with, where the words are wrong or ask for help only.
    std::optional<int> parse(int argc, char** argv)
    {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError& e) {
            return app_.exit(e) == 0 ? exit_ok : exit_usage;
        }
        return std::nullopt;
    }

    // Does what was asked for.
    int run(const tuner_defaults& defaults, const std::vector<task>& tasks)
    {
        const tuner_options o = options();
        if (*showing_) return show_records(o, as_json_);
        if (*verifying_) return verify(o, tasks, tolerance_);
        if (*counting_) return count_spaces(tasks, o, as_json_);
        if (explaining_->count("--records") > 0) check_records_given(o.records);
        if (*explaining_) return explain_nest(tasks, o, explained_);
        return tune(defaults, o, tasks, strict_, to_);
    }

private:
    // Those of the build are the defaults of the command line.
    void take_build(const std::vector<std::string>& arguments)
    {
        CLI::App building;
        add_common(&building);
        add_measuring(&building);
        building.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
        commands_of_build_ = std::exchange(commands_, {});
        includes_of_build_ = std::exchange(options_.include_directories, {});
    }

    void add_accuracy(CLI::App* to_command)
    {
        add_choice(to_command, "--accuracy", options_.accuracy, accuracies(),
                   "where a workload says nothing: exact: sums in the order of the definition; default: in any order; "
                   "fast: Winograd, too");
    }
    void add_common(CLI::App* to_command)
    {
        to_command->add_option("--records", records_, "the file of measurements (JSON lines)")
            ->check(path_of_file())
            ->capture_default_str();
        to_command->add_option("--backends", options_.backends, fmt::format("{}", fmt::join(all_backends_, ", ")))
            ->delimiter(',')
            ->check(CLI::IsMember(all_backends_))
            ->capture_default_str();
        to_command
            ->add_option("--isas", sets_,
                         fmt::format("of CPU kernels: {}, which is the best here", fmt::join(all_sets_, ", ")))
            ->delimiter(',')
            ->check(CLI::IsMember(all_sets_))
            ->capture_default_str();
        add_accuracy(to_command);
    }
    // How candidates are built and measured.
    void add_measuring(CLI::App* to_command)
    {
        to_command->add_option("--threads", options_.threads, "of a kernel; another number is another key")
            ->check(CLI::Range(1, 1024))
            ->capture_default_str();
        add_choice(to_command, "--cache", options_.cache,
                   {{"cold", cache_mode::cold_weights}, {"hot", cache_mode::hot}},
                   "cold: weights come from memory; hot: from the cache, as in a loop over one layer");
        to_command->add_option("--only", only_, "names of workloads")->delimiter(',');
        to_command
            ->add_option("--compiler", options_.compiler_command,
                         "builds the candidates of the CPU; may have a launcher, as 'ccache g++'")
            ->check(path_of_file())
            ->capture_default_str();
        to_command
            ->add_option("--command", commands_,
                         "isa=file: how a build compiles its kernels of this instruction set, as its own build has "
                         "recorded it; instead of --compiler")
            ->type_name("ISA=FILE");
        to_command->add_option("--compile-option", options_.compiler_flags,
                               "of the candidates, after those that hone chooses");
        to_command->add_option("--include", options_.include_directories, "folders of headers, hone's among them")
            ->check(path_of_file())
            ->capture_default_str();
        to_command->add_option("--work", work_,
                               "where a folder for what is built is made; only that is removed at the end.\n"
                               "Default: beside the header or records");
    }

    void add_tuning()
    {
        tuning_ = app_.add_subcommand("tune", "measure candidates, and write the header of the fastest");
        add_common(tuning_);
        tuning_->add_option("--earlier", options_.earlier, "files of records that are read first and never written to");
        tuning_->add_option("--records-out", to_.records,
                            "all records that were read or measured, each once, as one file");
        tuning_->add_option("--header-out", header_out_, "the generated header")
            ->required(header_out_.empty())
            ->check(path_of_file())
            ->capture_default_str();
        tuning_->add_option("--name", options_.name, "of the config set in the header")->capture_default_str();
        add_choice(tuning_, "--mode", options_.mode,
                   {{"missing", tuning_mode::missing}, {"replay", tuning_mode::replay}, {"force", tuning_mode::force}},
                   "missing: tune what the records do not answer; replay: from the records alone; force: all anew");
        tuning_
            ->add_option("--budget", options_.budget,
                         "seconds of tuning; 0: nothing is measured, as with --mode replay")
            ->check(seconds())
            ->capture_default_str();
        tuning_->add_option("--trials", options_.trials, "of each workload, at most; 0: as the budget allows")
            ->check(CLI::Range(0, 1'000'000'000))
            ->capture_default_str();
        tuning_->add_option("--seed", options_.seed, "of the search and of the operands")
            ->check(whole_number())
            ->capture_default_str();
        add_search();
        add_measuring(tuning_);
        tuning_->add_flag("--strict", strict_, "fail where a workload has no measured entry");
        tuning_->add_option("--summary", to_.summary, "a JSON list of what was chosen");
        tuning_->add_flag("--json", to_.as_json, "print that list in place of the table");
        tuning_->add_option("--stamp", to_.stamp, "a file that is written last, for build systems");
        tuning_->add_option("--depfile", to_.depfile, "on which files the stamp depends")->needs("--stamp");
    }
    void add_search()
    {
        std::map<std::string, search_method> words{{"model", search_method::model}, {"random", search_method::chance}};
        std::string about = "model: boosted trees and annealing; random: the control";
        if (options_.own != nullptr) {
            words.insert({"own", search_method::own});
            about += fmt::format("; own: {}", options_.own->name);
        }
        add_choice(tuning_, "--search", options_.method, words, about.c_str());
    }
    // The commands that leave header and records as they are.
    void add_reading()
    {
        showing_ = app_.add_subcommand("show", "what the records say of each workload");
        showing_->add_option("--records", records_, "the file of measurements")->required(records_.empty());
        add_accuracy(showing_);
        showing_->add_flag("--json", as_json_, "as JSON");
        verifying_ = app_.add_subcommand("verify", "measure what was chosen again, with the options of its tuning");
        add_common(verifying_);
        add_measuring(verifying_);
        verifying_->add_option("--tolerance", tolerance_, "how much slower than recorded a kernel may be")
            ->check(CLI::Range(0.0, 1e6))
            ->capture_default_str();
        counting_ = app_.add_subcommand("space", "how many schedules each workload has");
        add_common(counting_);
        counting_->add_flag("--json", as_json_, "as JSON");
        explaining_ = app_.add_subcommand("explain-nest", "print the chosen loop nest of a workload");
        add_common(explaining_);
        explaining_->add_option("workload", explained_, "its name")->required();
    }

    // Throws where words that are each right come to nothing.
    tuner_options options() const
    {
        tuner_options o = options_;
        o.sets.clear();
        for (const std::string& s : sets_) o.sets.push_back(s == "native" ? hone::cpu() : *isa_of(s));
        const auto is_given = [&](const char* option) {
            return tuning_->count(option) + verifying_->count(option) > 0;
        };
        const bool is_as_built = !is_given("--compiler") && !is_given("--command");
        for (const std::string& c : is_as_built ? commands_of_build_ : commands_) {
            const auto set = isa_of(c.substr(0, c.find('=')));
            if (!set || c.find('=') == std::string::npos || c.ends_with('='))
                throw std::invalid_argument(
                    fmt::format("--command is '{}'; give an instruction set and a file, as avx2=path", c));
            o.compile_commands[*set] = c.substr(c.find('=') + 1);
        }
        // Those commands have their folders themselves.
        const bool has_commands =
            std::all_of(o.sets.begin(), o.sets.end(), [&](isa set) { return o.compile_commands.contains(set); });
        if (!is_given("--include") && !has_commands) o.include_directories = includes_of_build_;
        o.records = records_;
        o.header = header_out_;
        o.work_directory = !work_.empty() ? work_ : !header_out_.empty() ? header_out_ + ".work" : records_ + ".work";
        if (!only_.empty())
            for (const std::string& name : all_backends_) o.only[name] = only_;
        return o;
    }

    tuner_options options_; // those that one word sets
    reports to_{};
    std::string header_out_, records_, work_{}, explained_{};
    std::vector<std::string> all_backends_{}, sets_{}, all_sets_{"native"}, only_{};
    std::vector<std::string> commands_{}, commands_of_build_{}, includes_of_build_{};
    bool strict_ = false, as_json_ = false;
    double tolerance_ = 0.1;
    CLI::App app_;
    CLI::App *tuning_ = nullptr, *showing_ = nullptr, *verifying_ = nullptr, *counting_ = nullptr,
             *explaining_ = nullptr;
};

} // namespace tuner_command

int tuner_program(int argc, char** argv, const tuner_defaults& defaults, const std::vector<task>& tasks)
try {
    using namespace tuner_command;
    open_standard_streams();
    // How this program starts itself as a child.
    if (argc == 2 && std::string(argv[1]) == "measure") return measure_child(tasks, all_that_tune);
    tuner_words words(defaults);
    if (const auto status = words.parse(argc, argv)) return *status;
    return words.run(defaults, tasks);
} catch (const std::exception& e) {
    complain_as_hone(e.what());
    return exit_failure;
}

int tuner_main(int argc, char** argv, const tuner_list& list)
try {
    if (list.definition_bytes != sizeof(definition))
        throw std::invalid_argument(fmt::format(
            "hone::tune::tuner_main: a definition has {} bytes in the tuner of {}, and {} in hone's library; "
            "compile both with the same headers of hone, and without -fshort-enums and -fpack-struct",
            list.definition_bytes, list.name, sizeof(definition)));
    std::vector<std::string> arguments;
    for (const char* const* a = list.options; a != nullptr && *a != nullptr; ++a) arguments.emplace_back(*a);
    return tuner_program(argc, argv,
                         {.name = list.name,
                          .options = {.method = list.search == nullptr ? search_method::model : search_method::own,
                                      .own = list.search,
                                      .headers = {list.header}},
                          .description = list.description,
                          .arguments = arguments},
                         tasks_of({list.workloads, list.size}, list.list));
} catch (const std::exception& e) {
    complain_as_hone(e.what());
    return exit_failure;
}

} // namespace hone::tune
