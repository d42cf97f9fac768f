/* SPDX-License-Identifier: ISC */
/* tcp_script.c - the player of TCP scenarios; the language is described in tcp_script.h. */
#include "tests/support/tcp_script.h"

#include <stdio.h>

#include "base/checksum.h"
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"
#include "tests/support/tcp_check.h"

enum {
    OUR_PORT = 80,
    PEER_PORT = 40000,
    WORDS_MAX = 40,
    CAUGHT_MAX = 256,
    OUR_START = -3000, /* initial sequence numbers, from 2^32 */
    PEER_START = -500,
    TEXT_MAX = 1 << 20,
};

struct caught {
    usec at;
    uint16_t gso_size;
    uint8_t protocol;
    uint8_t icmp_code;
    struct tcp_header header;
    size_t len;
};

struct play {
    const char *path;
    unsigned line;
    struct one_stack s;
    struct one_stack_options options;
    bool open;
    bool foreign;
    struct ip_address local;
    uint32_t our_iss;
    uint32_t peer_iss;
    uint32_t ts_value; /* of the peer; 0: it does not use timestamps */
    uint32_t ts_seen;  /* our last */
    unsigned events;
    unsigned listener_events;
    struct tcp_listener *listener;
    struct tcp_connection *c;
    size_t written; /* octets of our stream */
    size_t read;
    size_t caught_count;
    struct caught caught[CAUGHT_MAX];
    char *words[WORDS_MAX];
    unsigned count;
    unsigned next;
};

/* Octet i of our stream, and of the peer's. */
static uint8_t our_octet(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static uint8_t peer_octet(size_t i)
{
    return (uint8_t)(i * 13 + i / 241 + 5);
}

#define DEMAND(p, condition, ...)                                                                 \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            printf("%s:%u: ", (p)->path, (p)->line);                                              \
            printf(__VA_ARGS__);                                                                  \
            printf("\n");                                                                         \
            fail_msg("%s:%u: not as written", (p)->path, (p)->line);                              \
        }                                                                                         \
    } while (0)

/* ---- words ---- */

static const char *word(struct play *p)
{
    DEMAND(p, p->next < p->count, "a word is missing");
    return p->words[p->next++];
}

static bool accept_word(struct play *p, const char *text)
{
    if (p->next == p->count || strcmp(p->words[p->next], text) != 0)
        return false;
    p->next++;
    return true;
}

static uint32_t number(struct play *p)
{
    const char *text = word(p);
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    DEMAND(p, *end == '\0', "not a number: %s", text);
    return (uint32_t)value;
}

static uint32_t number_or(struct play *p, uint32_t otherwise)
{
    return p->next < p->count ? number(p) : otherwise;
}

/* a:b, or a alone, which is empty. Numbers may be negative. */
static void range(struct play *p, uint32_t *start, uint32_t *end)
{
    char *rest;
    *start = (uint32_t)strtol(word(p), &rest, 10);
    *end = *rest == ':' ? (uint32_t)strtol(rest + 1, &rest, 10) : *start;
    DEMAND(p, *rest == '\0', "not a range: %s", rest);
}

/* ---- the stack ---- */

static void open_stack(struct play *p)
{
    if (p->open)
        return;
    one_stack_open(&p->s, &p->options);
    p->open = true;
    p->local = p->foreign ? ADDRESS_OUTSIDE : ADDRESS_US;
    struct endpoint local = {p->local, OUR_PORT};
    struct endpoint remote = {ADDRESS_PEER, PEER_PORT};
    uint32_t offset;
    /* The ISN counts with time: wait until it is as wanted. */
    struct seq isn = tcp_initial_sequence(p->s.stack, &local, &remote, &offset);
    one_stack_wait(&p->s, (usec)((uint32_t)OUR_START - isn.n) * 4);
    p->our_iss = (uint32_t)OUR_START;
    p->peer_iss = (uint32_t)PEER_START;
}

static void take_events(struct play *p)
{
    struct socket_event event;
    while (stack_next_event(p->s.stack, &event)) {
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            p->listener_events |= event.events;
        } else {
            DEMAND(p, event.socket->user == p, "an event of a closed connection");
            p->events |= event.events;
        }
    }
}

static void check_text(struct play *p, const struct caught *caught, const uint8_t *text)
{
    uint32_t first = caught->header.sequence - p->our_iss - 1;
    for (size_t i = 0; i < caught->len; i++)
        DEMAND(p, text[i] == our_octet(first + i), "octet %zu of what was sent is wrong",
               (size_t)first + i);
}

