/* SPDX-License-Identifier: ISC */
/*
 * tls.h - TLS as streams on streams: what is made here is a `struct stream` with the contract of io/net.h, and
 * stands on any other one: of the kernel, of our stack, of the simulator, or of TLS again.
 *
 *      tls_listen(server, net, &options, &handler, self, &listener)   as net_listen(), on_accept when it is open
 *      tls_connect(client, plain, "www.home.arpa", &handler, self, &stream)
 *
 * on_open comes when the handshake is done. on_end is the peer's close_notify: a connection that ends without
 * one is cut short by somebody, and on_closed(ECONNRESET) says so. stream_finish() sends ours and TCP's FIN;
 * we still listen (RFC 8446 §6.1). DEVIATES RFC 5246 §7.2.1: in TLS 1.2 too, what we still want to send is sent
 * after the peer's close_notify, since its half of the connection was its own to close.
 */
#ifndef WN_IO_TLS_H
#define WN_IO_TLS_H

#include "io/net.h"
#include "os/tls_engine.h"

struct tls_server;
struct tls_client;

enum { TLS_GUESTS_MAX = 4096 /* of a listener, in the handshake; when there are more the oldest goes */ };
#define TLS_HANDSHAKE_TIMEOUT (10 * USEC_PER_SEC)

struct tls_server_counters {
    uint64_t accepted; /* handshakes that were done */
    uint64_t resumed;  /* of them, with a ticket */
    uint64_t refused;  /* handshakes that failed, for whatever reason */
};

/* 0, or a negative errno and `error` says what was wrong. See os/tls_context.h for the options. */
MUST_USE int tls_server_new(struct loop *loop, const struct tls_server_options *options,
                            struct text *error, struct tls_server **out);
MUST_USE int tls_client_new(struct loop *loop, const struct tls_client_options *options,
                            struct text *error, struct tls_client **out);

/* All streams of it must be closed before; those that still deliver what was queued are given up. To be called
 * before the net below is freed. NULL is nothing. */
void tls_server_free(struct tls_server *server);
void tls_client_free(struct tls_client *client);

/* Other certificates for connections from now on. On failure those before stay. */
MUST_USE int tls_server_reload(struct tls_server *server, const struct tls_certificate *certificates,
                               size_t count, struct text *error);

/* For tls_server_options.tickets of another, which it outlives. */
struct tls_tickets *tls_server_tickets(struct tls_server *server);
const struct tls_server_counters *tls_server_counters(const struct tls_server *server);

/* Tells of each handshake that fails on a listener: from whom, and why. The text is valid during the call. */
void tls_server_set_refused(struct tls_server *server,
                            void (*on_refused)(void *self, const struct endpoint *peer,
                                               const char *reason),
                            void *self);

/*
 * Takes `plain`, in whatever state: before it is open, fresh, or in the middle of its life (STARTTLS), also in
 * a callback of it; octets that wait in it unused are the first of TLS. 0, or -ENOMEM and `plain` is still the
 * caller's. `name` is whom the client wants to talk to, a host's name or an address: it is said to the server
 * and looked for in its certificate.
 */
MUST_USE int tls_accept(struct tls_server *server, struct stream *plain,
                        const struct stream_handler *handler, void *self, struct stream **out);
MUST_USE int tls_connect(struct tls_client *client, struct stream *plain, const char *name,
                         const struct stream_handler *handler, void *self, struct stream **out);

/* A listener whose streams are open when on_accept tells of them. The server must outlive it. */
MUST_USE int tls_listen(struct tls_server *server, struct net *net,
                        const struct listen_options *options,
                        const struct listener_handler *handler, void *self, struct listener **out);

/* Is it one of TLS? The calls below take any stream. */
bool stream_is_tls(const struct stream *stream);

/* Within on_closed with an error: why, for people; "" for streams that are not of TLS. */
const char *tls_stream_error(const struct stream *stream);

/* False, and *out untouched, when it is not of TLS or not open yet. */
MUST_USE bool tls_stream_facts(const struct stream *stream, struct tls_facts *out);

#endif
