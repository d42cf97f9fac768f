/* SPDX-License-Identifier: ISC */
/*
 * bsd_epoll.c - sets of descriptors whose events are told once (edge), once and never again
 * (oneshot), or as long as they hold (level).
 *
 * A watch goes to its epoll's ready list when something happens to its socket that it asks for.
 * bsd_epoll_wait() looks what holds then: a watch by level stays in the list as long as that is
 * something, one by edge leaves it and comes back with the next event. So a turn costs as much as
 * there are events, not as there are descriptors.
 *
 * DEVIATES (Linux): WN_EPOLLEXCLUSIVE is taken, and wakes every epoll: in one thread there is no herd.
 */
#include "stack/bsd/internal.h"

#define MODES (WN_EPOLLET | WN_EPOLLONESHOT | WN_EPOLLWAKEUP | WN_EPOLLEXCLUSIVE)
#define EXCLUSIVE_ALLOWS                                                                           \
    (WN_EPOLLIN | WN_EPOLLOUT | WN_EPOLLERR | WN_EPOLLHUP | WN_EPOLLWAKEUP | WN_EPOLLET |          \
     WN_EPOLLEXCLUSIVE)

enum { WATCHES_PER_DESCRIPTOR = 4 }; /* on the average: bounds them all */

int bsd_epoll_create(struct bsd *bsd, int flags)
{
    if (flags & ~WN_SOCK_CLOEXEC)
        return -EINVAL;
    struct bsd_epoll *epoll = heap_zeroed(&bsd->heap, sizeof *epoll);
    if (epoll == NULL)
        return -ENOMEM;
    struct bsd_socket *s;
    int fd = bsd_add(bsd, BSD_EPOLL, &s);
    if (fd < 0) {
        heap_release(&bsd->heap, epoll, sizeof *epoll);
        return fd;
    }
    epoll->socket = s;
    list_init(&epoll->all);
    list_init(&epoll->ready);
    s->epoll = epoll;
    return fd;
}

static void forget(struct bsd_watch *watch)
{
    struct bsd *bsd = watch->socket->bsd;
    list_remove(&watch->of_socket);
    list_remove(&watch->of_epoll);
    list_remove(&watch->ready);
    bsd->watch_count--;
    heap_release(&bsd->heap, watch, sizeof *watch);
}

void bsd_epoll_forget(struct bsd_socket *s)
{
    struct list_node *node;
    while ((node = list_first(&s->watchers)) != NULL)
        forget(CONTAINER_OF(node, struct bsd_watch, of_socket));
}

void bsd_epoll_close(struct bsd_socket *s)
{
    struct list_node *node;
    while ((node = list_first(&s->epoll->all)) != NULL)
        forget(CONTAINER_OF(node, struct bsd_watch, of_epoll));
    heap_release(&s->bsd->heap, s->epoll, sizeof *s->epoll);
    s->epoll = NULL;
}

static struct bsd_watch *find(const struct bsd_epoll *epoll, struct bsd_socket *s)
{
    for (struct list_node *node = s->watchers.next; node != &s->watchers; node = node->next) {
        struct bsd_watch *watch = CONTAINER_OF(node, struct bsd_watch, of_socket);
        if (watch->epoll == epoll)
            return watch;
    }
    return NULL;
}

static bool enabled(const struct bsd_watch *watch)
{
    return (watch->events & ~MODES) != 0;
}

/* What holds of what it asks for. */
static uint32_t holds(const struct bsd_watch *watch, int depth)
{
    return enabled(watch) ? bsd_socket_ready(watch->socket, depth) & (watch->events & ~MODES) : 0;
}

void bsd_epoll_wake(struct bsd_socket *s, unsigned bits, int depth)
{
    for (struct list_node *node = s->watchers.next; node != &s->watchers; node = node->next) {
        struct bsd_watch *watch = CONTAINER_OF(node, struct bsd_watch, of_socket);
        if (!enabled(watch) || (bits != READY_ANY && !(bits & watch->events)))
            continue;
        if (!list_linked(&watch->ready))
            list_append(&watch->epoll->ready, &watch->ready);
        if (depth < BSD_EPOLL_DEPTH_MAX)
            bsd_epoll_wake(watch->epoll->socket, READY_IN, depth + 1);
    }
}

bool bsd_epoll_ready(const struct bsd_socket *s, int depth)
{
    const struct list_node *head = &s->epoll->ready;
    if (depth > BSD_EPOLL_DEPTH_MAX)
        return false;
    for (struct list_node *node = head->next; node != head; node = node->next)
        if (holds(CONTAINER_OF(node, struct bsd_watch, ready), depth + 1) != 0)
            return true;
    return false;
}

/* ---- changes ---- */

/* How many epolls watch each other above `s`, itself counted. */
static int depth_above(const struct bsd_socket *s)
{
    int highest = 0;
    const struct list_node *head = &s->watchers;
    for (struct list_node *node = head->next; node != head; node = node->next) {
        int above = depth_above(CONTAINER_OF(node, struct bsd_watch, of_socket)->epoll->socket);
        highest = above > highest ? above : highest;
    }
    return highest + 1;
}

