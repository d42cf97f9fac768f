/* SPDX-License-Identifier: ISC */
/*
 * site_values.h - readers of the kinds of values that more than one block has, for the tables of options. Each
 * returns false when the text is not what is expected; a field is then as it was.
 */
#ifndef WN_SITE_SITE_VALUES_H
#define WN_SITE_SITE_VALUES_H

#include "site/site_options.h"

/* Of rows of the tables. */
#define SITE_AT(member) offsetof(struct site_config, member)
#define SITE_DURATION_TEXT "a duration such as 20ms, 1.5s or 2h"
#define SITE_LISTEN_TEXT "a port, an address or ADDRESS:PORT"

/* Text with its NUL: not empty, and shorter than `size`. */
MUST_USE bool site_copy_text(struct bytes text, char *field, size_t size);

/* char[option->max]. A path that is relative begins, in a site file, where that file is. */
MUST_USE bool site_parse_text(struct bytes text, void *field, const struct site_option *option);
MUST_USE bool site_parse_path(struct bytes text, void *field, const struct site_option *option);
/* A path, or the word "root": that is not one. */
MUST_USE bool site_parse_anchors(struct bytes text, void *field, const struct site_option *option);
/* char[SITE_LABEL_MAX], char[SITE_NAME_MAX]: one label, a domain name. */
MUST_USE bool site_parse_label(struct bytes text, void *field, const struct site_option *option);
MUST_USE bool site_parse_name(struct bytes text, void *field, const struct site_option *option);
/* char[option->max]: a network device's name. */
MUST_USE bool site_parse_interface(struct bytes text, void *field, const struct site_option *option);

/* uint32_t from option->min to option->max. */
MUST_USE bool site_parse_number(struct bytes text, void *field, const struct site_option *option);
/* uint8_t: which of the names it is. */
MUST_USE bool site_parse_one_of(struct bytes text, void *field, const char *const *names,
                                size_t count);
/* uint64_t: any number; octets, from option->min to option->max; bits a second, 0 for no limit. */
MUST_USE bool site_parse_seed(struct bytes text, void *field, const struct site_option *option);
MUST_USE bool site_parse_size(struct bytes text, void *field, const struct site_option *option);
MUST_USE bool site_parse_rate(struct bytes text, void *field, const struct site_option *option);
/* usec from option->min to option->max. */
MUST_USE bool site_parse_duration(struct bytes text, void *field,
                                  const struct site_option *option);
/* A chance as text_parse_chance() has it. */
MUST_USE bool site_parse_chance(struct bytes text, void *field, const struct site_option *option);
/* bool. */
MUST_USE bool site_parse_switch(struct bytes text, void *field, const struct site_option *option);

/* struct ip_address: an IPv4 address of one host. */
MUST_USE bool site_parse_address_v4(struct bytes text, void *field,
                                    const struct site_option *option);
/* struct mac: of one device. */
MUST_USE bool site_parse_mac(struct bytes text, void *field, const struct site_option *option);
/* struct endpoint: where to listen; what is not said stays, option->min is the port beside an address. */
MUST_USE bool site_parse_listen(struct bytes text, void *field, const struct site_option *option);
MUST_USE bool site_listen_parse(struct bytes text, uint16_t port, struct endpoint *listen);

/* The address of a name server, and its port if it is not 53, or that one. */
MUST_USE bool site_server_parse(struct bytes text, struct endpoint *out);
MUST_USE bool site_server_parse_port(struct bytes text, uint16_t port, struct endpoint *out);

/* A network, or one address. */
MUST_USE bool site_network_parse(struct bytes text, struct ip_prefix *out);

#endif
