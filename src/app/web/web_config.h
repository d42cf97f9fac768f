/* SPDX-License-Identifier: ISC */
/*
 * web_config.h - what a web server serves, as plain data: hosts by their names, and for each rules
 * that say what happens below a path. A site file is read into it; app/web/web_rules.h works by it.
 */
#ifndef WN_APP_WEB_WEB_CONFIG_H
#define WN_APP_WEB_WEB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "app/proxy/upstream.h"
#include "base/address.h"
#include "base/usec.h"

enum {
    WEB_NAME_MAX = 256,     /* a host's name with "*." before it and a NUL */
    WEB_TEXT_MAX = 256,     /* a path, a pattern, a field */
    WEB_LISTENS_MAX = 8,
    WEB_HOSTS_MAX = 64,
    WEB_HOST_NAMES_MAX = 8,
    WEB_RULES_MAX = 1024,   /* of all hosts */
    WEB_INDEXES_MAX = 4,
    WEB_HEADERS_MAX = 8,   /* with other fields they fit into one head */
    WEB_ACCESS_MAX = 32,
    WEB_ERROR_PAGES_MAX = 8,
    WEB_TYPES_MAX = 16,
    WEB_REWRITES_MAX = 16,
    WEB_BACKENDS_MAX = 8,
    WEB_BACKEND_MAX = 128, /* an address, or "unix:" and a path, with a NUL */
    WEB_PARAMS_MAX = 16,
    WEB_ORIGINS_MAX = 8,
    WEB_PROTOCOLS_MAX = 8,
    WEB_PROTOCOL_MAX = 64, /* with a NUL */
    WEB_PASSES_MAX = 8,    /* servers behind a rule */
    WEB_PASS_PATH_MAX = 128,
};

enum web_match {
    WEB_MATCH_ALL,
    WEB_MATCH_PREFIX, /* "/a/": what is below it; "/a": that, and "/a" itself */
    WEB_MATCH_SUFFIX, /* "*.cgi" */
    WEB_MATCH_EXACT,  /* "= /a" */
};

enum web_symlinks {
    WEB_SYMLINKS_WITHIN, /* followed as long as they stay below the root */
    WEB_SYMLINKS_NONE,
    WEB_SYMLINKS_ANY,
};

enum web_auth { WEB_AUTH_NONE, WEB_AUTH_BASIC, WEB_AUTH_DIGEST };

/* "*" at the end of `from` stands for the rest, which "*" at the end of `to` takes. */
struct web_rewrite {
    char from[WEB_TEXT_MAX];
    char to[WEB_TEXT_MAX];
};

/* Servers behind this one. All zero: there are none. Compared octet by octet. */
struct web_pass_options {
    struct upstream_place servers[WEB_PASSES_MAX];
    uint32_t count;
    enum upstream_balance balance;
    char path[WEB_PASS_PATH_MAX];        /* in the place of the rule's pattern; "": as it is */
    struct upstream_health health;
    usec slow_start;
    usec timeout;                        /* without an octet of theirs; 0: 60 s */
    uint64_t cache_octets;               /* 0: nothing is stored */
    bool keep_host;                      /* they see the Host of the client */
};

/* What holds below a path of a host. All zero, strings empty: nothing is served. */
struct web_rule {
    enum web_match match;
    char pattern[WEB_TEXT_MAX];
    char root[WEB_TEXT_MAX];             /* directory; "": no files */
    char indexes[WEB_INDEXES_MAX][64];   /* tried in order for a folder; none: index.html */
    uint32_t index_count;
    bool listing_off;                    /* a folder without an index is not listed */
    bool hidden;                         /* names that begin with a dot are served */
    bool built_in_off;                   /* no pages about this network */
    enum web_symlinks symlinks;
    char types[WEB_TYPES_MAX][128];      /* "ending type" */
    uint32_t type_count;
    bool compress_off;
    bool precompressed;                  /* name.br and name.gz stand for name */

    char cache_control[128];
    usec expires;                        /* max-age, and Expires for HTTP/1.0; 0: not said */
    char headers[WEB_HEADERS_MAX][WEB_TEXT_MAX]; /* "Name: value" */
    uint32_t header_count;
    struct {
        uint32_t status;
        char path[WEB_TEXT_MAX];
    } error_pages[WEB_ERROR_PAGES_MAX];
    uint32_t error_page_count;

    uint32_t redirect_status;            /* 0: none */
    char redirect[WEB_TEXT_MAX];         /* "*" at the end: the rest of the path and the query */
    struct web_rewrite rewrites[WEB_REWRITES_MAX];
    uint32_t rewrite_count;

    struct {
        struct ip_prefix from;
        bool allow;
    } access[WEB_ACCESS_MAX];            /* the first that fits counts; none fits: allowed */
    uint32_t access_count;
    enum web_auth auth;
    char realm[64];
    char users[WEB_TEXT_MAX];            /* file */

    bool upload;                         /* PUT and DELETE */
    uint64_t body_max;                   /* octets of an upload; 0: WEB_BODY_DEFAULT */
    bool webdav;                         /* RFC 4918; with uploads */
    uint32_t rate;                       /* requests a second of one address; 0: any number */
    uint32_t burst;                      /* above it at once; 0: as many as rate */

