// SPDX-License-Identifier: BSL-1.0
// Training rows as small numbers: each column that varies, cut into at most 256 bins of neighbouring values, so that
// trees find their splits by histograms (as in Chen and Guestrin, "XGBoost", 2016, section 3.2, weighing rows alike).
//
// Of a nest's 900 features a search sees 200 to 400 vary. Columns that put all rows into the same bins are one, and the
// order of the others follows from what they hold: the order of the features does not matter.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <hone/model/random.hpp>

namespace hone::tune {

using feature_row = std::span<const float>;

// The least value that goes right of a split between a and b, a < b. Halfway, where that lies between them.
inline float threshold_between(float a, float b)
{
    const float middle = a / 2 + b / 2;
    return a < middle && middle <= b ? middle : b;
}

class column_bins {
public:
    static constexpr std::size_t most_bins = 256;
    // Columns whose bins stand side by side for each row.
    static constexpr std::size_t tile_columns = 8;

    struct column {
        std::int32_t source = 0;          // its place in a row
        std::vector<float> low{}, high{}; // the values of each bin
        std::uint64_t hash = 0;           // of what it holds
    };

    // Rows of equal size. A value that is not a number is below all others.
    explicit column_bins(std::span<const feature_row> rows) : rows_(rows.size())
    {
        std::vector<std::vector<std::uint8_t>> bins;
        const std::size_t width = rows.empty() ? 0 : rows[0].size();
        std::vector<float> values(rows_);
        for (std::size_t c = 0; c < width; ++c) {
            for (std::size_t r = 0; r < rows_; ++r) values[r] = number(rows[r][c]);
            if (std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; })) continue;
            column found = column_of(values);
            found.source = static_cast<std::int32_t>(c);
            bins.push_back(bins_of(values, found));
            columns_.push_back(std::move(found));
        }
        arrange(bins);
    }

    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_.size(); }
    std::size_t tiles() const { return (columns_.size() + tile_columns - 1) / tile_columns; }
    const column& operator[](std::size_t c) const { return columns_[c]; }
    // The bins of columns [tile * tile_columns, ...); those past the end are zero. (rows, tile_columns)
    const std::uint8_t* tile(std::size_t t) const { return bins_.data() + t * rows_ * tile_columns; }
    std::uint8_t bin(std::size_t c, std::size_t row) const
    {
        return tile(c / tile_columns)[row * tile_columns + c % tile_columns];
    }
    std::size_t most_bins_of_tile(std::size_t t) const
    {
        // Columns stand in the order of their bins.
        return columns_[std::min((t + 1) * tile_columns, columns_.size()) - 1].low.size();
    }

private:
    static float number(float v) { return std::isnan(v) ? -std::numeric_limits<float>::infinity() : v; }

    // A bin for each value, or for as many values that hold a 256th of the rows.
    static column column_of(std::span<const float> values)
    {
        std::vector<float> sorted(values.begin(), values.end());
        std::sort(sorted.begin(), sorted.end());
        std::size_t distinct = 1;
        for (std::size_t i = 1; i < sorted.size(); ++i) distinct += sorted[i] != sorted[i - 1];
        column c;
        std::size_t bin_end = 0; // the row at which a bin is full
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            if (i > 0 && sorted[i] == sorted[i - 1]) continue;
            if (i > 0) c.high.back() = sorted[i - 1];
            if (i > 0 && distinct > most_bins && i < bin_end) continue;
            c.low.push_back(sorted[i]);
            c.high.push_back(sorted[i]);
            bin_end = (c.low.size() * sorted.size() + most_bins - 1) / most_bins;
        }
        c.high.back() = sorted.back();
        return c;
    }

    std::vector<std::uint8_t> bins_of(std::span<const float> values, column& c) const
    {
        std::vector<std::uint8_t> bins(rows_);
        std::uint64_t hash = c.low.size();
        for (std::size_t r = 0; r < rows_; ++r) {
            const auto above = std::upper_bound(c.low.begin(), c.low.end(), values[r]);
            bins[r] = static_cast<std::uint8_t>(above - c.low.begin() - 1);
            hash = mixed(hash + bins[r]);
        }
        c.hash = hash;
        return bins;
    }

    void arrange(const std::vector<std::vector<std::uint8_t>>& bins)
    {
        std::vector<std::size_t> order(columns_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const column &x = columns_[a], &y = columns_[b];
            if (x.low.size() != y.low.size()) return x.low.size() < y.low.size();
            return x.hash != y.hash ? x.hash < y.hash : a < b;
        });
        const auto same = [&](std::size_t a, std::size_t b) {
            return columns_[a].hash == columns_[b].hash && bins[a] == bins[b];
        };
        order.erase(std::unique(order.begin(), order.end(), same), order.end());
        std::vector<column> kept;
        for (std::size_t i : order) kept.push_back(columns_[i]);
        columns_ = std::move(kept);
        bins_.assign(tiles() * tile_columns * rows_, 0);
        for (std::size_t c = 0; c < order.size(); ++c) {
            std::uint8_t* to = bins_.data() + c / tile_columns * rows_ * tile_columns + c % tile_columns;
            for (std::size_t r = 0; r < rows_; ++r) to[r * tile_columns] = bins[order[c]][r];
        }
    }

    std::size_t rows_;
    std::vector<column> columns_{};    // with few bins first
    std::vector<std::uint8_t> bins_{}; // (tiles, rows, tile_columns)
};

} // namespace hone::tune
