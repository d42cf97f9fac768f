/* SPDX-License-Identifier: ISC */
/* site_signing_parent.c - asking the parent whether it has the DS records of new keys. */
#include "site/site_signing_internal.h"

#include <string.h>

#include "os/file.h"

enum { PARENT_SECONDS = 600 }; /* how often the parent is asked */

static bool was_checked(const struct signed_zone *z, uint16_t tag)
{
    for (size_t i = 0; i < z->checked_count; i++)
        if (z->checked[i] == tag)
            return true;
    return false;
}

/* Each of its servers has the DS records of the keys that waited for that. */
static int note_ds(struct signed_zone *z, struct text *error)
{
    CLOSE_AT_END int lock = key_ring_lock(z->policy.keys);
    int result = lock < 0 ? lock : key_ring_read(&z->ring, error);
    for (size_t i = 0; i < z->ring.count && result == 0; i++)
        if (was_checked(z, z->ring.keys[i].roll.tag))
            (void)roll_ds_seen(&z->ring.keys[i].roll, signing_wall(z->owner));
    return result == 0 ? key_ring_write(&z->ring, error) : result;
}

static void on_parent(void *self, bool has_all)
{
    struct signed_zone *z = self;
    struct site_signing *signing = z->owner;
    char complaint[PATH_MAX + 200] = "", text[DNS_NAME_TEXT_MAX];
    struct text error = text_of(complaint, sizeof complaint);
    z->check = NULL;
    if (!has_all || signing->loading == z)
        return;
    if (signing->passing == z)
        signing->pass_begun = false; /* the secrets that it uses are read anew */
    int result = note_ds(z, &error);
    (void)signed_zone_take_roles(z); /* whose secrets were read anew */
    if (result < 0) {
        signed_zone_complain(z, complaint);
        return;
    }
    log_notice(signing->options.log, "zone %s: the parent has its DS", signed_zone_name(z, text));
    z->next.at = 0; /* what follows from that */
    loop_set_alarm(signing->options.loop, &z->alarm, loop_now(signing->options.loop));
}

void signed_zone_ask_parent(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    struct parent_check_options options = {.loop = signing->options.loop,
                                           .net = signing->options.net,
                                           .server_count = z->policy.parent_count,
                                           .on_end = on_parent,
                                           .self = z};
    memcpy(options.servers, z->policy.parents, sizeof options.servers);
    dns_name_copy(&options.zone, &z->name);
    z->checked_count = 0;
    for (size_t i = 0; i < z->ring.count && z->checked_count < PARENT_DS_MAX; i++) {
        const struct roll_key *key = &z->ring.keys[i].roll;
        struct writer w = writer_of(options.ds[z->checked_count].octets, PARENT_DS_LEN_MAX);
        if (!z->roles[i].synced || key->times[DNS_KEY_DS_PUBLISH] != 0 ||
            !key_ring_ds(&z->ring, &z->ring.keys[i], 2, &w))
            continue;
        options.ds[z->checked_count].len = writer_len(&w);
        z->checked[z->checked_count++] = key->tag;
    }
    options.ds_count = z->checked_count;
    z->ask_at = signing_wall(signing) + PARENT_SECONDS;
    if (options.ds_count > 0 && parent_check_new(&options, &z->check) < 0)
        z->check = NULL;
}

bool signed_zone_wants_parent(const struct signed_zone *z)
{
    return z->next.waits_for_ds && z->policy.parent_count > 0 && z->check == NULL &&
           z->owner->options.net != NULL && z->ask_at <= signing_wall(z->owner);
}
