/* SPDX-License-Identifier: ISC */
/*
 * test_stack_fixed.c - a whole host in one block of memory, as on a device without malloc: the
 * profile "tiny", frames, tables and connections in 128 KiB. Transfers end well on a line that loses,
 * and when memory is short somebody waits or is refused, and nobody else is harmed.
 */
#include "base/buddy.h"
#include "base/prng.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"
#include "tests/support/check.h"

enum {
    MEMORY = 128 * 1024, /* of each host */
    CONNECTIONS_MAX = 8,
    DIALLED_MAX = 64,
    OCTETS = 100 * 1000, /* through each connection, there and back */
    LINE_MAX = 64,
};

static const struct mac macs[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};

struct host {
    _Alignas(64) uint8_t memory[MEMORY];
    struct buddy buddy;
    struct frame_pool *frames;
    struct stack *stack;
    struct frame *line[LINE_MAX]; /* on its way to this host, oldest first; in its own memory */
    size_t on_line;
};

struct dialled {
    struct tcp_connection *c;
    size_t sent;
    size_t echoed;
    bool opened;
    bool failed;
};

struct play {
    struct host hosts[2];
    struct prng random;
    struct tcp_listener *listener;
    struct dialled dialled[DIALLED_MAX];
    size_t count;
    uint32_t loss; /* parts per million */
    usec now;
};

static uint8_t octet_at(size_t position)
{
    return (uint8_t)(position * 7 + position / 251);
}

static void open_host(struct play *p, unsigned which)
{
    struct host *host = &p->hosts[which];
    assert_true(buddy_init(&host->buddy, host->memory, MEMORY));
    struct heap heap = buddy_heap(&host->buddy);
    host->frames = frame_pool_new(&heap, MEMORY * 3 / 8);
    struct stack_options options = {
        .heap = heap,
        .frames = host->frames,
        .seed = {(uint8_t)which},
        .tcp_profile = &tcp_profile_tiny,
        .tcp_connections_max = CONNECTIONS_MAX,
        .neighbours_max = 4,
        .udp_sockets_max = 4,
        .reassembly_octets_max = 4096,
    };
    host->stack = stack_new(&options, 0);
    assert_non_null(host->stack);
    struct interface_options interface = {.name = "line", .mac = macs[which], .mtu = 1500};
    struct ip_prefix own = {address_v4(0x0a000001 + which), 24};
    assert_int_equal(stack_add_interface(host->stack, &interface), 0);
    assert_true(stack_add_address(host->stack, 0, &own, false));
}

/* As a driver does: a frame that there is no memory for is lost. */
static void carry(struct play *p, unsigned from)
{
    struct host *to = &p->hosts[!from];
    struct frame *frame;
    while (to->on_line < LINE_MAX && (frame = stack_output(p->hosts[from].stack, 0)) != NULL) {
        struct frame *copy = frame_new(to->frames, frame_total(frame));
        if (copy != NULL) {
            copy->len = frame_total(frame);
            frame_copy_out(frame, 0, copy->data, copy->len);
            if (prng_chance(&p->random, p->loss))
                frame_unref(copy);
            else
                to->line[to->on_line++] = copy;
        }
        frame_unref(frame);
    }
}

static void arrive(struct play *p, unsigned which)
{
    struct host *host = &p->hosts[which];
    for (size_t i = 0; i < host->on_line; i++)
        stack_input(host->stack, 0, host->line[i], p->now);
    host->on_line = 0;
}

/* The server gives back what it gets, as far as there is room. */
static void echo(struct tcp_connection *c)
{
    struct slice view;
    size_t sent;
    while (tcp_received(c, &view, 1) > 0 && (sent = tcp_send(c, bytes_of(view.data, view.len))) > 0)
        tcp_consume(c, sent);
    if (tcp_at_end(c) || tcp_error(c) != TCP_OK)
        tcp_close(c);
}

static void serve(struct play *p)
{
    struct socket_event event;
    while (stack_next_event(p->hosts[1].stack, &event)) {
        struct tcp_connection *c;
        if (event.socket->kind != SOCKET_TCP_LISTENER)
            echo(socket_tcp(event.socket));
        else
            while ((c = tcp_accept(p->listener, NULL)) != NULL)
                echo(c);
    }
}

static void send_more(struct dialled *d)
{
    while (d->sent < OCTETS) {
        uint8_t piece[512];
        size_t len = OCTETS - d->sent < sizeof piece ? OCTETS - d->sent : sizeof piece;
        for (size_t i = 0; i < len; i++)
            piece[i] = octet_at(d->sent + i);
        size_t sent = tcp_send(d->c, bytes_of(piece, len));
        d->sent += sent;
        if (sent < len)
            break;
    }
}

