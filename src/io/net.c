/* SPDX-License-Identifier: ISC */
/* net.c - the public face of sockets: calls through the tables of io/net_ops.h. */
#include "io/net.h"

#include <errno.h>

#include "io/net_ops.h"

void net_free(struct net *net)
{
    if (net != NULL)
        net->ops->free(net);
}

struct loop *net_loop(const struct net *net)
{
    return net->loop;
}

void stream_set_handler(struct stream *stream, const struct stream_handler *handler, void *self)
{
    ASSERT(handler != NULL);
    stream->handler = handler;
    stream->self = self;
}

size_t stream_send(struct stream *stream, struct bytes in)
{
    return stream->ops->send(stream, in);
}

size_t stream_send_now(struct stream *stream, struct bytes in)
{
    if (stream->ops->send_now == NULL)
        return stream->ops->send(stream, in);
    return stream->ops->send_now(stream, in);
}

bool stream_ready(struct stream *stream)
{
    return stream->ops->ready == NULL || stream->ops->ready(stream);
}

ssize_t stream_send_file(struct stream *stream, int fd, uint64_t offset, size_t len)
{
    if (stream->ops->send_file == NULL)
        return -ENOSYS;
    return stream->ops->send_file(stream, fd, offset, len);
}

size_t stream_room(const struct stream *stream)
{
    return stream->ops->room(stream);
}

void stream_resume(struct stream *stream)
{
    stream->ops->resume(stream);
}

void stream_finish(struct stream *stream)
{
    stream->ops->finish(stream);
}

void stream_close(struct stream *stream)
{
    stream->ops->close(stream);
}

void stream_leave(struct stream *stream)
{
    if (stream->ops->leave != NULL)
        stream->ops->leave(stream);
    else
        stream->ops->close(stream);
}

void stream_abort(struct stream *stream)
{
    stream->ops->abort(stream);
}

void stream_set_deadline(struct stream *stream, usec at)
{
    stream->ops->set_deadline(stream, at);
}

struct endpoint stream_local(const struct stream *stream)
{
    return stream->ops->local(stream);
}

struct endpoint stream_peer(const struct stream *stream)
{
    return stream->ops->peer(stream);
}

struct net *stream_net(const struct stream *stream)
{
    return stream->net;
}

int net_connect(struct net *net, const struct endpoint *to, const struct endpoint *local,
                const struct stream_handler *handler, void *self, struct stream **out)
{
    return net->ops->connect(net, to, local, handler, self, out);
}

int net_connect_path(struct net *net, const char *path, const struct stream_handler *handler,
                     void *self, struct stream **out)
{
    if (net->ops->connect_path == NULL)
        return -EAFNOSUPPORT;
    return net->ops->connect_path(net, path, handler, self, out);
}

int net_listen(struct net *net, const struct listen_options *options,
               const struct listener_handler *handler, void *self, struct listener **out)
{
    return net->ops->listen(net, options, handler, self, out);
}

struct endpoint listener_local(const struct listener *listener)
{
    return listener->ops->local(listener);
}

void listener_close(struct listener *listener)
{
    listener->ops->close(listener);
}

int net_bind(struct net *net, const struct dgram_options *options,
             const struct dgram_handler *handler, void *self, struct dgram **out)
{
    return net->ops->bind(net, options, handler, self, out);
}

int dgram_send(struct dgram *dgram, const struct dgram_message *message)
{
    return dgram->ops->send(dgram, message);
}

struct endpoint dgram_local(const struct dgram *dgram)
{
    return dgram->ops->local(dgram);
}

void dgram_close(struct dgram *dgram)
{
    dgram->ops->close(dgram);
}

void dgram_hold(struct dgram *dgram)
{
    if (dgram->ops->hold != NULL)
        dgram->ops->hold(dgram);
}

void dgram_flush(struct dgram *dgram)
{
    if (dgram->ops->hold != NULL)
        dgram->ops->flush(dgram);
}
