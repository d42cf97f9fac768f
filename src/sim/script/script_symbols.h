/* SPDX-License-Identifier: ISC */
/*
 * script_symbols.h - the names that stand in scripts: constants of system calls, errors, and the
 * fields of TCP_INFO. Numbers are Linux's, as in wholenet/socket_types.h.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_SYMBOLS_H
#define WN_SIM_SCRIPT_SCRIPT_SYMBOLS_H

#include <wholenet/socket_types.h>

#include "base/text.h"
#include "sim/script/script_code.h"

/* False: nothing has that name. */
MUST_USE bool script_symbol(struct bytes name, int64_t *out);

/* "ECONNRESET"; NULL: that number is no error that we know. */
const char *script_errno_text(int64_t number);

/* "EPOLLIN|EPOLLOUT"; "0". */
void script_add_events(struct text *out, const char *prefix, uint32_t events);

/* Puts the names of TCP_INFO's fields and of its constants into `names`. False: too many. */
MUST_USE bool script_names_of_tcp_info(const struct wn_tcp_info *info, struct script_names *names);

#endif
