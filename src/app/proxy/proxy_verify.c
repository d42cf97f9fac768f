/* SPDX-License-Identifier: ISC */
/*
 * proxy_verify.c - a client that does not know of the proxy goes to an address and names a host, which need not
 * be there. If what comes were stored under the name, one client could give all others what it likes; so
 * the name is looked up, and until it has been found to have the address nothing is stored.
 */
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"

struct verify {
    struct proxy *proxy;
    struct list_node node; /* in proxy->verifies */
    struct host_question *question;
    struct ip_address address;
    char host[PROXY_NAME_MAX];
};

static uint64_t digest_of(const struct proxy *proxy, const char *host,
                          const struct ip_address *address)
{
    uint8_t block[PROXY_NAME_MAX + sizeof *address];
    struct writer w = writer_of(block, sizeof block);
    write_copy(&w, address, sizeof *address);
    write_bytes(&w, bytes_of_text(host));
    return siphash24(&proxy->key, writer_bytes(&w)) | 1;
}

static struct proxy_verified *slot_of(struct proxy *proxy, uint64_t digest)
{
    return &proxy->verified[digest / 2 % PROXY_VERIFIED_MAX];
}

static bool note(struct proxy *proxy, const char *host, const struct ip_address *address,
                 const struct host_answer *answer)
{
    uint64_t digest = digest_of(proxy, host, address);
    for (size_t i = 0; i < answer->count; i++) {
        if (!address_equal(&answer->addresses[i], address))
            continue;
        *slot_of(proxy, digest) =
            (struct proxy_verified){digest, proxy_now(proxy) + PROXY_VERIFIED_TIME};
        return true;
    }
    struct proxy_verified *slot = slot_of(proxy, digest);
    if (slot->digest == digest)
        slot->until = 0; /* it has moved */
    return false;
}

static void verify_free(struct verify *verify)
{
    host_lookup_cancel(verify->question);
    list_remove(&verify->node);
    verify->proxy->verify_count--;
    free(verify);
}

static void on_answer(void *self, const struct host_answer *answer)
{
    struct verify *verify = self;
    verify->question = NULL;
    (void)note(verify->proxy, verify->host, &verify->address, answer);
    verify_free(verify);
}

/* Is it being looked up already? */
static bool is_under_way(const struct proxy *proxy, const char *host,
                         const struct ip_address *address)
{
    for (struct list_node *node = proxy->verifies.next; node != &proxy->verifies;
         node = node->next) {
        const struct verify *verify = CONTAINER_OF(node, struct verify, node);
        if (address_equal(&verify->address, address) && strcmp(verify->host, host) == 0)
            return true;
    }
    return false;
}

static bool look_up(struct proxy *proxy, const char *host, const struct ip_address *address)
{
    struct host_answer answer;
    if (proxy->verify_count >= PROXY_VERIFIES_MAX || is_under_way(proxy, host, address))
        return false;
    struct verify *verify = calloc(1, sizeof *verify);
    if (verify == NULL)
        return false;
    verify->proxy = proxy;
    verify->address = *address;
    memcpy(verify->host, host, strlen(host) + 1);
    list_append(&proxy->verifies, &verify->node);
    proxy->verify_count++;
    if (host_lookup_ask(proxy->lookup, host, on_answer, verify, &answer, &verify->question)) {
        bool good = note(proxy, host, address, &answer);
        verify_free(verify);
        return good;
    }
    if (verify->question == NULL)
        verify_free(verify);
    return false;
}

bool proxy_verify(struct proxy *proxy, struct bytes authority, const struct ip_address *address)
{
    struct ip_address named;
    struct bytes host;
    uint16_t port = 0;
    char name[PROXY_NAME_MAX];
    if (!uri_authority_parse(authority, &host, &port) || host.len >= sizeof name)
        return false;
    if (address_parse(host, &named))
        return address_equal(&named, address);
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    uint64_t digest = digest_of(proxy, name, address);
    const struct proxy_verified *slot = slot_of(proxy, digest);
    usec now = proxy_now(proxy);
    bool known = slot->digest == digest && slot->until > now;
    /* Looked up again in time, so that it goes on to be known. */
    if (known && slot->until > now + PROXY_VERIFIED_TIME / 2)
        return true;
    return look_up(proxy, name, address) || known;
}

void proxy_verify_done(struct proxy *proxy)
{
    struct list_node *node;
    while ((node = list_first(&proxy->verifies)) != NULL)
        verify_free(CONTAINER_OF(node, struct verify, node));
}
