/* The AVX-512 kernels, by name; their contracts are in kernels.h.  Each needs F, BW, VL, DQ and VNNI. */
#ifndef KERN_KERNELS_AVX512_H
#define KERN_KERNELS_AVX512_H

#include "kernels/kernels.h"

#endif
