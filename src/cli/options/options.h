/* The one table of options: every command's flags, --help, `/set` of `choir complete`, the man pages and the shells'
 * completions are made from it. */
#ifndef CHOIR_CLI_OPTIONS_H
#define CHOIR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir.h"

typedef enum cli_command {
    CMD_COMPLETE = 1,
    CMD_GENERATE = 2,
    CMD_BENCH = 4,
    CMD_TOKENIZE = 8,
    CMD_INFO = 16,
    CMD_QUANTIZE = 32,
    CMD_PERPLEXITY = 64,
    CMD_HEADS = 128
} cli_command;

/* One row of the table of commands. */
typedef struct command_row {
    cli_command command;
    const char *name;
    const char *arguments; /* for the usage line */
    const char *help;      /* one line for `choir --help` */
    const char *more;      /* lines under the usage line of `choir NAME --help` */
    int min_args, max_args;
    const char *stray; /* what to do with an argument that is one too many */
} command_row;

extern const command_row command_rows[]; /* ends with a row without a name */

#define LIST_CAP 64
typedef struct int_list {
    int32_t at[LIST_CAP];
    int n;
} int_list;

typedef struct text_list {
    const char **at; /* borrowed from argv */
    size_t n;
} text_list;

typedef struct bias_list {
    choir_logit_bias *at;
    size_t n;
} bias_list;

typedef struct head_list {
    choir_head *at;
    size_t n;
} head_list;

typedef struct options {
    const command_row *command;
    const char *args[4]; /* positional */
    int n_args;
    bool help;
    /* model */
    const char *model, *tokenizer, *quant, *cpu;
    bool mmap, pure, sandbox;
    head_list mask_heads;
    int32_t threads;    /* 0: not given */
    uint64_t mem_limit; /* 0: not given */
    /* prompt */
    const char *prompt, *file;
    bool raw, lossy;
    bool chat; /* also when one of the two that follow is given */
    const char *chat_template, *system;
    /* text */
    int32_t max_tokens, n_samples, ctx_size;
    int32_t beams; /* 0: not given */
    float length_penalty;
    text_list stops;
    bool echo, json, jsonl;
    int32_t logprobs; /* -1: not given */
    const char *resume;
    choir_sampling sampling;
    bool seed_given;
    bias_list biases;
    /* engine */
    const char *kv_type;
    int32_t kv_block, batch;
    int32_t n_seqs; /* 0: not given */
    bool no_prefix_cache, infinite;
    int32_t n_sinks;
    int32_t speculate; /* most guesses in a step; 0: none */
    const char *draft;
    const char *kv_save, *kv_load;
    /* talk */
    bool verbose, quiet;
    const char *color;
    const char *status; /* "on" or "off" */
    /* tokenize */
    bool ids_only, decode, no_bos;
    /* bench */
    int_list bench_prompt, bench_gen, bench_depth, bench_threads, bench_seqs;
    int32_t runs;
    const char *output, *plot;
    /* perplexity */
    int32_t stride, chunks; /* 0: not given */
    const char *save_logits, *kl;
    /* heads */
    int_list layers, heads; /* empty: all */
    int32_t top;            /* 0: not given */
    int32_t from;           /* below 0: from the end */
    int32_t new_tokens;
    int32_t token; /* -1: not given */
    bool csv, rerank;
    const char *pgm, *html;
} options;

typedef enum option_kind {
    OPTION_FLAG,  /* bool */
    OPTION_TEXT,  /* const char * */
    OPTION_NAME,  /* const char *, one of names() */
    OPTION_INT,   /* int32_t, min to max */
    OPTION_POWER, /* int32_t, a power of two, min to max */
    OPTION_GUESS, /* int32_t, "ngram" (max / 4) or "ngram:N", min to max */
    OPTION_SEED,  /* uint64_t and seed_given */
    OPTION_BYTES, /* uint64_t, K M G T allowed behind the number */
    OPTION_REAL,  /* float, min to max; an infinite max means finite, open_min: above min */
    OPTION_INTS,  /* int_list, min to max */
    OPTION_TEXTS, /* text_list, repeatable */
    OPTION_BIAS,  /* bias_list, repeatable, ID=B */
    OPTION_HEADS  /* head_list, repeatable, "L3H5,L4H*" */
} option_kind;

typedef enum option_group {
    GROUP_TEXT,
    GROUP_MODEL,
    GROUP_OUTPUT,
    GROUP_SAMPLING,
    GROUP_ENGINE,
    GROUP_TALK,
    N_GROUPS
} option_group;

extern const char *const option_group_names[N_GROUPS];

typedef struct option_row {
    unsigned commands; /* mask of cli_command */
    option_group group;
    const char *name;     /* without the dashes */
    char letter;          /* short form or 0 */
    const char *alias;    /* second long name or NULL */
    char alias_letter;    /* second short form or 0 */
    const char *argument; /* as --help names it ("N"), NULL for a flag */
    const char *help;
    option_kind kind;
    size_t field; /* offset in options */
    double min, max;
    bool open_min;
    const char *(*names)(int i);
    bool common;      /* in the short help of a command whose flags do not fit a screen */
    const char *more; /* sentences for the man page behind `help`, or NULL */
} option_row;

extern const option_row option_rows[]; /* ends with a row without a name */

/* Defaults for all commands. */
void options_default(options *o);
void options_free(options *o);
/* Reads argv[0 .. argc) (after the command's name) for o->command.  CHOIR_USAGE with one line. */
choir_status options_parse(options *o, int argc, char **argv, choir_error *err);
/* Sets one option from text; shown: how the user wrote its name, for the message.  value is borrowed. */
choir_status option_set(options *o, const option_row *row, const char *shown, const char *value, choir_error *err);
/* The row of a long name (an alias too) for a command, or NULL. */
const option_row *option_find(unsigned command, const char *name);
const option_row *option_find_letter(unsigned command, char letter);
/* The row of a command's name, or NULL. */
const command_row *command_find(const char *name);

#endif
