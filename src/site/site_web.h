/* SPDX-License-Identifier: ISC */
/*
 * site_web.h - the block "web" of a site file: readers of its values, for the table of options.
 */
#ifndef WN_SITE_SITE_WEB_H
#define WN_SITE_SITE_WEB_H

#include "site/site_options.h"

/* Of `struct site_web`: an endpoint, perhaps with "tls" behind it. */
MUST_USE bool site_web_parse_listen(struct bytes text, void *field,
                                    const struct site_option *option);
MUST_USE bool site_web_parse_log_format(struct bytes text, void *field,
                                        const struct site_option *option);

/* Of `struct web_host`. */
MUST_USE bool site_web_add_name(struct web_host *host, struct bytes name);
MUST_USE bool site_web_parse_name(struct bytes text, void *field,
                                  const struct site_option *option);

/* A switch that is kept the other way round. */
MUST_USE bool site_web_parse_off(struct bytes text, void *field, const struct site_option *option);
MUST_USE bool site_web_parse_symlinks(struct bytes text, void *field,
                                      const struct site_option *option);
MUST_USE bool site_web_parse_auth(struct bytes text, void *field,
                                  const struct site_option *option);

/* Of `struct web_rule`. */
MUST_USE bool site_web_parse_index(struct bytes text, void *field,
                                   const struct site_option *option);
MUST_USE bool site_web_parse_type(struct bytes text, void *field,
                                  const struct site_option *option);
MUST_USE bool site_web_parse_header(struct bytes text, void *field,
                                    const struct site_option *option);
MUST_USE bool site_web_parse_error_page(struct bytes text, void *field,
                                        const struct site_option *option);
MUST_USE bool site_web_parse_redirect(struct bytes text, void *field,
                                      const struct site_option *option);
MUST_USE bool site_web_parse_rewrite(struct bytes text, void *field,
                                     const struct site_option *option);
MUST_USE bool site_web_parse_access(struct bytes text, void *field,
                                    const struct site_option *option);
MUST_USE bool site_web_parse_realm(struct bytes text, void *field,
                                   const struct site_option *option);

/* Empties the list that the option of this name adds to. */
void site_web_forget_list(struct web_rule *rule, const char *option);

/* What was left open, and what does not fit together. False: *error says what is expected. */
MUST_USE bool site_web_finish(struct site_config *config, struct text *error);

#endif
