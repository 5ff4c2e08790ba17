// SPDX-License-Identifier: BSL-1.0
// The command by which a build compiles the objects that candidates stand for, and what of it belongs to a record's
// key: the options that decide what code is generated.
//
//     ccache g++ -DX=1 -Iinc -O3 -fstack-protector-strong [-O2 -fno-tree-vectorize -mavx2 ...] -funroll-loops
//     key: "-O2 -fno-tree-vectorize -mavx2 -mfma -fstack-protector-strong -funroll-loops"
//
// What stands in brackets is hone's, between two definitions that mark it; in a key it is always written the same way,
// so that records hold from one build to the next.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace hone::tune {

struct build_command {
    std::string directory{};             // where it is run
    std::vector<std::string> compiler{}; // with its launcher: "ccache", "g++"
    std::vector<std::string> before{};   // options: of the project,
    std::vector<std::string> own{};      // of hone,
    std::vector<std::string> after{};    // and those that were given for the kernels
    static constexpr std::string_view own_begin = "-DHONE_OWN_FLAGS_BEGIN", own_end = "-DHONE_OWN_FLAGS_END";

    std::vector<std::string> options() const
    {
        std::vector<std::string> all = before;
        all.insert(all.end(), own.begin(), own.end());
        all.insert(all.end(), after.begin(), after.end());
        return all;
    }
};

namespace compile_option {

inline bool begins_with_one_of(std::string_view option, std::initializer_list<std::string_view> prefixes)
{
    return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view p) { return option.starts_with(p); });
}
inline bool is_one_of(std::string_view option, std::initializer_list<std::string_view> all)
{
    return std::find(all.begin(), all.end(), option) != all.end();
}

// Its value is the next word.
inline bool takes_a_word(std::string_view o)
{
    return is_one_of(o, {"-D",          "-U",
                         "-I",          "-L",
                         "-B",          "-T",
                         "-isystem",    "-iquote",
                         "-idirafter",  "-include",
                         "-imacros",    "-isysroot",
                         "-iprefix",    "-iwithprefix",
                         "-MF",         "-MT",
                         "-MQ",         "-o",
                         "-c",          "-x",
                         "-Xclang",     "-Xpreprocessor",
                         "-Xassembler", "-mllvm",
                         "-arch",       "-target",
                         "--param",     "--sysroot"});
}

// Which file is compiled to which, and what is written beside it.
inline bool is_of_files(std::string_view o) { return o == "-c" || o == "-o" || o.starts_with("-M"); }

// Warnings, debug information: the same code with and without. Candidates go without, so that -Werror and what a
// project wants of its own sources do not stop them.
inline bool is_of_messages(std::string_view o)
{
    return (o.starts_with("-W") && !begins_with_one_of(o, {"-Wa,", "-Wp,", "-Wl,"})) || o.starts_with("-g") ||
           begins_with_one_of(o, {"-pedantic", "-fdiagnostics", "-fno-diagnostics", "-fmessage-length",
                                  "-fcolor-diagnostics", "-fno-color-diagnostics", "-fmax-errors", "-ferror-limit"}) ||
           is_one_of(o, {"-w", "-v", "-H", "-save-temps"});
}

// Says nothing of the code of a kernel, or the same in every build: hone's own options end link time optimization,
// sanitizers, and definitions show in the workload's signature and nest.
inline bool is_of_no_code(std::string_view o)
{
    return is_of_files(o) || is_of_messages(o) ||
           begins_with_one_of(o, {"-D",
                                  "-U",
                                  "-I",
                                  "-L",
                                  "-B",
                                  "-Wl,",
                                  "-Wp,",
                                  "-i",
                                  "-std=",
                                  "-x",
                                  "--sysroot",
                                  "-fPIC",
                                  "-fpic",
                                  "-fPIE",
                                  "-fpie",
                                  "-fvisibility",
                                  "-fexceptions",
                                  "-fno-exceptions",
                                  "-frtti",
                                  "-fno-rtti",
                                  "-fasynchronous-unwind-tables",
                                  "-fno-asynchronous-unwind-tables",
                                  "-ffile-prefix-map=",
                                  "-fdebug-",
                                  "-fmacro-prefix-map=",
                                  "-ftemplate-",
                                  "-fconstexpr-",
                                  "-fsanitize-",
                                  "-fno-sanitize-",
                                  "--gcc-toolchain",
                                  "-stdlib=",
                                  "-Xpreprocessor",
                                  "-finput-charset",
                                  "-frecord-"}) ||
           is_one_of(o, {"-pipe", "-pthread", "-Qunused-arguments"});
}

// What it adds to the code calls a library that the compiler links by itself.
inline bool needs_a_library(std::string_view o)
{
    return o == "--coverage" || o == "-pg" || begins_with_one_of(o, {"-fprofile-", "-fcoverage-", "-fopenmp"});
}

