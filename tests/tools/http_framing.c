/* SPDX-License-Identifier: ISC */
/*
 * http_framing.c - says how our server machine reads the octets on its standard input: a line
 * "METHOD TARGET OCTETS-OF-BODY" for each request, and "refused STATUS" when it stops there. Messages
 * are separated by their lengths: "LENGTH\n" before each; a line "." ends what is said of one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/http/http_server.h"

enum { MESSAGE_MAX = 1 << 20 };

struct reading {
    struct http_server server;
    struct http_server_event event;
    char request[10000];
    unsigned long long body_len;
    bool taking;
};

static void tell(struct reading *r)
{
    printf("%s %llu\n", r->request, r->body_len);
    r->taking = false;
}

static void answer(struct reading *r)
{
    struct http_response response = {.status = 204};
    (void)http_server_respond(&r->server, &response);
}

static void on_event(struct reading *r)
{
    const struct http_request_head *head = &r->event.head;
    switch (r->event.kind) {
    case HTTP_SERVER_REQUEST:
        snprintf(r->request, sizeof r->request, "%.*s %.*s", (int)head->method.len,
                 (const char *)head->method.data, (int)head->target.len,
                 (const char *)head->target.data);
        r->body_len = 0;
        r->taking = http_server_accept_body(&r->server, UINT64_MAX);
        break;
    case HTTP_SERVER_BODY:
        r->body_len += r->event.data.len;
        break;
    case HTTP_SERVER_BODY_END:
        tell(r);
        answer(r);
        break;
    case HTTP_SERVER_BODY_FAILED:
    case HTTP_SERVER_NO_EVENT:
        break;
    }
}

static void read_message(struct bytes in)
{
    static struct reading r;
    memset(&r, 0, sizeof r);
    http_server_init(&r.server, NULL, 1);
    size_t at = 0;
    size_t used;
    do {
        used = http_server_input(&r.server, bytes_after(in, at), 1, &r.event);
        at += used;
        on_event(&r);
        if (r.server.status >= 400 && r.server.response == HTTP_SERVER_SENT)
            break;
        http_server_sent(&r.server, http_server_output(&r.server).len, 1);
    } while (used > 0 || r.event.kind != HTTP_SERVER_NO_EVENT);
    if (r.server.status >= 400)
        printf("refused %u\n", r.server.status);
    puts(".");
}

int main(void)
{
    char *message = malloc(MESSAGE_MAX);
    size_t len;
    while (message != NULL && scanf("%zu", &len) == 1 && len <= MESSAGE_MAX && getchar() == '\n' &&
           fread(message, 1, len, stdin) == len)
        read_message(bytes_of(message, len));
    free(message);
    return 0;
}
