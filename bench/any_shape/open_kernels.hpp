// SPDX-License-Identifier: BSL-1.0
// Kernels that leave shapes to the call: five to ten seconds of the compiler each.
#pragma once

#include <vector>

#include <hone/cpu/kernel.hpp>
#include <hone/op/conv2d.hpp>

#include "../kernel_peer.hpp"
#include "layers.hpp"

namespace bench::any_shape {

// A kernel of many shapes, and what says of which.
struct open_kernel {
    const char* signature;
    kernel_functions functions;
};
// All of the shape comes with the call: one kernel for dense convolutions, one for those in groups, one for depthwise
// ones.
std::vector<open_kernel> of_any_window();
// Images and channels come with the call: one kernel for each window of the networks.
std::vector<open_kernel> of_known_windows();

// With images and channels of the call, of whichever `s` has.
constexpr hone::conv2d_shape opened(hone::conv2d_shape s)
{
    const auto channels = hone::extent::up_to(4096);
    if (s.groups > 1) s.groups = s.groups == s.ic ? channels : hone::extent::up_to(2048);
    s.n = hone::extent::up_to(64);
    s.h = s.w = hone::extent::up_to(1024);
    s.ic = s.oc = channels;
    return s;
}

template <hone::conv2d_shape... Shapes>
std::vector<open_kernel> open_kernels(const char* name)
{
    const auto of = [&]<class Op>(Op) {
        return open_kernel{hone::kernel<Op>::signature.c_str(), functions_of<hone::kernel<Op>>(name)};
    };
    return {of(convolution<Shapes>{})...};
}

} // namespace bench::any_shape
