/* SPDX-License-Identifier: ISC */
/*
 * net_kernel_stream.c - streams over the host's TCP.
 *
 * What a turn has sent is gathered and leaves with one sendmsg(2) at the turn's end; large pieces
 * go straight from the caller to the kernel. After each thing that happens settle() looks at the
 * whole stream and does what follows from its state: FIN, the end, what to wait for.
 *
 * The kernel tells of changes alone (edge-triggered), of all kinds, once and for all: no call when a
 * stream begins to wait for room or stops reading. `readable` and `blocked` remember what it told.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net_kernel.h"
#include "os/socket.h"

enum {
    VIEWS_MAX = 17,          /* STREAM_QUEUE_MAX in blocks, and what the caller holds */
    DIRECT_MIN = 16 * 1024,  /* from here on a copy costs more than a system call */
    FILE_PIECE = 256 * 1024, /* of a file, in one call */
    FILE_LARGE = 8 * 1024 * 1024,
    FILE_UNSENT_MAX = 512 * 1024, /* of a large one, with the kernel and not on its way */
    FAREWELL_READS = 64,     /* what the peer said before it reset the connection */
};

struct kernel_stream {
    struct stream base;
    struct net_grave grave;
    struct list_node lingering;
    struct watch watch;
    struct alarm deadline;
    struct alarm linger;
    struct task task;
    struct endpoint peer;
    struct net_queue queue; /* taken and not sent */
    uint8_t *pending;       /* received, offered and not used; NULL: none */
    size_t pending_len;
    size_t pending_size;
    int fd;
    int error;          /* positive errno: the connection is lost */
    bool connecting;
    bool blocked;       /* the kernel's buffer is full: it will tell of room */
    bool readable;      /* the kernel has something that was not read */
    bool last_read;     /* an end or an error is behind what it has: no more will be told */
    bool room_wanted;   /* on_room is owed, */
    bool room_to_go;    /* but not before the kernel takes more and nothing is queued */
    bool resume_wanted;
    bool file_is_large; /* the kernel was told */
    bool finishing;     /* FIN after what is queued */
    bool fin_sent;
    bool ended;         /* the peer's FIN has come */
    bool let_go;        /* the owner has closed it: no more callbacks */
    bool leaving;       /* and the peer sends no more */
    bool gone;          /* waits to be freed */
};

static struct kernel_stream *stream_of(const struct stream *base)
{
    return CONTAINER_OF((struct stream *)(uintptr_t)base, struct kernel_stream, base);
}

static struct loop *loop_of(const struct kernel_stream *s)
{
    return s->base.net->loop;
}

/* ---- the end ---- */

static void drop_pending(struct kernel_stream *s)
{
    free(s->pending);
    s->pending = NULL;
    s->pending_len = 0;
    s->pending_size = 0;
}

static void drop_queue(struct kernel_stream *s)
{
    net_queue_drop(&s->queue, &kernel_net_of(s->base.net)->pool, s->queue.len);
}

/* Tells the owner, if there still is one, and closes. */
static void conclude(struct kernel_stream *s, int error)
{
    struct kernel_net *net = kernel_net_of(s->base.net);
    s->gone = true;
    loop_unwatch(&s->watch);
    loop_clear_alarm(net->base.loop, &s->deadline);
    loop_clear_alarm(net->base.loop, &s->linger);
    loop_unqueue(&s->task);
    list_remove(&s->lingering);
    drop_queue(s);
    drop_pending(s);
    if (!s->let_go && s->base.handler->on_closed != NULL)
        s->base.handler->on_closed(s->base.self, &s->base, error);
    s->let_go = true;
    (void)close(s->fd);
    net_bury(&net->yard, &s->grave, s);
}

static void on_linger_over(struct alarm *alarm)
{
    conclude(CONTAINER_OF(alarm, struct kernel_stream, linger), 0);
}

/* ---- receiving ---- */

static bool wants_to_read(const struct kernel_stream *s)
{
    return !s->connecting && !s->ended && s->pending_len < STREAM_PENDING_MAX;
}

/* Keeps what was not used; it does not lie in `pending`. */
static void keep(struct kernel_stream *s, struct bytes rest)
{
    if (rest.len == 0) {
        drop_pending(s);
        return;
    }
    if (rest.len > s->pending_size) {
        size_t size = 256;
        while (size < rest.len)
            size *= 2;
        uint8_t *larger = realloc(s->pending, size);
        if (larger == NULL) {
            s->error = ENOMEM;
            return;
        }
        s->pending = larger;
        s->pending_size = size;
    }
    memcpy(s->pending, rest.data, rest.len);
    s->pending_len = rest.len;
}

