/* What the names of tokenizer.ggml.pre stand for: each family's normal form and pre-tokenizer as its own tokenizer.json states
 * them, where llama.cpp's are approximations of those. */
#include <string.h>

#include "tokenizer/bpe/bpe.h"
#include "tokenizer/bpe/unicode.h"

#define SPLIT(regex)                                                                                                   \
    {                                                                                                                  \
        .kind = BPE_STEP_SPLIT, .pattern = (regex)                                                                     \
    }
#define BYTES                                                                                                          \
    {                                                                                                                  \
        .kind = BPE_STEP_BYTES                                                                                         \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .kind = BPE_STEP_END                                                                                           \
    }

/* The ends of English words, in either case. */
#define ENDINGS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LETTERS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define SYMBOLS " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define SPACES  "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER   "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER   "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(ending)                                                                                                  \
    "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" ending "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" ending
#define GPT4O  CASED(ENDINGS "?") "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES
#define LLAMA3 ENDINGS "|" LETTERS "|\\p{N}{1,3}|" SYMBOLS "|" SPACES
#define QWEN2  ENDINGS "|" LETTERS "|\\p{N}|" SYMBOLS "|" SPACES
#define WORDS  " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"

/* ByteLevel's own, after GPT-2's encoder.py. */
const char bpe_gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static const struct bpe_step gpt2[] = {SPLIT(bpe_gpt2_pattern), BYTES, END};
static const struct bpe_step digits_gpt2[] = {SPLIT(bpe_digit_pattern), SPLIT(bpe_gpt2_pattern), BYTES, END};
static const struct bpe_step llama3[] = {SPLIT(LLAMA3), BYTES, END};
static const struct bpe_step qwen2[] = {SPLIT(QWEN2), BYTES, END};
static const struct bpe_step qwen35[] = {
    SPLIT(ENDINGS "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" SPACES), BYTES,
    END};
