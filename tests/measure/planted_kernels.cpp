// SPDX-License-Identifier: BSL-1.0
// Kernels that are wrong, and kernels that cheat: each is built and measured as candidates are, and none may pass.
// Honest ones of every template and instruction set do.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/measure/machine.hpp>
#include <hone/measure/problem.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/tune/cpu/arithmetic.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using namespace std::chrono_literals;
using tune::verdict;

// The child of the tests below: this program, started again for this case alone.
TEST_CASE("measure planted kernels in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

// No epilogue: zeros and denormals reach y. Whole rows of x are zeros, and whole rows denormals.
struct product : gemm<gemm_shape{.m = 24, .n = 20, .k = 7}, f32> {};
// Borders, and a clamp that hides half of the results for operands of both signs.
struct layer : conv2d<conv2d_shape{.h = 9, .w = 11, .ic = 5, .oc = 19, .kh = 3, .kw = 3, .pad = 1}, f32, bias, relu> {};

// A second output, before the clamp.
struct kept : gemm<gemm_shape{.m = 24, .n = 20, .k = 7}, f32, bias, keep, relu> {};

tune::builder builder_in(const folder& at, isa set)
{
    std::ofstream(at / "planted.hpp")
        << "#pragma once\n"
           "#include <cmath>\n#include <cstdio>\n#include <cstdlib>\n#include <cstring>\n#include <csignal>\n"
           "#include <dlfcn.h>\n#include <pthread.h>\n#include <sys/mman.h>\n#include <sys/time.h>\n"
           "#include <time.h>\n#include <unistd.h>\n"
           "#include <hone/op/conv2d.hpp>\n#include <hone/op/gemm.hpp>\n"
           "struct product : hone::gemm<hone::gemm_shape{.m = 24, .n = 20, .k = 7}, hone::f32> {};\n"
           "struct layer : hone::conv2d<hone::conv2d_shape{.h = 9, .w = 11, .ic = 5, .oc = 19, .kh = 3, .kw = 3,\n"
           "    .pad = 1}, hone::f32, hone::bias, hone::relu> {};\n"
           "struct kept : hone::gemm<hone::gemm_shape{.m = 24, .n = 20, .k = 7}, hone::f32, hone::bias, hone::keep,\n"
           "    hone::relu> {};\n";
    return {tune::find_compiler("c++", set),
            {.directory = at.path() / "build",
             .include_directories = {include_directory(), at.path().string()},
             .headers = {"planted.hpp"}}};
}

tune::child_command measuring_child()
{
    return {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip",
            "--test-case=measure planted kernels in a child"};
}

struct planted {
    const char* what;
    const char* before; // a right kernel runs behind it
    const char* after;
    verdict found;
    const char* says; // a part of what is said of it
    const char* others = "";
    const char* pack = "kernel::pack(from, to);";
    const char* workspace = "0";
};

// One call has the number `call`, from 1; two of them verify.
template <class Op>
tune::variant_source source_of(const char* type, const planted& p)
{
    constexpr auto size = [](role r) {
        const int at = Op::definition().tensor_of(r);
        return at < 0 ? 0 : Op::definition().tensors[at].elements();
    };
    return {
        fmt::format(
            "using kernel = hone::tune::naive_kernel<{}, hone::isa::baseline>;\n"
            "constexpr int outputs = {}, inputs = {}, weights = {};\n"
            "[[maybe_unused]] static int call = 0;\n{}\n"
            "inline hone::status run(const hone::executor_ref& e, const hone::arguments& a)\n{{\n"
            "    ++call;\n"
            "    [[maybe_unused]] const float *from_x = a.x.as<float>(), *from_bias = a.bias.as<float>();\n"
            "    [[maybe_unused]] float* to_y = a.y.as<float>();\n    {}\n    const hone::status s = kernel::run(e, a);\n    {}\n    return s;\n}}\n"
            "inline hone::status pack(hone::given_weights given, void* packed)\n{{\n"
            "    float* const to = static_cast<float*>(packed);\n"
            "    const float* const from = given[0];\n    {}\n    return {{}};\n}}\n"
            "inline std::size_t workspace(int) {{ return {}; }}\n",
            type, size(role::output), size(role::input), size(role::weights), p.others, p.before, p.after, p.pack,
            p.workspace),
        "hone::tune::variant{kernel::packed_bytes, kernel::layout_id, &workspace, &pack, &run}"};
}

constexpr auto wrong_result = verdict::wrong_result;
constexpr auto crash = verdict::crash;

const planted of_product[] = {
    // ---- nothing, or not each time ----
    {"writes nothing", "return {};", "", wrong_result, "is not written"},
    {"gives the same whatever it is given", "for (int i = 0; i < outputs; ++i) to_y[i] = 0.5f; return {};", "",
     wrong_result, "is right"},
    {"computes once", "if (call > 1) return {};", "", wrong_result, "is not written"},
    {"computes only while it is verified", "if (call > 2) return {};", "", wrong_result, "is not written"},
    {"computes in the first of the timed calls", "if (call > 3) return {};", "", wrong_result, "is not written"},
    {"computes where y looks new",
     "if (to_y[0] == to_y[0] && to_y[outputs - 1] == to_y[outputs - 1] && call > 3) return {};", "", wrong_result,
     "(positive operands)"},
    {"remembers its results by x[0]",
     "if (call > 3 && from_x[0] == known) { std::memcpy(to_y, kept, sizeof kept); return {}; }",
     "known = from_x[0]; std::memcpy(kept, to_y, sizeof kept);", wrong_result, "is right",
     "static float known = 0, kept[outputs];"},
    {"reports a fault at once", "return {hone::fault::workspace_missing};", "", wrong_result, "orkspace"},
    {"reports a fault in timed calls", "", "if (call > 2) return {hone::fault::workspace_missing, 0, 0, \"timed\"};",
     wrong_result, "[timed]"},
    {"leaves the last element", "float last = to_y[outputs - 1];", "to_y[outputs - 1] = last;", wrong_result,
     "y[479] is not written"},
    {"adds to what is there", "float old = to_y[3];", "to_y[3] += old;", wrong_result, "y[3] is"},
    {"goes wrong late", "", "if (call > 5) to_y[7] = 77;", wrong_result, "y[7] is"},

    // ---- a little wrong, or seldom ----
    {"the last column is off by 1e-4", "", "for (int i = 19; i < outputs; i += 20) to_y[i] *= 1.0001f;", wrong_result,
     "is right"},
    {"all is off by 1e-5", "", "for (int i = 0; i < outputs; ++i) to_y[i] *= 1.00001f;", wrong_result, "is right"},
    {"small results are 0", "", "for (int i = 0; i < outputs; ++i) if (std::fabs(to_y[i]) < 0.01f) to_y[i] = 0;",
     wrong_result, "is right"},
    {"two rows are exchanged", "",
     "for (int i = 0; i < 20; ++i) { const float t = to_y[20 + i]; to_y[20 + i] = to_y[40 + i]; to_y[40 + i] = t; }",
     wrong_result, "is right"},
    {"NaN becomes 0", "", "for (int i = 0; i < outputs; ++i) if (std::isnan(to_y[i])) to_y[i] = 0;", wrong_result,
     "where nan is right"},
    {"infinity becomes the largest number", "",
     "for (int i = 0; i < outputs; ++i) if (std::isinf(to_y[i])) to_y[i] = std::copysign(3.4e38f, to_y[i]);",
     wrong_result, "inf is right"},
    {"all is NaN", "", "for (int i = 0; i < outputs; ++i) to_y[i] = NAN;", wrong_result, "is nan where"},
    {"0 becomes -0", "", "for (int i = 0; i < outputs; ++i) if (to_y[i] == 0) to_y[i] = -0.0f;", wrong_result,
     "is -0 where 0 is right"},
    {"denormals become 0", "", "for (int i = 0; i < outputs; ++i) if (std::fabs(to_y[i]) < 1e-38f) to_y[i] = 0;",
     wrong_result, "e-4"},
    {"large numbers are cut", "",
     "for (int i = 0; i < outputs; ++i) if (std::fabs(to_y[i]) > 1e20f) to_y[i] = std::copysign(1e20f, to_y[i]);",
     wrong_result, "e+20 where"},

    // ---- memory that is not theirs ----
    {"reads behind x", "(void)static_cast<const volatile float*>(from_x)[inputs];", "", crash,
     "behind the last element of x"},
    {"reads before x", "(void)static_cast<const volatile float*>(from_x)[-1];", "", crash,
     "before the first element of x"},
    {"reads behind packed weights", "(void)static_cast<const volatile float*>(a.weights)[weights];", "", crash,
     "behind the last element of packed weights"},
    {"writes behind y", "to_y[outputs] = 0;", "", crash, "behind the last element of y"},
    {"writes before y", "to_y[-1] = 0;", "", wrong_result, "outside a buffer"},
    {"writes far behind y", "to_y[1 << 20] = 0;", "", crash, "behind the last element of y"},
    {"writes far before y", "to_y[-(1 << 21)] = 0;", "", crash, "before the first element of y"},
    {"writes to x, and mends it", "float x = from_x[3]; const_cast<float*>(from_x)[3] = 1;",
     "const_cast<float*>(from_x)[3] = x;", crash, "writes to x"},
    {"writes to x in timed calls", "", "if (call > 2) const_cast<float*>(from_x)[9] = 1;", wrong_result, ""},
    {"writes to packed weights", "", "static_cast<float*>(const_cast<void*>(a.weights))[5] += 1;", crash,
     "writes to packed weights"},
    {"writes to packed weights in timed calls", "",
     "if (call > 2) static_cast<float*>(const_cast<void*>(a.weights))[5] = 1;", wrong_result, ""},
    {"writes behind its workspace", "static_cast<char*>(a.workspace)[4000] = 1;", "", crash,
     "behind the last element of the workspace", "", "kernel::pack(from, to);", "4000"},
    {"packs too much", "", "", crash, "behind the last element of packed weights", "",
     "kernel::pack(from, to); to[weights] = 0;"},
    {"packs from before the weights", "", "", crash, "before the first element of weights", "",
     "to[0] = static_cast<const volatile float*>(from)[-1]; kernel::pack(from, to);"},
    {"takes y away", "", "munmap(reinterpret_cast<void*>(reinterpret_cast<std::size_t>(to_y) / 4096 * 4096), 4096);",
     crash, ""},

    // ---- the process ----
    {"ends its process", "if (call == 5) std::exit(0);", "", crash, "status 0"},
    {"ends its process at once, with words of its own",
     "for (int fd = 1; fd < 64; ++fd) for (int v = 0; v < 64; ++v)"
     "    dprintf(fd, \"\\n{\\\"variant\\\": %d, \\\"verdict\\\": \\\"ok\\\", \\\"max_rel_error\\\": 0, \\\"ms\\\": "
     "[1e-6]}\\n\", v);"
     "_exit(0);",
     "", crash, "status 0"},
    {"aborts", "std::abort();", "", crash, "signal 6"},
    {"leaves a child", "if (fork() == 0) { sleep(60); _exit(0); }", "", crash, "processes"},
    {"leaves a thread", "if (call == 1) { pthread_t t; pthread_create(&t, nullptr, &idle, nullptr); }", "", crash,
     "threads", "inline void* idle(void*) { for (;;) sleep(1); }"},
    {"leaves a thread in timed calls", "if (call == 4) { pthread_t t; pthread_create(&t, nullptr, &idle, nullptr); }",
     "", crash, "threads", "inline void* idle(void*) { for (;;) sleep(1); }"},
    {"leaves a timer", "itimerval t{}; t.it_value.tv_sec = 50; setitimer(ITIMER_REAL, &t, nullptr);", "", crash,
     "timer"},
    {"hides its faults", "std::signal(SIGSEGV, SIG_IGN);", "", crash, "signal"},
    {"alters its executor", "const_cast<hone::executor_ref&>(e).slot_count = 64;", "", wrong_result, "executor"},
    {"alters its arguments", "static float other[outputs]; if (call > 2) const_cast<hone::arguments&>(a).y = other;",
     "", wrong_result, "arguments"},
#if defined(__x86_64__)
    {"flushes denormals from now on", "__builtin_ia32_ldmxcsr(0x9fc0);", "", crash, "rounded"},
    {"rounds upward from now on", "if (call > 2) __builtin_ia32_ldmxcsr(0x5f80);", "", crash, "rounded"},
    // The C library's function becomes a jump to another one.
    {"slows the clock",
     "if (call == 3) { auto* const at = static_cast<unsigned char*>(dlsym(RTLD_DEFAULT, \"clock_gettime\"));"
     "    void* const page = reinterpret_cast<void*>(reinterpret_cast<std::size_t>(at) / 4096 * 4096);"
     "    mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);"
     "    void* const other = reinterpret_cast<void*>(&slow); at[0] = 0x48; at[1] = 0xb8;"
     "    std::memcpy(at + 2, &other, 8); at[10] = 0xff; at[11] = 0xe0; }",
     "", crash, "clock", "inline int slow(clockid_t, timespec* t) { static long n; *t = {1, ++n}; return 0; }"},
#endif
};

const planted of_layer[] = {
    {"the last channel is off by 1e-4", "", "for (int i = 18; i < outputs; i += 19) to_y[i] *= 1.0001f;", wrong_result,
     "is right"},
    {"a corner lacks its bias", "", "for (int c = 0; c < 19; ++c) to_y[c] = std::fmax(to_y[c] - from_bias[c], 0.0f);",
     wrong_result, "is right"},
    {"the lower border is 0", "", "for (int i = 8 * 11 * 19; i < outputs; ++i) to_y[i] = 0;", wrong_result, "where"},
    {"one pixel of the border is 0", "", "for (int c = 0; c < 19; ++c) to_y[(4 * 11 + 10) * 19 + c] = 0;", wrong_result,
     "where"},
    {"a tap of one pixel is lost", "", "to_y[(4 * 11 + 5) * 19 + 3] -= from_x[(4 * 11 + 5) * 5] * 0.01f;", wrong_result,
     "is right"},
    {"relu(NaN) is 0", "", "for (int i = 0; i < outputs; ++i) if (std::isnan(to_y[i])) to_y[i] = 0;", wrong_result,
     "where nan is right"},
    {"there is no relu", "", "for (int i = 0; i < outputs; ++i) if (to_y[i] == 0) to_y[i] = -1e-3f;", wrong_result,
     "0 is right"},
    {"computes while it is verified, behind a clamp",
     "if (call > 2) { std::memset(to_y, 0, sizeof(float) * outputs);"
     "return {}; }",
     "", wrong_result, "is 0 where"},
    {"reads behind the bias", "(void)static_cast<const volatile float*>(from_bias)[19];", "", crash,
     "behind the last element of bias"},
    {"adds to the bias", "", "const_cast<float*>(from_bias)[2] += 1;", crash, "writes to bias"},
};

const planted of_kept[] = {
    {"forgets the second output",
     "static float other[outputs]; float* to = other; hone::arguments b = a;"
     "b.outputs = &to; return kernel::run(e, b);",
     "", wrong_result, "keep[0] is not written"},
    {"forgets the second output in timed calls",
     "static float other[outputs]; float* to = other;"
     "hone::arguments b = a; if (call > 2) { b.outputs = &to; return kernel::run(e, b); }",
     "", wrong_result, "is not written"},
    {"keeps what is behind relu", "", "std::memcpy(a.output(0).as<float>(), to_y, sizeof(float) * outputs);",
     wrong_result, "keep["},
    {"swaps its outputs",
     "float* to = to_y; hone::arguments b = a; b.y = a.output(0); b.outputs = &to;"
     "return kernel::run(e, b);",
     "", wrong_result, "y["},
    {"keeps what it gave first",
     "static float kept[outputs];"
     "if (call > 3) { const hone::status s = kernel::run(e, a);"
     "    std::memcpy(a.output(0).as<float>(), kept, sizeof kept); return s; }",
     "if (call == 3) std::memcpy(kept, a.output(0).as<float>(), sizeof kept);", wrong_result, "keep["},
    {"the last column of the second output is off by 1e-4", "",
     "for (int i = 19; i < outputs; i += 20) a.output(0).as<float>()[i] *= 1.0001f;", wrong_result, "keep["},
    {"leaves the last element of the second output", "float last = a.output(0).as<float>()[outputs - 1];",
     "a.output(0).as<float>()[outputs - 1] = last;", wrong_result, "keep[479] is not written"},
    {"writes behind the second output", "a.output(0).as<float>()[outputs] = 0;", "", crash,
     "behind the last element of keep"},
    {"writes before the second output", "a.output(0).as<float>()[-1] = 0;", "", wrong_result, "outside a buffer"},
    {"gives itself another second output",
     // The array of floats is the first of its pointers.
     "static float other[outputs]; "
     "if (call > 2) { float** list; std::memcpy(&list, &a.outputs, sizeof list); list[0] = other; }",
     "", wrong_result, "is not written"},
};

template <class Op, std::size_t Count>
std::vector<tune::measurement> measured(const char* type, const planted (&all)[Count], tune::timing_order order)
{
    const folder at;
    auto builder = builder_in(at, isa::baseline);
    std::vector<tune::variant_source> sources;
    const planted honest{"honest", "", "", verdict::ok, ""};
    for (const planted& p : all) sources.push_back(source_of<Op>(type, p));
    sources.push_back(source_of<Op>(type, honest));
    tune::measure_job job{.problem = at / "problem", .order = order, .rules = {.total_ms = 4}, .deadline = 5s};
    job.cache = tune::cache_mode::hot;
    tune::save(tune::problem_of(Op::definition(), 1, {tune::arithmetic::direct}), job.problem);
    for (const auto& b : builder.build(sources)) {
        REQUIRE_MESSAGE(b.found == verdict::ok, b.detail);
        job.variants.push_back({b.library, b.index});
    }
    return tune::measure(job, measuring_child());
}

template <class Op, std::size_t Count>
void check_all(const char* type, const planted (&all)[Count])
{
    const auto results = measured<Op>(type, all, tune::timing_order::each);
    REQUIRE(results.size() == Count + 1);
    for (std::size_t i = 0; i < Count; ++i) {
        CAPTURE(std::string(all[i].what));
        CAPTURE(std::string(tune::name_of(results[i].found)));
        CAPTURE(results[i].detail);
        CHECK(results[i].found == all[i].found);
        CHECK(results[i].detail.find(all[i].says) != std::string::npos);
    }
    CHECK_MESSAGE(results[Count].found == verdict::ok, results[Count].detail);
    CHECK(results[Count].max_rel_error < 1e-6);
}

} // namespace