static void offer(struct kernel_stream *s, struct bytes in)
{
    size_t used = in.len;
    if (!s->let_go && s->base.handler->on_bytes != NULL)
        used = s->base.handler->on_bytes(s->base.self, &s->base, in);
    ASSERT(used <= in.len);
    if (s->let_go)
        return;
    if (used > 0)
        loop_clear_alarm(loop_of(s), &s->linger);
    keep(s, bytes_after(in, used));
}

/* One read and one offer. True: octets have come. */
static bool receive(struct kernel_stream *s)
{
    uint8_t *buffer = kernel_net_of(s->base.net)->receive;
    size_t kept = s->pending_len;
    size_t room = KERNEL_RECEIVE_SIZE - kept;
    ssize_t got = recv(s->fd, buffer + kept, room, 0);
    /* Less than there was room for is all: what comes afterwards will be told. */
    s->readable = got > 0 && ((size_t)got == room || s->last_read);
    if (got < 0) {
        s->readable = errno == EINTR;
        if (errno != EAGAIN && errno != EINTR)
            s->error = errno;
        return false;
    }
    if (got == 0 && s->error != 0)
        return false; /* not the peer's end: the error was told to the call before */
    if (got == 0) {
        s->ended = true;
        if (!s->let_go && s->base.handler->on_end != NULL)
            s->base.handler->on_end(s->base.self, &s->base);
        return false;
    }
    if (kept > 0)
        memcpy(buffer, s->pending, kept);
    offer(s, bytes_of(buffer, kept + (size_t)got));
    return true;
}

static void offer_again(struct kernel_stream *s)
{
    uint8_t *buffer = kernel_net_of(s->base.net)->receive;
    size_t len = s->pending_len;
    if (len == 0)
        return;
    memcpy(buffer, s->pending, len);
    offer(s, bytes_of(buffer, len));
}

/* ---- sending ---- */

static size_t len_of(const struct iovec *views, int count)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += views[i].iov_len;
    return len;
}

/* What is one piece goes by the simpler call. */
static ssize_t send_views(int fd, struct iovec *views, int count, int flags)
{
    if (count == 1)
        return send(fd, views[0].iov_base, views[0].iov_len, flags);
    struct msghdr message = {.msg_iov = views, .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, flags);
}

/* Gives the kernel what is queued and then `extra`; returns how much of `extra` it took. */
static size_t push_with(struct kernel_stream *s, struct bytes extra, int flags)
{
    struct net_pool *pool = &kernel_net_of(s->base.net)->pool;
    size_t taken = 0;
    while (!s->blocked && s->error == 0 && s->queue.len + extra.len > 0) {
        struct iovec views[VIEWS_MAX];
        int count = net_queue_views(&s->queue, views, VIEWS_MAX - 1);
        if (extra.len > 0 && len_of(views, count) == s->queue.len)
            views[count++] = (struct iovec){(void *)(uintptr_t)extra.data, extra.len};
        ssize_t got = send_views(s->fd, views, count, MSG_NOSIGNAL | flags);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EAGAIN) {
            /* EPIPE: the peer's reset was told to somebody before us. */
            s->error = errno == EPIPE ? ECONNRESET : errno;
            break;
        }
        size_t sent = got > 0 ? (size_t)got : 0;
        s->blocked = sent < len_of(views, count);
        size_t from_queue = sent < s->queue.len ? sent : s->queue.len;
        net_queue_drop(&s->queue, pool, from_queue);
        taken += sent - from_queue;
        extra = bytes_after(extra, sent - from_queue);
    }
    return taken;
}

static size_t push(struct kernel_stream *s, struct bytes extra)
{
    return push_with(s, extra, 0);
}

bool kernel_drop_lingering(struct kernel_net *net, bool all_sent)
{
    for (struct list_node *node = net->lingering.next; node != &net->lingering;
         node = node->next) {
        struct kernel_stream *s = CONTAINER_OF(node, struct kernel_stream, lingering);
        if (!s->connecting)
            (void)push(s, bytes_empty());
        if (all_sent && s->queue.len > 0 && s->error == 0)
            continue;
        conclude(s, 0);
        return true;
    }
    return false;
}

static void tell_room(struct kernel_stream *s)
{
    if (!s->room_wanted || s->let_go || s->finishing || s->error != 0 ||
        s->queue.len > STREAM_QUEUE_MAX / 2 ||
        (s->room_to_go && (s->blocked || s->queue.len > 0)))
        return;
    s->room_wanted = false;
    s->room_to_go = false;
    if (s->base.handler->on_room != NULL)
        s->base.handler->on_room(s->base.self, &s->base);
}

