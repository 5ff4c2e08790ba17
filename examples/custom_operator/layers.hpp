// SPDX-License-Identifier: BSL-1.0
// What is tuned: the operator of conv1d.hpp, with hone's template and one of our own to choose from. The first that
// applies gives the kernel where nothing was measured.
#pragma once

#include <hone/hone.hpp>

#include "conv1d.hpp"
#include "equal_parts.hpp"

namespace audio {

struct front_end : speech {
    using cpu_templates = hone::template_list<hone::direct, equal_parts>;
};
using layers = hone::workloads<front_end>;

} // namespace audio
