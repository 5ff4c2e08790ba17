// SPDX-License-Identifier: BSL-1.0
// What candidates and keys take from the command by which a build compiles its kernels.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/ranges.h>

#include <hone/tune/cpu/build.hpp>
#include <hone/tune/cpu/build_command.hpp>
#include <hone/tune/cpu/object_code.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::core;
using namespace hone::test;

namespace {

using words = std::vector<std::string>;

words split(const std::string& text)
{
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
}

// Of hone_add_tuned_library, for AVX2 with g++.
const std::string own_flags =
    " -DHONE_OWN_FLAGS_BEGIN -O2 -fno-tree-vectorize -g0 -fno-lto -fno-sanitize=all -march=x86-64 -mtune=generic "
    "-mno-avx512f -mavx2 -mfma -DHONE_OWN_FLAGS_END ";

// What the key holds behind hone's choice.
std::string key(const std::string& before, const std::string& after = "", const std::string& of_hone = own_flags)
{
    const auto c =
        tune::command_of("/", {"g++"}, split(before + of_hone + after + " -MD -MT x.o -MF x.o.d -o x.o -c x.cpp"));
    return fmt::format("{}", fmt::join(tune::code_options_of(c), " "));
}

} // namespace

TEST_CASE("options that give the same code are no part of a key")
{
    CHECK(key("") == "");
    for (const char* plain :
         {"-O3 -DNDEBUG", "-g", "-O2 -g -DNDEBUG", "-Os -DNDEBUG", "-O0", "-fPIC -std=c++20", "-fPIC -std=gnu++20",
          "-DENGINE_K=16 -UX -D Y -Iinc -I inc -isystem /usr/inc -include engine.h -iquote .",
          "-Wall -Wextra -Wpedantic -Werror -pedantic -w", "-flto=auto -fsanitize=address,undefined",
          "-fno-exceptions -fno-rtti -fvisibility=hidden", "-march=native", "-march=znver4 -mtune=znver4",
          "-ggdb3 -gsplit-dwarf -fdiagnostics-color=always -fmessage-length=0 -fmax-errors=1",
          "-ffile-prefix-map=/a=b -pipe -pthread --sysroot=/opt/root -stdlib=libstdc++", "-ftree-vectorize",
          "-mavx512f -mavx512vl"})
        CHECK_MESSAGE(key(plain) == "", plain);
}

TEST_CASE("options that decide what code is generated are")
{
    // As g++ options of a distribution: what is left is what changes a kernel.
    CHECK(key("-g -O2 -ffile-prefix-map=/b=. -fstack-protector-strong -Wformat -Werror=format-security -Wdate-time "
              "-D_FORTIFY_SOURCE=2") == "-fstack-protector-strong");
    for (const char* kept :
         {"-ffast-math", "-fcf-protection", "-mprefer-vector-width=256", "-funroll-loops", "-fstack-clash-protection",
          "-finstrument-functions", "--coverage", "--target=x86_64-linux-gnu", "-target x86_64-linux-gnu",
          "-mllvm -unroll-count=2", "-Xclang -menable-no-infs", "--param max-unroll-times=2",
          "--param=max-unroll-times=2", "-an-option-of-tomorrow"})
        CHECK(key(kept) == kept);
    // Those given for the kernels stand last, and decide.
    CHECK(key("-ffast-math", "-O3 -march=znver4") == "-ffast-math -O3 -march=znver4");
    CHECK(key("-ffast-math", "-fno-fast-math") == "-fno-fast-math");
    CHECK(key("-funroll-loops -fno-unroll-loops") == "-fno-unroll-loops");
    CHECK(key("-mprefer-vector-width=256 -mprefer-vector-width=512") == "-mprefer-vector-width=512");
    // Instructions of a wider set that the object has not.
    const std::string baseline =
        " -DHONE_OWN_FLAGS_BEGIN -O2 -march=x86-64 -mtune=generic -mno-avx -DHONE_OWN_FLAGS_END ";
    CHECK(key("-mavx2 -mfma -mf16c", "", baseline) == "");
    CHECK(key("-mavx2 -mfma -mbmi2") == "-mbmi2");
    // Another build system marks nothing.
    CHECK(key("-O3 -fwrapv", "", " ") == "-O3 -fwrapv");
}

TEST_CASE("a recorded command is read as it was run")
{
    const folder at;
    const std::string path = at / "x.o.command";
    std::ofstream(path)
        << "/a folder\n2\nccache\n/my compilers/g++\n-DX=\"a b\"\n-I/inc # 1\n-O3\n-DHONE_OWN_FLAGS_BEGIN\n"
           "-O2\n-DHONE_OWN_FLAGS_END\n-fwrapv\n-MD\n-MT\nx.o\n-MF\nx.o.d\n-o\nx.o\n-c\n/s/x.cpp\n";
    const tune::build_command c = tune::read_command(path);
    CHECK(c.directory == "/a folder");
    CHECK(c.compiler == words{"ccache", "/my compilers/g++"});
    CHECK(c.before == words{"-DX=\"a b\"", "-I/inc # 1", "-O3"});
    CHECK(c.own == words{"-O2"});
    CHECK(c.after == words{"-fwrapv"});
    CHECK(c.options() == words{"-DX=\"a b\"", "-I/inc # 1", "-O3", "-O2", "-fwrapv"});
    for (const char* wrong : {"", "/\n1\n", "/\n2\ng++\n", "/\n0\ng++\n", "/\nx\ng++\n", "/\n-1\ng++\n"}) {
        std::ofstream(path, std::ios::trunc) << wrong;
        CHECK_THROWS_WITH_AS(tune::read_command(path), doctest::Contains("holds no compile command"),
                             std::runtime_error);
    }
    CHECK_THROWS_WITH_AS(tune::read_command(at / "none"), doctest::Contains("build again"), std::runtime_error);
}

