// SPDX-License-Identifier: BSL-1.0
// hone's kernels for a shape that only the command line knows: a small source is generated, the compiler that built
// this program makes a library of it with the flags of a tuned library, and the library is opened. Libraries are kept
// by what they were made of: the source, hone's headers, the compiler with its flags.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <hone/measure/machine.hpp>
#include <hone/process/input_file.hpp>
#include <hone/process/work_folder.hpp>
#include <hone/record/header_text.hpp>
#include <hone/record/record.hpp>
#include <hone/record/standing.hpp>
#include <hone/tune/cpu/build.hpp>
#include <hone/tune/cpu/records.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/cpu/variant.hpp>
#include <hone/tune/record_backends.hpp>

#include "shape.hpp"

namespace bench::layers {

namespace fs = std::filesystem;

// FNV-1a of 64 bits.
class content_hash {
public:
    content_hash& add(std::string_view text)
    {
        for (const char c : text) take(static_cast<unsigned char>(c));
        take(256); // between two texts
        return *this;
    }
    std::string hexadecimal() const { return fmt::format("{:016x}", value_); }

private:
    void take(std::uint64_t next) { value_ = (value_ ^ next) * 0x100000001b3u; }
    std::uint64_t value_ = 0xcbf29ce484222325u;
};

// The folder that keeps libraries. One of another user's, or one that others may write to, is refused: what is in it
// is executed.
inline fs::path kept_folder(const std::string& given)
{
    const fs::path path =
        given.empty() ? fs::temp_directory_path() / fmt::format("hone-bench-layers-{}", ::geteuid()) : fs::path(given);
    std::error_code ignored;
    if (!given.empty()) fs::create_directories(path.parent_path(), ignored);
    struct stat found {};
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw std::runtime_error(fmt::format("cannot make the folder {}: {}; name another one with --work",
                                             path.string(), std::strerror(errno)));
    if (::stat(path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid() ||
        (found.st_mode & 0022) != 0)
        throw std::runtime_error(fmt::format("{} is no folder that only you can write to, and libraries in it would be "
                                             "executed; name another one with --work",
                                             path.string()));
    return fs::absolute(path);
}

struct library_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Libraries stay open until the process ends.
class kernel_maker {
public:
    // `include_directories`: hone's, then that of the loops.
    kernel_maker(const std::string& command, std::vector<std::string> include_directories, const std::string& folder)
        : set_(hone::cpu()), compiler_(hone::tune::find_compiler(command, set_)),
          directories_(std::move(include_directories)), folder_(kept_folder(folder))
    {
        content_hash all;
        all.add(fmt::format("{} {} {}", fmt::join(compiler_.command, " "), compiler_.version,
                            fmt::join(compiler_.flags, " ")));
        std::vector<fs::path> headers{fs::path(directories_.at(1)) / "layers/loops.hpp"};
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(directories_.at(0)) / "hone"))
            if (entry.is_regular_file()) headers.push_back(entry.path());
        std::sort(headers.begin() + 1, headers.end());
        for (const fs::path& h : headers) all.add(h.string()).add(hone::tune::text_of_input(h.string()));
        made_with_ = all.hexadecimal();
    }

    hone::isa set() const { return set_; }
    const hone::tune::compiler& compiler() const { return compiler_; }

    // The library of one source; throws library_error with the compiler's first error.
    void* opened(const std::vector<std::string>& headers, const hone::tune::variant_source& source)
    {
        const std::string key = content_hash()
                                    .add(made_with_)
                                    .add(fmt::format("{}", fmt::join(headers, " ")))
                                    .add(source.declarations)
                                    .add(source.value)
                                    .hexadecimal();
        const fs::path kept = folder_ / (key + ".so");
        if (std::error_code unknown; !fs::exists(kept, unknown)) make(kept, headers, source);
        void* const handle = dlopen(kept.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) throw library_error(fmt::format("cannot open {}: {}", kept.string(), dlerror()));
        return handle;
    }

private:
    void make(const fs::path& kept, const std::vector<std::string>& headers, const hone::tune::variant_source& source)
    {
        if (!building_) building_.emplace(folder_);
        hone::tune::builder build(compiler_, {.directory = building_->path(),
                                              .include_directories = directories_,
                                              .headers = headers,
                                              .deadline_per_variant = std::chrono::seconds{120}});
        const auto built = build.build({source}).front();
        if (built.found != hone::tune::verdict::ok) {
            const auto error = built.detail.find("error:");
            const auto from = error == std::string::npos ? 0 : error;
            throw library_error(fmt::format("{}: {}", name_of(built.found),
                                            built.detail.substr(from, built.detail.find('\n', from) - from)));
        }
        // Whoever else makes it makes the same.
        fs::rename(built.library, kept);
    }

