/* SPDX-License-Identifier: ISC */
/*
 * zone_edit.h - many records of a zone changed as one: the names that are touched are copied, the copies
 * are changed, and in the end they take the place of the originals, all of them or none.
 *
 * Meanwhile the zone is as it was, and must not change otherwise.
 */
#ifndef WN_PROTO_DNS_ZONE_EDIT_H
#define WN_PROTO_DNS_ZONE_EDIT_H

#include "proto/dns/zone_change.h"

struct zone_edit {
    struct zone_set *set; /* that the zone is in, or NULL */
    struct zone *zone;
    struct zone *copies;  /* of the names that were touched, without those above them */
};

/* The zone has a SOA. ZONE_OK or ZONE_NO_MEMORY; the edit is nothing then. */
MUST_USE enum zone_result zone_edit_start(struct zone_edit *edit, struct zone_set *set,
                                          struct zone *zone);
void zone_edit_done(struct zone_edit *edit);

/* The name as it is by now; NULL: it has no records. Valid until the next record is added or removed. */
const struct zone_node *zone_edit_find(const struct zone_edit *edit, const struct dns_name *name);

/* Adds a record; its TTL becomes that of its set (RFC 2181 §5.2). ZONE_THERE: that very record is there,
 * and only the TTL is new. Unless one of these two nothing has changed. */
MUST_USE enum zone_result zone_edit_add(struct zone_edit *edit, const struct dns_record *record);

/* Removes one record, whatever its TTL. ZONE_OK, ZONE_NOT_THERE, ZONE_OUTSIDE or ZONE_NO_MEMORY. */
MUST_USE enum zone_result zone_edit_remove(struct zone_edit *edit, const struct dns_record *record);

/* Removes every record of that name and type; DNS_ANY: of every type, but for SOA and, at the apex, NS, and in
 * a signed zone for what signers make. Records that NSEC3 denials are made of are not looked for. *count: how many. ZONE_OK, ZONE_OUTSIDE or
 * ZONE_NO_MEMORY. */
MUST_USE enum zone_result zone_edit_remove_type(struct zone_edit *edit, const struct dns_name *name,
                                                uint16_t type, size_t *count);

/* Gives the SOA, which must be there, that serial number. */
void zone_edit_set_serial(struct zone_edit *edit, uint32_t serial);

/* Records that are made by who signs the zone. */
bool zone_type_is_of_signers(uint16_t type);

/* Ends the edit of a zone whose signer gives the next serial number: gives one only if the SOA has changed.
 * The same otherwise; a change may lead to the same serial number. */
MUST_USE enum zone_result zone_edit_settle_signed(struct zone_edit *edit,
                                                  struct zone_change *change);

/* Ends the edit: gives the SOA the next serial number if something has changed and nobody has given it a
 * later one. *change: what has changed, which is nothing at all (zone_change_octets() is 0) or leads to a
 * later serial number. ZONE_OK, ZONE_FULL or ZONE_NO_MEMORY. */
MUST_USE enum zone_result zone_edit_settle(struct zone_edit *edit, struct zone_change *change);

/* What the edit does, as a change; `change` is empty. ZONE_OK, ZONE_FULL or ZONE_NO_MEMORY. */
MUST_USE enum zone_result zone_edit_difference(const struct zone_edit *edit,
                                               struct zone_change *change);

/* Changes the zone. Unless ZONE_OK it is as it was: it would have no SOA (ZONE_INVALID), too many
 * records, or there is no memory. Afterwards only zone_edit_done() makes sense. */
MUST_USE enum zone_result zone_edit_commit(struct zone_edit *edit);

#endif
