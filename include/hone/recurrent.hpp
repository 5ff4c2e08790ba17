// SPDX-License-Identifier: BSL-1.0
// Recurrent cells for an engine, beside hone.hpp: the operators, and the template that schedules them on CPUs.
#pragma once

#include <hone/hone.hpp>
#include <hone/op/recurrent.hpp>
#include <hone/schedule/chain.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif
