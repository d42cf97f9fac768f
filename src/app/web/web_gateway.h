/* SPDX-License-Identifier: ISC */
/*
 * web_gateway.h - a request that a program answers (RFC 3875), whichever way one speaks with it: its body
 * on the way there, what the program writes on the way back, and the time all that may take.
 *
 * A gateway outlives its exchange when that is answered and the program is not done: what comes then is
 * thrown away. When the client has gone before, the program is told, or ended.
 *
 *      web_fastcgi.c, web_cgi.c    ways to speak with a program: each embeds the gateway in a job of its own
 */
#ifndef WN_APP_WEB_WEB_GATEWAY_H
#define WN_APP_WEB_WEB_GATEWAY_H

#include "app/web/web_meta.h"

enum {
    WEB_GATHER_MAX = 1024 * 1024, /* of a body whose length the client does not say: it is waited for */
    WEB_COMPLAINTS_MAX = 64,      /* lines that a program says on its standard error, of one request */
    WEB_REDIRECTS_MAX = 5,        /* local ones of one request */
};
#define WEB_ANSWER_TIMEOUT (60 * USEC_PER_SEC) /* without an octet to or from the program */
#define WEB_DRAIN_TIMEOUT (30 * USEC_PER_SEC)  /* for a program to end after its answer */

struct web_gateway;

/* What a way to speak with programs provides. */
struct web_backend {
    /* The request is complete but for its body, if there is one. May fail by web_gateway_fail(). */
    void (*start)(struct web_gateway *gateway);
    /* There are octets in gateway->in, or it has ended: takes what it can. Again when it can take more. */
    void (*send)(struct web_gateway *gateway);
    /* gateway->out was full and is not any more. */
    void (*resume)(struct web_gateway *gateway);
    /* The answer is not wanted any more: lets go of all, and frees. */
    void (*cancel)(struct web_gateway *gateway);
};

struct web_gateway {
    struct web *web;
    struct web_exchange *exchange; /* NULL: it has gone */
    const struct web_backend *backend;
    struct list_node node;         /* in web->gateways */
    struct web_rules *rules;       /* used */
    const struct web_rule *rule;
    struct page_text meta;         /* web_meta.h */
    struct alarm alarm;
    struct web_flow in;            /* the request's body */
    struct web_flow out;           /* that of the response */
    struct page_text head;         /* of the response, until it is whole */
    size_t scanned;
    uint64_t length;               /* octets of the response still to come; WEB_BODY_UNKNOWN */
    bool gathers;                  /* the program starts when the body is here */
    bool has_body;
    bool started;
    bool answered;                 /* a response has begun, of the program or about it */
    bool over;                     /* the program is done */
    bool endless;                  /* a stream of events: no time holds between two */
    unsigned complaints;
    char complaint[240];           /* a line that has begun */
    size_t complaint_len;
};

/* Begins with a request that is being looked at. 0: it is under way, or has been answered already, as by
 * 413, and was freed; or a status to refuse with, and the gateway is as if it had never been. */
MUST_USE unsigned web_gateway_begin(struct web_gateway *gateway, struct web_exchange *exchange,
                                    const struct web_script *script,
                                    const struct web_backend *backend);

/* Octets of the request's body have been taken by the program. */
void web_gateway_sent(struct web_gateway *gateway, size_t len);

/* What the program writes. Backends look at web_gateway_full() and stop for a while. */
void web_gateway_output(struct web_gateway *gateway, struct bytes data);
bool web_gateway_full(struct web_gateway *gateway);

/* What it says on its standard error: line by line to the log. */
void web_gateway_complain(struct web_gateway *gateway, struct bytes text);

/* About a program, to the log. */
void web_gateway_say(const struct web_gateway *gateway, const char *format, ...) PRINTF_LIKE(2, 3);

/* It will write no more, and the backend has let go: the last call. The gateway may be freed. */
void web_gateway_over(struct web_gateway *gateway);

/* The same without an answer that is whole: `status` says why, if there is still somebody to tell. */
void web_gateway_fail(struct web_gateway *gateway, unsigned status);

/* ---- for the service ---- */

/* Answers by the program that the rule names. */
void web_gateway_request(struct web_exchange *exchange, struct bytes path);
void web_gateways_done(struct web *web); /* those that outlived their exchanges */

#endif
