/* SPDX-License-Identifier: ISC */
/*
 * http_responses.c - says how our client machine reads the octets on its standard input, as answers to GET, one
 * after the other on a connection that ends then: a line "STATUS OCTETS-OF-BODY" for each, and "refused" when it stops
 * there. Messages are separated by their lengths: "LENGTH\n" before each; a line "." ends what is said of one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/http/http_client.h"

enum { MESSAGE_MAX = 1 << 20 };

static bool ask(struct http_client *c)
{
    const struct http_request request = {.method = "GET", .target = bytes_of_text("/"), .host = "h"};
    bool good = http_client_request(c, &request, 1);
    http_client_sent(c, http_client_output(c).len);
    return good;
}

static void read_message(struct bytes in)
{
    static struct http_client c;
    struct http_client_event event;
    unsigned status = 0;
    unsigned long long len = 0;
    bool ended = false;
    http_client_init(&c, UINT64_MAX, 1);
    bool asked = ask(&c);
    while (asked) {
        size_t used = http_client_input(&c, in, 1, &event);
        in = bytes_after(in, used);
        if (event.kind == HTTP_CLIENT_HEAD) {
            status = event.head.status;
            len = 0;
        } else if (event.kind == HTTP_CLIENT_BODY) {
            len += event.data.len;
        } else if (event.kind == HTTP_CLIENT_END) {
            printf("%u %llu\n", status, len);
            if (in.len == 0 || !http_client_reusable(&c))
                break;
            asked = ask(&c);
        } else if (event.kind == HTTP_CLIENT_FAILED || event.kind == HTTP_CLIENT_SWITCHED) {
            puts("refused");
            break;
        } else if (used == 0 && event.kind == HTTP_CLIENT_NO_EVENT) {
            if (ended)
                break;
            http_client_end(&c, 1);
            ended = true;
        }
    }
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
