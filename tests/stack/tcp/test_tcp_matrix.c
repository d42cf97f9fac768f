/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_matrix.c - every state against every kind of segment: flags, where it lies in the window,
 * what it acknowledges, with text and without. What has to come of it says the model in
 * tests/support/tcp_model.c, which is RFC 9293 §3.10.7; where we do otherwise on purpose says the list
 * of deviations below, each with its reason.
 *
 *      test_tcp_matrix             all of them
 *      test_tcp_matrix --table     the kinds that have names, as a table for docs/protocols/tcp.md
 */
#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/tcp_model.h"
#include "tests/support/tcp_script_internal.h"

enum { WINDOW = 50000, TEXT = 100, LINES_MAX = 24, COMPLAINTS_MAX = 40 };

/* How a state is reached, by segments, and the numbers that it then has. */
struct row {
    const char *name;
    const char *lines[LINES_MAX];
    struct model_tcb tcb;
};

#define OPENING                                                                                    \
    "receive 4000", "listen", "< S 0 win 60000 mss 1000", "> SA 0 ack 1 win 4000",                 \
        "< A 1 ack 1 win 60000", "accept", "listener opened", "< PA 1:101 ack 1 win 60000",        \
        "> A 1 ack 101 win 3900", "events readable"

#define NUMBERS(una, nxt, wl1, wl2, next, offered)                                                 \
    .snd_una = (una), .snd_nxt = (nxt), .snd_wnd = 60000, .snd_wl1 = (wl1), .snd_wl2 = (wl2),      \
    .snd_wnd_max = 60000, .rcv_nxt = (next), .rcv_wnd = (offered)

static const struct row rows[] = {
    {"CLOSED", {"receive 4000"}, {TCP_CLOSED, false, false, NUMBERS(0, 1, 0, 0, 101, 3900)}},
    {"LISTEN",
     {"receive 4000", "listen"},
     {TCP_LISTEN, false, false, NUMBERS(0, 1, 0, 0, 101, 3900)}},
    {"SYN-SENT",
     {"receive 4000", "connect", "> S 0 win 4000"},
     {TCP_SYN_SENT, false, false, NUMBERS(0, 1, 0, 0, 101, 3900)}},
    {"SYN-RECEIVED, passive",
     {"receive 4000", "listen", "< S 0 win 60000 mss 1000", "> SA 0 ack 1 win 4000"},
     {TCP_SYN_RECEIVED, true, false, NUMBERS(0, 1, 0, 0, 1, 4000)}},
    {"SYN-RECEIVED, active",
     {"receive 4000", "connect", "> S 0 win 4000", "< S 0 win 60000 mss 1000",
      "> SA 0 ack 1 win 4000"},
     {TCP_SYN_RECEIVED, false, false, NUMBERS(0, 1, 0, 0, 1, 4000)}},
    {"ESTABLISHED",
     {OPENING, "write 800", "> PA 1:801 ack 101 win 3900"},
     {TCP_ESTABLISHED, true, false, NUMBERS(1, 801, 1, 1, 101, 3900)}},
    {"ESTABLISHED, window 0",
     {OPENING, "< A 101:1101 ack 1 win 60000", "> A 1 ack 1101 win 2900",
      "< A 1101:2101 ack 1 win 60000", "> A 1 ack 2101 win 1900", "< A 2101:3101 ack 1 win 60000",
      "> A 1 ack 3101 win 900", "< A 3101:4001 ack 1 win 60000", "> A 1 ack 4001 win 0",
      "write 800", "> PA 1:801 ack 4001 win 0", "events readable"},
     {TCP_ESTABLISHED, true, false, NUMBERS(1, 801, 3101, 1, 4001, 0)}},
    {"FIN-WAIT-1",
     {OPENING, "write 800", "finish", "> FPA 1:801 ack 101 win 3900"},
     {TCP_FIN_WAIT_1, true, true, NUMBERS(1, 802, 1, 1, 101, 3900)}},
    {"FIN-WAIT-2",
     {OPENING, "finish", "> FA 1 ack 101 win 3900", "< A 101 ack 2 win 60000"},
     {TCP_FIN_WAIT_2, true, true, NUMBERS(2, 2, 101, 2, 101, 3900)}},
    {"CLOSE-WAIT",
     {OPENING, "write 800", "> PA 1:801 ack 101 win 3900", "< FA 101 ack 1 win 60000",
      "> A 801 ack 102 win 3899", "events end"},
     {TCP_CLOSE_WAIT, true, false, NUMBERS(1, 801, 101, 1, 102, 3899)}},
    {"CLOSING",
     {OPENING, "finish", "> FA 1 ack 101 win 3900", "< FA 101 ack 1 win 60000",
      "> A 2 ack 102 win 3899", "events end"},
     {TCP_CLOSING, true, true, NUMBERS(1, 2, 101, 1, 102, 3899)}},
    {"LAST-ACK",
     {OPENING, "< FA 101 ack 1 win 60000", "> A 1 ack 102 win 3899", "finish",
      "> FA 1 ack 102 win 3899", "events end"},
     {TCP_LAST_ACK, true, true, NUMBERS(1, 2, 101, 1, 102, 3899)}},
    {"TIME-WAIT",
     {OPENING, "finish", "> FA 1 ack 101 win 3900", "< FA 101 ack 2 win 60000",
      "> A 2 ack 102 win 3899", "events end finished"},
     {TCP_TIME_WAIT, true, true, NUMBERS(2, 2, 101, 2, 102, 3899)}},
};

