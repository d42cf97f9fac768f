/* SPDX-License-Identifier: ISC */
/*
 * script_parse_options.c - the list of TCP options, which is kept as it goes over the wire: order
 * and padding are part of what a script says.
 */
#include "sim/script/script_parse.h"

enum { /* RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 2385, RFC 7413, RFC 6994, RFC 9768 */
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMPS = 8,
    OPTION_MD5 = 19,
    OPTION_FAST_OPEN = 34,
    OPTION_ACCURATE_ECN_0 = 172,
    OPTION_ACCURATE_ECN_1 = 174,
    OPTION_EXPERIMENTAL = 254,
    FAST_OPEN_MAGIC = 0xf989, /* RFC 7413, appendix A: before 34 was assigned */
    MD5_LEN = 16,
};

/* The digits of a cookie may look like a number. */
static bool is_hex_token(const struct script_token *token)
{
    return token->kind == SCRIPT_TOKEN_WORD || token->kind == SCRIPT_TOKEN_INTEGER;
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t parse_hex(struct script_parser *p, uint8_t *out, size_t size)
{
    struct script_token token = script_parser_take(p);
    if (token.text.len % 2 != 0 || token.text.len / 2 > size) {
        script_parser_fail(p, &token, "expected at most %zu octets in hexadecimal digits", size);
        return 0;
    }
    for (size_t i = 0; i < token.text.len; i += 2) {
        int high = digit_of(token.text.data[i]);
        int low = digit_of(token.text.data[i + 1]);
        if (high < 0 || low < 0) {
            script_parser_fail(p, &token, "not hexadecimal: %.*s", (int)token.text.len,
                               (const char *)token.text.data);
            return 0;
        }
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return token.text.len / 2;
}

static void parse_sack(struct script_parser *p, struct writer *w)
{
    size_t at = writer_len(w);
    write_u8(w, OPTION_SACK);
    write_u8(w, 0);
    do {
        write_u32(w, script_parser_number(p, UINT32_MAX, "a sequence number"));
        script_parser_expect(p, ':');
        write_u32(w, script_parser_number(p, UINT32_MAX, "a sequence number"));
    } while (p->token.kind == SCRIPT_TOKEN_INTEGER && !p->failed);
    if (!w->failed)
        w->start[at + 1] = (uint8_t)(writer_len(w) - at);
}

static void parse_timestamps(struct script_parser *p, struct writer *w)
{
    write_u8(w, OPTION_TIMESTAMPS);
    write_u8(w, 10);
    if (!script_parser_word(p, "val"))
        script_parser_fail(p, NULL, "expected TS val NUMBER ecr NUMBER");
    write_u32(w, script_parser_number(p, UINT32_MAX, "a timestamp"));
    if (!script_parser_word(p, "ecr"))
        script_parser_fail(p, NULL, "expected TS val NUMBER ecr NUMBER");
    write_u32(w, script_parser_number(p, UINT32_MAX, "a timestamp"));
}

static void parse_cookie(struct script_parser *p, struct writer *w, bool experimental)
{
    uint8_t cookie[SCRIPT_TCP_OPTIONS_MAX];
    size_t len = is_hex_token(&p->token) ? parse_hex(p, cookie, sizeof cookie) : 0;
    write_u8(w, experimental ? OPTION_EXPERIMENTAL : OPTION_FAST_OPEN);
    write_u8(w, (uint8_t)(2 + (experimental ? 2 : 0) + len));
    if (experimental)
        write_u16(w, FAST_OPEN_MAGIC);
    write_copy(w, cookie, len);
}

static void parse_md5(struct script_parser *p, struct writer *w)
{
    uint8_t digest[MD5_LEN];
    if (!is_hex_token(&p->token)) {
        script_parser_fail(p, NULL, "expected the digest in hexadecimal digits");
        return;
    }
    size_t len = parse_hex(p, digest, sizeof digest);
    write_u8(w, OPTION_MD5);
    write_u8(w, (uint8_t)(2 + len));
    write_copy(w, digest, len);
}

static uint32_t counter_24(struct script_parser *p)
{
    return script_parser_number(p, 0xffffff, "a counter of octets");
}

static void write_u24(struct writer *w, uint32_t value)
{
    write_u8(w, (uint8_t)(value >> 16));
    write_u16(w, (uint16_t)value);
}

/* RFC 9768 §3.2.3: the kind says which counter is first; later ones may be left out. */
static void parse_accurate_ecn(struct script_parser *p, struct writer *w)
{
    bool zero = script_parser_word(p, "e0b");
    if (!zero && !script_parser_word(p, "e1b"))
        script_parser_fail(p, NULL, "expected ECN e0b … or ECN e1b …");
    size_t at = writer_len(w);
    write_u8(w, zero ? OPTION_ACCURATE_ECN_0 : OPTION_ACCURATE_ECN_1);
    write_u8(w, 0);
    write_u24(w, counter_24(p));
    if (script_parser_word(p, "ceb")) {
        write_u24(w, counter_24(p));
        if (script_parser_word(p, zero ? "e1b" : "e0b"))
            write_u24(w, counter_24(p));
    }
    if (!w->failed)
        w->start[at + 1] = (uint8_t)(writer_len(w) - at);
}

static void parse_option(struct script_parser *p, struct writer *w)
{
    if (script_parser_word(p, "nop"))
        write_u8(w, OPTION_NOP);
    else if (script_parser_word(p, "eol"))
        write_u8(w, OPTION_END);
    else if (script_parser_word(p, "mss")) {
        write_u8(w, OPTION_MSS);
        write_u8(w, 4);
        write_u16(w, (uint16_t)script_parser_number(p, UINT16_MAX, "an MSS"));
    } else if (script_parser_word(p, "wscale")) {
        write_u8(w, OPTION_WINDOW_SCALE);
        write_u8(w, 3);
        write_u8(w, (uint8_t)script_parser_number(p, UINT8_MAX, "a window scale"));
    } else if (script_parser_word(p, "sackOK")) {
        write_u8(w, OPTION_SACK_PERMITTED);
        write_u8(w, 2);
    } else if (script_parser_word(p, "sack"))
        parse_sack(p, w);
    else if (script_parser_word(p, "TS"))
        parse_timestamps(p, w);
    else if (script_parser_word(p, "FO"))
        parse_cookie(p, w, false);
    else if (script_parser_word(p, "FOEXP"))
        parse_cookie(p, w, true);
    else if (script_parser_word(p, "md5"))
        parse_md5(p, w);
    else if (script_parser_word(p, "ECN"))
        parse_accurate_ecn(p, w);
    else
        script_parser_fail(p, NULL, "unknown TCP option \"%.*s\"", (int)p->token.text.len,
                           (const char *)p->token.text.data);
}

void script_parse_tcp_options(struct script_parser *p, struct script_packet *packet)
{
    struct script_token at = script_parser_take(p);
    if (p->token.kind == SCRIPT_TOKEN_ELLIPSIS) {
        if (packet->inbound)
            script_parser_fail(p, NULL, "<...> is for outbound segments only");
        script_parser_take(p);
        packet->any_options = true;
        script_parser_expect(p, '>');
        return;
    }
    struct writer w = writer_of(packet->options, sizeof packet->options);
    do
        parse_option(p, &w);
    while (script_parser_sign(p, ',') && !p->failed);
    script_parser_expect(p, '>');
    if (w.failed)
        script_parser_fail(p, &at, "the options are longer than %d octets", SCRIPT_TCP_OPTIONS_MAX);
    else if (writer_len(&w) % 4 != 0)
        script_parser_fail(p, &at, "the options have %zu octets, which is not a multiple of 4",
                           writer_len(&w));
    packet->option_len = (uint8_t)writer_len(&w);
}
