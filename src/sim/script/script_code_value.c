/* SPDX-License-Identifier: ISC */
/* script_code_value.c - expressions: evaluated while they are read, integers in 64 bits. */
#include "sim/script/script_code_internal.h"

enum { ARGUMENTS_MAX = 16 };

static struct script_datum nothing(void)
{
    return (struct script_datum){.kind = SCRIPT_NONE, .text = bytes_empty()};
}

static struct script_datum integer(int64_t value)
{
    return (struct script_datum){.kind = SCRIPT_INT, .integer = value, .text = bytes_empty()};
}

static struct script_datum truth(bool value)
{
    return (struct script_datum){.kind = SCRIPT_BOOL, .integer = value, .text = bytes_empty()};
}

static struct script_datum real(double value)
{
    return (struct script_datum){.kind = SCRIPT_REAL, .real = value, .text = bytes_empty()};
}

static struct script_datum text(struct bytes value)
{
    return (struct script_datum){.kind = SCRIPT_TEXT, .text = value};
}

static bool is_whole(const struct script_datum *value)
{
    return value->kind == SCRIPT_INT || value->kind == SCRIPT_BOOL;
}

static bool is_number(const struct script_datum *value)
{
    return is_whole(value) || value->kind == SCRIPT_REAL;
}

static double as_real(const struct script_datum *value)
{
    return value->kind == SCRIPT_REAL ? value->real : (double)value->integer;
}

/* The conversion of what does not fit is undefined. */
static int64_t whole_part(double value)
{
    if (!(value > -9.2e18 && value < 9.2e18))
        return 0;
    return (int64_t)value;
}

bool code_truth(const struct script_datum *value)
{
    if (value->kind == SCRIPT_TEXT)
        return value->text.len > 0;
    if (value->kind == SCRIPT_REAL)
        return value->real != 0;
    return value->kind != SCRIPT_NONE && value->integer != 0;
}

void code_add_datum(struct text *out, const struct script_datum *value)
{
    if (value->kind == SCRIPT_NONE)
        text_add(out, "None");
    else if (value->kind == SCRIPT_BOOL)
        text_add(out, value->integer != 0 ? "True" : "False");
    else if (value->kind == SCRIPT_INT)
        text_add_format(out, "%lld", (long long)value->integer);
    else if (value->kind == SCRIPT_REAL)
        text_add_format(out, "%g", value->real);
    else
        text_add_bytes(out, value->text);
}

/* ---- arithmetic ---- */

static struct script_datum keep_text(struct code *c, struct bytes value)
{
    const char *copy = arena_text(c->arena, value);
    if (copy == NULL) {
        code_fail(c, "no memory for a text");
        return nothing();
    }
    return text(bytes_of(copy, value.len));
}

/* One conversion of `format`, behind its percent sign; returns how long it is. Widths and precisions
 * are read over. */
static size_t add_conversion(struct code *c, struct bytes format, const struct script_datum *value,
                             struct text *out)
{
    static const char flags[] = "-+ 0123456789.#";
    size_t len = 0;
    while (len < format.len && memchr(flags, format.data[len], sizeof flags - 1) != NULL)
        len++;
    char letter = len < format.len ? (char)format.data[len] : '?';
    if (strchr("diu", letter) != NULL && is_number(value))
        text_add_format(out, "%lld", (long long)(is_whole(value) ? value->integer
                                                                 : whole_part(value->real)));
    else if (strchr("xX", letter) != NULL && is_whole(value))
        text_add_format(out, letter == 'x' ? "%llx" : "%llX", (unsigned long long)value->integer);
    else if (strchr("fFgGeE", letter) != NULL && is_number(value))
        text_add_format(out, letter == 'f' || letter == 'F' ? "%f" : "%g", as_real(value));
    else if (letter == 's' || letter == 'r')
        code_add_datum(out, value);
    else
        code_fail(c, "a text's %%%c does not fit its value", letter);
    return len + 1;
}

static struct script_datum format_values(struct code *c, struct bytes format,
                                         const struct script_datum *values, size_t count)
{
    char buffer[SCRIPT_CODE_TEXT_MAX];
    struct text out = text_of(buffer, sizeof buffer);
    size_t used = 0;
    for (size_t i = 0; i < format.len && !c->failed; i++) {
        if (format.data[i] != '%') {
            text_add_bytes(&out, bytes_of(format.data + i, 1));
        } else if (i + 1 < format.len && format.data[i + 1] == '%') {
            text_add(&out, "%");
            i++;
        } else if (used == count) {
            code_fail(c, "a text wants more than %zu values", count);
        } else
            i += add_conversion(c, bytes_after(format, i + 1), &values[used++], &out);
    }
    return keep_text(c, text_bytes(&out));
}

