/* SPDX-License-Identifier: ISC */
/*
 * command_run.c - wholenet run: a program in a private, complete network.
 *
 * We stay outside, where the host's sockets are, and turn the loop with the site on it; the program
 * lives inside (site/inside.h). The terminal is the program's: it stays in the caller's process
 * group, so what the terminal sends reaches it without us, and what other processes send to us is
 * passed on (signal(7)).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/commands.h"
#include "os/file.h"
#include "site/inside.h"
#include "site/site.h"
#include "site/site_tls.h"
#include "site/trust.h"

enum { SETTINGS_MAX = 128 };
#define LINGER_TIMEOUT (3 * USEC_PER_SEC)       /* for what the program sent before its end */
#define LINGER_INTERVAL (2 * USEC_PER_MSEC)
#define STOP_DELAY (50 * USEC_PER_MSEC)         /* the terminal may be stopping us as well */

/* A site option from the command line; applied when the site's file has been read. */
struct setting {
    const struct cli_option *option;
    const char *value;
};

struct run {
    const struct cli_command *command;
    const char *config_path;
    const char *capture_path;
    const char *hostname;
    unsigned verbose, quiet;
    struct setting settings[SETTINGS_MAX];
    size_t setting_count;

    struct log log;
    char capture_full_path[PATH_MAX];
    struct site_config *config;
    struct loop *loop;
    struct capture *capture;
    struct site *site;
    struct trust trust; /* .bundle "": the host's is enough */
    bool trusted;       /* the bundle is there */
    char passing[PATH_MAX]; /* its folder, where it is this network's alone; "" otherwise */
    int passing_lock;       /* says that it is in use; -1: there is none */
    struct inside inside;
    struct watch inside_watch;
    struct watch signal_watch;
    struct alarm linger;
    struct alarm stop;
    usec linger_until;
    int terminal;   /* -1: none, or we were not in its foreground */
    int exit_status;
    bool started; /* the program is there, and is sent what the terminal sends */
    bool ended;   /* the program */
    bool over;    /* the run: what happens now is its consequence */
};

static bool take_setting(void *self, const struct cli_option *option, const char *value,
                         struct text *error)
{
    struct run *run = self;
    if (run->setting_count == SETTINGS_MAX) {
        text_add_format(error, "expected at most %d such options", SETTINGS_MAX);
        return false;
    }
    run->settings[run->setting_count++] = (struct setting){option, value};
    return true;
}

static bool take_hostname(void *self, const struct cli_option *option UNUSED, const char *value,
                          struct text *error)
{
    struct run *run = self;
    if (!site_label_valid(bytes_of_text(value))) {
        text_add(error, "expected one label of letters, digits and hyphens");
        return false;
    }
    run->hostname = value;
    return true;
}

#define SITE_OPTION(name, letter, argument, help, section, key) \
    {name, letter, argument, help, take_setting, 0, section, key}

