/* SPDX-License-Identifier: ISC */
/*
 * tap.c - a host on a TAP device, by events: it answers ping, says the time by UDP and by TCP (RFC
 * 868), tells what it drops, and after COUNT answers shows what it has counted.
 *
 *      ./tap tap0 10.0.0.7/24 COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wholenet/loop.h>
#include <wholenet/tcp.h>
#include <wholenet/udp.h>

struct host {
    struct wn_loop *loop;
    struct wn_stack *stack;
    long left; /* answers */
};

/* Seconds since 1900, most significant octet first. */
static void say_time(unsigned char out[4])
{
    unsigned long seconds = (unsigned long)time(NULL) + 2208988800ul;
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(seconds >> (24 - 8 * i));
}

static void on_event(void *self, const struct wn_event *event)
{
    struct host *host = self;
    unsigned char now[4], ignored[1];
    struct wn_endpoint from;
    struct wn_tcp *tcp;
    say_time(now);
    if (event->kind == WN_EVENT_UDP)
        while (wn_udp_receive(event->udp, ignored, sizeof ignored, &from) >= 0)
            host->left -= wn_udp_send(event->udp, &from, now, sizeof now) == 0;
    if (event->kind == WN_EVENT_LISTENER)
        while ((tcp = wn_tcp_accept(event->listener, NULL)) != NULL) {
            wn_tcp_send(tcp, now, sizeof now);
            wn_tcp_shutdown(tcp);
            host->left--;
        }
    /* Closed when the peer has it all: then there is nobody left to be counted. */
    if (event->kind == WN_EVENT_TCP && (event->events & (WN_FINISHED | WN_FAILED)))
        wn_tcp_close(event->tcp);
    if (host->left <= 0 && event->kind != WN_EVENT_LISTENER)
        wn_loop_stop(host->loop);
}

static void on_trace(void *self, const struct wn_trace *trace)
{
    (void)self;
    if (trace->kind == WN_TRACE_DROP)
        fprintf(stderr, "dropped: %s\n", trace->text);
}

static int start(struct host *host, const char *device, const char *address)
{
    struct wn_endpoint own;
    struct wn_udp *udp;
    struct wn_listener *listener;
    if (wn_stack_add_interface(host->stack, "eth0", "02:00:00:00:00:07", 1500, 0) < 0 ||
        wn_stack_add_address(host->stack, 0, address) < 0 ||
        wn_loop_attach_tap(host->loop, host->stack, 0, device) < 0 ||
        wn_endpoint_parse("0.0.0.0:37", &own) < 0)
        return -1;
    wn_stack_on_event(host->stack, on_event, host);
    if (wn_udp_open(host->stack, &own, 0, NULL, &udp) < 0)
        return -1;
    return wn_listener_open(host->stack, &own, 0, NULL, &listener);
}

int main(int argc, char **argv)
{
    struct wn_stack_options options = {.size = sizeof options, .on_trace = on_trace};
    struct host host = {.loop = wn_loop_new()};
    if (argc != 4 || host.loop == NULL || wn_loop_stack(host.loop, &options, &host.stack) < 0) {
        fprintf(stderr, "usage: tap DEVICE ADDRESS/LEN COUNT\n");
        return 1;
    }
    host.left = strtol(argv[3], NULL, 10);
    if (start(&host, argv[1], argv[2]) < 0 || wn_loop_run(host.loop) < 0) {
        fprintf(stderr, "tap: %s\n", wn_stack_error(host.stack));
        return 1;
    }
    const char *name;
    uint64_t value;
    for (size_t place = 0; wn_stack_each_counter(host.stack, &place, &name, &value);)
        if (value > 0)
            printf("%s %llu\n", name, (unsigned long long)value);
    wn_loop_free(host.loop);
    wn_stack_free(host.stack);
    return 0;
}
