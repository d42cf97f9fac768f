/* SPDX-License-Identifier: ISC */
/* zone_update.c - the three passes over an UPDATE message: prerequisites, prescan, update (RFC 2136 §3). */
#include "proto/dns/zone_update.h"

#include "wire/dns/dns_serial.h"

/* One pass over a section. */
struct pass {
    const struct zone_update *update;
    struct dns_cursor cursor;
    enum dns_section section;
    struct zone_edit *edit; /* as it is by now */
};

static void begin(struct pass *pass, const struct zone_update *update, enum dns_section section,
                  struct zone_edit *edit)
{
    enum wire_status status = dns_cursor_start(&pass->cursor, update->message);
    ASSERT(status == WIRE_OK);
    pass->update = update;
    pass->section = section;
    pass->edit = edit;
}

static bool next(struct pass *pass, struct dns_rr *out)
{
    while (dns_cursor_record(&pass->cursor, out))
        if (out->section == pass->section)
            return true;
    return false;
}

static bool is_meta(uint16_t type)
{
    return !dns_type_is_data(type);
}

/* "ANY" is no type of a zone either, but stands for all in some places. */
static bool is_meta_but_any(uint16_t type)
{
    return type != DNS_ANY && is_meta(type);
}

unsigned zone_update_check_section(struct bytes message)
{
    struct dns_cursor cursor;
    struct dns_question zone;
    if (dns_cursor_start(&cursor, message) != WIRE_OK || cursor.header.counts[DNS_QUESTION] != 1 ||
        !dns_cursor_question(&cursor, &zone) || zone.type != DNS_SOA)
        return DNS_FORMERR;
    return DNS_NOERROR;
}

static unsigned rcode_of(enum zone_result result)
{
    switch (result) {
    case ZONE_OK:
    case ZONE_THERE:
    case ZONE_NOT_THERE:
        return DNS_NOERROR;
    case ZONE_INVALID:
    case ZONE_CNAME_ALONE:
    case ZONE_ONLY_ONE:
    case ZONE_OUTSIDE:
        return DNS_REFUSED;
    case ZONE_FULL:
    case ZONE_NO_MEMORY:
    case ZONE_OTHER_VERSION:
    case ZONE_RESULT_COUNT:
        break;
    }
    return DNS_SERVFAIL;
}

/* The record with its RDATA as it can be kept. False: it is malformed. */
static bool take_record(const struct pass *pass, const struct dns_rr *rr, struct writer *buffer,
                        struct dns_record *out)
{
    dns_name_copy(&out->owner, &rr->owner);
    out->type = rr->type;
    out->class = DNS_IN;
    out->ttl = rr->ttl <= DNS_TTL_MAX ? rr->ttl : 0; /* RFC 2181 §8 */
    out->ttl_given = true;
    if (dns_rdata_expand(rr->type, pass->update->message, rr->rdata, buffer) != WIRE_OK)
        return false;
    out->rdata = writer_bytes(buffer);
    return true;
}

/* ---- prerequisites (§3.2) ---- */

static const struct zone_node *find(const struct pass *pass, const struct dns_name *name)
{
    return zone_edit_find(pass->edit, name);
}

static bool has_type(const struct zone_node *node, uint16_t type)
{
    return node != NULL && (type == DNS_ANY || zone_rrset(node, type) != NULL);
}

