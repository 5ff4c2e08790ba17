// SPDX-License-Identifier: BSL-1.0
// The namespaces of the rooms. Each sees what the rooms before it declare. What engines name stands in hone itself:
// a header that has some of it says so in its last lines, see include/hone/README.md.
#pragma once

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

namespace core { // core/
}
namespace ir { // ir/
using namespace core;
}
namespace operators { // op/
using namespace ir;
}
namespace schedules { // schedule/, lower/
using namespace operators;
}
namespace calls { // run/, kernels and their tables
using namespace schedules;
}
namespace codegen { // cpu/, vulkan/: how kernels are made
using namespace calls;
}
namespace vulkan { // vulkan/: what runs there
using namespace codegen;
}
namespace tune { // what is in no engine
using namespace codegen;
}

} // namespace hone