// Of the options of one family the last holds: "-O3 -O2", "-mavx2 -mno-avx2", "-march=native -march=x86-64".
inline std::string_view family_of(std::string_view o)
{
    const std::string_view kind = o.substr(0, 2);
    if (kind == "-O") return kind;
    if (kind != "-f" && kind != "-m") return o;
    std::string_view name = o.substr(2, o.find('=') == std::string_view::npos ? o.npos : o.find('=') - 2);
    if (name.starts_with("no-")) name.remove_prefix(3);
    return name; // no name is both an -f and an -m
}

// The last of hone's that switch off a whole row of instructions.
inline bool is_switched_off(std::string_view o, const std::vector<std::string>& own)
{
    if (!o.starts_with("-m")) return false;
    const std::string_view name = family_of(o);
    const auto has = [&](std::string_view option) { return std::find(own.begin(), own.end(), option) != own.end(); };
    return (has("-mno-avx") && begins_with_one_of(name, {"avx", "fma", "f16c", "xop"})) ||
           (has("-mno-avx512f") && name.starts_with("avx512"));
}

} // namespace compile_option

// `words`: a command line without its compiler. Throws nothing; what it does not know belongs to the project.
inline build_command command_of(std::string directory, std::vector<std::string> compiler,
                                const std::vector<std::string>& words)
{
    build_command c{.directory = std::move(directory), .compiler = std::move(compiler)};
    std::vector<std::string>* to = &c.before;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& w = words[i];
        const bool two = compile_option::takes_a_word(w) && i + 1 < words.size();
        if (w == build_command::own_begin)
            to = &c.own;
        else if (w == build_command::own_end)
            to = &c.after;
        else if (!compile_option::is_of_files(w))
            to->insert(to->end(), words.begin() + static_cast<std::ptrdiff_t>(i),
                       words.begin() + static_cast<std::ptrdiff_t>(i + (two ? 2 : 1)));
        i += two ? 1 : 0;
    }
    return c;
}

// As hone-record.sh leaves it: the directory, how many words name the compiler, and the words, a line each.
inline build_command read_command(const std::string& path)
{
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    std::size_t named = 0;
    const bool right = lines.size() > 2 &&
                       std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), named).ec == std::errc{} &&
                       named > 0 && named <= lines.size() - 2;
    if (!right)
        throw std::runtime_error(
            fmt::format("'{}' holds no compile command; remove the object beside it and build again, "
                        "or name a compiler with --compiler",
                        path));
    const auto first = lines.begin() + 2, options = first + static_cast<std::ptrdiff_t>(named);
    return command_of(lines[0], {first, options}, {options, lines.end()});
}

// What the key holds of it behind the options that hone chooses for this instruction set.
inline std::vector<std::string> code_options_of(const build_command& c)
{
    // An option and the words that belong to it.
    struct option {
        std::vector<std::string> words{};
        bool own = false;
    };
    std::vector<option> all;
    const auto add = [&](const std::vector<std::string>& words, bool own) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            option o{{words[i]}, own};
            if (compile_option::takes_a_word(words[i]) && i + 1 < words.size()) o.words.push_back(words[++i]);
            all.push_back(std::move(o));
        }
    };
    add(c.before, false);
    add(c.own, true);
    add(c.after, false);
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string& o = all[i].words[0];
        if (all[i].own || compile_option::is_of_no_code(o)) continue;
        const bool overridden =
            std::any_of(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end(), [&](const option& later) {
                return all[i].words.size() == 1 && later.words.size() == 1 &&
                       compile_option::family_of(later.words[0]) == compile_option::family_of(o);
            });
        const bool before_own = std::any_of(all.begin() + static_cast<std::ptrdiff_t>(i), all.end(),
                                            [](const option& later) { return later.own; });
        if (!overridden && !(before_own && compile_option::is_switched_off(o, c.own)))
            kept.insert(kept.end(), all[i].words.begin(), all[i].words.end());
    }
    return kept;
}

// "g++-12", "ccache g++-12", "'my compiler' -m32": as a shell takes it, unless it is the path of a program.
inline std::vector<std::string> words_of_command(const std::string& text)
{
    if (std::ifstream(text).good()) return {text};
    std::vector<std::string> words;
    char quote = '\0';
    bool open = false;
    for (const char c : text) {
        if (quote == '\0' && (c == ' ' || c == '\t')) {
            open = false;
            continue;
        }
        if (!open) words.emplace_back();
        open = true;
        if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = '\0';
        else
            words.back() += c;
    }
    if (words.empty()) words.push_back(text);
    return words;
}

} // namespace hone::tune
