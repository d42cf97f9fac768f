/* SPDX-License-Identifier: ISC */
/*
 * site_names.h - what the blocks within the block "names" mean, beyond their options: each is finished
 * when its options have been read, and what they say of each other is checked at the end.
 */
#ifndef WN_SITE_SITE_NAMES_H
#define WN_SITE_SITE_NAMES_H

#include "site/site_config.h"

/* Puts the block under that title into the configuration. False: *error says what was expected. */
MUST_USE bool site_finish_key(struct site_config *config, const char *title, void *block,
                              struct text *error);

MUST_USE bool site_finish_secondary(struct site_config *config, const char *title, void *block,
                                    struct text *error);

/* The next of config->catalogs, which is filled in but for what follows from the rest. */
MUST_USE bool site_finish_catalog(struct site_config *config, const char *title, struct text *error);

/* Are all keys that are spoken of there? False: *error says where not. */
MUST_USE bool site_names_check(const struct site_config *config, struct text *error);

/* "any", "NETWORK", "key NAME", or "NETWORK key NAME". */
MUST_USE bool site_rule_parse(struct bytes text, struct site_rule *out);

/* WHO as in a rule, then "name NAME", "below NAME", "self" or "below-self", then "types TYPE …"; both may be
 * left out. */
MUST_USE bool site_update_parse(struct bytes text, struct site_update *out);
/* "ADDRESS[:PORT][#[TLS-NAME]] [key NAME]" */
MUST_USE bool site_peer_parse(struct bytes text, struct site_peer *out);

/* The same for who serves names. */
void site_peer_make(const struct site_peer *peer, struct tsig_peer *out);

/* A path of the site file: a relative one begins where that file is. Returns `out`; one that is too
 * long is cut, so that nothing is found there. */
char *site_path(const struct site_config *config, const char *path, char out[SITE_PATH_MAX]);

#endif
