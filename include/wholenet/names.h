/* SPDX-License-Identifier: ISC */
/*
 * names.h - names to addresses and back for sockets of a stack: what getaddrinfo(3) and getnameinfo(3) are to a
 * process.
 *
 * A resolver asks the servers of a resolv.conf(5) with sockets of its own in the table that it was made for:
 * over UDP, and over TCP what does not fit. A and AAAA are asked for at the same time; what is found is ordered
 * by RFC 6724. Nothing is remembered from one lookup to the next.
 *
 * By events: wn_lookup_start(), and then wn_resolver_run() whenever something may have happened, until
 * wn_lookup_result() says something else than WN_EAI_INPROGRESS. wn_getaddrinfo() and wn_getnameinfo() do just
 * that, with the pump of the table of sockets.
 */
#ifndef WHOLENET_NAMES_H
#define WHOLENET_NAMES_H

#include <wholenet/socket.h>

WN_C_BEGIN

struct wn_resolver;
struct wn_lookup;

/* Structures and numbers are those of glibc's <netdb.h>. */
struct wn_addrinfo {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    wn_socklen_t ai_addrlen;
    struct wn_sockaddr *ai_addr;
    char *ai_canonname; /* of the first, with WN_AI_CANONNAME; else NULL */
    struct wn_addrinfo *ai_next;
};

enum wn_ai_flags {
    WN_AI_PASSIVE = 0x0001,     /* without a node: addresses to bind to, not those of this host */
    WN_AI_CANONNAME = 0x0002,
    WN_AI_NUMERICHOST = 0x0004, /* nobody is asked */
    WN_AI_V4MAPPED = 0x0008,    /* for WN_AF_INET6: IPv4 as ::ffff:a.b.c.d where there is no IPv6 */
    WN_AI_ALL = 0x0010,         /* … or beside it */
    WN_AI_ADDRCONFIG = 0x0020,  /* only versions that this host has addresses of */
    WN_AI_IDN = 0x0040,         /* the node is UTF-8, and is written as DNS has it (RFC 5891) */
    WN_AI_NUMERICSERV = 0x0400,
};

enum wn_eai {
    WN_EAI_BADFLAGS = -1,
    WN_EAI_NONAME = -2,     /* there is no such name */
    WN_EAI_AGAIN = -3,      /* no server could say; and without a pump: nobody waits */
    WN_EAI_FAIL = -4,
    WN_EAI_NODATA = -5,     /* there is, but it has no such addresses */
    WN_EAI_FAMILY = -6,
    WN_EAI_SOCKTYPE = -7,
    WN_EAI_SERVICE = -8,
    WN_EAI_MEMORY = -10,
    WN_EAI_SYSTEM = -11,
    WN_EAI_OVERFLOW = -12,
    WN_EAI_INPROGRESS = -100,
    WN_EAI_INTR = -104,     /* the pump said -EINTR */
    WN_EAI_IDN_ENCODE = -105, /* WN_AI_IDN: it is none, or there is no libidn2 */
};

enum wn_ni_flags {
    WN_NI_NUMERICHOST = 1,
    WN_NI_NUMERICSERV = 2,
    WN_NI_NOFQDN = 4,  /* without the first domain of the search list */
    WN_NI_NAMEREQD = 8, /* no address instead of a name */
    WN_NI_DGRAM = 16,  /* the service is one of UDP */
};

/* Texts are copied. */
struct wn_resolver_options {
    size_t size;             /* sizeof(struct wn_resolver_options): for later versions */
    const char *resolv_conf; /* what a resolv.conf(5) says; NULL: there is nobody to ask */
    const char *hosts;       /* what a hosts(5) says; NULL: nothing */
    const char *services;    /* what a services(5) says; NULL: the well-known ones */
};

/* Makes a resolver for a table of sockets, which is borrowed; it takes at most four of its descriptors for each
 * lookup, while that is under way. NULL: no memory, or an option cannot be. */
WN_API WN_MUST_USE struct wn_resolver *wn_resolver_new(struct wn_sockets *sockets,
                                                       const struct wn_resolver_options *options);

/* Frees it, and all lookups. NULL is nothing. */
WN_API void wn_resolver_free(struct wn_resolver *resolver);

/* Takes what has come for all lookups, sends what is due, and says when to call it again at the latest:
 * WN_NEVER when none is under way. */
WN_API wn_time wn_resolver_run(struct wn_resolver *resolver);

/* Begins to look for `node` and `service`, of which one may be NULL; `hints` NULL: WN_AI_V4MAPPED and
 * WN_AI_ADDRCONFIG, any family, streams and datagrams. 0, or one of enum wn_eai and *out is untouched. At most
 * 64 are under way at a time, then WN_EAI_AGAIN. */
WN_API WN_MUST_USE int wn_lookup_start(struct wn_resolver *resolver, const char *node,
                                       const char *service, const struct wn_addrinfo *hints,
                                       struct wn_lookup **out);

/* Begins to look for the name of an address. */
WN_API WN_MUST_USE int wn_lookup_start_reverse(struct wn_resolver *resolver,
                                               const struct wn_address *address,
                                               struct wn_lookup **out);

/* WN_EAI_INPROGRESS: come again. Otherwise the lookup is over and freed: 0 and *out, to be given to
 * wn_freeaddrinfo(), or what went wrong. */
WN_API WN_MUST_USE int wn_lookup_result(struct wn_lookup *lookup, struct wn_addrinfo **out);

/* The same of wn_lookup_start_reverse(): the name, without its final dot, to `name`. WN_EAI_OVERFLOW: `size`
 * is too small. */
WN_API WN_MUST_USE int wn_lookup_name(struct wn_lookup *lookup, char *name, size_t size);

/* Gives a lookup up, and frees it. NULL is nothing. */
WN_API void wn_lookup_cancel(struct wn_lookup *lookup);

/* All of it at once, waiting by the pump of the table of sockets. */
WN_API WN_MUST_USE int wn_getaddrinfo(struct wn_resolver *resolver, const char *node,
                                      const char *service, const struct wn_addrinfo *hints,
                                      struct wn_addrinfo **out);

/* Frees a list. NULL is nothing. */
WN_API void wn_freeaddrinfo(struct wn_addrinfo *list);

/* The name of an address and of a port: `address` of `len` octets is a wn_sockaddr_in or wn_sockaddr_in6. What is
 * NULL, or has no size, is not asked for. An address without a name is written in numbers, unless `flags` has
 * WN_NI_NAMEREQD. */
WN_API WN_MUST_USE int wn_getnameinfo(struct wn_resolver *resolver, const void *address,
                                      wn_socklen_t len, char *host, size_t host_size, char *service,
                                      size_t service_size, int flags);

/* What such a number means, for people. Static. */
WN_API const char *wn_gai_strerror(int error);

WN_C_END

#endif
