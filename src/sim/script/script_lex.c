/* SPDX-License-Identifier: ISC */
/* script_lex.c - characters become words; the longest match is taken. */
#include "sim/script/script_lex.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word_octet(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static uint8_t octet_at(struct bytes text, size_t at)
{
    return at < text.len ? text.data[at] : 0;
}

bool script_define(struct script_defines *defines, struct bytes text)
{
    size_t equals = bytes_find(text, '=');
    if (equals == 0 || equals == text.len)
        return false;
    struct script_define new = {bytes_first(text, equals), bytes_after(text, equals + 1)};
    for (size_t i = 0; i < defines->count; i++)
        if (bytes_equal(defines->list[i].name, new.name)) {
            defines->list[i] = new;
            return true;
        }
    if (defines->count == SCRIPT_DEFINES_MAX)
        return false;
    defines->list[defines->count++] = new;
    return true;
}

struct script_lexer script_lexer_of(struct bytes text, const struct script_defines *defines)
{
    return (struct script_lexer){text, 1, 1, defines};
}

static void advance(struct script_lexer *lexer, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lexer->rest.data[i] == '\n') {
            lexer->line++;
            lexer->column = 1;
        } else
            lexer->column++;
    }
    lexer->rest = bytes_after(lexer->rest, len);
}

/* The length of white space or a comment at the front; 0 when there is none, or no end to it. */
static size_t blank_len(struct bytes text)
{
    size_t len = 0;
    if (is_space(octet_at(text, 0))) {
        while (len < text.len && is_space(text.data[len]))
            len++;
        return len;
    }
    if (octet_at(text, 0) != '/')
        return 0;
    if (octet_at(text, 1) == '/')
        return bytes_find(text, '\n');
    if (octet_at(text, 1) == '*')
        for (size_t i = 2; i + 1 < text.len; i++)
            if (text.data[i] == '*' && text.data[i + 1] == '/')
                return i + 2;
    return 0;
}

static void skip_blanks(struct script_lexer *lexer)
{
    size_t len;
    while ((len = blank_len(lexer->rest)) > 0)
        advance(lexer, len);
}

/* The length of a text in quotes at the front, with both; 0: there is no second quote. */
static size_t quoted_len(struct bytes text)
{
    uint8_t quote = text.data[0];
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == quote)
            return i + 1;
    }
    return 0;
}

static size_t code_len(struct bytes text)
{
    for (size_t i = 2; i + 1 < text.len; i++)
        if (text.data[i] == '}' && text.data[i + 1] == '%')
            return i + 2;
    return 0;
}

static size_t run_len(struct bytes text, size_t from, bool (*belongs)(uint8_t c))
{
    size_t at = from;
    while (at < text.len && belongs(text.data[at]))
        at++;
    return at - from;
}

static int64_t number_of(struct bytes digits, unsigned base)
{
    bool negative = octet_at(digits, 0) == '-';
    int64_t value = 0;
    for (size_t i = negative; i < digits.len; i++) {
        uint8_t c = digits.data[i];
        int64_t digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
        if (value > (INT64_MAX - digit) / base)
            return negative ? INT64_MIN : INT64_MAX;
        value = value * base + digit;
    }
    return negative ? -value : value;
}

static struct script_token finish(struct script_lexer *lexer, enum script_token_kind kind,
                                  size_t len, size_t delimiter)
{
    struct script_token token = {.kind = kind, .line = lexer->line, .column = lexer->column};
    token.text = bytes_first(bytes_after(lexer->rest, delimiter), len - 2 * delimiter);
    advance(lexer, len);
    return token;
}

static struct script_token bad(struct script_lexer *lexer, const char *what)
{
    struct script_token token = finish(lexer, SCRIPT_TOKEN_BAD, lexer->rest.len, 0);
    token.text = bytes_of_text(what);
    return token;
}

/* Numbers, or 0 octets. A word may begin with digits: cookies do. */
static size_t number_len(struct bytes text, enum script_token_kind *kind)
{
    size_t sign = octet_at(text, 0) == '-';
    size_t whole = run_len(text, sign, is_digit);
    size_t places = octet_at(text, sign + whole) == '.'
                        ? run_len(text, sign + whole + 1, is_digit) : 0;
    if (places > 0) {
        *kind = SCRIPT_TOKEN_FLOAT;
        return sign + whole + 1 + places;
    }
    *kind = SCRIPT_TOKEN_INTEGER;
    return whole > 0 ? sign + whole : 0;
}

