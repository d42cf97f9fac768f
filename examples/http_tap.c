/* SPDX-License-Identifier: ISC */
/*
 * http_tap.c - what is at a URL, to standard output, with a TCP/IP of its own on a TAP device: the host's kernel sees
 * frames, and no connection.
 *
 *      cc http_tap.c $(pkg-config --cflags --libs wholenet-http) && ./a.out tap0 10.0.0.7/24 10.0.0.1 URL [SERVER]
 *
 * 10.0.0.1 is the router; SERVER, which is the router unless it is said, finds names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wholenet/http.h>

static int fetch(struct wn_http *http, const char *url)
{
    struct wn_http_request request;
    struct wn_http_answer *answer;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.url = url;
    request.timeout = 60 * WN_SECOND;
    request.flags = WN_HTTP_FAIL;
    int error = wn_http_do(http, &request, &answer);
    if (error == 0)
        fwrite(answer->body, 1, answer->body_len, stdout);
    else
        fprintf(stderr, "%s: %s\n", url, wn_http_why(http));
    wn_http_answer_free(answer);
    return error != 0;
}

static int fail(const struct wn_stack *stack)
{
    fprintf(stderr, "%s\n", stack != NULL ? wn_stack_error(stack) : "no memory");
    return 1;
}

int main(int argc, char **argv)
{
    struct wn_stack *stack;
    struct wn_sockets_options table;
    struct wn_resolver_options names;
    struct wn_http_options options;
    struct wn_http *http;
    char resolv_conf[64];
    if (argc < 5)
        return fprintf(stderr, "usage: http_tap DEVICE ADDRESS/LENGTH ROUTER URL [SERVER]\n"), 2;
    struct wn_loop *loop = wn_loop_new();
    if (loop == NULL || wn_loop_stack(loop, NULL, &stack) < 0)
        return fail(NULL);
    if (wn_stack_add_interface(stack, "tap", "02:00:00:00:00:07", 1500, 0) < 0 ||
        wn_loop_attach_tap(loop, stack, 0, argv[1]) < 0 ||
        wn_stack_add_address(stack, 0, argv[2]) < 0 ||
        wn_stack_add_route(stack, "0.0.0.0/0", argv[3], 0) < 0)
        return fail(stack);

    memset(&table, 0, sizeof table);
    table.size = sizeof table;
    struct wn_sockets *sockets = wn_sockets_new(stack, &table);
    snprintf(resolv_conf, sizeof resolv_conf, "nameserver %.40s\n", argc > 5 ? argv[5] : argv[3]);
    memset(&names, 0, sizeof names);
    names.size = sizeof names;
    names.resolv_conf = resolv_conf;
    struct wn_resolver *resolver = sockets != NULL ? wn_resolver_new(sockets, &names) : NULL;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.stack = stack;
    options.resolver = resolver;
    if (resolver == NULL || wn_http_new(loop, &options, &http) != 0)
        return fail(NULL);
    int result = fetch(http, argv[4]);

    wn_http_free(http);
    wn_resolver_free(resolver);
    wn_sockets_free(sockets);
    wn_loop_free(loop);
    wn_stack_free(stack);
    return result;
}
