/* SPDX-License-Identifier: ISC */
/*
 * test_net_contract.c - the contract of io/net.h, told the same way in every world.
 *
 * Both ends of each stream are a `struct side`, which sends and checks octets of a known sequence
 * and notes what it was told. It also checks what holds in every case: no callback from inside a
 * call, none after closing, none before opening.
 */
#include <errno.h>
#include <stdio.h>

#include "tests/support/net_world.h"
#include "tests/support/check.h"

enum { SIDES_MAX = 512, CHUNK = 50000 };

enum moment { AT_OPEN = 1, AT_BYTES, AT_END, AT_ROOM, AT_DEADLINE };

struct side {
    struct net_world *w;
    struct stream *s; /* NULL: not there, closed or gone */
    size_t to_send;   /* how many octets in all; then finishes, if so wanted */
    size_t sent;
    size_t received;
    bool uneven;      /* sends in small and large pieces by turns */
    bool at_once;     /* by stream_send_now(), and every third piece by stream_send() when uneven */
    bool echo;        /* sends back what comes */
    bool finish;      /* after to_send octets, or what was echoed */
    bool opened, ended, closed;
    int error;
    unsigned rooms, deadlines, offers, piece;
    size_t bite;      /* not 0: uses so much at a time, and resumes a moment later */
    size_t refuse;    /* uses nothing as long as less than this is offered */
    size_t left;      /* offered and not used */
    size_t largest_offer;
    enum moment close_at;
    bool abort;       /* at close_at, rather than close */
    bool leave;       /* the same: the peer sends no more */
    struct alarm later;
};

struct table {
    struct net_world w;
    struct side sides[SIDES_MAX]; /* 0: the client; from 1 on what was accepted, in that order */
    size_t accepted;
    struct listener *listener;
    struct side accepted_like;   /* what accepted sides are to do */
    bool close_listener;         /* in on_accept */
    bool client_first;           /* it is told so */
};

/* Calls of net.h that are under way; callbacks must see none. */
static int calls;

static uint8_t octet_at(size_t offset)
{
    return (uint8_t)((offset * 2654435761u) >> 13);
}

static void side_release(struct side *side)
{
    struct stream *s = side->s;
    side->s = NULL;
    calls++;
    if (side->abort)
        stream_abort(s);
    else if (side->leave)
        stream_leave(s);
    else
        stream_close(s);
    calls--;
}

static void pump(struct side *side)
{
    static uint8_t chunk[CHUNK];
    while (side->s != NULL && side->sent < side->to_send) {
        static const size_t pieces[] = {1, 100, 20000, 7, 7, 40000, 16384, 16383};
        size_t most = side->uneven ? pieces[side->piece++ % ARRAY_LEN(pieces)] : CHUNK;
        size_t len = side->to_send - side->sent < most ? side->to_send - side->sent : most;
        for (size_t i = 0; i < len; i++)
            chunk[i] = octet_at(side->sent + i);
        bool at_once = side->at_once && (!side->uneven || side->piece % 3 != 0);
        calls++;
        if (at_once && !stream_ready(side->s)) {
            calls--;
            return;
        }
        size_t room = stream_room(side->s);
        size_t taken = at_once ? stream_send_now(side->s, bytes_of(chunk, len))
                               : stream_send(side->s, bytes_of(chunk, len));
        calls--;
        assert_true(taken <= len);
        assert_true(at_once || taken >= (room < len ? room : len));
        side->sent += taken;
        if (taken < len)
            return;
    }
    if (side->s != NULL && side->finish && !side->echo) {
        calls++;
        stream_finish(side->s);
        assert_int_equal(stream_room(side->s), 0);
        assert_int_equal(stream_send(side->s, bytes_of("x", 1)), 0);
        calls--;
        side->finish = false;
    }
}

static void finish_echo(struct side *side)
{
    if (side->echo && side->finish && side->ended && side->left == 0) {
        stream_finish(side->s);
        side->finish = false;
    }
}

/* True when the side has closed itself. */
static bool came(struct side *side, struct stream *s, enum moment moment)
{
    assert_int_equal(calls, 0);
    assert_ptr_equal(side->s, s);
    assert_false(side->closed);
    if (side->close_at != moment)
        return false;
    side_release(side);
    return true;
}

static void on_open(void *self, struct stream *s)
{
    struct side *side = self;
    assert_false(side->opened);
    side->opened = true;
    if (!came(side, s, AT_OPEN))
        pump(side);
}

static void on_later(struct alarm *alarm)
{
    struct side *side = CONTAINER_OF(alarm, struct side, later);
    calls++;
    if (side->s != NULL)
        stream_resume(side->s);
    calls--;
}

