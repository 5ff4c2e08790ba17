// SPDX-License-Identifier: BSL-1.0
// The pool of compilers, with a compiler that does what the variant tells it: order, concurrency, pauses, ends.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/build_pool.hpp>

#include "process_rig.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using namespace std::chrono_literals;
using tune::verdict;
using clock_type = std::chrono::steady_clock;

namespace {

// Runs the shell commands that stand in the unit behind "// do: ", and gives an empty object.
tune::builder obedient(const folder& at, std::chrono::duration<double> deadline = 30s)
{
    std::ofstream(at / "compiler") << "#!/bin/sh\n"
                                      "case $1 in --version) echo obedient 1.0; exit 0;; esac\n"
                                      "while [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done\n"
                                      "eval \"$(sed -n 's,^// do: ,,p' \"$1\")\"\n"
                                      "exec as -o \"$out\" /dev/null\n";
    std::filesystem::permissions(at / "compiler", std::filesystem::perms::owner_all);
    return {tune::find_compiler(at / "compiler", isa::baseline),
            {.directory = at.path() / "build", .deadline_per_variant = deadline}};
}
tune::variant_source doing(const std::string& commands) { return {"// do: " + commands, "0"}; }

// Works until it is killed, in a process of its own as compilers do; the file names that process.
tune::variant_source working(const std::string& file)
{
    return doing("sh -c 'echo $$ >" + file + ".new; mv " + file + ".new " + file + "; while :; do :; done'");
}
pid_t process_in(const std::string& file)
{
    pid_t process = 0;
    CHECK(soon([&] { return std::filesystem::exists(file); }));
    std::ifstream(file) >> process;
    REQUIRE(process > 0);
    return process;
}

class interrupted {
public:
    interrupted() { tune::interrupt_requested.store(true); }
    interrupted(const interrupted&) = delete;
    interrupted& operator=(const interrupted&) = delete;
    ~interrupted() { tune::interrupt_requested.store(false); }
};

} // namespace

TEST_CASE("each batch comes once, with its results, in whatever order they end")
{
    const folder at;
    auto builder = obedient(at);
    tune::build_pool pool(builder, 2);
    CHECK(pool.pending() == 0);
    // The first ends when the third has begun, so the second ends before it.
    const auto first = pool.submit({doing("while [ ! -e " + at / "third" + " ]; do sleep 0.01; done")});
    const auto second = pool.submit({doing(":"), doing("exit 1"), doing(":")});
    const auto third = pool.submit({doing("touch " + at / "third"), doing(":")});
    CHECK(pool.pending() == 3);

    std::map<tune::build_pool::ticket, std::vector<tune::built_variant>> results;
    for (int left = 3; left > 0; --left) {
        auto done = pool.wait();
        if (left == 3) CHECK(done.ticket == second);
        CHECK(pool.pending() == left - 1);
        CHECK(results.emplace(done.ticket, std::move(done.variants)).second);
    }
    REQUIRE(results[first].size() == 1);
    REQUIRE(results[second].size() == 3);
    REQUIRE(results[third].size() == 2);
    CHECK(results[first][0].found == verdict::ok);
    CHECK(results[second][0].found == verdict::ok);
    CHECK(results[second][1].found == verdict::compile_error);
    CHECK(results[second][2].found == verdict::ok);
    CHECK(results[third][1].found == verdict::ok);
    CHECK(results[third][1].index == 1);
    CHECK(results[first][0].library != results[third][0].library);
    CHECK_THROWS_AS(pool.wait(), std::logic_error);
}

TEST_CASE("as many compilers run as there are workers")
{
    const folder at;
    auto builder = obedient(at);
    // Each waits for the other, so both run at a time or none ends; and what they say of a third.
    const std::string meet = "touch %; while [ ! -e # ]; do sleep 0.01; done; ";
    const auto meeting = [&](std::string text, const std::string& own, const std::string& other) {
        text.replace(text.find('%'), 1, at / own);
        text.replace(text.find('#'), 1, at / other);
        return doing(text + "sleep 0.05; [ ! -e " + at / "third" + " ]");
    };
    tune::build_pool pool(builder, 2);
    const auto a = pool.submit({meeting(meet, "a", "b")});
    const auto b = pool.submit({meeting(meet, "b", "a")});
    const auto third = pool.submit({doing("touch " + at / "third")});
    for (int left = 3; left > 0; --left) {
        const auto done = pool.wait();
        CHECK((done.ticket == a || done.ticket == b || done.ticket == third));
        CHECK(done.variants.at(0).found == verdict::ok);
    }
}

