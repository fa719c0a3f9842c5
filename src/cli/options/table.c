/* The table of commands and options.  A row says everything about a flag; nothing else in the program knows its name. */
#include "cli/options/options.h"

#include <math.h>

#define GEN    CMD_GENERATE
#define COMP   CMD_COMPLETE
#define BENCH  CMD_BENCH
#define TOK    CMD_TOKENIZE
#define INFO   CMD_INFO
#define QUANT  CMD_QUANTIZE
#define PPL    CMD_PERPLEXITY
#define HEADS  CMD_HEADS
#define TEXT   (GEN | COMP)
#define ENGINE (TEXT | BENCH)
#define ALL    (ENGINE | TOK | INFO | QUANT | PPL | HEADS)

#define INT_MOST     2147483647.0
#define THREADS_MOST 1024
/* Designators, so that a row may leave out what it does not need. */
#define INTO(k, name) .kind = (k), .field = offsetof(options, name)

static const char *color_name(int i)
{
    static const char *const names[] = {"auto", "always", "never", NULL};
    return names[i];
}

static const char *status_name(int i)
{
    static const char *const names[] = {"on", "off", NULL};
    return names[i];
}

static const char *output_name(int i)
{
    static const char *const names[] = {"md", "json", "jsonl", "csv", NULL};
    return names[i];
}

const char *const option_group_names[N_GROUPS] = {
    [GROUP_TEXT] = "Text",         [GROUP_MODEL] = "Model",   [GROUP_OUTPUT] = "Output",
    [GROUP_SAMPLING] = "Sampling", [GROUP_ENGINE] = "Engine", [GROUP_TALK] = "Talk",
};

const command_row command_rows[] = {
    {CMD_COMPLETE, "complete", "", "write with the model in the terminal",
     "Type a text: the model goes on from it; an empty line: more; Ctrl-C stops it.\nTab shows how it would go on, Tab "
     "again takes that.  /help tells the rest.",
     0, 0, "a text to begin with goes after -p"},
    {CMD_GENERATE, "generate", "", "go on from a prompt: -p, a file or stdin in, text out",
     "The text goes to stdout as it is made; stdin is read when it is no terminal\nand neither -p nor -f is given.", 0,
     0, "the prompt goes after -p"},
    {CMD_BENCH, "bench", "[compare A.json B.json]", "tokens per second, with the machine's own limits beside them",
     "Lists make one row for each combination: -p 128,512 -d 0,4096 -t 1,2", 0, 3,
     "bench takes only: compare A.json B.json"},
    {CMD_TOKENIZE, "tokenize", "", "text to ids and pieces, or back", "One token a line: its id, a tab, its piece.", 0,
     0, "the text goes after -p"},
    {CMD_INFO, "info", "[MODEL]", "what a model is, and what it needs in memory",
     "From the headers alone: no weights are read.", 0, 1, "info takes one model"},
    {CMD_PERPLEXITY, "perplexity", "", "how well a model predicts a text, with the error",
     "The text comes from -f, stdin or -p.  Windows, scores and errors are those of\nllama.cpp's tool, so that numbers "
     "compare.",
     0, 0, "the text goes after -f"},
    {CMD_HEADS, "heads", "map|report|explain|prune-scan|prune|cost [OUT|MODEL]",
     "what each attention head looks at, and what heads cost",
     "map: attention weights of a text; a map a head, or one of them large\n"
     "report: what kind of head each is, by its means over a text; which are alike\n"
     "explain: which heads and blocks made the next token; what each layer would say\n"
     "prune-scan: what perplexity rises by without each head, and without several\n"
     "prune OUT: the model without the heads that are masked, as a GGUF file\n"
     "cost [MODEL]: what a model's attention takes, from its shape alone",
     1, 3, "see choir help heads"},
    {CMD_QUANTIZE, "quantize", "IN OUT.gguf [TYPE]", "any model in, a smaller GGUF file out",
     "IN is a folder, a .gguf or .bin file or ORG/NAME; TYPE is q8_0 if not given.", 2, 3,
     "quantize takes IN OUT TYPE"},
    {.name = NULL},
};

