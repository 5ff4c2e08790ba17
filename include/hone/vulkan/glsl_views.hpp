// SPDX-License-Identifier: BSL-1.0
// The memories of a nest as GLSL text: which view of a buffer each access takes (floats, or whole vectors where they
// are provably aligned), names of elements and registers, and the declarations of what was used.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/c_indices.hpp>
#include <hone/vulkan/glsl.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

// The buffers of a nest under print.
class glsl_views : protected c_indices {
protected:
    explicit glsl_views(const nest& n)
        : c_indices{n, {.printer = "hone::glsl_of", .reserved = "gl_"}}, uses_(n.buffers.size())
    {
        name_buffers();
        interval open[nest_sizes{}.variables]{};
        find_uses(n.root, -1, 1, open);
    }

    // ---- what the whole nest says of its buffers ----

    struct buffer_use {
        std::string name;
        bool read = false, written = false;
        bool as_scalars = false; // some access is not a whole vector
        int width = 1;           // widest whole vector accessed
        bool shown[5]{};         // by width: the views that the text uses
    };

    void name_buffers()
    {
        std::set<std::string> taken;
        for (std::size_t b = 0; b < uses_.size(); ++b) {
            std::string name = glsl_identifier(nest_.buffers[b].name);
            while (!taken.insert(name).second) name += joined('_', b);
            uses_[b].name = name;
        }
    }

    void find_uses(int at, int vector, int width, interval* open)
    {
        for (; at >= 0; at = nest_.nodes[index(at)].next) {
            const node& x = nest_.nodes[index(at)];
            if (x.kind == node_kind::leaf) {
                const statement& s = nest_.statements[index(x.statement)];
                find_use(s.target, vector, width, open, s.reduce != reduction::none, true);
                for_each_load(nest_, s.value, [&](int a) { find_use(a, vector, width, open, true, false); });
            } else if (x.kind == node_kind::loop) {
                open[x.variable] = interval_of(nest_, x, open);
                const bool is_vector =
                    is_vector_loop(x) && !contains_loop(x.child) && has_uniform_guards(x.child, [&](const affine& c) {
                        return is_uniform(symbolic(c, x.variable), open[x.variable].least, vector_width(x));
                    });
                find_uses(x.child, is_vector ? x.variable : -1, is_vector ? vector_width(x) : 1, open);
            } else {
                find_uses(x.child, vector, width, open);
            }
        }
    }
    void find_use(int a, int vector, int width, const interval* open, bool reads, bool writes)
    {
        const access& x = nest_.accesses[index(a)];
        buffer_use& use = uses_[index(x.buffer)];
        use.read |= reads;
        use.written |= writes;
        bool whole = vector >= 0;
        if (whole) {
            whole = is_aligned_vector(symbolic(x.index, vector), open[vector].least, width);
            for (int i = 0; i < x.conditions.count; ++i)
                whole = whole && is_uniform(symbolic(condition(x.conditions, i), vector), open[vector].least, width);
        }
        if (!whole || (use.width != 1 && use.width != width)) use.as_scalars = true;
        if (whole && width > use.width) use.width = width;
    }

    bool is_storage(int b) const
    {
        return nest_.buffers[index(b)].memory == memory::argument ||
               nest_.buffers[index(b)].memory == memory::workspace;
    }
    bool is_vector_loop(const node& x) const
    {
        if (x.bind != binding::vectorize || !has_constant_bounds(nest_, x)) return false;
        const std::int64_t extent = extent_of(nest_, x);
        return extent == 2 || extent == 4;
    }
    int vector_width(const node& x) const { return static_cast<int>(extent_of(nest_, x)); }
    bool contains_loop(int at) const
    {
        for (; at >= 0; at = nest_.nodes[index(at)].next)
            if (nest_.nodes[index(at)].kind == node_kind::loop || contains_loop(nest_.nodes[index(at)].child))
                return true;
        return false;
    }

    // ---- elements ----

