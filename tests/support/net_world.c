/* SPDX-License-Identifier: ISC */
/* net_world.c - makes and takes down the worlds of the net contract. */
#include "tests/support/net_world.h"

#include <dirent.h>

#include "tests/support/check.h"

size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    size_t count = 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void open_kernel(struct world *w)
{
    w->loop = loop_new();
    assert_non_null(w->loop);
    w->client = net_kernel_new(w->loop);
    w->server = w->client;
    assert_non_null(w->client);
    w->address = address_v4(0x7f000001);
    w->client_address = w->address;
    w->give_up_at = loop_now(w->loop) + 10 * USEC_PER_SEC;
}

void world_open(struct world *w, const struct world_kind *kind)
{
    *w = (struct world){.kind = kind};
    open_kernel(w);
}

void world_close(struct world *w)
{
    net_free(w->client);
    loop_free(w->loop);
}

bool world_turn(struct world *w)
{
    if (loop_now(w->loop) >= w->give_up_at)
        return false;
    assert_int_equal(loop_run_until(w->loop, loop_now(w->loop) + USEC_PER_MSEC), 0);
    return true;
}

void world_run(struct world *w, usec duration)
{
    assert_int_equal(loop_run_until(w->loop, loop_now(w->loop) + duration), 0);
}
