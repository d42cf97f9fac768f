/* SPDX-License-Identifier: ISC */
/*
 * test_tls.c - what TLS adds to a stream: whom one talks to, what is agreed on, sessions, and ends that were
 * not meant. That its streams keep the contract of io/net.h, test_net_contract.c shows.
 */
#include "io/tls.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "io/tls_stream.h"
#include "os/tls_internal.h"
#include "tests/support/check.h"
#include "tests/support/net_world.h"
#include "tests/support/tls_files.h"

/* files[]: what the tests make. */
enum { ROOT, WWW, WILD, OLD, SELF, ADDRESS, OTHER_ROOT_LEAF, CLIENT, FILES };

struct end {
    struct stream *s;
    bool opened, ended, closed;
    int error;
    char reason[256];
    char text[64]; /* what came */
    size_t text_len;
    struct tls_facts facts;
    bool has_facts;
    bool echo;
};

struct bench {
    struct net_world w;
    struct tls_files files;
    struct tls_server *server;
    struct tls_client *client;
    struct listener *listener;
    struct end ends[2]; /* client, server */
    unsigned accepted;
    unsigned refusals;
    char refused[256];
};

static void note_facts(struct end *end, struct stream *s)
{
    end->has_facts = tls_stream_facts(s, &end->facts);
}

static void on_open(void *self, struct stream *s)
{
    struct end *end = self;
    end->opened = true;
    note_facts(end, s);
}

static size_t on_bytes(void *self, struct stream *s, struct bytes in)
{
    struct end *end = self;
    size_t room = sizeof end->text - end->text_len;
    size_t len = in.len < room ? in.len : room;
    memcpy(end->text + end->text_len, in.data, len);
    end->text_len += len;
    if (end->echo)
        assert_int_equal(stream_send(s, in), in.len);
    return in.len;
}

static void on_end(void *self, struct stream *s UNUSED)
{
    ((struct end *)self)->ended = true;
}

static void on_closed(void *self, struct stream *s, int error)
{
    struct end *end = self;
    end->closed = true;
    end->error = error;
    end->s = NULL;
    snprintf(end->reason, sizeof end->reason, "%s", tls_stream_error(s));
}

static const struct stream_handler handler = {
    .on_open = on_open, .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *s)
{
    struct bench *b = self;
    struct end *end = &b->ends[1];
    *end = (struct end){.s = s, .opened = true, .echo = true};
    b->accepted++;
    note_facts(end, s);
    stream_set_handler(s, &handler, end);
}

static void on_refused(void *self, const struct endpoint *peer, const char *reason)
{
    struct bench *b = self;
    b->refusals++;
    assert_true(peer->port != 0);
    snprintf(b->refused, sizeof b->refused, "%s", reason);
}

static void make_files(struct tls_files *f)
{
    static const char *const names[FILES][3] = {
        [WWW] = {"www.home.arpa", "home.arpa"},
        [WILD] = {"*.wild.test"},
        [OLD] = {"old.test"},
        [SELF] = {"self.test"},
        [ADDRESS] = {"address.test"},
        [OTHER_ROOT_LEAF] = {"other.test"},
        [CLIENT] = {"somebody"},
    };
    struct ip_address address = address_v4(0x0a000002);
    tls_files_open(f);
    for (size_t i = WWW; i < FILES; i++) {
        int issuer = i == SELF ? -1 : i == OTHER_ROOT_LEAF ? (int)SELF : (int)ROOT;
        assert_int_equal(tls_files_add(f, issuer, i == OLD ? -2 : 5, names[i],
                                       i == ADDRESS ? &address : NULL),
                         i);
    }
}

static struct tls_certificate certificate_of(const struct bench *b, size_t i)
{
    return (struct tls_certificate){.chain = b->files.files[i].chain, .key = b->files.files[i].key};
}

static void start_server(struct bench *b, struct tls_server_options *options)
{
    char reason[256];
    struct text error = text_of(reason, sizeof reason);
    struct tls_certificate all[FILES];
    for (size_t i = WWW; i < FILES; i++)
        all[i - WWW] = certificate_of(b, i);
    if (options->certificates == NULL) {
        options->certificates = all;
        options->certificate_count = FILES - WWW;
    }
    if (tls_server_new(b->w.loop, options, &error, &b->server) < 0)
        fail_msg("%s", reason);
    tls_server_set_refused(b->server, on_refused, b);
    struct listen_options listen = {.local = {b->w.address, 443}};
    static const struct listener_handler accept = {on_accept};
    assert_int_equal(tls_listen(b->server, b->w.server, &listen, &accept, b, &b->listener), 0);
}

