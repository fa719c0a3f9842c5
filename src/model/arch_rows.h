/* What families call their tensors and their settings in Hugging Face folders.  Private to src/model/arch*.c. */
#ifndef MDL_ARCH_ROWS_H
#define MDL_ARCH_ROWS_H

#include "model/arch.h"

extern const char *const mdl_names_llama[MDL_TENSOR_COUNT]; /* and most others */
extern const char *const mdl_names_gemma2[MDL_TENSOR_COUNT];
extern const char *const mdl_names_olmo2[MDL_TENSOR_COUNT];
extern const char *const mdl_names_phi3[MDL_TENSOR_COUNT];
extern const char *const mdl_names_internlm2[MDL_TENSOR_COUNT];
extern const char *const mdl_names_gpt2[MDL_TENSOR_COUNT];
extern const char *const mdl_names_falcon[MDL_TENSOR_COUNT];
extern const char *const mdl_names_starcoder2[MDL_TENSOR_COUNT];
extern const char *const mdl_names_mixtral[MDL_TENSOR_COUNT];

/* Ended by MDL_SETTING_COUNT. */
extern const struct mdl_hf_setting mdl_settings_llama[];
extern const struct mdl_hf_setting mdl_settings_mistral[];
extern const struct mdl_hf_setting mdl_settings_mixtral[];
extern const struct mdl_hf_setting mdl_settings_internlm2[];
extern const struct mdl_hf_setting mdl_settings_gemma[];
extern const struct mdl_hf_setting mdl_settings_gemma2[];
extern const struct mdl_hf_setting mdl_settings_gemma3[];
extern const struct mdl_hf_setting mdl_settings_qwen2[];
extern const struct mdl_hf_setting mdl_settings_qwen3[];
extern const struct mdl_hf_setting mdl_settings_qwen2moe[];
extern const struct mdl_hf_setting mdl_settings_qwen3moe[];
extern const struct mdl_hf_setting mdl_settings_phi3[];
extern const struct mdl_hf_setting mdl_settings_gpt2[];
extern const struct mdl_hf_setting mdl_settings_falcon[];
extern const struct mdl_hf_setting mdl_settings_starcoder2[];
extern const struct mdl_hf_setting mdl_settings_olmo2[];

#endif
