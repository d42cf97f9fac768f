/* SPDX-License-Identifier: ISC */
/*
 * web_meta.h - which program a request is for, and what it is told: the meta-variables of CGI/1.1 (RFC
 * 3875 §4.1) and those that applications have come to expect besides.
 */
#ifndef WN_APP_WEB_WEB_META_H
#define WN_APP_WEB_WEB_META_H

#include "app/web/web_exchange.h"

/* A path is split in two: that of the program, and what is left of it for the program. */
struct web_script {
    char name[WEB_PATH_MAX]; /* SCRIPT_NAME; both begin with "/" or are empty */
    char rest[WEB_PATH_MAX]; /* PATH_INFO */
    char file[2 * WEB_PATH_MAX]; /* SCRIPT_FILENAME; "": none that we know of */
};

/* Splits a decoded path as the rule says. 0, or a status to refuse with. */
MUST_USE unsigned web_script_find(const struct web_exchange *exchange, struct bytes path,
                                  struct web_script *out);

/* All below the rule's path is for one program, of which no file is known. */
void web_script_split(const struct web_rule *rule, struct bytes path, struct web_script *out);

/* Adds all of them as "NAME=value" with a NUL behind each, while the request is there to be looked at;
 * the page failed afterwards: no memory. */
void web_meta_add(struct web_exchange *exchange, const struct web_script *script,
                  struct page_text *out);

/* One more. */
void web_meta_add_one(struct page_text *out, const char *name, struct bytes value);

/* The next one; false: there are no more. `*at` is 0 at first. */
bool web_meta_next(struct bytes meta, size_t *at, struct bytes *name, struct bytes *value);

#endif
