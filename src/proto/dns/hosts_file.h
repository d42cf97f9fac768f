/* SPDX-License-Identifier: ISC */
/* hosts_file.h - lines of an address and names (hosts(5), RFC 952): read where they lie, each time. */
#ifndef WN_PROTO_DNS_HOSTS_FILE_H
#define WN_PROTO_DNS_HOSTS_FILE_H

#include "base/address.h"

/* One line. Views of the content. */
struct hosts_line {
    struct ip_address address;
    struct bytes name;    /* the first one, which is the canonical one */
    struct bytes aliases; /* the rest of the line */
};

/* The next line that says something; `rest` is what is left of the content. False: there is none. */
bool hosts_next(struct bytes *rest, struct hosts_line *out);

/* Is it one of the line's names? Letters of either case are the same, and a final dot is nothing. */
bool hosts_has(const struct hosts_line *line, struct bytes name);

#endif