/* §2.4.1 to §2.4.5, but for sets with values, which are gathered in `wanted`. */
static unsigned check_prerequisite(struct pass *pass, const struct dns_rr *rr, struct zone *wanted)
{
    uint8_t octets[ZONE_RDATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct dns_record record;
    if (rr->ttl != 0)
        return DNS_FORMERR;
    if (!dns_name_within(&rr->owner, &pass->update->zone->name))
        return DNS_NOTZONE;
    bool there = has_type(find(pass, &rr->owner), rr->type);
    switch (rr->class) {
    case DNS_CLASS_ANY:
        if (rr->rdata.len != 0 || is_meta_but_any(rr->type))
            return DNS_FORMERR;
        return there ? DNS_NOERROR : rr->type == DNS_ANY ? DNS_NXDOMAIN : DNS_NXRRSET;
    case DNS_CLASS_NONE:
        if (rr->rdata.len != 0 || is_meta_but_any(rr->type))
            return DNS_FORMERR;
        return !there ? DNS_NOERROR : rr->type == DNS_ANY ? DNS_YXDOMAIN : DNS_YXRRSET;
    case DNS_IN:
        if (is_meta(rr->type) || !take_record(pass, rr, &w, &record))
            return DNS_FORMERR;
        break;
    default:
        return DNS_FORMERR;
    }
    enum zone_result result = zone_put(wanted, &record);
    if (result == ZONE_NO_MEMORY)
        return DNS_SERVFAIL;
    return result == ZONE_OK ? DNS_NOERROR : DNS_NXRRSET; /* no zone could have that */
}

/* Are the sets the same, without regard to order and TTL? Neither has a record twice. */
static bool same_set(const struct rrset *a, const struct rrset *b)
{
    struct rrset_place at = {0};
    struct bytes rdata;
    if (b == NULL || a->count != b->count)
        return false;
    while (rrset_next(a, &at, &rdata)) {
        struct rrset_place beside = {0};
        struct bytes other;
        bool found = false;
        while (!found && rrset_next(b, &beside, &other))
            found = dns_rdata_equal(a->type, rdata, other);
        if (!found)
            return false;
    }
    return true;
}

static const struct rrset *counterpart(const struct zone_node *node, const struct rrset *rrset)
{
    struct reader r = reader_of(rrset_first(rrset));
    return rrset->type == DNS_RRSIG ? zone_signatures(node, read_u16(&r))
                                    : zone_rrset(node, rrset->type);
}

/* §3.2.3: each set that was told record by record is that of the zone. */
static bool sets_are_there(const struct pass *pass, const struct zone *wanted)
{
    for (const struct zone_node *node = trie_first(&wanted->nodes); node != NULL;
         node = trie_after(&wanted->nodes, bytes_of(node->key, node->key_len))) {
        struct dns_name name;
        zone_node_name(wanted, node, &name);
        const struct zone_node *here = node->rrsets != NULL ? find(pass, &name) : NULL;
        for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
            if (here == NULL || !same_set(rrset, counterpart(here, rrset)))
                return false;
    }
    return true;
}

static unsigned check_prerequisites(const struct zone_update *update, struct zone_edit *edit)
{
    struct pass pass;
    struct dns_rr rr;
    struct zone *wanted =
        zone_new(&update->zone->heap, &update->zone->name, update->message.len / 10);
    if (wanted == NULL)
        return DNS_SERVFAIL;
    begin(&pass, update, DNS_PREREQUISITE, edit);
    unsigned rcode = DNS_NOERROR;
    while (rcode == DNS_NOERROR && next(&pass, &rr))
        rcode = check_prerequisite(&pass, &rr, wanted);
    if (rcode == DNS_NOERROR && !sets_are_there(&pass, wanted))
        rcode = DNS_NXRRSET;
    zone_free(wanted);
    return rcode;
}

/* ---- prescan (§3.4.1) and permission (§3.3) ---- */

static unsigned prescan_record(const struct pass *pass, const struct dns_rr *rr)
{
    uint8_t octets[ZONE_RDATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct dns_record record;
    if (!dns_name_within(&rr->owner, &pass->update->zone->name))
        return DNS_NOTZONE;
    switch (rr->class) {
    case DNS_IN:
        return is_meta(rr->type) || !take_record(pass, rr, &w, &record) ? DNS_FORMERR : DNS_NOERROR;
    case DNS_CLASS_ANY:
        return rr->ttl != 0 || rr->rdata.len != 0 || is_meta_but_any(rr->type) ? DNS_FORMERR
                                                                             : DNS_NOERROR;
    case DNS_CLASS_NONE:
        return rr->ttl != 0 || is_meta(rr->type) || !take_record(pass, rr, &w, &record)
                   ? DNS_FORMERR
                   : DNS_NOERROR;
    default:
        return DNS_FORMERR;
    }
}

/* Keys may come to a zone that is not signed here. */
static bool is_made_by_servers(const struct pass *pass, uint16_t type)
{
    bool denial = type == DNS_RRSIG || type == DNS_NSEC || type == DNS_NSEC3 || type == DNS_NSEC3PARAM;
    return denial || (pass->update->resigned && zone_type_is_of_signers(type));
}

static bool may_change(const struct pass *pass, const struct dns_rr *rr)
{
    const struct zone_update *update = pass->update;
    if (is_made_by_servers(pass, rr->type))
        return false;
    if (rr->type != DNS_ANY)
        return update->may(update->self, &rr->owner, rr->type);
    /* All that is there goes. */
    const struct zone_node *node = find(pass, &rr->owner);
    if (node == NULL)
        return true;
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (!is_made_by_servers(pass, rrset->type) &&
            !update->may(update->self, &rr->owner, rrset->type))
            return false;
    return true;
}

static unsigned prescan(const struct zone_update *update, struct zone_edit *edit)
{
    struct pass pass;
    struct dns_rr rr;
    unsigned rcode = DNS_NOERROR;
    begin(&pass, update, DNS_UPDATE, edit);
    while (rcode == DNS_NOERROR && next(&pass, &rr))
        rcode = prescan_record(&pass, &rr);
    if (rcode != DNS_NOERROR)
        return rcode;
    begin(&pass, update, DNS_UPDATE, edit);
    while (next(&pass, &rr))
        if (!may_change(&pass, &rr))
            return DNS_REFUSED;
    return DNS_NOERROR;
}

/* ---- update (§3.4.2) ---- */

static bool is_apex(const struct pass *pass, const struct dns_name *name)
{
    return dns_name_equal(name, &pass->update->zone->name);
}

/* §3.4.2.2: there is one SOA, and it only goes on. */
static bool is_ignored_soa(const struct pass *pass, const struct dns_record *record)
{
    if (record->type != DNS_SOA)
        return false;
    const struct zone_node *node = find(pass, &record->owner);
    const struct rrset *soa = node != NULL ? zone_rrset(node, DNS_SOA) : NULL;
    return soa == NULL ||
           dns_serial_before(dns_soa_serial(record->rdata), dns_soa_serial(rrset_first(soa)));
}

static enum zone_result add_record(struct pass *pass, const struct dns_record *record)
{
    size_t count;
    if (is_ignored_soa(pass, record))
        return ZONE_OK;
    if (record->type == DNS_SOA) {
        enum zone_result result =
            zone_edit_remove_type(pass->edit, &record->owner, DNS_SOA, &count);
        return result == ZONE_OK ? zone_edit_add(pass->edit, record) : result;
    }
    enum zone_result result = zone_edit_add(pass->edit, record);
    if (result == ZONE_CNAME_ALONE)
        return ZONE_OK; /* ignored */
    if (result != ZONE_ONLY_ONE)
        return result;
    /* A CNAME or DNAME takes the place of the one that is there. */
    result = zone_edit_remove_type(pass->edit, &record->owner, record->type, &count);
    return result == ZONE_OK ? zone_edit_add(pass->edit, record) : result;
}

/* §3.4.2.3 */
static enum zone_result remove_type(struct pass *pass, const struct dns_rr *rr)
{
    size_t count;
    if (is_apex(pass, &rr->owner) && (rr->type == DNS_SOA || rr->type == DNS_NS))
        return ZONE_OK;
    return zone_edit_remove_type(pass->edit, &rr->owner, rr->type, &count);
}

/* §3.4.2.4: a zone keeps its last name server. */
static enum zone_result remove_record(struct pass *pass, const struct dns_record *record)
{
    if (record->type == DNS_SOA)
        return ZONE_OK;
    if (record->type == DNS_NS && is_apex(pass, &record->owner)) {
        const struct rrset *ns = zone_rrset(find(pass, &record->owner), DNS_NS);
        if (ns != NULL && ns->count == 1)
            return ZONE_OK;
    }
    return zone_edit_remove(pass->edit, record);
}

static enum zone_result update_record(struct pass *pass, const struct dns_rr *rr)
{
    uint8_t octets[ZONE_RDATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct dns_record record;
    if (rr->class == DNS_CLASS_ANY)
        return remove_type(pass, rr);
    bool good = take_record(pass, rr, &w, &record);
    ASSERT(good); /* it was in the prescan */
    return rr->class == DNS_IN ? add_record(pass, &record) : remove_record(pass, &record);
}

static unsigned carry_out(const struct zone_update *update, struct zone_edit *edit)
{
    struct pass pass;
    struct dns_rr rr;
    unsigned rcode = DNS_NOERROR;
    begin(&pass, update, DNS_UPDATE, edit);
    while (rcode == DNS_NOERROR && next(&pass, &rr))
        rcode = rcode_of(update_record(&pass, &rr));
    return rcode;
}

static bool is_signed(const struct zone *zone)
{
    return zone_signatures(zone->apex, DNS_SOA) != NULL;
}

unsigned zone_update_run(const struct zone_update *update, struct zone_edit *edit)
{
    if (is_signed(update->zone) && !update->resigned)
        return DNS_REFUSED;
    enum zone_result result = zone_edit_start(edit, update->set, update->zone);
    if (result != ZONE_OK)
        return rcode_of(result);
    unsigned rcode = check_prerequisites(update, edit);
    if (rcode == DNS_NOERROR)
        rcode = prescan(update, edit);
    if (rcode == DNS_NOERROR)
        rcode = carry_out(update, edit);
    if (rcode != DNS_NOERROR)
        zone_edit_done(edit);
    return rcode;
}