static void read_back(struct dialled *d)
{
    struct slice view;
    while (tcp_received(d->c, &view, 1) > 0) {
        for (size_t i = 0; i < view.len; i++)
            if (view.data[i] != octet_at(d->echoed + i))
                fail_msg("octet %zu came back wrong", d->echoed + i);
        d->echoed += view.len;
        tcp_consume(d->c, view.len);
    }
}

static void use(struct play *p)
{
    struct socket_event event;
    while (stack_next_event(p->hosts[0].stack, &event)) {
        struct dialled *d = event.socket->user;
        d->opened |= event.events & SOCKET_OPENED;
        d->failed |= event.events & SOCKET_FAILED;
    }
    for (size_t i = 0; i < p->count; i++) {
        struct dialled *d = &p->dialled[i];
        if (d->c == NULL)
            continue;
        if (d->opened && !d->failed) {
            send_more(d);
            read_back(d);
        }
        if (d->failed || d->echoed == OCTETS) {
            tcp_close(d->c);
            d->c = NULL;
        }
    }
}

static void turn(struct play *p)
{
    p->now += 1000;
    for (unsigned which = 0; which < 2; which++) {
        stack_tick(p->hosts[which].stack, p->now);
        arrive(p, which);
    }
    serve(p);
    use(p);
    carry(p, 0);
    carry(p, 1);
}

static bool dial(struct play *p)
{
    struct dialled *d = &p->dialled[p->count];
    struct tcp_connect_options options = {
        .remote = {address_v4(0x0a000002), 7},
        .user = d,
    };
    *d = (struct dialled){.c = tcp_connect(p->hosts[0].stack, &options)};
    if (d->c == NULL)
        return false;
    p->count++;
    return true;
}

static void run_until_over(struct play *p, usec limit)
{
    for (usec end = p->now + limit;;) {
        size_t open = 0;
        for (size_t i = 0; i < p->count; i++)
            open += p->dialled[i].c != NULL;
        if (open == 0)
            return;
        if (p->now > end)
            fail_msg("%zu connections hang", open);
        turn(p);
    }
}

static struct play *open_play(uint32_t loss)
{
    static struct play play;
    struct play *p = &play;
    *p = (struct play){.loss = loss};
    prng_init_number(&p->random, 1);
    open_host(p, 0);
    open_host(p, 1);
    struct tcp_listen_options listen = {.local = {address_v4(0x0a000002), 7}};
    p->listener = tcp_listen(p->hosts[1].stack, &listen);
    assert_non_null(p->listener);
    for (int i = 0; i < 5000; i++) /* addresses are announced */
        turn(p);
    return p;
}

static void close_play(struct play *p)
{
    for (unsigned which = 0; which < 2; which++) {
        struct host *host = &p->hosts[which];
        for (size_t i = 0; i < host->on_line; i++)
            frame_unref(host->line[i]);
        stack_free(host->stack);
        frame_pool_free(host->frames);
        assert_int_equal(host->buddy.octets, 0);
    }
}

static void check_all_echoed(const struct play *p)
{
    for (size_t i = 0; i < p->count; i++) {
        CHECK_EQUAL("octets that came back", p->dialled[i].echoed, OCTETS);
        assert_false(p->dialled[i].failed);
    }
}

static void test_one_after_the_other(void **state UNUSED)
{
    struct play *p = open_play(0);
    for (int i = 0; i < 20; i++) {
        assert_true(dial(p));
        run_until_over(p, 600 * USEC_PER_SEC);
        for (int wait = 0; wait < 100; wait++)
            turn(p);
    }
    check_all_echoed(p);
    print_message("# at most %zu of %d octets in use at the client, %zu at the server\n",
                  p->hosts[0].buddy.octets_high, MEMORY, p->hosts[1].buddy.octets_high);
    close_play(p);
}

static void test_several_on_a_line_that_loses(void **state UNUSED)
{
    struct play *p = open_play(30000);
    for (int i = 0; i < 4; i++)
        assert_true(dial(p));
    run_until_over(p, 3600 * USEC_PER_SEC);
    check_all_echoed(p);
    close_play(p);
}

/* More than there is room for: at the client connect() says so; nobody hangs, and those that opened
 * carry all their octets although segments are refused for lack of memory. */
static void test_more_than_there_is_room_for(void **state UNUSED)
{
    struct play *p = open_play(0);
    while (p->count < DIALLED_MAX && dial(p))
        ;
    assert_in_range(p->count, CONNECTIONS_MAX / 2, CONNECTIONS_MAX);
    run_until_over(p, 7200 * USEC_PER_SEC);
    check_all_echoed(p);
    assert_true(stack_drops(p->hosts[1].stack, DROP_NO_MEMORY) > 0);
    for (int wait = 0; wait < 300 * 1000; wait++)
        turn(p);
    p->count = 0;
    assert_true(dial(p)); /* all is as before */
    run_until_over(p, 600 * USEC_PER_SEC);
    check_all_echoed(p);
    close_play(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_several_on_a_line_that_loses),
        cmocka_unit_test(test_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
