# make        a release build of ingot
# make demo   installs what is missing, builds, and casts a Debian image from an installer ISO
# make test   installs what is missing and runs everything
# make unit   runs the unit tests in a debug build
# make tsan   runs the unit tests with the thread sanitizer
# make bench  measures the budgets, and rewrites the tables of docs/benchmarks.md
SWIFT ?= swift

.PHONY: all demo test unit tsan lint bench clean dependencies

all:
	$(SWIFT) build -c release --product ingot

dependencies:
	scripts/install-dependencies

demo: dependencies all
	timeout 5400 scripts/demo

lint:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests
	@# They need ICU's data, which the program does without: see Sources/CICUData.
	! grep -rnE 'DateFormatter|NumberFormatter|NSRegularExpression|\b(Locale|Calendar|TimeZone)\b|\.localized[A-Z]\w*\(' Sources --include='*.swift'
	scripts/check-english

# One release build serves the tests and the demo.
test: dependencies
	$(MAKE) lint
	timeout 3000 $(SWIFT) build -c release --build-tests
	timeout 2400 $(SWIFT) test -c release --skip-build --no-parallel
	timeout 3000 env OUTPUT=.build/demo scripts/demo --fresh-from install
	timeout 900 env OUTPUT=.build/demo-resumed BOOT=no scripts/demo --fresh-from 1
	timeout 900 scripts/compare-images .build/demo/debian-13.qcow2 .build/demo-resumed/debian-13.qcow2

# Tests that start no machine: no build of an image, and not libguestfs's appliance.
unit_tests = --skip EndToEndTests --skip Appliance

unit: dependencies
	timeout 3000 $(SWIFT) build --build-tests
	timeout 1200 $(SWIFT) test --skip-build $(unit_tests)

# The sanitizer needs a build of everything for itself.
tsan: dependencies
	timeout 3600 $(SWIFT) build --scratch-path .build-tsan --sanitize thread --build-tests
	timeout 2400 $(SWIFT) test --scratch-path .build-tsan --sanitize thread --skip-build $(unit_tests)

bench: dependencies all
	scripts/bench

clean:
	$(SWIFT) package clean