    hone::isa set_;
    hone::tune::compiler compiler_;
    std::vector<std::string> directories_;
    fs::path folder_;
    std::string made_with_;
    std::optional<hone::tune::work_folder> building_{};
};

template <class Symbol>
Symbol* symbol_of(void* library, const char* name)
{
    auto* const found = reinterpret_cast<Symbol*>(dlsym(library, name));
    if (found == nullptr) throw library_error(fmt::format("a library without {}", name));
    return found;
}

// The kernels of one shape.
class shape_kernels {
public:
    shape_kernels(const shape& of, kernel_maker& with) : op_(cpp_of(of)), signature_(of.signature()), with_(with)
    {
        // The definition of an operator is made from its type, so the library of the default brings it.
        void* const library = with_.opened(
            headers(),
            {op_ + "extern \"C\" [[gnu::visibility(\"default\")]] const hone::definition* hone_definition()\n"
                   "{\n    static constexpr hone::definition d = op::definition();\n    return &d;\n}\n",
             fmt::format("hone::tune::variant_of<hone::kernel<op, hone::defaults, hone::isa::{}>>()",
                         name_of(with_.set()))});
        standard_ = symbol_of<const hone::tune::variant>(library, "hone_variants");
        definition_ = symbol_of<const hone::definition*()>(library, "hone_definition")();
    }

    const std::string& signature() const { return signature_; }
    const hone::definition& definition() const { return *definition_; }
    const hone::tune::variant& standard() const { return *standard_; }
    hone::tune::cpu_space space(hone::error_class worst) const { return {definition(), with_.set(), worst}; }

    // The kernel of a config, as records hold it.
    const hone::tune::variant& of(const hone::tune::named_config& c)
    {
        void* const library = with_.opened(
            headers(),
            {fmt::format("{}struct set {{\n    static constexpr hone::accuracy accuracy = hone::accuracy::fast;\n"
                         "    static constexpr hone::signature_text signature = op::signature();\n"
                         "    static constexpr hone::cpu_entry entries[] = {{{{.signature = signature.c_str(),\n"
                         "        .set = hone::isa::{},\n        .config = {}}}}};\n}};\n",
                         op_, name_of(with_.set()), hone::tune::header::quoted(text_of(c))),
             fmt::format("hone::tune::variant_of<hone::kernel<op, set, hone::isa::{}>>()", name_of(with_.set()))});
        return *symbol_of<const hone::tune::variant>(library, "hone_variants");
    }

private:
    static std::vector<std::string> headers() { return {"hone/op/conv2d.hpp", "hone/op/gemm.hpp"}; }

    std::string op_, signature_;
    kernel_maker& with_;
    const hone::tune::variant* standard_ = nullptr;
    const hone::definition* definition_ = nullptr;
};

// What a file of records says of a shape on this machine.
class recorded_configs {
public:
    // Throws where the file cannot be read; says what is wrong with its lines on stderr.
    explicit recorded_configs(const std::string& path)
    {
        if (path.empty()) return;
        auto read = hone::tune::read_records(path);
        for (const auto* complaints : {&read.warnings, &read.rejected})
            for (const std::string& complaint : *complaints) fmt::print(stderr, "{}\n", complaint);
        records_ = std::move(read.records);
    }

    struct choice {
        std::optional<hone::tune::named_config> config{};
        std::string why{}; // there is none, or it is of another processor
    };
    choice of(const std::string& signature, hone::isa set, int threads, const std::string& cache) const
    {
        std::vector<const hone::tune::record*> those;
        for (const hone::tune::record& r : records_)
            if (r.backend == hone::tune::on_cpu && r.signature == signature && r.isa == name_of(set) &&
                r.threads == threads && !r.errors)
                those.push_back(&r);
        // Those of hot and of cold weights are of two keys.
        if (std::any_of(those.begin(), those.end(), [&](const auto* r) { return r->cache == cache; }))
            std::erase_if(those, [&](const auto* r) { return r->cache != cache; });
        const std::string here = hone::tune::processor_name();
        const auto s = hone::tune::standing_of(those, {.processor = here, .allowed = hone::accuracy::fast});
        if (s.chosen == nullptr)
            return {.why = records_.empty() ? "no records were given" : "the records have none of this shape"};
        choice c{.config = hone::tune::named_config{s.chosen->template_name, s.chosen->knobs, class_of(*s.chosen)}};
        if (s.chosen->device != here) c.why = fmt::format("of records of {}", s.chosen->device);
        return c;
    }

private:
    std::vector<hone::tune::record> records_{};
};

} // namespace bench::layers
