# One word for each thing that is done often; CMake does the work.
#
#   make                         install what is missing, build
#   make run                     and show it at work; ONCE=1 ends by itself
#   make test                    and run the tests
#   make bench                   measure, as a table and as build/bench.json
#   make simulate SEEDS=1-2000   runs of the simulation; prints the seeds that fail
#   make check                   everything that holds before a merge
#   make nightly                 that, 100,000 seeds, kills at random moments, and large files
#   make coverage                which lines the tests run: build/coverage/report/index.html
#   make install                 to $(DESTDIR)$(PREFIX)
PREFIX ?= /usr/local
SEEDS ?= 1-2000

.PHONY: build run test bench simulate check nightly coverage install setup clean

build: setup
	@cmake --preset dev >build/configure.log || { cat build/configure.log; false; }
	@cmake --build --preset dev

run: build
	@scripts/run

test: build
	@ctest --preset dev -j "$$(nproc)"

bench:
	@scripts/setup build test bench
	@cmake --preset release >/dev/null
	@cmake --build --preset release
	@bench/run build/release $(ONLY)

simulate: build
	@build/dev/satchel-simulate $(SEEDS)

check: setup
	@scripts/check

nightly: check
	@$(MAKE) simulate SEEDS=1-100000
	@SAT_TEST_KILLS=200 ctest --preset dev -R '^(backup/restore|cli/transfer_cut)$$'
	@SAT_TEST_LARGE=1 SATCHEL=build/dev/satchel python3 -B tests/cli/backup_large_test.py
	@SAT_TEST_LARGE=1 ctest --preset dev -R '^cli/transfer$$'

coverage:
	@scripts/setup build test coverage
	@scripts/coverage

install: setup
	@cmake --preset release -B build/install -DCMAKE_INSTALL_PREFIX="$(PREFIX)" \
	    -DSAT_TESTS=OFF -DSAT_BENCH=OFF >/dev/null
	@cmake --build build/install
	@DESTDIR="$(DESTDIR)" cmake --install build/install

setup:
	@scripts/setup build test
	@mkdir -p build

clean:
	@rm -rf build
