/* SPDX-License-Identifier: ISC */
/*
 * tls_stream.c - a stream whose octets cross another stream as records.
 *
 * What the owner sends within a turn is gathered and leaves in as few records as hold it; large pieces go
 * straight into records, several of which go to the stream below as one. Received octets are offered record by
 * record, as they are opened. No more of the peer's records are opened while the owner leaves STREAM_PENDING_MAX
 * octets unused, and none of ours are made while the stream below has no room: so both directions slow down whom
 * they must. After each thing that happens settle() looks at the whole stream and does what follows from its state.
 */
#include "io/tls_stream.h"

#include <errno.h>
#include <stdlib.h>

enum { DIRECT_MIN = TLS_RECORD_MAX };

static const struct stream_ops stream_ops;
static const struct stream_handler no_handler;

static struct tls_stream *stream_of(const struct stream *base)
{
    return CONTAINER_OF((struct stream *)(uintptr_t)base, struct tls_stream, base);
}

bool stream_is_tls(const struct stream *stream)
{
    return stream->ops == &stream_ops;
}

const char *tls_stream_error(const struct stream *stream)
{
    if (!stream_is_tls(stream))
        return "";
    const struct tls_stream *s = stream_of(stream);
    const char *reason = s->engine != NULL ? tls_engine_reason(s->engine) : "";
    if (reason[0] != '\0' || s->error == 0)
        return reason;
    return s->reason != NULL ? s->reason : strerror(s->error);
}

bool tls_stream_facts(const struct stream *stream, struct tls_facts *out)
{
    if (!stream_is_tls(stream) || stream_of(stream)->shaking || stream_of(stream)->engine == NULL)
        return false;
    tls_engine_facts(stream_of(stream)->engine, out);
    return true;
}

/* ---- the end ---- */

static void drop_pending(struct tls_stream *s)
{
    free(s->pending);
    s->pending = NULL;
    s->pending_len = 0;
    s->pending_size = 0;
}

static void drop_engine(struct tls_stream *s)
{
    tls_engine_free(s->engine);
    s->engine = NULL;
}

/* Tells the owner, if there still is one, and lets go of what is below. */
static void conclude(struct tls_stream *s, int error, bool abort)
{
    if (s->gone)
        return;
    struct stream *plain = s->plain;
    s->gone = true;
    s->error = error;
    s->plain = NULL;
    loop_clear_alarm(s->hub->loop, &s->deadline);
    loop_clear_alarm(s->hub->loop, &s->patience);
    loop_unqueue(&s->task);
    list_remove(&s->node);
    bool told = s->let_go;
    s->let_go = true;
    if (!told && s->base.handler->on_closed != NULL)
        s->base.handler->on_closed(s->base.self, &s->base, error);
    if (plain != NULL && abort)
        stream_abort(plain);
    else if (plain != NULL && s->leaving)
        stream_leave(plain);
    else if (plain != NULL)
        stream_close(plain);
    net_queue_drop(&s->queue, &s->hub->pool, s->queue.len);
    if (!s->busy) { /* else who is busy with them drops them */
        drop_pending(s);
        drop_engine(s);
    }
    s->hub->stream_count--;
    net_bury(&s->hub->yard, &s->grave, s);
}

static void lose(struct tls_stream *s, int error, const char *reason)
{
    if (s->error != 0)
        return;
    s->error = error;
    s->reason = reason;
}

/* We, or the owner, are about to be called and may be closed meanwhile. */
static void begin(struct tls_stream *s)
{
    s->busy = true;
}

static void end(struct tls_stream *s)
{
    s->busy = false;
    if (s->let_go)
        drop_pending(s);
    if (s->gone)
        drop_engine(s);
}

/* ---- receiving ---- */

static void tell_open(struct tls_stream *s)
{
    s->shaking = false;
    loop_clear_alarm(s->hub->loop, &s->patience);
    if (s->let_go)
        loop_set_alarm(s->hub->loop, &s->patience, loop_now(s->hub->loop) + STREAM_LINGER);
    else if (s->base.handler->on_open != NULL)
        s->base.handler->on_open(s->base.self, &s->base);
}

static void fail(struct tls_stream *s)
{
    lose(s, tls_engine_error(s->engine), NULL);
}

static void wait_for_more(struct tls_stream *s)
{
    if (s->plain_ended && s->plain_left == 0)
        lose(s, ECONNRESET,
             s->shaking ? "the peer closed the connection during the handshake"
                        : "the connection was cut short: it ended without a close_notify");
}