/* Where a segment begins. */
enum seq_place {
    SEQ_OLD,     /* all of it has been seen */
    SEQ_IRS,     /* the peer's SYN */
    SEQ_OVERLAP, /* 50 octets of it have been seen */
    SEQ_BEFORE,  /* one less than expected */
    SEQ_NEXT,    /* RCV.NXT */
    SEQ_AHEAD,   /* in the window, behind a hole */
    SEQ_LAST,    /* the last number of the window */
    SEQ_EDGE,    /* the first number beyond */
    SEQ_BEYOND,
    SEQ_PLACE_COUNT
};

/* What it acknowledges. */
enum ack_place {
    ACK_UNA,
    ACK_NXT,
    ACK_PART, /* some of what is outstanding */
    ACK_HIGH, /* SND.NXT + 1 */
    ACK_OLD,  /* SND.UNA - 1 */
    ACK_LOWEST, /* SND.UNA - MAX.SND.WND */
    ACK_LOW,  /* one less */
    ACK_PLACE_COUNT
};

static uint32_t seq_at(const struct model_tcb *tcb, enum seq_place place)
{
    switch (place) {
    case SEQ_OLD:
        return tcb->rcv_nxt - 300;
    case SEQ_IRS:
        return 0;
    case SEQ_OVERLAP:
        return tcb->rcv_nxt - 50;
    case SEQ_BEFORE:
        return tcb->rcv_nxt - 1;
    case SEQ_NEXT:
        return tcb->rcv_nxt;
    case SEQ_AHEAD:
        return tcb->rcv_nxt + 1000;
    case SEQ_LAST:
        return tcb->rcv_nxt + tcb->rcv_wnd - 1;
    case SEQ_EDGE:
        return tcb->rcv_nxt + tcb->rcv_wnd;
    case SEQ_BEYOND:
        return tcb->rcv_nxt + tcb->rcv_wnd + 500;
    case SEQ_PLACE_COUNT:
        break;
    }
    return 0;
}

static uint32_t ack_at(const struct model_tcb *tcb, enum ack_place place)
{
    switch (place) {
    case ACK_UNA:
        return tcb->snd_una;
    case ACK_NXT:
        return tcb->snd_nxt;
    case ACK_PART:
        return tcb->snd_una + (tcb->snd_nxt - tcb->snd_una) / 2;
    case ACK_HIGH:
        return tcb->snd_nxt + 1;
    case ACK_OLD:
        return tcb->snd_una - 1;
    case ACK_LOWEST:
        return tcb->snd_una - tcb->snd_wnd_max;
    case ACK_LOW:
        return tcb->snd_una - tcb->snd_wnd_max - 1;
    case ACK_PLACE_COUNT:
        break;
    }
    return 0;
}

/* ---- where we deviate ---- */

