/* SPDX-License-Identifier: ISC */
/*
 * net_ops.h - what an implementation of io/net.h provides. For io/ and for streams that stand on
 * other streams (TLS). The public functions of net.h are one-line calls through these tables.
 */
#ifndef WN_IO_NET_OPS_H
#define WN_IO_NET_OPS_H

#include "io/net.h"

struct stream_ops {
    size_t (*send)(struct stream *stream, struct bytes in);
    size_t (*send_now)(struct stream *stream, struct bytes in); /* NULL: as send */
    bool (*ready)(struct stream *stream);                       /* NULL: always */
    /* NULL: octets of files have to be read and sent. */
    ssize_t (*send_file)(struct stream *stream, int fd, uint64_t offset, size_t len);
    size_t (*room)(const struct stream *stream);
    void (*resume)(struct stream *stream);
    void (*finish)(struct stream *stream);
    void (*close)(struct stream *stream);
    void (*leave)(struct stream *stream); /* NULL: as close */
    void (*abort)(struct stream *stream);
    void (*set_deadline)(struct stream *stream, usec at);
    struct endpoint (*local)(const struct stream *stream);
    struct endpoint (*peer)(const struct stream *stream);
};

struct stream {
    const struct stream_ops *ops;
    struct net *net;
    const struct stream_handler *handler; /* borrowed; static in practice. Never NULL */
    void *self;
};

struct listener_ops {
    struct endpoint (*local)(const struct listener *listener);
    void (*close)(struct listener *listener);
};

struct listener {
    const struct listener_ops *ops;
    struct net *net;
    const struct listener_handler *handler;
    void *self;
};

struct dgram_ops {
    int (*send)(struct dgram *dgram, const struct dgram_message *message);
    struct endpoint (*local)(const struct dgram *dgram);
    void (*close)(struct dgram *dgram);
    void (*hold)(struct dgram *dgram); /* with flush; NULL: sends at once */
    void (*flush)(struct dgram *dgram);
};

struct dgram {
    const struct dgram_ops *ops;
    struct net *net;
    const struct dgram_handler *handler;
    void *self;
};

struct net_ops {
    int (*connect)(struct net *net, const struct endpoint *to, const struct endpoint *local,
                   const struct stream_handler *handler, void *self, struct stream **out);
    /* NULL: it has no sockets with a path. */
    int (*connect_path)(struct net *net, const char *path, const struct stream_handler *handler,
                        void *self, struct stream **out);
    int (*listen)(struct net *net, const struct listen_options *options,
                  const struct listener_handler *handler, void *self, struct listener **out);
    int (*bind)(struct net *net, const struct dgram_options *options,
                const struct dgram_handler *handler, void *self, struct dgram **out);
    void (*free)(struct net *net);
};

struct net {
    const struct net_ops *ops;
    struct loop *loop;
};

#endif
