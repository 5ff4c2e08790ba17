// SPDX-License-Identifier: BSL-1.0
// The whole way in one command: the tuner of ResNet-18's layers and a few matrix products, with its files in one folder
// and oneDNN beside it where that is installed. tools/demo builds and runs it.
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <hone/process/standard_streams.hpp>
#include <hone/tune/command_line.hpp>
#include <hone/tune/tuner_defaults.hpp>
#include <hone/tune/workload_list.hpp>

#include "layers.hpp"

namespace {

namespace tune = hone::tune;

tune::tuner_defaults defaults([[maybe_unused]] const std::vector<tune::task>& tasks)
{
    tune::tuner_defaults d{.name = "resnet18_configs",
                           .options = {.cache = tune::cache_mode::hot,
                                       .accuracy = hone::accuracy::fast,
                                       .backends = {"cpu", "vulkan"},
                                       .only = {{"vulkan", {"c3", "c6", "c12", "gemm_256"}},
                                                {"cpu",
                                                 {"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11",
                                                  "c12", "gemm_64", "gemm_512", "gemm_1024"}}},
                                       .compiler_command = HONE_DEMO_COMPILER,
                                       .headers = {"layers.hpp"}},
                           .description = "Tunes ResNet-18's convolutions and a few matrix products on this machine"};
#ifdef HONE_DEMO_PEER
    d.peer_name = "oneDNN";
    int place = 0;
    for (const tune::task& t : tasks) {
        const bool on_cpu = t.name != "gemm_256";
        if (on_cpu) d.options.peers[t.signature] = {HONE_DEMO_PEER, place};
        ++place;
    }
#endif
    return d;
}

} // namespace

int main(int argc, char** argv)
try {
    const auto tasks = tune::tasks_of<resnet18::layers>("resnet18::layers");
    const tune::tuner_defaults fixed = defaults(tasks);
    // How this program starts itself as a child.
    if (argc == 2 && std::string(argv[1]) == "measure") return tune::tuner_program(argc, argv, fixed, tasks);

    double budget = 600;
    std::string out = "build/demo", include = HONE_DEMO_INCLUDE;
    CLI::App app{fixed.description};
    app.allow_extras();
    app.add_option("--budget", budget, "seconds")->check(tune::seconds())->capture_default_str();
    app.add_option("--out", out,
                   "folder of resnet18.hpp, records.jsonl and summary.json; a search that was interrupted "
                   "there goes on")
        ->take_last()
        ->check(tune::path_of_file())
        ->capture_default_str();
    app.add_option("--include", include, "folder of hone's headers that the candidates are built with")
        ->capture_default_str();
    app.footer("Other options are those of a tuner: --seed, --only, --compiler, --mode, --trials, --search, --threads, "
               "--cache");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? tune::exit_ok : tune::exit_usage;
    }
    std::error_code failed;
    const std::filesystem::path folder = std::filesystem::absolute(out, failed);
    if (failed)
        throw std::runtime_error(fmt::format("--out is {}, and where that is cannot be told: {}; give a path from /",
                                             out, failed.message()));
    std::vector<std::string> words{argv[0],        "tune",
                                   "--budget",     std::to_string(budget),
                                   "--header-out", folder / "resnet18.hpp",
                                   "--records",    folder / "records.jsonl",
                                   "--summary",    folder / "summary.json",
                                   "--work",       folder / "work",
                                   "--include",    include,
                                   "--include",    HONE_DEMO_LAYERS};
    for (const std::string& extra : app.remaining()) words.push_back(extra);
    std::vector<char*> pointers;
    for (std::string& w : words) pointers.push_back(w.data());
    return tune::tuner_program(static_cast<int>(pointers.size()), pointers.data(), fixed, tasks);
} catch (const std::exception& e) {
    tune::complain_as_hone(e.what());
    return tune::exit_failure;
}
