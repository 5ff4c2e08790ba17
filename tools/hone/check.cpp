// SPDX-License-Identifier: BSL-1.0
// check: whether the files that a tuning run or a build left agree with each other, and the headers compile alone.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/measure/machine.hpp>
#include <hone/process/input_file.hpp>
#include <hone/process/process.hpp>
#include <hone/record/agreement.hpp>
#include <hone/record/json_text.hpp>
#include <hone/record/record.hpp>
#include <hone/record/standing.hpp>
#include <hone/tune/cpu/build_command.hpp>
#include <hone/tune/record_backends.hpp>

#include "commands.hpp"

namespace cli {

namespace fs = std::filesystem;
namespace tune = hone::tune;

namespace {

// The headers of config sets, by name. A folder of sources may hold anything.
std::vector<fs::path> headers_in(const fs::path& folder)
{
    std::error_code failed;
    std::vector<fs::path> headers;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        const std::string path = entry.path().string();
        if (entry.path().extension() == ".hpp" && tune::wrong_input(path).empty() &&
            tune::config_set_of(tune::text_of_input(path)))
            headers.push_back(entry.path());
    }
    if (failed) throw std::runtime_error(fmt::format("cannot read {}: {}", folder.string(), failed.message()));
    std::sort(headers.begin(), headers.end());
    return headers;
}

// What the compiler says of this text of a header alone, as engines compile it; empty where it compiles. It is included
// from the standard input: no #include can hold every path.
std::string messages_of(const fs::path& header, const std::string& text, const check_options& o)
{
    const std::string from = "/dev/stdin";
    std::vector<std::string> words = tune::words_of_command(o.compiler);
    words.insert(words.end(),
                 {"-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fno-exceptions",
                  "-fno-rtti", "-I" + o.include, "-include", from, "-x", "c++", "/dev/null"});
    const tune::process_result r = tune::run_process(words, text, {.deadline = std::chrono::seconds{60}});
    if (r.ok()) return "";
    if (!r.started) return fmt::format("cannot start '{}': {}; name a compiler with --compiler", o.compiler, r.err);
    if (r.timed_out) return "the compiler did not end within a minute";
    const auto error = r.err.find("error:");
    const auto begin = error == std::string::npos ? 0 : r.err.rfind('\n', error) + 1;
    std::string first = r.err.substr(begin, r.err.find('\n', begin) - begin);
    if (first.starts_with(from)) first.replace(0, from.size(), header.filename().string());
    return "it does not compile: " + first;
}

} // namespace

int check(const check_options& o)
{
    const fs::path folder = o.folder;
    const auto headers = headers_in(folder);
    if (o.include.empty())
        throw std::runtime_error("hone's headers are not beside this program; name their folder with --include");
    if (!fs::exists(fs::path(o.include) / "hone" / "hone.hpp"))
        throw std::runtime_error(
            fmt::format("hone's headers are not in '{}'; name their folder with --include", o.include));
    int wrong = 0;
    const auto say = [&](const fs::path& file, const std::string& what) {
        warn(fmt::format("{}: {}", file.string(), what));
        ++wrong;
    };

    // Each file is read and spoken of once.
    std::map<fs::path, tune::records_read> files;
    const auto records_of = [&](const fs::path& path) -> const std::vector<tune::record>& {
        const auto [at, is_new] = files.try_emplace(path);
        if (is_new) {
            at->second = tune::read_records(path.string());
            for (const std::string& w : at->second.warnings) warn(w);
            for (const std::string& s : tune::templates_of_others(at->second.of_others)) warn(s);
            for (const std::string& r : at->second.rejected) warn(r);
            wrong += static_cast<int>(at->second.rejected.size());
            print(fmt::format("{}: {} records\n", path.string(), at->second.records.size()));
        }
        return at->second.records;
    };
    // A run leaves records.jsonl; who saves a tuned library, small.jsonl beside small.hpp.
    const fs::path of_run = folder / "records.jsonl";
    const auto beside = [&](const fs::path& header) {
        const fs::path own = fs::path(header).replace_extension(".jsonl");
        if (!fs::exists(own) && !fs::exists(of_run))
            throw std::runtime_error(
                fmt::format("{} has no records beside it: there is neither {} nor {}; copy them there", header.string(),
                            own.string(), of_run.string()));
        return fs::exists(own) ? own : of_run;
    };

    tune::preference prefer{.processor = tune::processor_name()};
    if (headers.empty()) {
        records_of(of_run);
        say(folder, "there is no header that hone's tuner wrote; `hone replay` writes one");
    }
    for (const fs::path& header : headers) {
        const auto& records = records_of(beside(header));
        const int before = wrong;
        const std::string text = tune::text_of_input(header.string());
        prefer.allowed = tune::accuracy_of_header(text); // of the run, for its summary too
        if (const auto difference = tune::wrong_header(text, records, prefer))
            say(header, *difference + "; `hone replay` writes what they give");
        if (const std::string messages = messages_of(header, text, o);
            !messages.empty() && !tune::interrupt_requested.load())
            say(header, messages);
        if (tune::interrupt_requested.load()) return interrupted;
        if (wrong == before) print(fmt::format("{}: is what the records give, and compiles\n", header.string()));
    }

    const fs::path summary = folder / "summary.json";
    if (fs::exists(summary)) {
        std::vector<std::string> figures;
        nlohmann::ordered_json j;
        try {
            j = tune::parse_json(tune::text_of_input(summary.string()));
            figures = tune::wrong_figures(j, records_of(of_run), prefer);
        } catch (const std::invalid_argument& e) {
            figures = {fmt::format("it is no JSON: {}", e.what())};
        }
        for (const std::string& f : figures) say(summary, f);
        if (figures.empty()) print(fmt::format("{}: {} rows, as the records give\n", summary.string(), j.size()));
    }
    return wrong == 0 ? done : failed;
}

} // namespace cli
