// SPDX-License-Identifier: BSL-1.0
// Names of types, as messages and generated code have them.
#include <hone/core/type_name.hpp>

#include <doctest/doctest.h>

namespace named {

struct first {};
template <class T>
struct wrapped {};

} // namespace named

TEST_CASE("a type has the name that the compiler writes, from any namespace, and nothing of what stands around it")
{
    CHECK(hone::core::type_name<int>() == "int");
    CHECK(hone::core::type_name<named::first>() == "named::first");
    CHECK(hone::core::type_name<named::wrapped<named::first>>() == "named::wrapped<named::first>");
}