static size_t on_bytes(void *self, struct stream *s, struct bytes in)
{
    struct side *side = self;
    assert_true(side->opened);
    assert_true(in.len > 0);
    side->offers++;
    if (in.len > side->largest_offer)
        side->largest_offer = in.len;
    for (size_t i = 0; i < in.len; i++)
        if (in.data[i] != octet_at(side->received + i))
            fail_msg("octet %zu is wrong", side->received + i);
    if (came(side, s, AT_BYTES))
        return in.len;
    size_t used = in.len;
    if (in.len < side->refuse)
        used = 0;
    if (side->bite > 0 && used > side->bite)
        used = side->bite;
    if (side->echo) {
        calls++;
        used = stream_send(s, bytes_first(in, used));
        calls--;
    }
    side->received += used;
    side->left = in.len - used;
    if (side->bite > 0 && side->left > 0)
        loop_set_alarm(side->w->loop, &side->later, loop_now(side->w->loop) + 100);
    finish_echo(side);
    return used;
}

static void on_end(void *self, struct stream *s)
{
    struct side *side = self;
    assert_false(side->ended);
    side->ended = true;
    if (!came(side, s, AT_END))
        finish_echo(side);
}

static void on_room(void *self, struct stream *s)
{
    struct side *side = self;
    side->rooms++;
    if (came(side, s, AT_ROOM))
        return;
    assert_true(stream_room(s) > 0);
    if (side->echo)
        stream_resume(s);
    else
        pump(side);
}

static void on_closed(void *self, struct stream *s, int error)
{
    struct side *side = self;
    (void)came(side, s, 0);
    side->closed = true;
    side->error = error;
    side->s = NULL;
    loop_clear_alarm(side->w->loop, &side->later);
}

static void on_deadline(void *self, struct stream *s)
{
    struct side *side = self;
    side->deadlines++;
    (void)came(side, s, AT_DEADLINE);
}

static const struct stream_handler side_handler = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

static void on_accept(void *self, struct listener *listener, struct stream *s)
{
    struct table *t = self;
    assert_int_equal(calls, 0);
    assert_ptr_equal(listener, t->listener);
    assert_true(t->accepted + 1 < SIDES_MAX);
    struct side *side = &t->sides[++t->accepted];
    *side = t->accepted_like;
    side->w = &t->w;
    side->s = s;
    side->opened = true;
    alarm_init(&side->later, on_later);
    stream_set_handler(s, &side_handler, side);
    if (t->close_listener) {
        listener_close(listener);
        t->listener = NULL;
    }
    if (side->close_at == AT_OPEN)
        side_release(side);
    else
        pump(side);
}

static const struct listener_handler accept_handler = {on_accept};

static void start_listening(struct table *t)
{
    struct listen_options options = {.local = {t->w.address, 0}, .client_first = t->client_first};
    assert_int_equal(net_listen(t->w.server, &options, &accept_handler, t, &t->listener), 0);
    assert_true(listener_local(t->listener).port != 0);
    struct endpoint local = listener_local(t->listener);
    assert_true(address_equal(&local.address, &t->w.address));
}

static void start_connecting(struct table *t, struct side *side)
{
    struct endpoint to = {t->w.address, 0};
    if (t->listener != NULL)
        to = listener_local(t->listener);
    else
        to.port = 9; /* where nobody listens */
    side->w = &t->w;
    alarm_init(&side->later, on_later);
    calls++;
    int status = net_connect(t->w.client, &to, NULL, &side_handler, side, &side->s);
    calls--;
    assert_int_equal(status, 0);
    struct endpoint peer = stream_peer(side->s);
    assert_true(endpoint_equal(&peer, &to));
    assert_ptr_equal(stream_net(side->s), t->w.client);
}

static bool all_gone(const struct table *t)
{
    for (size_t i = 0; i <= t->accepted; i++)
        if (t->sides[i].s != NULL)
            return false;
    return true;
}

static void finish_table(struct table *t)
{
    while (!all_gone(t) && net_world_step(&t->w))
        continue;
    assert_true(all_gone(t));
}

/* ---- the cases ---- */

static void octets_come_back_from_an_echo(struct table *t)
{
    static const size_t sizes[] = {0,     1,     2,     1459,  1460,   1461,   16383,
                                   16384, 16385, 65535, 65537, 262144, 300001, 1048576};
    start_listening(t);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        t->accepted = 0;
        t->accepted_like = (struct side){.echo = true, .finish = true};
        t->sides[0] = (struct side){.to_send = sizes[i], .finish = true};
        start_connecting(t, &t->sides[0]);
        while (!(t->sides[0].closed && t->accepted == 1 && t->sides[1].closed) &&
               net_world_step(&t->w))
            continue;
        CHECK_EQUAL("echo", t->accepted, 1);
        for (int side = 0; side < 2; side++) {
            CHECK_EQUAL("echo", t->sides[side].received, sizes[i]);
            CHECK("echo", t->sides[side].ended && t->sides[side].closed);
            CHECK_EQUAL("echo", t->sides[side].error, 0);
        }
    }
}

