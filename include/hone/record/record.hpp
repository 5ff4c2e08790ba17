// SPDX-License-Identifier: BSL-1.0
// Measurements on disk: one line of JSON each, appended and flushed, never changed. A search that dies loses at most
// the line it was writing.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
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
#include <hone/record/record_data.hpp>
#include <hone/record/record_fields.hpp>

namespace hone::tune {

namespace lines {

// A record with its SPIR-V has some 100 KiB.
inline constexpr std::size_t longest = std::size_t{16} << 20;

inline constexpr std::string_view begin_of_record = "{\"schema\"";

// Without what editors and other systems add: marks of the encoding, carriage returns, spaces.
inline std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view mark = "\xef\xbb\xbf", blanks = " \t\r";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// Whether a file with this text is one of records, of any version, whole or torn: what holds something else is
// another's.
inline bool may_be_records(std::string_view text)
{
    constexpr std::string_view nothing("\0\n \t\r", 5);
    text = trimmed(text);
    text.remove_prefix(std::min(text.find_first_not_of(nothing), text.size()));
    return text.empty() || begin_of_record.starts_with(text) || text.find(begin_of_record) != std::string_view::npos;
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

struct records_read {
    std::vector<record> records{};
    std::vector<std::string> warnings{};    // a torn last line, which is dropped; lines that nothing guards
    std::vector<std::string> rejected{};    // lines that are no records, with file, number and reason
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
template <class Take>
void each_record_in(std::string_view file, const std::string& path, records_read& r, Take&& take)
{
    int unguarded = 0, first_unguarded = 0;
    const auto take_one = [&](const nlohmann::ordered_json& json, std::string_view text, const std::string& where) {
        try {
            record one = record_of(json);
            if (one.errors) ++r.of_others[one.template_name];
            take(std::move(one), std::string(text));
        } catch (const std::invalid_argument& e) {
            r.rejected.push_back(where + e.what());
            return false;
        }
        return !json.contains(fields::check_name);
    };
    // What is wrong with the text; empty where it was one record, taken or rejected.
    const auto read_one = [&](std::string_view text, int number) {
        try {
            if (take_one(parse_json(text), text, fmt::format("{}:{}: ", path, number)) && unguarded++ == 0)
                first_unguarded = number;
        } catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    // As long as it is none, what stands before the next beginning of a record in it is a text of its own.
    const auto read = [&](std::string_view text, int number, bool is_whole) {
        const auto reject = [&](const std::string& why) {
            r.rejected.push_back(fmt::format("{}:{}: {}", path, number, why));
        };
        for (std::string why = read_one(text, number); !why.empty(); why = read_one(text, number)) {
            const auto next = text.find(lines::begin_of_record, 1);
            if (next == std::string_view::npos) {
                if (is_whole)
                    reject(why);
                else
                    r.warnings.push_back(fmt::format("{}:{}: the last line is torn; it is dropped", path, number));
                return;
            }
            if (const auto before = lines::trimmed(text.substr(0, next)); !before.empty())
                if (const std::string part = read_one(before, number); !part.empty()) reject(part);
            text.remove_prefix(next);
        }
    };
    for (int number = 1; !file.empty(); ++number) {
        const auto end = file.find('\n');
        const bool has_end = end != std::string_view::npos;
        std::string_view line = file.substr(0, end);
        file.remove_prefix(has_end ? end + 1 : file.size());
        if (line.size() > lines::longest) {
            r.rejected.push_back(fmt::format("{}:{}: the line has more than {} bytes, so it is no record", path, number,
                                             lines::longest));
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
template <class Take>
void each_record(const std::string& path, records_read& r, Take&& take)
{
    each_record_in(text_of_input(path), path, r, std::forward<Take>(take));
}

inline records_read read_records(const std::string& path)
{
    records_read r;
    each_record(path, r, [&](record one, const std::string&) { r.records.push_back(std::move(one)); });
    return r;
}

} // namespace hone::tune
