/* SPDX-License-Identifier: ISC */
/*
 * names_crew.c - the name service as one of several workers. UPDATE and NOTIFY are for who has the zones, worker 0. A datagram
 * is passed to it as it came, and answered from its socket, which has the same address and port; of a
 * connection, or of a query that another carries, the reply comes back.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "app/names/internal.h"

/* A message on its way to worker 0, or a reply on its way back. */
struct passed {
    struct letter letter;
    struct names_crew *crew;
    size_t worker;                 /* whose client it is */
    struct resolver_client client; /* .query is not filled in */
    struct answer_path path;
    size_t len;
    uint8_t octets[];
};

int names_crew_new(struct workers *workers, struct names_crew **out)
{
    struct names_crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL)
        return -ENOMEM;
    crew->workers = workers;
    for (size_t i = 0; i < CACHE_PARTS_MAX; i++)
        lock_init(&crew->cache_locks[i]);
    *out = crew;
    return 0;
}

void names_crew_free(struct names_crew *crew)
{
    for (size_t i = 0; i < CACHE_PARTS_MAX && crew != NULL; i++)
        lock_done(&crew->cache_locks[i]);
    free(crew);
}

static void lock_cache(void *self, size_t part)
{
    struct names_crew *crew = self;
    lock_take(&crew->cache_locks[part]);
}

static void unlock_cache(void *self, size_t part)
{
    struct names_crew *crew = self;
    lock_give(&crew->cache_locks[part]);
}

struct cache_sharing names_crew_sharing(const struct names *names)
{
    if (names->crew == NULL)
        return (struct cache_sharing){0};
    return (struct cache_sharing){workers_grace(names->crew->workers), lock_cache, unlock_cache,
                                  names->crew};
}

static void close_zones(void *self)
{
    const struct names_crew *crew = self;
    workers_close(crew->workers);
}

static void open_zones(void *self)
{
    const struct names_crew *crew = self;
    workers_open(crew->workers);
}

/* Whoever changes what the others look at holds them up. */
static void guard_zones(struct names *names)
{
    const struct zone_guard guard = {close_zones, open_zones, names->crew};
    zone_set_guard(names->zones, &guard);
    for (size_t i = 0; i < names->view_count; i++)
        zone_set_guard(names->views[i].zones, &guard);
}

void names_crew_join(struct names *names, const struct names_options *options)
{
    if (options->crew == NULL)
        return;
    names->crew->members[names->worker] = names;
    if (names->worker == 0)
        guard_zones(names);
}

void names_crew_part(struct names *names)
{
    if (names->crew != NULL && names->crew->members[names->worker] == names)
        names->crew->members[names->worker] = NULL;
}

struct names *names_crew_next(const struct names *names, const struct names *after)
{
    if (after == NULL)
        return (struct names *)(uintptr_t)names;
    for (size_t i = after->worker + 1; names->crew != NULL && i < workers_count(names->crew->workers); i++)
        if (names->crew->members[i] != NULL)
            return names->crew->members[i];
    return NULL;
}

bool names_crew_passes(const struct names *names, const struct answer_result *result)
{
    unsigned opcode = dns_opcode(result->query.flags);
    return names->first != names && result->verdict == ANSWER_REPLY &&
           ((result->rcode == DNS_NOTIMP &&
             (opcode == DNS_OPCODE_UPDATE || opcode == DNS_OPCODE_NOTIFY)) ||
            (opcode == DNS_OPCODE_UPDATE && names_has_strange_key(result)));
}

static void drop_letter(struct letter *letter)
{
    free(CONTAINER_OF(letter, struct passed, letter));
}

static struct passed *make(const struct passed *like, struct bytes octets,
                           void (*open)(struct letter *))
{
    struct passed *passed = malloc(sizeof *passed + octets.len);
    if (passed == NULL)
        return NULL;
    *passed = *like;
    passed->letter = (struct letter){.open = open, .drop = drop_letter};
    passed->len = octets.len;
    memcpy(passed->octets, octets.data, octets.len);
    return passed;
}