static void a_slow_reader_slows_the_writer_and_loses_nothing(struct table *t)
{
    enum { TOTAL = 6 * 1024 * 1024 };
    start_listening(t);
    t->accepted_like = (struct side){.refuse = SIZE_MAX, .finish = true};
    t->sides[0] = (struct side){.to_send = TOTAL, .finish = true};
    start_connecting(t, &t->sides[0]);
    net_world_run(&t->w, (t->w.kind->kernel ? 200 : 20000) * USEC_PER_MSEC);
    size_t stalled_at = 0;
    for (int i = 0; i < 100 && (t->sides[0].sent == 0 || t->sides[0].sent != stalled_at); i++) {
        stalled_at = t->sides[0].sent; /* a busy machine takes longer until nothing goes on */
        net_world_run(&t->w, 100 * USEC_PER_MSEC);
    }
    assert_int_equal(t->accepted, 1);
    struct side *reader = &t->sides[1];
    assert_true(t->sides[0].sent < TOTAL);
    assert_int_equal(reader->received, 0);
    assert_true(reader->offers > 0);
    assert_true(reader->largest_offer <= STREAM_PENDING_MAX);
    assert_true(stream_room(t->sides[0].s) < STREAM_QUEUE_MAX);
    assert_int_equal(t->sides[0].sent, stalled_at);
    reader->refuse = 0;
    reader->bite = 10000;
    stream_resume(reader->s);
    finish_table(t);
    assert_int_equal(reader->received, TOTAL);
    assert_true(t->sides[0].rooms > 0);
    assert_int_equal(reader->error, 0);
    assert_int_equal(t->sides[0].error, 0);
}

/* The kernel's world has a way for octets that are not copied; the stack has its queue. */
static void what_is_sent_at_once_is_not_queued_behind_a_slow_reader(struct table *t)
{
    enum { TOTAL = 8 * 1024 * 1024 };
    start_listening(t);
    t->accepted_like = (struct side){.refuse = SIZE_MAX, .finish = true};
    t->sides[0] = (struct side){.to_send = TOTAL, .finish = true, .at_once = true};
    start_connecting(t, &t->sides[0]);
    net_world_run(&t->w, (t->w.kind->kernel ? 200 : 20000) * USEC_PER_MSEC);
    size_t stalled_at = 0;
    for (int i = 0; i < 100 && (t->sides[0].sent == 0 || t->sides[0].sent != stalled_at); i++) {
        stalled_at = t->sides[0].sent;
        net_world_run(&t->w, 100 * USEC_PER_MSEC);
    }
    assert_int_equal(t->accepted, 1);
    assert_true(t->sides[0].sent < TOTAL);
    if (t->w.kind->kernel)
        assert_int_equal(stream_room(t->sides[0].s), STREAM_QUEUE_MAX);
    unsigned rooms = t->sides[0].rooms;
    t->sides[1].refuse = 0;
    t->sides[1].bite = 10000;
    stream_resume(t->sides[1].s);
    finish_table(t);
    assert_int_equal(t->sides[1].received, TOTAL);
    assert_true(t->sides[0].rooms > rooms);
    assert_int_equal(t->sides[0].error, 0);
}

static void pieces_sent_at_once_keep_their_order_with_others(struct table *t)
{
    start_listening(t);
    t->accepted_like = (struct side){.to_send = 500000, .uneven = true, .finish = true, .bite = 5000};
    t->sides[0] = (struct side){
        .to_send = 6000000, .uneven = true, .at_once = true, .finish = true, .bite = 5000};
    start_connecting(t, &t->sides[0]);
    finish_table(t);
    assert_int_equal(t->sides[1].received, 6000000);
    assert_int_equal(t->sides[0].received, 500000);
}

static void pieces_of_all_sizes_keep_their_order(struct table *t)
{
    start_listening(t);
    t->accepted_like = (struct side){.to_send = 500000, .uneven = true, .finish = true};
    t->sides[0] = (struct side){.to_send = 3000000, .uneven = true, .finish = true};
    start_connecting(t, &t->sides[0]);
    finish_table(t);
    assert_int_equal(t->sides[1].received, 3000000);
    assert_int_equal(t->sides[0].received, 500000);
}

static void both_directions_are_full_at_the_same_time(struct table *t)
{
    enum { TOTAL = 2 * 1024 * 1024 };
    start_listening(t);
    t->accepted_like = (struct side){.to_send = TOTAL, .finish = true, .bite = 20000};
    t->sides[0] = (struct side){.to_send = TOTAL, .finish = true, .bite = 30000};
    start_connecting(t, &t->sides[0]);
    finish_table(t);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(t->sides[i].received, TOTAL);
        assert_int_equal(t->sides[i].error, 0);
    }
}

