// SPDX-License-Identifier: BSL-1.0
// The part of a backend that its family of templates says: which templates and knobs records of it may name. A backend
// derives from it and adds its targets and entries.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <hone/op/accuracy.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/settings.hpp>
#include <hone/schedule/schedule_template.hpp>

namespace hone::tune {

// Family: see schedule/template_families.hpp.
template <class Family>
class family_backend : public record_backend {
public:
    using family = Family;

    const char* name() const final { return Family::backend; }
    bool is_shipped(std::string_view template_name) const final { return ships<Family>(template_name); }
    std::optional<std::string> wrong_config(std::string_view template_name, const settings& s) const final
    {
        config_in<typename Family::shipped> ignored;
        return read_config<Family>(ignored, template_name, s);
    }
    error_class class_of(std::string_view template_name, const settings& s) const final
    {
        config_in<typename Family::shipped> c;
        return read_config<Family>(c, template_name, s) ? error_class::exact_order : schedules::class_of(c);
    }

protected:
    // The config of a record for an entry, with all knobs that its template has today; of a template that is none of
    // hone's, as it stands. Throws where it has a knob with a value that its template cannot take.
    static std::string config_text(const record& r)
    {
        return r.errors ? text_of(r.template_name, r.knobs) : text_of(config_of<Family>(r.template_name, r.knobs));
    }
};

} // namespace hone::tune
