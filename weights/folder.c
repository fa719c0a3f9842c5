/* Hugging Face folders. */
#include "base/error.h"
#include "weights/set.h"

choir_status wts_load_folder(struct wts_set *set, bool headers_from_config, choir_error *err)
{
    (void)headers_from_config;
    return base_fail(err, CHOIR_FILE, "%s: folders are not read yet", set->model_file);
}
