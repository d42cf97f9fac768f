/* SPDX-License-Identifier: ISC */
/*
 * scripted_server.h - an HTTP server that says what a test has written down, octet for octet, right or wrong, at
 * the pace that it was told; over any net, also with TLS. It keeps what it was asked.
 */
#ifndef WN_TESTS_SUPPORT_SCRIPTED_SERVER_H
#define WN_TESTS_SUPPORT_SCRIPTED_SERVER_H

#include "io/loop.h"
#include "io/net.h"
#include "io/tls.h"

enum scripted_manner {
    SCRIPTED_CLOSE = 1 << 0,  /* FIN behind it */
    SCRIPTED_RESET = 1 << 1,  /* RST behind it */
    SCRIPTED_SLOW = 1 << 2,   /* an octet each 10 ms */
    SCRIPTED_EARLY = 1 << 3,  /* when the head is there, before its body */
};

/* What is said to requests that begin with `request`; the first that fits, each as often as it is asked. */
struct scripted_answer {
    const char *request; /* "GET /x"; NULL ends the list */
    const char *response;
    unsigned manner;
    uint64_t zeros;      /* so many octets of "0" behind it */
    size_t response_len; /* 0: the response is text with a NUL */
};

struct scripted_server;

struct scripted_server *scripted_server_new(struct net *net, struct tls_server *tls,
                                            const struct endpoint *local,
                                            const struct scripted_answer *answers);
void scripted_server_free(struct scripted_server *server);
uint16_t scripted_server_port(const struct scripted_server *server);

/* The last request, body and all, and what there was in all. */
const char *scripted_server_last(const struct scripted_server *server);
unsigned scripted_server_requests(const struct scripted_server *server);
unsigned scripted_server_connections(const struct scripted_server *server);
uint64_t scripted_server_sent(const struct scripted_server *server);

#endif
