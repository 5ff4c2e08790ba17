// SPDX-License-Identifier: BSL-1.0
// What any bytes must do as a file of records: give a header, or lines that are named. One function, which libFuzzer
// and the deterministic mutator of records.cpp call alike; what it finds wrong is a sentence.
#pragma once

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hone/cpu/kernel.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/record.hpp>
#include <hone/record/standing.hpp>
#include <hone/schedule/vulkan_templates.hpp>
#include <hone/tune/record_backends.hpp>

namespace hone::test::fuzz {

using namespace codegen;

// What becomes of a file.
struct outcome {
    std::vector<tune::record> records{};
    bool is_named = false;              // a line was rejected, or said to be torn
    std::optional<std::string> wrong{}; // what must not be
};

// A workload that Winograd computes, one without a window, and one smaller than any tile.
inline const std::vector<definition>& definitions()
{
    using window = conv2d<conv2d_shape{.h = 14, .w = 10, .ic = 20, .oc = 24, .kh = 3, .kw = 3, .pad = 1}, f32, bias>;
    using product = gemm<gemm_shape{.m = 37, .n = 50, .k = 70}, f32>;
    using least = gemm<gemm_shape{.m = 1, .n = 1, .k = 1}, f32>;
    static const std::vector<definition> all{window::definition(), product::definition(), least::definition()};
    return all;
}

// Lowers the knobs of a record for every workload: a nest, or a fault that has a sentence.
inline void lower_knobs(const tune::record& r)
{
    if (r.template_name == tune::naive_template || r.template_name == tune::peer_template) return;
    if (r.errors) return; // of a template that is not here
    static nest n;
    for (const definition& d : definitions()) {
        if (r.backend == tune::on_vulkan) {
            const vulkan_config c = tune::config_of<vulkan_family>(r.template_name, r.knobs);
            lower(schedule_for(d, c, vulkan_limits{}), n);
            if (n.ok() && check(n, vulkan_target()).ok()) (void)launch_of(n);
            (void)layout_id(packed_for(d, c, vulkan_limits{}));
            continue;
        }
        const auto c = tune::config_of<cpu_family>(r.template_name, r.knobs);
        for (const isa set : {isa::baseline, isa::avx512}) {
            lower(schedule_for(d, c, set), n);
            if (n.ok()) (void)check(n, cpu_target(set));
            lower(packing_for(d, c, set), n);
            (void)layout_id(packed_for(d, c, set));
        }
    }
}

inline outcome of(std::string_view file)
{
    outcome r;
    tune::records_read read;
    tune::each_record_in(file, "file", read, [&](tune::record one, const std::string& line) {
        lower_knobs(one);
        // What is written of it is read again, as the same.
        const std::string again = tune::line_of(one);
        if (tune::line_of(tune::record_of(again)) != again) r.wrong = "another record is written: " + line;
        r.records.push_back(std::move(one));
    });
    for (const auto* said : {&read.warnings, &read.rejected})
        for (const std::string& s : *said) {
            r.is_named = true;
            const bool is_text = std::all_of(s.begin(), s.end(), [](char c) { return c >= ' ' && c <= '~'; });
            if (!s.starts_with("file:") || s.size() > 1000 || !is_text) r.wrong = "said of a line: " + s;
        }
    return r;
}

// The header of records, in whatever order.
inline std::string header_of(std::vector<tune::record> records, std::optional<std::string>& wrong)
{
    const tune::preference prefer{.processor = "AMD EPYC family 26 model 2"};
    const std::string header = tune::header_text("k", records, prefer);
    std::reverse(records.begin(), records.end());
    if (tune::header_text("k", records, prefer) != header) wrong = "the order of the records decides";
    return header;
}

} // namespace hone::test::fuzz