/* A word that was defined becomes what it was defined as. */
static void substitute(const struct script_defines *defines, struct script_token *token)
{
    for (size_t i = 0; defines != NULL && i < defines->count; i++) {
        if (!bytes_equal(defines->list[i].name, token->text))
            continue;
        struct bytes value = defines->list[i].value;
        uint8_t first = octet_at(value, 0);
        enum script_token_kind kind;
        token->text = value;
        if ((first == '"' || first == '`') && value.len >= 2) {
            token->kind = first == '"' ? SCRIPT_TOKEN_STRING : SCRIPT_TOKEN_BACK_QUOTED;
            token->text = bytes_first(bytes_after(value, 1), value.len - 2);
        } else if (number_len(value, &kind) == value.len && value.len > 0 &&
                   kind == SCRIPT_TOKEN_INTEGER) {
            token->kind = kind;
            token->number = number_of(value, 10);
        }
        return;
    }
}

static struct script_token lex_number_or_word(struct script_lexer *lexer)
{
    struct bytes text = lexer->rest;
    enum script_token_kind kind;
    size_t number = number_len(text, &kind);
    size_t word = run_len(text, 0, is_word_octet);
    struct script_token token;
    if (octet_at(text, 0) == '0' && octet_at(text, 1) == 'x' &&
        run_len(text, 2, is_hex_digit) > 0 && 2 + run_len(text, 2, is_hex_digit) == word) {
        token = finish(lexer, SCRIPT_TOKEN_HEX, word, 0);
        token.number = number_of(bytes_after(token.text, 2), 16);
    } else if (number > 0 && number >= word) {
        token = finish(lexer, kind, number, 0);
        if (kind == SCRIPT_TOKEN_INTEGER)
            token.number = number_of(token.text, 10);
    } else if (word > 0) {
        token = finish(lexer, SCRIPT_TOKEN_WORD, word, 0);
        substitute(lexer->defines, &token);
    } else
        token = finish(lexer, SCRIPT_TOKEN_SIGN, 1, 0);
    return token;
}

struct script_token script_lex(struct script_lexer *lexer)
{
    skip_blanks(lexer);
    struct bytes text = lexer->rest;
    if (text.len == 0)
        return finish(lexer, SCRIPT_TOKEN_END, 0, 0);
    uint8_t first = text.data[0];
    uint8_t second = octet_at(text, 1);
    size_t len;
    if (first == '/' && second == '*')
        return bad(lexer, "a comment without an end");
    if (first == '"' || first == '`') {
        if ((len = quoted_len(text)) == 0)
            return bad(lexer, first == '"' ? "a text without its second quote"
                                           : "a command without its second back quote");
        return finish(lexer, first == '"' ? SCRIPT_TOKEN_STRING : SCRIPT_TOKEN_BACK_QUOTED, len, 1);
    }
    if (first == '%' && second == '{') {
        if ((len = code_len(text)) == 0)
            return bad(lexer, "code without its }%");
        return finish(lexer, SCRIPT_TOKEN_CODE, len, 2);
    }
    if (first == '.' && second == '.' && octet_at(text, 2) == '.')
        return finish(lexer, SCRIPT_TOKEN_ELLIPSIS, 3, 0);
    if (first == '-' && second == '-' && (len = run_len(text, 2, is_word_octet)) > 0) {
        struct script_token token = finish(lexer, SCRIPT_TOKEN_OPTION, 2 + len, 0);
        token.text = bytes_after(token.text, 2);
        return token;
    }
    return lex_number_or_word(lexer);
}

struct script_token script_lex_value(struct script_lexer *lexer)
{
    struct bytes text = lexer->rest;
    size_t len = 0;
    while (len < text.len && !is_space(text.data[len])) {
        size_t quoted = text.data[len] == '"' || text.data[len] == '`'
                            ? quoted_len(bytes_after(text, len)) : 0;
        len += quoted > 0 ? quoted : 1;
    }
    return finish(lexer, SCRIPT_TOKEN_WORD, len, 0);
}

bool script_token_is_sign(const struct script_token *token, char sign)
{
    return token->kind == SCRIPT_TOKEN_SIGN && token->text.data[0] == (uint8_t)sign;
}

bool script_token_is_word(const struct script_token *token, const char *word)
{
    return token->kind == SCRIPT_TOKEN_WORD && bytes_equal(token->text, bytes_of_text(word));
}

bool script_parse_seconds(struct bytes text, usec *out)
{
    enum { PLACES = 6 };
    const int64_t century = INT64_C(3155760000);
    size_t point = bytes_find(text, '.');
    struct bytes whole = bytes_first(text, point);
    struct bytes places = bytes_after(text, point + 1);
    if (whole.len + places.len == 0 || run_len(whole, 0, is_digit) != whole.len ||
        run_len(places, 0, is_digit) != places.len)
        return false;
    int64_t seconds = number_of(whole, 10);
    if (seconds > century)
        return false;
    usec value = seconds * USEC_PER_SEC;
    usec unit = USEC_PER_SEC;
    for (size_t i = 0; i < places.len && i < PLACES; i++) {
        unit /= 10;
        value += (places.data[i] - '0') * unit;
    }
    *out = value;
    return true;
}
