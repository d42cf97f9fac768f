/* SPDX-License-Identifier: ISC */
/*
 * script_settings.c - the little of a shell that scripts use: commands on lines or between ; && ||,
 * words in quotes, joined lines, comments. Redirections are read over.
 */
#include "sim/script/script_settings.h"

#include "base/address.h"

enum { WORDS_MAX = 64 };

struct command {
    struct bytes words[WORDS_MAX]; /* quotes taken off */
    size_t count;
    struct bytes redirect; /* behind '>'; empty: none */
};

void script_settings_init(struct script_settings *settings, const struct tcp_profile *profile)
{
    *settings = (struct script_settings){.profile = *profile, .tso = true};
}

/* ---- words ---- */

static uint8_t octet(struct bytes text, size_t at)
{
    return at < text.len ? text.data[at] : 0;
}

static bool is_blank(struct bytes text, size_t at)
{
    uint8_t c = octet(text, at);
    return at < text.len && (c == ' ' || c == '\t' || c == '\r' ||
                             (c == '\\' && octet(text, at + 1) == '\n') ||
                             (c == '\n' && at > 0 && text.data[at - 1] == '\\'));
}

static bool is_end(struct bytes text, size_t at)
{
    uint8_t c = octet(text, at);
    bool joined = at > 0 && octet(text, at - 1) == '\\';
    return at >= text.len || (c == '\n' && !joined) || c == ';' || c == '|' ||
           (c == '&' && octet(text, at + 1) == '&');
}

/* The word at *at: NAME="a b" is one. Only whole quoted parts are unquoted, at the ends. */
static struct bytes read_word(struct bytes text, size_t *at)
{
    size_t start = *at;
    uint8_t quote = 0;
    for (; *at < text.len; ++*at) {
        uint8_t c = text.data[*at];
        if (quote != 0) {
            quote = c == quote ? 0 : quote;
            continue;
        }
        if (c == '"' || c == '\'')
            quote = c;
        else if (is_blank(text, *at) || is_end(text, *at) || c == '>')
            break;
    }
    return bytes_first(bytes_after(text, start), *at - start);
}

static struct bytes unquote(struct bytes word)
{
    if (word.len >= 2 && (word.data[0] == '"' || word.data[0] == '\'') &&
        word.data[word.len - 1] == word.data[0])
        return bytes_first(bytes_after(word, 1), word.len - 2);
    return word;
}

/* Takes the next command off *text; false: there is none, or its words are too many. */
static bool next_command(struct bytes *text, struct command *out)
{
    size_t at = 0;
    *out = (struct command){.redirect = bytes_empty()};
    bool redirected = false;
    while (!is_end(*text, at) && out->count < WORDS_MAX) {
        uint8_t c = text->data[at];
        if (is_blank(*text, at))
            at++;
        else if (c == '#')
            at += bytes_find(bytes_after(*text, at), '\n');
        else if (c == '>' || (c == '&' && octet(*text, at + 1) == '>')) {
            at += c == '&' ? 2 : 1;
            redirected = true;
        } else if (redirected) {
            struct bytes word = read_word(*text, &at);
            if (out->redirect.len == 0)
                out->redirect = word;
            redirected = false;
            if (word.len == 0)
                at++;
        } else {
            struct bytes word = unquote(read_word(*text, &at));
            bool descriptor = word.len == 1 && octet(*text, at) == '>'; /* 2>file */
            if (!descriptor)
                out->words[out->count++] = word;
        }
    }
    while (at < text->len && is_end(*text, at))
        at += octet(*text, at) == '&' ? 2 : 1;
    *text = bytes_after(*text, at);
    return out->count > 0 || text->len > 0;
}

static bool is(struct bytes word, const char *text)
{
    return bytes_equal(word, bytes_of_text(text));
}

static bool begins_with(struct bytes word, const char *text)
{
    struct bytes start = bytes_of_text(text);
    return bytes_equal(bytes_first(word, start.len), start);
}

static bool ends_with(struct bytes word, const char *text)
{
    struct bytes end = bytes_of_text(text);
    return word.len >= end.len && bytes_equal(bytes_after(word, word.len - end.len), end);
}

static bool not_understood(const struct command *command, struct text *error)
{
    text_add(error, "this command is not understood:");
    for (size_t i = 0; i < command->count; i++) {
        text_add(error, " ");
        text_add_bytes(error, command->words[i]);
    }
    return false;
}

/* ---- commands ---- */

/* NAME=VALUE in each word from `from` on; switches are read over. */
static bool set_all(struct script_settings *settings, const struct command *command, size_t from,
                    struct text *error)
{
    for (size_t i = from; i < command->count; i++) {
        struct bytes word = command->words[i];
        size_t equals = bytes_find(word, '=');
        if (word.len > 0 && word.data[0] == '-')
            continue;
        if (equals == word.len)
            return not_understood(command, error);
        if (!script_settings_sysctl(settings, bytes_first(word, equals),
                                    unquote(bytes_after(word, equals + 1)), error))
            return false;
    }
    return true;
}

