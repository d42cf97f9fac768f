/* SPDX-License-Identifier: ISC */
/* fuzz_dns_private_key.c - any octets as the file of a private key: what is taken, is written and read as
 * the same. */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "wire/dns/dns_private_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t room[DNS_PRIVATE_KEY_PARTS_LEN_MAX], again_room[DNS_PRIVATE_KEY_PARTS_LEN_MAX];
    static char text[2 * DNS_PRIVATE_KEY_TEXT_MAX], again_text[2 * DNS_PRIVATE_KEY_TEXT_MAX];
    struct dns_private_key key, again;
    const char *error;
    struct writer w = writer_of(room, sizeof room);
    if (!dns_private_key_decode(bytes_of(data, len), &w, &key, &error)) {
        ASSERT(error != NULL);
        return 0;
    }
    struct text t = text_of(text, sizeof text);
    dns_private_key_format(&key, &t);
    ASSERT(!t.failed);
    if (t.len > DNS_PRIVATE_KEY_TEXT_MAX)
        return 0;
    w = writer_of(again_room, sizeof again_room);
    bool good = dns_private_key_decode(text_bytes(&t), &w, &again, &error);
    ASSERT(good);
    struct text u = text_of(again_text, sizeof again_text);
    dns_private_key_format(&again, &u);
    ASSERT(bytes_equal(text_bytes(&t), text_bytes(&u)));
    return 0;
}
