/* SPDX-License-Identifier: ISC */
/* api_names.c - wholenet/names.h: what is asked for, in what form, and when it is there. */
#include "api/api_names.h"
#include "base/text.h"
#include "os/idna.h"
#include "proto/dns/hosts_file.h"

/* ---- resolvers ---- */

static bool copy(const struct heap *heap, const char *text, char **out)
{
    *out = NULL;
    if (text == NULL)
        return true;
    size_t size = strlen(text) + 1;
    *out = heap_zeroed(heap, size);
    if (*out != NULL)
        memcpy(*out, text, size);
    return *out != NULL;
}

static void release(const struct heap *heap, char *text)
{
    heap_release(heap, text, text != NULL ? strlen(text) + 1 : 0);
}

struct wn_resolver *wn_resolver_new(struct wn_sockets *sockets,
                                    const struct wn_resolver_options *options)
{
    struct wn_resolver_options o = {.size = sizeof o};
    struct wn_stack *stack = api_sockets_stack(sockets);
    uint8_t seed[PRNG_SEED_LEN];
    if (options != NULL) {
        if (options->size == 0 || options->size > sizeof o)
            return NULL;
        memcpy(&o, options, options->size);
    }
    struct wn_resolver *resolver = heap_zeroed(&stack->heap, sizeof *resolver);
    if (resolver == NULL)
        return NULL;
    resolver->sockets = sockets;
    resolver->stack = stack;
    resolver->heap = stack->heap;
    list_init(&resolver->lookups);
    stack->host.random(stack->host.self, seed, sizeof seed);
    prng_init(&resolver->prng, seed);
    resolv_conf_init(&resolver->conf);
    if (o.resolv_conf != NULL)
        resolv_conf_parse(bytes_of_text(o.resolv_conf), &resolver->conf);
    if (copy(&resolver->heap, o.hosts, &resolver->hosts) &&
        copy(&resolver->heap, o.services, &resolver->services))
        return resolver;
    wn_resolver_free(resolver);
    return NULL;
}

void wn_resolver_free(struct wn_resolver *resolver)
{
    if (resolver == NULL)
        return;
    struct list_node *node;
    while ((node = list_first(&resolver->lookups)) != NULL)
        wn_lookup_cancel(CONTAINER_OF(node, struct wn_lookup, node));
    struct heap heap = resolver->heap;
    release(&heap, resolver->hosts);
    release(&heap, resolver->services);
    heap_release(&heap, resolver, sizeof *resolver);
}

wn_time wn_resolver_run(struct wn_resolver *resolver)
{
    usec due_at = USEC_NEVER;
    for (struct list_node *node = resolver->lookups.next; node != &resolver->lookups;
         node = node->next) {
        struct wn_lookup *lookup = CONTAINER_OF(node, struct wn_lookup, node);
        lookup_step(lookup);
        if (!stub_finished(&lookup->stub))
            due_at = usec_min(due_at, stub_deadline(&lookup->stub));
    }
    return due_at;
}

/* ---- what is asked for ---- */

static int take_hints(const struct wn_addrinfo *hints, const char *node, struct lookup_wish *out)
{
    static const int known = WN_AI_PASSIVE | WN_AI_CANONNAME | WN_AI_NUMERICHOST | WN_AI_V4MAPPED |
                             WN_AI_ALL | WN_AI_ADDRCONFIG | WN_AI_IDN | WN_AI_NUMERICSERV;
    out->flags = WN_AI_V4MAPPED | WN_AI_ADDRCONFIG;
    if (hints != NULL) {
        out->flags = hints->ai_flags;
        out->family = hints->ai_family;
        out->kind = hints->ai_socktype;
        out->protocol = hints->ai_protocol;
    }
    if ((out->flags & ~known) != 0 || ((out->flags & WN_AI_CANONNAME) != 0 && node == NULL))
        return WN_EAI_BADFLAGS;
    if (out->family != WN_AF_UNSPEC && out->family != WN_AF_INET && out->family != WN_AF_INET6)
        return WN_EAI_FAMILY;
    if (out->kind != 0 && out->kind != WN_SOCK_STREAM && out->kind != WN_SOCK_DGRAM)
        return WN_EAI_SOCKTYPE;
    if ((out->kind == WN_SOCK_STREAM && out->protocol != 0 && out->protocol != WN_IPPROTO_TCP) ||
        (out->kind == WN_SOCK_DGRAM && out->protocol != 0 && out->protocol != WN_IPPROTO_UDP))
        return WN_EAI_SOCKTYPE;
    bool mapped = out->family == WN_AF_INET6 && (out->flags & WN_AI_V4MAPPED) != 0;
    out->v4 = out->family != WN_AF_INET6 || mapped;
    /* The stack has no IPv6 below its sockets, and so no address of it (RFC 3493 §6.1). */
    out->v6 = out->family == WN_AF_INET6 ||
              (out->family == WN_AF_UNSPEC && (out->flags & WN_AI_ADDRCONFIG) == 0);
    return 0;
}

