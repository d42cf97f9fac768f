/* SPDX-License-Identifier: ISC */
/* dial.c - connection attempts that overlap (RFC 8305). */
#include "io/dial.h"

#include <errno.h>

/* The other family's next address follows each one (RFC 8305 §4, First Address Family Count 1). */
static void interleave(struct dial *dial, const struct endpoint *addresses, size_t count)
{
    bool taken[DIAL_ADDRESSES_MAX] = {false};
    bool wanted = address_is_v4(&addresses[0].address);
    while (dial->count < count) {
        size_t found = count;
        for (size_t i = 0; i < count; i++) {
            if (taken[i])
                continue;
            bool right = address_is_v4(&addresses[i].address) == wanted;
            if (right || found == count)
                found = i;
            if (right)
                break;
        }
        taken[found] = true;
        dial->addresses[dial->count++] = addresses[found];
        wanted = !wanted;
    }
}

static void close_attempts(struct dial *dial)
{
    for (size_t i = 0; i < dial->next; i++)
        if (dial->attempts[i].stream != NULL)
            stream_abort(dial->attempts[i].stream);
    dial->count = 0;
    dial->next = 0;
    dial->open = 0;
    loop_clear_alarm(net_loop(dial->net), &dial->alarm);
}

void dial_cancel(struct dial *dial)
{
    if (dial->count > 0)
        close_attempts(dial);
}

static void fail(struct dial *dial, int error)
{
    struct endpoint to = dial->addresses[dial->failed_at];
    close_attempts(dial);
    dial->handler->on_failed(dial->self, error, &to);
}

static void note(struct dial *dial, size_t which, int error)
{
    if (dial->error == 0 || which < dial->failed_at) {
        dial->error = error;
        dial->failed_at = which;
    }
}

static void on_open(void *self, struct stream *stream)
{
    struct dial_attempt *attempt = self;
    struct dial *dial = attempt->dial;
    struct endpoint to = dial->addresses[attempt - dial->attempts];
    attempt->stream = NULL;
    close_attempts(dial);
    dial->handler->on_connected(dial->self, stream, &to);
}

static void begin_next(struct dial *dial);

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct dial_attempt *attempt = self;
    struct dial *dial = attempt->dial;
    attempt->stream = NULL;
    dial->open--;
    note(dial, (size_t)(attempt - dial->attempts), error != 0 ? error : ECONNRESET);
    begin_next(dial);
}

/* Begins attempts until one is under way, or there are none left. */
static void begin_next(struct dial *dial)
{
    static const struct stream_handler handler = {.on_open = on_open, .on_closed = on_closed};
    struct loop *loop = net_loop(dial->net);
    bool begun = false;
    while (!begun && dial->next < dial->count) {
        size_t which = dial->next++;
        struct dial_attempt *attempt = &dial->attempts[which];
        *attempt = (struct dial_attempt){dial, NULL};
        int status = net_connect(dial->net, &dial->addresses[which], NULL, &handler, attempt,
                                 &attempt->stream);
        begun = status == 0;
        if (begun) {
            dial->open++;
        } else {
            attempt->stream = NULL;
            note(dial, which, -status);
        }
    }
    if (dial->open == 0) {
        fail(dial, dial->error);
        return;
    }
    usec due = dial->next < dial->count ? loop_now(loop) + DIAL_STAGGER : USEC_NEVER;
    loop_set_alarm(loop, &dial->alarm, usec_min(due, dial->deadline));
}

static void on_due(struct alarm *alarm)
{
    struct dial *dial = CONTAINER_OF(alarm, struct dial, alarm);
    if (loop_now(net_loop(dial->net)) >= dial->deadline)
        fail(dial, ETIMEDOUT);
    else
        begin_next(dial);
}

void dial_start(struct dial *dial, struct net *net, const struct endpoint *addresses, size_t count,
                usec deadline, const struct dial_handler *handler, void *self)
{
    ASSERT(count > 0);
    *dial = (struct dial){.net = net, .handler = handler, .self = self, .deadline = deadline};
    interleave(dial, addresses, count < DIAL_ADDRESSES_MAX ? count : DIAL_ADDRESSES_MAX);
    alarm_init(&dial->alarm, on_due);
    /* From the loop, as every callback is: also what fails at once. */
    loop_set_alarm(net_loop(net), &dial->alarm, loop_now(net_loop(net)));
}
