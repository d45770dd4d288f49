# scry - find pictures by describing them. `make help` lists what can be made.

MODE ?= release            # release, debug, asan, tsan
override MODE := $(strip $(MODE))
O ?= build/$(MODE)
VERSION := 0.1.0
PREFIX ?= /usr/local
# Compiling for another processor: CROSS_COMPILE=aarch64-linux-gnu- names the tools (tools/cross.sh, docs/packages.md).
CC := $(CROSS_COMPILE)gcc
PKG_CONFIG ?= pkg-config
AR := $(CROSS_COMPILE)ar

WARN := -Wall -Wextra -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter
ifdef DEV
WARN += -Werror -Wshadow
endif
CFLAGS_release := -O2 -g1
CFLAGS_debug := -O0 -g3
CFLAGS_asan := -O1 -g2 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DSCRY_SANITIZED=1
CFLAGS_tsan := -O1 -g2 -fsanitize=thread -DSCRY_SANITIZED=1
CFLAGS_fuzz := -O1 -g2 -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -DSCRY_SANITIZED=1
# Hardening of release builds, as far as the compiler has it. FORTIFY_SOURCE is 3, or 2 where that is unknown, unless the
# packager's flags set it. tests/check/binaries.sh asserts all of it on the built files.
ifeq ($(MODE),release)
has = $(shell printf '\043include <features.h>\n' | $(CC) -O2 -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
fortify := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=
HARDEN := $(foreach f,-fstack-protector-strong -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard,$(call has,$f)) \
    $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(or $(call has,$(fortify)3),$(fortify)2))
endif
# Paths of the source tree are not in the objects, so that builds in different folders are identical.
ALL_CFLAGS := -std=gnu11 -fPIC -pthread $(WARN) $(CFLAGS_$(MODE)) $(HARDEN) -ffile-prefix-map=$(CURDIR)=. -Iinclude -Isrc \
    -D_GNU_SOURCE -DSCRY_VERSION='"$(VERSION)"' $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pthread $(filter -fsanitize%,$(CFLAGS_$(MODE))) -Wl,--as-needed,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)

# Commands are shown in short; V=1 shows them whole.
Q := $(if $(V),,@)
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-5s %s\n' $(1) $(patsubst $(O)/%,%,$(2)))

# What make runs reads the words in pictures only where it says so, since that takes longer than all the rest.
export SCRY_WORDS ?= no

.DEFAULT_GOAL := all
include mk/sources.mk
include $(wildcard mk/rules-*.mk)

.PHONY: all help clean
all: $(PROGRAMS)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed 's/:.*## /\t/' | expand -t 12

clean: ## remove what was built
	rm -rf build dist scry
