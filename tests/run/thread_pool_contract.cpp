// SPDX-License-Identifier: BSL-1.0
// What a pool promises where its threads are busy, missing or of another process: every chunk once all the same, in the
// floating-point mode of the caller; and that an exception of a chunk comes out of run().
#include <doctest/doctest.h>

#include <atomic>
#include <cfenv>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hone/run/thread_pool.hpp>

using namespace hone;
using namespace hone::calls;

namespace {

// Holds each of n chunks until all have begun, so that each has a thread of its own.
struct meeting {
    int expected;
    std::atomic<int> come{0};

    void wait()
    {
        ++come;
        while (come < expected) std::this_thread::yield();
    }
};

// The exit status of a child process that runs f; -1 where a signal ended it.
template <class F>
int status_of_child(F f)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(f());
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Whether a region of n chunks runs each once.
bool is_complete(thread_pool& pool, std::int64_t n)
{
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(n));
    std::atomic<bool> slots_fit{true};
    pool.run(n, [&](std::int64_t i, int slot) {
        ++calls[static_cast<std::size_t>(i)];
        if (slot < 0 || slot >= pool.slots()) slots_fit = false;
    });
    for (const std::atomic<int>& c : calls)
        if (c != 1) return false;
    return slots_fit;
}

// Threads that are made while it lives ask for more memory than there are addresses.
class no_more_threads {
public:
    no_more_threads()
    {
        pthread_attr_t huge;
        pthread_getattr_default_np(&before_);
        pthread_attr_init(&huge);
        pthread_attr_setstacksize(&huge, std::size_t{1} << 47);
        REQUIRE(pthread_setattr_default_np(&huge) == 0);
        pthread_attr_destroy(&huge);
    }
    ~no_more_threads() { pthread_setattr_default_np(&before_); }

private:
    pthread_attr_t before_;
};

} // namespace

TEST_CASE("a region that a chunk asks for runs where the chunk does, whole")
{
    for (const int threads : {1, 2, 4}) {
        thread_pool pool(threads);
        std::atomic<int> outer{0}, inner{0}, innermost{0}, elsewhere{0};
        pool.run(8, [&](std::int64_t, int) {
            ++outer;
            const std::thread::id here = std::this_thread::get_id();
            pool.run(8, [&](std::int64_t, int slot) {
                ++inner;
                if (threads > 1 && (slot != 0 || std::this_thread::get_id() != here)) ++elsewhere;
                pool.run(3, [&](std::int64_t, int) { ++innermost; });
            });
        });
        CAPTURE(threads);
        CHECK(outer == 8);
        CHECK(inner == 64);
        CHECK(innermost == 192);
        CHECK(elsewhere == 0);
        CHECK(is_complete(pool, 100)); // the threads are free again
    }
}

TEST_CASE("regions from several threads at once lose no chunk and repeat none")
{
    thread_pool pool(3);
    std::atomic<int> incomplete{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < 3; ++c)
        callers.emplace_back([&] {
            for (int region = 0; region < 500; ++region)
                if (!is_complete(pool, 16)) ++incomplete;
        });
    for (std::thread& t : callers) t.join();
    CHECK(incomplete == 0);
}

TEST_CASE("an exception of a chunk comes out of run, whichever thread throws it, and the pool goes on")
{
    for (const int threads : {1, 2, 4}) {
        thread_pool pool(threads);
        for (int thrower = 0; thrower < threads; ++thrower) {
            meeting all{threads};
            std::string caught;
            try {
                pool.run(threads, [&](std::int64_t, int slot) {
                    if (threads > 1) all.wait();
                    if (slot == thrower) throw std::runtime_error("slot " + std::to_string(slot));
                });
            } catch (const std::runtime_error& e) {
                caught = e.what();
            }
            CAPTURE(threads);
            CHECK(caught == "slot " + std::to_string(thrower));
            CHECK(is_complete(pool, 50));
        }
    }
}

