# Thin: Meson does the work. make help says what there is.
BUILD ?= build
ASAN_BUILD ?= build-asan
TSAN_BUILD ?= build-tsan
PREFIX ?= /usr/local
PYTHON ?= /usr/bin/python3
SECONDS ?= 600
# Where the tests import the Python package from; pip installs it for users.
SITE = -Dsite=$(abspath $(1))/site -Dpythons=$(2)

all: $(BUILD)/build.ninja
	$(if $(CI),meson configure $(BUILD) -Dwerror=true)
	ninja -C $(BUILD)
	@meson install -C $(BUILD) --no-rebuild --quiet --only-changed --tags python-runtime

help:
	@echo 'make          build/heapwhy; the Python package in build/site'
	@echo 'make check    install what is missing, build, run every test'
	@echo 'make demo     install what is missing, build, diagnose a service that leaks'
	@echo 'make leaks    call every function of the Python package 10,000 times: two hours'
	@echo 'make soak     everything at once under heapwhy run, three times SECONDS ($(SECONDS))'
	@echo 'make bench    measure speed and memory'
	@echo 'make install  into PREFIX ($(PREFIX)), below DESTDIR'
	@echo 'make asan     build-asan/heapwhy, with the address and undefined sanitizers'
	@echo 'make tsan     build-tsan/heapwhy, with the thread sanitizer'
	@echo 'make clean    remove all of these'

packages:
	tools/install-packages

$(BUILD)/build.ninja:
	meson setup $(BUILD) --prefix=$(PREFIX) $(call SITE,$(BUILD),$(shell tools/pythons))

$(ASAN_BUILD)/build.ninja:
	meson setup $(ASAN_BUILD) $(call SITE,$(ASAN_BUILD),$(PYTHON)) -Db_sanitize=address,undefined -Db_lundef=false

$(TSAN_BUILD)/build.ninja:
	meson setup $(TSAN_BUILD) -Db_sanitize=thread -Db_lundef=false

asan: $(ASAN_BUILD)/build.ninja
	$(if $(CI),meson configure $(ASAN_BUILD) -Dwerror=true)
	ninja -C $(ASAN_BUILD)
	@meson install -C $(ASAN_BUILD) --no-rebuild --quiet --only-changed --tags python-runtime

tsan: $(TSAN_BUILD)/build.ninja
	ninja -C $(TSAN_BUILD)

check: packages
	-@tests/env/chroot-forky >/dev/null # Python 3.14, which the package is built for, too
	$(MAKE) --no-print-directory all asan
	@$(PYTHON) tools/run-checks $(BUILD) $(ASAN_BUILD)

demo: packages
	$(MAKE) --no-print-directory all
	@tools/demo $(BUILD)/heapwhy

leaks: packages
	$(MAKE) --no-print-directory all
	HEAPWHY_LEAK_CALLS=10000 $(PYTHON) -m pytest -q -rP tests/inside/test_leaks.py

soak: all
	HEAPWHY=$(BUILD)/heapwhy tests/soak/soak.py $(SECONDS) $(PYTHON)

bench: packages
	$(MAKE) --no-print-directory all
	HEAPWHY=$(abspath $(BUILD)/heapwhy) $(PYTHON) bench/bench.py

install: all
	meson install -C $(BUILD) --no-rebuild --tags runtime,man,completion,devel

clean:
	rm -rf $(BUILD) $(ASAN_BUILD) $(TSAN_BUILD)

.PHONY: all help packages asan tsan check demo leaks soak bench install clean