static int take_service(const struct wn_resolver *resolver, const char *service,
                        struct lookup_wish *out)
{
    uint64_t number = 0;
    struct bytes text = service != NULL ? bytes_of_text(service) : bytes_of_text("0");
    if (text_parse_number(text, UINT16_MAX, &number)) {
        for (int i = 0; i < 2; i++) {
            out->has_port[i] = true;
            out->ports[i] = (uint16_t)number;
        }
        return 0;
    }
    if ((out->flags & WN_AI_NUMERICSERV) != 0)
        return WN_EAI_NONAME;
    bool found = false;
    for (int i = 0; i < 2; i++) {
        out->has_port[i] = service_port(resolver, text, i == 1, &out->ports[i]);
        bool wanted = out->kind == 0 || (out->kind == WN_SOCK_DGRAM) == (i == 1);
        found |= wanted && out->has_port[i];
    }
    return found ? 0 : WN_EAI_SERVICE;
}

/* The lookup's answer is there before anybody is asked. */
static void settle(struct wn_lookup *lookup, const struct ip_address *addresses, size_t count)
{
    lookup->stub.result = STUB_FOUND;
    lookup->stub.address_count = count;
    memcpy(lookup->stub.addresses, addresses, count * sizeof *addresses);
}

/* Without a node: this host, or any of its addresses. */
static void take_own(struct wn_lookup *lookup)
{
    const struct lookup_wish *wish = &lookup->wish;
    bool passive = (wish->flags & WN_AI_PASSIVE) != 0;
    struct ip_address own[2];
    size_t count = 0;
    if (wish->family != WN_AF_INET)
        own[count++] = passive ? address_any_v6() : (struct ip_address){{[15] = 1}};
    if (wish->family != WN_AF_INET6)
        own[count++] = passive ? address_any_v4() : address_v4(0x7f000001);
    settle(lookup, own, count);
}

/* 1: it is no address. */
static int take_number(struct wn_lookup *lookup, const char *node)
{
    const struct lookup_wish *wish = &lookup->wish;
    struct ip_address address;
    if (!address_parse(bytes_of_text(node), &address))
        return (wish->flags & WN_AI_NUMERICHOST) != 0 ? WN_EAI_NONAME : 1;
    bool v4 = address_is_v4(&address);
    if ((v4 && !wish->v4) || (!v4 && wish->family == WN_AF_INET))
        return WN_EAI_FAMILY;
    settle(lookup, &address, 1);
    return 0;
}

static bool take_hosts(struct wn_lookup *lookup, const char *node)
{
    struct lookup_wish *wish = &lookup->wish;
    struct ip_address found[STUB_ADDRESSES_MAX];
    struct bytes rest =
        lookup->resolver->hosts != NULL ? bytes_of_text(lookup->resolver->hosts) : bytes_empty();
    struct hosts_line line;
    size_t count = 0;
    while (count < STUB_ADDRESSES_MAX && hosts_next(&rest, &line)) {
        bool v4 = address_is_v4(&line.address);
        if (!hosts_has(&line, bytes_of_text(node)) || (v4 ? !wish->v4 : !wish->v6))
            continue;
        if (count == 0 && line.name.len < NODE_MAX) {
            memcpy(wish->canonical, line.name.data, line.name.len);
            wish->canonical[line.name.len] = '\0';
        }
        found[count++] = line.address;
    }
    if (count > 0)
        settle(lookup, found, count);
    return count > 0;
}

