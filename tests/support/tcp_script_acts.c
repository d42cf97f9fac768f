/* SPDX-License-Identifier: ISC */
/* tcp_script_acts.c - the verbs of scenarios that use the application's side of a connection. */
#include "tests/support/tcp_script_internal.h"

/* Members of the profile that scenarios change; times are usec. */
static const struct {
    const char *name;
    size_t offset;
    size_t size;
} members[] = {
#define MEMBER(name, member)                                                                      \
    {name, offsetof(struct tcp_profile, member), sizeof(((struct tcp_profile *)0)->member)}
    MEMBER("sack", sack),
    MEMBER("timestamps", timestamps),
    MEMBER("scaling", window_scaling),
    MEMBER("mss-max", mss_max),
    MEMBER("window-clamp", window_clamp),
    MEMBER("receive", receive_buffer),
    MEMBER("receive-max", receive_buffer_max),
    MEMBER("send", send_buffer),
    MEMBER("send-max", send_buffer_max),
    MEMBER("syn-retries", syn_retries),
    MEMBER("syn-ack-retries", syn_ack_retries),
    MEMBER("statistics", statistics),
    MEMBER("syn-cookies", syn_cookies),
    MEMBER("time-wait-reuse", time_wait_reuse),
    MEMBER("quick-acks", quick_acks),
    MEMBER("ecn", ecn),
    MEMBER("push-each-write", push_each_write),
    MEMBER("path-mtu-probing", path_mtu_probing),
    MEMBER("path-mtu-base", path_mtu_base),
    MEMBER("rack", rack),
    MEMBER("tail-loss-probe", tail_loss_probe),
    MEMBER("prr", prr),
    MEMBER("forward-rto", forward_rto),
    MEMBER("undo", undo),
    MEMBER("fast-open", fast_open),
    MEMBER("fast-open-queue", fast_open_queue),
    MEMBER("fast-open-pause", fast_open_pause),
    MEMBER("reordering", reordering),
    MEMBER("user-timeout-told", user_timeout_told),
#undef MEMBER
};

static void put_member(char *at, size_t size, uint64_t value)
{
    uint8_t u8 = (uint8_t)value; /* bool too */
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    if (size == sizeof u8)
        memcpy(at, &u8, size);
    else if (size == sizeof u16)
        memcpy(at, &u16, size);
    else if (size == sizeof u32)
        memcpy(at, &u32, size);
    else
        memcpy(at, &value, sizeof value);
}

void script_with(struct play *p)
{
    const char *name = script_word(p);
    uint64_t value = script_large_number(p);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (strcmp(members[i].name, name) == 0) {
            put_member((char *)&p->profile + members[i].offset, members[i].size, value);
            return;
        }
    }
    DEMAND(p, false, "a profile has no %s here", name);
}

static void do_listen(struct play *p)
{
    struct tcp_listen_options options = {.local = {address_any_v4(), OUR_PORT}};
    options.backlog = script_number_or(p, 0);
    p->listener = tcp_listen(p->s.stack, &options);
    DEMAND(p, p->listener != NULL, "cannot listen");
}

static void do_intercept(struct play *p)
{
    struct tcp_listen_options options = {.local = {address_any_v4(), 0}, .intercept = true};
    options.backlog = script_number_or(p, 0);
    p->listener = tcp_listen(p->s.stack, &options);
    DEMAND(p, p->listener != NULL, "cannot intercept");
}

static void do_unlisten(struct play *p)
{
    tcp_listener_close(p->listener);
    p->listener = NULL;
}

static void do_connect(struct play *p)
{
    struct tcp_connect_options options = {
        .remote = {ADDRESS_PEER, PEER_PORT}, .local = {p->local, OUR_PORT}, .user = p};
    options.fast_open = script_accept_word(p, "fast");
    p->c = tcp_connect(p->s.stack, &options);
    DEMAND(p, p->c != NULL, "cannot connect");
    p->our_iss = p->c->iss.n;
}

static void do_connect_none(struct play *p)
{
    struct tcp_connect_options options = {
        .remote = {ADDRESS_PEER, PEER_PORT}, .local = {p->local, OUR_PORT}, .user = p};
    DEMAND(p, tcp_connect(p->s.stack, &options) == NULL, "there is a connection");
}

static void do_accept(struct play *p)
{
    script_take_events(p);
    p->c = tcp_accept(p->listener, p);
    DEMAND(p, p->c != NULL, "nothing to accept");
    p->our_iss = p->c->iss.n;
}

static void do_accept_none(struct play *p)
{
    DEMAND(p, tcp_accept(p->listener, p) == NULL, "there is something to accept");
}

