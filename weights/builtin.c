/* The built-in model: weights/tales/tales.gguf, put into the program by weights/tales/tales.S. */
#include "weights/weights.h"

extern const unsigned char choir_tales[], choir_tales_end[];

void wts_builtin(const void **data, size_t *size)
{
    *data = choir_tales;
    *size = (size_t)((uintptr_t)choir_tales_end - (uintptr_t)choir_tales);
}
