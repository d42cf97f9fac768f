/* SPDX-License-Identifier: ISC */
/* host_name.c - names by the host's resolver. */
#include "cli/host_name.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "os/idna.h"
#include "os/socket.h"

size_t host_name_find_all(const char *name, enum host_name_version version,
                          struct ip_address *out, size_t max, struct text *error)
{
    const struct addrinfo hints = {
        .ai_family = version == HOST_NAME_V4   ? AF_INET
                     : version == HOST_NAME_V6 ? AF_INET6
                                               : AF_UNSPEC,
        .ai_socktype = SOCK_DGRAM,
    };
    struct addrinfo *found;
    size_t count = 0;
    char ascii[IDNA_NAME_MAX + 1];
    struct text t = text_of(ascii, sizeof ascii);
    bool foreign = idna_wanted(bytes_of_text(name));
    if (foreign && !idna_to_ascii(bytes_of_text(name), &t)) {
        text_add_format(error, "%s: no name that could be asked for (RFC 5891), or no libidn2", name);
        return 0;
    }
    int result = getaddrinfo(foreign ? ascii : name, NULL, &hints, &found);
    if (result != 0) {
        text_add_format(error, "%s: %s", name,
                        result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
        return 0;
    }
    for (const struct addrinfo *a = found; a != NULL && count < max; a = a->ai_next) {
        struct sockaddr_storage address = {0};
        struct endpoint endpoint;
        memcpy(&address, a->ai_addr, a->ai_addrlen);
        if (host_endpoint_of(&address, &endpoint))
            out[count++] = endpoint.address;
    }
    freeaddrinfo(found);
    if (count == 0)
        text_add_format(error, "%s: no IP address", name);
    return count;
}

bool host_name_find(const char *name, enum host_name_version version, struct ip_address *out,
                    struct text *error)
{
    return host_name_find_all(name, version, out, 1, error) == 1;
}
