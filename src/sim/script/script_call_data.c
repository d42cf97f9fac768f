/* SPDX-License-Identifier: ISC */
/*
 * script_call_data.c - reading and writing. A script names amounts, not contents: what is written
 * are zeros, and zeros are what must come.
 */
#include "sim/script/script_play.h"

enum { EAGAIN = 11, EFAULT = 14, OCTETS_MAX = 256 << 20, PARTS_MAX = 256 };

/* The buffer for `len` octets; with `parts` iovecs behind it. */
static bool make_buffer(struct play *p, struct play_call *call, size_t len, size_t parts)
{
    size_t aligned = (len + 15) / 16 * 16;
    if (len > OCTETS_MAX)
        return play_wrong(p, "more than %d octets at a time", OCTETS_MAX);
    call->buffer_size = aligned + parts * sizeof *call->parts;
    call->buffer = call->buffer_size > 0 ? heap_zeroed(&p->options->heap, call->buffer_size) : NULL;
    if (call->buffer == NULL && call->buffer_size > 0)
        return play_fail(p, "no memory for the octets of a call");
    if (parts > 0)
        call->parts = (struct wn_iovec *)(void *)(call->buffer + aligned);
    return true;
}

static void set_patience(struct play *p, struct play_call *call, enum bsd_direction direction)
{
    usec patience = bsd_patience(p->bsd, call->live_fd, call->flags, direction);
    call->deadline = patience == USEC_NEVER ? USEC_NEVER : p->now + patience;
}

/* `...` with `index + 1` octets, as the only part of a message. 0 in its place: NULL. */
static bool one_part(struct play *p, struct play_call *call, unsigned index)
{
    const struct script_value *buffer = play_argument(call, index);
    int64_t len;
    if (!play_argument_number(p, call, index + 1, &len))
        return false;
    bool null = (buffer->kind == SCRIPT_VALUE_INTEGER && buffer->number == 0) ||
                (buffer->kind == SCRIPT_VALUE_WORD &&
                 bytes_equal(buffer->text, bytes_of_text("NULL")));
    if (!null && buffer->kind != SCRIPT_VALUE_ELLIPSIS && buffer->kind != SCRIPT_VALUE_STRING)
        return play_wrong(p, "a buffer is ... or 0 or NULL");
    if (len < 0 || !make_buffer(p, call, (size_t)len, 1))
        return p->failed ? false : play_wrong(p, "a negative number of octets");
    call->parts[0] = (struct wn_iovec){null ? NULL : call->buffer, (size_t)len};
    call->message.msg_iov = call->parts;
    call->message.msg_iovlen = 1;
    return true;
}

/* [{..., 1000}, {..., 20}] */
static bool many_parts(struct play *p, struct play_call *call, const struct script_value *list)
{
    int64_t len, most = 0;
    if (list == NULL || list->kind != SCRIPT_VALUE_LIST || list->count > PARTS_MAX)
        return play_wrong(p, "a list of at most %d {..., length} is expected", PARTS_MAX);
    for (const struct script_value *part = list->first; part != NULL; part = part->next) {
        if (part->kind != SCRIPT_VALUE_STRUCT || part->count != 2)
            return play_wrong(p, "a part of a message is {..., length}");
        if (!play_value_number(p, part->first->next, &len))
            return false;
        most = len > most ? len : most;
    }
    if (!make_buffer(p, call, (size_t)most, list->count))
        return false;
    size_t count = 0;
    for (const struct script_value *part = list->first; part != NULL; part = part->next) {
        if (!play_value_number(p, part->first->next, &len))
            return false;
        call->parts[count++] = (struct wn_iovec){call->buffer, (size_t)len};
    }
    call->message.msg_iov = call->parts;
    call->message.msg_iovlen = count;
    return true;
}

static bool message(struct play *p, struct play_call *call)
{
    const struct script_value *value = play_argument(call, 1);
    const struct script_value *parts = play_field(value, "msg_iov");
    if (parts == NULL)
        return play_wrong(p, "a message is {msg_name(...)=..., msg_iov(n)=[…], msg_flags=…}");
    return many_parts(p, call, parts) && play_argument_int(p, call, 2, &call->flags);
}

/* Where to: `...` is the script's other end. */
static bool target(struct play *p, struct play_call *call, const struct script_value *value)
{
    struct endpoint standard = {p->remote, p->connect_port};
    if (value == NULL || (value->kind == SCRIPT_VALUE_INTEGER && value->number == 0))
        return true;
    if (!play_argument_address(p, value, &standard, call))
        return false;
    play_flow_connects(p, call->flow);
    call->message.msg_name = call->option;
    call->message.msg_namelen = call->option_len;
    return true;
}

