/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_heap.c - the established path takes nothing from the heap: once a transfer is warm,
 * neither of two stacks nor the frames between them allocate, whatever the shape of the traffic. In
 * virtual time, with a path whose delay lets the queues fill.
 */
#include "stack/tcp/tcp.h"
#include "tests/support/check.h"

enum {
    LINE_MAX = 4096,
    BLOCK = 16384,
    WARM_OCTETS = 30 * 1000 * 1000,
    OCTETS = 60 * 1000 * 1000,
};

static const struct mac macs[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};

struct traffic {
    const char *name;
    unsigned features;
    usec delay;       /* one way */
    size_t piece;     /* octets handed over at a time */
    bool frames;      /* handed over as frames, without a copy */
    unsigned echoes;  /* nonzero: no bulk, but so many round trips of a piece */
};

struct on_its_way {
    struct frame *frame;
    usec at;
};

struct bench {
    const struct traffic *traffic;
    struct counting_heap counts;
    struct frame_pool *frames;
    struct stack *stacks[2];
    struct tcp_listener *listener;
    struct tcp_connection *ends[2];
    struct on_its_way line[2][LINE_MAX]; /* from each end, oldest first */
    size_t first[2];
    size_t count[2];
    usec now;
    size_t received[2];
    unsigned echoed;
};

static uint8_t block[BLOCK];

static void open_stack(struct bench *b, unsigned which)
{
    struct stack_options options = {
        .heap = counting_heap(&b->counts),
        .frames = b->frames,
        .tcp_receive_buffer = 256 * 1024,
        .tcp_send_buffer = 256 * 1024,
    };
    options.seed[0] = (uint8_t)which;
    b->stacks[which] = stack_new(&options, 0);
    assert_non_null(b->stacks[which]);
    struct interface_options interface = {
        .name = "line", .mac = macs[which], .mtu = 1500, .features = b->traffic->features};
    struct ip_prefix own = {address_v4(0x0a000001 + which), 24};
    struct ip_address other = address_v4(0x0a000001 + !which);
    assert_int_equal(stack_add_interface(b->stacks[which], &interface), 0);
    assert_true(stack_add_address(b->stacks[which], 0, &own, false));
    assert_true(stack_add_neighbour(b->stacks[which], 0, &other, &macs[!which]));
}

static bool hand_over(struct bench *b)
{
    if (!b->traffic->frames)
        return tcp_send(b->ends[0], bytes_of(block, b->traffic->piece)) == b->traffic->piece;
    if (tcp_send_room(b->ends[0]) == 0)
        return false;
    struct frame *frame = frame_new(b->frames, b->traffic->piece);
    assert_non_null(frame);
    frame_append(frame, bytes_of(block, b->traffic->piece));
    if (tcp_send_frame(b->ends[0], frame))
        return true;
    frame_unref(frame);
    return false;
}

static void read_all(struct bench *b, unsigned which)
{
    size_t len = tcp_received_len(b->ends[which]);
    if (len == 0)
        return;
    tcp_consume(b->ends[which], len);
    b->received[which] += len;
    if (b->traffic->echoes == 0)
        return;
    if (which == 1) {
        assert_int_equal(tcp_send(b->ends[1], bytes_of(block, len)), len);
    } else {
        b->echoed++;
        (void)hand_over(b);
    }
}

static void take_events(struct bench *b, unsigned which)
{
    struct socket_event event;
    while (stack_next_event(b->stacks[which], &event)) {
        if (event.socket->kind == SOCKET_TCP_LISTENER) {
            b->ends[1] = tcp_accept(b->listener, NULL);
            (void)tcp_set_option(b->ends[1], TCP_OPTION_NODELAY, 1);
            continue;
        }
        assert_false(event.events & SOCKET_FAILED);
        if (b->ends[which] != NULL)
            read_all(b, which);
        if (which == 0 && b->traffic->echoes == 0 &&
            (event.events & (SOCKET_WRITABLE | SOCKET_OPENED)))
            while (hand_over(b))
                ;
        if (which == 0 && b->traffic->echoes > 0 && (event.events & SOCKET_OPENED))
            (void)hand_over(b);
    }
}

