# make install, make uninstall, make deb.  PREFIX, DESTDIR, and each of the folders below can be given.

PREFIX     ?= /usr/local
prefix     ?= $(PREFIX)
bindir     ?= $(prefix)/bin
libdir     ?= $(prefix)/lib
includedir ?= $(prefix)/include
datadir    ?= $(prefix)/share
mandir     ?= $(datadir)/man
bashdir    ?= $(datadir)/bash-completion/completions
zshdir     ?= $(datadir)/zsh/site-functions
fishdir    ?= $(datadir)/fish/vendor_completions.d

VERSION    := $(shell sed -n 's/^.define CHOIR_VERSION "\(.*\)"/\1/p' src/engine/machine.c)
INSTALL    ?= install
# Here, and not in a file that an installation for another PREFIX would leave behind.
PC         := sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' -e 's|@includedir@|$(includedir)|' \
                  -e 's|@version@|$(VERSION)|' packaging/choir.pc.in

install: all ## install below PREFIX (/usr/local); DESTDIR for packages
	$(INSTALL) -d "$(DESTDIR)$(bindir)" "$(DESTDIR)$(libdir)/pkgconfig" "$(DESTDIR)$(includedir)/choir" \
	    "$(DESTDIR)$(mandir)/man1" "$(DESTDIR)$(mandir)/man5" \
	    "$(DESTDIR)$(bashdir)" "$(DESTDIR)$(zshdir)" "$(DESTDIR)$(fishdir)"
	$(INSTALL) -m 755 $(BUILD)/choir "$(DESTDIR)$(bindir)"
	$(INSTALL) -m 644 $(BUILD)/libchoir.a $(BUILD)/libchoir.so.0 "$(DESTDIR)$(libdir)"
	ln -sf libchoir.so.0 "$(DESTDIR)$(libdir)/libchoir.so"
	$(PC) >"$(DESTDIR)$(libdir)/pkgconfig/choir.pc"
	$(INSTALL) -m 644 include/choir.h "$(DESTDIR)$(includedir)"
	$(INSTALL) -m 644 include/choir/*.h "$(DESTDIR)$(includedir)/choir"
	$(INSTALL) -m 644 $(BUILD)/doc/man/*.1 "$(DESTDIR)$(mandir)/man1"
	$(INSTALL) -m 644 $(BUILD)/doc/man/*.5 "$(DESTDIR)$(mandir)/man5"
	$(INSTALL) -m 644 $(BUILD)/doc/choir.bash "$(DESTDIR)$(bashdir)/choir"
	$(INSTALL) -m 644 $(BUILD)/doc/_choir "$(DESTDIR)$(zshdir)"
	$(INSTALL) -m 644 $(BUILD)/doc/choir.fish "$(DESTDIR)$(fishdir)"

uninstall: ## remove what install installed
	rm -f "$(DESTDIR)$(bindir)/choir" "$(DESTDIR)$(includedir)/choir.h" \
	    "$(DESTDIR)$(libdir)/libchoir.a" "$(DESTDIR)$(libdir)/libchoir.so" "$(DESTDIR)$(libdir)/libchoir.so.0" \
	    "$(DESTDIR)$(libdir)/pkgconfig/choir.pc" "$(DESTDIR)$(mandir)/man1/choir.1" \
	    "$(DESTDIR)$(mandir)"/man[15]/choir-*.[15] \
	    "$(DESTDIR)$(bashdir)/choir" "$(DESTDIR)$(zshdir)/_choir" "$(DESTDIR)$(fishdir)/choir.fish"
	rm -rf "$(DESTDIR)$(includedir)/choir"

deb: all ## build Debian packages, into build/deb
	@packaging/make_deb.sh $(BUILD) build/deb

test-deb: deb ## check them, and install them in a new system (lintian, mmdebstrap, root)
	@packaging/test_deb.sh build/deb

.PHONY: install uninstall deb test-deb
