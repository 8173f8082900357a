# umbra: `make demo` shows it, `make test` tests it, `make help` lists the rest.
# Recipes are POSIX sh and silent where nothing is wrong. Wanted: git, make and a Swift toolchain, 6.2 or newer.

PREFIX = /usr/local
DESTDIR =
SWIFT = swift
# For `swift build` and `swift test`, as in: make test SWIFTFLAGS='--filter SessionFile'
SWIFTFLAGS =
# For `umbra demo`.
DEMOFLAGS =

BINARY = .build/release/umbra
BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
DATADIR = $(DESTDIR)$(PREFIX)/share/umbra
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system

# Debian's package, pkg-config's name, a header that it brings.
LIBRARIES = libpcap-dev:libpcap:pcap/pcap.h libyaml-dev:yaml-0.1:yaml.h zlib1g-dev:zlib:zlib.h \
	libbrotli-dev:libbrotlienc:brotli/encode.h libzstd-dev:libzstd:zstd.h

.PHONY: build demo test install uninstall deb lint man golden bench fuzz deps toolchain clean help
# One build directory: targets named together take turns.
.NOTPARALLEL:
.SILENT:
MAKEFLAGS += --no-print-directory

# A terminal gets SwiftPM's one moving line, a log gets nothing but what is wrong.
build: deps toolchain
	quiet=--quiet; if [ -t 1 ]; then quiet=; fi; \
	[ -x $(BINARY) ] || echo 'Building umbra; the first time takes some minutes.'; \
	$(SWIFT) build -c release --static-swift-stdlib --product umbra $$quiet $(SWIFTFLAGS)

demo: build
	$(BINARY) demo $(DEMOFLAGS)

# The summary of `swift test` comes last. Of its lines, those that only say that a test began or passed are left out.
test: deps toolchain
	lint=0; $(MAKE) lint || lint=$$?; \
	quiet=--quiet; if [ -t 1 ]; then quiet=; fi; \
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error $$quiet || exit; \
	{ $(SWIFT) test --skip-build --disable-xctest $(SWIFTFLAGS) 2>&1; echo "status $$?"; } | LC_ALL=C awk ' \
	  BEGIN { status = 1 } \
	  /^status [0-9]+$$/ { status = $$2; next } \
	  /^✔ Test run with / { print; next } \
	  /^(◇|✔|↳ Testing Library|↳ Target Platform|\[[0-9]+\/[0-9]+\])/ { next } \
	  { print; fflush() } \
	  END { exit status }' || exit; \
	if [ $$lint -ne 0 ]; then echo 'The tests passed, but lint did not: see above.'; exit 1; fi

install:
	if [ ! -x $(BINARY) ]; then $(MAKE) build; fi
	mkdir -p $(BINDIR) $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(DATADIR)/examples
	install -s -m 755 $(BINARY) $(BINDIR)/umbra
	install -m 644 fixtures/pcap/demo-shop.pcap $(DATADIR)/demo-shop.pcap
	install -m 644 man/umbra-report.schema.json $(DATADIR)/umbra-report.schema.json
	install -m 644 man/examples/* $(DATADIR)/examples
	$(BINARY) --generate-completion-script bash >$(BASHDIR)/umbra
	$(BINARY) --generate-completion-script zsh >$(ZSHDIR)/_umbra
	$(BINARY) --generate-completion-script fish >$(FISHDIR)/umbra.fish
	chmod 644 $(BASHDIR)/umbra $(ZSHDIR)/_umbra $(FISHDIR)/umbra.fish
	for page in man/*.[1-9]; do \
	  section=$(MANDIR)/man$${page##*.}; mkdir -p $$section && install -m 644 $$page $$section || exit; \
	done
	for unit in man/examples/*.service; do \
	  if [ -e $$unit ]; then mkdir -p $(UNITDIR) && install -m 644 $$unit $(UNITDIR) || exit; fi; \
	done
	echo 'umbra is installed in $(BINDIR).'

uninstall:
	rm -f $(BINDIR)/umbra $(BASHDIR)/umbra $(ZSHDIR)/_umbra $(FISHDIR)/umbra.fish $(DATADIR)/demo-shop.pcap
	rm -f $(DATADIR)/umbra-report.schema.json
	for example in man/examples/*; do rm -f $(DATADIR)/examples/$${example##*/}; done
	rmdir $(DATADIR)/examples $(DATADIR) 2>/dev/null || true
	for page in man/*.[1-9]; do rm -f $(MANDIR)/man$${page##*.}/$${page##*/}; done
	for unit in man/examples/*.service; do rm -f $(UNITDIR)/$${unit##*/}; done

