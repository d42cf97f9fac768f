/* SPDX-License-Identifier: ISC */
/*
 * script_lex.h - the words of a packetdrill script, with the line and column of each.
 *
 * Comments are those of C and C++. Words that were defined (-D name=value) are replaced by their
 * value. The text is borrowed; tokens are views into it, or into a definition.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_LEX_H
#define WN_SIM_SCRIPT_SCRIPT_LEX_H

#include <stdint.h>

#include "base/text.h"
#include "base/usec.h"

enum { SCRIPT_DEFINES_MAX = 64 };

enum script_token_kind {
    SCRIPT_TOKEN_END,
    SCRIPT_TOKEN_WORD,
    SCRIPT_TOKEN_INTEGER,     /* 12 or -12 */
    SCRIPT_TOKEN_HEX,         /* 0x12 */
    SCRIPT_TOKEN_FLOAT,       /* .5 or 0.5 */
    SCRIPT_TOKEN_STRING,      /* between quotes; escapes are not undone */
    SCRIPT_TOKEN_BACK_QUOTED, /* between back quotes */
    SCRIPT_TOKEN_CODE,        /* between %{ and }% */
    SCRIPT_TOKEN_OPTION,      /* behind -- */
    SCRIPT_TOKEN_ELLIPSIS,
    SCRIPT_TOKEN_SIGN,        /* any other character */
    SCRIPT_TOKEN_BAD,         /* what begins here has no end; `text` says what */
    SCRIPT_TOKEN_KIND_COUNT
};

struct script_token {
    enum script_token_kind kind;
    uint32_t line, column; /* from 1 */
    struct bytes text;     /* without its delimiters */
    int64_t number;        /* INTEGER, HEX; cut to the range of the type */
};

struct script_define {
    struct bytes name;
    struct bytes value; /* a word, a number, or a text in its quotes */
};

struct script_defines {
    struct script_define list[SCRIPT_DEFINES_MAX];
    size_t count;
};

/* "NAME=VALUE"; a later one replaces an earlier. False: no '=', or too many. `text` is borrowed. */
MUST_USE bool script_define(struct script_defines *defines, struct bytes text);

struct script_lexer {
    struct bytes rest;
    uint32_t line, column;
    const struct script_defines *defines;
};

struct script_lexer script_lexer_of(struct bytes text, const struct script_defines *defines);

struct script_token script_lex(struct script_lexer *lexer);

/* What stands behind the '=' of an option, up to white space; quotes are kept. */
struct script_token script_lex_value(struct script_lexer *lexer);

/* Is the token that sign, that word? */
bool script_token_is_sign(const struct script_token *token, char sign);
bool script_token_is_word(const struct script_token *token, const char *word);

/* Seconds with up to six places, as in "1", ".25", "0.000001"; more places are cut. False: not of
 * that form, negative, or longer than a century. */
MUST_USE bool script_parse_seconds(struct bytes text, usec *out);

#endif
