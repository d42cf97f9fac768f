/* SPDX-License-Identifier: ISC */
/*
 * inside.h - the private network of `wholenet run`, seen from the outside: starts a process in
 * new user, mount, network, process and host-name namespaces, which makes a TAP device there, is
 * given an address by DHCP, and runs the program.
 *
 * That process, the init (site/inside_init.c), tells what happens as events over a socket, the
 * first of them with the TAP's descriptor. Everything inside dies with the init, and the init
 * with us, however we end: nothing is left.
 */
#ifndef WN_SITE_INSIDE_H
#define WN_SITE_INSIDE_H

#include <signal.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/text.h"

enum {
    INSIDE_DNS_MAX = 4,
    INSIDE_COMPLAINT_MAX = 512,
    /* Exit statuses as in sh(1) and env(1). */
    INSIDE_EXIT_FAILED = 125,        /* we failed, not the program */
    INSIDE_EXIT_NOT_EXECUTABLE = 126,
    INSIDE_EXIT_NOT_FOUND = 127,
};

/* How the inside of the link is configured. */
struct inside_network {
    struct ip_prefix address;        /* with the length of the network's prefix */
    struct ip_address router;        /* any: none */
    struct ip_address dns[INSIDE_DNS_MAX];
    uint32_t dns_count;
    uint32_t mtu;                    /* 0: as the device has it */
    char domain[256];                /* "": none */
};

struct inside_options {
    char *const *argv;
    const char *hostname;            /* of the inside; NULL: stays as it is outside */
    const char *dhcp_hostname;       /* what the DHCP client calls itself */
    const char *capture;             /* told to the program as WHOLENET_CAPTURE; NULL: none */
    const char *trusted;             /* a file of the certificates that are trusted inside; NULL: as outside */
    const char *host_trusted;        /* the host's, which it covers; NULL: none */
    struct mac mac;                  /* of eth0 */
    uint32_t mtu;
    bool offload;                    /* super-segments and partial checksums may cross the TAP */
    const struct inside_network *fixed; /* NULL: ask by DHCP */
};

struct inside {
    pid_t pid;
    int socket; /* readable when an event waits */
};

enum inside_event_kind {
    INSIDE_DEVICE,    /* fd: the TAP; the caller's to close */
    INSIDE_NETWORK,   /* network: what DHCP gave; microseconds: how long it took */
    INSIDE_STARTED,   /* the program is being executed */
    INSIDE_STOPPED,   /* the program was stopped by a signal; */
    INSIDE_CONTINUED, /* and goes on */
    INSIDE_ENDED,     /* exit_status: as a shell has it. All other processes inside are gone; the
                         network stays until inside_stop() */
    INSIDE_FAILED,    /* complaint; exit_status. Nothing else follows */
    INSIDE_GONE,      /* the init has died unasked */
};

struct inside_event {
    enum inside_event_kind kind;
    int fd;
    int exit_status;
    usec duration;
    struct inside_network network;
    char complaint[INSIDE_COMPLAINT_MAX];
};

/* Closes what the program has from the caller, standard error only with `errors_too`, in a process
 * that lives beside the program: a reader of its output must see the end when the program closes
 * it. Ours are all closed on exec, and stay; what is not was the caller's. */
void inside_let_go(bool errors_too);

/* Forks: call it before threads, and before much memory is in use. 0, or a negative errno and
 * *error says what is wrong and what to do. Strings are used until inside_stop(). */
MUST_USE int inside_start(const struct inside_options *options, struct inside *out,
                          struct text *error);

/* The next event. 0, or -EAGAIN when none waits. */
MUST_USE int inside_receive(struct inside *inside, struct inside_event *out);

/* The bundle of inside_options.trusted is there, or it will not be: the inside waits for this before the program
 * starts. */
void inside_tell_ready(struct inside *inside, bool trusted);

/* Sends a signal to the program. */
void inside_signal(struct inside *inside, int number);

/* Ends what is left inside, and waits for that. As often as one likes. */
void inside_stop(struct inside *inside);

#endif