static const struct cli_option options[] = {
    {"config", 'c', "FILE", "take the site from FILE, not the built-in one", cli_take_text,
     offsetof(struct run, config_path), NULL, NULL},
    {"capture", 0, "FILE", "record every frame in FILE (pcapng)", cli_take_text,
     offsetof(struct run, capture_path), NULL, NULL},
    SITE_OPTION("publish", 'p', "[ADDR:]PORT[:INNER][/udp]",
                "let the host's PORT lead to the program's (127.0.0.1 if no ADDR)", "gateway",
                "publish"),
    SITE_OPTION("internet", 0, "host|none", "what is beyond the site (host)", "gateway",
                "internet"),
    SITE_OPTION("host-loopback", 0, "on|off", "10.0.2.2 is the host's 127.0.0.1 (on)", "gateway",
                "host-loopback"),
    SITE_OPTION("proxy", 0, "on|off", "what is asked of port 80 outside comes by a cache (off)", "proxy",
                "transparent"),
    SITE_OPTION("proxy-disk", 0, "DIR", "the cache keeps files in DIR, too", "proxy", "disk"),
    SITE_OPTION("delay", 0, "T", "delay each frame by T, each way: 20ms", "link", "delay"),
    SITE_OPTION("jitter", 0, "T", "vary the delay by up to T", "link", "jitter"),
    SITE_OPTION("loss", 0, "P", "lose a part of the frames: 1%", "link", "loss"),
    SITE_OPTION("duplicate", 0, "P", "deliver a part of the frames twice", "link", "duplicate"),
    SITE_OPTION("reorder", 0, "P", "let a part of the frames overtake", "link", "reorder"),
    SITE_OPTION("corrupt", 0, "P", "change a bit in a part of the frames", "link", "corrupt"),
    SITE_OPTION("rate", 0, "R", "limit the rate: 10mbit", "link", "rate"),
    SITE_OPTION("queue", 0, "N", "frames that may wait for the rate (1000)", "link", "queue"),
    SITE_OPTION("mark", 0, "N", "tell by ECN of congestion when so many wait", "link", "mark"),
    SITE_OPTION("seed", 0, "N", "where chance begins: the same frames meet the same again", "link",
                "seed"),
    SITE_OPTION("congestion", 0, "NAME", "congestion control of our TCP: cubic, newreno, bbr (cubic)",
                "link", "congestion"),
    SITE_OPTION("ecn", 0, "off|accept|ask", "congestion notification of our TCP (accept)", "link",
                "ecn"),
    SITE_OPTION("syn-cookies", 0, "never|full|always", "of SYNs to our services nothing is remembered (full)",
                "link", "syn-cookies"),
    SITE_OPTION("mtu", 0, "N", "octets of the largest packet (1500)", "link", "mtu"),
    SITE_OPTION("address", 0, "CIDR", "the private network, ours the first (10.0.2.0/24)", "link",
                "address"),
    {"hostname", 0, "NAME", "what the host is called inside, also in DNS", take_hostname, 0, NULL,
     NULL},
    {"verbose", 'v', NULL, "say what happens; twice: more", cli_take_count,
     offsetof(struct run, verbose), NULL, NULL},
    {"quiet", 'q', NULL, "say only errors", cli_take_count, offsetof(struct run, quiet), NULL,
     NULL},
};

/* The site: of the file or the built-in one, with what the command line says of it. */
static int read_site(struct run *run)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    run->config = run->config_path != NULL ? site_config_read(run->config_path, &error)
                                           : site_config_builtin();
    if (run->config == NULL)
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "%s",
                        complaint[0] != '\0' ? complaint : "no memory");
    run->config->link.device = SITE_DEVICE_TAP;
    for (size_t i = 0; i < run->setting_count; i++) {
        const struct setting *setting = &run->settings[i];
        const struct cli_option *option = setting->option;
        if (!site_config_set(run->config, option->section, option->key, setting->value, &error))
            return cli_wrong_usage(run->command, "--%s %.100s: %s", option->name, setting->value,
                                   complaint);
        if (strcmp(option->section, "gateway") == 0)
            run->config->gateway.present = true;
        if (strcmp(option->section, "proxy") == 0)
            run->config->proxies[0].present = true;
    }
    if (!site_config_finish(run->config, &error))
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "%s", complaint);
    run->config->addresses.guest = site_config_guest_mac(run->config);
    return 0;
}

static int open_capture(struct run *run)
{
    if (run->capture_path == NULL)
        return 0;
    int result = capture_new(run->loop, run->capture_path, &run->capture);
    if (result < 0)
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "cannot write the capture %s: %s",
                        run->capture_path, strerror(-result));
    if (realpath(run->capture_path, run->capture_full_path) == NULL)
        snprintf(run->capture_full_path, sizeof run->capture_full_path, "%s", run->capture_path);
    return 0;
}

/* The site has no address service: the inside is configured as its server would have done. */
static void fixed_network(const struct site_config *config, struct inside_network *out)
{
    *out = (struct inside_network){
        .address = {config->addresses.pool_first, config->link.address.len},
        .router = config->addresses.router,
        .dns_count = (uint32_t)config->addresses.dns_count,
        .mtu = config->link.mtu,
    };
    for (size_t i = 0; i < config->addresses.dns_count; i++)
        out->dns[i] = config->addresses.dns[i];
    snprintf(out->domain, sizeof out->domain, "%s", config->domain);
}

