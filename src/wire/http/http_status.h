/* SPDX-License-Identifier: ISC */
/* http_status.h - the reason phrases of status codes (RFC 9110 §15, RFC 6585, and the registry). */
#ifndef WN_WIRE_HTTP_HTTP_STATUS_H
#define WN_WIRE_HTTP_HTTP_STATUS_H

/* "Not Found"; for codes without a phrase, the one of their class. Static. */
const char *http_status_text(unsigned status);

/* What it means for who sees it, in a sentence or two; "" for codes that nobody sees a page of. */
const char *http_status_hint(unsigned status);

#endif
