/* SPDX-License-Identifier: ISC */
/*
 * fetch_socket.h - the client's side of WebSocket (RFC 6455), on a stream that a fetch was switched to: the
 * handshake's fields and what the server makes of them, messages whole in both directions, compressed when
 * that was agreed upon (RFC 7692), masks, pings, and the close.
 *
 *      fetch_socket_hello_make(), fetch_socket_hello_fields() into a request with upgrade = "websocket";
 *      fetch_socket_new() in its on_switched.
 *
 * SKIPS RFC 8441: WebSockets over HTTP/2 are for who has many of them to one server; a client of one opens a
 * connection for it.
 */
#ifndef WN_APP_FETCH_FETCH_SOCKET_H
#define WN_APP_FETCH_FETCH_SOCKET_H

#include "app/fetch/fetch.h"
#include "base/prng.h"
#include "wire/websocket/websocket.h"

struct fetch_socket;

enum {
    FETCH_SOCKET_KEY_LEN = 24, /* 16 octets in base64 */
    FETCH_SOCKET_FIELDS_MAX = 4,
    FETCH_SOCKET_MESSAGE_DEFAULT = 16 * 1024 * 1024,
};
#define FETCH_SOCKET_PING (30 * USEC_PER_SEC)       /* of silence, after which it is asked for a word */
#define FETCH_SOCKET_END_TIMEOUT (1 * USEC_PER_SEC) /* for the server to close the connection (§7.1.1) */

/* What is asked for; all of it lives until the socket is there. */
struct fetch_socket_hello {
    char key[FETCH_SOCKET_KEY_LEN + 1];
    bool compression;      /* is offered */
    const char *protocols; /* subprotocols, "a, b"; NULL: none */
};

/* Sets the key (§4.1: one for each connection). */
void fetch_socket_hello_make(struct fetch_socket_hello *hello, struct prng *prng);
/* Returns how many. */
size_t fetch_socket_hello_fields(const struct fetch_socket_hello *hello,
                                 struct http_field out[FETCH_SOCKET_FIELDS_MAX]);

struct fetch_socket_options {
    const struct fetch_socket_hello *hello;
    struct prng *prng;    /* that nobody can foresee: masks come from it (§10.3) */
    uint64_t message_max; /* octets of one, unpacked; 0: FETCH_SOCKET_MESSAGE_DEFAULT */
};

struct fetch_socket_handler {
    /* A whole message; valid in the callback. */
    void (*on_message)(void *self, bool text, struct bytes data);
    /* There is room again after fetch_socket_full(). */
    void (*on_room)(void *self);
    /* The last callback: the socket is gone. The server's code and reason; WEBSOCKET_ABNORMAL: the
     * connection was lost. `ours`: it is we who found something wrong, and the code says what. */
    void (*on_closed)(void *self, unsigned code, struct bytes reason, bool ours);
};

/* Takes the stream. NULL: it is closed, and *why says what is wrong with the answer (§4.1). */
MUST_USE struct fetch_socket *fetch_socket_new(struct stream *stream,
                                               const struct http_response_head *head,
                                               const struct fetch_socket_options *options,
                                               const struct fetch_socket_handler *handler, void *self,
                                               struct text *why);

/* A message in one frame; text must be UTF-8. False: no memory. After a close it is nothing. */
MUST_USE bool fetch_socket_send(struct fetch_socket *s, bool text, struct bytes data);

/* Enough is waiting to be sent: on_room follows. */
bool fetch_socket_full(struct fetch_socket *s);

/* Begins to close, once (§7.1.2). */
void fetch_socket_close(struct fetch_socket *s, unsigned code);

/* Says that we go away, and lets go now, without on_closed. Not in callbacks. */
void fetch_socket_free(struct fetch_socket *s);

#endif
