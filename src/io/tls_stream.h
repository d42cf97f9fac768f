/* SPDX-License-Identifier: ISC */
/* tls_stream.h - what the files of TLS over streams share. For tls*.c of io/ only. */
#ifndef WN_IO_TLS_STREAM_H
#define WN_IO_TLS_STREAM_H

#include "io/net_grave.h"
#include "io/net_ops.h"
#include "io/net_queue.h"
#include "io/tls.h"

enum {
    TLS_RECORDS_TOGETHER = 4,
    TLS_RECORD_AROUND_MAX = 128, /* header, padding and tag of any cipher of OpenSSL's */
    TLS_GATHER_SIZE = TLS_RECORDS_TOGETHER * (TLS_RECORD_MAX + TLS_RECORD_AROUND_MAX),
};

/* What a server's or a client's streams share. */
struct tls_hub {
    struct loop *loop;
    struct tls_context *context;
    struct net_pool pool;
    struct net_graveyard yard;
    struct list_node lingering; /* streams that were let go and have not sent all */
    size_t stream_count;
    bool of_client;
    uint8_t *gather;            /* TLS_GATHER_SIZE octets; NULL: not needed yet */
    size_t gathered;            /* records that go together, */
    struct tls_stream *gatherer; /* of that one; NULL: none */
};

struct tls_stream {
    struct stream base;
    struct net_grave grave;
    struct list_node node; /* in the listener's guests, then in hub->lingering */
    struct alarm deadline;
    struct alarm patience; /* with the handshake, and with owners that use nothing */
    struct task task;
    struct tls_hub *hub;
    struct tls_engine *engine;
    struct stream *plain;   /* NULL: it is gone */
    struct endpoint peer;
    size_t plain_left;      /* octets that it holds and we did not use */
    struct net_queue queue; /* taken, and not gone into records */
    size_t on_its_way;      /* octets in front of the queue that are in a record already */
    uint8_t *pending;       /* received, offered and not used; NULL: none */
    size_t pending_len;
    size_t pending_size;
    const char *reason;     /* static: why it failed, when the engine does not know. NULL */
    int error;              /* positive errno: the connection is lost */
    bool shaking;           /* the handshake is not done */
    bool busy;              /* in our own call of the engine or of the owner */
    bool blocked;           /* the stream below has no room */
    bool room_wanted;       /* on_room is owed */
    bool resume_wanted;
    bool finishing;         /* close_notify after what is queued */
    bool finished;          /* it is sent */
    bool ended;             /* the peer's has come */
    bool plain_ended;       /* the stream below brings no more */
    bool let_go;            /* the owner has closed it: no more callbacks */
    bool leaving;           /* and the peer sends no more than its close_notify */
    bool gone;              /* waits to be freed */
};

void tls_hub_init(struct tls_hub *hub, struct loop *loop);
void tls_hub_done(struct tls_hub *hub);

/* A stream on `plain` for the engine, whose wire is tls_stream_wire(). Takes the engine. */
struct tls_stream *tls_stream_new(struct tls_hub *hub);
void tls_stream_start(struct tls_stream *s, struct stream *plain, struct tls_engine *engine);
struct tls_wire tls_stream_wire(struct tls_stream *s);

#endif