static void catch_frame(struct play *p, struct frame *frame)
{
    static uint8_t octets[FRAME_PACKET_MAX];
    struct caught *caught = &p->caught[p->caught_count++];
    DEMAND(p, p->caught_count < CAUGHT_MAX, "too many segments");
    *caught = (struct caught){.at = p->s.now};
    if (frame->offload.gso != FRAME_GSO_NONE)
        caught->gso_size = frame->offload.gso_size;
    if (frame->offload.checksum == FRAME_CHECKSUM_PARTIAL)
        checksum_complete(frame);
    size_t len = frame_total(frame);
    frame_copy_out(frame, 0, octets, len);
    struct ipv4_header ip;
    struct bytes packet = bytes_of(octets + ETHERNET_HEADER_LEN, len - ETHERNET_HEADER_LEN);
    assert_int_equal(ipv4_decode(packet, &ip), WIRE_OK);
    caught->protocol = ip.protocol;
    if (ip.protocol == IP_PROTOCOL_ICMP) {
        caught->icmp_code = ip.payload.data[1];
        return;
    }
    assert_int_equal(ip.protocol, IP_PROTOCOL_TCP);
    DEMAND(p, address_equal(&ip.source, &p->local), "wrong source address");
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, ip.protocol, (uint32_t)ip.payload.len);
    DEMAND(p, checksum_fold(checksum_add(sum, ip.payload, 0)) == 0xffff, "wrong checksum");
    assert_int_equal(tcp_header_decode(ip.payload, &caught->header), WIRE_OK);
    caught->len = caught->header.payload.len;
    check_text(p, caught, caught->header.payload.data);
    if (caught->header.options.present & TCP_HAS_TIMESTAMPS)
        p->ts_seen = caught->header.options.timestamp_value;
}

static void collect(struct play *p)
{
    struct frame *frame;
    while ((frame = stack_output(p->s.stack, 0)) != NULL) {
        catch_frame(p, frame);
        frame_unref(frame);
    }
    tcp_check_all(p->s.stack);
    take_events(p);
}

static void pass_time(struct play *p, usec interval)
{
    usec until = p->s.now + interval;
    collect(p);
    for (;;) {
        usec at = stack_deadline(p->s.stack);
        if (at > until)
            break;
        p->s.now = at;
        stack_tick(p->s.stack, at);
        collect(p);
    }
    p->s.now = until;
    stack_advance(p->s.stack, until);
}

static void nothing_more(struct play *p)
{
    if (p->caught_count == 0)
        return;
    const struct caught *caught = &p->caught[0];
    DEMAND(p, false, "unexpected, %.6f s ago: flags %#x, %u:%u, ack %u%s",
           (double)(p->s.now - caught->at) / 1e6, caught->header.flags,
           caught->header.sequence - p->our_iss,
           caught->header.sequence - p->our_iss + (uint32_t)caught->len,
           caught->header.acknowledgement - p->peer_iss,
           caught->protocol == IP_PROTOCOL_ICMP ? " (ICMP)" : "");
}

/* ---- segments ---- */

static uint16_t flags_of(struct play *p, const char *text)
{
    uint16_t flags = 0;
    for (; *text != '\0'; text++) {
        switch (*text) {
        case 'S':
            flags |= TCP_SYN;
            break;
        case 'F':
            flags |= TCP_FIN;
            break;
        case 'R':
            flags |= TCP_RST;
            break;
        case 'P':
            flags |= TCP_PSH;
            break;
        case 'A':
            flags |= TCP_ACK;
            break;
        default:
            DEMAND(p, false, "unknown flag %c", *text);
        }
    }
    return flags;
}

static void read_sack(struct play *p, struct tcp_options *options, uint32_t base)
{
    options->present |= TCP_HAS_SACK;
    while (p->next < p->count && strchr(p->words[p->next], ':') != NULL) {
        uint32_t start;
        uint32_t end;
        range(p, &start, &end);
        options->sack[options->sack_count++] =
            (struct tcp_sack_block){base + start, base + end};
    }
}

static void use_timestamps(struct play *p, struct tcp_options *options, uint32_t older)
{
    options->present |= TCP_HAS_TIMESTAMPS;
    options->timestamp_value = p->ts_value + (uint32_t)(p->s.now / 1000) - older;
    options->timestamp_echo = p->ts_seen;
}