static const char *const deviations[] = {
    "",
    "In SYN-RECEIVED every acknowledgement is our SYN,ACK once more: what is odd there mostly means "
    "that the first one was lost, and a peer in SYN-SENT could not use a bare ACK.",
    "In SYN-RECEIVED the SYN,ACK that figure 7 of §3.5 shows for a simultaneous open is looked at for "
    "its ACK, although its sequence number lies before the window.",
    "A SYN in the window of a passive SYN-RECEIVED does not end it: a blind one could (the reason of "
    "RFC 5961 §4).",
    "A segment without text may lie at the right edge of the window: it is where a peer that has "
    "filled the window stands, and its ACKs are news (cf. §3.10.7.4 on a window of zero).",
    "A FIN beyond the FIN that has come is none: nothing can come behind the end. RCV.NXT stays.",
    "A RST does not end TIME-WAIT, whose purpose it would defeat (RFC 1337 §3).",
};

static bool deviates_in_syn_received(const struct model_tcb *tcb, const struct model_segment *seg,
                                     struct model_reaction *out, unsigned *which)
{
    bool syn = (seg->flags & TCP_SYN) != 0;
    bool rst = (seg->flags & TCP_RST) != 0;
    if (syn && !rst && seg->seq == 0 && (seg->flags & TCP_ACK)) {
        struct model_segment again = *seg;
        again.flags &= (uint16_t)~TCP_SYN;
        again.seq++;
        tcp_model_arrives(tcb, &again, out);
        *which = 2;
        return true;
    }
    if (syn && !rst && out->tcb.state == TCP_LISTEN) {
        out->tcb.state = TCP_SYN_RECEIVED;
        out->reply = MODEL_ACK;
        *which = 3;
    }
    if (out->reply != MODEL_ACK || out->tcb.state != TCP_SYN_RECEIVED)
        return *which != 0;
    out->reply = MODEL_SYN_ACK;
    out->reply_seq = 0;
    out->reply_ack = out->tcb.rcv_nxt;
    if (*which == 0)
        *which = 1;
    return true;
}

/* Changes what the RFC wants to what we do on purpose. Returns which deviation; 0: none. */
static unsigned deviate(const struct model_tcb *tcb, const struct model_segment *seg,
                        struct model_reaction *out)
{
    unsigned which = 0;
    bool fin_came = tcb->state == TCP_CLOSE_WAIT || tcb->state == TCP_CLOSING ||
                    tcb->state == TCP_LAST_ACK || tcb->state == TCP_TIME_WAIT;
    bool syn = (seg->flags & TCP_SYN) != 0;
    bool rst = (seg->flags & TCP_RST) != 0;
    bool fin = (seg->flags & TCP_FIN) != 0;
    bool edge = !syn && !rst && !fin && seg->len == 0 && seg->seq == tcb->rcv_nxt + tcb->rcv_wnd;
    if (tcb->state > TCP_SYN_SENT && edge && tcb->rcv_wnd > 0) {
        struct model_segment next = *seg;
        next.seq = tcb->rcv_nxt;
        tcp_model_arrives(tcb, &next, out);
        which = 4;
    }
    if (tcb->state == TCP_SYN_RECEIVED)
        (void)deviates_in_syn_received(tcb, seg, out, &which);
    if (fin_came && fin && out->tcb.rcv_nxt != tcb->rcv_nxt && !out->anew) {
        struct model_segment without = *seg;
        without.flags &= (uint16_t)~TCP_FIN;
        tcp_model_arrives(tcb, &without, out);
        return 5;
    }
    if (tcb->state == TCP_TIME_WAIT && out->tcb.state == TCP_CLOSED && rst) {
        *out = (struct model_reaction){.tcb = *tcb};
        return 6;
    }
    return which;
}

/* ---- one case ---- */

struct result {
    enum tcp_state state;
    size_t sent;            /* segments */
    struct caught reply;
    unsigned events;
    uint32_t delivered;
    uint32_t held;
    const struct tcp_connection *c; /* NULL: there is none, or it is a mere entry */
};

static void tell_flags(uint16_t flags, char out[8])
{
    static const char letters[] = "FSRPAU";
    size_t len = 0;
    for (size_t i = 0; letters[i] != '\0'; i++)
        if (flags & (1u << i))
            out[len++] = letters[i];
    if (len == 0)
        out[len++] = '.';
    out[len] = '\0';
}