static void start_client(struct bench *b, const struct tls_client_options *options)
{
    char reason[256];
    struct text error = text_of(reason, sizeof reason);
    if (tls_client_new(b->w.loop, options, &error, &b->client) < 0)
        fail_msg("%s", reason);
}

static void open_bench(struct bench *b, struct tls_server_options *server,
                       struct tls_client_options *client)
{
    static const struct net_world_kind stack = {.name = "stack"};
    *b = (struct bench){0};
    make_files(&b->files);
    net_world_open(&b->w, &stack, 1);
    start_server(b, server);
    if (client->trust_file == NULL && !client->trust_anybody && client->pin_count == 0)
        client->trust_file = b->files.files[ROOT].chain;
    start_client(b, client);
}

static void open_plain_bench(struct bench *b)
{
    struct tls_server_options server = {0};
    struct tls_client_options client = {0};
    open_bench(b, &server, &client);
}

static void close_bench(struct bench *b)
{
    for (int i = 0; i < 2; i++)
        if (b->ends[i].s != NULL)
            stream_abort(b->ends[i].s);
    if (b->listener != NULL)
        listener_close(b->listener);
    tls_client_free(b->client);
    tls_server_free(b->server);
    net_world_close(&b->w);
    tls_files_close(&b->files);
}

static struct stream *connect_plain(struct bench *b)
{
    static const struct stream_handler nothing;
    struct endpoint to = {b->w.address, 443};
    struct stream *plain;
    assert_int_equal(net_connect(b->w.client, &to, NULL, &nothing, NULL, &plain), 0);
    return plain;
}

static void begin_connecting(struct bench *b, const char *name)
{
    b->ends[0] = (struct end){0};
    assert_int_equal(tls_connect(b->client, connect_plain(b), name, &handler, &b->ends[0],
                                 &b->ends[0].s),
                     0);
}

/* Connects, and turns until there is an answer to "hello" or an error. */
static void greet(struct bench *b, const char *name)
{
    begin_connecting(b, name);
    assert_int_equal(stream_send(b->ends[0].s, bytes_of_text("hello")), 5);
    while (!b->ends[0].closed && b->ends[0].text_len < 5 && net_world_step(&b->w))
        continue;
    net_world_run(&b->w, USEC_PER_SEC); /* what the server was told */
}

static void say_goodbye(struct bench *b)
{
    for (int i = 0; i < 2; i++) {
        if (b->ends[i].s != NULL)
            stream_close(b->ends[i].s);
        b->ends[i].s = NULL;
    }
    net_world_run(&b->w, USEC_PER_SEC);
}

static void check_greeted(struct bench *b, const char *what)
{
    if (b->ends[0].closed)
        fail_msg("%s: %s", what, b->ends[0].reason);
    CHECK_EQUAL(what, b->ends[0].text_len, 5);
    CHECK(what, b->ends[0].opened && b->ends[0].has_facts);
}

/* ---- whom one talks to ---- */

static void names_in_certificates_are_held_to(void **state UNUSED)
{
    static const struct {
        const char *what;
        const char *name;
        bool fails;
        int error;
        const char *reason;
    } cases[] = {
        {"the name itself", "www.home.arpa", false, 0, ""},
        {"in other letters", "WWW.Home.Arpa", false, 0, ""},
        {"with the root's dot", "www.home.arpa.", false, 0, ""},
        {"another name of it", "home.arpa", false, 0, ""},
        {"a wildcard", "a.wild.test", false, 0, ""},
        {"a wildcard is one label", "a.b.wild.test", true, EKEYREJECTED, "not for a.b.wild.test"},
        {"a wildcard is a label at least", "wild.test", true, EKEYREJECTED, "not for wild.test"},
        {"nobody's name: the first certificate", "nobody.test", true, EKEYREJECTED,
         "the certificate is for www.home.arpa, home.arpa, not for nobody.test"},
        {"an address", "10.0.0.2", true, EKEYREJECTED, "not for 10.0.0.2"},
        {"expired", "old.test", true, EKEYEXPIRED, "the certificate of old.test has expired on 20"},
        {"signed by itself", "self.test", true, EKEYREJECTED, "signed by itself"},
        {"signed by a stranger", "other.test", true, EKEYREJECTED,
         "signed by self.test, whom we do not trust"},
    };
    struct bench b;
    open_plain_bench(&b);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        greet(&b, cases[i].name);
        if (!cases[i].fails)
            check_greeted(&b, cases[i].what);
        CHECK_EQUAL(cases[i].what, b.ends[0].opened, !cases[i].fails);
        CHECK_EQUAL(cases[i].what, b.ends[0].error, cases[i].error);
        if (strstr(b.ends[0].reason, cases[i].reason) == NULL)
            fail_msg("%s: %s", cases[i].what, b.ends[0].reason);
        say_goodbye(&b);
    }
    const struct tls_server_counters *counters = tls_server_counters(b.server);
    assert_int_equal(counters->accepted, 5);
    assert_int_equal(counters->refused, ARRAY_LEN(cases) - 5);
    assert_int_equal(b.refusals, ARRAY_LEN(cases) - 5);
    assert_non_null(strstr(b.refused, "the peer gave up: "));
    close_bench(&b);
}

