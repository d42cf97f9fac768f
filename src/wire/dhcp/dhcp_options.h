/* SPDX-License-Identifier: ISC */
/*
 * dhcp_options.h - the contents of the DHCP options that are more than a number, an address or a
 * text: masks, classless routes (RFC 3442), domain search lists (RFC 3397), host names (RFC 2132
 * §3.14).
 */
#ifndef WN_WIRE_DHCP_DHCP_OPTIONS_H
#define WN_WIRE_DHCP_DHCP_OPTIONS_H

#include "wire/dhcp/dhcp.h"

enum {
    DHCP_NAME_MAX = 254,  /* a domain name as text, with its NUL; RFC 1035 §2.3.4 */
    DHCP_LABEL_MAX = 64,  /* one label, with a NUL */
};

struct dhcp_route {
    struct ip_prefix to;
    struct ip_address via; /* 0.0.0.0: on the link */
};

/* The prefix length of a mask; false when its ones are not all in front. */
bool dhcp_mask_len(uint32_t mask, uint8_t *out);

/* The routes of option 121, at most `max`; false when it is malformed, and then none are to be
 * used. */
MUST_USE bool dhcp_routes_decode(struct bytes option, struct dhcp_route *out, size_t max,
                                 size_t *count);
void dhcp_route_encode(struct writer *w, const struct dhcp_route *route);

/*
 * The next name of option 119 as text without a final dot; *at starts at 0 and moves on. False:
 * no more names, or malformed, which leaves *at short of option.len. Only letters, digits, hyphens
 * and underscores are let through: the names go to resolvers' configuration.
 */
MUST_USE bool dhcp_search_next(struct bytes option, size_t *at, char out[DHCP_NAME_MAX]);

/* One name without compression. False, with nothing written, when it is not a name. */
MUST_USE bool dhcp_search_encode(struct writer *w, const char *name);

/* The first label of a host name option (clients also send whole names), in lower case. False when
 * it is not one: letters, digits and hyphens inside (RFC 1123 §2.1). */
MUST_USE bool dhcp_host_label(struct bytes option, char out[DHCP_LABEL_MAX]);

/* The option as a domain name in text, without final dot and trailing NULs; false when it is
 * none. */
MUST_USE bool dhcp_domain_text(struct bytes option, char out[DHCP_NAME_MAX]);

#endif
