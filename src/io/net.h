/* SPDX-License-Identifier: ISC */
/*
 * net.h - sockets for services: listeners, streams and datagrams, over the host kernel, over our
 * own stack, or over the simulator, behind one contract.
 *
 * Callbacks come from the loop only, never from inside a call of this header: a service needs no
 * defence against re-entrancy. A closed object makes no more callbacks. Errors of the peer arrive as
 * on_closed(); errors of the host are returned as negative errno. Addresses are `struct endpoint`; an
 * address of "::" on the kernel listens for both versions.
 *
 *      struct net *net = net_kernel_new(loop);       or net_stack_new(node)   (io/node.h)
 */
#ifndef WN_IO_NET_H
#define WN_IO_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/usec.h"

struct loop;
struct net;
struct listener;
struct stream;
struct dgram;

MUST_USE struct net *net_kernel_new(struct loop *loop);
/* Everything opened through it must be closed before. */
void net_free(struct net *net);
struct loop *net_loop(const struct net *net);

/* ---- streams ---- */

struct stream_handler {
    /* Our connect has succeeded. Not called for accepted streams, which are open. */
    void (*on_open)(void *self, struct stream *stream);
    /* Octets from the peer. Returns how many were used; the rest is offered again, with what
     * follows it, when more arrives or after stream_resume(). Using less than all stops reading
     * once STREAM_PENDING_MAX octets wait, and so closes the peer's window. */
    size_t (*on_bytes)(void *self, struct stream *stream, struct bytes in);
    /* The peer has finished sending; all before it has been offered. We may still send. */
    void (*on_end)(void *self, struct stream *stream);
    /* There is room again after stream_send() or another of its kind took less than offered. */
    void (*on_room)(void *self, struct stream *stream);
    /* The last callback: the stream is gone and the pointer dead. 0: both sides finished; else a
     * positive errno (ECONNREFUSED, ECONNRESET, ETIMEDOUT, …). Not called after stream_close(). */
    void (*on_closed)(void *self, struct stream *stream, int error);
    /* The instant of stream_set_deadline() has come. */
    void (*on_deadline)(void *self, struct stream *stream);
};

enum {
    STREAM_PENDING_MAX = 64 * 1024,  /* received, offered, and not used */
    STREAM_QUEUE_MAX = 256 * 1024,   /* taken by stream_send() and not gone */
};

/* Any handler member may be NULL. Must be called in on_accept or before the next turn. */
void stream_set_handler(struct stream *stream, const struct stream_handler *handler, void *self);

/* Takes a copy of as much as there is room for; returns how much. 0 after finish or failure. */
size_t stream_send(struct stream *stream, struct bytes in);

/*
 * Sends up to `len` octets of a file from `offset` on without having them in user memory, behind what
 * stream_send() took before. Returns how many are gone, maybe fewer; 0: the file has none there; -EAGAIN: no
 * room, on_room() follows; -ENOSYS: this stream cannot, read and stream_send() them; another
 * negative errno: the stream has failed, as it will tell.
 */
MUST_USE ssize_t stream_send_file(struct stream *stream, int fd, uint64_t offset, size_t len);

/*
 * The same for large pieces that stay where they are: what the network has no room for is left to the caller
 * rather than copied, and on_room() comes when it takes more. Streams that have no such way copy.
 */
size_t stream_send_now(struct stream *stream, struct bytes in);

/* Would stream_send_now() take octets? If not, on_room() comes when it would: for who has to fetch them first. */
bool stream_ready(struct stream *stream);

/* How much stream_send() would take. */
size_t stream_room(const struct stream *stream);

/* Offers waiting octets again at the end of this turn. */
void stream_resume(struct stream *stream);

/* No more will be sent: FIN after what is queued. on_closed(0) follows when the peer ends too. */
void stream_finish(struct stream *stream);

/* Lets go: what is queued is still sent (within STREAM_LINGER), the pointer is dead. */
void stream_close(struct stream *stream);
#define STREAM_LINGER (30 * USEC_PER_SEC)

/* The same where the peer has promised to send no more: its end is not waited for. Should it send
 * none the less, it may be reset, and lose what it has not read. */
void stream_leave(struct stream *stream);

