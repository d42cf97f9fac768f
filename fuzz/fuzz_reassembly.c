/* SPDX-License-Identifier: ISC */
/*
 * fuzz_reassembly.c - fragments of any kind into a stack, and into a model that keeps a note for
 * every octet. Both must agree on what comes out, when, and what is in it.
 *
 * Input: four octets for each fragment: flags, offset, length, contents. Flags: 1 more fragments; 2
 * the offset counts 32 times as much; 4 a length that is no multiple of 8; 16 and 32 both set: half
 * a minute passes instead.
 */
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "stack/stack.h"
#include "stack/udp.h"
#include "wire/inet/ipv4.h"
#include "wire/link/ethernet.h"

enum { FRAGMENTS_MAX = 200, WHOLE_MAX = 65536, HEADERS = 34, UDP_LEN_AT = 4 };

struct fragment {
    size_t from;
    size_t end;
    bool more;
    uint8_t contents;
};

struct model {
    bool begun;
    bool spoiled;
    bool end_known;
    size_t end;
    size_t count;
    struct fragment fragments[FRAGMENTS_MAX];
    uint16_t owner[WHOLE_MAX]; /* 1 + index of the fragment that has the octet; 0: none */
};

struct bench {
    struct heap heap;
    struct frame_pool *frames;
    struct stack *stack;
    struct udp_socket *socket;
    usec now;
    uint16_t udp_len; /* in the header of every first fragment */
};

/* The octet at `at` of the payload, as a fragment with these contents has it. */
static uint8_t octet_of(const struct bench *b, uint8_t contents, size_t at)
{
    static const uint8_t ports[] = {0, 9, 0, 7};
    if (at < sizeof ports)
        return ports[at];
    if (at < UDP_LEN_AT + 2)
        return (uint8_t)(b->udp_len >> (at == UDP_LEN_AT ? 8 : 0));
    if (at < 8)
        return 0; /* no checksum */
    return (uint8_t)(at * 7 + (at >> 8) + (contents & 1));
}

