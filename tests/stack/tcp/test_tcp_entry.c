/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_entry.c - entries of the SYN queue and of TIME-WAIT: the pool, the rows and their timer,
 * what happens when there are too many; and SYN cookies, against peers that invent them.
 */
#include "stack/tcp/internal.h"

#include "base/checksum.h"
#include "tests/support/one_stack.h"
#include "tests/support/tcp_check.h"

static struct endpoint at(uint32_t address, uint16_t port)
{
    return (struct endpoint){address_v4(address), port};
}

static struct tcp_entry *add(struct one_stack *s, uint32_t number, enum tcp_row row)
{
    struct endpoint local = at(0x0a000001, 80);
    struct endpoint remote = at(0x0b000000 + number, 1000);
    return tcp_entry_new(s->stack, tcp_hash(s->stack, &local, &remote), &local, &remote, row);
}

static struct tcp_entry *find(struct one_stack *s, uint32_t number)
{
    struct endpoint local = at(0x0a000001, 80);
    struct endpoint remote = at(0x0b000000 + number, 1000);
    return tcp_entry_find(s->stack, tcp_hash(s->stack, &local, &remote), &local, &remote);
}

static void entries_come_and_go(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    size_t before = s.counts.octets;
    static bool there[2000];
    memset(there, 0, sizeof there);
    struct prng prng;
    prng_init_number(&prng, 7);
    for (unsigned step = 0; step < 20000; step++) {
        uint32_t i = prng_below(&prng, ARRAY_LEN(there));
        struct tcp_entry *entry = find(&s, i);
        assert_int_equal(entry != NULL, there[i]);
        if (entry == NULL)
            assert_non_null(add(&s, i, TCP_ROW_TIME_WAIT));
        else if (prng_below(&prng, 3) == 0)
            tcp_entry_wait(s.stack, entry, TCP_ROW_TIME_WAIT);
        else
            tcp_entry_free(s.stack, tcp_entry_hash(s.stack, entry), entry);
        there[i] = find(&s, i) != NULL;
        if (step % 100 == 0)
            tcp_check_all(s.stack);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(there); i++)
        if (there[i])
            tcp_entry_free(s.stack, tcp_entry_hash(s.stack, find(&s, i)), find(&s, i));
    tcp_check_all(s.stack);
    assert_int_equal(s.stack->wheel.count, 0);
    /* A block of entries, their places, and what the map keeps. */
    assert_true(s.counts.octets - before < 64 * 1024 + 64 * 64);
    one_stack_close(&s);
}

/* All in a row wait for the same time from when they came, with one timer. */
static void rows_are_served_in_time(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    uint32_t timers = s.stack->wheel.count;
    for (uint32_t i = 0; i < 100; i++) {
        assert_non_null(add(&s, i, TCP_ROW_TIME_WAIT));
        one_stack_wait(&s, 10 * USEC_PER_MSEC);
    }
    assert_int_equal(s.stack->wheel.count - timers, 1);
    tcp_entry_wait(s.stack, find(&s, 0), TCP_ROW_TIME_WAIT);
    one_stack_wait(&s, 59 * USEC_PER_SEC + WHEEL_TICK);
    assert_int_equal(s.stack->tcp->entries.time_wait, 100);
    for (uint32_t i = 1; i < 100; i++) {
        one_stack_wait(&s, 10 * USEC_PER_MSEC);
        assert_null(find(&s, i));
        assert_int_equal(s.stack->tcp->entries.time_wait, 100 - i);
        tcp_check_all(s.stack);
    }
    one_stack_wait(&s, 11 * USEC_PER_MSEC);
    assert_null(find(&s, 0));
    assert_int_equal(s.stack->wheel.count, timers);
    one_stack_close(&s);
}

static void no_memory_is_no_entry(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (size_t i = 1; i <= 3; i++) { /* the list of blocks, a block, the map */
        s.counts.fail_at = s.counts.allocations + i;
        struct tcp_entry *entry = add(&s, 1, TCP_ROW_TIME_WAIT);
        assert_null(entry);
        tcp_check_all(s.stack);
        s.counts.fail_at = 0;
        assert_non_null(add(&s, (uint32_t)(10 + i), TCP_ROW_TIME_WAIT));
        entry = find(&s, (uint32_t)(10 + i));
        tcp_entry_free(s.stack, tcp_entry_hash(s.stack, entry), entry);
        tcp_entries_done(s.stack);
        s.stack->tcp->entries = (struct tcp_entries){0};
        tcp_entries_init(s.stack);
    }
    one_stack_close(&s);
}