static void play_line(struct play *p, const char *text)
{
    char line[256];
    snprintf(line, sizeof line, "%s", text);
    p->line++;
    script_line(p, line);
}

static void inject(struct play *p, const struct model_segment *seg)
{
    char line[256];
    char flags[8];
    tell_flags(seg->flags, flags);
    int len = snprintf(line, sizeof line, "< %s %u:%lu win %u", flags, seg->seq,
                       (unsigned long)seg->seq + seg->len, seg->window);
    if (seg->flags & TCP_ACK)
        snprintf(line + len, sizeof line - (size_t)len, " ack %u", seg->ack);
    script_line(p, line);
}

static enum tcp_state state_now(struct play *p, const struct tcp_connection **c)
{
    size_t place = 0;
    *c = tcp_each(p->s.stack, &place);
    if (*c != NULL)
        return tcp_state(*c);
    struct tcp_entry_info entry;
    place = 0;
    if (tcp_each_entry(p->s.stack, &place, &entry))
        return entry.state;
    if (p->c != NULL)
        return tcp_state(p->c);
    return p->listener != NULL ? TCP_LISTEN : TCP_CLOSED;
}

static void observe(struct play *p, uint32_t received_before, struct result *out)
{
    script_pass_time(p, 100 * USEC_PER_MSEC); /* an acknowledgement may be delayed */
    *out = (struct result){.sent = p->caught_count, .reply = p->caught[0]};
    p->caught_count = 0;
    out->state = state_now(p, &out->c);
    out->events = p->events;
    if (p->listener_events & SOCKET_OPENED) {
        out->events |= SOCKET_OPENED;
        p->c = tcp_accept(p->listener, p);
        DEMAND(p, p->c != NULL, "nothing to accept");
        script_take_events(p);
        out->events |= p->events;
    }
    if (p->c == NULL)
        return;
    out->delivered = (uint32_t)tcp_received_len(p->c) - received_before;
    if (tcp_state(p->c) != TCP_CLOSED && p->c->reorder != NULL)
        out->held = p->c->reorder->octets;
}

struct complaint {
    const struct row *row;
    const struct model_segment *seg;
    unsigned count;
};

static void complain(struct complaint *about, const char *what, long got, long want)
{
    char flags[8];
    if (about->count++ >= COMPLAINTS_MAX)
        return;
    tell_flags(about->seg->flags, flags);
    printf("%s, segment %s at %d, %u octets, ack %d: %s is %ld, not %ld\n", about->row->name,
           flags, (int)about->seg->seq, about->seg->len, (int)about->seg->ack, what, got, want);
}

static void same(struct complaint *about, const char *what, uint32_t got, uint32_t want)
{
    if (got != want)
        complain(about, what, (int32_t)got, (int32_t)want);
}

static uint16_t flags_of_reply(enum model_reply reply)
{
    static const uint16_t flags[] = {
        [MODEL_SILENT] = 0,
        [MODEL_ACK] = TCP_ACK,
        [MODEL_RST] = TCP_RST,
        [MODEL_RST_ACK] = TCP_RST | TCP_ACK,
        [MODEL_SYN_ACK] = TCP_SYN | TCP_ACK,
    };
    return flags[reply];
}

static void compare_reply(struct play *p, struct complaint *about, const struct result *got,
                          const struct model_reaction *want)
{
    same(about, "count of answers", (uint32_t)got->sent, want->reply != MODEL_SILENT);
    if (got->sent != 1 || want->reply == MODEL_SILENT)
        return;
    const struct tcp_header *header = &got->reply.header;
    bool ack = want->reply != MODEL_RST;
    same(about, "the answer's flags", header->flags, flags_of_reply(want->reply));
    /* The answer to nobody's segment has 0 as it stands. */
    uint32_t base = want->reply == MODEL_RST_ACK ? 0 : p->our_iss;
    if (want->anew)
        same(about, "a new ISN beyond the old numbers", header->sequence - base - 2 < 1u << 31, 1);
    else
        same(about, "the answer's sequence", header->sequence - base, want->reply_seq);
    same(about, "the answer's acknowledgement", header->acknowledgement - (ack ? p->peer_iss : 0),
         ack ? want->reply_ack : 0);
}

