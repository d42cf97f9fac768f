/* SPDX-License-Identifier: ISC */
/*
 * host_lookup.c - a thread for each question under way. It shares nothing with the loop but its
 * question, which it hands back through a socket when it is done; so there is no lock. The end of the
 * pair that threads write to is closed by the last of them.
 */
#include "io/host_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop.h"

/* What outlives the lookup as long as threads run. */
struct shared {
    atomic_uint users;
    int write_fd;
};

struct host_question {
    struct host_lookup *lookup;
    struct shared *shared;
    struct list_node node; /* waiting */
    void (*on_answer)(void *self, const struct host_answer *answer); /* NULL: cancelled */
    void *self;
    struct host_answer answer;
    char name[LOOKUP_NAME_MAX];
};

struct remembered {
    char name[LOOKUP_NAME_MAX];
    struct host_answer answer;
    usec until;
};

struct host_lookup {
    struct loop *loop;
    struct shared *shared;
    struct watch watch;
    int read_fd;
    unsigned running;
    unsigned waiting_count;
    struct list_node waiting;
    struct remembered remembered[LOOKUP_REMEMBERED];
};

static void shared_release(struct shared *shared)
{
    if (atomic_fetch_sub(&shared->users, 1) != 1)
        return;
    (void)close(shared->write_fd);
    free(shared);
}

static void take_addresses(const struct addrinfo *list, struct host_answer *out)
{
    for (; list != NULL && out->count < LOOKUP_ADDRESSES_MAX; list = list->ai_next) {
        struct ip_address *to = &out->addresses[out->count];
        if (list->ai_family == AF_INET) {
            const struct sockaddr_in *in = (const void *)list->ai_addr;
            *to = address_v4(ntohl(in->sin_addr.s_addr));
            out->count++;
        } else if (list->ai_family == AF_INET6) {
            const struct sockaddr_in6 *in = (const void *)list->ai_addr;
            memcpy(to->octets, &in->sin6_addr, sizeof to->octets);
            out->count++;
        }
    }
}

static void *run(void *argument)
{
    struct host_question *q = argument;
    struct shared *shared = q->shared;
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    int status = getaddrinfo(q->name, NULL, &hints, &list);
    if (status == 0) {
        take_addresses(list, &q->answer);
        freeaddrinfo(list);
    }
    q->answer.error = status != 0 ? gai_strerror(status) : "it has no address";
    ssize_t written = send(shared->write_fd, &q, sizeof q, MSG_NOSIGNAL);
    if (written != (ssize_t)sizeof q)
        free(q); /* nobody reads any more */
    shared_release(shared);
    return NULL;
}

static void on_ready(struct watch *watch, unsigned ready);

static bool start(struct host_question *q)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, 512 * 1024);
    atomic_fetch_add(&q->shared->users, 1);
    int status = pthread_create(&thread, &attributes, run, q);
    (void)pthread_attr_destroy(&attributes);
    if (status != 0) {
        shared_release(q->shared);
        return false;
    }
    q->lookup->running++;
    return true;
}

/* A loop in virtual time has no descriptors: there only addresses are known. */
static bool watches(struct host_lookup *lookup)
{
    return lookup->watch.loop != NULL ||
           (!loop_is_virtual(lookup->loop) &&
            loop_watch(lookup->loop, &lookup->watch, lookup->read_fd, LOOP_READ, on_ready) == 0);
}

static struct remembered *slot_of(struct host_lookup *lookup, const char *name)
{
    uint32_t hash = 2166136261u;
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    return &lookup->remembered[hash % LOOKUP_REMEMBERED];
}

static void tell(struct host_lookup *lookup, struct host_question *q)
{
    if (q->answer.count > 0) {
        struct remembered *slot = slot_of(lookup, q->name);
        memcpy(slot->name, q->name, sizeof slot->name);
        slot->answer = q->answer;
        slot->until = loop_now(lookup->loop) + LOOKUP_GOOD;
    }
    if (q->on_answer != NULL)
        q->on_answer(q->self, &q->answer);
    free(q);
}

