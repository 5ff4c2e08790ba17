// SPDX-License-Identifier: BSL-1.0
// The points of a space without the types of its templates: all that a searcher asks of it, also one of a project's own
// (own_search.hpp). What passes is plain, so that flags of either side do not matter.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <hone/core/inline_vector.hpp>
#include <hone/model/feature_vector.hpp>
#include <hone/model/random.hpp>
#include <hone/search/listed_template.hpp>

namespace hone::tune {

// Which template of a space, and the place of each of its knobs; 0 past the last knob.
struct space_point {
    std::uint8_t algorithm = 0;
    std::array<std::uint8_t, most_knobs> places{};
    friend bool operator==(const space_point&, const space_point&) = default;
};

// What a diverse batch differs in, for each knob of a point.
using space_knob_values = inline_vector<std::int64_t, most_knobs>;

// What each function gives, is said in annealing.hpp. Any point may be asked for: one that the space does not have is
// illegal.
class any_points {
public:
    any_points() = default;
    any_points(const any_points&) = delete;
    any_points& operator=(const any_points&) = delete;
    virtual ~any_points() = default;

    virtual std::uint64_t size() const = 0;
    virtual space_point at(std::uint64_t index) const = 0;
    virtual space_point random(xoshiro256& bits) const = 0;
    virtual space_point neighbour(const space_point& p, xoshiro256& bits) const = 0;
    virtual std::uint64_t key(const space_point& p) const = 0;
    virtual space_knob_values knob_values(const space_point& p) const = 0;
    virtual std::optional<std::uint64_t> features(const space_point& p, feature_vector& out) const = 0;
};

// As searchers hold them: its copies are one space, for one thread.
class shared_space {
public:
    using point = space_point;

    explicit shared_space(std::shared_ptr<const any_points> of) : of_(std::move(of)) {}

    // Precondition of at: index < size().
    std::uint64_t size() const { return of_->size(); }
    point at(std::uint64_t index) const { return of_->at(index); }
    point random(xoshiro256& bits) const { return of_->random(bits); }
    point neighbour(const point& p, xoshiro256& bits) const { return of_->neighbour(p, bits); }
    std::uint64_t key(const point& p) const { return of_->key(p); }
    space_knob_values knob_values(const point& p) const { return of_->knob_values(p); }
    std::optional<std::uint64_t> features(const point& p, feature_vector& out) const { return of_->features(p, out); }

private:
    std::shared_ptr<const any_points> of_;
};

} // namespace hone::tune
