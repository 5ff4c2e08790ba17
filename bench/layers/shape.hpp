// SPDX-License-Identifier: BSL-1.0
// A workload as people write it, on the command line or on a line of shapes.txt, and as C++ writes it.
//
//     conv2d 56x56x64 -> 128 3x3 /2 pad 1 groups 4 bias relu      h x w x ic -> oc kh x kw
//     depthwise 112x112x32 3x3 pad 1                              groups and oc are ic, if nothing is said of oc
//     gemm 512x1000x256 batch 2 xt bias                           m x n x k
//
// Behind these, in any order: /2 or /2x1 (stride down, across), pad 1 or 1x2 or top,left,bottom,right, dilation 2 or
// 2x1, groups 4, batch 4, nhwc or nchw, bias, relu; of a product batch, xt and wt (stored transposed), bias, relu.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

namespace bench::layers {

struct shape {
    std::string name{}, group{};
    std::string text{}; // as it was written
    std::variant<hone::conv2d_shape, hone::gemm_shape> of{};
    bool bias = false, relu = false;

    const hone::conv2d_shape* conv2d() const { return std::get_if<hone::conv2d_shape>(&of); }
    const hone::gemm_shape* gemm() const { return std::get_if<hone::gemm_shape>(&of); }
    std::string signature() const
    {
        std::vector<const char*> words;
        if (bias) words.push_back("bias");
        if (relu) words.push_back("relu");
        const hone::operand_types type = hone::core::types_of<hone::f32>();
        return std::visit([&](const auto& s) -> std::string { return signature_of(s, type, words).c_str(); }, of);
    }
};

namespace parsing {

class reader {
public:
    explicit reader(const std::string& text) : text_(text)
    {
        std::istringstream stream(text);
        for (std::string word; stream >> word;) words_.push_back(word);
    }
    bool ends() const { return at_ == words_.size(); }
    // The next word; an empty one behind the last.
    const std::string& peek() const
    {
        static const std::string none;
        return ends() ? none : words_[at_];
    }
    std::string next() { return ends() ? std::string() : words_[at_++]; }
    bool takes(std::string_view word)
    {
        if (peek() != word || ends()) return false;
        ++at_;
        return true;
    }
    [[noreturn]] void fail(const std::string& found, const std::string& mend) const
    {
        throw std::invalid_argument(
            fmt::format("'{}' in the shape '{}': {}", found.empty() ? "the end" : found, text_, mend));
    }
    // Numbers with this between them, `least` to `most` of them; each at least `smallest`.
    std::vector<std::int64_t> numbers(const std::string& word, char between, std::size_t least, std::size_t most,
                                      std::int64_t smallest, const std::string& mend) const
    {
        std::vector<std::int64_t> all;
        const char* at = word.data();
        const char* const last = at + word.size();
        while (true) {
            std::int64_t value = 0;
            const auto [end, error] = std::from_chars(at, last, value);
            if (error != std::errc{} || value < smallest) fail(word, mend);
            all.push_back(value);
            if (end == last) break;
            if (*end != between) fail(word, mend);
            at = end + 1;
        }
        if (all.size() < least || all.size() > most) fail(word, mend);
        return all;
    }
    std::int64_t number(const std::string& mend)
    {
        const std::string word = next();
        return numbers(word, 'x', 1, 1, 1, mend)[0];
    }

private:
    std::string text_;
    std::vector<std::string> words_{};
    std::size_t at_ = 0;
};

// Both directions, of "2" or "2x1".
inline std::pair<std::int64_t, std::int64_t> both(const std::vector<std::int64_t>& n) { return {n.front(), n.back()}; }

inline void read_pad(reader& in, hone::conv2d_shape& s)
{
    const std::string mend = "write 'pad 1', 'pad 1x2' (down, across) or 'pad 0,0,1,1' (top, left, bottom, right)";
    const std::string word = in.next();
    if (word.find(',') == std::string::npos) {
        std::tie(s.pad_h, s.pad_w) = both(in.numbers(word, 'x', 1, 2, 0, mend));
        return;
    }
    const auto sides = in.numbers(word, ',', 4, 4, 0, mend);
    s.pad_top = sides[0];
    s.pad_left = sides[1];
    s.pad_bottom = sides[2];
    s.pad_right = sides[3];
}

enum class kind : std::uint8_t { dense, depthwise };

inline void read_conv2d(reader& in, shape& to, kind which)
{
    hone::conv2d_shape s;
    const auto image = in.numbers(in.next(), 'x', 3, 3, 1, "write the image as height x width x channels: 56x56x64");
    s.h = image[0];
    s.w = image[1];
    s.ic = image[2];
    s.oc = s.ic;
    if (which == kind::depthwise) s.groups = s.ic;
    if (in.takes("->"))
        s.oc = in.number("write the number of output channels behind '->': -> 128");
    else if (which == kind::dense)
        in.fail(in.peek(), "write '->' and the number of output channels behind the image: 56x56x64 -> 128");
    std::tie(s.kh, s.kw) =
        both(in.numbers(in.next(), 'x', 2, 2, 1, "write the window as height x width behind the channels: 3x3"));
    while (!in.ends()) {
        const std::string word = in.next();
        if (word[0] == '/') {
            std::tie(s.stride_h, s.stride_w) =
                both(in.numbers(word.substr(1), 'x', 1, 2, 1, "write the stride as '/2' or '/2x1' (down, across)"));
        } else if (word == "pad") {
            read_pad(in, s);
        } else if (word == "dilation") {
            std::tie(s.dilation_h, s.dilation_w) =
                both(in.numbers(in.next(), 'x', 1, 2, 1, "write 'dilation 2' or 'dilation 2x1' (down, across)"));
        } else if (word == "groups") {
            if (which == kind::depthwise) in.fail(word, "depthwise has as many groups as channels; leave it out");
            s.groups = in.number("write the number of groups: groups 4");
        } else if (word == "batch") {
            s.n = in.number("write the number of images: batch 4");
        } else if (word == "nchw" || word == "nhwc") {
            s.layout = word == "nchw" ? hone::layout::nchw : hone::layout::nhwc;
        } else if (word == "bias") {
            to.bias = true;
        } else if (word == "relu") {
            to.relu = true;
        } else {
            in.fail(word, "a convolution takes /STRIDE, pad, dilation, groups, batch, nhwc, nchw, bias, relu");
        }
    }
    if (const hone::status wrong = s.check(); !wrong.ok())
        in.fail(to.text, fmt::format("{} [{}]", wrong.message(), wrong.subject));
    to.of = s;
}

inline void read_gemm(reader& in, shape& to)
{
    hone::gemm_shape s;
    const auto extents = in.numbers(in.next(), 'x', 3, 3, 1, "write a product as m x n x k: gemm 512x1000x256");
    s.m = extents[0];
    s.n = extents[1];
    s.k = extents[2];
    while (!in.ends()) {
        const std::string word = in.next();
        if (word == "batch")
            s.batch = in.number("write the number of products: batch 12");
        else if (word == "xt")
            s.x = hone::transposed::yes;
        else if (word == "wt")
            s.weights = hone::transposed::yes;
        else if (word == "bias")
            to.bias = true;
        else if (word == "relu")
            to.relu = true;
        else
            in.fail(word, "a product takes batch, xt, wt, bias, relu");
    }
    for (const std::int64_t elements :
         {hone::core::saturated_product(s.batch, s.m.value, s.k), hone::core::saturated_product(s.batch, s.k, s.n),
          hone::core::saturated_product(s.batch, s.m.value, s.n)})
        if (elements > hone::operators::most_elements)
            in.fail(to.text,
                    hone::status{hone::fault::extent_too_large, hone::operators::most_elements, elements, "gemm"}
                        .message());
    to.of = s;
}

} // namespace parsing

// Throws a sentence that names the word and the mend.
inline shape parse_shape(const std::string& text)
{
    parsing::reader in(text);
    shape s;
    const std::string op = in.next();
    s.text = s.name = text;
    if (op == "conv2d")
        parsing::read_conv2d(in, s, parsing::kind::dense);
    else if (op == "depthwise")
        parsing::read_conv2d(in, s, parsing::kind::depthwise);
    else if (op == "gemm")
        parsing::read_gemm(in, s);
    else
        in.fail(op, "a shape begins with conv2d, depthwise or gemm: conv2d 56x56x64 -> 128 3x3 pad 1");
    return s;
}

// A line is "group name: shape"; blank ones, and what stands behind '#', are passed over. Throws with the line.
inline std::vector<shape> parse_shapes(const std::string& lines, const std::string& file)
{
    std::vector<shape> all;
    std::istringstream stream(lines);
    int number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        line = line.substr(0, line.find('#'));
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        const auto fail = [&](const std::string& why) {
            throw std::invalid_argument(fmt::format("{}:{}: {}", file, number, why));
        };
        const auto colon = line.find(':');
        std::istringstream head(line.substr(0, colon));
        std::string group, name, more;
        if (colon == std::string::npos || !(head >> group >> name) || head >> more)
            fail("write 'group name: shape', as in 'resnet50 R3: conv2d 56x56x64 -> 64 3x3 pad 1'");
        std::string text = line.substr(colon + 1);
        text.erase(0, text.find_first_not_of(" \t"));
        text.erase(text.find_last_not_of(" \t\r") + 1);
        try {
            shape s = parse_shape(text);
            s.group = group;
            s.name = name;
            if (std::any_of(all.begin(), all.end(), [&](const shape& other) { return other.name == name; }))
                fail(fmt::format("there is another shape '{}'; choose another name", name));
            all.push_back(std::move(s));
        } catch (const std::invalid_argument& e) {
            const std::string why = e.what();
            if (why.starts_with(file)) throw;
            fail(why);
        }
    }
    return all;
}