    char backends[WEB_BACKENDS_MAX][WEB_BACKEND_MAX]; /* FastCGI: "127.0.0.1:9000", "unix:/run/x.sock" */
    uint32_t backend_count;              /* 0: no FastCGI */
    bool cgi;                            /* files below the root are programs */
    char script[WEB_TEXT_MAX];           /* the program's file; WEB_SCRIPT_FILES; "": by the pattern */
    char params[WEB_PARAMS_MAX][WEB_TEXT_MAX]; /* "NAME value", for the program */
    uint32_t param_count;
    uint64_t cgi_memory;                 /* octets that a program may have; 0: any number */
    usec cgi_cpu;                        /* time that it may work; 0: any */
    usec answer_timeout;                 /* for a program that says nothing; 0: WEB_ANSWER_TIMEOUT */
    char websocket[WEB_TEXT_MAX];        /* a program and its arguments; WEB_SOCKET_ECHO; "": none */
    bool websocket_binary;               /* no lines: octets as they come */
    bool websocket_plain;                /* nothing is compressed */
    uint64_t websocket_max;              /* octets of a message; 0: WEB_SOCKET_MESSAGE_DEFAULT */
    usec websocket_ping;                 /* 0: WEB_SOCKET_PING */
    char websocket_origins[WEB_ORIGINS_MAX][128]; /* "https://example.org", WEB_SOCKET_ANY_ORIGIN */
    uint32_t websocket_origin_count;     /* 0: pages of the same host */
    char websocket_protocols[WEB_PROTOCOLS_MAX][WEB_PROTOCOL_MAX]; /* the preferred one first; WEB_SOCKET_ANY_PROTOCOL */
    uint32_t websocket_protocol_count;   /* 0: none is chosen */
    char early_hints[WEB_TEXT_MAX];      /* Link of a 103 before the answer; "": none */

    struct web_pass_options pass;        /* servers that answer; count 0: none */

    bool dns;                            /* questions to the name service (RFC 8484), no files */
    bool https_only;                     /* what comes in clear is sent to https */
    usec hsts;                           /* Strict-Transport-Security; 0: not said */
};

#define WEB_SOCKET_ECHO "echo"
#define WEB_SOCKET_ANY_ORIGIN "any"
#define WEB_SOCKET_ANY_PROTOCOL "any" /* that which the client prefers */
#define WEB_BACKEND_UNIX "unix:"
#define WEB_SCRIPT_FILES "files" /* the path names a file below the root, which is the program */
#define WEB_BODY_DEFAULT (UINT64_C(1) << 30)

/* A site of its own behind its names; an address and port of the service serve them all. */
struct web_host {
    char names[WEB_HOST_NAMES_MAX][WEB_NAME_MAX]; /* "a.example", "*.example" */
    uint32_t name_count;
    char certificate[WEB_TEXT_MAX]; /* PEM, a chain with the host's own first; "": the first host's */
    char key[WEB_TEXT_MAX];         /* "": in the file of the chain */
    char staple[WEB_TEXT_MAX];      /* OCSP response in DER; "": none */
    uint32_t rule_first; /* in web_config.rules: the host's own, with WEB_MATCH_ALL, then others */
    uint32_t rule_count;
};

struct web_listen {
    struct endpoint at;
    bool tls;
};

enum web_log_format { WEB_LOG_COMBINED, WEB_LOG_JSON };

struct web_config {
    struct web_listen listens[WEB_LISTENS_MAX];
    uint32_t listen_count;
    /* hosts[0] answers for every name that is no other's. */
    struct web_host hosts[WEB_HOSTS_MAX];
    uint32_t host_count;
    struct web_rule *rules; /* the owner frees them with web_config_done() */
    uint32_t rule_count;
    char access_log[WEB_TEXT_MAX]; /* file; "": none */
    enum web_log_format log_format;
    uint32_t connections_max;         /* 0: 4096 */
    uint32_t connections_per_address; /* 0: any number */
    uint32_t cgi_processes;           /* at a time, of each worker; 0: WEB_CGI_DEFAULT */
};

/* A copy of `like` (NULL: all zero) as the last rule; NULL: no memory, or too many. The address is
 * good until the next call. */
struct web_rule *web_config_add_rule(struct web_config *config, const struct web_rule *like);

/* Does the rule say who answers, so that an ending's program has no say below it: a program, a server behind, uploads,
 * another place? */
bool web_rule_answers(const struct web_rule *rule);

/* Is it of an ending, whose requests a program or a server behind answers, whatever the folder? */
bool web_rule_runs(const struct web_rule *rule);

/* Do both ask the same of who comes? */
bool web_rule_demands_equal(const struct web_rule *a, const struct web_rule *b);

/* A pattern as the site file has it: "/a/", "= /a", "*.cgi". False: none of them. */
MUST_USE bool web_rule_set_pattern(struct web_rule *rule, struct bytes text);

bool web_config_equal(const struct web_config *a, const struct web_config *b);
void web_config_done(struct web_config *config);

#endif
