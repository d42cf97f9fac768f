/* SPDX-License-Identifier: ISC */
/* host_name.c - names by the host's resolver. */
#include "cli/host_name.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "os/socket.h"

bool host_name_find(const char *name, enum host_name_version version, struct ip_address *out,
                    struct text *error)
{
    const struct addrinfo hints = {
        .ai_family = version == HOST_NAME_V4   ? AF_INET
                     : version == HOST_NAME_V6 ? AF_INET6
                                               : AF_UNSPEC,
        .ai_socktype = SOCK_DGRAM,
    };
    struct addrinfo *found;
    int result = getaddrinfo(name, NULL, &hints, &found);
    if (result != 0) {
        text_add_format(error, "%s: %s", name,
                        result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
        return false;
    }
    struct sockaddr_storage address = {0};
    memcpy(&address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    struct endpoint endpoint;
    if (!host_endpoint_of(&address, &endpoint)) {
        text_add_format(error, "%s: no IP address", name);
        return false;
    }
    *out = endpoint.address;
    return true;
}
