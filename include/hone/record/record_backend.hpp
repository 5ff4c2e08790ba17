// SPDX-License-Identifier: BSL-1.0
// What records and generated headers ask of a backend, so that neither names one. Programs that read records say which
// backends they know; all there are stand in tune/record_backends.hpp.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/ir/nest.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/process/text.hpp>
#include <hone/record/settings.hpp>
#include <hone/schedule/packed.hpp>

namespace hone::tune {

struct record;
struct standing;

// What a header ships of a kernel beside its config, where an engine cannot make it: a record holds it, so that the
// header is written from records alone. It never changes.
class kernel_code {
public:
    virtual ~kernel_code() = default;

    // As its record's field says it; read back by record_backend::code_of.
    virtual nlohmann::ordered_json to_json() const = 0;
    // An order of the codes of one backend, of those that a header tells apart.
    virtual bool precedes(const kernel_code& other) const = 0;
    // Whether it was made of this nest with these weights, as far as it tells.
    virtual bool is_of(const nest& n, const packed_tensors& packed) const = 0;

protected:
    kernel_code() = default;
    kernel_code(const kernel_code&) = default;
    kernel_code& operator=(const kernel_code&) = default;
};

// The field of a record that holds it: its name, and what it is to people. No name: the backend has none.
struct code_field {
    std::string_view name{};
    std::string_view holds{};
};

// What tells the entries of one workload in a header apart.
enum class entries_by : std::uint8_t {
    instruction_set, // a build decides; the processors that have it share an entry
    device,          // an engine decides when it runs
};

// The part of a backend in a generated header: lines of includes, what stands before the config set, and its members.
struct header_part {
    std::string includes{};
    std::string declarations{};
    std::string members{};
};

class record_backend {
public:
    virtual const char* name() const = 0;  // in records: "cpu"
    virtual const char* title() const = 0; // in sentences: "the CPU"
    virtual entries_by entries() const = 0;
    // Whether a record may name such an instruction set; "none" where a device's driver chooses.
    virtual bool is_set(std::string_view isa) const = 0;

    // Of the templates that hone has for it; what a workload's own list adds is not asked here.
    virtual bool is_shipped(std::string_view template_name) const = 0;
    // What is wrong with such a template's name and settings; nothing where they name a config.
    virtual std::optional<std::string> wrong_config(std::string_view template_name, const settings& s) const = 0;
    // Exact where they name none: others say what is wrong.
    virtual error_class class_of(std::string_view template_name, const settings& s) const = 0;

    virtual code_field code() const { return {}; }
    // Throws a sentence where it is none.
    virtual std::shared_ptr<const kernel_code> code_of(const nlohmann::ordered_json&) const { return nullptr; }

    // `chosen`: of each workload of which a kernel was chosen. Throws where a record has a knob with a value that its
    // template cannot take.
    virtual header_part header_of(const std::string& config_set, std::span<const standing> chosen) const = 0;

protected:
    constexpr record_backend() = default;
    record_backend(const record_backend&) = default;
    record_backend& operator=(const record_backend&) = default;
    ~record_backend() = default; // they live as long as the program
};

// Those that a program knows.
using backend_list = std::span<const record_backend* const>;

// All that there are, as `all_backends::list`. Functions that take a list take this one where a call names none; such a
// call compiles behind tune/record_backends.hpp only, which defines it.
struct all_backends;

// Null: it is not among them.
inline const record_backend* backend_named(std::string_view name, backend_list known)
{
    for (const record_backend* b : known)
        if (name == b->name()) return b;
    return nullptr;
}

// Of a record that says nothing yet.
class no_backend final : public record_backend {
public:
    const char* name() const override { return ""; }
    const char* title() const override { return "no backend"; }
    entries_by entries() const override { return entries_by::device; }
    bool is_set(std::string_view) const override { return false; }
    bool is_shipped(std::string_view) const override { return false; }
    std::optional<std::string> wrong_config(std::string_view, const settings&) const override
    {
        return "there is no backend";
    }
    error_class class_of(std::string_view, const settings&) const override { return error_class::exact_order; }
    header_part header_of(const std::string&, std::span<const standing>) const override { return {}; }
};
inline constexpr no_backend on_nothing{};

// The backend of a record, told from others by its name.
class backend_ref {
public:
    constexpr backend_ref() = default;
    constexpr backend_ref(const record_backend& of) : of_(&of) {}

    const record_backend* operator->() const { return of_; }
    const record_backend& operator*() const { return *of_; }
    friend bool operator==(const backend_ref& a, const backend_ref& b) { return (a <=> b) == 0; }
    friend std::strong_ordering operator<=>(const backend_ref& a, const backend_ref& b)
    {
        return std::string_view(a->name()) <=> std::string_view(b->name());
    }

private:
    const record_backend* of_ = &on_nothing;
};

// Whether a name is a template of hone's, naive and peer among them.
inline bool is_known_template(const record_backend& of, std::string_view name)
{
    return name == naive_template || name == peer_template || of.is_shipped(name);
}
// What is wrong with a template's name and settings, of hone's own; nothing where they name a config.
inline std::optional<std::string> wrong_config(const record_backend& of, std::string_view name, const settings& s)
{
    if (name != naive_template && name != peer_template) return of.wrong_config(name, s);
    if (s.empty()) return std::nullopt;
    return fmt::format("the template '{}' has no knob {}", name, excerpt(s.front().knob));
}

// What a table calls the target of a record: the instruction set, or the backend that has none.
inline std::string target_name(const record_backend& of, const std::string& isa)
{
    return of.entries() == entries_by::instruction_set ? isa : of.name();
}

} // namespace hone::tune