/* How many there are below; more than the bound when one of them is `top`. */
static int depth_below(const struct bsd_socket *s, const struct bsd_socket *top, int depth)
{
    if (s == top || depth > BSD_EPOLL_DEPTH_MAX)
        return BSD_EPOLL_DEPTH_MAX + 1;
    int deepest = depth;
    const struct list_node *head = &s->epoll->all;
    for (struct list_node *node = head->next; node != head; node = node->next) {
        const struct bsd_watch *watch = CONTAINER_OF(node, struct bsd_watch, of_epoll);
        if (watch->socket->kind != BSD_EPOLL)
            continue;
        int below = depth_below(watch->socket, top, depth + 1);
        deepest = below > deepest ? below : deepest;
    }
    return deepest;
}

static int add(struct bsd_epoll *epoll, struct bsd_socket *s, const struct wn_epoll_event *event)
{
    struct bsd *bsd = s->bsd;
    if (s->kind == BSD_EPOLL &&
        depth_below(s, epoll->socket, 1) + depth_above(epoll->socket) > BSD_EPOLL_DEPTH_MAX)
        return -ELOOP;
    if (bsd->watch_count >= WATCHES_PER_DESCRIPTOR * bsd->descriptors_max)
        return -ENOSPC;
    struct bsd_watch *watch = heap_zeroed(&bsd->heap, sizeof *watch);
    if (watch == NULL)
        return -ENOMEM;
    bsd->watch_count++;
    watch->socket = s;
    watch->epoll = epoll;
    list_init(&watch->ready);
    list_init(&watch->of_socket);
    list_init(&watch->of_epoll);
    list_append(&s->watchers, &watch->of_socket);
    list_append(&epoll->all, &watch->of_epoll);
    watch->events = event->events | READY_ALWAYS;
    watch->data = event->data;
    return 0;
}

static int modify(struct bsd_watch *watch, const struct wn_epoll_event *event)
{
    if ((event->events | watch->events) & WN_EPOLLEXCLUSIVE)
        return -EINVAL;
    watch->events = event->events | READY_ALWAYS;
    watch->data = event->data;
    return 0;
}

/* Does it ask for what cannot be? */
static bool is_wrong(int operation, const struct bsd_socket *s, const struct wn_epoll_event *event)
{
    if (operation == WN_EPOLL_CTL_DEL || !(event->events & WN_EPOLLEXCLUSIVE))
        return false;
    return operation == WN_EPOLL_CTL_MOD || s->kind == BSD_EPOLL ||
           (event->events & ~EXCLUSIVE_ALLOWS);
}

int bsd_epoll_ctl(struct bsd *bsd, int epoll_fd, int operation, int fd,
                  const struct wn_epoll_event *event)
{
    if (operation != WN_EPOLL_CTL_DEL && event == NULL)
        return -EFAULT;
    struct bsd_socket *top = bsd_find(bsd, epoll_fd);
    struct bsd_socket *s = bsd_find(bsd, fd);
    if (top == NULL || s == NULL)
        return -EBADF;
    if (top == s || top->kind != BSD_EPOLL || is_wrong(operation, s, event))
        return -EINVAL;
    struct bsd_watch *watch = find(top->epoll, s);
    int result = -EINVAL;
    if (operation == WN_EPOLL_CTL_ADD)
        result = watch != NULL ? -EEXIST : add(top->epoll, s, event);
    else if (operation == WN_EPOLL_CTL_MOD)
        result = watch == NULL ? -ENOENT : modify(watch, event);
    else if (operation == WN_EPOLL_CTL_DEL && watch == NULL)
        result = -ENOENT;
    if (operation == WN_EPOLL_CTL_DEL && watch != NULL) {
        forget(watch);
        return 0;
    }
    /* What holds already is told, also by edge. */
    watch = find(top->epoll, s);
    if (result == 0 && holds(watch, 1) != 0) {
        bsd->changes++;
        if (!list_linked(&watch->ready))
            list_append(&top->epoll->ready, &watch->ready);
        bsd_epoll_wake(top, READY_IN, 1);
    }
    return result;
}

/* ---- waiting ---- */

int bsd_epoll_wait(struct bsd *bsd, int epoll_fd, struct wn_epoll_event *events, int events_max)
{
    struct bsd_socket *top = bsd_find(bsd, epoll_fd);
    if (events_max <= 0)
        return -EINVAL;
    if (events == NULL)
        return -EFAULT;
    if (top == NULL)
        return -EBADF;
    if (top->kind != BSD_EPOLL)
        return -EINVAL;
    struct list_node *ready = &top->epoll->ready;
    struct list_node again;
    list_init(&again);
    int told = 0;
    struct list_node *node;
    while (told < events_max && (node = list_first(ready)) != NULL) {
        struct bsd_watch *watch = CONTAINER_OF(node, struct bsd_watch, ready);
        list_remove(node);
        uint32_t now = holds(watch, 1);
        if (now == 0)
            continue;
        events[told++] = (struct wn_epoll_event){now, watch->data};
        if (watch->events & WN_EPOLLONESHOT)
            watch->events &= MODES;
        else if (!(watch->events & WN_EPOLLET))
            list_append(&again, node);
    }
    /* Those by level go to the end, so that all have their turn. */
    while ((node = list_first(&again)) != NULL) {
        list_remove(node);
        list_append(ready, node);
    }
    return told;
}
