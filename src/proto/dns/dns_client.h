/* SPDX-License-Identifier: ISC */
/*
 * dns_client.h - one question asked of one of several servers, until it is answered or given up: the
 * client's side of DNS as a machine (RFC 1035 §4.2, §7; RFC 5452 against forged answers; RFC 7766
 * for TCP).
 *
 * Every attempt has a new id and random case in its question, and is to be sent from a new source
 * port: the caller opens a socket for it, and closes that of the attempt before. An answer is taken
 * only when server, transport, id and question, case and all, are those of the current attempt.
 */
#ifndef WN_PROTO_DNS_DNS_CLIENT_H
#define WN_PROTO_DNS_DNS_CLIENT_H

#include "base/prng.h"
#include "base/usec.h"
#include "wire/dns/dns_message.h"

enum {
    DNS_SERVERS_MAX = 8,
    DNS_CLIENT_ATTEMPTS_MAX = 16,
    DNS_CLIENT_QUERY_MAX = DNS_HEADER_LEN + DNS_NAME_MAX + 4 + DNS_OPT_LEN,
};
#define DNS_CLIENT_TIMEOUT (8 * USEC_PER_SEC)   /* after which a stub resolver has lost interest */
#define DNS_CLIENT_FIRST_TIMEOUT (1 * USEC_PER_SEC) /* of one attempt; then 2 s, 2 s, 3 s */
#define DNS_SERVER_AVOID_INTERVAL (30 * USEC_PER_SEC)

/* Servers, in order of preference, and what is known of them; shared by many clients. One that has
 * not answered in time is asked last for a while. */
struct dns_servers {
    size_t count;
    struct dns_server {
        struct endpoint endpoint;
        usec avoid_until; /* 0: in good health */
        usec timeout;     /* of an attempt; 0: the usual ones */
        bool plain_case;  /* does not give back the case of the question */
    } list[DNS_SERVERS_MAX];
};

struct dns_client_options {
    struct dns_question question;
    uint16_t flags;     /* DNS_RD, DNS_CD, DNS_AD as wanted */
    bool dnssec_ok;
    bool stream_wanted; /* a truncated answer is asked for again over TCP */
};

enum dns_client_state {
    DNS_CLIENT_READY,   /* dns_client_send() is due */
    DNS_CLIENT_WAITING,
    DNS_CLIENT_DONE,
    DNS_CLIENT_FAILED,  /* no server has answered */
};

struct dns_client {
    struct dns_client_options options;
    struct dns_name sent; /* the name in the case of this attempt */
    enum dns_client_state state;
    uint16_t id;
    uint8_t server;
    uint8_t attempts;
    uint8_t timeouts;
    uint8_t tried;      /* a bit for each server */
    bool same_server;   /* the next attempt is for the same one */
    bool stream;
    bool sent_plain;    /* the case of this attempt is the question's own */
    bool plain;         /* without EDNS: the server did not understand it */
    usec sent_at;       /* of the current attempt */
    usec due_at;
    usec give_up_at;
};

void dns_client_init(struct dns_client *client, const struct dns_client_options *options, usec now);

struct dns_client_send {
    struct endpoint server;
    bool stream;          /* over TCP, with a length in front (proto/dns/dns_stream.h) */
    struct bytes message; /* in the caller's buffer */
};

/* In DNS_CLIENT_READY: makes the next query. `buffer` of DNS_CLIENT_QUERY_MAX octets. */
void dns_client_send(struct dns_client *client, const struct dns_servers *servers,
                     struct prng *prng, usec now, uint8_t *buffer, struct dns_client_send *out);

/* A message has come to the socket of the current attempt. True: it is the answer (state DONE), and
 * *out says what is in it. False: look at the state: still waiting (the message was forged, late,
 * or broken), or ready to ask again. */
MUST_USE bool dns_client_input(struct dns_client *client, struct dns_servers *servers,
                               const struct endpoint *from, struct bytes message, usec now,
                               struct dns_summary *out);

/* In DNS_CLIENT_DONE: the answer is of no use, since the server does not serve the zone. Another is
 * asked; where all have been, it has failed. */
void dns_client_reject(struct dns_client *client, const struct dns_servers *servers, usec now);

/* The socket of the current attempt cannot be used: unreachable, refused, reset. */
void dns_client_broken(struct dns_client *client, struct dns_servers *servers, usec now);

/* When to call tick(); USEC_NEVER: need not. */
usec dns_client_deadline(const struct dns_client *client);
void dns_client_tick(struct dns_client *client, struct dns_servers *servers, usec now);

#endif
