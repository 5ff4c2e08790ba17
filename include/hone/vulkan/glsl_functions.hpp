// SPDX-License-Identifier: BSL-1.0
// The functions of lower/functions.hpp as GLSL: they are run on numbers that are names, and each operation writes the
// line that declares the next one. So a shader computes what a vector kernel computes; exp and tanh of GLSL itself are
// off by (3 + 2|x|) distances of floats, and the latter overflows on some drivers.
#pragma once

#include <iterator>
#include <string>
#include <utility>

#include <hone/ir/words.hpp>
#include <hone/lower/functions.hpp>
#include <hone/vulkan/glsl.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

// A function's body under construction.
struct glsl_body {
    std::string lines{};
    int count = 0;
};

// Numbers of 1, 2 or 4 lanes.
template <int Width>
struct glsl_numbers {
    using scalar = float;
    struct holds {
        glsl_body* body;
        std::string text;
    };
    struct vector {
        glsl_body* body; // none: a constant
        std::string text;

        friend vector operator+(const vector& x, const vector& y) { return of(x, '+', y); }
        friend vector operator-(const vector& x, const vector& y) { return of(x, '-', y); }
        friend vector operator*(const vector& x, const vector& y) { return of(x, '*', y); }
        friend vector operator/(const vector& x, const vector& y) { return of(x, '/', y); }
        friend vector operator+(const vector& x, float y) { return of(x, '+', number(y)); }
        friend vector operator-(const vector& x, float y) { return of(x, '-', number(y)); }
        friend vector operator*(const vector& x, float y) { return of(x, '*', number(y)); }
        friend vector operator-(float x, const vector& y) { return of(number(x), '-', y); }
        friend holds operator<(const vector& x, const vector& y) { return compared(x, y, "<", "lessThan"); }
        friend holds operator>(const vector& x, const vector& y) { return compared(x, y, ">", "greaterThan"); }
        friend holds operator<=(const vector& x, const vector& y) { return compared(x, y, "<=", "lessThanEqual"); }
        friend holds operator==(const vector& x, const vector& y) { return compared(x, y, "==", "equal"); }
    };

    static vector broadcast(float x)
    {
        const std::string number = glsl_literal(x);
        return {nullptr, Width == 1 ? number : joined(glsl_type(Width), '(', number, ')')};
    }
    static vector select(const holds& c, const vector& yes, const vector& no)
    {
        return named(c.body, Width == 1 ? joined(c.text, " ? ", yes.text, " : ", no.text)
                                        : joined("mix(", no.text, ", ", yes.text, ", ", c.text, ')'));
    }
    static vector abs(const vector& x) { return named(x.body, joined("abs(", x.text, ')')); }
    static vector with_sign(const vector& size, const vector& sign)
    {
        return named(size.body, joined("uintBitsToFloat(floatBitsToUint(", size.text, ") | (floatBitsToUint(",
                                       sign.text, ") & 0x80000000u))"));
    }
    static vector nearest(const vector& x) { return named(x.body, joined("roundEven(", x.text, ')')); }
    static vector power_of_two(const vector& n)
    {
        const std::string whole = Width == 1 ? "int" : joined("ivec", Width);
        return named(n.body, joined("intBitsToFloat((", whole, '(', n.text, ") + 127) << 23)"));
    }
    static vector exponent(const vector& x)
    {
        return named(x.body, joined(glsl_type(Width), "((floatBitsToInt(", x.text, ") - 0x3f3504f3) >> 23)"));
    }
    static vector over_power_of_two(const vector& x, const vector& k)
    {
        const std::string whole = Width == 1 ? "int" : joined("ivec", Width);
        return named(x.body,
                     joined("intBitsToFloat(floatBitsToInt(", x.text, ") - (", whole, '(', k.text, ") << 23))"));
    }

    // ---- how they are written ----

