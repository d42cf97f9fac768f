/* SPDX-License-Identifier: ISC */
/*
 * loop.c - epoll for descriptors, a timer wheel for alarms, a list for tasks.
 *
 * A turn costs one epoll_pwait2(2) and one look at the clock; alarms and tasks cost no system call.
 * A second look is taken before a timed sleep, because the turn itself has taken time.
 */
#include "io/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/entropy.h"
#include "os/memory.h"

enum { BATCH = 64 };

/* A virtual world begins on 1 January 2026. */
static const int64_t virtual_epoch = 1767225600;

struct loop {
    usec now;
    int epoll_fd; /* -1: virtual */
    bool stopping;
    bool coarse_sleep; /* no epoll_pwait2(2): Linux before 5.11, and some sandboxes */
    struct loop_turns turns; /* .begin NULL: nothing is done */
    int ready_next; /* of ready[], the first not dispatched yet */
    int ready_count;
    struct list_node tasks;
    struct prng prng;
    struct wheel wheel;
    struct epoll_event ready[BATCH];
};

static struct loop *new_loop(int epoll_fd, usec now)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->epoll_fd = epoll_fd;
    loop->now = now;
    list_init(&loop->tasks);
    wheel_init(&loop->wheel, now);
    return loop;
}

struct loop *loop_new(void)
{
    uint8_t seed[PRNG_SEED_LEN];
    int status = entropy_fill(seed, sizeof seed);
    if (status < 0) {
        errno = -status;
        return NULL;
    }
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        return NULL;
    struct loop *loop = new_loop(epoll_fd, clock_monotonic());
    if (loop == NULL) {
        (void)close(epoll_fd);
        errno = ENOMEM;
        return NULL;
    }
    prng_init(&loop->prng, seed);
    return loop;
}

struct loop *loop_new_virtual(usec start, uint64_t seed)
{
    struct loop *loop = new_loop(-1, start);
    if (loop != NULL)
        prng_init_number(&loop->prng, seed);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->epoll_fd >= 0)
        (void)close(loop->epoll_fd);
    free(loop);
}

usec loop_now(const struct loop *loop)
{
    return loop->now;
}

usec loop_look(struct loop *loop)
{
    if (!loop_is_virtual(loop))
        loop->now = usec_max(loop->now, clock_monotonic());
    return loop->now;
}

bool loop_is_virtual(const struct loop *loop)
{
    return loop->epoll_fd < 0;
}

int64_t loop_wall_seconds(const struct loop *loop)
{
    return loop_is_virtual(loop) ? virtual_epoch + loop->now / USEC_PER_SEC : clock_wall_seconds();
}

struct prng *loop_prng(struct loop *loop)
{
    return &loop->prng;
}

struct heap loop_heap(const struct loop *loop UNUSED)
{
    return memory_heap();
}

/* ---- descriptors ---- */

static uint32_t epoll_events(unsigned wanted)
{
    uint32_t events = 0;
    if (wanted & LOOP_READ)
        events |= EPOLLIN;
    if (wanted & LOOP_WRITE)
        events |= EPOLLOUT;
    if (wanted & LOOP_URGENT)
        events |= EPOLLPRI;
    if (wanted & LOOP_END)
        events |= EPOLLRDHUP;
    if (wanted & LOOP_EDGE)
        events |= EPOLLET;
    return events;
}

static unsigned loop_events(uint32_t events)
{
    unsigned ready = 0;
    if (events & EPOLLIN)
        ready |= LOOP_READ;
    if (events & EPOLLOUT)
        ready |= LOOP_WRITE;
    if (events & EPOLLPRI)
        ready |= LOOP_URGENT;
    if (events & EPOLLRDHUP)
        ready |= LOOP_END;
    if (events & (EPOLLERR | EPOLLHUP))
        ready |= LOOP_ERROR;
    return ready;
}

