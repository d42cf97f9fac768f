/* SPDX-License-Identifier: ISC */
/*
 * fuzz_tcp_pair.c - two stacks that talk to each other over a wire in the enemy's hands.
 *
 * A wire that only loses, doubles, delays, disorders, spoils and swallows large frames may not change
 * what is read: every octet in order, once, and when it has become good again, all of it. One that lies,
 * in headers whose checksum it corrects, may end connections, and nothing worse. Invariants: those of
 * tests/support/tcp_check.c after every step, and all memory comes back.
 */
#include <stdlib.h>

#include "base/checksum.h"
#include "fuzz/fuzz.h"
#include "stack/tcp/internal.h"
#include "wire/inet/ipv4.h"
#include "wire/link/ethernet.h"

#include "tests/support/tcp_check.c"

enum {
    FLOWS = 2,
    HELD_MAX = 16, /* frames on the wire, each way */
    STEPS_MAX = 300,
    WRITTEN_MAX = 60000,
    TURNS_MAX = 20000, /* until a good wire must have brought everything */
    ETHERNET_LEN = 14,
};

enum { LIES = 1, OFFLOAD = 2, SMALL_MTU = 4, HOLE = 8, TIGHT = 16, LINUX = 32, NO_SACK = 64 };

struct end {
    struct tcp_connection *c;
    uint32_t written;
    uint32_t read;
    bool gone; /* closed or aborted by its application */
};

struct flow {
    struct end ends[2]; /* of the host that connects; of the one that listens */
    uint16_t port;
};

struct match {
    struct reader in;
    struct heap heap;
    size_t octets;
    struct frame_pool *frames;
    struct stack *hosts[2];
    struct tcp_listener *listener;
    struct flow flows[FLOWS];
    struct frame *held[2][HELD_MAX]; /* to that host, oldest first */
    size_t count[2];
    size_t hole;
    bool lies;
    usec now;
};

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    struct match *m = self;
    void *block = new_size > 0 ? realloc(old, new_size) : NULL;
    if (new_size == 0)
        free(old);
    else if (block == NULL)
        abort();
    m->octets += new_size - old_size;
    return block;
}

static uint8_t octet_at(const struct flow *flow, unsigned from, uint32_t i)
{
    return (uint8_t)(i * 31 + i / 253 + flow->port + from * 77);
}

/* ---- hosts ---- */

static void open_host(struct match *m, unsigned i, uint8_t setting)
{
    struct tcp_profile profile = setting & LINUX ? tcp_profile_linux : tcp_profile_default;
    profile.sack = !(setting & NO_SACK);
    profile.path_mtu_probing = i == 0 ? TCP_PROBING_WHEN_BLACK : TCP_PROBING_ALWAYS;
    profile.user_timeout_told = i == 0 ? 0 : 200 * USEC_PER_SEC;
    profile.congestion = (uint8_t)((setting >> 1) % TCP_CONGESTION_COUNT);
    struct stack_options options = {.heap = m->heap, .frames = m->frames, .tcp_profile = &profile};
    options.tcp_receive_buffer = setting & TIGHT ? 5000 : 0;
    options.tcp_connections_max = 6;
    m->hosts[i] = stack_new(&options, m->now);
    struct interface_options interface = {.name = "eth",
                                          .mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}}};
    interface.mtu = setting & SMALL_MTU ? 576 : 1500;
    if (setting & OFFLOAD)
        interface.features = INTERFACE_CHECKSUM | INTERFACE_TSO4;
    struct ip_prefix address = {address_v4(0x0a000001 + i), 24};
    struct ip_address peer = address_v4(0x0a000002 - i);
    struct mac mac = {{2, 0, 0, 0, 0, (uint8_t)(2 - i)}};
    bool good = stack_add_interface(m->hosts[i], &interface) == 0 &&
                stack_add_address(m->hosts[i], 0, &address, false) &&
                stack_add_neighbour(m->hosts[i], 0, &peer, &mac);
    ASSERT(good);
}

static void connect(struct match *m, unsigned i)
{
    struct tcp_connect_options options = {.remote = {address_v4(0x0a000002), 80}};
    struct flow *flow = &m->flows[i];
    if (flow->ends[0].c != NULL || flow->ends[0].gone)
        return;
    flow->port = options.local.port = (uint16_t)(1000 + i);
    options.user = &flow->ends[0];
    flow->ends[0].c = tcp_connect(m->hosts[0], &options);
}

