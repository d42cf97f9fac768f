/* SPDX-License-Identifier: ISC */
/* host_name.h - the names that people type, looked up as the host does (getaddrinfo(3)). */
#ifndef WN_CLI_HOST_NAME_H
#define WN_CLI_HOST_NAME_H

#include "base/address.h"
#include "base/text.h"

enum host_name_version { HOST_NAME_ANY, HOST_NAME_V4, HOST_NAME_V6 };

/* The addresses of `name`, which may be one itself, in the order of preference (RFC 6724): at most `max`.
 * 0: *error says why there is none. */
MUST_USE size_t host_name_find_all(const char *name, enum host_name_version version,
                                   struct ip_address *out, size_t max, struct text *error);

/* The first address of `name`, which may be one itself. False: *error says why there is none. */
MUST_USE bool host_name_find(const char *name, enum host_name_version version,
                             struct ip_address *out, struct text *error);

#endif
