/* SPDX-License-Identifier: ISC */
/* script_play.c - the clock, the stack that is played against, and one event after the other. */
#include "sim/script/script_play.h"

#include "wire/link/ethernet.h"

enum {
    FRAME_OCTETS = 64 * 1024 * 1024,
    PREFIX_LEN = 16,
    MTU = 1500,
    TOLERANCE_PPM = 125000, /* of the time since the event before */
    REMOTE_PORT = 40001,
};

/* Not zero: what is zero looks like "never" in a report, and in a stack. */
static const usec start_of_time = 100 * USEC_PER_SEC;

static const struct mac stack_mac = {{2, 0, 0, 0, 0, 1}};
static const struct mac gateway_mac = {{2, 0, 0, 0, 0, 2}};

const char *script_outcome_text(enum script_outcome outcome)
{
    static const char *const texts[] = {
        [SCRIPT_PASSED] = "passed",
        [SCRIPT_FAILED] = "failed",
        [SCRIPT_SKIPPED] = "skipped",
        [SCRIPT_WRONG] = "wrong",
    };
    _Static_assert(ARRAY_LEN(texts) == SCRIPT_OUTCOME_COUNT, "one each");
    return texts[outcome];
}

/* ---- telling ---- */

static bool fail(struct play *p, enum script_outcome outcome, uint32_t line, uint32_t column,
                 const char *text)
{
    if (!p->failed) {
        p->failed = true;
        p->report->outcome = outcome;
        p->report->line = line;
        p->report->column = column;
        p->report->at = play_time(p);
        struct text out = text_of(p->report->text, sizeof p->report->text);
        text_add(&out, text);
    }
    return false;
}

bool play_fail_at(struct play *p, uint32_t line, uint32_t column, const char *format, ...)
{
    char text[SCRIPT_REPORT_MAX];
    struct text out = text_of(text, sizeof text);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&out, format, arguments);
    va_end(arguments);
    return fail(p, SCRIPT_FAILED, line, column, text);
}

bool play_fail(struct play *p, const char *format, ...)
{
    char text[SCRIPT_REPORT_MAX];
    struct text out = text_of(text, sizeof text);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&out, format, arguments);
    va_end(arguments);
    const struct script_event *event = p->event;
    return fail(p, SCRIPT_FAILED, event != NULL ? event->line : 0,
                event != NULL ? event->column : 0, text);
}

bool play_wrong(struct play *p, const char *format, ...)
{
    char text[SCRIPT_REPORT_MAX];
    struct text out = text_of(text, sizeof text);
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&out, format, arguments);
    va_end(arguments);
    const struct script_event *event = p->event;
    return fail(p, SCRIPT_WRONG, event != NULL ? event->line : 0,
                event != NULL ? event->column : 0, text);
}

bool play_listened(const struct play *p)
{
    return p->options->sink.line != NULL;
}

void play_tell(struct play *p, const char *format, ...)
{
    char line[1024];
    if (!play_listened(p))
        return;
    struct text out = text_of(line, sizeof line);
    usec at = play_time(p);
    text_add_format(&out, "%4lld.%06lld ", (long long)(at / USEC_PER_SEC),
                    (long long)(at % USEC_PER_SEC));
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&out, format, arguments);
    va_end(arguments);
    p->options->sink.line(p->options->sink.self, text_bytes(&out));
}

/* ---- the clock ---- */

bool play_turn(struct play *p)
{
    uint64_t changes;
    unsigned steps = 0;
    bsd_turn(p->bsd);
    do {
        changes = bsd_changes(p->bsd);
        if (p->calling && p->call.row != NULL && !play_call_try(p))
            return false;
        struct frame *frame;
        while ((frame = stack_output(p->stack, p->interface)) != NULL)
            play_look(p, frame);
        bsd_turn(p->bsd);
        if (++steps > PLAY_STEPS_MAX)
            return play_fail(p, "the stack goes on and on without that time passes");
    } while (bsd_changes(p->bsd) != changes);
    return !p->failed;
}

static bool reached(const struct play *p, enum play_until what)
{
    return (what == PLAY_PACKET && p->seen_count > 0) || (what == PLAY_CALL && !p->calling);
}

