/* Packing the matrices, in parallel.
 *
 * The work is cut into pieces of whole panels, about a megabyte of the file each, numbered in the order of the plan and
 * handed out by a counter.  A thread reads a piece into its own buffer (small enough to stay in the cache), brings it to
 * the type wanted, and packs it where it belongs: memory holds one copy of the weights and n_threads pieces.
 *
 * A matrix that lies transposed in the file is one piece, whatever its size.
 *
 * When a piece fails, no more are handed out, and all that were are finished; so every piece before the first that fails
 * has been tried, and the error reported is that of the lowest number, whatever the threads did. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"
#include "kernels/pack.h"
#include "kernels/parallel.h"
#include "model/bind.h"
#include "weights/quants.h"

/* Between 128 KB and 2 MB the size of a piece makes no difference (measured 2026-11, warm page cache).  A thread is worth
 * starting for some milliseconds of work. */
enum { PIECE_BYTES = 1 << 20, THREAD_BYTES = 4 << 20 };

/* A matrix to pack. */
struct job {
    const struct mdl_part *part;
    const struct wts_tensor *src; /* the part's */
    uint8_t *panels;
    choir_dtype type;
    const uint8_t *rows;  /* the source where it lies in memory already (built-in model, mapped file), or NULL */
    uint64_t piece_rows;  /* multiple of a panel's */
    uint64_t first_piece; /* number of its first piece */
};

/* What a piece at work needs. */
struct buffers {
    uint8_t *rows;  /* the piece as the file has it */
    uint8_t *whole; /* a tensor to be transposed */
    float *wide;    /* one row, between two types */
    uint8_t *panel; /* 16 rows of the type wanted */
};

struct fault {
    uint64_t piece; /* UINT64_MAX: none */
    choir_error error;
};

