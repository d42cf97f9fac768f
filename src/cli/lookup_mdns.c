/* SPDX-License-Identifier: ISC */
/*
 * lookup_mdns.c - names of the link, which are for nobody's server: asked of all hosts there by multicast
 * (RFC 6762 §3), and shown as if one server had told them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/mdns/mdns_link.h"
#include "cli/lookup.h"
#include "os/clock.h"
#include "os/interfaces.h"

enum { LINKS_MAX = 16 };
#define QUIET USEC_PER_SEC        /* after which nobody else has an answer that others may have too */
#define QUIET_FIRST (2 * USEC_PER_SEC) /* from the start: the question has been asked twice by then */

struct search {
    struct lookup *lookup;
    struct dns_question question;
    struct mdns_link *links[LINKS_MAX];
    size_t count;
    struct mdns_host host;
    usec started_at, heard_at;
    bool found, denied;
    bool whole; /* there can be no more */
};

/* ---- asking ---- */

static void look(struct search *s, struct mdns_link *link)
{
    struct lookup *l = s->lookup;
    const struct mdns *m = mdns_link_machine(link);
    const void *place = NULL;
    struct mdns_answer answer;
    bool some = false;
    /* Pointers are many hosts' (RFC 6763 §4); of other records one host has all, also where it does not say
     * so in a reply to us alone. */
    bool one_host = s->question.type != DNS_PTR && s->question.type != DNS_ANY;
    while (mdns_each_answer(m, &s->question, loop_now(l->loop), &place, &answer)) {
        some = true;
        s->whole |= one_host || (answer.unique && s->question.type != DNS_ANY);
    }
    if (some) {
        s->found = true;
        s->heard_at = loop_now(l->loop);
    } else if (mdns_denied(m, &s->question)) {
        s->denied = true;
        s->whole = true;
    }
    if (s->whole)
        loop_stop(l->loop);
}

static void on_event(void *self, struct mdns_link *link, const struct mdns_event *event)
{
    if (event->kind == MDNS_ANSWERS_CHANGED)
        look(self, link);
}

static size_t choose_addresses(const struct lookup *l, const struct host_interface *interface,
                               struct ip_prefix *out)
{
    size_t count = 0;
    for (size_t i = 0; i < interface->address_count; i++) {
        bool v4 = address_is_v4(&interface->addresses[i].address);
        if (!(v4 ? l->v6 : l->v4))
            out[count++] = interface->addresses[i];
    }
    return count;
}

static void open_link(struct search *s, const struct host_interface *interface, int *error)
{
    static const struct mdns_link_handler handler = {on_event};
    struct lookup *l = s->lookup;
    struct ip_prefix addresses[HOST_INTERFACE_ADDRESSES_MAX];
    size_t count = choose_addresses(l, interface, addresses);
    if (count == 0 || s->count == LINKS_MAX)
        return;
    const struct mdns_link_options options = {interface->name, addresses, count, &s->host};
    int status = mdns_link_new(l->net, &options, &handler, s, &s->links[s->count]);
    if (status < 0) {
        *error = status;
        return;
    }
    struct mdns *m = mdns_link_machine(s->links[s->count++]);
    (void)!mdns_ask(m, &s->question.name, s->question.type, loop_look(l->loop)); /* it is the first */
}

static bool open_links(struct search *s)
{
    struct host_interfaces all;
    const struct lookup *l = s->lookup;
    const char *wanted = l->mdns_interface;
    int error = host_interfaces_list(&all);
    for (size_t i = 0; error == 0 && i < all.count; i++) {
        const struct host_interface *interface = &all.list[i];
        int status = 0;
        if (wanted != NULL ? strcmp(interface->name, wanted) == 0
                           : interface->up && interface->multicast && !interface->loopback)
            open_link(s, interface, &status);
        if (status != 0 && s->count == 0)
            error = status;
    }
    if (s->count > 0)
        return true;
    cli_fail(l->command, 0, "cannot ask on %s: %s", wanted != NULL ? wanted : "any link",
             error != 0 ? strerror(-error) : "there is none with multicast and an address");
    return false;
}

/* Who asks for what several hosts may have waits until it is quiet. */
static void wait(struct search *s)
{
    struct lookup *l = s->lookup;
    usec until = s->started_at + l->timeout;
    for (usec now = s->started_at; !s->whole && now < until; now = loop_look(l->loop)) {
        usec quiet_at = usec_max(s->heard_at + QUIET, s->started_at + QUIET_FIRST);
        if (s->found && now >= quiet_at)
            return;
        usec next = s->found ? quiet_at : now + QUIET;
        if (loop_run_until(l->loop, usec_min(next, until)) < 0)
            return;
    }
}

