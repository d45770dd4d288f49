# Debian packages (tools/deps.sh; DEPS=no leaves them alone). Targets whose packages may be
# missing start a second make after installing them, since pkg-config runs when make starts.
# The second make uses all processors unless this one was given -j.
.PHONY: deps deps-test deps-lint deps-check
again = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

deps: ## install the Debian packages that the build needs
	@DEPS=$(DEPS) tools/deps.sh build
deps-test:
	@DEPS=$(DEPS) tools/deps.sh build test
deps-lint:
	@DEPS=$(DEPS) tools/deps.sh build lint
deps-check:
	@DEPS=$(DEPS) tools/deps.sh build test lint check