static void do_answer(struct play *p)
{
    tcp_answer(p->c);
}

static void do_refuse(struct play *p)
{
    tcp_refuse(p->c, p->next < p->count ? (int)script_number(p) : -1);
    p->c = NULL;
}

static void send_text(struct play *p, size_t (*send)(struct tcp_connection *c, struct bytes in))
{
    static uint8_t text[TEXT_MAX];
    uint32_t len = script_number(p);
    for (uint32_t i = 0; i < len; i++)
        text[i] = script_our_octet(p->written + i);
    size_t taken = send(p->c, bytes_of(text, len));
    p->written += taken;
    script_same(p, "taken", (uint32_t)taken, script_number_or(p, len));
}

static void do_write(struct play *p)
{
    send_text(p, tcp_send);
}

static void do_write_urgent(struct play *p)
{
    send_text(p, tcp_send_urgent);
}

/* Takes the urgent octet, which must be the one of that number in the peer's stream. */
static void do_take_urgent(struct play *p)
{
    struct tcp_urgent_mark mark;
    DEMAND(p, tcp_urgent(p->c, &mark) == TCP_URGENT_HERE, "there is no urgent octet");
    script_same(p, "the urgent octet", mark.octet, script_peer_octet(script_number(p)));
    tcp_urgent_take(p->c);
}

static void expect_mark(struct play *p)
{
    static const char *const names[] = {"none", "coming", "here", "taken"};
    struct tcp_urgent_mark mark = {0};
    const char *got = names[tcp_urgent(p->c, &mark)];
    DEMAND(p, strcmp(script_word(p), got) == 0, "the mark is %s", got);
    if (p->next < p->count)
        script_same(p, "octets before the mark", mark.before, script_number(p));
}

static void do_frame(struct play *p)
{
    uint32_t len = script_number(p);
    struct frame *frame = frame_new(p->s.frames, len);
    assert_non_null(frame);
    for (uint32_t i = 0; i < len; i++)
        frame->data[i] = script_our_octet(p->written + i);
    frame->len = len;
    DEMAND(p, tcp_send_frame(p->c, frame), "the frame is not taken");
    p->written += len;
}

static void do_read(struct play *p)
{
    uint32_t left = script_number(p);
    while (left > 0) {
        struct slice view;
        DEMAND(p, tcp_received(p->c, &view, 1) == 1, "%u octets less to read", left);
        size_t len = view.len < left ? view.len : left;
        for (size_t i = 0; i < len; i++)
            DEMAND(p, view.data[i] == script_peer_octet(p->read + i), "octet %zu read is wrong",
                   p->read + i);
        tcp_consume(p->c, len);
        p->read += len;
        left -= (uint32_t)len;
    }
}

/* Our address goes, and the way to everybody with it; and comes back. */
static void do_unplug(struct play *p)
{
    DEMAND(p, stack_remove_address(p->s.stack, 0, &p->local), "there is no address");
}

static void do_plug(struct play *p)
{
    struct ip_prefix prefix = {p->local, 24};
    DEMAND(p, stack_add_address(p->s.stack, 0, &prefix, false), "no room for the address");
    one_stack_drain(&p->s, 0); /* what announces it */
}

static void do_finish(struct play *p)
{
    tcp_shutdown(p->c);
}

static void do_close(struct play *p)
{
    tcp_close(p->c);
    p->c = NULL;
}

/* The next connection is between the same ends, and nothing is left of the last one. */
static void forget_entries(struct play *p)
{
    struct stack *stack = p->s.stack;
    for (unsigned row = 0; row < TCP_ROW_COUNT; row++) {
        struct tcp_entry *entry;
        while ((entry = tcp_entry_first(stack, row)) != NULL) {
            struct endpoint local = tcp_entry_local(entry);
            if (row != TCP_ROW_TIME_WAIT)
                tcp_find_group(stack, &local)->half_open--;
            tcp_entry_free(stack, tcp_entry_hash(stack, entry), entry);
        }
    }
}

static void do_anew(struct play *p)
{
    if (p->c != NULL && tcp_state(p->c) == TCP_CLOSED)
        tcp_close(p->c);
    p->c = NULL;
    size_t place = 0;
    const struct tcp_connection *c;
    while ((c = tcp_each(p->s.stack, &place)) != NULL) {
        if (c->listener != NULL)
            tcp_listener_forget((struct tcp_connection *)c);
        tcp_connection_free((struct tcp_connection *)c);
        place = 0;
    }
    forget_entries(p);
    while (stack_output(p->s.stack, 0) != NULL)
        DEMAND(p, false, "something waits to be sent");
    p->events = 0;
    p->listener_events = 0;
    p->written = 0;
    p->read = 0;
    p->ts_value = 0;
}

