# The program under faults, and the longer checks that have targets of their own.

# The commands, with a main that a test can call; calls that may fail go through tests/fault/faults.c.
FAULT_WRAP := malloc calloc realloc strdup strndup realpath mmap open fstat read __read_chk pread __pread_chk write fsync \
              rename linkat close
FAULT_O    := $(filter-out %/main.o,$(CLI_O)) $(BUILD)/tests/fault/choir_main.o $(BUILD)/tests/fault/faults.o
comma      := ,
$(BUILD)/tests/fault/choir_main.o: src/cli/main.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wno-missing-prototypes -Dmain=choir_main -c -o $@ $<
$(BUILD)/tests/fault/test_fault: $(FAULT_O)
$(BUILD)/tests/fault/test_fault: LDFLAGS += $(FAULT_WRAP:%=-Wl$(comma)--wrap=%)
$(BUILD)/tests/fault/test_fault: LDLIBS := $(BUILD)/libchoir.a -ledit $(LDLIBS)
-include $(FAULT_O:.o=.d)

faults: deps-test ## every fault that the test of the commands only samples (minutes)
	@$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/choir $(BUILD)/tests/fault/test_fault
	@CHOIR_FAULTS=1000000 $(BUILD)/tests/fault/test_fault

asan: deps-gate ## the whole suite under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory -s -j$$(nproc) BUILD=build/asan OPT=-O1 SANITIZE=address,undefined tests
	@CHOIR_CHECK_EVERY=11 ASAN_OPTIONS=allocator_may_return_null=1 tests/run.sh build/asan
tsan: deps-gate ## the thread sanitizer, and whether it still finds races that were planted
	@tools/tsan.sh
msan: deps-gate ## the memory sanitizer, on what calls no other library but jansson
	@tools/msan.sh
valgrind: deps-gate ## memcheck on short runs of the built-in model
	@tools/valgrind.sh
coverage: deps-gate ## the whole suite; lines and branches of each part that it went through
	@tools/coverage.sh
soak: deps-test ## mixed --jsonl requests for SOAK_SECONDS=600: memory, descriptors and threads stay flat
	@$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/choir
	@python3 tools/soak.py $(BUILD)/choir $${SOAK_SECONDS:-600}

# Races put in on purpose, for tools/tsan.sh.
$(BUILD)/tests/race/planted: $(BUILD)/tests/race/planted.o $(BUILD)/libchoir.a
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)
-include $(BUILD)/tests/race/planted.d

.PHONY: faults asan tsan msan valgrind coverage soak
