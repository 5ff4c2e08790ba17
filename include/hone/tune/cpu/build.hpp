// SPDX-License-Identifier: BSL-1.0
// Candidates to shared libraries: several variants in one small generated unit, by the user's compiler, in a child
// process with a deadline. A unit that fails is halved, so that a bad variant costs only itself.
//
// Cost on one Zen 5 core: a quarter of a second a direct convolution, half a second a Winograd one (bench/compile);
// linking by ld itself 3 ms, by the driver 20 to 60 ms. Leaving passes of g++ -O2 out, one by one, gains nothing more.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <hone/core/target.hpp>
#include <hone/process/process.hpp>
#include <hone/record/verdict.hpp>
#include <hone/tune/candidate_builder.hpp>
#include <hone/tune/cpu/build_command.hpp>
#include <hone/tune/cpu/object_code.hpp>

namespace hone::tune {

// A compiler with the flags that decide what code it generates; they are part of every record.
struct compiler {
    std::vector<std::string> command{}; // behind its launcher, as in "ccache g++"
    std::string version{};              // the first line of --version
    std::vector<std::string> flags{};
    // What candidates are compiled with, in which directory: those of the objects that they stand for. None: the flags.
    std::vector<std::string> options{};
    std::string directory{};
};

using compiler_patience = std::chrono::duration<double>;
inline constexpr compiler_patience usual_patience{30};

// Asks the command for its version. Throws where there is no such compiler, or it does not answer.
inline compiler find_compiler(const std::vector<std::string>& command, isa set,
                              compiler_patience patience = usual_patience)
{
    std::vector<std::string> question = command;
    question.emplace_back("--version");
    const process_result asked = run_process(question, "", {.deadline = patience});
    if (asked.timed_out)
        throw std::runtime_error(
            fmt::format("no compiler: '{}' did not end within {:.0f} s; mend it, or name another with "
                        "--compiler",
                        fmt::join(question, " "), patience.count()));
    if (!asked.ok())
        throw std::runtime_error(fmt::format("no compiler: '{}' failed{}; install one (tools/setup) or name yours with "
                                             "--compiler",
                                             fmt::join(question, " "), asked.started ? "" : ": " + asked.err));
    compiler c{.command = command, .version = asked.out.substr(0, asked.out.find('\n'))};
    // g++ loses a third of its speed at -O1; clang loses none, and must not unroll what the schedule has unrolled.
    if (c.version.find("clang") != std::string::npos)
        c.flags = {"-O1", "-fno-unroll-loops"};
    else
        c.flags = {"-O2", "-fno-tree-vectorize"};
    std::istringstream of_set(row_of(set).flags);
    for (std::string f; of_set >> f;) c.flags.push_back(f);
    return c;
}
// As a user writes it: a program, or a command line as "ccache g++".
inline compiler find_compiler(const std::string& command, isa set, compiler_patience patience = usual_patience)
{
    return find_compiler(words_of_command(command), set, patience);
}

// That of a build, for its objects of this instruction set.
inline compiler compiler_of(const build_command& build, isa set, compiler_patience patience = usual_patience)
{
    compiler c = find_compiler(build.compiler, set, patience);
    for (const std::string& o : code_options_of(build)) c.flags.push_back(o);
    c.options = build.options();
    std::error_code unknown;
    if (!std::filesystem::equivalent(build.directory, std::filesystem::current_path(unknown), unknown))
        c.directory = build.directory;
    return c;
}

struct build_options {
    std::filesystem::path directory{};
    std::vector<std::string> include_directories{};
    std::vector<std::string> headers{}; // of the workloads, as written between <>
    std::chrono::duration<double> deadline_per_variant{15.0};
    std::uint64_t memory_bytes = std::uint64_t{4} << 30;
};

class builder final : public candidate_builder {
public:
    builder(compiler with, build_options options) : compiler_(std::move(with)), options_(std::move(options))
    {
        options_.directory = std::filesystem::absolute(options_.directory);
        std::filesystem::create_directories(options_.directory);
    }

    const compiler& used() const { return compiler_; }
    std::string name() const override { return fmt::format("{}", fmt::join(compiler_.command, " ")); }
    int built() const override { return built_.load(); }
    bool has(const variant_source& kernel) const override
    {
        const std::lock_guard lock(mutex_);
        return alone_.contains(unit_of({kernel}, {0}));
    }

