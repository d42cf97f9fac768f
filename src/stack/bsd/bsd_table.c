/* SPDX-License-Identifier: ISC */
/*
 * bsd_table.c - the descriptors, and the way of an event from the stack to who waits for it.
 */
#include "stack/bsd/internal.h"

enum { TABLE_SIZE_FIRST = 64 };

struct bsd *bsd_new(struct stack *stack, const struct bsd_options *options)
{
    struct bsd *bsd = heap_zeroed(&options->heap, sizeof *bsd);
    if (bsd == NULL)
        return NULL;
    bsd->stack = stack;
    bsd->heap = options->heap;
    bsd->first = options->first;
    bsd->descriptors_max = options->descriptors_max;
    if (bsd->descriptors_max == 0)
        bsd->descriptors_max = BSD_DESCRIPTORS_DEFAULT;
    if (bsd->descriptors_max > BSD_DESCRIPTORS_MAX)
        bsd->descriptors_max = BSD_DESCRIPTORS_MAX;
    return bsd;
}

void bsd_free(struct bsd *bsd)
{
    if (bsd == NULL)
        return;
    for (size_t i = 0; i < bsd->size; i++)
        if (bsd->table[i] != NULL)
            (void)bsd_close(bsd, bsd->table[i]->fd);
    ASSERT(bsd->count == 0 && bsd->watch_count == 0);
    struct heap heap = bsd->heap;
    heap_release(&heap, bsd->table, bsd->size * sizeof(struct bsd_socket *));
    heap_release(&heap, bsd, sizeof *bsd);
}

struct bsd_socket *bsd_find(const struct bsd *bsd, int fd)
{
    if (fd < bsd->first || (size_t)(fd - bsd->first) >= bsd->size)
        return NULL;
    return bsd->table[fd - bsd->first];
}

int bsd_socket_at(const struct bsd *bsd, int fd, struct bsd_socket **out)
{
    *out = bsd_find(bsd, fd);
    if (*out == NULL)
        return -EBADF;
    return (*out)->kind == BSD_EPOLL ? -ENOTSOCK : 0;
}

struct bsd_socket *bsd_each(const struct bsd *bsd, size_t *place)
{
    while (*place < bsd->size) {
        struct bsd_socket *s = bsd->table[(*place)++];
        if (s != NULL)
            return s;
    }
    return NULL;
}

static bool grow(struct bsd *bsd)
{
    size_t size = bsd->size == 0 ? TABLE_SIZE_FIRST : 2 * bsd->size;
    if (size > bsd->descriptors_max)
        size = bsd->descriptors_max;
    struct bsd_socket **table = bsd->heap.resize(
        bsd->heap.self, bsd->table, bsd->size * sizeof *table, size * sizeof *table);
    if (table == NULL)
        return false;
    memset(table + bsd->size, 0, (size - bsd->size) * sizeof *table);
    bsd->table = table;
    bsd->size = size;
    return true;
}

int bsd_add(struct bsd *bsd, enum bsd_kind kind, struct bsd_socket **out)
{
    if (bsd->count == bsd->descriptors_max)
        return -EMFILE;
    while (bsd->lowest < bsd->size && bsd->table[bsd->lowest] != NULL)
        bsd->lowest++;
    if (bsd->lowest == bsd->size && !grow(bsd))
        return -ENOMEM;
    struct bsd_socket *s = heap_zeroed(&bsd->heap, sizeof *s);
    if (s == NULL)
        return -ENOMEM;
    s->bsd = bsd;
    s->kind = (uint8_t)kind;
    s->fd = bsd->first + (int)bsd->lowest;
    s->mtu_discover = WN_IP_PMTUDISC_WANT;
    s->receive_timeout = USEC_NEVER;
    s->send_timeout = USEC_NEVER;
    s->local.address = address_any_v4();
    s->remote.address = address_any_v4();
    list_init(&s->watchers);
    bsd->table[bsd->lowest] = s;
    bsd->count++;
    *out = s;
    return s->fd;
}

void bsd_remove(struct bsd_socket *s)
{
    struct bsd *bsd = s->bsd;
    size_t place = (size_t)(s->fd - bsd->first);
    bsd_epoll_forget(s);
    bsd_forget_wishes(s);
    bsd->table[place] = NULL;
    bsd->count--;
    if (place < bsd->lowest)
        bsd->lowest = place;
    heap_release(&bsd->heap, s, sizeof *s);
}

uint64_t bsd_changes(const struct bsd *bsd)
{
    return bsd->changes;
}

void bsd_own(struct socket *base, struct bsd_socket *s)
{
    base->user = s;
    base->face = SOCKET_FACE_BSD;
}

void bsd_wake(struct bsd_socket *s, unsigned bits)
{
    s->bsd->changes++;
    bsd_epoll_wake(s, bits, 0);
}

/* What may have become true by an event. */
static unsigned bits_of(unsigned events)
{
    unsigned bits = 0;
    if (events & (SOCKET_OPENED | SOCKET_END | SOCKET_FAILED | SOCKET_FINISHED))
        return READY_ANY;
    if (events & (SOCKET_READABLE | SOCKET_URGENT))
        bits |= READY_IN | WN_POLLPRI | WN_POLLRDBAND;
    if (events & SOCKET_WRITABLE)
        bits |= READY_OUT | WN_POLLWRBAND;
    return bits;
}

bool bsd_event(const struct socket_event *event)
{
    if (event->socket->face != SOCKET_FACE_BSD)
        return false;
    struct bsd_socket *s = event->socket->user;
    if (s->kind == BSD_UDP && (event->events & SOCKET_FAILED))
        bsd_dgram_errors(s);
    unsigned bits = s->listener != NULL ? (unsigned)READY_IN : bits_of(event->events);
    bsd_wake(s, bits);
    return true;
}

void bsd_turn(struct bsd *bsd)
{
    struct socket_event event;
    while (stack_next_event(bsd->stack, &event))
        (void)bsd_event(&event);
}
