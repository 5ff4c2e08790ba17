// SPDX-License-Identifier: BSL-1.0
// The operator that the worked examples of include/hone/lower use, and what stands in their comments: tests hold each
// example to what the printer says of it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/definition.hpp>
#include <hone/schedule/schedule.hpp>

namespace hone::test {

// y[i] = sum over t of x[i + t - 1] * w[t], for i in [0, 10) and t in [0, 3); x is 0 outside.
constexpr definition three_taps()
{
    constexpr auto line = [](const char* name, role part, std::int64_t extent) {
        tensor t{.name = name, .role = part};
        t.dims.push_back({.extent = extent});
        return t;
    };
    constexpr auto read = [](std::int8_t tensor, const dim_index& index) {
        operand o{.tensor = tensor};
        o.index.push_back(index);
        return o;
    };
    definition d;
    d.tensors.push_back(line("x", role::input, 10));
    d.tensors.push_back(line("w", role::weights, 3));
    d.tensors.push_back(line("y", role::output, 10));
    stage s{.name = "taps"};
    s.axes.push_back({"i", 10});
    s.axes.push_back({"t", 3, true});
    s.operands.push_back(read(0, along(0, 1, 1, 1, -1)));
    s.operands[0].may_leave = true;
    s.operands.push_back(read(1, along(1)));
    s.reduce = reduction::add;
    s.body = ex::load(0) * ex::load(1);
    s.output = read(2, along(0));
    d.stages.push_back(s);
    return d;
}
enum : int { axis_i, axis_t };

// The schedule of one stage with these levels.
constexpr schedule planned(const definition& d, const stage_plan& p, int vector_length = 1)
{
    schedule s;
    s.definition = d;
    s.plans.push_back(p);
    s.vector_length = static_cast<std::int16_t>(vector_length);
    return s;
}

// What stands indented in the comment at the head of include/hone/<header>, line by line.
inline std::string examples_in(const char* header)
{
    const std::filesystem::path root = std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();
    std::ifstream in{root / "include/hone" / header};
    REQUIRE(in.is_open());
    std::string all;
    for (std::string line; std::getline(in, line) && line.starts_with("//");)
        if (line.starts_with("//     ")) all += line.substr(7) + '\n';
    return all;
}

} // namespace hone::test