    std::vector<built_variant> build(const std::vector<variant_source>& variants, process_control& control) override
    {
        std::vector<built_variant> results(variants.size());
        std::vector<std::size_t> all(variants.size());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
        build(variants, all, results, control);
        return results;
    }
    std::vector<built_variant> build(const std::vector<variant_source>& variants)
    {
        process_control none;
        return build(variants, none);
    }

    // Compiles the headers of the workloads alone, so that a mistake in them is told once, and not as a failure of each
    // candidate. The headers that they include, hone's among them, but not those of the system. Throws the compiler's
    // message.
    std::vector<std::string> check_headers()
    {
        process_control none;
        return check_headers(none);
    }
    std::vector<std::string> check_headers(process_control& control)
    {
        const std::string stem = (options_.directory / "headers").string();
        std::ofstream(stem + ".cpp") << includes();
        std::vector<std::string> argv = command();
        // Installed packages are system headers to CMake, hone too; here they are what the workloads depend on.
        for (std::string& word : argv)
            if (word.starts_with("-isystem")) word.replace(0, std::strlen("-isystem"), "-I");
        argv.insert(argv.end(), {"-fsyntax-only", "-MMD", "-MF", stem + ".d", "-MT", "headers", stem + ".cpp"});
        const process_result r = run_process(argv, "", limits(options_.deadline_per_variant * 4), {}, control);
        if (r.interrupted) return {};
        if (r.timed_out)
            throw std::runtime_error(fmt::format("'{}' did not end within {:.0f} s with the headers of the workloads "
                                                 "alone; mend it, or name another compiler",
                                                 name(), (options_.deadline_per_variant * 4).count()));
        if (!r.started)
            throw std::runtime_error(
                fmt::format("cannot start '{}' to compile the headers of the workloads: {}; put it "
                            "into PATH, or make room for its process",
                            argv.front(), r.err));
        if (!r.ok()) {
            const auto error = r.err.find("error:");
            const auto begin = error == std::string::npos ? 0 : r.err.rfind('\n', error) + 1;
            if (says_lack_of_resources(r.err))
                throw std::runtime_error(
                    fmt::format("nothing can be compiled in {}: {}; make room, or name another folder",
                                options_.directory.string(), r.err.substr(begin, r.err.find('\n', begin) - begin)));
            throw std::runtime_error(fmt::format(
                "the workloads do not compile: {}; mend them, or name other include directories or another compiler",
                r.err.substr(begin, r.err.find('\n', begin) - begin)));
        }
        return dependencies_of(stem + ".d");
    }

    // Where this is empty, what fails beside it is the kernel's own fault.
    std::string trouble(process_control& control) override
    {
        std::vector<built_variant> results(1);
        const std::vector<variant_source> nothing{{"", "hone::tune::variant{}"}};
        attempt(nothing, {0}, results, control);
        const bool ok = results[0].found == verdict::ok || results[0].found == verdict::interrupted;
        return ok ? "" : fmt::format("{}: {}", name_of(results[0].found), results[0].detail);
    }

