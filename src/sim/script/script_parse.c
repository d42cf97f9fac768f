/* SPDX-License-Identifier: ISC */
/*
 * script_parse.c - options, events and their times, system calls.
 *
 *      script  = { option } [ `command` ] { event } [ `command` ]
 *      event   = time ( packet | [ "..." seconds ] call | `command` | %{ code }% )
 *      time    = [ "+" ] seconds [ "~" [ "+" ] seconds ] | "*"
 *      call    = name "(" values ")" "=" value [ errno ] [ "(" words ")" ]
 */
#include "sim/script/script_parse.h"

void script_parser_fail(struct script_parser *p, const struct script_token *token,
                        const char *format, ...)
{
    if (p->failed)
        return;
    if (token == NULL)
        token = &p->token;
    p->failed = true;
    p->error->line = token->line;
    p->error->column = token->column;
    struct text text = text_of(p->error->text, sizeof p->error->text);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&text, format, arguments);
    va_end(arguments);
    p->token.kind = SCRIPT_TOKEN_END;
}

struct script_token script_parser_take(struct script_parser *p)
{
    struct script_token token = p->token;
    if (p->failed)
        return token;
    p->token = script_lex(&p->lexer);
    if (p->token.kind == SCRIPT_TOKEN_BAD)
        script_parser_fail(p, NULL, "%.*s", (int)p->token.text.len,
                           (const char *)p->token.text.data);
    return token;
}

void *script_parser_new(struct script_parser *p, size_t size)
{
    void *block = p->failed ? NULL : arena_zeroed(p->arena, size);
    if (block == NULL)
        script_parser_fail(p, NULL, "the script is too large");
    return block;
}

bool script_parser_sign(struct script_parser *p, char sign)
{
    if (!script_token_is_sign(&p->token, sign))
        return false;
    script_parser_take(p);
    return true;
}

bool script_parser_word(struct script_parser *p, const char *word)
{
    if (!script_token_is_word(&p->token, word))
        return false;
    script_parser_take(p);
    return true;
}

/* What stands where something else was expected, as a reader would call it. */
static void unexpected(struct script_parser *p, const char *expected)
{
    if (p->token.kind == SCRIPT_TOKEN_END)
        script_parser_fail(p, NULL, "expected %s, but the script ends", expected);
    else
        script_parser_fail(p, NULL, "expected %s, not \"%.*s\"", expected, (int)p->token.text.len,
                           (const char *)p->token.text.data);
}

void script_parser_expect(struct script_parser *p, char sign)
{
    char expected[] = {'"', sign, '"', '\0'};
    if (!script_parser_sign(p, sign))
        unexpected(p, expected);
}

uint32_t script_parser_number(struct script_parser *p, uint32_t max, const char *what)
{
    if (p->token.kind != SCRIPT_TOKEN_INTEGER) {
        unexpected(p, what);
        return 0;
    }
    if (p->token.number < 0 || p->token.number > max) {
        script_parser_fail(p, NULL, "%s is out of range: %.*s", what, (int)p->token.text.len,
                           (const char *)p->token.text.data);
        return 0;
    }
    return (uint32_t)script_parser_take(p).number;
}

/* ---- times ---- */

static usec parse_time(struct script_parser *p)
{
    usec at = 0;
    if (p->token.kind != SCRIPT_TOKEN_FLOAT && p->token.kind != SCRIPT_TOKEN_INTEGER)
        unexpected(p, "a time in seconds");
    else if (p->token.text.data[0] == '-')
        script_parser_fail(p, NULL, "a time is negative");
    else if (!script_parse_seconds(p->token.text, &at))
        script_parser_fail(p, NULL, "a time is too long");
    script_parser_take(p);
    return at;
}

static void parse_event_time(struct script_parser *p, struct script_event *event)
{
    if (script_parser_sign(p, '*')) {
        event->time_kind = SCRIPT_TIME_ANY;
        return;
    }
    bool relative = script_parser_sign(p, '+');
    event->time_kind = relative ? SCRIPT_TIME_RELATIVE : SCRIPT_TIME_ABSOLUTE;
    event->at = parse_time(p);
    if (!script_parser_sign(p, '~'))
        return;
    if (relative)
        script_parser_expect(p, '+');
    event->time_kind = relative ? SCRIPT_TIME_RELATIVE_RANGE : SCRIPT_TIME_ABSOLUTE_RANGE;
    event->end_at = parse_time(p);
    if (event->end_at < event->at)
        script_parser_fail(p, NULL, "the range of time is backwards");
}

/* ---- system calls ---- */

/* What Linux says of a result, in parentheses: words, which mean nothing to us. */
static void skip_note(struct script_parser *p)
{
    if (!script_parser_sign(p, '('))
        return;
    while (p->token.kind == SCRIPT_TOKEN_WORD)
        script_parser_take(p);
    script_parser_expect(p, ')');
}

