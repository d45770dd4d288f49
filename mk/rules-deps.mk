# Debian packages (tools/deps.sh; DEPS=no leaves them alone). What needs packages that may be
# missing starts a second make once they are there, since pkg-config is asked at the start.
# It builds on all processors unless this make was given -j.
.PHONY: deps deps-test deps-check
again = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

deps: ## install the Debian packages that the build needs
	@DEPS=$(DEPS) tools/deps.sh build
deps-test:
	@DEPS=$(DEPS) tools/deps.sh build test
deps-check:
	@DEPS=$(DEPS) tools/deps.sh build test check
