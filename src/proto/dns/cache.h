/* SPDX-License-Identifier: ISC */
/*
 * cache.h - what other servers have said, for as long as they said (RFC 1034 §5.3.3, RFC 2181 §5,
 * RFC 2308, RFC 8767, RFC 9520).
 *
 * An entry is one RRset with its signatures, or the fact that there is none: no such name, nothing
 * of that type, or a failure to find out. It is made whole and never changed: news takes its place.
 * Class IN only. Names are found, and come out, in lower case.
 *
 * The cache is bounded in octets. When it is full, what has not been asked for since the hand came by
 * last goes first (SIEVE, Zhang et al., NSDI 2024): a flood of names that are asked for once pushes
 * out itself, and not what is in use.
 *
 * Several threads may have one cache, each by a struct cache of its own (cache_join()). A hit takes no lock, and
 * all that it writes is one flag; nor does a miss, unless something was being rearranged just then. Who puts
 * something takes the lock of a part, of which there are some. What goes is freed when no turn that had begun before is
 * under way (base/grace.h): so whatever was found stays until the end of the finder's turn.
 */
#ifndef WN_PROTO_DNS_CACHE_H
#define WN_PROTO_DNS_CACHE_H

#include "base/grace.h"
#include "base/heap.h"
#include "base/siphash.h"
#include "base/usec.h"
#include "wire/dns/dns_record.h"

enum {
    CACHE_OCTETS_MIN = 64 * 1024,
    CACHE_TTL_MAX_DEFAULT = 86400,         /* RFC 8767 §4: a cap is advised */
    CACHE_NEGATIVE_TTL_MAX_DEFAULT = 3600, /* RFC 2308 §5: one to three hours work well */
    CACHE_FAILURE_TTL_MIN = 5,             /* RFC 9520 §3.2: at least 1 s … */
    CACHE_FAILURE_TTL_MAX = 300,           /* … and at most five minutes */
    CACHE_SILENCE_TTL_MIN = 1,             /* where nobody has said anything: a path that loses much may do */
    CACHE_SILENCE_TTL_MAX = 20,            /* better the next time, and who waits should not wait for long */
    CACHE_FAILURE_EFFORT = 30,             /* so long may pass until it has failed once more */
    CACHE_STALE_TTL = 30,                  /* RFC 8767 §4: of a stale answer */
    CACHE_PREFETCH_TTL_MIN = 10,           /* shorter ones are not worth it */
    CACHE_PAYLOAD_MAX = 65535,             /* no more has come in one message */
    CACHE_PARTS_MAX = 16,                  /* of one that is shared */
};

enum cache_kind {
    CACHE_DATA,
    CACHE_NODATA,   /* the name has nothing of that type */
    CACHE_NXDOMAIN, /* neither the name nor any below it exists (RFC 8020); type 0 */
    CACHE_FAILURE,  /* nobody could tell (RFC 9520); lies beside the others */
    CACHE_KIND_COUNT
};

/* How far to believe it (RFC 2181 §5.4.1), least first. Less does not replace more. */
enum cache_rank {
    CACHE_RANK_GLUE,      /* addresses of the additional section */
    CACHE_RANK_REFERRAL,  /* the authority section of a referral */
    CACHE_RANK_ANSWER,    /* of a server without authority, as a forwarder is */
    CACHE_RANK_AUTHORITY, /* the authority section of an authoritative answer */
    CACHE_RANK_AUTHORITATIVE,
    CACHE_RANK_COUNT
};

/* What validation has found (RFC 4033 §5). */
enum cache_security {
    CACHE_UNCHECKED,
    CACHE_INSECURE,
    CACHE_SECURE,
    CACHE_BOGUS,
    CACHE_SECURITY_COUNT
};

/* For several threads: the locks of the parts, and who says that their turns are over. */
struct cache_sharing {
    struct grace *grace;       /* of which all of them are readers; NULL: there is only one */
    void (*lock)(void *self, size_t part);
    void (*unlock)(void *self, size_t part);
    void *self;
};

struct cache_options {
    struct heap heap;
    struct siphash_key key;
    size_t octets_max;         /* at least CACHE_OCTETS_MIN */
    uint32_t ttl_min;          /* seconds; a larger TTL is put in the place of a smaller one */
    uint32_t ttl_max;
    uint32_t negative_ttl_max;
    uint32_t stale_max;        /* kept so long after their time; 0: not at all */
    struct cache_sharing sharing; /* the heap is then one of all threads */
};

/* The options that hold where nothing else is asked for: 64 MiB, a day, an hour, nothing stale. */
void cache_options_init(struct cache_options *options, const struct heap *heap,
                        const struct siphash_key *key);

struct cache;

/* NULL: no memory. */
MUST_USE struct cache *cache_new(const struct cache_options *options);