static void do_forget(struct play *p)
{
    tcp_forget_destinations(p->s.stack);
}

/* Two keys at most, as hex digits, the newest first. */
static void do_keys(struct play *p)
{
    uint8_t keys[2 * TCP_FAST_OPEN_KEY_LEN];
    size_t len = 0;
    while (p->next < p->count) {
        const char *text = script_word(p);
        for (; *text != '\0' && len < sizeof keys; text += 2) {
            unsigned octet;
            DEMAND(p, sscanf(text, "%2x", &octet) == 1, "not a key");
            keys[len++] = (uint8_t)octet;
        }
    }
    DEMAND(p, tcp_set_fast_open_keys(p->s.stack, keys, len), "no keys");
}

static void expect_fast_room(struct play *p)
{
    script_same(p, "room with the SYN", (uint32_t)tcp_fast_open_room(p->c), script_number(p));
}

static void expect_syn_text(struct play *p)
{
    struct tcp_info info;
    tcp_info(p->c, &info);
    script_same(p, "syn-text", info.syn_text, script_number(p));
}

static void do_abort(struct play *p)
{
    tcp_abort(p->c);
    p->c = NULL;
}

static void do_nodelay(struct play *p)
{
    (void)tcp_set_option(p->c, TCP_OPTION_NODELAY, 1);
}

static void do_keepalive(struct play *p)
{
    (void)tcp_set_option(p->c, TCP_OPTION_KEEPALIVE, 1);
}

/* Names of options, in the order of enum tcp_option. */
static unsigned option_named(struct play *p, const char *name)
{
    static const char *const names[] = {
        [TCP_OPTION_NODELAY] = "nodelay",
        [TCP_OPTION_CORK] = "cork",
        [TCP_OPTION_QUICK_ACK] = "quick-ack",
        [TCP_OPTION_MSS_MAX] = "mss-max",
        [TCP_OPTION_KEEPALIVE] = "keepalive",
        [TCP_OPTION_KEEPALIVE_IDLE] = "keepalive-idle",
        [TCP_OPTION_KEEPALIVE_INTERVAL] = "keepalive-interval",
        [TCP_OPTION_KEEPALIVE_PROBES] = "keepalive-probes",
        [TCP_OPTION_SYN_RETRIES] = "syn-retries",
        [TCP_OPTION_RETRIES] = "retries",
        [TCP_OPTION_ORPHAN_RETRIES] = "orphan-retries",
        [TCP_OPTION_USER_TIMEOUT] = "user-timeout",
        [TCP_OPTION_RTO_MIN] = "rto-min",
        [TCP_OPTION_RTO_MAX] = "rto-max",
        [TCP_OPTION_DELAYED_ACK] = "delayed-ack",
        [TCP_OPTION_FIN_WAIT_2] = "fin-wait-2",
        [TCP_OPTION_DEFER_ACCEPT] = "defer-accept",
        [TCP_OPTION_WINDOW_CLAMP] = "window-clamp",
        [TCP_OPTION_NOT_SENT_LOW] = "not-sent-low",
        [TCP_OPTION_RECEIVE_LOW] = "receive-low",
        [TCP_OPTION_RECEIVE_BUFFER] = "receive-buffer",
        [TCP_OPTION_SEND_BUFFER] = "send-buffer",
        [TCP_OPTION_TTL] = "ttl",
        [TCP_OPTION_TRAFFIC_CLASS] = "traffic-class",
        [TCP_OPTION_PATH_MTU_DISCOVERY] = "path-mtu-discovery",
        [TCP_OPTION_ECN] = "ecn",
        [TCP_OPTION_FAST_OPEN] = "fast-open",
        [TCP_OPTION_PACING_RATE_MAX] = "pacing-rate-max",
        [TCP_OPTION_URGENT_IN_LINE] = "urgent-in-line",
        [TCP_OPTION_STATISTICS] = "statistics",
        [TCP_OPTION_USER_TIMEOUT_TOLD] = "user-timeout-told",
    };
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] != NULL && strcmp(names[i], name) == 0)
            return i;
    DEMAND(p, false, "no such option: %s", name);
    return 0;
}

