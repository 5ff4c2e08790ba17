// SPDX-License-Identifier: BSL-1.0
// Mutations of real records, the same in each run: every one gives the same header or a line that is named, and no
// value reaches a schedule unchecked. Where clang has libFuzzer, libfuzzer.cpp looks for others by coverage.
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/random.hpp>

#include "record_target.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// Sanitizers take ten times as long.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool is_sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif
#else
constexpr bool is_sanitized = false;
#endif
constexpr int mutations = is_sanitized ? 4'000 : 100'000;
constexpr int random_knobs = is_sanitized ? 500 : 5'000;

// Two workloads with their defaults, their best and others, as earlier versions wrote them.
std::vector<std::string> old_lines()
{
    std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "schema_2.jsonl");
    std::vector<std::string> lines;
    std::string line;
    while (std::getline(file, line)) lines.push_back(line);
    REQUIRE(lines.size() == 8);
    return lines;
}
// As this version writes them, with a hash of each.
std::vector<std::string> new_lines()
{
    std::vector<std::string> lines;
    for (const std::string& old : old_lines()) lines.push_back(tune::line_of(tune::record_of(old)));
    for (std::uint32_t vendor : {0u, 5u}) lines.push_back(tune::line_of(tiny_record_on_vulkan(vendor)));
    return lines;
}

std::string joined(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& l : lines) text += l + "\n";
    return text;
}

using namespace std::string_view_literals;
constexpr std::array tokens{"0"sv,
                            "-1"sv,
                            "3"sv,
                            "2147483648"sv,
                            "4294967302"sv,
                            "18446744073709551616"sv,
                            "1e300"sv,
                            "5e-324"sv,
                            "1e999"sv,
                            "-0"sv,
                            "[]"sv,
                            "{}"sv,
                            "[[[[[[[[[[[[[[[[[[[["sv,
                            "null"sv,
                            "true"sv,
                            "\"\""sv,
                            "\0"sv,
                            "\0\0\0"sv,
                            "\r"sv,
                            "\n"sv,
                            "\xef\xbb\xbf"sv,
                            "\xe2\x80\xae"sv,
                            "\xff"sv,
                            "{\"schema\":2,"sv,
                            "\\u0000"sv,
                            "\"naive\""sv,
                            ","sv,
                            "}"sv,
                            "\"tile\":3"sv,
                            "NaN"sv};

// One change of a line; at times a large one.
std::string mutated(std::string line, const std::vector<std::string>& others, tune::xoshiro256& bits)
{
    const auto place = [&] { return static_cast<std::size_t>(bits.below(line.size())); };
    const auto length = [&] { return static_cast<std::size_t>(bits.below(bits.below(8) == 0 ? line.size() : 8) + 1); };
    const auto token = [&] { return std::string(tokens[bits.below(tokens.size())]); };
    switch (bits.below(8)) {
    case 0: {
        char& c = line[place()];
        c = static_cast<char>(c ^ (1 << bits.below(8)));
        break;
    }
    case 1: line[place()] = static_cast<char>(bits.below(256)); break;
    case 2: line.erase(place(), length()); break;
    case 3: {
        const std::string part = line.substr(place(), length());
        line.insert(place(), part);
        break;
    }
    case 4: line.insert(place(), token()); break;
    case 5: { // a number or what stands between commas
        const auto begin = line.find_first_of(":,[", place());
        const auto end = line.find_first_of(",}]", begin == std::string::npos ? begin : begin + 1);
        if (begin != std::string::npos && end != std::string::npos) line.replace(begin + 1, end - begin - 1, token());
        break;
    }
    case 6: {
        const std::string& other = others[bits.below(others.size())];
        line.replace(place(), length(), other.substr(bits.below(other.size()), length()));
        break;
    }
    default: line.resize(place()); break;
    }
    return line;
}

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r\n") == std::string::npos; }

} // namespace

