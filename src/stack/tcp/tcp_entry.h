/* SPDX-License-Identifier: ISC */
/*
 * tcp_entry.h - connections of which little needs to be known: those in SYN-RECEIVED that came from
 * LISTEN (the SYN queue, RFC 4987 §3.2), and those in TIME-WAIT. Each is an entry of 64 octets in a
 * pool instead of a struct tcp_connection.
 *
 * An entry stands in a row, oldest first. All in a row wait equally long, so that one timer, of the
 * oldest in each row, serves all of them: in TIME-WAIT as the stack's profile has it, half open as the
 * listener's has it, and longer with each SYN,ACK.
 *
 * When a segment comes for an entry, a draft is made of it: a struct tcp_connection on the C stack,
 * with what the entry remembers, on which the very steps of SEGMENT ARRIVES are run that real ones
 * see. What they leave to be sent goes out at once, what they have changed is put back.
 */
#ifndef WN_STACK_TCP_TCP_ENTRY_H
#define WN_STACK_TCP_TCP_ENTRY_H

#include "base/map.h"
#include "base/wheel.h"
#include "stack/tcp/tcp.h"

enum {
    TCP_ENTRY_BITS = 20,
    TCP_ENTRY_NONE = (1 << TCP_ENTRY_BITS) - 1, /* as an index; and how many there may be at most */
    TCP_ENTRY_BLOCK = 64,                       /* entries are allocated by so many */
    TCP_HALF_OPEN_MAX = 65536, /* of all listeners; each has its backlog. The oldest goes */
    TCP_TIME_WAIT_MAX = 131072, /* the oldest goes */
};

#define TCP_ENTRY_TIMEOUT_MAX (30 * USEC_PER_MINUTE) /* `since` has 32 bits */

enum tcp_row {
    TCP_ROW_HALF_OPEN,       /* and those behind it, each with a timeout of its own: tcp_entry_row() */
    TCP_ROW_HALF_OPEN_LAST = 14,
    TCP_ROW_TIME_WAIT,
    TCP_ROW_COUNT
};

struct tcp_entry {
    struct ip_address local;
    struct ip_address remote;
    uint16_t local_port;
    uint16_t remote_port;
    unsigned next : TCP_ENTRY_BITS;     /* in its row; or of the free ones */
    unsigned row : 4;                   /* enum tcp_row */
    unsigned snd_scale : 4;
    unsigned rcv_scale : 4;
    unsigned previous : TCP_ENTRY_BITS;
    unsigned challenged : 9;            /* when, in slots after `since` (tcp_draft.c), and one; 0: not */
    unsigned sack : 1;
    unsigned timestamps : 1;
    unsigned scaling : 1;
    uint32_t since;                     /* low bits of usec: it came to the row, or was sent */
    uint32_t ts_recent;
    union {
        struct {
            uint32_t irs;
            uint32_t iss;
            uint16_t peer_mss;
            uint8_t retries;
            bool cookie_granted : 1;
            bool cookie_experimental : 1;
            bool ecn : 1;
            bool ecn_marks : 1;
            bool forgotten : 1; /* made of a cookie, and in no row */
            bool acked : 1;     /* but text is waited for (TCP_OPTION_DEFER_ACCEPT) */
        } syn;
        struct {
            uint32_t snd_nxt;
            uint32_t rcv_nxt;
            uint16_t rcv_window; /* as it went out last */
            uint16_t snd_window_max; /* by snd_scale, rounded up */
        } wait;
    } u;
};

_Static_assert(sizeof(struct tcp_entry) <= 64, "a flood of them is to be borne");
_Static_assert(TCP_HALF_OPEN_MAX + TCP_TIME_WAIT_MAX <= TCP_ENTRY_NONE, "the index has few bits");
_Static_assert(TCP_ROW_COUNT <= 16, "four bits");

struct tcp_entries {
    struct map map; /* by both endpoints */
    struct tcp_entry **blocks;
    uint32_t blocks_len;
    uint32_t blocks_size;
    uint32_t free;  /* the first one */
    uint32_t half_open;
    uint32_t time_wait;
    struct {
        uint32_t first;
        uint32_t last;
        usec timeout; /* how long one waits there: of half-open ones, while there are any */
    } rows[TCP_ROW_COUNT];
    struct timer timer;
};

/* ---- tcp_entry.c ---- */
void tcp_entries_init(struct stack *stack);
void tcp_entries_done(struct stack *stack); /* silently */

struct tcp_entry *tcp_entry_find(const struct stack *stack, uint32_t hash,
                                 const struct endpoint *local, const struct endpoint *remote);

/* At the end of the row, all else zero. NULL: no memory. There must be none of these endpoints. */
MUST_USE struct tcp_entry *tcp_entry_new(struct stack *stack, uint32_t hash,
                                         const struct endpoint *local,
                                         const struct endpoint *remote, enum tcp_row row);
void tcp_entry_free(struct stack *stack, uint32_t hash, struct tcp_entry *entry);
uint32_t tcp_entry_hash(const struct stack *stack, const struct tcp_entry *entry);

/* The row in which half-open ones wait for that long; when there are too many kinds, nearly so. */
enum tcp_row tcp_entry_row(struct stack *stack, usec timeout);

/* To the end of the row, where it waits from now on. */
void tcp_entry_wait(struct stack *stack, struct tcp_entry *entry, enum tcp_row row);

/* Those in a row, oldest first; NULL: no more. */
struct tcp_entry *tcp_entry_first(const struct stack *stack, enum tcp_row row);
struct tcp_entry *tcp_entry_next(const struct stack *stack, const struct tcp_entry *entry);

struct endpoint tcp_entry_local(const struct tcp_entry *entry);
struct endpoint tcp_entry_remote(const struct tcp_entry *entry);
usec tcp_entry_age(const struct stack *stack, const struct tcp_entry *entry);
void tcp_entries_timer(struct stack *stack);

#endif
