/* SPDX-License-Identifier: ISC */
/*
 * script_call.c - a system call from its arguments to its outcome. A call that waits is tried again
 * whenever the stack has done something; the script goes on meanwhile when it says so (`0...0.2`).
 */
#include "sim/script/script_play.h"

enum { EAGAIN = 11, EINPROGRESS = 115, SETTLE = 1, STUCK_AFTER = 60 };

void play_call_done(struct play *p)
{
    const struct heap *heap = &p->options->heap;
    struct play_call *call = &p->call;
    heap_release(heap, call->buffer, call->buffer_size);
    *call = (struct play_call){0};
    p->calling = false;
}

static void format_call(const struct script_call *call, struct text *out)
{
    text_add_bytes(out, call->name);
    text_add(out, "(");
    for (const struct script_value *value = call->arguments; value != NULL; value = value->next) {
        play_value_format(value, out);
        if (value->next != NULL)
            text_add(out, ", ");
    }
    text_add(out, ")");
}

static void format_result(long result, struct text *out)
{
    const char *name = result < 0 ? script_errno_text(-result) : NULL;
    if (result >= 0)
        text_add_format(out, "%ld", result);
    else if (name != NULL)
        text_add_format(out, "-1 %s", name);
    else
        text_add_format(out, "-1 with error %ld", -result);
}

static bool wrong_result(struct play *p, const struct play_call *call, int64_t expected)
{
    char text[512];
    struct text out = text_of(text, sizeof text);
    text_add(&out, "the call gave ");
    format_result(call->result, &out);
    text_add(&out, ", expected ");
    if (call->call->error.len > 0) {
        text_add(&out, "-1 ");
        text_add_bytes(&out, call->call->error);
    } else
        text_add_format(&out, "%lld", (long long)expected);
    text_add(&out, ": ");
    format_call(call->call, &out);
    return play_fail_at(p, call->event->line, call->event->column, "%s", text);
}

/* The result as the script has it: a number, of descriptors only their sign; and the error. */
static bool check_result(struct play *p, struct play_call *call)
{
    int64_t expected, error;
    if (call->call->result->kind == SCRIPT_VALUE_ELLIPSIS)
        return true;
    if (!play_value_number(p, call->call->result, &expected))
        return false;
    bool descriptor = call->row->gives_descriptor && expected >= 0;
    int64_t got = call->result < 0 ? -1 : call->result;
    if (descriptor ? got < 0 : got != expected)
        return wrong_result(p, call, expected);
    if (call->call->error.len == 0)
        return true;
    if (!script_symbol(call->call->error, &error))
        return play_wrong(p, "there is no error called %.*s", (int)call->call->error.len,
                          (const char *)call->call->error.data);
    return call->result == -error || wrong_result(p, call, expected);
}

static bool check_end_time(struct play *p, const struct play_call *call)
{
    if (!call->call->blocking)
        return true;
    usec at = play_time(p);
    usec tolerance = play_tolerance(p, call->script_end_at - call->began_at);
    if (at >= call->script_end_at - tolerance && at <= call->script_end_at + tolerance)
        return true;
    return play_fail_at(p, call->event->line, call->event->column,
                        "the call ended at %lld.%06lld s, expected at %lld.%06lld s (tolerance "
                        "%lld us)",
                        (long long)(at / USEC_PER_SEC), (long long)(at % USEC_PER_SEC),
                        (long long)(call->script_end_at / USEC_PER_SEC),
                        (long long)(call->script_end_at % USEC_PER_SEC), (long long)tolerance);
}

static void tell_call(struct play *p, const struct play_call *call)
{
    char text[512];
    struct text out = text_of(text, sizeof text);
    if (!play_listened(p))
        return;
    format_call(call->call, &out);
    text_add(&out, " = ");
    format_result(call->result, &out);
    play_tell(p, "  %s", text);
}

static bool finish(struct play *p)
{
    struct play_call *call = &p->call;
    tell_call(p, call);
    /* Reports speak of the call, not of the event that may be under way meanwhile. */
    const struct script_event *event = p->event;
    p->event = call->event;
    bool good = check_result(p, call) && check_end_time(p, call) &&
                (call->row->check == NULL || call->row->check(p, call));
    p->event = event;
    play_call_done(p);
    return good;
}

bool play_call_try(struct play *p)
{
    struct play_call *call = &p->call;
    const struct script_event *event = p->event;
    p->event = call->event;
    enum call_step step = call->row->step(p, call);
    p->event = event;
    if (step == CALL_FAILED)
        return false;
    if (step == CALL_WAIT && p->now < call->deadline)
        return true;
    return finish(p);
}

static bool stuck(struct play *p)
{
    char text[512];
    struct text out = text_of(text, sizeof text);
    format_call(p->call.call, &out);
    return play_fail_at(p, p->call.event->line, p->call.event->column,
                        "the call did not come back: %s", text);
}

bool play_call_settle(struct play *p)
{
    if (!p->calling)
        return true;
    if (!play_advance(p, p->now + SETTLE * USEC_PER_SEC, PLAY_CALL))
        return false;
    return !p->calling || stuck(p);
}

static bool begin(struct play *p, const struct script_call *call, const struct call_row *row)
{
    p->call = (struct play_call){
        .event = p->event,
        .call = call,
        .row = row,
        .began_at = p->event_at,
        .script_end_at = call->end_at + p->event_offset,
        .deadline = USEC_NEVER,
        .live_fd = -1,
    };
    int script_fd;
    if (row->has_descriptor) {
        if (!play_argument_int(p, &p->call, 0, &script_fd))
            return false;
        const struct play_descriptor *descriptor = play_descriptor(p, script_fd);
        if (descriptor == NULL)
            return play_wrong(p, "there is no descriptor %d", script_fd);
        p->call.live_fd = descriptor->live;
        p->call.flow = descriptor->flow;
    }
    return row->begin == NULL || row->begin(p, &p->call);
}

bool play_call_event(struct play *p, const struct script_call *call)
{
    const struct call_row *row = play_call_find(call->name);
    if (row == NULL)
        return play_wrong(p, "there is no system call %.*s() here", (int)call->name.len,
                          (const char *)call->name.data);
    if (call->argument_count < row->arguments_min || call->argument_count > row->arguments_max)
        return play_wrong(p, "%s() takes %u to %u arguments, not %u", row->name,
                          row->arguments_min, row->arguments_max, call->argument_count);
    /* One thing at a time, as a program of one thread: what is under way comes first. */
    if (!play_call_settle(p) || !play_wait_for_event(p))
        return false;
    if (!begin(p, call, row)) {
        play_call_done(p);
        return false;
    }
    p->calling = true;
    if (!play_call_try(p))
        return false;
    if (!p->calling || call->blocking)
        return true;
    if (!play_advance(p, p->now + STUCK_AFTER * USEC_PER_SEC, PLAY_CALL))
        return false;
    return !p->calling || stuck(p);
}
