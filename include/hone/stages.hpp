// SPDX-License-Identifier: BSL-1.0
// Operators for an engine beside those of hone.hpp, with the templates that schedule them on CPUs: of several stages,
// as softmax, normalisations, recurrent cells and an engine's own, and products of two activations.
#pragma once

#include <hone/hone.hpp>
#include <hone/op/matmul.hpp>
#include <hone/op/norm.hpp>
#include <hone/op/recurrent.hpp>
#include <hone/op/softmax.hpp>
#include <hone/schedule/staged_templates.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif
