/* Building SentencePiece model files for tests, right ones and wrong ones: the wire format by hand, nothing checked. */
#ifndef TEST_SP_BYTES_H
#define TEST_SP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A model file under construction. */
struct sp_bytes {
    char *data;
    size_t n, cap;
};

void sp_bytes_put(struct sp_bytes *b, const void *src, size_t n);
void sp_bytes_number(struct sp_bytes *b, uint64_t v);
void sp_bytes_field(struct sp_bytes *b, unsigned number, const void *src, size_t n);
void sp_bytes_piece(struct sp_bytes *b, const char *text, size_t n, float score, unsigned type);
/* A normal piece. */
void sp_bytes_word(struct sp_bytes *b, const char *text);
/* TrainerSpec (message 2) or NormalizerSpec (3) with one number in it. */
void sp_bytes_setting(struct sp_bytes *b, unsigned message, unsigned field, uint64_t value);
/* <unk> and five pieces: ids 0 to 5.  BPE. */
struct sp_bytes sp_bytes_begin(void);

/* ---- precompiled_charsmap ---- */

enum { SP_N_UNITS = 1024 };
#define SP_NO_UNIT 0x80000000u /* no byte leads here */

struct sp_charsmap {
    uint32_t trie_bytes;
    uint32_t units[SP_N_UNITS];
    char texts[8];
};

/* A unit of the trie at `at`, whose children are at base ^ byte. */
uint32_t sp_unit(uint32_t at, uint32_t base, uint32_t label, bool leaf);
/* "A" becomes "b", "AB" becomes nothing. */
struct sp_charsmap sp_good_map(void);

#endif