TEST_CASE("many batches on several workers, each with a variant of its own that fails")
{
    const folder at;
    auto builder = obedient(at);
    tune::build_pool pool(builder, 4);
    std::map<tune::build_pool::ticket, std::size_t> bad;
    for (std::size_t i = 0; i < 12; ++i) {
        std::vector<tune::variant_source> batch(3, doing(":"));
        batch[i % 3] = doing("echo batch " + std::to_string(i) + " >&2; exit 1");
        bad[pool.submit(batch)] = i;
    }
    while (pool.pending() > 0) {
        const auto done = pool.wait();
        const std::size_t i = bad.at(done.ticket);
        REQUIRE(done.variants.size() == 3);
        for (std::size_t v = 0; v < 3; ++v)
            CHECK(done.variants[v].found == (v == i % 3 ? verdict::compile_error : verdict::ok));
        CHECK(done.variants[i % 3].detail == "batch " + std::to_string(i) + "\n");
    }
}

TEST_CASE("in a pause compilers use no processor, and work on after the last one")
{
    const folder at;
    auto builder = obedient(at);
    tune::build_pool pool(builder, 1);
    pool.submit({working(at / "process")});
    const pid_t process = process_in(at / "process");
    const auto works = [&] {
        const auto before = cpu_time_of(process);
        return soon([&] { return cpu_time_of(process) > before + 5ms; });
    };
    CHECK(works());
    {
        std::optional<tune::build_pool::pause> outer;
        outer.emplace(pool);
        CHECK(soon([&] { return state_of(process) == 'T'; }));
        const auto before = cpu_time_of(process);
        {
            const tune::build_pool::pause inner(pool);
            std::this_thread::sleep_for(50ms);
        }
        std::this_thread::sleep_for(50ms);
        CHECK(cpu_time_of(process) == before);
        outer.reset();
    }
    CHECK(works());
}

TEST_CASE("a compiler that would start in a pause waits for its end")
{
    const folder at;
    auto builder = obedient(at);
    tune::build_pool pool(builder, 1);
    {
        const tune::build_pool::pause pause(pool);
        pool.submit({doing("touch " + at / "done")});
        std::this_thread::sleep_for(200ms);
        CHECK_FALSE(std::filesystem::exists(at / "done"));
    }
    CHECK(pool.wait().variants.at(0).found == verdict::ok);
}

TEST_CASE("a pause does not count against the deadline, which holds again after it")
{
    const folder at;
    auto builder = obedient(at, 500ms); // 1 s for a batch of one
    tune::build_pool pool(builder, 2);
    const auto quick = pool.submit({doing("echo $$ >" + at / "quick" + "; sleep 0.05")});
    const auto slow = pool.submit({working(at / "slow")});
    process_in(at / "quick");
    process_in(at / "slow");
    {
        const tune::build_pool::pause pause(pool);
        std::this_thread::sleep_for(1500ms);
    }
    for (int left = 2; left > 0; --left) {
        const auto done = pool.wait();
        CHECK((done.ticket == quick || done.ticket == slow));
        CHECK(done.variants.at(0).found == (done.ticket == quick ? verdict::ok : verdict::build_timeout));
    }
}

TEST_CASE("an interrupt kills compilers, paused or not, and gives every batch back at once")
{
    const folder at;
    auto builder = obedient(at);
    for (const bool paused : {false, true}) {
        tune::build_pool pool(builder, 2);
        const auto file = [&](const char* name) { return at / (name + std::to_string(paused)); };
        for (const char* name : {"a", "b", "c"}) pool.submit({working(file(name)), doing(":")});
        const pid_t a = process_in(file("a")), b = process_in(file("b"));
        std::optional<tune::build_pool::pause> pause;
        if (paused) pause.emplace(pool);
        const interrupted now;
        const auto begin = clock_type::now();
        while (pool.pending() > 0)
            for (const auto& v : pool.wait().variants) CHECK(v.found == verdict::interrupted);
        CHECK(clock_type::now() - begin < 5s);
        CHECK(soon([&] { return !is_alive(a) && !is_alive(b); }));
        CHECK_FALSE(std::filesystem::exists(file("c")));
    }
}

TEST_CASE("a pool that is given up kills its compilers, and what waits never starts")
{
    const folder at;
    auto builder = obedient(at);
    pid_t process = 0;
    const auto begin = clock_type::now();
    {
        tune::build_pool pool(builder, 1);
        pool.submit({doing(":")});
        pool.submit({working(at / "process"), doing(":")});
        pool.submit({doing("touch " + at / "never")});
        process = process_in(at / "process");
    }
    CHECK(clock_type::now() - begin < 5s);
    CHECK(soon([&] { return !is_alive(process); }));
    CHECK_FALSE(std::filesystem::exists(at / "never"));
}

TEST_CASE("what the builder throws is thrown by wait()")
{
    const folder at;
    auto builder = obedient(at);
    tune::build_pool pool(builder, 1);
    std::filesystem::remove_all(at.path() / "build");
    std::ofstream(at / "build") << "no folder";
    pool.submit({doing(":")});
    CHECK_THROWS_AS(pool.wait(), std::runtime_error);
    CHECK(pool.pending() == 0);
}