/* Makes a connection that is about to enter TIME-WAIT. */
static struct tcp_connection *nearly_over(struct one_stack *s, uint32_t number)
{
    struct endpoint local = at(0x0a000001, 80);
    struct endpoint remote = at(0x0b000000 + number, 1000);
    struct tcp_connection *c = tcp_connection_new(s->stack, &local, &remote);
    assert_non_null(c);
    c->state = TCP_FIN_WAIT_2;
    return c;
}

static void the_oldest_in_time_wait_goes(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (uint32_t i = 0; i < TCP_TIME_WAIT_MAX + 10; i++)
        tcp_enter_time_wait(nearly_over(&s, i));
    assert_int_equal(s.stack->tcp->entries.time_wait, TCP_TIME_WAIT_MAX);
    assert_int_equal(stack_counters(s.stack)->tcpTimeWaitOverflow, 10);
    assert_null(find(&s, 9));
    assert_non_null(find(&s, 10));
    assert_int_equal(stack_counters(s.stack)->tcpConnections, TCP_TIME_WAIT_MAX);
    /* 64 octets each, and the place in the table. */
    assert_true(s.counts.octets < (size_t)TCP_TIME_WAIT_MAX * (64 + 48) + (1 << 20));
    one_stack_wait(&s, 61 * USEC_PER_SEC);
    assert_int_equal(stack_counters(s.stack)->tcpConnections, 0);
    one_stack_close(&s);
}

/* Puts a port of ours, towards that remote end, into TIME-WAIT. */
static void wait_at(struct one_stack *s, uint16_t port, const struct endpoint *remote)
{
    struct endpoint local = at(0x0a000001, port);
    struct tcp_entry *entry = tcp_entry_new(s->stack, tcp_hash(s->stack, &local, remote), &local,
                                            remote, TCP_ROW_TIME_WAIT);
    assert_non_null(entry);
    entry->timestamps = true;
}

static void an_unused_port_is_better(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct endpoint remote = at(0x0a000002, 9000);
    struct endpoint first = at(0x0a000001, 0);
    struct endpoint next = first;
    assert_true(tcp_choose_port(s.stack, &first, &remote));
    assert_true(first.port < 65000); /* so that there is no end of the range in what follows */
    for (uint16_t i = 1; i < 8; i++)
        wait_at(&s, (uint16_t)(first.port + i), &remote);
    for (uint16_t i = 9; i < 100; i++)
        wait_at(&s, (uint16_t)(first.port + i), &remote);
    assert_true(tcp_choose_port(s.stack, &next, &remote));
    assert_int_equal(next.port, first.port + 8);
    /* Too young to be taken: one has to go on to where they end. */
    assert_true(tcp_choose_port(s.stack, &next, &remote));
    assert_int_equal(next.port, first.port + 100);
    for (uint16_t i = 101; i < 200; i++)
        wait_at(&s, (uint16_t)(first.port + i), &remote);
    one_stack_wait(&s, 2 * USEC_PER_SEC);
    assert_true(tcp_choose_port(s.stack, &next, &remote));
    assert_in_range(next.port, first.port + 101, first.port + 130);
    one_stack_close(&s);
}

/* ---- listeners ---- */

struct segment {
    uint16_t port;
    uint16_t flags;
    uint32_t sequence;
    uint32_t acknowledgement;
    struct tcp_options options;
};

static void put(struct one_stack *s, struct ip_address target, const struct segment *segment)
{
    uint8_t octets[80];
    struct writer w = writer_of(octets, sizeof octets);
    struct ipv4_header ip = {
        .source = ADDRESS_PEER, .target = target, .protocol = IP_PROTOCOL_TCP};
    struct tcp_header header = {.source_port = segment->port,
                                .target_port = 80,
                                .sequence = segment->sequence,
                                .acknowledgement = segment->acknowledgement,
                                .flags = segment->flags,
                                .window = 5000,
                                .options = segment->options};
    tcp_header_encode(&header, &w);
    uint64_t sum = checksum_pseudo(&ip.source, &ip.target, IP_PROTOCOL_TCP,
                                   (uint32_t)writer_len(&w));
    write_u16_at(&w, TCP_CHECKSUM_OFFSET,
                 (uint16_t)~checksum_fold(checksum_add(sum, writer_bytes(&w), 0)));
    one_stack_ip(s, &ip, writer_bytes(&w));
}