static void leave_https_out(struct run *run, const char *reason)
{
    log_warning(&run->log, "no https in the private network: %s", reason);
    run->config->web.config.listen_count--; /* the built-in site's last */
}

/*
 * Where services of the site show certificates of our own, programs inside are to trust them. The built-in
 * site's authority lives no longer than its network, and a host without room for its files has no https.
 */
static int find_trust(struct run *run)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = run->config;
    if (!site_tls_wants_trust(config))
        return 0;
    if (run->config_path == NULL) {
        if (trust_new_folder(run->passing, &run->passing_lock, &error) < 0) {
            leave_https_out(run, complaint);
            return 0;
        }
        snprintf(config->trust_folder, sizeof config->trust_folder, "%.*s",
                 (int)sizeof config->trust_folder - 1, run->passing);
    }
    int status = trust_locate(&run->trust, run->passing[0] != '\0' ? run->passing : NULL, &error);
    return status < 0 ? cli_fail(run->command, INSIDE_EXIT_FAILED, "%s", complaint) : 0;
}

/* While the inside is about its devices. */
static int make_trust(struct run *run)
{
    char complaint[512] = "", folder[PATH_MAX];
    struct text error = text_of(complaint, sizeof complaint);
    if (run->trust.folder[0] == '\0')
        return 0;
    memcpy(folder, run->trust.folder, sizeof folder);
    int status = trust_open(&run->trust, folder, &error);
    if (status == 0)
        status = trust_make_bundle(&run->trust, &error);
    run->trusted = status == 0;
    if (status < 0 && run->passing[0] == '\0')
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "%s", complaint);
    if (status < 0)
        leave_https_out(run, complaint);
    return 0;
}

/* What programs inside need is in their own place by now, and the servers have read theirs. */
static void forget_trust(struct run *run)
{
    if (run->passing[0] != '\0' && trust_host_bundle() != NULL && trust_remove(run->passing))
        run->passing[0] = '\0';
}

static int start_inside(struct run *run, char **argv)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    int status = find_trust(run);
    if (status != 0)
        return status;
    struct inside_network fixed;
    fixed_network(run->config, &fixed);
    const struct inside_options inside_options = {
        .argv = argv,
        .hostname = run->hostname,
        .dhcp_hostname = run->hostname != NULL ? run->hostname : "guest",
        .capture = run->capture != NULL ? run->capture_full_path : NULL,
        .trusted = run->trust.bundle[0] != '\0' ? run->trust.bundle : NULL,
        .host_trusted = trust_host_bundle(),
        .mac = site_config_guest_mac(run->config),
        .mtu = run->config->link.mtu,
        .offload = site_wants_offload(run->config),
        .fixed = run->config->addresses.present ? NULL : &fixed,
    };
    if (inside_start(&inside_options, &run->inside, &error) < 0)
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "%s", complaint);
    return 0;
}

static void stop_loop(struct run *run, int exit_status)
{
    run->exit_status = exit_status;
    run->over = true;
    loop_stop(run->loop);
}

static void on_linger(struct alarm *alarm)
{
    struct run *run = CONTAINER_OF(alarm, struct run, linger);
    usec now = loop_now(run->loop);
    if (site_idle(run->site) || now >= run->linger_until)
        loop_stop(run->loop);
    else
        loop_set_alarm(run->loop, &run->linger, now + LINGER_INTERVAL);
}

static void on_stop(struct alarm *alarm UNUSED)
{
    kill(getpid(), SIGSTOP);
}