/* The same for another thread; it is freed before that of cache_new(). NULL: no memory. */
MUST_USE struct cache *cache_join(struct cache *first);
void cache_free(struct cache *cache);

/* ---- what an entry holds ---- */

/* Lists of RDATA (with names uncompressed) and of records, one after the other, as
 * cache_write_rdata() and cache_write_record() put them and cache_read_…() take them. */
struct cache_content {
    enum cache_kind kind;
    enum cache_rank rank;
    enum cache_security security;
    uint32_t ttl;
    uint16_t ede;             /* enum dns_ede, of a failure or of what is bogus; DNS_EDE_NONE */
    struct bytes records;     /* of the RRset; none unless CACHE_DATA */
    struct bytes signatures;  /* RDATA of the RRSIGs over it */
    struct bytes proof;       /* records: the SOA of a negative answer; NSECs and their RRSIGs */
};

struct cache_record {
    struct dns_name owner;
    uint16_t type;
    uint32_t ttl; /* as it came */
    struct bytes rdata;
};

void cache_write_rdata(struct writer *w, struct bytes rdata);
MUST_USE bool cache_read_rdata(struct reader *r, struct bytes *out);
void cache_write_record(struct writer *w, const struct cache_record *record);
MUST_USE bool cache_read_record(struct reader *r, struct cache_record *out);

/* ---- in and out ---- */

enum cache_result {
    CACHE_TAKEN,
    CACHE_KEPT,      /* what is there is believed more, and still holds */
    CACHE_TOO_LARGE, /* for the cache or for an entry */
    CACHE_NO_MEMORY,
};

/*
 * Puts it in the place of what is known of that name and type (NXDOMAIN: give any type). A TTL of 0
 * is held for a second. NS records that follow others never outlive those: whoever lost a zone to
 * its parent does not keep it by answering (the "ghost domain names" of Jiang et al., NDSS 2012).
 *
 * DEVIATES RFC 1035 §3.2.1: what has a TTL of 0 is given to all who ask within that second.
 */
enum cache_result cache_put(struct cache *cache, const struct dns_name *name, uint16_t type,
                            const struct cache_content *content, usec now);

struct cache_found {
    struct cache_content content; /* its TTL is what is left of it; valid until the next put, or if the cache is
                                     shared until the end of the turn */
    usec left;                    /* of its time; below 0 when it is stale */
    bool stale;                   /* its time is over; the TTL is CACHE_STALE_TTL */
    bool prefetch;                /* in use, and nearly over: ask again */
};

/* What is known of the type at that name. NXDOMAIN is found only with CACHE_NXDOMAIN_TYPE, failures
 * only by cache_find_failure(). */
enum { CACHE_NXDOMAIN_TYPE = 0 };
MUST_USE bool cache_find(struct cache *cache, const struct dns_name *name, uint16_t type, usec now,
                         bool stale_too, struct cache_found *out);
MUST_USE bool cache_find_failure(struct cache *cache, const struct dns_name *name, uint16_t type,
                                 usec now, struct cache_found *out);

/* It cannot be told for the time being: for CACHE_FAILURE_TTL_MIN, and twice as long each time it
 * happens again before twice that time, and what it takes to find out, is over (RFC 9520 §3.2). The second
 * is for who has asked and heard nothing: from CACHE_SILENCE_TTL_MIN to CACHE_SILENCE_TTL_MAX. */
void cache_put_failure(struct cache *cache, const struct dns_name *name, uint16_t type,
                       uint16_t ede, usec now);
void cache_put_silence(struct cache *cache, const struct dns_name *name, uint16_t type,
                       uint16_t ede, usec now);

/* Sets the security of an entry that is there; bogus data is held no longer than a failure is. */
void cache_set_security(struct cache *cache, const struct dns_name *name, uint16_t type,
                        enum cache_security security, uint16_t ede, usec now);

/* Forgets what is known of the name, or with `below` of it and all names below. Returns how many
 * entries. */
size_t cache_flush(struct cache *cache, const struct dns_name *name, bool below);

/* Every entry once, newest first (of each part), stale ones too: begins with *place NULL, ends with false. The
 * cache must not change in between, nor by another thread. */
struct cache_item {
    struct dns_name name;
    uint16_t type;
    int64_t left; /* seconds; below 0: stale */
    struct cache_content content;
};
MUST_USE bool cache_each(const struct cache *cache, const void **place, usec now,
                         struct cache_item *out);

/* The item as lines of a master file, negative ones as comments. */
void cache_format(const struct cache_item *item, struct text *out);

/* What this struct cache was used for; the gauges, of that of cache_new() only, count all there is, and are right when no
 * other thread puts anything. */
struct cache_counters {
    uint64_t hits, stale_hits, misses, puts, kept, evicted, flushed, no_memory;
    uint64_t entries, octets; /* gauges */
};
void cache_counters(const struct cache *cache, struct cache_counters *out);

#endif
