// SPDX-License-Identifier: BSL-1.0
// A process without standard streams has some, so that no file of its own gets their numbers; and what nobody hears
// ends nothing.
#include <cstdio>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/standard_streams.hpp>

using namespace hone;

TEST_CASE("streams that are closed are opened, whichever they are, and messages end nowhere else")
{
    for (unsigned closed = 0; closed < 8; ++closed) {
        CAPTURE(closed);
        const pid_t child = fork();
        if (child == 0) {
            for (int stream = 0; stream < 3; ++stream)
                if (closed >> stream & 1) close(stream);
            tune::open_standard_streams();
            const int next = open("/dev/null", O_RDWR);
            bool right = next > 2;
            for (int stream = 0; stream < 3; ++stream) right = right && fcntl(stream, F_GETFD) >= 0;
            _exit(right ? 0 : 1);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
}

TEST_CASE("a message that cannot be said ends nothing")
{
    const pid_t child = fork();
    if (child == 0) {
        const int full = open("/dev/full", O_WRONLY);
        dup2(full, 2);
        tune::complain("nobody hears it");
        close(2);
        tune::complain("nor this");
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("what cannot be printed is an error that says why, and no signal")
{
    // 0: printed, 1: for this reason not.
    const auto says = [](int out, const char* why) {
        const pid_t child = fork();
        if (child == 0) {
            dup2(out, 1);
            tune::outlive_readers();
            try {
                tune::write_to_stdout("nobody reads it");
            } catch (const std::runtime_error& e) {
                _exit(std::string(e.what()) == why ? 1 : 2);
            }
            _exit(0);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        return WEXITSTATUS(status);
    };
    CHECK(says(open("/dev/null", O_WRONLY), "") == 0);
    CHECK(says(open("/dev/full", O_WRONLY), "cannot write to the standard output: No space left on device") == 1);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    CHECK(says(ends[1], "cannot write to the standard output: Broken pipe") == 1);
}