static void check_half_close(struct table *t, struct side *first, struct side *second)
{
    while (!second->ended && net_world_step(&t->w))
        continue;
    assert_true(second->ended);
    assert_int_equal(second->received, 5000);
    net_world_run(&t->w, 20 * USEC_PER_MSEC);
    assert_false(first->closed || second->closed || first->ended);
    second->to_send = 100000;
    second->finish = true;
    pump(second);
    finish_table(t);
    assert_int_equal(first->received, 100000);
    assert_true(first->ended);
    assert_int_equal(first->error, 0);
    assert_int_equal(second->error, 0);
}

static void the_client_may_end_first_and_still_listen(struct table *t)
{
    start_listening(t);
    t->sides[0] = (struct side){.to_send = 5000, .finish = true};
    start_connecting(t, &t->sides[0]);
    check_half_close(t, &t->sides[0], &t->sides[1]);
}

static void the_server_may_end_first_and_still_listen(struct table *t)
{
    start_listening(t);
    t->accepted_like = (struct side){.to_send = 5000, .finish = true};
    start_connecting(t, &t->sides[0]);
    check_half_close(t, &t->sides[1], &t->sides[0]);
}

static void nobody_listens(struct table *t)
{
    start_connecting(t, &t->sides[0]);
    finish_table(t);
    assert_false(t->sides[0].opened);
    assert_true(t->sides[0].closed);
    assert_int_equal(t->sides[0].error, ECONNREFUSED);
}

static void a_reset_is_told(struct table *t)
{
    start_listening(t);
    t->sides[0] = (struct side){.to_send = 100};
    start_connecting(t, &t->sides[0]);
    while ((t->accepted == 0 || t->sides[1].received < 100) && net_world_step(&t->w))
        continue;
    t->sides[0].abort = true;
    side_release(&t->sides[0]);
    /* A wire may lose the RST, and then the next segment brings another. */
    while (t->sides[1].s != NULL && net_world_step(&t->w)) {
        if (t->w.kind->impaired)
            t->sides[1].to_send++;
        pump(&t->sides[1]);
    }
    assert_true(t->sides[1].closed);
    assert_int_equal(t->sides[1].error, ECONNRESET);
    assert_false(t->sides[1].ended);
}

static void a_reset_is_told_to_one_who_only_sends(struct table *t)
{
    start_listening(t);
    t->accepted_like = (struct side){.to_send = 4 * 1024 * 1024, .refuse = SIZE_MAX};
    t->sides[0] = (struct side){.refuse = SIZE_MAX};
    start_connecting(t, &t->sides[0]);
    while ((t->accepted == 0 || t->sides[0].offers == 0) && net_world_step(&t->w))
        continue;
    t->sides[0].abort = true;
    side_release(&t->sides[0]);
    finish_table(t);
    assert_int_equal(t->sides[1].error, ECONNRESET);
}

static void check_delivery(struct table *t, bool leave)
{
    start_listening(t);
    t->accepted_like = (struct side){.finish = true, .bite = 5000};
    t->sides[0] = (struct side){.to_send = 200000, .leave = leave};
    start_connecting(t, &t->sides[0]);
    pump(&t->sides[0]); /* before the connection is there */
    size_t sent = t->sides[0].sent;
    assert_true(sent >= 10000);
    side_release(&t->sides[0]);
    while ((t->accepted == 0 || !all_gone(t)) && net_world_step(&t->w))
        continue;
    assert_int_equal(t->accepted, 1);
    assert_int_equal(t->sides[1].received, sent);
    assert_true(t->sides[1].ended);
    assert_int_equal(t->sides[1].error, 0);
}

static void what_is_queued_is_delivered_after_close(struct table *t)
{
    check_delivery(t, false);
}

static void what_is_queued_is_delivered_after_leaving(struct table *t)
{
    check_delivery(t, true);
}

/* As a server that answers the last request: all comes, whoever closes when. */
static void a_client_that_speaks_first_is_answered_and_left(struct table *t)
{
    static const size_t sizes[] = {1, 20000, 16 << 20}; /* the last: as much as goes */
    t->client_first = true;
    start_listening(t);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        t->accepted = 0;
        t->accepted_like = (struct side){.to_send = sizes[i], .close_at = AT_BYTES, .leave = true};
        t->sides[0] = (struct side){.to_send = 10, .finish = i == 2};
        start_connecting(t, &t->sides[0]);
        while ((t->accepted == 0 || t->sides[1].s != NULL || !t->sides[0].ended) &&
               net_world_step(&t->w))
            continue;
        assert_int_equal(t->sides[0].received, t->sides[1].sent);
        assert_true(t->sides[1].sent > 0);
        assert_int_equal(t->sides[0].error, 0);
        if (t->sides[0].s != NULL)
            side_release(&t->sides[0]);
    }
}