int loop_watch(struct loop *loop, struct watch *watch, int fd, unsigned wanted,
               void (*on_ready)(struct watch *, unsigned))
{
    if (loop_is_virtual(loop))
        return -ENOTSUP;
    struct epoll_event event = {.events = epoll_events(wanted), .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    *watch = (struct watch){fd, wanted, on_ready, loop};
    return 0;
}

void loop_want(struct watch *watch, unsigned wanted)
{
    ASSERT(watch->loop != NULL);
    if (watch->wanted == wanted)
        return;
    struct epoll_event event = {.events = epoll_events(wanted), .data.ptr = watch};
    int status = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    ASSERT(status == 0);
    watch->wanted = wanted;
}

void loop_unwatch(struct watch *watch)
{
    struct loop *loop = watch->loop;
    if (loop == NULL)
        return;
    int status = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    ASSERT(status == 0);
    /* What it had to tell in this batch is not told any more: the watch may be freed next. */
    for (int i = loop->ready_next; i < loop->ready_count; i++)
        if (loop->ready[i].data.ptr == watch)
            loop->ready[i].data.ptr = NULL;
    watch->loop = NULL;
}

static void dispatch_ready(struct loop *loop)
{
    while (loop->ready_next < loop->ready_count) {
        struct epoll_event *event = &loop->ready[loop->ready_next++];
        struct watch *watch = event->data.ptr;
        if (watch == NULL)
            continue;
        /* A callback before this one may have changed what is wanted. */
        unsigned ready = loop_events(event->events) & (watch->wanted | LOOP_ERROR);
        if (ready != 0)
            watch->on_ready(watch, ready);
    }
}

/* ---- alarms and tasks ---- */

void alarm_init(struct alarm *alarm, void (*on_due)(struct alarm *))
{
    timer_init(&alarm->timer, 0);
    alarm->on_due = on_due;
}

void loop_set_alarm(struct loop *loop, struct alarm *alarm, usec due_at)
{
    if (timer_armed(&alarm->timer) && alarm->timer.due_at == due_at)
        return;
    wheel_arm(&loop->wheel, &alarm->timer, due_at);
}

void loop_clear_alarm(struct loop *loop, struct alarm *alarm)
{
    wheel_disarm(&loop->wheel, &alarm->timer);
}

/* One that arms itself again for an instant that has passed waits for the next turn: descriptors
 * and tasks have their share too. */
static void dispatch_alarms(struct loop *loop)
{
    for (uint32_t left = loop->wheel.count; left > 0; left--) {
        struct timer *timer = wheel_expire(&loop->wheel, loop->now);
        if (timer == NULL)
            break;
        struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
        alarm->on_due(alarm);
    }
}

void task_init(struct task *task, void (*run)(struct task *))
{
    list_init(&task->node);
    task->run = run;
}

void loop_queue(struct loop *loop, struct task *task)
{
    if (!list_linked(&task->node))
        list_append(&loop->tasks, &task->node);
}

void loop_unqueue(struct task *task)
{
    list_remove(&task->node);
}

static void run_tasks(struct loop *loop)
{
    if (list_empty(&loop->tasks))
        return;
    /* The ring changes its head: what is queued from now on is for the next turn. */
    struct list_node running;
    list_insert_after(&loop->tasks, &running);
    list_remove(&loop->tasks);
    /* The new head was put in front of the first node, which is where a head belongs. */
    struct list_node *node;
    while ((node = list_first(&running)) != NULL) {
        struct task *task = CONTAINER_OF(node, struct task, node);
        list_remove(node);
        task->run(task);
    }
}

/* ---- turns ---- */

void loop_set_turns(struct loop *loop, const struct loop_turns *turns)
{
    loop->turns = turns != NULL ? *turns : (struct loop_turns){0};
}

/* How long to sleep for the next alarm, at most until `limit`: 0: not at all; USEC_NEVER: until a
 * descriptor is ready. */
static usec sleep_time(const struct loop *loop, usec limit)
{
    if (loop->stopping || !list_empty(&loop->tasks))
        return 0;
    usec until = usec_min(wheel_deadline(&loop->wheel), limit);
    if (until == USEC_NEVER || until <= loop->now)
        return until == USEC_NEVER ? USEC_NEVER : 0;
    return usec_max(until - clock_monotonic(), 0);
}

static int wait_coarsely(struct loop *loop, usec timeout)
{
    int milliseconds = -1;
    if (timeout != USEC_NEVER)
        milliseconds = (int)usec_min((timeout + 999) / 1000, 1000000);
    return epoll_wait(loop->epoll_fd, loop->ready, BATCH, milliseconds);
}

static int wait_ready(struct loop *loop, usec timeout)
{
    if (loop->coarse_sleep)
        return wait_coarsely(loop, timeout);
    struct timespec t = {timeout / USEC_PER_SEC, timeout % USEC_PER_SEC * 1000};
    int count = epoll_pwait2(loop->epoll_fd, loop->ready, BATCH, timeout != USEC_NEVER ? &t : NULL,
                             NULL);
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) {
        loop->coarse_sleep = true;
        return wait_coarsely(loop, timeout);
    }
    return count;
}

