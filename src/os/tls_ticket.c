/* SPDX-License-Identifier: ISC */
/*
 * tls_ticket.c - session tickets (RFC 5077, RFC 8446 §4.6.1): what the server would have to remember lies with
 * the client, under a key that is replaced, so that a stolen one opens little of the past.
 *
 * The threads of a process that share a port share the keys. SKIPS RFC 5077 §5.5: several processes do not.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "os/entropy.h"
#include "os/tls_internal.h"

struct tls_tickets *tls_context_tickets(struct tls_context *context)
{
    return context->tickets;
}

static void rotate(struct tls_tickets *tickets, int64_t now)
{
    struct tls_ticket_key *keys = tickets->keys;
    if (keys[0].valid && now - tickets->rotated_at < TLS_TICKET_ROTATION)
        return;
    struct tls_ticket_key fresh;
    if (entropy_fill(&fresh, sizeof fresh) < 0)
        return; /* on with the one that is there; without any no tickets are given */
    fresh.valid = true;
    /* After a pause the old one may be older than twice the time. */
    bool old = keys[0].valid && now - tickets->rotated_at < 2 * TLS_TICKET_ROTATION;
    if (old)
        keys[1] = keys[0];
    else
        keys[1].valid = false;
    keys[0] = fresh;
    tickets->rotated_at = now;
    OPENSSL_cleanse(&fresh, sizeof fresh);
}

void tls_context_tick(struct tls_context *context, int64_t now)
{
    if (!context->is_server)
        return;
    lock_take(&context->tickets->lock);
    rotate(context->tickets, now);
    lock_give(&context->tickets->lock);
}

static bool set_mac_key(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int use_keys(struct tls_ticket_key *keys, SSL *ssl, uint8_t *name, uint8_t *iv,
                    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypting)
{
    const EVP_CIPHER *aes = EVP_aes_256_cbc();
    if (encrypting) {
        if (!keys[0].valid || RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1)
            return keys[0].valid ? -1 : 0;
        memcpy(name, keys[0].name, TICKET_NAME_LEN);
        return EVP_EncryptInit_ex(cipher, aes, NULL, keys[0].cipher, iv) == 1 &&
                       set_mac_key(mac, &keys[0])
                   ? 1
                   : -1;
    }
    for (int i = 0; i < 2; i++) {
        if (!keys[i].valid || memcmp(name, keys[i].name, TICKET_NAME_LEN) != 0)
            continue;
        if (!set_mac_key(mac, &keys[i]) ||
            EVP_DecryptInit_ex(cipher, aes, NULL, keys[i].cipher, iv) != 1)
            return -1;
        /* Tickets of TLS 1.3 are used once (RFC 8446 C.4): with each use comes a new one. */
        return i == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
    }
    return 0;
}

/* 0: none, a whole handshake; 1: by our key; 2: by the one before it, give a new ticket; -1: an error. */
int tls_ticket_on_key(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int encrypting)
{
    struct tls_tickets *tickets = tls_engine_of(ssl)->context->tickets;
    lock_take(&tickets->lock);
    int result = use_keys(tickets->keys, ssl, name, iv, cipher, mac, encrypting);
    lock_give(&tickets->lock);
    return result;
}
