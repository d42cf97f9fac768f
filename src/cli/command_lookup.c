/* SPDX-License-Identifier: ISC */
/*
 * command_lookup.c - wholenet lookup: questions to name servers, as dig(1) and kdig(1) take them on
 * the command line.
 *
 * SKIPS RFC 8484 §5.2: HTTPS is by HTTP/1.1, which servers of DNS over HTTPS need not speak.
 */
#include "cli/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "os/hmac.h"
#include "proto/dns/mdns.h"

enum { PORT = 53, PORT_TLS = 853, PORT_HTTPS = 443, FILE_MAX = 64 * 1024, EDNS_SIZE_MIN = 512 };

/* ---- asking ---- */

enum lookup_status lookup_status_of(const struct lookup_reply *reply)
{
    unsigned rcode = dns_summary_rcode(&reply->summary);
    if (reply->wrong || (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN))
        return LOOKUP_REFUSED;
    bool found = rcode == DNS_NOERROR && reply->summary.header.counts[DNS_ANSWER] > 0;
    return found ? LOOKUP_FOUND : LOOKUP_NOTHING;
}

void lookup_complain(const struct lookup *l, const struct endpoint *server, int error)
{
    char address[ADDRESS_TEXT_MAX];
    address_format(&server->address, address);
    const char *why = l->reason[0] != '\0' ? l->reason
                      : error == -ETIMEDOUT ? "timed out"
                      : error == -EPIPE   ? "the connection ended before the reply did"
                                          : strerror(-error);
    if (l->json || l->short_form)
        cli_fail(l->command, 0, "%s#%u: %s", address, (unsigned)server->port, why);
    else
        printf(";; communications error to %s#%u: %s\n", address, (unsigned)server->port, why);
}

static void print_reply(struct lookup *l, const struct lookup_reply *reply)
{
    lookup_print_wrong(l, reply);
    if (l->json)
        lookup_print_json(l, reply);
    else if (l->short_form)
        lookup_print_short(l, reply);
    else
        lookup_print_message(l, reply);
}

/* Whom to ask, in order. */
static size_t choose_servers(struct lookup *l, struct endpoint out[LOOKUP_QUESTIONS_MAX],
                             const char *names[LOOKUP_QUESTIONS_MAX])
{
    bool named = l->server_count > 0; /* they are for every question, wherever they stand */
    const struct endpoint *list = named ? l->servers : l->conf.servers;
    size_t all = named ? l->server_count : l->conf.server_count;
    size_t first = !named && l->conf.rotate && all > 0
                       ? prng_below(loop_prng(l->loop), (uint32_t)all)
                       : 0;
    size_t count = 0;
    for (size_t i = 0; i < all; i++) {
        struct endpoint e = list[(first + i) % all];
        bool v4 = address_is_v4(&e.address);
        e.port = (uint16_t)l->port;
        if ((v4 && l->v6) || (!v4 && l->v4))
            continue;
        names[count] = named ? l->server_names[i] : NULL;
        out[count++] = e;
    }
    return count;
}

static enum lookup_status ask_servers(struct lookup *l, const struct lookup_question *q,
                                      const struct dns_name *name, struct lookup_reply *reply)
{
    struct endpoint servers[LOOKUP_QUESTIONS_MAX];
    const char *names[LOOKUP_QUESTIONS_MAX];
    size_t count = choose_servers(l, servers, names);
    enum lookup_status status_of;
    if (count == 0)
        cli_fail(l->command, 0, "there is no server to ask");
    for (unsigned try = 0; try < l->tries; try++) {
        for (size_t i = 0; i < count; i++) {
            struct lookup_ask ask = {.question = {*name, q->type, q->class},
                                     .serial = q->serial,
                                     .server = servers[i],
                                     .server_name = names[i],
                                     .stream = l->stream,
                                     .recursion = l->recursion};
            if (q->type == DNS_AXFR || q->type == DNS_IXFR)
                return lookup_transfer(l, &ask);
            int status = lookup_exchange(l, &ask, reply);
            if (status != 0) {
                lookup_complain(l, &ask.server, status);
                continue;
            }
            status_of = lookup_status_of(reply);
            /* Where one cannot, another may (glibc does the same). */
            if (status_of != LOOKUP_REFUSED || i + 1 == count)
                return status_of;
        }
    }
    return LOOKUP_SILENCE;
}

static bool is_transfer(const struct lookup_question *q)
{
    return q->type == DNS_AXFR || q->type == DNS_IXFR;
}