static void compare_numbers(struct play *p, struct complaint *about,
                            const struct tcp_connection *c, const struct model_tcb *want)
{
    same(about, "SND.UNA", c->snd_una.n - p->our_iss, want->snd_una);
    same(about, "SND.NXT", c->snd_nxt.n - p->our_iss, want->snd_nxt);
    same(about, "RCV.NXT", c->rcv_nxt.n - p->peer_iss, want->rcv_nxt);
    same(about, "SND.WND", c->snd_wnd, want->snd_wnd);
}

static void compare(struct play *p, struct complaint *about, const struct result *got,
                    const struct model_reaction *want)
{
    static const unsigned looked_at = SOCKET_OPENED | SOCKET_READABLE | SOCKET_END |
                                      SOCKET_FAILED | SOCKET_FINISHED;
    same(about, "the state", got->state, want->tcb.state);
    compare_reply(p, about, got, want);
    if (!want->anew) {
        same(about, "events", got->events & looked_at, want->events);
        same(about, "octets delivered", got->delivered, want->delivered);
        same(about, "octets held", got->held, want->held);
    }
    bool numbers = want->tcb.state >= TCP_ESTABLISHED && want->tcb.state != TCP_TIME_WAIT;
    if (numbers && got->c != NULL && got->state == want->tcb.state)
        compare_numbers(p, about, got->c, &want->tcb);
}

static void open_row(struct play *p, const struct row *row)
{
    *p = (struct play){.path = row->name};
    for (size_t i = 0; i < LINES_MAX && row->lines[i] != NULL; i++)
        play_line(p, row->lines[i]);
    script_open(p);
    p->events = 0;
    p->listener_events = 0;
}

/* What comes of the segment in that state; `want` is what should. Returns the deviation. */
static unsigned try(const struct row *row, const struct model_segment *seg,
                    struct complaint *about, struct model_reaction *want)
{
    static struct play p;
    struct result got;
    open_row(&p, row);
    uint32_t received = p.c != NULL ? (uint32_t)tcp_received_len(p.c) : 0;
    tcp_model_arrives(&row->tcb, seg, want);
    unsigned which = deviate(&row->tcb, seg, want);
    about->row = row;
    about->seg = seg;
    inject(&p, seg);
    observe(&p, received, &got);
    compare(&p, about, &got, want);
    if (p.c != NULL && tcp_received_len(p.c) > 0 && row->tcb.rcv_nxt == 101 &&
        row->tcb.state != TCP_SYN_SENT) {
        char line[64];
        snprintf(line, sizeof line, "read %zu", tcp_received_len(p.c));
        script_line(&p, line); /* which looks at the octets */
    }
    one_stack_close(&p.s);
    return which;
}

/* ---- all of them ---- */

static const uint16_t all_flags[] = {
    TCP_ACK,
    TCP_ACK | TCP_PSH,
    TCP_ACK | TCP_URG,
    TCP_ACK | TCP_FIN,
    TCP_ACK | TCP_SYN,
    TCP_ACK | TCP_RST,
    TCP_ACK | TCP_SYN | TCP_FIN,
    TCP_ACK | TCP_SYN | TCP_RST,
    TCP_ACK | TCP_FIN | TCP_RST,
    TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG,
    0,
    TCP_PSH,
    TCP_URG,
    TCP_FIN,
    TCP_SYN,
    TCP_RST,
    TCP_SYN | TCP_FIN,
    TCP_SYN | TCP_RST,
    TCP_FIN | TCP_RST,
};

/* RFC 9293 MUST-11, MUST-12, MUST-66, SHLD-2, SHLD-31, MAY-12, MAY-13 */
static void every_segment_in(void **state)
{
    const struct row *row = *state;
    struct complaint about = {0};
    unsigned cases = 0;
    for (size_t f = 0; f < ARRAY_LEN(all_flags); f++) {
        unsigned acks = all_flags[f] & TCP_ACK ? ACK_PLACE_COUNT : 1;
        for (unsigned s = 0; s < SEQ_PLACE_COUNT; s++) {
            for (unsigned i = 0; i < acks * 2; i++) {
                struct model_segment seg = {
                    .flags = all_flags[f],
                    .seq = seq_at(&row->tcb, s),
                    .ack = ack_at(&row->tcb, i / 2),
                    .len = i % 2 * TEXT,
                    .window = WINDOW,
                };
                struct model_reaction want;
                (void)try(row, &seg, &about, &want);
                cases++;
            }
        }
    }
    printf("# %s: %u segments, %u complaints\n", row->name, cases, about.count);
    assert_int_equal(about.count, 0);
}