static void complain(const struct lookup *l)
{
    const char *text = "nobody on the link has answered";
    if (l->json || l->short_form)
        cli_fail(l->command, 0, "%s", text);
    else
        printf(";; %s\n", text);
}

/* ---- what has come, as a reply ---- */

struct told {
    struct search *search;
    struct dns_builder b;
};

/* Is it in the message already? Several links, and both versions of IP, bring the same. */
static bool is_told(const struct told *t, const struct mdns_answer *answer)
{
    struct dns_builder copy = t->b;
    struct bytes message = bytes_of(copy.w.start, writer_len(&copy.w));
    struct dns_cursor cursor;
    struct dns_rr rr;
    uint8_t rdata[MDNS_MESSAGE_MAX];
    (void)dns_build_finish(&copy, 0, DNS_QR);
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr)) {
        struct writer w = writer_of(rdata, sizeof rdata);
        if (rr.type == answer->type && dns_name_equal(&rr.owner, &answer->owner) &&
            dns_rdata_expand(rr.type, message, rr.rdata, &w) == WIRE_OK && !w.failed &&
            dns_rdata_equal(rr.type, writer_bytes(&w), answer->rdata))
            return true;
    }
    return false;
}

/* What does not fit is left out. */
static void tell(struct told *t, const struct dns_question *question)
{
    const struct search *s = t->search;
    for (size_t i = 0; i < s->count; i++) {
        const void *place = NULL;
        struct mdns_answer answer;
        while (mdns_each_answer(mdns_link_machine(s->links[i]), question,
                                loop_now(s->lookup->loop), &place, &answer)) {
            struct dns_build_record record = {.owner = &answer.owner,
                                              .type = answer.type,
                                              .class = DNS_IN,
                                              .ttl = answer.ttl,
                                              .rdata = answer.rdata};
            if (answer.type != DNS_NSEC && !is_told(t, &answer))
                (void)!dns_build_record(&t->b, &record);
        }
    }
}

/* What is known of the names that the records so far lead to (RFC 6763 §12). */
static void tell_targets(struct told *t)
{
    struct bytes message = bytes_of(t->b.w.start, writer_len(&t->b.w));
    struct dns_cursor cursor;
    struct dns_rr rr;
    (void)dns_build_finish(&t->b, 0, DNS_QR);
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return;
    dns_build_section(&t->b, DNS_ADDITIONAL);
    while (dns_cursor_record(&cursor, &rr)) {
        struct dns_question question = {.type = DNS_ANY, .class = DNS_IN};
        struct writer w = writer_of(t->search->lookup->rdata, DNS_RDATA_MAX);
        if (dns_rdata_expand(rr.type, message, rr.rdata, &w) == WIRE_OK && !w.failed &&
            dns_rdata_target(rr.type, writer_bytes(&w), &question.name))
            tell(t, &question);
    }
}

static bool make_reply(struct search *s, struct lookup_reply *out)
{
    struct lookup *l = s->lookup;
    struct told t = {.search = s};
    struct ip_address group;
    bool ok = address_parse(bytes_of_text("224.0.0.251"), &group);
    ASSERT(ok);
    dns_build_start(&t.b, l->reply, sizeof l->reply);
    ok = dns_build_question(&t.b, &s->question);
    ASSERT(ok);
    dns_build_section(&t.b, DNS_ANSWER);
    tell(&t, &s->question);
    tell_targets(&t); /* of a type's instances: where they are, … */
    tell_targets(&t); /* … and where that is */
    *out = (struct lookup_reply){.server = {group, MDNS_PORT}, .transport = "mDNS"};
    out->message = dns_build_finish(&t.b, 0, DNS_QR | DNS_AA);
    out->wall_seconds = loop_wall_seconds(l->loop);
    out->taken = clock_monotonic() - s->started_at;
    return dns_summarise(out->message, &out->summary) == WIRE_OK;
}

enum lookup_status lookup_mdns(struct lookup *l, const struct dns_question *question,
                               struct lookup_reply *out)
{
    struct search s = {.lookup = l, .question = *question};
    s.started_at = s.heard_at = loop_look(l->loop);
    bool made = false;
    if (open_links(&s)) {
        wait(&s);
        made = (s.found || s.denied) && make_reply(&s, out);
        if (!made)
            complain(l);
    }
    for (size_t i = 0; i < s.count; i++)
        mdns_link_free(s.links[i]);
    return made ? lookup_status_of(out) : LOOKUP_SILENCE;
}