/* True: the handshake is done. */
static bool shake(struct tls_stream *s)
{
    switch (tls_engine_handshake(s->engine)) {
    case TLS_STEP_DONE:
        tell_open(s);
        return !s->gone;
    case TLS_STEP_READ:
        wait_for_more(s);
        break;
    case TLS_STEP_WRITE:
        break;
    case TLS_STEP_END:
    case TLS_STEP_FAILED:
        fail(s);
        break;
    }
    return false;
}

/* Keeps what was not used; it may lie in `pending`. */
static void keep(struct tls_stream *s, struct bytes rest)
{
    if (rest.len == 0) {
        drop_pending(s);
        return;
    }
    if (s->pending == NULL) {
        s->pending_size = rest.len;
        s->pending = malloc(rest.len);
        if (s->pending == NULL) {
            lose(s, ENOMEM, NULL);
            return;
        }
    }
    memmove(s->pending, rest.data, rest.len);
    s->pending_len = rest.len;
}

static void offer(struct tls_stream *s, struct bytes in)
{
    size_t used = in.len;
    if (s->base.handler->on_bytes != NULL)
        used = s->base.handler->on_bytes(s->base.self, &s->base, in);
    ASSERT(used <= in.len);
    if (s->let_go)
        return;
    if (used > 0 && s->finished && s->ended)
        loop_clear_alarm(s->hub->loop, &s->patience);
    keep(s, bytes_after(in, used));
}

/* Opens a record behind what is pending. *in: all that is to be offered. */
static enum tls_step read_record(struct tls_stream *s, uint8_t *buffer, struct bytes *in)
{
    size_t len = 0;
    if (s->pending_len == 0) {
        enum tls_step step = tls_engine_read(s->engine, buffer, TLS_RECORD_MAX, &len);
        *in = bytes_of(buffer, len);
        return step;
    }
    size_t size = s->pending_len + TLS_RECORD_MAX;
    if (size > STREAM_PENDING_MAX)
        size = STREAM_PENDING_MAX;
    if (s->pending_size < size) {
        uint8_t *larger = realloc(s->pending, size);
        if (larger == NULL) {
            lose(s, ENOMEM, NULL);
            return TLS_STEP_WRITE;
        }
        s->pending = larger;
        s->pending_size = size;
    }
    enum tls_step step = tls_engine_read(s->engine, s->pending + s->pending_len,
                                         size - s->pending_len, &len);
    *in = bytes_of(s->pending, s->pending_len + len);
    return step;
}

static void tell_end(struct tls_stream *s)
{
    s->ended = true;
    if (!s->let_go && s->base.handler->on_end != NULL)
        s->base.handler->on_end(s->base.self, &s->base);
}

static bool wants_to_read(const struct tls_stream *s)
{
    return !s->gone && !s->let_go && s->error == 0 && !s->ended &&
           s->pending_len < STREAM_PENDING_MAX;
}

static void receive(struct tls_stream *s)
{
    uint8_t buffer[TLS_RECORD_MAX];
    struct bytes in = bytes_empty();
    if (s->gone || s->error != 0 || (s->shaking && !shake(s)))
        return;
    while (wants_to_read(s)) {
        switch (read_record(s, buffer, &in)) {
        case TLS_STEP_DONE:
            offer(s, in);
            if (s->gone || !tls_engine_drained(s->engine))
                break;
            wait_for_more(s);
            return;
        case TLS_STEP_READ:
            wait_for_more(s);
            return;
        case TLS_STEP_WRITE:
            return;
        case TLS_STEP_END:
            tell_end(s);
            break;
        case TLS_STEP_FAILED:
            fail(s);
            return;
        }
    }
}

/* ---- sending ---- */

/* What was gathered goes on. Where the network does not take it all the rest is queued, which there was room
 * for, and no more records are made before it has gone. */
static void deliver(struct tls_stream *s)
{
    struct bytes in = bytes_of(s->hub->gather, s->hub->gathered);
    s->hub->gathered = 0;
    if (s->plain == NULL || in.len == 0)
        return;
    struct bytes rest = bytes_after(in, stream_send_now(s->plain, in));
    s->blocked = rest.len > 0;
    if (rest.len > 0 && stream_send(s->plain, rest) < rest.len && stream_room(s->plain) > 0)
        lose(s, ENOMEM, NULL); /* without room it has failed, and will say so itself */
}

/* From now on records go together, if they may. */
static void begin_gathering(struct tls_stream *s)
{
    struct tls_hub *hub = s->hub;
    if (hub->gather == NULL)
        hub->gather = malloc(TLS_GATHER_SIZE);
    if (hub->gather != NULL && s->plain != NULL && stream_room(s->plain) >= TLS_GATHER_SIZE)
        hub->gatherer = s;
}

