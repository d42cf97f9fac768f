/* SPDX-License-Identifier: ISC */
/*
 * net_stack_stream.c - streams over our stack's TCP.
 *
 * Received octets stay in the frames they came in. They are offered frame by frame, as they lie
 * there; only what was not used is put together with what follows it, so that the owner sees one
 * piece. What the owner leaves unused is not consumed, and so closes the peer's window.
 */
#include <errno.h>
#include <stdlib.h>

#include "io/net_stack.h"

struct stack_stream {
    struct stream base;
    struct net_grave grave;
    struct node_client client;
    struct list_node lingering;
    struct alarm deadline;
    struct alarm linger;
    struct task task;
    struct tcp_connection *c;
    size_t left;        /* octets that were offered and not used */
    bool connecting;
    bool room_wanted;   /* on_room is owed */
    bool resume_wanted;
    bool finishing;     /* tcp_shutdown() was called */
    bool finished;      /* our FIN is acknowledged, and the peer's has come */
    bool ended;         /* on_end was told */
    bool let_go;        /* the owner has closed it: no more callbacks */
    bool gone;          /* waits to be freed; `c` is dead */
};

static struct stack_stream *stream_of(const struct stream *base)
{
    return CONTAINER_OF((struct stream *)(uintptr_t)base, struct stack_stream, base);
}

static struct loop *loop_of(const struct stack_stream *s)
{
    return s->base.net->loop;
}

static struct node *node_of(const struct stack_stream *s)
{
    return stack_net_of(s->base.net)->node;
}

static int errno_of(enum tcp_error error)
{
    static const int errors[] = {
        [TCP_OK] = 0,
        [TCP_REFUSED] = ECONNREFUSED,
        [TCP_RESET] = ECONNRESET,
        [TCP_TIMED_OUT] = ETIMEDOUT,
        [TCP_UNREACHABLE] = EHOSTUNREACH,
        [TCP_ABORTED] = ECONNABORTED,
    };
    _Static_assert(ARRAY_LEN(errors) == TCP_ERROR_COUNT, "one errno per error");
    return errors[error];
}

/* ---- the end ---- */

/* The connection goes on alone, or is reset. */
static void retire(struct stack_stream *s, bool abort)
{
    loop_clear_alarm(loop_of(s), &s->deadline);
    loop_clear_alarm(loop_of(s), &s->linger);
    loop_unqueue(&s->task);
    list_remove(&s->lingering);
    node_wake(node_of(s));
    if (abort)
        tcp_abort(s->c);
    else
        tcp_close(s->c);
    s->c = NULL;
    s->gone = true;
    net_bury(&stack_net_of(s->base.net)->yard, &s->grave, s);
}

/* Tells the owner, if there still is one, and leaves the rest to the stack. */
static void conclude(struct stack_stream *s, int error)
{
    bool told = s->let_go;
    s->let_go = true;
    if (!told && s->base.handler->on_closed != NULL)
        s->base.handler->on_closed(s->base.self, &s->base, error);
    retire(s, false);
}

static void on_linger_over(struct alarm *alarm)
{
    struct stack_stream *s = CONTAINER_OF(alarm, struct stack_stream, linger);
    if (s->let_go)
        retire(s, true);
    else
        conclude(s, 0);
}

bool stack_net_drop_lingering(struct stack_net *net)
{
    struct list_node *node = list_first(&net->lingering);
    if (node == NULL)
        return false;
    retire(CONTAINER_OF(node, struct stack_stream, lingering), false);
    return true;
}

/* ---- receiving ---- */

/* The peer's FIN has come, and all before it. */
static bool peer_has_ended(const struct stack_stream *s)
{
    switch (tcp_state(s->c)) {
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
        return true;
    case TCP_CLOSED:
        return tcp_error(s->c) == TCP_OK;
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_STATE_COUNT:
        break;
    }
    return false;
}

/* The first octets received, in one piece: of one frame, or when some of them were offered before,
 * as many as one may keep. */
static struct bytes next_offer(struct stack_stream *s)
{
    struct slice *views = stack_net_of(s->base.net)->views;
    size_t count = tcp_received(s->c, views, s->left > 0 ? STACK_NET_VIEWS_MAX : 1);
    if (count == 0)
        return bytes_empty();
    if (s->left == 0 || count == 1)
        return bytes_first(bytes_of(views[0].data, views[0].len), STREAM_PENDING_MAX);
    uint8_t *joined = stack_net_of(s->base.net)->joined;
    size_t len = 0;
    for (size_t i = 0; i < count && len < STREAM_PENDING_MAX; i++) {
        size_t room = STREAM_PENDING_MAX - len;
        size_t part = views[i].len < room ? views[i].len : room;
        memcpy(joined + len, views[i].data, part);
        len += part;
    }
    return bytes_of(joined, len);
}

