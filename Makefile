# One word for each thing that is done often; CMake does the work.
#
#   make                         install what is missing, build
#   make run                     and show it at work; ONCE=1 ends by itself
#   make test                    and run the tests
#   make bench                   measure, as a table and as build/bench.json
#   make simulate SEEDS=1-2000   runs of the simulation; prints the seeds that fail
#   make check                   everything that holds before a merge
#   make install                 to $(DESTDIR)$(PREFIX)
PREFIX ?= /usr/local
SEEDS ?= 1-2000

.PHONY: build run test bench simulate check install setup clean

build: setup
	@cmake --preset dev >build/configure.log || { cat build/configure.log; false; }
	@cmake --build --preset dev

run: build
	@scripts/run

test: build
	@ctest --preset dev

bench:
	@scripts/setup build test bench
	@cmake --preset release >/dev/null
	@cmake --build --preset release
	@bench/run build/release $(ONLY)

simulate: build
	@build/dev/satchel-simulate $(SEEDS)

check: setup
	@scripts/check

install: setup
	@cmake --preset release -DCMAKE_INSTALL_PREFIX="$(PREFIX)" >/dev/null
	@cmake --build --preset release
	@DESTDIR="$(DESTDIR)" cmake --install build/release

setup:
	@scripts/setup build test
	@mkdir -p build

clean:
	@rm -rf build