// The workload as a struct `op`, of generated code.
inline std::string cpp_of(const shape& s)
{
    const std::string words = fmt::format("hone::f32{}{}", s.bias ? ", hone::bias" : "", s.relu ? ", hone::relu" : "");
    if (const auto* const g = s.gemm())
        return fmt::format("struct op : hone::gemm<hone::gemm_shape{{.batch = {}, .m = {}, .n = {}, .k = {}, .x = "
                           "hone::transposed::{}, .weights = hone::transposed::{}}}, {}> {{}};\n",
                           g->batch, g->m.value, g->n.value, g->k.value, g->x == hone::transposed::yes ? "yes" : "no",
                           g->weights == hone::transposed::yes ? "yes" : "no", words);
    const hone::conv2d_shape& c = *s.conv2d();
    const hone::operators::image_window v = c.window();
    return fmt::format("struct op : hone::conv2d<hone::conv2d_shape{{.n = {}, .h = {}, .w = {}, .ic = {}, .oc = {}, "
                       ".kh = {}, .kw = {}, .stride_h = {}, .stride_w = {}, .pad_top = {}, .pad_left = {}, "
                       ".pad_bottom = {}, .pad_right = {}, .dilation_h = {}, .dilation_w = {}, .groups = {}, "
                       ".layout = hone::layout::{}}}, {}> {{}};\n",
                       c.n.value, c.h.value, c.w.value, c.ic.value, c.oc.value, c.kh, c.kw, v.stride_h, v.stride_w,
                       v.pad_top, v.pad_left, v.pad_bottom, v.pad_right, v.dilation_h, v.dilation_w, c.groups.value,
                       name_of(c.layout), words);
}

} // namespace bench::layers