static void read_option(struct play *p, struct tcp_header *header, uint16_t *port)
{
    struct tcp_options *options = &header->options;
    const char *name = word(p);
    if (strcmp(name, "ack") == 0) {
        header->acknowledgement = p->our_iss + number(p);
    } else if (strcmp(name, "win") == 0) {
        header->window = (uint16_t)number(p);
    } else if (strcmp(name, "mss") == 0) {
        options->present |= TCP_HAS_MSS;
        options->mss = (uint16_t)number(p);
    } else if (strcmp(name, "wscale") == 0) {
        options->present |= TCP_HAS_WINDOW_SCALE;
        options->window_shift = (uint8_t)number(p);
    } else if (strcmp(name, "sackok") == 0) {
        options->present |= TCP_HAS_SACK_PERMITTED;
    } else if (strcmp(name, "ts") == 0) {
        p->ts_value = 0x7ffffff0;
        use_timestamps(p, options, 0);
    } else if (strcmp(name, "old") == 0) {
        use_timestamps(p, options, number(p));
    } else if (strcmp(name, "nots") == 0) {
        options->present &= (uint8_t)~TCP_HAS_TIMESTAMPS;
    } else if (strcmp(name, "sack") == 0) {
        read_sack(p, options, p->our_iss);
    } else if (strcmp(name, "port") == 0) {
        *port = (uint16_t)number(p);
    } else {
        DEMAND(p, false, "unknown word %s", name);
    }
}

