/* ORG/NAME[@REVISION][:FILE]: models in the local Hugging Face cache.  Nothing is downloaded. */
#ifndef CHOIR_CLI_HUB_H
#define CHOIR_CLI_HUB_H

#include "choir.h"

/* Where the model named on the command line lies: `name` itself when such a path exists or when it does not look like
 * ORG/NAME, else in the cache.  REVISION is a branch, a tag or a commit, its first letters too (4 or more, of one commit
 * only); main if not given.  FILE is a file of the snapshot, or a part of the name of one .gguf file ("Q4_K_M"); without it
 * the model is the snapshot's folder, or the only .gguf file in it where there is no config.json.  malloc'ed.
 * CHOIR_IO when it is not there or not whole, telling how to get it; CHOIR_USAGE when several are meant, naming them. */
choir_status hub_find(char **path, const char *name, choir_error *err);

#endif
