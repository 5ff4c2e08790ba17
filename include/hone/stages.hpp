// SPDX-License-Identifier: BSL-1.0
// Operators of several stages for an engine, beside hone.hpp: softmax, normalisations, recurrent cells and an engine's
// own, with the templates that schedule them on CPUs.
#pragma once

#include <hone/hone.hpp>
#include <hone/op/norm.hpp>
#include <hone/op/recurrent.hpp>
#include <hone/op/softmax.hpp>
#include <hone/schedule/staged_templates.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif
