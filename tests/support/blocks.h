/* Random blocks of every quantized type in the file layout. */
#ifndef TEST_BLOCKS_H
#define TEST_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/dtype.h"

/* Where a block has its f16 scale and minimum, -1 where there is no minimum: all other bytes may be anything. */
static inline void blocks_f16_at(choir_dtype type, int at[2])
{
    at[0] = 0;
    at[1] = -1;
    switch (type) {
    case DTYPE_Q4_1:
    case DTYPE_Q5_1:
    case DTYPE_Q4_K:
    case DTYPE_Q5_K:
        at[1] = 2;
        break;
    case DTYPE_Q2_K:
        at[0] = 80;
        at[1] = 82;
        break;
    case DTYPE_Q3_K:
        at[0] = 108;
        break;
    case DTYPE_Q6_K:
        at[0] = 208;
        break;
    default:
        break;
    }
}

/* Writes the scale and, where there is one, the minimum of a block. */
static inline void blocks_set_f16(choir_dtype type, unsigned char *block, uint16_t scale, uint16_t min)
{
    int at[2];
    blocks_f16_at(type, at);
    memcpy(block + at[0], &scale, sizeof scale);
    if (at[1] >= 0) {
        memcpy(block + at[1], &min, sizeof min);
    }
}

#endif
