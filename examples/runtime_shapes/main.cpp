// SPDX-License-Identifier: BSL-1.0
// Loads a list of layers, finds the kernel of each by its signature and by what this processor has, packs the weights
// once, runs, and checks the results against plain loops. A layer that nobody has listed takes the kernel of its kind,
// whose call gives the shape; a layer of another kind has none in this library.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <hone/core/executor.hpp>
#include <hone/cpu/entry.hpp>
#include <hone/cpu/find_in_range.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/elementwise.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/pool.hpp>
#include <hone/op/softmax.hpp>
#include <hone/tuned/kernels.hpp>

namespace {

using floats = std::vector<float>;

floats random_floats(std::int64_t count)
{
    static std::mt19937 bits(1);
    std::uniform_real_distribution<float> value(-1.0f, 1.0f);
    floats r(static_cast<std::size_t>(count));
    for (float& v : r) v = value(bits);
    return r;
}

struct tensors {
    floats x, weights, bias;
};

double at(const floats& of, std::int64_t i) { return static_cast<double>(of[static_cast<std::size_t>(i)]); }

// A layer of the model. The signature is all that the library is asked with.
struct layer {
    hone::signature_text signature{};
    std::int64_t inputs = 0, weights = 0, biases = 0, outputs = 0; // elements
    // What the model's author means by output i.
    std::function<double(const tensors&, std::int64_t i)> meaning{};
};

// The signature of a shape with what stands behind its numbers in a line: "bias", "relu", both or neither. false in
// `known` where something else does.
struct epilogue {
    bool has_bias = false, has_relu = false, known = true;

    explicit epilogue(std::istream& words)
    {
        for (std::string name; words >> name;) {
            (name == "bias" ? has_bias : has_relu) = true;
            if (name != "bias" && name != "relu") known = false;
        }
    }
    template <class Shape>
    hone::signature_text signature_of(const Shape& shape) const
    {
        if (has_bias && has_relu) return hone::signature_of(shape, hone::dtype::f32, {"bias", "relu"});
        if (has_bias) return hone::signature_of(shape, hone::dtype::f32, {"bias"});
        if (has_relu) return hone::signature_of(shape, hone::dtype::f32, {"relu"});
        return hone::signature_of(shape, hone::dtype::f32);
    }
    double of(double sum, const tensors& t, std::int64_t channel) const
    {
        if (has_bias) sum += at(t.bias, channel);
        return has_relu ? std::fmax(sum, 0.0) : sum;
    }
};

std::optional<layer> read_conv2d(std::istream& words)
{
    hone::conv2d_shape s;
    words >> s.h.value >> s.w.value >> s.ic.value >> s.oc.value >> s.kh >> s.stride >> s.pad;
    s.kw = s.kh;
    if (!words || !s.check().ok()) return {};
    const epilogue then(words);
    if (!then.known) return {};
    return layer{then.signature_of(s),
                 s.h * s.w * s.ic,
                 s.oc * s.kh * s.kw * s.ic,
                 s.oc,
                 s.oh() * s.ow() * s.oc,
                 [s, then](const tensors& t, std::int64_t i) {
                     const std::int64_t oc = i % s.oc, ow = i / s.oc % s.ow(), oh = i / s.oc / s.ow();
                     double sum = 0;
                     for (std::int64_t kh = 0; kh < s.kh; ++kh)
                         for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                             const std::int64_t h = oh * s.stride + kh - s.pad, w = ow * s.stride + kw - s.pad;
                             if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                             for (std::int64_t c = 0; c < s.ic; ++c)
                                 sum += at(t.x, (h * s.w + w) * s.ic + c) *
                                        at(t.weights, ((oc * s.kh + kh) * s.kw + kw) * s.ic + c);
                         }
                     return then.of(sum, t, oc);
                 }};
}

std::optional<layer> read_gemm(std::istream& words)
{
    hone::gemm_shape s;
    words >> s.m.value >> s.n.value >> s.k.value;
    if (!words || s.m.value < 1 || s.n.value < 1 || s.k.value < 1) return {};
    const epilogue then(words);
    if (!then.known) return {};
    return layer{
        then.signature_of(s), s.m * s.k, s.k * s.n, s.n, s.m * s.n, [s, then](const tensors& t, std::int64_t i) {
            double sum = 0;
            for (std::int64_t k = 0; k < s.k; ++k) sum += at(t.x, i / s.n * s.k + k) * at(t.weights, k * s.n + i % s.n);
            return then.of(sum, t, i % s.n);
        }};
}

std::optional<layer> read_max_pool(std::istream& words)
{
    hone::pool_shape s;
    words >> s.h.value >> s.w.value >> s.c.value >> s.kh.value >> s.stride >> s.pad;
    s.kw = s.kh;
    if (!words || !s.check().ok()) return {};
    return layer{hone::signature_of(s, hone::pooling::max, hone::dtype::f32),
                 s.h * s.w * s.c,
                 0,
                 0,
                 s.oh() * s.ow() * s.c,
                 [s](const tensors& t, std::int64_t i) {
                     const std::int64_t c = i % s.c, ow = i / s.c % s.ow(), oh = i / s.c / s.ow();
                     double largest = -std::numeric_limits<double>::infinity();
                     for (std::int64_t kh = 0; kh < s.kh; ++kh)
                         for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                             const std::int64_t h = oh * s.stride + kh - s.pad, w = ow * s.stride + kw - s.pad;
                             if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                             largest = std::fmax(largest, at(t.x, (h * s.w + w) * s.c + c));
                         }
                     return largest;
                 }};
}

