# Fuzzing (tests/fuzz/fuzz.h): the targets over their corpus as a test of the suite, and a libFuzzer program each.
# tools/fuzz.sh calls for the programs with clang and a BUILD of their own.

FUZZ_NAMES  := gguf safetensors index config llama2c tokenizer_json sp_model added state jsonl options utf8 encode
FUZZ_PLAIN  := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_O      := $(FUZZ_PLAIN:%.c=$(BUILD)/%.o) $(filter-out %/main.o,$(CLI_O)) $(TEST_O)
FUZZ_BIN    := $(FUZZ_NAMES:%=$(BUILD)/fuzz/%)

# Only what a target needs of it is linked, so that counters of other code cost no time.
$(BUILD)/fuzz/targets.a: $(FUZZ_O)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/tests/fuzz/test_corpus: $(BUILD)/fuzz/targets.a
$(BUILD)/tests/fuzz/test_corpus: LDLIBS := $(BUILD)/libchoir.a -ledit $(LDLIBS)

$(BUILD)/fuzz/entry_%.o: tests/fuzz/libfuzzer.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -DFUZZ_TARGET=fuzz_$* -c -o $@ $<
$(FUZZ_BIN): $(BUILD)/fuzz/%: $(BUILD)/fuzz/entry_%.o $(BUILD)/fuzz/targets.a $(BUILD)/libchoir.a
	$(CXX) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(BUILD)/fuzz/targets.a $(BUILD)/libchoir.a -Wl,--end-group -lcmocka -ledit $(LDLIBS)
fuzz-programs: $(FUZZ_BIN)

fuzz: deps-gate ## each parser with libFuzzer, FUZZ_SECONDS=60 each (TARGET=gguf: that one)
	@tools/fuzz.sh $(or $(FUZZ_SECONDS),60) $(TARGET)
deep: deps-gate ## fuzz for FUZZ_SECONDS=3600 each; keeps what is new in tests/fuzz/corpus
	@tools/fuzz.sh -k $(or $(FUZZ_SECONDS),3600) $(TARGET)

.PHONY: fuzz-programs fuzz deep
-include $(FUZZ_PLAIN:%.c=$(BUILD)/%.d)