/* What leaves one end arrives at the other as a copy of its own, as from a device. */
static void take_output(struct bench *b, unsigned which)
{
    struct frame *frame;
    while (b->count[which] < LINE_MAX && (frame = stack_output(b->stacks[which], 0)) != NULL) {
        size_t at = (b->first[which] + b->count[which]++) % LINE_MAX;
        b->line[which][at] = (struct on_its_way){frame_copy(frame), b->now + b->traffic->delay};
        assert_non_null(b->line[which][at].frame);
        frame_unref(frame);
    }
}

static void deliver(struct bench *b, unsigned from)
{
    while (b->count[from] > 0 && b->line[from][b->first[from]].at <= b->now) {
        struct frame *frame = b->line[from][b->first[from]].frame;
        b->first[from] = (b->first[from] + 1) % LINE_MAX;
        b->count[from]--;
        stack_input(b->stacks[!from], 0, frame, b->now);
    }
}

static void turn(struct bench *b)
{
    b->now += 50;
    for (unsigned which = 0; which < 2; which++) {
        stack_tick(b->stacks[which], b->now);
        deliver(b, !which);
        take_events(b, which);
        take_output(b, which);
    }
}

static bool past(const struct bench *b, size_t octets, unsigned echoes)
{
    return b->traffic->echoes > 0 ? b->echoed >= echoes : b->received[1] >= octets;
}

static void run_until(struct bench *b, size_t octets, unsigned echoes)
{
    for (size_t turns = 0; !past(b, octets, echoes); turns++) {
        assert_true(turns < 20 * 1000 * 1000);
        turn(b);
    }
}

static void close_all(struct bench *b)
{
    for (unsigned from = 0; from < 2; from++)
        for (; b->count[from] > 0; b->count[from]--) {
            frame_unref(b->line[from][b->first[from]].frame);
            b->first[from] = (b->first[from] + 1) % LINE_MAX;
        }
    for (unsigned which = 0; which < 2; which++) {
        tcp_abort(b->ends[which]);
        stack_free(b->stacks[which]);
    }
    frame_pool_free(b->frames);
    assert_int_equal(b->counts.blocks, 0);
}

static void run(const struct traffic *traffic)
{
    static struct bench bench;
    struct bench *b = &bench;
    memset(b, 0, sizeof *b);
    b->traffic = traffic;
    struct heap heap = counting_heap(&b->counts);
    b->frames = frame_pool_new(&heap, (size_t)64 * 1024 * 1024);
    open_stack(b, 0);
    open_stack(b, 1);
    struct tcp_listen_options listen = {.local = {address_v4(0x0a000002), 80}};
    struct tcp_connect_options connect = {.remote = listen.local};
    b->listener = tcp_listen(b->stacks[1], &listen);
    b->ends[0] = tcp_connect(b->stacks[0], &connect);
    assert_true(b->listener != NULL && b->ends[0] != NULL);
    (void)tcp_set_option(b->ends[0], TCP_OPTION_NODELAY, traffic->echoes > 0);

    run_until(b, WARM_OCTETS, traffic->echoes / 2);
    size_t warm = b->counts.allocations;
    run_until(b, WARM_OCTETS + OCTETS, traffic->echoes);
    CHECK_EQUAL(traffic->name, b->counts.allocations - warm, 0);
    close_all(b);
}

static void test_no_allocation(void **state UNUSED)
{
    enum { OFFLOAD = INTERFACE_CHECKSUM | INTERFACE_TSO4 };
    static const struct traffic all[] = {
        {"segments of a full size, copied", 0, 1000, BLOCK, false, 0},
        {"super-segments, copied", OFFLOAD, 1000, BLOCK, false, 0},
        {"super-segments, handed over", OFFLOAD, 1000, BLOCK, true, 0},
        {"segments, handed over", 0, 1000, 1448, true, 0},
        {"a path without delay", 0, 0, BLOCK, false, 0},
        {"odd pieces", 0, 1000, 777, false, 0},
        {"a dialogue of single octets", 0, 100, 1, false, 2000},
        {"a dialogue of small messages", OFFLOAD, 100, 300, false, 2000},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        run(&all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
