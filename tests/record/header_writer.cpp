// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <filesystem>
#include <tuple>

#include <doctest/doctest.h>

#include <hone/process/process.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/vulkan/entry.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

// The compiler's messages on a unit that includes the header and says `then`; empty where it is fine.
std::string messages_of(const std::string& header, const std::string& then)
{
    const folder at;
    tune::replace_file(at.path() / "tuned.hpp", header);
    std::ofstream(at / "unit.cpp")
        << "#include <tuned.hpp>\n#include <tuned.hpp>\n#include <hone/op/gemm.hpp>\n"
           "struct tiny : hone::gemm<hone::gemm_shape{.m = 5, .n = 24, .k = 7}, hone::f32> {};\n"
        << then;
    const auto r = tune::run_process({"c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                                      "-fno-exceptions", "-fno-rtti", "-I" + include_directory(),
                                      "-I" + at.path().string(), at / "unit.cpp"},
                                     "", {.deadline = std::chrono::seconds{60}});
    return r.ok() ? "" : "not ok: " + r.err;
}

tune::record standard(tune::record r)
{
    r.origin = "default";
    return r;
}
tune::record final_of(tune::record r)
{
    r.phase = "final";
    return r;
}

constexpr auto on_vulkan = tiny_record_on_vulkan;

} // namespace

TEST_CASE("without a record the header is valid, and gives defaults")
{
    const std::string text = tune::header_text("tuned", {});
    // A long name makes long lines, comments among them.
    CHECK(text.starts_with("// SPDX-License-Identifier: BSL-1.0\n// clang-format off\n"));
    CHECK(messages_of(text, "static_assert(hone::config_of<tiny, tuned>(hone::isa::avx2).value == "
                            "hone::config_of<tiny, hone::defaults>(hone::isa::avx2).value);\n") == "");
}

