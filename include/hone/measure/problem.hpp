// SPDX-License-Identifier: BSL-1.0
// Operands of an operator and their exact results, by which every candidate is judged, each result by its own bound.
// Three draws: one of both signs; one whose results stay clear of the clamps of relu and relu6, which hide errors; and
// one with infinities, NaN, zeros of both signs, denormals and values of 1e30.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/measure/call_values.hpp>
#include <hone/measure/error_bound.hpp>
#include <hone/measure/exact_operator.hpp>
#include <hone/measure/exact_stage.hpp>
#include <hone/op/definition.hpp>
#include <hone/run/call.hpp>

namespace hone::tune {

// What stands in y before a call: a NaN that no arithmetic gives, so that a result that is NaN differs from it.
inline constexpr std::uint32_t poison_bits = 0x7fe5a5a5;
inline float poison()
{
    float f;
    std::memcpy(&f, &poison_bits, sizeof f);
    return f;
}
inline bool is_poison(const float& f)
{
    std::uint32_t bits;
    std::memcpy(&bits, &f, sizeof bits);
    return bits == poison_bits;
}

struct problem_operand {
    int position = 0; // among the tensors that a call gives
    hone::role role = hone::role::none;
    call_part part{};
    std::vector<float> values{};
};

// Results of one output that are judged, in one order: all of the first draw, of large outputs a part of the others.
struct judged_results {
    std::vector<std::uint32_t> places{};
    std::vector<double> expected{};
    std::vector<std::vector<float>> bounds{}; // of each arithmetic of the problem
    double largest = 0;                       // finite |expected|
};

struct problem_draw : judged_results { // of y
    std::string name{};
    std::vector<problem_operand> operands{}; // inputs, in the order of the definition's tensors
    std::vector<judged_results> further{};   // of further outputs, in the order of a call

    // Null where the output stands.
    const std::vector<float>* values_at(int position) const
    {
        for (const problem_operand& o : operands)
            if (o.position == position) return &o.values;
        return nullptr;
    }
};

// One that a call gives beside y.
struct problem_output {
    int position = 0; // among the tensors that a call gives
    std::string name{};
    std::size_t elements = 0;
    std::vector<std::uint32_t> untouched{}; // those that must not be written
};

struct problem {
    std::vector<arithmetic> arithmetics{};
    call_values parameters{};               // what each call gives; empty where the operator has no parameters
    std::size_t outputs = 0;                // elements of y
    std::vector<std::uint32_t> untouched{}; // those of y that must not be written
    std::vector<problem_output> further{};
    std::vector<problem_draw> draws{};

