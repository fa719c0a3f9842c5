/* The AVX-VNNI kernels, by name; their contracts are in kernels.h. */
#ifndef KERN_KERNELS_AVXVNNI_H
#define KERN_KERNELS_AVXVNNI_H

#include "kernels/kernels.h"

void kern_matmul_q8_0_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q4_0_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q4_1_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q5_0_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q5_1_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_iq4_nl_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                                int n_tokens, int tile, bool add);
void kern_matmul_q2_K_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q3_K_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q4_K_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q5_K_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_q6_K_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                              int n_tokens, int tile, bool add);
void kern_matmul_iq4_xs_avxvnni(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                                int n_tokens, int tile, bool add);

#endif
