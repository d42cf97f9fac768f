/* SPDX-License-Identifier: ISC */
/* script_call_table.c - the system calls by name, and those that make and end sockets. */
#include "sim/script/script_play.h"

enum { EAGAIN = 11, EALREADY = 114, EINPROGRESS = 115 };

/* ---- socket, bind, listen ---- */

static bool begin_socket(struct play *p, struct play_call *call)
{
    const struct script_value *domain = play_argument(call, 0);
    int protocol;
    call->value = WN_AF_INET;
    if (domain->kind != SCRIPT_VALUE_ELLIPSIS && !play_argument_int(p, call, 0, &call->value))
        return false;
    if (!play_argument_int(p, call, 1, &call->flags) ||
        !play_argument_int(p, call, 2, &protocol))
        return false;
    call->count = (size_t)protocol;
    return true;
}

static enum call_step step_socket(struct play *p, struct play_call *call)
{
    call->result = bsd_socket(p->bsd, call->value, call->flags, (int)call->count);
    return CALL_DONE;
}

/* A number that the script has for what we were given. */
static bool keep_descriptor(struct play *p, struct play_call *call, struct play_flow *flow)
{
    int64_t script;
    if (call->result < 0)
        return true;
    if (!play_value_number(p, call->call->result, &script))
        return false;
    return play_add_descriptor(p, (int)script, (int)call->result, flow);
}

static bool check_socket(struct play *p, struct play_call *call)
{
    if (call->result < 0)
        return true;
    struct play_flow *flow = play_flow_new(p, FLOW_NEW);
    if (flow == NULL)
        return false;
    bool stream = (call->flags & 0xf) == WN_SOCK_STREAM;
    flow->kind = stream ? SCRIPT_TCP : call->count == WN_IPPROTO_ICMP ? SCRIPT_ICMP : SCRIPT_UDP;
    flow->live_fd = (int)call->result;
    return keep_descriptor(p, call, flow);
}

static bool begin_bind(struct play *p, struct play_call *call)
{
    struct endpoint standard = {p->local, p->bind_port};
    return play_argument_address(p, play_argument(call, 1), &standard, call);
}

static enum call_step step_bind(struct play *p, struct play_call *call)
{
    call->result = bsd_bind(p->bsd, call->live_fd, call->option, call->option_len);
    if (call->result == 0 && call->flow != NULL && call->flow->kind != SCRIPT_TCP)
        call->flow->local = (struct endpoint){p->local, p->bind_port};
    return CALL_DONE;
}

static bool begin_listen(struct play *p, struct play_call *call)
{
    return play_argument_int(p, call, 1, &call->value);
}

static enum call_step step_listen(struct play *p, struct play_call *call)
{
    call->result = bsd_listen(p->bsd, call->live_fd, call->value);
    if (call->result == 0 && call->flow != NULL)
        call->flow->state = FLOW_LISTENING;
    return CALL_DONE;
}

/* ---- accept ---- */

static bool begin_accept(struct play *p, struct play_call *call)
{
    usec patience = bsd_patience(p->bsd, call->live_fd, 0, BSD_RECEIVE);
    call->deadline = patience == USEC_NEVER ? USEC_NEVER : p->now + patience;
    return call->call->argument_count < 4 || play_argument_int(p, call, 3, &call->flags);
}

static enum call_step step_accept(struct play *p, struct play_call *call)
{
    call->option_len = sizeof call->option;
    call->result = bsd_accept4(p->bsd, call->live_fd, call->option, &call->option_len, call->flags);
    bool wait = call->result == -EAGAIN && bsd_may_block(p->bsd, call->live_fd, 0);
    return wait ? CALL_WAIT : CALL_DONE;
}

/* The connection that was accepted is the one whose peer has that port. */
static bool check_accept(struct play *p, struct play_call *call)
{
    struct wn_sockaddr_in in;
    uint8_t port[2];
    if (call->result < 0)
        return true;
    memcpy(&in, call->option, sizeof in);
    memcpy(port, &in.sin_port, sizeof port);
    for (struct play_flow *flow = p->flows; flow != NULL; flow = flow->next)
        if (flow->live_fd < 0 && flow->state >= FLOW_SYN_RECEIVED &&
            flow->remote.port == (port[0] << 8 | port[1])) {
            int64_t script;
            flow->live_fd = (int)call->result;
            /* Scripts that open one connection after the other call all of them 4. */
            if (play_value_number(p, call->call->result, &script))
                play_hide_descriptor(p, (int)script);
            return keep_descriptor(p, call, flow);
        }
    return play_fail(p, "a connection was accepted that no packet has opened");
}