    // Whose results are judged first, whose last, behind the timed calls.
    const problem_draw& signs() const { return draws[0]; }
    const problem_draw& specials() const { return draws[1]; }
    const problem_draw& timed() const { return draws[2]; }
    // The further output at this position; null of any other tensor.
    const problem_output* further_at(int position) const
    {
        for (const problem_output& o : further)
            if (o.position == position) return &o;
        return nullptr;
    }
    std::size_t place_of(arithmetic a) const
    {
        const auto at = std::find(arithmetics.begin(), arithmetics.end(), a);
        if (at == arithmetics.end())
            throw std::invalid_argument(fmt::format("hone::tune: the problem has no bounds of {}", name_of(a)));
        return static_cast<std::size_t>(at - arithmetics.begin());
    }
};

// ---- judging ----

struct judgement {
    double error = 0;    // the largest, relative to the largest result
    std::string wrong{}; // the first result that is wrong, and what it should be; empty where all are right
};

// Whether a result is right. Behind a bound of infinity it is not known, but that it is written, and that what is not
// finite stays so.
inline bool is_right(double expected, float bound, float found)
{
    if (is_poison(found)) return false;
    if (!std::isfinite(expected)) {
        if (!std::isfinite(bound)) return !std::isfinite(found);
        return std::isnan(expected) ? std::isnan(found) : static_cast<double>(found) == expected;
    }
    if (!std::isfinite(bound)) return true;
    // Sums of zeros are exact, with their signs.
    if (bound == 0 && expected == 0) return found == 0 && std::signbit(found) == std::signbit(expected);
    return std::fabs(static_cast<double>(found) - expected) <= static_cast<double>(bound);
}

// Of one output: `which` of the draw's bounds.
inline judgement judge_output(const std::string& name, const judged_results& right, std::size_t which,
                              const std::vector<std::uint32_t>& untouched, const std::string& draw, const float* y)
{
    const std::vector<float>& bounds = right.bounds[which];
    judgement j;
    double largest = 0;
    for (std::size_t i = 0; i < right.places.size(); ++i) {
        const float found = y[right.places[i]];
        const double expected = right.expected[i];
        if (!is_right(expected, bounds[i], found) && j.wrong.empty())
            j.wrong = is_poison(found) ? fmt::format("{}[{}] is not written ({})", name, right.places[i], draw)
                                       : fmt::format("{}[{}] is {:.9g} where {:.9g} is right, to {:.1e} ({})", name,
                                                     right.places[i], found, expected, bounds[i], draw);
        if (std::isfinite(bounds[i]) && std::isfinite(expected))
            largest = std::max(largest, std::fabs(static_cast<double>(found) - expected));
    }
    // 0 of 0 is no error.
    j.error = largest == 0 ? 0 : largest / right.largest;
    if (j.wrong.empty())
        for (std::uint32_t place : untouched)
            if (!is_poison(y[place])) {
                j.wrong = fmt::format("it wrote {}[{}], which is no result", name, place);
                break;
            }
    return j;
}

// Of y, and of further outputs in the order of a call, all of them.
inline judgement judge(const problem& p, const problem_draw& draw, arithmetic a, const float* y,
                       const std::vector<const float*>& further = {})
{
    if (further.size() != p.further.size())
        throw std::invalid_argument("hone::tune: the problem has other outputs than those that are judged");
    const std::size_t which = p.place_of(a);
    judgement all = judge_output("y", draw, which, p.untouched, draw.name, y);
    for (std::size_t i = 0; i < further.size(); ++i) {
        const judgement j =
            judge_output(p.further[i].name, draw.further[i], which, p.further[i].untouched, draw.name, further[i]);
        all.error = std::max(all.error, j.error);
        if (all.wrong.empty()) all.wrong = j.wrong;
    }
    return all;
}

// ---- draws ----

namespace drawing {

// Numbers that are the same on every machine.
class numbers {
public:
    explicit numbers(std::uint64_t seed) : bits_(seed) {}
    // Uniform in [-1, 1).
    float signed_unit() { return static_cast<float>(static_cast<std::int64_t>(bits_() >> 40) - (1 << 23)) * 0x1p-23f; }
    // Uniform in [0, 1).
    float unit() { return static_cast<float>(bits_() >> 40) * 0x1p-24f; }
    // Of both signs, none near zero, so that no weight hides what it meets.
    float apart_from_zero()
    {
        const float f = signed_unit();
        return f < 0 ? 0.75f * f - 0.25f : 0.75f * f + 0.25f;
    }

private:
    std::mt19937_64 bits_;
};

// Where special values stand.
enum class specials_in : std::uint8_t { input, weights, epilogue };

// The number as memory holds it. A denormal one of a narrow type becomes the least that is not, for devices may take it
// for zero.
inline float held(dtype type, float v)
{
    const auto least = static_cast<float>(format_of(type).least_normal);
    const float r = rounded_to(type, v);
    return type != dtype::f32 && r != 0 && std::fabs(r) < least ? std::copysign(least, r) : r;
}

// A few that spread: no place of theirs is hidden by a border, and no two stand together.
inline void put_not_finite(std::vector<float>& values)
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    const std::size_t size = values.size();
    values.front() = nan;
    values[size * 5 / 8] = -infinity;
    values.back() = infinity;
}
// Of halves as large as they are: beyond the largest there is infinity only.
inline void put_outliers(std::vector<float>& values, dtype type)
{
    const std::size_t size = values.size();
    const auto outlier = static_cast<float>(std::min(format_of(type).largest, 1e30));
    values[size * 9 / 16] = outlier;
    values[size * 13 / 16] = -outlier;
}
inline void put_zeros_and_denormals(std::vector<float>& values)
{
    const std::size_t size = values.size();
    for (std::size_t i = size / 8; i < size / 4; ++i) values[i] = i % 2 == 0 ? 0.0f : -0.0f;
    for (std::size_t i = size * 3 / 8; i < size / 2; ++i) values[i] *= 0x1p-130f;
}

} // namespace drawing