    // Compiles this kernel as the build does, with its very options, and as a candidate. Throws where the code differs:
    // what is measured would not be what is shipped. Nothing where the compiler was not taken from a build. Both are
    // hidden, which without optimization shows in how constants are addressed, and at -O1 and -O2 in no kernel.
    void check_code(const variant_source& kernel, process_control& control) override
    {
        if (compiler_.options.empty()) return;
        // One that does not compile is told of with its messages when it is proposed.
        const built_variant candidate = build({kernel}, control).front();
        if (candidate.found != verdict::ok) return;
        const std::string stem = std::filesystem::path(candidate.library).replace_extension("").string();
        std::vector<std::string> shipped = words_of_compiler();
        shipped.insert(shipped.end(), compiler_.options.begin(), compiler_.options.end());
        shipped.insert(shipped.end(), {"-fvisibility=hidden", "-w", "-c", "-o", stem + "_shipped.o", stem + ".cpp"});
        if (!run_process(shipped, "", limits(options_.deadline_per_variant * 4), {}, control).ok()) return;
        const code_comparison found = compare_kernels(stem + "_shipped.o", stem + ".o");
        if (found.sections > 0 && !found.same())
            throw std::runtime_error(
                fmt::format("'{}' compiles the default kernel otherwise as a candidate than as the build does, in the "
                            "function {}: what is measured would not be what is shipped; remove options that make the "
                            "code depend on more than the source, or take records from elsewhere (MODE REPLAY)",
                            fmt::join(compiler_.command, " "), found.first_difference));
    }

private:
    // The paths of a rule as compilers write it: "headers: a.hpp b\ c.hpp \<newline> d.hpp".
    static std::vector<std::string> dependencies_of(const std::string& path)
    {
        std::ifstream file(path);
        std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        std::vector<std::string> all;
        std::string word;
        for (std::size_t i = std::min(text.find(':'), text.size() - 1) + 1; i <= text.size(); ++i) {
            const char c = i < text.size() ? text[i] : '\n';
            const char next = i + 1 < text.size() ? text[i + 1] : '\n';
            if (c == '\\' && (next == ' ' || next == '#' || next == '\\'))
                word += text[++i];
            else if (c == '$' && next == '$')
                word += text[++i];
            else if (c == ' ' || c == '\n' || c == '\\') {
                if (!word.empty() && !word.ends_with(".cpp")) all.push_back(word);
                word.clear();
            } else {
                word += c;
            }
        }
        return all;
    }
    std::string includes() const
    {
        std::string text = "#include <hone/tune/cpu/variant.hpp>\n";
        for (const std::string& h : options_.headers) text += fmt::format("#include <{}>\n", h);
        return text;
    }
    // Without what is compiled and how far.
    std::vector<std::string> command() const
    {
        std::vector<std::string> argv = words_of_compiler();
        if (compiler_.options.empty()) {
            argv.insert(argv.end(), {"-std=c++20", "-fPIC", "-fno-exceptions", "-fno-rtti"});
            argv.insert(argv.end(), compiler_.flags.begin(), compiler_.flags.end());
        } else {
            std::copy_if(compiler_.options.begin(), compiler_.options.end(), std::back_inserter(argv),
                         [](const std::string& o) { return !compile_option::is_of_messages(o); });
            argv.emplace_back("-w");
        }
        argv.insert(argv.end(), {"-fvisibility=hidden", "-g0", "-fno-asynchronous-unwind-tables"});
        for (const std::string& d : options_.include_directories) argv.push_back("-I" + d);
        return argv;
    }
    std::vector<std::string> words_of_compiler() const
    {
        std::vector<std::string> argv;
        if (!compiler_.directory.empty()) argv = {"env", "-C", compiler_.directory};
        argv.insert(argv.end(), compiler_.command.begin(), compiler_.command.end());
        return argv;
    }

    std::string unit_of(const std::vector<variant_source>& variants, const std::vector<std::size_t>& which) const
    {
        std::string text = includes();
        for (std::size_t i = 0; i < which.size(); ++i)
            text += fmt::format("namespace variant_{} {{\n{}\n}}\n", i, variants[which[i]].declarations);
        text += fmt::format("extern \"C\" {{\n"
                            "[[gnu::visibility(\"default\")]] extern const int hone_variant_count;\n"
                            "[[gnu::visibility(\"default\")]] extern const hone::tune::variant hone_variants[{0}];\n"
                            "const int hone_variant_count = {0};\n"
                            "const hone::tune::variant hone_variants[{0}] = {{\n",
                            which.size());
        for (std::size_t i = 0; i < which.size(); ++i)
            text +=
                fmt::format("    [] {{ using namespace variant_{}; return {}; }}(),\n", i, variants[which[i]].value);
        return text + "};\n}\n";
    }

    // What became of the unit of them all; the results where it was built.
    built_variant attempt(const std::vector<variant_source>& variants, const std::vector<std::size_t>& which,
                          std::vector<built_variant>& results, process_control& control)
    {
        const std::string text = unit_of(variants, which);
        if (which.size() == 1) {
            const std::lock_guard lock(mutex_);
            if (const auto known = alone_.find(text); known != alone_.end())
                return results[which[0]] = {verdict::ok, known->second, 0, ""};
        }
        const std::string stem = (options_.directory / fmt::format("batch_{}", serial_++)).string();
        std::ofstream unit(stem + ".cpp");
        unit << text;
        unit.close();
        if (!unit) throw std::runtime_error(fmt::format("cannot write {}.cpp: {}", stem, std::strerror(errno)));
        process_result r = compile(stem, which.size(), control);
        if (r.ok()) r = link(stem, control);
        built_variant made = r.ok() ? library_at(stem + ".so") : failure_of(r);
        for (std::size_t i = 0; i < which.size(); ++i) {
            results[which[i]] = made;
            results[which[i]].index = static_cast<int>(i);
        }
        if (made.found == verdict::ok) {
            ++built_;
            if (which.size() == 1) {
                const std::lock_guard lock(mutex_);
                alone_.emplace(text, made.library);
            }
        }
        return made;
    }

