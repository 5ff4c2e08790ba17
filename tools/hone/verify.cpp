// SPDX-License-Identifier: BSL-1.0
// verify: whether the files that a tuning run left agree with each other, and its header compiles alone.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/tune/process.hpp>
#include <hone/tune/record.hpp>
#include <hone/tune/verify.hpp>

#include "commands.hpp"

namespace cli {

namespace fs = std::filesystem;
namespace tune = hone::tune;

namespace {

std::string text_of(const fs::path& path)
{
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file.is_open() || file.bad())
        throw std::runtime_error(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
    return text;
}

// The headers of config sets, by name.
std::vector<fs::path> headers_in(const fs::path& folder)
{
    std::error_code failed;
    std::vector<fs::path> headers;
    for (const auto& entry : fs::directory_iterator(folder, failed))
        if (entry.path().extension() == ".hpp" && tune::config_set_of(text_of(entry.path())))
            headers.push_back(entry.path());
    if (failed) throw std::runtime_error(fmt::format("cannot read {}: {}", folder.string(), failed.message()));
    std::sort(headers.begin(), headers.end());
    return headers;
}

// What the compiler says of the header alone, as engines compile it; empty where it compiles.
std::string messages_of(const fs::path& header, const verify_options& o)
{
    const tune::process_result r = tune::run_process(
        {o.compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fno-exceptions",
         "-fno-rtti", "-I" + o.include, "-x", "c++", "-"},
        fmt::format("#include \"{}\"\n", fs::absolute(header).string()), {.deadline = std::chrono::seconds{60}});
    if (r.ok()) return "";
    if (!r.started) return fmt::format("cannot start '{}': {}; name a compiler with --compiler", o.compiler, r.err);
    if (r.timed_out) return "the compiler did not end within a minute";
    const auto error = r.err.find("error:");
    const auto begin = error == std::string::npos ? 0 : r.err.rfind('\n', error) + 1;
    return "it does not compile: " + r.err.substr(begin, r.err.find('\n', begin) - begin);
}

} // namespace

int verify(const verify_options& o)
{
    if (!fs::exists(fs::path(o.include) / "hone" / "hone.hpp"))
        throw std::runtime_error(
            fmt::format("hone's headers are not in '{}'; name their folder with --include", o.include));
    const fs::path folder = o.folder;
    int wrong = 0;
    const auto say = [&](const fs::path& file, const std::string& what) {
        warn(fmt::format("{}: {}", file.string(), what));
        ++wrong;
    };

    const fs::path records_path = folder / "records.jsonl";
    const tune::records_read read = tune::read_records(records_path.string());
    for (const std::string& w : read.warnings) warn(w);
    for (const std::string& r : read.rejected) warn(r);
    wrong += static_cast<int>(read.rejected.size());
    print(fmt::format("{}: {} records\n", records_path.string(), read.records.size()));

    const auto headers = headers_in(folder);
    if (headers.empty()) say(folder, "there is no header that hone's tuner wrote; `hone replay` writes one");
    for (const fs::path& header : headers) {
        const int before = wrong;
        if (const auto difference = tune::wrong_header(text_of(header), read.records))
            say(header, *difference + "; `hone replay` writes what they give");
        if (const std::string messages = messages_of(header, o); !messages.empty() && !tune::interrupt_requested.load())
            say(header, messages);
        if (tune::interrupt_requested.load()) return interrupted;
        if (wrong == before) print(fmt::format("{}: is what the records give, and compiles\n", header.string()));
    }

    const fs::path summary = folder / "summary.json";
    if (fs::exists(summary)) {
        const auto j = nlohmann::ordered_json::parse(text_of(summary), nullptr, false);
        std::vector<std::string> figures = tune::wrong_figures(j, read.records);
        if (j.is_discarded()) figures = {"it is no JSON"};
        for (const std::string& f : figures) say(summary, f);
        if (figures.empty()) print(fmt::format("{}: {} rows, as the records give\n", summary.string(), j.size()));
    }
    return wrong == 0 ? done : failed;
}

} // namespace cli