# A package of this commit for Debian and Ubuntu, in the folder of builds.
deb: build
	Tests/Packaging/deb $(BINARY) .build

lint: toolchain
	$(SWIFT) format lint --strict --parallel --recursive Sources Tests Package.swift
	if ! command -v mandoc >/dev/null; then echo 'mandoc is not installed: man pages are not checked.'; \
	elif ls man/*.[1-9] >/dev/null 2>&1; then mandoc -T lint -W warning man/*.[1-9]; fi

# Man pages say what the flags say: written by the program itself.
man: build
	$(BINARY) manual --directory man

golden: deps toolchain
	echo 'Rewriting golden files. Tests that rewrite one fail on purpose: look at the change, then run them again.'
	RECORD_GOLDENS=1 $(SWIFT) test --disable-xctest --quiet $(SWIFTFLAGS)

bench: build
	Tests/Benchmarks/run

fuzz: deps toolchain
	Tests/Fuzz/run

# The system's libraries: installed where apt-get can, named where it cannot.
deps:
	missing=; \
	command -v pkg-config >/dev/null || missing=pkg-config; \
	for library in $(LIBRARIES); do \
	  package=$${library%%:*}; header=$${library##*:}; module=$${library#*:}; module=$${module%:*}; \
	  ls /usr/include/$$header /usr/include/*/$$header /usr/local/include/$$header 2>/dev/null | grep -q . || \
	  pkg-config --exists $$module 2>/dev/null || missing="$$missing $$package"; \
	done; \
	missing=$${missing# }; \
	[ -n "$$missing" ] || exit 0; \
	if ! command -v apt-get >/dev/null; then \
	  echo "umbra needs these libraries with their headers (names as in Debian): $$missing" >&2; \
	  echo 'There is no apt-get here: install them with the means of this system, then run make again.' >&2; exit 2; \
	fi; \
	sudo=; \
	if [ "$$(id -u)" -ne 0 ]; then \
	  sudo=sudo; \
	  if ! command -v sudo >/dev/null; then \
	    echo "umbra needs these packages, and to install them takes root or sudo. As root: apt-get install $$missing" >&2; \
	    exit 2; \
	  fi; \
	fi; \
	echo "Installing with apt-get: $$missing"; \
	$$sudo apt-get update -qq || echo 'apt-get update failed: trying with the package lists as they are.' >&2; \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null || { \
	  echo "apt-get could not install: $$missing" >&2; exit 2; }

toolchain:
	version=$$($(SWIFT) --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p'); \
	set -- $$version 0 0; \
	if [ "$$1" -lt 6 ] || { [ "$$1" -eq 6 ] && [ "$$2" -lt 2 ]; }; then \
	  found="found $$1.$$2"; if [ -z "$$version" ]; then found='found none'; fi; \
	  echo "umbra needs Swift 6.2 or newer ($$found): https://www.swift.org/install/linux" >&2; exit 2; \
	fi

clean:
	rm -rf .build umbra-demo

help:
	echo 'make demo       two built-in servers, real traffic, capture, replay, report'
	echo 'make test       lint and all tests'
	echo 'make build      the release binary: $(BINARY)'
	echo 'make install    binary, man pages, completions under PREFIX ($(PREFIX)), staged in DESTDIR'
	echo 'make uninstall  removes what install put there'
	echo 'make deb        a Debian package, in .build'
	echo 'make lint       swift format and mandoc, as part of the tests'
	echo 'make man        writes the man pages from the flags'
	echo 'make golden     rewrites golden files'
	echo 'make bench      measures against tcpdump and wrk'
	echo 'make fuzz       fuzzes the decoders'
	echo 'make clean      removes what was built'