bool play_advance(struct play *p, usec until, enum play_until what)
{
    unsigned steps = 0;
    usec before = p->now;
    for (;;) {
        if (!play_turn(p))
            return false;
        if (reached(p, what))
            return true;
        usec next = stack_deadline(p->stack);
        if (p->calling)
            next = usec_min(next, p->call.deadline);
        if (next > until)
            break;
        steps = p->now == before ? steps + 1 : 0;
        before = p->now;
        if (steps > PLAY_STEPS_MAX)
            return play_fail(p, "the stack's timers go on and on without that time passes");
        p->now = usec_max(p->now, next);
        stack_tick(p->stack, p->now);
    }
    p->now = usec_max(p->now, until);
    stack_advance(p->stack, p->now);
    return true;
}

usec play_tolerance(const struct play *p, usec span)
{
    usec dynamic = span > 0 ? span / 1000 * p->tolerance_ppm / 1000 : 0;
    return usec_max(p->tolerance, dynamic);
}

static void add_seconds(struct text *out, usec at)
{
    text_add_format(out, "%s%lld.%06lld", at < 0 ? "-" : "",
                    (long long)((at < 0 ? -at : at) / USEC_PER_SEC),
                    (long long)((at < 0 ? -at : at) % USEC_PER_SEC));
}

bool play_time_fits(struct play *p, usec at, const char *what)
{
    char text[256];
    struct text out = text_of(text, sizeof text);
    usec tolerance = play_tolerance(p, p->event_at - p->last_event_at);
    bool range = p->event->time_kind == SCRIPT_TIME_ABSOLUTE_RANGE ||
                 p->event->time_kind == SCRIPT_TIME_RELATIVE_RANGE;
    usec end = range ? p->event_end_at : p->event_at;
    if (p->event->time_kind == SCRIPT_TIME_ANY ||
        (at >= p->event_at - tolerance && at <= end + tolerance))
        return true;
    text_add_format(&out, "%s: expected at ", what);
    add_seconds(&out, p->event_at);
    if (range) {
        text_add(&out, " to ");
        add_seconds(&out, end);
    }
    text_add(&out, " s, came at ");
    add_seconds(&out, at);
    text_add(&out, " s (tolerance ");
    add_seconds(&out, tolerance);
    text_add(&out, " s)");
    return play_fail(p, "%s", text);
}

bool play_wait_for_event(struct play *p)
{
    if (!play_advance(p, p->start + p->event_at, PLAY_TIME))
        return false;
    return p->last_event == NULL || play_time_fits(p, play_time(p), "the event");
}

/* ---- events ---- */

static bool is_inbound(const struct script_event *event)
{
    return event != NULL && event->kind == SCRIPT_EVENT_PACKET && event->u.packet->inbound;
}

static bool is_absolute(const struct script_event *event)
{
    return event->time_kind == SCRIPT_TIME_ABSOLUTE ||
           event->time_kind == SCRIPT_TIME_ABSOLUTE_RANGE;
}

/* Relative times count from now, which is when the event before happened; those of packets that
 * come one behind the other from when the one before was due. */
static bool take_times(struct play *p)
{
    const struct script_event *event = p->event;
    p->event_offset = 0;
    if (!is_absolute(event))
        p->event_offset = is_inbound(p->last_event) && is_inbound(event) ? p->last_event_at
                                                                         : play_time(p);
    p->event_at = event->at + p->event_offset;
    p->event_end_at = event->end_at + p->event_offset;
    if (p->last_event != NULL && is_absolute(event) && is_absolute(p->last_event) &&
        p->event_at < p->last_event_at)
        return play_wrong(p, "time goes backwards");
    if (p->last_event == NULL && p->event_at != 0)
        return play_wrong(p, "the first event is at time 0");
    return true;
}

/* What a route's MTU makes of the link's: there is one route. */
static uint16_t link_mtu(const struct play *p)
{
    uint16_t route = p->settings.route_mtu;
    return route != 0 && route < p->mtu ? route : p->mtu;
}

