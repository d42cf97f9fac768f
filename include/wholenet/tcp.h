/* SPDX-License-Identifier: ISC */
/*
 * tcp.h - TCP connections and listeners by events (RFC 9293).
 *
 * Nothing here waits and nothing is sent inside these calls: wn_stack_output() does it. What has been
 * received stays in the frames it came in until it is consumed, and the window follows.
 *
 * A connection belongs to the application from wn_tcp_connect() or wn_tcp_accept() until
 * wn_tcp_close() or wn_tcp_abort(): then the stack finishes it alone, and the pointer is dead. One
 * that has failed stays, too, until it is closed.
 */
#ifndef WHOLENET_TCP_H
#define WHOLENET_TCP_H

#include <wholenet/frame.h>
#include <wholenet/stack.h>
#include <wholenet/types.h>

WN_C_BEGIN

struct wn_tcp;
struct wn_listener;

/* ---- opening ---- */

/* Listens at `local`: address 0.0.0.0 for all of the stack's, port 0 for a free one. At most
 * `backlog` connections wait to be accepted (0: 128), then SYNs are dropped. `user` comes with its
 * events. 0, -EINVAL: not IPv4, -EADDRINUSE, or -ENOMEM; *out is untouched then. */
WN_API WN_MUST_USE int wn_listener_open(struct wn_stack *stack, const struct wn_endpoint *local,
                                        unsigned backlog, void *user, struct wn_listener **out);

/* wn_listener_open() beside others of this kind at the same endpoint. Connections are spread over them
 * by a hash of both ends; when one is closed, only those that wait to be accepted from it are lost,
 * and handshakes that are under way end at the others. */
WN_API WN_MUST_USE int wn_listener_open_shared(struct wn_stack *stack,
                                               const struct wn_endpoint *local, unsigned backlog,
                                               void *user, struct wn_listener **out);

/* Where it listens. */
WN_API void wn_listener_local(const struct wn_listener *listener, struct wn_endpoint *out);

/* Frees the listener; connections that nobody has accepted are reset. NULL is nothing. */
WN_API void wn_listener_close(struct wn_listener *listener);

/* The connection that has waited longest, which is the caller's now, and whose events come with
 * `user`; NULL: none waits. It may have failed since, or have ended. One event may stand for several:
 * accept until NULL. */
WN_API WN_MUST_USE struct wn_tcp *wn_tcp_accept(struct wn_listener *listener, void *user);

/* Begins a connection to `remote`. `local` is NULL, or where it comes from (address 0.0.0.0: by
 * route, port 0: an ephemeral one). WN_OPENED tells that it is established, WN_FAILED that it will
 * not be; text may be sent at once, and waits. 0, -EINVAL: nobody can be at `remote` (port 0, a group,
 * not IPv4), -ENETUNREACH: no route, -EADDRNOTAVAIL: no port is free, or there is such a connection,
 * or -ENOMEM, which is also said when the table is full. */
WN_API WN_MUST_USE int wn_tcp_connect(struct wn_stack *stack, const struct wn_endpoint *remote,
                                      const struct wn_endpoint *local, void *user,
                                      struct wn_tcp **out);

/* What comes with its events from now on. */
WN_API void wn_tcp_set_user(struct wn_tcp *tcp, void *user);

/* Its two ends. */
WN_API void wn_tcp_local(const struct wn_tcp *tcp, struct wn_endpoint *out);
WN_API void wn_tcp_remote(const struct wn_tcp *tcp, struct wn_endpoint *out);

/* ---- receiving ---- */

/* Copies at most `size` octets that have arrived to `out` and consumes them; how many: 0 when there
 * is nothing, and then wn_tcp_at_end() tells whether there will be. */
WN_API size_t wn_tcp_receive(struct wn_tcp *tcp, void *out, size_t size);

/* Octets that have arrived and are not consumed. */
WN_API size_t wn_tcp_received(const struct wn_tcp *tcp);

/* Without a copy: fills `views` with where they lie, `max` pieces at most, and returns how many. They
 * may be read until wn_tcp_consume() or the stack's crank is turned. */
WN_API size_t wn_tcp_views(const struct wn_tcp *tcp, struct wn_iovec *views, size_t max);

/* Lets go of the first `len` octets that have arrived, or of all when there are fewer. */
WN_API void wn_tcp_consume(struct wn_tcp *tcp, size_t len);

/* 1: the peer has sent FIN, and all before it is consumed. */
WN_API int wn_tcp_at_end(const struct wn_tcp *tcp);

/* ---- sending ---- */

