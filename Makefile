# SPDX-License-Identifier: ISC
# Wholenet is built by this one file: sources are found by folder.
#
#   make            build/release/wholenet            make VARIANT=debug|asan|tsan CC=clang
#   make run        the main job                      make run CMD='curl -sS http://www.home.arpa/'
#                   (RUN_OPTIONS: of wholenet run, by default --capture build/tour.pcapng)
#   make test       every test, in both variants      make quick   unit tests of one variant
#   make soak       hosts by the hundred on bad wires, SOAK_SECONDS=600 long, then a million mutated messages at
#                   a name server; SEED=n: one of them
#   make race       what several threads do, with ThreadSanitizer
#   make fuzz       libFuzzer on every target         make install PREFIX=/usr DESTDIR=
#   make library    build/release/lib: libwholenet.so and .a, and with HTTP libwholenet-http, for other programs

VARIANT ?= release
CC = gcc
PYTHON = python3
OBJCOPY = objcopy
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
B := build/$(VARIANT)

PACKAGES := libconfuse jansson sqlite3 libssl libcrypto zlib libbrotlidec libbrotlienc libcrypt expat
ifneq ($(filter-out setup clean,$(or $(MAKECMDGOALS),all)),)
LIB_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIB_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	-Wswitch-enum -Wvla -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wpointer-arith \
	$(if $(WERROR),-Werror)
FLAGS_release := -O2 -g -fno-plt
FLAGS_debug := -O0 -g3
FLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
FLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
VERSION := $(shell cat VERSION)
CFLAGS ?= $(FLAGS_$(VARIANT)) -fstack-protector-strong
ALL_CFLAGS = -std=c17 $(WARNINGS) $(CFLAGS) -Isrc -I. -Iinclude -I$(B)/generated -MMD -MP
HOST_CFLAGS = -D_GNU_SOURCE -DWHOLENET_VERSION='"$(VERSION)"' $(LIB_CFLAGS)
LDFLAGS += $(filter -fsanitize%,$(CFLAGS))