/* Offers what came since the last time, or with `again` also what was refused then. */
static void offer(struct stack_stream *s, bool again)
{
    while (!s->let_go && !s->connecting && (again || tcp_received_len(s->c) > s->left)) {
        struct bytes in = next_offer(s);
        /* Nothing, or nothing more than was refused: too many small frames, or enough waits. */
        if (in.len == 0 || (!again && in.len <= s->left))
            return;
        again = false;
        size_t used = in.len;
        if (s->base.handler->on_bytes != NULL)
            used = s->base.handler->on_bytes(s->base.self, &s->base, in);
        ASSERT(used <= in.len);
        if (s->let_go)
            return;
        s->left = in.len - used;
        if (used == 0)
            continue;
        tcp_consume(s->c, used);
        loop_clear_alarm(loop_of(s), &s->linger);
    }
}

static void receive(struct stack_stream *s, bool again)
{
    offer(s, again);
    if (s->gone || s->connecting)
        return;
    if (s->let_go) {
        tcp_consume(s->c, tcp_received_len(s->c));
        return;
    }
    if (!s->ended && tcp_received_len(s->c) == s->left && peer_has_ended(s)) {
        s->ended = true;
        if (s->base.handler->on_end != NULL)
            s->base.handler->on_end(s->base.self, &s->base);
    }
}

/* ---- what follows ---- */

static void settle(struct stack_stream *s)
{
    if (s->gone)
        return;
    enum tcp_error error = tcp_error(s->c);
    if (error != TCP_OK) {
        conclude(s, errno_of(error));
        return;
    }
    /* Nobody listens any more: the stack delivers what is queued without us. */
    if (s->let_go && peer_has_ended(s)) {
        conclude(s, 0);
        return;
    }
    if (!s->finished || s->let_go)
        return;
    if (s->ended && s->left == 0)
        conclude(s, 0);
    /* The owner does not use what is left: it has until then to come back to it. */
    else if (!timer_armed(&s->linger.timer))
        loop_set_alarm(loop_of(s), &s->linger, loop_now(loop_of(s)) + STREAM_LINGER);
}

static void tell_open(struct stack_stream *s)
{
    s->connecting = false;
    if (!s->let_go && s->base.handler->on_open != NULL)
        s->base.handler->on_open(s->base.self, &s->base);
}

static void tell_room(struct stack_stream *s)
{
    if (!s->room_wanted || s->let_go || s->finishing)
        return;
    s->room_wanted = false;
    if (s->base.handler->on_room != NULL)
        s->base.handler->on_room(s->base.self, &s->base);
}

static void on_stream_event(struct node_client *client, const struct socket_event *event)
{
    struct stack_stream *s = CONTAINER_OF(client, struct stack_stream, client);
    unsigned events = event->events;
    if (events & SOCKET_FINISHED)
        s->finished = true;
    if ((events & SOCKET_OPENED) && s->connecting)
        tell_open(s);
    if (!s->gone && (events & (SOCKET_READABLE | SOCKET_END | SOCKET_FAILED)))
        receive(s, false);
    if (!s->gone && (events & SOCKET_WRITABLE))
        tell_room(s);
    settle(s);
}

static void on_stream_task(struct task *task)
{
    struct stack_stream *s = CONTAINER_OF(task, struct stack_stream, task);
    node_wake(node_of(s));
    bool again = s->resume_wanted;
    s->resume_wanted = false;
    receive(s, again);
    settle(s);
}

static void on_stream_deadline(struct alarm *alarm)
{
    struct stack_stream *s = CONTAINER_OF(alarm, struct stack_stream, deadline);
    if (s->base.handler->on_deadline != NULL)
        s->base.handler->on_deadline(s->base.self, &s->base);
}

/* ---- the owner's calls ---- */

static size_t stack_stream_room(const struct stream *base)
{
    const struct stack_stream *s = stream_of(base);
    if (s->let_go || s->gone || s->finishing)
        return 0;
    return tcp_send_room(s->c);
}

static size_t stack_stream_send(struct stream *base, struct bytes in)
{
    struct stack_stream *s = stream_of(base);
    if (s->let_go || s->gone || s->finishing)
        return 0;
    node_wake(node_of(s));
    size_t taken = tcp_send(s->c, in);
    s->room_wanted = taken < in.len;
    return taken;
}

