/* SPDX-License-Identifier: ISC */
/* tcp_script.c - the player of TCP scenarios; the language is described in tcp_script.h. */
#include "tests/support/tcp_script.h"

#include "base/checksum.h"
#include "tests/support/tcp_check.h"
#include "tests/support/tcp_script_internal.h"

/* ---- words ---- */

const char *script_word(struct play *p)
{
    DEMAND(p, p->next < p->count, "a word is missing");
    return p->words[p->next++];
}

bool script_accept_word(struct play *p, const char *text)
{
    if (p->next == p->count || strcmp(p->words[p->next], text) != 0)
        return false;
    p->next++;
    return true;
}

uint64_t script_large_number(struct play *p)
{
    const char *text = script_word(p);
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    DEMAND(p, *end == '\0', "not a number: %s", text);
    return value;
}

uint32_t script_number(struct play *p)
{
    return (uint32_t)script_large_number(p);
}

uint32_t script_number_or(struct play *p, uint32_t otherwise)
{
    return p->next < p->count ? script_number(p) : otherwise;
}

/* a:b, or a alone, which is empty. Numbers may be negative. */
static void range(struct play *p, uint32_t *start, uint32_t *end)
{
    char *rest;
    *start = (uint32_t)strtol(script_word(p), &rest, 10);
    *end = *rest == ':' ? (uint32_t)strtol(rest + 1, &rest, 10) : *start;
    DEMAND(p, *rest == '\0', "not a range: %s", rest);
}

/* ---- the stack ---- */

void script_open(struct play *p)
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

void script_take_events(struct play *p)
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
    bool syn = (caught->header.flags & TCP_SYN) != 0;
    uint32_t first = caught->header.sequence - p->our_iss + syn - 1;
    for (size_t i = 0; i < caught->len; i++)
        DEMAND(p, text[i] == script_our_octet(first + i), "octet %zu of what was sent is wrong",
               (size_t)first + i);
}

/* The kinds of the options as they lie in the header. */
static void note_kinds(struct caught *caught, struct bytes segment)
{
    size_t at = TCP_HEADER_LEN;
    char *out = caught->kinds;
    size_t room = sizeof caught->kinds;
    while (at < caught->header.header_len) {
        uint8_t kind = segment.data[at];
        int len = snprintf(out, room, "%s%u", out == caught->kinds ? "" : ",", kind);
        ASSERT(len > 0 && (size_t)len < room);
        out += len;
        room -= (size_t)len;
        if (kind == 0)
            return;
        at += kind == 1 ? 1 : segment.data[at + 1];
    }
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
    caught->ttl = ip.ttl;
    caught->dont_fragment = ip.dont_fragment;
    caught->traffic_class = ip.traffic_class;
    if (ip.protocol == IP_PROTOCOL_ICMP) {
        caught->icmp_code = ip.payload.data[1];
        return;
    }
    assert_int_equal(ip.protocol, IP_PROTOCOL_TCP);
    DEMAND(p, address_equal(&ip.source, &p->local), "wrong source address");
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, ip.protocol, (uint32_t)ip.payload.len);
    DEMAND(p, checksum_fold(checksum_add(sum, ip.payload, 0)) == 0xffff, "wrong checksum");
    assert_int_equal(tcp_header_decode(ip.payload, &caught->header), WIRE_OK);
    note_kinds(caught, ip.payload);
    bool mss = (caught->header.options.present & TCP_HAS_MSS) != 0;
    DEMAND(p, !mss || (caught->header.flags & TCP_SYN), "MSS in a segment without SYN");
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
    script_take_events(p);
}

void script_pass_time(struct play *p, usec interval)
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
        case '.': /* none */
            break;
        case 'U':
            flags |= TCP_URG;
            break;
        case 'E':
            flags |= TCP_ECE;
            break;
        case 'W':
            flags |= TCP_CWR;
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

/* Hex digits, or `ask`: none. */
static uint8_t read_cookie(struct play *p, uint8_t out[TCP_COOKIE_MAX])
{
    const char *text = script_word(p);
    uint8_t len = 0;
    if (strcmp(text, "ask") == 0)
        return 0;
    for (; *text != '\0'; text += 2) {
        unsigned octet;
        DEMAND(p, len < TCP_COOKIE_MAX && sscanf(text, "%2x", &octet) == 1, "not a cookie");
        out[len++] = (uint8_t)octet;
    }
    return len;
}

static void use_timestamps(struct play *p, struct tcp_options *options, uint32_t older)
{
    options->present |= TCP_HAS_TIMESTAMPS;
    options->timestamp_value = p->ts_value + (uint32_t)(p->s.now / 1000) - older;
    options->timestamp_echo = p->ts_seen;
}

