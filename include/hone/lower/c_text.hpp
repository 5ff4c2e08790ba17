// SPDX-License-Identifier: BSL-1.0
// Text of a language of C's family under construction: nested scopes, each with its declarations before its statements,
// so that a printer can place an index computation in the outermost scope where it is constant. Also safe names.
#pragma once

#include <cctype>
#include <concepts>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

inline void append_to(std::string& to, std::string_view part) { to += part; }
inline void append_to(std::string& to, char part) { to += part; }
inline void append_to(std::string& to, std::integral auto part) { to += std::to_string(part); }

// The parts one after another; integers in decimal.
template <class... Parts>
std::string joined(const Parts&... parts)
{
    std::string to;
    (append_to(to, parts), ...);
    return to;
}

// The name with everything replaced that an identifier may not hold, or that begins as the language's own do.
inline std::string c_identifier(std::string_view name, std::string_view reserved)
{
    std::string to;
    for (char c : name) {
        const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0;
        // Two underscores in a row are reserved.
        if (fits || (!to.empty() && to.back() != '_')) to += fits ? c : '_';
    }
    while (!to.empty() && to.back() == '_') to.pop_back();
    if (to.empty() || (to[0] >= '0' && to[0] <= '9') || to.starts_with(reserved)) to.insert(0, "v");
    return to;
}

// Scopes of text from the outermost, which is the body of main.
class c_text {
public:
    c_text() { scopes_.push_back({}); }

    // The scope that statements go to now.
    int depth() const { return static_cast<int>(scopes_.size()) - 1; }

    void line(std::string_view text) { add_line(scopes_.back().body, depth(), text); }

    // Opens "header {".
    void open(std::string_view header)
    {
        const int outer = depth();
        scopes_.push_back({});
        add_line(scopes_.back().header, outer, header.empty() ? "{" : joined(header, " {"));
    }
    void close()
    {
        scope closed = std::move(scopes_.back());
        scopes_.pop_back();
        // A block without statements has no effect: declarations alone are dropped.
        if (closed.body.empty()) return;
        std::string& to = scopes_.back().body;
        to += closed.header;
        to += closed.registers;
        to += closed.declarations;
        to += closed.body;
        add_line(to, depth(), "}");
    }

    // Whether no statement was written into the current scope yet.
    bool at_start() const { return scopes_.back().body.empty(); }

    // Declares an int before all statements of the current scope.
    void declare_int(const std::string& name, std::string_view value)
    {
        scopes_.back().names.insert(name);
        add_line(scopes_.back().declarations, depth(), joined("int ", name, " = ", value, ';'));
    }
    bool is_declared(const std::string& name) const { return scopes_.back().names.contains(name); }
    void declare_register(int depth, std::string_view text) { add_line(scopes_[at(depth)].registers, depth, text); }

    // The name of a value declared once in a scope; the name begins with `letter` and is new.
    std::string hoisted(int depth, std::string_view type, char letter, const std::string& value)
    {
        auto [known, is_new] = scopes_[at(depth)].hoisted.try_emplace(value);
        if (is_new) {
            known->second = fresh(letter);
            add_line(scopes_[at(depth)].declarations, depth, joined(type, ' ', known->second, " = ", value, ';'));
        }
        return known->second;
    }

    // The name of a value read from memory, declared where it is first needed. Values of buffers that are `stable`
    // (never written) are found from inner scopes too; the others only in their own, before the next write: what is
    // read again in a loop or a branch may have changed.
    std::string loaded(int buffer, bool stable, std::string_view type, const std::string& value)
    {
        for (int i = depth(); i >= 0; --i) {
            if (!stable && i != depth()) break;
            const auto known = scopes_[at(i)].loads.find(value);
            if (known != scopes_[at(i)].loads.end()) return known->second.name;
        }
        const std::string name = fresh('t');
        line(joined(type, ' ', name, " = ", value, ';'));
        scopes_.back().loads[value] = {name, buffer};
        return name;
    }
    void forget_loads(int buffer)
    {
        for (scope& s : scopes_)
            std::erase_if(s.loads, [&](const auto& known) { return known.second.buffer == buffer; });
    }

    std::string fresh(char letter) { return joined(letter, counter_++); }

    // The statements of main, when all scopes but the first are closed.
    std::string main_body() const { return scopes_[0].registers + scopes_[0].declarations + scopes_[0].body; }

private:
    struct load {
        std::string name;
        int buffer = -1;
    };
    struct scope {
        std::string header, registers, declarations, body;
        std::set<std::string> names;                // declared by declare_int
        std::map<std::string, std::string> hoisted; // value -> name
        std::map<std::string, load> loads;          // value -> name
    };

    static std::size_t at(int depth) { return static_cast<std::size_t>(depth); }
    static void add_line(std::string& to, int depth, std::string_view text)
    {
        to.append(static_cast<std::size_t>(depth + 1) * 4, ' ');
        to += text;
        to += '\n';
    }

    std::vector<scope> scopes_;
    int counter_ = 0;
};

} // namespace hone::codegen