/* Of the connection, or of the listener while there is none. */
static void do_option(struct play *p)
{
    unsigned option = option_named(p, script_word(p));
    uint64_t value = script_large_number(p);
    enum tcp_option_status want = TCP_OPTION_SET;
    if (p->next < p->count)
        want = script_accept_word(p, "range") ? TCP_OPTION_RANGE : TCP_OPTION_STATE;
    if (want == TCP_OPTION_STATE)
        DEMAND(p, script_accept_word(p, "state"), "unknown word");
    enum tcp_option_status got = p->c != NULL
                                     ? tcp_set_option(p->c, option, value)
                                     : tcp_listener_set_option(p->listener, option, value);
    script_same(p, "status", got, want);
}

static void do_buffers(struct play *p)
{
    uint32_t receive = script_number(p);
    (void)tcp_set_option(p->c, TCP_OPTION_RECEIVE_BUFFER, receive);
    (void)tcp_set_option(p->c, TCP_OPTION_SEND_BUFFER, script_number(p));
}

/* A connection that the peer opens and we accept: `rtt` is in msec, the other words go into its SYN. */
static void do_establish(struct play *p)
{
    char syn[256] = "< S 0 win 65535 mss 1460";
    char ack[64] = "< A 1 ack 1";
    if (script_accept_word(p, "rtt"))
        snprintf(ack, sizeof ack, "+%.6f < A 1 ack 1", (double)script_number(p) / 1e3);
    while (p->next < p->count) {
        const char *more = script_word(p);
        ASSERT(strlen(syn) + strlen(more) + 2 < sizeof syn);
        strcat(strcat(syn, " "), more);
    }
    char listen[] = "listen";
    char syn_ack[] = "> SA 0 ack 1";
    char accept[] = "accept";
    char *lines[] = {listen, syn, syn_ack, ack, accept};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        script_line(p, lines[i]);
    p->listener_events = 0;
}

/* ---- what is expected ---- */

