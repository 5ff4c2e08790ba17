// SPDX-License-Identifier: BSL-1.0
// The entry for a shape whose extents are known at the call, in a table of kernels for ranges of them: the one of the
// smallest range that holds it. An engine lists a workload for each range, with what is typical there:
//
//     gemm_shape{.m = extent::up_to(64).typically(16), .n = 1000, .k = 512}
//     gemm_shape{.m = extent::up_to(4096).typically(1024), .n = 1000, .k = 512}
//     find_in_range(my_kernels::table(), signature_of(gemm_shape{.m = m, .n = 1000, .k = 512}, ...).c_str(), cpu())
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/core/inline_vector.hpp>
#include <hone/core/target.hpp>
#include <hone/cpu/entry.hpp>
#include <hone/op/pool.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

namespace ranges {

constexpr bool ends_word(char c) { return c == ' ' || c == '\0'; }
// The number that ends a word; -1 where it does not end in one.
constexpr std::int64_t take_number(const char*& text)
{
    std::int64_t value = ends_word(*text) ? -1 : 0;
    for (; !ends_word(*text); ++text) {
        if (*text < '0' || *text > '9' || value > most_elements) return -1;
        value = 10 * value + (*text - '0');
    }
    return value;
}
// That of the word that is a name and a number; -1: there is none.
constexpr std::int64_t number_of(const char* text, const char* name)
{
    while (*text != '\0') {
        const char* of = name;
        while (!ends_word(*of) && *text == *of) ++text, ++of;
        if (ends_word(*of)) return take_number(text);
        while (!ends_word(*text)) ++text;
        if (*text != '\0') ++text;
    }
    return -1;
}

constexpr bool begins_with(const char* text, const char* word)
{
    while (*word != '\0' && *text == *word) ++text, ++word;
    return *word == '\0';
}
// Of a window that the call gives, the words "s p d", or "s p d1" where it is not dilated: a shape has one for all
// directions and sides, "p1", or one for each. Where a pool has its last windows cut, "cut", the call has them whole,
// over more padding behind. Of a transposed convolution, "o<=4096" in the place of "op1", the call has the outputs that
// the padding behind and the output padding leave. Leaves both texts behind them. `whole`: all of the shape.
template <class Open>
constexpr bool holds_window(const char*& signature, const char*& shape, const char* whole, Open&& open)
{
    const bool is_dense = begins_with(signature, "s p d1 ");
    signature += is_dense ? 7 : 6;
    struct numbers {
        const char* name;
        const char* each[4];
        std::int64_t least, most;
    };
    const numbers words[] = {{"s", {"sh", "sw"}, 1, operators::most_stride},
                             {"p", {"pt", "pl", "pb", "pr"}, 0, operators::most_padding},
                             {"d", {"dh", "dw"}, 1, is_dense ? 1 : operators::most_dilation}};
    const auto take = [&](const char* name) {
        const char* p = shape;
        while (*name != '\0' && *p == *name) ++p, ++name;
        if (*name != '\0' || *p < '0' || *p > '9') return std::int64_t{-1};
        const std::int64_t number = take_number(p);
        shape = *p == ' ' ? p + 1 : p;
        return number;
    };
    inline_vector<std::int64_t, 8> given, most;
    for (const numbers& w : words) {
        const std::int64_t all = take(w.name);
        for (const char* name : w.each) {
            if (name == nullptr) continue;
            const std::int64_t number = all >= 0 ? all : take(name);
            if (number < w.least || number > w.most) return false;
            given.push_back(number);
            most.push_back(w.most);
        }
    }
    if (begins_with(shape, "cut ")) {
        if (begins_with(signature, "padding ")) return false; // what lies beyond the padding is none
        shape += 4;
        for (const int across : {0, 1}) {
            const std::int64_t image = number_of(whole, across ? "w" : "h"),
                               taps = number_of(whole, across ? "kw" : "kh");
            if (image < 0 || taps < 0) return false;
            std::int64_t& behind = given[4 + across];
            const operators::pools::direction cut{
                image, taps, given[across], given[6 + across], given[2 + across], behind, operators::last_window::cut};
            if (cut.reached() - image > behind) behind = cut.reached() - image;
            if (behind > most[4 + across]) return false;
        }
    }
    if (begins_with(signature, "o<=")) { // a transposed convolution: rows and columns of y, behind what is given of x
        signature += 3;
        const std::int64_t most_outputs = take_number(signature), more = take("op");
        if (*signature == ' ') ++signature;
        given.resize(6);
        for (const int across : {0, 1}) {
            const std::int64_t image = number_of(whole, across ? "w" : "h"),
                               taps = number_of(whole, across ? "kw" : "kh"),
                               added = more >= 0 ? more : take(across ? "opw" : "oph");
            if (image < 0 || taps < 0 || added < 0) return false;
            const std::int64_t outputs =
                (image - 1) * given[across] + taps + added - given[2 + across] - given[4 + across];
            if (outputs < 1 || outputs > most_outputs || added >= given[across]) return false;
            given[4 + across] = outputs;
            most[4 + across] = most_outputs;
        }
    }
    for (std::size_t i = 0; i < given.size(); ++i) open(given[i], most[i]);
    return true;
}

// Whether a kernel of this signature is for a shape, of which open(given, most) is told what it leaves to the call, in
// order. Extents are compared, "m<=64" with "m37", and one that is another, "oc=ic", with that of the shape; distances
// that a call gives, "ldx", are any, and have to be named: of dense matrices of a batch, signatures say nothing. A
// range is held by itself alone: of one that leaves open a part of what the kernel does, a call has too few parameters.
template <class Open>
constexpr bool holds(const char* signature, const char* shape, Open&& open)
{
    if (operators::same_text(signature, shape)) return true;
    const char* const whole = shape;
    const char* word = signature;
    while (*signature != '\0' || *shape != '\0') {
        if (signature == word && (begins_with(signature, "s p d ") || begins_with(signature, "s p d1 "))) {
            if (!holds_window(signature, shape, whole, open)) return false;
            word = signature;
            continue;
        }
        const bool is_distance = ends_word(*signature) && signature - word == 3 &&
                                 ((word[0] == 'l' && word[1] == 'd') || (word[0] == 'b' && word[1] == 's'));
        const bool is_most = begins_with(signature, "<=");
        if ((is_distance && ends_word(*shape)) || (is_most && *shape == '<')) return false;
        if (*signature == *shape) {
            if (*signature == ' ') word = signature + 1;
            ++signature, ++shape;
            continue;
        }
        std::int64_t most = std::int64_t{1} << 31;
        if (is_most) {
            signature += 2;
            most = take_number(signature);
        } else if (signature[0] == '=') {
            const std::int64_t other = number_of(whole, ++signature);
            if (other < 0 || take_number(shape) != other) return false;
            while (!ends_word(*signature)) ++signature;
            continue;
        } else if (!is_distance) {
            return false;
        }
        const std::int64_t given = take_number(shape);
        if (given < 0 || given > most) return false;
        open(given, most);
        word = signature; // its name is read
    }
    return true;
}

} // namespace ranges

