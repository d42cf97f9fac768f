/* SPDX-License-Identifier: ISC */
/*
 * lwip_server.c - bench_tool's servers (sink, echo, source, UDP) on lwIP over a TAP device: the raw
 * API, one thread, one buffer a frame.
 *
 *      lwip_server NAME ADDRESS NETMASK PORT
 *
 * makes the device, says "ready", and serves until killed. MTU 1500, as Debian builds lwIP.
 */
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>

enum { ECHO_PORTS = 8, SOURCE_PORT = 9, UDP_ANSWER = 128, BLOCK = 16384, FRAME = 1514, PARTS = 16 };

enum role { SINK, ECHO, SOURCE };

struct peer {
    enum role role;
    uint64_t total;
};

static int tap;
static struct netif netif;
static enum role roles[] = {SINK, ECHO, SOURCE};
static uint8_t block[BLOCK];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- the device ---- */

static err_t send_frame(struct netif *to, struct pbuf *p)
{
    struct iovec parts[PARTS];
    int count = 0;
    (void)to;
    for (; p != NULL && count < PARTS; p = p->next)
        parts[count++] = (struct iovec){p->payload, p->len};
    return writev(tap, parts, count) < 0 ? ERR_IF : ERR_OK;
}

static err_t device_init(struct netif *to)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    to->name[0] = 't';
    to->name[1] = 'p';
    to->mtu = 1500;
    to->hwaddr_len = 6;
    memcpy(to->hwaddr, mac, 6);
    to->output = etharp_output;
    to->linkoutput = send_frame;
    to->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static int receive_frame(void)
{
    static uint8_t frame[FRAME];
    ssize_t got = read(tap, frame, sizeof frame);
    if (got <= 0)
        return 0;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)got, PBUF_RAM);
    if (p == NULL)
        return 1;
    pbuf_take(p, frame, (u16_t)got);
    if (netif.input(p, &netif) != ERR_OK)
        pbuf_free(p);
    return 1;
}

static void open_device(const char *name, const char *address, const char *mask)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    ip4_addr_t own, netmask, gateway;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0)
        die("TUNSETIFF");
    ip4addr_aton(address, &own);
    ip4addr_aton(mask, &netmask);
    ip4_addr_set_zero(&gateway);
    if (netif_add(&netif, &own, &netmask, &gateway, NULL, device_init, ethernet_input) == NULL)
        die("netif_add");
    netif_set_default(&netif);
    netif_set_up(&netif);
}

/* ---- the servers ---- */

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

static void on_error(void *arg, err_t error)
{
    (void)error;
    free(arg);
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct peer *peer = arg;
    (void)error;
    if (p == NULL) {
        if (peer->role == SINK)
            tcp_write(pcb, &peer->total, sizeof peer->total, TCP_WRITE_FLAG_COPY);
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_sent(pcb, NULL);
        tcp_err(pcb, NULL);
        free(peer);
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
            return ERR_ABRT;
        }
        return ERR_OK;
    }
    peer->total += p->tot_len;
    if (peer->role == ECHO)
        for (struct pbuf *q = p; q != NULL; q = q->next)
            tcp_write(pcb, q->payload, q->len, TCP_WRITE_FLAG_COPY);
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL || error != ERR_OK)
        return ERR_MEM;
    peer->role = *(enum role *)arg;
    tcp_arg(pcb, peer);
    tcp_nagle_disable(pcb);
    tcp_recv(pcb, on_received);
    tcp_err(pcb, on_error);
    if (peer->role == SOURCE) {
        tcp_sent(pcb, on_sent);
        fill(pcb);
    }
    return ERR_OK;
}

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    struct pbuf *answer = pbuf_alloc(PBUF_TRANSPORT, UDP_ANSWER, PBUF_RAM);
    (void)arg;
    pbuf_free(p);
    if (answer == NULL)
        return;
    pbuf_take(answer, block, UDP_ANSWER);
    udp_sendto(pcb, answer, from, port);
    pbuf_free(answer);
}

static void serve(int port)
{
    for (int i = 0; i < ECHO_PORTS + 2; i++) {
        struct tcp_pcb *pcb = tcp_new();
        if (pcb == NULL || tcp_bind(pcb, IP4_ADDR_ANY, (u16_t)(port + i)) != ERR_OK ||
            (pcb = tcp_listen_with_backlog(pcb, 255)) == NULL)
            die("tcp_listen");
        tcp_arg(pcb, &roles[i == 0 ? SINK : i == SOURCE_PORT ? SOURCE : ECHO]);
        tcp_accept(pcb, on_accepted);
    }
    struct udp_pcb *udp = udp_new();
    if (udp == NULL || udp_bind(udp, IP4_ADDR_ANY, (u16_t)port) != ERR_OK)
        die("udp_bind");
    udp_recv(udp, on_datagram, NULL);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "lwip_server NAME ADDRESS NETMASK PORT\n");
        return 2;
    }
    tcpip_init(NULL, NULL);
    LOCK_TCPIP_CORE(); /* for good: this thread is the stack's */
    open_device(argv[1], argv[2], argv[3]);
    serve(atoi(argv[4]));
    puts("ready");
    fflush(stdout);
    for (;;) {
        sys_check_timeouts();
        int frames = 0;
        while (frames < 64 && receive_frame())
            frames++;
        if (frames > 0)
            continue;
        u32_t sleep = sys_timeouts_sleeptime();
        struct pollfd watched = {.fd = tap, .events = POLLIN};
        poll(&watched, 1, sleep == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? -1 : (int)sleep);
    }
}
