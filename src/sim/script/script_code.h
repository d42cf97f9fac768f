/* SPDX-License-Identifier: ISC */
/*
 * script_code.h - the code between %{ and }%: a small part of Python, run on what TCP_INFO says.
 *
 * Statements, one a line or with ';' between: `assert condition [, message]`, `print(values)`,
 * `name = value` (+= -= *= too), a bare value, `pass`. Values: integers, numbers with a point,
 * texts, True, False, None; or and not, comparisons in chains, | ^ & << >>, + - * / // %, unary - +
 * ~, `text % value`, parentheses, and the functions abs, min, max, int, float, str, len.
 * What a name was given stays for later code of the same script.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_CODE_H
#define WN_SIM_SCRIPT_SCRIPT_CODE_H

#include "base/arena.h"
#include "base/text.h"

enum {
    SCRIPT_NAMES_MAX = 256,
    SCRIPT_CODE_DEPTH_MAX = 64,
    SCRIPT_CODE_TEXT_MAX = 4096, /* of a value that is a text */
};

enum script_datum_kind { SCRIPT_NONE, SCRIPT_BOOL, SCRIPT_INT, SCRIPT_REAL, SCRIPT_TEXT };

struct script_datum {
    enum script_datum_kind kind;
    int64_t integer; /* BOOL, INT */
    double real;
    struct bytes text; /* in the arena, or in the code */
};

struct script_name {
    struct bytes name; /* borrowed */
    struct script_datum value;
};

struct script_names {
    struct script_name list[SCRIPT_NAMES_MAX];
    size_t count;
};

/* Sets a name; false: there are too many. `name` is borrowed. */
bool script_names_set(struct script_names *names, struct bytes name, struct script_datum value);
const struct script_datum *script_names_find(const struct script_names *names, struct bytes name);

struct script_code_result {
    unsigned line;     /* of the code, from 0, where it went wrong */
    bool asserted;     /* what went wrong is an assertion; otherwise the code itself */
    struct text *error;
    struct text *output; /* of print; NULL: thrown away */
};

/* False: an assertion does not hold, or the code is wrong; result->error says which and why, with
 * the values of the names in the assertion. */
MUST_USE bool script_code_run(struct bytes code, struct script_names *names, struct arena *arena,
                              struct script_code_result *result);

#endif