static int real_turn(struct loop *loop, usec limit)
{
    int count = wait_ready(loop, sleep_time(loop, limit));
    if (count < 0 && errno != EINTR)
        return -errno;
    loop->now = usec_max(loop->now, clock_monotonic());
    loop->ready_next = 0;
    loop->ready_count = count > 0 ? count : 0;
    const struct loop_turns turns = loop->turns;
    if (turns.begin != NULL)
        turns.begin(turns.self);
    dispatch_ready(loop);
    dispatch_alarms(loop);
    run_tasks(loop);
    if (turns.begin != NULL)
        turns.end(turns.self);
    return 0;
}

static bool past(const struct loop *loop, usec deadline)
{
    return loop->now >= deadline;
}

static int run_real(struct loop *loop, usec deadline)
{
    int status = 0;
    do
        status = real_turn(loop, deadline);
    while (status == 0 && !loop->stopping && !past(loop, deadline));
    return status;
}

/* Time stands still while there are tasks, and then jumps. */
static void run_virtual(struct loop *loop, usec deadline)
{
    do {
        if (list_empty(&loop->tasks)) {
            usec next = wheel_deadline(&loop->wheel);
            if (next > deadline || (next == USEC_NEVER && deadline == USEC_NEVER)) {
                if (deadline != USEC_NEVER)
                    loop->now = usec_max(loop->now, deadline);
                return;
            }
            loop->now = usec_max(loop->now, next);
        }
        dispatch_alarms(loop);
        run_tasks(loop);
    } while (!loop->stopping);
}

int loop_run_until(struct loop *loop, usec deadline)
{
    int status = 0;
    if (loop_is_virtual(loop))
        run_virtual(loop, deadline);
    else
        status = run_real(loop, deadline);
    loop->stopping = false;
    return status;
}

int loop_run(struct loop *loop)
{
    return loop_run_until(loop, USEC_NEVER);
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

/* ---- signals ---- */

static void on_signals(struct watch *watch, unsigned ready UNUSED)
{
    struct signal_watch *signals = CONTAINER_OF(watch, struct signal_watch, watch);
    struct signalfd_siginfo facts;
    /* One a turn: the callback may be the end of the watch. */
    if (read(watch->fd, &facts, sizeof facts) == (ssize_t)sizeof facts)
        signals->on_signal(signals, (int)facts.ssi_signo);
}

int loop_watch_signals(struct loop *loop, struct signal_watch *watch, const int *numbers,
                       size_t count, void (*on_signal)(struct signal_watch *, int))
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        if (sigaddset(&set, numbers[i]) < 0)
            return -errno;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = loop_watch(loop, &watch->watch, fd, LOOP_READ, on_signals);
    if (status == 0)
        status = -pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (status < 0) {
        (void)close(fd);
        watch->watch.loop = NULL;
        return status;
    }
    watch->on_signal = on_signal;
    return 0;
}

void loop_unwatch_signals(struct signal_watch *watch)
{
    if (watch->watch.loop == NULL)
        return;
    loop_unwatch(&watch->watch);
    (void)close(watch->watch.fd);
}