/* Queues a copy of as much of `len` octets as there is room for; how many. When they are fewer,
 * WN_WRITABLE tells that there is room again. 0 after wn_tcp_shutdown() or failure. */
WN_API size_t wn_tcp_send(struct wn_tcp *tcp, const void *data, size_t len);

enum wn_send_flags {
    WN_SEND_MORE = 1 << 0,   /* more comes at once: what does not fill a segment waits for it, or for
                                the next acknowledgement, 200 ms at most; no PSH */
    WN_SEND_RECORD = 1 << 1, /* a message ends: no segment goes beyond its end */
};

/* wn_tcp_send() with flags of enum wn_send_flags. */
WN_API size_t wn_tcp_send_as(struct wn_tcp *tcp, const void *data, size_t len, unsigned flags);

/* Octets that wn_tcp_send() would take now. */
WN_API size_t wn_tcp_send_room(const struct wn_tcp *tcp);

/* Queues the octets of a frame of wn_frame_new(), of the stack's pool, without a copy, and takes it.
 * 0, or -EAGAIN: there is no room (any room is room for all of it), and -EPIPE: no more can be
 * sent; the caller keeps the frame then. */
WN_API WN_MUST_USE int wn_tcp_send_frame(struct wn_tcp *tcp, struct wn_frame *frame);

/* Octets queued that the peer has not acknowledged. */
WN_API size_t wn_tcp_unacknowledged(const struct wn_tcp *tcp);

/* wn_tcp_send() that marks the last octet it takes as urgent (RFC 9293 §3.8.5). */
WN_API size_t wn_tcp_send_urgent(struct wn_tcp *tcp, const void *data, size_t len);

/* 1: the peer has marked urgent data that is not consumed; *before is how many octets are to be
 * consumed before the last urgent one, which may be more than have come. 0: it has not. Urgent octets
 * are in the stream like others (RFC 6093 §6). */
WN_API int wn_tcp_urgent(const struct wn_tcp *tcp, size_t *before);

/* ---- ending ---- */

/* No more will be sent: FIN goes after what is queued (RFC 9293 §3.6). Receiving goes on. */
WN_API void wn_tcp_shutdown(struct wn_tcp *tcp);

/* Gives the connection up. What is queued is still delivered, and FIN; when octets have arrived that
 * were not consumed, or more arrive, the peer is reset (RFC 9293 §3.6.1, RFC 2525 §2.17). NULL is
 * nothing. */
WN_API void wn_tcp_close(struct wn_tcp *tcp);

/* The same with a reset now (RFC 9293 §3.10.5). NULL is nothing. */
WN_API void wn_tcp_abort(struct wn_tcp *tcp);

/* ---- asking ---- */

/* Why it has failed: ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ECONNABORTED; 0: it has not.
 * A positive number. */
WN_API int wn_tcp_error(const struct wn_tcp *tcp);

/* The state's name in RFC 9293 §3.3.2: "ESTABLISHED". Static. */
WN_API const char *wn_tcp_state(const struct wn_tcp *tcp);

/* What it knows of itself, as WN_TCP_INFO tells it. `size` is sizeof(struct wn_tcp_info). */
WN_API void wn_tcp_get_info(const struct wn_tcp *tcp, struct wn_tcp_info *out, size_t size);

/* Changes one option of the connection: "nodelay", "keepalive", "user_timeout" (microseconds, RFC
 * 5482) …; wn_tcp(3) says what each means, wn_tcp_each_option() names them. 0, -ENOENT: no such name,
 * -ERANGE: the value cannot be, -EINVAL: not in this state any more, -ENOMEM. */
WN_API WN_MUST_USE int wn_tcp_set(struct wn_tcp *tcp, const char *name, uint64_t value);

/* The value of an option goes to *out. 0, or -ENOENT. */
WN_API WN_MUST_USE int wn_tcp_get(const struct wn_tcp *tcp, const char *name, uint64_t *out);

/* The same of a listener, whose connections inherit it. */
WN_API WN_MUST_USE int wn_listener_set(struct wn_listener *listener, const char *name,
                                       uint64_t value);

/* The names of the options, in turn from *place = 0; NULL ends. */
WN_API const char *wn_tcp_each_option(size_t *place);

/* Chooses who decides how much may be under way: "cubic" (RFC 9438), "newreno" (RFC 5681) …; at any
 * time. 0, -ENOENT: no such algorithm, -ENOMEM. */
WN_API WN_MUST_USE int wn_tcp_set_congestion(struct wn_tcp *tcp, const char *name);

/* The names of the algorithms, in turn from *place = 0; NULL ends. */
WN_API const char *wn_tcp_each_congestion(size_t *place);

WN_C_END

#endif