static void log_network(const struct run *run, const struct inside_event *event)
{
    char address[PREFIX_TEXT_MAX], router[ADDRESS_TEXT_MAX];
    log_info(&run->log, "eth0 inside has %s, router %s, MTU %u, %s %.1f ms",
             prefix_format(&event->network.address, address),
             address_is_any(&event->network.router) ? "none"
                                                    : address_format(&event->network.router, router),
             event->network.mtu, run->config->addresses.present ? "by DHCP in" : "set in",
             (double)event->duration / 1000);
}

static void on_event(struct run *run, const struct inside_event *event)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    switch (event->kind) {
    case INSIDE_DEVICE:
        if (site_attach(run->site, event->fd, "eth0", &error) < 0)
            stop_loop(run, cli_fail(run->command, INSIDE_EXIT_FAILED, "%s", complaint));
        break;
    case INSIDE_NETWORK:
        log_network(run, event);
        break;
    case INSIDE_STARTED:
        run->started = true;
        forget_trust(run);
        log_debug(&run->log, "the program starts");
        break;
    case INSIDE_STOPPED:
        if (run->terminal >= 0)
            loop_set_alarm(run->loop, &run->stop, loop_now(run->loop) + STOP_DELAY);
        break;
    case INSIDE_CONTINUED:
        loop_clear_alarm(run->loop, &run->stop);
        break;
    case INSIDE_ENDED:
        run->ended = true;
        run->exit_status = event->exit_status;
        run->linger_until = loop_now(run->loop) + LINGER_TIMEOUT;
        on_linger(&run->linger);
        break;
    case INSIDE_FAILED:
        stop_loop(run, cli_fail(run->command, event->exit_status, "%s", event->complaint));
        break;
    case INSIDE_GONE:
        if (!run->ended)
            stop_loop(run, cli_fail(run->command, INSIDE_EXIT_FAILED,
                                    "the private network's first process was killed"));
        loop_unwatch(&run->inside_watch);
        break;
    }
}

static void take_events(struct run *run)
{
    struct inside_event event;
    while (!run->over && run->inside_watch.loop != NULL &&
           inside_receive(&run->inside, &event) == 0)
        on_event(run, &event);
}

static void on_inside(struct watch *watch, unsigned ready UNUSED)
{
    take_events(CONTAINER_OF(watch, struct run, inside_watch));
}

static void on_signal(struct watch *watch, unsigned ready UNUSED)
{
    struct run *run = CONTAINER_OF(watch, struct run, signal_watch);
    struct signalfd_siginfo info;
    if (read(watch->fd, &info, sizeof info) != sizeof info)
        return;
    int number = (int)info.ssi_signo;
    if (!run->started)
        take_events(run); /* perhaps we are only late to hear of it */
    if (!run->started) /* it may have, and the news have not been read */
        take_events(run);
    if (!run->started && (number == SIGINT || number == SIGQUIT || number == SIGTERM ||
                          number == SIGHUP)) {
        stop_loop(run, 128 + number);
        return;
    }
    if (number == SIGCONT)
        loop_clear_alarm(run->loop, &run->stop);
    /* What the kernel sends (the terminal's keys, its hang-up, its size) it has sent to the program,
     * too. */
    if (info.ssi_code != SI_KERNEL)
        inside_signal(&run->inside, number);
}

static int watch_signals(struct run *run)
{
    static const int numbers[] = {SIGHUP,  SIGINT,   SIGQUIT, SIGTERM,
                                  SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        sigaddset(&set, numbers[i]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN); /* we may speak while the program has the terminal */
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    return loop_watch(run->loop, &run->signal_watch, fd, LOOP_READ, on_signal);
}

/* The terminal, if the caller's shell has given it to us. */
static int foreground_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0 && tcgetpgrp(fd) == getpgrp())
        return fd;
    file_close(&fd);
    return -1;
}

/* A shell inside makes other process groups the terminal's, and dies as one: the caller, if it is
 * no interactive shell, could not read from it any more. */
static void give_terminal_back(struct run *run)
{
    if (run->terminal >= 0 && tcgetpgrp(run->terminal) != getpgrp())
        tcsetpgrp(run->terminal, getpgrp());
    file_close(&run->terminal);
}

