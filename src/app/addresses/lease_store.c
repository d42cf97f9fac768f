/* SPDX-License-Identifier: ISC */
/* lease_store.c - one row for each address that was ever leased; at most as many as the pool
 * has. */
#include "app/addresses/lease_store.h"

#include <errno.h>
#include <stdlib.h>

static const char *const steps[] = {
    "CREATE TABLE lease ("
    " network TEXT NOT NULL," /* 10.0.2.0/24: several services may share a store */
    " address BIGINT NOT NULL,"
    " mac BYTEA NOT NULL,"
    " client_id BYTEA NOT NULL," /* empty: the MAC identifies */
    " hostname TEXT NOT NULL,"
    " expires BIGINT NOT NULL," /* seconds since 1970 */
    " PRIMARY KEY (network, address));",
};

struct lease_store {
    struct store *store;
    char network[PREFIX_TEXT_MAX];
    struct query *put;
    struct query *load;
    struct query *remove;
};

static int prepare(struct lease_store *leases)
{
    int status = store_prepare(
        leases->store,
        "INSERT INTO lease (network, address, mac, client_id, hostname, expires)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (network, address) DO UPDATE SET"
        " mac = excluded.mac, client_id = excluded.client_id, hostname = excluded.hostname,"
        " expires = excluded.expires",
        &leases->put);
    if (status == 0)
        status = store_prepare(leases->store,
                               "SELECT address, mac, client_id, hostname, expires FROM lease"
                               " WHERE network = $1 ORDER BY expires, address",
                               &leases->load);
    if (status == 0)
        status = store_prepare(leases->store,
                               "DELETE FROM lease WHERE network = $1 AND address = $2",
                               &leases->remove);
    return status;
}

int lease_store_new(struct store *store, const struct ip_prefix *network, struct lease_store **out)
{
    int status = store_migrate(store, "addresses", steps, ARRAY_LEN(steps));
    if (status < 0)
        return status;
    struct lease_store *leases = calloc(1, sizeof *leases);
    if (leases == NULL)
        return -ENOMEM;
    leases->store = store;
    uint32_t base = address_v4_value(&network->address) & prefix_mask_v4(network->len);
    prefix_format(&(struct ip_prefix){address_v4(base), network->len}, leases->network);
    status = prepare(leases);
    if (status < 0) {
        lease_store_free(leases);
        return status;
    }
    *out = leases;
    return 0;
}

void lease_store_free(struct lease_store *leases)
{
    if (leases == NULL)
        return;
    query_free(leases->put);
    query_free(leases->load);
    query_free(leases->remove);
    free(leases);
}

int lease_store_put(struct lease_store *leases, const struct lease *lease)
{
    struct query *q = leases->put;
    query_bind_text(q, 1, bytes_of_text(leases->network));
    query_bind_integer(q, 2, address_v4_value(&lease->address));
    query_bind_blob(q, 3, bytes_of(lease->mac.octets, sizeof lease->mac.octets));
    query_bind_blob(q, 4, bytes_of(lease->client_id, lease->client_id_len));
    query_bind_text(q, 5, bytes_of_text(lease->hostname));
    query_bind_integer(q, 6, lease->expires);
    return query_run(q);
}

/* False: not a row that we have written. */
static bool read_row(const struct query *q, struct lease *out)
{
    int64_t address = query_integer(q, 0);
    struct bytes mac = query_blob(q, 1);
    struct bytes client_id = query_blob(q, 2);
    struct bytes hostname = query_text(q, 3);
    *out = (struct lease){.expires = query_integer(q, 4)};
    if (address < 0 || address > UINT32_MAX || mac.len != sizeof out->mac.octets ||
        client_id.len > sizeof out->client_id || hostname.len >= sizeof out->hostname)
        return false;
    out->address = address_v4((uint32_t)address);
    memcpy(out->mac.octets, mac.data, mac.len);
    memcpy(out->client_id, client_id.data, client_id.len);
    out->client_id_len = (uint8_t)client_id.len;
    memcpy(out->hostname, hostname.data, hostname.len);
    return true;
}

static int remove_row(struct lease_store *leases, int64_t address)
{
    query_bind_text(leases->remove, 1, bytes_of_text(leases->network));
    query_bind_integer(leases->remove, 2, address);
    return query_run(leases->remove);
}

static int visit_all(struct lease_store *leases,
                     bool (*visit)(void *self, const struct lease *lease), void *self)
{
    int status;
    query_bind_text(leases->load, 1, bytes_of_text(leases->network));
    while ((status = query_step(leases->load)) > 0) {
        struct lease lease;
        if (read_row(leases->load, &lease) && visit(self, &lease))
            continue;
        status = remove_row(leases, query_integer(leases->load, 0));
        if (status < 0)
            break;
    }
    query_reset(leases->load);
    return status;
}

int lease_store_load(struct lease_store *leases,
                     bool (*visit)(void *self, const struct lease *lease), void *self)
{
    int status = store_begin(leases->store);
    if (status < 0)
        return status;
    status = visit_all(leases, visit, self);
    if (status == 0)
        return store_commit(leases->store);
    store_rollback(leases->store);
    return status;
}
