/* SPDX-License-Identifier: ISC */
/* api_names.h - what the files behind wholenet/names.h share. For api_names*.c only. */
#ifndef WN_API_API_NAMES_H
#define WN_API_API_NAMES_H

#include <wholenet/names.h>

#include "api/internal.h"
#include "base/list.h"
#include "proto/dns/dns_stream.h"
#include "proto/dns/stub.h"

enum { LOOKUPS_MAX = 64, NODE_MAX = 256 };

struct wn_resolver {
    struct wn_sockets *sockets;
    struct wn_stack *stack;
    struct heap heap;
    struct prng prng;
    struct resolv_conf conf;
    char *hosts;    /* NULL: none */
    char *services;
    struct list_node lookups;
    unsigned lookup_count;
    unsigned turn;  /* counts lookups, for `rotate` */
};

/* The socket of one question. */
struct lookup_socket {
    int fd;         /* -1: none */
    bool stream;
    uint8_t *buffer; /* of a stream; NULL: none */
    struct dns_stream input;
    size_t sent;
    size_t query_len; /* with its length in front */
    uint8_t query[DNS_STREAM_LENGTH_LEN + DNS_CLIENT_QUERY_MAX];
};

/* What is to be made of the addresses. */
struct lookup_wish {
    int flags;
    int family;
    int kind;     /* WN_SOCK_…; 0: both */
    int protocol;
    bool v4, v6;  /* what is looked for */
    bool has_port[2]; /* of a stream, of datagrams */
    uint16_t ports[2];
    char canonical[NODE_MAX];
};

struct wn_lookup {
    struct list_node node;
    struct wn_resolver *resolver;
    struct lookup_wish wish;
    struct stub stub;
    struct lookup_socket sockets[STUB_QUESTIONS_MAX];
};

/* api_socket.c: what has happened is taken in, and the calls of stack/bsd can be made. */
struct bsd *api_sockets_enter(struct wn_sockets *sockets);
struct wn_stack *api_sockets_stack(const struct wn_sockets *sockets);

/* Pumps once. 0, or a negative errno; -ENOSYS: there is no pump. */
int api_sockets_pump(struct wn_sockets *sockets, usec until);

/* api_names_query.c: takes what has come, and sends what is due. */
void lookup_step(struct wn_lookup *lookup);
void lookup_close_sockets(struct wn_lookup *lookup);

/* api_names_service.c: the port of a service, in host order. False: there is none. */
bool service_port(const struct wn_resolver *resolver, struct bytes name, bool datagrams,
                  uint16_t *out);

/* Its name; an empty view: it has none. */
struct bytes service_name(const struct wn_resolver *resolver, uint16_t port, bool datagrams);

/* api_names_list.c: sorts, and makes the list. 0 or WN_EAI_…. */
int lookup_make_list(const struct wn_resolver *resolver, const struct lookup_wish *wish,
                     const struct ip_address *addresses, size_t count, struct wn_addrinfo **out);

#endif
