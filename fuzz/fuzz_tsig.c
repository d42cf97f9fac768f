/* SPDX-License-Identifier: ISC */
/*
 * fuzz_tsig.c - any message as one that is signed, in the eyes of a server, and of a client who has
 * asked; any text as a key. The MAC is a toy, so that some messages are right; a record that is read
 * and written again is the same.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/tsig.h"

static uint64_t toy_state;

static void *toy_start(void *self, unsigned sha, struct bytes secret)
{
    (void)self;
    ASSERT(secret.len > 0);
    toy_state = sha;
    return &toy_state;
}

static void toy_add(void *hmac, struct bytes octets)
{
    (void)hmac;
    for (size_t i = 0; i < octets.len; i++)
        toy_state += octets.data[i];
}

/* The sum in the last octet: one message in 256 is right. */
static size_t toy_end(void *hmac, uint8_t out[TSIG_MAC_MAX])
{
    (void)hmac;
    memset(out, 0, TSIG_MAC_MAX);
    out[15] = (uint8_t)toy_state;
    return TSIG_MAC_MAX;
}

static void check_record(struct bytes message, size_t at)
{
    static uint8_t again[DNS_MESSAGE_MAX + 600];
    struct dns_tsig record, reread;
    if (dns_tsig_decode(message, at, &record) != WIRE_OK)
        return;
    memcpy(again, message.data, at);
    again[11] = (uint8_t)(again[11] - 1);
    again[10] = (uint8_t)(again[10] - (again[11] == 0xff));
    size_t len = dns_tsig_append(again, at, sizeof again, &record);
    ASSERT(len == at + dns_tsig_len(&record));
    ASSERT(dns_tsig_decode(bytes_of(again, len), at, &reread) == WIRE_OK);
    ASSERT(dns_name_same(&record.key, &reread.key) && bytes_equal(record.mac, reread.mac) &&
           bytes_equal(record.other, reread.other) && record.error == reread.error &&
           record.time_signed == reread.time_signed);
}

static void as_server(const struct tsig_keys *keys, struct bytes message, size_t at)
{
    static uint8_t reply[2048];
    struct tsig tsig;
    struct dns_tsig record;
    enum tsig_verdict verdict = tsig_check(keys, message, at, 0x60000000, &tsig, &record);
    memset(reply, 0, DNS_HEADER_LEN);
    if (verdict == TSIG_REFUSED && tsig.key == NULL) {
        ASSERT(tsig_refuse(&record, tsig.error, reply, DNS_HEADER_LEN, sizeof reply) >
               DNS_HEADER_LEN);
        return;
    }
    if (verdict == TSIG_MALFORMED)
        return;
    size_t room = tsig_room(&tsig);
    ASSERT(tsig_sign(&tsig, 0x60000000, reply, DNS_HEADER_LEN, sizeof reply) ==
           DNS_HEADER_LEN + room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct tsig_hmac hmac = {toy_start, toy_add, toy_end, NULL};
    static struct tsig_keys keys;
    struct bytes message = bytes_of(data, len);
    struct dns_summary summary;
    struct tsig_key key;
    if (keys.count == 0) {
        keys.hmac = hmac;
        ASSERT(tsig_key_parse(bytes_of_text("hmac-sha256-128:k:c2VjcmV0"), &keys.keys[0]));
        keys.count = 1;
    }
    if (tsig_key_parse(message, &key))
        ASSERT(key.secret_len > 0 && key.algorithm < TSIG_ALGORITHM_COUNT);
    if (dns_summarise(message, &summary) != WIRE_OK)
        return 0;
    struct tsig_client client;
    uint8_t query[512] = {0};
    tsig_client_init(&client, &keys.keys[0], &hmac);
    ASSERT(tsig_client_sign(&client, 1, query, DNS_HEADER_LEN, sizeof query) > DNS_HEADER_LEN);
    (void)tsig_client_check(&client, message, summary.tsig_at, 0x60000000);
    (void)tsig_client_check(&client, message, summary.tsig_at, 0x60000000);
    tsig_client_end(&client);
    if (summary.tsig_at == 0)
        return 0;
    ASSERT(summary.tsig_at >= DNS_HEADER_LEN);
    check_record(message, summary.tsig_at);
    as_server(&keys, message, summary.tsig_at);
    return 0;
}