    // Whether the access, in the vector loop that is open, is one whole vector of a view that may be used.
    bool is_whole(const access& a)
    {
        if (vector_ < 0 || !has_uniform_conditions(a)) return false;
        const buffer_use& use = uses_[index(a.buffer)];
        if (is_storage(a.buffer)) {
            // Views of one binding may be assumed not to alias: where a buffer is read and written, one view only.
            if (use.as_scalars && use.read && use.written) return false;
        } else if (use.width != width_) {
            return false;
        }
        return is_aligned_vector(folded(a.index, vector_), values_[index(vector_)].least, width_);
    }

    std::string whole_element(const access& a)
    {
        const linear f = folded(a.index, vector_);
        const std::int64_t constant = (f.constant + values_[index(vector_)].least) / width_;
        if (nest_.buffers[index(a.buffer)].memory == memory::registers) return register_name(a.buffer, f, constant);
        uses_[index(a.buffer)].shown[width_] = true;
        return joined(view_name(a.buffer, width_), '[', offset(base_of(f, width_), constant), ']');
    }

    // Element f of a buffer, of its type.
    std::string element(int b, const linear& f)
    {
        const bool is_register = nest_.buffers[index(b)].memory == memory::registers;
        const int width = is_storage(b) ? 1 : uses_[index(b)].width;
        const std::int64_t component = ((f.constant % width) + width) % width;
        const std::int64_t whole = floor_div(f.constant, width);
        if (is_register) {
            const std::string name = register_name(b, f, whole);
            return width == 1 ? name : joined(name, '.', "xyzw"[component]);
        }
        uses_[index(b)].shown[width] = true;
        const std::string view = view_name(b, width);
        if (width == 1) return joined(view, '[', offset(base_of(f), f.constant), ']');
        if (is_multiple(f, width)) return joined(view, '[', offset(base_of(f, width), whole), "].", "xyzw"[component]);
        const std::string i = joined('(', offset(base_of(f), f.constant), ')');
        return joined(view, '[', i, width == 4 ? " >> 2][" : " >> 1][", i, " & ", width - 1, ']');
    }

    std::string register_name(int b, const linear& f, std::int64_t number)
    {
        if (!f.terms.empty()) {
            reject("registers are indexed by unrolled and vectorized loops only");
            return "0.0";
        }
        const std::string name = joined("r_", uses_[index(b)].name, '_', number);
        if (registers_.insert(name).second)
            out_.declare_register(tile_scope_, joined(glsl_type(uses_[index(b)].width), ' ', name, ';'));
        return name;
    }

    std::string view_name(int b, int width) const
    {
        const char letter = nest_.buffers[index(b)].memory == memory::workgroup ? 's' : 'b';
        return width == 1 ? joined(letter, '_', uses_[index(b)].name)
                          : joined(letter, width, '_', uses_[index(b)].name);
    }

    // ---- declarations ----

    std::string storage(int b, int binding)
    {
        std::string r;
        const buffer_use& use = uses_[index(b)];
        const std::string_view access = !use.written               ? "readonly "
                                        : !use.read                ? "writeonly "
                                        : has_barrier_ && use.read ? "coherent "
                                                                   : "";
        for (const int width : {1, 2, 4})
            if (use.shown[width]) {
                const std::string name = view_name(b, width);
                r += joined("layout(set = 0, binding = ", binding, ", std430) ", access, "buffer block_", name, " { ",
                            glsl_storage_type(nest_.buffers[index(b)].type, width), ' ', name, "[]; };\n");
            }
        return r;
    }

    std::string shared(int b)
    {
        const buffer_use& use = uses_[index(b)];
        const std::int64_t elements = interval_of(nest_, nest_.buffers[index(b)].elements, values_.data()).most;
        if (!use.shown[use.width]) return "";
        return joined("shared ", glsl_type(use.width), ' ', view_name(b, use.width), '[', ceil_div(elements, use.width),
                      "];\n");
    }

    std::vector<buffer_use> uses_;
    std::set<std::string> registers_; // declared in the open tile
    int tile_scope_ = 0;
    bool has_barrier_ = false;
};

} // namespace hone::codegen
