// SPDX-License-Identifier: BSL-1.0
// show, merge and replay: what is done with records alone.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <hone/measure/machine.hpp>
#include <hone/process/input_file.hpp>
#include <hone/process/text.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/record.hpp>
#include <hone/record/record_merge.hpp>
#include <hone/record/record_table.hpp>
#include <hone/record/standing.hpp>
#include <hone/tune/record_backends.hpp>

#include "commands.hpp"

namespace cli {

namespace tune = hone::tune;

namespace {

// Says what was dropped or rejected; the exit status.
int report(const tune::records_read& read)
{
    for (const std::string& w : read.warnings) warn(w);
    for (const std::string& s : tune::templates_of_others(read.of_others)) warn(s);
    const auto& rejected = read.rejected;
    for (const std::string& r : rejected) warn(r);
    if (rejected.empty()) return done;
    const std::size_t count = rejected.size() + read.rejected_beyond;
    warn(fmt::format("{} line{} rejected, all others are used; `hone merge` writes another file without {}", count,
                     count == 1 ? " is" : "s are", count == 1 ? "it" : "them"));
    return failed;
}

tune::records_read read_all(const std::vector<std::string>& paths)
{
    tune::records_read all;
    for (const std::string& path : paths)
        tune::each_record(path, all, [&](tune::record r, const std::string&) { all.records.push_back(std::move(r)); });
    return all;
}

// Holds a file of records against tuners, which append to it; nothing to hold where there is none.
class hold {
public:
    // A pipe must have no reader here: what is written to it would be lost.
    explicit hold(const std::string& path)
        : file_(tune::wrong_input(path).empty() ? open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1)
    {
        if (file_ >= 0 && flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            throw std::runtime_error(
                fmt::format("a tuner is writing {}; wait for it, or name another file of records", path));
    }
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold()
    {
        if (file_ >= 0) close(file_);
    }

private:
    int file_;
};

bool wants_colour()
{
    const char* const refused = std::getenv("NO_COLOR");
    return isatty(1) == 1 && (refused == nullptr || *refused == '\0');
}

} // namespace

int show(const show_options& o)
{
    tune::records_read read = read_all(o.records);
    const int status = report(read);
    if (o.task) {
        std::set<std::string> tasks;
        for (const tune::record& r : read.records) tasks.insert(r.task);
        if (!tasks.contains(*o.task))
            throw std::runtime_error(fmt::format("there is no task '{}'; --task takes one of: {}", *o.task,
                                                 tasks.empty() ? "none, as there are no records"
                                                               : fmt::format("{}", fmt::join(tasks, ", "))));
        std::erase_if(read.records, [&](const tune::record& r) { return r.task != o.task; });
    }
    const auto rows = tune::table_of(read.records, o.allowed);
    if (o.json)
        print(tune::json_of(rows).dump(2) + "\n");
    else if (rows.empty())
        print("no records\n");
    else
        print(tune::text_of(rows, wants_colour() ? tune::text_style::coloured : tune::text_style::plain));
    return status;
}

int merge(const merge_options& o)
{
    const hold out(o.out);
    const tune::records_merged merged = tune::merge_records(o.in);
    for (const std::string& w : merged.warnings) warn(w);
    for (const std::string& s : tune::templates_of_others(merged.of_others)) warn(s);
    for (const std::string& r : merged.rejected) warn(r);
    if (merged.records == 0)
        throw std::runtime_error(
            fmt::format("there are no records in {}; {} is left as it is", fmt::join(o.in, ", "), o.out));
    tune::replace_records(o.out, merged);
    const std::size_t rejected = merged.rejected.size() + merged.rejected_beyond;
    warn(fmt::format("{} holds {} record{}; {} duplicate{} dropped, {} line{} rejected", o.out, merged.records,
                     merged.records == 1 ? "" : "s", merged.duplicates, merged.duplicates == 1 ? "" : "s", rejected,
                     rejected == 1 ? "" : "s"));
    return merged.rejected.empty() ? done : failed;
}

int replay(const replay_options& o)
{
    if (const std::string wrong = tune::wrong_name(o.name, "--name"); !wrong.empty()) throw std::runtime_error(wrong);
    for (const std::string& path : o.records)
        if (tune::is_same_file(path, o.out))
            throw std::runtime_error(
                fmt::format("--out is {}, which holds the records, and is left as it is; choose another", path));
    tune::check_header_to_replace(o.out);
    const tune::records_read read = read_all(o.records);
    const int status = report(read);
    if (std::none_of(read.records.begin(), read.records.end(),
                     [](const tune::record& r) { return r.found == tune::verdict::ok; }))
        throw std::runtime_error(fmt::format("there are no records of kernels in {}; {} is left as it is",
                                             fmt::join(o.records, ", "), o.out));
    const tune::preference prefer{.processor = tune::processor_name(), .allowed = o.allowed};
    for (const std::string& s : tune::processors_left_out(read.records, prefer)) warn(s);
    std::map<std::string_view, std::set<std::string>> left_out; // tasks, by what their records lack
    for (const tune::table_row& row : tune::table_of(read.records, o.allowed))
        if (const tune::code_field code = row.key->backend->code();
            !code.name.empty() && row.standing.chosen != nullptr && !row.standing.chosen->code)
            left_out[code.holds].insert(row.key->task);
    for (const auto& [code, tasks] : left_out)
        warn(fmt::format("left out, as their records hold no {}: {}; the program that tuned writes such records", code,
                         fmt::join(tasks, ", ")));
    tune::replace_file(o.out, tune::header_text(o.name, read.records, prefer));
    return status;
}

} // namespace cli
