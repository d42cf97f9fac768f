/* SPDX-License-Identifier: ISC */
/*
 * tap_forward.c - two TAP devices and a process that carries frames from one to the other, nothing
 * else: what the devices and two copies cost at least. With virtio_net_hdr and segmentation offload,
 * as `wholenet run` has it.
 *
 *      tap_forward NAME NAME
 *
 * makes the devices, says "ready", and forwards until killed.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { HEADER = 12, FRAME = 65536 + 64, BATCH = 64 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_device(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int header = HEADER;
    unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 ||
        ioctl(fd, TUNSETOFFLOAD, offload) < 0)
        die(name);
    return fd;
}

/* One buffer, which stays in the cache. A device that is full loses the frame, as a link does. */
static void forward(int from, int to)
{
    static uint8_t frame[FRAME];
    for (int i = 0; i < BATCH; i++) {
        ssize_t got = read(from, frame, sizeof frame);
        if (got <= 0)
            return;
        (void)!write(to, frame, (size_t)got);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "tap_forward NAME NAME\n");
        return 2;
    }
    struct pollfd ends[2] = {{open_device(argv[1]), POLLIN, 0}, {open_device(argv[2]), POLLIN, 0}};
    puts("ready");
    fflush(stdout);
    for (;;) {
        if (poll(ends, 2, -1) < 0)
            continue;
        for (int i = 0; i < 2; i++)
            if (ends[i].revents != 0)
                forward(ends[i].fd, ends[!i].fd);
    }
}
