/* SPDX-License-Identifier: ISC */
/*
 * script_code.c - statements and expressions, evaluated as they are read: one precedence level a
 * function, in the order of Python's grammar.
 */
#include "sim/script/script_code.h"

#include "sim/script/script_code_internal.h"

/* ---- names ---- */

const struct script_datum *script_names_find(const struct script_names *names, struct bytes name)
{
    for (size_t i = 0; i < names->count; i++)
        if (bytes_equal(names->list[i].name, name))
            return &names->list[i].value;
    return NULL;
}

bool script_names_set(struct script_names *names, struct bytes name, struct script_datum value)
{
    for (size_t i = 0; i < names->count; i++)
        if (bytes_equal(names->list[i].name, name)) {
            names->list[i].value = value;
            return true;
        }
    if (names->count == SCRIPT_NAMES_MAX)
        return false;
    names->list[names->count++] = (struct script_name){name, value};
    return true;
}

/* ---- words of the language ---- */

void code_fail(struct code *c, const char *format, ...)
{
    if (c->failed)
        return;
    c->failed = true;
    c->result->line = c->line;
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(c->result->error, format, arguments);
    va_end(arguments);
    c->token = (struct code_token){.kind = CODE_END};
}

static bool is_name_octet(uint8_t c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static uint8_t at(const struct code *c, size_t offset)
{
    return offset < c->rest.len ? c->rest.data[offset] : 0;
}

/* Over spaces, comments and joined lines; a line's end counts only outside of parentheses. */
static void skip_space(struct code *c)
{
    for (;;) {
        uint8_t octet = at(c, 0);
        size_t len = 1;
        if (octet == '#')
            len = bytes_find(c->rest, '\n');
        else if (octet == '\\' && (at(c, 1) == '\n' || (at(c, 1) == '\r' && at(c, 2) == '\n'))) {
            len = at(c, 1) == '\n' ? 2 : 3;
            c->line++;
        } else if (octet == '\n' && c->parentheses > 0)
            c->line++;
        else if (octet != ' ' && octet != '\t' && octet != '\r')
            return;
        c->rest = bytes_after(c->rest, len);
    }
}

static size_t number_len(const struct code *c, bool *real)
{
    size_t len = 0;
    *real = false;
    if (at(c, 0) == '0' && (at(c, 1) | 0x20) == 'x') {
        for (len = 2; is_name_octet(at(c, len), false); len++)
            ;
        return len;
    }
    while ((at(c, len) >= '0' && at(c, len) <= '9') || (at(c, len) == '.' && !*real)) {
        *real |= at(c, len) == '.';
        len++;
    }
    return len;
}

static size_t text_len(const struct code *c)
{
    for (size_t i = 1; i < c->rest.len && c->rest.data[i] != '\n'; i++) {
        if (c->rest.data[i] == '\\')
            i++;
        else if (c->rest.data[i] == c->rest.data[0])
            return i + 1;
    }
    return 0;
}

static void take_token(struct code *c, enum code_token_kind kind, size_t len)
{
    c->token = (struct code_token){kind, bytes_first(c->rest, len)};
    c->rest = bytes_after(c->rest, len);
}

static void next_sign(struct code *c)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "<<", ">>",
                                        "//", "+=", "-=", "*=", "**"};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (at(c, 0) == (uint8_t)pairs[i][0] && at(c, 1) == (uint8_t)pairs[i][1]) {
            take_token(c, CODE_SIGN, 2);
            return;
        }
    take_token(c, CODE_SIGN, 1);
}

void code_next(struct code *c)
{
    bool real;
    size_t len = 0;
    if (c->failed)
        return;
    c->line += c->token.kind == CODE_NEWLINE && c->token.text.data[0] == '\n';
    skip_space(c);
    c->start = c->rest;
    if (c->rest.len == 0)
        take_token(c, CODE_END, 0);
    else if (at(c, 0) == '\n' || at(c, 0) == ';')
        take_token(c, CODE_NEWLINE, 1);
    else if (at(c, 0) == '"' || at(c, 0) == '\'') {
        if ((len = text_len(c)) == 0)
            code_fail(c, "a text without its second quote");
        else
            take_token(c, CODE_TEXT, len);
    } else if (at(c, 0) != '.' && (len = number_len(c, &real)) > 0) {
        take_token(c, real ? CODE_REAL : CODE_INTEGER, len);
    } else if (is_name_octet(at(c, 0), true)) {
        while (is_name_octet(at(c, len), false))
            len++;
        take_token(c, CODE_NAME, len);
    } else
        next_sign(c);
}

bool code_is(const struct code *c, const char *word)
{
    return (c->token.kind == CODE_SIGN || c->token.kind == CODE_NAME) &&
           bytes_equal(c->token.text, bytes_of_text(word));
}

