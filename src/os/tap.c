/* SPDX-License-Identifier: ISC */
/* tap.c - the ioctls of /dev/net/tun (Documentation/networking/tuntap.rst of the kernel). */
#include "os/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "os/file.h"

_Static_assert((int)TAP_NAME_SIZE == IFNAMSIZ, "a name has room");

static int attach(int fd, const struct tap_options *options, char name[TAP_NAME_SIZE])
{
    struct ifreq request = {0};
    int flags = IFF_TAP | IFF_NO_PI;
    if (options->vnet_header_len > 0)
        flags |= IFF_VNET_HDR;
    if (options->queues)
        flags |= IFF_MULTI_QUEUE;
    request.ifr_flags = (short)flags;
    if (options->name != NULL) {
        size_t len = strlen(options->name);
        if (len >= sizeof request.ifr_name)
            return -ENAMETOOLONG;
        memcpy(request.ifr_name, options->name, len);
    }
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        return -errno;
    memcpy(name, request.ifr_name, TAP_NAME_SIZE);
    name[TAP_NAME_SIZE - 1] = '\0';
    return 0;
}

static int set_offload(int fd, bool *tso6)
{
    unsigned long wanted = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN;
    if (ioctl(fd, TUNSETOFFLOAD, wanted | TUN_F_TSO6) == 0) {
        *tso6 = true;
        return 0;
    }
    return ioctl(fd, TUNSETOFFLOAD, wanted) < 0 ? -errno : 0;
}

/* Since Linux 6.2; the headers may be older. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* What it may give us and what it takes from us came with one version. It is not to give us any. */
bool tap_cuts_datagrams(int fd)
{
    unsigned long datagrams = TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6;
    bool tso6;
    return ioctl(fd, TUNSETOFFLOAD, datagrams) == 0 && set_offload(fd, &tso6) == 0;
}

int tap_open(const struct tap_options *options, struct tap *out)
{
    ASSERT(!options->offload || options->vnet_header_len > 0);
    struct tap tap = {.fd = -1};
    const char *path = options->path != NULL ? options->path : "/dev/net/tun";
    CLOSE_AT_END int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = attach(fd, options, tap.name);
    if (status == 0 && options->vnet_header_len > 0) {
        int len = options->vnet_header_len;
        status = ioctl(fd, TUNSETVNETHDRSZ, &len) < 0 ? -errno : 0;
    }
    if (status == 0 && options->offload)
        status = set_offload(fd, &tap.tso6);
    if (status < 0)
        return status;
    tap.fd = fd;
    fd = -1;
    *out = tap;
    return 0;
}

const char *tap_error_text(int error)
{
    switch (-error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return "the host has no TAP devices (is the kernel module \"tun\" loaded?)";
    case EPERM:
    case EACCES:
        return "not permitted to make a TAP device here";
    case EBUSY:
        return "the TAP device is in use";
    case EINVAL:
        return "the name belongs to a device of another kind";
    default:
        return strerror(-error);
    }
}
