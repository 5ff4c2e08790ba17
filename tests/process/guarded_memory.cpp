// SPDX-License-Identifier: BSL-1.0
// Memory between guards: an element outside of either end ends the process, and what it was is told by the address.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/guarded_memory.hpp>

using namespace hone::tune::measuring;

namespace {

// The signal that ends a process in which f is called; 0: none does.
template <class F>
int signal_of(F&& f)
{
    const pid_t child = fork();
    if (child == 0) {
        for (const int s : {SIGSEGV, SIGBUS}) std::signal(s, SIG_DFL);
        f();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
float guarded_read(const volatile float* at) { return *at; }
void guarded_write(volatile float* at) { *at = 1; }

std::string fault_at(const void* address)
{
    const char* name = "";
    const char* const text = guarded_memory::text_of_fault(address, name);
    return text == nullptr ? "nothing" : std::string{text} + name;
}

constexpr std::size_t elements = 1000;

} // namespace

TEST_CASE("flush to the end the first element behind it cannot be read, flush to the begin the first one before it")
{
    const guarded_memory behind("y", elements * sizeof(float), flush::to_end);
    const guarded_memory before("x", elements * sizeof(float), flush::to_begin);
    for (const guarded_memory* m : {&behind, &before})
        for (std::size_t i = 0; i < elements; ++i) guarded_write(m->floats() + i);
    CHECK(signal_of([&] { guarded_read(behind.floats() + elements - 1); }) == 0);
    CHECK(signal_of([&] { guarded_read(behind.floats() + elements); }) == SIGSEGV);
    CHECK(signal_of([&] { guarded_write(behind.floats() + elements); }) == SIGSEGV);
    CHECK(signal_of([&] { guarded_read(before.floats()); }) == 0);
    CHECK(signal_of([&] { guarded_read(before.floats() - 1); }) == SIGSEGV);
    CHECK(signal_of([&] { guarded_write(before.floats() - 1); }) == SIGSEGV);
    // Far off, too: a row of a large tensor.
    CHECK(signal_of([&] { guarded_read(before.floats() + (2 << 20)); }) == SIGSEGV);
    CHECK(signal_of([&] { guarded_read(behind.floats() - (2 << 20)); }) == SIGSEGV);
}

TEST_CASE("memory that is read-only is read, and not written")
{
    const guarded_memory m("weights", elements * sizeof(float), flush::to_end);
    guarded_write(m.floats() + 3);
    m.make_read_only();
    CHECK(guarded_read(m.floats() + 3) == 1);
    CHECK(signal_of([&] { guarded_write(m.floats() + 3); }) == SIGSEGV);
}

TEST_CASE("what is written to the side that no guard stands at is found")
{
    for (const flush side : {flush::to_begin, flush::to_end}) {
        const guarded_memory m("y", elements * sizeof(float), side);
        for (std::size_t i = 0; i < elements; ++i) guarded_write(m.floats() + i);
        CHECK(m.slack_holds());
        guarded_write(side == flush::to_end ? m.floats() - 1 : m.floats() + elements);
        CHECK_FALSE(m.slack_holds());
    }
    // A whole page has a guard at both ends.
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const guarded_memory whole("y", page, flush::to_end);
    CHECK(whole.slack_holds());
    CHECK(signal_of([&] { guarded_read(whole.floats() - 1); }) == SIGSEGV);
    CHECK(signal_of([&] { guarded_read(whole.floats() + page / sizeof(float)); }) == SIGSEGV);
}

TEST_CASE("an address tells which memory it belongs to, and on which side")
{
    const guarded_memory x("x", elements * sizeof(float), flush::to_begin);
    const guarded_memory y("y", elements * sizeof(float), flush::to_end);
    CHECK(fault_at(x.floats() - 1) == "it reads or writes before the first element of x");
    CHECK(fault_at(x.floats()) == "it writes to x");
    CHECK(fault_at(x.floats() + elements - 1) == "it writes to x");
    CHECK(fault_at(x.floats() + elements) == "it reads or writes behind the last element of x");
    CHECK(fault_at(y.floats() + elements) == "it reads or writes behind the last element of y");
    int elsewhere = 0;
    CHECK(fault_at(&elsewhere) == "nothing");
    CHECK(fault_at(nullptr) == "nothing");
}

TEST_CASE("memory that is gone is not told of, and its place is taken by others")
{
    const void* last = nullptr;
    for (int i = 0; i < 100; ++i) { // more than are known at a time
        const guarded_memory m("x", 64, flush::to_end);
        last = m.floats();
        CHECK(fault_at(last) == "it writes to x");
    }
    CHECK(fault_at(last) == "nothing");
    std::vector<std::unique_ptr<guarded_memory>> many;
    for (int i = 0; i < 20; ++i) many.push_back(std::make_unique<guarded_memory>("many", 64, flush::to_begin));
    for (const auto& m : many)
        CHECK(fault_at(m->floats() + 16) == "it reads or writes behind the last element of many");
}

TEST_CASE("memory of nothing may not be touched at all, flush to its end")
{
    const guarded_memory none("none", 0, flush::to_end);
    CHECK(signal_of([&] { guarded_read(none.floats()); }) == SIGSEGV);
    CHECK(fault_at(none.floats()) == "it reads or writes behind the last element of none");
}
