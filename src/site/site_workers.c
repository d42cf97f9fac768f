/* SPDX-License-Identifier: ISC */
/* site_workers.c - threads that serve parts of a site, and how they are told what to do. */
#include "site/site_workers.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "io/workers.h"
#include "os/thread.h"

struct site_workers {
    struct workers *threads;
    struct names_crew *names;
    size_t count;
    struct site *sites[WORKERS_MAX]; /* [0]: the first */
    struct lock lock;                /* of the status */
    char *status;
    size_t status_len;
    atomic_bool status_wanted;       /* a letter is under way */
};

size_t site_workers_wanted(const struct site_config *config)
{
    if (config->link.device != SITE_DEVICE_HOST)
        return 1; /* a stack of our own is one thread's */
    size_t count = config->workers != 0 ? config->workers : thread_processors();
    return count < WORKERS_MAX ? count : WORKERS_MAX;
}

/* ---- on the loop of another ---- */

struct order {
    struct site *site;
    const struct site_part *part;
    struct text *error;
};

static int open_site(void *self)
{
    struct order *order = self;
    struct site *site = order->site;
    site->started_at = loop_now(site->loop);
    site->outside = net_kernel_new(site->loop);
    site->inside = site->outside;
    if (site->outside != NULL)
        return 0;
    text_add(order->error, "no memory for the host's sockets of a worker");
    return -ENOMEM;
}

static int close_site(void *self)
{
    struct order *order = self;
    if (order->site->outside != NULL)
        net_free(order->site->outside);
    return 0;
}

static int start_part(void *self)
{
    struct order *order = self;
    order->site->config = order->site->first->config;
    return order->part->start(order->site, order->error);
}

static int stop_part(void *self)
{
    struct order *order = self;
    order->part->stop(order->site);
    return 0;
}

static int reload_part(void *self)
{
    struct order *order = self;
    order->site->config = order->site->first->config;
    order->part->reload(order->site);
    return 0;
}

static int configure(void *self)
{
    struct order *order = self;
    order->site->config = order->site->first->config;
    return 0;
}

static int tell(const struct site_workers *workers, size_t worker, int (*what)(void *self),
                const struct site_part *part, struct text *error)
{
    struct order order = {workers->sites[worker], part, error};
    return workers_call(workers->threads, worker, what, &order);
}

int site_workers_start(struct site *site, const struct site_part *part, struct text *error)
{
    int result = 0;
    for (size_t i = 1; site->workers != NULL && part->many && i < site->workers->count && result == 0; i++)
        result = tell(site->workers, i, start_part, part, error);
    return result;
}

void site_workers_stop(struct site *site, const struct site_part *part)
{
    for (size_t i = 1; site->workers != NULL && part->many && i < site->workers->count; i++)
        (void)tell(site->workers, i, stop_part, part, NULL);
}

void site_workers_reload(struct site *site, const struct site_part *part)
{
    for (size_t i = 1; site->workers != NULL && part->many && i < site->workers->count; i++)
        (void)tell(site->workers, i, reload_part, part, NULL);
}

void site_workers_configure(struct site *site)
{
    for (size_t i = 1; site->workers != NULL && i < site->workers->count; i++)
        (void)tell(site->workers, i, configure, NULL, NULL);
}

/* ---- status ---- */

struct status_letter {
    struct letter letter;
    struct site_workers *workers;
};

static void drop_status_letter(struct letter *letter)
{
    free(CONTAINER_OF(letter, struct status_letter, letter));
}

static void note_status(struct site_workers *workers)
{
    char *status = malloc(SITE_STATUS_MAX);
    size_t len = status != NULL ? site_status(workers->sites[0], status, SITE_STATUS_MAX) : 0;
    char *shorter = len > 0 ? realloc(status, len) : NULL;
    lock_take(&workers->lock);
    free(workers->status);
    workers->status = shorter != NULL ? shorter : status;
    workers->status_len = len;
    lock_give(&workers->lock);
}