static struct script_datum real_arithmetic(struct code *c, double a, char sign, double b)
{
    if ((sign == '/' || sign == '%') && b == 0) {
        code_fail(c, "division by zero");
        return nothing();
    }
    switch (sign) {
    case '+':
        return real(a + b);
    case '-':
        return real(a - b);
    case '*':
        return real(a * b);
    case '/':
        return real(a / b);
    default:
        code_fail(c, "\"%c\" is for whole numbers", sign);
        return nothing();
    }
}

/* Rounds down, as Python does. */
static int64_t floor_divide(int64_t a, int64_t b, int64_t *rest)
{
    int64_t quotient = b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    *rest = b == -1 ? 0 : a % b;
    if (*rest != 0 && (*rest < 0) != (b < 0)) {
        *rest += b;
        quotient--;
    }
    return quotient;
}

static struct script_datum whole_arithmetic(struct code *c, int64_t a, const char *sign, int64_t b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    int64_t rest = 0;
    bool shift = strcmp(sign, "<<") == 0 || strcmp(sign, ">>") == 0;
    bool division = sign[0] == '/' || sign[0] == '%';
    if (division && b == 0) {
        code_fail(c, "division by zero");
        return nothing();
    }
    if (shift && (b < 0 || b > 63)) {
        code_fail(c, "shifted by %lld", (long long)b);
        return nothing();
    }
    if (strcmp(sign, "//") == 0)
        return integer(floor_divide(a, b, &rest));
    switch (sign[0]) {
    case '+':
        return integer((int64_t)(x + y));
    case '-':
        return integer((int64_t)(x - y));
    case '*':
        return integer((int64_t)(x * y));
    case '/':
        return real((double)a / (double)b);
    case '%':
        floor_divide(a, b, &rest);
        return integer(rest);
    case '<':
        return integer((int64_t)(x << b));
    case '>':
        return integer(a >> b);
    case '&':
        return integer((int64_t)(x & y));
    case '|':
        return integer((int64_t)(x | y));
    default:
        return integer((int64_t)(x ^ y));
    }
}

struct script_datum code_arithmetic(struct code *c, struct script_datum a, const char *sign,
                                    struct script_datum b)
{
    if (c->failed)
        return nothing();
    if (a.kind == SCRIPT_TEXT && sign[0] == '%')
        return format_values(c, a.text, &b, 1);
    if (a.kind == SCRIPT_TEXT && b.kind == SCRIPT_TEXT && sign[0] == '+') {
        char buffer[SCRIPT_CODE_TEXT_MAX];
        struct text out = text_of(buffer, sizeof buffer);
        text_add_bytes(&out, a.text);
        text_add_bytes(&out, b.text);
        return keep_text(c, text_bytes(&out));
    }
    if (!is_number(&a) || !is_number(&b)) {
        code_fail(c, "\"%s\" is for numbers", sign);
        return nothing();
    }
    if (a.kind == SCRIPT_REAL || b.kind == SCRIPT_REAL)
        return strcmp(sign, "//") == 0
                   ? real((double)whole_part(as_real(&a) / (as_real(&b) != 0 ? as_real(&b) : 1)))
                   : real_arithmetic(c, as_real(&a), sign[0], as_real(&b));
    return whole_arithmetic(c, a.integer, sign, b.integer);
}

/* ---- parts ---- */

static int64_t parse_integer(struct code *c, struct bytes digits)
{
    bool hex = digits.len > 2 && digits.data[0] == '0' && (digits.data[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : 10;
    uint64_t value = 0;
    for (size_t i = hex ? 2 : 0; i < digits.len; i++) {
        uint8_t octet = digits.data[i];
        unsigned digit = octet >= '0' && octet <= '9' ? (unsigned)(octet - '0')
                                                      : (unsigned)((octet | 0x20) - 'a') + 10;
        if (digit >= base || value > (UINT64_MAX - digit) / base) {
            code_fail(c, "not a number: %.*s", (int)digits.len, (const char *)digits.data);
            return 0;
        }
        value = value * base + digit;
    }
    return (int64_t)value;
}

static double parse_real(struct bytes digits)
{
    double value = 0, unit = 1;
    bool behind = false;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] == '.')
            behind = true;
        else if (behind)
            value += (digits.data[i] - '0') * (unit /= 10);
        else
            value = value * 10 + (digits.data[i] - '0');
    }
    return value;
}

/* Values up to ")", of which there may be none. */
static size_t parse_arguments(struct code *c, struct script_datum *out)
{
    size_t count = 0;
    c->parentheses++;
    while (!c->failed && !code_is(c, ")")) {
        if (count == ARGUMENTS_MAX) {
            code_fail(c, "more than %d values", ARGUMENTS_MAX);
            break;
        }
        out[count++] = code_expression(c);
        if (!code_accept(c, ","))
            break;
    }
    c->parentheses--;
    code_expect(c, ")");
    return count;
}

