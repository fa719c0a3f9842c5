/* Texts for several prompts, made together: each step computes a token of every one.   batch PROMPT... */
#include <choir.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const char *prompt;
    char text[4096];
    size_t n;
} job;

static int collect(void *user, int32_t sample, const char *text, size_t n)
{
    job *j = user;
    (void)sample;
    if (n > sizeof j->text - j->n) {
        return 1; /* ends this text */
    }
    memcpy(j->text + j->n, text, n);
    j->n += n;
    return 0;
}

static void done(void *user, int32_t sample, const choir_result *result, choir_status status, const choir_error *err)
{
    const job *j = user;
    (void)sample;
    printf("%s%.*s\n[%s: %d tokens]\n", j->prompt, (int)j->n, j->text, status ? err->msg : "done", result->n_generated);
}

static int submit(choir_scheduler *scheduler, const choir_model *model, job *j, choir_error *err)
{
    choir_request_options request;
    choir_request_options_default(&request);
    int32_t *ids = NULL;
    uint64_t id;
    int failed = choir_tokenize(&ids, &request.n_ids, model, j->prompt, strlen(j->prompt), true, err) != CHOIR_OK;
    request.ids = ids;
    request.generation.max_tokens = 60;
    request.stream = collect;
    request.done = done;
    request.user = j;
    failed = failed || choir_scheduler_submit(&id, scheduler, &request, err);
    free(ids); /* the request has a copy */
    return failed;
}

int main(int argc, char **argv)
{
    choir_error err = {.msg = "out of memory"};
    choir_model_options model_options; /* by default, the built-in model */
    choir_engine_options options;
    choir_model_options_default(&model_options);
    choir_engine_options_default(&options);
    options.n_seqs = 8; /* texts at the same time */
    choir_model *model = NULL;
    choir_engine *engine = NULL;
    choir_scheduler *scheduler = NULL;
    choir_scheduler_info info = {.n_waiting = argc - 1};
    job *jobs = calloc((size_t)argc, sizeof *jobs);
    int failed = !jobs || choir_model_open(&model, &model_options, &err) ||
                 choir_engine_open(&engine, model, &options, &err) || choir_scheduler_open(&scheduler, engine, &err);
    for (int i = 1; i < argc && !failed; i++) {
        jobs[i].prompt = argv[i];
        failed = submit(scheduler, model, &jobs[i], &err);
    }
    for (; !failed && info.n_running + info.n_waiting > 0; choir_scheduler_describe(scheduler, &info)) {
        failed = choir_scheduler_step(scheduler, &err) != CHOIR_OK;
    }
    if (failed) {
        fprintf(stderr, "%s\n", err.msg);
    }
    choir_scheduler_close(scheduler);
    choir_engine_close(engine);
    choir_model_close(model);
    free(jobs);
    return failed;
}
