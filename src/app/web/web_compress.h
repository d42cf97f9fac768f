/* SPDX-License-Identifier: ISC */
/* web_compress.h - content codings (RFC 9110 §8.4.1): gzip (RFC 1952) and br (RFC 7932). */
#ifndef WN_APP_WEB_WEB_COMPRESS_H
#define WN_APP_WEB_WEB_COMPRESS_H

#include "app/web/web_cache.h"
#include "base/bytes.h"

/* `in` in that coding, *len octets that the caller must free(); NULL: no memory, or no smaller. */
char *web_compress(enum web_coding coding, struct bytes in, size_t *len);

/*
 * What the client wants most of what there is, by the value of its Accept-Encoding (RFC 9110
 * §12.5.3); `has_field`: it sent one. WEB_CODING_COUNT: nothing that there is, not even identity.
 */
enum web_coding web_choose_coding(bool has_field, struct bytes accept, bool can_compress);

/* Is content of that type worth compressing? */
bool web_type_compresses(const char *type);

#endif