struct load {
    struct job *jobs; /* [n_jobs + 1]; the last only holds first_piece = n_pieces */
    size_t n_jobs;
    uint64_t n_pieces, total_bytes;
    size_t rows_bytes, whole_bytes, wide_bytes, panel_bytes; /* of a thread's buffers */
    struct base_arena buffers;
    struct fault *faults; /* [n_threads] */
    const struct mdl_load_options *opt;
    atomic_uint_fast64_t next, done_bytes;
    atomic_bool stop, cancelled;
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t source_row_bytes(const struct job *job)
{
    return dtype_row_bytes(job->src->type, (size_t)job->part->n_cols);
}

/* fits: a tensor's bytes are all in the file; of all of a model's matrices they are what mdl_plan_make has summed up, or less */
static void add_job(struct load *ld, const struct mdl_part *part, uint8_t *panels)
{
    struct job *job = &ld->jobs[ld->n_jobs++];
    const struct wts_tensor *t = part->src;
    const uint8_t *rows = mdl_part_is_plain(part) ? wts_rows_in_place(t) : NULL;
    *job = (struct job){
        .part = part,
        .src = t,
        .panels = panels,
        .type = part->type,
        .first_piece = ld->n_pieces,
    };
    const size_t row_bytes = source_row_bytes(job), n_cols = (size_t)part->n_cols;
    job->rows = rows != NULL ? rows + part->row0 * row_bytes : NULL;
    job->piece_rows = larger(PIECE_BYTES / row_bytes / DTYPE_PANEL_ROWS, 1) * DTYPE_PANEL_ROWS;
    if (part->transposed) { /* in one piece */
        job->piece_rows = part->n_rows;
        ld->whole_bytes = larger(ld->whole_bytes, (size_t)t->n_rows * dtype_row_bytes(t->type, (size_t)t->n_cols));
    }
    ld->n_pieces += (part->n_rows + job->piece_rows - 1) / job->piece_rows;
    ld->total_bytes += part->n_rows * row_bytes;
    if (job->rows == NULL) {
        ld->rows_bytes = larger(ld->rows_bytes, (size_t)job->piece_rows * row_bytes);
    }
    if (job->type != t->type) {
        ld->wide_bytes = larger(ld->wide_bytes, n_cols * sizeof(float));
        ld->panel_bytes = larger(ld->panel_bytes, DTYPE_PANEL_ROWS * dtype_row_bytes(job->type, n_cols));
    }
}

/* n (1 to 16) rows, from r on, into one panel of the job's type.  What is not finite in the file is not in any type, and is seen
 * on its way into the panel.  fits: rows of a panel in the arena. */
static choir_status pack_rows(const struct job *job, uint64_t r, const uint8_t *rows, int n, const struct buffers *b,
                              choir_error *err)
{
    const struct mdl_part *part = job->part;
    const choir_dtype from = job->src->type;
    const uint8_t *ready = rows;
    const size_t n_cols = (size_t)part->n_cols, row_bytes = source_row_bytes(job);
    const size_t ready_bytes = dtype_row_bytes(job->type, n_cols);
    if (job->type != from) {
        for (int i = 0; i < n; i++) {
            wts_dequantize_row(from, b->wide, rows + (size_t)i * row_bytes, n_cols);
            wts_quantize_row(job->type, b->panel + (size_t)i * ready_bytes, b->wide, n_cols);
        }
        ready = b->panel;
    }
    uint8_t *panel = job->panels + r / DTYPE_PANEL_ROWS * dtype_panel_bytes(job->type, n_cols);
    if (kern_pack_panel_checked(job->type, panel, ready, ready_bytes, n, (int)n_cols)) {
        return CHOIR_OK;
    }
    const choir_status status = mdl_part_check(part, r, (uint64_t)n, from, rows, err);
    return status != CHOIR_OK ? status
                              : mdl_part_check(part, r, (uint64_t)n, job->type, ready, err); /* too large for it */
}

/* fits: rows of the part */
static choir_status load_piece(struct load *ld, const struct job *job, uint64_t piece, const struct buffers *b,
                               choir_error *err)
{
    const size_t row_bytes = source_row_bytes(job);
    const uint64_t row0 = (piece - job->first_piece) * job->piece_rows;
    const uint64_t left = job->part->n_rows - row0;
    const uint64_t n = left < job->piece_rows ? left : job->piece_rows;
    const uint8_t *rows = b->rows;
    choir_status status = CHOIR_OK;
    if (job->rows != NULL) {
        rows = job->rows + row0 * row_bytes;
    } else {
        status = mdl_part_read(job->part, row0, n, b->rows, b->whole, err);
    }
    for (uint64_t i = 0; i < n && status == CHOIR_OK; i += DTYPE_PANEL_ROWS) {
        int in_panel = n - i < DTYPE_PANEL_ROWS ? (int)(n - i) : DTYPE_PANEL_ROWS;
        status = pack_rows(job, row0 + i, rows + i * row_bytes, in_panel, b, err);
    }
    atomic_fetch_add(&ld->done_bytes, n * row_bytes);
    return status;
}

static void report(struct load *ld)
{
    const struct mdl_load_options *opt = ld->opt;
    if (opt->progress != NULL && opt->progress(opt->user, atomic_load(&ld->done_bytes), ld->total_bytes) != 0) {
        atomic_store(&ld->cancelled, true);
        atomic_store(&ld->stop, true);
    }
}

static size_t thread_bytes(const struct load *ld)
{
    return ld->rows_bytes + ld->wide_bytes + ld->panel_bytes + ld->whole_bytes;
}

static void load_thread(struct par_thread *me, void *ctx)
{
    struct load *ld = ctx;
    /* fits: run has mapped as much */
    uint8_t *base = ld->buffers.base + (size_t)me->id * thread_bytes(ld);
    const struct buffers b = {
        .rows = base,
        .wide = (void *)(base + ld->rows_bytes),
        .panel = base + ld->rows_bytes + ld->wide_bytes,
        .whole = base + ld->rows_bytes + ld->wide_bytes + ld->panel_bytes,
    };
    struct fault *fault = &ld->faults[me->id];
    const struct job *job = ld->jobs;
    while (!atomic_load(&ld->stop)) {
        uint64_t piece = atomic_fetch_add(&ld->next, 1);
        if (piece >= ld->n_pieces) {
            break;
        }
        while (piece >= job[1].first_piece) {
            job++;
        }
        if (load_piece(ld, job, piece, &b, &fault->error) != CHOIR_OK) {
            fault->piece = piece;
            atomic_store(&ld->stop, true);
            break;
        }
        if (me->id == 0) {
            report(ld);
        }
    }
}

static choir_status outcome(struct load *ld, int n_threads, choir_error *err)
{
    const struct fault *first = &ld->faults[0];
    for (int i = 1; i < n_threads; i++) {
        first = ld->faults[i].piece < first->piece ? &ld->faults[i] : first;
    }
    if (first->piece != UINT64_MAX) {
        if (err != NULL) {
            *err = first->error;
        }
        return first->error.code;
    }
    if (!atomic_load(&ld->cancelled)) {
        report(ld); /* the last word: all of it */
    }
    if (atomic_load(&ld->cancelled)) {
        return base_fail(err, CHOIR_CANCELLED, "loading cancelled");
    }
    return CHOIR_OK;
}

/* How many of the threads have enough to do. */
static int useful_threads(const struct load *ld, int n_threads)
{
    uint64_t useful = ld->total_bytes / THREAD_BYTES + 1;
    return useful < (uint64_t)n_threads ? (int)useful : n_threads;
}

static choir_status run(struct load *ld, int n_threads, choir_error *err)
{
    ld->rows_bytes = base_arena_cost(ld->rows_bytes);
    ld->wide_bytes = base_arena_cost(ld->wide_bytes);
    ld->panel_bytes = base_arena_cost(ld->panel_bytes);
    ld->whole_bytes = base_arena_cost(ld->whole_bytes);
    uint64_t bytes;
    if (!base_mul((uint64_t)n_threads, thread_bytes(ld), &bytes) || bytes > SIZE_MAX) {
        return base_fail_memory(err, SIZE_MAX, "buffers for loading");
    }
    choir_status status = base_arena_map(&ld->buffers, (size_t)bytes, false, "buffers for loading", err);
    if (status != CHOIR_OK) {
        return status;
    }
    for (int i = 0; i < n_threads; i++) {
        ld->faults[i].piece = UINT64_MAX;
    }
    if (ld->n_pieces > 0) {
        par_run(n_threads, load_thread, ld);
    }
    status = outcome(ld, n_threads, err);
    base_arena_unmap(&ld->buffers);
    return status;
}

choir_status mdl_load_matrices(struct mdl_model *m, const struct mdl_plan *plan, const struct mdl_load_options *opt,
                               choir_error *err)
{
    const int n_threads = opt->n_threads > 1 ? opt->n_threads : 1;
    struct load ld = {.opt = opt};
    atomic_init(&ld.next, 0);
    atomic_init(&ld.done_bytes, 0);
    atomic_init(&ld.stop, false);
    atomic_init(&ld.cancelled, false);
    ld.jobs = base_array(plan->n_parts + 1, sizeof *ld.jobs);
    ld.faults = base_array((size_t)n_threads, sizeof *ld.faults);
    choir_status status;
    if (ld.jobs == NULL || ld.faults == NULL) {
        status = base_fail_memory(err, plan->n_parts * sizeof *ld.jobs, "the list of matrices");
    } else {
        for (size_t i = 0; i < plan->n_parts; i++) {
            const struct mdl_part *part = &plan->parts[i];
            if (!part->is_vector && part->rows == NULL) {
                const struct mdl_matrix *w = mdl_part_field(m, part);
                add_job(&ld, part, m->arena.base + (w->panels - m->arena.base));
            }
        }
        ld.jobs[ld.n_jobs].first_piece = ld.n_pieces;
        status = run(&ld, useful_threads(&ld, n_threads), err);
    }
    free(ld.jobs);
    free(ld.faults);
    return status;
}