const option_row option_rows[] = {
    {GEN | COMP | TOK | PPL | HEADS, GROUP_TEXT, "prompt", 'p', NULL, 0, "TEXT", "the text to begin with",
     INTO(OPTION_TEXT, prompt), .common = true,
     .more = "The text is UTF-8; what is not is refused with the offset of its first wrong byte. An empty prompt "
             "begins a text from nothing."},
    {GEN | COMP | TOK | PPL | HEADS, GROUP_TEXT, "file", 'f', NULL, 0, "FILE", "read the text from FILE (- is stdin)",
     INTO(OPTION_TEXT, file), .common = true,
     .more = "One final newline is dropped, as echo adds one; --raw keeps it. Without -p and -f, stdin is read when it "
             "is no terminal."},
    {GEN | COMP | TOK | PPL | HEADS, GROUP_TEXT, "raw", 0, NULL, 0, NULL,
     "keep the final newline of a file or of stdin", INTO(OPTION_FLAG, raw)},
    {GEN | COMP | TOK | PPL | HEADS, GROUP_TEXT, "lossy", 0, NULL, 0, NULL,
     "replace invalid UTF-8 instead of refusing it", INTO(OPTION_FLAG, lossy)},
    {TEXT, GROUP_TEXT, "chat", 0, NULL, 0, NULL, "a reply, by the model's chat template", INTO(OPTION_FLAG, chat),
     .common = true,
     .more = "The prompt is wrapped in the template that the model carries, known by its text and never run, and the "
             "reply ends with the template's end of turn. In complete each line is a turn."},
    {TEXT, GROUP_TEXT, "chat-template", 0, NULL, 0, "NAME", "instead of the model's: chatml, llama3, ...",
     INTO(OPTION_NAME, chat_template), .names = choir_chat_template_name,
     .more = "Takes this template whatever the model says. Implies --chat."},
    {TEXT, GROUP_TEXT, "system", 0, "system-prompt", 0, "TEXT", "a system message to begin a chat with",
     INTO(OPTION_TEXT, system),
     .more = "Implies --chat. Refused where the template has no place for a system message."},

    {BENCH, GROUP_TEXT, "n-prompt", 'p', NULL, 0, "N,..", "prompt tokens; 0: no such test (512)",
     INTO(OPTION_INTS, bench_prompt), .min = 0, .max = INT_MOST, .common = true,
     .more = "Each number makes one test of computing so many tokens of a prompt (pp)."},
    {BENCH, GROUP_TEXT, "n-gen", 'n', NULL, 0, "N,..", "tokens generated; 0: no such test (128)",
     INTO(OPTION_INTS, bench_gen), .min = 0, .max = INT_MOST, .common = true,
     .more = "Each number makes one test of generating so many tokens (tg)."},
    {BENCH, GROUP_TEXT, "n-depth", 'd', "depth", 0, "N,..", "tokens already in the context (0)",
     INTO(OPTION_INTS, bench_depth), .min = 0, .max = INT_MOST, .common = true,
     .more = "Tests are repeated with so many tokens in the cache before they begin."},
    {BENCH, GROUP_TEXT, "n-seqs", 0, NULL, 0, "N,..", "texts at the same time (1)", INTO(OPTION_INTS, bench_seqs),
     .min = 1, .max = 1024, .common = true},
    {BENCH, GROUP_TEXT, "threads", 't', NULL, 0, "N,..", "threads (the physical cores)",
     INTO(OPTION_INTS, bench_threads), .min = 1, .max = THREADS_MOST, .common = true},
    {BENCH, GROUP_TEXT, "repetitions", 'r', "runs", 0, "N", "runs of each test, after one to warm up (5)",
     INTO(OPTION_INT, runs), .min = 1, .max = 10000, .common = true},
    {BENCH, GROUP_TEXT, "output", 'o', NULL, 0, "FORMAT", "md, json, jsonl or csv (md)", INTO(OPTION_NAME, output),
     .names = output_name, .common = true},
    {BENCH, GROUP_TEXT, "plot", 0, NULL, 0, "FILE", "draw the speeds over -d and --n-seqs as an SVG",
     INTO(OPTION_TEXT, plot), .common = true,
     .more = "A panel for each of the two lists that has several numbers, with what the machine's limits allow as a "
             "dashed line; light or dark as the reader's screen is."},

    {ALL & ~QUANT, GROUP_MODEL, "model", 'm', NULL, 0, "MODEL", "folder, .gguf, .bin or ORG/NAME (built-in)",
     INTO(OPTION_TEXT, model), .common = true,
     .more = "A folder with config.json and safetensors, a .gguf file (of a split one, the first), a llama2.c .bin "
             "file, or the name of a model in the Hugging Face cache. Without it the model that CHOIR_MODEL names is "
             "taken, else the built-in one."},
    {ALL, GROUP_MODEL, "tokenizer", 0, NULL, 0, "FILE", "SentencePiece file instead of the model's own",
     INTO(OPTION_TEXT, tokenizer), .more = "Needed for a llama2.c file without a tokenizer.model beside it."},
    {ENGINE | INFO | PPL | HEADS, GROUP_MODEL, "quant", 0, NULL, 0, "TYPE", "quantize while loading: q8_0, q4_K_M, ...",
     INTO(OPTION_NAME, quant), .names = choir_quant_name, .common = true,
     .more = "Each matrix is stored in this type while it is read; the file stays as it is. A mix such as q4_K_M gives "
             "a better type to the matrices that need it most."},
    {QUANT, GROUP_MODEL, "pure", 0, NULL, 0, NULL, "every matrix of TYPE, none of a better one",
     INTO(OPTION_FLAG, pure),
     .more = "Without it a mix such as q4_K_M gives a better type to the matrices that need it most, and the output "
             "matrix keeps more bits."},
    {TEXT | PPL | HEADS, GROUP_MODEL, "mask-heads", 0, NULL, 0, "LIST", "heads that shall give nothing: L3H5,L4H*",
     INTO(OPTION_HEADS, mask_heads),
     .more = "Layers and heads count from 0; H* is all heads of a layer. What such a head found is replaced by zeros "
             "before W_O mixes the heads. May be given again; choir heads prune-scan tells what each is worth."},
    {ENGINE | PPL | HEADS, GROUP_MODEL, "mmap", 0, NULL, 0, NULL, "use the file in place instead of packing it",
     INTO(OPTION_FLAG, mmap),
     .more = "Starts at once and shares memory between processes, but rows that are not packed are computed with more "
             "slowly, and no one looks for NaN or infinity among their weights: only the step that meets one fails."},

    {TEXT, GROUP_OUTPUT, "max-tokens", 'n', "n-predict", 0, "N", "most tokens; -1: until the end (256)",
     INTO(OPTION_INT, max_tokens), .min = -1, .max = INT_MOST, .common = true,
     .more = "With -1 the text goes on until the model ends it or the context is full."},
    {TEXT | INFO, GROUP_OUTPUT, "ctx-size", 'c', NULL, 0, "N", "context in tokens (what model and memory allow)",
     INTO(OPTION_INT, ctx_size), .min = 1, .max = INT_MOST, .common = true},
    {PPL, GROUP_OUTPUT, "ctx-size", 'c', NULL, 0, "N", "tokens of a window (512)", INTO(OPTION_INT, ctx_size), .min = 1,
     .max = INT_MOST, .common = true},
    {HEADS, GROUP_OUTPUT, "layer", 'l', NULL, 0, "N,..", "only these layers, from 0 (all)", INTO(OPTION_INTS, layers),
     .min = 0, .max = 1023, .common = true},
    {HEADS, GROUP_OUTPUT, "head", 0, NULL, 0, "N,..", "only these heads, from 0 (all)", INTO(OPTION_INTS, heads),
     .min = 0, .max = 4095, .common = true},
    {HEADS, GROUP_OUTPUT, "top", 0, NULL, 0, "K", "map: tokens looked at most; explain: said (3)",
     INTO(OPTION_INT, top), .min = 1, .max = 100, .common = true},
    {HEADS, GROUP_OUTPUT, "from", 0, NULL, 0, "N", "map: rows of tokens from N on; -N: the last N",
     INTO(OPTION_INT, from), .min = -INT_MOST, .max = INT_MOST,
     .more = "Tokens before take no room, so of a long text the end can be looked at. The first "
             "row in "
             "JSON is then that of token \"from\"."},
    {HEADS, GROUP_OUTPUT, "token", 0, NULL, 0, "N", "explain: this id instead of the most likely",
     INTO(OPTION_INT, token), .min = 0, .max = INT_MOST},
    {HEADS, GROUP_OUTPUT, "new-tokens", 'n', NULL, 0, "N", "let the model go on for N tokens first (0)",
     INTO(OPTION_INT, new_tokens), .min = 0, .max = 65536, .more = "Always the most likely token."},
    {HEADS, GROUP_OUTPUT, "ctx-size", 'c', NULL, 0, "N", "tokens of a window (256); cost: of the context",
     INTO(OPTION_INT, ctx_size), .min = 1, .max = INT_MOST},
    {HEADS, GROUP_OUTPUT, "csv", 0, NULL, 0, NULL, "lines of layer,head,query,key,weight", INTO(OPTION_FLAG, csv),
     .common = true},
    {HEADS, GROUP_OUTPUT, "pgm", 0, NULL, 0, "FILE", "map: a picture of all, a layer a row", INTO(OPTION_TEXT, pgm),
     .common = true, .more = "- is stdout."},
    {HEADS, GROUP_OUTPUT, "html", 0, NULL, 0, "FILE", "map, report, explain: a page for a browser",
     INTO(OPTION_TEXT, html), .common = true, .more = "One file that loads nothing else; - is stdout."},
    {PPL, GROUP_OUTPUT, "stride", 0, "ppl-stride", 0, "N", "a window every N tokens, its last N scored",
     INTO(OPTION_INT, stride), .min = 1, .max = INT_MOST, .common = true},
    {PPL, GROUP_OUTPUT, "chunks", 0, NULL, 0, "N", "most windows (all)", INTO(OPTION_INT, chunks), .min = 1,
     .max = INT_MOST, .common = true},
    {HEADS, GROUP_OUTPUT, "chunks", 0, NULL, 0, "N", "most windows (report: 16, prune-scan: 4)",
     INTO(OPTION_INT, chunks), .min = 1, .max = INT_MOST, .common = true},
    {HEADS, GROUP_OUTPUT, "rerank", 0, NULL, 0, NULL, "prune-scan: rank again after each drop (slow)",
     INTO(OPTION_FLAG, rerank),
     .more = "The curve then drops the head that is cheapest when those before it are gone, not the next one of the "
             "first ranking. That takes as many times as long as the curve has points, halved: up to 20 times."},
    {PPL, GROUP_OUTPUT, "save-logits", 0, NULL, 0, "FILE", "keep the logits, to compare others with",
     INTO(OPTION_TEXT, save_logits), .common = true},
    {PPL, GROUP_OUTPUT, "kl", 0, NULL, 0, "FILE", "compare with logits that were kept", INTO(OPTION_TEXT, kl),
     .common = true},
    {INFO, GROUP_OUTPUT, "n-seqs", 0, NULL, 0, "N", "texts at the same time (1)", INTO(OPTION_INT, n_seqs), .min = 1,
     .max = 65536},
    {TEXT, GROUP_OUTPUT, "stop", 0, NULL, 'r', "STRING", "end before STRING; may be given again",
     INTO(OPTION_TEXTS, stops), .common = true,
     .more = "STRING is never printed, also when it is split over tokens. Up to then text that could be its beginning "
             "is held back."},
    {TEXT, GROUP_OUTPUT, "ignore-eos", 0, NULL, 0, NULL, "never draw the end of the text",
     INTO(OPTION_FLAG, sampling.ignore_eos)},
    {GEN, GROUP_OUTPUT, "n-samples", 0, NULL, 0, "N", "several texts, made together (1)", INTO(OPTION_INT, n_samples),
     .min = 1, .max = 1000000,
     .more = "Each text is drawn with a random stream of its own, made from the seed; the prompt is computed once. "
             "With --beams: how many of the best are printed."},
    {GEN, GROUP_OUTPUT, "jsonl", 0, NULL, 0, NULL, "a request a line in, an answer a line out",
     INTO(OPTION_FLAG, jsonl), .common = true,
     .more = "Requests run together, what they begin with alike is computed once, and each text is the one it would be "
             "alone. See choir-jsonl(5)."},
    {GEN, GROUP_OUTPUT, "resume", 0, NULL, 0, "OUT", "with --jsonl: go on where file OUT ends",
     INTO(OPTION_TEXT, resume),
     .more = "Answers go to the end of OUT, and what is answered there is not computed again; a line that a kill cut "
             "off is dropped."},
    {GEN, GROUP_OUTPUT, "n-seqs", 0, NULL, 0, "N", "of several texts: at the same time (16)", INTO(OPTION_INT, n_seqs),
     .min = 1, .max = 1024},
    {GEN, GROUP_OUTPUT, "beams", 0, NULL, 0, "N", "the most likely text, by a search N wide", INTO(OPTION_INT, beams),
     .min = 1, .max = 1024,
     .more = "So many texts are followed in common steps; nothing is drawn. What it finds is what beam search in "
             "transformers finds with early_stopping=False."},
    {GEN, GROUP_OUTPUT, "length-penalty", 0, NULL, 0, "X", "of --beams: log-probability / tokens^X (1)",
     INTO(OPTION_REAL, length_penalty), .min = -100, .max = 100},
    {GEN, GROUP_OUTPUT, "echo", 0, NULL, 0, NULL, "print the prompt too", INTO(OPTION_FLAG, echo)},
    {GEN, GROUP_OUTPUT, "logprobs", 0, NULL, 0, "N", "in --json: log-probabilities, the N best too",
     INTO(OPTION_INT, logprobs), .min = 0, .max = 100,
     .more = "Natural logarithms, of the model's own distribution: before penalties, temperature and filters. Needs "
             "--json. With --echo those of the prompt too."},
    {GEN | TOK | INFO | PPL | HEADS, GROUP_OUTPUT, "json", 0, NULL, 0, NULL, "one JSON object instead of text",
     INTO(OPTION_FLAG, json), .common = true, .more = "In generate the object is that of OpenAI's completions."},
    {TOK, GROUP_OUTPUT, "ids", 0, NULL, 0, NULL, "ids only, on one line", INTO(OPTION_FLAG, ids_only)},
    {TOK, GROUP_OUTPUT, "decode", 0, NULL, 0, NULL, "the text given is ids: print what they say",
     INTO(OPTION_FLAG, decode)},
    {TOK, GROUP_OUTPUT, "no-bos", 0, NULL, 0, NULL, "without the token that begins a text", INTO(OPTION_FLAG, no_bos)},

    {ENGINE, GROUP_SAMPLING, "seed", 's', NULL, 0, "N", "same seed, same text (random)",
     INTO(OPTION_SEED, sampling.seed), .common = true,
     .more = "The same seed, prompt and flags give the same text, on any number of threads and with the kernels of any "
             "processor. Without it a random seed is taken, which -v tells."},
    {ENGINE, GROUP_SAMPLING, "temp", 0, NULL, 0, "T", "0: always the most likely token (0.8)",
     INTO(OPTION_REAL, sampling.temp), .min = 0, .max = INFINITY, .common = true,
     .more = "Logits are divided by T before drawing."},
    {ENGINE, GROUP_SAMPLING, "top-k", 0, NULL, 0, "N", "only the N most likely; 0: off (40)",
     INTO(OPTION_INT, sampling.top_k), .min = 0, .max = INT_MOST, .common = true},
    {ENGINE, GROUP_SAMPLING, "top-p", 0, NULL, 0, "P", "only the first that reach P; 1: off (0.95)",
     INTO(OPTION_REAL, sampling.top_p), .min = 0, .max = 1, .common = true},
    {ENGINE, GROUP_SAMPLING, "min-p", 0, NULL, 0, "P", "none below P times the best; 0: off (0.05)",
     INTO(OPTION_REAL, sampling.min_p), .min = 0, .max = 1},
    {TEXT, GROUP_SAMPLING, "typical", 0, NULL, 0, "P", "only the most typical up to P; 1: off (1)",
     INTO(OPTION_REAL, sampling.typical), .min = 0, .max = 1},
    {TEXT, GROUP_SAMPLING, "repeat-penalty", 0, NULL, 0, "X", "above 1: against repeated tokens (1)",
     INTO(OPTION_REAL, sampling.repeat_penalty), .min = 0, .max = INFINITY, .open_min = true,
     .more = "Logits of tokens in the last --repeat-last-n tokens are divided by X when positive, multiplied when "
             "negative."},
    {TEXT, GROUP_SAMPLING, "repeat-last-n", 0, NULL, 0, "N", "how far penalties look back; -1: all (64)",
     INTO(OPTION_INT, sampling.repeat_last_n), .min = -1, .max = INT_MOST},
    {TEXT, GROUP_SAMPLING, "presence-penalty", 0, NULL, 0, "X", "off the logit of a token that was there (0)",
     INTO(OPTION_REAL, sampling.presence_penalty), .min = -INFINITY, .max = INFINITY},
    {TEXT, GROUP_SAMPLING, "frequency-penalty", 0, NULL, 0, "X", "the same, for each time it was there (0)",
     INTO(OPTION_REAL, sampling.frequency_penalty), .min = -INFINITY, .max = INFINITY},
    {TEXT, GROUP_SAMPLING, "logit-bias", 0, NULL, 0, "ID=B", "add B to a token's logit; -inf bans it",
     INTO(OPTION_BIAS, biases), .more = "May be given again. ID is a token's number, as choir tokenize prints it."},
    {TEXT, GROUP_SAMPLING, "samplers", 0, NULL, 0, "ORDER", "penalties;top_k;typical;top_p;min_p;temperature",
     INTO(OPTION_TEXT, sampling.samplers),
     .more = "The order of the filters, separated by semicolons. One that is left out is not applied."},

    {TEXT | INFO | PPL | QUANT | HEADS, GROUP_ENGINE, "threads", 't', NULL, 0, "N", "threads (the physical cores)",
     INTO(OPTION_INT, threads), .min = 1, .max = THREADS_MOST, .common = true},
    {ENGINE | INFO | PPL | HEADS, GROUP_ENGINE, "batch", 'b', NULL, 0, "N", "prompt tokens computed at a time (512)",
     INTO(OPTION_INT, batch), .min = 1, .max = 65536,
     .more = "Changes the time to the first token, and memory, not the text."},
    {ENGINE | INFO | PPL | HEADS, GROUP_ENGINE, "kv-type", 0, NULL, 0, "TYPE",
     "of cached keys and values: f16, f32, q8_0 (f16)", INTO(OPTION_NAME, kv_type), .names = choir_kv_type_name,
     .common = true, .more = "q8_0 takes about half the memory of f16."},
    {ENGINE | INFO | PPL | HEADS, GROUP_ENGINE, "kv-block", 0, NULL, 0, "N", "tokens in a cache block (16)",
     INTO(OPTION_POWER, kv_block), .min = 1, .max = 256,
     .more = "A power of two. Texts that begin alike share whole blocks."},
    {TEXT | PPL, GROUP_ENGINE, "no-prefix-cache", 0, NULL, 0, NULL, "compute again what was computed before",
     INTO(OPTION_FLAG, no_prefix_cache)},
    {TEXT, GROUP_ENGINE, "speculate", 0, NULL, 0, "HOW", "ngram[:K]: guess K tokens a step (15)",
     INTO(OPTION_GUESS, speculate), .min = 1, .max = 63,
     .more = "Tokens that followed the last few before are guessed and checked in one step. The text is the same; text "
             "that repeats itself is made faster."},
    {TEXT, GROUP_ENGINE, "draft", 0, NULL, 0, "MODEL", "guess tokens with a smaller model", INTO(OPTION_TEXT, draft),
     .more = "Must have the same vocabulary. The text is the same; only the speed changes."},
    {GEN, GROUP_ENGINE, "kv-save", 0, NULL, 0, "FILE", "keep the whole text, and its cache, in FILE",
     INTO(OPTION_TEXT, kv_save)},
    {GEN, GROUP_ENGINE, "kv-load", 0, NULL, 0, "FILE", "go on from a text so kept; a prompt follows it",
     INTO(OPTION_TEXT, kv_load), .more = "The file must come from the same model, tokenizer and --kv-type."},
    {GEN, GROUP_ENGINE, "infinite", 0, NULL, 0, NULL, "text without end: the context slides over it",
     INTO(OPTION_FLAG, infinite),
     .more = "The first tokens (--sinks) stay, the last ones that fit are kept, and those between are forgotten. "
             "Memory stays flat."},
    {GEN, GROUP_ENGINE, "sinks", 0, NULL, 0, "N", "of --infinite: first tokens that stay (4)",
     INTO(OPTION_INT, n_sinks), .min = 0, .max = 512},
    {ENGINE | INFO | PPL | HEADS, GROUP_ENGINE, "cpu", 0, NULL, 0, "LEVEL", "highest instruction set to use (the best)",
     INTO(OPTION_NAME, cpu), .names = choir_cpu_level_name,
     .more = "A level that this processor or this program lacks falls to the next lower one."},
    {ENGINE | PPL | HEADS, GROUP_ENGINE, "mem-limit", 0, NULL, 0, "BYTES", "refuse to need more, as 4G (what is free)",
     INTO(OPTION_BYTES, mem_limit),
     .more = "K, M, G and T may follow the number. What does not fit is refused with the numbers, before anything is "
             "computed."},

    {TEXT | PPL, GROUP_ENGINE, "sandbox", 0, NULL, 0, NULL, "open nothing more once the model is open",
     INTO(OPTION_FLAG, sandbox),
     .more =
         "A filter of system calls (and Landlock, where there is one): from then on no file, program or socket can be "
         "opened, whatever the model makes of the text. History, /save and /load do without files then."},

    {ALL, GROUP_TALK, "verbose", 'v', NULL, 0, NULL, "tell more on stderr", INTO(OPTION_FLAG, verbose), .common = true,
     .more = "The model, the kernels, the memory, the seed and the speed."},
    {ALL, GROUP_TALK, "quiet", 'q', NULL, 0, NULL, "nothing but errors on stderr", INTO(OPTION_FLAG, quiet)},
    {COMP, GROUP_TALK, "status", 0, NULL, 0, "SWITCH", "on, off: tok/s and context after a turn (on)",
     INTO(OPTION_NAME, status), .names = status_name},
    {ALL, GROUP_TALK, "color", 0, NULL, 0, "WHEN", "auto, always, never; only on terminals (auto)",
     INTO(OPTION_NAME, color), .names = color_name,
     .more = "NO_COLOR, CLICOLOR_FORCE and TERM=dumb are heeded. No escape code is ever sent to what is no terminal."},
    {ALL, GROUP_TALK, "help", 'h', NULL, 0, NULL, "this text", INTO(OPTION_FLAG, help), .common = true},
    {.name = NULL},
};