TEST_CASE("of several exceptions one is thrown, and the chunks behind it do not begin")
{
    thread_pool pool(3);
    std::atomic<int> begun{0};
    constexpr std::int64_t chunks = 1'000'000'000'000;
    CHECK_THROWS_AS(pool.run(chunks,
                             [&](std::int64_t, int) {
                                 ++begun;
                                 throw std::runtime_error("each");
                             }),
                    std::runtime_error);
    CHECK(begun >= 1);
    CHECK(begun <= 3);
    // Out of a region in a region, too.
    CHECK_THROWS_AS(pool.run(4, [&](std::int64_t, int) { pool.run(2, [](std::int64_t, int) { throw 1; }); }), int);
    CHECK(is_complete(pool, 50));
}

TEST_CASE("a pool takes the threads that it gets")
{
    const no_more_threads limit;
    thread_pool pool(64);
    CHECK(pool.slots() == 1);
    CHECK(is_complete(pool, 100));
}

TEST_CASE("where making a pool throws, the threads that have begun end")
{
    struct copied_once {
        std::atomic<int>& copies;
        explicit copied_once(std::atomic<int>& counter) : copies{counter} {}
        copied_once(const copied_once& other) : copies{other.copies}
        {
            if (++copies > 1) throw std::runtime_error("copied twice");
        }
        void operator()(int) const {}
    };
    std::atomic<int> copies{0};
    CHECK_THROWS_AS(thread_pool(4, copied_once{copies}), std::runtime_error);
    CHECK(copies == 2); // one thread had its own
}

TEST_CASE("a forked child has one slot, runs all chunks itself, and may destroy the pool")
{
    auto pool = std::make_unique<thread_pool>(4);
    REQUIRE(is_complete(*pool, 100));
    CHECK(status_of_child([&] {
              if (pool->slots() != 1 || !is_complete(*pool, 100)) return 2;
              std::atomic<int> inner{0};
              pool->run(5, [&](std::int64_t, int) { pool->run(5, [&](std::int64_t, int) { ++inner; }); });
              if (inner != 25) return 3;
              pool.reset();
              return 0;
          }) == 0);
    CHECK(pool->slots() == 4);
    CHECK(is_complete(*pool, 100));
}

TEST_CASE("a child that is forked while a region runs, and one of a child")
{
    thread_pool pool(3);
    std::atomic<int> failed{0};
    meeting all{2};
    pool.run(2, [&](std::int64_t i, int) {
        all.wait();
        if (i == 1 && status_of_child([&] { return is_complete(pool, 40) && pool.slots() == 1 ? 0 : 2; }) != 0)
            ++failed;
    });
    CHECK(failed == 0);
    CHECK(status_of_child([&] { return status_of_child([&] { return is_complete(pool, 40) ? 0 : 2; }); }) == 0);
}

TEST_CASE("each slot has the floating-point mode of the caller, whoever it is")
{
    thread_pool pool(3);
    const std::uint64_t usual = float_control();
    const auto check_mode = [&](int slots) {
        meeting all{slots};
        const std::uint64_t wanted = float_control();
        std::atomic<int> others{0};
        pool.run(slots, [&](std::int64_t, int) {
            all.wait();
            if (float_control() != wanted) ++others;
        });
        CHECK(others == 0);
    };
    check_mode(3);
    for (const int direction : {FE_UPWARD, FE_TOWARDZERO, FE_TONEAREST}) {
        std::fesetround(direction);
        check_mode(3);
    }
    CHECK(float_control() == usual);
#if defined(__SSE__)
    set_float_control(usual | 0x8040); // denormals are zero, in and out
    CHECK(float_control() != usual);
    std::atomic<int> kept{0};
    meeting all{3};
    pool.run(3, [&](std::int64_t, int) {
        all.wait();
        volatile float denormal = 1e-41f, one = 1;
        if (denormal * one != 0) ++kept;
    });
    CHECK(kept == 0);
    // Flags of what has happened are each thread's own.
    std::feclearexcept(FE_ALL_EXCEPT);
    std::feraiseexcept(FE_OVERFLOW);
    check_mode(3);
    CHECK(std::fetestexcept(FE_OVERFLOW) != 0);
    set_float_control(usual);
#endif
    check_mode(3);
}
