/* SPDX-License-Identifier: ISC */
/* script_call_wait.c - poll and epoll. */
#include "sim/script/script_play.h"

enum { POLLED_MAX = 64, EVENTS_MAX = 64 };

/* Milliseconds; negative: for ever. */
static bool set_timeout(struct play *p, struct play_call *call, unsigned index)
{
    int timeout;
    if (!play_argument_int(p, call, index, &timeout))
        return false;
    call->deadline = timeout < 0 ? USEC_NEVER : p->now + timeout * USEC_PER_MSEC;
    return true;
}

static bool field_number(struct play *p, const struct script_value *value, const char *name,
                         int64_t *out)
{
    const struct script_value *field = play_field(value, name);
    if (field == NULL)
        return play_wrong(p, "the field %s is missing", name);
    return play_value_number(p, field, out);
}

static bool allocate(struct play *p, struct play_call *call, size_t size)
{
    call->buffer_size = size;
    call->buffer = heap_zeroed(&p->options->heap, size);
    return call->buffer != NULL || play_fail(p, "no memory for the arguments of a call");
}

/* ---- poll ---- */

static bool begin_poll(struct play *p, struct play_call *call)
{
    const struct script_value *list = play_argument(call, 0);
    int64_t count;
    if (list->kind != SCRIPT_VALUE_LIST || list->count > POLLED_MAX || list->count == 0)
        return play_wrong(p, "a list of 1 to %d {fd=…, events=…, revents=…} is expected",
                          POLLED_MAX);
    if (!play_argument_number(p, call, 1, &count) || !set_timeout(p, call, 2))
        return false;
    if (count != list->count)
        return play_wrong(p, "the list has %u entries, not %lld", list->count, (long long)count);
    if (!allocate(p, call, list->count * sizeof *call->polled))
        return false;
    call->polled = (struct wn_pollfd *)(void *)call->buffer;
    call->count = list->count;
    struct wn_pollfd *polled = call->polled;
    for (const struct script_value *entry = list->first; entry != NULL; entry = entry->next) {
        int64_t fd, events;
        if (!field_number(p, entry, "fd", &fd) || !field_number(p, entry, "events", &events))
            return false;
        const struct play_descriptor *descriptor = play_descriptor(p, (int)fd);
        polled->fd = descriptor != NULL ? descriptor->live : (int)fd;
        polled++->events = (short)events;
    }
    return true;
}

static enum call_step step_poll(struct play *p, struct play_call *call)
{
    call->result = bsd_poll(p->bsd, call->polled, call->count);
    return call->result == 0 ? CALL_WAIT : CALL_DONE;
}

static bool check_poll(struct play *p, struct play_call *call)
{
    char wanted[128], got[128];
    const struct wn_pollfd *polled = call->polled;
    for (const struct script_value *entry = play_argument(call, 0)->first; entry != NULL;
         entry = entry->next, polled++) {
        int64_t expected = 0;
        const struct script_value *revents = play_field(entry, "revents");
        if (revents != NULL && !play_value_number(p, revents, &expected))
            return false;
        if (expected == polled->revents)
            continue;
        struct text wanted_out = text_of(wanted, sizeof wanted);
        struct text got_out = text_of(got, sizeof got);
        script_add_events(&wanted_out, "POLL", (uint32_t)expected);
        script_add_events(&got_out, "POLL", (uint16_t)polled->revents);
        return play_fail(p, "revents: expected %s, got %s", wanted, got);
    }
    return true;
}

/* ---- epoll ---- */

static enum call_step step_epoll_create(struct play *p, struct play_call *call)
{
    call->result = bsd_epoll_create(p->bsd, 0);
    return CALL_DONE;
}

static bool check_epoll_create(struct play *p, struct play_call *call)
{
    int64_t script;
    if (call->result < 0)
        return true;
    return play_value_number(p, call->call->result, &script) &&
           play_add_descriptor(p, (int)script, (int)call->result, NULL);
}

/* {events=…, fd=…} or ptr, u32, u64: what is kept with the events. */
static bool read_event(struct play *p, const struct script_value *value, struct wn_epoll_event *out)
{
    static const char *const names[] = {"fd", "ptr", "u32", "u64"};
    int64_t number;
    if (!field_number(p, value, "events", &number))
        return false;
    out->events = (uint32_t)number;
    out->data.u64 = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (play_field(value, names[i]) != NULL) {
            if (!field_number(p, value, names[i], &number))
                return false;
            out->data.u64 = (uint64_t)number;
        }
    return true;
}

static bool begin_epoll_ctl(struct play *p, struct play_call *call)
{
    int script;
    if (!play_argument_int(p, call, 1, &call->flags) ||
        !play_argument_int(p, call, 2, &script) ||
        !allocate(p, call, sizeof *call->events))
        return false;
    call->events = (struct wn_epoll_event *)(void *)call->buffer;
    const struct play_descriptor *descriptor = play_descriptor(p, script);
    call->value = descriptor != NULL ? descriptor->live : script;
    const struct script_value *event = play_argument(call, 3);
    return event == NULL || event->kind != SCRIPT_VALUE_STRUCT ||
           read_event(p, event, call->events);
}

static enum call_step step_epoll_ctl(struct play *p, struct play_call *call)
{
    call->result = bsd_epoll_ctl(p->bsd, call->live_fd, call->flags, call->value, call->events);
    return CALL_DONE;
}

static bool begin_epoll_wait(struct play *p, struct play_call *call)
{
    int most;
    if (!play_argument_int(p, call, 2, &most) || !set_timeout(p, call, 3) ||
        !allocate(p, call, EVENTS_MAX * sizeof *call->events))
        return false;
    call->events = (struct wn_epoll_event *)(void *)call->buffer;
    call->value = most < EVENTS_MAX ? most : EVENTS_MAX;
    return true;
}

static enum call_step step_epoll_wait(struct play *p, struct play_call *call)
{
    call->result = bsd_epoll_wait(p->bsd, call->live_fd, call->events, call->value);
    return call->result == 0 ? CALL_WAIT : CALL_DONE;
}

/* A script tells of the first event only. */
static bool check_epoll_wait(struct play *p, struct play_call *call)
{
    char wanted[128], got[128];
    const struct script_value *value = play_argument(call, 1);
    struct wn_epoll_event expected;
    if (call->result < 0 || value->kind != SCRIPT_VALUE_STRUCT)
        return true;
    if (!read_event(p, value, &expected))
        return false;
    if (expected.events != call->events[0].events) {
        struct text wanted_out = text_of(wanted, sizeof wanted);
        struct text got_out = text_of(got, sizeof got);
        script_add_events(&wanted_out, "EPOLL", expected.events);
        script_add_events(&got_out, "EPOLL", call->events[0].events);
        return play_fail(p, "events: expected %s, got %s", wanted, got);
    }
    return expected.data.u64 == call->events[0].data.u64 ||
           play_fail(p, "the events are of %llu, expected %llu",
                     (unsigned long long)call->events[0].data.u64,
                     (unsigned long long)expected.data.u64);
}

const struct call_row play_call_poll = {
    "poll", 3, 3, false, begin_poll, step_poll, check_poll, false};
const struct call_row play_call_epoll_create = {
    "epoll_create", 1, 1, false, NULL, step_epoll_create, check_epoll_create, true};
const struct call_row play_call_epoll_ctl = {
    "epoll_ctl", 4, 4, true, begin_epoll_ctl, step_epoll_ctl, NULL, false};
const struct call_row play_call_epoll_wait = {
    "epoll_wait", 4, 4, true, begin_epoll_wait, step_epoll_wait, check_epoll_wait, false};
