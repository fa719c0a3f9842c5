/* The table of number types, and the names of those that are known but not read. */
#include "base/dtype.h"

const struct dtype_info dtype_table[DTYPE_COUNT] = {
#define X(name, text, id, len, bytes, ucols, ubytes, form)                                                             \
    {text, id, len, bytes, ucols, ubytes, DTYPE_FORM_##form, (len) == 1 ? DTYPE_ACT_F32 : DTYPE_ACT_Q8},
    CHOIR_DTYPES(X)
#undef X
};

const int8_t dtype_iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/* ggml_type numbers, for messages about types that cannot be read. */
static const struct {
    uint32_t id;
    const char *name;
} gguf_names[] = {
    {0, "f32"},      {1, "f16"},     {2, "q4_0"},     {3, "q4_1"},   {6, "q5_0"},    {7, "q5_1"},   {8, "q8_0"},
    {9, "q8_1"},     {10, "q2_K"},   {11, "q3_K"},    {12, "q4_K"},  {13, "q5_K"},   {14, "q6_K"},  {15, "q8_K"},
    {16, "iq2_xxs"}, {17, "iq2_xs"}, {18, "iq3_xxs"}, {19, "iq1_s"}, {20, "iq4_nl"}, {21, "iq3_s"}, {22, "iq2_s"},
    {23, "iq4_xs"},  {24, "i8"},     {25, "i16"},     {26, "i32"},   {27, "i64"},    {28, "f64"},   {29, "iq1_m"},
    {30, "bf16"},    {34, "tq1_0"},  {35, "tq2_0"},   {39, "mxfp4"},
};

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && (*a == *b || (*a == 'K' && *b == 'k'))) {
        a++;
        b++;
    }
    return *a == *b;
}

choir_dtype dtype_by_name(const char *name)
{
    int i = 0;
    while (i < DTYPE_COUNT && !same_name(dtype_table[i].name, name)) {
        i++;
    }
    return (choir_dtype)i;
}

choir_dtype dtype_by_gguf_id(uint32_t id)
{
    int i = 0;
    while (i < DTYPE_COUNT && dtype_table[i].gguf_id != id) {
        i++;
    }
    return (choir_dtype)i;
}

const char *dtype_gguf_name(uint32_t id)
{
    for (size_t i = 0; i < sizeof gguf_names / sizeof gguf_names[0]; i++) {
        if (gguf_names[i].id == id) {
            return gguf_names[i].name;
        }
    }
    return NULL;
}