static void apply_settings(struct play *p)
{
    if (p->stack == NULL)
        return;
    tcp_set_profile(p->stack, &p->settings.profile);
    if (p->interface_made)
        stack_set_mtu(p->stack, p->interface, link_mtu(p));
    if (p->settings.has_fast_open_key)
        (void)!tcp_set_fast_open_keys(p->stack, p->settings.fast_open_key,
                                      sizeof p->settings.fast_open_key);
    if (p->settings.forget_metrics)
        tcp_forget_destinations(p->stack);
    p->settings.has_fast_open_key = false;
    p->settings.forget_metrics = false;
}

static bool play_command(struct play *p, struct bytes command)
{
    char text[512];
    struct text error = text_of(text, sizeof text);
    if (!script_settings_command(&p->settings, command, &error))
        return play_wrong(p, "%s", text);
    apply_settings(p);
    return true;
}

/* What stood in the code is in a line of the script further down. */
static bool play_code(struct play *p, const struct script_token *code)
{
    char text[1024], printed[1024];
    struct text error = text_of(text, sizeof text);
    struct text output = text_of(printed, sizeof printed);
    struct script_code_result result = {.error = &error, .output = &output};
    struct wn_tcp_info info = {0};
    wn_socklen_t len = sizeof info;
    struct play_flow *flow = p->under_test;
    if (flow != NULL && flow->live_fd >= 0 && flow->kind == SCRIPT_TCP &&
        bsd_getsockopt(p->bsd, flow->live_fd, WN_SOL_TCP, WN_TCP_INFO, &info, &len) == 0 &&
        !script_names_of_tcp_info(&info, &p->names))
        return play_fail(p, "the code has more than %d names", SCRIPT_NAMES_MAX);
    bool good = script_code_run(code->text, &p->names, &p->script->arena, &result);
    if (output.len > 0) {
        struct bytes rest = text_bytes(&output);
        while (rest.len > 0) {
            size_t line = bytes_find(rest, '\n');
            play_tell(p, "print %.*s", (int)line, (const char *)rest.data);
            rest = bytes_after(rest, line + 1);
        }
    }
    if (good)
        return true;
    return play_fail_at(p, code->line + result.line, code->column, "code: %s", text);
}

static bool play_event(struct play *p)
{
    const struct script_event *event = p->event;
    if (!take_times(p))
        return false;
    switch (event->kind) {
    case SCRIPT_EVENT_PACKET:
        return play_packet(p, event->u.packet);
    case SCRIPT_EVENT_CALL:
        return play_call_event(p, event->u.call);
    case SCRIPT_EVENT_COMMAND:
        play_tell(p, "` %.*s", (int)event->u.text.text.len,
                  (const char *)event->u.text.text.data);
        return play_wait_for_event(p) && play_command(p, event->u.text.text);
    case SCRIPT_EVENT_CODE:
        return play_wait_for_event(p) && play_code(p, &event->u.text);
    }
    return false;
}

static bool play_events(struct play *p)
{
    for (const struct script_event *event = p->script->events; event != NULL;
         event = event->next) {
        p->event = event;
        if (!play_event(p))
            return false;
        p->last_event = event;
        p->last_event_at = p->event_at;
        p->report->events++;
        if (!play_turn(p))
            return false;
    }
    if (!play_call_settle(p))
        return false;
    p->event = NULL;
    return !p->script->has_cleanup || play_command(p, p->script->cleanup.text);
}

/* ---- beginning and end ---- */

static bool number_option(struct play *p, const struct script_option *option, uint64_t max,
                          uint64_t *out)
{
    if (text_parse_number(option->value, max, out))
        return true;
    fail(p, SCRIPT_WRONG, option->name.line, option->name.column,
         "the option wants a number");
    return false;
}

static bool address_option(struct play *p, const struct script_option *option,
                           struct ip_address *out)
{
    struct bytes text = bytes_first(option->value, bytes_find(option->value, '/'));
    if (address_parse(text, out)) {
        if (address_is_v4(out))
            return true;
        return fail(p, SCRIPT_SKIPPED, option->name.line, option->name.column,
                    "the script is for IPv6, which the stack does not have");
    }
    return fail(p, SCRIPT_WRONG, option->name.line, option->name.column,
                "the option wants an address");
}