/* ---- what follows ---- */

static void on_stream_ready(struct watch *watch, unsigned ready);

/* From now on the kernel tells what happens. */
static void begin_watch(struct kernel_stream *s)
{
    if (s->watch.loop != NULL)
        return;
    int status = loop_watch(loop_of(s), &s->watch, s->fd,
                            LOOP_READ | LOOP_WRITE | LOOP_END | LOOP_EDGE, on_stream_ready);
    if (status < 0) {
        s->error = -status;
        loop_queue(loop_of(s), &s->task);
    }
}

/* The connection is lost; what the peer had said before may still wait in the kernel. */
static void fail(struct kernel_stream *s)
{
    int error = s->error;
    if (!s->connecting)
        for (int i = 0; i < FAREWELL_READS && !s->let_go && wants_to_read(s); i++)
            if (!receive(s))
                break;
    if (!s->gone)
        conclude(s, error);
}

static void settle(struct kernel_stream *s)
{
    if (s->gone)
        return;
    if (s->error != 0) {
        fail(s);
        return;
    }
    if (s->leaving && !s->connecting && s->queue.len == 0) {
        conclude(s, 0); /* FIN goes with what is left */
        return;
    }
    if (s->finishing && !s->fin_sent && !s->connecting && s->queue.len == 0) {
        (void)shutdown(s->fd, SHUT_WR);
        s->fin_sent = true;
    }
    if (s->fin_sent && s->ended) {
        if (s->let_go || s->pending_len == 0) {
            conclude(s, 0);
            return;
        }
        /* The owner does not use what is left: it has until then to come back to it. */
        if (!timer_armed(&s->linger.timer))
            loop_set_alarm(loop_of(s), &s->linger, loop_now(loop_of(s)) + STREAM_LINGER);
    }
    if (s->readable && wants_to_read(s))
        loop_queue(loop_of(s), &s->task);
    if (!s->leaving || s->blocked) /* else it is over in this turn */
        begin_watch(s);
}

static void finish_connecting(struct kernel_stream *s)
{
    s->error = host_socket_error(s->fd);
    if (s->error != 0)
        return;
    s->connecting = false;
    s->blocked = false; /* was told of together with the connection */
    if (!s->let_go && s->base.handler->on_open != NULL)
        s->base.handler->on_open(s->base.self, &s->base);
    if (!s->gone)
        (void)push(s, bytes_empty());
}

static void on_stream_ready(struct watch *watch, unsigned ready)
{
    struct kernel_stream *s = CONTAINER_OF(watch, struct kernel_stream, watch);
    s->last_read |= (ready & (LOOP_ERROR | LOOP_END)) != 0;
    s->readable |= (ready & LOOP_READ) != 0 || s->last_read;
    if (s->connecting) {
        finish_connecting(s);
        settle(s);
        return;
    }
    if (ready & LOOP_WRITE) {
        s->blocked = false;
        (void)push(s, bytes_empty());
        tell_room(s);
    }
    if (s->gone)
        return;
    if (s->readable && wants_to_read(s))
        (void)receive(s);
    else if (ready & LOOP_ERROR)
        s->error = host_socket_error(s->fd); /* a reset; 0: only a hang-up */
    settle(s);
}

/* What was asked for in callbacks, and outside of the loop, is done here. */
static void on_stream_task(struct task *task)
{
    struct kernel_stream *s = CONTAINER_OF(task, struct kernel_stream, task);
    if (s->resume_wanted && !s->let_go && !s->connecting) {
        s->resume_wanted = false;
        offer_again(s);
    }
    if (!s->gone && !s->connecting) {
        /* The FIN that follows shares the last segment. */
        (void)push_with(s, bytes_empty(), s->finishing && !s->fin_sent ? MSG_MORE : 0);
        tell_room(s);
    }
    if (!s->gone && s->error == 0 && s->readable && wants_to_read(s))
        (void)receive(s);
    settle(s);
}

static void on_stream_deadline(struct alarm *alarm)
{
    struct kernel_stream *s = CONTAINER_OF(alarm, struct kernel_stream, deadline);
    if (s->base.handler->on_deadline != NULL)
        s->base.handler->on_deadline(s->base.self, &s->base);
}

/* ---- the owner's calls ---- */

static size_t kernel_room(const struct stream *base)
{
    const struct kernel_stream *s = stream_of(base);
    if (s->let_go || s->gone || s->finishing || s->error != 0)
        return 0;
    return STREAM_QUEUE_MAX - s->queue.len;
}