static int compare(const struct script_datum *a, const struct script_datum *b)
{
    if (is_whole(a) && is_whole(b))
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    double x = as_real(a), y = as_real(b);
    return x < y ? -1 : x > y;
}

static struct script_datum extreme(struct code *c, const struct script_datum *values, size_t count,
                                   int wanted)
{
    struct script_datum best = count > 0 ? values[0] : nothing();
    if (count == 0)
        code_fail(c, "min and max want a value");
    for (size_t i = 0; i < count; i++) {
        if (!is_number(&values[i]))
            code_fail(c, "min and max are for numbers");
        else if (i > 0 && compare(&values[i], &best) == wanted)
            best = values[i];
    }
    return best;
}

static struct script_datum call(struct code *c, struct bytes name)
{
    struct script_datum values[ARGUMENTS_MAX];
    size_t count = parse_arguments(c, values);
    if (c->failed)
        return nothing();
    const struct script_datum *first = count > 0 ? &values[0] : NULL;
    if (bytes_equal(name, bytes_of_text("min")))
        return extreme(c, values, count, -1);
    if (bytes_equal(name, bytes_of_text("max")))
        return extreme(c, values, count, 1);
    if (count == 1 && bytes_equal(name, bytes_of_text("str"))) {
        char buffer[SCRIPT_CODE_TEXT_MAX];
        struct text out = text_of(buffer, sizeof buffer);
        code_add_datum(&out, first);
        return keep_text(c, text_bytes(&out));
    }
    if (count == 1 && first->kind == SCRIPT_TEXT && bytes_equal(name, bytes_of_text("len")))
        return integer((int64_t)first->text.len);
    if (count == 1 && is_number(first)) {
        if (bytes_equal(name, bytes_of_text("int")))
            return integer(is_whole(first) ? first->integer : whole_part(first->real));
        if (bytes_equal(name, bytes_of_text("float")))
            return real(as_real(first));
        if (bytes_equal(name, bytes_of_text("abs")))
            return is_whole(first)
                       ? integer(first->integer < 0 ? (int64_t)(0 - (uint64_t)first->integer)
                                                    : first->integer)
                       : real(first->real < 0 ? -first->real : first->real);
    }
    code_fail(c, "%.*s(): not understood here", (int)name.len, (const char *)name.data);
    return nothing();
}

static struct script_datum parse_name(struct code *c)
{
    static const struct {
        const char *word;
        enum script_datum_kind kind;
        int64_t value;
    } constants[] = {
        {"True", SCRIPT_BOOL, 1}, {"False", SCRIPT_BOOL, 0}, {"None", SCRIPT_NONE, 0}};
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (code_accept(c, constants[i].word))
            return (struct script_datum){.kind = constants[i].kind,
                                         .integer = constants[i].value,
                                         .text = bytes_empty()};
    struct bytes name = c->token.text;
    code_next(c);
    if (code_accept(c, "("))
        return call(c, name);
    const struct script_datum *value = script_names_find(c->names, name);
    if (value == NULL) {
        code_fail(c, "nothing is called %.*s", (int)name.len, (const char *)name.data);
        return nothing();
    }
    return *value;
}

static struct script_datum parse_text(struct code *c)
{
    char buffer[SCRIPT_CODE_TEXT_MAX];
    struct text out = text_of(buffer, sizeof buffer);
    while (c->token.kind == CODE_TEXT) {
        struct bytes piece = bytes_first(bytes_after(c->token.text, 1), c->token.text.len - 2);
        for (size_t i = 0; i < piece.len; i++) {
            bool escaped = piece.data[i] == '\\' && i + 1 < piece.len;
            i += escaped;
            const char *newline = escaped && piece.data[i] == 'n' ? "\n" : NULL;
            text_add_bytes(&out, newline != NULL ? bytes_of_text(newline)
                                                 : bytes_of(piece.data + i, 1));
        }
        code_next(c);
    }
    return keep_text(c, text_bytes(&out));
}

static struct script_datum parse_atom(struct code *c)
{
    struct script_datum value = nothing();
    if (c->token.kind == CODE_INTEGER) {
        value = integer(parse_integer(c, c->token.text));
        code_next(c);
    } else if (c->token.kind == CODE_REAL) {
        value = real(parse_real(c->token.text));
        code_next(c);
    } else if (c->token.kind == CODE_TEXT) {
        value = parse_text(c);
    } else if (c->token.kind == CODE_NAME) {
        value = parse_name(c);
    } else if (code_is(c, "(")) {
        c->parentheses++;
        code_next(c);
        value = code_expression(c);
        c->parentheses--;
        code_expect(c, ")");
    } else if (c->token.kind == CODE_END || c->token.kind == CODE_NEWLINE)
        code_fail(c, "a value is missing at the end");
    else
        code_fail(c, "expected a value before \"%.*s\"", (int)c->token.text.len,
                  (const char *)c->token.text.data);
    return value;
}