/* As a server that answers and closes while the client is still uploading. */
static void what_is_queued_is_delivered_although_the_peer_still_sends(struct table *t)
{
    start_listening(t);
    t->accepted_like = (struct side){.to_send = 150000, .refuse = SIZE_MAX};
    t->sides[0] = (struct side){.to_send = 300000, .finish = true};
    start_connecting(t, &t->sides[0]);
    while ((t->accepted == 0 || t->sides[1].offers == 0) && net_world_step(&t->w))
        continue;
    size_t sent = t->sides[1].sent;
    assert_true(sent >= 10000);
    side_release(&t->sides[1]);
    finish_table(t);
    assert_int_equal(t->sides[0].received, sent);
    assert_true(t->sides[0].ended);
    assert_int_equal(t->sides[0].error, 0);
}

static void deadlines_come_once_and_in_time(struct table *t)
{
    start_listening(t);
    start_connecting(t, &t->sides[0]);
    while ((t->accepted == 0 || !t->sides[0].opened) && net_world_step(&t->w))
        continue;
    struct side *side = &t->sides[0];
    stream_set_deadline(side->s, loop_now(t->w.loop) + USEC_PER_SEC);
    stream_set_deadline(side->s, USEC_NEVER);
    stream_set_deadline(t->sides[1].s, loop_now(t->w.loop) + 30 * USEC_PER_MSEC);
    usec due_at = loop_now(t->w.loop) + 5 * USEC_PER_MSEC;
    stream_set_deadline(side->s, due_at);
    while (side->deadlines == 0 && net_world_step(&t->w))
        continue;
    assert_true(loop_now(t->w.loop) >= due_at);
    net_world_run(&t->w, 5 * USEC_PER_MSEC);
    assert_int_equal(side->deadlines, 1);
    assert_int_equal(t->sides[1].deadlines, 0);
    side_release(side);
    t->sides[1].abort = true;
    side_release(&t->sides[1]); /* its deadline goes with it */
    finish_table(t);
    net_world_run(&t->w, 40 * USEC_PER_MSEC);
}

static void what_was_refused_is_offered_again_with_what_follows(struct table *t)
{
    start_listening(t);
    t->accepted_like = (struct side){.refuse = 10000, .finish = true};
    t->sides[0] = (struct side){.to_send = 100};
    start_connecting(t, &t->sides[0]);
    while ((t->accepted == 0 || t->sides[1].offers == 0) && net_world_step(&t->w))
        continue;
    struct side *reader = &t->sides[1];
    unsigned offers = reader->offers;
    stream_resume(reader->s);
    while (reader->offers == offers && net_world_step(&t->w))
        continue;
    assert_int_equal(reader->largest_offer, 100);
    assert_int_equal(reader->received, 0);
    while (t->sides[0].to_send < 10000) {
        t->sides[0].to_send += 900;
        pump(&t->sides[0]);
        net_world_run(&t->w, (t->w.kind->kernel ? 1 : 100) * USEC_PER_MSEC);
    }
    while (reader->received == 0 && net_world_step(&t->w))
        continue;
    assert_true(reader->received >= 10000);
    reader->refuse = 0;
    t->sides[0].finish = true;
    pump(&t->sides[0]);
    finish_table(t);
    assert_int_equal(reader->received, t->sides[0].sent);
}

static void the_end_is_told_although_octets_are_left_unused(struct table *t)
{
    start_listening(t);
    t->accepted_like = (struct side){.refuse = SIZE_MAX};
    t->sides[0] = (struct side){.to_send = 100, .finish = true};
    start_connecting(t, &t->sides[0]);
    while ((t->accepted == 0 || !t->sides[1].ended) && net_world_step(&t->w))
        continue;
    assert_true(t->sides[1].ended);
    assert_int_equal(t->sides[1].left, 100);
    t->sides[1].finish = true;
    pump(&t->sides[1]);
    net_world_run(&t->w, 50 * USEC_PER_MSEC);
    assert_false(t->sides[1].closed); /* what is left can still be used */
    t->sides[1].refuse = 0;
    stream_resume(t->sides[1].s);
    finish_table(t);
    assert_int_equal(t->sides[1].received, 100);
    assert_int_equal(t->sides[1].error, 0);
}

static void two_hundred_connect_at_once(struct table *t)
{
    enum { COUNT = 200 };
    start_listening(t);
    t->accepted_like = (struct side){.echo = true, .finish = true};
    struct side *clients = calloc(COUNT, sizeof *clients);
    assert_non_null(clients);
    for (size_t i = 0; i < COUNT; i++) {
        clients[i] = (struct side){.to_send = 1000 + i, .finish = true};
        start_connecting(t, &clients[i]);
    }
    size_t done = 0;
    while (done < COUNT && net_world_step(&t->w)) {
        done = 0;
        for (size_t i = 0; i < COUNT; i++)
            done += clients[i].closed;
    }
    finish_table(t);
    assert_int_equal(t->accepted, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(clients[i].error, 0);
        assert_int_equal(clients[i].received, 1000 + i);
    }
    free(clients);
}

