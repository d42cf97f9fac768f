/* SPDX-License-Identifier: ISC */
/*
 * mdns_link.h - a link in virtual time with hosts that speak multicast DNS, and strangers who say what
 * the test wants: every message is on record as a line of text.
 *
 *      "0.250 a Q foo.local. ANY qu; ns foo.local. 120 IN A 192.0.2.1"
 *      "1.020 b R* aa; an foo.local. 120 fl A 192.0.2.1"           *: multicast, else "> address:port"
 */
#ifndef WN_TESTS_SUPPORT_MDNS_LINK_H
#define WN_TESTS_SUPPORT_MDNS_LINK_H

#include "base/text.h"
#include "proto/dns/mdns.h"
#include "tests/support/check.h"

enum { MDNS_LINK_HOSTS = 8, MDNS_LINK_PACKETS = 512, MDNS_LINK_LOG = 1 << 20 };

struct mdns_link_packet {
    usec at;
    int from; /* a host, or -1 */
    int to;   /* a host; -1: the group */
    struct endpoint source;
    size_t len;
    uint8_t *octets;
};

struct mdns_link {
    usec now;
    uint32_t loss; /* parts per million, for each receiver */
    bool echo;     /* the group's members hear themselves */
    struct counting_heap counts;
    struct prng prng;
    size_t host_count;
    struct mdns *hosts[MDNS_LINK_HOSTS];
    bool down[MDNS_LINK_HOSTS]; /* neither speaks nor hears */
    struct mdns_link_packet packets[MDNS_LINK_PACKETS];
    size_t packet_count;
    struct text log;
    size_t sent_len; /* of the last message of a host, as it was on the wire */
    uint8_t sent[MDNS_MESSAGE_MAX];
};

struct mdns_link *mdns_link_new(uint64_t seed);

/* Fails the test when the hosts have not given everything back. */
void mdns_link_free(struct mdns_link *link);

/* 192.0.2.1 for the first, and so on. */
int mdns_link_add(struct mdns_link *link);
struct endpoint mdns_link_at(int host);

/* A name of `host` with its address; reverse names are not for tests of counts. */
int mdns_link_host(struct mdns_link *link, int host, const char *name);

/* Says what the lines are: questions "name TYPE [qu]" and records of a master file, of which a class is
 * "fl" for IN with the cache-flush bit. Lists end with NULL; NULL: none. `to`: a host, -1: the group. */
struct mdns_link_words {
    struct endpoint from;
    int to;
    uint16_t id, flags;
    const char *const *questions, *const *answers, *const *authority;
};
void mdns_link_say(struct mdns_link *link, const struct mdns_link_words *words);

/* On until that instant. */
void mdns_link_run(struct mdns_link *link, usec until);

/* Forgets what was said. */
void mdns_link_clear(struct mdns_link *link);

/* In how many messages does the text occur? */
unsigned mdns_link_count(const struct mdns_link *link, const char *text);

/* The instant of the nth message (from 0) with that text; fails the test when there is none. */
usec mdns_link_when(const struct mdns_link *link, const char *text, unsigned n);

/* "192.0.2.1 192.0.2.7": what a host knows of a name; "-": nothing, "!": it has been denied. */
const char *mdns_link_known(struct mdns_link *link, int host, const char *name, uint16_t type);

#endif