// Of an operator that a call gives all of: see of_call().
inline problem problem_of(const definition& d, std::uint64_t seed, const std::vector<arithmetic>& which)
{
    if (!d.found.ok()) throw std::invalid_argument(d.found.message());
    if (!d.parameters.empty()) throw std::invalid_argument("hone::tune: a problem is of one call; say what it gives");
    const stage& s = d.stages.back(); // which writes what is judged
    const call_parts parts = parts_of(d);
    problem p{.arithmetics = which};
    // Of y and of further outputs in the order of a call: which one of the stage's each is.
    std::vector<std::size_t> written{0};
    int given = 0; // tensors before this one
    for (std::size_t t = 0; t < d.tensors.size(); ++t) {
        if (d.tensors[t].memory != memory::argument) continue;
        const int position = given++;
        if (d.tensors[t].role != role::output) continue;
        std::size_t output = 0;
        for (std::size_t f = 0; f < s.further.size(); ++f)
            if (s.further[f].to.tensor == static_cast<int>(t)) output = f + 1;
        const auto elements = static_cast<std::size_t>(d.tensors[t].elements());
        if (parts[static_cast<std::size_t>(position)].member == call_member::y) {
            p.outputs = elements;
            written[0] = output;
            continue;
        }
        p.further.push_back({.position = position, .name = d.tensors[t].name, .elements = elements});
        written.push_back(output);
    }
    // value(role) for each element, then change(tensor, values) for each tensor; these as its type holds them, so that
    // what is packed is what results are computed from.
    const auto add = [&](const char* name, share_judged share, auto&& value, auto&& change) {
        std::vector<std::vector<float>> tensors;
        problem_draw draw;
        draw.name = name;
        int position = -1;
        for (const tensor& t : d.tensors) {
            auto& values = tensors.emplace_back();
            if (t.memory != memory::argument) continue;
            ++position;
            if (t.role == role::output) continue;
            values.resize(static_cast<std::size_t>(t.elements()));
            for (float& v : values) v = value(t.role);
            change(t, values);
            for (float& v : values) v = drawing::held(t.type, v);
            draw.operands.push_back({position, t.role, parts[static_cast<std::size_t>(position)], values});
        }
        exact_operator all(d, tensors, share);
        std::size_t finite = std::numeric_limits<std::size_t>::max(); // results, of the output that has fewest
        draw.further.resize(p.further.size());
        for (std::size_t o = 0; o < written.size(); ++o) {
            exact_results exact = all.run(which, written[o]);
            judged_results& to = o == 0 ? draw : draw.further[o - 1];
            to.places = std::move(exact.places);
            to.expected = std::move(exact.expected);
            to.bounds = std::move(exact.bounds);
            for (double v : to.expected)
                if (std::isfinite(v)) to.largest = std::max(to.largest, std::fabs(v));
            finite = std::min(finite, exact.finite);
        }
        p.draws.push_back(std::move(draw));
        return static_cast<double>(finite) /
               static_cast<double>(std::max<std::size_t>(p.draws.back().places.size(), 1));
    };
    const auto as_drawn = [](const tensor&, std::vector<float>&) {};

    drawing::numbers signs(seed);
    add(
        "operands of both signs", share_judged::all, [&](role) { return signs.signed_unit(); }, as_drawn);
    const auto untouched_of = [](std::size_t elements, const judged_results& all) {
        std::vector<char> is_result(elements, 0);
        for (std::uint32_t place : all.places) is_result[place] = 1;
        std::vector<std::uint32_t> untouched;
        for (std::size_t i = 0; i < elements; ++i)
            if (is_result[i] == 0) untouched.push_back(static_cast<std::uint32_t>(i));
        return untouched;
    };
    p.untouched = untouched_of(p.outputs, p.draws[0]);
    for (std::size_t o = 0; o < p.further.size(); ++o)
        p.further[o].untouched = untouched_of(p.further[o].elements, p.draws[0].further[o]);

    // Infinities and NaN where they leave most results finite.
    const bool pads = std::any_of(d.stages.begin(), d.stages.end(), [](const stage& of) {
        return std::any_of(of.operands.begin(), of.operands.end(), [](const operand& o) { return o.may_leave; });
    });
    for (const auto where :
         {drawing::specials_in::input, drawing::specials_in::weights, drawing::specials_in::epilogue}) {
        drawing::numbers apart(seed + 1);
        const auto change = [&](const tensor& t, std::vector<float>& values) {
            const role part = t.role;
            constexpr std::size_t enough = 16; // a special value then meets few of the results
            if (values.size() < enough) return;
            if (part == role::weights) {
                // Whether padding times infinity is NaN is left open.
                if (where == drawing::specials_in::weights && !pads) drawing::put_not_finite(values);
                if (where == drawing::specials_in::weights) drawing::put_outliers(values, t.type);
                return;
            }
            if (part != role::input || where == drawing::specials_in::input) drawing::put_not_finite(values);
            if (part == role::input && where == drawing::specials_in::input) drawing::put_outliers(values, t.type);
            // Zeros would hide an outlier of the weights from its tile, but not from Winograd.
            if (part != role::input || where != drawing::specials_in::weights) drawing::put_zeros_and_denormals(values);
        };
        const double finite = add(
            "operands with special values", share_judged::part, [&](role) { return apart.apart_from_zero(); }, change);
        if (finite >= 0.5 || where == drawing::specials_in::epilogue) break;
        p.draws.pop_back();
    }

    // Sums of about 2, whatever their length: above 0 and below 6.
    float weight = 1; // of the stage with most summands
    for (const stage& of : d.stages) {
        float own = 1;
        for (const axis& a : of.axes)
            if (a.reduction) own /= static_cast<float>(a.extent);
        weight = std::min(weight, own);
    }
    drawing::numbers above(seed + 2);
    add(
        "positive operands", share_judged::part,
        [&](role part) { return part == role::weights ? 8 * weight * above.unit() : above.unit(); }, as_drawn);
    return p;
}