/* What a segment of the peer has beyond a well-formed header. */
struct oddities {
    bool bad_checksum;
    uint8_t raw[TCP_OPTIONS_MAX]; /* options as octets, padded with zeros */
    size_t raw_len;
    uint8_t traffic_class;
};

static void read_raw(struct play *p, struct oddities *odd)
{
    const char *text = script_word(p);
    for (; text[0] != '\0' && text[1] != '\0'; text += 2) {
        const char digits[3] = {text[0], text[1], '\0'};
        DEMAND(p, odd->raw_len < sizeof odd->raw, "too many options");
        odd->raw[odd->raw_len++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    odd->raw_len = (odd->raw_len + 3) / 4 * 4;
}

static void read_option(struct play *p, struct tcp_header *header, struct oddities *odd)
{
    struct tcp_options *options = &header->options;
    const char *name = script_word(p);
    if (strcmp(name, "ack") == 0) {
        header->acknowledgement = p->our_iss + script_number(p);
    } else if (strcmp(name, "win") == 0) {
        header->window = (uint16_t)script_number(p);
    } else if (strcmp(name, "mss") == 0) {
        options->present |= TCP_HAS_MSS;
        options->mss = (uint16_t)script_number(p);
    } else if (strcmp(name, "wscale") == 0) {
        options->present |= TCP_HAS_WINDOW_SCALE;
        options->window_shift = (uint8_t)script_number(p);
    } else if (strcmp(name, "sackok") == 0) {
        options->present |= TCP_HAS_SACK_PERMITTED;
    } else if (strcmp(name, "ts") == 0) {
        p->ts_value = 0x7ffffff0;
        use_timestamps(p, options, 0);
        if (script_accept_word(p, "echo")) /* of something else, so many ms later */
            options->timestamp_echo += script_number(p);
    } else if (strcmp(name, "echo-older") == 0) { /* of an earlier segment of ours */
        options->timestamp_echo -= script_number(p);
    } else if (strcmp(name, "old") == 0) {
        use_timestamps(p, options, script_number(p));
    } else if (strcmp(name, "nots") == 0) {
        options->present &= (uint8_t)~TCP_HAS_TIMESTAMPS;
    } else if (strcmp(name, "sack") == 0) {
        read_sack(p, options, p->our_iss);
    } else if (strcmp(name, "fo") == 0 || strcmp(name, "foexp") == 0) {
        options->present |= TCP_HAS_COOKIE;
        options->cookie_experimental = strcmp(name, "foexp") == 0;
        options->cookie_len = read_cookie(p, options->cookie);
    } else if (strcmp(name, "port") == 0) {
        header->source_port = (uint16_t)script_number(p);
    } else if (strcmp(name, "urg") == 0) {
        header->urgent = (uint16_t)script_number(p);
    } else if (strcmp(name, "uto") == 0) {
        options->present |= TCP_HAS_USER_TIMEOUT;
        options->user_timeout = (uint16_t)script_number(p);
    } else if (strcmp(name, "raw") == 0) {
        read_raw(p, odd);
    } else if (strcmp(name, "badsum") == 0) {
        odd->bad_checksum = true;
    } else if (strcmp(name, "class") == 0) {
        odd->traffic_class = (uint8_t)script_number(p);
    } else {
        DEMAND(p, false, "unknown word %s", name);
    }
}

/* The octets of the peer's segment, with its checksum. */
static struct bytes build_segment(struct play *p, const struct tcp_header *header, uint32_t len,
                                  const struct oddities *odd)
{
    static uint8_t octets[65535];
    struct writer w = writer_of(octets, sizeof octets);
    tcp_header_encode(header, &w);
    if (odd->raw_len > 0) {
        write_bytes(&w, bytes_of(odd->raw, odd->raw_len));
        octets[12] = (uint8_t)(writer_len(&w) / 4 << 4);
    }
    uint32_t first = header->sequence - p->peer_iss + ((header->flags & TCP_SYN) != 0);
    for (uint32_t i = 0; i < len; i++)
        write_u8(&w, script_peer_octet(first + i - 1));
    assert_false(w.failed);
    struct ip_address peer = ADDRESS_PEER;
    uint64_t sum = checksum_pseudo(&peer, &p->local, IP_PROTOCOL_TCP, (uint32_t)writer_len(&w));
    uint16_t checksum = (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET, odd->bad_checksum ? checksum ^ 0x0100 : checksum);
    return writer_bytes(&w);
}

static void peer_sends(struct play *p, bool batch)
{
    uint32_t start;
    uint32_t end;
    struct oddities odd = {0};
    if (!batch) {
        collect(p);
        nothing_more(p);
    }
    struct tcp_header header = {
        .source_port = PEER_PORT, .target_port = OUR_PORT, .window = 65535};
    header.flags = flags_of(p, script_word(p));
    range(p, &start, &end);
    header.sequence = p->peer_iss + start;
    if (p->ts_value != 0)
        use_timestamps(p, &header.options, 0);
    while (p->next < p->count)
        read_option(p, &header, &odd);
    struct ipv4_header ip = {.source = ADDRESS_PEER, .target = p->local,
                             .protocol = IP_PROTOCOL_TCP,
                             .traffic_class = odd.traffic_class};
    one_stack_ip(&p->s, &ip, build_segment(p, &header, end - start, &odd));
    tcp_check_all(p->s.stack);
    script_take_events(p);
}

void script_same(struct play *p, const char *what, uint32_t got, uint32_t want)
{
    DEMAND(p, got == want, "%s is %u (%d), not %u", what, got, (int32_t)got, want);
}

static void check_sack(struct play *p, const struct tcp_options *options)
{
    struct tcp_options want = {0};
    read_sack(p, &want, p->peer_iss);
    script_same(p, "count of SACK blocks", options->sack_count, want.sack_count);
    for (size_t i = 0; i < want.sack_count; i++) {
        script_same(p, "SACK start", options->sack[i].start - p->peer_iss,
             want.sack[i].start - p->peer_iss);
        script_same(p, "SACK end", options->sack[i].end - p->peer_iss, want.sack[i].end - p->peer_iss);
    }
}

static void check_cookie(struct play *p, const struct tcp_options *options, bool experimental)
{
    uint8_t want[TCP_COOKIE_MAX];
    uint8_t len = read_cookie(p, want);
    DEMAND(p, options->present & TCP_HAS_COOKIE, "there is no cookie");
    script_same(p, "experimental", options->cookie_experimental, experimental);
    script_same(p, "length of the cookie", options->cookie_len, len);
    DEMAND(p, memcmp(options->cookie, want, len) == 0, "it is another cookie");
}

static void check_word(struct play *p, const struct caught *caught)
{
    const struct tcp_header *header = &caught->header;
    const struct tcp_options *options = &header->options;
    const char *name = script_word(p);
    if (strcmp(name, "ack") == 0)
        script_same(p, "ack", header->acknowledgement - p->peer_iss, script_number(p));
    else if (strcmp(name, "rawack") == 0)
        script_same(p, "ack", header->acknowledgement, script_number(p));
    else if (strcmp(name, "win") == 0)
        script_same(p, "window", header->window, script_number(p));
    else if (strcmp(name, "mss") == 0)
        script_same(p, "mss", options->mss, script_number(p));
    else if (strcmp(name, "wscale") == 0)
        script_same(p, "window scale", options->window_shift, script_number(p));
    else if (strcmp(name, "sackok") == 0)
        DEMAND(p, options->present & TCP_HAS_SACK_PERMITTED, "SACK is not permitted");
    else if (strcmp(name, "ts") == 0)
        DEMAND(p, options->present & TCP_HAS_TIMESTAMPS, "there is no timestamp");
    else if (strcmp(name, "fo") == 0 || strcmp(name, "foexp") == 0)
        check_cookie(p, options, strcmp(name, "foexp") == 0);
    else if (strcmp(name, "nofo") == 0)
        DEMAND(p, !(options->present & TCP_HAS_COOKIE), "there is a cookie");
    else if (strcmp(name, "plain") == 0)
        DEMAND(p, (options->present & ~(unsigned)TCP_HAS_MSS) == 0, "there are options");
    else if (strcmp(name, "kinds") == 0)
        DEMAND(p, strcmp(script_word(p), caught->kinds) == 0, "the kinds are %s", caught->kinds);
    else if (strcmp(name, "gso") == 0)
        script_same(p, "gso size", caught->gso_size, script_number(p));
    else if (strcmp(name, "port") == 0)
        script_same(p, "port", header->target_port, script_number(p));
    else if (strcmp(name, "urg") == 0)
        script_same(p, "urgent pointer", header->urgent, script_number(p));
    else if (strcmp(name, "ttl") == 0)
        script_same(p, "ttl", caught->ttl, script_number(p));
    else if (strcmp(name, "uto") == 0)
        script_same(p, "user timeout", options->user_timeout, script_number(p));
    else if (strcmp(name, "nouto") == 0)
        DEMAND(p, !(options->present & TCP_HAS_USER_TIMEOUT), "it tells a user timeout");
    else if (strcmp(name, "df") == 0)
        script_same(p, "DF", caught->dont_fragment, script_number(p));
    else if (strcmp(name, "class") == 0)
        script_same(p, "traffic class", caught->traffic_class, script_number(p));
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
    if (script_accept_word(p, "unreachable")) {
        script_same(p, "protocol", caught.protocol, IP_PROTOCOL_ICMP);
        script_same(p, "code", caught.icmp_code, script_number(p));
        return;
    }
    script_same(p, "protocol", caught.protocol, IP_PROTOCOL_TCP);
    uint32_t start;
    uint32_t end;
    uint16_t flags = flags_of(p, script_word(p));
    bool raw = script_accept_word(p, "raw");
    if (script_accept_word(p, "new")) /* the SYN,ACK of another connection: its ISN counts now */
        p->our_iss = caught.header.sequence;
    range(p, &start, &end);
    uint32_t base = raw ? 0 : p->our_iss;
    script_same(p, "sequence", caught.header.sequence - base, start);
    script_same(p, "end of the segment", caught.header.sequence + (uint32_t)caught.len - base, end);
    DEMAND(p, caught.header.flags == flags, "flags are %#x, not %#x", caught.header.flags, flags);
    bool sack = false;
    while (p->next < p->count) {
        if (script_accept_word(p, "sack")) {
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
    uint8_t type = ICMP_UNREACHABLE;
    if (script_accept_word(p, "type"))
        type = (uint8_t)script_number(p);
    uint8_t code = (uint8_t)script_number(p);
    uint16_t mtu = script_accept_word(p, "mtu") ? (uint16_t)script_number(p) : 0;
    uint32_t seq = script_accept_word(p, "seq") ? script_number(p) : 1;
    write_u8(&w, type);
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
    script_take_events(p);
}

static void choose_profile(struct play *p, const char *name)
{
    if (p->options.stack.tcp_profile == NULL)
        p->profile = tcp_profile_default;
    p->options.stack.tcp_profile = &p->profile;
    if (strcmp(name, "with") == 0) {
        script_with(p);
        return;
    }
    const char *wanted = script_word(p);
    if (strcmp(name, "congestion") == 0) {
        int kind = tcp_congestion_find(wanted);
        DEMAND(p, kind >= 0, "no such congestion control: %s", wanted);
        p->profile.congestion = (uint8_t)kind;
        return;
    }
    const struct tcp_profile *profile = tcp_profile_find(wanted);
    DEMAND(p, profile != NULL, "no such profile: %s", wanted);
    p->profile = *profile;
}

static bool setting(struct play *p, const char *name)
{
    struct one_stack_options *options = &p->options;
    if (p->open)
        return false;
    if (strcmp(name, "mtu") == 0)
        options->mtu = (uint16_t)script_number(p);
    else if (strcmp(name, "tso") == 0)
        options->features |= INTERFACE_CHECKSUM | INTERFACE_TSO4;
    else if (strcmp(name, "foreign") == 0)
        p->foreign = true;
    else if (strcmp(name, "receive") == 0)
        options->stack.tcp_receive_buffer = script_number(p);
    else if (strcmp(name, "send") == 0)
        options->stack.tcp_send_buffer = script_number(p);
    else if (strcmp(name, "profile") == 0 || strcmp(name, "with") == 0 ||
             strcmp(name, "congestion") == 0)
        choose_profile(p, name);
    else if (strcmp(name, "connections") == 0)
        options->stack.tcp_connections_max = script_number(p);
    else
        return false;
    if (p->foreign)
        options->features |= INTERFACE_INTERCEPT;
    return true;
}

static void verb(struct play *p)
{
    const char *name = script_word(p);
    if (setting(p, name))
        return;
    script_open(p);
    if (strcmp(name, "<") == 0)
        peer_sends(p, false);
    else if (strcmp(name, "<<") == 0)
        peer_sends(p, true);
    else if (strcmp(name, ">") == 0)
        we_send(p);
    else if (strcmp(name, "icmp") == 0)
        peer_tells_icmp(p);
    else
        DEMAND(p, script_act(p, name), "unknown word %s", name);
}

void script_line(struct play *p, char *line)
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
        script_open(p);
        collect(p);
        if (seconds > 0 || p->count == 1) {
            nothing_more(p);
            /* A timer is at most one tick late. */
            script_pass_time(p, (usec)(seconds * 1e6 + 0.5) + (seconds > 0 ? WHEEL_TICK : 0));
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
        script_line(&play, line);
    }
    fclose(file);
    collect(&play);
    nothing_more(&play);
    one_stack_close(&play.s);
}