/* Options of the original that mean nothing where there is no device, no kernel and no python. */
static bool is_passed_over(struct bytes name)
{
    static const char *const names[] = {
        "define",      "init_scripts", "code_command",     "code_format",    "code_sockopt",
        "speed",       "netmask_ip",   "dry_run",          "verbose",        "debug",
        "non_fatal",   "is_anyip",     "send_omit_free",   "wire_client_dev", "wire_server_dev",
        "gateway_ip",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_equal(name, bytes_of_text(names[i])))
            return true;
    return false;
}

static bool take_option(struct play *p, const struct script_option *option)
{
    struct bytes name = option->name.text;
    uint64_t number = 0;
    bool good = true;
    if (bytes_equal(name, bytes_of_text("tolerance_usecs"))) {
        good = number_option(p, option, UINT32_MAX, &number);
        p->tolerance = (usec)number;
    } else if (bytes_equal(name, bytes_of_text("tolerance_percent"))) {
        good = number_option(p, option, 100, &number);
        p->tolerance_ppm = (unsigned)number * 10000;
    } else if (bytes_equal(name, bytes_of_text("tcp_ts_tick_usecs"))) {
        good = number_option(p, option, 1000000, &number);
        p->timestamp_tick = (usec)number;
    } else if (bytes_equal(name, bytes_of_text("tcp_ts_ecr_scaled")))
        p->timestamp_scaled = true;
    else if (bytes_equal(name, bytes_of_text("strict_segments")))
        p->strict_segments = true;
    else if (bytes_equal(name, bytes_of_text("mtu"))) {
        good = number_option(p, option, 65535, &number) && number >= 576;
        p->mtu = (uint16_t)number;
    } else if (bytes_equal(name, bytes_of_text("bind_port"))) {
        good = number_option(p, option, 65535, &number);
        p->bind_port = (uint16_t)number;
    } else if (bytes_equal(name, bytes_of_text("connect_port"))) {
        good = number_option(p, option, 65535, &number);
        p->connect_port = (uint16_t)number;
    } else if (bytes_equal(name, bytes_of_text("local_ip")))
        return address_option(p, option, &p->local);
    else if (bytes_equal(name, bytes_of_text("remote_ip")))
        return address_option(p, option, &p->remote);
    else if (bytes_equal(name, bytes_of_text("ip_version"))) {
        if (!bytes_equal(option->value, bytes_of_text("ipv4")))
            return fail(p, SCRIPT_SKIPPED, option->name.line, option->name.column,
                        "the script is for IPv6, which the stack does not have");
    } else if (!is_passed_over(name)) {
        return fail(p, SCRIPT_WRONG, option->name.line, option->name.column,
                    "there is no such option here");
    }
    return good || fail(p, SCRIPT_WRONG, option->name.line, option->name.column,
                        "the option's value is out of range");
}

static bool take_options(struct play *p)
{
    for (const struct script_option *option = p->script->options; option != NULL;
         option = option->next)
        if (!take_option(p, option))
            return false;
    for (const struct script_event *event = p->script->events; event != NULL; event = event->next)
        if (event->kind == SCRIPT_EVENT_PACKET && event->u.packet->icmp6)
            return fail(p, SCRIPT_SKIPPED, event->line, event->column,
                        "the script is for IPv6, which the stack does not have");
    return true;
}

/* The gateway is a neighbour of the stack's, whatever network a script puts the stack into. */
static bool make_network(struct play *p)
{
    struct interface_options interface = {
        .name = "tun0",
        .mac = stack_mac,
        .mtu = link_mtu(p),
        .features = INTERFACE_CHECKSUM | (p->settings.tso ? INTERFACE_TSO4 : 0u),
    };
    uint32_t local = address_v4_value(&p->local);
    uint32_t gateway = (local & prefix_mask_v4(PREFIX_LEN)) | 0xfe01;
    p->gateway = address_v4(gateway != local ? gateway : gateway + 1);
    struct ip_prefix address = {p->local, PREFIX_LEN};
    struct ip_prefix all = {address_any_v4(), 0};
    int index = stack_add_interface(p->stack, &interface);
    if (index < 0)
        return false;
    p->interface = (unsigned)index;
    p->interface_made = true;
    return stack_add_address(p->stack, p->interface, &address, false) &&
           stack_add_neighbour(p->stack, p->interface, &p->gateway, &gateway_mac) &&
           stack_add_route(p->stack, &all, &p->gateway, p->interface);
}