static void end_gathering(struct tls_stream *s)
{
    if (s->hub->gatherer == s)
        deliver(s);
    s->hub->gatherer = NULL;
}

static size_t send_records(void *self, struct bytes in)
{
    struct tls_stream *s = self;
    struct tls_hub *hub = s->hub;
    bool together = hub->gatherer == s && in.len <= TLS_GATHER_SIZE;
    if (together && in.len > TLS_GATHER_SIZE - hub->gathered) {
        deliver(s);
        if (s->blocked || stream_room(s->plain) < TLS_GATHER_SIZE) {
            hub->gatherer = NULL;
            together = false;
        }
    }
    if (together) {
        memcpy(hub->gather + hub->gathered, in.data, in.len);
        hub->gathered += in.len;
        return in.len;
    }
    size_t taken = s->plain != NULL && !s->blocked ? stream_send(s->plain, in) : 0;
    s->blocked = taken < in.len; /* on_room is owed to us exactly then */
    return taken;
}

struct tls_wire tls_stream_wire(struct tls_stream *s)
{
    return (struct tls_wire){send_records, s};
}

/* Makes one record. True: it has gone, and there may be room for more. */
static bool seal(struct tls_stream *s, struct bytes in)
{
    enum tls_step step = tls_engine_write(s->engine, in);
    if (step == TLS_STEP_FAILED)
        fail(s);
    return step == TLS_STEP_DONE;
}

static bool may_seal(const struct tls_stream *s)
{
    return !s->gone && !s->shaking && !s->blocked && s->error == 0 && s->plain != NULL;
}

static void seal_queue(struct tls_stream *s)
{
    while (may_seal(s) && s->queue.len > 0) {
        struct iovec view;
        (void)net_queue_views(&s->queue, &view, 1);
        size_t len = view.iov_len < TLS_RECORD_MAX ? view.iov_len : TLS_RECORD_MAX;
        if (s->on_its_way > 0)
            len = s->on_its_way;
        s->on_its_way = len;
        if (!seal(s, bytes_of(view.iov_base, len)))
            return;
        s->on_its_way = 0;
        net_queue_drop(&s->queue, &s->hub->pool, len);
    }
}

static void flush(struct tls_stream *s)
{
    if (s->queue.len > TLS_RECORD_MAX)
        begin_gathering(s);
    seal_queue(s);
    end_gathering(s);
    if (!may_seal(s) || s->queue.len > 0 || !s->finishing || s->finished)
        return;
    enum tls_step step = tls_engine_finish(s->engine);
    if (step == TLS_STEP_FAILED)
        fail(s);
    if (step != TLS_STEP_DONE)
        return;
    s->finished = true;
    if (!s->leaving)
        stream_finish(s->plain);
}

/* Records of what is offered, of which no copy is made, until the stream below is full. Returns how much was
 * taken. */
static size_t seal_pieces(struct tls_stream *s, struct bytes in)
{
    size_t taken = 0;
    while (in.len > 0 && may_seal(s) && s->queue.len == 0) {
        struct bytes record = bytes_first(in, TLS_RECORD_MAX);
        if (!seal(s, record)) {
            if (s->error != 0)
                break;
            /* It is on its way, and must be shown again to bring the rest there. */
            if (net_queue_add(&s->queue, &s->hub->pool, record) < record.len) {
                lose(s, ENOMEM, NULL);
                break;
            }
            s->on_its_way = record.len;
        }
        taken += record.len;
        in = bytes_after(in, record.len);
    }
    return taken;
}

/* Large pieces go behind what is queued, at once. */
static size_t seal_directly(struct tls_stream *s, struct bytes in)
{
    if (in.len < DIRECT_MIN || !may_seal(s))
        return 0;
    begin_gathering(s);
    seal_queue(s);
    size_t taken = seal_pieces(s, in);
    end_gathering(s);
    return taken;
}

static void tell_room(struct tls_stream *s)
{
    if (!s->room_wanted || s->gone || s->let_go || s->finishing || s->error != 0 || s->shaking ||
        s->queue.len > STREAM_QUEUE_MAX / 2)
        return;
    s->room_wanted = false;
    if (s->base.handler->on_room != NULL)
        s->base.handler->on_room(s->base.self, &s->base);
}

/* ---- what follows ---- */