static size_t kernel_send(struct stream *base, struct bytes in)
{
    struct kernel_stream *s = stream_of(base);
    if (s->let_go || s->gone || s->finishing || s->error != 0)
        return 0;
    size_t taken = 0;
    if (in.len >= DIRECT_MIN && !s->connecting)
        taken = push(s, in);
    struct bytes rest = bytes_first(bytes_after(in, taken), STREAM_QUEUE_MAX - s->queue.len);
    taken += net_queue_add(&s->queue, &kernel_net_of(base->net)->pool, rest);
    if (taken < in.len)
        s->room_to_go = false;
    s->room_wanted = taken < in.len || s->room_to_go;
    loop_queue(loop_of(s), &s->task);
    return taken;
}

/* What the kernel has no room for is not copied. A small piece is, to share a segment with others. */
static size_t kernel_send_now(struct stream *base, struct bytes in)
{
    struct kernel_stream *s = stream_of(base);
    if (in.len < DIRECT_MIN || s->connecting)
        return kernel_send(base, in);
    if (s->let_go || s->gone || s->finishing || s->error != 0)
        return 0;
    size_t taken = push(s, in);
    s->room_wanted = s->room_to_go = taken < in.len;
    if (s->error != 0)
        loop_queue(loop_of(s), &s->task);
    return taken;
}

static bool kernel_ready(struct stream *base)
{
    struct kernel_stream *s = stream_of(base);
    if (!s->blocked)
        return true;
    s->room_wanted = s->room_to_go = true;
    return false;
}

/* A large file goes in pieces that the peer reads while the next are made: with megabytes in the kernel's buffer
 * most of the sending is done when acknowledgements come, and on one machine by whoever reads. */
static size_t file_piece(struct kernel_stream *s, size_t len)
{
    if (len >= FILE_LARGE && !s->file_is_large) {
        s->file_is_large = true;
        (void)host_socket_set_unsent_max(s->fd, FILE_UNSENT_MAX);
    }
    return len < FILE_PIECE ? len : FILE_PIECE;
}

/* The head that goes before the file shares its first segment (MSG_MORE). */
static ssize_t kernel_send_file(struct stream *base, int fd, uint64_t offset, size_t len)
{
    struct kernel_stream *s = stream_of(base);
    if (s->let_go || s->gone || s->finishing || s->error != 0)
        return -EPIPE;
    if (!s->connecting && s->queue.len > 0)
        (void)push_with(s, bytes_empty(), MSG_MORE);
    off_t at = (off_t)offset;
    len = file_piece(s, len);
    ssize_t sent = -1;
    errno = EAGAIN;
    if (!s->connecting && !s->blocked && s->error == 0 && s->queue.len == 0)
        do
            sent = sendfile(s->fd, fd, &at, len);
        while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EINVAL && errno != ENOSYS)
        s->error = errno == EPIPE ? ECONNRESET : errno;
    if (sent < 0 && (errno == EINVAL || errno == ENOSYS))
        return -ENOSYS; /* a file system that cannot */
    /* After less than `len` the caller comes again, and is told whether it was room or octets that
     * were missing: only in want of room does the kernel tell of it. */
    s->blocked |= sent < 0;
    s->room_wanted = s->room_to_go = sent < 0;
    if (s->error != 0)
        loop_queue(loop_of(s), &s->task);
    if (sent >= 0)
        return sent;
    return s->error != 0 ? -s->error : -EAGAIN;
}

static void kernel_resume(struct stream *base)
{
    struct kernel_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->resume_wanted = true;
    loop_queue(loop_of(s), &s->task);
}

static void kernel_finish(struct stream *base)
{
    struct kernel_stream *s = stream_of(base);
    if (s->gone)
        return;
    s->finishing = true;
    loop_queue(loop_of(s), &s->task);
}

/* Octets that come after this are read and dropped until the peer ends too: closing over them would
 * reset the connection and with it what the peer has not read yet (RFC 1122 §4.2.2.13). */
static void kernel_close(struct stream *base)
{
    struct kernel_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->let_go = true;
    s->finishing = true;
    drop_pending(s);
    loop_clear_alarm(loop_of(s), &s->deadline);
    if (s->queue.len == 0 && (s->connecting || s->ended || s->leaving)) {
        conclude(s, 0);
        return;
    }
    list_append(&kernel_net_of(base->net)->lingering, &s->lingering);
    loop_set_alarm(loop_of(s), &s->linger, loop_now(loop_of(s)) + STREAM_LINGER);
    loop_queue(loop_of(s), &s->task);
}

