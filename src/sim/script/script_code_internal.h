/* SPDX-License-Identifier: ISC */
/* script_code_internal.h - what statements (script_code.c) and values (script_code_value.c) share. */
#ifndef WN_SIM_SCRIPT_SCRIPT_CODE_INTERNAL_H
#define WN_SIM_SCRIPT_SCRIPT_CODE_INTERNAL_H

#include "sim/script/script_code.h"

enum code_token_kind {
    CODE_END,
    CODE_NEWLINE, /* ';' too */
    CODE_NAME,
    CODE_INTEGER,
    CODE_REAL,
    CODE_TEXT,
    CODE_SIGN,
};

struct code_token {
    enum code_token_kind kind;
    struct bytes text;
};

struct code {
    struct bytes rest;
    struct bytes start; /* from the token on */
    struct code_token token;
    unsigned line;
    unsigned parentheses;
    unsigned depth;
    bool failed;
    struct script_names *names;
    struct arena *arena;
    struct script_code_result *result;
};

/* The first failure stays; from then on the next token is the end. */
void code_fail(struct code *c, const char *format, ...) PRINTF_LIKE(2, 3);

void code_next(struct code *c);
bool code_is(const struct code *c, const char *word);
bool code_accept(struct code *c, const char *word);
void code_expect(struct code *c, const char *word);

struct script_datum code_expression(struct code *c);
struct script_datum code_arithmetic(struct code *c, struct script_datum a, const char *sign,
                                    struct script_datum b);
bool code_truth(const struct script_datum *value);

/* As print() writes it. */
void code_add_datum(struct text *out, const struct script_datum *value);

#endif
