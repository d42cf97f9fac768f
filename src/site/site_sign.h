/* SPDX-License-Identifier: ISC */
/* site_sign.h - what a block "signing" within the block "names" means, beyond its options. */
#ifndef WN_SITE_SITE_SIGN_H
#define WN_SITE_SITE_SIGN_H

#include "site/site_config.h"

/* Puts the block under that title, the name of a zone or "*", into the configuration. False: *error says what was
 * expected. */
MUST_USE bool site_finish_signature(struct site_config *config, const char *title, void *block,
                                    struct text *error);

#endif
