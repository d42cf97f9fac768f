/* SPDX-License-Identifier: ISC */
/* web_accept.h - by which both ends of a WebSocket know that the other has understood (RFC 6455 §4.2.2). */
#ifndef WN_APP_WEB_WEB_ACCEPT_H
#define WN_APP_WEB_WEB_ACCEPT_H

#include "base/bytes.h"

enum { WEB_ACCEPT_LEN = 28 }; /* SHA-1 in base64 */

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. False: that is none. */
MUST_USE bool web_accept_make(struct bytes key, char out[WEB_ACCEPT_LEN + 1]);

#endif