static void put(struct bench *b, const struct fragment *f)
{
    size_t len = f->end - f->from;
    struct frame *frame = frame_new(b->frames, HEADERS + len);
    ASSERT(frame != NULL);
    struct writer w = writer_of(frame->data, HEADERS + len);
    struct ethernet_header ethernet = {.target = {{2, 0, 0, 0, 0, 1}},
                                       .source = {{2, 0, 0, 0, 0, 2}},
                                       .type = ETHERNET_IPV4,
                                       .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    struct ipv4_header ip = {.source = address_v4(0x0a000002),
                             .target = address_v4(0x0a000001),
                             .ttl = 64,
                             .protocol = IP_PROTOCOL_UDP,
                             .total_len = (uint16_t)(20 + len),
                             .fragment_offset = (uint16_t)f->from,
                             .more_fragments = f->more,
                             .identification = 1,
                             .options = bytes_empty()};
    ipv4_encode(&ip, &w);
    for (size_t at = f->from; at < f->end; at++)
        write_u8(&w, octet_of(b, f->contents, at));
    ASSERT(!w.failed);
    frame->len = writer_len(&w);
    stack_input(b->stack, 0, frame, b->now);
}

static bool repeats(const struct bench *b, const struct model *m, const struct fragment *f)
{
    if (f->from >= WHOLE_MAX || m->owner[f->from] == 0)
        return false;
    const struct fragment *other = &m->fragments[m->owner[f->from] - 1];
    if (other->from != f->from || other->end != f->end)
        return false;
    for (size_t at = f->from; at < f->end; at++)
        if (octet_of(b, f->contents, at) != octet_of(b, other->contents, at))
            return false;
    return true;
}

/* Does the fragment contradict what is known of the whole's length? */
static bool contradicts(struct model *m, const struct fragment *f)
{
    if (f->more)
        return m->end_known && f->end >= m->end;
    if (m->end_known)
        return f->end != m->end;
    for (size_t at = f->end; at < WHOLE_MAX; at++)
        if (m->owner[at] != 0)
            return true;
    m->end_known = true;
    m->end = f->end;
    return false;
}

static bool complete(const struct model *m)
{
    for (size_t at = 0; m->end_known && at < m->end; at++)
        if (m->owner[at] == 0)
            return false;
    return m->end_known;
}

/* True: the datagram is whole now. */
static bool model_put(const struct bench *b, struct model *m, const struct fragment *f)
{
    size_t len = f->end - f->from;
    if (len == 0 || (f->more && len % 8 != 0) || f->end > 65535 - 20)
        return false;
    m->begun = true;
    if (m->spoiled)
        return false;
    if (contradicts(m, f)) {
        m->spoiled = true;
        return false;
    }
    if (repeats(b, m, f))
        return false;
    for (size_t at = f->from; at < f->end; at++) {
        if (m->owner[at] != 0) {
            m->spoiled = true;
            return false;
        }
    }
    m->fragments[m->count++] = *f;
    for (size_t at = f->from; at < f->end; at++)
        m->owner[at] = (uint16_t)m->count;
    return complete(m);
}

static void model_reset(struct model *m)
{
    memset(m, 0, sizeof *m);
}

/* The stack must have delivered it, when its UDP header allows, and nothing else ever. */
static void compare(struct bench *b, const struct model *m, bool whole)
{
    struct udp_datagram got;
    bool received = udp_receive(b->socket, &got);
    bool wanted = whole && b->udp_len >= 8 && b->udp_len <= m->end;
    ASSERT(received == wanted);
    if (!received)
        return;
    ASSERT(got.payload.len == b->udp_len - 8u);
    for (size_t i = 0; i < got.payload.len; i++) {
        const struct fragment *f = &m->fragments[m->owner[8 + i] - 1];
        ASSERT(got.payload.data[i] == octet_of(b, f->contents, 8 + i));
    }
    frame_unref(got.frame);
}

static void bench_open(struct bench *b)
{
    *b = (struct bench){.now = USEC_PER_HOUR};
    b->heap = memory_heap();
    b->frames = frame_pool_new(&b->heap, 16 * 1024 * 1024);
    struct stack_options options = {.heap = b->heap, .frames = b->frames};
    b->stack = stack_new(&options, b->now);
    struct interface_options interface = {.mac = {{2, 0, 0, 0, 0, 1}}, .mtu = 1500};
    ASSERT(b->stack != NULL && stack_add_interface(b->stack, &interface) == 0);
    struct ip_prefix prefix = {address_v4(0x0a000001), 24};
    ASSERT(stack_add_address(b->stack, 0, &prefix, false));
    struct ip_address peer = address_v4(0x0a000002);
    ASSERT(stack_add_neighbour(b->stack, 0, &peer, &(struct mac){{2, 0, 0, 0, 0, 2}}));
    b->socket = udp_open(b->stack, &(struct udp_options){.local = {address_any_v4(), 7}});
    ASSERT(b->socket != NULL);
}

static void drain(struct bench *b)
{
    struct frame *frame;
    while ((frame = stack_output(b->stack, 0)) != NULL)
        frame_unref(frame);
}

static void half_a_minute(struct bench *b)
{
    b->now += 31 * USEC_PER_SEC;
    stack_tick(b->stack, b->now);
    drain(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct model m;
    struct bench b;
    bench_open(&b);
    model_reset(&m);
    struct reader r = reader_of(bytes_of(data, len));
    b.udp_len = read_u16(&r);
    for (int i = 0; i < FRAGMENTS_MAX && reader_left(&r) >= 4; i++) {
        uint8_t flags = read_u8(&r);
        size_t from = (size_t)read_u8(&r) * ((flags & 2) != 0 ? 256 : 8);
        size_t count = (size_t)read_u8(&r) * 8;
        uint8_t contents = read_u8(&r);
        if ((flags & 48) == 48) {
            half_a_minute(&b);
            model_reset(&m);
            continue;
        }
        if ((flags & 4) != 0 && count > 0)
            count -= 1 + contents % 7u;
        struct fragment f = {from, from + count, (flags & 1) != 0, contents};
        if (!f.more && from == 0)
            continue; /* whole, and no fragment */
        put(&b, &f);
        bool whole = model_put(&b, &m, &f);
        compare(&b, &m, whole);
        if (whole)
            model_reset(&m);
    }
    drain(&b);
    half_a_minute(&b);
    udp_close(b.socket);
    struct frame_pool_counters frames;
    frame_pool_counters(b.frames, &frames);
    ASSERT(frames.frames == 0);
    stack_free(b.stack);
    frame_pool_free(b.frames);
    return 0;
}
