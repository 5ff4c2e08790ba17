// SPDX-License-Identifier: BSL-1.0
#include "open_kernels.hpp"

std::vector<bench::any_shape::open_kernel> bench::any_shape::of_known_windows()
{
    // Sizes and channels are those of the call; behind them are the window and its stride.
    return open_kernels<opened(dense(1, 1, 1)), opened(dense(1, 1, 1, 1, 2)), opened(dense(1, 1, 1, 3)),
                        opened(dense(1, 1, 1, 3, 2)), opened(dense(1, 1, 1, 7, 2)), opened(depthwise(1, 2)),
                        opened(depthwise(1, 2, 2)), opened(grouped(1, 4, 4, 2)), opened(grouped(1, 4, 4, 2, 3)),
                        opened(grouped(1, 4, 4, 2, 3, 2)), opened(grouped(1, 4, 4, 2, 5))>("known window");
}
