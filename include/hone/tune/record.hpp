// SPDX-License-Identifier: BSL-1.0
// Measurements on disk: one line of JSON each, appended and flushed, never changed. A search that dies loses at most
// the line it was writing.
#pragma once

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/codegen/launch.hpp>
#include <hone/op/definition.hpp>
#include <hone/tune/input_file.hpp>
#include <hone/tune/settings.hpp>
#include <hone/tune/verdict.hpp>

namespace hone::tune {

inline constexpr int record_schema = 2;

// A kernel of Vulkan as an engine needs it, so that a header is written from records alone.
struct shader {
    std::vector<std::uint32_t> words{}; // SPIR-V
    hone::launch launch{};
    tensor packed{};          // layout of the weights
    std::uint32_t vendor = 0; // of the device, by its ids
    std::uint32_t device = 0;
};

struct record {
    // what was computed, where, and how it was built: together the key
    std::string task{};
    std::string signature{};
    std::string backend{}; // "cpu" or "vulkan"
    std::string device{};
    std::string isa{};
    int threads = 1;
    std::string cache = "hot"; // the same operands in each call
    std::string compiler{};    // its version
    std::string flags{};
    // the candidate
    std::string template_name{};
    settings knobs{};
    std::string nest{};   // hash, in hexadecimal: the record holds as long as the config gives this nest
    std::string origin{}; // "default", "naive", "guess", "model", "chance" or "peer"
    float score = 0;      // that the model predicted; larger is better; 0 where chance chose
    // what became of it
    std::string phase{}; // "search", or "final": measured in turns with the others of its task
    verdict found = verdict::ok;
    double max_rel_error = 0;
    std::vector<double> ms{};
    std::string detail{};
    std::uint64_t seed = 0;
    int run = 1;                          // counts the searches that were made anew; only the last run decides
    int trial = 0;                        // of the run; of the phase "final": how many trials the run had by then
    std::optional<tune::shader> shader{}; // of what may be chosen, on Vulkan