/* ---- connect ---- */

static bool begin_connect(struct play *p, struct play_call *call)
{
    struct endpoint standard = {p->remote, p->connect_port};
    usec patience = bsd_patience(p->bsd, call->live_fd, 0, BSD_SEND);
    call->deadline = patience == USEC_NEVER ? USEC_NEVER : p->now + patience;
    if (!play_argument_address(p, play_argument(call, 1), &standard, call))
        return false;
    uint16_t family;
    memcpy(&family, call->option, sizeof family);
    if (family == WN_AF_UNSPEC && call->flow != NULL)
        call->flow->state = FLOW_NEW;
    else
        play_flow_connects(p, call->flow);
    return true;
}

static enum call_step step_connect(struct play *p, struct play_call *call)
{
    bool again = call->done++ > 0;
    call->result = bsd_connect(p->bsd, call->live_fd, call->option, call->option_len);
    bool pending = call->result == -EINPROGRESS || (again && call->result == -EALREADY);
    if (!pending || !bsd_may_block(p->bsd, call->live_fd, 0))
        return CALL_DONE;
    call->result = -EINPROGRESS;
    return CALL_WAIT;
}

/* ---- close, shutdown ---- */

/* SO_LINGER: close() waits for what is queued. */
static bool begin_close(struct play *p, struct play_call *call)
{
    usec linger = bsd_linger(p->bsd, call->live_fd);
    call->deadline = p->now + linger;
    if (linger > 0)
        (void)bsd_shutdown(p->bsd, call->live_fd, WN_SHUT_RDWR);
    return true;
}

static enum call_step step_close(struct play *p, struct play_call *call)
{
    int queued = 0;
    if (p->now < call->deadline &&
        bsd_ioctl(p->bsd, call->live_fd, WN_SIOCOUTQ, &queued) == 0 && queued > 0)
        return CALL_WAIT;
    call->result = bsd_close(p->bsd, call->live_fd);
    for (size_t i = 0; i < p->descriptor_count; i++)
        if (p->descriptors[i].open && p->descriptors[i].live == call->live_fd)
            p->descriptors[i].open = false;
    if (call->flow != NULL)
        call->flow->live_fd = -1;
    call->deadline = p->now;
    return CALL_DONE;
}

static bool begin_shutdown(struct play *p, struct play_call *call)
{
    return play_argument_int(p, call, 1, &call->value);
}

static enum call_step step_shutdown(struct play *p, struct play_call *call)
{
    call->result = bsd_shutdown(p->bsd, call->live_fd, call->value);
    return CALL_DONE;
}

/* ---- the table ---- */

static const struct call_row rows[] = {
    {"socket", 3, 3, false, begin_socket, step_socket, check_socket, true},
    {"bind", 3, 3, true, begin_bind, step_bind, NULL, false},
    {"listen", 2, 2, true, begin_listen, step_listen, NULL, false},
    {"accept", 3, 3, true, begin_accept, step_accept, check_accept, true},
    {"accept4", 4, 4, true, begin_accept, step_accept, check_accept, true},
    {"connect", 3, 3, true, begin_connect, step_connect, NULL, false},
    {"close", 1, 1, true, begin_close, step_close, NULL, false},
    {"shutdown", 2, 2, true, begin_shutdown, step_shutdown, NULL, false},
};

static const struct call_row *const others[] = {
    &play_call_read,         &play_call_readv,       &play_call_recv,      &play_call_recvfrom,
    &play_call_recvmsg,      &play_call_write,       &play_call_writev,    &play_call_send,
    &play_call_sendto,       &play_call_sendmsg,     &play_call_poll,      &play_call_epoll_create,
    &play_call_epoll_ctl,    &play_call_epoll_wait,  &play_call_getsockopt,
    &play_call_setsockopt,   &play_call_fcntl,       &play_call_ioctl,
};

const struct call_row *play_call_find(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (bytes_equal(name, bytes_of_text(rows[i].name)))
            return &rows[i];
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (bytes_equal(name, bytes_of_text(others[i]->name)))
            return others[i];
    return NULL;
}
