/* SPDX-License-Identifier: ISC */
/*
 * site_web.h - the block "web" of a site file: what is beyond its options.
 */
#ifndef WN_SITE_SITE_WEB_H
#define WN_SITE_SITE_WEB_H

#include "site/site_options.h"

MUST_USE bool site_web_add_name(struct web_host *host, struct bytes name);

/* enum web_log_format. */
MUST_USE bool site_web_parse_log_format(struct bytes text, void *field,
                                        const struct site_option *option);

/* Empties the list that the option of this name adds to. */
void site_web_forget_list(struct web_rule *rule, const char *option);

/* What was left open, and what does not fit together. False: *error says what is expected. */
MUST_USE bool site_web_finish(struct site_config *config, struct text *error);

/* Tells of locations that overlap so that what one of them says may not be what is meant. */
typedef void site_doubt(void *self, const char *text);
void site_web_doubts(const struct site_config *config, site_doubt *tell, void *self);

#endif
