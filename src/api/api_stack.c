/* SPDX-License-Identifier: ISC */
/* api_stack.c - wholenet/stack.h: life, the crank, events and trace. */
#include <stdarg.h>
#include <stdio.h>

#include "api/internal.h"

enum { TCP_CONNECTIONS_LIMIT = 1 << 24, UDP_SOCKETS_LIMIT = 65536, NEIGHBOURS_LIMIT = 1 << 20 };

int api_fail(struct wn_stack *stack, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(stack->error, sizeof stack->error, format, arguments);
    va_end(arguments);
    return error;
}

const char *wn_stack_error(const struct wn_stack *stack)
{
    return stack->error;
}

bool api_has_interface(const struct wn_stack *stack, int interface)
{
    return interface >= 0 && interface < stack->interface_count;
}

/* ---- trace ---- */

static const char *cause_text(enum retransmit_cause cause)
{
    static const char *const texts[] = {
        [RETRANSMIT_TIMEOUT] = "timeout",
        [RETRANSMIT_FAST] = "duplicate acknowledgements",
        [RETRANSMIT_SACK] = "selective acknowledgements",
        [RETRANSMIT_RACK] = "RACK",
        [RETRANSMIT_TAIL_PROBE] = "tail loss probe",
        [RETRANSMIT_PROBE] = "probe of a closed window",
    };
    _Static_assert(ARRAY_LEN(texts) == RETRANSMIT_CAUSE_COUNT, "one text per cause");
    return texts[cause];
}

static const char *condition_text(unsigned condition)
{
    static const char *const texts[] = {"open", "disorder", "reduced", "recovery", "loss"};
    return condition < ARRAY_LEN(texts) ? texts[condition] : "unknown";
}

static void on_trace(void *self, const struct trace_event *event)
{
    const struct wn_stack *stack = self;
    struct wn_trace out = {.kind = WN_TRACE_OTHER, .at = event->at};
    if (event->kind == TRACE_DROP) {
        out.kind = WN_TRACE_DROP;
        out.text = drop_reason_text(event->u.drop.reason);
        out.frame = frame_out(event->u.drop.frame);
    } else if (event->kind == TRACE_TCP_STATE) {
        out.kind = WN_TRACE_TCP_STATE;
        out.local = endpoint_out(&event->u.tcp_state.local);
        out.remote = endpoint_out(&event->u.tcp_state.remote);
        out.from = tcp_state_text((enum tcp_state)event->u.tcp_state.from);
        out.text = tcp_state_text((enum tcp_state)event->u.tcp_state.to);
    } else if (event->kind == TRACE_TCP_RETRANSMIT) {
        out.kind = WN_TRACE_TCP_RETRANSMIT;
        out.local = endpoint_out(&event->u.tcp_retransmit.local);
        out.remote = endpoint_out(&event->u.tcp_retransmit.remote);
        out.sequence = event->u.tcp_retransmit.sequence;
        out.len = event->u.tcp_retransmit.len;
        out.text = cause_text(event->u.tcp_retransmit.cause);
    } else if (event->kind == TRACE_TCP_WINDOW) {
        out.kind = WN_TRACE_TCP_WINDOW;
        out.local = endpoint_out(&event->u.tcp_window.local);
        out.remote = endpoint_out(&event->u.tcp_window.remote);
        out.cwnd = event->u.tcp_window.cwnd;
        out.ssthresh = event->u.tcp_window.ssthresh;
        out.window = event->u.tcp_window.window;
        out.text = condition_text(event->u.tcp_window.condition);
    } else if (event->kind == TRACE_NEIGHBOUR) {
        struct endpoint neighbour = {event->u.neighbour.address, 0};
        out.kind = WN_TRACE_NEIGHBOUR;
        out.remote = endpoint_out(&neighbour);
    }
    stack->on_trace(stack->trace_self, &out);
}

/* ---- life ---- */