static bool post(struct passed *passed, size_t worker)
{
    bool posted = passed != NULL &&
                  mailbox_post(workers_mailbox(passed->crew->workers, worker), &passed->letter);
    if (!posted)
        free(passed);
    return posted;
}

/* ---- back to the worker whose client it is ---- */

static void open_reply(struct letter *letter)
{
    struct passed *passed = CONTAINER_OF(letter, struct passed, letter);
    struct names *names = passed->crew->members[passed->worker];
    if (names != NULL) {
        uint8_t *buffer = names_reply_buffer(names);
        unsigned rcode = passed->len > 3 ? passed->octets[3] & 0x0f : DNS_SERVFAIL;
        memcpy(buffer, passed->octets, passed->len);
        names_reply_forwarded(names, &passed->client, bytes_of(buffer, passed->len), rcode);
    }
    free(passed);
}

/* A reply that finds no room is lost as on the way: the client asks again. */
static void send_back(const struct passed *query, struct bytes reply)
{
    (void)post(make(query, reply, open_reply), query->worker);
}

static void on_reply(void *self, struct bytes reply)
{
    struct passed *query = self;
    send_back(query, reply);
    free(query);
}

/* ---- at worker 0 ---- */

static void take_datagram(struct names *names, const struct passed *passed)
{
    const struct dgram_message message = {
        .from = passed->client.from,
        .to = passed->client.to,
        .interface = passed->client.interface,
        .has_interface = passed->client.has_interface,
        .payload = bytes_of(passed->octets, passed->len),
    };
    names_take_datagram(names, &message);
}

/* True: the letter is still needed, for the reply. */
static bool take_query(struct names *names, struct passed *passed)
{
    const struct names_carrier carrier = {
        .from = passed->client.from, .on_reply = on_reply, .self = passed};
    struct bytes reply;
    uint32_t handle;
    struct answer_path path = passed->path;
    path.now = (uint64_t)loop_wall_seconds(names->loop);
    switch (names_carry(names, &carrier, &path, bytes_of(passed->octets, passed->len), &reply,
                        &handle)) {
    case NAMES_LATER:
        return true;
    case NAMES_NOW:
        send_back(passed, reply);
        return false;
    case NAMES_NONE:
    case NAMES_MALFORMED:
    case NAMES_FULL:
        break;
    }
    send_back(passed, bytes_empty());
    return false;
}

static void open_query(struct letter *letter)
{
    struct passed *passed = CONTAINER_OF(letter, struct passed, letter);
    struct names *names = passed->crew->members[0];
    atomic_fetch_sub(&passed->crew->passed_octets, passed->len);
    if (names != NULL && passed->client.stream == 0)
        take_datagram(names, passed);
    else if (names != NULL && take_query(names, passed))
        return;
    else if (names == NULL && passed->client.stream != 0)
        send_back(passed, bytes_empty());
    free(passed);
}

static void tell_full(struct names *names)
{
    usec now = loop_now(names->loop);
    names->counters.passed_dropped++;
    if (names->told_passed_at != 0 && now - names->told_passed_at < NAMES_FULL_INTERVAL)
        return;
    names->told_passed_at = now;
    char line[160];
    struct text text = text_of(line, sizeof line);
    text_add_format(&text, "too many updates and notifications for worker 0, %llu so far not taken from worker %zu: "
                           "at most %d octets wait",
                    (unsigned long long)names->counters.passed_dropped, names->worker,
                    (int)NAMES_PASSED_OCTETS_MAX);
    names_trouble(names, line);
}

bool names_crew_pass(struct names *names, const struct resolver_client *client,
                     const struct answer_path *path, struct bytes message)
{
    struct names_crew *crew = names->crew;
    struct passed like = {.crew = crew, .worker = names->worker, .path = *path};
    like.client.from = client->from;
    like.client.to = client->to;
    like.client.interface = client->interface;
    like.client.has_interface = client->has_interface;
    like.client.stream = client->stream;
    if (atomic_fetch_add(&crew->passed_octets, message.len) + message.len <= NAMES_PASSED_OCTETS_MAX &&
        post(make(&like, message, open_query), 0))
        return true;
    atomic_fetch_sub(&crew->passed_octets, message.len);
    tell_full(names);
    return false;
}
