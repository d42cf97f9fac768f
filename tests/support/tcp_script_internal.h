/* SPDX-License-Identifier: ISC */
/* tcp_script_internal.h - what the player of scenarios and its verbs share. */
#ifndef WN_TESTS_SUPPORT_TCP_SCRIPT_INTERNAL_H
#define WN_TESTS_SUPPORT_TCP_SCRIPT_INTERNAL_H

#include <stdio.h>

#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"

enum {
    OUR_PORT = 80,
    PEER_PORT = 40000,
    WORDS_MAX = 40,
    CAUGHT_MAX = 256,
    OUR_START = -3000, /* initial sequence numbers, from 2^32 */
    PEER_START = -500,
    TEXT_MAX = 1 << 20,
};

struct caught {
    usec at;
    uint16_t gso_size;
    uint8_t protocol;
    uint8_t icmp_code;
    uint8_t ttl;
    uint8_t traffic_class;
    bool dont_fragment;
    struct tcp_header header;
    size_t len;
    char kinds[100]; /* of the options, as they lie: "2,4,8,1,3" */
};

struct play {
    const char *path;
    unsigned line;
    struct one_stack s;
    struct one_stack_options options;
    struct tcp_profile profile;
    bool open;
    bool foreign;
    struct ip_address local;
    uint32_t our_iss;
    uint32_t peer_iss;
    uint32_t ts_value; /* of the peer; 0: it does not use timestamps */
    uint32_t ts_seen;  /* our last */
    unsigned events;
    unsigned listener_events;
    struct tcp_listener *listener;
    struct tcp_connection *c;
    size_t written; /* octets of our stream */
    size_t read;
    size_t caught_count;
    struct caught caught[CAUGHT_MAX];
    char *words[WORDS_MAX];
    unsigned count;
    unsigned next;
};

#define DEMAND(p, condition, ...)                                                                 \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            printf("%s:%u: ", (p)->path, (p)->line);                                              \
            printf(__VA_ARGS__);                                                                  \
            printf("\n");                                                                         \
            fail_msg("%s:%u: not as written", (p)->path, (p)->line);                              \
        }                                                                                         \
    } while (0)

/* Octet i of our stream, and of the peer's. */
static inline uint8_t script_our_octet(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static inline uint8_t script_peer_octet(size_t i)
{
    return (uint8_t)(i * 13 + i / 241 + 5);
}

/* The next word of the line, which must be there; as a number; or what to take otherwise. */
const char *script_word(struct play *p);
bool script_accept_word(struct play *p, const char *text);
uint32_t script_number(struct play *p);
uint64_t script_large_number(struct play *p);
uint32_t script_number_or(struct play *p, uint32_t otherwise);

void script_same(struct play *p, const char *what, uint32_t got, uint32_t want);
void script_take_events(struct play *p);
void script_line(struct play *p, char *line);

/* The stack as the settings so far have it; a line that needs it does this itself. */
void script_open(struct play *p);

/* Goes on by `interval`, catching what is sent. */
void script_pass_time(struct play *p, usec interval);

/* A word of the settings that begin with `with`, and its value. */
void script_with(struct play *p);

/* What our application does, and what is expected of it. False: no such verb. */
bool script_act(struct play *p, const char *name);

#endif