static bool make_stack(struct play *p)
{
    struct stack_options stack = {
        .heap = p->options->heap,
        .tcp_profile = &p->settings.profile,
        .seed = {1},
    };
    p->frames = stack.frames = frame_pool_new(&p->options->heap, FRAME_OCTETS);
    p->seen = heap_array(&p->options->heap, PLAY_SEEN_MAX, sizeof *p->seen);
    if (p->frames == NULL || p->seen == NULL)
        return false;
    p->stack = stack_new(&stack, p->now);
    if (p->stack == NULL || !make_network(p))
        return false;
    struct bsd_options sockets = {.heap = p->options->heap, .first = 3};
    p->bsd = bsd_new(p->stack, &sockets);
    apply_settings(p);
    return p->bsd != NULL;
}

static void end(struct play *p)
{
    play_call_done(p);
    bsd_free(p->bsd);
    stack_free(p->stack);
    if (p->frames != NULL)
        frame_pool_free(p->frames);
    heap_release(&p->options->heap, p->seen, PLAY_SEEN_MAX * sizeof *p->seen);
}

static void play_script(struct play *p)
{
    if (!take_options(p))
        return;
    if (p->script->has_init) {
        struct script_event init = {.line = p->script->init.line, .column = p->script->init.column};
        p->event = &init;
        bool good = play_command(p, p->script->init.text);
        p->event = NULL;
        if (!good)
            return;
    }
    if (!make_stack(p)) {
        fail(p, SCRIPT_FAILED, 0, 0, "no memory for a stack");
        return;
    }
    /* It announces its address: that is no event of a script. */
    struct frame *frame;
    while ((frame = stack_output(p->stack, p->interface)) != NULL)
        frame_unref(frame);
    play_events(p);
}

static void prepare(struct play *p, const struct script_options *options, struct script *script,
                    struct script_report *report)
{
    const struct tcp_profile *profile = options->profile;
    p->options = options;
    p->script = script;
    p->report = report;
    p->start = p->now = start_of_time;
    p->tolerance = options->tolerance > 0 ? options->tolerance : SCRIPT_TOLERANCE;
    p->tolerance_ppm = TOLERANCE_PPM;
    p->local = address_v4(0xc0a80001); /* 192.168.0.1 */
    p->remote = address_v4(0xc0000201); /* 192.0.2.1 */
    p->mtu = MTU;
    p->bind_port = p->connect_port = PLAY_PORT;
    p->next_port = REMOTE_PORT;
    script_settings_init(&p->settings, profile != NULL ? profile : &tcp_profile_linux);
}

void script_run(struct bytes text, const struct script_options *options,
                struct script_report *out)
{
    *out = (struct script_report){.outcome = SCRIPT_PASSED};
    struct script_defines defines = {.count = 0};
    struct script_error error;
    struct script script;
    for (size_t i = 0; i < options->define_count; i++)
        if (!script_define(&defines, bytes_of_text(options->defines[i]))) {
            out->outcome = SCRIPT_WRONG;
            struct text text_out = text_of(out->text, sizeof out->text);
            text_add_format(&text_out, "not a definition NAME=VALUE: %s", options->defines[i]);
            return;
        }
    if (!script_parse(&script, &options->heap, text, &defines, &error)) {
        out->outcome = SCRIPT_WRONG;
        out->line = error.line;
        out->column = error.column;
        struct text text_out = text_of(out->text, sizeof out->text);
        text_add(&text_out, error.text);
        return;
    }
    struct play *p = heap_zeroed(&options->heap, sizeof *p);
    if (p != NULL) {
        prepare(p, options, &script, out);
        play_script(p);
        out->at = play_time(p);
        end(p);
        heap_release(&options->heap, p, sizeof *p);
    } else {
        out->outcome = SCRIPT_FAILED;
        struct text text_out = text_of(out->text, sizeof out->text);
        text_add(&text_out, "no memory");
    }
    script_done(&script);
}
