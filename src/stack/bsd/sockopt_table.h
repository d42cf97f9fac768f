/* SPDX-License-Identifier: ISC */
/*
 * sockopt_table.h - the table of socket options: bsd_options.c has it, bsd_sockopt.c reads and writes
 * values by it. For these two only.
 */
#ifndef WN_STACK_BSD_SOCKOPT_TABLE_H
#define WN_STACK_BSD_SOCKOPT_TABLE_H

#include "stack/bsd/internal.h"

enum bsd_option_whom { BSD_OPTION_ALL, BSD_OPTION_STREAM, BSD_OPTION_INET6 };

enum bsd_option_type {
    BSD_OPTION_FUNCTIONS, /* `set` and `get` do it */
    BSD_OPTION_BOOL,      /* a bool of the socket, at `place` */
    BSD_OPTION_INT,       /* an int of the socket, at `place` */
    BSD_OPTION_TCP,       /* TCP's; `place` is an enum tcp_option */
    BSD_OPTION_ASKED,     /* `get` only */
};

enum { BSD_OPTION_SWITCH = 0 }; /* as a unit: 0 or 1 */

struct bsd_option {
    int level;
    int name;
    enum bsd_option_whom whom;
    enum bsd_option_type type;
    size_t place;
    int least; /* both 0: any value */
    int most;
    int unit;  /* TCP's value is this times as large; or BSD_OPTION_SWITCH */
    int (*set)(struct bsd_socket *s, int value);  /* instead of storing it */
    int (*get)(const struct bsd_socket *s);       /* instead of reading it; below -1: errno */
};

/* NULL: the socket does not have it. */
const struct bsd_option *bsd_option_find(const struct bsd_socket *s, int level, int name);

/* Does the socket have options of that level at all? */
bool bsd_option_level(const struct bsd_socket *s, int level);

/* bsd_tcp_info.c */
void bsd_tcp_info(const struct bsd_socket *s, struct wn_tcp_info *out);

#endif
