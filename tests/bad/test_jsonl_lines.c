/* generate --jsonl under lines that were made by damaging good ones: it ends with 0 or 3, says nothing else on stdout than
 * JSON, and answers each line once, in order, by the line's own id.  What is an answer's right shape, jsonl.bats tells. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "tests/support/files.h"
#include "tests/support/random_text.h"

enum { LINES = 700, LINE_CAP = 1 << 13, FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL };

static const char *const good[] = {
    "{\"prompt\": \"Once upon a time\", \"id\": 1, \"max_tokens\": 3}",
    "{\"prompt\": \"A cat\", \"id\": \"cat\", \"max_tokens\": 4, \"temperature\": 0.5, \"seed\": 7, \"stream\": true}",
    "{\"prompt\": [1, 20, 30], \"id\": [1, {\"a\": null}], \"max_tokens\": 2, \"n\": 2, \"top_k\": 5}",
    "{\"prompt\": \"\", \"id\": null, \"max_tokens\": 2, \"top_p\": 0.9, \"min_p\": 0.1, \"typical\": 0.9}",
    "{\"prompt\": \"x\", \"stop\": [\" a\", \".\"], \"max_tokens\": 5, \"ignore_eos\": true}",
    "{\"prompt\": \"y \\u00e9\\ud83d\\ude00\", \"stop\": \"e\", \"max_tokens\": 3, \"repeat_penalty\": 1.1}",
    "{\"custom_id\": \"b-1\", \"method\": \"POST\", \"body\": {\"prompt\": \"z\", \"max_tokens\": 2, \"model\": "
    "\"m\"}}",
    "{\"prompt\": \"A dog and a cat\", \"echo\": true, \"logprobs\": 2, \"max_tokens\": 2, \"n\": 2, \"stream\": true}",
    "{\"cancel\": \"cat\"}",
    "{\"cancel\": [1, {\"a\": null}]}",
    "{\"prompt\": \"the\", \"max_tokens\": 0, \"presence_penalty\": 0.5, \"frequency_penalty\": -0.5, \"metadata\": "
    "{}}",
};

/* What takes the place of a part of a line, or is put into it. */
static const char *const bad[] = {
    "1e999",
    "-1e999",
    "1e-999",
    "-1",
    "0",
    "99999999999999999999999999",
    "9223372036854775807",
    "2147483648",
    "0.1",
    "NaN",
    "-",
    "null",
    "true",
    "{}",
    "[]",
    "[[[[[[[[",
    "]]]]",
    "{\"id\":",
    "\"\"",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\xff",
    "\xc3",
    "\xf4\x90\x80\x80",
    "\xed\xa0\x80",
    "\xef\xbb\xbf",
    "\r",
    "\t",
    "\x01",
    "\x7f",
    ",",
    ":",
    "}",
    "\"id\": 2, ",
    "\"n\": 3, ",
    "\"n\": 1000000, ",
    "\"max_tokens\": -1, ",
    "\"max_tokens\": 7, ",
    "\"prompt\": [], ",
    "\"prompt\": [1, -1], ",
    "\"prompt\": [0, 1000000], ",
    "\"prompt\": [1.5], ",
    "\"stop\": [], ",
    "\"stop\": [\"\"], ",
    "\"cancel\": 1, ",
    "\"custom_id\": {\"\": 0}, ",
    "\"body\": 3, ",
    "\"temperature\": 1e38, ",
    "\"temperature\": -1, ",
    "\"seed\": -1, ",
    "// ",
};

struct line {
    char at[LINE_CAP];
    size_t n;
};

/* n bytes in the place of `gone` ones, as far as there is room. */
static void replace(struct line *x, size_t pos, size_t gone, const char *with, size_t n)
{
    if (x->n - gone + n <= sizeof x->at) {
        memmove(x->at + pos + n, x->at + pos + gone, x->n - pos - gone);
        memcpy(x->at + pos, with, n);
        x->n += n - gone;
    }
}

static void damage(struct line *x, struct random_text *r)
{
    char other[64];
    const size_t pos = random_below(r, (uint32_t)x->n + 1), left = x->n - pos;
    const size_t some = random_below(r, 12), gone = some < left ? some : left;
    const char *word = bad[random_below(r, sizeof bad / sizeof *bad)];
    switch (random_below(r, 7)) {
    case 0: /* one bit; no newline, which would make two lines */
        if (left > 0 && (x->at[pos] ^ 16) != '\n') {
            x->at[pos] = (char)(x->at[pos] ^ 16);
        }
        break;
    case 1:
        replace(x, pos, gone, "", 0);
        break;
    case 2: /* twice */
        memcpy(other, x->at + pos, gone);
        replace(x, pos, 0, other, gone);
        break;
    case 3:
        replace(x, pos, 0, word, strlen(word));
        break;
    case 4: /* behind the first bracket: most often a key more */
        replace(x, x->n > 0, 0, word, strlen(word));
        break;
    case 5:
        replace(x, pos, gone, word, strlen(word));
        break;
    default:
        replace(x, pos, 0, "", 1); /* NUL */
    }
}

/* {"id": [[[...]]]}, deeper than a reader may go, or nearly. */
static void nest(struct line *x, struct random_text *r)
{
    static const char begin[] = "{\"prompt\": \"deep\", \"max_tokens\": 1, \"id\": ";
    const size_t depth = 1 + random_below(r, 2) * BASE_JSON_DEPTH + random_below(r, 60);
    x->n = sizeof begin - 1;
    memcpy(x->at, begin, x->n);
    memset(x->at + x->n, '[', depth);
    memset(x->at + x->n + depth, ']', depth);
    x->n += 2 * depth;
    x->at[x->n++] = '}';
}