/* Can the options be? An older caller's are shorter, and have zeros at their end. */
static bool take_options(const struct wn_stack_options *options, struct wn_stack_options *out)
{
    *out = (struct wn_stack_options){0};
    size_t least = offsetof(struct wn_stack_options, frames);
    if (options->size < least || options->size > sizeof *out)
        return false;
    memcpy(out, options, options->size);
    return out->host.resize != NULL && out->host.clock != NULL && out->host.random != NULL &&
           (out->flags & ~(unsigned)WN_STACK_FORWARDING) == 0 &&
           out->tcp_connections_max <= TCP_CONNECTIONS_LIMIT &&
           out->udp_sockets_max <= UDP_SOCKETS_LIMIT && out->neighbours_max <= NEIGHBOURS_LIMIT &&
           (out->profile == NULL || tcp_profile_find(out->profile) != NULL);
}

static struct stack *make(struct wn_stack *stack, const struct wn_stack_options *options)
{
    struct stack_options inner = {
        .heap = stack->heap,
        .frames = stack->frames->pool,
        .forwarding = (options->flags & WN_STACK_FORWARDING) != 0,
        .neighbours_max = options->neighbours_max,
        .tcp_connections_max = options->tcp_connections_max,
        .udp_sockets_max = options->udp_sockets_max,
        .tcp_profile = &stack->profile,
    };
    if (stack->on_trace != NULL)
        inner.trace = (struct trace){on_trace, stack};
    stack->host.random(stack->host.self, inner.seed, sizeof inner.seed);
    return stack_new(&inner, stack->host.clock(stack->host.self));
}

int wn_stack_new(const struct wn_stack_options *options, struct wn_stack **out)
{
    struct wn_stack_options o;
    if (!take_options(options, &o))
        return -EINVAL;
    struct heap heap = {.resize = o.host.resize, .self = o.host.self};
    struct wn_stack *stack = heap_zeroed(&heap, sizeof *stack);
    if (stack == NULL)
        return -ENOMEM;
    stack->heap = heap;
    stack->host = o.host;
    stack->on_trace = o.on_trace;
    stack->trace_self = o.trace_self;
    stack->profile = *tcp_profile_find(o.profile != NULL ? o.profile : tcp_profile_default.name);
    stack->frames = o.frames != NULL ? o.frames : wn_frames_new(&o.host, 0);
    if (stack->frames != NULL) {
        if (o.frames != NULL)
            frames_hold(o.frames);
        stack->stack = make(stack, &o);
    }
    if (stack->stack == NULL) {
        wn_stack_free(stack);
        return -ENOMEM;
    }
    *out = stack;
    return 0;
}

void wn_stack_free(struct wn_stack *stack)
{
    if (stack == NULL)
        return;
    stack_free(stack->stack);
    wn_frames_free(stack->frames);
    struct heap heap = stack->heap;
    heap_release(&heap, stack, sizeof *stack);
}

struct wn_frames *wn_stack_frames(const struct wn_stack *stack)
{
    return stack->frames;
}

/* ---- the crank ---- */

usec api_look_at_clock(struct wn_stack *stack)
{
    usec now = usec_max(stack->host.clock(stack->host.self), stack_now(stack->stack));
    stack_advance(stack->stack, now);
    return now;
}

int wn_stack_input_batch(struct wn_stack *stack, int interface, struct wn_frame *const *frames,
                         size_t count)
{
    bool known = api_has_interface(stack, interface);
    usec now = api_look_at_clock(stack);
    for (size_t i = 0; i < count; i++) {
        if (known)
            stack_input(stack->stack, (unsigned)interface, frame_in(frames[i]), now);
        else
            wn_frame_release(frames[i]);
    }
    return known ? 0 : api_fail(stack, -EINVAL, "there is no interface %d", interface);
}

