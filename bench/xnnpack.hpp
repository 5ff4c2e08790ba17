// SPDX-License-Identifier: BSL-1.0
// XNNPACK's operators as benchmarks ask for them, the same with its versions, which have no numbers: those of 2022 set
// an operator up with its extents and tensors, later ones take caches when it is made and the extents before the
// tensors.
#pragma once

#include <cstddef>
#include <vector>

#include <xnnpack.h>

namespace xnnpack {

// Names that a version lacks are looked for by their arguments, in templates.

template <class Operator, class... A>
xnn_status create_convolution(Operator* to, A... a)
{
    if constexpr (requires { xnn_create_convolution2d_nhwc_f32(a..., to); })
        return xnn_create_convolution2d_nhwc_f32(a..., to);
    else if constexpr (requires { xnn_create_convolution2d_nhwc_f32(a..., nullptr, to); })
        return xnn_create_convolution2d_nhwc_f32(a..., nullptr, to);
    else
        return xnn_create_convolution2d_nhwc_f32(a..., nullptr, nullptr, to);
}

template <class Operator>
xnn_status set_up_convolution(Operator of, std::size_t n, std::size_t h, std::size_t w, const float* x, float* y,
                              pthreadpool_t threads, std::vector<std::vector<char>>& workspaces)
{
    std::size_t bytes = 0, alignment = 0, oh = 0, ow = 0;
    const auto with_workspace = [&](xnn_status reshaped) {
        if (reshaped != xnn_status_success) return reshaped;
        workspaces.emplace_back(bytes + 64);
        auto* const begin = workspaces.back().data();
        void* aligned = begin + (64 - reinterpret_cast<std::size_t>(begin) % 64) % 64;
        if constexpr (requires { xnn_setup_convolution2d_nhwc_f32(of, aligned, x, y); })
            return xnn_setup_convolution2d_nhwc_f32(of, aligned, x, y);
        else
            return xnn_status_unsupported_parameter;
    };
    if constexpr (requires { xnn_reshape_convolution2d_nhwc_f32(of, n, h, w, &bytes, &alignment, &oh, &ow, threads); })
        return with_workspace(xnn_reshape_convolution2d_nhwc_f32(of, n, h, w, &bytes, &alignment, &oh, &ow, threads));
    else if constexpr (requires { xnn_reshape_convolution2d_nhwc_f32(of, n, h, w, &bytes, &oh, &ow, threads); })
        return with_workspace(xnn_reshape_convolution2d_nhwc_f32(of, n, h, w, &bytes, &oh, &ow, threads));
    else
        return xnn_setup_convolution2d_nhwc_f32(of, n, h, w, x, y, threads);
}

template <class Operator, class... A>
xnn_status create_product(Operator* to, A... a)
{
    if constexpr (requires { xnn_create_fully_connected_nc_f32(a..., to); })
        return xnn_create_fully_connected_nc_f32(a..., to);
    else if constexpr (requires { xnn_create_fully_connected_nc_f32(a..., nullptr, to); })
        return xnn_create_fully_connected_nc_f32(a..., nullptr, to);
    else
        return xnn_create_fully_connected_nc_f32(a..., nullptr, nullptr, to);
}

template <class Operator>
xnn_status set_up_product(Operator of, std::size_t rows, const float* x, float* y, pthreadpool_t threads)
{
    if constexpr (requires { xnn_reshape_fully_connected_nc_f32(of, rows, threads); }) {
        const xnn_status reshaped = xnn_reshape_fully_connected_nc_f32(of, rows, threads);
        return reshaped == xnn_status_success ? xnn_setup_fully_connected_nc_f32(of, x, y) : reshaped;
    } else {
        return xnn_setup_fully_connected_nc_f32(of, rows, x, y, threads);
    }
}

} // namespace xnnpack
