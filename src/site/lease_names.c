/* SPDX-License-Identifier: ISC */
/* lease_names.c - two maps over the same entries: by name, and by address. */
#include "site/lease_names.h"

#include <errno.h>

#include "base/map.h"
#include "base/siphash.h"

enum { NAME_SIZE = 64 };

struct entry {
    char name[NAME_SIZE]; /* lower case */
    struct ip_address address;
    bool has_address;
    bool reserved;
    uint8_t dhcid_len; /* 0: nobody's in particular */
    uint8_t dhcid[LEASE_NAMES_DHCID_MAX];
};

struct lease_names {
    struct lease_names_options options;
    struct map by_name;
    struct map by_address;
};

/* Hosts choose names, but the maps hold at most one for each lease, and lookups are rare: a fixed
 * key is enough. */
static const struct siphash_key key = {0x77686f6c656e6574, 0x6c65617365206e61};

static uint32_t hash_name(const char *name)
{
    return (uint32_t)siphash13(&key, bytes_of_text(name));
}

static uint32_t hash_address(const struct ip_address *address)
{
    return (uint32_t)siphash13(&key, bytes_of(address->octets, sizeof address->octets));
}

static bool same_name(const void *item, const void *name)
{
    return strcmp(((const struct entry *)item)->name, name) == 0;
}

static bool same_address(const void *item, const void *address)
{
    return address_equal(&((const struct entry *)item)->address, address);
}

/* False: too long. */
static bool lower(const char *name, char out[NAME_SIZE])
{
    size_t len = strlen(name);
    if (len >= NAME_SIZE)
        return false;
    for (size_t i = 0; i <= len; i++)
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
    return true;
}

struct lease_names *lease_names_new(const struct lease_names_options *options)
{
    struct lease_names *names = heap_zeroed(&options->heap, sizeof *names);
    if (names == NULL)
        return NULL;
    names->options = *options;
    map_init(&names->by_name, &names->options.heap, options->count_max, same_name);
    map_init(&names->by_address, &names->options.heap, options->count_max, same_address);
    return names;
}

void lease_names_free(struct lease_names *names)
{
    if (names == NULL)
        return;
    size_t place = 0;
    struct entry *entry;
    while ((entry = map_each(&names->by_name, &place)) != NULL)
        heap_release(&names->options.heap, entry, sizeof *entry);
    map_done(&names->by_name);
    map_done(&names->by_address);
    struct heap heap = names->options.heap;
    heap_release(&heap, names, sizeof *names);
}

static struct entry *find_address(const struct lease_names *names,
                                  const struct ip_address *address)
{
    return map_find(&names->by_address, hash_address(address), address);
}

static void forget(struct lease_names *names, struct entry *entry)
{
    map_remove(&names->by_name, hash_name(entry->name), entry);
    if (entry->has_address)
        map_remove(&names->by_address, hash_address(&entry->address), entry);
    heap_release(&names->options.heap, entry, sizeof *entry);
}

static void take_away(struct lease_names *names, struct entry *entry)
{
    names->options.remove(names->options.self, entry->name);
    forget(names, entry);
}

/* RFC 4703 §5.3.2: the name is in use; is it by that client? */
static bool is_his(const struct entry *entry, struct bytes dhcid)
{
    return !entry->reserved && dhcid.len > 0 &&
           bytes_equal(bytes_of(entry->dhcid, entry->dhcid_len), dhcid);
}

static int add(struct lease_names *names, const char *name, const struct ip_address *address,
               bool reserved, struct bytes dhcid)
{
    char wanted[NAME_SIZE];
    if (!lower(name, wanted) || dhcid.len > LEASE_NAMES_DHCID_MAX)
        return -EINVAL;
    struct entry *before = map_find(&names->by_name, hash_name(wanted), wanted);
    if (before != NULL && !is_his(before, dhcid))
        return -EEXIST;
    if (before != NULL)
        take_away(names, before);
    struct entry *entry = heap_zeroed(&names->options.heap, sizeof *entry);
    if (entry == NULL)
        return -ENOMEM;
    memcpy(entry->name, wanted, sizeof wanted);
    entry->reserved = reserved;
    entry->dhcid_len = (uint8_t)dhcid.len;
    memcpy(entry->dhcid, dhcid.data, dhcid.len);
    if (!map_insert(&names->by_name, hash_name(wanted), entry)) {
        heap_release(&names->options.heap, entry, sizeof *entry);
        return -ENOSPC;
    }
    int result = 0;
    if (address != NULL && find_address(names, address) == NULL) {
        entry->address = *address;
        entry->has_address = map_insert(&names->by_address, hash_address(address), entry);
        result = entry->has_address ? 0 : -ENOSPC;
    }
    if (result == 0 && address != NULL)
        result = names->options.add(names->options.self, entry->name, address, dhcid);
    if (result < 0)
        forget(names, entry);
    return result;
}

int lease_names_reserve(struct lease_names *names, const char *name,
                        const struct ip_address *address)
{
    return add(names, name, address, true, bytes_empty());
}

int lease_names_begin(struct lease_names *names, const struct ip_address *address,
                      const char *name, struct bytes dhcid)
{
    struct entry *entry = find_address(names, address);
    char wanted[NAME_SIZE];
    bool same = entry != NULL && lower(name, wanted) && same_name(entry, wanted) &&
                bytes_equal(bytes_of(entry->dhcid, entry->dhcid_len), dhcid);
    if (same || (entry != NULL && entry->reserved))
        return 0; /* a host of the site file keeps the name that it has there */
    lease_names_end(names, address);
    return name[0] == '\0' ? 0 : add(names, name, address, false, dhcid);
}

void lease_names_end(struct lease_names *names, const struct ip_address *address)
{
    struct entry *entry = find_address(names, address);
    if (entry == NULL || entry->reserved)
        return;
    take_away(names, entry);
}

const char *lease_names_find(const struct lease_names *names, const struct ip_address *address)
{
    struct entry *entry = find_address(names, address);
    return entry != NULL ? entry->name : NULL;
}
