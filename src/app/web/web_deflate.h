/* SPDX-License-Identifier: ISC */
/*
 * web_deflate.h - messages of a WebSocket compressed (RFC 7692). Each that we send stands for itself, and so does
 * each that a server of ours takes: no window is kept from one to the next, so that a connection that is silent
 * costs no memory.
 */
#ifndef WN_APP_WEB_WEB_DEFLATE_H
#define WN_APP_WEB_WEB_DEFLATE_H

#include "app/web/web_flow.h"

enum { WEB_DEFLATE_MIN = 64 }; /* octets of a message that are worth it */

/* Does one of the offers suit us? `offers` is a value of Sec-WebSocket-Extensions; the answer to it is
 * written to `out`. */
#define WEB_DEFLATE_ANSWER_MAX 128
MUST_USE bool web_deflate_agree(struct bytes offers, char out[WEB_DEFLATE_ANSWER_MAX]);

/* What a client offers: it keeps no window itself. What the server has chosen of it is the value of the same field
 * in its answer. False: something that was not offered, or is not known (§7.1). */
#define WEB_DEFLATE_OFFER "permessage-deflate; client_no_context_takeover"
MUST_USE bool web_deflate_accept(struct bytes answer);

/* A service has one for all that it sends. NULL: no memory. */
struct web_deflater;
struct web_deflater *web_deflater_new(void);
void web_deflater_free(struct web_deflater *deflater); /* NULL is nothing */

/* Adds the message, compressed, to `out`. False: no memory; `out` is as it was. */
MUST_USE bool web_deflate(struct web_deflater *deflater, struct bytes message, struct web_flow *out);

/* One for each message that comes, while it comes; or one for all of a connection, when they may refer to those
 * before (context takeover, §7.1.1). */
struct web_inflater;
struct web_inflater *web_inflater_new(void);
void web_inflater_free(struct web_inflater *inflater);

enum web_inflate { WEB_INFLATED, WEB_INFLATE_MALFORMED, WEB_INFLATE_TOO_BIG };

/* Adds what the next piece holds to `out`, which may have `max` octets then. */
MUST_USE enum web_inflate web_inflate(struct web_inflater *inflater, struct bytes piece, bool last,
                                      size_t max, struct web_flow *out);

#endif