static void accept_all(struct match *m)
{
    struct tcp_connection *c;
    while ((c = tcp_accept(m->listener, NULL)) != NULL) {
        unsigned i = tcp_remote(c)->port - 1000u;
        struct end *end = i < FLOWS ? &m->flows[i].ends[1] : NULL;
        if (end == NULL || end->c != NULL || end->gone) {
            tcp_abort(c); /* by a lie, or a SYN that was sent twice */
            continue;
        }
        end->c = c;
        tcp_set_user(c, end);
    }
}

/* ---- applications ---- */

static void write_text(struct match *m, struct flow *flow, unsigned from, uint32_t len, bool urgent)
{
    static uint8_t text[9000];
    struct end *end = &flow->ends[from];
    (void)m;
    if (len > sizeof text || end->written + len > WRITTEN_MAX)
        return;
    for (uint32_t i = 0; i < len; i++)
        text[i] = octet_at(flow, from, end->written + i);
    struct bytes in = {text, len};
    end->written += (uint32_t)(urgent ? tcp_send_urgent(end->c, in) : tcp_send(end->c, in));
}

static void read_text(struct match *m, struct flow *flow, unsigned to, size_t most)
{
    struct end *end = &flow->ends[to];
    struct slice view;
    while (most > 0 && tcp_received(end->c, &view, 1) == 1) {
        size_t len = view.len < most ? view.len : most;
        for (size_t i = 0; i < len && !m->lies; i++)
            if (view.data[i] != octet_at(flow, !to, end->read + (uint32_t)i))
                abort();
        tcp_consume(end->c, len);
        end->read += (uint32_t)len;
        most -= len;
        if (!m->lies && end->read > flow->ends[!to].written)
            abort();
    }
}

/* But for what makes a host deaf, or lets octets go missing that nobody asks for. */
static void set_option(struct tcp_connection *c, enum tcp_option option, uint64_t value)
{
    if (option != TCP_OPTION_TTL_MIN && option != TCP_OPTION_URGENT_IN_LINE)
        (void)tcp_set_option(c, option, value);
}

static void application(struct match *m, uint8_t which, uint8_t what)
{
    struct flow *flow = &m->flows[which % FLOWS];
    unsigned side = which / FLOWS % 2;
    struct end *end = &flow->ends[side];
    if (end->c == NULL)
        return;
    uint8_t amount = read_u8(&m->in);
    switch (what % 12) {
    case 0:
        tcp_close(end->c);
        *end = (struct end){.written = end->written, .read = end->read, .gone = true};
        break;
    case 1:
        if (amount < 32) {
            tcp_abort(end->c);
            *end = (struct end){.written = end->written, .read = end->read, .gone = true};
        }
        break;
    case 2:
        tcp_shutdown(end->c);
        break;
    case 3:
        set_option(end->c, amount % TCP_OPTION_COUNT, read_u8(&m->in) * 977u);
        break;
    case 4:
        write_text(m, flow, side, amount % 16u, true);
        break;
    case 5:
    case 6:
    case 7:
        read_text(m, flow, side, amount * 40u);
        break;
    default:
        write_text(m, flow, side, amount & 0x80 ? (amount & 0x7f) * 70u : amount, false);
        break;
    }
}

static void take_events(struct match *m)
{
    struct socket_event event;
    for (unsigned i = 0; i < 2; i++)
        while (stack_next_event(m->hosts[i], &event))
            ASSERT(event.socket->kind != SOCKET_TCP || event.socket->user != NULL);
    accept_all(m);
}

/* ---- the wire ---- */

static void take_out(struct match *m, unsigned to, size_t at)
{
    m->count[to]--;
    for (size_t i = at; i < m->count[to]; i++)
        m->held[to][i] = m->held[to][i + 1];
}

/* What the host that is not `to` has to send, as far as there is room. */
static void load(struct match *m, unsigned to)
{
    struct frame *frame;
    while (m->count[to] < HELD_MAX && (frame = stack_output(m->hosts[!to], 0)) != NULL) {
        size_t len = frame->offload.gso != FRAME_GSO_NONE ? frame->offload.gso_size + 52u
                                                          : frame_total(frame) - ETHERNET_LEN;
        if (m->hole != 0 && len > m->hole)
            frame_unref(frame);
        else
            m->held[to][m->count[to]++] = frame;
    }
}