static struct tcp_header answer(struct one_stack *s)
{
    struct tcp_header header;
    struct ipv4_header ip = one_stack_next_ip(s, 0);
    assert_int_equal(tcp_header_decode(ip.payload, &header), WIRE_OK);
    return header;
}

static struct tcp_listener *listen_at(struct one_stack *s, struct ip_address address,
                                      unsigned backlog)
{
    struct tcp_listen_options options = {.local = {address, 80}, .backlog = backlog};
    struct tcp_listener *listener = tcp_listen(s->stack, &options);
    assert_non_null(listener);
    return listener;
}

/* More than the interface's queue holds: those beyond are lost, and counted; the peer's next segment is
 * answered. */
static void resets_beyond_the_queue_are_counted(void **state)
{
    enum { COUNT = 1100, QUEUE = 1024 };
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_listener *listener = listen_at(&s, ADDRESS_US, 2000);
    for (uint16_t i = 0; i < COUNT; i++) {
        struct segment syn = {.port = (uint16_t)(1000 + i), .flags = TCP_SYN, .sequence = 7};
        put(&s, ADDRESS_US, &syn);
        assert_int_equal(answer(&s).flags, TCP_SYN | TCP_ACK);
    }
    tcp_listener_close(listener);
    assert_int_equal(one_stack_drain(&s, 0), QUEUE);
    const struct stack_counters *counters = stack_counters(s.stack);
    assert_int_equal(counters->tcpOutRsts, QUEUE);
    assert_int_equal(counters->tcpOutRstsLost, COUNT - QUEUE);
    struct segment again = {.port = 1000 + COUNT - 1, .flags = TCP_ACK, .sequence = 8};
    put(&s, ADDRESS_US, &again);
    assert_int_equal(answer(&s).flags, TCP_RST);
    one_stack_close(&s);
}

/* An entry is the nearest listener's, also when that one comes later. */
static void a_nearer_listener_adopts(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_listener *wide = listen_at(&s, address_any_v4(), 10);
    for (uint16_t i = 0; i < 5; i++) {
        struct segment syn = {.port = (uint16_t)(1000 + i), .flags = TCP_SYN, .sequence = 7};
        put(&s, ADDRESS_US, &syn);
        assert_int_equal(answer(&s).flags, TCP_SYN | TCP_ACK);
    }
    assert_int_equal(wide->group->half_open, 5);
    struct tcp_listener *narrow = listen_at(&s, ADDRESS_US, 10);
    assert_int_equal(wide->group->half_open, 0);
    assert_int_equal(narrow->group->half_open, 5);
    tcp_check_all(s.stack);
    tcp_listener_close(wide);
    assert_false(one_stack_next(&s, 0));
    tcp_listener_close(narrow);
    for (uint16_t i = 0; i < 5; i++)
        assert_int_equal(answer(&s).flags, TCP_RST | TCP_ACK);
    assert_int_equal(stack_counters(s.stack)->tcpConnections, 0);
    assert_int_equal(stack_counters(s.stack)->tcpAttemptFails, 5);
    one_stack_close(&s);
}