static void settle(struct tls_stream *s)
{
    if (s->gone)
        return;
    if (s->error != 0)
        conclude(s, s->error, false);
    else if (s->let_go && (s->finished || s->plain == NULL))
        conclude(s, 0, false);
    else if (s->plain != NULL && (!s->finished || !s->ended))
        return;
    else if (s->ended && s->pending_len == 0)
        conclude(s, 0, false);
    /* The owner does not use what is left: it has until then to come back to it. */
    else if (!timer_armed(&s->patience.timer))
        loop_set_alarm(s->hub->loop, &s->patience, loop_now(s->hub->loop) + STREAM_LINGER);
}

/* All that can be done is done; `again`: what was refused is offered anew. */
static void proceed(struct tls_stream *s, bool again)
{
    begin(s);
    if (again && s->pending_len > 0 && !s->let_go)
        offer(s, bytes_of(s->pending, s->pending_len));
    receive(s);
    flush(s);
    tell_room(s);
    flush(s);
    end(s);
}

static void on_tls_task(struct task *task)
{
    struct tls_stream *s = CONTAINER_OF(task, struct tls_stream, task);
    bool again = s->resume_wanted;
    s->resume_wanted = false;
    proceed(s, again);
    if (!s->gone && s->plain != NULL && s->plain_left > 0 && (s->let_go || wants_to_read(s)))
        stream_resume(s->plain);
    settle(s);
}

static void on_patience_over(struct alarm *alarm)
{
    struct tls_stream *s = CONTAINER_OF(alarm, struct tls_stream, patience);
    if (s->shaking) {
        s->reason = "the handshake took too long";
        conclude(s, ETIMEDOUT, true);
    } else {
        conclude(s, 0, false);
    }
}

static void on_tls_deadline(struct alarm *alarm)
{
    struct tls_stream *s = CONTAINER_OF(alarm, struct tls_stream, deadline);
    if (s->base.handler->on_deadline != NULL)
        s->base.handler->on_deadline(s->base.self, &s->base);
}

/* ---- the stream below ---- */

static size_t on_plain_bytes(void *self, struct stream *plain UNUSED, struct bytes in)
{
    struct tls_stream *s = self;
    if (s->let_go && !s->shaking) {
        s->plain_left = 0;
        return in.len; /* nobody listens; what is queued is still sent */
    }
    s->plain_left = 0;
    begin(s);
    tls_engine_feed(s->engine, in);
    receive(s);
    size_t used = tls_engine_fed(s->engine);
    s->plain_left = in.len - used;
    flush(s);
    if (s->room_wanted && !s->blocked) { /* asked for before the handshake was done */
        tell_room(s);
        flush(s);
    }
    end(s);
    settle(s);
    return s->ended ? in.len : used; /* after close_notify there is nothing to be read */
}

static void on_plain_end(void *self, struct stream *plain UNUSED)
{
    struct tls_stream *s = self;
    s->plain_ended = true;
    proceed(s, false);
    settle(s);
}

static void on_plain_room(void *self, struct stream *plain UNUSED)
{
    struct tls_stream *s = self;
    s->blocked = false;
    proceed(s, false);
    settle(s);
}

static void on_plain_closed(void *self, struct stream *plain UNUSED, int error)
{
    struct tls_stream *s = self;
    s->plain = NULL;
    s->plain_ended = true;
    s->plain_left = 0;
    if (error != 0)
        lose(s, error, NULL);
    else
        proceed(s, false); /* tells what is in its buffers, and misses a close_notify */
    settle(s);
}

static const struct stream_handler plain_handler = {
    .on_bytes = on_plain_bytes,
    .on_end = on_plain_end,
    .on_room = on_plain_room,
    .on_closed = on_plain_closed,
};

/* ---- the owner's calls ---- */

static bool takes_nothing(const struct tls_stream *s)
{
    return s->let_go || s->gone || s->finishing || s->error != 0;
}

static size_t tls_room(const struct stream *base)
{
    const struct tls_stream *s = stream_of(base);
    return takes_nothing(s) ? 0 : STREAM_QUEUE_MAX - s->queue.len;
}

static size_t tls_send(struct stream *base, struct bytes in)
{
    struct tls_stream *s = stream_of(base);
    if (takes_nothing(s))
        return 0;
    size_t taken = seal_directly(s, in);
    struct bytes rest = bytes_first(bytes_after(in, taken), STREAM_QUEUE_MAX - s->queue.len);
    if (s->error == 0)
        taken += net_queue_add(&s->queue, &s->hub->pool, rest);
    s->room_wanted = taken < in.len;
    loop_queue(s->hub->loop, &s->task);
    return taken;
}

