/* SPDX-License-Identifier: ISC */
/*
 * lookup.h - what the parts of `wholenet lookup` share: command_lookup.c the order of things,
 * lookup_arguments.c the command line, lookup_transfer.c zone transfers, lookup_exchange.c queries and replies, lookup_print.c text as dig(1) writes it,
 * lookup_json.c JSON by RFC 8427, lookup_trace.c the way down from the root, lookup_secure.c TLS and HTTPS.
 */
#ifndef WN_CLI_LOOKUP_H
#define WN_CLI_LOOKUP_H

#include "cli/commands.h"
#include "io/loop.h"
#include "io/tls.h"
#include "os/idna.h"
#include "proto/dns/dns_stream.h"
#include "proto/dns/resolv_conf.h"
#include "proto/dns/tsig.h"
#include "wire/dns/dns_message.h"
#include "wire/dns/dns_option.h"

enum {
    LOOKUP_QUESTIONS_MAX = 64,
    LOOKUP_QUERY_MAX = 1024,      /* of a question */
    LOOKUP_SIGNATURE_MAX = 1024,  /* that are kept free behind another message: a TSIG, or padding */
    LOOKUP_LINE_MAX = DNS_NAME_TEXT_MAX + 4 * DNS_RDATA_MAX + 256, /* a record as text */
    LOOKUP_REFERRALS_MAX = 32,
    LOOKUP_PINS_MAX = 8,
    LOOKUP_HTTP_MAX = 65536 + 1, /* octets of a body that we take: one more than a message */
    LOOKUP_DEPTH_MAX = 4, /* names of servers that must be looked up to go on */
};

/* What scripts can tell apart; the worst of several questions is the status. */
enum lookup_status {
    LOOKUP_FOUND = EXIT_OK,    /* records of an answer */
    LOOKUP_NOTHING = EXIT_FAILED, /* an answer: there is no such name, or nothing of that type */
    LOOKUP_REFUSED = 3,        /* the server says that it cannot or will not tell, cuts a transfer, or has
                                  not signed its reply rightly */
    LOOKUP_SILENCE = 4,        /* no server could be reached, or none has answered */
};

struct lookup_question {
    const char *name;       /* as it was typed */
    char ascii[IDNA_NAME_MAX + 1]; /* room for it as DNS has it */
    struct ip_address address; /* of reverse: -x */
    bool reverse;
    uint16_t type;          /* 0: A, or PTR of an address */
    uint16_t class;         /* 0: IN */
    uint32_t serial;        /* of IXFR: the one that we have */
};

/* Which parts of a reply are shown. */
struct lookup_show {
    bool command, comments, question, answer, authority, additional, stats;
};

struct lookup_reply {
    struct bytes message;    /* valid until the next exchange */
    struct dns_summary summary;
    struct endpoint server;
    const char *transport;   /* "UDP", "TCP", "TLS" or "HTTPS" */
    bool wrong;              /* its signature is, or there is none */
    uint16_t tsig_error;     /* why; 0: it is not told */
    int64_t wall_seconds;
    usec taken;
};

struct lookup {
    const struct cli_command *command;
    int argc;
    char **argv;

    /* ---- how it is asked for, on the command line ---- */
    bool stream, ignore_truncation, recursion, checking_disabled, authentic_data;
    bool dnssec, edns, nsid, cookie, search, short_form, trace, json;
    bool v4, v6;
    bool idn;                /* names that are not ASCII are written as DNS has them */
    bool mdns;               /* names of the link are asked for there, if no server is named */
    const char *mdns_interface; /* NULL: on every link */
    unsigned port, bufsize, tries;
    usec timeout;
    const char *resolv_conf;
    const char *roots;
    struct tsig_key key;     /* by which queries are signed; no name: they are not */
    struct lookup_show show;
    struct lookup_secure {
        bool tls, https, get, padding;
        bool verify;         /* names and signatures in certificates */
        const char *trust;   /* who has signed them; NULL: as the system says */
        const char *name;    /* of the server; NULL: as it was typed */
        const char *path;    /* of HTTPS */
        uint8_t pins[LOOKUP_PINS_MAX][TLS_PIN_LEN];
        size_t pin_count;
        struct tls_client *client;
        struct fetcher *fetcher; /* of HTTPS; NULL: not used yet */
        struct endpoint asked;   /* whom it connects to */
        char facts[256];     /* of the connection of the last reply */
    } secure;
    struct lookup_question questions[LOOKUP_QUESTIONS_MAX];
    size_t question_count;
    struct endpoint servers[LOOKUP_QUESTIONS_MAX];
    const char *server_names[LOOKUP_QUESTIONS_MAX];
    size_t server_count; /* 0: those of resolv.conf */

    /* ---- how it goes ---- */
    struct loop *loop;
    struct net *net;
    struct hmac *hmac;
    struct resolv_conf conf;
    uint8_t cookie_octets[DNS_COOKIE_MAX];
    size_t cookie_len;
    char reason[256];        /* why TLS or HTTP failed, for people; "": errno says it */
    uint8_t query[DNS_STREAM_LENGTH_LEN + DNS_MESSAGE_MAX]; /* with its length in front */
    uint8_t reply[DNS_MESSAGE_MAX];
    uint8_t rdata[DNS_RDATA_MAX];
    char line[LOOKUP_LINE_MAX];
};

struct lookup_ask;

/* ---- lookup_arguments.c ---- */

enum { LOOKUP_OPTION_COUNT = 12 };
extern const struct cli_option lookup_options[LOOKUP_OPTION_COUNT];

