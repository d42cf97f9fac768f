/* SPDX-License-Identifier: ISC */
/*
 * update.h - what the parts of `wholenet update` share: command_update.c the command line and the one change
 * that it may hold, update_script.c the language of nsupdate(1), update_send.c the message, whom it goes to,
 * and what comes back. Queries and replies are those of `wholenet lookup`.
 */
#ifndef WN_CLI_UPDATE_H
#define WN_CLI_UPDATE_H

#include "cli/lookup.h"

enum {
    UPDATE_LINE_MAX = 66 * 1024,  /* of a script */
    UPDATE_SECTION_MAX = 65000,   /* octets of prerequisites, and of changes */
    UPDATE_DATAGRAM_MAX = 512,    /* what is longer goes over TCP (RFC 2136 §6.2, RFC 1035 §4.2.1) */
};

/* What scripts can tell apart; the highest of several messages is the status. */
enum update_status {
    UPDATE_DONE = EXIT_OK,
    UPDATE_UNMET = EXIT_FAILED, /* a prerequisite does not hold */
    UPDATE_WRONG = EXIT_USAGE,  /* the command line or the script is */
    UPDATE_REFUSED = LOOKUP_REFUSED,
    UPDATE_SILENCE = LOOKUP_SILENCE,
};

/* Records in wire form, names uncompressed. */
struct update_section {
    uint8_t octets[UPDATE_SECTION_MAX];
    size_t len;
    unsigned count;
};

struct update {
    struct lookup *lookup;
    const struct cli_command *command;

    /* ---- how it is asked for ---- */
    bool verbose, show_only;
    const char *server;          /* as it was typed; NULL: the zone's primary */
    struct dns_name zone;        /* .len 0: the one that the first name is in */
    struct dns_name origin;      /* of relative names */
    uint32_t ttl;
    bool ttl_given;

    /* ---- the message under construction ---- */
    struct update_section prerequisites, changes;
    struct dns_name first;       /* the first name of either; .len 0: none so far */
    struct lookup_reply reply;   /* to the last one */
    bool replied;

    /* ---- the script ---- */
    unsigned line;               /* 0: the command line */
    uint8_t rdata[DNS_RDATA_MAX];
    char text[UPDATE_LINE_MAX];
    uint8_t message[DNS_MESSAGE_MAX];
};

/* ---- update_script.c ---- */

/* "add", "delete", "nxdomain" … with what follows it. False: a complaint was printed. */
MUST_USE bool update_take(struct update *u, struct bytes line);

/* Runs a script to its end, or to its first error. */
enum update_status update_run_script(struct update *u, int fd);

/* Prints what is wrong, with the line. Returns false. */
bool update_complain(const struct update *u, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- update_send.c ---- */

/* Sends what has been gathered, if there is anything, and begins a new message. */
enum update_status update_send(struct update *u);

/* What would be sent, as text. */
void update_show(struct update *u);

#endif