static void deliver(struct match *m, unsigned to, size_t at)
{
    struct frame *frame = m->held[to][at];
    take_out(m, to, at);
    stack_input(m->hosts[to], 0, frame, m->now);
}

/* A linear copy with a whole checksum in its place; NULL: it is none that can be changed. */
static struct frame *changeable(struct match *m, unsigned to, size_t at)
{
    struct frame *frame = m->held[to][at];
    if (frame->offload.gso != FRAME_GSO_NONE)
        return NULL;
    checksum_complete(frame);
    struct frame *copy = frame_copy(frame);
    if (copy == NULL)
        return NULL;
    copy->offload = (struct frame_offload){0};
    frame_unref(frame);
    m->held[to][at] = copy;
    return copy;
}

/* One bit, which the checksums notice; two might undo each other there. */
static void spoil(struct match *m, unsigned to, size_t at)
{
    struct frame *frame = changeable(m, to, at);
    uint16_t bit = read_u16(&m->in);
    if (frame == NULL || frame->len <= ETHERNET_LEN)
        return;
    size_t place = ETHERNET_LEN + bit / 8u % (frame->len - ETHERNET_LEN);
    frame->data[place] ^= (uint8_t)(1u << bit % 8);
}

/* Changes an octet of TCP's header or options, with a checksum that fits. */
static void lie(struct match *m, unsigned to, size_t at)
{
    enum { TCP_AT = ETHERNET_LEN + IPV4_HEADER_LEN };
    struct frame *frame = changeable(m, to, at);
    uint8_t where = read_u8(&m->in);
    uint8_t by = read_u8(&m->in);
    if (frame == NULL || frame->len < TCP_AT + TCP_HEADER_LEN ||
        frame->data[ETHERNET_LEN + 9] != IP_PROTOCOL_TCP)
        return;
    size_t header = (size_t)(frame->data[TCP_AT + 12] >> 4) * 4;
    uint8_t *tcp = frame->data + TCP_AT;
    size_t len = frame->len - TCP_AT;
    if (header > len || header < TCP_HEADER_LEN)
        return;
    tcp[4 + where % (header - 4)] ^= by; /* not the ports */
    tcp[TCP_CHECKSUM_OFFSET] = tcp[TCP_CHECKSUM_OFFSET + 1] = 0;
    struct ip_address a = address_v4(0x0a000001);
    struct ip_address b = address_v4(0x0a000002);
    uint64_t sum = checksum_pseudo(&a, &b, IP_PROTOCOL_TCP, (uint32_t)len);
    uint16_t field = (uint16_t)~checksum_fold(checksum_add(sum, bytes_of(tcp, len), 0));
    tcp[TCP_CHECKSUM_OFFSET] = (uint8_t)(field >> 8);
    tcp[TCP_CHECKSUM_OFFSET + 1] = (uint8_t)field;
}

static void wire(struct match *m, uint8_t what, uint8_t which)
{
    unsigned to = which % 2;
    load(m, to);
    if (m->count[to] == 0)
        return;
    size_t at = which / 2 % m->count[to];
    struct frame *twin;
    switch (what % 12) {
    case 0:
        frame_unref(m->held[to][at]);
        take_out(m, to, at);
        break;
    case 1:
        twin = frame_copy(m->held[to][at]);
        if (twin != NULL)
            stack_input(m->hosts[to], 0, twin, m->now);
        break;
    case 2:
        spoil(m, to, at);
        deliver(m, to, at);
        break;
    case 3:
    case 4:
        if (m->lies)
            lie(m, to, at);
        else
            deliver(m, to, at);
        break;
    case 5:
        deliver(m, to, at); /* before others */
        break;
    default:
        for (size_t left = 1 + which / 32u; left > 0 && m->count[to] > 0; left--)
            deliver(m, to, 0);
        break;
    }
}

static void icmp(struct match *m, uint8_t which)
{
    struct end *end = &m->flows[which % FLOWS].ends[which / FLOWS % 2];
    if (end->c == NULL || end->c->state == TCP_CLOSED || !m->lies)
        return;
    uint8_t head[8];
    struct writer w = writer_of(head, sizeof head);
    write_u16(&w, end->c->local.port);
    write_u16(&w, end->c->remote.port);
    write_u32(&w, end->c->snd_una.n + read_u8(&m->in));
    struct icmp_report report = {
        .type = 3,
        .code = which % 8,
        .mtu = (uint16_t)(read_u8(&m->in) * 8),
        .protocol = IP_PROTOCOL_TCP,
        .source = end->c->local.address,
        .target = end->c->remote.address,
        .transport = writer_bytes(&w),
    };
    tcp_icmp(end->c->stack, &report);
}

