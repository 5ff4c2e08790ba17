// SPDX-License-Identifier: BSL-1.0
// Measurements on disk: one line of JSON each, appended and flushed, never changed. A search that dies loses at most
// the line it was writing.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include <hone/process/input_file.hpp>
#include <hone/record/json_text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/record_fields.hpp>

namespace hone::tune {

namespace lines {

// A record with the code of its kernel has some 100 KiB.
inline constexpr std::size_t longest = std::size_t{16} << 20;

inline constexpr std::string_view begin_of_record = "{\"schema\"";

// Records that one line may begin, each behind a torn one; a parser goes through the rest of the line for each.
inline constexpr int most_begun = 16;

// Without what editors and other systems add: marks of the encoding, carriage returns, spaces.
inline std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view mark = "\xef\xbb\xbf", blanks = " \t\r";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

enum class last_line : std::uint8_t { whole, torn };

// Whether a line begins as hone has written records in each version, {"schema":2,"task":..., with blanks as editors put
// them; a torn one may end before.
inline bool begins_record(std::string_view line, last_line as)
{
    const auto skip = [&](std::string_view what) {
        line.remove_prefix(std::min(line.find_first_not_of(what), line.size()));
    };
    const auto ends = [&] { return line.empty() && as == last_line::torn; };
    for (const std::string_view token : {"{", "\"schema\"", ":", "0123456789", ",", "\"task\"", ":"}) {
        skip(" \t");
        if (ends()) return true;
        if (token.size() == 10) {
            const std::size_t before = line.size();
            skip(token);
            if (line.size() == before) return false;
            continue;
        }
        if (as == last_line::torn && token.starts_with(line)) return true;
        if (!line.starts_with(token)) return false;
        line.remove_prefix(token.size());
    }
    return true;
}

// Whether a file with this text is one of records, of any version, whole or torn: what holds something else is
// another's.
inline bool may_be_records(std::string_view text)
{
    bool is_blank = true;
    while (!text.empty()) {
        const auto end = text.find_first_of(std::string_view("\0\n", 2));
        const auto line = trimmed(text.substr(0, end));
        is_blank = is_blank && line.empty();
        if (!line.empty() && begins_record(line, end == std::string_view::npos ? last_line::torn : last_line::whole))
            return true;
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return is_blank;
}

} // namespace lines

// The end of a file of records, which one process writes at a time. A torn line that an earlier search left there stays
// a line of its own. Throws where the file holds something else.
class record_writer {
public:
    // How long another writer is waited for: one that was interrupted ends in a moment, and the build that was stopped
    // with it may have begun again (ninja 1.12 does not wait for what it interrupts).
    static constexpr std::chrono::milliseconds usual_patience{5000};

    explicit record_writer(const std::string& path, std::chrono::milliseconds patience = usual_patience)
        : path_(path), file_(opened(path))
    {
        if (file_ == nullptr) fail();
        const auto end = std::chrono::steady_clock::now() + patience;
        while (flock(fileno(file_.get()), LOCK_EX | LOCK_NB) != 0) {
            if (std::chrono::steady_clock::now() < end) {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                continue;
            }
            throw std::runtime_error(fmt::format("another tuner is writing {}; wait for it, or name another file of "
                                                 "records",
                                                 path_));
        }
        if (!lines::may_be_records(text_of_input(path)))
            throw std::runtime_error(fmt::format(
                "{} holds no record, and is left as it is; name another file of records with --records", path));
        const bool torn = std::fseek(file_.get(), -1, SEEK_END) == 0 && std::fgetc(file_.get()) != '\n';
        if (torn && (std::fseek(file_.get(), 0, SEEK_END) != 0 || std::fputc('\n', file_.get()) == EOF)) fail();
    }
    void write(const record& r) const
    {
        const std::string line = line_of(r) + "\n";
        if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() || std::fflush(file_.get()) != 0)
            fail();
    }

