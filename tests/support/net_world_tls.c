/* SPDX-License-Identifier: ISC */
/* net_world_tls.c - a `struct net` whose streams are TLS over those of another: for the contract. */
#include <stdlib.h>

#include "io/net_ops.h"
#include "io/tls.h"
#include "tests/support/check.h"
#include "tests/support/net_world.h"
#include "tests/support/tls_files.h"

struct net_world_tls {
    struct tls_files files;
    struct tls_server *server;
    struct tls_client *client;
};

struct tls_net {
    struct net base;
    struct net *plain;
    struct net_world_tls *tls;
};

static struct tls_net *tls_net_of(struct net *net)
{
    return CONTAINER_OF(net, struct tls_net, base);
}

static int connect_by_tls(struct net *base, const struct endpoint *to, const struct endpoint *local,
                          const struct stream_handler *handler, void *self, struct stream **out)
{
    static const struct stream_handler nothing;
    struct tls_net *net = tls_net_of(base);
    struct stream *plain;
    int status = net_connect(net->plain, to, local, &nothing, NULL, &plain);
    if (status < 0)
        return status;
    status = tls_connect(net->tls->client, plain, "www.home.arpa", handler, self, out);
    assert_int_equal(status, 0);
    (*out)->net = base;
    return 0;
}

static int listen_by_tls(struct net *base, const struct listen_options *options,
                         const struct listener_handler *handler, void *self, struct listener **out)
{
    struct tls_net *net = tls_net_of(base);
    return tls_listen(net->tls->server, net->plain, options, handler, self, out);
}

static int bind_plain(struct net *base, const struct dgram_options *options,
                      const struct dgram_handler *handler, void *self, struct dgram **out)
{
    return net_bind(tls_net_of(base)->plain, options, handler, self, out);
}

static void free_wrapper(struct net *base)
{
    free(tls_net_of(base));
}

static struct net *wrap(struct net *plain, struct net_world_tls *tls)
{
    static const struct net_ops ops = {.connect = connect_by_tls,
                                       .listen = listen_by_tls,
                                       .bind = bind_plain,
                                       .free = free_wrapper};
    struct tls_net *net = calloc(1, sizeof *net);
    assert_non_null(net);
    net->base = (struct net){&ops, plain->loop};
    net->plain = plain;
    net->tls = tls;
    return &net->base;
}

void net_world_add_tls(struct net_world *w)
{
    static const char *const names[] = {"www.home.arpa", NULL};
    char reason[256];
    struct text error = text_of(reason, sizeof reason);
    struct net_world_tls *tls = calloc(1, sizeof *tls);
    assert_non_null(tls);
    tls_files_open(&tls->files);
    size_t leaf = tls_files_add(&tls->files, 0, 1, names, NULL);
    struct tls_certificate certificate = {.chain = tls->files.files[leaf].chain,
                                          .key = tls->files.files[leaf].key};
    struct tls_server_options server = {.certificates = &certificate, .certificate_count = 1};
    struct tls_client_options client = {.trust_file = tls->files.files[0].chain};
    if (tls_server_new(w->loop, &server, &error, &tls->server) < 0 ||
        tls_client_new(w->loop, &client, &error, &tls->client) < 0)
        fail_msg("%s", reason);
    w->tls = tls;
    bool same = w->server == w->client;
    w->client = wrap(w->client, tls);
    w->server = same ? w->client : wrap(w->server, tls);
}

static struct net *unwrap(struct net *net)
{
    struct net *plain = tls_net_of(net)->plain;
    net_free(net);
    return plain;
}

void net_world_remove_tls(struct net_world *w)
{
    tls_client_free(w->tls->client);
    tls_server_free(w->tls->server);
    tls_files_close(&w->tls->files);
    free(w->tls);
    bool same = w->server == w->client;
    w->client = unwrap(w->client);
    w->server = same ? w->client : unwrap(w->server);
}
