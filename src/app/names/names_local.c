/* SPDX-License-Identifier: ISC */
/*
 * names_local.c - names of the link for those who ask a name server for them (RFC 6762 §3, §22.1): what the
 * hosts there say by multicast is told in a reply.
 *
 * SKIPS RFC 8766: there is one domain, local., for all links, and nobody is told of changes.
 */
#include <string.h>

#include "app/names/internal.h"

#define QUIET USEC_PER_SEC /* after which nobody else has an answer that others may have too */
#define SILENCE (3 * USEC_PER_SEC) /* after which there is no such name: it was asked for three times */

/* ---- what is known ---- */

static bool of_one_host(uint16_t type)
{
    return type != DNS_PTR && type != DNS_ANY;
}

/* Is there something, and need nobody else be waited for? */
static bool look(const struct names *names, const struct dns_question *question, bool *found)
{
    usec now = loop_now(names->loop);
    bool whole = false;
    *found = false;
    for (size_t i = 0; i < names->local.link_count; i++) {
        const struct mdns *m = mdns_link_machine(names->local.links[i]);
        const void *place = NULL;
        struct mdns_answer answer;
        while (mdns_each_answer(m, question, now, &place, &answer)) {
            *found = true;
            whole |= of_one_host(question->type) || (answer.unique && question->type != DNS_ANY);
        }
        whole |= !*found && mdns_denied(m, question);
    }
    return whole;
}

static bool is_denied(const struct names *names, const struct dns_question *question)
{
    for (size_t i = 0; i < names->local.link_count; i++)
        if (mdns_denied(mdns_link_machine(names->local.links[i]), question))
            return true;
    return false;
}

/* The same of several links, or of both versions of IP, is told once. */
static bool was_told(const struct names *names, size_t link, const struct dns_question *question,
                     const struct mdns_answer *answer)
{
    for (size_t i = 0; i < link; i++) {
        const void *place = NULL;
        struct mdns_answer other;
        while (mdns_each_answer(mdns_link_machine(names->local.links[i]), question,
                                loop_now(names->loop), &place, &other))
            if (other.type == answer->type &&
                dns_rdata_equal(other.type, other.rdata, answer->rdata))
                return true;
    }
    return false;
}

/* RFC 6762 §6.1: an NSEC of the link proves nothing to others. */
static bool add_answers(const struct names *names, struct answer_work *work,
                        const struct dns_question *question)
{
    bool fits = true;
    for (size_t i = 0; i < names->local.link_count; i++) {
        const void *place = NULL;
        struct mdns_answer answer;
        while (mdns_each_answer(mdns_link_machine(names->local.links[i]), question,
                                loop_now(names->loop), &place, &answer)) {
            struct dns_build_record record = {.owner = &answer.owner,
                                              .type = answer.type,
                                              .class = DNS_IN,
                                              .ttl = answer.ttl,
                                              .rdata = answer.rdata};
            if (answer.type != DNS_NSEC && !was_told(names, i, question, &answer))
                fits &= dns_build_record(&work->b, &record);
        }
    }
    return fits;
}

static void fill(const struct names *names, struct answer_work *work,
                 const struct dns_question *question)
{
    bool found;
    (void)look(names, question, &found);
    dns_build_section(&work->b, DNS_ANSWER);
    work->truncated |= !add_answers(names, work, question);
    bool there = found || is_denied(names, question);
    work->rcode = there ? DNS_NOERROR : DNS_NXDOMAIN;
    work->kind = found ? ANSWER_DATA : there ? ANSWER_NODATA : ANSWER_NXDOMAIN;
    if (names->local.link_count == 0) { /* there were some when it was asked */
        work->rcode = DNS_SERVFAIL;
        work->kind = ANSWER_ERROR;
    }
}

/* ---- who waits ---- */

static struct dns_question question_of(const struct answer_query *query, const struct dns_name *target)
{
    struct dns_question question = {.type = query->question.type, .class = DNS_IN};
    dns_name_copy(&question.name, target);
    return question;
}

static void close_questions(struct names *names, struct names_local_ask *ask)
{
    for (size_t i = 0; i < names->local.link_count; i++)
        mdns_close(mdns_link_machine(names->local.links[i]), ask->questions[i]);
}

static void reply(struct names *names, struct names_local_ask *ask)
{
    struct answer_work work;
    struct dns_question question = question_of(&ask->client.query, &ask->target);
    if (answer_resume(&work, names_answering(names, &ask->client.query), &ask->client.query,
                      &ask->target, names_reply_buffer(names)))
        fill(names, &work, &question);
    close_questions(names, ask);
    ask->used = false;
    names_reply_forwarded(names, &ask->client, answer_end(&work), work.rcode);
}