/* A call that blocks goes on; one that does not, or whose time is over, gives what it has done. */
static enum call_step wait_or_end(const struct play *p, struct play_call *call)
{
    if (call->result != -EAGAIN)
        return CALL_DONE;
    if (call->done > 0 && p->now >= call->deadline)
        call->result = (long)call->done;
    if (bsd_may_block(p->bsd, call->live_fd, call->flags))
        return CALL_WAIT;
    if (call->done > 0)
        call->result = (long)call->done;
    return CALL_DONE;
}

/* ---- out ---- */

static enum call_step step_send(struct play *p, struct play_call *call)
{
    call->result = bsd_sendmsg_more(p->bsd, call->live_fd, &call->message, call->flags,
                                    &call->done);
    return wait_or_end(p, call);
}

static bool begin_write(struct play *p, struct play_call *call)
{
    set_patience(p, call, BSD_SEND);
    return one_part(p, call, 1);
}

static bool begin_writev(struct play *p, struct play_call *call)
{
    set_patience(p, call, BSD_SEND);
    return many_parts(p, call, play_argument(call, 1));
}

static bool begin_send(struct play *p, struct play_call *call)
{
    if (!play_argument_int(p, call, 3, &call->flags))
        return false;
    set_patience(p, call, BSD_SEND);
    return one_part(p, call, 1);
}

static bool begin_sendto(struct play *p, struct play_call *call)
{
    return begin_send(p, call) && target(p, call, play_argument(call, 4));
}

static bool begin_sendmsg(struct play *p, struct play_call *call)
{
    if (!message(p, call))
        return false;
    set_patience(p, call, BSD_SEND);
    return target(p, call, play_field(play_argument(call, 1), "msg_name"));
}

/* ---- in ---- */

static enum call_step step_receive(struct play *p, struct play_call *call)
{
    call->result = bsd_recvmsg_more(p->bsd, call->live_fd, &call->message, call->flags,
                                    &call->done);
    return wait_or_end(p, call);
}

static bool begin_read(struct play *p, struct play_call *call)
{
    set_patience(p, call, BSD_RECEIVE);
    return one_part(p, call, 1);
}

static bool begin_readv(struct play *p, struct play_call *call)
{
    set_patience(p, call, BSD_RECEIVE);
    return many_parts(p, call, play_argument(call, 1));
}

static bool begin_recv(struct play *p, struct play_call *call)
{
    if (!play_argument_int(p, call, 3, &call->flags))
        return false;
    set_patience(p, call, BSD_RECEIVE);
    return one_part(p, call, 1);
}

static bool begin_recvmsg(struct play *p, struct play_call *call)
{
    if (!message(p, call))
        return false;
    set_patience(p, call, BSD_RECEIVE);
    return true;
}

static bool check_recvmsg(struct play *p, struct play_call *call)
{
    const struct script_value *flags = play_field(play_argument(call, 1), "msg_flags");
    int64_t expected;
    if (flags == NULL || flags->kind == SCRIPT_VALUE_ELLIPSIS || call->result < 0)
        return true;
    if (!play_value_number(p, flags, &expected))
        return false;
    if (expected == call->message.msg_flags)
        return true;
    return play_fail(p, "msg_flags: expected %#llx, got %#x", (unsigned long long)expected,
                     (unsigned)call->message.msg_flags);
}

#define ROW(call, arguments, begin, step, check)                                                  \
    const struct call_row play_call_##call = {#call, arguments, arguments, true,                  \
                                              begin, step,      check,     false};

ROW(read, 3, begin_read, step_receive, NULL)
ROW(readv, 3, begin_readv, step_receive, NULL)
ROW(recv, 4, begin_recv, step_receive, NULL)
ROW(recvfrom, 6, begin_recv, step_receive, NULL)
ROW(recvmsg, 3, begin_recvmsg, step_receive, check_recvmsg)
ROW(write, 3, begin_write, step_send, NULL)
ROW(writev, 3, begin_writev, step_send, NULL)
ROW(send, 4, begin_send, step_send, NULL)
ROW(sendto, 6, begin_sendto, step_send, NULL)
ROW(sendmsg, 3, begin_sendmsg, step_send, NULL)