static void both_ends_know_each_other(struct table *t)
{
    start_listening(t);
    start_connecting(t, &t->sides[0]);
    while ((t->accepted == 0 || !t->sides[0].opened) && net_world_step(&t->w))
        continue;
    struct endpoint a = stream_local(t->sides[0].s);
    struct endpoint b = stream_peer(t->sides[1].s);
    assert_true(endpoint_equal(&a, &b));
    a = stream_peer(t->sides[0].s);
    b = stream_local(t->sides[1].s);
    assert_true(endpoint_equal(&a, &b));
    assert_true(address_equal(&a.address, &t->w.address));
    side_release(&t->sides[0]);
    side_release(&t->sides[1]);
}

static void a_stream_may_go_in_each_of_its_callbacks(struct table *t)
{
    start_listening(t);
    for (int moment = AT_OPEN; moment <= AT_DEADLINE; moment++) {
        for (int abort = 0; abort < 2; abort++) {
            t->accepted = 0;
            t->accepted_like = (struct side){.to_send = 10, .finish = true};
            t->sides[0] = (struct side){.to_send = 10, .close_at = (enum moment)moment,
                                        .abort = abort == 1};
            if (moment == AT_ROOM)
                t->sides[0].to_send = 6 * 1024 * 1024;
            start_connecting(t, &t->sides[0]);
            if (moment == AT_DEADLINE)
                stream_set_deadline(t->sides[0].s, loop_now(t->w.loop) + 5 * USEC_PER_MSEC);
            while (t->sides[0].s != NULL && net_world_step(&t->w))
                continue;
            /* A reset may overtake the acceptance, or be lost. */
            net_world_run(&t->w, 20 * USEC_PER_MSEC);
            if (t->w.kind->impaired && t->sides[1].s != NULL)
                side_release(&t->sides[1]);
            while (!all_gone(t) && net_world_step(&t->w))
                continue;
            static const char *const names[] = {"", "open", "bytes", "end", "room", "deadline"};
            CHECK(names[moment], t->sides[0].s == NULL && !t->sides[0].closed);
            if (!t->w.kind->impaired)
                CHECK(names[moment], t->accepted == 0 || t->sides[1].closed);
        }
    }
    for (int abort = 0; abort < 2; abort++) {
        t->accepted = 0;
        t->accepted_like = (struct side){.close_at = AT_OPEN, .abort = abort == 1};
        t->sides[0] = (struct side){.to_send = 10, .finish = true};
        start_connecting(t, &t->sides[0]);
        while (t->sides[0].s != NULL && net_world_step(&t->w))
            continue;
        CHECK_EQUAL("closed in on_accept", t->sides[0].error, abort == 1 ? ECONNRESET : 0);
    }
}

static void a_listener_may_go_in_its_callback(struct table *t)
{
    start_listening(t);
    t->close_listener = true;
    t->accepted_like = (struct side){.echo = true, .finish = true};
    t->sides[0] = (struct side){.to_send = 1000, .finish = true};
    start_connecting(t, &t->sides[0]);
    finish_table(t);
    assert_null(t->listener);
    assert_int_equal(t->sides[0].received, 1000);
    struct table *again = calloc(1, sizeof *again);
    again->w = t->w;
    start_connecting(again, &again->sides[0]);
    while (again->sides[0].s != NULL && net_world_step(&t->w))
        continue;
    assert_int_equal(again->sides[0].error, ECONNREFUSED);
    free(again);
}

static void a_connection_may_be_given_up_before_it_opens(struct table *t)
{
    start_listening(t);
    for (int abort = 0; abort < 2; abort++) {
        t->sides[0] = (struct side){.abort = abort == 1};
        start_connecting(t, &t->sides[0]);
        side_release(&t->sides[0]);
        net_world_run(&t->w, 5 * USEC_PER_MSEC);
    }
    net_world_run(&t->w, USEC_PER_MSEC * 50);
    for (size_t i = 1; i <= t->accepted; i++)
        if (t->sides[i].s != NULL)
            side_release(&t->sides[i]);
}

static void a_port_has_one_listener(struct table *t)
{
    start_listening(t);
    struct listener *second;
    struct listen_options options = {.local = listener_local(t->listener)};
    assert_int_equal(net_listen(t->w.server, &options, &accept_handler, t, &second), -EADDRINUSE);
}

static void handlers_may_be_empty(struct table *t)
{
    static const struct stream_handler nothing;
    start_listening(t);
    struct endpoint to = listener_local(t->listener);
    struct stream *s;
    t->accepted_like = (struct side){.to_send = 100000};
    assert_int_equal(net_connect(t->w.client, &to, NULL, &nothing, NULL, &s), 0);
    stream_set_deadline(s, loop_now(t->w.loop) + USEC_PER_MSEC);
    while ((t->accepted == 0 || t->sides[1].sent < 100000) && net_world_step(&t->w))
        continue;
    net_world_run(&t->w, 5 * USEC_PER_MSEC);
    stream_close(s);
    while (!t->sides[1].ended && net_world_step(&t->w))
        continue;
    assert_true(t->sides[1].ended);
    side_release(&t->sides[1]);
}

/* ---- datagrams ---- */