/* Reset now; the pointer is dead. */
void stream_abort(struct stream *stream);

/* One deadline a stream; USEC_NEVER clears it. */
void stream_set_deadline(struct stream *stream, usec at);

struct endpoint stream_local(const struct stream *stream);
struct endpoint stream_peer(const struct stream *stream);
struct net *stream_net(const struct stream *stream);

/* Starts to connect; on_open or on_closed tells. 0, or a negative errno for what is wrong at once.
 * `local` NULL: any. */
MUST_USE int net_connect(struct net *net, const struct endpoint *to, const struct endpoint *local,
                         const struct stream_handler *handler, void *self, struct stream **out);

/* The same to a socket of this host that has a path (unix(7)). -EAFNOSUPPORT: only the kernel has such;
 * -ENOENT, -ECONNREFUSED: nobody listens there; -EAGAIN: too many wait there already. */
MUST_USE int net_connect_path(struct net *net, const char *path,
                              const struct stream_handler *handler, void *self,
                              struct stream **out);

struct listener_handler {
    /* The callee owns the stream and must stream_set_handler() or stream_close() it. */
    void (*on_accept)(void *self, struct listener *listener, struct stream *stream);
};

struct listen_options {
    struct endpoint local;  /* port 0: any free one, see listener_local() */
    int backlog;            /* 0: 1024 */
    bool reuse_port;        /* several processes share the port; of a stack of ours, several listeners */
    bool claim;             /* with that: but nobody has it yet, else -EADDRINUSE (kernel) */
    bool client_first;      /* the client speaks first. The kernel may then keep a connection to itself
                               until it has, or a second has passed; what it said comes in the turn
                               of on_accept, which sets the handler */
};

MUST_USE int net_listen(struct net *net, const struct listen_options *options,
                        const struct listener_handler *handler, void *self, struct listener **out);
struct endpoint listener_local(const struct listener *listener);
void listener_close(struct listener *listener);

/* ---- datagrams ---- */

struct dgram_message {
    struct endpoint from;    /* sending: address any and port 0: the socket's own */
    struct endpoint to;
    struct bytes payload;    /* received: valid during the callback */
    unsigned interface;      /* kernel: ifindex; stack: interface. Sending: 0 on the kernel, and
                                has_interface false on the stack: by route */
    bool has_interface;
    struct mac mac;          /* sending: link-layer target to use without asking ARP; the kernel net
                                falls back to ordinary sending when it may not set it */
    bool has_mac;
};

struct dgram_handler {
    void (*on_message)(void *self, struct dgram *dgram, const struct dgram_message *message);
    /* An ICMP error for something sent to `to`: a positive errno. */
    void (*on_error)(void *self, struct dgram *dgram, const struct endpoint *to, int error);
};

struct dgram_options {
    struct endpoint local;
    bool broadcast;           /* may send to broadcast addresses, and receives broadcasts */
    bool reuse_port;
    bool claim;               /* as of listeners */
    bool lean;                /* where each datagram was sent to, and over which interface, is not asked
                                 for: `to` is the socket's own address. Costs less; a socket of no
                                 address and port 0 gets its port, a new one that cannot be guessed,
                                 with the first datagram that it sends, and may have been another's
                                 before: what comes late for that one is told, too */
    const char *interface;    /* kernel: bind to this device; NULL: none */
    struct ip_address group;  /* a multicast group to be in, on that device; all zeros: none. What is sent
                                 there goes with a TTL of 255, and others on the host may have the same
                                 port. Over our stack, which has no groups: -EOPNOTSUPP */
};

MUST_USE int net_bind(struct net *net, const struct dgram_options *options,
                      const struct dgram_handler *handler, void *self, struct dgram **out);

/* 0 or a negative errno (-EAGAIN: the device or socket is full; the datagram is dropped). */
int dgram_send(struct dgram *dgram, const struct dgram_message *message);
struct endpoint dgram_local(const struct dgram *dgram);
void dgram_close(struct dgram *dgram);

/* What is sent between the two may wait for the second, to go in fewer calls. */
void dgram_hold(struct dgram *dgram);
void dgram_flush(struct dgram *dgram);

#endif