static int begin(struct wn_lookup *lookup, const char *node)
{
    struct wn_resolver *resolver = lookup->resolver;
    const struct lookup_wish *wish = &lookup->wish;
    if (node == NULL) {
        take_own(lookup);
        return 0;
    }
    int status = take_number(lookup, node);
    if (status <= 0)
        return status;
    if (take_hosts(lookup, node))
        return 0;
    (void)api_look_at_clock(resolver->stack);
    stub_start(&lookup->stub, &resolver->conf, bytes_of_text(node), wish->v4,
               wish->v6 && !resolver->conf.no_aaaa, resolver->turn++,
               stack_now(resolver->stack->stack));
    return 0;
}

/* ---- lookups ---- */

static int new_lookup(struct wn_resolver *resolver, struct wn_lookup **out)
{
    if (resolver->lookup_count == LOOKUPS_MAX)
        return WN_EAI_AGAIN;
    struct wn_lookup *lookup = heap_zeroed(&resolver->heap, sizeof *lookup);
    if (lookup == NULL)
        return WN_EAI_MEMORY;
    lookup->resolver = resolver;
    for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++)
        lookup->sockets[i].fd = -1;
    list_append(&resolver->lookups, &lookup->node);
    resolver->lookup_count++;
    *out = lookup;
    return 0;
}

int wn_lookup_start(struct wn_resolver *resolver, const char *node, const char *service,
                    const struct wn_addrinfo *hints, struct wn_lookup **out)
{
    struct lookup_wish wish = {.flags = 0};
    struct wn_lookup *lookup;
    if (node == NULL && service == NULL)
        return WN_EAI_NONAME;
    if (node != NULL && (strlen(node) >= NODE_MAX || node[0] == '\0'))
        return WN_EAI_NONAME;
    char ascii[NODE_MAX];
    int status = take_hints(hints, node, &wish);
    if (status == 0 && node != NULL && (wish.flags & WN_AI_IDN) != 0 &&
        idna_wanted(bytes_of_text(node))) {
        struct text t = text_of(ascii, sizeof ascii);
        status = idna_to_ascii(bytes_of_text(node), &t) ? 0 : WN_EAI_IDN_ENCODE;
        node = ascii;
    }
    if (status == 0)
        status = take_service(resolver, service, &wish);
    if (status == 0)
        status = new_lookup(resolver, &lookup);
    if (status != 0)
        return status;
    if (node != NULL)
        memcpy(wish.canonical, node, strlen(node) + 1);
    lookup->wish = wish;
    status = begin(lookup, node);
    if (status != 0) {
        wn_lookup_cancel(lookup);
        return status;
    }
    *out = lookup;
    return 0;
}

int wn_lookup_start_reverse(struct wn_resolver *resolver, const struct wn_address *address,
                            struct wn_lookup **out)
{
    struct wn_lookup *lookup;
    struct ip_address a;
    memcpy(a.octets, address->octets, sizeof a.octets);
    int status = new_lookup(resolver, &lookup);
    if (status != 0)
        return status;
    struct bytes rest = resolver->hosts != NULL ? bytes_of_text(resolver->hosts) : bytes_empty();
    struct hosts_line line;
    bool found = false;
    while (!found && hosts_next(&rest, &line))
        found = address_equal(&line.address, &a) &&
                dns_name_parse(line.name, NULL, &lookup->stub.name);
    (void)api_look_at_clock(resolver->stack);
    if (found)
        lookup->stub.result = STUB_FOUND;
    else
        stub_start_reverse(&lookup->stub, &resolver->conf, &a, resolver->turn++,
                           stack_now(resolver->stack->stack));
    *out = lookup;
    return 0;
}

void wn_lookup_cancel(struct wn_lookup *lookup)
{
    if (lookup == NULL)
        return;
    struct wn_resolver *resolver = lookup->resolver;
    lookup_close_sockets(lookup);
    list_remove(&lookup->node);
    resolver->lookup_count--;
    heap_release(&resolver->heap, lookup, sizeof *lookup);
}