static void stack_stream_resume(struct stream *base)
{
    struct stack_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->resume_wanted = true;
    loop_queue(loop_of(s), &s->task);
}

static void shut_down(struct stack_stream *s)
{
    if (s->finishing)
        return;
    s->finishing = true;
    node_wake(node_of(s));
    tcp_shutdown(s->c);
}

static void stack_stream_finish(struct stream *base)
{
    struct stack_stream *s = stream_of(base);
    if (!s->let_go && !s->gone)
        shut_down(s);
}

/* The connection is kept until the peer ends too, and what it says is dropped: tcp_close() would
 * reset it, and with it what the peer has not received yet (RFC 1122 §4.2.2.13). */
static void stack_stream_close(struct stream *base)
{
    struct stack_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->let_go = true;
    loop_clear_alarm(loop_of(s), &s->deadline);
    bool nothing_sent = s->connecting && tcp_unacknowledged(s->c) == 0;
    if (nothing_sent || tcp_error(s->c) != TCP_OK) {
        conclude(s, 0);
        return;
    }
    shut_down(s);
    list_append(&stack_net_of(base->net)->lingering, &s->lingering);
    loop_set_alarm(loop_of(s), &s->linger, loop_now(loop_of(s)) + STREAM_LINGER);
    /* What has been received may be in use by the callback that called this. */
    loop_queue(loop_of(s), &s->task);
}

static void stack_stream_abort(struct stream *base)
{
    struct stack_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->let_go = true;
    retire(s, true);
}

static void stack_stream_set_deadline(struct stream *base, usec at)
{
    struct stack_stream *s = stream_of(base);
    if (!s->let_go && !s->gone)
        loop_set_alarm(loop_of(s), &s->deadline, at);
}

static struct endpoint stack_stream_local(const struct stream *base)
{
    const struct stack_stream *s = stream_of(base);
    return s->c != NULL ? *tcp_local(s->c) : (struct endpoint){0};
}

static struct endpoint stack_stream_peer(const struct stream *base)
{
    const struct stack_stream *s = stream_of(base);
    return s->c != NULL ? *tcp_remote(s->c) : (struct endpoint){0};
}

static const struct stream_ops stream_ops = {
    .send = stack_stream_send,
    .room = stack_stream_room,
    .resume = stack_stream_resume,
    .finish = stack_stream_finish,
    .close = stack_stream_close,
    .abort = stack_stream_abort,
    .set_deadline = stack_stream_set_deadline,
    .local = stack_stream_local,
    .peer = stack_stream_peer,
};

/* ---- beginning ---- */

static const struct stream_handler no_handler;

static struct stack_stream *new_stream(struct stack_net *net)
{
    struct stack_stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->base = (struct stream){&stream_ops, &net->base, &no_handler, NULL};
    s->client.on_event = on_stream_event;
    list_init(&s->lingering);
    alarm_init(&s->deadline, on_stream_deadline);
    alarm_init(&s->linger, on_linger_over);
    task_init(&s->task, on_stream_task);
    return s;
}

struct stream *stack_stream_new(struct stack_net *net, struct tcp_connection *connection)
{
    struct stack_stream *s = new_stream(net);
    if (s == NULL) {
        tcp_abort(connection);
        return NULL;
    }
    s->c = connection;
    tcp_set_user(connection, &s->client);
    tcp_base(connection)->face = SOCKET_FACE_NET;
    (void)tcp_set_option(connection, TCP_OPTION_NODELAY, 1);
    return &s->base;
}

int stack_net_connect(struct net *base, const struct endpoint *to, const struct endpoint *local,
                      const struct stream_handler *handler, void *self, struct stream **out)
{
    struct stack_net *net = stack_net_of(base);
    struct stack_stream *s = new_stream(net);
    if (s == NULL)
        return -ENOMEM;
    enum socket_refusal why;
    struct tcp_connect_options options = {.remote = *to, .user = &s->client, .why = &why};
    if (local != NULL)
        options.local = *local;
    node_wake(net->node);
    s->c = tcp_connect(node_stack(net->node), &options);
    if (s->c == NULL) {
        free(s);
        if (why == SOCKET_NO_MEMORY)
            return -ENOMEM;
        return why == SOCKET_IN_USE ? -EADDRNOTAVAIL : -ENETUNREACH;
    }
    tcp_base(s->c)->face = SOCKET_FACE_NET;
    (void)tcp_set_option(s->c, TCP_OPTION_NODELAY, 1);
    s->connecting = true;
    stream_set_handler(&s->base, handler, self);
    *out = &s->base;
    return 0;
}
