/* SPDX-License-Identifier: ISC */
/*
 * dhcp_client.h - the client's side of DHCP (RFC 2131 §4.4), as a pure machine.
 *
 * Datagrams in, datagrams out, one event from each call. After every call that takes `now`, call
 * next() until it says false and send what it gives; then wait for a datagram or the deadline.
 *
 *      init -> SELECTING -> REQUESTING -> (PROBING) -> BOUND -> RENEWING -> REBINDING -> …
 *      init -> REBOOTING ---------------^
 *
 * The first acceptable offer is taken. SKIPS RFC 2131 §4.4.3 (DHCPINFORM) and RFC 4039 (rapid
 * commit). DEVIATES RFC 2131 §4.4.1: the random delay before the first message is off by default
 * (`start_delay`): a host that starts in a private network is not one of a thousand after a power
 * cut. DEVIATES §4.4.5: T1 and T2 are taken as they are, without a random fuzz, for the same
 * reason.
 */
#ifndef WN_PROTO_DHCP_DHCP_CLIENT_H
#define WN_PROTO_DHCP_DHCP_CLIENT_H

#include "base/prng.h"
#include "base/usec.h"
#include "wire/dhcp/dhcp_options.h"

enum {
    DHCP_LEASE_ROUTES_MAX = 16,
    DHCP_LEASE_DNS_MAX = 4,
    DHCP_LEASE_SEARCH_MAX = 4,
    DHCP_CLIENT_ID_MAX = 32,
    DHCP_REQUEST_ATTEMPTS = 4, /* before starting over: 60 s, RFC 2131 §3.1, 5 */
    DHCP_MTU_MIN = 576,        /* what everyone must receive; a smaller option 26 is not believed */
};

#define DHCP_CLIENT_FIRST_RETRY (4 * USEC_PER_SEC)  /* RFC 2131 §4.1 */
#define DHCP_CLIENT_RETRY_MAX (64 * USEC_PER_SEC)
#define DHCP_CLIENT_RENEW_MIN (60 * USEC_PER_SEC)   /* between renewals, §4.4.5 */
#define DHCP_CLIENT_DECLINE_WAIT (10 * USEC_PER_SEC) /* §3.1, 5 */

/* What the server gave us. */
struct dhcp_lease {
    struct ip_address address;
    uint8_t prefix_len;
    struct ip_address router;      /* of the default route; 0.0.0.0: none */
    struct dhcp_route routes[DHCP_LEASE_ROUTES_MAX]; /* all, the default route too */
    size_t route_count;
    struct ip_address dns[DHCP_LEASE_DNS_MAX];
    size_t dns_count;
    char domain[DHCP_NAME_MAX];    /* "": none */
    char search[DHCP_LEASE_SEARCH_MAX][DHCP_NAME_MAX];
    size_t search_count;
    uint16_t mtu;                  /* 0: not told */
    struct ip_address server;
    uint32_t lease_seconds;        /* DHCP_INFINITY: for ever */
    usec t1_at;                    /* when it is renewed, rebound, and lost */
    usec t2_at;
    usec expires_at;
};

struct dhcp_client_options {
    struct mac mac;
    uint8_t id[DHCP_CLIENT_ID_MAX]; /* option 61; id_len 0: 1 and the MAC */
    size_t id_len;
    char hostname[DHCP_LABEL_MAX];  /* option 12; "": none */
    struct ip_address reboot;       /* an address that we had: INIT-REBOOT (§3.2). All zero: none */
    bool probe;                     /* the host checks the address before it is used, RFC 5227 */
    bool broadcast;                 /* we cannot receive unicast before we have the address */
    usec first_retry;               /* 0: DHCP_CLIENT_FIRST_RETRY; doubles with each retry */
    usec start_delay;               /* the first message is sent within this; 0: at once */
};

enum dhcp_client_state {
    DHCP_CLIENT_WAITING,   /* INIT, until a pause is over */
    DHCP_CLIENT_SELECTING,
    DHCP_CLIENT_REQUESTING,
    DHCP_CLIENT_REBOOTING,
    DHCP_CLIENT_PROBING,   /* acknowledged; the host looks whether someone else has the address */
    DHCP_CLIENT_IDLE,      /* BOUND */
    DHCP_CLIENT_RENEWING,
    DHCP_CLIENT_REBINDING,
    DHCP_CLIENT_STOPPED,   /* released */
    DHCP_CLIENT_STATE_COUNT
};

enum dhcp_client_event {
    DHCP_CLIENT_NOTHING,
    DHCP_CLIENT_PROBE,   /* check lease->address, then call dhcp_client_probed() */
    DHCP_CLIENT_BOUND,   /* a new lease: configure the interface */
    DHCP_CLIENT_RENEWED, /* the same address for longer; the rest may have changed */
    DHCP_CLIENT_LOST,    /* stop using the address at once; the client starts over by itself */
};

struct dhcp_client {
    struct dhcp_client_options options;
    struct prng prng;
    enum dhcp_client_state state;
    uint8_t pending;        /* type of the message to be sent; 0: none */
    bool bound;             /* the host uses the lease */
    unsigned attempts;      /* of the message that is being repeated */
    unsigned naks;          /* in a row */
    uint32_t xid;
    uint32_t wanted;        /* the address that was offered, or that we had */
    uint32_t server;        /* who offered, or gave */
    usec began_at;          /* this attempt at a lease; for `secs` */
    usec requested_at;      /* the first REQUEST of this exchange: leases count from there */
    usec retry_at;
    usec now;               /* of the last call, for next() */
    struct dhcp_lease lease; /* since PROBING */
};

/* The first message is to be sent at once, or after the start delay. */
void dhcp_client_init(struct dhcp_client *c, const struct dhcp_client_options *options,
                      const uint8_t seed[PRNG_SEED_LEN], usec now);

enum dhcp_client_event dhcp_client_input(struct dhcp_client *c, struct bytes datagram, usec now);

/* After DHCP_CLIENT_PROBE. In use: declines and starts over. Gives DHCP_CLIENT_BOUND if not. */
enum dhcp_client_event dhcp_client_probed(struct dhcp_client *c, bool in_use, usec now);

/* Gives the lease back, if there is one, and stops. */
void dhcp_client_release(struct dhcp_client *c, usec now);

/* From port 68 to port 67. */
struct dhcp_client_target {
    struct ip_address from; /* 0.0.0.0 until we are bound */
    struct ip_address to;   /* 255.255.255.255, or the server */
};

/* The next datagram; the writer must have room for DHCP_MESSAGE_DEFAULT. */
bool dhcp_client_next(struct dhcp_client *c, struct dhcp_client_target *target, struct writer *w);

usec dhcp_client_deadline(const struct dhcp_client *c);
enum dhcp_client_event dhcp_client_tick(struct dhcp_client *c, usec now);

/* "selecting", …. Static. */
const char *dhcp_client_state_text(enum dhcp_client_state state);

#endif