static int error_of(const struct stub *stub)
{
    static const int errors[] = {[STUB_UNDER_WAY] = WN_EAI_INPROGRESS,
                                 [STUB_FOUND] = 0,
                                 [STUB_NO_NAME] = WN_EAI_NONAME,
                                 [STUB_NO_DATA] = WN_EAI_NODATA,
                                 [STUB_AGAIN] = WN_EAI_AGAIN};
    return errors[stub->result];
}

/* Without its final dot. */
static void format_name(const struct dns_name *name, char out[DNS_NAME_TEXT_MAX])
{
    dns_name_format(name, out);
    size_t len = strlen(out);
    if (len > 1)
        out[len - 1] = '\0';
}

int wn_lookup_result(struct wn_lookup *lookup, struct wn_addrinfo **out)
{
    const struct stub *stub = &lookup->stub;
    int status = error_of(stub);
    if (status == WN_EAI_INPROGRESS)
        return status;
    if (stub->typed_len > 0) {
        char name[DNS_NAME_TEXT_MAX];
        format_name(&stub->name, name);
        size_t len = strlen(name);
        if (len < NODE_MAX)
            memcpy(lookup->wish.canonical, name, len + 1);
    }
    if (status == 0)
        status = lookup_make_list(lookup->resolver, &lookup->wish, stub->addresses,
                                  stub->address_count, out);
    wn_lookup_cancel(lookup);
    return status;
}

int wn_lookup_name(struct wn_lookup *lookup, char *name, size_t size)
{
    char text[DNS_NAME_TEXT_MAX];
    int status = error_of(&lookup->stub);
    if (status == WN_EAI_INPROGRESS)
        return status;
    if (status == 0) {
        format_name(&lookup->stub.name, text);
        if (strlen(text) < size)
            memcpy(name, text, strlen(text) + 1);
        else
            status = WN_EAI_OVERFLOW;
    }
    wn_lookup_cancel(lookup);
    return status;
}

/* ---- waiting ---- */

/* 0: the lookup is over; else it is given up. */
static int wait_for(struct wn_lookup *lookup)
{
    struct wn_resolver *resolver = lookup->resolver;
    while (!stub_finished(&lookup->stub)) {
        usec until = wn_resolver_run(resolver);
        if (stub_finished(&lookup->stub))
            break;
        int status = api_sockets_pump(resolver->sockets, until);
        if (status < 0) {
            wn_lookup_cancel(lookup);
            return status == -EINTR ? WN_EAI_INTR : WN_EAI_AGAIN;
        }
    }
    return 0;
}

int wn_getaddrinfo(struct wn_resolver *resolver, const char *node, const char *service,
                   const struct wn_addrinfo *hints, struct wn_addrinfo **out)
{
    struct wn_lookup *lookup;
    int status = wn_lookup_start(resolver, node, service, hints, &lookup);
    if (status == 0)
        status = wait_for(lookup);
    return status != 0 ? status : wn_lookup_result(lookup, out);
}

static bool read_address(const void *address, wn_socklen_t len, struct ip_address *out,
                         uint16_t *port)
{
    struct wn_sockaddr_in in;
    struct wn_sockaddr_in6 in6;
    uint8_t octets[2];
    uint16_t family;
    if (len < sizeof family)
        return false;
    memcpy(&family, address, sizeof family);
    if (family == WN_AF_INET && len >= sizeof in) {
        memcpy(&in, address, sizeof in);
        memcpy(octets, &in.sin_port, 2);
        uint8_t a[4];
        memcpy(a, &in.sin_addr, 4);
        *out = address_v4((uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3]);
    } else if (family == WN_AF_INET6 && len >= sizeof in6) {
        memcpy(&in6, address, sizeof in6);
        memcpy(octets, &in6.sin6_port, 2);
        memcpy(out->octets, &in6.sin6_addr, 16);
    } else {
        return false;
    }
    *port = (uint16_t)(octets[0] << 8 | octets[1]);
    return true;
}