/* A small piece is copied, to share a record with others. */
static size_t tls_send_now(struct stream *base, struct bytes in)
{
    struct tls_stream *s = stream_of(base);
    if (in.len < DIRECT_MIN)
        return tls_send(base, in);
    if (takes_nothing(s))
        return 0;
    size_t taken = seal_directly(s, in);
    s->room_wanted = taken < in.len;
    if (s->error != 0)
        loop_queue(s->hub->loop, &s->task);
    return taken;
}

static bool tls_ready(struct stream *base)
{
    struct tls_stream *s = stream_of(base);
    if (may_seal(s))
        return true;
    s->room_wanted = true;
    return false;
}

static void tls_resume(struct stream *base)
{
    struct tls_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->resume_wanted = true;
    loop_queue(s->hub->loop, &s->task);
}

static void tls_finish(struct stream *base)
{
    struct tls_stream *s = stream_of(base);
    if (s->gone)
        return;
    s->finishing = true;
    loop_queue(s->hub->loop, &s->task);
}

static void tls_close(struct stream *base)
{
    struct tls_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->let_go = true;
    s->finishing = true;
    if (!s->busy)
        drop_pending(s);
    loop_clear_alarm(s->hub->loop, &s->deadline);
    if (s->plain == NULL || (s->shaking && s->queue.len == 0)) {
        conclude(s, 0, true);
        return;
    }
    list_remove(&s->node);
    list_append(&s->hub->lingering, &s->node);
    if (!s->shaking)
        loop_set_alarm(s->hub->loop, &s->patience, loop_now(s->hub->loop) + STREAM_LINGER);
    loop_queue(s->hub->loop, &s->task);
}

/* A server sends tickets that nobody has asked for (RFC 8446 §4.6.1): were nobody there for them, it would be
 * reset before it has read what is on its way. */
static void tls_leave(struct stream *base)
{
    struct tls_stream *s = stream_of(base);
    if (!s->let_go && !s->gone && !s->hub->of_client)
        s->leaving = true;
    tls_close(base);
}

static void tls_abort(struct stream *base)
{
    struct tls_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->let_go = true;
    conclude(s, 0, true);
}

static void tls_set_deadline(struct stream *base, usec at)
{
    struct tls_stream *s = stream_of(base);
    if (!s->let_go && !s->gone)
        loop_set_alarm(s->hub->loop, &s->deadline, at);
}

static struct endpoint tls_local(const struct stream *base)
{
    const struct tls_stream *s = stream_of(base);
    return s->plain != NULL ? stream_local(s->plain) : (struct endpoint){0};
}

static struct endpoint tls_peer(const struct stream *base)
{
    return stream_of(base)->peer;
}

static const struct stream_ops stream_ops = {
    .send = tls_send,
    .send_now = tls_send_now,
    .ready = tls_ready,
    .room = tls_room,
    .resume = tls_resume,
    .finish = tls_finish,
    .close = tls_close,
    .leave = tls_leave,
    .abort = tls_abort,
    .set_deadline = tls_set_deadline,
    .local = tls_local,
    .peer = tls_peer,
};

/* ---- beginning ---- */

struct tls_stream *tls_stream_new(struct tls_hub *hub)
{
    struct tls_stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->hub = hub;
    s->base = (struct stream){&stream_ops, NULL, &no_handler, NULL};
    s->shaking = true;
    list_init(&s->node);
    alarm_init(&s->deadline, on_tls_deadline);
    alarm_init(&s->patience, on_patience_over);
    task_init(&s->task, on_tls_task);
    return s;
}

void tls_stream_start(struct tls_stream *s, struct stream *plain, struct tls_engine *engine)
{
    s->engine = engine;
    s->plain = plain;
    s->peer = stream_peer(plain);
    s->base.net = plain->net;
    s->hub->stream_count++;
    stream_set_handler(plain, &plain_handler, s);
    stream_resume(plain); /* octets that wait there are ours */
    loop_set_alarm(s->hub->loop, &s->patience, loop_now(s->hub->loop) + TLS_HANDSHAKE_TIMEOUT);
    loop_queue(s->hub->loop, &s->task);
}

void tls_hub_init(struct tls_hub *hub, struct loop *loop)
{
    hub->loop = loop;
    net_graveyard_init(&hub->yard, loop);
    list_init(&hub->lingering);
}

void tls_hub_done(struct tls_hub *hub)
{
    struct list_node *node;
    while ((node = list_first(&hub->lingering)) != NULL) {
        struct tls_stream *s = CONTAINER_OF(node, struct tls_stream, node);
        flush(s);
        conclude(s, 0, false);
    }
    ASSERT(hub->stream_count == 0);
    net_graveyard_done(&hub->yard);
    net_pool_done(&hub->pool);
    free(hub->gather);
    tls_context_free(hub->context);
}
