/* ORG/NAME[@REVISION]: models in the local Hugging Face cache.  Nothing is downloaded. */
#ifndef CHOIR_CLI_HUB_H
#define CHOIR_CLI_HUB_H

#include "choir.h"

/* Where the model named on the command line lies: `name` itself when such a path exists or when it does not look like
 * ORG/NAME, else its snapshot in the cache: the folder, or the only .gguf file in it.  malloc'ed.
 * CHOIR_IO naming the folder looked into when it is not there. */
choir_status hub_find(char **path, const char *name, choir_error *err);

#endif
