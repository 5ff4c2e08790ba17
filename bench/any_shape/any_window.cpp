// SPDX-License-Identifier: BSL-1.0
#include "open_kernels.hpp"

namespace {

constexpr hone::conv2d_shape with_window_of_call(hone::conv2d_shape s)
{
    s = bench::any_shape::opened(s);
    s.window_at_call = true;
    s.kh = s.kw = 11;
    s.stride = 1;
    s.pad = 0;
    return s;
}

} // namespace

std::vector<bench::any_shape::open_kernel> bench::any_shape::of_any_window()
{
    return open_kernels<with_window_of_call(dense(1, 1, 1)), with_window_of_call(depthwise(1, 2)),
                        with_window_of_call(grouped(1, 4, 4, 2))>("any window");
}