/* ---- the table ---- */

static const struct kind {
    const char *name;
    uint16_t flags;
    enum seq_place seq;
    enum ack_place ack;
    uint32_t len;
} kinds[] = {
    {"ACK of all that was sent", TCP_ACK, SEQ_NEXT, ACK_NXT, 0},
    {"ACK of a part", TCP_ACK, SEQ_NEXT, ACK_PART, 0},
    {"ACK of nothing new", TCP_ACK, SEQ_NEXT, ACK_UNA, 0},
    {"ACK of what was never sent", TCP_ACK, SEQ_NEXT, ACK_HIGH, 0},
    {"ACK, old", TCP_ACK, SEQ_NEXT, ACK_OLD, 0},
    {"ACK, older than any window", TCP_ACK, SEQ_NEXT, ACK_LOW, 0},
    {"ACK with an old sequence number", TCP_ACK, SEQ_OLD, ACK_NXT, 0},
    {"ACK one before the window (keepalive)", TCP_ACK, SEQ_BEFORE, ACK_NXT, 0},
    {"ACK at the window's right edge", TCP_ACK, SEQ_EDGE, ACK_NXT, 0},
    {"ACK beyond the window", TCP_ACK, SEQ_BEYOND, ACK_NXT, 0},
    {"text, next", TCP_ACK, SEQ_NEXT, ACK_NXT, TEXT},
    {"text, old", TCP_ACK, SEQ_OLD, ACK_NXT, TEXT},
    {"text, half of it old", TCP_ACK, SEQ_OVERLAP, ACK_NXT, TEXT},
    {"text behind a hole", TCP_ACK, SEQ_AHEAD, ACK_NXT, TEXT},
    {"text over the right edge", TCP_ACK, SEQ_LAST, ACK_NXT, TEXT},
    {"text beyond the window", TCP_ACK, SEQ_BEYOND, ACK_NXT, TEXT},
    {"text that acknowledges what was never sent", TCP_ACK, SEQ_NEXT, ACK_HIGH, TEXT},
    {"text with an ACK older than any window", TCP_ACK, SEQ_NEXT, ACK_LOW, TEXT},
    {"text without ACK", 0, SEQ_NEXT, ACK_UNA, TEXT},
    {"text with URG", TCP_ACK | TCP_URG, SEQ_NEXT, ACK_NXT, TEXT},
    {"FIN, next", TCP_ACK | TCP_FIN, SEQ_NEXT, ACK_NXT, 0},
    {"FIN, next, our own not acknowledged", TCP_ACK | TCP_FIN, SEQ_NEXT, ACK_UNA, 0},
    {"FIN with text", TCP_ACK | TCP_FIN, SEQ_NEXT, ACK_NXT, TEXT},
    {"FIN, again", TCP_ACK | TCP_FIN, SEQ_BEFORE, ACK_NXT, 0},
    {"FIN behind a hole", TCP_ACK | TCP_FIN, SEQ_AHEAD, ACK_NXT, 0},
    {"FIN beyond the window", TCP_ACK | TCP_FIN, SEQ_BEYOND, ACK_NXT, 0},
    {"FIN without ACK", TCP_FIN, SEQ_NEXT, ACK_UNA, 0},
    {"SYN, the first again", TCP_SYN, SEQ_IRS, ACK_UNA, 0},
    {"SYN in the window", TCP_SYN, SEQ_AHEAD, ACK_UNA, 0},
    {"SYN, old", TCP_SYN, SEQ_OLD, ACK_UNA, 0},
    {"SYN beyond the window", TCP_SYN, SEQ_BEYOND, ACK_UNA, 0},
    {"SYN with text", TCP_SYN, SEQ_NEXT, ACK_UNA, TEXT},
    {"SYN,ACK of our SYN or of all", TCP_SYN | TCP_ACK, SEQ_IRS, ACK_NXT, 0},
    {"SYN,ACK with text", TCP_SYN | TCP_ACK, SEQ_IRS, ACK_NXT, TEXT},
    {"SYN,ACK in the window", TCP_SYN | TCP_ACK, SEQ_AHEAD, ACK_NXT, 0},
    {"SYN,ACK of what was never sent", TCP_SYN | TCP_ACK, SEQ_IRS, ACK_HIGH, 0},
    {"SYN,FIN", TCP_SYN | TCP_FIN, SEQ_NEXT, ACK_UNA, 0},
    {"RST at the very number", TCP_RST, SEQ_NEXT, ACK_UNA, 0},
    {"RST,ACK at the very number", TCP_RST | TCP_ACK, SEQ_NEXT, ACK_NXT, 0},
    {"RST with text", TCP_RST, SEQ_NEXT, ACK_UNA, TEXT},
    {"RST in the window", TCP_RST, SEQ_AHEAD, ACK_UNA, 0},
    {"RST, old", TCP_RST, SEQ_OLD, ACK_UNA, 0},
    {"RST beyond the window", TCP_RST, SEQ_BEYOND, ACK_UNA, 0},
    {"RST,ACK of what was never sent", TCP_RST | TCP_ACK, SEQ_NEXT, ACK_HIGH, 0},
    {"no flag at all", 0, SEQ_NEXT, ACK_UNA, 0},
    {"all flags", 0x3f, SEQ_NEXT, ACK_NXT, TEXT},
};

