/* SPDX-License-Identifier: ISC */
/*
 * script_parse.h - what the parts of the parser share: one token of foresight, and the first error.
 *
 * After an error every token is the end of the script, so that callers need not ask at each step.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_PARSE_H
#define WN_SIM_SCRIPT_SCRIPT_PARSE_H

#include "sim/script/script_tree.h"

struct script_parser {
    struct script_lexer lexer;
    struct script_token token; /* the next one */
    struct arena *arena;
    struct script_error *error;
    bool failed;
    unsigned depth;
};

/* Takes the token and reads the next one. */
struct script_token script_parser_take(struct script_parser *p);

/* The first error stays; at `token`, or with NULL at the next one. */
void script_parser_fail(struct script_parser *p, const struct script_token *token,
                        const char *format, ...) PRINTF_LIKE(3, 4);

/* Zeroed memory of the tree; NULL when there is none, which is an error. */
void *script_parser_new(struct script_parser *p, size_t size);

/* Takes the sign or word when it is next. */
bool script_parser_sign(struct script_parser *p, char sign);
bool script_parser_word(struct script_parser *p, const char *word);

/* Demand it: what is not there is an error. */
void script_parser_expect(struct script_parser *p, char sign);

/* An integer from 0 to `max`, called `what` in the error. */
uint32_t script_parser_number(struct script_parser *p, uint32_t max, const char *what);

struct script_value *script_parse_value(struct script_parser *p);

/* The values up to `close`, which is taken; *count: how many. */
struct script_value *script_parse_values(struct script_parser *p, char close, unsigned *count);

struct script_packet *script_parse_packet(struct script_parser *p);

/* From where the list of TCP options begins: at '<', or there is none. */
void script_parse_tcp_options(struct script_parser *p, struct script_packet *packet);

/* The ICMP type and code of those names (ICMPv4); -1: no such. "type_9" and "code_9" too. */
int script_icmp_type(struct bytes name);
int script_icmp_code(int type, struct bytes name);

/* The names, for messages; NULL: none. */
const char *script_icmp_type_text(uint8_t type);
const char *script_icmp_code_text(uint8_t type, uint8_t code);

#endif
