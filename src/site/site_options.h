/* SPDX-License-Identifier: ISC */
/*
 * site_options.h - the table of everything that can be said about a site: section, option, where
 * it is kept, how its text is read, what is expected. The site file's reader and the command line
 * are both driven by it.
 */
#ifndef WN_SITE_SITE_OPTIONS_H
#define WN_SITE_SITE_OPTIONS_H

#include "site/site_config.h"

struct site_option {
    const char *section;  /* "": outside of any block */
    const char *name;
    /* Reads `text` into `field`; false: not what is expected (or, for a list, no room). */
    bool (*parse)(struct bytes text, void *field, const struct site_option *option);
    size_t offset;        /* of the field in struct site_config; of block "host": in site_host */
    uint64_t min, max;    /* of numbers; of text: max is the size of the field */
    bool list;
    const char *expected; /* completes "expected …" */
};

/* Is that value of the option a path? One that is relative begins, in a site file, where the file is. */
bool site_option_is_path(const struct site_option *option, const char *value);

extern const struct site_option site_options[];
extern const size_t site_option_count;

/* NULL: there is no such option. */
const struct site_option *site_option_find(const char *section, const char *name);

/* The address of a name server, and its port if it is not 53, or that one. */
MUST_USE bool site_server_parse(struct bytes text, struct endpoint *out);
MUST_USE bool site_server_parse_port(struct bytes text, uint16_t port, struct endpoint *out);

/* A network, or one address. */
MUST_USE bool site_network_parse(struct bytes text, struct ip_prefix *out);

/* May the option stand in that block? What locations have, the blocks around them may have too. */
bool site_option_is_in(const struct site_option *option, const char *section);

/* Readers of values that other tables of options use too. */
MUST_USE bool site_listen_parse(struct bytes text, uint16_t port, struct endpoint *listen);
MUST_USE bool site_network_parse(struct bytes text, struct ip_prefix *out);

/* The device of a link, from its title: "tap:NAME" or "host". */
MUST_USE bool site_device_parse(struct bytes text, struct site_link *out);

/* [ADDRESS:]PORT[:INNER][/udp] */
MUST_USE bool site_published_parse(struct bytes text, struct site_published *out);

#endif
