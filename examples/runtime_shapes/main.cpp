// SPDX-License-Identifier: BSL-1.0
// Loads a list of layers, finds the kernel of each by its signature and by what this processor has, packs the weights
// once, runs, and checks the results against plain loops. A layer that nobody has listed takes the kernel of its kind,
// whose call gives the shape; a layer of another kind takes the plain loops.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <hone/core/executor.hpp>
#include <hone/cpu/entry.hpp>
#include <hone/cpu/find_in_range.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
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

// A layer of the model: its shape, of either kind, and the names of its epilogue. Only this is known of it.
struct layer {
    bool is_conv2d = false;
    hone::conv2d_shape conv2d{};
    hone::gemm_shape gemm{};
    bool has_bias = false, has_relu = false;

    hone::signature_text signature() const
    {
        const auto of = [&](const auto& shape) {
            if (has_bias && has_relu) return hone::signature_of(shape, hone::dtype::f32, {"bias", "relu"});
            if (has_bias) return hone::signature_of(shape, hone::dtype::f32, {"bias"});
            if (has_relu) return hone::signature_of(shape, hone::dtype::f32, {"relu"});
            return hone::signature_of(shape, hone::dtype::f32);
        };
        return is_conv2d ? of(conv2d) : of(gemm);
    }
    std::int64_t channels() const { return is_conv2d ? conv2d.oc.value : gemm.n.value; }
    std::int64_t inputs() const { return is_conv2d ? conv2d.h * conv2d.w * conv2d.ic : gemm.m.value * gemm.k.value; }
    std::int64_t weights() const
    {
        return is_conv2d ? conv2d.oc * conv2d.kh * conv2d.kw * conv2d.ic : gemm.k.value * gemm.n.value;
    }
    std::int64_t outputs() const
    {
        return is_conv2d ? conv2d.oh() * conv2d.ow() * conv2d.oc : gemm.m.value * gemm.n.value;
    }
};

// The layer that a line describes; false where it describes none.
bool read(const std::string& line, layer& l)
{
    std::istringstream words(line);
    std::string kind, epilogue;
    words >> kind;
    l.is_conv2d = kind == "conv2d";
    if (l.is_conv2d) {
        hone::conv2d_shape& s = l.conv2d;
        words >> s.h.value >> s.w.value >> s.ic.value >> s.oc.value >> s.kh >> s.stride >> s.pad;
        s.kw = s.kh;
        if (!words || !s.check().ok()) return false;
    } else {
        words >> l.gemm.m.value >> l.gemm.n.value >> l.gemm.k.value;
        if (!words || kind != "gemm" || l.gemm.m.value < 1 || l.gemm.n.value < 1 || l.gemm.k.value < 1) return false;
    }
    while (words >> epilogue) {
        if (epilogue != "bias" && epilogue != "relu") return false;
        (epilogue == "bias" ? l.has_bias : l.has_relu) = true;
    }
    return true;
}

// What a model's author means by the layer.
floats plain_loops(const layer& l, const floats& x, const floats& weights, const floats& bias)
{
    floats y(static_cast<std::size_t>(l.outputs()));
    const std::int64_t channels = l.channels();
    for (std::int64_t i = 0; i < l.outputs(); ++i) {
        const std::int64_t channel = i % channels, at = i / channels;
        double sum = l.has_bias ? static_cast<double>(bias[static_cast<std::size_t>(channel)]) : 0;
        const auto add = [&](std::int64_t of_x, std::int64_t of_weights) {
            sum += static_cast<double>(x[static_cast<std::size_t>(of_x)]) *
                   static_cast<double>(weights[static_cast<std::size_t>(of_weights)]);
        };
        if (l.is_conv2d) {
            const hone::conv2d_shape& s = l.conv2d;
            for (std::int64_t kh = 0; kh < s.kh; ++kh)
                for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                    const std::int64_t h = at / s.ow() * s.stride + kh - s.pad, w = at % s.ow() * s.stride + kw - s.pad;
                    if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                    for (std::int64_t c = 0; c < s.ic; ++c)
                        add((h * s.w + w) * s.ic + c, ((channel * s.kh + kh) * s.kw + kw) * s.ic + c);
                }
        } else {
            for (std::int64_t k = 0; k < l.gemm.k.value; ++k)
                add(at * l.gemm.k.value + k, k * l.gemm.n.value + channel);
        }
        y[static_cast<std::size_t>(i)] = static_cast<float>(l.has_relu ? std::fmax(sum, 0.0) : sum);
    }
    return y;
}

// Packs, as an engine does once, runs, and compares.
bool try_kernel(const hone::entry& e, const hone::signature_text& shape, const floats& x, const floats& weights,
                const floats& bias, const floats& expected)
{
    // What the kernel leaves to the call; nothing where it is of this shape alone.
    const auto given = hone::parameters_in_range(e.signature, shape.c_str());
    floats packed(e.packed_bytes_of(given.begin()) / sizeof(float)), y(expected.size());
    std::vector<std::byte> workspace(e.workspace_bytes(1));
    e.pack_for(weights.data(), packed.data(), given.begin());
    hone::serial_executor executor;
    const hone::status s = e.run(hone::reference_to(executor), {.x = x.data(),
                                                                .weights = packed.data(),
                                                                .bias = bias.data(),
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
        layer l;
        if (!read(line, l)) {
            std::printf("not a layer: %s\n", line.c_str());
            return 1;
        }
        const hone::signature_text signature = l.signature();
        std::printf("%s\n", signature.c_str());
        const floats x = random_floats(l.inputs()), weights = random_floats(l.weights()),
                     bias = random_floats(l.channels());
        const floats expected = plain_loops(l, x, weights, bias);
        // An engine takes what hone::cpu() gives; here each kernel that this processor can run has its turn.
        const hone::entry* widest = hone::find_in_range(kernels::table(), signature.c_str(), hone::cpu());
        if (widest == nullptr) {
            std::printf("  not in the library: plain loops\n");
            ++lacking;
            continue;
        }
        ++in_library;
        for (const hone::isa set : {hone::isa::baseline, hone::isa::avx2, hone::isa::avx512}) {
            if (!hone::runs_here(set)) continue;
            const hone::entry* e = hone::find_in_range(kernels::table(), signature.c_str(), set);
            right = e != nullptr && e->set == set && try_kernel(*e, signature, x, weights, bias, expected) && right;
        }
    }
    std::printf("%d layers have kernels, %d have none\n", in_library, lacking);
    return right && in_library > 0 ? 0 : 1;
}