struct talker {
    struct net_world *w;
    struct dgram *d;
    bool lean;
    bool echo;
    bool close; /* in the callback */
    unsigned messages;
    unsigned errors;
    int error;
    struct endpoint from, to, error_to;
    size_t len;
    bool has_interface;
};

static void on_message(void *self, struct dgram *d, const struct dgram_message *m)
{
    struct talker *talker = self;
    assert_int_equal(calls, 0);
    assert_ptr_equal(talker->d, d);
    talker->messages++;
    talker->from = m->from;
    talker->to = m->to;
    talker->len = m->payload.len;
    talker->has_interface = m->has_interface;
    for (size_t i = 0; i < m->payload.len; i++)
        assert_int_equal(m->payload.data[i], octet_at(i));
    if (talker->echo) {
        struct dgram_message answer = {.to = m->from, .from = m->to, .payload = m->payload};
        calls++;
        assert_int_equal(dgram_send(d, &answer), 0);
        calls--;
    }
    if (talker->close) {
        dgram_close(d);
        talker->d = NULL;
    }
}

static void on_datagram_error(void *self, struct dgram *d, const struct endpoint *to, int error)
{
    struct talker *talker = self;
    assert_int_equal(calls, 0);
    assert_ptr_equal(talker->d, d);
    talker->errors++;
    talker->error = error;
    talker->error_to = *to;
}

static const struct dgram_handler talker_handler = {on_message, on_datagram_error};

static void start_talking(struct table *t, struct talker *talker, struct net *net,
                          const struct ip_address *address)
{
    struct dgram_options options = {.local = {*address, 0}, .lean = talker->lean};
    talker->w = &t->w;
    assert_int_equal(net_bind(net, &options, &talker_handler, talker, &talker->d), 0);
    assert_true(dgram_local(talker->d).port != 0);
}

/* Sends until it is answered: the wire may lose some. */
static void ask(struct talker *talker, const struct endpoint *to, size_t len)
{
    static uint8_t payload[10000];
    for (size_t i = 0; i < len; i++)
        payload[i] = octet_at(i);
    struct dgram_message message = {.to = *to, .payload = bytes_of(payload, len)};
    unsigned messages = talker->messages;
    unsigned errors = talker->errors;
    for (int attempt = 0; attempt < 40; attempt++) {
        calls++;
        int status = dgram_send(talker->d, &message);
        calls--;
        assert_int_equal(status, 0);
        usec until = loop_now(talker->w->loop) + 400 * USEC_PER_MSEC;
        while (talker->messages == messages && talker->errors == errors &&
               loop_now(talker->w->loop) < until && net_world_step(talker->w))
            continue;
        if (talker->messages > messages || talker->errors > errors)
            return;
    }
}

static void check_echo(struct table *t, bool lean)
{
    static const size_t sizes[] = {0, 1, 512, 1472};
    struct talker server = {.echo = true, .lean = lean};
    struct talker client = {.lean = lean};
    start_talking(t, &server, t->w.server, &t->w.address);
    start_talking(t, &client, t->w.client, &t->w.client_address);
    struct endpoint to = dgram_local(server.d);
    struct endpoint from = dgram_local(client.d);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        unsigned before = client.messages;
        ask(&client, &to, sizes[i]);
        CHECK("echo", client.messages > before);
        CHECK_EQUAL("echo", client.len, sizes[i]);
        CHECK("from the server", endpoint_equal(&client.from, &to));
        CHECK("to the client", endpoint_equal(&client.to, &from));
        CHECK("from the client", endpoint_equal(&server.from, &from));
        CHECK("to the server", endpoint_equal(&server.to, &to));
        CHECK("interface", server.has_interface || lean);
    }
    dgram_close(client.d);
    dgram_close(server.d);
}

static void datagrams_come_back_from_an_echo(struct table *t)
{
    check_echo(t, false);
    check_echo(t, true);
}

static void a_datagram_to_a_closed_port_comes_back_as_an_error(struct table *t)
{
    struct talker client = {0};
    start_talking(t, &client, t->w.client, &t->w.client_address);
    struct endpoint to = {t->w.address, 9};
    ask(&client, &to, 10);
    assert_true(client.errors > 0);
    assert_int_equal(client.error, ECONNREFUSED);
    assert_true(endpoint_equal(&client.error_to, &to));
    /* And the socket goes on. */
    struct talker server = {.echo = true};
    start_talking(t, &server, t->w.server, &t->w.address);
    to = dgram_local(server.d);
    ask(&client, &to, 10);
    assert_int_equal(client.messages, 1);
    dgram_close(client.d);
    dgram_close(server.d);
}

static void a_datagram_socket_may_go_in_its_callback(struct table *t)
{
    struct talker server = {.close = true};
    struct talker client = {0};
    start_talking(t, &server, t->w.server, &t->w.address);
    start_talking(t, &client, t->w.client, &t->w.client_address);
    struct endpoint to = dgram_local(server.d);
    ask(&client, &to, 10); /* is answered with an error, the second time at the latest */
    assert_int_equal(server.messages, 1);
    assert_null(server.d);
    dgram_close(client.d);
}

