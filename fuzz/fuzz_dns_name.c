/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dns_name.c - any octets as a message with a name in it, and as the text of a name. What is
 * read has a wire form and a text that give it back.
 */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "wire/dns/dns_key.h"

static void check(const struct dns_name *name)
{
    struct dns_name again;
    char text[DNS_NAME_TEXT_MAX];
    ASSERT(dns_name_from_wire(dns_name_bytes(name), &again));
    ASSERT(dns_name_same(name, &again));
    dns_name_format(name, text);
    ASSERT(dns_name_parse(bytes_of_text(text), NULL, &again));
    ASSERT(dns_name_same(name, &again));
    dns_name_lower(&again);
    ASSERT(dns_name_equal(name, &again));
    ASSERT(dns_name_hash(name) == dns_name_hash(&again));
    while (!dns_name_is_root(&again)) {
        ASSERT(dns_name_within(name, &again));
        dns_name_parent(&again, &again);
    }
    uint8_t key[DNS_KEY_MAX];
    size_t key_len = dns_key_of(name, key);
    struct dns_name root;
    dns_name_root(&root);
    dns_key_name(bytes_of(key, key_len), &root, &again);
    ASSERT(dns_name_equal(name, &again));
    struct ip_address address;
    if (dns_name_reverse_address(name, &address)) {
        dns_name_reverse(&address, &again);
        ASSERT(dns_name_equal(name, &again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct bytes message = bytes_of(data, len);
    struct reader r = reader_of(message);
    read_skip(&r, data[0] % len);
    struct reader skipper = r;
    struct dns_name name;
    dns_name_read(&r, message, &name);
    if (!r.failed) {
        dns_name_skip(&skipper);
        ASSERT(!skipper.failed && skipper.next == r.next);
        check(&name);
    }
    struct dns_name origin;
    dns_name_root(&origin);
    if (dns_name_parse(message, &origin, &name))
        check(&name);
    return 0;
}
