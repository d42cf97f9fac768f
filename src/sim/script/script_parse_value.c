/* SPDX-License-Identifier: ISC */
/*
 * script_parse_value.c - what system calls are given and give.
 *
 *      value = part { "|" part }
 *      part  = "..." | integer | text { text } [ "..." ] | "[" values "]" | "{" fields "}"
 *            | word [ "=" value | "(" values ")" ]
 *      field = [ word [ "(" value ")" ] "=" ] value
 */
#include "sim/script/script_parse.h"

static struct script_value *new_value(struct script_parser *p, enum script_value_kind kind)
{
    struct script_value *value = script_parser_new(p, sizeof *value);
    if (value != NULL) {
        value->kind = kind;
        value->line = p->token.line;
        value->column = p->token.column;
        value->text = bytes_empty();
        value->name = bytes_empty();
    }
    return value;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes one escape at the front, behind its backslash; returns how many octets it has. */
static size_t unescape(struct bytes in, uint8_t *out)
{
    static const char letters[] = "abfnrtv0";
    static const uint8_t values[] = {'\a', '\b', '\f', '\n', '\r', '\t', '\v', 0};
    if (in.data[0] == 'x' && in.len >= 3 && hex_digit(in.data[1]) >= 0 &&
        hex_digit(in.data[2]) >= 0) {
        *out = (uint8_t)(hex_digit(in.data[1]) << 4 | hex_digit(in.data[2]));
        return 3;
    }
    const char *letter = strchr(letters, in.data[0]);
    *out = letter != NULL && *letter != '\0' ? values[letter - letters] : in.data[0];
    return 1;
}

/* Appends a piece of text to the value's, escapes undone. */
static void add_piece(struct script_parser *p, struct script_value *value, struct bytes piece)
{
    uint8_t *joined = script_parser_new(p, value->text.len + piece.len + 1);
    if (joined == NULL)
        return;
    size_t len = value->text.len;
    memcpy(joined, value->text.data, len);
    for (size_t i = 0; i < piece.len;) {
        if (piece.data[i] == '\\' && i + 1 < piece.len) {
            i += 1 + unescape(bytes_after(piece, i + 1), &joined[len++]);
        } else
            joined[len++] = piece.data[i++];
    }
    value->text = bytes_of(joined, len);
}

static struct script_value *parse_string(struct script_parser *p)
{
    struct script_value *value = new_value(p, SCRIPT_VALUE_STRING);
    while (value != NULL && p->token.kind == SCRIPT_TOKEN_STRING)
        add_piece(p, value, script_parser_take(p).text);
    if (p->token.kind == SCRIPT_TOKEN_ELLIPSIS)
        script_parser_take(p);
    return value;
}

static struct script_value *parse_word(struct script_parser *p)
{
    struct script_value *value = new_value(p, SCRIPT_VALUE_WORD);
    if (value == NULL)
        return NULL;
    value->text = script_parser_take(p).text;
    if (script_parser_sign(p, '(')) {
        value->kind = SCRIPT_VALUE_CALL;
        value->first = script_parse_values(p, ')', &value->count);
    } else if (script_parser_sign(p, '=')) {
        value->kind = SCRIPT_VALUE_ASSIGN;
        value->first = script_parse_value(p);
    }
    return value;
}

/* In braces: `name = value` and `name(bound) = value` have been read as a word's forms. */
static void name_field(struct script_parser *p, struct script_value **place)
{
    struct script_value *field = *place;
    if (field->kind == SCRIPT_VALUE_CALL && script_parser_sign(p, '=')) {
        struct script_value *value = script_parse_value(p);
        if (value == NULL)
            return;
        value->name = field->text;
        value->bound = field->first;
        *place = value;
    } else if (field->kind == SCRIPT_VALUE_ASSIGN && field->first != NULL) {
        field->first->name = field->text;
        *place = field->first;
    }
}

static struct script_value *parse_struct(struct script_parser *p)
{
    struct script_value *value = new_value(p, SCRIPT_VALUE_STRUCT);
    if (value == NULL)
        return NULL;
    script_parser_take(p);
    struct script_value **place = &value->first;
    do {
        if ((*place = script_parse_value(p)) == NULL)
            return NULL;
        name_field(p, place);
        place = &(*place)->next;
        value->count++;
    } while (script_parser_sign(p, ','));
    script_parser_expect(p, '}');
    return value;
}

static struct script_value *parse_part(struct script_parser *p)
{
    struct script_value *value = NULL;
    switch ((int)p->token.kind) {
    case SCRIPT_TOKEN_ELLIPSIS:
        value = new_value(p, SCRIPT_VALUE_ELLIPSIS);
        script_parser_take(p);
        return value;
    case SCRIPT_TOKEN_INTEGER:
    case SCRIPT_TOKEN_HEX:
        if ((value = new_value(p, SCRIPT_VALUE_INTEGER)) != NULL)
            value->number = script_parser_take(p).number;
        return value;
    case SCRIPT_TOKEN_STRING:
        return parse_string(p);
    case SCRIPT_TOKEN_WORD:
        return parse_word(p);
    default:
        break;
    }
    if (script_token_is_sign(&p->token, '{'))
        return parse_struct(p);
    if (script_token_is_sign(&p->token, '[')) {
        if ((value = new_value(p, SCRIPT_VALUE_LIST)) != NULL) {
            script_parser_take(p);
            value->first = script_parse_values(p, ']', &value->count);
        }
        return value;
    }
    if (p->token.kind == SCRIPT_TOKEN_END)
        script_parser_fail(p, NULL, "expected a value, but the script ends");
    else
        script_parser_fail(p, NULL, "expected a value, not \"%.*s\"", (int)p->token.text.len,
                           (const char *)p->token.text.data);
    return NULL;
}

struct script_value *script_parse_value(struct script_parser *p)
{
    if (p->depth == SCRIPT_NESTING_MAX) {
        script_parser_fail(p, NULL, "values are nested more than %d deep", SCRIPT_NESTING_MAX);
        return NULL;
    }
    p->depth++;
    struct script_value *value = parse_part(p);
    while (value != NULL && script_token_is_sign(&p->token, '|')) {
        struct script_value *both = new_value(p, SCRIPT_VALUE_OR);
        script_parser_take(p);
        struct script_value *other = both != NULL ? parse_part(p) : NULL;
        if (other == NULL) {
            value = NULL;
            break;
        }
        both->first = value;
        value->next = other;
        value = both;
    }
    p->depth--;
    return p->failed ? NULL : value;
}

struct script_value *script_parse_values(struct script_parser *p, char close, unsigned *count)
{
    struct script_value *first = NULL;
    struct script_value **place = &first;
    *count = 0;
    if (script_parser_sign(p, close))
        return NULL;
    do {
        if ((*place = script_parse_value(p)) == NULL)
            return NULL;
        place = &(*place)->next;
        ++*count;
    } while (script_parser_sign(p, ','));
    script_parser_expect(p, close);
    return first;
}