static void open_status_letter(struct letter *letter)
{
    struct status_letter *l = CONTAINER_OF(letter, struct status_letter, letter);
    atomic_store(&l->workers->status_wanted, false);
    note_status(l->workers);
    free(l);
}

static void want_status(struct site_workers *workers)
{
    if (atomic_exchange(&workers->status_wanted, true))
        return;
    struct status_letter *l = malloc(sizeof *l);
    if (l == NULL)
        return;
    *l = (struct status_letter){{.open = open_status_letter, .drop = drop_status_letter}, workers};
    if (!mailbox_post(workers_mailbox(workers->threads, 0), &l->letter))
        free(l);
}

void site_workers_ready(struct site *site)
{
    if (site->workers != NULL && site->config->web.present)
        note_status(site->workers);
}

size_t site_workers_status(void *self, char *out, size_t size)
{
    const struct site *site = self;
    struct site_workers *workers = site->workers;
    want_status(workers);
    lock_take(&workers->lock);
    size_t len = workers->status_len <= size ? workers->status_len : 0;
    if (len > 0)
        memcpy(out, workers->status, len);
    lock_give(&workers->lock);
    return len;
}

void site_workers_web_counters(const struct site *site, struct web_counters *out)
{
    web_counters(site->web, out);
    if (site->workers == NULL)
        return;
    workers_close(site->workers->threads);
    for (size_t i = 1; i < site->workers->count; i++) {
        struct web_counters more;
        if (site->workers->sites[i]->web == NULL)
            continue;
        web_counters(site->workers->sites[i]->web, &more);
        uint64_t *sums = (uint64_t *)out;
        const uint64_t *numbers = (const uint64_t *)&more;
        for (size_t k = 0; k < sizeof more / sizeof *sums; k++)
            sums[k] += numbers[k];
    }
    workers_open(site->workers->threads);
}
_Static_assert(sizeof(struct web_counters) % sizeof(uint64_t) == 0, "it is made of such numbers");

/* ---- life ---- */

static int add_site(struct site *first, size_t worker, struct text *error)
{
    struct site_workers *workers = first->workers;
    struct site *site = calloc(1, sizeof *site);
    if (site == NULL) {
        text_add(error, "no memory for a worker");
        return -ENOMEM;
    }
    site->loop = workers_loop(workers->threads, worker);
    site->log = first->log;
    site->config = first->config;
    site->first = first;
    site->workers = workers;
    site->crew = first->crew;
    site->worker = worker;
    workers->sites[worker] = site;
    workers->count = worker + 1;
    return tell(workers, worker, open_site, NULL, error);
}

int site_workers_new(struct site *site, struct text *error)
{
    size_t count = site_workers_wanted(site->config);
    if (count == 1)
        return 0;
    struct site_workers *workers = calloc(1, sizeof *workers);
    if (workers == NULL)
        return -ENOMEM;
    lock_init(&workers->lock);
    workers->sites[0] = site;
    workers->count = 1;
    site->workers = workers;
    int result = workers_new(site->loop, count, &workers->threads);
    if (result == 0)
        result = names_crew_new(workers->threads, &workers->names);
    site->crew = workers->names;
    if (result < 0)
        text_add_format(error, "cannot start %zu workers: %s", count, strerror(-result));
    for (size_t i = 1; i < count && result == 0; i++)
        result = add_site(site, i, error);
    return result;
}

void site_workers_free(struct site *site)
{
    struct site_workers *workers = site->workers;
    if (workers == NULL)
        return;
    for (size_t i = 1; i < workers->count; i++) {
        (void)tell(workers, i, close_site, NULL, NULL);
        free(workers->sites[i]);
    }
    workers_free(workers->threads);
    names_crew_free(workers->names);
    free(workers->status);
    lock_done(&workers->lock);
    free(workers);
    site->workers = NULL;
    site->crew = NULL;
}
