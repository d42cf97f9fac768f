/* SPDX-License-Identifier: ISC */
/*
 * web_socket.h - WebSocket (RFC 6455, over HTTP/2 by RFC 8441), for programs that know nothing of it: each
 * message is a line that they read or write, or a piece of a stream of octets.
 */
#ifndef WN_APP_WEB_WEB_SOCKET_H
#define WN_APP_WEB_WEB_SOCKET_H

#include "app/web/web_meta.h"

enum {
    WEB_SOCKET_PROGRAMS_MAX = 256,           /* at a time; more get 503 */
    WEB_SOCKET_MESSAGE_DEFAULT = 1024 * 1024, /* octets of a message, either way */
};
#define WEB_SOCKET_PING (30 * USEC_PER_SEC)   /* after so long without a word from the client */

/* Goes over to WebSocket, or answers with what is wrong. */
void web_socket_request(struct web_exchange *exchange, struct bytes path);
void web_socket_done(struct web *web); /* no exchange is left */

#endif