    // What was written is on the disk then, also after a loss of power.
    void sync() const
    {
        if (::fdatasync(::fileno(file_.get())) != 0) fail();
    }

private:
    struct close {
        void operator()(std::FILE* f) const { std::fclose(f); }
    };
    // To read and append. Nothing waits at a FIFO, which is no file of records.
    static std::FILE* opened(const std::string& path)
    {
        const int file = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
        if (file < 0) return nullptr;
        struct stat found {};
        if (::fstat(file, &found) != 0 || !S_ISREG(found.st_mode)) {
            ::close(file);
            throw std::runtime_error(
                fmt::format("cannot write {}: it is no regular file; name another file of records", path));
        }
        return ::fdopen(file, "a+b");
    }
    [[noreturn]] void fail() const
    {
        throw std::runtime_error(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
    }
    std::string path_;
    std::unique_ptr<std::FILE, close> file_;
};

// Reasons that are kept of lines that are no records, each some hundred bytes.
inline constexpr std::size_t most_rejected = 1000;

struct records_read {
    std::vector<record> records{};
    std::vector<std::string> warnings{};    // a torn last line, which is dropped; lines that nothing guards
    std::vector<std::string> rejected{};    // lines that are no records, with file, number and reason; of the many of a
                                            // file that is none of records, the first ones
    std::size_t rejected_beyond{};          // and how many more
    std::map<std::string, int> of_others{}; // records by template, where it is none of hone's
};

// For programs that know no other templates than hone's.
inline std::vector<std::string> templates_of_others(const std::map<std::string, int>& records)
{
    std::vector<std::string> sentences;
    for (const auto& [name, count] : records)
        sentences.push_back(
            fmt::format("{} record{} of the template '{}', which is none of hone's: {} kept, and taken as "
                        "{} stand{}; the tuner of the project that has the template checks more",
                        count, count == 1 ? " is" : "s are", name, count == 1 ? "it is" : "they are",
                        count == 1 ? "it" : "they", count == 1 ? "s" : ""));
    return sentences;
}

// Calls take(record, line) for each record of a file's text; what is none is said in `r`, of `path`. A line may hold
// several: where power was lost, zero bytes or half a record stand before the next one.
template <class Take, class All = all_backends>
void each_record_in(std::string_view file, const std::string& path, records_read& r, Take&& take,
                    backend_list known = All::list)
{
    int unguarded = 0, first_unguarded = 0;
    const auto reject = [&](int number, const std::string& why) {
        if (r.rejected.size() < most_rejected)
            r.rejected.push_back(fmt::format("{}:{}: {}", path, number, why));
        else
            ++r.rejected_beyond;
    };
    const auto take_one = [&](const nlohmann::ordered_json& json, std::string_view text, int number) {
        try {
            record one = record_of(json, known);
            if (one.errors) ++r.of_others[one.template_name];
            take(std::move(one), std::string(text));
        } catch (const std::invalid_argument& e) {
            reject(number, e.what());
            return false;
        }
        return !json.contains(fields::check_name);
    };
    // What is wrong with the text; empty where it was one record, taken or rejected.
    const auto read_one = [&](std::string_view text, int number) {
        try {
            // Without the parser, which takes its time for each, where it would find as much.
            if (!text.starts_with('{') && r.rejected.size() == most_rejected) return std::string("it is no object");
            if (take_one(parse_json(text), text, number) && unguarded++ == 0) first_unguarded = number;
        } catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    // As long as it is none, what stands before the next beginning of a record in it is a text of its own.
    const auto read = [&](std::string_view text, int number, bool is_whole) {
        int begun = 1;
        for (std::string why = read_one(text, number); !why.empty(); why = read_one(text, number)) {
            const auto next = text.find(lines::begin_of_record, 1);
            if (next == std::string_view::npos || begun++ == lines::most_begun) {
                if (is_whole || !lines::begins_record(text, lines::last_line::torn))
                    reject(number, why);
                else
                    r.warnings.push_back(fmt::format("{}:{}: the last line is torn; it is dropped", path, number));
                return;
            }
            if (const auto before = lines::trimmed(text.substr(0, next)); !before.empty())
                if (const std::string part = read_one(before, number); !part.empty()) reject(number, part);
            text.remove_prefix(next);
        }
    };
    for (int number = 1; !file.empty(); ++number) {
        const auto end = file.find('\n');
        const bool has_end = end != std::string_view::npos;
        std::string_view line = file.substr(0, end);
        file.remove_prefix(has_end ? end + 1 : file.size());
        if (line.size() > lines::longest) {
            reject(number, fmt::format("the line has more than {} bytes, so it is no record", lines::longest));
            continue;
        }
        for (bool more = true; more;) {
            const auto zero = line.find('\0');
            more = zero != std::string_view::npos;
            if (const auto text = lines::trimmed(line.substr(0, zero)); !text.empty())
                read(text, number, has_end || more);
            if (more) line.remove_prefix(zero + 1);
        }
    }
    if (unguarded > 0)
        r.warnings.push_back(fmt::format(
            "{}:{}: no 'check' in {}, as earlier versions wrote them; nothing would tell if "
            "they were changed",
            path, first_unguarded, unguarded == 1 ? "this line" : fmt::format("{} lines from here", unguarded)));
}
// The same of a file; throws where it cannot be read.
template <class Take, class All = all_backends>
void each_record(const std::string& path, records_read& r, Take&& take, backend_list known = All::list)
{
    each_record_in(text_of_input(path), path, r, std::forward<Take>(take), known);
}

template <class All = all_backends>
records_read read_records(const std::string& path, backend_list known = All::list)
{
    records_read r;
    each_record(
        path, r, [&](record one, const std::string&) { r.records.push_back(std::move(one)); }, known);
    return r;
}

} // namespace hone::tune