/* ---- operators, weakest last ---- */

static struct script_datum parse_unary(struct code *c)
{
    static const char *const signs[] = {"-", "+", "~"};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (!code_is(c, signs[i]))
            continue;
        if (++c->depth > SCRIPT_CODE_DEPTH_MAX) {
            code_fail(c, "nested too deep");
            return nothing();
        }
        code_next(c);
        struct script_datum value = parse_unary(c);
        c->depth--;
        if (signs[i][0] == '~')
            return code_arithmetic(c, value, "^", integer(-1));
        return code_arithmetic(c, integer(0), signs[i], value);
    }
    return parse_atom(c);
}

/* `text % (a, b)`: the values in parentheses are a list for the text. */
static struct script_datum parse_format(struct code *c, struct bytes format)
{
    struct script_datum values[ARGUMENTS_MAX];
    size_t count = 1;
    if (code_is(c, "(")) {
        code_next(c);
        count = parse_arguments(c, values);
    } else
        values[0] = parse_unary(c);
    return c->failed ? nothing() : format_values(c, format, values, count);
}

/* Levels of left-associative operators, tightest first. */
static const char *const levels[][5] = {
    {"*", "//", "/", "%", NULL}, {"+", "-", NULL}, {"<<", ">>", NULL},
    {"&", NULL},                 {"^", NULL},      {"|", NULL},
};

static struct script_datum parse_level(struct code *c, size_t level)
{
    struct script_datum value = level == 0 ? parse_unary(c) : parse_level(c, level - 1);
    for (;;) {
        const char *sign = NULL;
        for (size_t i = 0; levels[level][i] != NULL && sign == NULL; i++)
            if (c->token.kind == CODE_SIGN && code_is(c, levels[level][i]))
                sign = levels[level][i];
        if (sign == NULL)
            return value;
        code_next(c);
        if (value.kind == SCRIPT_TEXT && sign[0] == '%') {
            value = parse_format(c, value.text);
            continue;
        }
        struct script_datum other = level == 0 ? parse_unary(c) : parse_level(c, level - 1);
        value = code_arithmetic(c, value, sign, other);
    }
}

static bool holds(struct code *c, const struct script_datum *a, const char *sign,
                  const struct script_datum *b)
{
    bool texts = a->kind == SCRIPT_TEXT && b->kind == SCRIPT_TEXT;
    bool numbers = is_number(a) && is_number(b);
    bool equality = sign[1] == '=' && (sign[0] == '=' || sign[0] == '!');
    if (equality && !numbers) {
        bool equal = texts ? bytes_equal(a->text, b->text) : a->kind == b->kind && !is_number(a);
        return equal == (sign[0] == '=');
    }
    if (!numbers) {
        code_fail(c, "\"%s\" is for numbers", sign);
        return false;
    }
    int order = compare(a, b);
    if (equality)
        return (order == 0) == (sign[0] == '=');
    if (sign[0] == '<')
        return order < 0 || (order == 0 && sign[1] == '=');
    return order > 0 || (order == 0 && sign[1] == '=');
}

static struct script_datum parse_comparison(struct code *c)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">"};
    struct script_datum value = parse_level(c, ARRAY_LEN(levels) - 1);
    bool chain = false, all = true;
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (c->failed || !code_accept(c, signs[i]))
            continue;
        struct script_datum other = parse_level(c, ARRAY_LEN(levels) - 1);
        if (!c->failed)
            all &= holds(c, &value, signs[i], &other);
        value = other;
        chain = true;
        i = (size_t)-1; /* a < b < c */
    }
    return chain ? truth(all) : value;
}

static struct script_datum parse_not(struct code *c)
{
    if (!code_is(c, "not"))
        return parse_comparison(c);
    if (++c->depth > SCRIPT_CODE_DEPTH_MAX) {
        code_fail(c, "nested too deep");
        return nothing();
    }
    code_next(c);
    struct script_datum value = parse_not(c);
    c->depth--;
    return truth(!code_truth(&value));
}

static struct script_datum parse_and(struct code *c)
{
    struct script_datum value = parse_not(c);
    while (!c->failed && code_accept(c, "and")) {
        struct script_datum other = parse_not(c);
        value = code_truth(&value) ? other : value;
    }
    return value;
}

struct script_datum code_expression(struct code *c)
{
    if (++c->depth > SCRIPT_CODE_DEPTH_MAX) {
        code_fail(c, "nested too deep");
        return nothing();
    }
    struct script_datum value = parse_and(c);
    while (!c->failed && code_accept(c, "or")) {
        struct script_datum other = parse_and(c);
        value = code_truth(&value) ? value : other;
    }
    c->depth--;
    return value;
}