/* The kernel sends what it has, and FIN, without us. */
static void kernel_leave(struct stream *base)
{
    struct kernel_stream *s = stream_of(base);
    if (!s->let_go && !s->gone)
        s->leaving = true;
    kernel_close(base);
}

static void kernel_abort(struct stream *base)
{
    struct kernel_stream *s = stream_of(base);
    if (s->let_go || s->gone)
        return;
    s->let_go = true;
    (void)host_socket_set_reset_on_close(s->fd);
    conclude(s, 0);
}

static void kernel_set_deadline(struct stream *base, usec at)
{
    struct kernel_stream *s = stream_of(base);
    if (!s->let_go && !s->gone)
        loop_set_alarm(loop_of(s), &s->deadline, at);
}

static struct endpoint kernel_local(const struct stream *base)
{
    return host_socket_local(stream_of(base)->fd);
}

static struct endpoint kernel_peer(const struct stream *base)
{
    return stream_of(base)->peer;
}

static const struct stream_ops stream_ops = {
    .send = kernel_send,
    .send_now = kernel_send_now,
    .ready = kernel_ready,
    .send_file = kernel_send_file,
    .room = kernel_room,
    .resume = kernel_resume,
    .finish = kernel_finish,
    .close = kernel_close,
    .leave = kernel_leave,
    .abort = kernel_abort,
    .set_deadline = kernel_set_deadline,
    .local = kernel_local,
    .peer = kernel_peer,
};

/* ---- beginning ---- */

static const struct stream_handler no_handler;

/* Takes `fd`, also when there is no memory. Not watched yet. */
static struct kernel_stream *new_stream(struct kernel_net *net, int fd,
                                        const struct endpoint *peer)
{
    struct kernel_stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)close(fd);
        return NULL;
    }
    s->base = (struct stream){&stream_ops, &net->base, &no_handler, NULL};
    s->fd = fd;
    s->peer = *peer;
    list_init(&s->lingering);
    alarm_init(&s->deadline, on_stream_deadline);
    alarm_init(&s->linger, on_linger_over);
    task_init(&s->task, on_stream_task);
    return s;
}

struct stream *kernel_stream_new(struct kernel_net *net, int fd, const struct endpoint *peer)
{
    struct kernel_stream *s = new_stream(net, fd, peer);
    return s != NULL ? &s->base : NULL;
}

void kernel_stream_begin(struct stream *base, bool there)
{
    struct kernel_stream *s = stream_of(base);
    s->readable = there;
    if (there && !s->gone && wants_to_read(s))
        (void)receive(s);
    settle(s);
}

/* Is it the peer, or the way to it, that says so? Then the loop tells, as if it had come later. */
static bool is_of_the_peer(int error)
{
    return error == -ECONNREFUSED || error == -ECONNRESET || error == -ETIMEDOUT;
}

int kernel_connect(struct net *base, const struct endpoint *to, const struct endpoint *local,
                   const struct stream_handler *handler, void *self, struct stream **out)
{
    struct kernel_net *net = kernel_net_of(base);
    int fd = host_socket_open(&to->address, SOCK_STREAM);
    if (fd < 0)
        return fd;
    int status = host_socket_set_nodelay(fd);
    if (status == 0 && local != NULL)
        status = host_socket_bind(fd, local);
    if (status == 0)
        status = host_socket_connect(fd, to);
    if (status < 0 && status != -EINPROGRESS && !is_of_the_peer(status)) {
        (void)close(fd);
        return status;
    }
    struct kernel_stream *s = new_stream(net, fd, to);
    if (s == NULL)
        return -ENOMEM;
    stream_set_handler(&s->base, handler, self);
    s->connecting = true;
    if (is_of_the_peer(status)) {
        s->error = -status;
        loop_queue(base->loop, &s->task);
    } else {
        begin_watch(s);
    }
    *out = &s->base;
    return 0;
}

int kernel_connect_path(struct net *base, const char *path, const struct stream_handler *handler,
                        void *self, struct stream **out)
{
    const struct endpoint nowhere = {0};
    int fd = host_socket_connect_path(path);
    if (fd < 0)
        return fd;
    struct kernel_stream *s = new_stream(kernel_net_of(base), fd, &nowhere);
    if (s == NULL)
        return -ENOMEM;
    stream_set_handler(&s->base, handler, self);
    s->connecting = true; /* on_open() comes from the loop, as for others */
    begin_watch(s);
    *out = &s->base;
    return 0;
}
