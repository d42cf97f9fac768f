/* SPDX-License-Identifier: ISC */
/* api_tcp.c - wholenet/tcp.h: connections and listeners; their options are in api_settings.c. */
#include "api/internal.h"

enum { VIEWS = 32, BACKLOG_LIMIT = 65535 };

/* ---- opening ---- */

static int open_listener(struct wn_stack *stack, const struct wn_endpoint *local,
                         struct tcp_listen_options options, struct wn_listener **out)
{
    char text[WN_ENDPOINT_TEXT_SIZE];
    enum socket_refusal why;
    options.local = endpoint_in(local);
    options.why = &why;
    if (options.backlog > BACKLOG_LIMIT)
        options.backlog = BACKLOG_LIMIT;
    if (!address_is_v4(&options.local.address))
        return api_fail(stack, -EINVAL, "%s is not IPv4", wn_endpoint_text(local, text));
    struct tcp_listener *listener = tcp_listen(stack->stack, &options);
    (void)wn_endpoint_text(local, text);
    if (listener == NULL && why == SOCKET_IN_USE)
        return api_fail(stack, -EADDRINUSE, "TCP %s is in use", text);
    if (listener == NULL)
        return api_fail(stack, -ENOMEM, "there is no memory to listen at TCP %s", text);
    *out = listener_out(listener);
    return 0;
}

int wn_listener_open(struct wn_stack *stack, const struct wn_endpoint *local, unsigned backlog,
                     void *user, struct wn_listener **out)
{
    struct tcp_listen_options options = {.backlog = backlog, .user = user};
    return open_listener(stack, local, options, out);
}

int wn_listener_open_shared(struct wn_stack *stack, const struct wn_endpoint *local,
                            unsigned backlog, void *user, struct wn_listener **out)
{
    struct tcp_listen_options options = {.backlog = backlog, .shared = true, .user = user};
    return open_listener(stack, local, options, out);
}

void wn_listener_local(const struct wn_listener *listener, struct wn_endpoint *out)
{
    *out = endpoint_out(tcp_listener_local(listener_in(listener)));
}

void wn_listener_close(struct wn_listener *listener)
{
    if (listener != NULL)
        tcp_listener_close(listener_in(listener));
}

struct wn_tcp *wn_tcp_accept(struct wn_listener *listener, void *user)
{
    return tcp_out(tcp_accept(listener_in(listener), user));
}

static bool is_target(const struct endpoint *remote)
{
    return remote->port != 0 && address_is_v4(&remote->address) &&
           !address_is_any(&remote->address) && !address_is_multicast(&remote->address) &&
           !address_is_broadcast(&remote->address);
}

int wn_tcp_connect(struct wn_stack *stack, const struct wn_endpoint *remote,
                   const struct wn_endpoint *local, void *user, struct wn_tcp **out)
{
    char text[WN_ENDPOINT_TEXT_SIZE];
    enum socket_refusal why;
    struct tcp_connect_options options = {.remote = endpoint_in(remote),
                                          .local = {address_any_v4(), 0},
                                          .user = user,
                                          .why = &why};
    if (local != NULL)
        options.local = endpoint_in(local);
    (void)wn_endpoint_text(remote, text);
    if (!is_target(&options.remote) || !address_is_v4(&options.local.address))
        return api_fail(stack, -EINVAL, "nobody can be at %s", text);
    struct tcp_connection *c = tcp_connect(stack->stack, &options);
    if (c == NULL && why == SOCKET_NO_ROUTE)
        return api_fail(stack, -ENETUNREACH, "there is no route to %s", text);
    if (c == NULL && why == SOCKET_NO_MEMORY)
        return api_fail(stack, -ENOMEM, "there is no memory for a connection to %s", text);
    if (c == NULL)
        return api_fail(stack, -EADDRNOTAVAIL, "no local end is free for a connection to %s", text);
    *out = tcp_out(c);
    return 0;
}

void wn_tcp_set_user(struct wn_tcp *tcp, void *user)
{
    tcp_set_user(tcp_in(tcp), user);
}

void wn_tcp_local(const struct wn_tcp *tcp, struct wn_endpoint *out)
{
    *out = endpoint_out(tcp_local(tcp_in(tcp)));
}

void wn_tcp_remote(const struct wn_tcp *tcp, struct wn_endpoint *out)
{
    *out = endpoint_out(tcp_remote(tcp_in(tcp)));
}

/* ---- receiving ---- */

size_t wn_tcp_received(const struct wn_tcp *tcp)
{
    return tcp_received_len(tcp_in(tcp));
}