/* Starts what waits. A thread that cannot be made is an answer too. */
static void start_waiting(struct host_lookup *lookup)
{
    struct list_node *node;
    while (lookup->running < LOOKUP_THREADS_MAX && (node = list_first(&lookup->waiting)) != NULL) {
        struct host_question *q = CONTAINER_OF(node, struct host_question, node);
        list_remove(node);
        lookup->waiting_count--;
        if (start(q))
            continue;
        q->answer.error = "no thread for the question";
        tell(lookup, q);
    }
}

static void on_ready(struct watch *watch, unsigned ready UNUSED)
{
    struct host_lookup *lookup = CONTAINER_OF(watch, struct host_lookup, watch);
    struct host_question *q;
    while (read(lookup->read_fd, &q, sizeof q) == (ssize_t)sizeof q) {
        lookup->running--;
        tell(lookup, q);
    }
    start_waiting(lookup);
}

int host_lookup_new(struct loop *loop, struct host_lookup **out)
{
    int fds[2];
    struct host_lookup *lookup = calloc(1, sizeof *lookup);
    struct shared *shared = calloc(1, sizeof *shared);
    if (lookup == NULL || shared == NULL ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        int error = lookup == NULL || shared == NULL ? -ENOMEM : -errno;
        free(lookup);
        free(shared);
        return error;
    }
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    atomic_init(&shared->users, 1);
    shared->write_fd = fds[1];
    lookup->loop = loop;
    lookup->shared = shared;
    lookup->read_fd = fds[0];
    list_init(&lookup->waiting);
    *out = lookup;
    return 0;
}

void host_lookup_free(struct host_lookup *lookup)
{
    if (lookup == NULL)
        return;
    struct host_question *q;
    struct list_node *node;
    loop_unwatch(&lookup->watch);
    while (read(lookup->read_fd, &q, sizeof q) == (ssize_t)sizeof q)
        free(q);
    while ((node = list_first(&lookup->waiting)) != NULL) {
        list_remove(node);
        free(CONTAINER_OF(node, struct host_question, node));
    }
    (void)close(lookup->read_fd);
    shared_release(lookup->shared);
    free(lookup);
}

static bool known(struct host_lookup *lookup, const char *name, struct host_answer *out)
{
    const struct remembered *slot = slot_of(lookup, name);
    memset(out, 0, sizeof *out);
    if (address_parse(bytes_of_text(name), &out->addresses[0])) {
        out->count = 1;
        return true;
    }
    if (slot->until <= loop_now(lookup->loop) || strcmp(slot->name, name) != 0)
        return false;
    *out = slot->answer;
    return true;
}

bool host_lookup_ask(struct host_lookup *lookup, const char *name,
                     void (*on_answer)(void *self, const struct host_answer *answer), void *self,
                     struct host_answer *out, struct host_question **question)
{
    *question = NULL;
    if (known(lookup, name, out))
        return true;
    if (strlen(name) >= LOOKUP_NAME_MAX || !watches(lookup) || lookup->waiting_count >= LOOKUP_WAITING_MAX)
        return false;
    struct host_question *q = calloc(1, sizeof *q);
    if (q == NULL)
        return false;
    q->lookup = lookup;
    q->shared = lookup->shared;
    q->on_answer = on_answer;
    q->self = self;
    list_init(&q->node);
    memcpy(q->name, name, strlen(name) + 1);
    list_append(&lookup->waiting, &q->node);
    lookup->waiting_count++;
    if (lookup->running < LOOKUP_THREADS_MAX && lookup->waiting_count == 1) {
        list_remove(&q->node);
        lookup->waiting_count--;
        if (!start(q)) {
            free(q);
            return false;
        }
    }
    *question = q;
    return false;
}

void host_lookup_cancel(struct host_question *question)
{
    if (question == NULL)
        return;
    question->on_answer = NULL;
}