PURE_FLOORS := base wire stack proto sim
HOST_FLOORS := os store io api app site cli
sources = $(shell find $(1) -name '*.c' 2>/dev/null | LC_ALL=C sort)
PURE_SRC := $(call sources,$(PURE_FLOORS:%=src/%))
HOST_SRC := $(filter-out src/cli/main.c src/api/drill/%,$(call sources,$(HOST_FLOORS:%=src/%)))
PURE_OBJ := $(PURE_SRC:%.c=$(B)/%.o)
HOST_OBJ := $(HOST_SRC:%.c=$(B)/%.o) $(B)/generated/web_pages.o
TESTS := $(patsubst %.c,$(B)/%,$(shell find tests -name 'test_*.c' | LC_ALL=C sort) tests/api/drill_tool.c)
TEST_SUPPORT := $(patsubst %.c,$(B)/%.o,$(call sources,tests/support))
FUZZERS := $(patsubst %.c,$(B)/%,$(wildcard fuzz/fuzz_*.c))
TEST_TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/tools/*.c) bench/congestion.c)
EXAMPLES := $(patsubst %.c,$(B)/%,$(wildcard examples/*.c))
BENCHES := $(filter-out $(TEST_TOOLS),$(patsubst %.c,$(B)/%,$(wildcard bench/*.c)))
BENCH_SUPPORT := $(patsubst %.c,$(B)/%.o,$(call sources,bench/support))
# These have libnghttp2 at the other end of what they test; without it they are left out.
NGHTTP2_TESTS := $(patsubst %,$(B)/tests/%,app/test_fetch_http2 app/web/test_web_http2 wire/http/test_hpack)
TESTS := $(if $(shell pkg-config --exists libnghttp2 && echo yes),$(TESTS),$(filter-out $(NGHTTP2_TESTS),$(TESTS)))
LWIP_PEERS := $(if $(shell pkg-config --exists lwip && echo yes),$(patsubst %.c,$(B)/%,$(wildcard bench/peers/lwip_*.c)))
BENCH_PEERS := $(B)/bench/peers/tap_forward $(LWIP_PEERS)

all: $(B)/wholenet
programs: all $(TESTS) $(TEST_TOOLS) $(FUZZERS) $(EXAMPLES)
benches: all $(BENCHES) $(BENCH_PEERS)

# What a packet meets is optimised as a whole where the program is linked: a fifth fewer instructions
# a segment. The tests, of which there are many, are linked from the same objects without it.
ifeq ($(VARIANT)$(findstring clang,$(CC)),release)
DATA_PATH := $(addprefix $(B)/src/,base/% wire/inet/% wire/link/% stack/% io/%)
$(filter $(DATA_PATH),$(PURE_OBJ) $(HOST_OBJ)): ALL_CFLAGS += -flto -ffat-lto-objects
WITH_LTO := -O2 -flto=auto
WITHOUT_LTO := -fno-lto
endif

$(B)/libwholenet.a: $(PURE_OBJ) $(HOST_OBJ)
	@rm -f $@
	@ar rcs $@ $^

# The library for other programs: what src/api/ needs, as position-independent code, with no name to be
# seen but those of include/wholenet/. The static one is a single object whose other names are local.
SONAME := libwholenet.so.$(firstword $(subst ., ,$(VERSION)))
LIB := $(B)/lib
LIB_SRC := $(call sources,src/base src/wire/inet src/wire/link src/wire/capture src/wire/dns src/stack \
	src/proto/dns src/sim src/os src/io) $(wildcard src/wire/*.c)
API_OBJ := $(patsubst %.c,$(B)/pic/%.o,$(wildcard src/api/*.c))
DRILL_OBJ := $(patsubst %.c,$(B)/pic/%.o,$(wildcard src/api/drill/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/pic/%.o)

# With HTTP, the same and more: OpenSSL and others come with it. A program links the one or the other, and their
# symbols have versions of different names, so that in one process neither calls into the other.
HTTP_SONAME := $(SONAME:libwholenet%=libwholenet-http%)
HTTP_API_OBJ := $(patsubst %.c,$(B)/pic/%.o,$(wildcard src/api/http/*.c))
HTTP_SRC := $(filter-out $(LIB_SRC),$(call sources,src/wire src/proto src/app/fetch))
HTTP_OBJ := $(HTTP_SRC:%.c=$(B)/pic/%.o)
HTTP_PACKAGES := $(filter-out libconfuse jansson sqlite3 libbrotlienc libcrypt expat,$(PACKAGES))
HTTP_LIBS := $(if $(LIB_LIBS),$(shell pkg-config --libs $(HTTP_PACKAGES) 2>/dev/null))

library: $(LIB)/libwholenet.so $(LIB)/libwholenet.a $(LIB)/libwholenet-packetdrill.so \
	$(LIB)/libwholenet-http.so $(LIB)/libwholenet-http.a

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(HOST_CFLAGS) $(if $(WITH_LTO),-flto -ffat-lto-objects) -fPIC \
		-fvisibility=hidden -c -o $@ $<

$(B)/pic/inside.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(LIB)/$(SONAME): $(API_OBJ) $(B)/pic/inside.a src/api/libwholenet.map
	@mkdir -p $(@D)
	$(CC) -shared $(WITH_LTO) $(LDFLAGS) -fPIC -Wl,-soname,$(SONAME) -Wl,-z,defs \
		-Wl,--version-script,src/api/libwholenet.map -o $@ $(filter-out %.map,$^)

$(LIB)/libwholenet.so: $(LIB)/$(SONAME)
	@ln -sf $(SONAME) $@

$(B)/pic/inside-http.a: $(HTTP_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(LIB)/$(HTTP_SONAME): $(HTTP_API_OBJ) $(API_OBJ) $(B)/pic/inside-http.a $(B)/pic/inside.a src/api/http/libwholenet-http.map
	@mkdir -p $(@D)
	$(CC) -shared $(WITH_LTO) $(LDFLAGS) -fPIC -Wl,-soname,$(HTTP_SONAME) -Wl,-z,defs \
		-Wl,--version-script,src/api/http/libwholenet-http.map -o $@ $(filter-out %.map,$^) $(HTTP_LIBS)

$(LIB)/libwholenet-http.so: $(LIB)/$(HTTP_SONAME)
	@ln -sf $(HTTP_SONAME) $@

# For packetdrill --so_filename: one file, with all of the stack in it.
$(LIB)/libwholenet-packetdrill.so: $(DRILL_OBJ) $(API_OBJ) $(B)/pic/inside.a src/api/drill/drill.map
	@mkdir -p $(@D)
	$(CC) -shared $(WITH_LTO) $(LDFLAGS) -fPIC -Wl,-z,defs \
		-Wl,--version-script,src/api/drill/drill.map -o $@ $(filter-out %.map,$^)

$(LIB)/libwholenet.a: $(API_OBJ) $(B)/pic/inside.a
$(LIB)/libwholenet-http.a: $(HTTP_API_OBJ) $(API_OBJ) $(B)/pic/inside-http.a $(B)/pic/inside.a
$(LIB)/libwholenet.a $(LIB)/libwholenet-http.a: $(LIB)/%.a:
	@mkdir -p $(@D)
	@rm -f $@ $(B)/pic/$*.o
	@$(LD) -r -o $(B)/pic/$*.o $^
	@$(OBJCOPY) --wildcard --keep-global-symbol='wn_*' --remove-section='.gnu.lto_*' \
		--remove-section='.gnu.debuglto_*' $(B)/pic/$*.o
	@ar rcs $@ $(B)/pic/$*.o

$(B)/wholenet: $(B)/src/cli/main.o $(B)/libwholenet.a
	$(CC) $(WITH_LTO) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(PURE_OBJ): $(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(HOST_CFLAGS) -c -o $@ $<

$(B)/generated/%.o: $(B)/generated/%.c
	$(CC) $(ALL_CFLAGS) $(HOST_CFLAGS) -c -o $@ $<

$(B)/generated/web_pages.c: tools/embed.py $(shell find web -type f 2>/dev/null)
	@mkdir -p $(@D)
	$(PYTHON) tools/embed.py web > $@

$(B)/tests/support.a: $(TEST_SUPPORT)
	@rm -f $@
	@ar rcs $@ $^

$(NGHTTP2_TESTS): LIB_LIBS += -lnghttp2
$(TESTS): $(B)/%: $(B)/%.o $(B)/tests/support.a $(B)/libwholenet.a
	@$(CC) $(WITHOUT_LTO) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) -lcmocka
$(FUZZERS): $(B)/%: $(B)/%.o $(B)/fuzz/driver.o $(B)/libwholenet.a
	@$(CC) $(WITHOUT_LTO) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)
$(EXAMPLES) $(TEST_TOOLS): $(B)/%: $(B)/%.o $(B)/libwholenet.a
	@$(CC) $(WITHOUT_LTO) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(B)/bench/support.a: $(BENCH_SUPPORT)
	@rm -f $@
	@ar rcs $@ $^

$(BENCHES): $(B)/%: $(B)/%.o $(B)/bench/support.a $(B)/libwholenet.a
	@$(CC) $(WITH_LTO) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) -pthread

# A peer is an ordinary program over its own library, with none of ours in it.
$(B)/bench/peers/tap_forward: bench/peers/tap_forward.c
	@mkdir -p $(@D)
	$(CC) -O2 -g -Wall -Wextra -D_GNU_SOURCE -o $@ $<

$(LWIP_PEERS): $(B)/%: %.c
	@mkdir -p $(@D)
	$(CC) -O2 -g -Wall -Wextra -D_GNU_SOURCE $$(pkg-config --cflags lwip) -o $@ $< -llwip

setup:
	@tools/setup.sh

RUN_OPTIONS ?= --capture build/tour.pcapng
run: setup
	@$(MAKE) --no-print-directory -s VARIANT=release all
	@build/release/wholenet run $(RUN_OPTIONS) -- $(or $(CMD),examples/tour.sh)

test: setup
	@tools/run_tests.py $(TEST_OPTIONS)

quick: programs
	@tools/run_tests.py --quick $(VARIANT)

check:
	@$(PYTHON) tools/check_floors.py $(B)

fuzz: setup
	@tools/fuzz.sh $(FUZZ_SECONDS)

# Crowds of hosts from ever new seeds; or the one of a seed.
SOAK_SECONDS ?= 600
SOAK := $(B)/tests/stack/tcp/test_tcp_survive
SOAK_NAMES := $(B)/tests/app/test_names_mutated
soak: $(SOAK) $(SOAK_NAMES)
	@$(SOAK) $(or $(SEED),--soak $(SOAK_SECONDS))
	@NAMES_MUTATIONS=1000000 $(SOAK_NAMES) $(SEED)

# What several threads do, with ThreadSanitizer.
RACES := tests/base/test_grace tests/os/test_thread tests/io/test_mailbox tests/io/test_workers tests/proto/dns/test_cache
race:
	@$(MAKE) --no-print-directory -s VARIANT=tsan build/tsan/wholenet $(RACES:%=build/tsan/%)
	@set -e; for test in $(RACES); do build/tsan/$$test; done
	@set -e; for test in tests/app/test_names_workers*.sh tests/app/web/test_web_workers.sh tests/app/web/test_web_dav_workers.sh \
		tests/app/proxy/test_proxy_disk.sh; do \
		TSAN_OPTIONS="log_path=build/tsan/race exitcode=66" VARIANT=tsan sh $$test; done
	@! ls build/tsan/race.* 2>/dev/null

install: all library
	install -D $(B)/wholenet $(DESTDIR)$(PREFIX)/bin/wholenet
	for page in man/*.[1-8]; do install -D -m 644 $$page \
		$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	tools/link_pages.py $(DESTDIR)$(PREFIX)/share/man/man3 man/*.3
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/wholenet
	install -m 644 include/wholenet/*.h $(DESTDIR)$(PREFIX)/include/wholenet
	install -m 644 $(LIB)/libwholenet.a $(LIB)/$(SONAME) $(LIB)/libwholenet-packetdrill.so \
		$(LIB)/libwholenet-http.a $(LIB)/$(HTTP_SONAME) $(DESTDIR)$(LIBDIR)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libwholenet.so
	ln -sf $(HTTP_SONAME) $(DESTDIR)$(LIBDIR)/libwholenet-http.so
	for pc in src/api/wholenet.pc src/api/http/wholenet-http.pc; do \
		sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(strip $(HTTP_LIBS))|' \
			$$pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/$${pc##*/}; done

clean:
	rm -rf build

.PHONY: all library programs benches setup run test quick check fuzz soak race install clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
