// SPDX-License-Identifier: BSL-1.0
// The backends of the list are told apart by their names, and by the fields that they add to records.
#include <set>
#include <string_view>

#include <doctest/doctest.h>

#include <hone/record/record_fields.hpp>
#include <hone/tune/record_backends.hpp>

using namespace hone;

TEST_CASE("names and fields of the backends are their own")
{
    std::set<std::string_view> names, fields;
    for (const tune::fields::field& f : tune::fields::record_fields) fields.insert(f.name);
    fields.insert(tune::fields::check_name);
    for (const tune::record_backend* b : tune::all_backends::list) {
        CAPTURE(std::string(b->name()));
        CHECK(names.insert(b->name()).second);
        if (!b->code().name.empty()) CHECK(fields.insert(b->code().name).second);
        CHECK(std::string_view(b->title()) != "");
        CHECK_FALSE(b->is_set("no such"));
    }
    CHECK(names.size() == std::tuple_size_v<decltype(tune::all_backends::members)>);
}