TEST_CASE("products that are wrong or cheat are rejected, and what comes after them is not")
{
    check_all<product>("product", of_product);
}

TEST_CASE("layers that are wrong at borders or behind a clamp are rejected") { check_all<layer>("layer", of_layer); }

TEST_CASE("products that are wrong in what they keep are rejected") { check_all<kept>("kept", of_kept); }

TEST_CASE("the final rounds see what goes wrong in timed calls, too, and keep the others' figures")
{
    static const planted late[] = {
        {"computes only while it is verified", "if (call > 2) return {};", "", wrong_result, "is not written"},
        {"goes wrong late", "", "if (call > 5) to_y[7] = 77;", wrong_result, "y[7] is"},
        {"reports a fault in timed calls", "",
         "if (call > 2) return {hone::fault::workspace_missing, 0, 0, \"timed\"};", wrong_result, "[timed]"},
    };
    const auto results = measured<product>("product", late, tune::timing_order::rounds);
    for (std::size_t i = 0; i < std::size(late); ++i) {
        CAPTURE(std::string(late[i].what));
        CAPTURE(results[i].detail);
        CHECK(results[i].found == late[i].found);
        CHECK(results[i].detail.find(late[i].says) != std::string::npos);
    }
    CHECK_MESSAGE(results.back().found == verdict::ok, results.back().detail);
    CHECK(results.back().ms.size() == 10);
}