size_t wn_tcp_receive(struct wn_tcp *tcp, void *out, size_t size)
{
    struct slice views[VIEWS];
    size_t done = 0;
    size_t count;
    while (done < size && (count = tcp_received(tcp_in(tcp), views, VIEWS)) > 0) {
        size_t before = done;
        for (size_t i = 0; i < count && done < size; i++) {
            size_t len = views[i].len < size - done ? views[i].len : size - done;
            memcpy((char *)out + done, views[i].data, len);
            done += len;
        }
        tcp_consume(tcp_in(tcp), done - before);
    }
    return done;
}

size_t wn_tcp_views(const struct wn_tcp *tcp, struct wn_iovec *views, size_t max)
{
    struct slice slices[VIEWS];
    size_t count = tcp_received(tcp_in(tcp), slices, max < VIEWS ? max : VIEWS);
    for (size_t i = 0; i < count; i++)
        views[i] = (struct wn_iovec){(void *)(uintptr_t)slices[i].data, slices[i].len};
    return count;
}

void wn_tcp_consume(struct wn_tcp *tcp, size_t len)
{
    size_t most = wn_tcp_received(tcp);
    tcp_consume(tcp_in(tcp), len < most ? len : most);
}

int wn_tcp_at_end(const struct wn_tcp *tcp)
{
    return tcp_at_end(tcp_in(tcp));
}

/* ---- sending and ending ---- */

size_t wn_tcp_send(struct wn_tcp *tcp, const void *data, size_t len)
{
    return tcp_send(tcp_in(tcp), bytes_of(data, len));
}

_Static_assert((int)WN_SEND_MORE == (int)TCP_SEND_MORE &&
                   (int)WN_SEND_RECORD == (int)TCP_SEND_RECORD,
               "the same bits");

size_t wn_tcp_send_as(struct wn_tcp *tcp, const void *data, size_t len, unsigned flags)
{
    return tcp_send_as(tcp_in(tcp), bytes_of(data, len), flags & (WN_SEND_MORE | WN_SEND_RECORD));
}

size_t wn_tcp_send_room(const struct wn_tcp *tcp)
{
    return tcp_send_room(tcp_in(tcp));
}

int wn_tcp_send_frame(struct wn_tcp *tcp, struct wn_frame *frame)
{
    if (frame_in(frame)->len == 0) {
        wn_frame_release(frame);
        return 0;
    }
    if (tcp_send_frame(tcp_in(tcp), frame_in(frame)))
        return 0;
    struct tcp_info info;
    tcp_info(tcp_in(tcp), &info);
    bool opening = info.state == TCP_SYN_SENT || info.state == TCP_SYN_RECEIVED;
    bool open = info.state == TCP_ESTABLISHED || info.state == TCP_CLOSE_WAIT;
    return opening || open ? -EAGAIN : -EPIPE;
}

size_t wn_tcp_send_urgent(struct wn_tcp *tcp, const void *data, size_t len)
{
    return tcp_send_urgent(tcp_in(tcp), bytes_of(data, len));
}

int wn_tcp_urgent(const struct wn_tcp *tcp, size_t *before)
{
    struct tcp_urgent_mark mark;
    if (tcp_urgent(tcp_in(tcp), &mark) == TCP_URGENT_NONE)
        return 0;
    *before = mark.before;
    return 1;
}

size_t wn_tcp_unacknowledged(const struct wn_tcp *tcp)
{
    return tcp_unacknowledged(tcp_in(tcp));
}

void wn_tcp_shutdown(struct wn_tcp *tcp)
{
    tcp_shutdown(tcp_in(tcp));
}

void wn_tcp_close(struct wn_tcp *tcp)
{
    if (tcp != NULL)
        tcp_close(tcp_in(tcp));
}

void wn_tcp_abort(struct wn_tcp *tcp)
{
    if (tcp != NULL)
        tcp_abort(tcp_in(tcp));
}

/* ---- asking ---- */

int wn_tcp_error(const struct wn_tcp *tcp)
{
    static const int errors[] = {
        [TCP_OK] = 0,
        [TCP_REFUSED] = ECONNREFUSED,
        [TCP_RESET] = ECONNRESET,
        [TCP_TIMED_OUT] = ETIMEDOUT,
        [TCP_UNREACHABLE] = EHOSTUNREACH,
        [TCP_ABORTED] = ECONNABORTED,
    };
    _Static_assert(ARRAY_LEN(errors) == TCP_ERROR_COUNT, "one number per error");
    return errors[tcp_error(tcp_in(tcp))];
}

const char *wn_tcp_state(const struct wn_tcp *tcp)
{
    return tcp_state_text(tcp_state(tcp_in(tcp)));
}

void wn_tcp_get_info(const struct wn_tcp *tcp, struct wn_tcp_info *out, size_t size)
{
    struct wn_tcp_info info;
    bsd_connection_info(tcp_in(tcp), &info);
    memset(out, 0, size);
    memcpy(out, &info, size < sizeof info ? size : sizeof info);
}
