# SPDX-License-Identifier: GPL-2.0-or-later
# Builds build/portlife; see `make help`. Nothing here needs the running kernel's BTF.

BUILD   ?= build
PREFIX  ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG   ?= clang
PYTHON  ?= python3
VERSION := 0.1

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.PHONY: all static deps deps-test run test check check-unit check-cli check-lint check-rooms \
	analyze check-live check-vm soak bench format lint install uninstall clean help

# --- what is compiled ---------------------------------------------------------------------

USER_SOURCES := $(sort $(wildcard user/*.c user/*/*.c user/*/*.S))
BPF_SOURCES  := $(sort $(wildcard bpf/*.bpf.c))
UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))

USER_OBJECTS := $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $(USER_SOURCES))))
BPF_OBJECTS  := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.bpf.o,$(BPF_SOURCES))
# everything that knows neither libbpf nor probes: what the unit tests are linked with
PURE_OBJECTS := $(filter-out $(BUILD)/user/source/% $(BUILD)/user/main.o,$(USER_OBJECTS)) \
	$(BUILD)/user/source/replay.o
UNIT_TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SOURCES))
LIVE_TESTS   := $(BUILD)/tests/operations $(BUILD)/tests/exhaustion $(addprefix $(BUILD)/tests/,scenarios loop oracle stress)

ARCH := $(subst x86_64,x86,$(subst aarch64,arm64,$(shell uname -m)))
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS += -I. -D_GNU_SOURCE
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu17 $(WARNINGS)
# portlife is optimized as a whole where the compiler can; its objects serve the tests as they are.
# Warnings are for each file by itself: across files they are guesses that change with the version.
LTO := $(shell echo 'int main(void) { return 0; }' | $(CC) -Werror -flto=auto -ffat-lto-objects \
	-x c -o /dev/null - 2>/dev/null && echo -flto=auto -ffat-lto-objects)
NO_LTO := $(if $(LTO),-fno-lto)
# the kernel's types come from vmlinux/, constants of the BPF interface from linux/bpf.h
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -I. \
	$(addprefix -I/usr/include/,$(MULTIARCH)) -Wall -Wextra -Werror -Wno-unused-parameter

PKG_CONFIG ?= pkg-config
LIBS        = $(shell $(PKG_CONFIG) --libs libbpf libelf zlib 2>/dev/null || echo -lbpf -lelf -lz)
STATIC_LIBS = $(shell $(PKG_CONFIG) --static --libs libbpf libelf zlib 2>/dev/null || \
	echo -lbpf -lelf -lz)

all: $(BUILD)/portlife ## build build/portlife

static: $(BUILD)/portlife-static ## build build/portlife-static, which needs no library

$(BUILD)/user/%.o: CFLAGS += $(LTO)
$(BUILD)/portlife $(BUILD)/portlife-static: LDFLAGS += $(if $(LTO),$(LTO) -w)

$(BUILD)/portlife: $(USER_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/portlife-static: $(USER_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $^ $(STATIC_LIBS)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/user/source/objects.o: user/source/objects.S $(BPF_OBJECTS) Makefile
	@mkdir -p $(@D)
	$(CC) -Wa,-I$(BUILD)/bpf -c -o $@ $<

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@ $<

$(BUILD)/libpure.a: $(PURE_OBJECTS)
	rm -f $@
	ar rcs $@ $^

$(BUILD)/tests/test_%: tests/unit/test_%.c $(BUILD)/libpure.a Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(NO_LTO) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libpure.a -lcmocka -lz

$(BUILD)/tests/%_bench: tests/bench/%_bench.c $(BUILD)/libpure.a Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(NO_LTO) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libpure.a -lz

# static, so that they run in any guest
$(BUILD)/tests/scenarios: $(wildcard tests/live/scenarios*.c tests/live/scenarios*.h) Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -pthread -static -o $@ $(filter %.c,$^)

$(BUILD)/tests/oracle: $(wildcard tests/oracle/*.c tests/oracle/*.h) Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -pthread -static -o $@ $(filter %.c,$^)

$(BUILD)/tests/stress: tests/live/stress.c tests/oracle/kernel.c tests/oracle/oracle.h Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -pthread -static -o $@ $(filter %.c,$^)

$(BUILD)/tests/operations: tests/bench/operations.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -static -o $@ $<

$(BUILD)/tests/exhaustion: tests/bench/exhaustion.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -static -o $@ $<

$(BUILD)/tests/loop: tests/live/loop.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -pthread -static -o $@ $<

-include $(USER_OBJECTS:.o=.d) $(BPF_OBJECTS:.o=.d) $(addsuffix .d,$(UNIT_TESTS))

# --- fuzzing: clang's libFuzzer, everything but the probes under the sanitizers ---------------

FUZZ_SOURCES := tests/fuzz/fuzz_replay.c user/source/replay.c \
	$(wildcard user/core/*.c user/sink/*.c user/util/*.c)
FUZZ_OBJECTS := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(FUZZ_SOURCES))
FUZZ_CFLAGS  := -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_SECONDS ?= 5

$(BUILD)/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -std=gnu17 $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/fuzz_replay: $(FUZZ_OBJECTS)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $^ -lz

-include $(FUZZ_OBJECTS:.o=.d)

.PHONY: check-fuzz fuzz
check-fuzz:
	@$(MAKE) --no-print-directory -j2 $(BUILD)/fuzz/fuzz_replay
	BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) prove tests/fuzz/fuzz.t

fuzz: $(BUILD)/fuzz/fuzz_replay ## fuzz until Ctrl-C; the corpus stays in build/fuzz/corpus
	$(PYTHON) tests/fuzz/seed.py $(BUILD)/fuzz/corpus tests/golden/rec/*.plr
	cd $(BUILD)/fuzz && ./fuzz_replay -max_len=16384 -timeout=20 -rss_limit_mb=2048 corpus

# --- set-up -------------------------------------------------------------------------------

PACKAGES := gcc libc6-dev pkg-config clang libbpf-dev libelf-dev zlib1g-dev uthash-dev
TEST_PACKAGES := $(PACKAGES) libcmocka-dev perl jq python3 procps iproute2 util-linux bsdextrautils \
	clang-format clang-tidy libclang-rt-dev cppcheck shellcheck man-db groff-base \
	qemu-system-x86 busybox-static kmod cpio xz-utils

ROOT := $(filter 0,$(shell id -u))
# under sudo the build belongs to the user, not to root
AS_USER := $(if $(and $(ROOT),$(SUDO_UID)),sudo -H -u \#$(SUDO_UID) --,)
AS_ROOT := $(if $(ROOT),,sudo)

# $(1): packages. Says what it will install and how much that is before it does it.
define install_packages
	@set -e; missing=; for p in $(1); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || \
			missing="$$missing $$p"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	command -v apt-get >/dev/null || { \
		echo "portlife needs these Debian packages or their like:$$missing" >&2; exit 1; }; \
	$(AS_ROOT) apt-get -qq update || true; \
	echo "portlife installs with apt-get:$$missing"; \
	LC_ALL=C apt-get install --assume-no --no-install-recommends $$missing 2>/dev/null | \
		grep -E '^(Need to get|After this)' || true; \
	$(AS_ROOT) env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

deps: ## install what the build needs
	$(call install_packages,$(PACKAGES))

deps-test: ## install what the tests need
	$(call install_packages,$(TEST_PACKAGES))

run: deps ## install what is missing, build, watch
	@$(AS_USER) $(MAKE) --no-print-directory all
	@echo "portlife watches; Ctrl-C ends it."
	@$(AS_ROOT) $(BUILD)/portlife

# --- tests --------------------------------------------------------------------------------

# the newest build of each series
VM_KERNELS ?= 5.10 6.1 6.12 6.18 newest

test: deps-test ## install what is missing, then all the tests
	@echo "The VM tests download five Debian kernels (about 500 MB) unless they are cached."
	@$(AS_USER) $(MAKE) --no-print-directory -j2 all static tests
	@BUILD=$(BUILD) AS_USER="$(AS_USER)" AS_ROOT="$(AS_ROOT)" VM_KERNELS="$(VM_KERNELS)" \
		MAKE="$(MAKE)" tests/all

.PHONY: tests
tests: $(UNIT_TESTS) $(LIVE_TESTS)

check: all check-unit check-rooms check-cli check-golden check-fuzz check-lint ## tests that need no privilege

check-unit: $(UNIT_TESTS)
	CMOCKA_MESSAGE_OUTPUT=TAP prove -j2 --exec '' $(UNIT_TESTS)

check-rooms:
	prove tests/unit/rooms.t

check-cli: all $(LIVE_TESTS)
	PORTLIFE=$(BUILD)/portlife prove -j2 tests/live/compare_selftest.py tests/cli

check-golden: all
	PORTLIFE=$(BUILD)/portlife prove tests/golden/golden.t

check-live: all $(LIVE_TESTS) ## tests on this kernel; needs root
	BUILD=$(BUILD) tests/live/all

check-vm: all static $(LIVE_TESTS) ## tests in virtual machines
	BUILD=$(BUILD) VM_KERNELS="$(VM_KERNELS)" tests/vm/all

SOAK_OPERATIONS ?= 200000

soak: all $(LIVE_TESTS) ## a long run of the oracle on this kernel; needs root
	PORTLIFE=$(BUILD)/portlife ORACLE=$(BUILD)/tests/oracle \
		tests/oracle/run --operations=$(SOAK_OPERATIONS) --round=1000
	PORTLIFE=$(BUILD)/portlife ORACLE=$(BUILD)/tests/oracle \
		tests/oracle/run --operations=30000 --round=3000 --stopped

bench: all $(LIVE_TESTS) $(BUILD)/tests/sink_bench $(BUILD)/tests/replay_bench ## figures, as ratios within one run
	$(BUILD)/tests/sink_bench
	tests/bench/bench.sh
	$(AS_ROOT) $(BUILD)/portlife -qw $(BUILD)/loop.plr -- $(BUILD)/tests/loop 100000
	$(AS_ROOT) $(BUILD)/tests/replay_bench $(BUILD)/loop.plr

FORMATTED := $(wildcard bpf/*.[ch] vmlinux/*.h user/*.[ch] user/*/*.[ch] tests/*/*.[ch])
SCRIPTS   := $(shell grep -lE '^.!.*(bash|/sh)' .ci/run tests/all tests/*/* 2>/dev/null)

format: ## format all C
	clang-format -i $(FORMATTED)

lint: check-lint analyze ## format, clang-tidy, cppcheck, shellcheck, and what takes long of them

# What has been found good is not looked at again until its object is made anew. Clang's analyzer, which
# goes through every path, takes ten times as long as all else that clang-tidy does: it has a target of
# its own, and stops after so many states of one function (its own limit, 225000, takes many times as
# long again).
ANALYZER_STATES ?= 10000
LINTED   := $(filter user/%.c,$(USER_SOURCES))
TIDIED   := $(patsubst %.c,$(BUILD)/%.tidy,$(LINTED))
ANALYZED := $(patsubst %.c,$(BUILD)/%.analyzed,$(LINTED))

$(BUILD)/%.tidy: $(BUILD)/%.o .clang-tidy
	@clang-tidy --quiet '--warnings-as-errors=*' '--checks=-clang-analyzer-*' $*.c -- $(CPPFLAGS) \
		-std=gnu17 2>/dev/null
	@touch $@

$(BUILD)/%.analyzed: $(BUILD)/%.o .clang-tidy
	@clang-tidy --quiet '--warnings-as-errors=*' '--checks=-bugprone-*,-misc-*,-performance-*' $*.c \
		-- $(CPPFLAGS) -std=gnu17 -Xclang -analyzer-config -Xclang max-nodes=$(ANALYZER_STATES) \
		2>/dev/null
	@touch $@

analyze: all ## clang's analyzer over everything
	@$(MAKE) --no-print-directory -j2 $(ANALYZED)

check-lint:
	clang-format --dry-run -Werror $(FORMATTED)
	@mkdir -p $(BUILD)/cppcheck
	cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr --suppress=missingIncludeSystem --suppress=ctuuninitvar \
		--enable=warning,performance,portability -j2 --cppcheck-build-dir=$(BUILD)/cppcheck \
		-I. -D_GNU_SOURCE '-DLIBBPF_OPTS(T,N,...)=struct T N = {0}' \
		'-Dbpf_object__for_each_program(P,O)=while ((P = next(O)))' user
	@$(MAKE) --no-print-directory -j2 $(TIDIED)
	shellcheck -x $(SCRIPTS)

# --- the rest -----------------------------------------------------------------------------

install: all ## install below PREFIX (/usr/local)
	install -D -m 755 $(BUILD)/portlife $(DESTDIR)$(PREFIX)/bin/portlife
	install -D -m 644 user/dist/portlife.1 $(DESTDIR)$(PREFIX)/share/man/man1/portlife.1

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/portlife $(DESTDIR)$(PREFIX)/share/man/man1/portlife.1

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | column -t -s '	'