    double least() const
    {
        double least = ms.empty() ? 0 : ms[0];
        for (double t : ms) least = t < least ? t : least;
        return least;
    }
    double median() const
    {
        if (ms.empty()) return 0;
        std::vector<double> sorted = ms;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

inline nlohmann::ordered_json json_of(const shader& s)
{
    std::string words;
    for (std::uint32_t w : s.words) words += fmt::format("{:08x}", w);
    const hone::launch& l = s.launch;
    auto packed = nlohmann::ordered_json::array();
    for (const dimension& d : s.packed.dims) packed.push_back({d.extent, d.stride, d.block, d.outer_stride});
    return {{"vendor", s.vendor},
            {"device", s.device},
            {"launch",
             {l.groups_x, l.lanes, l.buffers, l.push_constant_bytes, l.shared_bytes, l.loop_iterations, l.group_stride,
              l.group_parameter, l.group_constant, l.group_coefficient, l.group_divisor}},
            {"packed", packed},
            {"spirv", words}};
}

inline shader shader_of(const nlohmann::ordered_json& j)
{
    shader s;
    s.vendor = j.at("vendor").get<std::uint32_t>();
    s.device = j.at("device").get<std::uint32_t>();
    hone::launch& l = s.launch;
    std::size_t next = 0;
    const auto read = [&](auto&... to) { ((j.at("launch").at(next++).get_to(to)), ...); };
    read(l.groups_x, l.lanes, l.buffers, l.push_constant_bytes, l.shared_bytes, l.loop_iterations, l.group_stride,
         l.group_parameter, l.group_constant, l.group_coefficient, l.group_divisor);
    for (const auto& d : j.at("packed"))
        s.packed.dims.push_back({.extent = d.at(0).get<std::int64_t>(),
                                 .stride = d.at(1).get<std::int64_t>(),
                                 .block = d.at(2).get<std::int64_t>(),
                                 .outer_stride = d.at(3).get<std::int64_t>()});
    const auto words = j.at("spirv").get<std::string>();
    if (words.empty() || words.size() % 8 != 0) throw std::invalid_argument("its SPIR-V is cut short");
    for (std::size_t i = 0; i < words.size(); i += 8) {
        std::uint32_t word = 0;
        const auto [end, error] = std::from_chars(words.data() + i, words.data() + i + 8, word, 16);
        if (error != std::errc{} || end != words.data() + i + 8)
            throw std::invalid_argument("its SPIR-V is not written in hexadecimal");
        s.words.push_back(word);
    }
    return s;
}

// An object with a number or a word for each knob.
inline nlohmann::ordered_json json_of(const settings& all)
{
    nlohmann::ordered_json knobs = nlohmann::ordered_json::object();
    for (const setting& s : all) {
        if (s.value.find_first_not_of("0123456789") == std::string::npos)
            knobs[s.knob] = std::stoll(s.value);
        else
            knobs[s.knob] = s.value;
    }
    return knobs;
}

inline std::string line_of(const record& r)
{
    nlohmann::ordered_json j{{"schema", record_schema},
                             {"task", r.task},
                             {"signature", r.signature},
                             {"backend", r.backend},
                             {"device", r.device},
                             {"isa", r.isa},
                             {"threads", r.threads},
                             {"cache", r.cache},
                             {"compiler", r.compiler},
                             {"flags", r.flags},
                             {"template", r.template_name},
                             {"knobs", json_of(r.knobs)},
                             {"nest", r.nest},
                             {"origin", r.origin},
                             {"score", r.score},
                             {"phase", r.phase},
                             {"verdict", name_of(r.found)},
                             {"max_rel_error", r.max_rel_error},
                             {"min_ms", r.least()},
                             {"median_ms", r.median()},
                             {"ms", r.ms},
                             {"seed", r.seed},
                             {"run", r.run},
                             {"trial", r.trial}};
    if (!r.detail.empty()) j["detail"] = r.detail;
    if (r.shader) j["shader"] = json_of(*r.shader);
    // Compilers quote sources in any encoding.
    return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The record of a line; throws a sentence where it is none.
inline record record_of(const std::string& line)
{
    const auto j = nlohmann::ordered_json::parse(line);
    const auto fail = [](const std::string& why) { throw std::invalid_argument(why); };
    // One line each: they stand in tables, and in comments of generated headers.
    const auto text = [&](const char* name) {
        auto value = j.at(name).get<std::string>();
        if (std::any_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }))
            fail(fmt::format("the text of '{}' holds a control character", name));
        return value;
    };
    const auto whole = [&](const char* name, int least) {
        const auto& value = j.at(name);
        constexpr std::int64_t most = 1'000'000'000;
        if (!value.is_number_integer() || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most)
            fail(fmt::format("'{}' is {}, not a whole number from {} to {}", name, value.dump(), least, most));
        return value.get<int>();
    };
    if (const int schema = whole("schema", 0); schema != record_schema)
        fail(fmt::format("schema {} where {} is read", schema, record_schema));
    record r;
    r.task = text("task");
    r.signature = text("signature");
    r.backend = text("backend");
    r.device = text("device");
    r.isa = text("isa");
    if (r.backend == "cpu" && !isa_of(r.isa)) fail(fmt::format("there is no instruction set '{}'", r.isa));
    r.threads = whole("threads", 1);
    r.cache = text("cache");
    r.compiler = text("compiler");
    r.flags = text("flags");
    r.template_name = text("template");
    for (const auto& [knob, value] : j.at("knobs").items())
        r.knobs.push_back(
            {knob, value.is_string() ? value.get<std::string>() : std::to_string(value.get<std::int64_t>())});
    if (const auto wrong = wrong_config(r.backend, r.template_name, r.knobs)) fail(*wrong);
    r.nest = text("nest");
    if (r.nest.size() > 16 || r.nest.find_first_not_of("0123456789abcdef") != std::string::npos)
        fail(fmt::format("the nest '{}' is no hash of at most 16 hexadecimal digits", r.nest));
    if (r.nest.empty() && r.template_name != naive_template && r.template_name != peer_template)
        fail("there is no hash of the nest");
    r.origin = text("origin");
    r.phase = text("phase");
    const auto found = verdict_of(text("verdict"));
    if (!found) fail(fmt::format("there is no verdict '{}'", text("verdict")));
    r.found = *found;
    // JSON has no NaN: it is written as null.
    const auto number = [&](const nlohmann::ordered_json& from, const char* name) {
        const double value = from.is_number() ? from.get<double>() : std::nan("");
        if (!(value >= 0) || std::isinf(value)) fail(fmt::format("{} is {}, not a time or error", name, from.dump()));
        return value;
    };
    r.max_rel_error = number(j.at("max_rel_error"), "max_rel_error");
    for (const auto& t : j.at("ms")) r.ms.push_back(number(t, "a time"));
    if (r.found == verdict::ok && r.ms.empty()) fail("the verdict is ok, but there are no times");
    r.detail = j.value("detail", "");
    r.seed = j.at("seed").get<std::uint64_t>();
    r.run = whole("run", 1);
    r.trial = whole("trial", 0);
    r.score = j.at("score").is_number() ? j.at("score").get<float>() : 0; // JSON has no infinity
    if (j.contains("shader")) r.shader = shader_of(j.at("shader"));
    return r;
}

// The end of a file of records, which one process writes at a time. A torn line that an earlier search left there stays
// a line of its own.
class record_writer {
public:
    explicit record_writer(const std::string& path) : path_(path), file_(opened(path))
    {
        if (file_ == nullptr) fail();
        if (flock(fileno(file_.get()), LOCK_EX | LOCK_NB) != 0)
            throw std::runtime_error(fmt::format("another tuner is writing {}; wait for it, or name another file of "
                                                 "records",
                                                 path_));
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
    std::vector<std::string> warnings{}; // a torn last line, which is dropped
    std::vector<std::string> rejected{}; // lines that are no records, with file, number and reason
};

// Calls take(record, line) for each line of the file that is a record; what is no record is said in `r`.
template <class Take>
void each_record(const std::string& path, records_read& r, Take&& take)
{
    if (const std::string wrong = wrong_input(path); !wrong.empty()) throw std::runtime_error(wrong);
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        if (file.eof()) {
            r.warnings.push_back(fmt::format("{}:{}: the last line is torn; it is dropped", path, number));
            break;
        }
        try {
            take(record_of(line), line);
        } catch (const std::exception& e) {
            r.rejected.push_back(fmt::format("{}:{}: {}", path, number, e.what()));
        }
    }
    // A folder opens, and fails when it is read.
    if (!file.is_open() || file.bad())
        throw std::runtime_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
}

inline records_read read_records(const std::string& path)
{
    records_read r;
    each_record(path, r, [&](record one, const std::string&) { r.records.push_back(std::move(one)); });
    return r;
}

} // namespace hone::tune