static void make_line(struct line *x, struct random_text *r)
{
    const char *from = good[random_below(r, sizeof good / sizeof *good)];
    x->n = strlen(from);
    memcpy(x->at, from, x->n);
    if (random_below(r, 50) == 0) {
        nest(x, r);
    }
    for (uint32_t n = random_below(r, 4); n > 0; n--) {
        damage(x, r);
    }
    if (random_below(r, 8) == 0 && x->n < sizeof x->at) {
        x->at[x->n++] = '\r';
    }
    x->n = random_below(r, 30) == 0 ? random_below(r, 3) % (x->n + 1) : x->n;
}

/* The id that the answer to a line will have; NULL: none, it is blank or cancels another. */
static json_t *expected_id(const struct line *x, size_t number)
{
    size_t blank = 0;
    while (blank < x->n && x->at[blank] != '\0' && strchr(" \t\r", x->at[blank]) != NULL) {
        blank++;
    }
    json_error_t where;
    json_t *root = NULL, *id = NULL;
    if (blank < x->n) {
        (void)base_json_decode(&root, x->at, x->n, FLAGS, &where);
    } else {
        root = json_object();
    }
    const bool batch = json_object_get(root, "custom_id") != NULL || json_object_get(root, "body") != NULL;
    const bool none =
        blank == x->n || (!batch && json_object_get(root, "cancel") != NULL && json_object_size(root) == 1);
    if (!none) {
        const bool refused_cancel = !batch && json_object_get(root, "cancel") != NULL;
        id = refused_cancel ? NULL : json_incref(json_object_get(root, batch ? "custom_id" : "id"));
        id = id != NULL ? id : json_sprintf("cmpl-%zu", number);
    }
    json_decref(root);
    return id;
}

/* ---- the program ---- */

struct fixture {
    char *dir;
    json_t *ids; /* of the answers, in order */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->dir = files_make_dir();
    f->ids = json_array();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    json_decref(f->ids);
    files_remove_dir(f->dir);
    free(f);
    return 0;
}

static void make_input(struct fixture *f, uint64_t seed)
{
    struct random_text r = {seed};
    struct files_bytes b = {0};
    struct line *x = malloc(sizeof *x);
    for (size_t i = 1; i <= LINES; i++) {
        make_line(x, &r);
        json_t *id = expected_id(x, i);
        if (id != NULL) {
            json_array_append_new(f->ids, id);
        }
        files_add(&b, x->at, x->n);
        files_add(&b, "\n", i < LINES); /* the last one ends with the input */
    }
    files_write(f->dir, "in", b.data, b.n);
    files_free(&b);
    free(x);
}

static int open_as(const struct fixture *f, const char *name, int flags, int as)
{
    int fd = open(files_path(f->dir, name), flags, 0600);
    return fd >= 0 && dup2(fd, as) == as;
}

static int run(const struct fixture *f, const char *program)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (open_as(f, "in", O_RDONLY, STDIN_FILENO) &&
            open_as(f, "out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO) &&
            open_as(f, "err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO)) {
            execl(program, program, "generate", "--jsonl", "-n", "2", "-c", "48", "--n-seqs", "5", "--kv-block", "4",
                  "-t", "2", (char *)NULL);
        }
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The id of a line of output that ends an answer, or NULL; *refused when it tells of an error. */
static const json_t *answered_id(const json_t *line, bool *refused)
{
    const json_t *body = json_object_get(json_object_get(line, "response"), "body");
    const json_t *whole = body != NULL ? body : line;
    *refused |= json_object_get(whole, "error") != NULL;
    if (body == NULL && json_object_get(line, "usage") == NULL && json_object_get(line, "error") == NULL) {
        return NULL; /* a piece of a text */
    }
    return json_object_get(line, body != NULL ? "custom_id" : "id");
}

/* Whether there was a refusal among the answers. */
static bool check_output(const struct fixture *f)
{
    FILE *out = fopen(files_path(f->dir, "out"), "rb");
    char *line = NULL;
    size_t cap = 0, n_answers = 0;
    ssize_t n;
    bool refused = false;
    assert_non_null(out);
    while ((n = getline(&line, &cap, out)) > 0) {
        json_error_t where;
        json_t *object = json_loadb(line, (size_t)n, FLAGS, &where);
        if (object == NULL) {
            fail_msg("answer %zu: %s: %s", n_answers, where.text, line);
        }
        const json_t *id = answered_id(object, &refused);
        if (id != NULL && !json_equal(id, json_array_get(f->ids, n_answers++))) {
            fail_msg("answer %zu has another line's id: %s", n_answers - 1, line);
        }
        json_decref(object);
    }
    free(line);
    fclose(out);
    assert_int_equal(n_answers, json_array_size(f->ids));
    return refused;
}

/* What the program said beside its answers, which is nothing, into the test's own output. */
static void check_silence(const struct fixture *f)
{
    char text[2000] = "";
    FILE *err = fopen(files_path(f->dir, "err"), "rb");
    assert_non_null(err);
    size_t n = fread(text, 1, sizeof text - 1, err);
    fclose(err);
    text[n] = '\0';
    assert_string_equal(text, "");
}

static void test_damaged_lines(void **state)
{
    struct fixture *f = *state;
    const char *program = getenv("CHOIR_BIN");
    if (program == NULL) {
        print_message("# CHOIR_BIN, the program to be run, is not there\n");
        skip();
    }
    make_input(f, 1);
    int code = run(f, program);
    check_silence(f);
    assert_int_equal(code, check_output(f) ? 3 : 0);
    assert_true(json_array_size(f->ids) > LINES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_damaged_lines, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("damaged lines", tests, NULL, NULL);
}