static const struct bpe_step tekken[] = {SPLIT(CASED("") "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES), BYTES,
                                         END};
static const struct bpe_step gpt4o[] = {SPLIT(GPT4O), BYTES, END};
static const struct bpe_step falcon[] = {
    {.kind = BPE_STEP_SPLIT, .behavior = BPE_CONTIGUOUS, .pattern = bpe_punctuation_pattern},
    SPLIT(bpe_gpt2_pattern),
    BYTES,
    {.kind = BPE_STEP_SPLIT, .behavior = BPE_CONTIGUOUS, .pattern = bpe_digit_pattern},
    SPLIT("[0-9][0-9][0-9]"),
    END,
};
static const struct bpe_step deepseek_llm[] = {
    SPLIT("[\r\n]"),
    SPLIT("\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293"
          "\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a"
          "\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556"
          "\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf"
          "\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d"
          "\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d"
          "\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4"
          "\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4"
          "\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124"
          "\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f"
          "\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4"
          "\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f"
          "\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17"
          "\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"
          "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df"
          "\U0001e900-\U0001e943]+"),
    SPLIT("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"),
    SPLIT("\\s+$"),
    SPLIT("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"),
    SPLIT(bpe_digit_pattern),
    BYTES,
    END,
};
static const struct bpe_step deepseek_coder[] = {
    SPLIT("[\r\n]"),
    SPLIT("\\s?\\p{L}+"),
    SPLIT("\\s?\\p{P}+"),
    SPLIT("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"),
    SPLIT(bpe_digit_pattern),
    BYTES,
    END,
};
static const struct bpe_step deepseek_v3[] = {
    SPLIT("\\p{N}{1,3}"),
    SPLIT("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"),
    SPLIT("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
          "?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"),
    BYTES,
    END,
};
static const struct bpe_step bloom[] = {SPLIT(WORDS), BYTES, END};
static const struct bpe_step viking[] = {SPLIT(WORDS), SPLIT(bpe_digit_pattern), BYTES, END};
static const struct bpe_step bailing[] = {
    SPLIT("'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|"
          "\\s+(?!\\S)|\\s+"),
    BYTES, END};
static const struct bpe_step seed_coder[] = {
    SPLIT(ENDINGS "|" LETTERS "|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), BYTES, END};
static const struct bpe_step minicpm5[] = {SPLIT("\\p{N}{1,3}"),
                                           SPLIT(ENDINGS "|" LETTERS "|\\p{N}+|" SYMBOLS "|" SPACES), BYTES, END};
static const struct bpe_step tiny_aya[] = {SPLIT("\\d{1,3}(?=(?:\\d{3})*\\b)"), SPLIT(GPT4O), BYTES, END};
/* llama.cpp's own, for files that know no better. */
static const struct bpe_step unnamed[] = {
    SPLIT("[\\p{P}\\$\\+<=>\\^~\\|]+"), SPLIT(bpe_gpt2_pattern), SPLIT("\\p{N}+"), SPLIT("[0-9][0-9][0-9]"), BYTES, END,
};

/* Of names with the same recipe the first is the one we write. */
static const struct bpe_recipe recipes[] = {
    {.name = "gpt-2", .steps = gpt2},
    {.name = "phi-2", .steps = gpt2},
    {.name = "roberta-bpe", .steps = gpt2},
    {.name = "jais", .steps = gpt2},
    {.name = "trillion", .steps = gpt2},
    {.name = "granite-docling", .steps = gpt2},
    {.name = "gigachat", .steps = gpt2},
    {.name = "exaone4", .steps = gpt2},
    {.name = "mellum", .steps = gpt2},
    {.name = "a.x-4.0", .steps = gpt2},
    {.name = "olmo", .form = BPE_FORM_NFC, .steps = gpt2},
    {.name = "mpt", .form = BPE_FORM_NFC, .steps = gpt2},
    {.name = "modern-bert", .form = BPE_FORM_NFC, .steps = gpt2},
    {.name = "llama-bpe", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "llama3", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "llama-v3", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "falcon3", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "falcon-h1", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "pixtral", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "midm-2.0", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "lfm2", .ignore_merges = true, .adds_bos = true, .steps = llama3},
    {.name = "glm4", .ignore_merges = true, .steps = llama3},
    {.name = "dbrx", .steps = llama3},
    {.name = "smaug-bpe", .steps = llama3},
    {.name = "chatglm-bpe", .steps = llama3},
    {.name = "qwen2", .form = BPE_FORM_NFC, .steps = qwen2},
    {.name = "deepseek-r1-qwen", .form = BPE_FORM_NFC, .steps = qwen2},
    {.name = "stablelm2", .form = BPE_FORM_NFC, .steps = qwen2},
    {.name = "megrez", .form = BPE_FORM_NFC, .steps = qwen2},
    {.name = "hunyuan", .steps = qwen2},
    {.name = "grok-2", .steps = qwen2},
    {.name = "solar-open", .steps = qwen2},
    {.name = "qwen35", .form = BPE_FORM_NFC, .steps = qwen35},
    {.name = "smollm", .steps = digits_gpt2},
    {.name = "starcoder", .steps = digits_gpt2},
    {.name = "refact", .steps = digits_gpt2},
    {.name = "codeshell", .steps = digits_gpt2},
    {.name = "exaone", .steps = digits_gpt2},
    {.name = "minerva-7b", .steps = digits_gpt2},
    {.name = "mellum2", .steps = digits_gpt2},
    {.name = "command-r", .form = BPE_FORM_NFC, .steps = digits_gpt2},
    {.name = "falcon", .steps = falcon},
    {.name = "deepseek-llm", .steps = deepseek_llm},
    {.name = "deepseek-coder", .steps = deepseek_coder},
    {.name = "deepseek-v3", .steps = deepseek_v3},
    {.name = "hunyuan-dense", .steps = deepseek_v3},
    {.name = "tekken", .ignore_merges = true, .adds_bos = true, .steps = tekken},
    {.name = "gpt-4o", .steps = gpt4o},
    {.name = "llama4", .steps = gpt4o},
    {.name = "minimax-m2", .steps = gpt4o},
    {.name = "kanana2", .steps = gpt4o},
    {.name = "bloom", .steps = bloom},
    {.name = "poro-chat", .steps = bloom},
    {.name = "gpt3-finnish", .steps = bloom},
    {.name = "viking", .steps = viking},
    {.name = "bailingmoe", .steps = bailing},
    {.name = "bailingmoe2", .steps = bailing},
    {.name = "llada-moe", .steps = bailing},
    {.name = "seed-coder", .steps = seed_coder},
    {.name = "minicpm5", .ignore_merges = true, .steps = minicpm5},
    {.name = "tiny_aya", .form = BPE_FORM_NFC, .steps = tiny_aya},
    {.name = "default", .steps = unnamed},
};

const struct bpe_recipe *bpe_recipe_find(const char *pre, size_t n)
{
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        if (strlen(recipes[i].name) == n && memcmp(recipes[i].name, pre, n) == 0) {
            return &recipes[i];
        }
    }
    return NULL;
}

static bool same_steps(const struct bpe_step *a, const struct bpe_step *b)
{
    for (; a->kind == b->kind; a++, b++) {
        if (a->kind == BPE_STEP_END) {
            return true;
        }
        if (a->kind == BPE_STEP_SPLIT && (a->behavior != b->behavior || a->invert != b->invert ||
                                          a->literal != b->literal || strcmp(a->pattern, b->pattern) != 0)) {
            return false;
        }
    }
    return false;
}

const char *bpe_recipe_name(const struct bpe_recipe *r)
{
    for (size_t i = 0; r->norm == NULL && i < sizeof recipes / sizeof recipes[0]; i++) {
        const struct bpe_recipe *known = &recipes[i];
        if (known->form == r->form && known->ignore_merges == r->ignore_merges && same_steps(known->steps, r->steps)) {
            return recipes[i].name;
        }
    }
    return NULL;
}
