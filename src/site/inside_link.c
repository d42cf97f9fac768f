/* SPDX-License-Identifier: ISC */
/*
 * inside_link.c - the private network's interface: makes the TAP device, hands its other end out,
 * asks for an address by DHCP as any host would, and configures what it is given.
 */
#include "site/inside_init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "app/addresses/address_client.h"
#include "io/tap_port.h"
#include "os/clock.h"
#include "os/fdpass.h"
#include "os/file.h"
#include "os/netlink.h"
#include "os/packet.h"
#include "os/tap.h"

#define DEVICE "eth0"
#define DHCP_TIMEOUT (15 * USEC_PER_SEC)


/* Never fails the start: a /proc/sys that is read-only only leaves the host's defaults. */
static void write_sysctl(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, value, strlen(value));
    close(fd);
}

void inside_relax_sysctls(void)
{
    /* ping(8) without privilege, for every group that is known inside (icmp(7)). */
    char groups[64];
    if (geteuid() == 0)
        snprintf(groups, sizeof groups, "0 2147483647");
    else
        snprintf(groups, sizeof groups, "%u %u", (unsigned)getegid(), (unsigned)getegid());
    write_sysctl("/proc/sys/net/ipv4/ping_group_range", groups);
    write_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}

static const char *tap_advice(int error)
{
    switch (-error) {
    case EACCES:
    case EPERM:
        return "; let users open it (chmod 0666 /dev/net/tun, as on most systems), or run as root";
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return "; load it (modprobe tun), or hand /dev/net/tun to the container";
    default:
        return "";
    }
}

static int make_tap(const struct inside_options *options, int socket, struct text *error)
{
    struct tap tap;
    const struct tap_options tap_options = {
        .name = DEVICE,
        .vnet_header_len = TAP_VNET_HEADER_LEN,
        .offload = options->offload,
    };
    int result = tap_open(&tap_options, &tap);
    if (result < 0) {
        text_add_format(error, "cannot use /dev/net/tun: %s%s", tap_error_text(result),
                        tap_advice(result));
        return result;
    }
    struct inside_event event = {.kind = INSIDE_DEVICE, .fd = -1};
    result = fdpass_send(socket, tap.fd, bytes_of(&event, sizeof event));
    close(tap.fd);
    if (result < 0)
        text_add_format(error, "cannot hand the TAP device out: %s", strerror(-result));
    return result;
}

/* SKIPS RFC 4861, RFC 4862: the site's link is IPv4 alone as yet; the kernel's solicitations would
 * only be noise in captures. */
static void silence_ipv6(void)
{
    write_sysctl("/proc/sys/net/ipv6/conf/" DEVICE "/disable_ipv6", "1");
}

static int bring_up(struct netlink *netlink, const struct inside_options *options, unsigned *index,
                    struct text *error)
{
    struct netlink_link link;
    const char *doing = "bring up lo";
    int result = netlink_find(netlink, "lo", &link);
    if (result == 0)
        result = netlink_set_up(netlink, link.index, true);
    if (result == 0) {
        doing = "find " DEVICE;
        result = netlink_find(netlink, DEVICE, &link);
    }
    if (result == 0) {
        doing = "set the MAC address of " DEVICE;
        result = netlink_set_mac(netlink, link.index, &options->mac);
    }
    if (result == 0) {
        doing = "set the MTU of " DEVICE;
        result = netlink_set_mtu(netlink, link.index, options->mtu);
    }
    if (result == 0) {
        doing = "bring up " DEVICE;
        silence_ipv6();
        result = netlink_set_up(netlink, link.index, true);
    }
    if (result < 0)
        text_add_format(error, "cannot %s inside: %s", doing, strerror(-result));
    *index = result == 0 ? link.index : 0;
    return result;
}

/* The lease is not renewed: the site gives it for days (wholenet-run(1)). */
static int ask(const struct inside_options *options, unsigned index, struct inside_link *link,
               struct text *error)
{
    struct inside_network *out = &link->network;
    CLOSE_AT_END int fd = packet_open_udp(index, DHCP_CLIENT_PORT);
    if (fd < 0) {
        text_add_format(error, "cannot open a packet socket for DHCP inside: %s", strerror(-fd));
        return fd;
    }
    struct dhcp_lease lease;
    int result = address_client_acquire(fd, &options->mac, options->dhcp_hostname, DHCP_TIMEOUT,
                                        &lease);
    if (result < 0) {
        text_add_format(error, "no address from the site's DHCP service: %s%s", strerror(-result),
                        result == -ETIMEDOUT
                            ? " (is the link's --loss, --delay or --rate too hard?)"
                            : "");
        return result;
    }
    *out = (struct inside_network){
        .address = {lease.address, lease.prefix_len},
        .router = lease.router,
        .mtu = lease.mtu,
    };
    for (size_t i = 0; i < lease.dns_count && i < INSIDE_DNS_MAX; i++)
        out->dns[out->dns_count++] = lease.dns[i];
    link->packet_fd = fd;
    fd = -1;
    snprintf(out->domain, sizeof out->domain, "%s", lease.domain);
    return 0;
}

static int configure(struct netlink *netlink, unsigned index, const struct inside_network *network,
                     struct text *error)
{
    const char *doing = "set the MTU";
    int result = network->mtu != 0 ? netlink_set_mtu(netlink, index, network->mtu) : 0;
    if (result == 0) {
        doing = "add the address";
        result = netlink_add_address(netlink, index, &network->address);
    }
    if (result == 0 && !address_is_any(&network->router)) {
        const struct ip_prefix everything = {address_any_v4(), 0};
        doing = "add the default route";
        result = netlink_add_route(netlink, index, &everything, &network->router);
    }
    if (result < 0)
        text_add_format(error, "cannot %s of " DEVICE " inside: %s", doing, strerror(-result));
    return result;
}

int inside_link_up(const struct inside_options *options, int socket, struct inside_link *link,
                   struct text *error)
{
    struct netlink netlink;
    unsigned index;
    int result = make_tap(options, socket, error);
    if (result < 0)
        return result;
    result = netlink_open(&netlink);
    if (result < 0) {
        text_add_format(error, "cannot open netlink inside: %s", strerror(-result));
        return result;
    }
    result = bring_up(&netlink, options, &index, error);
    usec began_at = clock_monotonic();
    if (result == 0 && options->fixed != NULL)
        link->network = *options->fixed;
    else if (result == 0)
        result = ask(options, index, link, error);
    link->duration = clock_monotonic() - began_at;
    if (result == 0)
        result = configure(&netlink, index, &link->network, error);
    netlink_close(&netlink);
    return result;
}