/* The SYN flood of one listener is its own trouble, and bounded. */
static void a_flood_is_bounded(void **state)
{
    (void)state;
    struct tcp_profile profile = tcp_profile_default;
    for (unsigned when = TCP_SYN_COOKIES_OFF; when < TCP_SYN_COOKIES_COUNT; when++) {
        struct one_stack s;
        profile.syn_cookies = (uint8_t)when;
        struct one_stack_options options = {.stack.tcp_profile = &profile};
        one_stack_open(&s, &options);
        struct tcp_listener *listener = listen_at(&s, address_any_v4(), 100);
        size_t before = s.counts.octets;
        for (uint16_t i = 0; i < 10000; i++) {
            struct segment syn = {.port = (uint16_t)(1000 + i), .flags = TCP_SYN, .sequence = 7};
            put(&s, ADDRESS_US, &syn);
            assert_int_equal(answer(&s).flags, TCP_SYN | TCP_ACK);
        }
        tcp_check_all(s.stack);
        bool always = when == TCP_SYN_COOKIES_ALWAYS;
        const struct stack_counters *counters = stack_counters(s.stack);
        assert_int_equal(listener->group->half_open, always ? 0 : 100);
        assert_int_equal(counters->tcpReqQFullDrop, when == TCP_SYN_COOKIES_OFF ? 9900 : 0);
        assert_int_equal(counters->tcpReqQFullDoCookies,
                         when == TCP_SYN_COOKIES_WHEN_FULL ? 9900 : 0);
        assert_int_equal(counters->tcpSyncookiesSent,
                         always ? 10000 : when == TCP_SYN_COOKIES_OFF ? 0 : 9900);
        assert_true(s.counts.octets - before < 32 * 1024);
        one_stack_close(&s);
    }
}

/* The instants, in ms, at which SYN,ACK is sent again. */
static unsigned repeats(struct one_stack *s, uint16_t port, unsigned *at, unsigned most)
{
    unsigned count = 0;
    put(s, ADDRESS_US, &(struct segment){.port = port, .flags = TCP_SYN, .sequence = 7});
    assert_int_equal(answer(s).flags, TCP_SYN | TCP_ACK);
    for (unsigned ms = 0; ms < 100000; ms += 4) {
        one_stack_wait(s, 4 * USEC_PER_MSEC);
        if (count < most && one_stack_drain(s, 0) > 0)
            at[count++] = ms;
    }
    tcp_check_all(s->stack);
    return count;
}

/* How long SYN,ACK waits for its answer is the listener's business, and so how often it goes again. */
static void syn_acks_go_by_the_listener(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        usec initial, most; /* 0: as the stack has it */
        unsigned at[5];     /* seconds / 10 */
    } cases[] = {
        {"the stack's", 0, 0, {10, 30, 70, 150, 310}},
        {"a first one of 3 s", 3 * USEC_PER_SEC, 0, {30, 90, 210, 450, 930}},
        {"two seconds at most", 0, 2 * USEC_PER_SEC, {10, 30, 50, 70, 90}},
        {"a short first one", 200 * USEC_PER_MSEC, 1600 * USEC_PER_MSEC, {2, 6, 14, 30, 46}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct tcp_listener *listener = listen_at(&s, ADDRESS_US, 10);
        if (cases[i].initial != 0)
            assert_int_equal(tcp_listener_set_option(listener, TCP_OPTION_RTO_INITIAL,
                                                     (uint64_t)cases[i].initial),
                             TCP_OPTION_SET);
        if (cases[i].most != 0)
            assert_int_equal(
                tcp_listener_set_option(listener, TCP_OPTION_RTO_MAX, (uint64_t)cases[i].most),
                TCP_OPTION_SET);
        unsigned at[5];
        CHECK_EQUAL(cases[i].name, repeats(&s, 1000, at, 5), 5);
        for (unsigned k = 0; k < 5; k++)
            CHECK(cases[i].name, at[k] + 20 >= cases[i].at[k] * 100 &&
                                     at[k] <= cases[i].at[k] * 100 + 20);
        one_stack_wait(&s, 200 * USEC_PER_SEC);
        CHECK_EQUAL(cases[i].name, stack_counters(s.stack)->tcpConnections, 0);
        one_stack_close(&s);
    }
}

/* More kinds of timeouts than there are rows: the others take the nearest. */
static void rows_are_shared(void **state)
{
    (void)state;
    enum { KINDS = 40 };
    struct one_stack s;
    one_stack_open(&s, NULL);
    bool seen[TCP_ROW_COUNT] = {false};
    for (unsigned i = 0; i < KINDS; i++) {
        usec timeout = (usec)(i + 1) * 100 * USEC_PER_MSEC;
        enum tcp_row row = tcp_entry_row(s.stack, timeout);
        assert_true(row <= TCP_ROW_HALF_OPEN_LAST);
        assert_int_equal(tcp_entry_row(s.stack, timeout), row);
        assert_int_equal(seen[row], i > TCP_ROW_HALF_OPEN_LAST);
        seen[row] = true;
        assert_non_null(add(&s, i, row));
    }
    assert_int_equal(tcp_entry_row(s.stack, 40 * 100 * USEC_PER_MSEC),
                     tcp_entry_row(s.stack, (TCP_ROW_HALF_OPEN_LAST + 1) * 100 * USEC_PER_MSEC));
    for (unsigned i = 0; i < KINDS; i++)
        tcp_entry_free(s.stack, tcp_entry_hash(s.stack, find(&s, i)), find(&s, i));
    /* When nobody is in them they are anybody's. */
    usec timeout = 7 * USEC_PER_SEC;
    assert_int_equal(s.stack->tcp->entries.rows[tcp_entry_row(s.stack, timeout)].timeout, timeout);
    one_stack_close(&s);
}