// For how many shapes a kernel of this signature is, of which `shape` is one: 1 where they are the same, 0 where it is
// none of them.
constexpr double shapes_of(const char* signature, const char* shape)
{
    double shapes = 1;
    const bool holds =
        ranges::holds(signature, shape, [&](std::int64_t, std::int64_t most) { shapes *= static_cast<double>(most); });
    return holds ? shapes : 0;
}

// What a call of such a kernel gives for that shape, in its order; nothing where it is for none of it, or leaves
// nothing open.
constexpr inline_vector<std::int64_t, 24> parameters_in_range(const char* signature, const char* shape)
{
    inline_vector<std::int64_t, 24> given;
    const bool holds =
        ranges::holds(signature, shape, [&](std::int64_t value, std::int64_t) { given.push_back(value); });
    if (!holds) given.clear();
    return given;
}

// The entry whose range holds a shape and has the fewest others, exact ones first; among those of one range as find()
// chooses. Null where none holds it. A call gives what the entry's signature leaves open.
inline const entry* find_in_range(const entry_table& table, const char* shape, cpu_features processor, int threads = 1)
{
    const entry* best = nullptr;
    double fewest = 0;
    for (std::size_t l = 0; l < table.count; ++l)
        for (std::size_t i = 0; i < table.lists[l].count; ++i) {
            const entry& e = table.lists[l].first[i];
            const double shapes = processor.has(row_of(e.set).features) ? shapes_of(e.signature, shape) : 0;
            if (shapes == 0 || (best != nullptr && shapes >= fewest)) continue;
            best = &e;
            fewest = shapes;
        }
    return best == nullptr ? nullptr : find(table, best->signature, processor, threads);
}
inline const entry* find_in_range(const entry_table& table, const char* shape, isa processor, int threads = 1)
{
    return processor == isa::none ? nullptr : find_in_range(table, shape, row_of(processor).features, threads);
}

} // namespace hone::calls

namespace hone { // API
using calls::find_in_range, calls::parameters_in_range, calls::shapes_of;
} // namespace hone