/* One name or, with +search, one after the other until there is something. */
static enum lookup_status look_up(struct lookup *l, const struct lookup_question *q)
{
    struct dns_name name;
    struct lookup_reply reply = {.transport = "UDP"};
    if (q->reverse) {
        dns_name_reverse(&q->address, &name);
    } else if (!l->search && !dns_name_parse(bytes_of_text(q->name), NULL, &name)) {
        cli_fail(l->command, 0, "not a domain name: \"%.300s\"", q->name);
        return (enum lookup_status)EXIT_USAGE;
    }
    if (l->trace)
        return lookup_trace(l, q, &name);
    bool of_the_link = (q->reverse || !l->search) && mdns_is_local(&name);
    if (of_the_link && l->mdns && l->server_count == 0 && !l->secure.tls && q->class == DNS_IN) {
        const struct dns_question question = {name, q->type, q->class};
        enum lookup_status status = lookup_mdns(l, &question, &reply);
        if (status != LOOKUP_SILENCE)
            print_reply(l, &reply);
        return status;
    }
    if (q->reverse || !l->search) {
        enum lookup_status status = ask_servers(l, q, &name, &reply);
        if (status != LOOKUP_SILENCE && !is_transfer(q))
            print_reply(l, &reply);
        return status;
    }
    enum lookup_status status = (enum lookup_status)EXIT_USAGE;
    struct dns_name next;
    bool more = resolv_conf_candidate(&l->conf, bytes_of_text(q->name), 0, &next);
    if (!more)
        cli_fail(l->command, 0, "not a domain name: \"%.300s\"", q->name);
    for (unsigned turn = 1; more; turn++) {
        name = next;
        status = ask_servers(l, q, &name, &reply);
        more = status == LOOKUP_NOTHING &&
               resolv_conf_candidate(&l->conf, bytes_of_text(q->name), turn, &next);
        if (!more && status != LOOKUP_SILENCE && !is_transfer(q))
            print_reply(l, &reply);
    }
    return status;
}

/* ---- the command ---- */

bool lookup_read_resolv_conf(struct lookup *l)
{
    char *content;
    size_t len;
    unsigned ndots = l->conf.ndots;
    const char *path = l->resolv_conf != NULL ? l->resolv_conf : "/etc/resolv.conf";
    resolv_conf_init(&l->conf);
    int status = file_read(path, FILE_MAX, &content, &len);
    if (status < 0 && l->resolv_conf != NULL) {
        cli_fail(l->command, 0, "cannot read %s: %s", path, strerror(-status));
        return false;
    }
    if (status >= 0) {
        resolv_conf_parse(bytes_of(content, len), &l->conf);
        free(content);
    }
    if (ndots != UINT32_MAX)
        l->conf.ndots = ndots;
    if (l->timeout == 0)
        l->timeout = l->conf.timeout;
    if (l->tries == 0)
        l->tries = l->conf.attempts;
    l->stream = l->stream || l->conf.stream;
    return true;
}

/* Names of the link are in UTF-8 as they are (RFC 6762 §16). False: it is none; a complaint was printed. */
static bool write_as_ascii(struct lookup *l, struct lookup_question *q)
{
    struct text ascii = text_of(q->ascii, sizeof q->ascii);
    struct dns_name name;
    if (!l->idn || q->reverse || !idna_wanted(bytes_of_text(q->name)) ||
        (dns_name_parse(bytes_of_text(q->name), NULL, &name) && mdns_is_local(&name)))
        return true;
    if (!idna_to_ascii(bytes_of_text(q->name), &ascii)) {
        cli_fail(l->command, 0, "\"%.300s\" is no name by RFC 5891, or libidn2 is missing (+noidn asks for "
                 "its octets)", q->name);
        return false;
    }
    q->name = q->ascii;
    return true;
}

static bool complete_questions(struct lookup *l)
{
    if (l->question_count == 0)
        lookup_add_question(l, NULL); /* as dig: the servers of the root */
    for (size_t i = 0; i < l->question_count; i++) {
        struct lookup_question *q = &l->questions[i];
        bool root = q->name == NULL;
        q->name = root ? "." : q->name;
        if (q->type == 0)
            q->type = q->reverse ? DNS_PTR : root ? DNS_NS : DNS_A;
        if (q->class == 0)
            q->class = DNS_IN;
        if (!write_as_ascii(l, q))
            return false;
    }
    return true;
}

static void print_command(const struct lookup *l)
{
    if (l->json || l->short_form || !l->show.command)
        return;
    printf("\n; <<>> wholenet %s <<>>", WHOLENET_VERSION);
    for (int i = 1; i < l->argc; i++)
        printf(" %s", l->argv[i]);
    printf("\n");
}

bool lookup_open(struct lookup *l)
{
    l->loop = loop_new();
    l->net = l->loop != NULL ? net_kernel_new(l->loop) : NULL;
    l->hmac = hmac_new();
    if (l->net == NULL || l->hmac == NULL) {
        cli_fail(l->command, 0, "cannot make an event loop: %s", strerror(errno));
        return false;
    }
    if (l->cookie_len == 0) {
        prng_fill(loop_prng(l->loop), l->cookie_octets, DNS_COOKIE_CLIENT_LEN);
        l->cookie_len = DNS_COOKIE_CLIENT_LEN;
    }
    return true;
}