/* How many of the segments that come each `step` for the entry of a client are answered in `time`. */
static unsigned challenges(struct one_stack *s, usec step, usec time)
{
    unsigned count = 0;
    struct segment odd = {.port = 1000, .flags = TCP_ACK, .sequence = 1u << 30};
    for (usec at = 0; at < time; at += step) {
        put(s, ADDRESS_US, &odd);
        count += one_stack_drain(s, 0) > 0;
        one_stack_wait(s, step);
    }
    return count;
}

/* RFC 5961 §7: an entry is no worse protected than a connection, and as its profile has it. */
static void challenges_of_entries_are_limited(void **state)
{
    (void)state;
    static const usec intervals[] = {0, 20 * USEC_PER_MSEC, 100 * USEC_PER_MSEC,
                                     500 * USEC_PER_MSEC, 3 * USEC_PER_SEC};
    for (size_t i = 0; i < ARRAY_LEN(intervals); i++) {
        struct one_stack s;
        struct tcp_profile profile = tcp_profile_default;
        profile.challenge_interval = intervals[i];
        profile.rto_initial = 60 * USEC_PER_SEC; /* so that it stays as it is */
        profile.rto_max = 120 * USEC_PER_SEC;
        one_stack_open(&s, &(struct one_stack_options){.stack.tcp_profile = &profile});
        (void)listen_at(&s, ADDRESS_US, 10);
        put(&s, ADDRESS_US, &(struct segment){.port = 1000, .flags = TCP_SYN, .sequence = 7});
        (void)answer(&s);
        usec step = 7 * USEC_PER_MSEC, time = 30 * USEC_PER_SEC;
        unsigned count = challenges(&s, step, time);
        if (intervals[i] == 0)
            assert_in_range(count, time / step, time / step + 1);
        else /* one in an interval at most, and at least one in nine eighths and what it takes to come */
            assert_in_range(count, time / (intervals[i] * 9 / 8 + step) - 1, time / intervals[i] + 1);
        one_stack_close(&s);
    }
}

/* A listener's own wish for cookies, whatever the stack does. */
static void a_listener_chooses_cookies(void **state)
{
    (void)state;
    for (unsigned when = TCP_SYN_COOKIES_OFF; when < TCP_SYN_COOKIES_COUNT; when++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct tcp_listener *listener = listen_at(&s, ADDRESS_US, 2);
        assert_int_equal(tcp_listener_set_option(listener, TCP_OPTION_SYN_COOKIES, when),
                         TCP_OPTION_SET);
        assert_int_equal(tcp_listener_get_option(listener, TCP_OPTION_SYN_COOKIES), when);
        assert_int_equal(
            tcp_listener_set_option(listener, TCP_OPTION_SYN_COOKIES, TCP_SYN_COOKIES_COUNT),
            TCP_OPTION_RANGE);
        for (uint16_t i = 0; i < 5; i++) {
            struct segment syn = {.port = (uint16_t)(1000 + i), .flags = TCP_SYN, .sequence = 7};
            put(&s, ADDRESS_US, &syn);
            assert_int_equal(answer(&s).flags, TCP_SYN | TCP_ACK);
        }
        static const unsigned sent[] = {0, 3, 5};
        assert_int_equal(stack_counters(s.stack)->tcpSyncookiesSent, sent[when]);
        one_stack_close(&s);
    }
}

/* ---- cookies ---- */

static void open_with_cookies(struct one_stack *s, struct tcp_profile *profile)
{
    *profile = tcp_profile_default;
    profile->syn_cookies = TCP_SYN_COOKIES_ALWAYS;
    struct one_stack_options options = {.stack.tcp_profile = profile};
    one_stack_open(s, &options);
}