static void a_port_has_one_datagram_socket(struct table *t)
{
    struct talker first = {0};
    struct talker second = {0};
    start_talking(t, &first, t->w.server, &t->w.address);
    struct dgram_options options = {.local = dgram_local(first.d)};
    assert_int_equal(net_bind(t->w.server, &options, &talker_handler, &second, &second.d),
                     -EADDRINUSE);
    dgram_close(first.d);
}

/* ---- every case in every world ---- */

static const struct {
    const char *name;
    void (*run)(struct table *t);
} cases[] = {
    {"octets come back from an echo", octets_come_back_from_an_echo},
    {"a slow reader slows the writer, and loses nothing",
     a_slow_reader_slows_the_writer_and_loses_nothing},
    {"what is sent at once is not queued behind a slow reader",
     what_is_sent_at_once_is_not_queued_behind_a_slow_reader},
    {"pieces sent at once keep their order with others",
     pieces_sent_at_once_keep_their_order_with_others},
    {"pieces of all sizes keep their order", pieces_of_all_sizes_keep_their_order},
    {"both directions are full at the same time", both_directions_are_full_at_the_same_time},
    {"the client may end first and still listen", the_client_may_end_first_and_still_listen},
    {"the server may end first and still listen", the_server_may_end_first_and_still_listen},
    {"nobody listens: ECONNREFUSED", nobody_listens},
    {"a reset is told", a_reset_is_told},
    {"a reset is told to one who only sends", a_reset_is_told_to_one_who_only_sends},
    {"what is queued is delivered after close", what_is_queued_is_delivered_after_close},
    {"what is queued is delivered after leaving", what_is_queued_is_delivered_after_leaving},
    {"a client that speaks first is answered and left",
     a_client_that_speaks_first_is_answered_and_left},
    {"what is queued is delivered although the peer still sends",
     what_is_queued_is_delivered_although_the_peer_still_sends},
    {"deadlines come once and in time", deadlines_come_once_and_in_time},
    {"what was refused is offered again with what follows",
     what_was_refused_is_offered_again_with_what_follows},
    {"the end is told although octets are left unused",
     the_end_is_told_although_octets_are_left_unused},
    {"two hundred connect at once", two_hundred_connect_at_once},
    {"both ends know each other", both_ends_know_each_other},
    {"a stream may go in each of its callbacks", a_stream_may_go_in_each_of_its_callbacks},
    {"a listener may go in its callback", a_listener_may_go_in_its_callback},
    {"a connection may be given up before it opens", a_connection_may_be_given_up_before_it_opens},
    {"a port has one listener", a_port_has_one_listener},
    {"handlers may be empty", handlers_may_be_empty},
    {"datagrams come back from an echo", datagrams_come_back_from_an_echo},
    {"a datagram to a closed port comes back as an error",
     a_datagram_to_a_closed_port_comes_back_as_an_error},
    {"a datagram socket may go in its callback", a_datagram_socket_may_go_in_its_callback},
    {"a port has one datagram socket", a_port_has_one_datagram_socket},
};

static const struct net_world_kind worlds[] = {
    {.name = "kernel", .kernel = true},
    {.name = "stack"},
    {.name = "stack, bad wire", .impaired = true},
    {.name = "TLS, kernel", .kernel = true, .tls = true},
    {.name = "TLS, stack", .tls = true},
    {.name = "TLS, stack, bad wire", .impaired = true, .tls = true},
};

struct run {
    char name[96];
    size_t number;
    const struct net_world_kind *world;
};

static uint64_t seed = 1;

static void run_case(void **state)
{
    const struct run *run = *state;
    size_t descriptors = open_descriptors();
    struct table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    net_world_open(&t->w, run->world, seed);
    cases[run->number].run(t);
    if (t->listener != NULL)
        listener_close(t->listener);
    net_world_close(&t->w);
    free(t);
    assert_int_equal(open_descriptors(), descriptors);
}

/* test_net_contract [SEED [FILTER]] */
int main(int argc, char **argv)
{
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    enum { RUNS = ARRAY_LEN(cases) * ARRAY_LEN(worlds) };
    static struct run runs[RUNS];
    static struct CMUnitTest tests[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        runs[i].number = i % ARRAY_LEN(cases);
        runs[i].world = &worlds[i / ARRAY_LEN(cases)];
        snprintf(runs[i].name, sizeof runs[i].name, "%s: %s", runs[i].world->name,
                 cases[runs[i].number].name);
        tests[i] = (struct CMUnitTest){.name = runs[i].name,
                                       .test_func = run_case,
                                       .initial_state = &runs[i]};
    }
    return _cmocka_run_group_tests("net contract", tests, RUNS, NULL, NULL);
}
