/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_survive_attacks.c - a server under attack, beside a client that only wants its octets. For
 * each attack: the client's octets arrive both ways, in order, once, and soon; memory stays below a
 * bound; the server does not send more than it is sent; invariants hold at every millisecond; and
 * when all is over, nothing is left.
 *
 * The attacker sees what the server sends to it, and has the address 10.0.0.66, or any when it
 * does not want to be answered. Numbers come from a seed.
 *
 *      test_tcp_survive_attacks [NAME [SEED]]
 */
#include "stack/tcp/internal.h"

#include "base/checksum.h"
#include "tests/support/check.h"
#include "tests/support/tcp_check.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/ipv4.h"
#include "wire/link/ethernet.h"

enum {
    SERVER = 0x0a000001,
    CLIENT = 0x0a000002,
    ATTACKER = 0x0a000042,
    CLIENT_PORT = 4444,
    TOTAL = 150000,          /* of the client, each way */
    PEERS_MAX = 64,          /* connections that the attacker follows */
    FIRST_PORT = 10000,
    MSEC_MAX = 20000,        /* the client's patience */
    SMALL = 256 << 10,       /* of which an honest client's buffers are most */
    LATE_AT = 100,           /* milliseconds: another client comes in the middle of it, */
    LATE_UNTIL = 150,        /* and has been let in by then */
    MEMORY_MAX = 24 << 20,   /* 64 connections with 128 KiB each way, and what IP keeps */
};

/* What the attacker knows of a connection of its own. */
struct peer {
    bool established;
    uint32_t next;     /* what it would send */
    uint32_t seen;     /* end of what the server has sent */
    uint32_t acked;    /* by the server */
    uint32_t ts;       /* the server's last timestamp */
};

struct siege;

struct attack {
    const char *name;
    void (*strike)(struct siege *siege); /* each millisecond */
    unsigned peers;      /* connections that the attacker opens before */
    bool timestamps;     /* in them */
    bool server_talks;   /* sends in them whatever it can */
    bool server_listens; /* reads what comes in them */
    bool server_closes;  /* as soon as they are there */
    uint8_t cookies;     /* enum tcp_syn_cookies of the server, and one; 0: the profile's */
    size_t memory_max;   /* beyond what there is when it begins; 0: MEMORY_MAX in all */
};

struct siege {
    const struct attack *attack;
    uint64_t seed;
    struct prng prng;
    struct counting_heap counts;
    struct heap heap;
    struct frame_pool *frames;
    struct stack *server;
    struct stack *client;
    usec now;
    struct tcp_listener *listener;
    struct tcp_connection *ours;   /* the client's end */
    struct tcp_connection *theirs; /* the server's end of it */
    struct tcp_connection *late;
    size_t up_written, up_read, down_written, down_read;
    struct tcp_connection *held[PEERS_MAX * 40];
    size_t held_count;
    struct peer peers[PEERS_MAX];
    uint64_t struck;   /* segments of the attacker */
    uint64_t answered; /* packets to anybody but the client */
    size_t memory_before;
    size_t memory_max;
    bool over;         /* the attack is */
};

#define DEMAND(s, condition)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s, seed %llu, at %ld ms: not so: %s", (s)->attack->name,                    \
                     (unsigned long long)(s)->seed, (long)((s)->now / 1000), #condition);          \
    } while (0)

static uint8_t octet_at(size_t i)
{
    return (uint8_t)(i * 11 + i / 253);
}

static uint32_t any(struct siege *s)
{
    return prng_u32(&s->prng);
}

/* ---- packets of the attacker ---- */