static struct script_call *parse_call(struct script_parser *p)
{
    struct script_call *call = script_parser_new(p, sizeof *call);
    if (call == NULL)
        return NULL;
    if (p->token.kind == SCRIPT_TOKEN_ELLIPSIS) {
        script_parser_take(p);
        call->blocking = true;
        call->end_at = parse_time(p);
    }
    if (p->token.kind != SCRIPT_TOKEN_WORD)
        unexpected(p, "a packet, a system call, a command or code");
    call->name = script_parser_take(p).text;
    script_parser_expect(p, '(');
    call->arguments = script_parse_values(p, ')', &call->argument_count);
    script_parser_expect(p, '=');
    call->result = script_parse_value(p);
    if (p->token.kind == SCRIPT_TOKEN_WORD)
        call->error = script_parser_take(p).text;
    else
        call->error = bytes_empty();
    skip_note(p);
    return call;
}

/* ---- events ---- */

static void check_time_of(struct script_parser *p, const struct script_event *event)
{
    bool outbound = event->kind == SCRIPT_EVENT_PACKET && event->u.packet != NULL &&
                    !event->u.packet->inbound;
    struct script_token at = {.line = event->line, .column = event->column};
    if (outbound || event->time_kind == SCRIPT_TIME_ABSOLUTE ||
        event->time_kind == SCRIPT_TIME_RELATIVE)
        return;
    script_parser_fail(p, &at, event->time_kind == SCRIPT_TIME_ANY
                       ? "only an outbound packet can come at any time (*)"
                       : "only an outbound packet can come within a range of time");
}

static struct script_event *parse_event(struct script_parser *p)
{
    struct script_event *event = script_parser_new(p, sizeof *event);
    if (event == NULL)
        return NULL;
    event->line = p->token.line;
    event->column = p->token.column;
    parse_event_time(p, event);
    if (script_token_is_sign(&p->token, '<') || script_token_is_sign(&p->token, '>')) {
        event->kind = SCRIPT_EVENT_PACKET;
        event->u.packet = script_parse_packet(p);
    } else if (p->token.kind == SCRIPT_TOKEN_BACK_QUOTED) {
        event->kind = SCRIPT_EVENT_COMMAND;
        event->u.text = script_parser_take(p);
    } else if (p->token.kind == SCRIPT_TOKEN_CODE) {
        event->kind = SCRIPT_EVENT_CODE;
        event->u.text = script_parser_take(p);
    } else {
        event->kind = SCRIPT_EVENT_CALL;
        event->u.call = parse_call(p);
    }
    check_time_of(p, event);
    return event;
}

static void parse_option(struct script_parser *p, struct script_option *option,
                         struct script_defines *defines)
{
    option->name = p->token; /* the lexer stands right behind it */
    option->value = bytes_empty();
    if (p->lexer.rest.len > 0 && p->lexer.rest.data[0] == '=') {
        p->lexer.rest = bytes_after(p->lexer.rest, 1);
        p->lexer.column++;
        option->value = script_lex_value(&p->lexer).text;
        option->has_value = true;
    }
    if (bytes_equal(option->name.text, bytes_of_text("define")) &&
        !script_define(defines, option->value))
        script_parser_fail(p, &option->name, "expected --define=NAME=VALUE (at most %d)",
                           SCRIPT_DEFINES_MAX);
    script_parser_take(p);
}

static void parse_script(struct script_parser *p, struct script *script,
                         struct script_defines *defines)
{
    struct script_option **option = &script->options;
    while (p->token.kind == SCRIPT_TOKEN_OPTION && !p->failed) {
        if ((*option = script_parser_new(p, sizeof **option)) == NULL)
            return;
        parse_option(p, *option, defines);
        option = &(*option)->next;
    }
    if (p->token.kind == SCRIPT_TOKEN_BACK_QUOTED) {
        script->has_init = true;
        script->init = script_parser_take(p);
    }
    struct script_event **event = &script->events;
    do {
        if ((*event = parse_event(p)) == NULL)
            return;
        event = &(*event)->next;
        script->event_count++;
    } while (p->token.kind != SCRIPT_TOKEN_END && p->token.kind != SCRIPT_TOKEN_BACK_QUOTED);
    if (p->token.kind == SCRIPT_TOKEN_BACK_QUOTED) {
        script->has_cleanup = true;
        script->cleanup = script_parser_take(p);
        if (p->token.kind != SCRIPT_TOKEN_END)
            unexpected(p, "the end of the script behind a command without a time");
    }
}

bool script_parse(struct script *script, const struct heap *heap, struct bytes text,
                  struct script_defines *defines, struct script_error *error)
{
    *script = (struct script){0};
    *error = (struct script_error){0};
    arena_init(&script->arena, heap, SCRIPT_TREE_MAX);
    struct script_parser p = {.lexer = script_lexer_of(text, defines), .arena = &script->arena,
                              .error = error};
    if (text.len > SCRIPT_OCTETS_MAX)
        script_parser_fail(&p, NULL, "the script is longer than %d octets", SCRIPT_OCTETS_MAX);
    script_parser_take(&p);
    parse_script(&p, script, defines);
    if (p.failed)
        script_done(script);
    return !p.failed;
}

void script_done(struct script *script)
{
    arena_done(&script->arena);
}