static unsigned event_named(struct play *p, const char *name)
{
    static const char *const names[] = {"opened",   "readable", "writable", "end",
                                        "failed",   "finished", "trouble",  "urgent"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    DEMAND(p, strcmp(name, "none") == 0, "no such event: %s", name);
    return 0;
}

static void expect_events(struct play *p)
{
    unsigned want = 0;
    script_take_events(p);
    while (p->next < p->count)
        want |= event_named(p, script_word(p));
    DEMAND(p, p->events == want, "events are %#x, not %#x", p->events, want);
    p->events = 0;
}

static void expect_listener(struct play *p)
{
    unsigned want = event_named(p, script_word(p));
    script_take_events(p);
    DEMAND(p, p->listener_events == want, "the listener's events are %#x", p->listener_events);
    p->listener_events = 0;
}

static void expect_state(struct play *p)
{
    const char *name = script_word(p);
    const char *got = tcp_state_text(p->c != NULL ? tcp_state(p->c) : TCP_CLOSED);
    DEMAND(p, strcmp(name, got) == 0, "the state is %s", got);
}

/* The only connection's, also when the application has closed it. */
static void expect_remains(struct play *p)
{
    const char *name = script_word(p);
    size_t place = 0;
    const struct tcp_connection *c = tcp_each(p->s.stack, &place);
    const char *got = c != NULL ? tcp_state_text(tcp_state(c)) : "nothing";
    struct tcp_entry_info entry;
    place = 0;
    if (tcp_each_entry(p->s.stack, &place, &entry))
        got = tcp_state_text(entry.state);
    DEMAND(p, strcmp(name, got) == 0, "what remains is %s", got);
}

static void expect_error(struct play *p)
{
    static const char *const names[] = {"OK",          "REFUSED", "RESET", "TIMED-OUT",
                                        "UNREACHABLE", "ABORTED"};
    const char *got = names[tcp_error(p->c)];
    DEMAND(p, strcmp(script_word(p), got) == 0, "the error is %s", got);
}

static void expect_drop(struct play *p)
{
    char want[128] = "";
    while (p->next < p->count) {
        strncat(want, script_word(p), sizeof want - strlen(want) - 1);
        if (p->next < p->count)
            strncat(want, " ", sizeof want - strlen(want) - 1);
    }
    const char *got = drop_reason_text(p->s.last_drop);
    DEMAND(p, strcmp(want, got) == 0, "dropped because: %s", got);
}

static void expect_received(struct play *p)
{
    script_same(p, "received", (uint32_t)tcp_received_len(p->c), script_number(p));
}

static void expect_at_end(struct play *p)
{
    DEMAND(p, tcp_at_end(p->c), "it is not at its end");
}

static void expect_room(struct play *p)
{
    script_same(p, "room", (uint32_t)tcp_send_room(p->c), script_number(p));
}

static void expect_connections(struct play *p)
{
    script_same(p, "connections", (uint32_t)stack_counters(p->s.stack)->tcpConnections, script_number(p));
}

/* What is given back after a while (tcp_idle.c) is no business of the connection's. */
static void expect_idle(struct play *p)
{
    const struct stack *stack = p->s.stack;
    unsigned count = stack->wheel.count - timer_armed(&stack->tcp->watch_timer);
    DEMAND(p, count == 0, "%u timers are armed", count);
}

static const struct {
    const char *name;
    void (*act)(struct play *p);
} verbs[] = {
    {"listen", do_listen},
    {"intercept", do_intercept},
    {"unlisten", do_unlisten},
    {"establish", do_establish},
    {"connect", do_connect},
    {"accept", do_accept},
    {"connect-none", do_connect_none},
    {"accept-none", do_accept_none},
    {"answer", do_answer},
    {"refuse", do_refuse},
    {"write", do_write},
    {"write-urgent", do_write_urgent},
    {"take-urgent", do_take_urgent},
    {"mark", expect_mark},
    {"frame", do_frame},
    {"read", do_read},
    {"unplug", do_unplug},
    {"plug", do_plug},
    {"finish", do_finish},
    {"close", do_close},
    {"abort", do_abort},
    {"anew", do_anew},
    {"forget", do_forget},
    {"keys", do_keys},
    {"fast-room", expect_fast_room},
    {"syn-text", expect_syn_text},
    {"nodelay", do_nodelay},
    {"keepalive", do_keepalive},
    {"buffers", do_buffers},
    {"option", do_option},
    {"events", expect_events},
    {"listener", expect_listener},
    {"state", expect_state},
    {"remains", expect_remains},
    {"error", expect_error},
    {"drop", expect_drop},
    {"received", expect_received},
    {"at-end", expect_at_end},
    {"room", expect_room},
    {"connections", expect_connections},
    {"idle", expect_idle},
};

static bool info_word(struct play *p, const char *name)
{
    struct tcp_info info;
    if (p->c == NULL)
        return false;
    tcp_info(p->c, &info);
    const struct {
        const char *name;
        uint32_t value;
    } fields[] = {
        {"mss", info.mss},
        {"cwnd", info.cwnd},
        {"ssthresh", info.ssthresh},
        {"flight", info.flight},
        {"window", info.send_window},
        {"offered", info.receive_window},
        {"rto", (uint32_t)info.rto},
        {"srtt", (uint32_t)info.srtt},
        {"again", info.retransmits},
        {"timeouts", info.timeouts},
        {"segments-in", info.segments_in},
        {"segments-out", info.segments_out},
        {"text-segments-in", info.text_segments_in},
        {"text-segments-out", info.text_segments_out},
        {"octets-sent", (uint32_t)info.octets_sent},
        {"octets-again", (uint32_t)info.octets_retransmitted},
        {"out-of-order", info.segments_out_of_order},
        {"not-sent", info.not_sent},
        {"path-mtu", info.path_mtu},
        {"advertised-mss", info.advertised_mss},
        {"condition", info.condition},
        {"trouble", info.trouble},
        {"icmp-code", info.icmp_code},
        {"segments-unacknowledged", info.segments_unacknowledged},
        {"segments-sacked", info.segments_sacked},
        {"segments-lost", info.segments_lost},
        {"since-sent", (uint32_t)(info.since_sent / USEC_PER_MSEC)},
        {"since-received", (uint32_t)(info.since_received / USEC_PER_MSEC)},
        {"limited-by-application", (uint32_t)(info.limited[TCP_LIMIT_APPLICATION] / USEC_PER_MSEC)},
        {"limited-by-congestion", (uint32_t)(info.limited[TCP_LIMIT_CONGESTION] / USEC_PER_MSEC)},
        {"limited-by-receiver", (uint32_t)(info.limited[TCP_LIMIT_RECEIVER] / USEC_PER_MSEC)},
        {"limited-by-buffer", (uint32_t)(info.limited[TCP_LIMIT_BUFFER] / USEC_PER_MSEC)},
        {"min-rtt", (uint32_t)info.min_rtt},
        {"reordering", info.reordering},
        {"scale", info.send_scale},
        {"ecn", info.ecn},
        {"ecn-seen", info.ecn_seen},
        {"segments-marked", info.segments_marked},
        {"unacknowledged", (uint32_t)tcp_unacknowledged(p->c)},
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            script_same(p, name, fields[i].value, script_number(p));
            return true;
        }
    }
    return false;
}

bool script_act(struct play *p, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            verbs[i].act(p);
            return true;
        }
    }
    return info_word(p, name);
}