TEST_CASE("a compiler is a program or a command line")
{
    const folder at;
    std::filesystem::create_directory(at / "my compilers");
    std::ofstream(at / "my compilers/g++") << "#!/bin/sh\n";
    CHECK(tune::words_of_command("g++-12") == words{"g++-12"});
    CHECK(tune::words_of_command("ccache  g++ -m64") == words{"ccache", "g++", "-m64"});
    CHECK(tune::words_of_command(at / "my compilers/g++") == words{at / "my compilers/g++"});
    CHECK(tune::words_of_command("'my compilers/g++' \"a b\" ''") == words{"my compilers/g++", "a b", ""});
    CHECK(tune::words_of_command("") == words{""});
}

TEST_CASE("candidates are compiled behind the launcher, in the directory and with the options of the build")
{
    const folder at;
    tiny_builder(at); // leaves tiny.hpp
    std::filesystem::create_directory(at / "inc");
    std::filesystem::rename(at / "tiny.hpp", at / "inc/tiny.hpp");
    std::ofstream(at / "launcher") << "#!/bin/sh\necho \"$@\" >>'" << (at / "launched") << "'\nexec \"$@\"\n";
    std::filesystem::permissions(at / "launcher", std::filesystem::perms::owner_all);
    const auto command =
        tune::command_of(at.path().string(), {at / "launcher", "c++"},
                         split("-std=c++20 -fPIC -Iinc -I" + include_directory() + " -Wall -Werror -funroll-loops"));
    const tune::compiler c = tune::compiler_of(command, isa::baseline);
    CHECK(c.version.find("launcher") == std::string::npos);
    CHECK(c.version == tune::find_compiler("c++", isa::baseline).version);
    CHECK(c.flags.back() == "-funroll-loops");
    tune::builder builder(c, {.directory = at.path() / "build", .headers = {"tiny.hpp"}});
    tune::process_control control;
    const tune::variant_source kernel{"struct set { static constexpr hone::cpu_entry entries[1]{}; };",
                                      "hone::tune::variant_of<hone::kernel<tiny, set, hone::isa::baseline>>()"};
    CHECK(builder.build({kernel})[0].found == tune::verdict::ok);
    CHECK(text_of_file(at / "launched").find("-funroll-loops") != std::string::npos);
    CHECK_NOTHROW(builder.check_code(kernel, control));
}

TEST_CASE("headers of packages that a build takes for the system's are dependencies")
{
    const folder at;
    tiny_builder(at); // leaves tiny.hpp
    const auto command = tune::command_of(
        "/", {"c++"}, {"-std=c++20", "-isystem", at.path().string(), "-isystem" + include_directory()});
    tune::builder builder(tune::compiler_of(command, isa::baseline),
                          {.directory = at.path() / "build", .headers = {"tiny.hpp"}});
    tune::process_control control;
    const auto headers = builder.check_headers(control);
    for (const std::string& header : {at / "tiny.hpp", include_directory() + "/hone/tune/cpu/variant.hpp"})
        CHECK_MESSAGE(std::find(headers.begin(), headers.end(), header) != headers.end(), header);
}

TEST_CASE("a compiler that gives candidates other code than the build is found out")
{
    const folder at;
    tiny_builder(at);
    // Optimizes what has the name of the shipped object, and nothing else.
    std::ofstream(at / "two_faced")
        << "#!/bin/sh\ncase \"$*\" in *_shipped.o*) set -- \"$@\" -O2;; esac\nexec c++ \"$@\"\n";
    std::filesystem::permissions(at / "two_faced", std::filesystem::perms::owner_all);
    const auto command = tune::command_of(
        "/", {at / "two_faced"}, split("-std=c++20 -fPIC -O0 -I" + at.path().string() + " -I" + include_directory()));
    tune::builder builder(tune::compiler_of(command, isa::baseline),
                          {.directory = at.path() / "build", .headers = {"tiny.hpp"}});
    tune::process_control control;
    const tune::variant_source kernel{"struct set { static constexpr hone::cpu_entry entries[1]{}; };",
                                      "hone::tune::variant_of<hone::kernel<tiny, set, hone::isa::baseline>>()"};
    CHECK_THROWS_WITH_AS(builder.check_code(kernel, control), doctest::Contains("would not be what is shipped"),
                         std::runtime_error);
}
