/* SPDX-License-Identifier: ISC */
/* fuzz_anchor_track.c - a file of trust anchors' keys, a line each. What was read is written as it is read again. */
#include "fuzz/fuzz.h"
#include "proto/dns/anchor_track.h"

static void check(const struct dns_name *zone, const struct anchor_key *key)
{
    static struct anchor_key again;
    static char line[ANCHOR_LINE_MAX];
    struct text t = text_of(line, sizeof line);
    struct dns_name name;
    anchor_key_format(zone, key, &t);
    ASSERT(!t.failed);
    ASSERT(anchor_key_parse(text_bytes(&t), &name, &again) == NULL);
    ASSERT(dns_name_equal(&name, zone) && again.state == key->state && again.since == key->since &&
           again.hold == key->hold &&
           bytes_equal(bytes_of(again.rdata, again.len), bytes_of(key->rdata, key->len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct anchor_track track;
    static struct anchor_key key;
    struct dns_name zone;
    struct bytes rest = bytes_of(data, len);
    dns_name_root(&zone);
    anchor_track_init(&track, &zone);
    while (rest.len > 0) {
        size_t end = bytes_find(rest, '\n');
        if (anchor_key_parse(bytes_first(rest, end), &zone, &key) == NULL) {
            size_t before = track.key_count;
            check(&zone, &key);
            bool taken = anchor_track_restore(&track, &key);
            ASSERT(track.key_count == before + (taken ? 1 : 0));
        }
        rest = bytes_after(rest, end + 1);
    }
    ASSERT(track.key_count <= ANCHOR_KEYS_MAX);
    return 0;
}