std::optional<layer> read_softmax(std::istream& words)
{
    hone::row_shape s;
    words >> s.rows.value >> s.n.value;
    if (!words || s.rows.value < 1 || s.n.value < 1) return {};
    return layer{hone::signature_of(s, hone::dtype::f32),
                 s.rows * s.n,
                 0,
                 0,
                 s.rows * s.n,
                 [s](const tensors& t, std::int64_t i) {
                     double sum = 0;
                     for (std::int64_t k = 0; k < s.n; ++k) sum += std::exp(at(t.x, i / s.n * s.n + k) - at(t.x, i));
                     return 1 / sum;
                 }};
}

std::optional<layer> read_relu(std::istream& words)
{
    hone::image_shape s;
    words >> s.h.value >> s.w.value >> s.c.value;
    if (!words || s.h.value < 1 || s.w.value < 1 || s.c.value < 1) return {};
    const std::int64_t elements = s.h * s.w * s.c;
    return layer{hone::signature_of(s, hone::dtype::f32, {"relu"}),
                 elements,
                 0,
                 0,
                 elements,
                 [](const tensors& t, std::int64_t i) { return std::fmax(at(t.x, i), 0.0); }};
}

// The layer that a line describes; none where it describes none.
std::optional<layer> read(const std::string& line)
{
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "conv2d") return read_conv2d(words);
    if (kind == "gemm") return read_gemm(words);
    if (kind == "max_pool") return read_max_pool(words);
    if (kind == "softmax") return read_softmax(words);
    if (kind == "relu") return read_relu(words);
    return {};
}

// Packs, as an engine does once, runs, and compares.
bool try_kernel(const hone::entry& e, const layer& l, const tensors& t, const floats& expected)
{
    // What the kernel leaves to the call; nothing where it is of this shape alone.
    const auto given = hone::parameters_in_range(e.signature, l.signature.c_str());
    floats packed(e.packed_bytes_of(given.begin()) / sizeof(float)), y(expected.size());
    std::vector<std::byte> workspace(e.workspace_bytes(1));
    e.pack_for(t.weights.data(), packed.data(), given.begin()); // nothing, where there are no weights
    hone::serial_executor executor;
    const hone::status s = e.run(hone::reference_to(executor), {.x = t.x.data(),
                                                                .weights = packed.data(),
                                                                .bias = t.bias.data(),
                                                                .y = y.data(),
                                                                .workspace = workspace.data(),
                                                                .parameters = given.begin()});
    float worst = 0;
    for (std::size_t i = 0; i < y.size(); ++i)
        if (const float d = std::fabs(y[i] - expected[i]); !(d <= worst)) worst = d; // NaN stays
    std::printf("  %-8s %s, %s, largest difference %.1e\n", hone::name_of(e.set),
                given.empty() ? "of this shape" : "of any shape", s.message(), static_cast<double>(worst));
    return s.ok() && worst < 1e-4f;
}

} // namespace

int main(int argc, char** argv)
{
    std::ifstream model(argc == 2 ? argv[1] : "");
    if (!model) {
        std::printf("usage: runtime_shapes <model.txt>\n");
        return 2;
    }
    bool right = true;
    int in_library = 0, lacking = 0;
    for (std::string line; std::getline(model, line);) {
        if (line.empty() || line[0] == '#') continue;
        const std::optional<layer> l = read(line);
        if (!l) {
            std::printf("not a layer: %s\n", line.c_str());
            return 1;
        }
        const char* signature = l->signature.c_str();
        std::printf("%s\n", signature);
        const tensors t{random_floats(l->inputs), random_floats(l->weights), random_floats(l->biases)};
        floats expected;
        for (std::int64_t i = 0; i < l->outputs; ++i) expected.push_back(static_cast<float>(l->meaning(t, i)));
        // An engine takes what hone::cpu() gives; here each kernel that this processor can run has its turn.
        const hone::entry* widest = hone::find_in_range(kernels::table(), signature, hone::cpu());
        if (widest == nullptr) {
            std::printf("  not in the library\n");
            ++lacking;
            continue;
        }
        ++in_library;
        for (const hone::isa set : {hone::isa::baseline, hone::isa::avx2, hone::isa::avx512}) {
            if (!hone::runs_here(set)) continue;
            const hone::entry* e = hone::find_in_range(kernels::table(), signature, set);
            right = e != nullptr && e->set == set && try_kernel(*e, *l, t, expected) && right;
        }
    }
    std::printf("%d layers have kernels, %d have none\n", in_library, lacking);
    return right && in_library > 0 ? 0 : 1;
}
