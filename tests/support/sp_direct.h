/* The SentencePiece library without anything of ours between: what our tokenizer is compared with. */
#ifndef TEST_SP_DIRECT_H
#define TEST_SP_DIRECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sp_direct;

/* NULL when the library refuses the file. */
struct sp_direct *sp_direct_open(const char *path);
/* The same for a model in memory. */
struct sp_direct *sp_direct_open_memory(const void *model, size_t n);
void sp_direct_close(struct sp_direct *d);

/* Results live until the next call of the same function. */
const int32_t *sp_direct_encode(struct sp_direct *d, const char *text, size_t n, size_t *n_ids);
const char *sp_direct_decode(struct sp_direct *d, const int32_t *ids, size_t n_ids, size_t *n);
int32_t sp_direct_n_pieces(const struct sp_direct *d);
int32_t sp_direct_bos(const struct sp_direct *d);
int32_t sp_direct_eos(const struct sp_direct *d);
int32_t sp_direct_unk(const struct sp_direct *d);

#ifdef __cplusplus
}
#endif

#endif