static void print_cell(const struct row *row, const struct model_reaction *did, unsigned which)
{
    static const char *const replies[] = {
        [MODEL_SILENT] = "",
        [MODEL_ACK] = "ACK ",
        [MODEL_RST] = "RST ",
        [MODEL_RST_ACK] = "RST,ACK ",
        [MODEL_SYN_ACK] = "SYN,ACK ",
    };
    char cell[128];
    size_t len = (size_t)snprintf(cell, sizeof cell, "%s", replies[did->reply]);
    if (did->delivered > 0)
        len += (size_t)snprintf(cell + len, sizeof cell - len, "+%u ", did->delivered);
    if (did->held > 0)
        len += (size_t)snprintf(cell + len, sizeof cell - len, "held %u ", did->held);
    if (did->tcb.state != row->tcb.state || did->anew)
        len += (size_t)snprintf(cell + len, sizeof cell - len, "→ %s ",
                                tcp_state_text(did->tcb.state));
    if (len == 0)
        len += (size_t)snprintf(cell + len, sizeof cell - len, "– ");
    if (which != 0)
        snprintf(cell + len, sizeof cell - len, "(%u) ", which);
    printf(" %s|", cell);
}

static void print_table(void **state)
{
    (void)state;
    struct complaint about = {0};
    printf("| segment |");
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        printf(" %s |", rows[r].name);
    printf("\n|---|");
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        printf("---|");
    printf("\n");
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        const struct kind *kind = &kinds[k];
        printf("| %s |", kind->name);
        for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
            const struct model_tcb *tcb = &rows[r].tcb;
            struct model_segment seg = {kind->flags, seq_at(tcb, kind->seq),
                                        ack_at(tcb, kind->ack), kind->len, WINDOW};
            struct model_reaction did;
            unsigned which = try(&rows[r], &seg, &about, &did);
            print_cell(&rows[r], &did, which);
        }
        printf("\n");
    }
    printf("\n");
    for (size_t i = 1; i < ARRAY_LEN(deviations); i++)
        printf("%zu. %s\n", i, deviations[i]);
    assert_int_equal(about.count, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--table") == 0) {
        const struct CMUnitTest table[] = {cmocka_unit_test(print_table)};
        return cmocka_run_group_tests(table, NULL, NULL);
    }
    static struct CMUnitTest tests[ARRAY_LEN(rows)];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        tests[i] = (struct CMUnitTest)cmocka_unit_test_prestate(every_segment_in, (void *)&rows[i]);
        tests[i].name = rows[i].name;
    }
    return _cmocka_run_group_tests("every segment in every state", tests, ARRAY_LEN(rows), NULL,
                                   NULL);
}