int wn_stack_input(struct wn_stack *stack, int interface, struct wn_frame *frame)
{
    return wn_stack_input_batch(stack, interface, &frame, 1);
}

int wn_stack_input_copy(struct wn_stack *stack, int interface, const void *data, size_t len)
{
    if (len > WN_FRAME_SIZE_MAX)
        return api_fail(stack, -EINVAL, "a frame of %zu octets is too long", len);
    struct frame *frame = frame_new(stack->frames->pool, len);
    if (frame == NULL)
        return api_fail(stack, -ENOMEM, "the pool of frames is exhausted");
    frame_append(frame, bytes_of(data, len));
    return wn_stack_input(stack, interface, frame_out(frame));
}

size_t wn_stack_output_batch(struct wn_stack *stack, int interface, struct wn_frame **frames,
                             size_t max)
{
    struct frame *frame;
    size_t count = 0;
    if (!api_has_interface(stack, interface))
        return 0;
    (void)api_look_at_clock(stack);
    while (count < max && (frame = stack_output(stack->stack, (unsigned)interface)) != NULL)
        frames[count++] = frame_out(frame);
    return count;
}

struct wn_frame *wn_stack_output(struct wn_stack *stack, int interface)
{
    struct wn_frame *frame;
    return wn_stack_output_batch(stack, interface, &frame, 1) == 1 ? frame : NULL;
}

wn_time wn_stack_deadline(const struct wn_stack *stack)
{
    return stack_deadline(stack->stack);
}

void wn_stack_tick(struct wn_stack *stack)
{
    stack_tick(stack->stack, api_look_at_clock(stack));
}

/* ---- events ---- */

_Static_assert((int)WN_OPENED == (int)SOCKET_OPENED && (int)WN_READABLE == (int)SOCKET_READABLE &&
                   (int)WN_WRITABLE == (int)SOCKET_WRITABLE && (int)WN_END == (int)SOCKET_END &&
                   (int)WN_FAILED == (int)SOCKET_FAILED &&
                   (int)WN_FINISHED == (int)SOCKET_FINISHED &&
                   (int)WN_TROUBLE == (int)SOCKET_TROUBLE &&
                   (int)WN_URGENT == (int)SOCKET_URGENT,
               "the same bits");

bool api_tell_sockets(struct wn_stack *stack)
{
    struct socket_event event;
    bool any = false;
    while (stack_next_event_of(stack->stack, SOCKET_FACE_BSD, &event))
        any |= bsd_event(&event);
    return any;
}

int wn_stack_next_event(struct wn_stack *stack, struct wn_event *out)
{
    struct socket_event event;
    if (!stack_next_event_of(stack->stack, SOCKET_FACE_EVENTS, &event))
        return 0;
    *out = (struct wn_event){.events = event.events, .user = event.socket->user};
    switch ((enum socket_kind)event.socket->kind) {
    case SOCKET_TCP:
        out->kind = WN_EVENT_TCP;
        out->tcp = tcp_out(socket_tcp(event.socket));
        break;
    case SOCKET_TCP_LISTENER:
        out->kind = WN_EVENT_LISTENER;
        out->listener = listener_out(socket_listener(event.socket));
        break;
    case SOCKET_UDP:
        out->kind = WN_EVENT_UDP;
        out->udp = udp_out(socket_udp(event.socket));
        break;
    case SOCKET_ECHO: /* only BSD sockets open these */
        return 0;
    }
    return 1;
}

void wn_stack_on_event(struct wn_stack *stack,
                       void (*on_event)(void *self, const struct wn_event *event), void *self)
{
    stack->on_event = on_event;
    stack->event_self = self;
}

int wn_stack_dispatch(struct wn_stack *stack)
{
    struct wn_event event;
    bool any = api_tell_sockets(stack);
    while (stack->on_event != NULL && wn_stack_next_event(stack, &event)) {
        any = true;
        stack->on_event(stack->event_self, &event);
    }
    return any;
}
