/* SPDX-License-Identifier: ISC */
/*
 * script_play.h - a script being played: one stack, its sockets, the clock, and what has been seen
 * on the wire. Shared by the parts of the player.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_PLAY_H
#define WN_SIM_SCRIPT_SCRIPT_PLAY_H

#include "sim/script/script.h"
#include "sim/script/script_code.h"
#include "sim/script/script_packet.h"
#include "sim/script/script_settings.h"
#include "sim/script/script_symbols.h"
#include "sim/script/script_tree.h"
#include "stack/bsd/bsd.h"
#include "stack/tcp/tcp.h"

enum {
    PLAY_SEEN_MAX = 4096,       /* packets that no event has asked for yet */
    PLAY_DESCRIPTORS_MAX = 256,
    PLAY_TIMESTAMPS_MAX = 1024, /* values of the script that can be echoed */
    PLAY_PORT = 8080,           /* of a script's listeners, and of what it connects to */
    PLAY_PATIENCE = 2,          /* seconds after which a packet that has not come does not come */
    PLAY_STEPS_MAX = 1000000,   /* without that time passes: the stack is going round */
};

/* What the script has said of a socket, and what of its connection has been learnt. */
enum flow_state {
    FLOW_NEW,
    FLOW_LISTENING,
    FLOW_CONNECTING, /* the call was made */
    FLOW_SYN_SENT,
    FLOW_SYN_ACKED,
    FLOW_SYN_RECEIVED, /* from the wire */
    FLOW_SYN_ACK_SENT,
    FLOW_ESTABLISHED,
};

struct play_flow {
    struct play_flow *next; /* the one made before */
    enum flow_state state;
    enum script_packet_kind kind;
    int live_fd;            /* -1: not accepted yet */
    struct endpoint local, remote;
    /* Initial sequence numbers: the script's counts from them are ours plus these. */
    uint32_t script_local_isn, local_isn, remote_isn;
    /* Timestamps: the script's values and the stack's for the same packet. */
    struct {
        uint32_t script, live;
    } timestamps[PLAY_TIMESTAMPS_MAX];
    size_t timestamp_count;
    bool timestamp_seen;
    uint32_t first_script_timestamp, first_live_timestamp;
};

struct play_descriptor {
    bool open;
    int script, live;
    struct play_flow *flow; /* NULL: an epoll */
};

struct play_seen {
    usec at;
    struct script_live_packet live;
};

struct play;

enum call_step { CALL_WAIT, CALL_DONE, CALL_FAILED };

/* A system call under way. */
struct play_call {
    const struct script_event *event;
    const struct script_call *call;
    const struct call_row *row;
    usec began_at;
    usec script_end_at;  /* of a blocking one */
    usec deadline;       /* when it gives up waiting; USEC_NEVER */
    int live_fd;
    struct play_flow *flow;
    size_t done;
    long result;         /* or a negative errno */
    /* What is needed while it lasts, and for looking at the outcome. */
    uint8_t *buffer;
    size_t buffer_size;
    struct wn_msghdr message;
    struct wn_iovec *parts;
    struct wn_pollfd *polled;
    struct wn_epoll_event *events;
    size_t count;
    int flags;
    int value;
    uint8_t option[128];
    wn_socklen_t option_len;
};

struct play {
    const struct script_options *options;
    struct script *script;
    struct script_report *report;
    struct script_settings settings;
    struct script_names names;
    struct stack *stack;
    struct bsd *bsd;
    struct frame_pool *frames;
    unsigned interface;
    bool interface_made;
    bool failed;

    usec start;
    usec now;            /* as the stack has it */
    usec tolerance;
    unsigned tolerance_ppm;
    usec timestamp_tick; /* 0: values of outbound timestamps are not looked at */
    bool timestamp_scaled;
    bool strict_segments;
    struct ip_address local, remote, gateway;
    uint8_t prefix_len;
    uint16_t mtu;
    uint16_t next_port;
    uint16_t bind_port, connect_port;

    const struct script_event *event;
    const struct script_event *last_event;
    usec event_at, event_end_at; /* since the start, relative times resolved */
    usec event_offset;
    usec last_event_at;

    struct play_flow *flows; /* newest first */
    struct play_flow *under_test;
    struct play_descriptor descriptors[PLAY_DESCRIPTORS_MAX];
    size_t descriptor_count;

    struct play_seen *seen; /* a ring of PLAY_SEEN_MAX */
    size_t seen_first, seen_count;

    bool calling;
    struct play_call call;

    uint8_t packet[FRAME_PACKET_MAX];
};

/* ---- script_play.c ---- */

/* The first failure stays: at the event under way, or at `line`. Returns false. */
bool play_fail(struct play *p, const char *format, ...) PRINTF_LIKE(2, 3);
bool play_fail_at(struct play *p, uint32_t line, uint32_t column, const char *format, ...)
    PRINTF_LIKE(4, 5);
