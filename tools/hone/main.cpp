// SPDX-License-Identifier: BSL-1.0
// The command line of hone: options to commands, commands to exit statuses.
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <hone/core/config.hpp>
#include <hone/process/process.hpp>
#include <hone/process/standard_streams.hpp>
#include <hone/record/standing.hpp>
#include <hone/tune/command_line.hpp>

#include "commands.hpp"

namespace cli {

void print(const std::string& text) { hone::tune::write_to_stdout(text); }

void warn(const std::string& text) { hone::tune::complain_as_hone(text); }

} // namespace cli

namespace {

constexpr const char* device_child_mode = "device-child";

// Commands that run others end them first; the rest have nothing to end.
extern "C" void on_signal_stop(int) { hone::tune::interrupt_requested.store(true); }
extern "C" void on_signal_exit(int) { _exit(cli::interrupted); }

void handle_signals(void (*handler)(int))
{
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

// Beside this program where it is installed; else not known.
std::string installed_headers()
{
    std::error_code unknown;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
    const auto folder = self.parent_path().parent_path() / "include";
    return std::filesystem::exists(folder / "hone" / "hone.hpp", unknown) ? folder.string() : "";
}

int run(int argc, char** argv)
{
    CLI::App app{"Reads what hone's tuner recorded, and says how far a machine's timings can be trusted", "hone"};
    app.set_version_flag("--version",
                         fmt::format("hone {}.{}.{}", HONE_VERSION_MAJOR, HONE_VERSION_MINOR, HONE_VERSION_PATCH));
    app.require_subcommand(0, 1); // an unknown command is better named than called missing
    app.footer("Exit status: 0 done; 1 failed, and a message names what and how to mend it; 2 the command line is "
               "wrong;\n             3 doctor: timings cannot be trusted; 130 interrupted");

    std::function<int()> chosen;
    const auto command = [&](const char* name, const char* about, const char* statuses) {
        CLI::App* const sub = app.add_subcommand(name, about);
        sub->footer(statuses);
        return sub;
    };

    const auto add_accuracy = [](CLI::App* to_command, hone::accuracy& allowed) {
        hone::tune::add_choice(to_command, "--accuracy", allowed, hone::tune::accuracies(),
                               "what may be chosen where a workload says nothing: exact: sums in the order of the "
                               "definition; default: in any order; fast: Winograd, too");
    };

    cli::show_options show;
    CLI::App* const show_command = command(
        "show", "A table of what was measured: trials, failures, the default, the best and the naive kernel",
        "Exit status: 0 done; 1 a file cannot be read, a line is no record (the others are shown) or there is no such\n"
        "             task; 2 the command line is wrong; 130 interrupted");
    show_command->add_option("records", show.records, "files of records")
        ->required()
        ->type_name("FILE")
        ->check(hone::tune::path_of_file());
    show_command->add_option("--task", show.task, "show this task only")->type_name("NAME");
    add_accuracy(show_command, show.allowed);
    show_command->add_flag("--json", show.json, "a list in JSON, on stdout");
    show_command->callback([&] { chosen = [&] { return cli::show(show); }; });

    cli::merge_options merge;
    CLI::App* const merge_command = command(
        "merge", "Writes the records of several files as one, without exact duplicates, in the order of the files",
        "Exit status: 0 done; 1 a file cannot be read or written, or a line is no record (OUT holds all others);\n"
        "             2 the command line is wrong; 130 interrupted");
    merge_command
        ->add_option("out", merge.out,
                     "is replaced at the end, so it may be one of the inputs; it stays as it is where\n"
                     "it holds anything that would be lost")
        ->required()
        ->type_name("OUT")
        ->check(hone::tune::path_of_file());
    merge_command->add_option("in", merge.in, "files of records")
        ->required()
        ->type_name("IN")
        ->check(hone::tune::path_of_file());
    merge_command->callback([&] { chosen = [&] { return cli::merge(merge); }; });

    cli::replay_options replay;
    CLI::App* const replay_command = command(
        "replay", "Writes the header of the configs that won, from records alone: same records, same bytes",
        "All records are taken: that a record is stale is seen by a tuner, which knows the workloads. Of several\n"
        "processors this machine's come first; the order of the lines decides nothing. Without records OUT stays.\n"
        "Exit status: 0 done; 1 a file cannot be read or written, or a line is no record (the others are used);\n"
        "             2 the command line is wrong; 130 interrupted");
    replay_command->add_option("records", replay.records, "files of records")
        ->required()
        ->type_name("FILE")
        ->check(hone::tune::path_of_file());
    replay_command->add_option("--name", replay.name, "of the config set: the K of hone::kernel<workload, K>")
        ->required();
    add_accuracy(replay_command, replay.allowed);
    replay_command->add_option("--out", replay.out, "the header")
        ->required()
        ->type_name("FILE")
        ->check(hone::tune::path_of_file());
    replay_command->callback([&] { chosen = [&] { return cli::replay(replay); }; });

    cli::doctor_options doctor;
    CLI::App* const doctor_command =
        command("doctor", "What this machine tunes with, and how far its timings can be trusted; takes 3 seconds",
                "Exit status: 0 timings can be trusted; 1 there is no compiler that hone supports; 2 the command line "
                "is wrong;\n             3 timings cannot be trusted; 130 interrupted");
    doctor_command->add_option("--compiler", doctor.compiler, "builds the candidates of the CPU")
        ->envname("CXX")
        ->capture_default_str();
    doctor_command->add_flag("--json", doctor.json, "an object in JSON, on stdout");
    doctor_command->callback([&] { chosen = [&] { return cli::doctor(doctor); }; });

    cli::check_options check;
    check.include = installed_headers();
    CLI::App* const check_command = command(
        "check",
        "Whether records, headers and summary.json in a folder agree, and the headers compile; nothing is "
        "measured, which `verify` of a tuner does",
        "A header is compared with the records of its own name, as small.hpp with small.jsonl, else with records.jsonl.\n"
        "A header that a tuner wrote beside stale records, which it leaves out, is not what all of them give.\n"
        "Exit status: 0 they agree; 1 they do not, or a file cannot be read; 2 the command line is wrong;\n"
        "             130 interrupted");
    check_command->add_option("folder", check.folder, "where the files are")
        ->required()
        ->type_name("DIR")
        ->check(hone::tune::path_of_file());
    check_command->add_option("--compiler", check.compiler, "compiles the header")
        ->envname("CXX")
        ->capture_default_str();
    check_command->add_option("--include", check.include, "folder of hone's headers")
        ->capture_default_str()
        ->check(hone::tune::path_of_file());
    check_command->callback([&] { chosen = [&] { return cli::check(check); }; });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? cli::done : cli::usage;
    }
    if (!chosen) {
        cli::warn("a command is required: show, merge, replay, doctor or check; hone --help says more");
        return cli::usage;
    }
    handle_signals(doctor_command->parsed() || check_command->parsed() ? on_signal_stop : on_signal_exit);
    if (merge_command->parsed() || replay_command->parsed()) hone::tune::outlive_readers();
    doctor.child = {std::filesystem::read_symlink("/proc/self/exe").string(), device_child_mode};
    return chosen();
}

} // namespace

int main(int argc, char** argv)
try {
    hone::tune::open_standard_streams();
    // A file that may not grow is an error of the write, which names it.
    std::signal(SIGXFSZ, SIG_IGN);
    // How this program starts itself as a child.
    if (argc == 2 && std::string(argv[1]) == device_child_mode) return cli::device_child();
    return run(argc, argv);
} catch (const std::exception& e) {
    cli::warn(e.what());
    return cli::failed;
}