/* CLI_GO_ON: lookup's members are as asked for. */
enum cli_outcome lookup_read_arguments(struct lookup *l);

/* "192.0.2.1", "ns.example", which is kept. False: a complaint was printed. */
MUST_USE bool lookup_add_server(struct lookup *l, const char *text);

/* "[ALGORITHM:]NAME:SECRET", and the name of a file with a key: as `take` of an option. */
bool lookup_take_key(void *self, const struct cli_option *option, const char *value,
                     struct text *error);
bool lookup_take_key_file(void *self, const struct cli_option *option, const char *value,
                          struct text *error);

/* NULL: too many. */
struct lookup_question *lookup_add_question(struct lookup *l, const char *name);

/* ---- command_lookup.c ---- */

/* Whom the host asks, and how often. False: a complaint was printed. */
MUST_USE bool lookup_read_resolv_conf(struct lookup *l);

/* The loop, and what stands on it. False: a complaint was printed; lookup_close() is due all the same. */
MUST_USE bool lookup_open(struct lookup *l);
void lookup_close(struct lookup *l);

/* ---- lookup_transfer.c ---- */

/* Asks for a whole zone, or what has changed in it, and prints it as it comes. */
enum lookup_status lookup_transfer(struct lookup *l, const struct lookup_ask *how);

/* ---- lookup_exchange.c ---- */

struct lookup_ask {
    struct dns_question question;
    struct bytes message; /* instead of a query for it: its id is replaced; .len 0: none */
    uint32_t serial;  /* IXFR */
    struct endpoint server;
    const char *server_name; /* as it was typed; NULL: its address */
    bool stream;
    bool recursion;
    bool many;        /* messages may come, of which not all are signed */
    /* Told of each message that comes; false: it was the last. NULL: the first is the only one. */
    bool (*take)(void *self, const struct lookup_reply *reply);
    void *self;
};

/* Asks once, and again over TCP when the reply is truncated. 0, or a negative errno: -ETIMEDOUT,
 * -ECONNREFUSED, -EPIPE for a connection that ended too early … */
MUST_USE int lookup_exchange(struct lookup *l, const struct lookup_ask *ask,
                             struct lookup_reply *out);

/* ---- lookup_secure.c ---- */

/* Makes the client that the command line asks for. False: a complaint was printed. */
MUST_USE bool lookup_secure_open(struct lookup *l);
void lookup_secure_close(struct lookup *l);

/* Pads a query where it is to be padded; returns its length. */
size_t lookup_secure_pad(const struct lookup *l, uint8_t *query, size_t len, size_t size);

/* Whom we want to talk to: as said, as typed, or the address. */
const char *lookup_secure_name(const struct lookup *l, const struct lookup_ask *ask,
                               char address[ADDRESS_TEXT_MAX]);

/* Puts TLS on a stream to the server. 0 or a negative errno; the stream is then the caller's. */
MUST_USE int lookup_secure_connect(struct lookup *l, const struct lookup_ask *ask,
                                   struct stream *plain, const struct stream_handler *handler,
                                   void *self, struct stream **out);

/* Notes what was agreed on, `more` behind it, and why it ended. */
void lookup_secure_note(struct lookup *l, const struct tls_facts *facts, const char *more);
void lookup_secure_failed(struct lookup *l, const struct stream *stream);

/* ---- lookup_https.c ---- */

/* A query in a request, and the reply out of what comes (RFC 8484): 0 and *message, valid until the next call;
 * or a negative errno, and perhaps l->reason. The connection is kept for the next query. */
MUST_USE int lookup_https(struct lookup *l, const struct lookup_ask *ask, struct bytes query, usec until,
                          struct bytes *message);
void lookup_https_close(struct lookup *l);

/* ---- lookup_mdns.c ---- */

/* Asks the hosts of the link. LOOKUP_SILENCE: a complaint was printed; else *out is as if one server had told
 * all of it. */
enum lookup_status lookup_mdns(struct lookup *l, const struct dns_question *question,
                               struct lookup_reply *out);

/* ---- lookup_print.c ---- */

/* The whole message, or as much as is to be shown. */
void lookup_print_message(struct lookup *l, const struct lookup_reply *reply);
void lookup_print_wrong(const struct lookup *l, const struct lookup_reply *reply);
void lookup_print_stats(struct lookup *l, const struct lookup_reply *reply, size_t octets);

/* The records of a section, as lines of a master file. */
void lookup_print_section(struct lookup *l, const struct lookup_reply *reply,
                          enum dns_section section);

/* The answers' RDATA alone. */
void lookup_print_short(struct lookup *l, const struct lookup_reply *reply);

/* RDATA as text into *out; what is malformed as RFC 3597 §5 has it. */
void lookup_format_rdata(struct lookup *l, const struct lookup_reply *reply,
                         const struct dns_rr *rr, struct text *out);

/* "NXDOMAIN", "RCODE17". */
const char *lookup_rcode_text(unsigned rcode, char out[16]);

/* ---- lookup_json.c ---- */

/* One object on one line. */
void lookup_print_json(struct lookup *l, const struct lookup_reply *reply);

/* ---- lookup_trace.c ---- */

/* Asks from the root servers down, and shows each step. */
enum lookup_status lookup_trace(struct lookup *l, const struct lookup_question *question,
                                const struct dns_name *name);

/* How a reply looks to scripts. */
enum lookup_status lookup_status_of(const struct lookup_reply *reply);

/* Tells people what went wrong with a server: one line of the output. */
void lookup_complain(const struct lookup *l, const struct endpoint *server, int error);

#endif