bool play_wrong(struct play *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* A line for who listens. */
bool play_listened(const struct play *p);
void play_tell(struct play *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* Virtual time since the start. */
static inline usec play_time(const struct play *p)
{
    return p->now - p->start;
}

/* Lets the stack do what it has to do now. False: failed. */
bool play_turn(struct play *p);

/* Turns the clock to `until`, or with `packet` only to where a packet is seen, or with `call` to
 * where the call under way is done. */
enum play_until { PLAY_TIME, PLAY_PACKET, PLAY_CALL };
bool play_advance(struct play *p, usec until, enum play_until what);

/* Is `at` when something should be? `since`: the event before, whose distance widens the
 * tolerance. */
bool play_time_fits(struct play *p, usec at, const char *what);
usec play_tolerance(const struct play *p, usec span);

/* Waits for the event's time, which must be now or to come. */
bool play_wait_for_event(struct play *p);

/* ---- script_flow.c ---- */

struct play_flow *play_flow_new(struct play *p, enum flow_state state);

/* The flow that an event's packet belongs to, made when it is a new one; NULL: failed. */
struct play_flow *play_flow_of_packet(struct play *p, const struct script_packet *packet);

/* Is the packet the stack has sent one of that flow? Learns what there is to learn of it. */
bool play_flow_sent(struct play *p, struct play_flow *flow, const struct script_packet *expected,
                    const struct script_live_packet *live);

/* From the script's numbers to the stack's, for a packet to put in. False: failed. */
bool play_flow_to_live(struct play *p, struct play_flow *flow, struct script_packet *packet);

/* From the stack's numbers to the script's. */
void play_flow_to_script(const struct play_flow *flow, struct script_packet *packet);

/* Learns the timestamp of an outbound packet; turns its value into the script's. */
void play_flow_timestamp(struct play_flow *flow, const struct script_packet *expected,
                         struct script_packet *actual);

/* The script gives its number to another one and cannot mean it any more; it stays open. */
void play_hide_descriptor(struct play *p, int script);
bool play_add_descriptor(struct play *p, int script, int live, struct play_flow *flow);
struct play_descriptor *play_descriptor(struct play *p, int script);

/* ---- script_exchange.c ---- */

bool play_packet(struct play *p, const struct script_packet *packet);

/* Takes what the stack has sent into `seen`. */
void play_look(struct play *p, struct frame *frame);

/* ---- script_call.c ---- */

bool play_call_event(struct play *p, const struct script_call *call);

/* Goes on with the call under way. */
bool play_call_try(struct play *p);

/* Waits for the one under way, at most a second. */
bool play_call_settle(struct play *p);

void play_call_done(struct play *p); /* frees */

/* ---- script_call_table.c ---- */

struct call_row {
    const char *name;
    unsigned arguments_min, arguments_max;
    bool has_descriptor; /* the first argument */
    /* Reads the arguments. False: failed. */
    bool (*begin)(struct play *p, struct play_call *call);
    /* Does it, or as much as can be done now: sets call->result. -EAGAIN from a call that may
     * wait means that it waits. */
    enum call_step (*step)(struct play *p, struct play_call *call);
    /* Looks at more than the result. NULL: there is nothing more. False: failed. */
    bool (*check)(struct play *p, struct play_call *call);
    bool gives_descriptor;
};

const struct call_row *play_call_find(struct bytes name);

/* ---- script_call_value.c ---- */

const struct script_value *play_argument(const struct play_call *call, unsigned index);
bool play_value_number(struct play *p, const struct script_value *value, int64_t *out);
bool play_argument_number(struct play *p, const struct play_call *call, unsigned index,
                          int64_t *out);
bool play_argument_int(struct play *p, const struct play_call *call, unsigned index, int *out);

/* The field of a struct {name = value}; NULL: not there. */
const struct script_value *play_field(const struct script_value *value, const char *name);

/* An address argument: `...` is `standard`; AF_UNSPEC, or a struct. Writes a sockaddr. */
bool play_argument_address(struct play *p, const struct script_value *value,
                           const struct endpoint *standard, struct play_call *call);

/* A struct in words, for who reads a report: the value as the script has it. */
void play_value_format(const struct script_value *value, struct text *out);

/* ---- script_call_wait.c: poll and epoll ---- */

extern const struct call_row play_call_poll, play_call_epoll_create, play_call_epoll_ctl,
    play_call_epoll_wait;

/* ---- script_call_option.c ---- */

extern const struct call_row play_call_getsockopt, play_call_setsockopt, play_call_fcntl,
    play_call_ioctl;

/* ---- script_call_data.c: what moves octets ---- */

extern const struct call_row play_call_read, play_call_readv, play_call_recv, play_call_recvfrom,
    play_call_recvmsg, play_call_write, play_call_writev, play_call_send, play_call_sendto,
    play_call_sendmsg;

/* The peer's address for a call that may open a connection: the flow is then connecting. */
void play_flow_connects(struct play *p, struct play_flow *flow);

#endif
