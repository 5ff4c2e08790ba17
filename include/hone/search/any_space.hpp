// SPDX-License-Identifier: BSL-1.0
// A space of any backend and any templates as one type: a search talks to it by points, a tuner by configs as records
// hold them.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/ir/nest.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/feature_vector.hpp>
#include <hone/model/random.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/process/text.hpp>
#include <hone/record/settings.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/search/any_points.hpp>
#include <hone/search/space.hpp>

namespace hone::tune {

// A config without its types: a template's name, a setting for each of its knobs, and how far its kernels may stray.
struct named_config {
    std::string name{};
    settings knobs{};
    error_class errors = error_class::exact_order;
    friend bool operator==(const named_config&, const named_config&) = default;
};
inline std::string text_of(const named_config& c) { return text_of(c.name, c.knobs); }

// What each function gives, is said in space.hpp. Where a config is given, wrong_config finds nothing wrong with it.
class any_space : public any_points {
public:
    virtual const hone::definition& definition() const = 0;
    // The same templates for another definition, on the same target.
    virtual std::unique_ptr<any_space> of(const hone::definition& other) const = 0;

    virtual space_count count() const = 0;

    // What keeps a name and settings from being a config of these templates, as a sentence.
    virtual std::optional<std::string> wrong_config(std::string_view name, const settings& s) const = 0;
    // That config, with all its knobs; throws the sentence.
    virtual named_config config_of(std::string_view name, const settings& s) const = 0;
    virtual named_config config_of(const space_point& p) const = 0;
    virtual std::optional<space_point> point_of(const named_config& c) const = 0;
    virtual named_config standard() const = 0;
    virtual std::vector<named_config> others() const = 0;
    virtual std::optional<named_config> fitted(const named_config& c) const = 0;
    virtual std::optional<std::uint64_t> nest_of(const named_config& c, status& why) const = 0;
    virtual status proof_of(const named_config& c) const = 0;
    // Its nest, legal for the target or not, and the layouts of its packed weights.
    virtual nest lowered(const named_config& c) const = 0;
    virtual packed_tensors packed(const named_config& c) const = 0;
};

template <class Space>
class space_as_any final : public any_space {
public:
    explicit space_as_any(Space space) : space_(std::move(space)) {}

    const hone::definition& definition() const override { return space_.definition(); }
    std::unique_ptr<any_space> of(const hone::definition& other) const override
    {
        return std::make_unique<space_as_any>(space_.of(other));
    }

    std::uint64_t size() const override { return space_.size(); }
    space_point at(std::uint64_t index) const override { return space_.at(index); }
    space_point random(xoshiro256& bits) const override { return space_.random(bits); }
    space_point neighbour(const space_point& p, xoshiro256& bits) const override { return space_.neighbour(p, bits); }
    std::uint64_t key(const space_point& p) const override
    {
        return space_.holds(p) ? space_.key(p) : std::numeric_limits<std::uint64_t>::max();
    }
    space_knob_values knob_values(const space_point& p) const override { return space_.knob_values(p); }
    std::optional<std::uint64_t> features(const space_point& p, feature_vector& out) const override
    {
        if (!space_.holds(p)) return std::nullopt;
        return space_.features(p, out);
    }
    space_count count() const override { return space_.count(); }

    std::optional<std::string> wrong_config(std::string_view name, const settings& s) const override
    {
        config ignored{};
        return read(ignored, name, s);
    }
    named_config config_of(std::string_view name, const settings& s) const override { return named(typed(name, s)); }
    named_config config_of(const space_point& p) const override { return named(space_.config_of(p)); }
    std::optional<space_point> point_of(const named_config& c) const override { return space_.point_of(typed(c)); }
    named_config standard() const override { return named(space_.standard()); }
    std::vector<named_config> others() const override
    {
        std::vector<named_config> all;
        for (const config& c : space_.others()) all.push_back(named(c));
        return all;
    }
    std::optional<named_config> fitted(const named_config& c) const override
    {
        const auto here = space_.fitted(typed(c));
        if (!here) return std::nullopt;
        return named(*here);
    }
    std::optional<std::uint64_t> nest_of(const named_config& c, status& why) const override
    {
        return space_.nest_of(typed(c), why);
    }
    status proof_of(const named_config& c) const override { return space_.proof_of(typed(c)); }
    nest lowered(const named_config& c) const override { return space_.lowered(typed(c)); }
    packed_tensors packed(const named_config& c) const override { return space_.packed(typed(c)); }

private:
    using config = typename Space::config;

    std::optional<std::string> read(config& to, std::string_view name, const settings& s) const
    {
        std::optional<std::string> wrong;
        bool is_known = false;
        std::string names;
        space_.list().each([&](std::size_t, const auto& algorithm) {
            names += fmt::format("{}{}", names.empty() ? "" : ", ", algorithm.name);
            if (is_known || name != algorithm.name) return;
            is_known = true;
            auto knobs = algorithm.defaults();
            wrong = apply(knobs, s);
            to = algorithm.config_of(knobs);
        });
        if (!is_known) return fmt::format("there is no template {} among those of its list, {}", excerpt(name), names);
        return wrong;
    }
    config typed(std::string_view name, const settings& s) const
    {
        config c{};
        if (const auto wrong = read(c, name, s)) throw std::invalid_argument("hone::tune: " + *wrong);
        return c;
    }
    config typed(const named_config& c) const { return typed(c.name, c.knobs); }
    named_config named(const config& c) const
    {
        named_config r;
        space_.list().each([&](std::size_t, const auto& algorithm) {
            if (const auto* const knobs = algorithm.knobs_in(c)) r = {algorithm.name, settings_of(*knobs), class_of(c)};
        });
        return r;
    }

    Space space_;
};

template <class Space>
std::shared_ptr<const any_space> any_space_of(Space space)
{
    return std::make_shared<const space_as_any<Space>>(std::move(space));
}

} // namespace hone::tune