/* echo VALUE > FILE of /proc/sys or of a module's parameters. */
static bool run_echo(struct script_settings *settings, const struct command *command,
                     struct text *error)
{
    if (command->count != 2 || command->redirect.len == 0)
        return command->redirect.len == 0 || not_understood(command, error);
    /* Which of HyStart's two signs Linux's CUBIC looks for: HyStart++ (RFC 9406) has no choice. */
    if (begins_with(command->redirect, "/sys/module/tcp_cubic/parameters/hystart"))
        return true;
    return script_settings_sysctl(settings, command->redirect, command->words[1], error);
}

/* The value behind the word, as a number. */
static bool number_behind(const struct command *command, const char *word, uint64_t max,
                          uint64_t *out)
{
    for (size_t i = 0; i + 1 < command->count; i++) {
        if (!is(command->words[i], word))
            continue;
        size_t value = is(command->words[i + 1], "lock") ? i + 2 : i + 1;
        return value < command->count && text_parse_number(command->words[value], max, out);
    }
    return false;
}

static bool run_ip(struct script_settings *settings, const struct command *command,
                   struct text *error)
{
    uint64_t value;
    if (command->count >= 3 && is(command->words[1], "tcp_metrics")) {
        settings->forget_metrics = true;
        return is(command->words[2], "flush") || not_understood(command, error);
    }
    if (command->count >= 3 && is(command->words[1], "-6"))
        return true; /* of the other protocol: it does not touch us */
    if (command->count < 4 || !is(command->words[1], "route") || !is(command->words[2], "change"))
        return not_understood(command, error);
    if (number_behind(command, "mtu", UINT16_MAX, &value))
        settings->route_mtu = (uint16_t)value;
    if (number_behind(command, "advmss", UINT16_MAX, &value))
        settings->profile.mss_max = (uint16_t)value;
    if (number_behind(command, "initcwnd", UINT16_MAX, &value))
        settings->profile.initial_window = (uint16_t)value;
    return true;
}

static bool run_ethtool(struct script_settings *settings, const struct command *command,
                        struct text *error)
{
    if (command->count < 5 || !is(command->words[1], "-K"))
        return not_understood(command, error);
    for (size_t i = 3; i + 1 < command->count; i += 2) {
        bool on = is(command->words[i + 1], "on");
        if (is(command->words[i], "tso") || is(command->words[i], "gso"))
            settings->tso = on;
        else if (!is(command->words[i], "gro") && !is(command->words[i], "lro"))
            return not_understood(command, error);
    }
    return true;
}

/* Queues of the device. fq paces; pfifo does nothing, unless its length is nothing. */
static bool run_tc(struct script_settings *settings, const struct command *command,
                   struct text *error)
{
    uint64_t limit = 1;
    if (command->count < 3 || !is(command->words[1], "qdisc"))
        return not_understood(command, error);
    if (is(command->words[2], "delete") || is(command->words[2], "del"))
        return true;
    for (size_t i = 3; i < command->count; i++) {
        if (is(command->words[i], "fq"))
            settings->profile.pacing = true;
        else if (is(command->words[i], "pfifo"))
            settings->device_drops =
                number_behind(command, "limit", UINT32_MAX, &limit) && limit == 0;
    }
    return true;
}

static bool run_command(struct script_settings *settings, const struct command *command,
                        struct text *error)
{
    /* They only look, or put back what a script has changed for the next one: each has a stack of
     * its own here. */
    static const char *const harmless[] = {"nstat", "grep", "true", ":", "sleep", "cat", "ss"};
    struct bytes name = command->words[0];
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        if (is(name, harmless[i]))
            return true;
    if (begins_with(name, "/tmp/sysctl_restore_"))
        return true;
    if (ends_with(name, "/defaults.sh")) {
        script_settings_defaults(settings);
        return true;
    }
    if (ends_with(name, "/set_sysctls.py"))
        return set_all(settings, command, 1, error);
    if (is(name, "sysctl"))
        return set_all(settings, command, 1, error);
    if (is(name, "echo"))
        return run_echo(settings, command, error);
    if (is(name, "ip"))
        return run_ip(settings, command, error);
    if (is(name, "ethtool"))
        return run_ethtool(settings, command, error);
    if (is(name, "tc"))
        return run_tc(settings, command, error);
    return not_understood(command, error);
}

bool script_settings_command(struct script_settings *settings, struct bytes commands,
                             struct text *error)
{
    struct command command;
    while (next_command(&commands, &command)) {
        if (command.count == WORDS_MAX) {
            text_add_format(error, "a command has more than %d words", WORDS_MAX - 1);
            return false;
        }
        if (command.count > 0 && !run_command(settings, &command, error))
            return false;
    }
    return true;
}
