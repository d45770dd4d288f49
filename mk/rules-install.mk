# Installing: make install PREFIX=/usr/local DESTDIR=, make uninstall, make deb.
#
#     bin/scry
#     libexec/scry/    scry-decode and the plugins, found from lib/ (scry_program_file)
#     share/scry/      models/starter, models/words, the tokenizer files and the catalogue of models
#     include/scry/, lib/libscry.{a,so}, lib/pkgconfig/scry.pc     for programs in C
#     share/man/man1 and man3, completions for bash, zsh and fish, an entry for desktops with its icon
#     lib/systemd/user/     units that run scry watch or scry serve, or index once an hour
#     lib/systemd/system/   the same and the server for a machine, as the user scry (lib/sysusers.d/)
bindir = $(PREFIX)/bin
libdir = $(PREFIX)/lib
libexecdir = $(PREFIX)/libexec/scry
datadir = $(PREFIX)/share
zshdir = $(datadir)/zsh/site-functions
unitdir = $(PREFIX)/lib/systemd
sysusersdir = $(PREFIX)/lib/sysusers.d
icondir = $(datadir)/icons/hicolor/scalable/apps
fishdir = $(datadir)/fish/vendor_completions.d

# The static library that is installed: one object in which other names than the public ones are local.
$(O)/static/libscry.a: $(call obj,$(LIB_SRC)) $(O)/gen/build.o $(O)/libscry.names
	@mkdir -p $(@D)
	rm -f $@
	$(CROSS_COMPILE)ld -r -o $(@D)/scry.o $(filter %.o,$^)
	$(CROSS_COMPILE)objcopy --keep-global-symbols=$(O)/libscry.names $(@D)/scry.o
	$(AR) rcs $@ $(@D)/scry.o
# The program that is installed finds libscry.so relative to its own folder, unless libdir is one of the
# system's library folders. Linked for each installation: PREFIX may be another than the last time.
.PHONY: $(O)/installed/scry
$(O)/installed/scry: $(CLI_OBJ) $(LIBSCRY)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -pie $(if $(filter /lib /lib/% /usr/lib /usr/lib/%,$(libdir)),,$(call \
	    beside,/$(shell realpath -sm --relative-to=$(bindir) $(libdir)))) -o $@ $^ -lm

.PHONY: install uninstall deb
I = install -m 644
install: all man man3 $(O)/static/libscry.a $(O)/installed/scry ## install below PREFIX (/usr/local), staged in DESTDIR
	install -d $(addprefix $(DESTDIR),$(bindir) $(libexecdir) $(libdir)/pkgconfig $(PREFIX)/include/scry \
	    $(datadir)/scry $(datadir)/man/man1 $(datadir)/man/man3 $(datadir)/bash-completion/completions $(zshdir) $(fishdir) \
	    $(unitdir)/user $(unitdir)/system $(sysusersdir) $(datadir)/applications $(icondir))
	install $(O)/installed/scry $(DESTDIR)$(bindir)/scry
	install $(O)/scry-decode $(DESTDIR)$(libexecdir)/
	$(I) $(PLUGINS) $(DESTDIR)$(libexecdir)/
	cp -RT --no-preserve=mode,ownership models $(DESTDIR)$(datadir)/scry/models
	$(I) include/scry/*.h $(DESTDIR)$(PREFIX)/include/scry/
	$(I) $(O)/static/libscry.a $(LIBSCRY) $(DESTDIR)$(libdir)/
	ln -sf $(SONAME) $(DESTDIR)$(libdir)/libscry.so
	sed -e 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(libdir),; s,@VERSION@,$(VERSION),; s,@REQUIRES@,$(LIB_PKGS),' \
	    mk/scry.pc.in >$(DESTDIR)$(libdir)/pkgconfig/scry.pc
	cd mk/systemd && for unit in */*; do sed -e 's,@PREFIX@,$(PREFIX),' $$unit >$(DESTDIR)$(unitdir)/$$unit; done
	$(I) mk/systemd/scry.sysusers $(DESTDIR)$(sysusersdir)/scry.conf
	$(I) mk/desktop/scry.desktop $(DESTDIR)$(datadir)/applications/
	$(I) web/icon.svg $(DESTDIR)$(icondir)/scry.svg
	$(I) build/man/*.1 $(DESTDIR)$(datadir)/man/man1/
	$(I) build/man/*.3 $(DESTDIR)$(datadir)/man/man3/
	$(O)/scry completion bash >$(DESTDIR)$(datadir)/bash-completion/completions/scry
	$(O)/scry completion zsh >$(DESTDIR)$(zshdir)/_scry
	$(O)/scry completion fish >$(DESTDIR)$(fishdir)/scry.fish
	$(if $(DESTDIR),,-[ "$$(id -u)" != 0 ] || ldconfig)

uninstall: ## remove what install installed
	rm -f $(DESTDIR)$(bindir)/scry $(DESTDIR)$(libdir)/libscry.a $(DESTDIR)$(libdir)/libscry.so* \
	    $(DESTDIR)$(libdir)/pkgconfig/scry.pc $(DESTDIR)$(datadir)/man/man1/scry.1 $(DESTDIR)$(datadir)/man/man1/scry-*.1 \
	    $(DESTDIR)$(datadir)/bash-completion/completions/scry $(DESTDIR)$(zshdir)/_scry $(DESTDIR)$(fishdir)/scry.fish \
	    $(DESTDIR)$(sysusersdir)/scry.conf $(DESTDIR)$(datadir)/applications/scry.desktop $(DESTDIR)$(icondir)/scry.svg \
	    $(patsubst mk/systemd/%,$(DESTDIR)$(unitdir)/%,$(wildcard mk/systemd/*/*)) \
	    $(patsubst build/man/%,$(DESTDIR)$(datadir)/man/man3/%,$(wildcard build/man/*.3))
	rm -rf $(DESTDIR)$(libexecdir) $(DESTDIR)$(datadir)/scry $(DESTDIR)$(PREFIX)/include/scry

deb: deps-deb ## Debian packages in dist/
	@$(again) all
	@mkdir -p dist
	DEB_RULES_REQUIRES_ROOT=no debian/rules clean binary KEEP=1 OUT=dist
.PHONY: deps-deb
deps-deb:
	@DEPS=$(DEPS) tools/deps.sh build deb

# A software bill of materials: SPDX 2.3, docs/packages.md.
.PHONY: sbom
sbom: $(O)/scry.spdx.json ## what it consists of, as SPDX, in build/release/scry.spdx.json
$(O)/scry.spdx.json: all tools/sbom.py debian/copyright debian/changelog models/starter/MODEL_CARD.md
	tools/sbom.py $(O) $@