static void peer_sends(struct play *p)
{
    static uint8_t octets[65535];
    uint32_t start;
    uint32_t end;
    uint16_t port = PEER_PORT;
    collect(p);
    nothing_more(p);
    struct tcp_header header = {.target_port = OUR_PORT, .window = 65535};
    header.flags = flags_of(p, word(p));
    range(p, &start, &end);
    header.sequence = p->peer_iss + start;
    if (p->ts_value != 0)
        use_timestamps(p, &header.options, 0);
    while (p->next < p->count)
        read_option(p, &header, &port);
    header.source_port = port;
    struct writer w = writer_of(octets, sizeof octets);
    tcp_header_encode(&header, &w);
    for (uint32_t i = start; i != end; i++)
        write_u8(&w, peer_octet(i - 1));
    assert_false(w.failed);
    struct ipv4_header ip = {.source = ADDRESS_PEER, .target = p->local,
                             .protocol = IP_PROTOCOL_TCP};
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, ip.protocol, (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    one_stack_ip(&p->s, &ip, writer_bytes(&w));
    tcp_check_all(p->s.stack);
    take_events(p);
}

static void same(struct play *p, const char *what, uint32_t got, uint32_t want)
{
    DEMAND(p, got == want, "%s is %u (%d), not %u", what, got, (int32_t)got, want);
}

static void check_sack(struct play *p, const struct tcp_options *options)
{
    struct tcp_options want = {0};
    read_sack(p, &want, p->peer_iss);
    same(p, "count of SACK blocks", options->sack_count, want.sack_count);
    for (size_t i = 0; i < want.sack_count; i++) {
        same(p, "SACK start", options->sack[i].start - p->peer_iss,
             want.sack[i].start - p->peer_iss);
        same(p, "SACK end", options->sack[i].end - p->peer_iss, want.sack[i].end - p->peer_iss);
    }
}

static void check_word(struct play *p, const struct caught *caught)
{
    const struct tcp_header *header = &caught->header;
    const struct tcp_options *options = &header->options;
    const char *name = word(p);
    if (strcmp(name, "ack") == 0)
        same(p, "ack", header->acknowledgement - p->peer_iss, number(p));
    else if (strcmp(name, "rawack") == 0)
        same(p, "ack", header->acknowledgement, number(p));
    else if (strcmp(name, "win") == 0)
        same(p, "window", header->window, number(p));
    else if (strcmp(name, "mss") == 0)
        same(p, "mss", options->mss, number(p));
    else if (strcmp(name, "wscale") == 0)
        same(p, "window scale", options->window_shift, number(p));
    else if (strcmp(name, "sackok") == 0)
        DEMAND(p, options->present & TCP_HAS_SACK_PERMITTED, "SACK is not permitted");
    else if (strcmp(name, "ts") == 0)
        DEMAND(p, options->present & TCP_HAS_TIMESTAMPS, "there is no timestamp");
    else if (strcmp(name, "plain") == 0)
        DEMAND(p, (options->present & ~(unsigned)TCP_HAS_MSS) == 0, "there are options");
    else if (strcmp(name, "gso") == 0)
        same(p, "gso size", caught->gso_size, number(p));
    else if (strcmp(name, "port") == 0)
        same(p, "port", header->target_port, number(p));
    else
        DEMAND(p, false, "unknown word %s", name);
}

/* `wanted_at`: when it has to have been sent. */
static void we_send(struct play *p)
{
    collect(p);
    DEMAND(p, p->caught_count > 0, "nothing was sent");
    struct caught caught = p->caught[0];
    p->caught_count--;
    memmove(p->caught, p->caught + 1, p->caught_count * sizeof caught);
    usec late = p->s.now - caught.at;
    DEMAND(p, late < 2 * USEC_PER_MSEC, "it was sent %.6f s earlier", (double)late / 1e6);
    if (accept_word(p, "unreachable")) {
        same(p, "protocol", caught.protocol, IP_PROTOCOL_ICMP);
        same(p, "code", caught.icmp_code, number(p));
        return;
    }
    same(p, "protocol", caught.protocol, IP_PROTOCOL_TCP);
    uint32_t start;
    uint32_t end;
    uint16_t flags = flags_of(p, word(p));
    bool raw = accept_word(p, "raw");
    range(p, &start, &end);
    uint32_t base = raw ? 0 : p->our_iss;
    same(p, "sequence", caught.header.sequence - base, start);
    same(p, "end of the segment", caught.header.sequence + (uint32_t)caught.len - base, end);
    DEMAND(p, caught.header.flags == flags, "flags are %#x, not %#x", caught.header.flags, flags);
    bool sack = false;
    while (p->next < p->count) {
        if (accept_word(p, "sack")) {
            check_sack(p, &caught.header.options);
            sack = true;
        } else {
            check_word(p, &caught);
        }
    }
    DEMAND(p, sack || caught.header.options.sack_count == 0, "there are SACK blocks");
}

static void peer_tells_icmp(struct play *p)
{
    uint8_t body[ICMP_HEADER_LEN + IPV4_HEADER_LEN + 8];
    struct writer w = writer_of(body, sizeof body);
    uint8_t code = (uint8_t)number(p);
    uint16_t mtu = accept_word(p, "mtu") ? (uint16_t)number(p) : 0;
    uint32_t seq = accept_word(p, "seq") ? number(p) : 1;
    write_u8(&w, ICMP_UNREACHABLE);
    write_u8(&w, code);
    write_zeros(&w, 4);
    write_u16(&w, mtu);
    struct ipv4_header quoted = {.source = p->local, .target = ADDRESS_PEER, .total_len = 1500,
                                 .ttl = 60, .protocol = IP_PROTOCOL_TCP,
                                 .options = bytes_empty()};
    ipv4_encode(&quoted, &w);
    write_u16(&w, OUR_PORT);
    write_u16(&w, PEER_PORT);
    write_u32(&w, p->our_iss + seq);
    write_u16_at(&w, 2, checksum_of(writer_bytes(&w)));
    struct ipv4_header ip = {.source = ADDRESS_PEER, .target = p->local,
                             .protocol = IP_PROTOCOL_ICMP};
    one_stack_ip(&p->s, &ip, writer_bytes(&w));
    take_events(p);
}

/* ---- what our application does ---- */

static void do_listen(struct play *p)
{
    struct tcp_listen_options options = {.local = {address_any_v4(), OUR_PORT}};
    options.backlog = number_or(p, 0);
    p->listener = tcp_listen(p->s.stack, &options);
    DEMAND(p, p->listener != NULL, "cannot listen");
}

static void do_intercept(struct play *p)
{
    struct tcp_listen_options options = {.local = {address_any_v4(), 0}, .intercept = true};
    options.backlog = number_or(p, 0);
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
    p->c = tcp_connect(p->s.stack, &options);
    DEMAND(p, p->c != NULL, "cannot connect");
    p->our_iss = p->c->iss.n;
}

static void do_accept(struct play *p)
{
    take_events(p);
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
    tcp_refuse(p->c, p->next < p->count ? (int)number(p) : -1);
    p->c = NULL;
}

static void do_write(struct play *p)
{
    static uint8_t text[TEXT_MAX];
    uint32_t len = number(p);
    for (uint32_t i = 0; i < len; i++)
        text[i] = our_octet(p->written + i);
    size_t taken = tcp_send(p->c, bytes_of(text, len));
    p->written += taken;
    same(p, "taken", (uint32_t)taken, number_or(p, len));
}

static void do_frame(struct play *p)
{
    uint32_t len = number(p);
    struct frame *frame = frame_new(p->s.frames, len);
    assert_non_null(frame);
    for (uint32_t i = 0; i < len; i++)
        frame->data[i] = our_octet(p->written + i);
    frame->len = len;
    DEMAND(p, tcp_send_frame(p->c, frame), "the frame is not taken");
    p->written += len;
}

static void do_read(struct play *p)
{
    uint32_t left = number(p);
    while (left > 0) {
        struct slice view;
        DEMAND(p, tcp_received(p->c, &view, 1) == 1, "%u octets less to read", left);
        size_t len = view.len < left ? view.len : left;
        for (size_t i = 0; i < len; i++)
            DEMAND(p, view.data[i] == peer_octet(p->read + i), "octet %zu read is wrong",
                   p->read + i);
        tcp_consume(p->c, len);
        p->read += len;
        left -= (uint32_t)len;
    }
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

static void do_abort(struct play *p)
{
    tcp_abort(p->c);
    p->c = NULL;
}

static void do_nodelay(struct play *p)
{
    tcp_set_nodelay(p->c, true);
}

static void do_keepalive(struct play *p)
{
    tcp_set_keepalive(p->c, true);
}

static void do_buffers(struct play *p)
{
    uint32_t receive = number(p);
    tcp_set_buffers(p->c, receive, number(p));
}

static void play_line(struct play *p, char *line);

/* A connection that the peer opens and we accept; the words go into its SYN. */
static void do_establish(struct play *p)
{
    char syn[256] = "< S 0 win 65535 mss 1460";
    while (p->next < p->count) {
        const char *more = word(p);
        ASSERT(strlen(syn) + strlen(more) + 2 < sizeof syn);
        strcat(strcat(syn, " "), more);
    }
    char listen[] = "listen";
    char syn_ack[] = "> SA 0 ack 1";
    char ack[] = "< A 1 ack 1";
    char accept[] = "accept";
    char *lines[] = {listen, syn, syn_ack, ack, accept};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        play_line(p, lines[i]);
    p->listener_events = 0;
}

/* ---- what is expected ---- */

static unsigned event_named(struct play *p, const char *name)
{
    static const char *const names[] = {"opened", "readable", "writable",
                                        "end",    "failed",   "finished"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    DEMAND(p, strcmp(name, "none") == 0, "no such event: %s", name);
    return 0;
}

static void expect_events(struct play *p)
{
    unsigned want = 0;
    take_events(p);
    while (p->next < p->count)
        want |= event_named(p, word(p));
    DEMAND(p, p->events == want, "events are %#x, not %#x", p->events, want);
    p->events = 0;
}

static void expect_listener(struct play *p)
{
    unsigned want = event_named(p, word(p));
    take_events(p);
    DEMAND(p, p->listener_events == want, "the listener's events are %#x", p->listener_events);
    p->listener_events = 0;
}

static void expect_state(struct play *p)
{
    const char *name = word(p);
    const char *got = tcp_state_text(p->c != NULL ? tcp_state(p->c) : TCP_CLOSED);
    DEMAND(p, strcmp(name, got) == 0, "the state is %s", got);
}

/* The only connection's, also when the application has closed it. */
static void expect_remains(struct play *p)
{
    const char *name = word(p);
    size_t place = 0;
    const struct tcp_connection *c = tcp_each(p->s.stack, &place);
    const char *got = c != NULL ? tcp_state_text(tcp_state(c)) : "nothing";
    DEMAND(p, strcmp(name, got) == 0, "what remains is %s", got);
}

static void expect_error(struct play *p)
{
    static const char *const names[] = {"OK",          "REFUSED", "RESET", "TIMED-OUT",
                                        "UNREACHABLE", "ABORTED"};
    const char *got = names[tcp_error(p->c)];
    DEMAND(p, strcmp(word(p), got) == 0, "the error is %s", got);
}

static void expect_drop(struct play *p)
{
    char want[128] = "";
    while (p->next < p->count) {
        strncat(want, word(p), sizeof want - strlen(want) - 1);
        if (p->next < p->count)
            strncat(want, " ", sizeof want - strlen(want) - 1);
    }
    const char *got = drop_reason_text(p->s.last_drop);
    DEMAND(p, strcmp(want, got) == 0, "dropped because: %s", got);
}

static void expect_received(struct play *p)
{
    same(p, "received", (uint32_t)tcp_received_len(p->c), number(p));
}

static void expect_at_end(struct play *p)
{
    DEMAND(p, tcp_at_end(p->c), "it is not at its end");
}

static void expect_room(struct play *p)
{
    same(p, "room", (uint32_t)tcp_send_room(p->c), number(p));
}

static void expect_connections(struct play *p)
{
    same(p, "connections", (uint32_t)stack_counters(p->s.stack)->tcpConnections, number(p));
}

static void expect_idle(struct play *p)
{
    DEMAND(p, p->s.stack->wheel.count == 0, "%u timers are armed", p->s.stack->wheel.count);
}

static const struct {
    const char *name;
    void (*act)(struct play *p);
} verbs[] = {
    {"<", peer_sends},
    {">", we_send},
    {"icmp", peer_tells_icmp},
    {"listen", do_listen},
    {"intercept", do_intercept},
    {"unlisten", do_unlisten},
    {"establish", do_establish},
    {"connect", do_connect},
    {"accept", do_accept},
    {"accept-none", do_accept_none},
    {"answer", do_answer},
    {"refuse", do_refuse},
    {"write", do_write},
    {"frame", do_frame},
    {"read", do_read},
    {"finish", do_finish},
    {"close", do_close},
    {"abort", do_abort},
    {"nodelay", do_nodelay},
    {"keepalive", do_keepalive},
    {"buffers", do_buffers},
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
        {"unacknowledged", (uint32_t)tcp_unacknowledged(p->c)},
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            same(p, name, fields[i].value, number(p));
            return true;
        }
    }
    return false;
}

static bool setting(struct play *p, const char *name)
{
    struct one_stack_options *options = &p->options;
    if (p->open)
        return false;
    if (strcmp(name, "mtu") == 0)
        options->mtu = (uint16_t)number(p);
    else if (strcmp(name, "tso") == 0)
        options->features |= INTERFACE_CHECKSUM | INTERFACE_TSO4;
    else if (strcmp(name, "foreign") == 0)
        p->foreign = true;
    else if (strcmp(name, "receive") == 0)
        options->stack.tcp_receive_buffer = number(p);
    else if (strcmp(name, "send") == 0)
        options->stack.tcp_send_buffer = number(p);
    else if (strcmp(name, "connections") == 0)
        options->stack.tcp_connections_max = number(p);
    else
        return false;
    if (p->foreign)
        options->features |= INTERFACE_INTERCEPT;
    return true;
}

static void verb(struct play *p)
{
    const char *name = word(p);
    if (setting(p, name))
        return;
    open_stack(p);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            verbs[i].act(p);
            return;
        }
    }
    DEMAND(p, info_word(p, name), "unknown word %s", name);
}