    void build(const std::vector<variant_source>& variants, const std::vector<std::size_t>& which,
               std::vector<built_variant>& results, process_control& control)
    {
        if (which.empty() || interrupt_requested.load() || control.cancelled()) return;
        const built_variant failure = attempt(variants, which, results, control);
        if (failure.found == verdict::ok || !is_recorded(failure.found)) return;
        if (which.size() == 1) {
            // Memory may be short because of the variant, or for all.
            if (says_lack_of_memory(failure.detail))
                if (const std::string why = trouble(control); !why.empty())
                    results[which[0]] = {verdict::untried, "", 0, why};
            return;
        }
        // Halves find what fails fast; what hangs is found at the price of one deadline, each on its own.
        const std::size_t part = failure.found == verdict::build_timeout ? 1 : (which.size() + 1) / 2;
        for (std::size_t first = 0; first < which.size(); first += part) {
            const auto begin = which.begin() + static_cast<std::ptrdiff_t>(first);
            const auto count = static_cast<std::ptrdiff_t>(std::min(part, which.size() - first));
            build(variants, {begin, begin + count}, results, control);
        }
    }

    // What a killed compiler leaves behind goes with the folder.
    process_limits limits(std::chrono::duration<double> deadline) const
    {
        return {.deadline = deadline, .temporary_directory = options_.directory.string()};
    }

    process_result compile(const std::string& stem, std::size_t variants, process_control& control) const
    {
        std::vector<std::string> argv = command();
        for (const char* f : {"-c", "-o"}) argv.emplace_back(f);
        argv.push_back(stem + ".o");
        argv.push_back(stem + ".cpp");
        process_limits within = limits(options_.deadline_per_variant * (static_cast<double>(variants) + 1));
        within.memory_bytes = options_.memory_bytes;
        return run_process(argv, "", within, {}, control);
    }

    process_result link(const std::string& stem, process_control& control) const
    {
        const process_limits within = limits(std::chrono::seconds{30});
        process_result linked;
        if (std::none_of(compiler_.options.begin(), compiler_.options.end(), compile_option::needs_a_library))
            linked = run_process({"ld", "-shared", "-o", stem + ".so", stem + ".o"}, "", within, {}, control);
        if (!linked.ok() && !linked.interrupted) {
            std::vector<std::string> argv = words_of_compiler(); // which know of another target and its files
            argv.insert(argv.end(), compiler_.options.begin(), compiler_.options.end());
            argv.insert(argv.end(), {"-shared", "-o", stem + ".so", stem + ".o"});
            linked = run_process(argv, "", within, {}, control);
        }
        return linked;
    }

    // A compiler may report success and leave nothing, or something else: that says nothing of the variants.
    built_variant library_at(const std::string& path) const
    {
        char begin[4] = {};
        std::ifstream(path, std::ios::binary).read(begin, sizeof begin);
        if (std::string_view(begin, sizeof begin) == "\x7f"
                                                     "ELF")
            return {verdict::ok, path, 0, ""};
        return {verdict::untried, "", 0, fmt::format("'{}' ended with status 0 and left no library", name())};
    }

    static built_variant failure_of(const process_result& r)
    {
        built_variant b;
        b.detail = r.err.size() > 2000 ? r.err.substr(0, 2000) : r.err;
        // As the kernel does where memory is short.
        if (r.signal == SIGKILL) b.detail += "Killed signal terminated the compiler";
        const auto says = [&](const char* words) { return r.err.find(words) != std::string::npos; };
        // A shell that limits the memory starts the compiler: 126 and 127 are its own.
        const bool started = r.started && r.exit_status != 126 && r.exit_status != 127;
        if (r.interrupted)
            b.found = verdict::interrupted;
        else if (!started || says_lack_of_resources(r.err) || r.signal == SIGXFSZ)
            b.found = verdict::untried;
        else if (r.timed_out)
            b.found = verdict::build_timeout;
        else if (r.signal != 0 || says("internal compiler error") || says("PLEASE submit a bug report") ||
                 says("Killed signal terminated") || says("out of memory"))
            b.found = verdict::compiler_crash;
        else
            b.found = verdict::compile_error;
        return b;
    }

    compiler compiler_;
    build_options options_;
    std::atomic<int> serial_ = 0, built_ = 0;
    mutable std::mutex mutex_{};
    std::map<std::string, std::string> alone_{}; // libraries of units of one kernel, by their text
};

} // namespace hone::tune