static void an_address_is_looked_for_among_addresses(void **state UNUSED)
{
    struct bench b;
    struct tls_certificate certificate;
    open_plain_bench(&b);
    certificate = certificate_of(&b, ADDRESS);
    assert_int_equal(tls_server_reload(b.server, &certificate, 1, NULL), 0);
    greet(&b, "10.0.0.2");
    check_greeted(&b, "an address");
    assert_string_equal(b.ends[1].facts.name, ""); /* RFC 6066 §3: it is not said */
    say_goodbye(&b);
    greet(&b, "10.0.0.3");
    assert_int_equal(b.ends[0].error, EKEYREJECTED);
    close_bench(&b);
}

static void pin_of(const char *path, uint8_t out[TLS_PIN_LEN])
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    uint8_t *key = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    assert_true(len > 0);
    assert_true(EVP_Digest(key, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1);
    OPENSSL_free(key);
    X509_free(certificate);
}

static void a_pinned_key_is_enough_and_is_demanded(void **state UNUSED)
{
    uint8_t pins[2][TLS_PIN_LEN] = {{0}};
    struct bench b;
    struct tls_server_options server = {0};
    struct tls_client_options client = {.pins = pins[0], .pin_count = 2};
    open_bench(&b, &server, &client);
    tls_client_free(b.client);
    pin_of(b.files.files[SELF].chain, pins[1]);
    start_client(&b, &client);
    greet(&b, "self.test");
    check_greeted(&b, "a pin");
    say_goodbye(&b);
    greet(&b, "www.home.arpa");
    assert_false(b.ends[0].opened);
    assert_int_equal(b.ends[0].error, EKEYREJECTED);
    assert_string_equal(b.ends[0].reason, "the key of www.home.arpa is not the one that is pinned");
    close_bench(&b);
}

static void who_trusts_anybody_talks_to_anybody(void **state UNUSED)
{
    struct bench b;
    struct tls_server_options server = {0};
    struct tls_client_options client = {.trust_anybody = true};
    open_bench(&b, &server, &client);
    greet(&b, "old.test");
    check_greeted(&b, "anybody");
    say_goodbye(&b);
    greet(&b, "nobody.test");
    check_greeted(&b, "anybody");
    close_bench(&b);
}

static void clients_may_have_to_show_a_certificate(void **state UNUSED)
{
    for (int shows = 0; shows < 2; shows++) {
        struct bench b;
        struct tls_files files;
        make_files(&files);
        struct tls_server_options server = {.clients = TLS_PEER_REQUIRED,
                                            .client_trust_file = files.files[ROOT].chain};
        struct tls_client_options client = {.trust_anybody = true};
        if (shows)
            client.certificate = (struct tls_certificate){.chain = files.files[CLIENT].chain,
                                                          .key = files.files[CLIENT].key};
        open_bench(&b, &server, &client);
        greet(&b, "www.home.arpa");
        if (shows) {
            check_greeted(&b, "with a certificate");
            assert_string_equal(b.ends[1].facts.peer, "somebody");
        } else {
            assert_int_equal(b.accepted, 0);
            assert_int_equal(b.ends[0].error, EPROTO);
            assert_non_null(strstr(b.ends[0].reason, "the peer gave up: "));
            assert_non_null(strstr(b.refused, "peer did not return a certificate"));
        }
        close_bench(&b);
        tls_files_close(&files);
    }
}