static void play_line(struct play *p, char *line)
{
    p->count = 0;
    p->next = 0;
    line[strcspn(line, "#\n")] = '\0';
    for (char *w = strtok(line, " \t"); w != NULL; w = strtok(NULL, " \t")) {
        DEMAND(p, p->count < WORDS_MAX, "too many words");
        p->words[p->count++] = w;
    }
    if (p->count == 0)
        return;
    if (p->words[0][0] == '+') {
        double seconds = strtod(p->words[0] + 1, NULL);
        p->next = 1;
        open_stack(p);
        collect(p);
        if (seconds > 0 || p->count == 1) {
            nothing_more(p);
            /* A timer is at most one tick late. */
            pass_time(p, (usec)(seconds * 1e6 + 0.5) + (seconds > 0 ? WHEEL_TICK : 0));
        }
        if (p->count == 1) {
            nothing_more(p);
            return;
        }
    }
    verb(p);
    DEMAND(p, p->next == p->count, "too many words: %s", p->words[p->next]);
}

void tcp_script_play(const char *path)
{
    static struct play play;
    char line[512];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    play = (struct play){.path = path};
    while (fgets(line, sizeof line, file) != NULL) {
        play.line++;
        play_line(&play, line);
    }
    fclose(file);
    collect(&play);
    nothing_more(&play);
    one_stack_close(&play.s);
}