static void pass_time(struct match *m, usec by)
{
    m->now += by;
    for (unsigned i = 0; i < 2; i++) {
        stack_advance(m->hosts[i], m->now);
        stack_tick(m->hosts[i], m->now);
    }
}

/* ---- the end ---- */

static usec deadline(const struct match *m)
{
    return usec_min(stack_deadline(m->hosts[0]), stack_deadline(m->hosts[1]));
}

/* Does that side of the flow still have a connection, perhaps alone? */
static bool lives(const struct match *m, const struct flow *flow, unsigned side)
{
    struct endpoint ends[2] = {{address_v4(0x0a000001), flow->port}, {address_v4(0x0a000002), 80}};
    return tcp_find(m->hosts[side], &ends[side], &ends[!side]) != NULL;
}

/* Is there something that a reader still waits for, and somebody who has it? */
static bool owed(const struct match *m, const struct flow *flow, unsigned to)
{
    const struct end *reader = &flow->ends[to];
    return reader->c != NULL && tcp_state(reader->c) != TCP_CLOSED && lives(m, flow, !to) &&
           reader->read < flow->ends[!to].written;
}

/* The wire is good from now on: what was written arrives. */
static void make_good(struct match *m)
{
    bool more = true;
    m->hole = 0;
    for (unsigned turn = 0; more; turn++) {
        if (turn > TURNS_MAX)
            abort(); /* it hangs */
        bool moved = false;
        for (unsigned to = 0; to < 2; to++) {
            load(m, to);
            moved = moved || m->count[to] > 0;
            while (m->count[to] > 0)
                deliver(m, to, 0);
        }
        take_events(m);
        more = false;
        for (unsigned i = 0; i < FLOWS; i++)
            for (unsigned to = 0; to < 2; to++) {
                if (m->flows[i].ends[to].c != NULL)
                    read_text(m, &m->flows[i], to, SIZE_MAX);
                more = more || owed(m, &m->flows[i], to);
            }
        if (!moved && more && deadline(m) == USEC_NEVER)
            abort(); /* nobody will do anything */
        if (!moved && more)
            pass_time(m, usec_max(deadline(m) - m->now, 0));
        tcp_check_all(m->hosts[0]);
        tcp_check_all(m->hosts[1]);
    }
}

static void step(struct match *m)
{
    uint8_t what = read_u8(&m->in);
    uint8_t which = read_u8(&m->in);
    switch (what % 8) {
    case 0:
        connect(m, which % FLOWS);
        break;
    case 1:
        pass_time(m, (usec)1 << (which % 30));
        break;
    case 2:
        take_events(m);
        break;
    case 3:
    case 4:
        application(m, which, what >> 3);
        break;
    case 5:
        if (which < 16)
            stack_set_mtu(m->hosts[which % 2], 0, which < 8 ? 1500 : 700);
        else
            icmp(m, which);
        break;
    default:
        wire(m, what >> 3, which);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct match match;
    struct match *m = &match;
    *m = (struct match){.in = reader_of(bytes_of(data, len)), .now = 1000000};
    uint8_t setting = read_u8(&m->in);
    m->lies = setting & LIES;
    m->hole = setting & HOLE ? 1200 : 0;
    m->heap = (struct heap){.resize = resize, .self = m};
    m->frames = frame_pool_new(&m->heap, 16 * 1024 * 1024);
    open_host(m, 0, setting);
    open_host(m, 1, setting);
    struct tcp_listen_options listen = {.local = {address_any_v4(), 80}, .backlog = 3};
    m->listener = tcp_listen(m->hosts[1], &listen);
    ASSERT(m->listener != NULL);
    for (unsigned i = 0; i < STEPS_MAX && reader_left(&m->in) > 0; i++) {
        step(m);
        tcp_check_all(m->hosts[0]);
        tcp_check_all(m->hosts[1]);
    }
    take_events(m);
    if (!m->lies)
        make_good(m);
    for (unsigned to = 0; to < 2; to++)
        while (m->count[to] > 0)
            frame_unref(m->held[to][--m->count[to]]);
    stack_free(m->hosts[0]);
    stack_free(m->hosts[1]);
    frame_pool_free(m->frames);
    ASSERT(m->octets == 0);
    return 0;
}
