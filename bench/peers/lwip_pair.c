/* SPDX-License-Identifier: ISC */
/*
 * lwip_pair.c - stack_pair's bulk over lwIP (its raw API, as Debian builds it): two interfaces of
 * the one stack that a process can have, joined by a link that copies each packet.
 *
 *      lwip_pair bulk STREAMS SECONDS
 *
 * The link carries IP packets, which spares lwIP the Ethernet header and ARP. One line of JSON.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>

enum { PORT = 5201, BLOCK = 16384, QUEUE = 1 << 17, TURN = 64 };

/* Packets on their way to the other interface. */
struct line {
    struct netif netif;
    struct pbuf *waiting[QUEUE];
    unsigned first, count;
};

static struct line lines[2];
static uint8_t block[BLOCK];
static unsigned connected;
static uint64_t received, segments, acks;

static void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the link ---- */

static err_t send_packet(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    struct line *line = netif->state;
    (void)to;
    if (p->tot_len > 100)
        segments++;
    else
        acks++;
    if (line->count == QUEUE)
        return ERR_OK; /* lost, like in a full queue */
    struct pbuf *copy = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);
    if (copy == NULL)
        return ERR_MEM;
    pbuf_copy(copy, p);
    line->waiting[(line->first + line->count++) % QUEUE] = copy;
    return ERR_OK;
}

static int carry(int which)
{
    struct line *line = &lines[which];
    int carried = 0;
    for (; line->count > 0 && carried < TURN; carried++) {
        struct pbuf *p = line->waiting[line->first];
        line->first = (line->first + 1) % QUEUE;
        line->count--;
        struct netif *to = &lines[!which].netif;
        if (to->input(p, to) != ERR_OK)
            pbuf_free(p);
    }
    return carried;
}

static err_t line_init(struct netif *netif)
{
    netif->name[0] = 'l';
    netif->name[1] = 'n';
    netif->mtu = 1500;
    netif->output = send_packet;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static void open_line(int which)
{
    ip4_addr_t address, mask, gateway;
    IP4_ADDR(&address, 10, 0, which + 1, 1);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    ip4_addr_set_zero(&gateway);
    if (netif_add(&lines[which].netif, &address, &mask, &gateway, &lines[which], line_init,
                  ip_input) == NULL)
        die("netif_add");
    netif_set_up(&lines[which].netif);
}

/* ---- the applications ---- */

static void fill(struct tcp_pcb *pcb)
{
    for (;;) {
        u16_t room = tcp_sndbuf(pcb) < BLOCK ? (u16_t)tcp_sndbuf(pcb) : BLOCK;
        if (room == 0 || tcp_write(pcb, block, room, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
    }
    tcp_output(pcb);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    (void)arg;
    (void)len;
    fill(pcb);
    return ERR_OK;
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p == NULL)
        return ERR_OK;
    received += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    tcp_recv(pcb, on_received);
    return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    connected++;
    tcp_sent(pcb, on_sent);
    return ERR_OK;
}

static struct tcp_pcb *connect_one(int port)
{
    ip_addr_t from, to;
    struct tcp_pcb *pcb = tcp_new();
    IP_ADDR4(&from, 10, 0, 1, 1);
    IP_ADDR4(&to, 10, 0, 2, 1);
    if (pcb == NULL || tcp_bind(pcb, &from, (u16_t)port) != ERR_OK)
        die("tcp_bind");
    tcp_bind_netif(pcb, &lines[0].netif); /* else it would take the short way to itself */
    if (tcp_connect(pcb, &to, PORT, on_connected) != ERR_OK)
        die("tcp_connect");
    return pcb;
}

static void turn(void)
{
    sys_check_timeouts();
    for (int i = 0; i < 8; i++)
        if (carry(1) + carry(0) == 0)
            break;
}

int main(int argc, char **argv)
{
    if (argc < 4 || strcmp(argv[1], "bulk") != 0)
        die("lwip_pair bulk STREAMS SECONDS");
    int streams = atoi(argv[2]);
    double seconds = atof(argv[3]);
    tcpip_init(NULL, NULL);
    LOCK_TCPIP_CORE(); /* for good: this thread is the stack's */
    open_line(0);
    open_line(1);
    struct tcp_pcb *listener = tcp_new();
    if (listener == NULL || tcp_bind(listener, IP_ADDR_ANY, PORT) != ERR_OK)
        die("tcp_bind");
    tcp_bind_netif(listener, &lines[1].netif);
    listener = tcp_listen_with_backlog(listener, 255);
    if (listener == NULL)
        die("tcp_listen");
    tcp_accept(listener, on_accepted);
    struct tcp_pcb **senders = calloc((size_t)streams, sizeof *senders);
    double limit = wall() + 30;
    for (int i = 0; i < streams; i++) {
        senders[i] = connect_one(10000 + i);
        while (connected <= (unsigned)i && wall() < limit)
            turn();
    }
    if (connected < (unsigned)streams)
        die("connections do not open");
    double warm = wall() + seconds / 4;
    double end = warm + seconds;
    double from_cpu = 0;
    uint64_t from = 0, from_segments = 0, from_acks = 0;
    for (int i = 0; i < streams; i++)
        fill(senders[i]);
    for (double now = wall(); now < end; now = wall()) {
        turn();
        if (from_cpu == 0 && now >= warm) {
            from_cpu = cpu();
            from = received;
            from_segments = segments;
            from_acks = acks;
        }
    }
    double took = cpu() - from_cpu;
    double octets = (double)(received - from);
    printf("{\"octets\": %.0f, \"seconds\": %.6f, \"gbit\": %.4f, \"segments\": %llu, "
           "\"acks\": %llu}\n",
           octets, took, octets * 8 / took / 1e9, (unsigned long long)(segments - from_segments),
           (unsigned long long)(acks - from_acks));
    return 0;
}