bool code_accept(struct code *c, const char *word)
{
    if (!code_is(c, word))
        return false;
    code_next(c);
    return true;
}

void code_expect(struct code *c, const char *word)
{
    if (!code_accept(c, word))
        code_fail(c, "expected \"%s\" before \"%.*s\"", word, (int)c->token.text.len,
                  (const char *)c->token.text.data);
}

/* ---- statements ---- */

static bool at_end_of_statement(const struct code *c)
{
    return c->token.kind == CODE_END || c->token.kind == CODE_NEWLINE;
}

/* The values of the names that stand in the condition, for who has to find out why. */
static void tell_names(struct code *c, struct bytes condition)
{
    struct code words = {.rest = condition, .result = c->result, .names = c->names};
    const char *between = ": ";
    for (code_next(&words); words.token.kind != CODE_END; code_next(&words)) {
        const struct script_datum *value = words.token.kind == CODE_NAME
            ? script_names_find(c->names, words.token.text) : NULL;
        bool constant = words.token.text.len > 0 && words.token.text.data[0] >= 'A' &&
                        words.token.text.data[0] <= 'Z';
        if (value == NULL || constant)
            continue;
        text_add(c->result->error, between);
        text_add_bytes(c->result->error, words.token.text);
        text_add(c->result->error, " is ");
        code_add_datum(c->result->error, value);
        between = ", ";
    }
}

static void run_assert(struct code *c)
{
    struct bytes from = c->start;
    struct script_datum value = code_expression(c);
    size_t len = (size_t)(c->start.data - from.data);
    struct bytes condition = text_trim(bytes_first(from, len));
    bool holds = code_truth(&value);
    struct script_datum message = {0};
    if (code_accept(c, ","))
        message = code_expression(c);
    if (c->failed || holds)
        return;
    code_fail(c, "not so: %.*s", (int)condition.len, (const char *)condition.data);
    c->result->asserted = true;
    tell_names(c, condition);
    if (message.kind == SCRIPT_TEXT) {
        text_add(c->result->error, " (");
        text_add_bytes(c->result->error, message.text);
        text_add(c->result->error, ")");
    }
}

static void run_print(struct code *c)
{
    bool first = true;
    code_expect(c, "(");
    c->parentheses++;
    while (!c->failed && !code_is(c, ")")) {
        struct script_datum value = code_expression(c);
        if (c->result->output != NULL && !c->failed) {
            text_add(c->result->output, first ? "" : " ");
            code_add_datum(c->result->output, &value);
        }
        first = false;
        if (!code_accept(c, ","))
            break;
    }
    c->parentheses--;
    code_expect(c, ")");
    if (c->result->output != NULL)
        text_add(c->result->output, "\n");
}

/* name = value, name += value; false: it is no assignment, and nothing was read. */
static bool run_assignment(struct code *c)
{
    struct code before = *c;
    struct bytes name = c->token.text;
    if (c->token.kind != CODE_NAME)
        return false;
    code_next(c);
    static const char *const operators[] = {"=", "+=", "-=", "*="};
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!code_accept(c, operators[i]))
            continue;
        struct script_datum value = code_expression(c);
        if (i > 0) {
            char sign[2] = {operators[i][0], '\0'};
            const struct script_datum *old = script_names_find(c->names, name);
            if (old == NULL)
                code_fail(c, "%.*s has no value yet", (int)name.len, (const char *)name.data);
            else
                value = code_arithmetic(c, *old, sign, value);
        }
        if (!c->failed && !script_names_set(c->names, name, value))
            code_fail(c, "more than %d names", SCRIPT_NAMES_MAX);
        return true;
    }
    *c = before;
    return false;
}

static void run_statement(struct code *c)
{
    static const char *const others[] = {"if",  "for",  "while", "def",    "import",
                                         "del", "with", "class", "return", "from"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (code_is(c, others[i]))
            code_fail(c, "\"%s\" is not understood here", others[i]);
    if (code_accept(c, "assert"))
        run_assert(c);
    else if (code_accept(c, "print"))
        run_print(c);
    else if (!code_accept(c, "pass") && !run_assignment(c))
        code_expression(c);
    if (!c->failed && !at_end_of_statement(c))
        code_fail(c, "did not expect \"%.*s\" here", (int)c->token.text.len,
                  (const char *)c->token.text.data);
}

bool script_code_run(struct bytes code, struct script_names *names, struct arena *arena,
                     struct script_code_result *result)
{
    result->line = 0;
    result->asserted = false;
    struct code c = {.rest = code, .names = names, .arena = arena, .result = result};
    code_next(&c);
    while (!c.failed && c.token.kind != CODE_END) {
        if (c.token.kind == CODE_NEWLINE)
            code_next(&c);
        else
            run_statement(&c);
    }
    return !c.failed;
}