static void set_alarm(struct names *names)
{
    usec due = USEC_NEVER;
    for (size_t i = 0; i < NAMES_LOCAL_ASKS_MAX; i++)
        if (names->local.asks[i].used)
            due = usec_min(due, names->local.asks[i].due_at);
    loop_set_alarm(names->loop, &names->local.alarm, due);
}

static void on_alarm(struct alarm *alarm)
{
    struct names *names = CONTAINER_OF(alarm, struct names, local.alarm);
    for (size_t i = 0; i < NAMES_LOCAL_ASKS_MAX; i++)
        if (names->local.asks[i].used && loop_now(names->loop) >= names->local.asks[i].due_at)
            reply(names, &names->local.asks[i]);
    set_alarm(names);
}

static bool is_the_same(const struct names_local_ask *ask, const struct resolver_client *client)
{
    return ask->used && ask->client.stream == client->stream &&
           ask->client.query.id == client->query.id &&
           endpoint_equal(&ask->client.from, &client->from) &&
           dns_name_equal(&ask->client.query.question.name, &client->query.question.name);
}

static void open_questions(struct names *names, struct names_local_ask *ask)
{
    struct dns_question question = question_of(&ask->client.query, &ask->target);
    for (size_t i = 0; i < names->local.link_count; i++)
        ask->questions[i] = mdns_ask(mdns_link_machine(names->local.links[i]), &question.name,
                                     question.type, loop_now(names->loop));
}

bool names_local_wants(const struct names *names, const struct dns_name *name)
{
    return names->local.link_count > 0 && mdns_is_local(name);
}

bool names_local_ask(struct names *names, const struct resolver_client *client,
                     struct answer_result *result)
{
    struct resolver_client whole = *client;
    struct dns_question question = question_of(&result->query, &result->work.target);
    struct names_local_ask *ask = NULL;
    bool found;
    whole.query = result->query;
    if (look(names, &question, &found)) {
        fill(names, &result->work, &question);
        result->reply = answer_end(&result->work);
        result->rcode = result->work.rcode;
        result->kind = result->work.kind;
        return true;
    }
    for (size_t i = 0; i < NAMES_LOCAL_ASKS_MAX; i++) {
        if (is_the_same(&names->local.asks[i], &whole))
            return false;
        if (!names->local.asks[i].used)
            ask = &names->local.asks[i];
    }
    if (ask == NULL) {
        names->counters.forward_failed++;
        result->rcode = DNS_SERVFAIL;
        result->reply = answer_refuse(result->work.options, &result->query, DNS_SERVFAIL,
                                      names_reply_buffer(names));
        return true;
    }
    *ask = (struct names_local_ask){.used = true,
                                    .client = whole,
                                    .due_at = loop_now(names->loop) + SILENCE};
    dns_name_copy(&ask->target, &result->work.target);
    names->counters.forwarded++;
    open_questions(names, ask);
    set_alarm(names);
    return false;
}

void names_local_heard(struct names *names, const struct mdns_link *link, uint32_t handle)
{
    for (size_t l = 0; l < names->local.link_count; l++)
        for (size_t i = 0; names->local.links[l] == link && i < NAMES_LOCAL_ASKS_MAX; i++) {
            struct names_local_ask *ask = &names->local.asks[i];
            bool found;
            if (!ask->used || ask->questions[l] != handle)
                continue;
            struct dns_question question = question_of(&ask->client.query, &ask->target);
            if (look(names, &question, &found))
                ask->due_at = loop_now(names->loop);
            else if (found)
                ask->due_at = usec_min(ask->due_at, loop_now(names->loop) + QUIET);
        }
    set_alarm(names);
}

void names_set_local(struct names *names, struct mdns_link *const *links, size_t count)
{
    ASSERT(count <= NAMES_LOCAL_LINKS_MAX);
    for (size_t i = 0; i < NAMES_LOCAL_ASKS_MAX; i++)
        if (names->local.asks[i].used)
            close_questions(names, &names->local.asks[i]);
    for (size_t i = 0; i < count; i++)
        names->local.links[i] = links[i];
    names->local.link_count = count;
    for (size_t i = 0; i < NAMES_LOCAL_ASKS_MAX; i++) /* who waits asks on the links that there are now */
        if (names->local.asks[i].used)
            open_questions(names, &names->local.asks[i]);
}

void names_local_open(struct names *names)
{
    alarm_init(&names->local.alarm, on_alarm);
}

/* Those who wait are told nothing: the service goes. */
void names_local_close(struct names *names)
{
    for (size_t i = 0; i < NAMES_LOCAL_ASKS_MAX; i++)
        if (names->local.asks[i].used) {
            close_questions(names, &names->local.asks[i]);
            names->local.asks[i].used = false;
        }
    names->local.link_count = 0;
    loop_clear_alarm(names->loop, &names->local.alarm);
}