static int run_network(struct run *run)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    signal(SIGXFSZ, SIG_IGN); /* a file at the caller's limit is not whole; the program goes on */
    int status = make_trust(run);
    if (status != 0)
        return status;
    const struct site_options site_options = {
        .loop = run->loop,
        .config = run->config,
        .log = &run->log,
        .capture = run->capture,
        .capture_path = run->capture != NULL ? run->capture_full_path : NULL,
    };
    if (site_new(&site_options, &run->site, &error) < 0) {
        run->config = NULL;
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "%s", complaint);
    }
    inside_tell_ready(&run->inside, run->trusted);
    inside_let_go(false);
    int result = watch_signals(run);
    if (result == 0)
        result = loop_watch(run->loop, &run->inside_watch, run->inside.socket, LOOP_READ,
                            on_inside);
    if (result == 0)
        result = loop_run(run->loop);
    if (result < 0)
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "the event loop failed: %s",
                        strerror(-result));
    if (run->ended)
        site_log_summary(run->site);
    return run->exit_status;
}

static void clean_up(struct run *run)
{
    loop_unwatch(&run->inside_watch);
    inside_stop(&run->inside);
    if (run->signal_watch.loop != NULL) {
        loop_unwatch(&run->signal_watch);
        close(run->signal_watch.fd);
    }
    loop_clear_alarm(run->loop, &run->linger);
    loop_clear_alarm(run->loop, &run->stop);
    give_terminal_back(run);
    if (run->site != NULL)
        site_free(run->site);
    else
        site_config_free(run->config);
    int result = capture_free(run->capture);
    if (result < 0)
        log_error(&run->log, "the capture %s is not whole: %s", run->capture_path,
                  strerror(-result));
    loop_free(run->loop);
    if (run->passing[0] != '\0')
        (void)trust_remove(run->passing); /* at the end, when there are descriptors again */
    file_close(&run->passing_lock);
}

static int run_program(struct run *run, char **argv)
{
    int status = read_site(run);
    if (status != 0) {
        site_config_free(run->config);
        return status;
    }
    run->loop = loop_new();
    if (run->loop == NULL) {
        site_config_free(run->config);
        return cli_fail(run->command, INSIDE_EXIT_FAILED, "no event loop: %s", strerror(errno));
    }
    alarm_init(&run->linger, on_linger);
    alarm_init(&run->stop, on_stop);
    run->terminal = foreground_terminal();
    status = open_capture(run);
    if (status == 0)
        status = start_inside(run, argv);
    if (status == 0)
        status = run_network(run);
    clean_up(run);
    return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct run run = {.command = command, .terminal = -1, .passing_lock = -1, .inside = {.socket = -1}};
    int at;
    enum cli_outcome outcome = cli_read_options(command, &run, argc, argv, &at);
    if (outcome != CLI_GO_ON)
        return outcome == CLI_DONE ? EXIT_OK : cli_usage_status(command);
    if (at == argc)
        return cli_wrong_usage(command, "expected a program to run");
    enum log_level level = run.quiet > 0     ? LOG_LEVEL_ERROR
                           : run.verbose > 1 ? LOG_LEVEL_DEBUG
                           : run.verbose > 0 ? LOG_LEVEL_INFO
                                             : LOG_LEVEL_WARNING;
    log_init(&run.log, STDERR_FILENO, "wholenet", level);
    return run_program(&run, argv + at);
}

const struct cli_command command_run = {
    .name = "run",
    .usage = "[options] [--] PROGRAM [ARGUMENT…]",
    .summary = "run a program in a private, complete network",
    .about = "Runs PROGRAM in a network of its own: an interface with an address by DHCP, a gateway\n"
             "to the Internet through the host's sockets, names, a web server. Needs no privilege\n"
             "where the system lets ordinary users make namespaces and open /dev/net/tun. Ends as\n"
             "PROGRAM ends; with 127 when there is no such program, 126 when it cannot be executed,\n"
             "125 when wholenet itself fails. Nothing is left behind.",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .usage_status = INSIDE_EXIT_FAILED,
    .run = run,
};