/* NI_NOFQDN: a name in our own domain without it. */
static void cut_domain(const struct wn_resolver *resolver, char *host)
{
    char domain[DNS_NAME_TEXT_MAX];
    if (resolver->conf.search_count == 0)
        return;
    format_name(&resolver->conf.search[0], domain);
    size_t host_len = strlen(host), len = strlen(domain);
    if (host_len > len + 1 && host[host_len - len - 1] == '.' &&
        bytes_equal_nocase(bytes_of_text(host + host_len - len), bytes_of_text(domain)))
        host[host_len - len - 1] = '\0';
}

static int write_host(struct wn_resolver *resolver, const struct ip_address *a, char *host,
                      size_t size, int flags)
{
    int status = WN_EAI_NONAME;
    if ((flags & WN_NI_NUMERICHOST) == 0) {
        struct wn_address address;
        struct wn_lookup *lookup;
        memcpy(address.octets, a->octets, sizeof address.octets);
        status = wn_lookup_start_reverse(resolver, &address, &lookup);
        if (status == 0)
            status = wait_for(lookup);
        if (status == 0)
            status = wn_lookup_name(lookup, host, size);
        if (status == 0 && (flags & WN_NI_NOFQDN) != 0)
            cut_domain(resolver, host);
        if (status == 0 || status == WN_EAI_OVERFLOW || status == WN_EAI_MEMORY ||
            status == WN_EAI_INTR)
            return status;
    }
    if ((flags & WN_NI_NAMEREQD) != 0)
        return status;
    char text[ADDRESS_TEXT_MAX];
    address_format(a, text);
    if (strlen(text) >= size)
        return WN_EAI_OVERFLOW;
    memcpy(host, text, strlen(text) + 1);
    return 0;
}

static int write_service(const struct wn_resolver *resolver, uint16_t port, char *service,
                         size_t size, int flags)
{
    struct text text = text_of(service, size);
    struct bytes name = bytes_empty();
    if ((flags & WN_NI_NUMERICSERV) == 0)
        name = service_name(resolver, port, (flags & WN_NI_DGRAM) != 0);
    if (name.len > 0)
        text_add_bytes(&text, name);
    else
        text_add_format(&text, "%u", (unsigned)port);
    return text.failed ? WN_EAI_OVERFLOW : 0;
}

int wn_getnameinfo(struct wn_resolver *resolver, const void *address, wn_socklen_t len, char *host,
                   size_t host_size, char *service, size_t service_size, int flags)
{
    static const int known = WN_NI_NUMERICHOST | WN_NI_NUMERICSERV | WN_NI_NOFQDN |
                             WN_NI_NAMEREQD | WN_NI_DGRAM;
    struct ip_address a;
    uint16_t port;
    bool wants_host = host != NULL && host_size > 0;
    bool wants_service = service != NULL && service_size > 0;
    if ((flags & ~known) != 0)
        return WN_EAI_BADFLAGS;
    if (!read_address(address, len, &a, &port))
        return WN_EAI_FAMILY;
    if (!wants_host && !wants_service)
        return WN_EAI_NONAME;
    int status = wants_host ? write_host(resolver, &a, host, host_size, flags) : 0;
    if (status == 0 && wants_service)
        status = write_service(resolver, port, service, service_size, flags);
    return status;
}

const char *wn_gai_strerror(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {0, "no error"},
        {WN_EAI_BADFLAGS, "flags that cannot be"},
        {WN_EAI_NONAME, "there is no such name"},
        {WN_EAI_AGAIN, "no name server could say"},
        {WN_EAI_FAIL, "the name servers do not understand"},
        {WN_EAI_NODATA, "the name has no such address"},
        {WN_EAI_FAMILY, "no such family of addresses"},
        {WN_EAI_SOCKTYPE, "no such kind of socket"},
        {WN_EAI_SERVICE, "there is no such service for that kind of socket"},
        {WN_EAI_MEMORY, "no memory"},
        {WN_EAI_SYSTEM, "the system failed"},
        {WN_EAI_OVERFLOW, "the buffer is too small"},
        {WN_EAI_INPROGRESS, "it is under way"},
        {WN_EAI_INTR, "interrupted"},
        {WN_EAI_IDN_ENCODE, "the name is none that DNS could have"},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].error == error)
            return texts[i].text;
    return "an unknown error";
}
