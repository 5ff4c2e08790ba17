// SPDX-License-Identifier: BSL-1.0
// The machine code of object files: that it is told apart function by function, kernels from others, and that what is
// no object has none.
#include <hone/tune/cpu/object_code.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <hone/process/process.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

// The object of a unit with a kernel that adds so much to an element, and a function that is none and returns so much.
std::string object_adding(const folder& at, const std::string& name, int added, int other)
{
    std::ofstream(at / (name + ".cpp")) << "namespace hone::codegen::cpu { void run(int* y) { *y += " << added
                                        << "; } }\nint other() { return " << other << "; }\nint data = 5;\n";
    const auto r =
        tune::run_process({"c++", "-O1", "-ffunction-sections", "-c", "-o", at / (name + ".o"), at / (name + ".cpp")},
                          "", {.deadline = std::chrono::seconds{60}});
    REQUIRE_MESSAGE(r.ok(), r.err);
    return at / (name + ".o");
}

} // namespace

TEST_CASE("kernels are compared by their code, whatever stands around them")
{
    const folder at;
    const std::string one = object_adding(at, "one", 1, 3), same = object_adding(at, "same", 1, 4),
                      two = object_adding(at, "two", 2, 3);
    const auto sections = tune::code_sections_of(one);
    CHECK(sections.size() >= 2);
    CHECK(sections.contains(".text._Z5otherv"));
    CHECK_FALSE(sections.contains(".data"));
    for (const auto& [name, code] : sections)
        if (name != ".text") CHECK_FALSE(code.empty());

    CHECK(tune::compare_kernels(one, one).same());
    const auto alike = tune::compare_kernels(one, same);
    CHECK(alike.same());
    CHECK(alike.sections == 1);
    CHECK(tune::code_sections_of(same) != sections); // but for the other function
    const auto different = tune::compare_kernels(one, two);
    CHECK_FALSE(different.same());
    CHECK(different.first_difference.find("4hone7codegen3cpu3run") != std::string::npos);
}

TEST_CASE("what is no object has no code, and is like nothing; one that is cut short is read as far as it goes")
{
    const folder at;
    const std::string object = object_adding(at, "one", 1, 3), bytes = text_of_file(object);
    CHECK(tune::code_sections_of(at / "absent.o").empty());
    CHECK_FALSE(tune::compare_kernels(at / "absent.o", at / "absent.o").same());
    std::ofstream(at / "text.o") << "int main() {}\n";
    CHECK(tune::code_sections_of(at / "text.o").empty());
    CHECK_FALSE(tune::compare_kernels(object, at / "text.o").same());
    const auto whole = tune::code_sections_of(object);
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
        std::ofstream(at / "cut.o", std::ios::trunc) << bytes.substr(0, size);
        CHECK(tune::code_sections_of(at / "cut.o").size() <= whole.size());
    }
    // Numbers that point nowhere.
    for (std::size_t i = 16; i < 64; ++i) {
        std::string changed = bytes;
        changed[i] = '\xff';
        std::ofstream(at / "changed.o", std::ios::trunc) << changed;
        CHECK(tune::code_sections_of(at / "changed.o").size() <= whole.size());
    }
}