TEST_CASE("honest kernels of every template and instruction set pass")
{
    const tune::task task = tune::task_of<layer>("layer", "layer");
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
        if (!runs_here(set)) continue;
        CAPTURE(name_of(set));
        const folder at;
        auto builder = builder_in(at, set);
        const auto built_of = [&](const cpu_config& c) {
            const tune::named_config named{name_of_template(c), tune::settings_of(c), class_of(c)};
            return tune::source_of(task, named, set);
        };
        std::vector<tune::variant_source> sources{tune::naive_source_of(task, set),
                                                  built_of(default_direct(task.definition, set))};
        std::vector<tune::arithmetic> summed_as{tune::arithmetic::direct, tune::arithmetic::direct};
        for (const std::int32_t tile : {2, 4}) {
            winograd_knobs knobs = default_winograd(task.definition, set);
            knobs.tile = tile;
            sources.push_back(built_of(fitted(task.definition, knobs, set)));
            summed_as.push_back(tile == 2 ? tune::arithmetic::winograd_2 : tune::arithmetic::winograd_4);
        }
        tune::measure_job job{.problem = at / "problem", .rules = {.total_ms = 4}};
        tune::save(tune::problem_of(task.definition, 1, tune::cpu_arithmetics(task.definition)), job.problem);
        const auto built = builder.build(sources);
        for (std::size_t i = 0; i < built.size(); ++i) {
            REQUIRE_MESSAGE(built[i].found == verdict::ok, built[i].detail);
            job.variants.push_back({built[i].library, built[i].index, summed_as[i]});
        }
        for (const tune::measurement& m : tune::measure(job, measuring_child()))
            CHECK_MESSAGE(m.found == verdict::ok, m.detail);
    }
}