void lookup_close(struct lookup *l)
{
    hmac_free(l->hmac);
    lookup_secure_close(l);
    if (l->net != NULL)
        net_free(l->net);
    if (l->loop != NULL)
        loop_free(l->loop);
}

static int look_all_up(struct lookup *l)
{
    int worst = LOOKUP_SILENCE;
    if (lookup_open(l)) {
        if (l->secure.tls && !lookup_secure_open(l)) {
            worst = EXIT_USAGE;
        } else {
            print_command(l);
            worst = LOOKUP_FOUND;
            for (size_t i = 0; i < l->question_count; i++) {
                int status = (int)look_up(l, &l->questions[i]);
                worst = status > worst ? status : worst;
                fflush(stdout);
            }
        }
    }
    lookup_close(l);
    return worst;
}

static int check_arguments(const struct lookup *l)
{
    if (l->v4 && l->v6)
        return cli_wrong_usage(l->command, "expected one of --ipv4 and --ipv6");
    if (l->port > UINT16_MAX)
        return cli_wrong_usage(l->command, "--port %u: expected at most 65535", l->port);
    if (l->dnssec && !l->edns)
        return cli_wrong_usage(l->command, "+dnssec needs +edns");
    if (l->bufsize > 0 && l->bufsize < EDNS_SIZE_MIN)
        return cli_wrong_usage(l->command, "+bufsize=%u: expected at least %d", l->bufsize,
                               EDNS_SIZE_MIN);
    if (l->trace && (l->secure.tls || l->secure.https || l->secure.verify))
        return cli_wrong_usage(l->command, "+trace asks servers that have no TLS");
    if (l->trace && l->json)
        return cli_wrong_usage(l->command, "+trace has no JSON");
    return EXIT_OK;
}

/* HTTPS is over TLS, and TLS is what one has certificates for. */
static void choose_transport(struct lookup *l)
{
    struct lookup_secure *secure = &l->secure;
    secure->https |= secure->get;
    secure->tls |= secure->https || secure->verify;
    if (secure->path == NULL)
        secure->path = "/dns-query";
    if (l->port == 0)
        l->port = secure->https ? PORT_HTTPS : secure->tls ? PORT_TLS : PORT;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct lookup *l = calloc(1, sizeof *l);
    if (l == NULL)
        return cli_fail(command, LOOKUP_SILENCE, "no memory");
    *l = (struct lookup){.command = command, .argc = argc, .argv = argv};
    l->recursion = true;
    l->mdns = true;
    l->edns = true;
    l->idn = true;
    l->secure.padding = true;
    l->bufsize = DNS_UDP_SIZE_DEFAULT;
    l->conf.ndots = UINT32_MAX;
    l->show = (struct lookup_show){true, true, true, true, true, true, true};
    enum cli_outcome outcome = lookup_read_arguments(l);
    int status = outcome == CLI_GO_ON ? check_arguments(l)
                 : outcome == CLI_DONE ? EXIT_OK
                                       : cli_usage_status(command);
    if (outcome == CLI_GO_ON && status == EXIT_OK) {
        choose_transport(l);
        status = !complete_questions(l)           ? EXIT_USAGE
                 : lookup_read_resolv_conf(l) ? look_all_up(l)
                                              : LOOKUP_SILENCE;
    }
    free(l);
    return status;
}

const struct cli_command command_lookup = {
    .name = "lookup",
    .usage = "[@SERVER] [options] [NAME] [TYPE] [+WORD…]…",
    .summary = "ask name servers, as dig does",
    .about =
        "Asks SERVER, or those of /etc/resolv.conf, for the records of NAME, of type A unless\n"
        "another is named, and shows the reply as dig(1) does. What ends with .local is asked of the\n"
        "hosts on the link, unless a server is named (RFC 6762). Arguments come in any order, several\n"
        "names are asked for one after the other, and options hold for all of them.\n\n"
        "words (+noWORD is the contrary):\n"
        "  +tcp +ignore +bufsize=N +noedns +timeout=SECONDS +tries=N +retry=N\n"
        "  +norecurse +dnssec +cd +ad +nsid +cookie[=HEX] +search +ndots=N\n"
        "  +mdns[=INTERFACE] (names of the link, such as printer.local)\n"
        "  +tls +tls-ca[=FILE] +tls-hostname=NAME +tls-pin=PIN +https[=/PATH] +https-get +padding\n"
        "  +short +json +trace +[no]all +[no]cmd +[no]comments +[no]question +[no]answer\n"
        "  +[no]authority +[no]additional +[no]stats\n\n"
        "Ends with 0 when every question had records for an answer, 1 when there is no such name or\n"
        "nothing of that type, 2 when the command line is wrong, 3 when a server refused or failed,\n"
        "4 when none could be reached or none answered; the highest of several.",
    .options = lookup_options,
    .option_count = LOOKUP_OPTION_COUNT,
    .run = run,
};