    static vector number(float x) { return {nullptr, glsl_literal(x)}; }
    // Declared in the next line.
    static vector named(glsl_body* body, const std::string& value)
    {
        const std::string name = joined('v', body->count++);
        body->lines += joined("    ", glsl_type(Width), ' ', name, " = ", value, ";\n");
        return {body, name};
    }
    static vector of(const vector& x, char sign, const vector& y)
    {
        return named(x.body != nullptr ? x.body : y.body, joined(x.text, ' ', sign, ' ', y.text));
    }
    static holds compared(const vector& x, const vector& y, const char* sign, const char* function)
    {
        return {x.body,
                Width == 1 ? joined(x.text, ' ', sign, ' ', y.text) : joined(function, '(', x.text, ", ", y.text, ')')};
    }
};

// min and max: the second choice also where it is a NaN, which drivers lose that take the comparison for a maximum of
// their own: its bits they do not see through.
inline std::string glsl_extremum(bool is_max, int width)
{
    const std::string type = glsl_type(width), yes = is_max ? "b" : "a", no = is_max ? "a" : "b";
    const std::string bits = joined("(floatBitsToUint(", no, ") & 0x7fffffffu)");
    const std::string head = joined(type, is_max ? " greater_of(" : " lesser_of(", type, " a, ", type, " b) { return ");
    if (width == 1) return joined(head, bits, " > 0x7f800000u ? ", no, " : a < b ? ", yes, " : ", no, "; }\n");
    return joined(head, "mix(mix(", no, ", ", yes, ", lessThan(a, b)), ", no, ", greaterThan(", bits, ", uvec", width,
                  "(0x7f800000u))); }\n");
}

template <expr_op Op, int Width>
std::string glsl_computed()
{
    using vector = typename glsl_numbers<Width>::vector;
    const std::string type = glsl_type(Width);
    glsl_body body;
    const vector a{&body, "a"}, b{&body, "b"}, c{&body, "c"};
    std::string parameters = joined(type, " a"), result;
    if constexpr (arity(Op) == 1) {
        // A NaN comes through by its bits, as above.
        const std::string y = computed<glsl_numbers<Width>, Op>(a).text;
        const std::string bits = "floatBitsToUint(a) & 0x7fffffffu";
        result = Width == 1 ? joined('(', bits, ") > 0x7f800000u ? a : ", y)
                            : joined("mix(", y, ", a, greaterThan(", bits, ", uvec", Width, "(0x7f800000u)))");
    } else if constexpr (arity(Op) == 2) {
        parameters += joined(", ", type, " b");
        result = computed<glsl_numbers<Width>, Op>(a, b).text;
    } else {
        parameters += joined(", ", type, " b, ", type, " c");
        result = computed<glsl_numbers<Width>, Op>(a, b, c).text;
    }
    return joined(type, ' ', name_of(Op), "_of(", parameters, ")\n{\n", body.lines, "    return ", result, ";\n}\n");
}

// Whether a word is called as a function that glsl_function defines.
constexpr bool is_glsl_function(expr_op op) { return word_of(op).value != nullptr && word_of(op).glsl == nullptr; }
inline std::string glsl_function_name(expr_op op)
{
    return op == expr_op::min ? "lesser_of" : op == expr_op::max ? "greater_of" : joined(name_of(op), "_of");
}

// The definition of such a function, of 1, 2 or 4 lanes.
inline std::string glsl_function(expr_op op, int width)
{
    if (op == expr_op::min || op == expr_op::max) return glsl_extremum(op == expr_op::max, width);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        std::string text;
        const auto write = [&]<expr_op Op>() {
            if constexpr (is_glsl_function(Op) && Op != expr_op::min && Op != expr_op::max)
                if (op == Op)
                    text = width == 1   ? glsl_computed<Op, 1>()
                           : width == 2 ? glsl_computed<Op, 2>()
                                        : glsl_computed<Op, 4>();
        };
        (write.template operator()<expr_words[I].op>(), ...);
        return text;
    }(std::make_index_sequence<std::size(expr_words)>{});
}

} // namespace hone::codegen