/* ---- what is agreed on ---- */

static void both_sides_know_what_was_agreed_on(void **state UNUSED)
{
    struct bench b;
    struct tls_server_options server = {.alpn = "h2 http/1.1"};
    struct tls_client_options client = {.alpn = "http/1.1 h2"};
    open_bench(&b, &server, &client);
    greet(&b, "www.home.arpa");
    check_greeted(&b, "ALPN");
    for (int i = 0; i < 2; i++) {
        const struct tls_facts *facts = &b.ends[i].facts;
        assert_string_equal(facts->version, "TLSv1.3");
        assert_string_equal(facts->cipher, "TLS_AES_128_GCM_SHA256"); /* too */
        assert_string_equal(facts->alpn, "h2"); /* the server's wish */
        assert_false(facts->resumed);
    }
    assert_string_equal(b.ends[0].facts.peer, "www.home.arpa");
    assert_string_equal(b.ends[1].facts.peer, "");
    close_bench(&b);
}

static void without_a_common_protocol_there_is_no_connection(void **state UNUSED)
{
    struct bench b;
    struct tls_server_options server = {.alpn = "dot"};
    struct tls_client_options client = {.alpn = "http/1.1"};
    open_bench(&b, &server, &client);
    greet(&b, "www.home.arpa");
    assert_int_equal(b.ends[0].error, EPROTO);
    assert_string_equal(b.ends[0].reason, "the peer gave up: no application protocol");
    close_bench(&b);
}

static void reload(struct bench *b, size_t which)
{
    char reason[256] = "";
    struct text error = text_of(reason, sizeof reason);
    struct tls_certificate certificate = certificate_of(b, which);
    if (tls_server_reload(b->server, &certificate, 1, &error) < 0)
        fail_msg("%s", reason);
}

static void certificates_change_while_connections_live(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    greet(&b, "www.home.arpa");
    check_greeted(&b, "before");
    reload(&b, WILD);
    assert_int_equal(stream_send(b.ends[0].s, bytes_of_text("again")), 5);
    while (b.ends[0].text_len < 10 && net_world_step(&b.w))
        continue;
    assert_memory_equal(b.ends[0].text, "helloagain", 10);
    say_goodbye(&b);
    greet(&b, "home.arpa");
    assert_int_equal(b.ends[0].error, EKEYREJECTED); /* nobody has this name any more */

    char reason[256] = "";
    struct text error = text_of(reason, sizeof reason);
    struct tls_certificate wrong = {.chain = b.files.files[WWW].chain,
                                    .key = b.files.files[WILD].key};
    assert_true(tls_server_reload(b.server, &wrong, 1, &error) < 0);
    assert_non_null(strstr(reason, b.files.files[WILD].key));
    wrong.chain = "/nonexistent.pem";
    error = text_of(reason, sizeof reason);
    assert_true(tls_server_reload(b.server, &wrong, 1, &error) < 0);
    assert_string_equal(reason, "cannot use the certificate in /nonexistent.pem: "
                                "No such file or directory");
    greet(&b, "a.wild.test");
    check_greeted(&b, "what was there before");
    close_bench(&b);
}

/* ---- sessions ---- */

static bool greet_and_see_whether_resumed(struct bench *b)
{
    greet(b, "www.home.arpa");
    check_greeted(b, "session");
    assert_int_equal(b->ends[0].facts.resumed, b->ends[1].facts.resumed);
    bool resumed = b->ends[0].facts.resumed;
    say_goodbye(b);
    return resumed;
}

static void sessions_are_resumed_until_their_keys_are_gone(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    assert_false(greet_and_see_whether_resumed(&b));
    assert_true(greet_and_see_whether_resumed(&b));
    reload(&b, WWW); /* tickets outlive certificates */
    assert_true(greet_and_see_whether_resumed(&b));
    b.w.give_up_at += 4 * TLS_TICKET_ROTATION * USEC_PER_SEC;
    net_world_run(&b.w, (TLS_TICKET_ROTATION + 1) * USEC_PER_SEC);
    assert_true(greet_and_see_whether_resumed(&b)); /* by the key before */
    net_world_run(&b.w, (2 * TLS_TICKET_ROTATION + 1) * USEC_PER_SEC);
    assert_false(greet_and_see_whether_resumed(&b));
    assert_int_equal(tls_server_counters(b.server)->resumed, 3);
    close_bench(&b);
}