static void inject_ip(struct siege *s, struct ipv4_header ip, struct bytes payload)
{
    static uint8_t octets[4096];
    struct writer w = writer_of(octets, sizeof octets);
    struct ethernet_header ethernet = {.target = {{2, 0, 0, 0, 0, 1}},
                                       .source = {{2, 0, 0, 0, 0, 9}},
                                       .type = ETHERNET_IPV4,
                                       .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    ip.ttl = 64;
    ip.options = bytes_empty();
    ip.total_len = (uint16_t)(IPV4_HEADER_LEN + payload.len);
    ipv4_encode(&ip, &w);
    write_bytes(&w, payload);
    struct frame *frame = frame_new(s->frames, writer_len(&w));
    if (frame == NULL)
        return;
    frame_append(frame, writer_bytes(&w));
    stack_input(s->server, 0, frame, s->now);
    s->struck++;
}

/* A TCP segment with `len` octets of rubbish, in `out`. */
static struct bytes build(struct siege *s, uint32_t from, const struct tcp_header *header,
                          uint32_t len)
{
    static uint8_t octets[2048];
    struct writer w = writer_of(octets, sizeof octets);
    tcp_header_encode(header, &w);
    for (uint32_t i = 0; i < len; i++)
        write_u8(&w, (uint8_t)(0xa5 + i));
    struct ip_address source = address_v4(from);
    struct ip_address target = address_v4(SERVER);
    uint64_t sum = checksum_pseudo(&source, &target, IP_PROTOCOL_TCP, (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    ASSERT(!w.failed);
    (void)s;
    return writer_bytes(&w);
}

static void inject(struct siege *s, uint32_t from, const struct tcp_header *header, uint32_t len)
{
    struct ipv4_header ip = {.source = address_v4(from),
                             .target = address_v4(SERVER),
                             .protocol = IP_PROTOCOL_TCP};
    inject_ip(s, ip, build(s, from, header, len));
}

/* As if the client had sent it. */
static void forge(struct siege *s, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct tcp_header header = {.source_port = CLIENT_PORT,
                                .target_port = 80,
                                .sequence = seq,
                                .acknowledgement = ack,
                                .flags = flags,
                                .window = (uint16_t)any(s)};
    inject(s, CLIENT, &header, len);
}

static struct tcp_header of_peer(const struct siege *s, unsigned i, uint16_t flags)
{
    const struct peer *peer = &s->peers[i];
    struct tcp_header header = {.source_port = (uint16_t)(FIRST_PORT + i),
                                .target_port = 80,
                                .sequence = peer->next,
                                .acknowledgement = peer->seen,
                                .flags = flags,
                                .window = 30000};
    if (s->attack->timestamps) {
        header.options.present = TCP_HAS_TIMESTAMPS;
        header.options.timestamp_value = (uint32_t)(s->now / 1000);
        header.options.timestamp_echo = peer->ts;
    }
    return header;
}

static void knock(struct siege *s, unsigned i)
{
    s->peers[i].next = 5000;
    struct tcp_header header = of_peer(s, i, TCP_SYN);
    header.options.present |= TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED;
    header.options.mss = 1000;
    inject(s, ATTACKER, &header, 0);
    s->peers[i].next++;
}

/* What the server sends to the attacker. */
static void attacker_sees(struct siege *s, const struct tcp_header *header)
{
    unsigned i = header->target_port - (unsigned)FIRST_PORT;
    if (i >= PEERS_MAX || (header->flags & TCP_RST))
        return;
    struct peer *peer = &s->peers[i];
    uint32_t end = header->sequence + tcp_segment_len(header);
    if (!peer->established || (int32_t)(end - peer->seen) > 0)
        peer->seen = end;
    peer->acked = header->acknowledgement;
    peer->ts = header->options.timestamp_value;
    if ((header->flags & TCP_SYN) && !peer->established) {
        peer->established = true;
        struct tcp_header ack = of_peer(s, i, TCP_ACK);
        inject(s, ATTACKER, &ack, 0);
    }
}

static unsigned some_peer(struct siege *s)
{
    return prng_below(&s->prng, s->attack->peers);
}

/* ---- attacks ---- */

static void syn_flood(struct siege *s)
{
    for (unsigned i = 0; i < 20; i++) {
        struct tcp_header header = {.source_port = (uint16_t)any(s), .target_port = 80,
                                    .sequence = any(s), .flags = TCP_SYN, .window = 1000};
        inject(s, 0x0b000000 + any(s) % 0x1000000, &header, 0);
    }
}

/* And ACKs, to hit one that is half open, or a cookie. */
static void syn_and_ack_flood(struct siege *s)
{
    syn_flood(s);
    for (unsigned i = 0; i < 20; i++) {
        struct tcp_header header = {.source_port = (uint16_t)any(s), .target_port = 80,
                                    .sequence = any(s), .acknowledgement = any(s),
                                    .flags = TCP_ACK | (i & 1 ? TCP_PSH : 0), .window = 1000};
        inject(s, 0x0b000000 + any(s) % 0x1000000, &header, i & 1 ? 100 : 0);
    }
}

static void blind_resets(struct siege *s)
{
    for (unsigned i = 0; i < 20; i++)
        forge(s, TCP_RST | (i & 1 ? TCP_ACK : 0), any(s), any(s), 0);
    /* Close ones, that miss by as little as can be. */
    uint32_t next = s->theirs != NULL ? s->theirs->rcv_nxt.n : 0;
    forge(s, TCP_RST, next + 1 + any(s) % 1000, 0, 0);
    forge(s, TCP_RST, next - 1 - any(s) % 1000, 0, 0);
}

static void blind_syns(struct siege *s)
{
    uint32_t next = s->theirs != NULL ? s->theirs->rcv_nxt.n : 0;
    for (unsigned i = 0; i < 10; i++)
        forge(s, TCP_SYN | (i & 1 ? TCP_ACK : 0), i & 2 ? any(s) : next + any(s) % 3000, any(s),
              any(s) % 100);
}

static void blind_text(struct siege *s)
{
    for (unsigned i = 0; i < 20; i++)
        forge(s, TCP_ACK | TCP_PSH, any(s), any(s), any(s) % 1000);
    /* In the window, with an ACK from nowhere (RFC 5961 §5). */
    uint32_t next = s->theirs != NULL ? s->theirs->rcv_nxt.n : 0;
    uint32_t una = s->theirs != NULL ? s->theirs->snd_una.n : 0;
    forge(s, TCP_ACK, next + any(s) % 1000, una + 0x40000000 + any(s) % 0x40000000, 500);
}

static void blind_acks(struct siege *s)
{
    for (unsigned i = 0; i < 20; i++)
        forge(s, TCP_ACK, any(s), any(s), 0);
    uint32_t next = s->theirs != NULL ? s->theirs->rcv_nxt.n : 0;
    uint32_t end = s->theirs != NULL ? s->theirs->snd_nxt.n : 0;
    forge(s, TCP_ACK, next, end + 1 + any(s) % 100000, 0);
}

static void icmp(struct siege *s, uint8_t type, uint8_t code, uint16_t mtu, uint32_t seq)
{
    uint8_t body[8 + IPV4_HEADER_LEN + 8];
    struct writer w = writer_of(body, sizeof body);
    write_u8(&w, type);
    write_u8(&w, code);
    write_zeros(&w, 4);
    write_u16(&w, mtu);
    struct ipv4_header quoted = {.source = address_v4(SERVER), .target = address_v4(CLIENT),
                                 .total_len = 1500, .ttl = 60, .protocol = IP_PROTOCOL_TCP,
                                 .options = bytes_empty()};
    ipv4_encode(&quoted, &w);
    write_u16(&w, 80);
    write_u16(&w, CLIENT_PORT);
    write_u32(&w, seq);
    write_u16_at(&w, 2, checksum_of(writer_bytes(&w)));
    struct ipv4_header ip = {.source = address_v4(0x0a000063), .target = address_v4(SERVER),
                             .protocol = IP_PROTOCOL_ICMP};
    inject_ip(s, ip, writer_bytes(&w));
}

static void forged_icmp(struct siege *s)
{
    uint32_t una = s->theirs != NULL ? s->theirs->snd_una.n : 0;
    for (unsigned i = 0; i < 10; i++)
        icmp(s, (uint8_t)(any(s) % 20), (uint8_t)(any(s) % 16), (uint16_t)any(s), any(s));
    /* With good eyes: about what is under way. All errors, and every lie about the MTU. */
    icmp(s, ICMP_UNREACHABLE, (uint8_t)(any(s) % 16), (uint16_t)(any(s) % 700), una);
    icmp(s, (uint8_t)(any(s) % 20), (uint8_t)(any(s) % 6), 68, una);
}

static void optimistic_acks(struct siege *s)
{
    for (unsigned i = 0; i < s->attack->peers; i++) {
        struct tcp_header header = of_peer(s, i, TCP_ACK);
        header.acknowledgement += any(s) % 3 * 20000; /* and of what was not sent */
        header.window = 65535;
        inject(s, ATTACKER, &header, 0);
    }
}

static void split_acks(struct siege *s)
{
    unsigned i = some_peer(s);
    struct tcp_header header = of_peer(s, i, TCP_ACK);
    header.window = 65535;
    header.acknowledgement -= 200;
    for (unsigned k = 0; k < 200; k++) {
        header.acknowledgement++;
        inject(s, ATTACKER, &header, 0);
    }
}

static void sack_lies(struct siege *s)
{
    for (unsigned k = 0; k < 10; k++) {
        struct tcp_header header = of_peer(s, some_peer(s), TCP_ACK);
        uint32_t seen = header.acknowledgement;
        header.acknowledgement = seen - any(s) % 30000;
        header.window = 65535;
        header.options.present |= TCP_HAS_SACK;
        header.options.sack_count = 3;
        for (unsigned i = 0; i < 3; i++) {
            uint32_t start = seen - 30000 + any(s) % 40000;
            uint32_t len = any(s) % 3 == 0 ? any(s) : any(s) % (k & 1 ? 3 : 5000);
            header.options.sack[i] = (struct tcp_sack_block){start, start + len};
        }
        inject(s, ATTACKER, &header, 0);
    }
}

/* All is reported but the first octet, which is never acknowledged; at times nothing was. */
static void sack_reneging(struct siege *s)
{
    unsigned i = some_peer(s);
    struct tcp_header header = of_peer(s, i, TCP_ACK);
    uint32_t seen = header.acknowledgement;
    header.acknowledgement = seen - 20000;
    if (any(s) % 4 != 0) {
        header.options.present |= TCP_HAS_SACK;
        header.options.sack_count = 1;
        header.options.sack[0] = (struct tcp_sack_block){seen - 19999, seen};
    }
    inject(s, ATTACKER, &header, 0);
}

static void closed_window(struct siege *s)
{
    for (unsigned i = 0; i < s->attack->peers; i++) {
        struct tcp_header header = of_peer(s, i, TCP_ACK);
        header.window = 0;
        inject(s, ATTACKER, &header, 0);
    }
}

static void shrinking_window(struct siege *s)
{
    struct tcp_header header = of_peer(s, some_peer(s), TCP_ACK);
    header.acknowledgement -= any(s) % 2 * (any(s) % 3000);
    header.window = (uint16_t)(any(s) % 3 == 0 ? 0 : any(s) % 2 ? any(s) % 50 : any(s));
    inject(s, ATTACKER, &header, 0);
}

static void single_octets(struct siege *s)
{
    unsigned i = some_peer(s);
    for (unsigned k = 0; k < 30; k++) {
        struct tcp_header header = of_peer(s, i, TCP_ACK);
        header.sequence += 1 + 2 * (any(s) % 30000); /* never the first */
        inject(s, ATTACKER, &header, 1);
    }
}

static void lying_timestamps(struct siege *s)
{
    struct tcp_header header = of_peer(s, some_peer(s), TCP_ACK);
    header.options.timestamp_value = any(s);
    header.options.timestamp_echo = any(s) % 2 ? any(s) : header.options.timestamp_echo - any(s) % 99999;
    header.window = 65535;
    inject(s, ATTACKER, &header, any(s) % 10);
}

static void garbled_options(struct siege *s)
{
    static uint8_t octets[60];
    for (unsigned k = 0; k < 10; k++) {
        struct tcp_header header = of_peer(s, some_peer(s), any(s) % 2 ? TCP_ACK : TCP_SYN);
        struct bytes plain = build(s, ATTACKER, &header, 0);
        memcpy(octets, plain.data, 20);
        prng_fill(&s->prng, octets + 20, 40);
        octets[12] = (uint8_t)(5 + any(s) % 11) << 4;
        octets[16] = octets[17] = 0;
        size_t len = (size_t)(octets[12] >> 4) * 4;
        struct ip_address source = address_v4(ATTACKER);
        struct ip_address target = address_v4(SERVER);
        uint64_t sum = checksum_pseudo(&source, &target, IP_PROTOCOL_TCP, (uint32_t)len);
        uint16_t field = (uint16_t)~checksum_fold(checksum_add(sum, bytes_of(octets, len), 0));
        octets[16] = (uint8_t)(field >> 8);
        octets[17] = (uint8_t)field;
        struct ipv4_header ip = {.source = source, .target = target, .protocol = IP_PROTOCOL_TCP};
        inject_ip(s, ip, bytes_of(octets, len));
    }
}

/* Handshakes of ever new ports, as fast as it goes. */
static void full_table(struct siege *s)
{
    for (unsigned k = 0; k < 5; k++) {
        unsigned i = any(s) % PEERS_MAX;
        if (!s->peers[i].established || any(s) % 3 == 0) {
            s->peers[i].established = false;
            knock(s, i);
        }
    }
    syn_flood(s);
}

static void tiny_fragments(struct siege *s)
{
    uint32_t next = s->theirs != NULL ? s->theirs->rcv_nxt.n : 0;
    for (unsigned k = 0; k < 10; k++) {
        struct tcp_header header = {.source_port = CLIENT_PORT, .target_port = 80,
                                    .sequence = next + any(s) % 2000, .acknowledgement = any(s),
                                    .flags = TCP_ACK, .window = 1000};
        struct bytes whole = build(s, CLIENT, &header, 200);
        uint16_t at = (uint16_t)(any(s) % (whole.len / 8) * 8);
        size_t len = 8 * (1 + any(s) % 4);
        if (len > whole.len - at)
            len = whole.len - at;
        struct ipv4_header ip = {.source = address_v4(CLIENT), .target = address_v4(SERVER),
                                 .protocol = IP_PROTOCOL_TCP, .identification = (uint16_t)(any(s) % 300),
                                 .fragment_offset = at, .more_fragments = any(s) % 3 != 0};
        inject_ip(s, ip, bytes_of(whole.data + at, len));
    }
}

/* Connections that the server has closed, and a peer that never acknowledges that. */
static void silence(struct siege *s)
{
    (void)s;
}

static const struct attack attacks[] = {
    {.name = "nothing", .strike = silence},
    {.name = "SYN flood", .strike = syn_flood, .memory_max = SMALL},
    {.name = "SYN flood, no cookies", .strike = syn_flood, .cookies = 1 + TCP_SYN_COOKIES_OFF,
     .memory_max = SMALL},
    {.name = "SYN flood, cookies always", .strike = syn_flood,
     .cookies = 1 + TCP_SYN_COOKIES_ALWAYS, .memory_max = SMALL},
    {.name = "SYN and ACK flood", .strike = syn_and_ack_flood, .memory_max = SMALL},
    {.name = "blind RST", .strike = blind_resets},
    {.name = "blind SYN", .strike = blind_syns},
    {.name = "blind text", .strike = blind_text},
    {.name = "blind ACK", .strike = blind_acks},
    {.name = "forged ICMP", .strike = forged_icmp},
    {.name = "tiny and overlapping fragments", .strike = tiny_fragments},
    {.name = "optimistic ACKs", .strike = optimistic_acks, .peers = 8, .server_talks = true},
    {.name = "split ACKs", .strike = split_acks, .peers = 4, .server_talks = true},
    {.name = "SACK lies", .strike = sack_lies, .peers = 8, .server_talks = true},
    {.name = "SACK reneging", .strike = sack_reneging, .peers = 8, .server_talks = true},
    {.name = "closed windows", .strike = closed_window, .peers = 64, .server_talks = true},
    {.name = "shrinking windows", .strike = shrinking_window, .peers = 8, .server_talks = true},
    {.name = "single octets out of order", .strike = single_octets, .peers = 8},
    {.name = "the same, with a reader", .strike = single_octets, .peers = 8, .server_listens = true},
    {.name = "lying timestamps", .strike = lying_timestamps, .peers = 8, .timestamps = true,
     .server_talks = true, .server_listens = true},
    {.name = "garbled options", .strike = garbled_options, .peers = 8, .server_talks = true},
    {.name = "a full table", .strike = full_table, .peers = 64},
    {.name = "closed and never acknowledged", .strike = silence, .peers = 64, .server_closes = true},
};

/* ---- the siege ---- */

static struct stack *add_stack(struct siege *s, uint8_t n, uint32_t address)
{
    struct stack_options options = {.heap = s->heap, .frames = s->frames};
    options.seed[0] = n;
    options.tcp_connections_max = 1000;
    options.tcp_receive_buffer = 128 * 1024;
    options.tcp_send_buffer = 128 * 1024;
    struct stack *stack = stack_new(&options, s->now);
    assert_non_null(stack);
    struct interface_options interface = {.name = "eth", .mac = {{2, 0, 0, 0, 0, n}}, .mtu = 1500};
    assert_int_equal(stack_add_interface(stack, &interface), 0);
    struct ip_prefix prefix = {address_v4(address), 24};
    assert_true(stack_add_address(stack, 0, &prefix, false));
    return stack;
}

static void know(struct stack *stack, uint32_t address, uint8_t n)
{
    struct ip_address ip = address_v4(address);
    struct mac mac = {{2, 0, 0, 0, 0, n}};
    assert_true(stack_add_neighbour(stack, 0, &ip, &mac));
}

static void lay_siege(struct siege *s, const struct attack *attack, uint64_t seed)
{
    *s = (struct siege){.attack = attack, .seed = seed, .now = USEC_PER_SEC};
    prng_init_number(&s->prng, seed);
    s->heap = counting_heap(&s->counts);
    s->frames = frame_pool_new(&s->heap, 64 << 20);
    s->server = add_stack(s, 1, SERVER);
    s->client = add_stack(s, 2, CLIENT);
    know(s->server, CLIENT, 2);
    know(s->client, SERVER, 1);
    know(s->server, ATTACKER, 9);
    struct ip_prefix everywhere = {address_v4(0), 0};
    struct ip_address router = address_v4(ATTACKER);
    assert_true(stack_add_route(s->server, &everywhere, &router, 0));
    struct tcp_listen_options listen = {.local = {address_any_v4(), 80}};
    if (attack->cookies != 0) {
        struct tcp_profile profile = s->server->tcp->profile;
        profile.syn_cookies = attack->cookies - 1;
        tcp_set_profile(s->server, &profile);
    }
    s->listener = tcp_listen(s->server, &listen);
    struct tcp_connect_options connect = {.remote = {address_v4(SERVER), 80},
                                          .local = {address_v4(CLIENT), CLIENT_PORT}};
    s->ours = tcp_connect(s->client, &connect);
    assert_true(s->listener != NULL && s->ours != NULL);
}

/* What the server sends, to whom it is for. */
static void carry(struct siege *s)
{
    static uint8_t octets[65536];
    struct frame *frame;
    while ((frame = stack_output(s->server, 0)) != NULL) {
        struct ethernet_header ethernet;
        struct ipv4_header ip;
        struct tcp_header header;
        size_t len = frame_total(frame);
        frame_copy_out(frame, 0, octets, len);
        assert_int_equal(ethernet_decode(bytes_of(octets, len), &ethernet), WIRE_OK);
        bool v4 = ethernet.type == ETHERNET_IPV4 &&
                  ipv4_decode(ethernet.payload, &ip) == WIRE_OK;
        struct ip_address client = address_v4(CLIENT);
        if (v4 && address_equal(&ip.target, &client)) {
            stack_input(s->client, 0, frame, s->now);
            continue;
        }
        s->answered++;
        if (v4 && ip.protocol == IP_PROTOCOL_TCP &&
            tcp_header_decode(ip.payload, &header) == WIRE_OK)
            attacker_sees(s, &header);
        frame_unref(frame);
    }
    while ((frame = stack_output(s->client, 0)) != NULL)
        stack_input(s->server, 0, frame, s->now);
}

static void talk(struct siege *s, struct tcp_connection *c, size_t *written, size_t *read)
{
    struct slice view;
    while (tcp_received(c, &view, 1) == 1) {
        for (size_t i = 0; i < view.len; i++)
            DEMAND(s, view.data[i] == octet_at(*read + i));
        *read += view.len;
        tcp_consume(c, view.len);
    }
    uint8_t block[2000];
    size_t len = TOTAL - *written < sizeof block ? TOTAL - *written : sizeof block;
    for (size_t i = 0; i < len; i++)
        block[i] = octet_at(*written + i);
    if (len > 0)
        *written += tcp_send(c, bytes_of(block, len));
}

static void greet(struct siege *s)
{
    struct tcp_connection *c;
    while ((c = tcp_accept(s->listener, NULL)) != NULL) {
        struct ip_address client = address_v4(CLIENT);
        if (address_equal(&tcp_remote(c)->address, &client) &&
            tcp_remote(c)->port == CLIENT_PORT && s->theirs == NULL)
            s->theirs = c;
        else if (s->attack->server_closes || s->held_count == ARRAY_LEN(s->held))
            tcp_close(c);
        else
            s->held[s->held_count++] = c;
    }
}

static void serve(struct siege *s)
{
    static const uint8_t rubbish[4000];
    struct socket_event event;
    greet(s);
    while (stack_next_event(s->server, &event) || stack_next_event(s->client, &event))
        ;
    for (size_t i = 0; i < s->held_count; i++) {
        struct tcp_connection *c = s->held[i];
        if (tcp_state(c) == TCP_CLOSED) {
            tcp_close(c);
            s->held[i--] = s->held[--s->held_count];
            continue;
        }
        if (s->attack->server_listens)
            tcp_consume(c, tcp_received_len(c));
        if (s->attack->server_talks)
            (void)tcp_send(c, bytes_of(rubbish, sizeof rubbish));
    }
    DEMAND(s, tcp_state(s->ours) != TCP_CLOSED);
    talk(s, s->ours, &s->up_written, &s->down_read);
    if (s->theirs == NULL)
        return;
    DEMAND(s, tcp_state(s->theirs) != TCP_CLOSED);
    talk(s, s->theirs, &s->down_written, &s->up_read);
}

static void tick(struct siege *s, struct stack *stack)
{
    DEMAND(s, stack_deadline(stack) >= stack_now(stack));
    if (stack_deadline(stack) <= s->now)
        stack_tick(stack, s->now);
    else
        stack_advance(stack, s->now);
}

static void millisecond(struct siege *s)
{
    s->now += USEC_PER_MSEC;
    tick(s, s->server);
    tick(s, s->client);
    if (!s->over)
        s->attack->strike(s);
    carry(s);
    serve(s);
    tcp_check_all(s->server);
    if (s->counts.octets > s->memory_max)
        s->memory_max = s->counts.octets;
}

/* Who comes while the SYN queue is flooded comes in. */
static void come_late(struct siege *s, unsigned msec)
{
    struct tcp_connect_options options = {.remote = {address_v4(SERVER), 80}};
    if (s->attack->memory_max == 0)
        return;
    if (msec == LATE_AT)
        s->late = tcp_connect(s->client, &options);
    if (msec == LATE_UNTIL)
        DEMAND(s, s->late != NULL && tcp_state(s->late) == TCP_ESTABLISHED);
}

static void drain_after(struct siege *s, long seconds)
{
    usec until = s->now + seconds * USEC_PER_SEC;
    struct socket_event event;
    while (s->now < until) {
        usec at = usec_min(stack_deadline(s->server), stack_deadline(s->client));
        s->now = usec_min(until, usec_max(at, s->now + USEC_PER_MSEC));
        tick(s, s->server);
        tick(s, s->client);
        carry(s);
        while (stack_next_event(s->server, &event) || stack_next_event(s->client, &event))
            ;
        greet(s);
    }
}

static void lift(struct siege *s)
{
    s->over = true;
    for (size_t i = 0; i < s->held_count; i++)
        tcp_abort(s->held[i]);
    s->held_count = 0;
    s->attack = &(const struct attack){.name = s->attack->name, .strike = silence,
                                       .server_closes = true};
    tcp_close(s->ours);
    tcp_close(s->theirs);
    if (s->late != NULL)
        tcp_close(s->late);
    drain_after(s, 1500); /* orphans are given up, TIME-WAIT ends */
    DEMAND(s, stack_counters(s->server)->tcpConnections == 0);
    DEMAND(s, stack_counters(s->client)->tcpConnections == 0);
    struct frame_pool_counters frames;
    frame_pool_counters(s->frames, &frames);
    DEMAND(s, frames.frames == 0);
    tcp_listener_close(s->listener);
    stack_free(s->server);
    stack_free(s->client);
    frame_pool_free(s->frames);
    if (s->counts.blocks != 0)
        fail_msg("%zu blocks are left", s->counts.blocks);
}

static uint64_t chosen_seed = 1;

static void withstands(void **state)
{
    static struct siege siege;
    struct siege *s = &siege;
    lay_siege(s, *state, chosen_seed);
    unsigned msec = 0;
    /* The client comes first: who is in, stays in. */
    while (s->theirs == NULL) {
        s->over = true;
        millisecond(s);
        DEMAND(s, ++msec < 100);
    }
    s->over = false;
    s->memory_before = s->counts.octets;
    for (unsigned i = 0; i < s->attack->peers; i++)
        knock(s, i);
    msec = 0;
    while (s->up_read < TOTAL || s->down_read < TOTAL || msec < 500) {
        millisecond(s);
        come_late(s, msec);
        DEMAND(s, ++msec < MSEC_MAX);
    }
    DEMAND(s, s->up_read == TOTAL && s->down_read == TOTAL);
    DEMAND(s, s->memory_max < MEMORY_MAX);
    if (s->attack->memory_max != 0)
        DEMAND(s, s->memory_max < s->memory_before + s->attack->memory_max);
    printf("# %s: %u ms, %llu packets of the attacker, %llu to it, %zu KiB\n", s->attack->name,
           msec, (unsigned long long)s->struck, (unsigned long long)s->answered,
           s->memory_max / 1024);
    /* No amplifier: what it talks to of its own accord aside. */
    if (!s->attack->server_talks)
        DEMAND(s, s->answered <= 2 * s->struck + 1000);
    lift(s);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[ARRAY_LEN(attacks)];
    size_t count = 0;
    if (argc > 2)
        chosen_seed = strtoull(argv[2], NULL, 10);
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        if (argc > 1 && strcmp(argv[1], attacks[i].name) != 0 && strcmp(argv[1], "all") != 0)
            continue;
        tests[count] = (struct CMUnitTest)cmocka_unit_test_prestate(withstands, (void *)&attacks[i]);
        tests[count++].name = attacks[i].name;
    }
    return _cmocka_run_group_tests("attacks", tests, count, NULL, NULL);
}