TEST_CASE("a record that lost a bit is named, or says the same")
{
    const std::vector<std::string> lines = new_lines();
    fuzz::outcome r = fuzz::of(joined(lines));
    const std::vector<tune::record> records = r.records;
    const std::string header = fuzz::header_of(records, r.wrong);
    CHECK_FALSE(r.wrong);
    CHECK(header.find("vulkan_entries") != std::string::npos);
    CHECK(header.find(".config = \"direct ") != std::string::npos);
    tune::xoshiro256 bits(1);
    int named = 0;
    for (int i = 0; i < mutations; ++i) {
        const std::size_t which = bits.below(lines.size());
        const std::string line = mutated(lines[which], lines, bits);
        if (is_blank(line)) continue; // a line that is gone says nothing
        r = fuzz::of(line + "\n");
        named += r.is_named ? 1 : 0;
        if (r.is_named && !r.wrong) continue;
        if (!r.wrong) {
            std::vector<tune::record> all = records;
            all[which] = r.records.at(0);
            all.insert(all.end(), r.records.begin() + 1, r.records.end());
            if (fuzz::header_of(std::move(all), r.wrong) == header && !r.wrong) continue;
        }
        CAPTURE(i);
        CAPTURE(line);
        FAIL(r.wrong.value_or("another header, and not a word"));
    }
    CHECK(named > mutations / 2);
}

TEST_CASE("records without a hash, many of them changed at once, are read or named")
{
    const std::vector<std::string> lines = old_lines();
    // Of all of them in one sentence.
    CHECK(fuzz::of(joined(lines)).is_named);
    tune::xoshiro256 bits(2);
    for (int i = 0; i < mutations / 50; ++i) {
        std::vector<std::string> changed = lines;
        for (std::string& line : changed)
            while (!line.empty() && bits.below(3) == 0) line = mutated(line, lines, bits);
        std::string text = joined(changed);
        if (bits.below(4) == 0) text = mutated(text, lines, bits);
        CAPTURE(i);
        fuzz::outcome r = fuzz::of(text);
        (void)fuzz::header_of(std::move(r.records), r.wrong);
        CHECK(r.wrong.value_or("") == "");
    }
}

TEST_CASE("any knobs are a nest or a fault")
{
    tune::xoshiro256 bits(3);
    const auto any = [&](const auto& from) {
        auto knobs = from;
        for (const auto& k : knobs_of(knobs)) {
            const std::uint64_t span = static_cast<std::uint64_t>(k.most - k.least) + 1;
            // Small values, any that is legal, the ends and what lies beyond.
            const std::int64_t choices[] = {k.least + static_cast<std::int64_t>(bits.below(span < 16 ? span : 16)),
                                            k.least + static_cast<std::int64_t>(bits.below(span)), k.most, k.least - 1,
                                            k.most + 1};
            k.set(knobs, choices[bits.below(32) == 0 ? bits.below(5) : bits.below(2)]);
        }
        return knobs;
    };
    const auto record_of = [&](const tune::record_backend& backend, const char* name, const auto& knobs) {
        tune::record r;
        r.backend = backend;
        r.template_name = name;
        r.knobs = {};
        for (const auto& k : knobs_of(knobs)) {
            const std::int64_t value = k.get(knobs);
            const bool is_word = !k.words.empty() && value >= 0 && value < static_cast<std::int64_t>(k.words.size());
            r.knobs.push_back(
                {k.name, is_word ? std::string(k.words[static_cast<std::size_t>(value)]) : std::to_string(value)});
        }
        return r;
    };
    int legal = 0;
    const auto lower_if_legal = [&](const tune::record& r, bool is_legal) {
        const bool is_accepted = !tune::wrong_config(*r.backend, r.template_name, r.knobs);
        CHECK(is_accepted == is_legal);
        if (is_accepted) fuzz::lower_knobs(r);
        legal += is_accepted ? 1 : 0;
    };
    for (int i = 0; i < random_knobs; ++i) {
        const auto direct = any(direct_knobs{});
        lower_if_legal(record_of(tune::on_cpu, "direct", direct), check_knobs(direct).ok());
        const auto winograd = any(winograd_knobs{});
        lower_if_legal(record_of(tune::on_cpu, "winograd", winograd), check_knobs(winograd).ok());
        const auto vulkan = any(vulkan_knobs{});
        lower_if_legal(record_of(tune::on_vulkan, "direct", vulkan), check_knobs(vulkan).ok());
    }
    CHECK(legal > random_knobs);
}