TEST_CASE("a file that only speaks of hone's tuner is no header of it")
{
    const folder at;
    const auto says = [&](const std::string& text) {
        std::ofstream(at / "mine.hpp", std::ios::trunc) << text;
        try {
            tune::check_header_to_replace(at / "mine.hpp");
        } catch (const std::runtime_error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(says("").empty());
    CHECK(says(tune::header_text("set", {})).empty());
    CHECK(says("// A licence.\n" + tune::header_text("set", {})).empty());
    const std::string refusal = "mine.hpp is no header of hone's, and is left as it is";
    CHECK(says("// My own; the config sets are written by hone's tuner, see build/.\n").find(refusal) !=
          std::string::npos);
    CHECK(says("x\n// The config set `set`, written by hand\n").find(refusal) != std::string::npos);
    CHECK(says(std::string(5000, '\n') + tune::header_text("set", {})).find(refusal) != std::string::npos);
    CHECK(tune::entries_in(tune::header_text("set", {})) == 0);
}

TEST_CASE("the fastest config stands in the header for its instruction set only")
{
    const std::string text =
        tune::header_text("tuned", {standard(tiny_record(2, 4)), tiny_record(1, 3), tiny_record(1.5, 2)});
    CHECK(messages_of(
              text,
              "static_assert(hone::config_of<tiny, tuned>(hone::isa::avx2).value.knobs<hone::direct>().rows == 3);\n"
              "static_assert(hone::config_of<tiny, tuned>(hone::isa::avx512).value == "
              "hone::config_of<tiny, hone::defaults>(hone::isa::avx512).value);\n") == "");
    CHECK(text.find("1.0000 ms; default 2.0000 ms") != std::string::npos);
    CHECK(text.find(" pad=peel") != std::string::npos);
}

TEST_CASE("each number of threads has an entry of its own")
{
    auto four = tiny_record(0.5, 2);
    four.threads = 4;
    const std::string text = tune::header_text("tuned", {tiny_record(1, 3), four});
    CHECK(
        messages_of(
            text,
            "static_assert(hone::config_of<tiny, tuned>(hone::isa::avx2).value.knobs<hone::direct>().rows == 3);\n"
            "static_assert(hone::config_of<tiny, tuned>(hone::isa::avx2, 4).value.knobs<hone::direct>().rows == 2);\n") ==
        "");
}

TEST_CASE("the same records give the same bytes, in any order of the tasks")
{
    auto other = tiny_record(3, 2);
    other.signature = "another";
    const std::vector<tune::record> records{tiny_record(1, 3), other, standard(tiny_record(2, 4)), on_vulkan(0),
                                            on_vulkan(5)};
    std::vector<tune::record> turned{on_vulkan(5), other, tiny_record(1, 3), standard(tiny_record(2, 4)), on_vulkan(0)};
    const std::string text = tune::header_text("tuned", records);
    CHECK(text == tune::header_text("tuned", records));
    CHECK(text == tune::header_text("tuned", turned));
    CHECK(text.find(std::filesystem::current_path().string()) == std::string::npos);
}

TEST_CASE("a winner needs a margin, measurements in turns decide, and failures and the naive kernel never win")
{
    const auto chosen_rows = [](std::vector<tune::record> records) {
        std::vector<const tune::record*> all;
        for (const auto& r : records) all.push_back(&r);
        const auto s = tune::standing_of(all);
        return s.chosen == nullptr ? 0 : tune::config_of<cpu_family>("direct", s.chosen->knobs).knobs<direct>().rows;
    };
    const auto base = standard(tiny_record(2, 4));
    CHECK(chosen_rows({base, tiny_record(1.99, 3)}) == 4);
    CHECK(chosen_rows({base, tiny_record(1.9, 3)}) == 3);
    CHECK(chosen_rows({base, tiny_record(1, 3), final_of(base), final_of(tiny_record(3, 3))}) == 4);
    auto wrong = tiny_record(0.1, 3);
    wrong.found = tune::verdict::wrong_result;
    auto naive = tiny_record(0.1, 3);
    naive.origin = "naive";
    CHECK(chosen_rows({base, wrong, naive}) == 4);
    CHECK(chosen_rows({wrong}) == 0);
}

TEST_CASE("the last comparison of the last run decides, among times of the newest key")
{
    const auto of_run = [](tune::record r, int run, int trial = 0) {
        r.run = run;
        r.trial = trial;
        return r;
    };
    const auto standing = [](const std::vector<tune::record>& records) {
        std::vector<const tune::record*> all;
        for (const auto& r : records) all.push_back(&r);
        const auto s = tune::standing_of(all);
        return std::tuple(tune::config_of<cpu_family>("direct", s.chosen->knobs).knobs<direct>().rows, s.trials,
                          s.compared);
    };
    const auto base = standard(tiny_record(2, 4));
    const auto fast = tiny_record(1, 3);
    CHECK(standing({base, fast}) == std::tuple(3, 2, false));
    CHECK(standing({base, fast, of_run(final_of(base), 1, 2), of_run(final_of(fast), 1, 2)}) == std::tuple(3, 2, true));
    // A candidate came later, and a second comparison found otherwise.
    CHECK(standing({base, fast, of_run(final_of(base), 1, 2), of_run(final_of(fast), 1, 2), tiny_record(3, 7)}) ==
          std::tuple(3, 3, false));
    CHECK(standing({base, fast, of_run(final_of(fast), 1, 2), tiny_record(3, 7), of_run(final_of(base), 1, 3)}) ==
          std::tuple(4, 3, true));
    // A run made anew forgets the one before, and so does another compiler.
    CHECK(standing({fast, of_run(base, 2)}) == std::tuple(4, 1, false));
    auto other = base;
    other.compiler = "another";
    CHECK(standing({fast, other}) == std::tuple(4, 1, false));
}

TEST_CASE("SPIR-V stands in the header with launch and packing")
{
    const std::string text = tune::header_text("tuned", {on_vulkan(0), on_vulkan(0x10de)});
    CHECK(messages_of(text, R"(
constexpr auto signature = tiny::signature();
constexpr const auto* any = hone::find_entry(tuned::vulkan_entries, signature.c_str(), 1, 1);
static_assert(any->vendor == 0 && any->spirv().size() == 35 && any->spirv()[0] == 0x07230203 && any->launch.lanes == 64);
static_assert(hone::find_entry(tuned::vulkan_entries, signature.c_str(), 0x10de, 1)->vendor == 0x10de);
static_assert(hone::find_entry(tuned::vulkan_entries, "another", 1, 1) == nullptr);
static_assert(any->packed[0].elements() == 3 * 56);
)") == "");
}

TEST_CASE("the header says of which type packed weights are, where they are no floats")
{
    tune::record r = on_vulkan(0);
    tune::shader made = *tune::shader_of(r);
    made.packed[0].type = dtype::f16;
    r.code = std::make_shared<tune::shader>(made);
    CHECK(messages_of(tune::header_text("tuned", {r}), R"(
constexpr auto& packed = tuned::vulkan_entries[0].packed;
static_assert(packed[0].type == hone::dtype::f16 && hone::schedules::packed_bytes(packed) == 2 * 3 * 56);
)") == "");
    CHECK(tune::header_text("tuned", {on_vulkan(0)}).find("dtype") == std::string::npos);
}

TEST_CASE("packed weights stand where the layout says, and padding is zero")
{
    const tensor source = tiny::definition().tensors[1];
    const tensor packed = tiny_shader(0).packed[0];
    std::vector<float> weights(7 * 24), to(static_cast<std::size_t>(packed.elements()), 1);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i + 1);
    pack_into(source, packed, weights.data(), to.data());
    for (int k = 0; k < 7; ++k)
        for (int n = 0; n < 24; ++n) CHECK(to[n / 8 * 56 + k * 8 + n % 8] == weights[k * 24 + n]);
}