/* What the SYN said is known after the ACK, as far as a cookie can carry it. */
static void a_cookie_carries_the_options(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct tcp_options options;
        uint16_t flags;
        uint16_t mss;
        int scale; /* negative: none */
        bool sack;
        bool ecn;
    } cases[] = {
        {"none at all", {.present = 0}, 0, 536, -1, false, false},
        {"a tiny MSS", {.present = TCP_HAS_MSS, .mss = 100}, 0, 88, -1, false, false},
        {"an MSS of the table", {.present = TCP_HAS_MSS, .mss = 1460}, 0, 1460, -1, false, false},
        {"one between", {.present = TCP_HAS_MSS, .mss = 1459}, 0, 1440, -1, false, false},
        {"a huge one", {.present = TCP_HAS_MSS, .mss = 65000}, 0, 8960, -1, false, false},
        {"all without timestamps",
         {.present = TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_WINDOW_SCALE,
          .mss = 1460, .window_shift = 7},
         TCP_ECE | TCP_CWR, 1460, -1, false, false},
        {"timestamps alone", {.present = TCP_HAS_TIMESTAMPS, .timestamp_value = 5}, 0, 536, -1,
         false, false},
        {"scale 0", {.present = TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE}, 0, 536, 0, false, false},
        {"scale 14 and SACK",
         {.present = TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED,
          .window_shift = 14}, 0, 536, 14, true, false},
        {"all with timestamps",
         {.present = TCP_HAS_MSS | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED,
          .mss = 1460, .window_shift = 7}, TCP_ECE | TCP_CWR, 1460, 7, true, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        struct tcp_profile profile;
        open_with_cookies(&s, &profile);
        struct tcp_listener *listener = listen_at(&s, address_any_v4(), 10);
        bool stamps = (cases[i].options.present & TCP_HAS_TIMESTAMPS) != 0;
        one_stack_wait(&s, (usec)(7919 * (i + 1)));
        put(&s, ADDRESS_US, &(struct segment){.port = 1000, .flags = TCP_SYN | cases[i].flags,
                                              .sequence = 7, .options = cases[i].options});
        struct tcp_header syn_ack = answer(&s);
        CHECK_EQUAL(cases[i].name, stack_counters(s.stack)->tcpConnections, 0);
        struct segment ack = {.port = 1000, .flags = TCP_ACK, .sequence = 8,
                              .acknowledgement = syn_ack.sequence + 1};
        if (stamps) {
            ack.options.present = TCP_HAS_TIMESTAMPS;
            ack.options.timestamp_value = 6;
            ack.options.timestamp_echo = syn_ack.options.timestamp_value;
        }
        one_stack_wait(&s, 20 * USEC_PER_MSEC);
        put(&s, ADDRESS_US, &ack);
        struct tcp_connection *c = tcp_accept(listener, NULL);
        CHECK(cases[i].name, c != NULL && tcp_state(c) == TCP_ESTABLISHED);
        CHECK_EQUAL(cases[i].name, c->peer_mss, cases[i].mss);
        CHECK_EQUAL(cases[i].name, c->scaling, cases[i].scale >= 0);
        CHECK_EQUAL(cases[i].name, c->snd_scale, cases[i].scale >= 0 ? cases[i].scale : 0);
        CHECK_EQUAL(cases[i].name, c->timestamps, stamps);
        CHECK_EQUAL(cases[i].name, c->sack, cases[i].sack);
        CHECK_EQUAL(cases[i].name, c->ecn, cases[i].ecn);
        CHECK_EQUAL(cases[i].name, (syn_ack.flags & TCP_ECE) != 0, cases[i].ecn);
        if (stamps) /* never beyond what our clock says; at most 64 ms behind it */
            CHECK(cases[i].name, c->srtt / 8 >= 20000 && c->srtt / 8 <= 85000);
        else
            CHECK_EQUAL(cases[i].name, c->srtt, 0);
        tcp_check_all(s.stack);
        one_stack_close(&s);
    }
}