// Of one call of an operator; of no values where it has no parameters.
inline problem problem_of(const definition& d, const call_values& given, std::uint64_t seed,
                          const std::vector<arithmetic>& which)
{
    problem p = problem_of(of_call(d, given), seed, which);
    p.parameters = given;
    return p;
}

// ---- files ----

// A line of JSON, then the values. Written once a task, read by every child that measures it.
inline void save(const problem& p, const std::string& path)
{
    nlohmann::json head;
    for (arithmetic a : p.arithmetics) head["arithmetics"].push_back(static_cast<int>(a));
    if (!p.parameters.empty()) head["parameters"] = p.parameters;
    head["outputs"] = p.outputs;
    head["untouched"] = p.untouched.size();
    for (const problem_output& o : p.further)
        head["further"].push_back(
            {{"position", o.position}, {"name", o.name}, {"elements", o.elements}, {"untouched", o.untouched.size()}});
    for (const problem_draw& draw : p.draws) {
        nlohmann::json j{{"name", draw.name}, {"judged", draw.places.size()}, {"largest", draw.largest}};
        for (const problem_operand& o : draw.operands)
            j["operands"].push_back({{"position", o.position},
                                     {"role", static_cast<int>(o.role)},
                                     {"member", static_cast<int>(o.part.member)},
                                     {"number", o.part.number},
                                     {"elements", o.values.size()}});
        for (const judged_results& o : draw.further) j["further"].push_back(o.largest);
        head["draws"].push_back(std::move(j));
    }
    std::ofstream file(path, std::ios::binary);
    file << head.dump() << '\n';
    const auto write = [&](const auto& values) {
        file.write(reinterpret_cast<const char*>(values.data()),
                   static_cast<std::streamsize>(values.size() * sizeof values[0]));
    };
    const auto write_results = [&](const judged_results& r) {
        write(r.places);
        write(r.expected);
        for (const auto& bounds : r.bounds) write(bounds);
    };
    write(p.untouched);
    for (const problem_output& o : p.further) write(o.untouched);
    for (const problem_draw& draw : p.draws) {
        for (const problem_operand& o : draw.operands) write(o.values);
        write_results(draw);
        for (const judged_results& further : draw.further) write_results(further);
    }
    if (!file.flush()) throw std::runtime_error("hone::tune: cannot write " + path + ": " + std::strerror(errno));
}

inline problem load_problem(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::string line;
    if (!std::getline(file, line)) throw std::runtime_error("hone::tune: cannot read " + path);
    const auto head = nlohmann::json::parse(line);
    problem p;
    const auto read = [&](auto& values, std::size_t size) {
        values.resize(size);
        file.read(reinterpret_cast<char*>(values.data()),
                  static_cast<std::streamsize>(values.size() * sizeof values[0]));
    };
    for (const auto& a : head.at("arithmetics")) p.arithmetics.push_back(static_cast<arithmetic>(a.get<int>()));
    p.parameters = head.value("parameters", call_values{});
    p.outputs = head.at("outputs").get<std::size_t>();
    read(p.untouched, head.at("untouched").get<std::size_t>());
    const auto none = nlohmann::json::array();
    for (const auto& o : head.value("further", none)) {
        p.further.push_back({.position = o.at("position").get<int>(),
                             .name = o.at("name").get<std::string>(),
                             .elements = o.at("elements").get<std::size_t>()});
        read(p.further.back().untouched, o.at("untouched").get<std::size_t>());
    }
    for (const auto& j : head.at("draws")) {
        problem_draw& draw = p.draws.emplace_back();
        draw.name = j.at("name").get<std::string>();
        draw.largest = j.at("largest").get<double>();
        for (const auto& o : j.value("operands", none)) {
            draw.operands.push_back({o.at("position").get<int>(),
                                     static_cast<role>(o.at("role").get<int>()),
                                     {static_cast<call_member>(o.at("member").get<int>()), o.at("number").get<int>()},
                                     {}});
            read(draw.operands.back().values, o.at("elements").get<std::size_t>());
        }
        const auto judged = j.at("judged").get<std::size_t>(); // of each output
        const auto read_results = [&](judged_results& r) {
            read(r.places, judged);
            read(r.expected, judged);
            for (std::size_t a = 0; a < p.arithmetics.size(); ++a) read(r.bounds.emplace_back(), judged);
        };
        read_results(draw);
        for (const auto& largest : j.value("further", none)) {
            draw.further.emplace_back().largest = largest.get<double>();
            read_results(draw.further.back());
        }
    }
    if (!file) throw std::runtime_error("hone::tune: " + path + " is cut short");
    return p;
}

} // namespace hone::tune