static void a_client_remembers_a_bounded_number_of_sessions(void **state UNUSED)
{
    struct tls_context *context;
    struct tls_client_options options = {.trust_anybody = true};
    char key[32];
    assert_int_equal(tls_context_new_client(&options, NULL, &context), 0);
    for (int i = 0; i < 2 * TLS_SESSIONS_MAX; i++) {
        SSL_SESSION *session = SSL_SESSION_new();
        assert_int_equal(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
        snprintf(key, sizeof key, "host%d:443", i);
        tls_session_put(context, key, session);
    }
    assert_int_equal(context->sessions_by_key.count, TLS_SESSIONS_MAX);
    assert_null(tls_session_take(context, "host0:443"));
    SSL_SESSION *last = tls_session_take(context, key);
    assert_non_null(last);
    assert_null(tls_session_take(context, key)); /* once */
    SSL_SESSION_free(last);
    tls_context_free(context);
}

/* ---- ends that were not meant ---- */

/* The plain stream under a TLS stream, for mischief. */
static struct stream *below(struct stream *s)
{
    return CONTAINER_OF(s, struct tls_stream, base)->plain;
}

static void a_connection_that_is_cut_short_is_told_from_one_that_ends(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    greet(&b, "www.home.arpa");
    stream_finish(below(b.ends[1].s)); /* FIN without close_notify */
    net_world_run(&b.w, USEC_PER_SEC);
    assert_false(b.ends[0].ended);
    assert_int_equal(b.ends[0].error, ECONNRESET);
    assert_non_null(strstr(b.ends[0].reason, "cut short"));
    b.ends[1].s = NULL;
    close_bench(&b);
}

static void a_changed_record_ends_the_connection(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    greet(&b, "www.home.arpa");
    static const char record[] = "\x17\x03\x03\x00\x20" "12345678901234567890123456789012";
    assert_int_equal(stream_send(below(b.ends[1].s), bytes_of(record, sizeof record - 1)),
                     sizeof record - 1);
    net_world_run(&b.w, USEC_PER_SEC);
    assert_int_equal(b.ends[0].error, EPROTO);
    assert_string_equal(b.ends[0].reason, "TLS failed: decryption failed or bad record mac");
    assert_int_equal(b.ends[1].error, EPROTO);
    assert_string_equal(b.ends[1].reason, "the peer gave up: bad record mac");
    close_bench(&b);
}

static void who_says_nothing_is_not_waited_for(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    (void)connect_plain(&b); /* it goes with the reset */
    net_world_run(&b.w, TLS_HANDSHAKE_TIMEOUT / 2);
    assert_int_equal(b.refusals, 0);
    net_world_run(&b.w, TLS_HANDSHAKE_TIMEOUT);
    assert_int_equal(b.refusals, 1);
    assert_string_equal(b.refused, "the handshake took too long");
    close_bench(&b);
}

static void who_speaks_no_tls_is_refused(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    struct stream *stranger = connect_plain(&b);
    static const char request[] = "GET / HTTP/1.1\r\nHost: www.home.arpa\r\n\r\n";
    (void)stream_send(stranger, bytes_of_text(request));
    net_world_run(&b.w, USEC_PER_SEC);
    assert_int_equal(b.refusals, 1);
    assert_string_equal(b.refused, "TLS failed: http request");
    stream_abort(stranger);
    close_bench(&b);
}

/* ---- taking over a stream in the middle of its life ---- */

struct starttls {
    struct bench *b;
    struct stream *plain;
};

/* The command is used; what follows it at once is TLS's. */
static size_t on_plain_bytes(void *self, struct stream *plain, struct bytes in)
{
    struct starttls *t = self;
    if (in.len < 10)
        return 0;
    assert_memory_equal(in.data, "STARTTLS\r\n", 10);
    struct end *end = &t->b->ends[1];
    *end = (struct end){.echo = true};
    assert_int_equal(tls_accept(t->b->server, plain, &handler, end, &end->s), 0);
    return 10;
}

static void on_plain_accept(void *self, struct listener *listener UNUSED, struct stream *s)
{
    static const struct stream_handler plain_handler = {.on_bytes = on_plain_bytes};
    stream_set_handler(s, &plain_handler, self);
}

static void a_stream_is_taken_over_with_what_waits_in_it(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    listener_close(b.listener);
    struct starttls t = {.b = &b};
    struct listen_options listen = {.local = {b.w.address, 443}};
    static const struct listener_handler accept = {on_plain_accept};
    assert_int_equal(net_listen(b.w.server, &listen, &accept, &t, &b.listener), 0);
    struct stream *plain = connect_plain(&b);
    assert_int_equal(stream_send(plain, bytes_of_text("STARTTLS\r\n")), 10);
    assert_int_equal(tls_connect(b.client, plain, "www.home.arpa", &handler, &b.ends[0],
                                 &b.ends[0].s),
                     0);
    assert_int_equal(stream_send(b.ends[0].s, bytes_of_text("hello")), 5);
    while (!b.ends[0].closed && b.ends[0].text_len < 5 && net_world_step(&b.w))
        continue;
    check_greeted(&b, "STARTTLS");
    assert_true(b.ends[1].opened); /* told here, by on_open */
    close_bench(&b);
}

static void tls_stands_on_tls(void **state UNUSED)
{
    struct bench b;
    open_plain_bench(&b);
    listener_close(b.listener);
    struct starttls t = {.b = &b};
    struct listen_options listen = {.local = {b.w.address, 443}};
    static const struct listener_handler accept = {on_plain_accept};
    assert_int_equal(tls_listen(b.server, b.w.server, &listen, &accept, &t, &b.listener), 0);
    static const struct stream_handler nothing;
    struct stream *outer;
    assert_int_equal(tls_connect(b.client, connect_plain(&b), "home.arpa", &nothing, NULL, &outer),
                     0);
    assert_int_equal(stream_send(outer, bytes_of_text("STARTTLS\r\n")), 10);
    assert_int_equal(tls_connect(b.client, outer, "www.home.arpa", &handler, &b.ends[0],
                                 &b.ends[0].s),
                     0);
    assert_int_equal(stream_send(b.ends[0].s, bytes_of_text("hello")), 5);
    while (!b.ends[0].closed && b.ends[0].text_len < 5 && net_world_step(&b.w))
        continue;
    check_greeted(&b, "TLS on TLS");
    say_goodbye(&b);
    close_bench(&b);
}

static void options_that_cannot_be_are_refused_with_a_reason(void **state UNUSED)
{
    char reason[256] = "";
    struct text error = text_of(reason, sizeof reason);
    struct tls_context *context;
    struct tls_client_options client = {.trust_file = "/nonexistent.pem"};
    assert_true(tls_context_new_client(&client, &error, &context) < 0);
    assert_string_equal(reason, "cannot use the certificates in /nonexistent.pem: "
                                "No such file or directory");
    struct tls_server_options server = {0};
    error = text_of(reason, sizeof reason);
    assert_true(tls_context_new_server(&server, &error, &context) < 0);
    assert_string_equal(reason, "a TLS server needs a certificate");
    char alpn[400];
    memset(alpn, 'x', sizeof alpn);
    alpn[sizeof alpn - 1] = '\0';
    client = (struct tls_client_options){.trust_anybody = true, .alpn = alpn};
    error = text_of(reason, sizeof reason);
    assert_true(tls_context_new_client(&client, &error, &context) < 0);
    assert_string_equal(reason, "too many protocols for ALPN, or one too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_in_certificates_are_held_to),
        cmocka_unit_test(an_address_is_looked_for_among_addresses),
        cmocka_unit_test(a_pinned_key_is_enough_and_is_demanded),
        cmocka_unit_test(who_trusts_anybody_talks_to_anybody),
        cmocka_unit_test(clients_may_have_to_show_a_certificate),
        cmocka_unit_test(both_sides_know_what_was_agreed_on),
        cmocka_unit_test(without_a_common_protocol_there_is_no_connection),
        cmocka_unit_test(certificates_change_while_connections_live),
        cmocka_unit_test(sessions_are_resumed_until_their_keys_are_gone),
        cmocka_unit_test(a_client_remembers_a_bounded_number_of_sessions),
        cmocka_unit_test(a_connection_that_is_cut_short_is_told_from_one_that_ends),
        cmocka_unit_test(a_changed_record_ends_the_connection),
        cmocka_unit_test(who_says_nothing_is_not_waited_for),
        cmocka_unit_test(who_speaks_no_tls_is_refused),
        cmocka_unit_test(a_stream_is_taken_over_with_what_waits_in_it),
        cmocka_unit_test(tls_stands_on_tls),
        cmocka_unit_test(options_that_cannot_be_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