/* How many of the ACKs that a stranger invents are taken for cookies. */
static unsigned guessed(struct one_stack *s, struct tcp_listener *listener, unsigned tries)
{
    struct prng prng;
    prng_init_number(&prng, 3);
    unsigned right = 0;
    for (unsigned i = 0; i < tries; i++) {
        put(s, ADDRESS_US, &(struct segment){.port = (uint16_t)(2000 + i % 1000), .flags = TCP_ACK,
                                             .sequence = prng_u32(&prng),
                                             .acknowledgement = prng_u32(&prng)});
        (void)one_stack_drain(s, 0);
        while (tcp_accept(listener, NULL) != NULL)
            right++;
    }
    return right;
}

static void nobody_guesses_a_cookie(void **state)
{
    (void)state;
    struct one_stack s;
    struct tcp_profile profile;
    open_with_cookies(&s, &profile);
    struct tcp_listener *listener = listen_at(&s, address_any_v4(), 10);
    /* None has been given: no work is done for it. */
    assert_int_equal(guessed(&s, listener, 100), 0);
    assert_int_equal(stack_counters(s.stack)->tcpSyncookiesFailed, 0);
    put(&s, ADDRESS_US, &(struct segment){.port = 1000, .flags = TCP_SYN, .sequence = 7});
    struct tcp_header given = answer(&s);
    assert_int_equal(guessed(&s, listener, 20000), 0);
    assert_int_equal(stack_counters(s.stack)->tcpSyncookiesFailed, 20000);
    one_stack_wait(&s, 2 * USEC_PER_SEC); /* RSTs are limited */
    /* Nor does one from its neighbours: every bit counts. */
    for (unsigned bit = 0; bit < 32; bit++) {
        struct segment ack = {.port = 1000, .flags = TCP_ACK, .sequence = 8,
                              .acknowledgement = (given.sequence ^ 1u << bit) + 1};
        put(&s, ADDRESS_US, &ack);
        assert_int_equal(answer(&s).flags, TCP_RST);
    }
    assert_int_equal(stack_counters(s.stack)->tcpSyncookiesRecv, 0);
    one_stack_close(&s);
}

/* Good in its own period and the next, so for 64 s at least and 128 s at most. */
static void a_cookie_grows_old(void **state)
{
    (void)state;
    for (unsigned second = 0; second < 200; second++) {
        struct one_stack s;
        struct tcp_profile profile;
        open_with_cookies(&s, &profile);
        struct tcp_listener *listener = listen_at(&s, address_any_v4(), 10);
        one_stack_wait(&s, 20 * USEC_PER_SEC);
        put(&s, ADDRESS_US, &(struct segment){.port = 1000, .flags = TCP_SYN, .sequence = 7});
        struct tcp_header given = answer(&s);
        /* Others go on being given, so that it is this one's age that counts. */
        for (unsigned i = 0; i < second; i += 10) {
            one_stack_wait(&s, 10 * USEC_PER_SEC);
            put(&s, ADDRESS_US, &(struct segment){.port = 1001, .flags = TCP_SYN, .sequence = 7});
            (void)one_stack_drain(&s, 0);
        }
        struct segment ack = {.port = 1000, .flags = TCP_ACK, .sequence = 8,
                              .acknowledgement = given.sequence + 1};
        put(&s, ADDRESS_US, &ack);
        bool good = tcp_accept(listener, NULL) != NULL;
        if (second <= 60)
            assert_true(good);
        if (second > 120)
            assert_false(good);
        one_stack_close(&s);
        second += 8;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_and_go),
        cmocka_unit_test(rows_are_served_in_time),
        cmocka_unit_test(no_memory_is_no_entry),
        cmocka_unit_test(the_oldest_in_time_wait_goes),
        cmocka_unit_test(an_unused_port_is_better),
        cmocka_unit_test(a_nearer_listener_adopts),
        cmocka_unit_test(resets_beyond_the_queue_are_counted),
        cmocka_unit_test(syn_acks_go_by_the_listener),
        cmocka_unit_test(rows_are_shared),
        cmocka_unit_test(challenges_of_entries_are_limited),
        cmocka_unit_test(a_listener_chooses_cookies),
        cmocka_unit_test(a_flood_is_bounded),
        cmocka_unit_test(a_cookie_carries_the_options),
        cmocka_unit_test(nobody_guesses_a_cookie),
        cmocka_unit_test(a_cookie_grows_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
